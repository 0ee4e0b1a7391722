"""A port that the policy wants reserved may be handed out.

Why it matters
--------------
A service that starts while an outgoing connection has its port fails with "address already in use", and that happens seldom enough to be
found late. The policy names the ports that must be kept (`ephemeral: {reserved_must_include: [30000-32767]}`). Those that are outside the
ephemeral range are never handed out, and need no reservation.

Remedy
------
Add them to the list, or let the ephemeral range begin above them.

Linux: `sysctl -w net.ipv4.ip_local_reserved_ports=PORTS` (it replaces the whole list: add to what is there), and the same line in a file of
/etc/sysctl.d.

NetBSD: `sysctl -w net.inet.ip.anonportalgo.reserve=PORTS` (the whole list), the same for net.inet6.ip6, and both in /etc/sysctl.conf.

OpenBSD: `sysctl net.inet.tcp.baddynamic=+PORT net.inet.udp.baddynamic=+PORT`, and the same in /etc/sysctl.conf.

Windows: `netsh int ipv4 add excludedportrange tcp startport=PORT numberofports=1`, and the same for udp and for ipv6.

Darwin, FreeBSD, DragonFly: there is no such list; `sysctl net.inet.ip.portrange.first=PORT` with a port above them moves the range.
"""

from collections.abc import Iterator

from auditor.model import Stack
from auditor.port_range import PortRange
from auditor.port_scopes import EVERY_PAIR, by_scope, ports_for, ports_in_words
from auditor.rule import Breach, Case, Rule


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    wanted = case.policy.reserved_must_include

    def handed_out(protocol: str, family: str) -> list[PortRange]:
        given = _given(stack, wanted, protocol, family)
        return PortRange.joined(given, without=ports_for(stack.reserved, protocol, family)) if given else []

    for scope, ports in by_scope(EVERY_PAIR, handed_out):
        yield Breach(
            f"the kernel may hand out ports that are to be reserved{f', for {scope}' if scope else ''}: {ports_in_words(ports)}",
            observed=ports_in_words(ports),
            expected=f"reserved: {ports_in_words(wanted)}",
            source=f"policy {case.policy.origin('ephemeral', 'reserved_must_include')}",
        )


def _given(stack: Stack, wanted: tuple[PortRange, ...], protocol: str, family: str) -> list[PortRange]:
    """Of the ports that are wanted those that are handed out unless they are reserved; not those that only the privileged ask for."""
    ephemeral = [one.ports for one in stack.ephemeral.about(protocol, family) if one.role != "low" and one.speaks_of(protocol, family)]
    return [both for one in wanted for part in ephemeral if (both := one.overlap(part))]


RULE = Rule(each="stack", severity="medium", needs=("reserved",), check=check)
