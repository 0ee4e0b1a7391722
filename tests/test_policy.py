"""A policy says what it seems to say, or is refused with the line, what was found, and the nearest right word."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from auditor.errors import PolicyError
from auditor.places import shipped
from auditor.plugins import rule_parameters
from auditor.policy import Policy, load
from auditor.policy_expected import Expected
from auditor.port_range import PortRange

RULES: dict[str, dict[str, type]] = {
    **rule_parameters(),
    "made-up-for-tests": {"strictly": bool, "word": str, "ports": PortRange},
}


def read(tmp_path: Path, text: str, name: str = "web.yaml") -> Policy:
    (tmp_path / name).write_text(text)
    return load(str(tmp_path / name), RULES)


def refusals(tmp_path: Path, text: str, name: str = "web.yaml") -> list[str]:
    """Each error and its advice, without the folder."""
    with pytest.raises(PolicyError) as caught:
        read(tmp_path, text, name)
    error = caught.value
    parts = getattr(error, "parts", [error])
    told = [f"{part}; {part.advice}".replace(f"{tmp_path}/", "") for part in parts]
    assert all(line.isprintable() for line in told)
    return told


def refusal(tmp_path: Path, text: str, name: str = "web.yaml") -> str:
    told = refusals(tmp_path, text, name)
    assert len(told) == 1, told
    return told[0]


def expects(expected: Expected | None, system: str) -> tuple[object, ...] | None:
    """What is expected of a system: the table, the ranges, and where that stands."""
    one = None if expected is None else expected.of(system)
    return one and (one.table, one.ranges, one.origin)


# What is read


def test_the_baseline_is_valid_and_has_no_opinion_on_services() -> None:
    policy = load("baseline", RULES)
    assert (policy.name, policy.files) == ("baseline", ["baseline.yaml"])
    assert (policy.approved_given, policy.approved, policy.required, policy.forbidden, policy.waivers) == (False, (), (), (), ())
    assert (policy.privileged, policy.ephemeral) == (None, None)
    assert policy.rules["listener-on-wildcard-address"].off
    assert policy.rules["cleartext-listener"].parameters == {"tiers": ["always"]}
    assert policy.rules["ephemeral-range-small"].parameters == {"at_least": 8192}
    assert {setting.severity for setting in policy.rules.values()} == {None}


def test_every_shipped_policy_is_valid_for_the_rules_of_this_version() -> None:
    for file in Path(shipped("policies")).glob("*.yaml"):
        assert load(file.stem, rule_parameters()).files


def test_everything_that_a_policy_can_say_is_read(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        """\
policy: 1
privileged: {expect: 0-1023}
ephemeral: {expect: [49152-65535, 32768-40000]}
listening:
  approved:
    - {name: ssh, port: 22, protocol: tcp, purpose: administration, owner: sre, approved_by: j.doe, ticket: CHG-1, review_by: 2027-03-01}
    - {name: web, port: [80, 443, 8000-8099]}
  required:
    - ssh
    - {port: 123, protocol: udp}
  forbidden:
    - {port: 23, why: cleartext, except: {user: lab}}
rules:
  listener-not-approved: high
  listener-on-wildcard-address: off
  listener-in-ephemeral-range: on
  made-up-for-tests: {severity: low, strictly: yes, word: off, ports: 30000-32767}
waivers:
  - {id: EXC-1, rule: listener-not-approved, reason: moving, owner: web, expires: 2027-01-31}
