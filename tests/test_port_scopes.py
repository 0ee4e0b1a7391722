"""Ports by protocol and family: what is alike stands together, what is not known of one costs nothing of the others, and how it is said."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap, UnknownFact
from auditor.model import Range, Stack
from auditor.port_range import PortRange
from auditor.port_scopes import EVERY_PAIR, Pair, by_scope, not_reserved, ports_for, ports_in_words, scope_in_words

TCP4, TCP6, UDP4, UDP6 = EVERY_PAIR


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (EVERY_PAIR, ""),
        ((TCP4, TCP6), "tcp"),
        ((UDP6, UDP4), "udp"),
        ((TCP4, UDP4), "ipv4"),
        ((UDP6, TCP6), "ipv6"),
        ((TCP6,), "tcp ipv6"),
        ((TCP4, UDP6), "tcp ipv4, udp ipv6"),
        ((UDP6, UDP4, TCP6), "tcp ipv6, udp ipv4, udp ipv6"),
        ((("sctp", "ipv4"), ("sctp", "ipv6")), "sctp"),
    ],
)
def test_a_scope_is_named_by_what_its_pairs_have_in_common(pairs: tuple[Pair, ...], words: str) -> None:
    assert EVERY_PAIR == (("tcp", "ipv4"), ("tcp", "ipv6"), ("udp", "ipv4"), ("udp", "ipv6"))
    assert scope_in_words(pairs) == words


def test_ports_are_said_in_as_few_ranges_as_there_can_be_with_their_number() -> None:
    assert ports_in_words([PortRange(6000, 6000)]) == "6000"
    assert ports_in_words([PortRange(7, 8)]) == "7-8 (2 ports)"
    assert ports_in_words([PortRange(6000, 6000), PortRange(1024, 4999), PortRange(5000, 5000)]) == "1024-5000, 6000 (3978 ports)"


def test_of_many_ranges_the_first_ten_are_said_and_how_many_more_there_are() -> None:
    ten = [PortRange(port, port) for port in range(10, 30, 2)]
    assert ports_in_words(ten) == "10, 12, 14, 16, 18, 20, 22, 24, 26, 28 (10 ports)"
    assert ports_in_words([*ten, PortRange(40, 49)]) == "10, 12, 14, 16, 18, 20, 22, 24, 26, 28 and 1 more (20 ports)"


def reserving(*ranges: tuple[int, int, str, str], gaps: tuple[Gap, ...] = ()) -> Stack:
    seen = [Range(first=first, last=last, protocol=protocol, family=family) for first, last, protocol, family in ranges]
    return Stack(name="host", kind="host", reserved=Facts(seen, "a test", gaps))


WANTED = PortRange(100, 109)


def test_what_is_not_reserved_stands_together_by_scope() -> None:
    assert list(not_reserved(reserving(), WANTED, EVERY_PAIR)) == [("", [WANTED])]
    assert list(not_reserved(reserving((0, 200, "any", "any")), WANTED, EVERY_PAIR)) == []
    assert list(not_reserved(reserving((100, 105, "tcp", "any")), WANTED, EVERY_PAIR)) == [
        ("tcp", [PortRange(106, 109)]),
        ("udp", [WANTED]),
    ]
    assert list(not_reserved(reserving((0, 200, "udp", "ipv6")), WANTED, EVERY_PAIR)) == [("tcp ipv4, tcp ipv6, udp ipv4", [WANTED])]
    assert list(not_reserved(reserving((0, 200, "tcp", "any")), WANTED, (TCP4, TCP6))) == []


def test_what_is_not_known_of_one_costs_nothing_of_the_others_and_is_told_at_the_end() -> None:
    found = not_reserved(reserving(gaps=(Gap("refused", protocol="tcp", family="ipv4"),)), WANTED, EVERY_PAIR)
    assert next(found) == ("tcp ipv6, udp ipv4, udp ipv6", [WANTED])
    with pytest.raises(UnknownFact, match="refused"):
        next(found)


@pytest.mark.parametrize("stack", [Stack(name="host", kind="host"), reserving(gaps=(Gap("refused"),))], ids=["absent", "a gap"])
def test_where_nothing_is_known_nothing_is_said(stack: Stack) -> None:
    with pytest.raises(UnknownFact):
        next(not_reserved(stack, WANTED, EVERY_PAIR))


def test_what_has_no_ports_is_no_answer_and_order_and_parts_make_no_difference() -> None:
    parts = {"tcp": [PortRange(5, 6), PortRange(1, 4)], "udp": [PortRange(1, 6)], "sctp": []}
    found = by_scope([("tcp", "ipv4"), ("udp", "ipv4"), ("sctp", "ipv4")], lambda protocol, family: parts[protocol])
    assert list(found) == [("ipv4", [PortRange(1, 6)])]


def test_the_ports_for_a_protocol_and_family_are_those_of_the_ranges_that_speak_of_it() -> None:
    ranges = reserving((1, 1, "any", "any"), (2, 2, "tcp", "any"), (3, 3, "any", "ipv6"), (4, 4, "udp", "ipv4")).reserved
    assert ports_for(ranges, "tcp", "ipv4") == [PortRange(1, 1), PortRange(2, 2)]
    assert ports_for(ranges, "udp", "ipv6") == [PortRange(1, 1), PortRange(3, 3)]
