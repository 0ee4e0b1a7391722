"""What the settings of a Solaris or illumos host mean: tcp_update_next_port, secpolicy_net_privaddr, tcp_snmp_get.

A port needs a privilege below smallest_nonpriv_port and where extra_priv_ports names it, of each protocol by itself; ports of that list are
never handed out. The settings are a stack's own: the global zone's, which shared-IP zones use too, or an exclusive-IP zone's. netstat
shows the sockets of its own zone alone, also where others share the stack.
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.binding import Grant
from auditor.collectors import _sunos_grants
from auditor.collectors._saved import Answers, Heard, Ranges, System, below, facts, kept, only
from auditor.collectors._streams import THRESHOLD, anonymous, named, threshold
from auditor.collectors.sunos import PROPERTIES, PROTOCOLS
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers import ifconfig, ipadm, lsof, ndd, netstat_solaris, ps, user_attr, zoneadm
from auditor.parsers.zoneadm import OwnZone, Zones
from auditor.port_range import PortRange
from auditor.tables import Tables
from auditor.vendor_ranges import release_key

_EXTRA = "extra_priv_ports"
_PRIVADDR = "PRIV_NET_PRIVADDR"
_NEEDS_OF = (
    ("PRIV_SYS_NFS", (PortRange(2049, 2049), PortRange(4045, 4045))),
    ("PRIV_NET_PRIVADDR or PRIV_SYS_SMB", (PortRange(137, 139), PortRange(445, 445))),
)
"""secpolicy_net_privaddr: who may bind these; PRIV_NET_PRIVADDR is not enough for those of NFS."""
_PRIVILEGES_SINCE = "5.10"
_SHARED = "shared"


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """TCP and UDP have each their settings, and SCTP where it is there; IPv4 and IPv6 share them."""
    protocols = [protocol for protocol in PROTOCOLS if protocol != "sctp" or _told(heard, protocol)]
    old = _before_privileges(answers)
    return Ranges(
        facts(f"{THRESHOLD}, {_EXTRA}", [_of(heard, protocol, _privileged, old) for protocol in protocols], answers.whole),
        anonymous(heard, answers.whole, protocols),
        facts(_EXTRA, [_of(heard, protocol, _reserved, old) for protocol in protocols], answers.whole),
    )


def _told(heard: Heard, protocol: str) -> bool:
    return any(named(heard, protocol, name) in heard.values for name in PROPERTIES)


def _before_privileges(answers: Answers) -> bool:
    since, release = release_key(_PRIVILEGES_SINCE), release_key(answers.head.get("release", ""))
    return since is not None and release is not None and release < since


def _of(heard: Heard, protocol: str, part: Callable[[Heard, str, bool], list[Range]], old: bool) -> Callable[[], list[Range]]:
    return only(lambda: part(heard, protocol, old), protocol)


def _privileged(heard: Heard, protocol: str, old: bool) -> list[Range]:
    """The low ports and the extra ones, by what each needs: before Solaris 10 root, since then a privilege."""
    low = [one.ports for one in below(threshold(heard, protocol), "", protocol)]
    ports = low + [part for one in _extra(heard, protocol) for part in one.minus(low)]
    if old:
        return [_needing("root", one, protocol) for one in sorted(ports)]
    found = []
    for needs, special in _NEEDS_OF:
        found += [_needing(needs, both, protocol) for one in ports for part in special if (both := one.overlap(part))]
    ordinary = [part for one in ports for part in one.minus(p for _, special in _NEEDS_OF for p in special)]
    return sorted([*found, *(_needing(_PRIVADDR, one, protocol) for one in ordinary)], key=lambda one: one.ports)


def _needing(needs: str, ports: PortRange, protocol: str) -> Range:
    return Range(first=ports.first, last=ports.last, protocol=protocol, family="any", wildcard_exempt=False, needs=needs)


def _reserved(heard: Heard, protocol: str, old: bool) -> list[Range]:
    return [kept(ports, protocol) for ports in _extra(heard, protocol)]


def _extra(heard: Heard, protocol: str) -> list[PortRange]:
    return sorted(set(heard.ports(named(heard, protocol, _EXTRA))))


def asked(heard: Heard, answers: Answers) -> tuple[str, ...]:
    return tuple(named(heard, protocol, name) for protocol in PROTOCOLS[:2] for name in PROPERTIES)


def hidden(heard: Heard, answers: Answers) -> str | None:
    """Why sockets of this stack may be missing: other zones share it."""
    if heard.kind != "host":
        return None
    zones = [zone for read in heard.others if isinstance(read, Zones) for zone in read.found]
    others = [zone["name"] for zone in zones if zone["id"] not in ("0", "-") and zone["state"] == "running" and _shares(zone)]
    if own := _own_zone(heard):
        return f"it was taken inside zone {own}, and shows that zone's sockets alone"
    return f"zones share this stack, and netstat shows its own zone's sockets alone: {', '.join(others)}" if others else None


def _shares(zone: dict[str, str]) -> bool:
    return zone.get("ip", _SHARED) == _SHARED


def _own_zone(heard: Heard) -> str | None:
    """The name of the zone that the commands ran in, where that is not the global one."""
    return next((read.name for read in heard.others if isinstance(read, OwnZone) and read.name not in (None, "global")), None)


def other_stacks(answers: Answers) -> list[Gap]:
    """Running zones with a stack of their own, none of which was looked into unless an answer names it."""
    told = [read for read in answers.host.others if isinstance(read, Zones)]
    if not told:
        return [Gap("whether zones have network stacks of their own was not asked (zoneadm list -cp)")]
    gaps = [gap for read in told for gap in read.gaps] + _inside(answers)
    looked_into = {heard.name for heard in answers.stacks}
    for zone in (zone for read in told for zone in read.found):
        stack = f"zone:{zone['name']}"
        if zone["id"] not in ("0", "-") and zone["state"] == "running" and not _shares(zone) and stack not in looked_into:
            why = f"zone {zone['name']} has a network stack of its own, which was not looked into (zlogin {zone['name']} ...)"
            gaps.append(Gap(why, stack=stack))
    return gaps


def _inside(answers: Answers) -> list[Gap]:
    own = _own_zone(answers.host)
    return [Gap(f"it was taken inside zone {own}, from which the others are not seen")] if own else []


def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Facts[Grant]:
    zone = heard.name.removeprefix("zone:") if heard.kind == "zone" else _own_zone(heard)
    return _sunos_grants.grants(heard, tables, ranges, zone, _before_privileges(answers))


SYSTEM = System(
    "SunOS",
    parsers={
        "ndd": ndd.parse, "ipadm": ipadm.parse, "netstat": netstat_solaris.parse, "lsof": lsof.parse, "ps": ps.parse,
        "ifconfig": ifconfig.parse, "zoneadm": zoneadm.parse, "zonename": zoneadm.parse_zonename,
    },
    ranges=ranges, settings=tuple(f"{protocol}{joint}" for protocol in PROTOCOLS for joint in "_."), asked=asked, holders=("lsof",),
    hidden=hidden, other_stacks=other_stacks, alternatives=("ndd", "ipadm"),
    files=((r"/etc/user_attr", user_attr.parse), (r"/etc/security/policy\.conf", user_attr.parse_policy)), grants=grants,
    limits=(
        "Privileges that a rights profile (pfexec), the method of an SMF service (svcprop -p start/privileges) or a directory service gives"
        " were not looked for, nor those of processes (ppriv).",
    ),
)  # fmt: skip
