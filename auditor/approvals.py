"""How strong approvals are, and which listeners of a host rest on which.

By port alone, whoever takes the port is approved; by a process's name, whoever takes that name too; by an executable alone, whoever runs
that program, with other code in it too (a library of LD_PRELOAD, a debugger). Only a user, a unit or a container tells who holds a socket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts import UnknownFact
from auditor.model import Snapshot, Socket, Stack
from auditor.policy_entries import Entry
from auditor.policy_keys import Glob
from auditor.policy_wants import Containers, Users

if TYPE_CHECKING:
    import datetime

    from auditor.policy import Policy

PORT_ONLY, NAME, EXECUTABLE, WHO = "port only", "name", "executable", "who"
STRENGTHS = (WHO, EXECUTABLE, NAME, PORT_ONLY)
"""By user, unit or container; by executable alone; by the name that a process gave itself; by none. The strongest comes first."""
_IN_WORDS = {
    WHO: "by user, unit or container",
    EXECUTABLE: "by executable alone (any local user may run it)",
    NAME: "by process name",
    PORT_ONLY: "by port only",
}
_WEAK_IN_WORDS = {PORT_ONLY: "by port alone", NAME: "by process name alone", EXECUTABLE: "by executable alone"}

UNNAMED, OVERDUE = "by an entry that names nobody who approved", "by an entry whose review is overdue"
"""What an approval may lack, whatever its strength."""


def strength(entry: Entry) -> str:
    """Which of STRENGTHS an entry has. A pattern that fits everybody, and `user: {not: ...}`, tell nobody apart."""
    if any(key in entry.wanted and _pins(entry.wanted[key]) for key in ("user", "unit", "container")):
        return WHO
    if "executable" in entry.wanted and all(_in_folder(glob) for glob in entry.wanted["executable"]):
        return EXECUTABLE
    return NAME if "process" in entry.wanted and _pins(entry.wanted["process"]) else PORT_ONLY


def _pins(want: Any) -> bool:
    """Whether each pattern begins with words of its own."""
    if isinstance(want, Users):
        return not want.others
    if isinstance(want, Containers):
        return any(globs is not None and _pins(globs) for globs in (want.names, want.images))
    return all(glob.pieces[0] for glob in want)


def _in_folder(glob: Glob) -> bool:
    """Whether it is one path, or paths in one folder."""
    beginning, *anything = glob.pieces
    folder = beginning.rpartition("/")[0].strip("/")
    return bool(folder) if anything else beginning.startswith("/")


def counted(strengths: Iterable[str]) -> str:
    """How many there are of each, in words: "9 by executable, user, unit or container, 1 by process name"."""
    counts = dict.fromkeys(STRENGTHS, 0)
    for one in strengths:
        counts[one] += 1
    return ", ".join(f"{count} {_IN_WORDS[one]}" for one, count in counts.items() if count)


class Approval:
    """An entry that may approve listeners of a host, and what came of it there: `asks` is what it asks of them, as it is written, by key;
    `matched` are (stack, subject), `unknown` is the number of listeners of which the evidence does not show whether they are it."""

    __slots__ = ("asks", "entry", "matched", "strength", "unknown")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.asks = entry.asks
        self.strength = strength(entry)
        self.matched: list[tuple[str, str]] = []
        self.unknown = 0

    @property
    def bound(self) -> str:
        """How strongly, in the words of `Approvals.statement`."""
        return _IN_WORDS[self.strength]

    @property
    def weakness(self) -> str:
        """By what alone it approves, where any local user may have that; or nothing."""
        return _WEAK_IN_WORDS.get(self.strength, "")

    def to_json(self) -> dict[str, Any]:
        entry = self.entry
        words = {key: getattr(entry, key) for key in ("purpose", "owner", "approved_by", "ticket")}
        return {
            "name": entry.name,
            "entry": str(entry),
            "origin": entry.origin,
            "asks": [f"{key} {words}" for key, words in self.asks.items()],
            "strength": self.strength,
            **words,
            "review_by": None if entry.review_by is None else entry.review_by.isoformat(),
            "matched": [{"stack": stack, "subject": subject} for stack, subject in self.matched],
            "unknown": self.unknown,
        }


class Approvals:
    """What approves the listeners of a host. `entries` are all that the policy has, in its order; `listeners` counts those approved by the
    weakest entry that approves each, since that is what a rogue must satisfy; `lapses`, those of which an entry names nobody who approved,
    or is overdue for its review."""

    __slots__ = ("entries", "lapses", "listeners")

    def __init__(self, entries: list[Approval], listeners: dict[str, int], lapses: Counter[str]) -> None:
        self.entries = entries
        self.listeners = listeners
        self.lapses = lapses

    @property
    def used(self) -> list[Approval]:
        """Those that approve a listener, or may."""
        return [approval for approval in self.entries if approval.matched or approval.unknown]

    @property
    def statement(self) -> str:
        """How many listeners are approved, and how."""
        approved = counted(one for one, count in self.listeners.items() for _ in range(count)) or "none"
        warning = ": a rogue on those ports passes" if self.listeners[PORT_ONLY] else ""
        return f"{approved}{warning}"

    @property
    def weak(self) -> str:
        """How many listeners any local user may hold, by what alone: "1 by port alone, 2 by executable alone"; or nothing."""
        return ", ".join(f"{count} {words}" for strength, words in _WEAK_IN_WORDS.items() if (count := self.listeners[strength]))

    def to_json(self) -> dict[str, Any]:
        return {"listeners": dict(self.listeners), "entries": [approval.to_json() for approval in self.entries]}


def approvals(snapshot: Snapshot, policy: Policy, today: datetime.date, only_stack: str | None = None) -> Approvals:
    """Every approving entry of `policy` with the listeners of a host, or of one stack of it, that it approves on that day."""
    index = policy.approving
    by_entry = {entry: Approval(entry) for entry in index.entries}
    listeners = dict.fromkeys(STRENGTHS, 0)
    lapses: Counter[str] = Counter()
    for stack in snapshot.stacks.seen:
        judged = "listening" in stack.shown and only_stack in (None, stack.name)
        for socket in stack.listening.seen if judged else ():
            matched = _matching(socket, stack, [by_entry[entry] for entry in policy.approved_for(socket)])
            if matched:
                listeners[max((one.strength for one in matched), key=STRENGTHS.index)] += 1
                lapses.update({lapse for one in matched for lapse in _lapses(one.entry, today)})
    return Approvals(list(by_entry.values()), listeners, lapses)


def _lapses(entry: Entry, today: datetime.date) -> Iterator[str]:
    if entry.approved_by is None:
        yield UNNAMED
    if entry.review_by is not None and entry.review_by < today:
        yield OVERDUE


def _matching(socket: Socket, stack: Stack, candidates: Iterable[Approval]) -> list[Approval]:
    """The entries that approve a socket, which is noted in each."""
    matched = []
    for approval in candidates:
        try:
            if approval.entry.matches(socket, stack):
                matched.append(approval)
                approval.matched.append((stack.name, socket.subject))
        except UnknownFact:
            approval.unknown += 1
    return matched
