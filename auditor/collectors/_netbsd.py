"""What a NetBSD host's settings mean: sys/netinet/in_pcb.c, in6_pcb.c, portalgo.c, secmodel_suser(9).

The names lowportmin and lowportmax are there exactly where the kernel was built without `options IPNOPRIVPORTS`: their presence is the
evidence that the limit is in force. Their values are only what IP_PORTRANGE_LOW picks from.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from auditor.collectors._grants import root_only
from auditor.collectors._saved import Answers, Heard, Ranges, System, as_root, below, facts, handed_out, kept, only
from auditor.collectors.netbsd import ALGORITHM, CURTAIN, RANGES
from auditor.model import Range
from auditor.parsers import fstat, ifconfig, lsof, netstat_bsd, ps, sockstat, sysctl
from auditor.tables import Tables

IPPORT_RESERVED = 1024
"""sys/netinet/in.h, and IPV6PORT_RESERVED of sys/netinet6/in6.h: below it only root may bind."""
_FAMILIES = (("ipv4", "net.inet.ip."), ("ipv6", "net.inet6.ip6."))


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """IPv4 and IPv6 have settings of their own; TCP and UDP share them."""
    return Ranges(
        facts("lowportmax (the limit itself is IPPORT_RESERVED)", _each(_privileged, heard), answers.whole),
        facts("anonportmin, anonportmax, lowportmin, lowportmax", _each(_picked, heard), answers.whole),
        facts("anonportalgo.reserve", _each(_reserved, heard), answers.whole),
    )


def _each(part: Callable[[Heard, str, str], list[Range]], heard: Heard) -> list[Callable[[], list[Range]]]:
    return [only(partial(part, heard, family, prefix), family=family) for family, prefix in _FAMILIES]


def _has_family(heard: Heard, prefix: str) -> bool:
    """Whether the kernel has the family at all: one built without IPv6 has none of its names."""
    return not (heard.known_absent(f"{prefix}anonportmin") and heard.known_absent(f"{prefix}lowportmax") and prefix == _FAMILIES[1][1])


def _privileged(heard: Heard, family: str, prefix: str) -> list[Range]:
    if not _has_family(heard, prefix):
        return below(IPPORT_RESERVED, "a kernel with this family, which this one is not", family=family)
    if heard.known_absent(f"{prefix}lowportmax"):
        heard.value(f"{prefix}anonportmin")  # without it the absence means nothing
        return []
    heard.value(f"{prefix}lowportmax")
    return below(IPPORT_RESERVED, "root", family=family)


def _picked(heard: Heard, family: str, prefix: str) -> list[Range]:
    if not _has_family(heard, prefix):
        return []
    found = [handed_out(heard.range(f"{prefix}anonportmin", f"{prefix}anonportmax"), "default", family=family)]
    if not heard.known_absent(f"{prefix}lowportmax"):
        found.append(handed_out(heard.range(f"{prefix}lowportmin", f"{prefix}lowportmax"), "low", family=family))
    return found


def _reserved(heard: Heard, family: str, prefix: str) -> list[Range]:
    name = f"{prefix}anonportalgo.reserve"
    if heard.known_absent(name) or not _has_family(heard, prefix):
        return []
    return [kept(ports, family=family) for ports in heard.ports(name)]


def _curtain(heard: Heard) -> str | None:
    """security.curtain: 1 hides other users' objects. None where no answer states it."""
    return next((heard.values[name] for name in CURTAIN if name in heard.values), None)


def sight(heard: Heard, answers: Answers) -> str | None:
    """Without the curtain the kernel shows everybody's files to anybody."""
    return None if _curtain(heard) == "0" else as_root(heard, answers)


def hidden(heard: Heard, answers: Answers) -> str | None:
    """Sockets of others vanish behind the curtain."""
    curtained = _curtain(heard) not in (None, "0") and (heard.blind or heard.uid != 0)
    return "security.curtain is on: other users' sockets are not shown" if curtained else None


SYSTEM = System(
    "NetBSD",
    parsers={
        "sockstat": sockstat.parse,
        "netstat": netstat_bsd.parse_netbsd,
        "fstat": fstat.parse,
        "lsof": lsof.parse,
        "sysctl": sysctl.parse,
        "ifconfig": ifconfig.parse,
        "ps": ps.parse,
    },
    ranges=ranges,
    settings=(*RANGES, *ALGORITHM, *CURTAIN, "net.inet.ip.anonport", "net.inet6.ip6.anonport"),
    asked=RANGES,
    holders=("sockstat", "fstat", "lsof"),
    leaves_out=("sockstat",),
    sight=sight,
    hidden=hidden,
    persisted=r"/etc/sysctl\.conf",
    boot_files=("/etc/sysctl.conf",),
    grants=root_only(
        "lowportmax is there, so the kernel asks for KAUTH_REQ_NETWORK_BIND_PRIVPORT below IPPORT_RESERVED (sys/netinet/in_pcb.c)",
        "secmodel_suser(9) lets uid 0 alone pass, and no other security model that comes with NetBSD gives it",
        opened="options IPNOPRIVPORTS",
        open_why="anonportmin is there and lowportmax is not: the kernel was built with options IPNOPRIVPORTS",
    ),
    limits=("A security model that was added to the kernel (kauth(9)) can allow a bind or refuse it; none was looked for.",),
)
