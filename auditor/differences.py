"""What differs between two lists of things that are compared by name. Unknown is neither the same nor gone: it could not be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from auditor.facts import Facts, Record

ADDED, REMOVED, CHANGED, UNKNOWN = "+", "-", "~", "?"
SIGNS = {ADDED: "added", REMOVED: "removed", CHANGED: "changed", UNKNOWN: "unknown"}
"""What stands before a line, and the word for it."""
_PLAIN = ("", "ports", "value")
"""Aspects that go without saying."""
NOT_COMPARED = "could not be compared"
A, B = "A", "B"
Places = tuple[str, str]
"""What the two sides are called, before what holds of one."""
IN_A_AND_B: Places = (f"in {A}", f"in {B}")
SINCE_BASELINE: Places = ("at the baseline", "now")


class Change:
    """One difference, or (sign `?`) one thing that could not be compared and `why`. `before` is what A says, `after` what B says; `count`
    is how many things share the subject, where only one side has them."""

    __slots__ = ("after", "aspect", "before", "count", "kind", "places", "sign", "stack", "subject", "why")

    def __init__(
        self, sign: str, kind: str, subject: str = "", *, aspect: str = "", before: str | None = None, after: str | None = None,
        why: str | None = None, count: int = 1, stack: str | None = None,
    ) -> None:  # fmt: skip
        self.sign = sign
        self.kind = kind
        self.subject = subject
        self.aspect = aspect
        self.before = before
        self.after = after
        self.why = why
        self.count = count
        self.stack = stack
        self.places = IN_A_AND_B

    @property
    def what(self) -> str:
        """As `socket tcp/0.0.0.0:80, state`."""
        named = self.aspect if self.aspect not in _PLAIN else ""
        return " ".join(filter(None, (self.kind, self.subject))) + (f", {named}" if named else "")

    def is_of(self, *kinds: str) -> bool:
        """Whether it is about things of one of these kinds; a line about gaps names several."""
        return any(word.partition(" (")[0] in kinds for word in self.kind.split(", "))

    def __str__(self) -> str:
        times = f" ({self.count} of them)" if self.count > 1 else ""
        if self.sign == UNKNOWN:
            sides = [f"{said} {place}" for place, said in zip(self.places, (self.before, self.after), strict=True) if said]
            return f"? {self.what}{times}: {'; '.join([*sides, NOT_COMPARED])}: {self.why}"
        if self.sign == CHANGED:
            return f"~ {self.what}: {self.before} -> {self.after}"
        said = self.after if self.sign == ADDED else self.before
        return f"{self.sign} {self.what}{times}{f': {said}' if said else ''}"

    def to_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("stack", "kind", "subject", "aspect", "before", "after", "why", "count")}
        return {"change": SIGNS[self.sign], **plain}


class Partial:
    """A value of several words, some of which may not be shown (absent) or shown to be none (None)."""

    __slots__ = ("words",)

    def __init__(self, **words: str | None) -> None:
        self.words = words

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Partial) and self.words == other.words

    def __hash__(self) -> int:
        return hash(frozenset(self.words.items()))

    def __str__(self) -> str:
        return " ".join(word if key in ("executable", "process") else f"{key} {word}" for key, word in self.words.items() if word) or "?"

    def may_be(self, other: Partial) -> bool:
        """Whether nothing that both show speaks against it."""
        return all(other.words[key] == word for key, word in self.words.items() if key in other.words)


Value = str | Partial


class Thing:
    """One thing of a host as it is compared: by its `subject`, then aspect by aspect. `aspects` are what is shown of it, `unsure` says of
    an aspect why not all of it is. An aspect in neither is one that its source does not speak of. `words` describe it; `of` is what it is
    made of."""

    __slots__ = ("aspects", "of", "subject", "unsure", "words")

    def __init__(
        self, subject: str, aspects: dict[str, tuple[Value, ...]], unsure: dict[str, str] | None = None, *, words: str = "", of: Any = None
    ) -> None:  # fmt: skip
        self.subject = subject
        self.aspects = aspects
        self.unsure = unsure or {}
        self.words = words
        self.of = of

    @property
    def portrait(self) -> frozenset[tuple[str, frozenset[Value]]]:
        return frozenset((name, frozenset(values)) for name, values in self.aspects.items())


def sees_all(thing: Thing) -> str | None:
    """A `hides` for a side of which everything was seen."""
    return None


class Side:
    """The things of a kind that one source has. `hides(thing)` says why a thing may be there and not be seen, None where it would have
    been; `single` says that there is never more than one thing of a subject, so that what is seen of it is all of it."""

    __slots__ = ("hides", "place", "single", "things")

    def __init__(
        self, place: str, things: Iterable[Thing], hides: Callable[[Thing], str | None] = sees_all, *, single: bool = False
    ) -> None:  # fmt: skip
        self.place = place
        self.hides = hides
        self.single = single
        self.things: dict[str, list[Thing]] = {}
        for thing in things:
            self.things.setdefault(thing.subject, []).append(thing)

    def hidden(self, group: Iterable[Thing]) -> str | None:
        """Why one like these may be there and not be seen."""
        return next((f"{self.place} not all was seen: {why}" for thing in group if (why := self.hides(thing))), None)


def changes(kind: str, sides: Iterable[Side], doubts: Mapping[str, str] | None = None) -> Iterator[Change]:
    """What differs between two sides, A's first, in the order of subjects. `doubts` says of a subject why its things may be others':
    nothing is certain of them."""
    before, after = sides
    for subject in sorted(before.things.keys() | after.things.keys()):
        doubt = (doubts or {}).get(subject)
        ours, theirs = _Half(before, after, subject, doubt), _Half(after, before, subject, doubt)
        if ours.group and theirs.group:
            said = [*_number(kind, subject, ours, theirs), *_aspects(kind, subject, ours, theirs)]
            yield from said or _combination(kind, subject, ours, theirs)
        elif ours.group:
            yield _of_one(REMOVED, kind, subject, ours.group, theirs.hidden)
        else:
            yield _of_one(ADDED, kind, subject, theirs.group, ours.hidden)


def _of_one(sign: str, kind: str, subject: str, group: list[Thing], why: str | None) -> Change:
    words = "; ".join(sorted({thing.words for thing in group if thing.words})) or None
    if why is not None:
        words = words or "there"
    before, after = (words, None) if sign == REMOVED else (None, words)
    return Change(sign if why is None else UNKNOWN, kind, subject, before=before, after=after, why=why, count=len(group))


class _Half:
    """The things of one subject on one side. `hidden` says why there may be more of them, or `doubt` why they may be others; `hides_more`
    is the same where what is seen of one may then not be all of it."""

    __slots__ = ("group", "hidden", "hides_more", "place")

    def __init__(self, side: Side, other: Side, subject: str, doubt: str | None) -> None:
        self.group = side.things.get(subject, [])
        self.place = side.place
        self.hidden = side.hidden((*self.group, *other.things.get(subject, ()))) or doubt
        self.hides_more = doubt if side.single else self.hidden

    def values(self, aspect: str) -> list[Value]:
        return list(dict.fromkeys(value for thing in self.group for value in thing.aspects.get(aspect, ())))

    def unsure(self, aspect: str, asked: bool) -> str | None:
        """Why not all of an aspect is shown; `asked` where one that is not shown at all counts."""
        for thing in self.group:
            if aspect in thing.unsure:
                return thing.unsure[aspect]
            if asked and aspect not in thing.aspects:
                return "it is not shown"
        return None

    def portraits(self) -> Counter[Any]:
        return Counter(thing.portrait for thing in self.group)


def _number(kind: str, subject: str, ours: _Half, theirs: _Half) -> Iterator[Change]:
    before, after = len(ours.group), len(theirs.group)
    if before != after:
        why = ours.hidden if before < after else theirs.hidden
        yield Change(UNKNOWN if why else CHANGED, kind, subject, aspect="how many", before=str(before), after=str(after), why=why)


def _aspects(kind: str, subject: str, ours: _Half, theirs: _Half) -> Iterator[Change]:
    for name in dict.fromkeys(name for half in (ours, theirs) for thing in half.group for name in (*thing.aspects, *thing.unsure)):
        yield from _aspect(kind, subject, name, ours, theirs)


def _combination(kind: str, subject: str, ours: _Half, theirs: _Half) -> Iterator[Change]:
    """Where each aspect has the same values on both sides: whether the same things have them."""
    if ours.portraits() != theirs.portraits():
        why = ours.hides_more or theirs.hides_more
        before, after = ("; ".join(sorted(thing.words for thing in half.group)) for half in (ours, theirs))
        yield Change(UNKNOWN if why else CHANGED, kind, subject, aspect="which has what", before=before, after=after, why=why)


def _aspect(kind: str, subject: str, aspect: str, ours: _Half, theirs: _Half) -> Iterator[Change]:
    before, after = ours.values(aspect), theirs.values(aspect)
    asked = bool(before or after)
    unsure_a, unsure_b = ours.unsure(aspect, asked), theirs.unsure(aspect, asked)
    lost, gained = _unmatched(before, after), _unmatched(after, before)
    certain = (lost and not (unsure_b or theirs.hides_more)) or (gained and not (unsure_a or ours.hides_more))
    why = _of_both((ours.place, unsure_a), (theirs.place, unsure_b)) or ours.hides_more or theirs.hides_more
    if certain:
        yield Change(CHANGED, kind, subject, aspect=aspect, before=_told(before) or "none", after=_told(after) or "none")
    elif unsure_a or unsure_b or set(before) != set(after):
        why = why or "not all of it is shown"
        yield Change(UNKNOWN, kind, subject, aspect=aspect, why=why, before=_told(before), after=_told(after))


def _of_both(*sides: tuple[str, str | None]) -> str:
    """Why not all of an aspect is shown; what both sides give as the reason is said once."""
    places: dict[str, list[str]] = {}
    for place, why in sides:
        if why is not None:
            places.setdefault(why, []).append(place)
    return " and ".join(f"{' and '.join(where)} {why}" for why, where in places.items())


def _unmatched(values: list[Value], others: list[Value]) -> list[Value]:
    return [one for one in values if not any(alike(one, other) for other in others)]


def alike(one: Value, other: Value) -> bool:
    """Whether two values may be the same."""
    return one == other or (isinstance(one, Partial) and isinstance(other, Partial) and one.may_be(other))


def _told(values: list[Value]) -> str | None:
    return ", ".join(sorted(str(value) or "''" for value in values)) or None


def hiding(facts: Facts[Any]) -> Callable[[Thing], str | None]:
    """A `hides` by the gaps of facts: each hides what it may be about. A port that the kernel gave may have been any."""

    def hides(thing: Thing) -> str | None:
        shown = thing.of.shown if isinstance(thing.of, Record) else {}
        protocol, family = (shown.get(key, "any").replace("unknown", "any") for key in ("protocol", "family"))
        port = None if shown.get("kernel_given") else shown.get("port")
        return next((gap.why for gap in facts.gaps if gap.concerns(protocol, family, port)), None)

    return hides


def text_of(value: Any) -> str:
    """A value in words."""
    return ("yes" if value else "no") if isinstance(value, bool) else "none" if value is None else str(value)
