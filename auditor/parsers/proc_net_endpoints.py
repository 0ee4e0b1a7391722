"""/proc/net/packet, /proc/net/raw and /proc/net/raw6: sockets that are no ports, as the kernel lists them.

    sk               RefCnt Type Proto  Iface R Rmem   User   Inode
    00000000a9478e23 3      3    0003   1     1 0      0      9748018

Proto is an EtherType in hexadecimal, Iface the number of an interface, 0 for each and -1 for one that is gone (packet(7); packet_seq_show
of net/packet/af_packet.c). The tables of raw sockets are like those of ports, with the IP protocol in the port's place (proc_pid_net(5)).
"""

from __future__ import annotations

import re

from auditor.facts import Gap
from auditor.parsers import proc_net

_PACKET = re.compile(
    r"[0-9a-f]{8,16} +[0-9]{1,10} +[0-9]{1,10} +([0-9a-f]{4}) +(-1|[0-9]{1,10}) +[01] +[0-9]{1,10} +([0-9]{1,10}) +([0-9]{1,20})"
)
_PACKET_HEADER = ["sk", "RefCnt", "Type", "Proto", "Iface", "R", "Rmem", "User", "Inode"]
_RAW = re.compile(r"[0-9]{1,10}: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]{8,32}:[0-9A-F]{4} [0-9A-F]{2} .*")
_RAW_COLUMNS = 13
_RAW_HEADERS = {"ipv4": "rem_address", "ipv6": "remote_address"}
_DIGITS = {"ipv4": 8, "ipv6": 32}
_UID, _INODE = 7, 9
_LARGEST_PROTOCOL = 255


class Packet:
    """A packet socket: the EtherType that it is told of, the number of its interface, who made it, its inode as decimal text."""

    __slots__ = ("ethertype", "ifindex", "inode", "uid")

    def __init__(self, ethertype: int, ifindex: str, uid: int, inode: str) -> None:
        self.ethertype = ethertype
        self.ifindex = ifindex
        self.uid = uid
        self.inode = inode


class Raw:
    """A raw socket: the IP protocol that it is told of, its local address, who made it, its inode as decimal text."""

    __slots__ = ("address", "inode", "protocol", "uid")

    def __init__(self, protocol: int, address: str, uid: int, inode: str) -> None:
        self.protocol = protocol
        self.address = address
        self.uid = uid
        self.inode = inode


def packets(text: str, what: str) -> tuple[list[Packet], list[Gap]]:
    """The sockets of /proc/net/packet, each line of it and then `end` and their number; `what` was read, for gaps."""
    header, lines, gaps = _lines(text, what)
    if header.split() != _PACKET_HEADER:
        return [], [Gap(f"{what}: the table does not begin with its header", header[:200])]
    found = []
    for line in lines:
        if row := _PACKET.fullmatch(line.strip()):
            found.append(Packet(int(row[1], 16), row[2], int(row[3]), row[4]))
        else:
            gaps.append(Gap(f"{what}: {proc_net.UNREADABLE}", line[:200]))
    return found, gaps


def raws(text: str, what: str, family: str, little_endian: bool) -> tuple[list[Raw], list[Gap]]:
    """The sockets of /proc/net/raw or raw6, likewise."""
    header, lines, gaps = _lines(text, what)
    if not proc_net.is_header(header) or header.split()[2:3] != [_RAW_HEADERS[family]] or header.split()[-1:] != ["drops"]:
        return [], [Gap(f"{what}: the table does not begin with its header", header[:200])]
    found = []
    for line in lines:
        fields, row = line.split(), _RAW.fullmatch(line.strip())
        uid, inode = fields[_UID : _UID + 1], fields[_INODE : _INODE + 1]
        if row is None or len(fields) != _RAW_COLUMNS or len(row[1]) != _DIGITS[family] or not _are_numbers(*uid, *inode):
            gaps.append(Gap(f"{what}: {proc_net.UNREADABLE}", line[:200]))
        elif (protocol := int(row[2], 16)) > _LARGEST_PROTOCOL:
            gaps.append(Gap(f"{what}: protocol {protocol} is none of IP's", line[:200]))
        else:
            found.append(Raw(protocol, proc_net.unpacked(row[1], family, little_endian), int(uid[0]), inode[0]))
    return found, gaps


def _are_numbers(*words: str) -> bool:
    return all(word.isascii() and word.isdigit() and len(word) <= 20 for word in words)


def _lines(text: str, what: str) -> tuple[str, list[str], list[Gap]]:
    """The header, the lines after it, and a gap where the last line does not say how many they are."""
    body, _, ending = text.removesuffix("\n").rpartition("\n")
    header, *lines = body.split("\n")
    gaps = [] if ending == f"end\t{len(lines)}" else [Gap(f"{what}: its last line is missing, it was cut", ending[:200])]
    return header, lines, gaps
