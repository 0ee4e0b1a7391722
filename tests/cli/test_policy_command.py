"""`port-auditor policy check` and `show`."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from auditor import plugins
from auditor.cli import policy as command
from auditor.errors import AuditorError, PolicyError
from auditor.policy import Policy, load

RULES = plugins.rule_parameters()
SHIPPED = len(load("baseline", RULES).rules)

SITE = """\
policy: 1
extends: baseline
privileged: {expect: 0-1023}
ephemeral: {expect: [32768-40000, 49152-65535]}
listening:
  approved:
    - {name: https, port: 443, protocol: [tcp, udp], address: "*", executable: /bin/x, user: {not: root}, purpose: "the shop: public"}
    - name: ssh
      port: [22, kernel-given]
  required: [ssh, {port: 123, protocol: udp}]
  forbidden:
    - {port: any, executable: [/tmp/*, deleted], except: {address: '::1'}, why: "it's not installed"}
rules: {listener-not-approved: high, ephemeral-range-small: {severity: low}}
waivers:
  - {rule: listener-not-approved, subject: "tcp/[::]:*", reason: "two\\nlines", owner: web, expires: 2027-01-31}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("site.yaml").write_text(SITE)
    return "site.yaml"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(words))


def test_check_counts_what_is_in_a_valid_policy(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", site, "-p", "baseline") == 0
    assert capsys.readouterr().out == (
        f"baseline: valid: no approved list, 0 required, 0 forbidden, {SHIPPED} rules set, 0 waivers\n"
        "site.yaml: valid: 2 approved (1 by executable alone (any local user may run it), 1 by port only), 2 required, 1 forbidden, "
        f"{SHIPPED + 1} rules set, 1 waiver\n"
    )


def test_check_looks_at_the_baseline_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 0
    assert capsys.readouterr().out.startswith("baseline: valid: ")


def test_check_is_quiet_when_asked_and_nothing_is_wrong(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "-q", site) == 0
    assert capsys.readouterr().out == ""


def test_a_tables_name_with_a_colon_is_shown_so_that_it_can_be_read_again(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.yaml").write_text("policy: 1\nephemeral: {expect: 'vendor:linux-4.2-plus'}\n")
    run("show", "table.yaml")
    assert "ephemeral:\n  expect: 'vendor:linux-4.2-plus'  # table.yaml:2\n" in capsys.readouterr().out


def test_check_tells_all_errors_of_all_files(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text("policy: 1\nprivilegd: x\nrules: {nope: on}\n")
    with pytest.raises(PolicyError) as caught:
        run("check", "bad.yaml", site, "missing.yaml")
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == ["bad.yaml:2:1", "bad.yaml:3:9", "missing.yaml"]
    assert caught.value.exit_code == 2
    assert capsys.readouterr().out.startswith("site.yaml: valid: ")


def test_show_prints_the_merged_policy_with_the_origin_of_each_part(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", site) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# site, merged from baseline.yaml, site.yaml; sha256 ")
    lines = shown.splitlines()
    assert "  expect: 0-1023  # site.yaml:3" in lines[lines.index("privileged:") :]
    assert "    - name: https  # site.yaml:7" in lines
    assert "    - ssh  # site.yaml:10" in lines
    assert "  listener-not-approved: high  # site.yaml:13" in lines
    assert "  ephemeral-range-small: {severity: low, at_least: 8192}  # site.yaml:13" in lines
    (wildcard,) = (line for line in lines if line.startswith("  listener-on-wildcard-address: off  # baseline.yaml:"))
    assert wildcard


def said(policy: Policy) -> list[object]:
    """All of a policy but where it stands."""
    return [
        [[line.partition("  #")[0] for line in command.lines(policy)][1:]],
        [
            (entry.name, sorted(entry.wanted), len(entry.exceptions), entry.why)
            for entry in (*policy.approved, *policy.required, *policy.forbidden)
        ],
        {name: (setting.off, setting.severity, setting.parameters) for name, setting in policy.rules.items()},
        [(waiver.reason, waiver.expires) for waiver in policy.waivers],
    ]


def test_what_show_prints_is_a_policy_that_says_the_same(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("show", site)
    Path("shown.yaml").write_text(capsys.readouterr().out)
    assert said(load("shown.yaml", RULES)) == said(load(site, RULES))


def test_nothing_hostile_reaches_the_terminal_raw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a\x1b[31m.yaml"
    Path(name).write_text('policy: 1\nlistening: {forbidden: [{port: 1, why: "two\\nlines\\u00a0"}]}\n')
    assert run("check", name) == run("show", name) == 0
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())


def test_its_help_names_both_and_gives_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("check", "--help")
    assert "examples:\n  port-auditor policy check web.yaml\n" in capsys.readouterr().out
    assert "\n" not in command.HELP


# What is odd


def test_check_prints_warnings_and_succeeds_also_when_it_is_to_be_quiet(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.yaml").write_text("policy: 1\nlistening: {approved: [{name: w, port: 80, process: nginx}]}\n")
    assert run("check", "-q", "odd.yaml") == 0
    warning = "odd.yaml:2: warning: 'w' is approved by process name alone, and any process can give itself a name; add its executable, user, unit or container\n"  # fmt: skip  # noqa: E501
    assert capsys.readouterr().out == warning
    assert run("check", "odd.yaml") == 0
    assert capsys.readouterr().out == (
        warning + "odd.yaml: valid: 1 approved (1 by process name), 0 required, 0 forbidden, 0 rules set, 0 waivers\n"
    )


def test_check_refuses_what_must_be_mended_although_it_loads(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(
        "policy: 1\nmust_have: [purpose]\nlistening:\n"
        "  approved:\n  - {name: a, port: 23}\n  - {name: b, port: 80, process: x, purpose: y}\n"
        "  forbidden: [{port: 23}]\n"
    )
    with pytest.raises(PolicyError) as caught:
        run("check", "bad.yaml", site)
    assert [line.partition("; ")[0] for line in str(caught.value).splitlines()] == [
        "bad.yaml:5: 'a' has no purpose",
        "bad.yaml:5: 'a' is approved here and forbidden at bad.yaml:7",
    ]
    assert caught.value.exit_code == 2
    printed = capsys.readouterr().out
    assert printed.startswith("bad.yaml:6: warning: 'b' is approved by process name alone")
    assert "site.yaml: valid: " in printed
    assert "bad.yaml: valid" not in printed


# A CSV


REGISTER = "Port,Service,Why,Boundary\n443,https,shop,1\n22,ssh,,1\n"


def test_a_csv_is_checked_by_the_words_that_are_said_and_the_mapping_can_be_pasted(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("clsa.csv").write_text(REGISTER)
    assert run("check", "clsa.csv", "--column", "port=port", "--column", "name=Service", "--column", "purpose=Why") == 0
    first, unused, valid = capsys.readouterr().out.splitlines()
    assert first == "clsa.csv: read as approved_from: {file: clsa.csv, columns: {port: Port, name: Service, purpose: Why}}"
    assert unused == "clsa.csv: columns not used: Boundary"
    assert valid.startswith("clsa.csv: valid: 2 approved (2 by port only), ")
    Path("pasted.yaml").write_text(f"policy: 1\nlistening: {{{first.partition('read as ')[2]}}}\n")
    assert [str(entry) for entry in load("pasted.yaml", RULES).approved] == ["https", "ssh"]


def test_a_csv_that_has_our_words_needs_none_said_and_what_is_not_used_is_told(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("clsa.csv").write_text(REGISTER)
    assert run("check", "clsa.csv") == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "clsa.csv: read as approved_from: {file: clsa.csv, columns: {port: Port}}",
        "clsa.csv: columns not used: Service, Why, Boundary",
    ]


def test_bad_rows_of_a_csv_are_told_after_the_mapping(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("clsa.csv").write_text("name,port\na,x\nb,1\nb,2\nc,\n")
    with pytest.raises(PolicyError, match=r"^clsa\.csv:5:2: the row has no port"):
        run("check", "clsa.csv")
    Path("clsa.csv").write_text("name,port\na,x\nb,1\nb,70000\n")
    with pytest.raises(PolicyError) as caught:
        run("check", "clsa.csv")
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == ["clsa.csv:2:2", "clsa.csv:4:2"]
    assert capsys.readouterr().out.startswith("clsa.csv: read as ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "clsa.csv", "--column", "port"), "--column 'port' is not KEY=WORD"),
        (("check", "clsa.csv", "--column", "prt=Port"), "^--column: unknown key 'prt'; did you mean 'port'"),
        (("check", "clsa.csv", "--column", "name=Service"), "^--column: 'port' is missing$"),
        (("check", "clsa.csv", "--column", "port=Prt"), "^--column: clsa.csv has no column 'Prt'$"),
        (("check", "site.yaml", "--column", "port=Port"), "--column speaks of a CSV file, and there is none"),
        (("show", "clsa.csv"), "a CSV file is part of a policy, and none by itself"),
    ],
)
def test_a_mapping_that_is_none_is_refused(site: str, words: tuple[str, ...], says: str) -> None:
    Path("clsa.csv").write_text(REGISTER)
    with pytest.raises(AuditorError, match=says):
        run(*words)


def test_what_show_prints_of_a_csv_is_a_policy_that_says_the_same(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("clsa.csv").write_text('port,name,purpose\n"80,443",x,"a ""b"": #c"\n')
    Path("of.yaml").write_text("policy: 1\nlistening: {approved_from: clsa.csv}\n")
    run("show", "of.yaml")
    printed = capsys.readouterr().out
    assert "    - port: [80, 443]  # clsa.csv:2" in printed.splitlines()
    Path("shown.yaml").write_text(printed)
    assert said(load("shown.yaml", RULES)) == said(load("of.yaml", RULES))
