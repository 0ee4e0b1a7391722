"""A process holds a raw socket.

Why it matters
--------------
A raw socket is told of every packet of an IP protocol that reaches the host, and can send packets with any content, so that a program can
answer, or be woken up, without a port that anybody sees. Routing daemons, VPNs, network managers and `ping` of older systems need one.

Remedy
------
Find out what the program is there for. Stop what needs none, and take the right to open such sockets from what may not: CAP_NET_RAW.

Linux: `ss -wlpn` lists raw sockets with their processes; for a unit `systemctl edit UNIT` and
`CapabilityBoundingSet=~CAP_NET_RAW` below `[Service]`; `ping` needs none where `sysctl net.ipv4.ping_group_range` lets its users in
"""

from collections.abc import Iterator

from auditor.binding import Endpoint
from auditor.rule import Breach, Case, Rule, who_and_creator


def check(case: Case, endpoint: Endpoint) -> Iterator[Breach]:
    if endpoint.kind == "raw":
        yield Breach(
            f"a raw {endpoint.family} socket on {endpoint.address} takes {endpoint.protocol}",
            observed=who_and_creator(endpoint),
            source=endpoint.source,
        )


RULE = Rule(each="endpoint", severity="info", systems=("Linux",), needs=("endpoints",), check=check)
