"""The IANA service registry as shipped: a table of facts, one line a run of ports, looked up without parsing the rest.

    PORTS  PROTOCOLS  STATUS  UNAUTHORISED  NAMES        (separated by tabs)
    80     tcp,udp    assigned  -  http www www-http

PORTS is a port or FIRST-LAST. PROTOCOLS are tcp, udp, sctp, dccp, or `any` where the registry's row names no transport. STATUS is a
word of RFC 6335 section 6. UNAUTHORISED is `known` or `-`. NAMES are in the registry's order, separated by a blank. Lines are in the order
of ports, and lines of one run of ports stand together; `auditor.iana_import` makes them.
"""

from __future__ import annotations

from bisect import bisect_right

from auditor.errors import TableError
from auditor.port_range import PORT_MAX, PortRange
from auditor.table_files import MEND, TableFile

PROTOCOLS = ("tcp", "udp", "sctp", "dccp")
"""The transports of the registry (RFC 6335 section 6)."""
STATUSES = ("assigned", "reserved", "unassigned", "dynamic")
"""RFC 6335 section 6, and `dynamic` for the ports of the dynamic range, which are never assigned and in no row."""
SHARED_NUMBERS = {"udplite": "udp", "mptcp": "tcp"}
"""Protocols that use another's port numbers: UDP-Lite (RFC 3828 section 3.1), MPTCP (RFC 8684: TCP to all others)."""


class IanaEntry:
    """What the registry says of a port and protocol. `status` is one of STATUSES; `names` are the service names, the first one preferred;
    `unauthorised` is true where the registry reports use by someone it was not assigned to."""

    __slots__ = ("names", "ports", "protocols", "status", "unauthorised")

    def __init__(self, ports: PortRange, protocols: tuple[str, ...], status: str, unauthorised: bool, names: tuple[str, ...]) -> None:
        self.ports = ports
        self.protocols = protocols
        self.status = status
        self.unauthorised = unauthorised
        self.names = names

    def __repr__(self) -> str:
        return f"IanaEntry({self.ports}, {','.join(self.protocols)}, {self.status}, {' '.join(self.names)})"

    def line(self) -> str:
        """As it stands in the table."""
        known = "known" if self.unauthorised else "-"
        return "\t".join((str(self.ports), ",".join(self.protocols), self.status, known, " ".join(self.names)))

    @classmethod
    def parse(cls, line: str) -> IanaEntry:
        """The entry of a line; ValueError where it is not one."""
        ports, protocols, status, known, names = line.split("\t")
        if status not in STATUSES or known not in ("known", "-") or not set(protocols.split(",")) <= {*PROTOCOLS, "any"}:
            raise ValueError(f"not a line of the table: {line!r:.80}")
        return cls(PortRange.parse(ports), tuple(protocols.split(",")), status, known == "known", tuple(names.split()))


def _first(line: str) -> int:
    return int(line[: line.index("\t")].partition("-")[0])


class Registry:
    """The table, from its file. Loading raises TableError where it is cut or is not what its head states."""

    __slots__ = ("_lines_of", "body", "file", "lines")

    def __init__(self, file: TableFile) -> None:
        self._lines_of: dict[str, list[int]] = {}
        self.file = file
        lines = file.text.split("\n")
        body = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
        if lines.pop() or str(len(lines) - body) != file.stated("lines"):
            raise TableError(f"{file.path}:{len(lines)}: it has not the {file.stated('lines')} lines that its head states", MEND)
        self.body = body
        self.lines = lines[body:]

    def _entry(self, index: int) -> IanaEntry:
        try:
            return IanaEntry.parse(self.lines[index])
        except ValueError as problem:
            raise TableError(f"{self.file.path}:{self.body + index + 1}: {problem}", MEND) from problem

    def entries(self) -> list[IanaEntry]:
        """Every line, in order."""
        return [self._entry(index) for index in range(len(self.lines))]

    def entry(self, port: int, protocol: str) -> IanaEntry:
        """The entry for `port` (0 to 65535, else ValueError) and `protocol`.

        A line for the protocol goes before one for `any`. A number that the registry lists for other transports only is kept back, as its
        own rows say where it has them (49000/udp beside 49000/tcp): reserved, without a name. A number in no row at all is unassigned.
        """
        if not 0 <= port <= PORT_MAX:
            raise ValueError(f"not a port: {port}")
        protocol = SHARED_NUMBERS.get(protocol, protocol)
        here = PortRange(port, port)
        try:
            index = bisect_right(self.lines, port, key=_first) - 1
        except ValueError as problem:
            raise TableError(f"{self.file.path}: a line is not in its grammar: {problem}", MEND) from problem
        every, others = None, False
        while index >= 0 and port in (entry := self._entry(index)).ports:
            if protocol in entry.protocols:
                return entry
            if "any" in entry.protocols:
                every = entry
            others = others or entry.status != "unassigned"
            index -= 1
        return every or IanaEntry(here, (protocol,), "reserved" if others else "unassigned", False, ())

    def named(self, service: str, protocol: str) -> tuple[int, ...]:
        """The ports assigned to a service name for a protocol, in order; none where there is no such name. Names are compared without
        regard to case (RFC 6335 section 5.1)."""
        if not self._lines_of:
            for index, line in enumerate(self.lines):
                for name in line.rpartition("\t")[2].lower().split():
                    self._lines_of.setdefault(name, []).append(index)
        protocol = SHARED_NUMBERS.get(protocol, protocol)
        ports: list[int] = []
        for index in self._lines_of.get(service.lower(), ()):
            entry = self._entry(index)
            if entry.status == "assigned" and {protocol, "any"} & set(entry.protocols):
                ports.extend(range(entry.ports.first, entry.ports.last + 1))
        return tuple(ports)
