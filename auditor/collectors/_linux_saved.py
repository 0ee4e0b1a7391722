"""A Linux host of which only the text of ordinary commands was saved: ss, netstat, lsof, sysctl, or the tables of /proc/net."""

from __future__ import annotations

import re

from auditor.collectors._linux_saved_grants import grants
from auditor.collectors._linux_settings import NAMES, PROT_SOCK, RANGE, RESERVED, THRESHOLD, THRESHOLD_SINCE, version
from auditor.collectors._saved import Answers, Heard, Missing, Ranges, System, below, facts, handed_out, kept
from auditor.collectors._translations import SAVING
from auditor.facts import Gap
from auditor.model import Range
from auditor.parsers import getcap, ifconfig, iptables_save, lsof, netstat_linux, nft, port_list, proc_net_text, ps, ss, sysctl
from auditor.port_range import PORT_MAX
from auditor.tables import Tables

RESERVED_SINCE = (2, 6, 35)
"""The release that brought ip_local_reserved_ports (Documentation/networking/ip-sysctl.txt); before, nothing was kept back."""
_TABLES = r"/proc/(?:\d+/|self/|thread-self/)?net/(?:tcp6?|udp6?|udplite6?)"


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """Each setting is the namespace's own and speaks of all protocols and both families."""
    release = answers.head.get("release", "")
    return Ranges(
        facts(THRESHOLD, (lambda: below(_threshold(heard, release), "CAP_NET_BIND_SERVICE"),), answers.whole),
        facts(RANGE, (lambda: _picked(heard),), answers.whole, "read"),
        facts(RESERVED, (lambda: _reserved(heard, release),), answers.whole, "read"),
    )


def _threshold(heard: Heard, release: str) -> int:
    known = version(release)
    if THRESHOLD not in heard.values and known and known < THRESHOLD_SINCE:
        return PROT_SOCK
    return heard.number(THRESHOLD, PORT_MAX + 1)


def _picked(heard: Heard) -> list[Range]:
    try:
        return [handed_out(port_list.pair(heard.value(RANGE)), "default", descending=False)]
    except ValueError:
        raise Missing(f"{RANGE} cannot be read", f"{RANGE} = {heard.value(RANGE)}"[:200]) from None


def _reserved(heard: Heard, release: str) -> list[Range]:
    numbers = re.match(r"(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?", release)
    if RESERVED not in heard.values and numbers and tuple(int(n or 0) for n in numbers.groups()) < RESERVED_SINCE:
        return []
    return [kept(ports) for ports in heard.ports(RESERVED)]


SYSTEM = System(
    "Linux",
    parsers={
        "ss": ss.parse,
        "netstat": netstat_linux.parse,
        "lsof": lsof.parse,
        "sysctl": sysctl.parse,
        "ps": ps.parse,
        "ifconfig": ifconfig.parse,
        "nft": nft.parse,
        "getcap": getcap.parse,
        **dict.fromkeys(SAVING, iptables_save.parse),
    },
    files=((_TABLES, proc_net_text.parse), (r"/proc/sys/.*", sysctl.parse)),
    ranges=ranges,
    grants=grants,
    settings=NAMES,
    asked=NAMES[:3],
    holders=("ss", "lsof"),
    other_stacks=lambda answers: [Gap("whether there are other network namespaces cannot be told from these answers")],
    persisted=r"/etc/sysctl\.conf|/(?:etc|run|usr/lib|usr/local/lib)/sysctl\.d/[^/]*\.conf",
)
