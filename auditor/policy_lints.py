"""What is odd in a policy that loads: each entry is right by itself, and yet one says too much, or two do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.approvals import NAME, strength
from auditor.policy import Policy
from auditor.policy_containment import contains, ports_in, same
from auditor.policy_entries import Entry
from auditor.policy_index import EntriesByPort

if TYPE_CHECKING:
    import datetime

ERROR, WARNING = "error", "warning"


class Problem:
    """`severity`: an ERROR must be mended, a WARNING looked at. `origin` is the place as `file:line`, `advice` what to do next."""

    __slots__ = ("advice", "message", "origin", "severity")

    def __init__(self, severity: str, origin: str, message: str, advice: str) -> None:
        self.severity = severity
        self.origin = origin
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}; {self.advice}"


def problems(policy: Policy, today: datetime.date) -> list[Problem]:
    """All that is odd in a policy as merged, errors first. `today` is a day in UTC."""
    found = [
        *_incomplete(policy),
        *_contradictory(policy),
        *_covered(policy.approved, "approves"),
        *_covered(policy.forbidden, "forbids"),
        *_by_name_alone(policy),
        *_overdue(policy, today),
    ]
    return sorted(found, key=lambda problem: problem.severity)


def _approving(policy: Policy) -> tuple[Entry, ...]:
    return policy.approving.entries


def _incomplete(policy: Policy) -> Iterator[Problem]:
    for entry in _approving(policy):
        missing = [key for key in policy.must_have if getattr(entry, key) is None]
        if missing:
            asked = f"must_have at {policy.origin('must_have')} asks for it"
            yield Problem(ERROR, entry.origin, f"'{entry}' has no {', '.join(missing)}", f"{asked}: add a line '{missing[0]}: ...'")


def _contradictory(policy: Policy) -> Iterator[Problem]:
    required = {entry.written for entry in policy.required}
    for entry in _approving(policy):
        said = f"'{entry}' is {'required' if entry.written in required else 'approved'} here and forbidden at"
        for against in policy.forbidden:
            if contains(against, entry):
                advice = "no approval outweighs that: take one of the two out, or write what is right as its 'except'"
                yield Problem(ERROR, entry.origin, f"{said} {against.origin}", advice)
                break
            both = ports_in(entry.ports, against.ports)
            if both and contains(against, entry, besides=("port",)):
                told = ", ".join(map(str, both))
                yield Problem(WARNING, entry.origin, f"{said} {against.origin} on {told}", "take that out of one of the two")


def _covered(entries: tuple[Entry, ...], does: str) -> Iterator[Problem]:
    """Entries that another makes idle: one that says the same before it, or one that says more."""
    index = EntriesByPort(entries)
    at = {entry: number for number, entry in enumerate(entries)}
    for entry in entries:
        here = f"'{entry}' {does}"
        for other in index.of(entry.ports[0].first) if entry.ports and not entry.kernel_given else entries:
            if other is entry:
                continue
            if same(other, entry):
                if at[other] < at[entry]:
                    yield Problem(WARNING, entry.origin, f"{here} the same as '{other}' at {other.origin}", "keep one of the two")
                    break
            elif other.at_most is None and contains(other, entry):
                message = f"{here} nothing that '{other}' at {other.origin} does not"
                yield Problem(WARNING, entry.origin, message, "narrow that one, or take this one out")
                break


def _by_name_alone(policy: Policy) -> Iterator[Problem]:
    for entry in _approving(policy):
        if strength(entry) == NAME:
            message = f"'{entry}' is approved by process name alone, and any process can give itself a name"
            yield Problem(WARNING, entry.origin, message, "add its executable, user, unit or container")


def _overdue(policy: Policy, today: datetime.date) -> Iterator[Problem]:
    for accepted in (*policy.waivers, *policy.gaps):
        if not accepted.live(today):
            message = f"{accepted.word} '{accepted}' expired on {accepted.expires}, and is no longer obeyed"
            yield Problem(WARNING, accepted.origin, message, "take it out, or have it approved anew")
    for entry in _approving(policy):
        if entry.review_by is not None and entry.review_by < today:
            yield Problem(WARNING, entry.origin, f"the review of '{entry}' was due by {entry.review_by}", "review it, and set a new date")
