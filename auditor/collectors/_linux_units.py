"""What systemd's socket units declare, matched with the sockets that process 1 holds."""

from __future__ import annotations

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.facts import PORT_MAX, Gap
from auditor.parsers import rows

_LISTEN = {"ListenStream": "tcp", "ListenDatagram": "udp", "ListenSequentialPacket": "sctp"}
_OTHER_PROTOCOLS = {"udplite": "udplite", "sctp": "sctp", "mptcp": "tcp"}


class SocketUnit:
    """A .socket unit: `listens` as (protocol, address or None for the wildcard, port), and the `service` it starts."""

    __slots__ = ("listens", "name", "service")

    def __init__(self, name: str, rows: list[tuple[str, str]]) -> None:
        self.name = name
        self.listens: list[tuple[str, str | None, int]] = []
        service, accept, transport = "", "", ""
        streams: list[tuple[str, str]] = []
        for directive, value in rows:
            if directive in _LISTEN:
                streams = [] if not value else [*streams, (_LISTEN[directive], value)]
            elif directive == "Service":
                service = value
            elif directive == "Accept":
                accept = value
            elif directive == "SocketProtocol":
                transport = value
        for protocol, value in streams:
            address, port = _address(value)
            if port is not None:
                self.listens.append((_OTHER_PROTOCOLS.get(transport, protocol), address, port))
        stem = name.removesuffix(".socket")
        self.service = service or (f"{stem}@.service" if accept.lower() in ("yes", "true", "1", "on", "y", "t") else f"{stem}.service")


def _address(value: str) -> tuple[str | None, int | None]:
    """systemd.socket(5): a port, or ADDRESS:PORT; a path, a vsock or an abstract name is no port."""
    host, colon, port = value.rpartition(":")
    host = host.split("%", 1)[0].strip("[]")
    number = rows.number(port, PORT_MAX)
    if not number or value.startswith("vsock:"):
        return None, None
    return (host if colon and host not in ("::", "0.0.0.0", "*") else None), number  # noqa: S104 - compared, not bound


def socket_units(evidence: LinuxEvidence) -> tuple[list[SocketUnit] | None, list[Gap]]:
    """The units in the order of their names; None where they may not be all, so that none is named in another's place."""
    found, gaps = evidence.table("socket-units", "unit directive value", "builtin:socket-units")
    by_unit: dict[str, list[tuple[str, str]]] = {}
    for unit, directive, value in found:
        by_unit.setdefault(unit or "", []).append((directive or "", value or ""))
    return None if gaps else [SocketUnit(name, rows) for name, rows in by_unit.items()], gaps


def declaring(units: list[SocketUnit], protocol: str, address: str, port: int) -> SocketUnit | None:
    """The one unit that declares this socket; None where none does or several do."""
    wildcard = address in ("::", "0.0.0.0")  # noqa: S104 - compared, not bound
    found = [u for u in units if any(p == protocol and n == port and (a == address or (a is None and wildcard)) for p, a, n in u.listens)]
    return found[0] if len(found) == 1 else None
