"""Rules of address translation as any command prints them: chains of conditions and of what is done, followed from where packets arrive.

A packet is translated where all conditions on a way from a chain of the hook `prerouting` to the translation are met. Conditions that
name no port (an interface, a source, a state) are left out: what is found is what may be translated. Where a condition that cannot be
read is all that could name the ports, there is a gap in place of a translation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

from auditor.facts import Gap
from auditor.port_range import PORT_MAX, PortRange
from auditor.reading import Output, Read

PORTED = ("tcp", "udp", "udplite", "sctp", "dccp")
"""The protocols that have ports."""
_NO_PORTS = "no ports"
_WITHOUT_PORTS = {
    "hopopt", "ip", "icmp", "igmp", "ggp", "ipencap", "ipv4", "ipv6", "ipv6-route", "ipv6-frag", "rsvp", "gre", "esp", "ipv6-crypt", "ah",
    "ipv6-auth", "icmpv6", "ipv6-icmp", "ipv6-nonxt", "ipv6-opts", "eigrp", "ospf", "ospfigp", "ipip", "etherip", "encap", "pim", "comp",
    "ipcomp", "vrrp", "l2tp", "isis", "mh", "mobility-header", "mpls-in-ip", "hip",
}  # fmt: skip
_BY_NUMBER = {
    **{str(number): _NO_PORTS for number in (*range(5), 41, 43, 44, 46, 47, 50, 51, 58, 59, 60, 88, 89, 94, 97, 98, 103, 108, 112, 115)},
    "124": _NO_PORTS, "135": _NO_PORTS, "137": _NO_PORTS, "139": _NO_PORTS,
    "6": "tcp", "17": "udp", "33": "dccp", "132": "sctp", "136": "udplite",
}  # fmt: skip
"""By IANA's protocol numbers: those of PORTED, and the ones that have no ports."""
EVERY_PORT = PortRange(1, PORT_MAX)
_FAMILIES = {"ip": "ipv4", "ip6": "ipv6"}
_MOST = 1 << 17
"""Ways that are followed at most; the rules of the largest clusters have some ten thousand."""
JUMP, TRANSLATE, UNREAD = "jump", "translate", "unread"
XT_LEAVING_THE_DESTINATION = {
    "ACCEPT", "DROP", "RETURN", "QUEUE", "NFQUEUE", "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "SNAT", "MASQUERADE", "TRACE", "AUDIT",
    "SET", "CLASSIFY", "RATEEST", "LED", "TOS", "DSCP", "TTL", "HL", "TCPMSS", "CT", "NOTRACK", "REJECT",
}  # fmt: skip
"""Targets of iptables that no packet is translated to another destination by."""
Place = tuple[str, str, str]
"""Family (ip, ip6, inet), table and chain."""


class Match:
    """What packets must be: of one of `protocols`, to one of `ports`, to one of `destinations` (texts), each None where any will do.
    `unread`: there are conditions beside that may be about ports."""

    __slots__ = ("destinations", "ports", "protocols", "unread")

    def __init__(
        self, *, protocols: tuple[str, ...] | None = None, ports: tuple[PortRange, ...] | None = None,
        destinations: tuple[str, ...] | None = None, unread: bool = False,
    ) -> None:  # fmt: skip
        self.protocols = protocols
        self.ports = ports
        self.destinations = destinations
        self.unread = unread

    @property
    def about_ports(self) -> bool:
        """Whether packets that meet it may have ports."""
        return self.protocols is None or not {*self.protocols}.isdisjoint(PORTED)

    @property
    def key(self) -> tuple[Any, ...]:
        return self.protocols, self.ports, self.destinations, self.unread

    def both(self, other: Match) -> Match | None:
        """What meets both; None where nothing can."""
        protocols = _either(self.protocols, other.protocols, lambda a, b: a if a == b else None)
        ports = _either(self.ports, other.ports, PortRange.overlap)
        destinations = _either(self.destinations, other.destinations, _narrower)
        if () in (protocols, ports, destinations):
            return None
        return Match(protocols=protocols, ports=ports, destinations=destinations, unread=self.unread or other.unread)


def _either(some: tuple[Any, ...] | None, others: tuple[Any, ...] | None, shared: Any) -> tuple[Any, ...] | None:
    if some is None or others is None:
        return others if some is None else some
    return tuple(dict.fromkeys(part for one in some for other in others if (part := shared(one, other)) is not None))


