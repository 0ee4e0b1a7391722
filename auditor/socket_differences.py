"""What changed among the sockets of a stack, by their subjects: several may share one, and none is dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from auditor.differences import IN_A_AND_B, Change, Partial, Places, Side, Thing, alike, changes, hiding, text_of
from auditor.facts import Facts
from auditor.model import Snapshot, Socket
from auditor.owner import Owner
from auditor.words_index import WordsIndex

NOBODY = "nobody in view"
_SESSION = re.compile(r"session-[0-9]+\.scope")
_WILDCARDS = ("*", "0.0.0.0", "::")  # noqa: S104 - compared, never bound
_OPTIONAL = {
    "mptcp": "mptcp", "kernel_given": "kernel-given", "uid": "creator", "socket_unit": "socket unit", "activates": "activates",
}  # fmt: skip
"""Keys that only some sources speak of, and their words."""


def of_sockets(
    ours: Facts[Socket], theirs: Facts[Socket], before: Snapshot, after: Snapshot, places: Places = IN_A_AND_B
) -> Iterator[Change]:
    """The changes between two listings."""
    names = _names(ours.seen, theirs.seen)
    sides = [
        Side(place, [socket_thing(one, names(one)) for one in facts.seen], _hiding(facts, host, other))
        for place, facts, host, other in zip(places, (ours, theirs), (before, after), (after, before), strict=True)
    ]
    return changes("socket", sides, _doubts(*sides))


def _names(ours: Sequence[Socket], theirs: Sequence[Socket]) -> Callable[[Socket], str]:
    """What to call each socket: its subject; but where both sides have sockets at one place and give them other subjects, by the place,
    so that one which is dual-stack, or whose port is the kernel's, on one side only is still one socket."""
    places: list[dict[tuple[Any, ...], list[Socket]]] = [{}, {}]
    for side, found in zip((ours, theirs), places, strict=True):
        for one in side:
            found.setdefault(_place(one), []).append(one)
    by_place = {}
    for place, here in places[0].items():
        there = places[1].get(place, [])
        given = all(one.shown.get("kernel_given") for one in (*here, *there))
        if there and not given and {one.subject for one in here} != {one.subject for one in there}:
            by_place[place] = here[0].numbered_subject
    return lambda one: by_place.get(_place(one), one.subject)


def _place(one: Socket) -> tuple[Any, ...]:
    shown = one.shown
    return (*(shown.get(key) for key in ("protocol", "family", "address", "port")), shown.get("zone") or shown.get("device"))


def _hiding(facts: Facts[Socket], host: Snapshot, other: Snapshot) -> Callable[[Thing], str | None]:
    """Gaps hide what is in their scope. What a method can never show makes nothing unknown by itself, but where only the other side's
    method could show it, a socket that is no plain TCP or UDP listener may be there."""
    by_gaps = hiding(facts)
    only_here = [limit for limit in host.shown.get("limits", []) if limit not in other.shown.get("limits", [])]

    def hides(thing: Thing) -> str | None:
        shown = thing.of.shown
        plain = shown.get("state") == "listening" and shown.get("protocol") in ("tcp", "udp")
        return by_gaps(thing) or (None if plain or not only_here else only_here[0])

    return hides


def socket_thing(one: Socket, name: str | None = None) -> Thing:
    """A socket as it is compared."""
    aspects: dict[str, tuple[Any, ...]] = {}
    unsure: dict[str, str] = {}
    for key in ("state", "reach", *(("v6only",) if one.shown.get("address") == "::" else ())):
        if one.shown.get(key, "unknown") == "unknown":
            unsure[key] = f"its {key} is not known"
        else:
            aspects[key] = (text_of(one.shown[key]),)
    if (
        one.shown.get("family", "unknown") == "unknown"
        or one.shown.get("address_cut")
        or not {"address", "port", "protocol"} <= one.shown.keys()
    ):
        unsure["address"] = "not all of its address is shown"
    aspects |= {word: (text_of(one.shown[key]),) for key, word in _OPTIONAL.items() if key in one.shown}
    holders, why = _holders(one)
    if why is not None:
        unsure["owners"] = why
    if holders or why is None:
        aspects["owners"] = holders
    words = [*(aspects.get("state", ())), *(f"reach {word}" for word in aspects.get("reach", ()))]
    held = f"held by {', '.join(map(str, holders))}" if holders else "owner not visible"
    return Thing(one.subject if name is None else name, aspects, unsure, words=", ".join([*words, held]), of=one)


def _holders(one: Socket) -> tuple[tuple[Partial | str, ...], str | None]:
    """Who holds a socket, alike holders once; and why that may not be all."""
    found = tuple(sorted({_holder(owner) for owner in one.shown.get("owners_seen", [])}, key=str))
    state = one.shown.get("owner_state")
    if state == "none":
        return (NOBODY,), None
    if state == "known":
        return found, None if found else "the evidence does not show who holds it"
    return found, one.shown.get("owner_reason", "the evidence does not show who holds it")


def _holder(owner: Owner) -> Partial:
    shown = owner.shown
    keys = ["executable", "user" if "user" in shown else "uid", "unit", "container"]
    if shown.get("executable") is None:
        keys.insert(1, "process")
    words = {key: None if shown[key] is None else str(shown[key]) for key in keys if key in shown}
    if words.get("unit"):
        words["unit"] = _SESSION.sub("session-N.scope", str(words["unit"]))
    return Partial(**words)


