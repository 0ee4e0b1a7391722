"""Something that listened when the baseline was taken no longer does.

Why it matters
--------------
A service stopped, crashed, or now listens elsewhere. Where it was a log forwarder, an agent or a backup, other controls are blind
without it; where it was retired, its approval should go too.

Remedy
------
Find out whether that was meant. If so, remove its approval and take a new baseline: `port-auditor collect -o baseline.evidence`. What must
always run belongs into `listening: required`.

Linux: `systemctl status UNIT`, `journalctl -u UNIT` say why it ended; `systemctl enable --now UNIT` starts it again.

FreeBSD, DragonFly, NetBSD: `service NAME status`, and `service NAME start` to start it again.

OpenBSD: `rcctl check NAME`, and `rcctl start NAME` to start it again.

Darwin: `launchctl print system/LABEL` says why it ended; `launchctl kickstart system/LABEL` starts it again.

SunOS: `svcs -xv NAME` says why it ended; `svcadm enable NAME` starts it again.

Windows: `Get-Service NAME`, and `Start-Service NAME` to start it again.
"""

from collections.abc import Iterator

from auditor.differences import CHANGED, REMOVED, UNKNOWN, Change
from auditor.facts import UnknownFact
from auditor.rule import Breach, Case, Rule


def check(case: Case, change: Change) -> Iterator[Breach]:
    if change.sign == UNKNOWN and change.is_of("listening", "stacks", "stack"):
        raise UnknownFact(f"whether a listener is gone cannot be told: {change.why}", "listeners")
    if change.kind != "socket" or change.aspect not in ("", "how many"):
        return
    if change.sign == UNKNOWN:
        raise UnknownFact(f"whether it is gone cannot be told: {change.why}", "listeners")
    if change.sign == REMOVED or (change.sign == CHANGED and int(str(change.after)) < int(str(change.before))):
        yield Breach(
            f"{change.subject} no longer listens" if change.sign == REMOVED else f"fewer sockets are {change.subject}",
            observed=change.after or "nothing there",
            expected=change.before,
            source=case.baseline_words,
        )


RULE = Rule(each="change", severity="low", needs=("baseline",), check=check)
