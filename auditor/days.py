"""Days, and how long something holds from the day of an audit."""

from __future__ import annotations

import datetime

from auditor.in_words import counted


def day(text: str) -> datetime.date | None:
    """A date as YYYY-MM-DD; None where it is none."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def until(last: str, evaluated_on: str) -> int | None:
    """How many days there are from the audit to another day; None where that cannot be told."""
    then, now = day(last), day(evaluated_on)
    return None if then is None or now is None else (then - now).days


def left(days: int | None, over: str) -> str:
    """`over` says what becomes of it after its last day, for "expired {} ago"."""
    if days is None:
        return "not known"
    told = counted(abs(days), "day")
    return over.format(told) if days < 0 else "its last day" if days == 0 else f"{told} left"
