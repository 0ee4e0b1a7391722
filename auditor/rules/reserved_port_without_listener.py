"""A port is kept from being handed out, and nothing listens on it.

Why it matters
--------------
The service that it was reserved for may be gone, or not yet there, or down. Each reserved port is one less for connections, and a list
that nobody keeps tells nobody what it protects. Ports that are reserved for services to come, as NodePorts are, show here too: this is
inventory. A socket of any protocol on the number counts, listening or bound.

Remedy
------
Take what no service needs out of the list.

Linux: `sysctl -w net.ipv4.ip_local_reserved_ports=PORTS` with what is left, and the same line in a file of /etc/sysctl.d.

NetBSD: `sysctl -w net.inet.ip.anonportalgo.reserve=PORTS` with what is left, the same for net.inet6.ip6, and both in /etc/sysctl.conf.

OpenBSD: `sysctl net.inet.tcp.baddynamic=-PORT`, or net.inet.udp, and the same in /etc/sysctl.conf.

Windows: `netsh int ipv4 delete excludedportrange tcp startport=PORT numberofports=1`, for each protocol and family that has it.
"""

from collections.abc import Iterator

from auditor.model import Stack
from auditor.port_range import PortRange
from auditor.port_scopes import EVERY_PAIR, by_scope, ports_for, ports_in_words
from auditor.rule import Breach, Case, Rule


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    def idle(protocol: str, family: str) -> list[PortRange]:
        inside = _reserved_inside(stack, protocol, family)
        return PortRange.joined(inside, without=[PortRange(one.port, one.port) for one in stack.listening]) if inside else []

    for scope, ports in by_scope(EVERY_PAIR, idle):
        yield Breach(
            f"reserved{f' for {scope}' if scope else ''}, and nothing listens there: {ports_in_words(ports)}",
            observed=ports_in_words(ports),
            expected="a listener for each reserved port",
            source=f"{stack.reserved.source}; {stack.listening.source}",
        )


def _reserved_inside(stack: Stack, protocol: str, family: str) -> list[PortRange]:
    """The reserved ports that would be handed out otherwise."""
    reserved, ephemeral = (ports_for(ranges, protocol, family) for ranges in (stack.reserved, stack.ephemeral))
    return [both for one in reserved for part in ephemeral if (both := one.overlap(part))]


RULE = Rule(each="stack", severity="info", systems=("Linux", "NetBSD", "OpenBSD", "Windows"), check=check)
"""Where there is a list of reserved ports that a site can change."""
