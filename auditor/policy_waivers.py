"""Waivers: a finding that somebody accepted, for a reason, until a day; bound, where wanted, to who it was accepted for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from auditor.model import Owner, Socket
from auditor.policy_entries import holders_fit
from auditor.policy_keys import Glob, Reader, as_mapping, date, glob, mapping, one_or_more, prose, text
from auditor.policy_wants import executable_fits, executables, user_fits, users
from auditor.yaml_nodes import Mapping, Node

if TYPE_CHECKING:
    import datetime

_PINS: dict[str, Callable[[Any, Owner, Socket], bool]] = {"executable": executable_fits, "user": user_fits}


class Waiver:
    """What is waived (`rule`, on `hosts`, in a `stack`, for a `subject`), for whom (`executable`, `user`), by whom and until when.

    `expires` is a day in UTC, the last on which it holds. Texts that were not given are None. `written` is its YAML, `origin` the
    place as `file:line`.
    """

    __slots__ = ("approved_by", "compensated_by", "expires", "hosts", "id", "origin", "owner", "pinned", "reason", "rule", "stacks",
                 "subjects", "ticket", "written")  # fmt: skip

    def __init__(self, values: dict[str, Any], written: Mapping) -> None:
        self.rule: str = values["rule"]
        self.reason: str = values["reason"]
        self.owner: str = values["owner"]
        self.expires: datetime.date = values["expires"]
        self.id: str | None = values.get("id")
        self.approved_by: str | None = values.get("approved_by")
        self.ticket: str | None = values.get("ticket")
        self.compensated_by: str | None = values.get("compensated_by")
        self.hosts: tuple[Glob, ...] | None = values.get("hosts")
        self.stacks: tuple[Glob, ...] | None = values.get("stack")
        self.subjects: tuple[Glob, ...] | None = values.get("subject")
        self.pinned = tuple((key, judge, values[key]) for key, judge in _PINS.items() if key in values)
        self.written = written
        self.origin = written.origin

    def live(self, today: datetime.date) -> bool:
        """Whether it holds on `today`, a day in UTC: through the day it expires."""
        return today <= self.expires

    def speaks_of(self, host: str) -> bool:
        """Whether it is for this host at all: one for others cannot be unused here."""
        return _fits(self.hosts, (host,))

    def covers(self, rule: str, host: str, stack: str | None, subjects: Collection[str]) -> bool:
        """Whether it speaks of this finding; `subjects` are the names by which one thing goes. Neither looks at the day nor at `pins`."""
        return (
            rule == self.rule
            and self.speaks_of(host)
            and _fits(self.stacks, () if stack is None else (stack,))
            and _fits(self.subjects, subjects)
        )

    def pins(self, socket: Socket) -> bool:
        """Whether every holder of `socket` is who it was given for; True where it names nobody. Raises UnknownFact where the evidence
        does not tell: a waiver for one program does not cover another on the same port."""
        return not self.pinned or holders_fit(self.pinned, socket)

    def to_json(self) -> dict[str, str]:
        """What a report says about it; only what was given."""
        words = {key: getattr(self, key) for key in ("id", "reason", "owner", "approved_by", "ticket", "compensated_by")}
        return {key: word for key, word in words.items() if word is not None} | {"expires": self.expires.isoformat(), "origin": self.origin}

    def __str__(self) -> str:
        return self.id or f"waiver at {self.origin}"


def _fits(patterns: tuple[Glob, ...] | None, words: Collection[str]) -> bool:
    return patterns is None or any(pattern.fits(word) for pattern in patterns for word in words)


def waiver(rule: Reader[str]) -> Callable[[Node], Waiver]:
    """A reader of waivers, where `rule` reads the name of a rule."""
    keys: dict[str, Reader[Any]] = {
        "id": text,
        "rule": rule,
        "hosts": one_or_more(glob, "hosts"),
        "stack": one_or_more(glob, "stacks"),
        "subject": one_or_more(glob, "subjects"),
        "executable": executables,
        "user": users,
        "reason": prose,
        "owner": text,
        "approved_by": text,
        "ticket": text,
        "compensated_by": prose,
        "expires": date,
    }

    def read(node: Node) -> Waiver:
        values = mapping(node, keys, required=("rule", "reason", "owner", "expires"), what="a waiver")
        return Waiver(values, as_mapping(node, "a waiver"))

    return read