""",
    )
    assert expects(policy.privileged, "Linux") == (None, (PortRange(0, 1023),), f"{tmp_path}/web.yaml:2")
    assert expects(policy.ephemeral, "VOS") == (None, (PortRange(32768, 40000), PortRange(49152, 65535)), f"{tmp_path}/web.yaml:3")
    ssh, web = policy.approved
    assert (ssh.name, ssh.purpose, ssh.owner, ssh.approved_by, ssh.ticket) == ("ssh", "administration", "sre", "j.doe", "CHG-1")
    assert str(ssh.review_by) == "2027-03-01"
    assert (ssh.origin, web.origin) == (f"{tmp_path}/web.yaml:6", f"{tmp_path}/web.yaml:7")
    assert web.ports == (PortRange(80, 80), PortRange(443, 443), PortRange(8000, 8099))
    assert [(str(entry), entry.origin.rpartition(":")[2]) for entry in policy.required] == [("ssh", "9"), ("port 123, protocol udp", "10")]
    (telnet,) = policy.forbidden
    assert (telnet.why, len(telnet.exceptions)) == ("cleartext", 1)
    settings = {name: (setting.off, setting.severity, setting.parameters) for name, setting in policy.rules.items()}
    assert settings == {
        "listener-not-approved": (False, "high", {}),
        "listener-on-wildcard-address": (True, None, {}),
        "listener-in-ephemeral-range": (False, None, {}),
        "made-up-for-tests": (False, "low", {"strictly": True, "word": "off", "ports": PortRange(30000, 32767)}),
    }
    (waiver,) = policy.waivers
    assert (waiver.id, waiver.rule, str(waiver.expires), waiver.origin) == (
        "EXC-1",
        "listener-not-approved",
        "2027-01-31",
        f"{tmp_path}/web.yaml:19",
    )


@pytest.mark.parametrize("word", ["vendor-default", "iana-dynamic", "vendor:linux-6"])
def test_the_ephemeral_range_may_be_a_tables_name(tmp_path: Path, word: str) -> None:
    policy = read(tmp_path, f"policy: 1\nephemeral: {{expect: {word}}}\n")
    assert expects(policy.ephemeral, "Linux") == (word, None, f"{tmp_path}/web.yaml:2")


def test_an_empty_approved_list_is_told_from_none(tmp_path: Path) -> None:
    assert read(tmp_path, "policy: 1\nlistening: {approved: []}\n").approved_given
    assert not read(tmp_path, "policy: 1\nlistening: {forbidden: []}\n").approved_given


# What is refused


def test_a_misspelt_key_is_refused_with_its_line_and_the_nearest_right_key(tmp_path: Path) -> None:
    text = "policy: 1\nlistening:\n  approved:\n    - name: web\n      port: 80\n      proces: nginx\n"
    told = refusal(tmp_path, text)
    assert told.startswith("web.yaml:6:7: unknown key 'proces'; did you mean 'process'? allowed here: name, purpose, ")


def test_a_misspelt_rule_is_refused_with_the_nearest_right_one(tmp_path: Path) -> None:
    told = refusal(tmp_path, "policy: 1\nrules: {listener-not-aproved: high}\n")
    assert told.startswith("web.yaml:2:9: unknown rule 'listener-not-aproved'; did you mean 'listener-not-approved'?")


def test_a_misspelt_parameter_is_refused(tmp_path: Path) -> None:
    assert "unknown key 'atleast'; did you mean 'at_least'?" in refusal(
        tmp_path, "policy: 1\nrules: {ephemeral-range-small: {atleast: 9}}\n"
    )


@pytest.mark.parametrize(
    "found", ["70000", "-1", "443-80", "0x50", "1-2-3", "' 80'", "+80", "\u0668\u0660", "\uff18\uff10", "80.0", "''", "http"]
)
def test_what_is_no_port_is_refused_with_what_was_expected(tmp_path: Path, found: str) -> None:
    told = refusal(tmp_path, f"policy: 1\nlistening: {{approved: [{{name: x, port: {found}}}]}}\n")
    assert told.startswith(
        "web.yaml:2:40: expected a port or range of ports within 0-65535, as 443 or 8000-8099, any or kernel-given, found '"
    )


@pytest.mark.parametrize(
    "found", ["2027-3-1", "01.03.2027", "2027-02-29", "20270301", "2027-W09-1", "2027-03-01T00:00:00Z", "tomorrow", "''"]
)
def test_other_spellings_of_a_date_are_refused(tmp_path: Path, found: str) -> None:
    text = f"policy: 1\nwaivers:\n  - {{rule: listener-not-approved, reason: r, owner: o, expires: {found}}}\n"
    assert "expected a date that exists, as 2027-03-31, found " in refusal(tmp_path, text)


@pytest.mark.parametrize("missing", ["rule", "reason", "owner", "expires"])
def test_a_waiver_needs_a_rule_a_reason_an_owner_and_an_end(tmp_path: Path, missing: str) -> None:
    keys = {"rule": "listener-not-approved", "reason": "r", "owner": "o", "expires": "2027-01-31"}
    written = ", ".join(f"{key}: {value}" for key, value in keys.items() if key != missing)
    assert refusal(tmp_path, f"policy: 1\nwaivers:\n  - {{{written}}}\n").startswith(f"web.yaml:3:5: '{missing}' is missing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: {}", "web.yaml:1:1: 'policy' is missing"),
        ("policy: 2", "web.yaml:1:9: expected 1, found '2'"),
        ("policy: 1\nrules: [a]", "web.yaml:2:8: expected names of rules, each with off, on or a severity, found a list"),
        ("policy: 1\nrules: {listener-not-approved: hihg}", "expected one of off, on, info, low, medium, high, critical, found 'hihg'"),
        ("policy: 1\nrules: {listener-not-approved: High}", "did you mean 'high'?"),
        ("policy: 1\nrules: {listener-not-approved: }", "critical, found nothing"),
        ("policy: 1\nrules: {listener-not-approved: {severity: off}}", "expected one of info, low"),
        ("policy: 1\nrules: {ephemeral-range-small: {at_least: many}}", "expected a whole number, found 'many'"),
        ("policy: 1\nrules: {ephemeral-range-small: {at_least: 99999999999999}}", "expected a whole number"),
        ("policy: 1\nrules: {cleartext-listener: {tiers: always}}", "expected a list of words, found 'always'"),
        ("policy: 1\nrules: {made-up-for-tests: {strictly: maybe}}", "expected one of yes, true, on, no, false, off, found 'maybe'"),
        ("policy: 1\nprivileged: 0-1023", "expected keys and values, found '0-1023'"),
        ("policy: 1\nprivileged: {}", "says nothing; write at least one of expect, granted_to"),
        ("policy: 1\nprivileged: {expect: nobody}", "expected a range as 0-1023, vendor-default, or none"),
        ("policy: 1\nprivileged: {expect: {}}", "names no system"),
        ("policy: 1\nprivileged: {expect: {Linux: 0-1023, linux: 0-79}}", "'linux' stands twice: case does not count"),
        ("policy: 1\nprivileged: {expect: {Linux: 0-1023, HP-UX: y}}", "expected a range"),
        ("policy: 1\nprivileged: {granted_to: [{port: 80}]}", "unknown key 'port'"),
        ("policy: 1\nprivileged: {granted_to: [{}]}", "an entry that asks nothing"),
        ("policy: 1\nephemeral: {reserved_must_include: []}", "an empty list of ranges fits nothing"),
        ("policy: 1\nscope: {must_see: sockets}", "expected one of stacks, listeners, owners"),
        ("policy: 1\nscope: {loopback: ignore}", "expected judge, inventory or names of rules, found 'ignore'"),
        ("policy: 1\nscope: {containers: []}", "an empty list of rules fits nothing"),
        ("policy: 1\napplies_to: {group: web}", "unknown key 'group'; did you mean 'groups'?"),
        ("policy: 1\ndefaults: {purpose: web}", "unknown key 'purpose'"),
        ("policy: 1\ndefaults: {review_by: 2027-02-30}", "expected a date that exists"),
        ("policy: 1\nmust_have: [purpos]", "did you mean 'purpose'?"),
        ("policy: 1\ngaps: [{fact: owners, owner: sre, expires: 2027-01-31}]", "'reason' is missing"),
        ("policy: 1\ngaps: [{fact: owners, owner: sre, reason: x}]", "'expires' is missing"),
        ("policy: 1\ngaps: [{owner: sre, reason: x, expires: 2027-01-31}]", "'fact' is missing"),
        ("policy: 1\ngaps: [{fact: firewall, owner: sre, reason: x, expires: 2027-01-31}]", "expected one of stacks"),
        ("policy: 1\nlistening: {approved: [{name: x, port: 1, at_most: 0}]}", "at_most 0 approves nothing"),
        ("policy: 1\nephemeral: {expect: 70000}", "expected vendor-default, the name of a table, or ranges"),
        ("policy: 1\nephemeral: {expect: []}", "an empty list of ranges"),
        ("policy: 1\nephemeral: {expect: [vendor-default]}", "expected a port or range"),
        ("policy: 1\nlistening: [ssh]", "expected keys and values, found a list"),
        ("policy: 1\nlistening: {approved: }", "expected a list of entries, found nothing; write [] for an empty list"),
        ("policy: 1\nlistening: {approved: {name: x}}", "expected a list of entries, found a mapping"),
        ("policy: 1\nlistening: {approved: [ssh]}", "expected an entry, found 'ssh'"),
        ("policy: 1\nlistening: {approved: [{port: 1}]}", "'name' is missing"),
        ("policy: 1\nlistening: {approved: [{name: x}]}", "'port' is missing"),
        ("policy: 1\nlistening: {approved: [{name: x, port: []}]}", "an empty list of ports fits nothing"),
        ("policy: 1\nlistening: {approved: [{name: x, port: 1, why: y}]}", "unknown key 'why'"),
        ("policy: 1\nlistening: {approved: [{name: x, port: 1}, {name: x, port: 2}]}", "the name 'x' is taken; it stands at web.yaml:2"),
        ("policy: 1\nlistening: {required: [{name: x}]}", "'port' is missing"),
        ("policy: 1\nlistening: {required: [ssh]}", "requires 'ssh', which no approved entry is called"),
        ("policy: 1\nlistening: {approved: [{name: sshd, port: 22}], required: [ssh]}", "did you mean 'sshd'?"),
        ("policy: 1\nlistening: {forbidden: [{why: x}]}", "an entry that asks nothing"),
        ("policy: 1\nlistening: {forbidden: [{port: any}]}", "an entry that asks nothing"),
        ("policy: 1\nlistening: {forbidden: [{port: 1, except: {port: any}}]}", "an entry that asks nothing"),
        ("policy: 1\nlistening: {forbidden: [{port: 1, except: []}]}", "an empty list of entries fits nothing"),
        ("policy: 1\nlistening: {forbidden: [{port: 1, except: {port: 1, except: {}}}]}", "unknown key 'except'"),
        ('policy: 1\nlistening: {approved: [{name: "a\\e[31m", port: 1}]}', r"found 'a\x1b[31m'"),
        ('policy: 1\nlistening: {approved: [{name: a, port: 1, purpose: "x\\e[31m"}]}', "expected a text without control characters"),
        ('policy: 1\nlistening: {approved: [{name: a, port: 1, purpose: "x\u202ey"}]}', "expected a text without control characters"),
        ("policy: 1\n\"\\e]0;\\a\": 1", r"unknown key '\x1b]0;\x07'"),
        ("policy: 1\nwaivers: [{rule: nope, reason: r, owner: o, expires: 2027-01-01}]", "unknown rule 'nope'"),
        ("policy: 1\nextends: [nope]", "web.yaml:2:11: extends 'nope', which is neither a shipped policy nor a file there"),
        ("policy: 1\nextends: basline", "did you mean 'baseline'?"),
        ("policy: 1\nextends: []", "an empty list of policies"),
        ("policy: 1\nextends: {a: b}", "expected a text, found a mapping"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_was_found_and_expected(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text + "\n")


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        ("protocol: TCP", "did you mean 'tcp'?"),
        ("protocol: icmp", "expected one of tcp, udp, sctp, udplite, dccp, any, found 'icmp'"),
        ("address: 10.0.0.1/8", "the block that holds it is 10.0.0.0/8"),
        ("address: 10.0.0.0/255.0.0.0", "write the number of leading bits"),
        ("address: 010.0.0.1", "expected an IP address"),
        ("address: 10.1", "expected an IP address"),
        ("address: '[::]'", "without brackets"),
        ("address: fe80::1%eth0", "add 'interface: NAME'"),
        ("address: localhost", "expected an IP address, a block as 10.0.0.0/8, loopback, any"),
        ("reach: world", "expected one of loopback, link, private, public, container"),
        ("family: inet6", "expected one of ipv4, ipv6"),
        ("executable: nginx", "expected an absolute path or deleted, found 'nginx'; the name that a process gives itself is 'process'"),
        ("user: {except: root}", "unknown key 'except'"),
        ("user: {not: []}", "an empty list of users"),
        ("user: 99999999999999999999", "expected a user's name or number"),
        ("container: {}", "asks nothing of a container"),
        ("container: {id: x}", "unknown key 'id'"),
    ],
)
def test_a_criterion_of_the_wrong_kind_is_refused(tmp_path: Path, criterion: str, said: str) -> None:
    told = refusals(tmp_path, f"policy: 1\nlistening: {{approved: [{{name: x, port: 1, {criterion}}}]}}\n")
    assert any(said in line for line in told), told


def test_an_unquoted_star_is_refused_with_the_advice_to_quote_it(tmp_path: Path) -> None:
    assert "quote" in refusal(tmp_path, "policy: 1\nlistening: {approved: [{name: x, port: 1, address: *}]}\n")


def test_all_errors_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
policy: 1
privilegd: {expect: 0-1023}
ephemeral: {expect: 99999}
listening:
  approved:
    - {name: a, port: 99999, proces: x}
    - {name: b}
rules: {nope: high, listener-not-approved: loud}
"""
    places = [line.partition(": ")[0] for line in refusals(tmp_path, text)]
    assert places == ["web.yaml:2:1", "web.yaml:3:21", "web.yaml:6:23", "web.yaml:6:30", "web.yaml:7:7", "web.yaml:8:9", "web.yaml:8:44"]
    with pytest.raises(PolicyError) as caught:
        load(str(tmp_path / "web.yaml"), RULES)
    assert len(str(caught.value).splitlines()) == 7
    assert "mend these 7 places" in caught.value.advice


