"""What a DragonFly host's settings mean: sys/netinet/in_pcb.c (in_pcbbind, in_pcbsetlport)."""

from __future__ import annotations

from auditor.collectors._grants import root_only
from auditor.collectors._portrange import PORTRANGE, picked
from auditor.collectors._saved import Answers, Heard, Ranges, System, below, facts
from auditor.collectors.dragonfly import RANGES
from auditor.facts import Facts
from auditor.parsers import fstat, ifconfig, lsof, netstat_bsd, ps, sockstat, sysctl
from auditor.tables import Tables

IPPORT_RESERVED = 1024
"""sys/netinet/in.h: below it a bind needs PRIV_NETINET_RESERVEDPORT, whatever the address; there is no reservedhigh."""


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """The settings speak of TCP and UDP, IPv4 and IPv6 alike."""
    return Ranges(
        facts("IPPORT_RESERVED", (lambda: below(IPPORT_RESERVED, "root"),), answers.whole),
        facts(PORTRANGE, picked(heard), answers.whole),
        Facts([], "DragonFly keeps no list of ports that it does not hand out", answers.whole, "derived"),
    )


SYSTEM = System(
    "DragonFly",
    parsers={
        "sockstat": sockstat.parse,
        "netstat": netstat_bsd.parse_dragonfly,
        "fstat": fstat.parse,
        "lsof": lsof.parse,
        "sysctl": sysctl.parse,
        "ifconfig": ifconfig.parse,
        "ps": ps.parse,
    },
    ranges=ranges,
    settings=(f"{PORTRANGE}.",),
    asked=RANGES,
    holders=("sockstat", "fstat", "lsof"),
    leaves_out=("sockstat",),
    persisted=r"/etc/sysctl\.conf",
    boot_files=("/etc/sysctl.conf",),
    grants=root_only(
        "the kernel asks for PRIV_NETINET_RESERVEDPORT (sys/netinet/in_pcb.c, in_pcbbind)",
        "uid 0 alone has it, in jails too (sys/kern/kern_priv.c, kern_jail.c): there is no other way to give it",
    ),
)
