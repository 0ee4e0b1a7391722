"""The sockets of one namespace: who holds them, what they reach."""

from __future__ import annotations

import socket
from typing import Any

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import Owners
from auditor.collectors._linux_stacks import Namespace
from auditor.collectors._linux_units import SocketUnit, declaring
from auditor.collectors._reach import family_reached, mark_kernel_given, reach, widest
from auditor.evidence import words
from auditor.facts import Facts, Gap
from auditor.model import ROUTED_LINK_KINDS, Address, Range, Socket
from auditor.parsers import proc_net, rows
from auditor.port_range import PORT_MAX

COLUMNS = "protocol state family address port v6only ifindex uid inode cookie cgroup"
_NOT_SHOWN = "not shown"
_LINK_LOCAL = b"\xfe\x80"


class Interfaces:
    """The addresses of a namespace: `facts`, device names by index, and what its wildcard reaches."""

    def __init__(self, evidence: LinuxEvidence, namespace: Namespace) -> None:
        label = namespace.label
        found, gaps = evidence.table("addresses", "ifindex device kind address prefix", "builtin:rtnetlink", label)
        gaps += namespace.doubt
        if (not_entered := evidence.not_entered(label)) and not found:
            gaps = [Gap(not_entered)]
        self.devices = {row[0]: row[1] for row in found if row[0] and row[1]}
        seen = []
        for _, device, link, address, prefix in found:
            if address is None and prefix is None:
                continue  # an interface without an address
            width = rows.number(prefix, most=128)
            if address and (width is not None or prefix == "") and _packed(address) and device is not None:
                shown: dict[str, Any] = {"address": address}
                shown |= {} if prefix == "" else {"prefix": width}
                shown |= {} if device == "" else {"device": device}
                shown |= {} if link == "" else {"kind": link}
                seen.append(Address(**shown))
            else:
                gaps.append(Gap("a row of rtnetlink cannot be read", f"{device} {address} {prefix}"[:200]))
        self.facts: Facts[Address] = Facts(seen, evidence.addresses_source, gaps + evidence.whole)
        kinds = [address.shown.get("kind", _NOT_SHOWN) for address in seen]
        self._unsure = (bool(gaps) or _NOT_SHOWN in kinds) and (bool(namespace.doubt) or namespace.kind != "host")
        self._private = namespace.kind == "netns" and not self._unsure and not any(kind in ROUTED_LINK_KINDS for kind in kinds)
        self._wildcards = {
            family: "unknown" if gaps else self._limited(widest((a.address for a in seen), family)) for family in ("ipv4", "ipv6", "any")
        }

    def reached(self, address: str, v6only: bool | None) -> str:
        """How far an address that a socket is bound to reaches; a wildcard reaches what its stack has of its family."""
        found = reach(address)
        return self._wildcards[family_reached(address, v6only)] if found == "wildcard" else self._limited(found)

    def _limited(self, found: str) -> str:
        if self._unsure and found != "loopback":
            return "unknown"
        return "container" if self._private and found in ("public", "private", "link") else found


