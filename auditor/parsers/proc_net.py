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
    if lines[0].split()[:2] != ["sl", "local_address"]:
        return [], [Gap("the table does not begin with its header", lines[0][:200], protocol=protocol, family=family)]
    for line in lines[1:]:
        fields = line.split()
        if not fields:
            continue
        try:
            local, peer, state, uid, inode = _LOCAL.fullmatch(fields[1]), fields[2], fields[3], fields[7], fields[9]
            formed = _PEER.fullmatch(peer) and _STATE.fullmatch(state) and _DECIMAL.fullmatch(uid) and _DECIMAL.fullmatch(inode)
            if local is None or not formed:
                raise ValueError
            address, number = _address(local[1], family, little_endian), int(local[2], 16)
        except (IndexError, ValueError):
            gaps.append(Gap("a line of the table cannot be read", line[:200], protocol=protocol, family=family))
            continue
        if state == _LISTENING[protocol] and peer.endswith(":0000") and number:
            rows.append(Row(address, number, int(uid), inode))
    return rows, gaps


def _address(words: str, family: str, little_endian: bool) -> str:
    packed = bytes.fromhex(words)
    if little_endian:
        packed = b"".join(packed[at : at + 4][::-1] for at in range(0, len(packed), 4))
    return socket.inet_ntop(socket.AF_INET if family == "ipv4" else socket.AF_INET6, packed)
