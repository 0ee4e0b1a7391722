"""The kernel may hand out ports that are privileged, or that IANA keeps for system services.

Why it matters
--------------
A program that asks for any port at all may then be given one below 1024: it squats a service's port without meaning to, and others
trust it as a privileged one (rsh, NFS and firewalls still do).

Remedy
------
Let the range begin above the privileged ports: `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`. Linux refuses a range below
net.ipv4.ip_unprivileged_port_start, so a range that reaches there means that the threshold was lowered as well: raise it again.
"""

from collections.abc import Iterator

from auditor.model import Range
from auditor.rule import Breach, Case, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    system_ports = case.tables.iana_ranges["system"]
    overlap = ports.ports.overlap(system_ports)
    if overlap:
        yield Breach(
            f"the kernel may hand out {overlap}, which are System Ports",
            observed=f"ephemeral: {ports.ports}",
            expected=f"none of {system_ports}",
            source="IANA System Ports, RFC 6335 section 6",
        )
    for privileged in case.stack.privileged:
        overlap = ports.ports.overlap(privileged.ports)
        if overlap and overlap.minus([system_ports]):
            yield Breach(
                f"the kernel may hand out {overlap}, which are privileged here",
                observed=f"ephemeral: {ports.ports}; privileged: {privileged.ports}",
                expected="ephemeral and privileged ports apart",
            )


RULE = Rule(each="range", severity="high", check=check)
