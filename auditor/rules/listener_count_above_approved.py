"""More sockets listen than the policy approves of this kind.

Why it matters
--------------
`at_most` bounds an approval that names no fixed port: statd may take four ports that the kernel gives, not forty. More of them are
copies that nobody started on purpose, or something else that looks the same.

Remedy
------
Look which of them belong there, and stop the others. Where more are right, raise `at_most` in the policy.

Linux: `ss -lntup` lists them with their processes; `systemctl restart UNIT` ends copies that were left behind.

FreeBSD, DragonFly, NetBSD: `sockstat -l` lists them with their processes.

OpenBSD: `fstat -n | grep internet` lists them with their processes.

Darwin: `lsof -nP -iTCP -sTCP:LISTEN -iUDP` lists them with their processes.

Windows: `netstat -ano` lists them with their processes.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.policy_entries import Entry
from auditor.rule import Breach, Case, Rule


def check(case: Case, entry: Entry) -> Iterator[Breach]:
    if entry.at_most is None:
        return
    found: list[str] = []
    unsure: UnknownFact | None = None
    try:
        for socket in case.stack.listening:
            try:
                if entry.matches(socket, case.stack):
                    found.append(str(socket))
            except UnknownFact as reason:
                unsure = unsure or reason
    except UnknownFact as gap:
        unsure = unsure or gap
    if len(found) > entry.at_most:
        yield Breach(
            f"{len(found)} sockets are '{entry}', and at most {entry.at_most} may be",
            observed=", ".join(found),
            expected=f"at most {entry.at_most}",
            source=f"policy {entry.origin}",
        )
    elif unsure is not None:
        raise unsure


RULE = Rule(each="approved", severity="medium", needs=("approved",), check=check)
