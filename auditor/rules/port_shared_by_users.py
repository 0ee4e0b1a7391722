"""Several users hold sockets on one port.

Why it matters
--------------
Where sockets share an address and port (SO_REUSEPORT; for UDP SO_REUSEADDR too), the kernel gives each a part of what arrives, or all of it
to the latest one. So one user reads what was meant for another and answers in its place. One socket that several processes inherited is
one socket, whoever they run as. The parameter `except` names ports that are shared on purpose, as udp/5353.

Remedy
------
Find out which of the programs the port is meant for and stop the other, or give each an address of its own.

Linux: `ss -Htulpne 'sport = :PORT'` lists the sockets with their processes and creators. Where the port is shared on purpose, say so:
`rules: {port-shared-by-users: {except: [udp/5353, udp/1900, udp/PORT]}}` in the policy.
"""

from collections.abc import Iterator

from auditor.model import WILDCARDS, Socket
from auditor.rule import Breach, Case, Rule, who_and_creator

_SEVERITIES = {"udp": "info", "udplite": "info"}
"""Where sharing takes no more than that both programs ask for it."""


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    if f"{socket.protocol}/{socket.port}" in case.parameters.get("except", []) or socket.state == "bound":
        return
    alike = WILDCARDS if socket.address in WILDCARDS else (socket.address,)
    for other in case.of_other_users(socket, alike, _share):
        one, another = sorted((socket, other), key=lambda held: (str(held), who_and_creator(held)))
        if str(socket) == str(one):
            yield Breach(
                f"different users hold sockets on {one}" + ("" if str(one) == str(another) else f" and {another}"),
                observed=f"{who_and_creator(one)} | {who_and_creator(another)}",
                expected="sockets of one user",
                severity=_SEVERITIES.get(socket.protocol),
            )


def _share(socket: Socket, other: Socket) -> bool:
    return (
        other.state != "bound"
        and other.shown.get("zone") == socket.shown.get("zone")
        and not set(socket.families).isdisjoint(other.families)
        and other.device == socket.device
    )


RULE = Rule(each="socket", severity="medium", systems=("Linux",), parameters={"except": list}, check=check)
