"""What somebody accepted, for a reason, until a day: a finding (a waiver), bound, where wanted, to who it was accepted for; or a gap in
the evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from auditor.model import FACTS, Socket
from auditor.owner import Owner
from auditor.policy_entries import holders_fit
from auditor.policy_keys import Glob, Reader, as_mapping, date, glob, mapping, one_of, one_or_more, prose, text
from auditor.policy_wants import executable_fits, executables, user_fits, users
from auditor.yaml_nodes import Mapping, Node, flow

if TYPE_CHECKING:
    import datetime

_PINS: dict[str, Callable[[Any, Owner, Socket], bool]] = {"executable": executable_fits, "user": user_fits}
_REQUIRED = ("reason", "owner", "expires")
_ASKED = ("subject", "hosts", "stack", *_PINS)
_UNWAIVABLE = "waiver-"
_KEYS: dict[str, Reader[Any]] = {
    "id": text, "hosts": one_or_more(glob, "hosts"), "stack": one_or_more(glob, "stacks"), "reason": prose, "owner": text,
    "approved_by": text, "ticket": text, "compensated_by": prose, "expires": date,
}  # fmt: skip


class Acceptance:
    """On which `hosts` and in which `stacks`, by whom, for which `reason` and until when something is accepted.

    `expires` is a day in UTC, the last on which it holds. Texts that were not given are None. `written` is its YAML, `origin` the
    place as `file:line`.
    """

    word = "acceptance"
    subjects: tuple[Glob, ...] | None
    __slots__ = ("approved_by", "compensated_by", "expires", "hosts", "id", "origin", "owner", "reason", "stacks", "subjects", "ticket",
                 "written")  # fmt: skip

    def __init__(self, values: dict[str, Any], written: Mapping) -> None:
        self.reason: str = values["reason"]
        self.owner: str = values["owner"]
        self.expires: datetime.date = values["expires"]
        self.id: str | None = values.get("id")
        self.approved_by: str | None = values.get("approved_by")
        self.ticket: str | None = values.get("ticket")
        self.compensated_by: str | None = values.get("compensated_by")
        self.hosts: tuple[Glob, ...] | None = values.get("hosts")
        self.stacks: tuple[Glob, ...] | None = values.get("stack")
        self.subjects = values.get("subject")
        self.written = written
        self.origin = written.origin

    @property
    def about(self) -> str:
        """What it accepts, in a word or two."""
        raise NotImplementedError

    def live(self, today: datetime.date) -> bool:
        """Whether it holds on `today`, a day in UTC: through the day it expires."""
        return today <= self.expires

    def speaks_of(self, host: str) -> bool:
        """Whether it is for this host at all: one for others cannot be unused here."""
        return _fits(self.hosts, (host,))

    def is_for(self, host: str, stack: str | None) -> bool:
        """Whether it is for this stack of this host; one that names stacks is for nothing else of the host."""
        return self.speaks_of(host) and _fits(self.stacks, () if stack is None else (stack,))

    def to_json(self) -> dict[str, str]:
        """What a report says about it; only what was given."""
        words = {key: getattr(self, key) for key in ("id", "reason", "owner", "approved_by", "ticket", "compensated_by")}
        return {key: word for key, word in words.items() if word is not None} | {"expires": self.expires.isoformat(), "origin": self.origin}

    @property
    def told(self) -> dict[str, Any]:
        """What a register says about it: what `to_json` has, its `name` and `kind`, what it accepts (`about`), and what it `asks` of that,
        by key, as it is written."""
        asks = {key: flow(value) for key, (_, value) in self.written.items.items() if key in _ASKED}
        return {"name": str(self), "kind": self.word, "about": self.about, "asks": asks, **self.to_json()}

    @property
    def title(self) -> str:
        """As "waiver EXC-118", or by its place where it has no id."""
        return f"{self.word} {self.id}" if self.id else str(self)

    def __str__(self) -> str:
        return self.id or f"{self.word} at {self.origin}"


class Waiver(Acceptance):
    """A finding of `rule` that is accepted, for these `subjects` (None: any), for whom (`pinned`: executable, user)."""

    word = "waiver"
    __slots__ = ("pinned", "rule")

    def __init__(self, values: dict[str, Any], written: Mapping) -> None:
        super().__init__(values, written)
        self.rule: str = values["rule"]
        self.pinned = tuple((key, judge, values[key]) for key, judge in _PINS.items() if key in values)

    @property
    def about(self) -> str:
        return self.rule

    def covers(self, rule: str, host: str, stack: str | None, subjects: Collection[str]) -> bool:
        """Whether it speaks of this finding; `subjects` are the names by which one thing goes. Neither looks at the day nor at `pins`."""
        return rule == self.rule and self.is_for(host, stack) and _fits(self.subjects, subjects)

    def pins(self, socket: Socket) -> bool:
        """Whether every holder of `socket` is who it was given for; True where it names nobody. Raises UnknownFact where the evidence
        does not tell: a waiver for one program does not cover another on the same port."""
        return not self.pinned or holders_fit(self.pinned, socket)


class AcceptedGap(Acceptance):
    """Facts of these kinds that cannot be seen, and need not be; of these `subjects` alone, where it names any."""

    word = "accepted gap"
    __slots__ = ("facts",)

    def __init__(self, values: dict[str, Any], written: Mapping) -> None:
        super().__init__(values, written)
        self.facts: tuple[str, ...] = values["fact"]

    @property
    def about(self) -> str:
        return ", ".join(self.facts)

    def accepts(self, fact: str | None, host: str, stack: str | None, subjects: Collection[str]) -> bool:
        """Whether it speaks of such facts there; `subjects` are the names by which one thing goes. Does not look at the day."""
        return fact in self.facts and self.is_for(host, stack) and _fits(self.subjects, subjects)


def _fits(patterns: tuple[Glob, ...] | None, words: Collection[str]) -> bool:
    return patterns is None or any(pattern.fits(word) for pattern in patterns for word in words)


def waiver(rule: Reader[str]) -> Callable[[Node], Waiver]:
    """A reader of waivers, where `rule` reads the name of a rule."""
    keys = waiver_keys(rule)

    def read(node: Node) -> Waiver:
        written = as_mapping(node, "a waiver")
        return Waiver(mapping(written, keys, required=("rule", *_REQUIRED)), written)

    return read


def waiver_keys(rule: Reader[str]) -> dict[str, Reader[Any]]:
    """The keys of a waiver, where `rule` reads the name of a rule."""
    return {**_KEYS, "rule": _waivable_rule(rule), "subject": one_or_more(glob, "subjects"), "executable": executables, "user": users}


def waivable(rule: str) -> bool:
    """Whether findings of a rule can be waived: what is said of waivers cannot be, or one waiver could hide that another ran out."""
    return not rule.startswith(_UNWAIVABLE)


def _waivable_rule(rule: Reader[str]) -> Reader[str]:
    def read(node: Node) -> str:
        name = rule(node)
        if not waivable(name):
            advice = "remove this waiver; mend the one that the finding names, or turn the rule off for all to see"
            raise node.error(f"{name}: what is said of waivers cannot be waived", advice)
        return name

    return read


GAP_KEYS: dict[str, Reader[Any]] = {
    **_KEYS,
    "fact": one_or_more(one_of(*FACTS), "kinds of facts"),
    "subject": one_or_more(glob, "subjects"),
}


def accepted_gap(node: Node) -> AcceptedGap:
    """Read one of `gaps`."""
    written = as_mapping(node, "a gap")
    return AcceptedGap(mapping(written, GAP_KEYS, required=("fact", *_REQUIRED)), written)
