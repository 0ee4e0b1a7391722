"""A listener serves IPv4 and IPv6, and the policy approves one of them.

Why it matters
--------------
A socket on the address `::` that is not kept to IPv6 takes IPv4 as well. Who approved a service for IPv4 alone, and filters IPv4 alone, has
it open to IPv6 without knowing. An entry of `approved` that asks for a `family` matches such a listener, because it does serve that
family; this rule tells of the other one.

Remedy
------
Bind the service to addresses of the approved family (`0.0.0.0`, or better the one that it is meant for), or approve the other family too
and filter it as well.

Linux: Of a socket unit, `systemctl edit UNIT.socket` and there `BindIPv6Only=ipv6-only` in [Socket], or a `ListenStream=` that names the
address.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.policy_entries import Entry
from auditor.rule import Breach, Case, Rule, those


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    if socket.address != "::" or socket.state == "bound":
        return
    approving: list[Entry] = []
    unsure: UnknownFact | None = None
    try:
        approving.extend(those(case.policy.approved_for(socket), lambda entry: entry.matches(socket, case.stack)))
    except UnknownFact as reason:
        unsure = reason
    if not all("family" in entry.wanted for entry in approving) or not (approving or unsure) or socket.v6only:
        return
    missing = set(socket.families) - {entry.wanted["family"] for entry in approving}
    if missing and unsure is not None:
        raise unsure
    if missing:
        yield Breach(
            f"{socket} serves {', '.join(missing)} too, for which nothing approves it",
            observed=f"address {socket.address}, not kept to IPv6: {' and '.join(socket.families)}",
            expected=", ".join(f"'{entry}' ({entry.origin}) for {entry.wanted['family']}" for entry in approving),
            source=f"policy {case.policy.name}",
        )


RULE = Rule(each="socket", severity="medium", needs=("approved",), check=check)
