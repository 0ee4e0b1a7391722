"""`port-auditor policy check` and `show`."""

from __future__ import annotations

import argparse
import sys
import types
from pathlib import Path

import pytest

from auditor.cli import policy as command
from auditor.errors import PolicyError
from auditor.policy import Policy, load

RULES: dict[str, dict[str, type]] = {
    "ephemeral-range-small": {"at_least": int},
    "listener-not-approved": {},
    "listener-on-wildcard-address": {},
    "cleartext-listener": {"tiers": list},
}

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


@pytest.fixture(autouse=True)
def _known_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = types.ModuleType("auditor.plugins")
    plugins.rule_parameters = lambda: RULES  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "auditor.plugins", plugins)


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
        "baseline: valid: no approved list, 0 required, 0 forbidden, 3 rules set, 0 waivers\n"
        "site.yaml: valid: 2 approved, 2 required, 1 forbidden, 4 rules set, 1 waiver\n"
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
    assert "ephemeral: {expect: 'vendor:linux-4.2-plus'}  # table.yaml:2" in capsys.readouterr().out


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
    assert "privileged: {expect: 0-1023}  # site.yaml:3" in lines
    assert "    - name: https  # site.yaml:7" in lines
    assert "    - ssh  # site.yaml:10" in lines
    assert "  listener-not-approved: high  # site.yaml:13" in lines
    assert "  ephemeral-range-small: {severity: low, at_least: 8192}  # site.yaml:13" in lines
    (wildcard,) = (line for line in lines if line.startswith("  listener-on-wildcard-address: off  # baseline.yaml:"))
    assert wildcard


def said(policy: Policy) -> list[object]:
    """All of a policy but where it stands."""
    return [
        policy.privileged,
        policy.ephemeral and (policy.ephemeral.table, policy.ephemeral.ranges),
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
    assert "example: port-auditor policy check" in capsys.readouterr().out
    assert "\n" not in command.HELP
