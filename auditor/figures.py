"""The figures of a report that monitoring asks for: numbers alone, without a name of anything on a host."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.days import day
from auditor.model import Socket
from auditor.stamps import in_utc, milliseconds

if TYPE_CHECKING:
    from auditor.report import Report

REACHES = ("loopback", "container", "link", "private", "public", "unknown")
"""How far a listener can be reached, in the contract's words."""
OWNER_STATES = ("known", "partial", "unreadable", "none")
"""How much is known of who holds a listener, in the contract's words."""
DAYS_OF_NOTICE = 30


def listeners(report: Report) -> Iterator[Socket]:
    """Every listener that was seen, of all hosts and stacks."""
    for host in report.hosts:
        for stack in host.snapshot.facts("stacks").seen:
            yield from stack.facts("listening").seen


def reaches(report: Report) -> dict[str, int]:
    """How many listeners are reached how far; what is no word of the contract is unknown."""
    return _counted(REACHES, "unknown", [str(socket.shown.get("reach")) for socket in listeners(report)])


def owner_states(report: Report) -> dict[str, int]:
    """Of how many listeners how much is known of their owners; what is not shown is unreadable."""
    return _counted(OWNER_STATES, "unreadable", [str(socket.shown.get("owner_state")) for socket in listeners(report)])


def acceptances(report: Report) -> dict[str, datetime.date | None]:
    """What somebody accepted, on which findings or gaps of this report rest: by its place in the policy, its last day (None: no date)."""
    return {found.waiver.get("origin", ""): day(found.waiver.get("expires", "")) for found in report.findings if found.waiver is not None}


def expiring(report: Report) -> int:
    """How many of them end within DAYS_OF_NOTICE days of the day of the audit; one whose last day cannot be told is among them."""
    today = day(report.evaluated_on)
    last = today and today + datetime.timedelta(days=DAYS_OF_NOTICE)
    return sum(end is None or last is None or end <= last for end in acceptances(report).values())


def evidence_moment(report: Report) -> int | None:
    """When the oldest evidence was taken, in seconds since 1970; None where there is none, or any of it does not tell."""
    taken = [moment(str(host.snapshot.shown.get("taken"))) for host in report.hosts]
    known = [when for when in taken if when is not None]
    return min(known) if known and len(known) == len(taken) else None


def moment(stamp: str) -> int | None:
    """An RFC 3339 stamp in seconds since 1970; None where it is none."""
    utc = in_utc(stamp)
    return None if utc is None else milliseconds(utc) // 1000


def duration(report: Report) -> int | None:
    """How long the audit took, in seconds; None where its stamps do not tell."""
    started, finished = moment(report.started), moment(report.finished)
    return None if started is None or finished is None else finished - started


def _counted(words: tuple[str, ...], other: str, found: list[str]) -> dict[str, int]:
    counts = Counter(word if word in words else other for word in found)
    return {word: counts[word] for word in words}
