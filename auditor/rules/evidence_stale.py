"""The evidence is older than the policy lets it be, or dated in the future.

Why it matters
--------------
A verdict speaks of the moment when the evidence was taken. Judged weeks later it says little of the host as it is, and old evidence of
a better day is the simplest way to a good report. A stamp in the future means a clock that is wrong, and then no order of events holds.

Remedy
------
Collect again (`port-auditor collect -o HOST.evidence`), and let a timer do it. Where the stamp is in the future, set the host's clock.

Linux: `timedatectl set-ntp true`.

FreeBSD: `sysrc ntpd_enable=YES ntpd_sync_on_start=YES && service ntpd start`.

OpenBSD: `rcctl enable ntpd && rcctl start ntpd`.
"""

import datetime
from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Snapshot
from auditor.rule import Breach, Case, NotChecked, Rule

_AHEAD = datetime.timedelta(days=1)
"""How far ahead of the judge's day a stamp may be: clocks and the ends of days differ."""


def check(case: Case, snapshot: Snapshot) -> Iterator[Breach]:
    days = case.parameters.get("at_most_days")
    if days is None:
        raise NotChecked("the policy gives no `at_most_days` for it")
    taken = _day(snapshot.taken)
    if taken - case.today > _AHEAD:
        yield _breach(f"taken {(taken - case.today).days} days in the future", snapshot, "a stamp that is past")
    elif (age := (case.today - taken).days) > days:
        yield _breach(f"taken {age} days ago", snapshot, f"at most {days} days ago")


def _day(stamp: str) -> datetime.date:
    """The day in UTC of a stamp as RFC 3339 has it. Raises UnknownFact where it is none."""
    try:
        moment = datetime.datetime.fromisoformat(stamp)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(datetime.UTC).date()
    except (ValueError, OverflowError):
        raise UnknownFact(f"when the evidence was taken is not known: {stamp!r} is no stamp as 2026-11-20T23:00:00Z") from None


def _breach(message: str, snapshot: Snapshot, expected: str) -> Breach:
    return Breach(message, observed=snapshot.taken, expected=expected, source="the evidence's own stamp")


RULE = Rule(each="host", severity="low", check=check, parameters={"at_most_days": int})
