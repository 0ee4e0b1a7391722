"""Something listens that the policy does not approve.

Why it matters
--------------
A port nobody approved is a service nobody maintains, reviews or firewalls: a forgotten daemon, a debug server, an intruder. Comparing
what listens with a signed list is what CIS ("only approved services are listening") and NIST CM-7 ask for.

Remedy
------
Stop and disable what is not needed: `systemctl disable --now UNIT`. Bind what only this host needs to 127.0.0.1. What is needed, add to
`listening: approved` with its purpose and owner, bound to its executable and user, so that nothing else passes on its port.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    unsure: UnknownFact | None = None
    near = None
    for entry in (*case.policy.approved, *case.policy.required):
        try:
            if entry.matches(socket, case.stack):
                return
        except UnknownFact as reason:
            unsure = unsure or reason
        if any(socket.port in ports for ports in entry.ports):
            near = near or entry
    if unsure is not None:
        raise unsure
    yield Breach(
        f"{socket} is not approved" + (f": it differs from '{near}' ({near.origin}), which names its port" if near else ""),
        observed=who(socket),
        expected=f"one of {len(case.policy.approved)} approved listeners",
        source=f"policy {case.policy.name}",
    )


RULE = Rule(each="socket", severity="medium", needs=("approved",), check=check)
