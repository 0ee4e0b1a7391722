"""What is said of a rule that cannot be judged, which reason comes first, and what a rule is given to judge by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auditor.facts import Facts, Gap, UnknownFact
from auditor.model import Finding, Range, Snapshot, Stack
from auditor.rule import Breach, Case, NotChecked, Rule
from auditor.site import Assignment
from tests.bundles import (
    AGENT,
    ON_A_MACVLAN,
    SSHD,
    TABLES,
    TODAY,
    WEB_CONTAINER,
    Host,
    Net,
    Process,
    changed,
    container,
    host,
    judged,
    policy,
    port,
)
from tests.made_rules import NAME, breach, content, rule

ONE = host(port("tcp/0.0.0.0:22", SSHD))
BLUE = Net((port("tcp/0.0.0.0:80", AGENT),), mounted="/run/netns/blue", holder=Process(7000, "/usr/bin/sleep"), addresses=ON_A_MACVLAN)
SEVERAL = Host(net=ONE.net, others=(BLUE, container(WEB_CONTAINER, port("tcp/0.0.0.0:81", AGENT))), containers={WEB_CONTAINER: "shop"})
OFF = f"rules: {{{NAME}: off}}\n"


def without(*keys: str) -> Snapshot:
    return Snapshot(**{key: value for key, value in ONE.snapshot().shown.items() if key not in keys})


def with_stacks(*stacks: Stack, gaps: tuple[Gap, ...] = ()) -> Snapshot:
    return Snapshot(**{**ONE.snapshot().shown, "stacks": Facts(stacks, "/proc", gaps)})


def said(findings: list[Finding]) -> list[tuple[str, str | None, str, str, int]]:
    return [(f.outcome, f.stack, f.subject, f.message, f.count) for f in findings]


# Why a rule was not judged


NOT_SEEN = "the host's own network stack was not seen"
STACK_ONLY = with_stacks(SEVERAL.snapshot().stacks.seen[1])
GAPPED = (Gap("the bundle was cut"), Gap("hidepid"))


@pytest.mark.parametrize(
    ("of", "by", "more", "outcome", "message"),
    [
        (ONE, "", {"systems": ("FreeBSD", "OpenBSD")}, "notapplicable", "this rule is for FreeBSD, OpenBSD"),
        (ONE, OFF, {"systems": ("FreeBSD", "OpenBSD")}, "notapplicable", "this rule is for FreeBSD, OpenBSD"),
        (without("system"), OFF, {"systems": ("FreeBSD",)}, "notselected", "off in the policy (site.yaml:2)"),
        (without("system"), "", {"systems": ("FreeBSD", "Linux"), "needs": ("approved",)}, "unknown",
         "the evidence does not show the system, and this rule is for FreeBSD, Linux"),
        (without("stacks"), "", {}, "unknown", "the evidence does not show stacks"),
        (with_stacks(), "", {}, "unknown", NOT_SEEN),
        (with_stacks(gaps=GAPPED), "", {}, "unknown", "the bundle was cut"),
        (with_stacks(gaps=GAPPED), OFF, {}, "notselected", "off in the policy (site.yaml:2)"),
        (with_stacks(), "", {"needs": ("moonlight",)}, "unknown", NOT_SEEN),
        (ONE, "", {"needs": ("approved", "moonlight", "sunlight")}, "error",
         "our error, not the host's: the rule needs 'moonlight', which is nothing"),
        (ONE, OFF, {"needs": ("moonlight",)}, "notselected", "off in the policy (site.yaml:2)"),
        (ONE, "", {"needs": ("approved",)}, "notchecked", "the policy lists no approved listeners: approval NOT ASSESSED"),
        (ONE, "", {"needs": ("required", "approved")}, "notchecked", "the policy requires no listener"),
        (ONE, "listening: {approved: []}\n", {"needs": ("approved", "forbidden")}, "notchecked", "the policy forbids no listener"),
        (ONE, "", {"needs": ("ephemeral",)}, "notchecked", "the policy expects no ephemeral range"),
        (ONE, "", {"needs": ("reserved",)}, "notchecked", "the policy does not say which ports must be reserved"),
        (ONE, "", {"needs": ("granted_to",)}, "notchecked", "the policy does not say who may hold privileged ports"),
        (ONE, "", {"needs": ("baseline",)}, "notchecked", "no baseline of this host was given (--baseline)"),
        (ONE, "", {"needs": ("site",)}, "notchecked", "no site file was given (--site)"),
        (ONE, "", {"needs": ("witnessed",)}, "notchecked", "no second witness was asked (--cross-check)"),
        (ONE, "", {"needs": ("services",)}, "notchecked", "the names of ports were not asked for (collect --only ...,services)"),
        (ONE, "", {"needs": ("nat",)}, "notchecked", "address translation was not asked for (collect --only ...,nat)"),
    ],
)  # fmt: skip
def test_the_first_reason_for_which_a_rule_is_not_judged_is_told(
    of: Host | Snapshot, by: str, more: dict[str, Any], outcome: str, message: str
) -> None:
    (found,) = judged(of, by, these=[rule(breach, **more)])
    assert (found.outcome, found.subject, re.sub(r"\(/.*/", "(", found.message)) == (outcome, "stack", message)
    assert (found.rule, found.severity, found.count, found.examples) == (NAME, "low", 1, ())


@pytest.mark.parametrize("of", [STACK_ONLY, with_stacks(STACK_ONLY.stacks.seen[0], gaps=GAPPED)], ids=["seen", "gaps"])
def test_a_rule_for_the_hosts_own_stack_is_unknown_where_that_was_not_seen(of: Snapshot) -> None:
    why = "the bundle was cut" if of.stacks.gaps else NOT_SEEN
    assert said(judged(of, these=[rule(breach, stacks="host")])) == [
        ("notapplicable", "blue", "stack", "this rule is for a host's own stack", 1),
        ("unknown", None, "stack", why, 1),
    ]
    assert said(judged(of, these=[rule(breach, each="stack")])) == [
        ("fail", "blue", "stack", "stack blue is wrong", 1),
        ("unknown", None, "stack", why, 1),
    ]
    assert [f.outcome for f in judged(of, these=[rule(breach, stacks="host")], only_stack="blue")] == ["notapplicable"]


GAPPED_HOST = with_stacks(*ONE.snapshot().stacks.seen, gaps=GAPPED)


@pytest.mark.parametrize(
    ("of", "by", "also", "more", "unknown"),
    [
        (GAPPED_HOST, "", [], {}, True),
        (GAPPED_HOST, "", ["owner-not-visible"], {}, True),
        (GAPPED_HOST, "", ["evidence-incomplete"], {}, False),
        (GAPPED_HOST, "rules: {evidence-incomplete: off}\n", ["evidence-incomplete"], {}, True),
        (GAPPED_HOST, "rules: {evidence-incomplete: high}\n", ["evidence-incomplete"], {}, False),
        (GAPPED_HOST, "", [], {"stacks": "host"}, False),
        (ONE, "", [], {}, False),
    ],
)
def test_stacks_that_may_have_been_missed_are_told_missing_rule_unless_one_tells_it_for_all(
    of: Host | Snapshot, by: str, also: list[str], more: dict[str, Any], unknown: bool
) -> None:
    rules = [rule(content, **more), *(rule(content, name=name) for name in also)]
    found = [f for f in judged(of, by, these=rules) if f.rule == NAME]
    assert [(f.outcome, f.stack, f.message, f.facts) for f in found] == [
        ("pass", "host", "1 judged, none failed", ()), *([("unknown", None, "the bundle was cut", ("stacks",))] if unknown else []),
    ]  # fmt: skip
    assert [f.stack for f in judged(of, by, these=rules, only_stack="host") if f.rule == NAME] == ["host"]


def test_a_gap_in_the_stacks_can_be_accepted_as_any_other() -> None:
    (_, found) = judged(GAPPED_HOST, "gaps: [{fact: stacks, reason: r, owner: o, expires: 2027-01-01}]\n", these=[rule(content)])
    assert (found.outcome, found.waiver is not None, found.subject) == ("unknown", True, "stack")


def test_a_stack_that_was_asked_for_and_is_none_is_told_as_that() -> None:
    (none,) = judged(ONE, these=[rule(breach)], only_stack="red")
    assert (none.outcome, none.stack, none.message) == ("notapplicable", None, "no stack of this host is called 'red'")
    (hidden,) = judged(with_stacks(*ONE.snapshot().stacks.seen, gaps=GAPPED), these=[rule(breach)], only_stack="red")
    why = "no stack of this host is called 'red', among those that were seen: the bundle was cut"
    assert (hidden.outcome, hidden.stack, hidden.message) == ("unknown", None, why)


def test_a_rule_about_the_host_is_judged_once_and_of_no_stack() -> None:
    for of in (SEVERAL, with_stacks(gaps=GAPPED)):
        (found,) = judged(of, these=[rule(breach, each="host", stacks="host")])
        assert (found.outcome, found.stack, found.subject) == ("fail", None, "host")


def test_nobody_who_is_named_is_a_yardstick_too() -> None:
    for by, need in (
        ("privileged: {granted_to: []}\n", "granted_to"),
        ("listening: {required: [{port: 1}]}\n", "required"),
        ("listening: {forbidden: [{port: 1}]}\n", "forbidden"),
        ("ephemeral: {expect: 1-2}\n", "ephemeral"),
        ("ephemeral: {reserved_must_include: 1}\n", "reserved"),
    ):
        assert [f.outcome for f in judged(ONE, by, these=[rule(breach, needs=(need,))])] == ["fail"], need


# What a rule is given


def given_to(of: Host | Snapshot, by: str = "", **known: Any) -> list[Case]:
    cases: list[Case] = []

    def check(case: Case, thing: Any) -> Iterator[Breach]:
        cases.append(case)
        yield from ()

    judged(of, by, these=[rule(check, each="stack")], **known)
    return cases


def test_a_rule_is_given_all_that_there_is() -> None:
    snapshot, before = SEVERAL.snapshot(), ONE.snapshot()
    assignment = Assignment(identified="by its name", place="here", host="web-1")
    cases = given_to(snapshot, f"rules: {{{NAME}: {{tiers: [always]}}}}\n", baseline=before, assignment=assignment)
    assert [case.stack for case in cases] == list(snapshot.stacks.seen)
    (case, *_) = cases
    assert case.policy is policy(f"rules: {{{NAME}: {{tiers: [always]}}}}\n")
    assert (case.tables, case.today, case.snapshot) == (TABLES, TODAY, snapshot)
    assert (case.baseline, case.assignment) == (before, assignment)
    assert case.parameters == {"tiers": ["always"]}
    assert (case.waivers_used, case.waivers_unsure) == (frozenset(), {})
    assert given_to(ONE)[0].parameters == {}


def test_a_host_bears_the_name_of_the_inventory_then_its_own_then_none() -> None:
    named = Assignment(identified="by its name", place="here", host="web-1")
    nameless = Assignment(identified="by nothing", place="here")
    for of, assignment, name in (
        (ONE, named, "web-1"), (ONE, None, "web1"), (without("host"), None, "unknown host"), (without("host"), named, "web-1"),
        (ONE, nameless, nameless.called("web1")),
    ):  # fmt: skip
        assert {f.host for f in judged(of, these=[rule(breach)], assignment=assignment)} == {name}


def test_rules_are_judged_in_the_order_of_their_names_and_those_about_waivers_last() -> None:
    made = [rule(breach, each="waiver", name="a"), rule(breach, name="c"), rule(breach, each="host", name="b")]
    by = f"waivers: [{{rule: {NAME}, reason: r, owner: o, expires: 2027-01-01}}]\n"
    assert [f.rule for f in judged(ONE, by, these=made)] == ["b", "c", "a"]


# What a rule is called for


RANGES = (
    Range(first=1, last=2, role="default", protocol="any", family="any"),
    Range(first=3, last=4, role="high", protocol="tcp", family="ipv6"),
    Range(first=5, last=6),
)


def subjects(of: Host | Snapshot, each: str, by: str = "", **known: Any) -> list[tuple[str | None, str]]:
    return [(f.stack, f.subject) for f in judged(of, by, these=[rule(breach, each=each)], **known) if f.outcome == "fail"]


def test_each_subject_has_the_name_that_a_waiver_calls_it_by() -> None:
    assert subjects(SEVERAL, "stack") == [("host", "stack"), ("blue", "stack"), ("container:shop", "stack")]
    assert subjects(SEVERAL, "privileged")[0] == ("host", "net.ipv4.ip_unprivileged_port_start")
    assert subjects(changed(ONE, ephemeral=Facts(RANGES, "sysctl")), "range") == [
        ("host", "sysctl"), ("host", "sysctl (high, tcp, ipv6)"),
    ]  # fmt: skip
    assert [subject for _, subject in subjects(ONE, "facts")] == [
        "privileged", "ephemeral", "reserved", "listening", "addresses", "settings", "persisted", "grants", "stacks",
    ]  # fmt: skip
    by = "listening: {approved: [{name: ssh, port: 22}, {name: web, port: 80}], required: [ssh]}\n"
    assert subjects(SEVERAL, "approved", by) == [
        (stack, name) for stack in ("host", "blue", "container:shop") for name in ("ssh", "web")
    ]  # fmt: skip
    assert subjects(SEVERAL, "required", by) == [("host", "ssh")]


def test_the_stacks_themselves_are_asked_about_with_the_hosts_own_or_where_that_was_not_seen_with_each() -> None:
    assert [stack for stack, subject in subjects(SEVERAL, "facts") if subject == "stacks"] == ["host"]
    assert [stack for stack, subject in subjects(STACK_ONLY, "facts") if subject == "stacks"] == ["blue"]
    assert [stack for stack, subject in subjects(SEVERAL, "facts", only_stack="blue") if subject == "stacks"] == []


def test_a_rule_that_is_asked_for_each_of_what_is_nothing_is_refused() -> None:
    made = rule(breach)
    made.each = "moonbeam"
    with pytest.raises(ValueError, match="rule cleartext-listener is asked for each 'moonbeam', which is nothing"):
        judged(ONE, these=[made])


# Changes


def changes(before: Host | Snapshot, after: Host | Snapshot, **known: Any) -> list[tuple[str, str | None, str]]:
    earlier = before.snapshot() if isinstance(before, Host) else before
    found = judged(after, these=[rule(breach, each="change", needs=("baseline",))], baseline=earlier, **known)
    return [(f.outcome, f.stack, f.subject) for f in found]


def test_what_changed_in_a_stack_is_told_of_that_stack() -> None:
    more = Host(net=SEVERAL.net, others=(Net((*BLUE.ports, port("tcp/0.0.0.0:90", AGENT)), mounted=BLUE.mounted, holder=BLUE.holder,
                addresses=BLUE.addresses), SEVERAL.others[1]), containers=SEVERAL.containers)  # fmt: skip
    assert changes(SEVERAL, more) == [("pass", "host", "stack"), ("fail", "blue", "tcp/0.0.0.0:90"), ("pass", "container:shop", "stack")]
    assert changes(SEVERAL, more, only_stack="blue") == [("fail", "blue", "tcp/0.0.0.0:90")]
    assert {outcome for outcome, _, _ in changes(SEVERAL, SEVERAL)} == {"pass"}


def test_what_changed_of_the_host_itself_is_told_with_its_own_stack_alone() -> None:
    renamed = Host(net=SEVERAL.net, others=SEVERAL.others, containers=SEVERAL.containers, release="6.13.0")
    assert changes(SEVERAL, renamed) == [("fail", "host", "release"), ("pass", "blue", "stack"), ("pass", "container:shop", "stack")]
    assert changes(SEVERAL, renamed, only_stack="blue") == [("pass", "blue", "stack")]


def test_what_changed_in_a_stack_that_is_gone_is_told_with_the_hosts_own_and_names_it() -> None:
    told = changes(SEVERAL, Host(net=SEVERAL.net, others=SEVERAL.others[1:], containers=SEVERAL.containers))
    assert ("fail", "host", "tcp/0.0.0.0:80 of blue") in told
    found = judged(Host(net=SEVERAL.net), these=[rule(breach, each="change")], baseline=SEVERAL.snapshot())
    assert found
    assert not [f for f in found if "None is wrong" in f.message]
    assert {outcome for outcome, stack, _ in told if stack != "host"} == {"pass"}


@pytest.mark.parametrize("kind", ["listening", "privileged", "ephemeral", "reserved", "settings", "persisted"])
def test_a_new_stack_that_was_not_seen_whole_is_unknown_and_one_that_was_there_is_compared(kind: str) -> None:
    before = with_stacks()
    now = changed(ONE, **{kind: Facts(ONE.snapshot().stacks.seen[0].shown[kind].seen, "a test", [Gap("refused")])})
    assert "unknown" in {outcome for outcome, _, _ in changes(before, now)}
    assert "unknown" not in {outcome for outcome, _, _ in changes(before, ONE)}
    assert "unknown" not in {outcome for outcome, _, _ in changes(ONE, now)}, "what could not be compared is a change of its own"


# What is accepted, where that cannot be told


WAIVER = "{rule: %s, reason: r, owner: o, expires: 2027-01-01}"
GAP = "{fact: owners, reason: r, owner: o, expires: 2027-01-01}"


def unsure(by: str, these: list[Rule], **known: Any) -> dict[str, str]:
    seen: dict[str, str] = {}

    def check(case: Case, one: Any) -> Iterator[Breach]:
        seen.update({one.about: f"{type(why).__name__}: {why}" for one, why in case.waivers_unsure.items()})
        yield from ()

    judged(ONE, by, these=[*these, rule(check, each="waiver", name="waiver-unused")], **known)
    return seen


def unseen(case: Case, thing: Any) -> Iterator[Breach]:
    raise UnknownFact("the owner is not visible")
    yield


def broken(case: Case, thing: Any) -> Iterator[Breach]:
    raise ValueError
    yield


def unchecked(case: Case, thing: Any) -> Iterator[Breach]:
    raise NotChecked("no row")
    yield


ONLY_SOME = "NotChecked: only some rules, or one stack, were asked for"


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (content, {}),
        (breach, {}),
        (unchecked, {}),
        (unseen, {NAME: f"UnknownFact: {NAME} could not be judged on everything"}),
        (broken, {NAME: f"UnknownFact: {NAME} could not be judged on everything"}),
    ],
)
def test_a_waiver_for_a_rule_that_was_not_judged_on_everything_may_cover_something(
    check: Callable[[Case, Any], Any], told: dict[str, str]
) -> None:
    assert unsure(f"waivers: [{WAIVER % NAME}]\n", [rule(check)]) == told


def test_what_is_unsure_for_lack_of_facts_lacks_those_that_leave_the_verdict_open() -> None:
    missing: list[str | None] = []

    def lacking(case: Case, kind: Any) -> Iterator[Breach]:
        if kind.source in ("sysctl", "a test"):
            raise UnknownFact(f"no {kind.source}", {"sysctl": "ephemeral", "a test": "owners"}[kind.source])
        yield from ()

    def check(case: Case, one: Any) -> Iterator[Breach]:
        why = case.waivers_unsure[one]
        assert isinstance(why, UnknownFact)
        missing.append(why.fact)
        yield from ()

    of = changed(ONE, ephemeral=Facts(RANGES, "sysctl"), persisted=Facts((), "a test"))
    made = [rule(lacking, each="facts"), rule(check, each="waiver", name="waiver-unused")]
    for must_see in ("ephemeral", "owners"):
        judged(of, f"scope: {{must_see: {must_see}, containers: inventory}}\nwaivers: [{WAIVER % NAME}]\n", these=made)
    assert missing == ["ephemeral", "owners"]


def test_where_only_some_rules_or_stacks_were_asked_for_nothing_can_be_said_of_the_others() -> None:
    by = f"waivers: [{WAIVER % NAME}, {WAIVER % 'listener-not-approved'}]\ngaps: [{GAP}]\n"
    telling = [rule(content, name="evidence-incomplete"), rule(content, name="owner-not-visible")]
    assert unsure(by, [rule(content)]) == {"listener-not-approved": ONLY_SOME, "owners": ONLY_SOME}
    assert unsure(by, [rule(content), telling[0]]) == {"listener-not-approved": ONLY_SOME, "owners": ONLY_SOME}
    assert unsure(by, [rule(content), *telling]) == {"listener-not-approved": ONLY_SOME}
    assert unsure(by, [rule(content), rule(content, name="listener-not-approved"), *telling]) == {}
    assert unsure(by, [rule(unseen), *telling], only_stack="host") == {
        NAME: f"UnknownFact: {NAME} could not be judged on everything", "listener-not-approved": ONLY_SOME, "owners": ONLY_SOME,
    }  # fmt: skip


def test_a_rule_about_waivers_is_told_which_were_used() -> None:
    used: list[set[str]] = []

    def check(case: Case, one: Any) -> Iterator[Breach]:
        used.append({waiver.about for waiver in case.waivers_used})
        yield from ()

    by = f"waivers: [{WAIVER % NAME}, {WAIVER % 'listener-not-approved'}]\n"
    judged(ONE, by, these=[rule(breach), rule(check, each="waiver", name="waiver-unused")])
    assert used == [{NAME}, {NAME}]


# What becomes of what a rule says


def test_a_pass_says_how_many_were_judged_and_nothing_that_was_not_seen() -> None:
    (passed,) = judged(SEVERAL, these=[rule(content)], only_stack="host")
    assert (passed.outcome, passed.stack, passed.subject, passed.message, passed.count) == (
        "pass", "host", "stack", "1 judged, none failed", 1,
    )  # fmt: skip
    assert (passed.observed, passed.expected, passed.source, passed.examples, passed.facts) == (None, None, None, (), ())
    assert (passed.inventory, passed.waiver, passed.severity) == (False, None, "low")


def test_our_error_names_itself_and_its_subject() -> None:
    (error,) = judged(ONE, these=[rule(broken)])
    assert (error.outcome, error.subject, error.count) == ("error", "tcp/0.0.0.0:22", 1)
    assert error.message.startswith("our error, not the host's: ValueError:  at ")
    (none,) = judged(ONE, these=[rule(lambda case, thing: None)])
    assert none.message.startswith("our error, not the host's: TypeError: 'NoneType' object is not iterable at ")


MANY = host(*(port(f"tcp/0.0.0.0:{n}", SSHD) for n in (11, 12, 13, 14, 15, 16, 17)))


def by_port(**reasons: str) -> Callable[[Case, Any], Iterator[Breach]]:
    """A check whose answer is in `reasons`, by the port."""

    def check(case: Case, socket: Any) -> Iterator[Breach]:
        kind, _, reason = reasons[f"p{socket.port}"].partition(" ")
        if kind == "unknown":
            raise UnknownFact(reason, "owners" if socket.port % 2 else None)
        if kind == "notchecked":
            raise NotChecked(reason)
        yield from ()

    return check


def test_subjects_that_share_a_reason_are_one_finding_and_each_finding_has_its_own_name() -> None:
    check = by_port(p11="unknown A", p12="unknown A", p13="unknown B", p14="unknown B", p15="unknown C", p16="notchecked D", p17="pass")
    found = judged(MANY, these=[rule(check)])
    assert said(found) == [
        ("unknown", "host", "several sockets", "A", 2),
        ("unknown", "host", "several sockets, from tcp/0.0.0.0:13", "B", 2),
        ("unknown", "host", "tcp/0.0.0.0:15", "C", 1),
        ("notchecked", "host", "tcp/0.0.0.0:16", "D", 1),
    ]
    assert [f.examples for f in found] == [("tcp/0.0.0.0:11", "tcp/0.0.0.0:12"), ("tcp/0.0.0.0:13", "tcp/0.0.0.0:14"), (), ()]
    assert [f.facts for f in found] == [("owners",), ("owners",), ("owners",), ()]


def test_what_is_not_checked_is_named_apart_from_what_is_unknown() -> None:
    check = by_port(
        p11="unknown A", p12="unknown A", p13="notchecked B", p14="notchecked B", p15="notchecked C", p16="notchecked C", p17="-"
    )
    assert [(f.outcome, f.subject) for f in judged(MANY, these=[rule(check)])] == [
        ("unknown", "several sockets"), ("notchecked", "several sockets"), ("notchecked", "several sockets, from tcp/0.0.0.0:15"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("each", "by", "name"),
    [
        ("range", "", "several ranges"),
        ("facts", "", "several kinds of facts"),
        ("setting", "", "several settings"),
        ("approved", "listening: {approved: [{name: a, port: 1}, {name: b, port: 2}]}\n", "several approved listeners"),
        ("required", "listening: {required: [{port: 1}, {port: 2}]}\n", "several required listeners"),
    ],
)
def test_several_are_called_what_they_are(each: str, by: str, name: str) -> None:
    of = changed(ONE, ephemeral=Facts(RANGES, "sysctl"))
    (found,) = judged(of, by, these=[rule(unchecked, each=each)])
    assert (found.subject, found.outcome, found.message) == (name, "notchecked", "no row")


def folding(**words: Any) -> Callable[[Case, Any], Iterator[Breach]]:
    def check(case: Case, socket: Any) -> Iterator[Breach]:
        yield Breach(f"port {socket.port % 2} is wrong", **words)

    return check


def test_a_fold_names_its_parts_by_what_was_observed_or_by_their_subjects() -> None:
    (named,) = judged(MANY, these=[rule(folding(fold="all of them"))])
    assert (named.subject, named.count, named.message) == ("all of them", 7, "port 1 is wrong; port 0 is wrong")
    assert (
        named.observed == "tcp/0.0.0.0:11, tcp/0.0.0.0:12, tcp/0.0.0.0:13, tcp/0.0.0.0:14, tcp/0.0.0.0:15, tcp/0.0.0.0:16, tcp/0.0.0.0:17"
    )
    assert named.examples == tuple(f"tcp/0.0.0.0:{n}" for n in range(11, 16))
    (seen,) = judged(MANY, these=[rule(folding(fold="all of them", observed="nginx", expected="sshd", source="a test"))])
    assert (seen.observed, seen.expected, seen.source, seen.examples, seen.count) == ("nginx", "sshd", "a test", ("nginx",), 7)


def test_a_fold_of_one_still_says_which_it_is_and_a_breach_without_fold_has_no_examples() -> None:
    (one,) = judged(ONE, these=[rule(folding(fold="all of them"))])
    assert (one.subject, one.observed, one.examples, one.count) == ("all of them", "tcp/0.0.0.0:22", ("tcp/0.0.0.0:22",), 1)
    (plain,) = judged(ONE, these=[rule(folding())])
    assert (plain.subject, plain.observed, plain.examples, plain.count) == ("tcp/0.0.0.0:22", None, (), 1)


def test_two_breaches_of_one_subject_are_one_finding_with_both_messages() -> None:
    def check(case: Case, socket: Any) -> Iterator[Breach]:
        yield Breach("one", observed="a")
        yield Breach("two", observed="b")
        yield Breach("one", observed="a")

    (found,) = judged(ONE, these=[rule(check)])
    assert (found.message, found.observed, found.count, found.examples) == ("one; two", "a; b", 3, ())


def test_sockets_whose_ports_the_kernel_chose_are_told_apart_by_their_numbers() -> None:
    avahi = Process(7, "/usr/sbin/avahi-daemon", 108, "/system.slice/avahi-daemon.service")
    (found,) = judged(host(port("udp/0.0.0.0:45000", avahi), port("udp/0.0.0.0:45001", avahi)), these=[rule(breach)])
    assert found.subject == "udp/0.0.0.0:kernel-given (avahi-daemon.service)"
    assert (found.examples, found.count, found.observed) == (("udp/0.0.0.0:45000", "udp/0.0.0.0:45001"), 2, "this")


# Waivers


def test_the_first_waiver_that_covers_is_the_one_that_is_shown() -> None:
    def by(*waivers: str) -> str:
        said = ", ".join(f"{{id: {name}, rule: {NAME}, reason: r, owner: o, expires: {day}{more}}}" for name, day, more in
                         (one.split("|") for one in waivers))  # fmt: skip
        return f"waivers: [{said}]\n"

    def shown(*waivers: str) -> list[str | None]:
        return [f.waiver and f.waiver["id"] for f in judged(ONE, by(*waivers), these=[rule(breach)])]

    assert shown("A|2027-01-01|", "B|2027-01-01|") == ["A"]
    assert shown("A|2025-01-01|", "B|2027-01-01|") == ["B"]
    assert shown("A|2027-01-01|, subject: x", "B|2027-01-01|") == ["B"]
    assert shown("A|2027-01-01|, executable: /usr/bin/x", "B|2027-01-01|") == ["B"]
    assert shown("A|2027-01-01|, executable: /usr/sbin/sshd", "B|2027-01-01|") == ["A"]
    assert shown("A|2025-01-01|") == [None]


def test_one_for_whoever_holds_a_socket_covers_nothing_else_and_one_whose_holder_is_hidden_is_passed_over() -> None:
    pinned = f"waivers: [{{id: A, rule: {NAME}, reason: r, owner: o, expires: 2027-01-01, user: root}}, " \
             f"{{id: B, rule: {NAME}, reason: r, owner: o, expires: 2027-01-01}}]\n"  # fmt: skip
    assert [f.waiver and f.waiver["id"] for f in judged(ONE, pinned, these=[rule(breach, each="stack")])] == ["B"]
    hidden = host(port("tcp/0.0.0.0:22"))
    assert [f.waiver and f.waiver["id"] for f in judged(hidden, pinned, these=[rule(breach)])] == ["B"]


def test_the_first_live_gap_that_speaks_of_what_is_missing_is_shown() -> None:
    def check(case: Case, thing: Any) -> Iterator[Breach]:
        raise UnknownFact("no rights", "owners")
        yield

    gap = "{id: %s, fact: %s, reason: r, owner: o, expires: %s}"
    over, other, first, second = (gap % words for words in (
        ("OVER", "owners", "2025-01-01"), ("OTHER", "stacks", "2027-01-01"), ("A", "owners", "2027-01-01"), ("B", "owners", "2027-01-01"),
    ))  # fmt: skip
    (found,) = judged(ONE, f"gaps: [{over}, {other}, {first}, {second}]\n", these=[rule(check)])
    assert found.waiver is not None
    assert (found.waiver["id"], found.outcome, found.message, found.facts) == ("A", "unknown", "no rights", ("owners",))
    (open_one,) = judged(ONE, f"gaps: [{over}, {other}]\n", these=[rule(check)])
    assert open_one.waiver is None
