"""Scope and accepted gaps: what a verdict speaks about, and what it need not have seen. Neither makes anything pass."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from auditor.facts import Facts, Gap
from auditor.model import FACTS, Finding, Snapshot, Socket, Stack
from auditor.policy_keys import Glob
from auditor.policy_scope import AppliesTo, Scope
from tests.bundles import NO_RIGHTS, SSHD, Host, Net, Process, changed, container, host, interpreted, judged, port

TELNETD = Process(4001, "/usr/bin/telnetd", 0, f"/system.slice/docker-{'ab' * 32}.scope")
TELNET_IN_A_BOX = container("ab" * 32, port("tcp/0.0.0.0:23", TELNETD))
BOXED = Host(Net((port("tcp/0.0.0.0:22", SSHD),)), others=[TELNET_IN_A_BOX], containers={"ab" * 32: "old"})
APPROVED = "listening: {approved: [{name: ssh, port: 22, purpose: administration}]}\n"
RULE, WILDCARD = "listener-not-approved", "listener-on-wildcard-address"
GAP = "gaps: [{id: GAP-1, fact: %s, %sreason: no rights, owner: ops, expires: 2027-01-31}]\n"


def said(findings: list[Finding]) -> list[tuple[str, str, str, bool]]:
    return [(f.outcome, f.severity, f.subject, f.inventory) for f in findings]


def gapped(of: Host, kind: str, **scope: str) -> Snapshot:
    """The host with a gap in one kind of facts."""
    known = of.snapshot().stacks.seen[0].shown[kind]
    return changed(of, **{kind: Facts(known.seen, known.source, [Gap("refused", **scope)], known.basis)})


def open_ends(findings: list[Finding]) -> list[str]:
    """The rules of findings without which the verdict is incomplete."""
    return [f.rule for f in findings if f.leaves_open]


# Loopback and containers


ON_LOOPBACK = host(port("tcp/127.0.0.1:8080", SSHD))


@pytest.mark.parametrize("scope", ["", "scope: {loopback: judge}\n", "scope: {loopback: [listener-not-approved]}\n"])
def test_loopback_is_judged_unless_the_scope_says_otherwise(scope: str) -> None:
    assert said(judged(ON_LOOPBACK, scope + APPROVED, RULE)) == [("fail", "medium", "tcp/127.0.0.1:8080", False)]


@pytest.mark.parametrize("scope", ["scope: {loopback: inventory}\n", "scope: {loopback: [listener-forbidden]}\n"])
def test_loopback_that_is_inventory_is_shown_and_never_open(scope: str) -> None:
    assert said(judged(ON_LOOPBACK, scope + APPROVED, RULE)) == [("fail", "info", "tcp/127.0.0.1:8080", True)]
    raised = scope + APPROVED + "rules: {listener-not-approved: critical}\n"
    assert said(judged(ON_LOOPBACK, raised, RULE)) == [("fail", "info", "tcp/127.0.0.1:8080", True)]


def test_a_socket_that_may_reach_further_than_loopback_is_judged() -> None:
    of = gapped(host(port("tcp/0.0.0.0:8080", SSHD)), "addresses")
    (finding,) = judged(of, "scope: {loopback: inventory}\n" + APPROVED, RULE)
    assert (finding.outcome, finding.inventory) == ("fail", False)


def test_an_owner_that_is_not_seen_on_loopback_leaves_nothing_open_there_and_everything_elsewhere() -> None:
    blind = Host(Net((port("tcp/127.0.0.1:8080"), port("tcp/0.0.0.0:80"))), rights=NO_RIGHTS, unreadable=[7])
    found = judged(blind, "scope: {loopback: inventory}\n", "owner-not-visible")
    assert [(f.outcome, f.subject, f.leaves_open) for f in found] == [
        ("unknown", "tcp/127.0.0.1:8080", False), ("unknown", "tcp/0.0.0.0:80", True),
    ]  # fmt: skip


def test_containers_are_judged_by_the_rules_that_the_scope_names_and_inventory_to_the_others() -> None:
    def of(scope: str) -> list[tuple[str, str, bool]]:
        findings = judged(BOXED, scope + APPROVED, RULE, WILDCARD)
        return [(f.rule, f.severity, f.inventory) for f in findings if f.stack == "container:old" and f.outcome == "fail"]

    assert of("") == [(RULE, "medium", False), (WILDCARD, "low", False)]
    assert of("scope: {containers: inventory}\n") == [(RULE, "info", True), (WILDCARD, "info", True)]
    assert of(f"scope: {{containers: [{RULE}]}}\n") == [(RULE, "medium", False), (WILDCARD, "info", True)]


def test_the_hosts_own_stack_is_always_judged() -> None:
    found = judged(host(port("tcp/0.0.0.0:23", SSHD)), "scope: {containers: inventory, loopback: inventory}\n", "cleartext-listener")
    assert said(found) == [("fail", "medium", "tcp/0.0.0.0:23", False)]


# What must be seen


@pytest.mark.parametrize("kind", ["privileged", "ephemeral", "reserved", "addresses", "settings", "persisted", "listening"])
def test_a_gap_in_what_must_be_seen_leaves_the_verdict_open_and_in_anything_else_does_not(kind: str) -> None:
    fact = {"listening": "listeners"}.get(kind, kind)
    snapshot = gapped(host(port("tcp/0.0.0.0:22", SSHD)), kind)
    others = [other for other in FACTS if other not in (fact, "stacks")]
    assert "evidence-incomplete" in open_ends(judged(snapshot, ""))
    assert "evidence-incomplete" in open_ends(judged(snapshot, f"scope: {{must_see: {fact}}}\n"))
    found = judged(snapshot, f"scope: {{must_see: [{', '.join(others)}]}}\n")
    assert not open_ends(found)
    assert [f.subject for f in found if f.rule == "evidence-incomplete" and f.outcome == "unknown"] == [kind], "it is shown all the same"


def test_every_unknown_that_a_gap_makes_says_of_which_kind_of_facts() -> None:
    for kind in ("privileged", "ephemeral", "reserved", "addresses", "settings", "persisted", "listening"):
        snapshot = gapped(host(port("tcp/0.0.0.0:40000", SSHD)), kind)
        for finding in judged(snapshot, "privileged: {expect: 0-1023}\n" + APPROVED):
            assert finding.outcome != "unknown" or finding.facts, finding.rule


def test_where_listeners_must_be_seen_so_must_the_stacks_that_have_them_unless_containers_are_inventory() -> None:
    of = host().snapshot()
    hidden = Snapshot(**{**of.shown, "stacks": Facts(of.stacks.seen, "a test", [Gap("a namespace was not entered")])})
    assert open_ends(judged(hidden, "scope: {must_see: listeners}\n"))
    assert open_ends(judged(hidden, "scope: {must_see: listeners, containers: [listener-not-approved]}\n"))
    assert not open_ends(judged(hidden, "scope: {must_see: listeners, containers: inventory}\n"))
    assert not open_ends(judged(hidden, "scope: {must_see: owners}\n"))


def test_what_is_of_no_named_kind_must_always_be_seen() -> None:
    scope = Scope(must_see=frozenset({"owners"}))
    assert [scope.must_know(fact) for fact in (None, "owners", "settings")] == [True, True, False]


def test_a_scope_that_says_nothing_judges_and_wants_everything() -> None:
    own, other = Stack(name="host", kind="host"), Stack(name="blue", kind="named")
    local, open_one = Socket(reach="loopback"), Socket(reach="public")
    assert all(Scope().judges("a", stack, thing) for stack in (own, other) for thing in (local, open_one, None))
    assert Scope().must_know("settings")
    scope = Scope(loopback=frozenset({"a"}), containers=frozenset({"b"}))
    assert [scope.judges(name, own, local) for name in "ab"] == [True, False]
    assert [scope.judges(name, other, open_one) for name in "ab"] == [False, True]
    assert [scope.judges(name, own, thing) for thing in (open_one, Socket(), None) for name in "ab"] == [True] * 6


@pytest.mark.parametrize("given", [{"systems": ("linux",)}, {"groups": ("web",)}, {"hosts": (Glob("web-*"),)}])
def test_a_policy_for_some_hosts_says_so(given: dict[str, Any]) -> None:
    applies = AppliesTo(**given)
    assert not applies.says_nothing
    assert {key: getattr(applies, key) for key in ("systems", "groups", "hosts") if getattr(applies, key) is not None} == given
    assert AppliesTo().says_nothing


# Accepted gaps


BLIND = Host(Net((port("tcp/0.0.0.0:80"),)), rights=NO_RIGHTS, unreadable=[7])


def test_an_accepted_gap_is_still_unknown_and_leaves_nothing_open() -> None:
    found = judged(BLIND, GAP % ("owners", ""), "owner-not-visible")
    (finding,) = found
    assert (finding.outcome, finding.leaves_open) == ("unknown", False)
    assert finding.waiver is not None
    assert {key: finding.waiver[key] for key in ("id", "reason", "owner", "expires")} == {
        "id": "GAP-1", "reason": "no rights", "owner": "ops", "expires": "2027-01-31",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "more"),
    [("listeners", ""), ("owners", "hosts: db-1, "), ("owners", 'stack: "container:*", '), ("[privileged, ephemeral]", "")],
)
def test_a_gap_of_other_facts_hosts_or_stacks_accepts_nothing_here(fact: str, more: str) -> None:
    (finding,) = judged(BLIND, GAP % (fact, more), "owner-not-visible")
    assert (finding.waiver, finding.leaves_open) == (None, True)


@pytest.mark.parametrize(("fact", "more"), [("[owners, privileged]", ""), ("owners", 'hosts: "web*", '), ("owners", "stack: host, ")])
def test_a_gap_of_these_facts_on_this_host_and_stack_is_accepted(fact: str, more: str) -> None:
    (finding,) = judged(BLIND, GAP % (fact, more), "owner-not-visible")
    assert finding.waiver is not None


def test_one_reason_that_hides_several_kinds_of_facts_is_accepted_only_for_those_that_the_policy_names() -> None:
    found = judged(interpreted(host().bundle()[:-2]), GAP % ("[privileged, ephemeral]", ""), "evidence-incomplete")
    here = [f for f in found if f.stack == "host"]
    assert [(f.waiver is not None, f.facts) for f in here] == [
        (True, ("privileged", "ephemeral")), (False, ("reserved", "listeners", "addresses", "settings", "persisted", "grants", "stacks")),
    ]  # fmt: skip


def test_it_accepts_no_finding() -> None:
    telnet = host(port("tcp/0.0.0.0:23", SSHD))
    assert [f.outcome for f in judged(telnet, GAP % ("listeners", ""), "cleartext-listener")] == ["fail"]


@pytest.mark.parametrize(("day", "holds"), [("2027-01-31", True), ("2027-02-01", False)])
def test_it_holds_through_the_day_it_expires_and_is_a_finding_after_that(day: str, holds: bool) -> None:
    found = judged(BLIND, GAP % ("owners", ""), "owner-not-visible", "waiver-expired", today=datetime.date.fromisoformat(day))
    assert [f.leaves_open for f in found if f.rule == "owner-not-visible"] == [not holds]
    expired = [f for f in found if f.rule == "waiver-expired"]
    assert [f.outcome for f in expired] == ["pass" if holds else "fail"]
    if not holds:
        assert expired[0].message == "the accepted gap GAP-1 for owners held through 2027-01-31 and ended 1 day ago"


def unused(of: Host, by: str, *rules: str, **more: Any) -> Finding:
    (finding,) = [f for f in judged(of, by, *rules, **more) if f.rule == "waiver-unused"]
    return finding


def test_one_that_is_used_by_nothing_is_a_finding() -> None:
    finding = unused(host(port("tcp/0.0.0.0:22", SSHD)), GAP % ("owners", ""))
    assert (finding.outcome, finding.message) == ("fail", "the accepted gap GAP-1 for owners accepts nothing that is unknown")
    assert unused(BLIND, GAP % ("owners", "")).outcome == "pass"


def test_whether_it_is_used_cannot_be_told_where_only_some_rules_or_stacks_were_asked_for() -> None:
    assert unused(host(), GAP % ("owners", ""), "waiver-unused", "owner-not-visible").outcome == "notchecked"
    assert unused(host(), GAP % ("owners", ""), only_stack="host").outcome == "notchecked"


# What nothing of may pass unseen


def test_a_gap_among_the_stacks_is_unknown_to_each_rule_where_the_rule_that_says_so_is_not_asked() -> None:
    of = host(port("tcp/0.0.0.0:22", SSHD)).snapshot()
    hidden = Snapshot(**{**of.shown, "stacks": Facts(of.stacks.seen, "a test", [Gap("3 namespaces were not listed")])})
    only = judged(hidden, APPROVED, RULE)
    assert [(f.outcome, f.stack, f.facts) for f in only] == [("pass", "host", ()), ("unknown", None, ("stacks",))]
    off = judged(hidden, APPROVED + "rules: {evidence-incomplete: off}\n", RULE, "evidence-incomplete")
    assert RULE in open_ends(off)
    both = judged(hidden, APPROVED, RULE, "evidence-incomplete")
    assert open_ends(both) == ["evidence-incomplete"], "one line is enough"


def test_where_the_hosts_own_stack_was_not_seen_no_rule_is_content_with_a_container() -> None:
    of = BOXED.snapshot()
    (box,) = [stack for stack in of.stacks.seen if stack.kind != "host"]
    found = judged(Snapshot(**{**of.shown, "stacks": Facts([box], "a test")}), "scope: {containers: inventory}\n" + APPROVED, RULE)
    assert [f.message for f in found if f.leaves_open] == ["the host's own network stack was not seen"]


def test_a_waiver_that_may_be_unused_for_want_of_what_need_not_be_seen_leaves_nothing_open() -> None:
    waiver = "waivers: [{id: W, rule: owner-not-visible, subject: nothing, reason: r, owner: o, expires: 2027-01-31}]\n"
    (finding,) = [f for f in judged(BLIND, waiver, "owner-not-visible", "waiver-unused") if f.rule == "waiver-unused"]
    assert (finding.outcome, finding.facts, finding.leaves_open) == ("unknown", ("owners",), True)
    found = judged(BLIND, "scope: {must_see: [listeners]}\n" + waiver, "owner-not-visible", "waiver-unused")
    assert not open_ends(found)


def test_a_gap_that_names_a_listener_accepts_no_other() -> None:
    blind = Host(Net((port("tcp/0.0.0.0:2049"), port("tcp/0.0.0.0:8443"))), rights=NO_RIGHTS, unreadable=[7])
    found = judged(blind, GAP % ("owners", 'subject: "tcp/0.0.0.0:2049", '), "owner-not-visible")
    assert [(f.subject, f.leaves_open) for f in found] == [("tcp/0.0.0.0:2049", False), ("tcp/0.0.0.0:8443", True)]
