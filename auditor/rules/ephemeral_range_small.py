"""The kernel has few ports to hand out.

Why it matters
--------------
Each outgoing connection to one destination takes a port of its own. With few of them a busy client or proxy runs out, and connections
fail with EADDRNOTAVAIL; and a port that is one of few is easy to guess (RFC 6056 asks for as large a range as possible).

Remedy
------
Widen the range, away from service ports: `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`, or keep fewer ports reserved. The
parameter `at_least` says how many ports are enough.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Range
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    least = case.parameters.get("at_least")
    if least is None:
        raise NotChecked("the policy gives no `at_least` for it")
    if ports.role == "low":
        return  # small everywhere: handed out to the privileged alone, who ask for it
    left = min(_left(case, ports, protocol, family) for protocol, family in ports.pairs)
    if left < least:
        if left + max(case.stack.ephemeral.ports_in_doubt(*pair) for pair in ports.pairs) >= least:
            raise UnknownFact(f"only {left} ports are handed out for certain; whether others are is not known")
        yield Breach(
            f"only {left} ports can be handed out",
            observed=f"{ports.ports} ({len(ports.ports)} ports) minus {len(ports.ports) - left} reserved = {left}",
            expected=f"at least {least}",
            source="policy, rules: ephemeral-range-small",
        )


def _left(case: Case, ports: Range, protocol: str, family: str) -> int:
    """How many ports of the range can be handed out for one protocol and family."""
    reserved = [one.ports for one in case.stack.reserved.about(protocol, family) if one.speaks_of(protocol, family)]
    return sum(len(part) for part in ports.ports.minus(reserved))


RULE = Rule(each="range", severity="low", parameters={"at_least": int}, check=check)
