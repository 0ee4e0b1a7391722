"""Something listens that did not when the baseline was taken.

Why it matters
--------------
A listener that came between two audits came by a change: a new service, an update that opens a port, an intruder. A change that nobody
knows of is what change control is for; approval by port alone does not find it where the port was approved for another.

Remedy
------
Find the change that brought it, or stop it. Where it belongs there, approve it in the policy and take a new baseline:
`port-auditor collect -o baseline.evidence`.

Linux: `systemctl status PID` names the unit of a process, `journalctl -u UNIT` when it began; `systemctl disable --now UNIT` ends it.
Where it was started by hand (its unit is session-N.scope or another .scope, or it has none), `ps -o lstart,ppid,user -p PID` and
`loginctl session-status N` tell by whom; `kill PID` ends it.

FreeBSD, DragonFly: `procstat -b PID` names the executable; `service NAME stop` and `sysrc NAME_enable=NO` end it.

OpenBSD: `rcctl ls started` lists the services; `rcctl disable NAME` and `rcctl stop NAME` end one.

NetBSD: `service NAME stop` ends it, and `NAME=NO` in /etc/rc.conf keeps it so.

Darwin: `launchctl list` names the services; `launchctl bootout system/LABEL` ends one.

SunOS: `svcs -p` names the service of a process; `svcadm disable NAME` ends it.

Windows: `Get-Process -Id PID | Select-Object Path` names the executable; `Stop-Service NAME` ends a service.
"""

from collections.abc import Iterator

from auditor.differences import ADDED, CHANGED, UNKNOWN, Change
from auditor.facts import UnknownFact
from auditor.rule import Breach, Case, Rule


def check(case: Case, change: Change) -> Iterator[Breach]:
    if change.sign == UNKNOWN and change.is_of("listening", "stacks", "stack"):
        raise UnknownFact(f"whether a listener is new cannot be told: {change.why}", "listeners")
    if change.kind != "socket" or change.aspect not in ("", "how many"):
        return
    if change.sign == UNKNOWN:
        raise UnknownFact(f"whether it is new cannot be told: {change.why}", "listeners")
    if change.sign == ADDED or (change.sign == CHANGED and int(str(change.after)) > int(str(change.before))):
        yield Breach(
            f"{change.subject} did not listen at the baseline" if change.sign == ADDED else f"more sockets are {change.subject}",
            observed=change.after,
            expected=change.before or "nothing there",
            source=case.baseline_words,
        )


RULE = Rule(each="change", severity="medium", needs=("baseline",), check=check)