def _packed(address: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return None


class _Ports:
    """What the sockets of one namespace have in common while they are read."""

    def __init__(self, label: str, owners: Owners, units: list[SocketUnit] | None, interfaces: Interfaces, groups: dict[str, str]) -> None:
        self.label = label
        self.owners = owners
        self.units = units
        self.interfaces = interfaces
        self.groups = groups
        self.reaches: dict[tuple[str, bool | None], str] = {}
        self.by_inode: dict[str, list[dict[str, Any]]] = {}
        self.seen: list[Socket] = []
        self.gaps: list[Gap] = []
        self.rows: set[tuple[str | None, ...]] = set()

    def _unit(self, protocol: str, address: str, port: int) -> dict[str, str | None]:
        """The .socket unit of a socket that process 1 holds; nothing where the units are not known."""
        if self.units is None:
            return {}
        unit = declaring(self.units, protocol, address, port)
        return {"socket_unit": unit.name if unit else None, "activates": unit.service if unit else None}

    def add(self, shown: dict[str, Any], inode: str, cookie: str = "") -> None:
        address = shown["address"]
        bound = (address, shown.get("v6only"))
        if bound not in self.reaches:
            self.reaches[bound] = self.interfaces.reached(*bound)
        shown["reach"] = self.reaches[bound]
        shown |= self.owners.held(inode)
        if any(owner.shown.get("pid") == 1 for owner in shown.get("owners_seen", [])):
            shown |= self._unit(shown["protocol"], address, shown["port"])
        one = Socket(**shown)
        self.seen.append(one)
        if inode != "0":
            self.by_inode.setdefault(inode, []).append(one.shown)


def listening(
    evidence: LinuxEvidence, label: str, owners: Owners, units: list[SocketUnit] | None, interfaces: Interfaces,
    groups: dict[str, str], ephemeral: Facts[Range], reserved: Facts[Range],
) -> Facts[Socket]:  # fmt: skip
    """All sockets of the namespace that hold a port, from sock_diag, else from /proc/net; gaps where neither could tell."""
    ports = _Ports(label, owners, units, interfaces, groups)
    asked = evidence.answers("sockets", label)
    refused = _sock_diag(ports, evidence) if asked else None
    known = _proc_net(ports, evidence) if refused is None or refused else set()
    if refused is None:
        if not evidence.answers("proc-net", label):
            ports.gaps.append(Gap(evidence.not_entered(label) or "its sockets were not asked about"))
        refused = [(p, f, "not listed by /proc/net") for p in ("tcp", "udp") for f in ("ipv4", "ipv6")] if known else []
    ports.gaps += [Gap(why, protocol=protocol, family=family) for protocol, family, why in refused if (protocol, family) not in known]
    if not ephemeral.gaps and not reserved.gaps:
        for one in ports.seen:
            mark_kernel_given(one.shown, [r.ports for r in ephemeral.seen], [r.ports for r in reserved.seen])
    return Facts(ports.seen, "sock_diag" if asked else "/proc/net", ports.gaps + evidence.whole)


def _sock_diag(ports: _Ports, evidence: LinuxEvidence) -> list[tuple[str, str, str]]:
    """Adds what sock_diag gave; returns (protocol, family, why) of what it refused."""
    refused = []
    for answer in evidence.answers("sockets", ports.label):
        found, gaps = rows.parse(answer.text, COLUMNS, "sock_diag")
        ports.gaps += gaps
        told = [line.split("\t") for line in answer.stderr.decode("utf-8", "backslashreplace").splitlines()]
        refused += [(line[0], line[1], line[2]) for line in told if len(line) == 3]
        if answer.trouble and not any(len(line) == 3 for line in told):
            ports.gaps.append(Gap(answer.trouble))
        for row in found:
            if row not in ports.rows:  # the same answer twice is still one socket
                _sock_diag_row(ports, row)
        ports.rows.update(found)
    return refused


def _sock_diag_row(ports: _Ports, row: tuple[str | None, ...]) -> None:
    protocol, state, family, address, port, v6only, ifindex, uid, inode, _, cgroup = (field or "" for field in row)
    if protocol == "mptcp" and inode in ports.by_inode:
        for same in ports.by_inode[inode]:
            same["mptcp"] = True
        return
    number, user = rows.number(port, PORT_MAX), rows.number(uid)
    packed = _packed(address)
    if (
        not number
        or packed is None
        or family != ("ipv4" if len(packed) == 4 else "ipv6")
        or not protocol
        or user is None
        or rows.number(inode) is None
    ):
        ports.gaps.append(Gap("a row of sock_diag cannot be read", "\t".join(field or "" for field in row)[:200]))
        return
    shown: dict[str, Any] = {
        "protocol": protocol, "family": family, "address": address, "port": number, "uid": user, "source": "sock_diag",
        "state": state if state in ("listening", "bound") else "unknown",
    }  # fmt: skip
    if family == "ipv6" and v6only in ("0", "1"):
        shown["v6only"] = v6only == "1"
    if ifindex == "0":
        shown["device"] = None
    elif ifindex in ports.interfaces.devices:
        shown["device"] = ports.interfaces.devices[ifindex]
        if packed[:2] == _LINK_LOCAL:
            shown["zone"] = shown["device"]
    if cgroup in ports.groups:
        shown["cgroup"] = ports.groups[cgroup]
    ports.add(shown, inode)


def _proc_net(ports: _Ports, evidence: LinuxEvidence) -> set[tuple[str, str]]:
    """Adds what /proc/net gave and sock_diag did not; returns the (protocol, family) pairs it told of."""
    known = set()
    details = evidence.socket_details(ports.label)
    for answer in evidence.answers("proc-net", ports.label):
        said = words(answer.command)
        name = said[-1].rpartition("/")[2]
        protocol, family = name.removesuffix("6"), "ipv6" if name.endswith("6") else "ipv4"
        if answer.trouble or protocol not in ("tcp", "udp", "udplite"):
            ports.gaps.append(Gap(answer.trouble or f"{answer.command}: not a table of ports", protocol=protocol, family=family))
            continue
        body, _, ending = answer.text.removesuffix("\n").rpartition("\n")
        found, gaps = proc_net.parse(body, protocol, family, evidence.head.get("byteorder") != "big")
        if ending != f"end\t{len(body.split(chr(10))) - 1}":
            gaps.append(Gap(f"{answer.command}: its last line is missing, it was cut", ending[:200], protocol=protocol, family=family))
        ports.gaps += gaps
        known.add((protocol, family))
        for row in found:
            if any(one["protocol"] == protocol for one in ports.by_inode.get(row.inode, [])):
                continue
            shown = {"protocol": protocol, "family": family, "address": row.address, "port": row.port, "uid": row.uid, "state": "listening",
                     "source": "/proc/net", **details.get((protocol, row.inode, row.port), {})}  # fmt: skip
            if shown.get("device") and (_packed(row.address) or b"")[:2] == _LINK_LOCAL:
                shown["zone"] = shown["device"]
            ports.add(shown, row.inode)
    return known
