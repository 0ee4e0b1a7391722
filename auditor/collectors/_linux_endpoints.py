"""Packet, raw and Unix sockets of one namespace: who holds them, who may use them, which unit declares them."""

from __future__ import annotations

import re
from typing import Any

from auditor.binding import Endpoint
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import Owners, file_rights
from auditor.collectors._linux_stacks import Namespace
from auditor.collectors._linux_units import SocketUnit
from auditor.evidence import words
from auditor.facts import Facts, Gap
from auditor.owner import File, Folder
from auditor.parsers import proc_net_endpoints, rows

COLUMNS = "type space name uid inode file folders at"
LIMITS = (
    "Packets can be read without a packet socket (BPF programs, AF_XDP, netfilter's log); nothing of that was examined.",
    "Unix sockets are judged by the paths that they were bound to, as process 1 sees them: not by another name of the same file, nor by"
    " what lies there in another mount namespace.",
)
_SOURCE = "/proc/net, sock_diag"
_TABLES = {"packet": None, "raw": "ipv4", "raw6": "ipv6"}
_EVERY_INTERFACE = "0"
_ETHERTYPES = {
    0x0000: "nothing, to send alone",
    0x0001: "IEEE 802.3", 0x0003: "every protocol", 0x0004: "IEEE 802.2", 0x0800: "IPv4", 0x0806: "ARP", 0x8035: "RARP",
    0x8100: "VLAN", 0x86DD: "IPv6", 0x8863: "PPPoE discovery", 0x8864: "PPPoE", 0x888E: "EAPOL", 0x88A8: "VLAN (802.1ad)",
    0x88CC: "LLDP", 0x88F7: "PTP", 0x8906: "FCoE", 0x8914: "FIP",
}  # fmt: skip
"""include/uapi/linux/if_ether.h. A socket of protocol 0 is told of nothing: packet(7)."""
_PROTOCOLS = {
    0: "ip", 1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 17: "udp", 33: "dccp", 41: "ipv6", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah",
    58: "icmpv6", 88: "eigrp", 89: "ospf", 103: "pim", 108: "comp", 112: "vrrp", 115: "l2tp", 132: "sctp", 136: "udplite", 137: "mpls",
    255: "nothing, to send alone",
}  # fmt: skip
"""include/uapi/linux/in.h and in6.h, and of IANA's protocol-numbers those of routing: eigrp, ospf, vrrp. Of 255 (IPPROTO_RAW) raw(7) says
that nothing can be received."""
_TYPES = ("stream", "dgram", "seqpacket")
_LEGACY = "/var/run/"
"""systemd has sockets of units that say so made below /run: patch_var_run of its src/core/load-fragment.c."""
_SPECIFIERS = {"%t": "/run", "%%": "%"}
"""systemd.unit(5), of the manager of the system. What others stand for is not known here."""


class _Sockets:
    """What the endpoints of one namespace have in common while they are read."""

    def __init__(self, owners: Owners, units: list[SocketUnit] | None) -> None:
        self.owners = owners
        self.units = units
        self.seen: dict[tuple[Any, ...], Endpoint] = {}
        self.gaps: list[Gap] = []

    def add(self, inode: str, told: tuple[Any, ...], **shown: Any) -> Endpoint:
        """`told` is what the evidence says of it: the same twice is one socket."""
        return self.seen.setdefault((shown["kind"], inode, told), Endpoint(**shown, **self.owners.held(inode)))


def endpoints(
    evidence: LinuxEvidence, namespace: Namespace, owners: Owners, units: list[SocketUnit] | None, devices: dict[str, str]
) -> Facts[Endpoint]:  # fmt: skip
    """All of them; gaps where they could not be told. `devices` are names of interfaces by their numbers; `units` are None where it is not
    known which there are."""
    sockets = _Sockets(owners, units)
    not_entered = evidence.not_entered(namespace.label)
    _tables(sockets, evidence, namespace.label, devices, not_entered)
    found, gaps = evidence.table("endpoints", COLUMNS, "builtin:unix_diag", namespace.label)
    sockets.gaps += [Gap(not_entered)] if not_entered and not found else gaps
    for row in found:
        _unix(sockets, row)
    different = {(gap.why, gap.line): gap for gap in sockets.gaps}
    return Facts(sockets.seen.values(), _SOURCE, [*different.values(), *evidence.whole])


