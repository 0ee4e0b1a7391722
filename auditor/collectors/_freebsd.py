"""What a FreeBSD host's settings mean: sys/netinet/in_pcb.c (in_pcbbind_avail, in_pcb_lport), mac_portacl(4), jail(8)."""

from __future__ import annotations

from auditor.binding import Grant
from auditor.collectors import _freebsd_grants
from auditor.collectors._freebsd_grants import PRIVILEGE
from auditor.collectors._portrange import PORTRANGE, picked
from auditor.collectors._saved import Answers, Heard, Ranges, System, as_root, facts
from auditor.collectors.freebsd import RANGES
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers import fstat, ifconfig, jls, lsof, netstat_bsd, procstat, ps, sockstat, sysctl
from auditor.parsers.jls import Jails
from auditor.port_range import PORT_MAX
from auditor.tables import Tables

_PORTACL = "security.mac.portacl."
_JAILED = "security.jail.jailed"
_VIEW = ("security.bsd.see_other_uids", "security.bsd.see_other_gids", "security.bsd.see_jail_proc")


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """Every sysctl of net.inet.ip.portrange is the stack's own (VNET) and speaks of TCP and UDP, IPv4 and IPv6 alike."""
    return Ranges(
        facts(f"{PORTRANGE}.reservedlow, reservedhigh; mac_portacl", (lambda: _reserved_to_root(heard), lambda: _portacl(heard)),
              answers.whole),
        facts(PORTRANGE, picked(heard), answers.whole),
        Facts([], "FreeBSD keeps no list of ports that it does not hand out", answers.whole, "derived"),
    )  # fmt: skip


def _reserved_to_root(heard: Heard) -> list[Range]:
    first, last = heard.number(f"{PORTRANGE}.reservedlow", PORT_MAX), heard.number(f"{PORTRANGE}.reservedhigh", PORT_MAX)
    if last < max(first, 1):
        return []
    return [Range(first=max(first, 1), last=last, protocol="any", family="any", wildcard_exempt=False, needs=PRIVILEGE)]


def _portacl(heard: Heard) -> list[Range]:
    """mac_portacl can only refuse: up to port_high a rule is needed. A host without the module has no such names."""
    if heard.known_absent(f"{_PORTACL}enabled") or heard.number(f"{_PORTACL}enabled", 1) == 0:
        return []
    exempt = heard.number(f"{_PORTACL}suser_exempt", 1)
    needs = f"a rule of mac_portacl{', or root' if exempt else ', root too'}"
    last = heard.number(f"{_PORTACL}port_high", PORT_MAX)
    return [Range(first=1, last=last, protocol=p, family="any", wildcard_exempt=False, needs=needs) for p in ("tcp", "udp") if last]


def sight(heard: Heard, answers: Answers) -> str | None:
    """The kernel shows an unprivileged user everybody's processes unless security.bsd says otherwise; in a jail, the jail's."""
    if _in_a_jail(heard):
        return "it was taken inside a jail, which shows its own processes alone"
    if all(heard.values.get(name) == "1" for name in _VIEW):
        return None
    return as_root(heard, answers)


def hidden(heard: Heard, answers: Answers) -> str | None:
    """Sockets of others vanish where security.bsd hides them, and those of other jails where it was taken inside one."""
    if _in_a_jail(heard) and heard.values.get("security.jail.vnet") != "1":
        return "it was taken inside a jail, which shows only its own sockets"
    off = [name for name in _VIEW[:2] if heard.values.get(name) == "0"]
    return f"{off[0]} is 0: other users' sockets are not shown" if off and (heard.blind or heard.uid != 0) else None


def _in_a_jail(heard: Heard) -> bool:
    """Whether it was, or two answers state it differently; most do not state it."""
    return heard.values.get(_JAILED, "0") != "0"


def other_stacks(answers: Answers) -> list[Gap]:
    """Jails with a stack of their own, none of which was looked into unless an answer names it."""
    if _in_a_jail(answers.host):
        return [Gap("it was taken inside a jail, from which neither the host nor its other jails are seen")]
    told = [read for read in answers.host.others if isinstance(read, Jails) and read.tells("vnet")]
    if not told:
        return [Gap("whether jails have network stacks of their own was not asked (jls -n jid name vnet)")]
    gaps = [gap for read in told for gap in read.gaps]
    looked_into = {heard.name for heard in answers.stacks}
    for jail in (jail for read in told for jail in read.found):
        names = {f"jail:{jail['jid']}", f"jail:{jail['name']}"}
        if jail.get("vnet") != "inherit" and not names & looked_into:
            own = "has a network stack of its own" if jail.get("vnet") == "new" else "may have a network stack of its own"
            gaps.append(
                Gap(f"jail {jail['name']} {own}, which was not looked into (jexec {jail['jid']} ...)", stack=f"jail:{jail['name']}")
            )
    return gaps


def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Facts[Grant]:
    return _freebsd_grants.grants(heard, answers, tables, ranges, _in_a_jail(heard))


SYSTEM = System(
    "FreeBSD",
    parsers={
        "sockstat": sockstat.parse,
        "netstat": netstat_bsd.parse_freebsd,
        "fstat": fstat.parse,
        "lsof": lsof.parse,
        "sysctl": sysctl.parse,
        "ifconfig": ifconfig.parse,
        "ps": ps.parse,
        "procstat": procstat.parse,
        "jls": jls.parse,
    },
    ranges=ranges,
    settings=(f"{PORTRANGE}.", _PORTACL, "security.mac.ntpd.", "security.bsd.see_", "security.jail."),
    asked=RANGES,
    holders=("sockstat", "fstat", "lsof"),
    sight=sight,
    hidden=hidden,
    other_stacks=other_stacks,
    persisted=r"/etc/sysctl\.conf(\.local)?",
    boot_files=("/etc/sysctl.conf", "/etc/sysctl.conf.local"),
    kind="vnet",
    grants=grants,
    limits=("Policies of the MAC framework other than mac_portacl and mac_ntpd can refuse a bind or allow it; none was examined.",),
)