def _narrower(one: str, other: str) -> str | None:
    """The smaller of two prefixes that overlap; None where they do not. A range is taken for the narrower one."""
    try:
        first, second = ip_network(one, strict=False), ip_network(other, strict=False)
    except ValueError:
        return one if "-" in one else other
    if first.version != second.version or not first.overlaps(second):
        return None
    return one if first.prefixlen >= second.prefixlen else other


def of_protocols(values: Iterable[str]) -> Match:
    """Of one of these protocols, each a name or a number; `unread` where it is not known of one whether it has ports."""
    named = (_BY_NUMBER.get(value, value.lower()) for value in values)
    names = dict.fromkeys(_NO_PORTS if name in _WITHOUT_PORTS else name for name in named)
    return Match(protocols=tuple(names)) if names.keys() <= {*PORTED, _NO_PORTS} else Match(unread=True)


class NatRule:
    """What a rule does with packets that it matches: JUMP to the chain `to`; TRANSLATE them to `to` (of `family` where it says so); or
    UNREAD. `line` is the rule, for people."""

    __slots__ = ("does", "family", "line", "match", "to")

    def __init__(self, match: Match, does: str, to: str, line: str, family: str | None = None) -> None:
        self.match = match
        self.does = does
        self.to = to
        self.line = line
        self.family = family


class NatRules(Read):
    """`chains` by their place; `arriving` are those through which arriving packets go. `flavour` is whose rules they are: `legacy`
    (ip_tables) or `nf_tables`, None where the output does not say; `families` those of which it tells the whole (ip, ip6, inet)."""

    __slots__ = ("arriving", "chains", "families", "flavour")

    def __init__(self) -> None:
        super().__init__()
        self.chains: dict[Place, list[NatRule]] = {}
        self.arriving: list[Place] = []
        self.flavour: str | None = None
        self.families: tuple[str, ...] = ()

    def gap_where_empty(self, output: Output) -> None:
        """No rules print nothing, and so does a command that failed."""
        if output.status == "unknown" and not output.lines():
            self.gap(f"{output.command.text}: it printed nothing, and whether it ended well is not known")


class Followed:
    """What arriving packets are translated to: `found` are keys of model.Translation, `gaps` rules of which that cannot be told."""

    __slots__ = ("_chains", "_told", "found", "gaps")

    def __init__(self, chains: dict[Place, list[NatRule]], arriving: Iterable[Place]) -> None:
        self.found: list[dict[str, Any]] = []
        self.gaps: list[Gap] = []
        self._chains = chains
        self._told: set[Any] = set()
        ways = deque((place, Match()) for place in arriving)
        been: set[Any] = set()
        while ways:
            place, match = ways.popleft()
            if (place, match.key) in been:
                continue
            if len(been) >= _MOST:
                self.gaps.append(Gap(f"there are more than {_MOST} ways through the rules of address translation"))
                break
            been.add((place, match.key))
            for rule in chains.get(place, ()):
                if (met := match.both(rule.match)) is not None:
                    ways.extend(self._ways(place, rule, met))

    def _ways(self, place: Place, rule: NatRule, met: Match) -> list[tuple[Place, Match]]:
        if rule.does == JUMP:
            target = (*place[:2], rule.to)
            if target in self._chains:
                return [(target, met)]
            self._gap(f"where a rule of table {' '.join(place[:2])} leads is not shown: {rule.to} is no chain in it", rule)
        elif rule.does == UNREAD:
            self._gap(f"what a rule of table {' '.join(place[:2])} does cannot be read", rule)
        elif met.ports is None and met.unread:
            self._gap("which ports a rule translates cannot be read", rule)
        else:
            self._translation(place, rule, met)
        return []

    def _gap(self, why: str, rule: NatRule) -> None:
        if (why, rule.line) not in self._told:
            self._told.add((why, rule.line))
            self.gaps.append(Gap(why, rule.line[:200]))

    def _translation(self, place: Place, rule: NatRule, met: Match) -> None:
        family = _FAMILIES.get(rule.family or place[0], "any")
        for protocol in ("any",) if met.protocols is None else met.protocols:
            if protocol not in ("any", *PORTED):
                continue
            for destination in met.destinations or (None,):
                for ports in met.ports or (EVERY_PORT,):
                    shown = {"protocol": protocol, "family": family, "destination": destination, "first": ports.first, "last": ports.last,
                             "to": rule.to, "rule": rule.line[:200]}  # fmt: skip
                    if tuple(shown.values()) not in self._told:
                        self._told.add(tuple(shown.values()))
                        self.found.append(shown)


def complement(ports: Iterable[PortRange]) -> tuple[PortRange, ...]:
    """Every other port."""
    return tuple(EVERY_PORT.minus(ports))
