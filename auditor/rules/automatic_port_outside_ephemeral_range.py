"""The kernel hands out a port that is outside the ephemeral range, or reserved.

Why it matters
--------------
A firewall, a list of reserved ports and the choice of a port for a service all rest on the ephemeral range. Where bind(2) of port 0 gives
a port outside it, or one that is kept from automatic use, something else chooses: a BPF program, or a kernel that does not do as its
settings say; and a service may find its port taken.

Remedy
------
Find what chooses, and compare with what the settings say.

Linux: `sysctl net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports` in that network namespace; `bpftool cgroup tree` lists
programs that may give another port.
"""

from collections.abc import Iterator

from auditor.binding import Measured
from auditor.facts import Facts, UnknownFact
from auditor.model import Range
from auditor.port_range import PortRange
from auditor.rule import Breach, Case, Rule


def check(case: Case, measured: Measured) -> Iterator[Breach]:
    given = list(dict.fromkeys(measured.automatic))
    ranges, why = _known(case.stack.ephemeral, measured)
    outside = sorted(port for port in given if not any(port in ports for ports in ranges)) if why is None else []
    reserved, why_reserved = _known(case.stack.reserved, measured)
    kept = sorted(port for port in given if any(port in ports for ports in reserved))
    parts = (
        (outside, "outside the ephemeral range", "", ranges, case.stack.ephemeral),
        (kept, "reserved", "none of ", reserved, case.stack.reserved),
    )
    for ports, words, prefix, expected, facts in parts:
        if ports:
            yield Breach(
                f"{len(ports)} of {len(given)} ports that the kernel chose are {words}, {ports[0]} the lowest",
                observed=", ".join(map(str, ports)),
                expected=prefix + (", ".join(map(str, expected)) or "no port"),
                source=facts.source,
            )
    if unknown := why or why_reserved:
        raise unknown


def _known(facts: Facts[Range], measured: Measured) -> tuple[list[PortRange], UnknownFact | None]:
    """The ranges that were seen of its protocol and family, and why there may be more."""
    found = []
    try:
        for one in facts.about(measured.protocol, measured.family):
            if one.speaks_of(measured.protocol, measured.family):
                found.append(one.ports)
    except UnknownFact as unknown:
        return found, unknown
    return found, None


RULE = Rule(each="measured", severity="medium", needs=("measured",), systems=("Linux",), check=check)