def _tables(sockets: _Sockets, evidence: LinuxEvidence, label: str, devices: dict[str, str], not_entered: str | None) -> None:
    left = set(_TABLES)
    little_endian = evidence.head.get("byteorder") != "big"
    for answer in evidence.answers("endpoints", label):
        command, *read = words(answer.command)
        name = read[-1].rpartition("/")[2] if read else ""
        if command != "builtin:proc-net":
            continue
        if name not in _TABLES:
            sockets.gaps.append(Gap(f"{answer.command}: not a table of endpoints"))
            continue
        left.discard(name)
        if answer.status == "absent":
            continue  # a kernel without such sockets
        if answer.trouble:
            sockets.gaps.append(Gap(answer.trouble))
            continue
        family = _TABLES[name]
        if family is None:
            _packets(sockets, answer.text, f"/proc/net/{name}", devices)
        else:
            _raws(sockets, answer.text, f"/proc/net/{name}", family, little_endian)
    sockets.gaps += [Gap(not_entered or f"/proc/net/{name} was not read") for name in sorted(left)]


def _packets(sockets: _Sockets, text: str, source: str, devices: dict[str, str]) -> None:
    found, gaps = proc_net_endpoints.packets(text, source)
    sockets.gaps += gaps
    for one in found:
        shown: dict[str, Any] = {"protocol": _ETHERTYPES.get(one.ethertype, f"EtherType 0x{one.ethertype:04x}"), "uid": one.uid}
        if one.ifindex == _EVERY_INTERFACE:
            shown["device"] = None
        elif one.ifindex in devices:
            shown["device"] = devices[one.ifindex]
        sockets.add(one.inode, (one.ethertype, one.ifindex), kind="packet", source=source, **shown)


def _raws(sockets: _Sockets, text: str, source: str, family: str, little_endian: bool) -> None:
    found, gaps = proc_net_endpoints.raws(text, source, family, little_endian)
    sockets.gaps += gaps
    for one in found:
        told = (one.protocol, family, one.address)
        protocol = _PROTOCOLS.get(one.protocol, f"protocol {one.protocol}")
        sockets.add(one.inode, told, kind="raw", protocol=protocol, family=family, address=one.address, uid=one.uid, source=source)


def _unix(sockets: _Sockets, row: tuple[str | None, ...]) -> None:
    kind, space, name, uid, inode, file, folders, at = row
    if kind not in _TYPES or space not in ("path", "abstract") or name is None or rows.number(inode) is None or inode is None:
        sockets.gaps.append(Gap("a row of unix_diag cannot be read", "\t".join(field or "" for field in row)[:200]))
        return
    abstract = space == "abstract"
    shown: dict[str, Any] = {"protocol": kind, "path": f"@{name}" if abstract else name, "abstract": abstract}
    if (user := rows.number(uid)) is not None:
        shown["uid"] = user
    if file is None:
        shown["file"] = None
    elif not abstract and at:
        shown["file"] = _file(file, folders, at)
    one = sockets.add(inode, row, kind="unix", source="unix_diag", **shown)
    if sockets.units is not None:
        one.shown.update(_unit(sockets.units, one))


def _file(file: str, folders: str | None, at: str) -> File:
    """The socket in the file system, as far as it is shown."""
    rights = file_rights(file)
    shown: dict[str, Any] = {"path": at, **rights, **({"at_path": "itself"} if rights else {})}
    above = at.split("/")[:-1]
    paths = ["/".join(above[:end]) or "/" for end in range(len(above), 0, -1)]
    said = (folders or "").split(" ")
    if at.startswith("/") and len(said) == len(paths):
        shown["folders"] = [Folder(path=path, **file_rights(word)) for path, word in zip(paths, said, strict=True)]
    return File(**shown)


def _unit(units: list[SocketUnit], one: Endpoint) -> dict[str, str | None]:
    """`socket_unit`: of what process 1 holds. Nothing where its holders, or what a unit declares, are not known."""
    if not any(owner.shown.get("pid") == 1 for owner in one.shown.get("owners_seen", [])):
        return {"socket_unit": None} if one.shown["owner_state"] == "known" else {}
    said = [(unit.name, _declares(name, one.path or "")) for unit in units for kind, name in unit.endpoints if kind == one.protocol]
    sure = {name for name, certain in said if certain}
    if len(sure) == 1:
        return {"socket_unit": sure.pop()}
    return {"socket_unit": None} if all(certain is False for _, certain in said) else {}


def _declares(declared: str, path: str) -> bool | None:
    """Whether a unit that says `declared` means this one; None where that hangs on a specifier."""
    pattern, certain = "", True
    for part in re.split("(%.)", declared):
        if part.startswith("%") and part not in _SPECIFIERS:
            pattern, certain = pattern + ".*", False
        else:
            pattern += re.escape(_SPECIFIERS.get(part, part))
    if not declared.startswith("@"):
        pattern = re.sub("/+", "/", pattern)
        pattern = re.escape("/run/") + pattern.removeprefix(re.escape(_LEGACY)) if pattern.startswith(re.escape(_LEGACY)) else pattern
    return (certain or None) if re.fullmatch(pattern, path, re.DOTALL) else False
