"""A reserved port is in no range that the kernel hands out, so that reserving it does nothing.

Why it matters
--------------
Somebody reserved it to protect a service. Either the service moved, or the range did: then the ports that need it now may not be reserved.
OpenBSD ships a list of which some ports are outside its range, so this rule is off until a site wants it.

Remedy
------
Take the port out of the list, after looking for the service that it was for.

Linux: `sysctl -w net.ipv4.ip_local_reserved_ports=PORTS` with what is left, and the same line in a file of /etc/sysctl.d.

NetBSD: `sysctl -w net.inet.ip.anonportalgo.reserve=PORTS` with what is left, the same for net.inet6.ip6, and both in /etc/sysctl.conf.

OpenBSD: `sysctl net.inet.tcp.baddynamic=-PORT`, or net.inet.udp, and the same in /etc/sysctl.conf.
"""

from collections.abc import Iterator

from auditor.model import Stack
from auditor.port_range import PortRange
from auditor.port_scopes import EVERY_PAIR, by_scope, ports_for, ports_in_words
from auditor.rule import Breach, Case, Rule


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    def idle(protocol: str, family: str) -> list[PortRange]:
        return PortRange.joined(ports_for(stack.reserved, protocol, family), without=ports_for(stack.ephemeral, protocol, family))

    for scope, ports in by_scope(EVERY_PAIR, idle):
        yield Breach(
            f"reserved{f' for {scope}' if scope else ''}, and in no range that is handed out: {ports_in_words(ports)}",
            observed=ports_in_words(ports),
            expected="reserved ports inside the ephemeral range",
            source=f"{stack.reserved.source}; {stack.ephemeral.source}",
        )


RULE = Rule(each="stack", severity="low", systems=("Linux", "NetBSD", "OpenBSD"), check=check)
"""Where a list of reserved ports does nothing but keep them from being handed out."""
