"""Others than root may change a file that has the capability to take privileged ports.

Why it matters
--------------
Whoever changes the file decides what runs with its capability, for everybody who runs it. That it is written to takes the capability away,
whoever writes, and so does cutting it short; but not a change through a shared memory mapping (mmap(2)), as tried on ext4 and tmpfs of
Linux 6.18: the new code keeps the right. So a file that others may write to gives them privileged ports, and so does one that is somebody's
own. Who may write to a folder above it can only put a file without the capability in its place: folders are not judged here.

Remedy
------
Give the file to root, take the right to write from everybody else, and see that it is what was installed. Then set the capability again:
a change of owner takes it away.

Linux: `chown root:root FILE && chmod go-w FILE && setcap cap_net_bind_service=ep FILE`; `setfacl -b FILE` removes an access control
list. `rpm -Vf FILE` or `dpkg -V $(dpkg -S FILE | cut -d: -f1)` tells whether it was changed.
"""

from collections.abc import Iterator

from auditor.binding import Grant
from auditor.facts import UnknownFact
from auditor.owner import Identity, Owner
from auditor.rule import Breach, Case, Rule

_ROOT = Owner(uid=0, root=Identity(uid=0, gid=0))


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    if grant.shown.get("ports") == [] or grant.file is None:
        return
    file = grant.file
    others: list[str] = []
    why: UnknownFact | None = None
    try:
        for other in file.open_to(_ROOT):
            others.append(other)
    except UnknownFact as unknown:
        why = unknown
    if others:
        yield Breach(
            f"{' and '.join(others)} may change {grant.executable}, which gives {grant.scope} privileged ports",
            observed=f"{grant.executable} is mode {file.mode}, owner {file.uid}, group {file.gid}; {'; '.join(grant.via)}",
            expected="changed by root alone",
            source=grant.source,
        )
    if why is not None:
        raise why


RULE = Rule(each="grant", paths=("file-capability",), severity="high", stacks="host", systems=("Linux",), check=check)
