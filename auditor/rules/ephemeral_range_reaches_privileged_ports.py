"""The kernel may hand out ports that are privileged, or that IANA keeps for system services.

Why it matters
--------------
A program that asks for any port at all may then be given one below 1024: it squats a service's port without meaning to, and others
trust it as a privileged one (rsh, NFS and firewalls still do). OpenBSD, FreeBSD and DragonFly ask for the privilege only where a program
names the port: there any user gets privileged ports by asking for any.

Remedy
------
Let the range begin above the privileged ports, and write it where the next boot reads it.

Linux: `sysctl -w net.ipv4.ip_local_port_range="32768 60999" net.ipv4.ip_unprivileged_port_start=1024`. Linux refuses a range below
net.ipv4.ip_unprivileged_port_start, so where one reaches there the threshold was lowered as well; the range goes first.

FreeBSD: `sysctl net.inet.ip.portrange.first=10000 net.inet.ip.portrange.reservedhigh=1023`, and what was set before out of
/etc/sysctl.conf.

OpenBSD: `sysctl net.inet.ip.portfirst=1024 net.inet.ip.portlast=49151`, and what was set before out of /etc/sysctl.conf. A port of
net.inet.tcp.rootonly inside the range: `sysctl net.inet.tcp.baddynamic=+PORT` keeps it from being handed out; and so for udp.

NetBSD: `sysctl -w net.inet.ip.anonportmin=49152 net.inet6.ip6.anonportmin=49152`, and what was set before out of /etc/sysctl.conf.

SunOS: `ipadm set-prop -p smallest_anon_port=32768 tcp`, and so for udp and sctp; or let smallest_nonpriv_port be 1024 again.

HP-UX: `ndd -set /dev/tcp tcp_smallest_anon_port 49152`, and so for udp; what was set before out of /etc/rc.config.d/nddconf.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Range
from auditor.port_range import PortRange
from auditor.rule import Breach, Case, Rule

_UNASKED = ("OpenBSD", "FreeBSD", "DragonFly")
"""Systems that ask for no privilege where they choose the port themselves from the default range, or from the high one: in_pcbbind and
in_pcb_lport of sys/netinet/in_pcb.c; measured on OpenBSD 2.8."""


def check(case: Case, ports: Range) -> Iterator[Breach]:
    if ports.role == "low":
        return  # handed out to the privileged alone, who ask for it
    system_ports = case.tables.iana_ranges["system"]
    if reached := _handed_out(case, ports, system_ports, ports.pairs):
        yield Breach(
            f"the kernel may hand out {reached}, which are System Ports{_to_anybody(case, ports)}",
            observed=f"ephemeral: {ports.ports}",
            expected=f"none of {system_ports}",
            source="IANA System Ports, RFC 6335 section 6",
        )
        return
    for privileged in case.stack.privileged:
        both = [pair for pair in ports.pairs if privileged.speaks_of(*pair)]
        if reached := _handed_out(case, ports, privileged.ports, both):
            yield Breach(
                f"the kernel may hand out {reached}, which are privileged here{_to_anybody(case, ports)}",
                observed=f"ephemeral: {ports.ports}; privileged: {privileged.ports}",
                expected="ephemeral and privileged ports apart",
                source=f"{case.stack.ephemeral.source}; {case.stack.privileged.source}",
            )
            return


def _to_anybody(case: Case, ports: Range) -> str:
    """What it means that privileged ports are among them, where the system gives these to any user."""
    if case.snapshot.system not in _UNASKED:
        return ""
    given: set[PortRange] = set()
    try:
        for privileged in case.stack.privileged:
            both = [pair for pair in ports.pairs if privileged.speaks_of(*pair)]
            given.update(_left(case, ports, privileged.ports, both))
    except UnknownFact:
        return ""
    words = ", ".join(map(str, PortRange.joined(given)))
    return f": any user's program that names no port may be given {words}, for only a named port asks for the privilege" if words else ""


def _handed_out(case: Case, ports: Range, kept: PortRange, pairs: list[tuple[str, str]]) -> str:
    """The ports of `kept` that are in the range and not reserved for one of the `pairs`, in words; "" where there are none."""
    return ", ".join(map(str, PortRange.joined(_left(case, ports, kept, pairs))))


def _left(case: Case, ports: Range, kept: PortRange, pairs: list[tuple[str, str]]) -> set[PortRange]:
    overlap = ports.ports.overlap(kept)
    left: set[PortRange] = set()
    if overlap is None:
        return left
    for protocol, family in pairs:
        left.update(overlap.minus(one.ports for one in case.stack.reserved.about(protocol, family) if one.speaks_of(protocol, family)))
    return left


RULE = Rule(each="range", severity="high", check=check)
