"""The first and the last ephemeral port are both even or both odd.

Why it matters
--------------
Since Linux 4.2 connect() prefers ports of the parity of the first one, and bind() to any port those of the other, so that neither takes the
other's. With ends of equal parity one half has a port more than the other, and the kernel warns: "ip_local_port_range: prefer different
parity for start/end values" (ip-sysctl.rst says the same). It is untidy, and the sign of a range that was made up by hand.

Remedy
------
Move one end by one.

Linux: `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`, and the same line in a file of /etc/sysctl.d.
"""

from collections.abc import Iterator

from auditor.model import Range
from auditor.port_range import PortRange
from auditor.port_scopes import ports_in_words
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    if not _equal(ports.ports):
        return
    record, shipped = case.shipped_ephemeral(ports)
    if any(map(_equal, shipped)):
        raise NotChecked(f"this release ships ends of equal parity itself, and makes nothing of it (vendor row {record})")
    parity = "odd" if ports.first % 2 else "even"
    yield Breach(
        f"the first and the last port are both {parity}",
        observed=ports_in_words([ports.ports]),
        expected="one even, one odd",
        source="Documentation/networking/ip-sysctl.rst, ip_local_port_range",
    )


def _equal(ports: PortRange) -> bool:
    return (ports.last - ports.first) % 2 == 0


RULE = Rule(each="range", severity="info", systems=("Linux",), check=check)
