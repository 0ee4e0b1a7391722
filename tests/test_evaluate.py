"""What becomes of a rule on a stack: each line of the table of outcomes, and that no rule is ever without an answer."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auditor.facts import Facts, Gap, UnknownFact
from auditor.model import Finding, Range, Snapshot, Socket, Stack
from auditor.rule import EACH, Breach, Case, NotChecked, Rule
from tests.bundles import (
    AGENT,
    NGINX,
    ON_A_MACVLAN,
    SSHD,
    STRICT,
    TODAY,
    WEB_CONTAINER,
    Host,
    Net,
    Process,
    changed,
    container,
    host,
    judged,
    port,
    rich,
    rules,
)
from tests.made_rules import NAME, breach, content, rule


def unseen(case: Case, thing: Any) -> Iterator[Breach]:
    raise UnknownFact("the owner is not visible")
    yield


def only(port_number: int, then: Callable[[Case, Any], Iterator[Breach]]) -> Callable[[Case, Socket], Iterator[Breach]]:
    """A check that does `then` on one port and is content with all others."""

    def check(case: Case, socket: Socket) -> Iterator[Breach]:
        yield from (then if socket.port == port_number else content)(case, socket)

    return check


def short(findings: list[Finding]) -> list[tuple[str, str | None, str, int]]:
    return [(f.outcome, f.stack, f.subject, f.count) for f in findings]


def gapped(of: Host, why: str = "udp was refused") -> Snapshot:
    """The host with a gap among its listeners."""
    listening = of.snapshot().stacks.seen[0].listening
    return changed(of, listening=Facts(listening.seen, listening.source, [Gap(why)]))


THREE = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX), port("tcp/0.0.0.0:81", NGINX))


# The table of outcomes


def test_a_breach_is_a_failure_of_its_subject_with_what_was_seen() -> None:
    (failed,) = judged(THREE, these=[rule(only(80, breach))])
    assert (failed.outcome, failed.stack, failed.subject, failed.host) == ("fail", "host", "tcp/0.0.0.0:80", "web1")
    assert (failed.observed, failed.expected, failed.source) == ("this", "that", "a test")
    assert (failed.severity, failed.count, failed.waiver) == ("low", 1, None)


def test_a_subject_that_reads_an_unknown_fact_is_unknown_and_the_others_go_on() -> None:
    def check(case: Case, socket: Socket) -> Iterator[Breach]:
        yield from {22: unseen, 80: breach, 81: content}[socket.port](case, socket)

    assert short(judged(THREE, these=[rule(check)])) == [("fail", "host", "tcp/0.0.0.0:80", 1), ("unknown", "host", "tcp/0.0.0.0:22", 1)]


def test_what_a_check_saw_before_it_met_an_unknown_fact_is_kept() -> None:
    def check(case: Case, socket: Socket) -> Iterator[Breach]:
        yield from breach(case, socket)
        yield from unseen(case, socket)

    assert Counter(f.outcome for f in judged(THREE, these=[rule(check)])) == {"fail": 3, "unknown": 1}


def test_unknowns_of_one_reason_are_one_finding_with_a_count_and_examples() -> None:
    many = host(*(port(f"tcp/0.0.0.0:{n}", SSHD) for n in range(1, 9)))
    (unknown,) = judged(many, these=[rule(unseen)])
    assert (unknown.outcome, unknown.count, unknown.message) == ("unknown", 8, "the owner is not visible")
    assert unknown.examples == tuple(f"tcp/0.0.0.0:{n}" for n in range(1, 6))
    assert unknown.subject == "several sockets"


def test_unknowns_of_two_reasons_are_two_findings_that_can_be_told_apart() -> None:
    def check(case: Case, socket: Socket) -> Iterator[Breach]:
        raise UnknownFact("one reason" if socket.port < 3 else "another")
        yield

    findings = judged(host(*(port(f"tcp/0.0.0.0:{n}", SSHD) for n in range(1, 5))), these=[rule(check)])
    assert [(f.outcome, f.count, f.message) for f in findings] == [("unknown", 2, "one reason"), ("unknown", 2, "another")]
    assert len({f.fingerprint for f in findings}) == 2


def test_a_gap_among_the_subjects_is_one_unknown_beside_what_was_found() -> None:
    findings = judged(gapped(THREE), these=[rule(only(80, breach))])
    assert short(findings) == [("fail", "host", "tcp/0.0.0.0:80", 1), ("unknown", "host", "what was not seen", 1)]
    assert findings[1].message == "udp was refused"


def test_nothing_wrong_among_what_was_seen_is_no_pass_where_that_was_not_all() -> None:
    assert [f.outcome for f in judged(gapped(THREE), these=[rule(content)])] == ["unknown"]
    assert [f.outcome for f in judged(gapped(host()), these=[rule(content)])] == ["unknown"]


def test_where_every_subject_was_judged_and_none_failed_there_is_one_pass_with_their_number() -> None:
    (passed,) = judged(THREE, these=[rule(content)])
    assert (passed.outcome, passed.subject, passed.count, passed.message) == ("pass", "stack", 3, "3 judged, none failed")
    assert [(f.outcome, f.count) for f in judged(host(), these=[rule(content)])] == [("pass", 0)]


def test_a_rule_whose_yardstick_the_policy_does_not_give_is_notchecked_and_is_not_called() -> None:
    def never(case: Case, thing: Any) -> Iterator[Breach]:
        raise AssertionError

    for need in ("approved", "required", "forbidden", "ephemeral", "witnessed"):
        (found,) = judged(THREE, these=[rule(never, needs=(need,))])
        assert (found.outcome, found.subject) == ("notchecked", "stack")
        assert found.message


def test_an_empty_list_of_approved_listeners_is_a_yardstick_and_none_at_all_is_not() -> None:
    approves_nothing = "listening: {approved: []}\n"
    assert [f.outcome for f in judged(THREE, approves_nothing, these=[rule(breach, needs=("approved",))])] == ["fail"] * 3
    assert [f.outcome for f in judged(THREE, these=[rule(breach, needs=("approved",))])] == ["notchecked"]


def test_a_check_that_finds_nothing_to_compare_with_is_notchecked_and_never_passes() -> None:
    def check(case: Case, socket: Socket) -> Iterator[Breach]:
        raise NotChecked("no row of the table")
        yield

    (found,) = judged(THREE, these=[rule(check)])
    assert (found.outcome, found.message, found.count) == ("notchecked", "no row of the table", 3)


def test_a_rule_for_another_system_is_not_applicable() -> None:
    (found,) = judged(THREE, these=[rule(breach, systems=("FreeBSD", "OpenBSD"))])
    assert (found.outcome, found.message) == ("notapplicable", "this rule is for FreeBSD, OpenBSD")
    assert [f.outcome for f in judged(THREE, these=[rule(breach, systems=("FreeBSD", "Linux"))])] == ["fail"] * 3


def test_a_rule_for_one_system_is_unknown_where_the_system_is_not_known() -> None:
    snapshot = THREE.snapshot()
    nameless = Snapshot(**{key: value for key, value in snapshot.shown.items() if key != "system"})
    assert [f.outcome for f in judged(nameless, these=[rule(content, systems=("Linux",))])] == ["unknown"]


def test_a_rule_that_is_off_is_not_selected_and_stays_visible() -> None:
    (found,) = judged(THREE, f"rules: {{{NAME}: off}}\n", these=[rule(breach)])
    assert found.outcome == "notselected"
    assert "site.yaml:2" in found.message
    assert [f.outcome for f in judged(THREE, f"rules: {{{NAME}: off}}\n", these=[rule(breach, needs=("approved",))])] == ["notselected"]


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RecursionError(), MemoryError(), AssertionError(), StopIteration()])
def test_a_check_that_raises_is_our_error_on_that_subject_and_the_others_go_on(error: Exception) -> None:
    def check(case: Case, socket: Socket) -> Iterator[Breach]:
        if socket.port == 22:
            raise error
        yield from breach(case, socket)

    findings = judged(THREE, these=[rule(check)])
    assert sorted(short(findings)) == [
        ("error", "host", "tcp/0.0.0.0:22", 1),
        ("fail", "host", "tcp/0.0.0.0:80", 1),
        ("fail", "host", "tcp/0.0.0.0:81", 1),
    ]
    (broken,) = [f for f in findings if f.outcome == "error"]
    assert "our error" in broken.message
    assert "check:" in broken.message, "where it broke"


@pytest.mark.parametrize("check", [lambda case, thing: None, lambda case, thing: ["a word"], lambda case, thing: 5])
def test_a_check_that_gives_anything_but_breaches_is_our_error(check: Callable[[Case, Any], Any]) -> None:
    assert {f.outcome for f in judged(THREE, these=[rule(check)])} == {"error"}


def test_a_rule_that_needs_what_there_is_not_is_our_error() -> None:
    (found,) = judged(THREE, these=[rule(content, needs=("moonlight",))])
    assert found.outcome == "error"
    assert "moonlight" in found.message


def test_an_interrupt_is_no_error_of_a_rule() -> None:
    def check(case: Case, thing: Any) -> Iterator[Breach]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        judged(THREE, these=[rule(check)])


# Severities


@pytest.mark.parametrize(
    ("by", "its_own", "of_the_breach", "shown"),
    [
        ("", "low", None, "low"),
        ("", "low", "high", "high"),
        (f"rules: {{{NAME}: critical}}\n", "low", "info", "critical"),
        (f"rules: {{{NAME}: {{severity: info}}}}\n", "high", None, "info"),
        (f"rules: {{{NAME}: on}}\n", "low", "high", "high"),
    ],
)
def test_the_policys_severity_counts_before_the_breachs_and_that_before_the_rules(
    by: str, its_own: str, of_the_breach: str | None, shown: str
) -> None:
    def check(case: Case, thing: Any) -> Iterator[Breach]:
        yield Breach("wrong", severity=of_the_breach)

    assert {f.severity for f in judged(THREE, by, these=[rule(check, severity=its_own)])} == {shown}


def test_a_severity_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="grave"):
        Breach("wrong", severity="grave")
    with pytest.raises(ValueError, match="grave"):
        Rule(each="socket", severity="grave", check=content)
    with pytest.raises(ValueError, match="process"):
        Rule(each="process", severity="low", check=content)


def test_a_policys_parameters_reach_the_check() -> None:
    def check(case: Case, thing: Any) -> Iterator[Breach]:
        yield Breach(str(case.parameters.get("tiers")))

    one = host(port("tcp/0.0.0.0:22", SSHD))
    assert [f.message for f in judged(one, f"rules: {{{NAME}: {{tiers: [always, usual]}}}}\n", these=[rule(check)])] == [
        "['always', 'usual']"
    ]
    assert [f.message for f in judged(one, these=[rule(check)])] == ["None"]


# Folding, and things of one name


def folding(case: Case, socket: Socket) -> Iterator[Breach]:
    yield Breach("chosen by the kernel", fold="ports that nothing fixes", severity="high" if socket.port == 22 else None)


def test_breaches_of_one_fold_and_severity_are_one_finding_that_names_all_of_them() -> None:
    findings = {f.severity: f for f in judged(THREE, these=[rule(folding)])}
    assert findings.keys() == {"high", "low"}
    assert (findings["low"].count, findings["low"].subject) == (2, "ports that nothing fixes")
    assert findings["low"].examples == ("tcp/0.0.0.0:80", "tcp/0.0.0.0:81")
    assert findings["low"].observed == "tcp/0.0.0.0:80, tcp/0.0.0.0:81"


def test_a_waiver_for_one_port_takes_just_that_one_out_of_a_fold() -> None:
    by = f'waivers: [{{rule: {NAME}, subject: "tcp/0.0.0.0:80", reason: r, owner: o, expires: 2027-01-01}}]\n'
    found = {(f.outcome, f.severity): f.examples for f in judged(THREE, by, these=[rule(folding)])}
    assert found == {("fail", "high"): ("tcp/0.0.0.0:22",), ("fail", "low"): ("tcp/0.0.0.0:81",), ("waived", "low"): ("tcp/0.0.0.0:80",)}


def test_a_waiver_for_the_fold_covers_all_of_it() -> None:
    by = f"waivers: [{{rule: {NAME}, subject: ports that nothing fixes, reason: r, owner: o, expires: 2027-01-01}}]\n"
    assert {f.outcome for f in judged(THREE, by, these=[rule(folding)])} == {"waived"}


def test_sockets_that_share_a_port_and_so_a_name_are_one_finding_with_their_number() -> None:
    shared = host(port("tcp/0.0.0.0:80", NGINX), port("tcp/0.0.0.0:80", AGENT), port("tcp/0.0.0.0:22", SSHD))

    def check(case: Case, socket: Socket) -> Iterator[Breach]:
        yield Breach("wrong", observed=socket.owners_seen[0].executable)

    findings = judged(shared, these=[rule(check)])
    assert short(findings) == [("fail", "host", "tcp/0.0.0.0:80", 2), ("fail", "host", "tcp/0.0.0.0:22", 1)]
    assert findings[0].observed == "/usr/sbin/nginx; /usr/sbin/agent"


@pytest.mark.parametrize("by", ["", STRICT], ids=["bare", "strict"])
def test_no_two_findings_of_a_host_have_one_fingerprint_and_outcome(by: str) -> None:
    own = rich().net
    twice = Host(net=Net([*own.ports, *own.ports], own.settings, own.addresses), others=rich().others)
    for of in (rich(), twice):
        assert set(Counter((f.fingerprint, f.outcome, f.severity) for f in judged(of, by)).values()) == {1}


# Waivers


def waivers(**more: str) -> str:
    said = {"rule": NAME, "reason": "old", "owner": "ops", "expires": "2026-12-31", **more}
    return f"waivers:\n  - {{{', '.join(f'{key}: {value}' for key, value in said.items())}}}\n"


@pytest.mark.parametrize(
    ("more", "covered"),
    [
        ({}, {22, 80, 81}),
        ({"subject": '"tcp/0.0.0.0:80"'}, {80}),
        ({"subject": '"tcp/*:8*"'}, {80, 81}),
        ({"subject": '["tcp/0.0.0.0:22", "tcp/0.0.0.0:80"]'}, {22, 80}),
        ({"subject": '"tcp/0.0.0.0:8"'}, set()),
        ({"hosts": "web1"}, {22, 80, 81}),
        ({"hosts": "web-*"}, set()),
        ({"stack": "host"}, {22, 80, 81}),
        ({"stack": '"container:*"'}, set()),
        ({"rule": "unauthenticated-port-exposed"}, set()),
        ({"executable": "/usr/sbin/nginx"}, {80, 81}),
        ({"executable": "/usr/sbin/nginx", "user": "root"}, set()),
        ({"user": "www-data"}, {80, 81}),
    ],
)
def test_a_waiver_covers_what_it_names_and_nothing_else(more: dict[str, str], covered: set[int]) -> None:
    findings = judged(THREE, waivers(**more), these=[rule(breach)])
    assert {int(f.subject.rpartition(":")[2]) for f in findings if f.outcome == "waived"} == covered
    assert {int(f.subject.rpartition(":")[2]) for f in findings if f.outcome == "fail"} == {22, 80, 81} - covered
    assert all((f.waiver is None) is (f.outcome == "fail") for f in findings)
    assert all(f.waiver["reason"] == "old" and f.waiver["expires"] == "2026-12-31" for f in findings if f.waiver)


@pytest.mark.parametrize(
    ("day", "outcome"), [("2026-12-30", "waived"), ("2026-12-31", "waived"), ("2027-01-01", "fail"), ("2031-01-01", "fail")]
)
def test_a_waiver_holds_through_the_day_it_expires(day: str, outcome: str) -> None:
    findings = judged(THREE, waivers(), these=[rule(breach)], today=datetime.date.fromisoformat(day))
    assert {f.outcome for f in findings} == {outcome}


def test_a_waiver_for_one_program_does_not_cover_another_that_shares_its_socket() -> None:
    rogue = Process(6666, "/tmp/rogue", 33)  # noqa: S108 - a name
    shared = host(port("tcp/0.0.0.0:80", NGINX, rogue), port("tcp/0.0.0.0:81", NGINX))
    findings = judged(shared, waivers(executable="/usr/sbin/nginx"), these=[rule(breach)])
    assert short(findings) == [("fail", "host", "tcp/0.0.0.0:80", 1), ("waived", "host", "tcp/0.0.0.0:81", 1)]


def test_a_waiver_for_a_program_does_not_cover_where_the_program_is_not_seen() -> None:
    for hidden in (host(port("tcp/0.0.0.0:80")), host(port("tcp/0.0.0.0:80", NGINX), unreadable=[7])):
        assert [f.outcome for f in judged(hidden, waivers(executable="/usr/sbin/nginx"), these=[rule(breach)])] == ["fail"]


def test_a_waiver_covers_no_unknown_and_no_error() -> None:
    def broken(case: Case, thing: Any) -> Iterator[Breach]:
        raise ValueError
        yield

    assert {f.outcome for f in judged(THREE, waivers(), these=[rule(unseen)])} == {"unknown"}
    assert {f.outcome for f in judged(THREE, waivers(), these=[rule(broken)])} == {"error"}


def test_a_port_that_the_kernel_chose_can_be_waived_by_its_holder_or_by_its_number() -> None:
    avahi = Process(7, "/usr/sbin/avahi-daemon", 108, "/system.slice/avahi-daemon.service")
    of = host(port("udp/0.0.0.0:45000", avahi))
    for subject in ("udp/0.0.0.0:kernel-given (avahi-daemon.service)", "udp/0.0.0.0:45000"):
        assert [f.outcome for f in judged(of, waivers(subject=f'"{subject}"'), these=[rule(breach)])] == ["waived"]


# Stacks


BLUE = Net((port("tcp/0.0.0.0:80", AGENT),), mounted="/run/netns/blue", holder=Process(7000, "/usr/bin/sleep"), addresses=ON_A_MACVLAN)
SEVERAL = Host(net=THREE.net, others=(BLUE, container(WEB_CONTAINER, port("tcp/0.0.0.0:80", AGENT))), containers={WEB_CONTAINER: "shop"})
NAMES = ["host", "blue", "container:shop"]


def test_a_rule_is_asked_of_every_stack() -> None:
    assert [f.stack for f in judged(SEVERAL, these=[rule(content)])] == NAMES
    assert [f.stack for f in judged(SEVERAL, these=[rule(only(80, breach))])] == NAMES


def test_a_rule_for_the_hosts_own_stack_is_not_applicable_to_others() -> None:
    findings = judged(SEVERAL, these=[rule(content, stacks="host")])
    assert [(f.outcome, f.stack) for f in findings] == [("pass", "host"), ("notapplicable", "blue"), ("notapplicable", "container:shop")]


def test_where_one_stack_was_asked_for_only_that_is_judged() -> None:
    assert [f.stack for f in judged(SEVERAL, these=[rule(content)], only_stack="blue")] == ["blue"]
    assert [f.outcome for f in judged(SEVERAL, these=[rule(content)], only_stack="red")] == ["notapplicable"]


def with_stacks(*stacks: Stack, gaps: tuple[Gap, ...] = ()) -> Snapshot:
    return Snapshot(**{**THREE.snapshot().shown, "stacks": Facts(stacks, "/proc", gaps)})


def test_where_one_stack_was_asked_for_that_may_have_been_missed_it_is_unknown() -> None:
    snapshot = with_stacks(*THREE.snapshot().stacks.seen, gaps=(Gap("hidepid"),))
    (found,) = judged(snapshot, these=[rule(content)], only_stack="red")
    assert found.outcome == "unknown"
    assert "hidepid" in found.message


def test_where_the_hosts_own_stack_was_not_seen_what_is_for_it_is_unknown() -> None:
    (other,) = [stack for stack in SEVERAL.snapshot().stacks.seen if stack.name == "blue"]
    found = judged(with_stacks(other), these=[rule(content, stacks="host")])
    assert [(f.outcome, f.stack) for f in found] == [("notapplicable", "blue"), ("unknown", None)]
    assert [f.outcome for f in judged(with_stacks(), these=[rule(content)])] == ["unknown"]


def test_evidence_about_no_stack_names_the_reason() -> None:
    (found,) = judged(with_stacks(gaps=(Gap("the bundle was cut"),)), these=[rule(content)])
    assert (found.outcome, found.message) == ("unknown", "the bundle was cut")


# What a rule is called for


def called_for(of: Host | Snapshot, each: str, by: str = "") -> list[str]:
    seen: list[str] = []

    def check(case: Case, thing: Any) -> Iterator[Breach]:
        seen.append(str(thing.source) if isinstance(thing, Facts) else str(thing))
        yield from ()

    assert judged(of, by, these=[rule(check, each=each)])
    return seen


def test_each_kind_of_subject_is_what_was_seen_of_it() -> None:
    assert called_for(THREE, "host") == ["host web1"]
    assert called_for(SEVERAL, "stack") == ["stack host", "stack blue", "stack container:shop"]
    assert called_for(THREE, "socket") == ["tcp/0.0.0.0:22", "tcp/0.0.0.0:80", "tcp/0.0.0.0:81"]
    assert called_for(THREE, "range") == ["32768-60999"]
    assert called_for(SEVERAL, "privileged") == ["stack host", "stack blue", "stack container:shop"]
    assert "net.ipv4.ip_local_port_range" in called_for(THREE, "setting")
    assert len(called_for(THREE, "facts")) == 9, "eight kinds of a stack's facts, and the stacks themselves"
    assert called_for(SEVERAL, "required", "listening: {required: [{name: ssh, port: 22}]}\n") == ["ssh"]
    assert called_for(THREE, "waiver", waivers(id="EXC-1")) == ["EXC-1"]
    assert called_for(THREE, "waiver", waivers(id="EXC-1", hosts="other")) == [], "a waiver for another host is not this one's"


def test_a_range_is_named_by_what_sets_it_apart() -> None:
    ranges = [Range(first=49152, last=65535, role="high", protocol="tcp", family="any"), Range(first=600, last=1023, role="low")]
    snapshot = changed(THREE, ephemeral=Facts(ranges, "sysctl"))
    assert [f.subject for f in judged(snapshot, these=[rule(breach, each="range")])] == ["sysctl (high, tcp)", "sysctl (low)"]


@pytest.mark.parametrize("each", [each for each in EACH if each in ("privileged", "socket", "range", "setting")])
def test_where_a_stack_does_not_show_what_a_rule_is_asked_about_it_is_unknown(each: str) -> None:
    bare = with_stacks(Stack(name="host", kind="host"))
    findings = judged(bare, these=[rule(lambda case, thing: [None for _ in thing.privileged], each=each)])
    assert [f.outcome for f in findings] == ["unknown"]


# Totality


HOSTS = {
    "quiet": host().snapshot(),
    "rich": rich().snapshot(),
    "several stacks": SEVERAL.snapshot(),
    "no stacks": with_stacks(),
    "no stacks seen": with_stacks(gaps=(Gap("cut"),)),
    "a stack of which nothing is known": with_stacks(Stack(name="host", kind="host")),
    "nothing": Snapshot(),
}


@pytest.mark.parametrize(
    "by", ["", STRICT, "".join(("rules:\n", *(f"  {name}: off\n" for name in rules())))], ids=["bare", "strict", "off"]
)
@pytest.mark.parametrize("of", HOSTS.values(), ids=HOSTS)
def test_for_every_rule_and_every_stack_there_is_an_answer(of: Snapshot, by: str) -> None:
    findings = judged(of, by)
    stacks = [stack.name for stack in of.stacks.seen] if "stacks" in of.shown else []
    for name, one in rules().items():
        answered = {f.stack for f in findings if f.rule == name}
        assert answered, name
        assert answered >= set(stacks) or one.each in ("host", "waiver"), name
    assert not [f for f in findings if f.outcome == "error"]


def test_the_same_evidence_gives_the_same_findings_in_the_same_order() -> None:
    once, again = (judged(rich(), STRICT) for _ in range(2))
    assert [f.to_json() for f in once] == [f.to_json() for f in again]


def test_the_day_is_the_one_that_was_given() -> None:
    def check(case: Case, thing: Any) -> Iterator[Breach]:
        yield Breach(case.today.isoformat())

    assert [f.message for f in judged(host(), these=[rule(check, each="host")])] == [TODAY.isoformat()]
