"""Which ports nothing takes: no chosen system by itself, no host that was looked at, not IANA, and no service that is dangerous there.

A port is free where every claim to ports that is known leaves it out. Where a system or a host does not say all of what it takes there is a
doubt, and then no port can be promised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.errors import AuditorError
from auditor.facts import Gap, Record
from auditor.model import Snapshot, Stack
from auditor.port_range import PORT_MAX, PortRange
from auditor.tables import KINDS, Tables
from auditor.vendor_ranges import VendorRecord, release_key

PROTOCOLS = ("tcp", "udp")
SHARED_NUMBERS = {"mptcp": "tcp", "udplite": "udp"}
HOST_CONTEXTS = (None, "vos-tcp-os", "vos-stcp")
"""Contexts of records that are about a host: a plain one, or one of VOS' two stacks. The others are registry, container, user namespace,
library, a phone, or an article's row."""
EVERY_PORT = PortRange(0, PORT_MAX)
_KINDS = {"privileged": ("first", "last"), "ephemeral": ("first", "last"), "reserved": ("first", "last"), "listening": ("port",)}
"""Kinds of facts of a stack, and what of each thing is needed."""


class Claim:
    """Ports that somebody (`who`) takes, and how: `what`, in a few words."""

    __slots__ = ("ports", "what", "who")

    def __init__(self, who: str, what: str, ports: PortRange) -> None:
        self.who = who
        self.what = what
        self.ports = ports

    def __str__(self) -> str:
        return f"{self.what} {self.ports} of {self.who}"


class Claimant:
    """Who takes ports: a record of the vendor table, a host, a table. `doubts` say why it may take more than its `claims`."""

    __slots__ = ("about", "claims", "doubts", "name", "source")

    def __init__(self, name: str, about: str, source: str, claims: Iterable[Claim], doubts: Iterable[str] = ()) -> None:
        self.name = name
        self.about = about
        self.source = source
        self.claims = tuple(claims)
        self.doubts = tuple(dict.fromkeys(doubts))


class FreePorts:
    """What is left of all ports by `systems` (records and hosts) and `registers` (IANA's and the notable ports)."""

    __slots__ = ("left", "registers", "systems")

    def __init__(self, systems: Iterable[Claimant], registers: Iterable[Claimant]) -> None:
        self.systems = tuple(systems)
        self.registers = tuple(registers)
        self.left = left_by(self.claimants)

    @property
    def claimants(self) -> tuple[Claimant, ...]:
        return self.systems + self.registers

    @property
    def promised(self) -> bool:
        """Whether nobody may take more than is known."""
        return not any(claimant.doubts for claimant in self.claimants)

    def lowest(self, count: int) -> list[int]:
        """The lowest ports that are left."""
        found: list[int] = []
        for ports in self.left:
            found += range(ports.first, min(ports.last + 1, ports.first + count - len(found)))
        return found

    def taken_alone(self, claimant: Claimant) -> int:
        """How many more ports would be left without this one."""
        return size(left_by(other for other in self.claimants if other is not claimant)) - size(self.left)

    def why_nothing(self) -> tuple[list[Claim], list[PortRange]]:
        """The claims of systems and hosts that leave least, the one that takes most first, and the ports that these leave."""
        left, found = [EVERY_PORT], []
        claims = [claim for claimant in self.systems for claim in claimant.claims]
        while claims:
            best = min(claims, key=lambda claim: size(_without(left, claim)))
            if size(_without(left, best)) == size(left):
                break
            left = _without(left, best)
            found.append(best)
        return found, left


def size(ranges: Iterable[PortRange]) -> int:
    """How many ports are in ranges that do not overlap."""
    return sum(map(len, ranges))


def _without(ranges: list[PortRange], claim: Claim) -> list[PortRange]:
    return [left for ports in ranges for left in ports.minus([claim.ports])]


def left_by(claimants: Iterable[Claimant]) -> list[PortRange]:
    """The ports that are in no claim."""
    return EVERY_PORT.minus(claim.ports for claimant in claimants for claim in claimant.claims)


def free_ports(
    records: Sequence[VendorRecord], hosts: Sequence[tuple[str, Snapshot]], protocols: Sequence[str], tables: Tables
) -> FreePorts:
    """What is left for all of `protocols` by these records, these hosts (each with where it came from) and the tables of ports."""
    return FreePorts(systems(records, hosts, protocols), registers(protocols, tables))


