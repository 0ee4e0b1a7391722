"""Ports by what they are ports of: the protocols and families for which an answer is the same stand together, and in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from auditor.facts import Facts, UnknownFact
from auditor.model import Range, Stack
from auditor.port_range import PortRange

Pair = tuple[str, str]
"""A protocol and a family."""
EVERY_PAIR: tuple[Pair, ...] = tuple(Range(protocol="any", family="any").pairs)
_RANGES_SHOWN = 10


def scope_in_words(pairs: Collection[Pair]) -> str:
    """`tcp`, `ipv6` or `udp ipv4`; "" where these are all protocols and families that there are."""
    protocols, families = ({pair[at] for pair in pairs} for at in (0, 1))
    if len(protocols) * len(families) != len(set(pairs)):
        return ", ".join(sorted(" ".join(pair) for pair in pairs))
    return " ".join([*(protocols if len(protocols) == 1 else []), *(families if len(families) == 1 else [])])


def ports_in_words(ranges: Iterable[PortRange]) -> str:
    """`1024-5000, 6000 (3978 ports)`, or `6000`; of many ranges the first ones."""
    joined = PortRange.joined(ranges)
    more = len(joined) - _RANGES_SHOWN
    shown = ", ".join(map(str, joined[:_RANGES_SHOWN])) + (f" and {more} more" if more > 0 else "")
    total = sum(map(len, joined))
    return shown if total == 1 else f"{shown} ({total} ports)"


def ports_for(ranges: Facts[Range], protocol: str, family: str) -> list[PortRange]:
    """The ports of those that speak of a protocol and family. Raises UnknownFact where there may be more."""
    return [one.ports for one in ranges.about(protocol, family) if one.speaks_of(protocol, family)]


def by_scope(pairs: Iterable[Pair], ports_of: Callable[[str, str], Iterable[PortRange]]) -> Iterator[tuple[str, list[PortRange]]]:
    """`ports_of` each protocol and family, those with the same ports together: their scope in words, and the ports; nothing of those that
    have none. Raises UnknownFact at the end where it was not known of some."""
    alike: dict[tuple[PortRange, ...], list[Pair]] = {}
    why: UnknownFact | None = None
    for pair in pairs:
        try:
            alike.setdefault(tuple(PortRange.joined(ports_of(*pair))), []).append(pair)
        except UnknownFact as unknown:
            why = why or unknown
    for ports, of in alike.items():
        if ports:
            yield scope_in_words(of), list(ports)
    if why is not None:
        raise why


def not_reserved(stack: Stack, ports: PortRange, pairs: Iterable[Pair]) -> Iterator[tuple[str, list[PortRange]]]:
    """What of `ports` a stack may hand out, because it is not reserved, by scope."""
    return by_scope(pairs, lambda protocol, family: ports.minus(ports_for(stack.reserved, protocol, family)))
