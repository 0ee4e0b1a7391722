"""What an OpenBSD host's settings mean: sys/netinet/in_pcb.c (in_pcbbind, in_rootonly, in_baddynamic), rdomain(4)."""

from __future__ import annotations

from collections.abc import Callable

from auditor.collectors._grants import root_only
from auditor.collectors._saved import Answers, Heard, Ranges, System, as_root, below, facts, handed_out, kept, only
from auditor.collectors.openbsd import LISTS, RANGES
from auditor.command import Command
from auditor.facts import Gap
from auditor.model import Range
from auditor.parsers import fstat, ifconfig, lsof, netstat_bsd, ps, rdomains, sysctl
from auditor.parsers.rdomains import RoutingDomains
from auditor.port_range import PortRange
from auditor.reading import Output, Read
from auditor.tables import Tables

IPPORT_RESERVED = 1024
"""sys/netinet/in.h: below it only root may bind; no setting moves it."""
LOW = PortRange(600, 1023)
"""What IP_PORTRANGE_LOW picks from: constants of in_pcb.c."""
_PROTOCOLS = ("tcp", "udp")


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """rootonly and baddynamic are lists of their own for TCP and UDP; a release without them has none."""
    return Ranges(
        facts("IPPORT_RESERVED; net.inet.tcp.rootonly, net.inet.udp.rootonly",
              [lambda: below(IPPORT_RESERVED, "root"), *(_root_only(heard, protocol) for protocol in _PROTOCOLS)], answers.whole),
        facts("net.inet.ip.portfirst, portlast, porthifirst, porthilast; in_pcb.c", (
            lambda: [handed_out(heard.range("net.inet.ip.portfirst", "net.inet.ip.portlast"), "default")],
            lambda: [handed_out(heard.range("net.inet.ip.porthifirst", "net.inet.ip.porthilast"), "high")],
            lambda: [handed_out(LOW, "low")],
        ), answers.whole),
        facts("net.inet.tcp.baddynamic, net.inet.udp.baddynamic", [_not_handed_out(heard, protocol) for protocol in _PROTOCOLS],
              answers.whole),
    )  # fmt: skip


def _list(heard: Heard, name: str) -> list[PortRange]:
    return [] if heard.known_absent(name) else heard.ports(name)


def _root_only(heard: Heard, protocol: str) -> Callable[[], list[Range]]:
    def part() -> list[Range]:
        return [
            Range(first=ports.first, last=ports.last, protocol=protocol, family="any", wildcard_exempt=False, needs="root")
            for ports in _list(heard, f"net.inet.{protocol}.rootonly")
        ]

    return only(part, protocol)


def _not_handed_out(heard: Heard, protocol: str) -> Callable[[], list[Range]]:
    return only(lambda: [kept(ports, protocol) for ports in _list(heard, f"net.inet.{protocol}.baddynamic")], protocol)


def netstat(output: Output) -> Read:
    """netstat -R lists routing domains; all else is sockets."""
    return rdomains.parse(output) if "R" in output.command.given(netstat_bsd.OPENBSD_TAKING) else netstat_bsd.parse_openbsd(output)


def stack_of(command: Command) -> tuple[str, str] | None:
    """`netstat -T 5` speaks of routing domain 5; 0 is the host's own."""
    table = command.option("T", netstat_bsd.OPENBSD_TAKING) if command.program == "netstat" else None
    return None if table in (None, "0") else (f"rdomain:{table}", "rdomain")


def sight(heard: Heard, answers: Answers) -> str | None:
    """fstat(1) shows everybody's files to anybody."""
    return None if any(listing.program == "fstat" for listing in heard.listings) else as_root(heard, answers)


def other_stacks(answers: Answers) -> list[Gap]:
    """Routing domains that no answer speaks of."""
    told = [read for read in answers.host.others if isinstance(read, RoutingDomains)]
    if not told:
        return [Gap("whether there are other routing domains was not asked (netstat -R)")]
    looked_into = {heard.name for heard in answers.stacks}
    names = [f"rdomain:{number}" for read in told for number in read.found if number != 0]
    return [gap for read in told for gap in read.gaps] + [
        Gap(f"{name} was not looked into (netstat -an -T {name.partition(':')[2]})", stack=name)
        for name in names
        if name not in looked_into
    ]


SYSTEM = System(
    "OpenBSD",
    parsers={
        "netstat": netstat,
        "fstat": fstat.parse,
        "lsof": lsof.parse,
        "sysctl": sysctl.parse,
        "ifconfig": ifconfig.parse,
        "ps": ps.parse,
    },
    ranges=ranges,
    settings=("net.inet.ip.port", *LISTS),
    asked=RANGES,
    holders=("fstat", "lsof"),
    sight=sight,
    other_stacks=other_stacks,
    stack_of=stack_of,
    persisted=r"/etc/sysctl\.conf",
    boot_files=("/etc/sysctl.conf",),
    kind="rdomain",
    grants=root_only(
        "the kernel asks for uid 0 below IPPORT_RESERVED and for the ports of net.inet.tcp.rootonly and net.inet.udp.rootonly"
        " (sys/netinet/in_pcb.c, in_rootonly)",
        "OpenBSD has no capabilities, and pledge(2) and unveil(2) give nothing: there is no other way to give it",
    ),
    limits=(
        "fstat shows the sockets of all routing domains and does not tell them apart: one that only fstat shows is listed as the host's.",
    ),
)