def test_a_flood_of_errors_is_cut(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("policy: 1\nrules: {" + ", ".join(f"x{n}: on" for n in range(500)) + "}\n")
    with pytest.raises(PolicyError) as caught:
        load(str(tmp_path / "web.yaml"), RULES)
    lines = str(caught.value).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "and 450 more"


@pytest.mark.parametrize("name", ["", "basline", "no\x1bsuch", "a\0b", "../baseline", "/", ".", "..", "x\0.yaml"])
def test_a_name_that_is_no_policy_is_refused_escaped(name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(name, RULES)
    assert (str(caught.value) + caught.value.advice).isprintable()


def test_a_misspelt_name_of_a_shipped_policy_gets_the_nearest() -> None:
    with pytest.raises(PolicyError, match="no policy 'basline' ships") as caught:
        load("basline", RULES)
    assert "did you mean 'baseline'?" in caught.value.advice


# Merging


def test_lists_are_joined_and_values_replaced_the_extending_file_last(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("""\
policy: 1
extends: baseline
privileged: {expect: 0-1023}
listening:
  approved: [{name: ssh, port: 22}]
  forbidden: [{port: 23}]
rules: {listener-not-approved: high, ephemeral-range-small: {severity: high}}
waivers: [{rule: listener-not-approved, reason: r, owner: o, expires: 2027-01-31}]
""")
    policy = read(tmp_path, """\
policy: 1
extends: [./site.yaml]
privileged: {expect: 0-79}
listening:
  approved: [{name: web, port: 80}]
  required: [ssh]
rules:
  listener-not-approved: off
  listener-on-wildcard-address: low
  ephemeral-range-small: {at_least: 4096}
""")  # fmt: skip
    assert [entry.name for entry in policy.approved] == ["ssh", "web"]
    assert [entry.origin.rpartition("/")[2] for entry in policy.approved] == ["site.yaml:5", "web.yaml:5"]
    assert [(entry.name, entry.origin.rpartition("/")[2]) for entry in policy.required] == [("ssh", "web.yaml:6")]
    assert len(policy.forbidden) == len(policy.waivers) == 1
    assert expects(policy.privileged, "Linux") == (None, (PortRange(0, 79),), f"{tmp_path}/web.yaml:3")
    assert policy.rules["listener-not-approved"].off
    wildcard, small = policy.rules["listener-on-wildcard-address"], policy.rules["ephemeral-range-small"]
    assert (wildcard.off, wildcard.severity) == (False, "low")
    assert (small.severity, small.parameters) == ("high", {"at_least": 4096})
    assert small.origin == f"{tmp_path}/web.yaml:10"
    assert policy.rules["cleartext-listener"].origin == load("baseline", RULES).rules["cleartext-listener"].origin


def test_an_approved_list_of_an_extended_file_is_a_list(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("policy: 1\nlistening: {approved: []}\n")
    assert read(tmp_path, "policy: 1\nextends: site\n").approved_given


def test_a_rule_that_was_off_keeps_its_parameters_when_it_is_turned_on_again(tmp_path: Path) -> None:
    (tmp_path / "quiet.yaml").write_text("policy: 1\nextends: baseline\nrules: {ephemeral-range-small: off}\n")
    assert load(str(tmp_path / "quiet.yaml"), RULES).rules["ephemeral-range-small"].off
    setting = read(tmp_path, "policy: 1\nextends: quiet\nrules: {ephemeral-range-small: on}\n").rules["ephemeral-range-small"]
    assert (setting.off, setting.severity, setting.parameters) == (False, None, {"at_least": 8192})


def test_the_digest_is_over_the_bytes_of_all_files_in_order(tmp_path: Path) -> None:
    policy = read(tmp_path, "policy: 1\nextends: baseline\n")
    baseline = Path(shipped("policies", "baseline.yaml")).read_bytes()
    assert policy.sha256 == sha256(baseline + b"policy: 1\nextends: baseline\n").hexdigest()
    assert policy.files == ["baseline.yaml", f"{tmp_path}/web.yaml"]
    assert policy.name == "web"


def test_files_are_named_as_given_and_relative_to_the_extending_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "roles").mkdir()
    (tmp_path / "site.yaml").write_text("policy: 1\n")
    (tmp_path / "roles" / "web.yaml").write_text("policy: 1\nextends: [baseline, ../site.yaml]\n")
    monkeypatch.chdir(tmp_path)
    assert load("roles/web.yaml", RULES).files == ["baseline.yaml", "roles/../site.yaml", "roles/web.yaml"]


def test_a_file_that_two_packs_extend_is_taken_once_where_it_came_first(tmp_path: Path) -> None:
    (tmp_path / "root.yaml").write_text("policy: 1\nlistening: {approved: [{name: ssh, port: 22}]}\nrules: {listener-not-approved: low}\n")
    (tmp_path / "left.yaml").write_text("policy: 1\nextends: root\nrules: {listener-not-approved: high}\n")
    (tmp_path / "right.yaml").write_text("policy: 1\nextends: root\n")
    policy = read(tmp_path, "policy: 1\nextends: [left, right]\n")
    assert [entry.name for entry in policy.approved] == ["ssh"]
    assert policy.rules["listener-not-approved"].severity == "high"
    assert [Path(file).name for file in policy.files] == ["root.yaml", "left.yaml", "right.yaml", "web.yaml"]


@pytest.mark.parametrize("name", ["web", "./web.yaml", "other"])
def test_a_cycle_is_refused_where_it_closes(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.yaml").write_text("policy: 1\nextends: web\n")
    assert "a cycle: " in refusal(tmp_path, f"policy: 1\nextends: {name}\n")


def test_a_cycle_by_way_of_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path)
    assert "a cycle: " in refusal(tmp_path, "policy: 1\nextends: again/web.yaml\n")


def test_an_endless_chain_of_files_is_refused(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"p{number}.yaml").write_text(f"policy: 1\nextends: p{number + 1}\n")
    (tmp_path / "p60.yaml").write_text("policy: 1\n")
    assert "a policy of more than 32 files" in refusal(tmp_path, "policy: 1\nextends: p0\n")


def test_errors_of_an_extended_file_are_told_beside_ones_own(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("policy: 1\nrules: {nope: on}\n")
    told = refusals(tmp_path, "policy: 1\nextends: site\nscope: x\n")
    assert [line.partition(": ")[0] for line in told] == ["site.yaml:2:9", "web.yaml:3:8"]


def test_a_policy_reads_the_same_without_libyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "policy: 1\nextends: baseline\nlistening: {approved: [{name: a, port: 22}]}\n"
    with_it = read(tmp_path, text)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    without = read(tmp_path, text)
    assert (with_it.sha256, [str(entry) for entry in with_it.approved]) == (without.sha256, [str(entry) for entry in without.approved])
