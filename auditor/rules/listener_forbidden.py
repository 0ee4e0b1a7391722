"""Something listens that the policy forbids.

Why it matters
--------------
The policy names it because it must not run at all: a cleartext login, an interface without authentication, a program that was not
installed. No approval outweighs it.

Remedy
------
Stop it: `systemctl disable --now UNIT`, and remove the package. A program under /tmp or a home folder: find out who started it before
you stop it. Where an exception is right, write it as `except` in the policy, or waive it with a reason and an end.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    unsure: UnknownFact | None = None
    for entry in case.policy.forbidden:
        try:
            forbidden = entry.matches(socket, case.stack)
        except UnknownFact as reason:
            unsure = unsure or reason
            continue
        if forbidden:
            yield Breach(
                f"{socket} is forbidden" + (f": {entry.why}" if entry.why else ""),
                observed=who(socket),
                expected="nothing that the policy forbids",
                source=f"policy {entry.origin}",
            )
            return
    if unsure is not None:
        raise unsure


RULE = Rule(each="socket", severity="high", needs=("forbidden",), check=check)
