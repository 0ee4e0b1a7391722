"""A file gives whoever runs it privileged ports, and the policy does not name it.

Why it matters
--------------
A capability or a set-user-ID bit on a file stays when the service that needed it is gone, goes with no account, and is shown by no list of
services. The policy says who may hold privileged ports (`privileged: granted_to`); a file that gives them and is named by no entry's
`executable` is a way that nobody reviewed. An entry of users or units alone approves no file, since others may run it as well; one that
names the file beside a user approves the file, whoever runs it: see who may, and that it does no more than its own service.

Remedy
------
Find out which service needs it. Take the right from the file where none does; where one does, name the file in `privileged: granted_to`, or
let the service manager give the right to that service alone.

Linux: `setcap -r FILE` takes a capability away, `chmod u-s FILE` a set-user-ID bit; `dpkg -S FILE` or `rpm -qf FILE` tells which package
brought it. In a unit: `AmbientCapabilities=CAP_NET_BIND_SERVICE` with `User=`.
"""

from collections.abc import Iterator
from functools import partial

from auditor.binding import Grant
from auditor.model import Socket
from auditor.owner import Owner
from auditor.policy_wants import any_of, executable_fits
from auditor.rule import Breach, Case, Rule


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    if grant.shown.get("ports") == []:
        return
    runs = Owner(executable=grant.executable)
    naming = [entry.wanted["executable"] for entry in case.policy.granted_to or () if "executable" in entry.wanted]
    if any_of(partial(executable_fits, paths, runs, Socket()) for paths in naming):
        return
    yield Breach(
        f"{grant.executable} gives {grant.scope} privileged ports, and the policy names no such file",
        observed="; ".join(grant.via),
        expected=f"one of the {len(naming)} holders whose executable the policy names",
        source=f"policy {case.policy.origin('privileged', 'granted_to')}",
    )


RULE = Rule(
    each="grant", severity="medium", needs=("granted_to",), paths=("file-capability", "setuid"), stacks="host", systems=("Linux",),
    check=check,
)  # fmt: skip
