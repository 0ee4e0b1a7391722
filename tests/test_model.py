"""The nouns: ports and ranges, facts that cannot be mistaken for false, zero or empty, and how things are called in a report."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts import Fact, Facts, Gap, Malformed, UnknownFact
from auditor.model import SEVERITIES, Finding, Range, Snapshot, Socket, Stack
from auditor.owner import Owner
from auditor.port_range import PORT_MAX, PortRange

PORTS = st.integers(0, PORT_MAX)
RANGES = st.builds(lambda one, other: PortRange(min(one, other), max(one, other)), PORTS, PORTS)
NEAR = st.builds(lambda first, more: PortRange(first, first + more), st.integers(0, 60), st.integers(0, 12))
"""Ranges so close together that they touch, overlap and hold each other."""


def ports_in(ranges: list[PortRange]) -> set[int]:
    return {port for one in ranges for port in range(one.first, one.last + 1)}


@given(NEAR, st.lists(NEAR, max_size=6))
def test_what_is_left_of_a_range_is_its_ports_without_those_of_the_others(whole: PortRange, others: list[PortRange]) -> None:
    left = whole.minus(others)
    assert ports_in(left) == ports_in([whole]) - ports_in(others)
    assert left == sorted(left)
    assert all(one.last + 1 < following.first for one, following in pairwise(left)), "parts that touch are one"


@given(RANGES, RANGES)
def test_an_overlap_is_in_both_and_is_the_same_from_either_side(one: PortRange, other: PortRange) -> None:
    both = one.overlap(other)
    assert both == other.overlap(one)
    if both is None:
        assert one.last < other.first or other.last < one.first
    else:
        assert (both.first, both.last) == (max(one.first, other.first), min(one.last, other.last))
        assert len(both) + sum(map(len, one.minus([other]))) == len(one)


@given(NEAR, st.lists(NEAR, max_size=6), st.integers(0, 80))
def test_a_port_is_in_an_overlap_or_in_what_is_left_as_it_is_in_a_set(whole: PortRange, others: list[PortRange], port: int) -> None:
    in_others = any(port in other for other in others)
    assert any(port in part for part in whole.minus(others)) == (port in whole and not in_others)
    overlaps = [both for other in others if (both := whole.overlap(other)) is not None]
    assert any(port in both for both in overlaps) == (port in whole and in_others)


@given(st.lists(NEAR, max_size=8), st.lists(NEAR, max_size=4))
def test_ranges_that_are_joined_have_the_same_ports_in_as_few_as_there_can_be(parts: list[PortRange], without: list[PortRange]) -> None:
    joined = PortRange.joined(parts)
    assert ports_in(joined) == ports_in(parts)
    assert joined == sorted(joined)
    assert all(one.last + 1 < following.first for one, following in pairwise(joined)), "parts that touch are one"
    assert PortRange.joined(reversed(joined)) == joined
    assert ports_in(PortRange.joined(iter(parts), without=iter(without))) == ports_in(parts) - ports_in(without)


@given(st.lists(RANGES, max_size=5), st.lists(RANGES, max_size=3))
def test_joining_goes_up_to_both_ends_of_all_ports(parts: list[PortRange], without: list[PortRange]) -> None:
    left = PortRange.joined(parts, without)
    assert sum(map(len, left)) == len(ports_in(parts) - ports_in(without))
    assert sum(len(both) for one in left for other in without if (both := one.overlap(other))) == 0


@given(RANGES)
def test_a_range_counts_both_its_ends_and_reads_back_as_it_is_written(ports: PortRange) -> None:
    assert PortRange.parse(str(ports)) == ports
    assert hash(PortRange.parse(str(ports))) == hash(ports)
    assert len(ports) == ports.last - ports.first + 1
    assert ports.first in ports
    assert ports.last in ports
    assert ports.first - 1 not in ports
    assert ports.last + 1 not in ports
    assert ports.minus([ports]) == []
    assert ports.minus([]) == [ports]


def test_a_range_of_one_port_is_written_as_that_port() -> None:
    assert str(PortRange(22, 22)) == "22"
    assert str(PortRange(0, 1023)) == "0-1023"
    assert bool(PortRange(0, 0)), "a range is never nothing"
    assert not PortRange(1, 2) < PortRange(1, 2)
    assert PortRange(1, 2) != (1, 2)


@pytest.mark.parametrize(("first", "last"), [(-1, 5), (5, 4), (0, 65536), (70000, 70001), (-5, -1)])
def test_nonsense_is_no_range(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="not a port range"):
        PortRange(first, last)


@pytest.mark.parametrize(
    "text", ["", "-", "1-", "-1", "+1", " 1", "1 ", "1 - 2", "1-2-3", "0x10", "²", "٢٢", "1_000", "22\n", "65536", "9-1"]
)
def test_what_is_no_port_or_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a port"):
        PortRange.parse(text)


# Facts


KNOWN = (Fact(1, "sysctl"), Fact.unknown("no permission", "sysctl"), Facts([1], "sock_diag"), Facts([], "sock_diag", [Gap("cut")]))


@pytest.mark.parametrize("known", KNOWN, ids=["fact", "unknown", "facts", "gap"])
@pytest.mark.parametrize(
    "use", [bool, len, lambda k: k == k, lambda k: k != k, lambda k: k == 1, lambda k: not k, lambda k: k in [1]],
    ids=["bool", "len", "equal", "unequal", "equal to its value", "not", "in"],
)  # fmt: skip
def test_a_fact_has_no_truth_size_or_equality(use: Callable[[Any], object], known: Any) -> None:
    with pytest.raises(TypeError, match="no truth, size or equality"):
        use(known)


def test_a_fact_gives_its_value_or_raises_why_there_is_none() -> None:
    assert Fact(1024, "sysctl").value == 1024
    unknown: Fact[int] = Fact.unknown("no permission", "sysctl")
    with pytest.raises(UnknownFact, match=r"^no permission$"):
        _ = unknown.value
    assert unknown.to_json() == {"source": "sysctl", "unknown": "no permission"}
    assert Fact(None, "x", "derived").to_json() == {"source": "x", "basis": "derived", "value": None}


def test_facts_give_what_was_seen_and_then_raise_if_that_was_not_all() -> None:
    assert list(Facts([1, 2], "sock_diag")) == [1, 2]
    walk = iter(Facts([1, 2], "sock_diag", [Gap("udp was refused", protocol="udp")]))
    assert [next(walk), next(walk)] == [1, 2]
    with pytest.raises(UnknownFact, match=r"^udp was refused$"):
        next(walk)


def test_no_except_exception_swallows_an_unknown_fact() -> None:
    assert not issubclass(UnknownFact, Exception)


def test_a_basis_that_is_none_is_refused() -> None:
    with pytest.raises(Malformed):
        Facts([], "x", basis="guessed")


def test_a_key_that_the_evidence_does_not_show_raises_and_a_null_one_does_not() -> None:
    assert Owner(executable=None).executable is None
    with pytest.raises(UnknownFact, match=r"^the evidence does not show executable$"):
        _ = Owner(pid=1).executable
    with pytest.raises(TypeError, match="no key colour"):
        Owner(colour="red")


@pytest.mark.parametrize(
    ("state", "seen", "raises"),
    [("known", [Owner(pid=1)], False), ("partial", [Owner(pid=1)], True), ("unreadable", [], True), ("none", [], True), (None, [], True),
     (None, [Owner(pid=1)], True), ("invented", [Owner(pid=1)], True)],
)  # fmt: skip
def test_only_where_every_process_was_looked_at_are_the_owners_all(state: str | None, seen: list[Owner], raises: bool) -> None:
    socket = Socket(owners_seen=seen, owner_reason="hidepid", **({} if state is None else {"owner_state": state}))
    if raises:
        with pytest.raises(UnknownFact, match="hidepid"):
            list(socket.owners)
    else:
        assert list(socket.owners) == seen


@pytest.mark.parametrize(
    ("reach", "exposed"), [("loopback", False), ("container", False), ("link", True), ("private", True), ("public", True)]
)
def test_exposed_is_what_more_than_this_host_reaches(reach: str, exposed: bool) -> None:
    assert Socket(reach=reach).exposed is exposed


@pytest.mark.parametrize("socket", [Socket(reach="unknown"), Socket()])
def test_an_unknown_reach_is_neither_exposed_nor_not(socket: Socket) -> None:
    with pytest.raises(UnknownFact):
        _ = socket.exposed


# Subjects: a promise of the contract


V4 = {"protocol": "tcp", "family": "ipv4", "address": "0.0.0.0", "port": 8080}
V6 = {"protocol": "udp", "family": "ipv6", "address": "::", "port": 514}
AVAHI = Owner(pid=7, unit="avahi-daemon.service", executable="/usr/sbin/avahi-daemon")


@pytest.mark.parametrize(
    ("shown", "subject"),
    [
        (V4, "tcp/0.0.0.0:8080"),
        ({**V4, "device": None}, "tcp/0.0.0.0:8080"),
        ({**V6, "v6only": True}, "udp/[::]:514"),
        (V6, "udp/[::]:514"),
        ({**V6, "protocol": "tcp", "port": 80, "v6only": False}, "tcp/*:80"),
        ({"protocol": "tcp", "family": "unknown", "address": "*", "port": 80}, "tcp/*:80"),
        ({**V6, "protocol": "tcp", "address": "fe80::1", "zone": "eth0", "device": "eth0", "port": 80}, "tcp/[fe80::1%eth0]:80"),
        ({**V6, "protocol": "tcp", "address": "fe80::1", "zone": "en0", "port": 80}, "tcp/[fe80::1%en0]:80"),
        ({**V4, "protocol": "udp", "device": "virbr0", "port": 67}, "udp/0.0.0.0%virbr0:67"),
        ({**V6, "address": "2001:db8::5", "v6only": False}, "udp/[2001:db8::5]:514"),
        ({**V4, "protocol": "udp", "kernel_given": True, "owners_seen": [AVAHI]}, "udp/0.0.0.0:kernel-given (avahi-daemon.service)"),
        ({**V4, "protocol": "udp", "kernel_given": True, "owners_seen": [AVAHI, AVAHI]}, "udp/0.0.0.0:kernel-given (avahi-daemon.service)"),
        ({**V4, "protocol": "udp", "kernel_given": True}, "udp/0.0.0.0:kernel-given (owner not visible)"),
        ({**V4, "protocol": "udp", "kernel_given": False, "owners_seen": [AVAHI]}, "udp/0.0.0.0:8080"),
        ({**V6, "kernel_given": True, "owners_seen": [Owner(executable="/usr/bin/a")]}, "udp/[::]:kernel-given (/usr/bin/a)"),
    ],
)
def test_a_subject_is_what_the_contract_says(shown: dict[str, Any], subject: str) -> None:
    assert Socket(**shown).subject == subject


def test_a_port_that_the_kernel_chose_is_still_shown_by_its_number_where_that_is_asked() -> None:
    socket = Socket(**{**V4, "protocol": "udp", "kernel_given": True, "owners_seen": [AVAHI]})
    assert socket.numbered_subject == str(socket) == "udp/0.0.0.0:8080"


def test_a_fingerprint_hangs_on_rule_host_stack_and_subject_and_on_nothing_else() -> None:
    def finding(rule: str = "r", host: str = "h", stack: str | None = "host", subject: str = "tcp/*:80", **more: Any) -> str:
        return Finding(rule, host, stack, subject, "fail", "low", "m", **more).fingerprint

    same = finding()
    assert same == finding(observed="pid 5", count=3)
    assert same == Finding("r", "h", "host", "tcp/*:80", "waived", "high", "another message").fingerprint
    others = {finding("s"), finding(host="i"), finding(stack="web"), finding(stack=None), finding(subject="tcp/*:81")}
    assert len(others) == 5
    assert same not in others
    assert finding(host="h\ud800") != finding(host="h"), "a host may call itself anything"


# JSON


def test_a_socket_goes_through_json_and_keeps_its_owners_under_the_contracts_name() -> None:
    socket = Socket(**V4, owners_seen=[AVAHI], owner_state="known", device=None, source="sock_diag")
    plain = socket.to_json()
    assert plain["owners"] == [{"pid": 7, "executable": "/usr/sbin/avahi-daemon", "unit": "avahi-daemon.service"}]
    assert "owners_seen" not in plain
    assert Socket.from_json(plain, "socket").to_json() == plain
    assert "owners_seen" not in Socket.from_json({"owners_seen": [{}]}, "socket").shown


@pytest.mark.parametrize(
    ("kind", "value", "where"),
    [
        (Socket, {"port": True}, "port"), (Socket, {"port": 65536}, "port"), (Socket, {"port": -1}, "port"),
        (Socket, {"port": "22"}, "port"),
        (Socket, {"port": 22.0}, "port"), (Socket, {"v6only": 1}, "v6only"), (Socket, {"address": None}, "address"),
        (Socket, {"owners": [1]}, "owners"), (Socket, [], "here"), (Range, {"first": 5, "last": 4}, "here"),
        (Owner, {"pid": None}, "pid"), (Stack, {"listening": {"source": "x", "basis": "read", "seen": [], "gaps": [{}]}}, "gaps"),
        (Stack, {"listening": {"source": "x", "basis": "guessed", "seen": [], "gaps": []}}, "basis"),
        (Stack, {"listening": {"source": "x", "basis": "read", "seen": []}}, "gaps"),
        (Snapshot, {"settings": {"a": 1}}, "settings"), (Snapshot, {"visibility": []}, "visibility"), (Snapshot, {"limits": [1]}, "limits"),
    ],
)  # fmt: skip
def test_a_key_of_the_wrong_type_is_malformed_and_says_where(kind: Any, value: Any, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        kind.from_json(value, "here")


def test_a_gap_keeps_its_scope_through_json_and_says_nothing_of_what_it_has_not() -> None:
    gap = Gap("refused", "udp\tipv6", protocol="udp", family="ipv6", ports=PortRange(1024, 1025))
    assert Gap.from_json(gap.to_json(), "gap").to_json() == gap.to_json()
    assert Gap("cut").to_json() == {"why": "cut"}
    with pytest.raises(Malformed, match="ports"):
        Gap.from_json({"why": "cut", "ports": "many"}, "gap")


def test_a_gap_concerns_what_is_in_its_scope_alone() -> None:
    gap = Gap("cut", protocol="udp", family="ipv4", ports=PortRange(1024, 1024))
    asked = [("udp", "ipv4", 1024), ("udp", "ipv4", None), ("any", "any", None), ("udp", "unknown", 1024)]
    assert all(gap.concerns(*one) for one in asked)
    assert not any(gap.concerns(*one) for one in [("tcp", "ipv4", 1024), ("udp", "ipv6", 1024), ("udp", "ipv4", 1025)])
    assert Gap("cut").concerns("tcp", "ipv6", 22)


def test_facts_about_something_keep_what_was_seen_and_the_gaps_that_concern_it() -> None:
    known = Facts([1, 2], "a test", [Gap("cut", protocol="udp")], "derived")
    assert list(known.about("tcp", "any")) == [1, 2]
    assert (known.about("tcp", "any").source, known.about("tcp", "any").basis) == ("a test", "derived")
    with pytest.raises(UnknownFact, match="cut"):
        list(known.about("udp", "ipv4"))


def test_severities_are_in_order_of_gravity() -> None:
    assert SEVERITIES == ("info", "low", "medium", "high", "critical")


def test_facts_that_are_not_shown_at_all_are_none_with_a_gap_that_says_so() -> None:
    shown = Facts([Range(first=1, last=2)], "a setting")
    assert Stack(privileged=shown).facts("privileged") is shown
    absent = Stack().facts("privileged")
    assert (absent.seen, absent.source, [gap.why for gap in absent.gaps]) == ((), "", ["the evidence does not show privileged"])
    with pytest.raises(UnknownFact) as raised:
        list(absent)
    assert raised.value.fact == "privileged"
