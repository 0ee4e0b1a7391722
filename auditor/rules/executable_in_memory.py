"""A listener runs a program that is in no file system.

Why it matters
--------------
A program that was written to memory (memfd_create) and run from there leaves nothing on a disk: no package owns it, no scanner of files
sees it, and after a reboot it is gone. Hardly any service does so; implants do.

Remedy
------
Keep a copy of what runs and of its memory before the process is stopped, and handle the host as compromised until it is explained.

Linux: `cp /proc/PID/exe /root/copy-of-PID; ls -l /proc/PID/fd /proc/PID/cwd; cat -v /proc/PID/cmdline`
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.owner import DELETED, IN_MEMORY, Owner
from auditor.rule import Breach, Case, Rule, of_each_executable, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    yield from of_each_executable(case, socket, lambda owner: _found(owner, socket))


def _found(owner: Owner, socket: Socket) -> Iterator[Breach]:
    path = owner.executable
    if path is not None and (path.startswith(IN_MEMORY) or not path.startswith("/")) and path.endswith(DELETED):
        yield Breach(
            f"{path.removesuffix(DELETED)} runs from memory, from no file",
            observed=f"{socket}: {who(socket)}",
            expected="a program in a file system",
            fold=path,
        )


RULE = Rule(each="socket", severity="high", check=check)
