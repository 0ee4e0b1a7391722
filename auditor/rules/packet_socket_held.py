"""A process holds a packet socket.

Why it matters
--------------
A packet socket (AF_PACKET) is told of what passes an interface before any firewall of the host sees it, other programs' cleartext among
it, and can send what no firewall filters. DHCP clients, LLDP daemons and packet captures need one; what else holds one, listens in, or
waits for a packet that wakes it up. It shows on no list of ports.

Remedy
------
Find out what the program is there for. Stop what needs no packets, and take the right to open such sockets from what may not: CAP_NET_RAW.

Linux: `ss -0 -lpn` lists packet sockets with their processes; for a unit `systemctl edit UNIT` and
`RestrictAddressFamilies=~AF_PACKET` below `[Service]`
"""

from collections.abc import Iterator

from auditor.binding import Endpoint
from auditor.rule import Breach, Case, Rule, who_and_creator


def check(case: Case, endpoint: Endpoint) -> Iterator[Breach]:
    if endpoint.kind == "packet":
        device = endpoint.shown.get("device", "an interface that is not shown") or "every interface"
        yield Breach(
            f"a packet socket on {device} is told of {endpoint.protocol}",
            observed=who_and_creator(endpoint),
            source=endpoint.source,
        )


RULE = Rule(each="endpoint", severity="info", systems=("Linux",), needs=("endpoints",), check=check)
