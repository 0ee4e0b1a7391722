"""The sockets that hold a port in the namespace this process is in, asked of the kernel by NETLINK_SOCK_DIAG.

TCP in LISTEN, and bound but not listening (state 13, TCP_BOUND_INACTIVE, shown from Linux 6.8 on); UDP and UDP-Lite that are
bound and have no peer; SCTP, DCCP and MPTCP listeners where this kernel has them. A protocol is asked about only where
/proc/net/protocols lists it, so that asking loads no protocol module.
"""

from __future__ import annotations

import _socket as socket  # without the enumerations of `socket`, which take as long to make as a dump
from struct import Struct
from sys import byteorder

from auditor.live import netlink, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = "protocol state family address port v6only ifindex uid inode cookie cgroup"

_SOCK_DIAG_BY_FAMILY = 20
_LISTEN, _CLOSE, _BOUND_INACTIVE = 10, 7, 13
_EVERY_STATE = (1 << 32) - 1
_REQUEST = Struct("=BBBxI48x")
_MESSAGE = Struct("=BBxx")
_PORTS, _PORTS_AT = Struct(">HH"), 4
_REST = Struct("=IQ12xII")
_MESSAGE_LENGTH = 72
_LOCALS, _V6ONLY, _CGROUP = 12, 11, 21
_PROTOCOL_ATTRIBUTE = Struct("=HHI")
_REQ_PROTOCOL = 3
_CGROUP_ID = Struct("=Q")
_INODE, _INODE_AT = Struct("=I"), 68
_MPTCP = 262

TRANSPORTS = (  # name, IPPROTO, its name in /proc/net/protocols, states
    ("tcp", socket.IPPROTO_TCP, "TCP", 1 << _LISTEN | 1 << _BOUND_INACTIVE),
    ("udp", socket.IPPROTO_UDP, "UDP", 1 << _CLOSE),
    ("udplite", 136, "UDP-Lite", 1 << _CLOSE),
    ("sctp", socket.IPPROTO_SCTP, "SCTP", 1 << _LISTEN),
    ("dccp", 33, "DCCP", 1 << _LISTEN),
    ("mptcp", _MPTCP, "MPTCP", 1 << _LISTEN),
)
_FAMILIES = ((socket.AF_INET, b"ipv4", 4), (socket.AF_INET6, b"ipv6", 16))
_DATAGRAM = (b"udp", b"udplite")


def known_protocols() -> list[str]:
    """The transports this kernel has; all of TCP and UDP where it does not say."""
    try:
        with open("/proc/net/protocols", encoding="ascii", errors="replace") as listing:
            names = {line.split(" ", 1)[0] for line in listing}
    except OSError:
        names = {"TCP", "UDP"}
    return [name for name, _, proc_name, _ in TRANSPORTS if proc_name in names]


class Dump:
    """What sock_diag gave: `lines` (rows, see COLUMNS), `inodes` and `cgroups` met (as bytes), `refused` per protocol and family."""

    __slots__ = ("cgroups", "inodes", "lines", "refused")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.inodes: set[bytes] = set()
        self.cgroups: set[bytes] = set()
        self.refused: list[tuple[str, str, str]] = []

    def table(self) -> bytes:
        return rows.table(COLUMNS, self.lines)


def dump(protocols: list[str]) -> Dump:
    """Ask the namespace this thread is in about each of `protocols`."""
    result = Dump()
    for protocol, family, family_name, width, payloads in _asked(protocols, result.refused):
        _read(result, payloads, protocol, family, family_name, width)
    return result


def present(protocols: list[str]) -> set[bytes]:
    """The inodes alone, as `dump` would give them."""
    return {b"%d" % _INODE.unpack_from(payload, _INODE_AT)[0] for *_, payloads in _asked(protocols, []) for payload in payloads}


def ports_in_use(protocols: list[str]) -> set[int]:
    """The local ports of all sockets of the namespace this thread is in, in whatever state; of a protocol and family of which sock_diag
    does not tell those that /proc/net shows. OSError where neither tells."""
    refused: list[tuple[str, str, str]] = []
    asked = _asked(protocols, refused, _EVERY_STATE)
    found = {_PORTS.unpack_from(payload, _PORTS_AT)[0] for *_, payloads in asked for payload in payloads}
    for protocol, family, _ in refused:
        found |= _ports_of_proc_net(f"/proc/thread-self/net/{protocol}{'6' if family == 'ipv6' else ''}")
    return found


