"""A listener is held by another program, user or unit than when the baseline was taken.

Why it matters
--------------
The port is the same, and so is the firewall's rule for it; who answers is not. A package may have moved its binary, or a service its
unit; or another program took the port and gets what was meant for the first.

Remedy
------
Compare the two holders: was the change meant? If so, take a new baseline: `port-auditor collect -o baseline.evidence`. Bind the approval
to the executable and the user, so that the policy finds it too.

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

from auditor.differences import UNKNOWN, Change
from auditor.facts import UnknownFact
from auditor.rule import Breach, Case, Rule

_ASPECTS = ("owners", "which has what", "creator", "socket unit", "activates")


def check(case: Case, change: Change) -> Iterator[Breach]:
    if change.sign == UNKNOWN and change.is_of("listening", "stacks", "stack"):
        raise UnknownFact(f"whether a listener has another owner cannot be told: {change.why}", "listeners")
    if change.kind != "socket" or change.aspect not in (*_ASPECTS, *([""] if change.sign == UNKNOWN else [])):
        return
    if change.sign == UNKNOWN:
        raise UnknownFact(f"whether it has another owner cannot be told: {change.why}", "owners")
    yield Breach(
        f"{change.subject} has another {'owner' if change.aspect == 'owners' else change.aspect} than at the baseline",
        observed=change.after,
        expected=change.before,
        source=case.baseline_words,
    )


RULE = Rule(each="change", severity="medium", needs=("baseline",), check=check)
