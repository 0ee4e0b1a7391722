"""The kernel hands out ports that the policy does not allow for that.

Why it matters
--------------
Firewalls, service ports and reserved lists are planned around the range that the policy names. A kernel that hands out other ports
can take a service's port before the service starts, or send from ports that a firewall drops.

Remedy
------
Set the range the policy names: `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`, and the same line in a file of
/etc/sysctl.d, so that it holds after a reboot. Where the host is right, change `ephemeral: expect` in the policy.
"""

from collections.abc import Iterator

from auditor.facts import PortRange
from auditor.model import Range
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    allowed = _allowed(case, ports)
    outside = [ports.ports]
    for one in allowed:
        outside = [part for left in outside for part in left.minus([one])]
    if outside:
        yield Breach(
            f"the kernel hands out {', '.join(map(str, outside))}, which the policy does not allow",
            observed=str(ports.ports),
            expected=", ".join(map(str, allowed)),
            source=f"policy {case.policy.origins['ephemeral']}",
        )


def _allowed(case: Case, ports: Range) -> list[PortRange]:
    expectation = case.policy.ephemeral
    if expectation is None:
        raise NotChecked("the policy expects no ephemeral range")
    if expectation.ranges is not None:
        return list(expectation.ranges)
    if expectation.table and expectation.table != "vendor-default":
        return case.tables.range_named(expectation.table)
    return case.shipped_ephemeral(ports)[1]


RULE = Rule(each="range", severity="medium", needs=("ephemeral",), check=check)
