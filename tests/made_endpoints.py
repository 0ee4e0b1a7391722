"""Packet, raw and Unix sockets as the kernel and our probe tell of them, made from a few words (see tests/bundles.py)."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from auditor.evidence import Answer
from auditor.live import endpoints, rows

HEADERS = {
    "packet": "sk               RefCnt Type Proto  Iface R Rmem   User   Inode",
    "raw": "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops",
    "raw6": "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt"
    "   uid  timeout inode ref pointer drops",
}
ROOTS = "0755:0:0"
STICKY = "1777:0:0"


@dataclass(frozen=True)
class Packet:
    """A packet socket on interface number `ifindex`, 0 for each, that is told of an EtherType."""

    by: tuple[Any, ...] = ()
    ethertype: int = 3
    ifindex: int = 0
    uid: int = 0

    def line(self, inode: int) -> str:
        return f"00000000a9478e23 3      3    {self.ethertype:04x}   {self.ifindex:<5} 1 0      {self.uid:<6} {inode:<6}"


@dataclass(frozen=True)
class Raw:
    """A raw socket of an IP protocol, bound to an address."""

    by: tuple[Any, ...] = ()
    protocol: int = 1
    address: str = "0.0.0.0"
    uid: int = 0

    @property
    def table(self) -> str:
        return "raw6" if ":" in self.address else "raw"

    def line(self, inode: int) -> str:
        packed = socket.inet_pton(socket.AF_INET6 if self.table == "raw6" else socket.AF_INET, self.address)
        words = b"".join(packed[n : n + 4][::-1] for n in range(0, len(packed), 4)).hex().upper()
        peer = "0" * len(words)
        return f" 224: {words}:{self.protocol:04X} {peer}:0000 07 00000000:00000000 00:00000000 00000000 {self.uid:5} 0 {inode} 2 f 0"


@dataclass(frozen=True)
class Unix:
    """A Unix socket. `name` begins with `@` where it is abstract. `file` None: no such socket is at its path, "" it is not shown; `folders`
    are those above that are not root's alone, None: they are not shown; `at` is the path without links where that is another one."""

    name: str
    by: tuple[Any, ...] = ()
    kind: str = "stream"
    file: str | None = "0777:0:0"
    folders: tuple[tuple[str, str], ...] | None = ()
    at: str = ""
    uid: int = 0

    def row(self, inode: int) -> tuple[object, ...]:
        if self.name.startswith("@"):
            return self.kind, "abstract", self.name[1:], self.uid, inode, None, None, None
        at = self.at or self.name
        above = ["/".join(at.split("/")[:end]) or "/" for end in range(at.count("/"), 0, -1)]
        if self.file is None or self.folders is None:
            return self.kind, "path", self.name, self.uid, inode, self.file, "", ""
        rights = " ".join(dict(self.folders).get(folder, ROOTS) for folder in above)
        return self.kind, "path", self.name, self.uid, inode, self.file, rights, at


Endpoint = Packet | Raw | Unix


def answers(these: Sequence[Endpoint], inodes: Sequence[int], label: str, outside: bool) -> list[Answer]:
    """What the probe says of these; from `outside` of a namespace nothing of Unix sockets."""
    folder = "/proc/4711/net" if outside else "/proc/thread-self/net"
    lines: dict[str, list[str]] = {name: [] for name in endpoints.TABLES}
    unix = []
    for one, inode in zip(these, inodes, strict=True):
        if isinstance(one, Unix):
            fields = [b"-" if f is None else rows.field(str(f).encode("utf-8", "surrogateescape")) for f in one.row(inode)]
            unix.append(b"\t".join(fields))
        else:
            lines[one.table if isinstance(one, Raw) else "packet"].append(one.line(inode))
    found = []
    for name, told in lines.items():
        text = "\n".join([HEADERS[name], *told]).encode()
        found.append(Answer("endpoints", f"builtin:proc-net {folder}/{name}", text + b"\n" + rows.ending(len(told)), stack=label))
    return found if outside else [*found, Answer("endpoints", "builtin:unix_diag", rows.table(endpoints.COLUMNS, unix), stack=label)]
