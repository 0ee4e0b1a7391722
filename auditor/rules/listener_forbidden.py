"""Something listens that the policy forbids.

Why it matters
--------------
The policy names it because it must not run at all: a cleartext login, an interface without authentication, a program that was not
installed. No approval outweighs it.

Remedy
------
Stop it, for good, and remove what it came from. A program under /tmp or a home folder: find out who started it before you stop it. Where
an exception is right, write it as `except` in the policy, or waive it with a reason and an end.

Linux: `systemctl disable --now UNIT`.
Where it was started by hand (its unit is session-N.scope or another .scope, or it has none), `ps -o lstart,ppid,user -p PID` and
`loginctl session-status N` tell by whom; `kill PID` ends it.

Darwin: `launchctl disable system/LABEL && launchctl bootout system/LABEL`

FreeBSD: `service NAME stop && sysrc NAME_enable=NO`

OpenBSD: `rcctl stop NAME && rcctl disable NAME`

NetBSD: `/etc/rc.d/NAME stop && echo NAME=NO >> /etc/rc.conf`

DragonFly: `/etc/rc.d/NAME stop && echo NAME_enable=NO >> /etc/rc.conf`

SunOS: `svcadm disable FMRI`

HP-UX: `/sbin/init.d/NAME stop`, and its variable in /etc/rc.config.d to 0: `ch_rc -a -p VARIABLE=0`

AIX: `stopsrc -s SUBSYSTEM`, and its line out of /etc/rc.tcpip or, by `rmitab NAME`, out of /etc/inittab.

Windows: `sc.exe stop NAME`, then `sc.exe config NAME start= disabled`
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
