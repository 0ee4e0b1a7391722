"""What a policy file says once for all its entries, and what each entry must say."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli.policy import lines
from auditor.errors import PolicyError
from auditor.plugins import rule_parameters
from auditor.policy import Policy, load
from auditor.yaml_nodes import flow

DEFAULTS = "defaults: {owner: ops, approved_by: j.doe, ticket: CHG-1, review_by: 2027-03-01}\n"


def read(folder: Path, text: str, name: str = "web.yaml") -> Policy:
    (folder / name).write_text(f"policy: 1\n{text}")
    return load(str(folder / name), {})


def test_defaults_are_given_to_entries_that_say_nothing_themselves(tmp_path: Path) -> None:
    policy = read(tmp_path, DEFAULTS + "listening: {approved: [{name: ssh, port: 22}, {name: web, port: 80, owner: shop}]}\n")
    assert [(entry.owner, entry.approved_by, entry.ticket, str(entry.review_by)) for entry in policy.approved] == [
        ("ops", "j.doe", "CHG-1", "2027-03-01"),
        ("shop", "j.doe", "CHG-1", "2027-03-01"),
    ]


def test_defaults_are_given_to_required_entries_and_not_to_forbidden_ones(tmp_path: Path) -> None:
    policy = read(tmp_path, DEFAULTS + "listening: {required: [{port: 123}], forbidden: [{port: 23}, {port: 21, owner: shop}]}\n")
    assert [(entry.owner, entry.ticket) for entry in policy.required] == [("ops", "CHG-1")]
    assert [(entry.owner, entry.ticket) for entry in policy.forbidden] == [(None, None), ("shop", None)]


def test_defaults_come_into_a_list_of_names_and_entries(tmp_path: Path) -> None:
    policy = read(tmp_path, DEFAULTS + "listening: {approved: [{name: ssh, port: 22}], required: [ssh, {port: 123}]}\n")
    assert [(str(entry), entry.owner) for entry in policy.required] == [("ssh", "ops"), ("port 123", "ops")]


def test_defaults_of_a_file_are_its_own(tmp_path: Path) -> None:
    read(tmp_path, "defaults: {owner: ops}\nlistening: {approved: [{name: ssh, port: 22}]}\n", "site.yaml")
    policy = read(tmp_path, "extends: site\ndefaults: {ticket: CHG-2}\nlistening: {approved: [{name: web, port: 80}]}\n")
    assert [(entry.owner, entry.ticket) for entry in policy.approved] == [("ops", None), (None, "CHG-2")]


@pytest.mark.parametrize("text", [DEFAULTS, "listening: {approved: [{name: ssh, port: 22}]}\n", DEFAULTS + "listening: {approved: []}\n"])
def test_where_there_is_nobody_to_give_them_to_or_nothing_to_give_nothing_happens(tmp_path: Path, text: str) -> None:
    assert [entry.owner for entry in read(tmp_path, text).approved] in ([], [None])


@pytest.mark.parametrize("entries", ["x", "{name: ssh, port: 22}"])
def test_where_the_entries_are_no_list_that_is_what_is_wrong(tmp_path: Path, entries: str) -> None:
    with pytest.raises(PolicyError, match="expected a list of entries"):
        read(tmp_path, DEFAULTS + f"listening: {{approved: {entries}}}\n")


def test_show_writes_defaults_into_the_entries_and_says_where_they_stand(tmp_path: Path) -> None:
    policy = read(tmp_path, "defaults: {owner: ops}\nlistening:\n  approved:\n    - {name: ssh, port: 22}\n")
    shown = "\n".join(lines(policy)).replace(f"{tmp_path}/", "")
    assert shown.splitlines()[2:] == [
        "listening:",
        "  approved:",
        "    - name: ssh  # web.yaml:5",
        "      port: 22",
        "      owner: ops  # web.yaml:2",
    ]


def test_an_entry_is_asked_for_its_own_words_and_shows_the_defaults_as_if_written_there(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, "defaults: {owner: ops}\nlistening: {approved: [{name: ssh, port: 22}]}\n").approved
    assert flow(entry.written) == "{name: ssh, port: 22, owner: ops}"
    assert str(entry) == "ssh"


# What each entry must say, and how often it approves


def test_what_entries_must_say_is_joined_each_word_once(tmp_path: Path) -> None:
    read(tmp_path, "must_have: [purpose, owner]\n", "site.yaml")
    policy = read(tmp_path, "extends: site\nmust_have: [owner, ticket]\n")
    assert policy.must_have == ("purpose", "owner", "ticket")
    assert policy.origin("must_have").replace(f"{tmp_path}/", "") == "site.yaml:2, web.yaml:3"
    assert read(tmp_path, "must_have: purpose\n").must_have == ("purpose",)


def test_an_entry_says_how_many_such_listeners_it_approves(tmp_path: Path) -> None:
    policy = read(tmp_path, "listening: {approved: [{name: ssh, port: 22, at_most: 1}, {name: web, port: 80}], required: [ssh]}\n")
    assert [entry.at_most for entry in policy.approved] == [1, None]
    assert [entry.at_most for entry in policy.required] == [1]


# Which hosts a policy is for


def test_a_policy_says_which_hosts_it_is_for_and_the_last_word_counts(tmp_path: Path) -> None:
    assert read(tmp_path, "").applies_to.says_nothing
    read(tmp_path, "applies_to: {systems: [Linux, HP-UX], groups: web, hosts: [web-*]}\n", "site.yaml")
    applies = read(tmp_path, "extends: site\napplies_to: {groups: [db, lab]}\n").applies_to
    assert applies.systems == ("linux", "hp-ux")
    assert applies.groups == ("db", "lab")
    assert [glob.pattern for glob in applies.hosts or ()] == ["web-*"]
    assert not applies.says_nothing


@pytest.mark.parametrize("key", ["systems", "groups", "hosts"])
def test_one_word_of_it_is_enough_to_be_for_some_hosts_only(tmp_path: Path, key: str) -> None:
    assert not read(tmp_path, f"applies_to: {{{key}: x}}\n").applies_to.says_nothing


def test_a_part_stands_where_its_last_word_stands_and_a_joined_one_at_each(tmp_path: Path) -> None:
    one = "privileged: {expect: 0-1023, granted_to: [{user: root}]}\nephemeral: {expect: 1-2, reserved_must_include: 8080}\n"
    read(tmp_path, one + "controls: soc-2\nscope: {loopback: judge, must_see: owners}\n", "site.yaml")
    two = "privileged: {expect: 0-79, granted_to: [{user: www}]}\nephemeral: {expect: 3-4, reserved_must_include: [9090]}\n"
    policy = read(tmp_path, "extends: site\n" + two + "controls: [pci-dss-4.0.1, soc-2]\nscope: {loopback: inventory}\n")
    places = {part: policy.origin(*part).replace(f"{tmp_path}/", "") for part in policy.parts}
    assert places == {
        ("controls", ""): "site.yaml:4, web.yaml:5",
        ("scope", "loopback"): "web.yaml:6",
        ("scope", "must_see"): "site.yaml:5",
        ("privileged", "expect"): "web.yaml:3",
        ("privileged", "granted_to"): "site.yaml:2, web.yaml:3",
        ("ephemeral", "expect"): "web.yaml:4",
        ("ephemeral", "reserved_must_include"): "site.yaml:3, web.yaml:4",
    }
    assert policy.controls == ("soc-2", "pci-dss-4.0.1")
    assert [str(ports) for ports in policy.reserved_must_include] == ["8080", "9090"]
    assert [str(entry) for entry in policy.granted_to or ()] == ["user root", "user www"]
    assert (policy.scope.loopback, policy.scope.must_see) == (frozenset(), frozenset({"owners"}))


def test_nobody_is_named_until_somebody_is(tmp_path: Path) -> None:
    assert read(tmp_path, "privileged: {expect: 0-1023}\n").granted_to is None
    assert read(tmp_path, "privileged: {granted_to: []}\n").granted_to == ()


# What an extended file says, where the extending one says nothing


def test_what_an_extended_file_expects_stays_where_nothing_else_is_expected(tmp_path: Path) -> None:
    said = "privileged: {expect: 0-79}\nephemeral: {expect: 1-2}\nlistening: {required: [{port: 123}], forbidden: [{port: 23}]}\n"
    read(tmp_path, said, "site.yaml")
    policy = read(tmp_path, "extends: site\nlistening: {required: [{port: 53}], forbidden: [{port: 21}]}\n")
    assert [expected and expected.of("Linux") is not None for expected in (policy.privileged, policy.ephemeral)] == [True, True]
    assert [str(entry) for entry in policy.required] == ["port 123", "port 53"]
    assert [str(entry) for entry in policy.forbidden] == ["port 23", "port 21"]


def test_a_slash_or_a_suffix_makes_a_name_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "web").write_text("policy: 1\n")
    (tmp_path / "web.yaml").write_text("policy: 1\n")
    monkeypatch.chdir(tmp_path)
    assert load("./web", {}).files == ["./web"]
    assert load("web.yaml", {}).files == ["web.yaml"]
    with pytest.raises(PolicyError, match="no policy 'web' ships"):
        load("web", {})


def test_a_shipped_policy_is_called_by_its_name_wherever_the_program_lies() -> None:
    policy = load("baseline", rule_parameters())
    assert {setting.origin.partition(":")[0] for setting in policy.rules.values()} == {"baseline.yaml"}


@pytest.mark.parametrize("setting", ["off", "on", "high", "{severity: high}", "{}"])
def test_a_rules_setting_says_where_it_stands(tmp_path: Path, setting: str) -> None:
    (tmp_path / "web.yaml").write_text(f"policy: 1\nrules:\n  a: {setting}\n")
    assert load(str(tmp_path / "web.yaml"), {"a": {}}).rules["a"].origin == f"{tmp_path}/web.yaml:3"
