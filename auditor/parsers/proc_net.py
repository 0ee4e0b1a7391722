"""/proc/net/{tcp,udp,udplite}[6]: the kernel's own table (proc_pid_net(5)).

Addresses are hexadecimal, each 32-bit word in the host's byte order. v6only is not in it, nor are bound-only TCP sockets.
"""

from __future__ import annotations

import re
import socket

from auditor.facts import Gap

_LOCAL = re.compile(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})")
_PEER = re.compile(r"(?:[0-9A-F]{8}){1,4}:[0-9A-F]{4}")
_STATE = re.compile(r"[0-9A-F]{2}")
_DECIMAL = re.compile(r"[0-9]{1,20}")
_LISTENING = {"tcp": "0A", "udp": "07", "udplite": "07"}
_INODE_FIELD = 9
UNREADABLE = "a line of the table cannot be read"


class Row:
    """One socket of the table: `address` in text form, `port`, `uid`, `inode` as decimal text."""

    __slots__ = ("address", "inode", "port", "uid")

    def __init__(self, address: str, port: int, uid: int, inode: str) -> None:
        self.address = address
        self.port = port
        self.uid = uid
        self.inode = inode


def parse(text: str, protocol: str, family: str, little_endian: bool = True) -> tuple[list[Row], list[Gap]]:
    """The sockets that listen (TCP) or have no peer (UDP); those of connections and of other states are passed over by rule."""
    rows: list[Row] = []
    gaps: list[Gap] = []
    lines = text.split("\n")
    if not is_header(lines[0]):
        return [], [Gap("the table does not begin with its header", lines[0][:200], protocol=protocol, family=family)]
    for line in lines[1:]:
        if not line.split():
            continue
        try:
            row = read_row(line, protocol, family, little_endian)
        except ValueError:
            gaps.append(Gap(UNREADABLE, line[:200], protocol=protocol, family=family))
            continue
        if row is not None:
            rows.append(row)
    return rows, gaps


def is_header(line: str) -> bool:
    """Whether a line is the one that each table begins with."""
    return line.split()[:2] == ["sl", "local_address"]


def read_row(line: str, protocol: str, family: str, little_endian: bool = True) -> Row | None:
    """The socket of one line; None where it does not hold a port without a peer. ValueError where it is no line of such a table."""
    fields = line.split()
    if len(fields) <= _INODE_FIELD:
        raise ValueError(line)
    local, peer, state, uid, inode = _LOCAL.fullmatch(fields[1]), fields[2], fields[3], fields[7], fields[_INODE_FIELD]
    formed = _PEER.fullmatch(peer) and _STATE.fullmatch(state) and _DECIMAL.fullmatch(uid) and _DECIMAL.fullmatch(inode)
    if local is None or not formed:
        raise ValueError(line)
    address, number = unpacked(local[1], family, little_endian), int(local[2], 16)
    if state == _LISTENING[protocol] and peer.endswith(":0000") and number:
        return Row(address, number, int(uid), inode)
    return None


def unpacked(words: str, family: str, little_endian: bool) -> str:
    """The address that such hexadecimal words are."""
    packed = bytes.fromhex(words)
    if little_endian:
        packed = b"".join(packed[at : at + 4][::-1] for at in range(0, len(packed), 4))
    return socket.inet_ntop(socket.AF_INET if family == "ipv4" else socket.AF_INET6, packed)
