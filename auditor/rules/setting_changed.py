"""A port setting is not what it was when the baseline was taken.

Why it matters
--------------
The threshold, the ephemeral range and the reserved ports decide who may take which port. Firewalls and other policies were planned
around what they were; a change that nobody knows of is a change that nobody reviewed.

Remedy
------
Find who changed it, and set it back, now and for the next boot. Where the change was meant, take a new baseline:
`port-auditor collect -o baseline.evidence`.

Linux: `grep -rn NAME /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d /etc/sysctl.conf` finds the file, and `sysctl -w NAME=VALUE` sets it
back.

FreeBSD, DragonFly, NetBSD, OpenBSD: `grep -n NAME /etc/sysctl.conf` finds the line; `sysctl NAME=VALUE` sets it back.

Darwin: `sysctl -w NAME=VALUE` sets it back.

SunOS: `ipadm set-prop -p PROPERTY=VALUE PROTOCOL` sets it back.

AIX: `no -p -o NAME=VALUE` sets it back, now and for the next boot.

HP-UX: `ndd -set /dev/tcp NAME VALUE` sets it back, a line in /etc/rc.config.d/nddconf for the next boot.

Windows: `netsh int ipv4 set dynamicport tcp start=49152 num=16384` sets the ephemeral range back.
"""

from collections.abc import Iterator

from auditor.differences import UNKNOWN, Change
from auditor.facts import UnknownFact
from auditor.rule import Breach, Case, Rule

_RANGES = ("privileged", "ephemeral", "reserved")
_SETTINGS = ("settings", "setting", "persisted")


def check(case: Case, change: Change) -> Iterator[Breach]:
    if change.sign == UNKNOWN and change.is_of("stacks", "stack", *_RANGES, *_SETTINGS):
        raise UnknownFact(f"whether a setting is another cannot be told: {change.why}", "settings")
    if change.kind not in (*_RANGES, *_SETTINGS) or _told_as_a_range(case, change):
        return
    yield Breach(
        f"{change.what} is {change.after or 'not set'} and was {change.before or 'not set'}",
        observed=change.after or "not set",
        expected=change.before or "not set",
        source=case.baseline_words,
    )


def _told_as_a_range(case: Case, change: Change) -> bool:
    """A setting that says a range is told of once, as the range."""
    stack = case.stack
    return change.kind == "setting" and change.subject in (stack.privileged.source, stack.ephemeral.source, stack.reserved.source)


RULE = Rule(each="change", severity="medium", needs=("baseline",), check=check)