def systems(records: Sequence[VendorRecord], hosts: Sequence[tuple[str, Snapshot]], protocols: Sequence[str]) -> list[Claimant]:
    """What the records' systems and the hosts take."""
    return [_system(record, records, protocols) for record in records] + [_host(snapshot, given, protocols) for given, snapshot in hosts]


def registers(protocols: Sequence[str], tables: Tables) -> list[Claimant]:
    """What IANA's registry and the table of notable ports take."""
    return [_iana(protocols, tables), _notable(protocols, tables)]


def records_for(word: str, tables: Tables) -> list[VendorRecord]:
    """The records of a record's id, or of `SYSTEM` or `SYSTEM:RELEASE`; AuditorError where there is none."""
    if word in tables.vendors.ids:
        return [tables.vendors.record(word)]
    system, colon, release = word.partition(":")
    of_system = _of_system(system, tables)
    if not of_system:
        raise AuditorError(f"--for {word}: the vendor table knows no such system or record", _known(word, tables))
    found = _covering(of_system, system, release) if colon else of_system
    if not found:
        said = ", ".join(f"{record.id} ({_applies(record)})" for record in of_system)
        raise AuditorError(f"--for {word}: the vendor table has no record for that release", f"give one of these, or its release: {said}")
    return found


def records_of(snapshot: Snapshot, tables: Tables) -> list[VendorRecord]:
    """The records for a host that was looked at: none where the table has none for its release, all of its system where it is not
    known."""
    system, release = snapshot.shown.get("system", ""), snapshot.shown.get("release", "")
    of_system = _of_system(system, tables)
    return of_system if release_key(release) is None else _covering(of_system, system, release)


def _of_system(system: str, tables: Tables) -> list[VendorRecord]:
    wanted = system.casefold()
    return [record for record in host_records(tables) if any(span.system.casefold() == wanted for span in record.applies)]


def _covering(records: list[VendorRecord], system: str, release: str) -> list[VendorRecord]:
    """Those for a release; none where it has no number by which it compares."""
    if release_key(release) is None:
        return []
    return [record for record in records if any(span.covers(system, release) for span in record.applies)]


def _known(word: str, tables: Tables) -> str:
    """What --for takes, the nearest first."""
    from difflib import get_close_matches

    systems = dict.fromkeys(span.system for record in host_records(tables) for span in record.applies)
    near = get_close_matches(word, [*systems, *tables.vendors.ids], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}Give SYSTEM or SYSTEM:RELEASE of {', '.join(systems)}, or a record of {', '.join(tables.vendors.ids)}"


def host_records(tables: Tables) -> list[VendorRecord]:
    """Every record that is about a host system."""
    return [record for record in tables.vendor_records if record.context in HOST_CONTEXTS]


def _applies(record: VendorRecord) -> str:
    return ", ".join(map(str, record.applies)) or record.os


def _of(protocol: str, protocols: Sequence[str]) -> bool:
    return protocol == "any" or SHARED_NUMBERS.get(protocol, protocol) in protocols


def _system(record: VendorRecord, records: Sequence[VendorRecord], protocols: Sequence[str]) -> Claimant:
    """What a record's stack takes by itself. A record about one protocol says nothing of the other; another one of the same stack may."""
    claims: list[Claim] = []
    if _of(record.protocol, protocols):
        claims = list(_claims(record, protocols))
    doubts = [f"the record does not state which ports are {key}" for key in ("privileged", "ephemeral") if not record.knows(key)]
    stack = {other.protocol for other in records if (other.os, other.stack) == (record.os, record.stack)}
    doubts += [f"the record is about {record.protocol} only, and none about {one} is chosen for {record.os} {record.stack}"
               for one in protocols if not stack & {one, "any"}]  # fmt: skip
    source = "; ".join(dict.fromkeys(source["ref"] for source in record.sources))
    about = f"{_applies(record)}; {record.stack}; confidence {record.confidence}"
    return Claimant(record.id, about, source, claims, doubts)


def _claims(record: VendorRecord, protocols: Sequence[str]) -> Iterable[Claim]:
    if record.knows("privileged") and record.privileged is not None:
        yield Claim(record.id, "privileged", record.privileged)
    handed_out = record.ephemeral if record.knows("ephemeral") else ()
    for what, ranges in (("privileged too", record.privileged_also), ("ephemeral", handed_out), ("reserved", record.reserved),
                         ("disputed", record.disputed)):  # fmt: skip
        for one in ranges:
            if _of(one.protocol, protocols):
                words = [what, *([one.role] if one.role != "default" else []), *([one.protocol] if one.protocol != "any" else [])]
                yield Claim(record.id, " ".join(words), one.ports)


