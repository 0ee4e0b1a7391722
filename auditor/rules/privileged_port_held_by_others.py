"""A privileged port is held by somebody whom the policy does not let hold one.

Why it matters
--------------
A client that reaches a port below the threshold believes that an administrator started what answers. The policy names who may
(`privileged: granted_to`); whoever else holds such a port got the right in a way that nobody reviewed: a capability, a setuid program,
a lowered threshold, a descriptor handed on.

Remedy
------
Find out how it got the port. Stop it, or take the right away; where it is right, name it in `privileged: granted_to`, by its executable
and user.

Linux: `getpcaps PID` and `getcap EXECUTABLE` show the capability; `setcap -r EXECUTABLE` takes it from the file.

FreeBSD: `sysctl security.mac.portacl.rules` shows who was granted a port.

SunOS: `ppriv PID` shows the privileges of a process; `usermod -K defaultpriv=basic USER` takes net_privaddr away.

OpenBSD, NetBSD, DragonFly: only root may take such a port: `ps -o user,command -p PID` shows who holds it now.
"""

from collections.abc import Iterator
from functools import partial

from auditor.model import WILDCARDS, Socket
from auditor.policy_wants import any_of
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    if not _privileged(case, socket):
        return
    if any_of(partial(entry.matches, socket, case.stack) for entry in case.policy.granted_to or ()):
        return
    yield Breach(
        f"{socket} is a privileged port, and who holds it may not hold one",
        observed=who(socket),
        expected=f"one of the {len(case.policy.granted_to or ())} holders that the policy names",
        source=f"policy {case.policy.origin('privileged', 'granted_to')}",
    )


def _privileged(case: Case, socket: Socket) -> bool:
    """Whether its port is privileged for its protocol and one of the families that it serves."""
    return any_of(partial(_privileged_over, case, socket, family) for family in socket.families)


def _privileged_over(case: Case, socket: Socket, family: str) -> bool:
    for ports in case.stack.privileged.about(socket.protocol, family, socket.port):
        exempt = ports.shown.get("wildcard_exempt") and socket.address in WILDCARDS
        if ports.speaks_of(socket.protocol, family) and socket.port in ports.ports and not exempt:
            return True
    return False


RULE = Rule(each="socket", severity="medium", needs=("granted_to",), check=check)
