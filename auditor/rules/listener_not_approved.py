"""Something listens that the policy does not approve.

Why it matters
--------------
A port nobody approved is a service nobody maintains, reviews or firewalls: a forgotten daemon, a debug server, an intruder. Comparing
what listens with a signed list is what CIS ("only approved services are listening") and NIST CM-7 ask for.

Remedy
------
Stop and disable what is not needed. Bind what only this host needs to 127.0.0.1. What is needed, add to `listening: approved` with its
purpose and owner, bound to its executable and user, so that nothing else passes on its port.

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
    near = None
    for entry in case.policy.approved_for(socket):
        try:
            if entry.matches(socket, case.stack):
                return
        except UnknownFact as reason:
            unsure = unsure or reason
        if any(socket.port in ports for ports in entry.ports):
            near = near or entry
    if unsure is not None:
        raise unsure
    near_miss = f": it differs from '{near}' ({near.origin}) in {', '.join(near.differs_in(socket, case.stack))}" if near else ""
    yield Breach(
        f"{socket} is not approved{near_miss}",
        observed=who(socket),
        expected=f"one of {len(case.policy.approved)} approved listeners",
        source=f"policy {case.policy.name}",
    )


RULE = Rule(each="socket", severity="medium", needs=("approved",), check=check)
