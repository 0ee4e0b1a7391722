"""The ephemeral port range is not the one the vendor ships.

Why it matters
--------------
Somebody changed it, for a reason that is seldom written down: load, a firewall, an old tuning guide. Service ports that were safe by
default may now be handed out, or the other way round. This is inventory: it says that the host differs, not that it is wrong.

Remedy
------
Find who set it (`grep -r ip_local_port_range /etc/sysctl.d`), and either remove the line or state the range in the policy
(`ephemeral: {expect: 20000-60999}`), with the reason in a comment.
"""

from collections.abc import Iterator

from auditor.model import Range
from auditor.rule import Breach, Case, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    record, shipped = case.shipped_ephemeral(ports)
    if ports.ports not in shipped:
        yield Breach(
            "the ephemeral range is not the vendor's default",
            observed=f"{ports.ports} ({len(ports.ports)} ports)",
            expected=" or ".join(f"{one} ({len(one)} ports)" for one in shipped),
            source=f"vendor table, {record}",
        )


RULE = Rule(each="range", severity="info", check=check)