def _host(snapshot: Snapshot, given: str, protocols: Sequence[str]) -> Claimant:
    """What a host takes in any of its stacks: what it hands out, keeps back, and what holds a port there."""
    name = snapshot.shown.get("host", "host without a name")
    claims: list[Claim] = []
    doubts = [gap.why for gap in snapshot.stacks.gaps]
    for stack in snapshot.stacks.seen:
        for kind, needed in _KINDS.items():
            claims += _unseen(name, stack, kind, protocols)
            claims += _held(name, stack, protocols) if kind == "listening" else _ranges(name, stack, kind, protocols)
            doubts += _doubts(stack, kind, needed, protocols)
    system = " ".join(filter(None, (snapshot.shown.get("system"), snapshot.shown.get("release"))))
    return Claimant(
        name, f"{system or 'system not shown'}, as it ran at {snapshot.shown.get('taken', 'a time not shown')}", given, claims, doubts
    )


def _about(one: Record, protocols: Sequence[str]) -> bool:
    return _of(one.shown.get("protocol", "any").replace("unknown", "any"), protocols)


def _doubts(stack: Stack, kind: str, needed: Sequence[str], protocols: Sequence[str]) -> list[str]:
    """Why not all of a kind of facts is known: gaps that concern the protocols, and things that do not show what is needed."""
    facts = stack.facts(kind)
    said = [gap.why for gap in facts.gaps if gap.ports is None and _concerns(gap, protocols)]
    said += [f"{key} of one is not shown" for one in facts.seen if _about(one, protocols) for key in needed if key not in one.shown]
    return [f"{kind} in {stack.name}: {why}" for why in said]


def _concerns(gap: Gap, protocols: Sequence[str]) -> bool:
    return any(gap.concerns(protocol, "any", None) for protocol in protocols)


def _unseen(name: str, stack: Stack, kind: str, protocols: Sequence[str]) -> list[Claim]:
    """The ports that a gap is narrowed to: nothing is known of these, and of others it takes nothing."""
    ports = [gap.ports for gap in stack.facts(kind).gaps if gap.ports is not None and _concerns(gap, protocols)]
    return [Claim(name, f"{kind} not known in {stack.name}", one) for one in ports]


def _ranges(name: str, stack: Stack, kind: str, protocols: Sequence[str]) -> list[Claim]:
    whole = [one for one in stack.facts(kind).seen if {"first", "last"} <= one.shown.keys() and _about(one, protocols)]
    return [Claim(name, f"{kind} in {stack.name}", one.ports) for one in whole]


def _held(name: str, stack: Stack, protocols: Sequence[str]) -> list[Claim]:
    held = {one.port for one in stack.facts("listening").seen if "port" in one.shown and _about(one, protocols)}
    return [Claim(name, f"in use in {stack.name}", PortRange(port, port)) for port in sorted(held)]


def _iana(protocols: Sequence[str], tables: Tables) -> Claimant:
    """What the registry assigns, keeps back or reports in use, and its dynamic range."""
    file, claims = tables.files["iana-services"], []
    dynamic = tables.iana_ranges["dynamic"]
    for ports in sorted({entry.ports for entry in tables.registry.entries()}):
        entries = [tables.iana(ports.first, protocol) for protocol in protocols]
        words = {"use reported" if entry.unauthorised and entry.status == "unassigned" else entry.status for entry in entries}
        word = next((word for word in ("assigned", "reserved", "use reported") if word in words), None)
        if word is not None:
            claims.append(Claim("IANA", word, ports))
    claims.append(Claim("IANA", "dynamic", dynamic))
    return Claimant("IANA", f"the registry of {file.stated('date')}", file.stated("source"), claims)


def _notable(protocols: Sequence[str], tables: Tables) -> Claimant:
    """Ports whose usual service is dangerous: who meets one there will think of that."""
    file = tables.files["notable-ports"]
    ports = [port for kind in KINDS for port in tables.notable(kind) if port.protocol in protocols]
    claims = [Claim("notable ports", port.kind, port.ports) for port in ports]
    return Claimant("notable ports", f"the table of {file.stated('date')}", file.stated("source"), claims)