def _ports_of_proc_net(path: str) -> set[int]:
    """The second field of each line is address:port, in hexadecimal; a kernel without the protocol has no such file."""
    try:
        with open(path, encoding="ascii", errors="replace") as listing:
            return {int(line.split()[1].rpartition(":")[2], 16) for line in list(listing)[1:]}
    except FileNotFoundError:
        return set()


def _asked(
    protocols: list[str], refused: list[tuple[str, str, str]], only: int | None = None
) -> Iterator[tuple[bytes, int, bytes, int, list[bytes]]]:
    """The payloads by protocol and family (with its name and the width of its addresses), of sockets that hold a port or of those in the
    states `only`; what is refused goes to `refused`."""
    try:
        channel = netlink.Channel(netlink.NETLINK_SOCK_DIAG)
    except OSError as error:
        refused += [(name, family.decode(), f"sock_diag: {error.strerror}") for name in protocols for _, family, _ in _FAMILIES]
        return
    with channel:
        for name, number, _, states in TRANSPORTS:
            for family, family_name, width in _FAMILIES if name in protocols else ():
                request = _REQUEST.pack(family, min(number, 255), 0, states if only is None else only)
                if number > 255:
                    request += _PROTOCOL_ATTRIBUTE.pack(8, _REQ_PROTOCOL, number)
                try:
                    payloads = channel.dump(_SOCK_DIAG_BY_FAMILY, request)
                except OSError as error:
                    refused.append((name, family_name.decode(), f"sock_diag: {error.strerror or error}"))
                    continue
                yield name.encode(), family, family_name, width, payloads


def _read(result: Dump, payloads: list[bytes], protocol: bytes, family: int, family_name: bytes, width: int) -> None:
    states = {_LISTEN: b"listening", _CLOSE: b"listening" if protocol in _DATAGRAM else b"bound", _BOUND_INACTIVE: b"bound"}
    names: dict[bytes, bytes] = {}
    alike: dict[bytes, tuple[bytes, bytes, list[bytes]]] = {}
    for payload in payloads:
        message_family, state = _MESSAGE.unpack_from(payload)
        source_port, peer_port = _PORTS.unpack_from(payload, _PORTS_AT)
        if peer_port or not source_port or message_family != family:
            continue
        interface, cookie, uid, inode = _REST.unpack_from(payload, 40)
        attributes = payload[_MESSAGE_LENGTH:]
        if attributes not in alike:  # most sockets of a host have the same few
            alike[attributes] = _attributes(attributes, family, width)
            result.cgroups.add(alike[attributes][1])
        v6only, cgroup, locals_ = alike[attributes]
        tail = b"%d\t%s\t%d\t%d\t%d\t%d\t%s" % (source_port, v6only, interface, uid, inode, cookie, cgroup)
        result.inodes.add(b"%d" % inode)
        for packed in locals_ or (payload[8 : 8 + width],):
            address = names.get(packed)
            if address is None:
                address = names[packed] = socket.inet_ntop(family, packed).encode()
            result.lines.append(b"\t".join((protocol, states.get(state, b"%d" % state), family_name, address, tail)))


def _attributes(attributes: bytes, family: int, width: int) -> tuple[bytes, bytes, list[bytes]]:
    """v6only and the cgroup's id, empty where not told; the addresses of a socket that has several."""
    v6only = cgroup = b""
    addresses: list[bytes] = []
    for kind, value in netlink.attributes(attributes, 0):
        if kind == _V6ONLY:
            v6only = b"%d" % value[0]
        elif kind == _CGROUP:
            cgroup = b"%d" % _CGROUP_ID.unpack(value)[0]
        elif kind == _LOCALS:
            addresses = _locals(value, family, width)
    return v6only, cgroup, addresses


def _locals(value: bytes, family: int, width: int) -> list[bytes]:
    """The bound addresses of a multi-homed SCTP socket: an array of sockaddr_storage (128 bytes)."""
    start = 4 if family == socket.AF_INET else 8
    entries = (value[at : at + 128] for at in range(0, len(value), 128))
    return [entry[start : start + width] for entry in entries if int.from_bytes(entry[:2], byteorder) == family]
