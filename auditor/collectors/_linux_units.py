"""What systemd's socket units declare, matched with the sockets that process 1 holds."""

from __future__ import annotations

from auditor.collectors._linux_drop_ins import UnitFiles
from auditor.collectors._linux_evidence import LinuxEvidence, Rows
from auditor.collectors._linux_unit_links import Links
from auditor.collectors._reach import reach
from auditor.facts import Facts, Gap
from auditor.model import DeclaredUnit
from auditor.parsers import rows
from auditor.port_range import PORT_MAX

_COLUMNS = "unit file line directive value"
_LISTEN = {"ListenStream": "tcp", "ListenDatagram": "udp", "ListenSequentialPacket": "sctp"}
_TYPES = {"tcp": "stream", "udp": "dgram", "sctp": "seqpacket"}
"""Of sockets, by the protocol that a socket of IP would have."""
_OTHER_PROTOCOLS = {"udplite": "udplite", "sctp": "sctp", "mptcp": "tcp"}
_YES = ("yes", "true", "1", "on", "y", "t")
_V6ONLY = {"ipv6-only": True, "both": False}
_WILDCARDS = ("::", "0.0.0.0")  # noqa: S104 - compared, not bound


class Listen:
    """A port that a unit declares: `address` as the unit has it without brackets, "::" where it names none; `zone` None where it has none;
    `file` and `line` say where."""

    __slots__ = ("address", "file", "line", "port", "protocol", "zone")

    def __init__(self, protocol: str, address: str, zone: str | None, port: int, file: str, line: int) -> None:
        self.protocol = protocol
        self.address = address
        self.zone = zone
        self.port = port
        self.file = file
        self.line = line


class SocketUnit:
    """A .socket unit: what it `listens` on, the `service` it starts; `device`, `v6only` and `reuse_port` of its sockets, None where it does
    not say; `unread` are lines of which it cannot be told what they declare; `endpoints` are those that declare no port: a type of socket,
    and a path, an abstract name or a vsock as the unit has it; `apart`: they are opened in a network namespace of their own."""

    __slots__ = ("apart", "device", "endpoints", "listens", "name", "reuse_port", "service", "unread", "v6only")

    def __init__(self, name: str, said: Rows) -> None:
        self.name = name
        self.listens: list[Listen] = []
        self.unread: list[Gap] = []
        self.endpoints: list[tuple[str, str]] = []
        self.v6only: bool | None = None
        self.device: str | None = None
        self.reuse_port = False
        private, namespace = False, ""
        service, accept, transport = "", "", ""
        streams: list[tuple[str, str, str, int]] = []
        for _, file, line, directive, value in ((field or "" for field in row) for row in said):
            if directive in _LISTEN:
                streams = [] if not value else [*streams, (_LISTEN[directive], value, file, rows.number(line) or 0)]
            elif directive == "Service":
                service = value
            elif directive == "Accept":
                accept = value
            elif directive == "SocketProtocol":
                transport = value
            elif directive == "BindIPv6Only":
                self.v6only = _V6ONLY.get(value)
            elif directive == "BindToDevice":
                self.device = value or None
            elif directive == "ReusePort":
                self.reuse_port = value.lower() in _YES
            elif directive == "PrivateNetwork":
                private = value.lower() in _YES
            elif directive == "NetworkNamespacePath":
                namespace = value
        self.apart = private or bool(namespace)
        for protocol, value, file, number in streams:
            if _is_no_port(value):
                self.endpoints.append((_TYPES[protocol], value))
                continue
            address, zone, port = _address(value)
            if port is None:
                self.unread.append(Gap(f"{file}:{number}: what {name} listens on cannot be read", value[:200]))
            else:
                self.listens.append(Listen(_OTHER_PROTOCOLS.get(transport, protocol), address, zone, port, file, number))
        stem = name.removesuffix(".socket")
        self.service = service or (f"{stem}@.service" if accept.lower() in _YES else f"{stem}.service")


def _is_no_port(value: str) -> bool:
    """systemd.socket(5): a path (it may begin with a specifier), an abstract name or a vsock."""
    return "/" in value or value.startswith(("@", "vsock:"))


def _address(value: str) -> tuple[str, str | None, int | None]:
    """Address, zone and port of PORT, or of ADDRESS:PORT with the zone after either of them; no port where it is neither."""
    host, colon, port = value.rpartition(":")
    port, _, device = port.partition("%") if host.startswith("[") else (port, "", "")
    host, _, zone = host.strip("[]").partition("%")
    address = host if colon and host != "*" else "::"
    number = rows.number(port, PORT_MAX) if reach(address) != "unknown" else None
    return address, (zone or device).lstrip("%") or None, number or None


def _files(evidence: LinuxEvidence) -> tuple[UnitFiles, list[Gap]]:
    found, gaps = evidence.table("socket-units", _COLUMNS, "builtin:socket-units")
    return UnitFiles(found), gaps


def socket_units(evidence: LinuxEvidence) -> tuple[list[SocketUnit] | None, list[Gap]]:
    """The units in the order of their names; None where they may not be all, so that none is named in another's place."""
    files, gaps = _files(evidence)
    said = {} if gaps else Links(evidence).named(files, files.names)
    return None if gaps else [SocketUnit(name, own) for name, own in said.items()], gaps


def effective(evidence: LinuxEvidence) -> tuple[list[SocketUnit], set[str], list[Gap]]:
    """The units, of a template each of its instances that is enabled; the names of the enabled ones. None where lines or links are missing:
    a later line may take an earlier one back, and a link may be a mask."""
    files, gaps = _files(evidence)
    links = Links(evidence)
    gaps += links.gaps
    units = [] if gaps else [SocketUnit(name, said) for name, said in links.effective(files).items()]
    return units, links.enabled, [*gaps, *(gap for unit in units for gap in unit.unread)]


def declared(evidence: LinuxEvidence) -> Facts[DeclaredUnit]:
    """The ports that units declare in the host's own stack."""
    units, enabled, gaps = effective(evidence)
    seen = [_declared(unit, one, unit.name in enabled) for unit in units if not unit.apart for one in unit.listens]
    return Facts(seen, "systemd's unit files", [*gaps, *evidence.whole])


def _declared(unit: SocketUnit, one: Listen, enabled: bool) -> DeclaredUnit:
    said = {} if unit.v6only is None or ":" not in one.address else {"v6only": unit.v6only}
    return DeclaredUnit(
        unit=unit.name, protocol=one.protocol, address=one.address, port=one.port, device=one.zone or unit.device,
        reuse_port=unit.reuse_port, enabled=enabled, file=one.file, line=one.line, **said,
    )  # fmt: skip


def declaring(units: list[SocketUnit], protocol: str, address: str, port: int) -> SocketUnit | None:
    """The one unit that declares this socket; None where none does or several do."""

    def declares(one: Listen) -> bool:
        alike = one.address == address or (one.address in _WILDCARDS and address in _WILDCARDS)
        return (one.protocol, one.port) == (protocol, port) and alike

    found = [unit for unit in units if any(map(declares, unit.listens))]
    return found[0] if len(found) == 1 else None