def _doubts(before: Side, after: Side) -> dict[str, str]:
    """Of each subject whose sockets may be those of another subject on the other side, which."""
    found: dict[str, str] = {}
    for ours, theirs in ((before, after), (after, before)):
        filed = _Filed(theirs)
        for one in _things(ours):
            if one.subject not in found:
                perhaps = (other for other in filed.near(one) if one.subject != other.subject and _perhaps(one, other))
                if (other := next(perhaps, None)) is not None:
                    found[one.subject] = f"{theirs.place} {other.subject} may be the same"
    return found


def _things(side: Side) -> Iterator[Thing]:
    return (thing for group in side.things.values() for thing in group)


class _Filed:
    """The sockets of a side, to find those that may be a given one: they agree in the words that both show. Ports count by number, unless
    the kernel gave one of them: then the holders count if it gave both, and nothing if it may have."""

    def __init__(self, side: Side) -> None:
        self._by: dict[tuple[str, str], WordsIndex[Thing]] = {}
        for thing in _things(side):
            given = _given(thing)
            for by in {_by(given, other) for other in _GIVEN}:
                index = self._by.setdefault((given, by), WordsIndex())
                for words in _words(thing, by):
                    for more in _filed_addresses(thing):
                        index.file({**words, **more}, thing.subject, thing)

    def near(self, one: Thing) -> Iterator[Thing]:
        """Those that may be this one, and a few besides."""
        for (given, by), index in self._by.items():
            if by == _by(given, _given(one)):
                for words in _words(one, by):
                    yield from index.agreeing({**words, **_address(one)})


_GIVEN = ("given", "perhaps given", "chosen")


def _given(thing: Thing) -> str:
    """Whether the kernel gave the port, as far as that is shown; of TCP it never is, nor asked."""
    shown = thing.of.shown
    given = shown.get("kernel_given", False if shown.get("protocol") == "tcp" else None)
    return "given" if given else "perhaps given" if given is None else "chosen"


def _by(given: str, other: str) -> str:
    """What tells two sockets apart beside their places, by how they have their ports."""
    both = {given, other}
    return "holders" if both == {"given"} else "nothing" if both == {"given", "perhaps given"} else "number"


def _words(thing: Thing, by: str) -> Iterator[dict[str, Any]]:
    """What is shown of a socket that another one must agree with; by holders, any of several."""
    shown = thing.of.shown
    words = {key: shown[key] for key in ("protocol", "family") if shown.get(key, "unknown") not in (None, "unknown")}
    words |= {key: shown[key] for key in ("zone", "device", "v6only") if key in shown}
    if by == "number" and shown.get("port") is not None:
        words["port"] = shown["port"]
    if by != "holders" or "owners" in thing.unsure:
        yield words
        return
    for holder in thing.aspects.get("owners", ()):
        told = {"known": True, **holder.words} if isinstance(holder, Partial) else {"known": holder}
        yield {**words, **{f"holder's {key}": word for key, word in told.items()}}


def _address(thing: Thing) -> dict[str, Any]:
    """The address, unless only its beginning is shown."""
    address = thing.of.shown.get("address")
    return {} if address in (None, "unknown") or thing.of.shown.get("address_cut") else {"address": address}


def _filed_addresses(thing: Thing) -> Iterable[dict[str, Any]]:
    """The addresses that others may have who are the same: `*` is any wildcard."""
    address = _address(thing)
    alike = {"*": _WILDCARDS, "0.0.0.0": ("*", "0.0.0.0"), "::": ("*", "::")}  # noqa: S104 - compared, never bound
    return [{"address": word} for word in alike.get(address["address"], (address["address"],))] if address else [{}]


def _perhaps(one: Thing, other: Thing) -> bool:
    """Whether two sockets may be one, as far as both sides show them."""
    ours, theirs = one.of.shown, other.of.shown
    if any(not _agree(ours.get(key), theirs.get(key)) for key in ("protocol", "family")):
        return False
    if any(key in ours and key in theirs and ours[key] != theirs[key] for key in ("zone", "device", "v6only")):
        return False
    return _addresses_agree(ours, theirs) and _ports_agree(one, other)


def _agree(one: Any, other: Any) -> bool:
    return one == other or None in (one, other) or "unknown" in (one, other)


def _addresses_agree(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    one, other = ours.get("address"), theirs.get("address")
    if _agree(one, other):
        return True
    if "*" in (one, other):
        return one in _WILDCARDS and other in _WILDCARDS
    return any(cut.get("address_cut") and str(whole).startswith(str(cut["address"])) for cut, whole in ((ours, other), (theirs, one)))


def _ports_agree(one: Thing, other: Thing) -> bool:
    """By number; where the kernel gave both, by their holders; where it gave one and that is not known of the other, any may be."""
    ours, theirs = (thing.of.shown.get("kernel_given") for thing in (one, other))
    if ours and theirs:
        holders = [thing.aspects.get("owners", ()) for thing in (one, other)]
        return "owners" in {**one.unsure, **other.unsure} or any(alike(x, y) for x in holders[0] for y in holders[1])
    if (ours or theirs) and None in (ours, theirs):
        return True
    return _agree(one.of.shown.get("port"), other.of.shown.get("port"))
