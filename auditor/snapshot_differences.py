"""What changed between two snapshots of a host, by what outlives a restart.

Process ids, start times, numbers of login sessions, boots, control groups and second witnesses are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from auditor.differences import ADDED, CHANGED, IN_A_AND_B, REMOVED, UNKNOWN, Change, Places, Side, Thing, changes, hiding, text_of
from auditor.facts import Facts
from auditor.model import Address, Persisted, Range, Setting, Snapshot, Stack
from auditor.port_range import PortRange
from auditor.socket_differences import of_sockets, socket_thing
from auditor.stack_pairs import StackPairs, Together

_HOST = "host"


def differences(before: Snapshot, after: Snapshot, places: Places = IN_A_AND_B) -> list[Change]:
    """Everything that differs or could not be compared; the host itself first, then stack by stack. `places` are the words for the two."""
    pairs = StackPairs(before, after, places[0])
    ours, theirs = pairs.before.facts("stacks"), after.facts("stacks")
    names = {stack.name for facts in (ours, theirs) for stack in facts.seen}
    stacks = [_stack_side(place, facts, names, pairs.unsure) for place, facts in zip(places, (ours, theirs), strict=True)]
    found = [*_of_the_host(before, after, places), *_gaps({"stacks": (ours, theirs)}, places)]
    within = _by_subject(changes("stack", stacks))
    found += [change for pool in pairs.together for change in _how_many(pool, (ours, theirs), places)]
    for name in sorted(names - pairs.unsure, key=lambda name: (name != _HOST, name)):
        told = within.get(name, [])
        one, other = (side.things[name][0].of if name in side.things else None for side in stacks)
        if one is not None and other is not None:
            told += _of_a_stack(one, other, before, after, places)
        elif told[0].sign in (ADDED, REMOVED):
            told += _listeners(one, other, places)
        for change in told:
            change.stack = name
        found += told
    for pool in pairs.together:
        found += _of_several(pool, pairs.before, after, places)
    for change in found:
        change.places = places
    return found


def _by_subject(told: Iterable[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in told:
        found.setdefault(change.subject, []).append(change)
    return found


def _of_the_host(before: Snapshot, after: Snapshot, places: Places) -> Iterator[Change]:
    names = [snapshot.shown.get("host") for snapshot in (before, after)]
    same = before.shown.get("machine_id", "") == after.shown.get("machine_id")
    if same and None not in names and names[0] != names[1]:
        yield Change(CHANGED, "host name", before=names[0], after=names[1])
    for key in ("system", "release"):
        for change in changes(key, map(_host_side, places, (before, after), (key, key))):
            change.aspect = ""
            yield change


def _host_side(place: str, snapshot: Snapshot, key: str) -> Side:
    return Side(place, [Thing("", *_stated("it", snapshot.shown.get(key)))], single=True)


def _stated(name: str, value: str | None) -> tuple[dict[str, tuple[Any, ...]], dict[str, str]]:
    """The aspects of what has one value, and where that is not shown, why not."""
    return ({}, {name: "it is not shown"}) if value is None else ({name: (value,)}, {})


def _stack_thing(stack: Stack) -> Thing:
    count = len(stack.facts("listening").seen)
    return Thing(stack.name, {"kind": (stack.kind,)}, words=f"{stack.kind}, {count} socket{'' if count == 1 else 's'}", of=stack)


def _stack_side(place: str, facts: Facts[Stack], names: set[str], together: Collection[str]) -> Side:
    """A gap that names one of the stacks that were seen is about that one; any other may be about any."""

    def hides(thing: Thing) -> str | None:
        return next((gap.why for gap in facts.gaps if gap.stack == thing.subject or gap.stack not in names), None)

    return Side(place, [_stack_thing(stack) for stack in facts.seen if stack.name not in together], hides, single=True)


def _listeners(one: Stack | None, other: Stack | None, places: Places) -> Iterator[Change]:
    """The sockets of a stack that only one side has."""
    sides = [Side(place, [socket_thing(socket) for socket in stack.facts("listening").seen] if stack is not None else [])
             for place, stack in zip(places, (one, other), strict=True)]  # fmt: skip
    return changes("socket", sides)


def _of_a_stack(one: Stack, other: Stack, before: Snapshot, after: Snapshot, places: Places) -> Iterator[Change]:
    pairs = {name: (one.facts(name), other.facts(name)) for name in ("listening", *_SIDES)}
    yield from _gaps(pairs, places)
    yield from of_sockets(*pairs.pop("listening"), before, after, places)
    for name, (kind, side) in _SIDES.items():
        yield from changes(kind, map(side, places, pairs[name]))


def _how_many(pool: Together, stacks: tuple[Facts[Stack], Facts[Stack]], places: Places) -> Iterator[Change]:
    before, after = len(pool.before), len(pool.after)
    if before != after:
        fewer = before > after
        why = next((f"{places[fewer]} not all was seen: {gap.why}" for gap in stacks[fewer].gaps), None)
        sign = UNKNOWN if why else CHANGED
        yield Change(sign, "stacks", aspect="how many that nothing tells apart", before=str(before), after=str(after), why=why)


def _of_several(pool: Together, before: Snapshot, after: Snapshot, places: Places) -> list[Change]:
    """What holds of stacks whichever of them is which: what listens in none of those of one side, how many listen alike, held by whom."""
    sides = pool.before, pool.after
    ours, theirs = (_joint(stacks, host.facts("stacks")) for stacks, host in zip(sides, (before, after), strict=True))
    told = list(of_sockets(ours, theirs, before, after, places))
    for name in _SIDES:
        portraits = [{_portrait(stack, name) for stack in stacks} for stacks in sides]
        if portraits[0] != portraits[1] and not any(stack.facts(name).gaps for stacks in sides for stack in stacks):
            told.append(Change(UNKNOWN, name, why="whether they are the same network stacks cannot be told"))
    homes = {subject: stack.name for stacks in sides for stack in stacks for one in stack.facts("listening").seen
             for subject in (one.subject, one.numbered_subject)}  # fmt: skip
    for change in told:
        change.stack = homes.get(change.subject, pool.after[0].name)
    nothing: Facts[Any] = Facts((), "")
    for stack, earlier in [(stack, stack in pool.before) for stacks in sides for stack in stacks]:
        known = {name: stack.facts(name) for name in ("listening", *_SIDES)}
        for gap in _gaps({name: (facts, nothing) if earlier else (nothing, facts) for name, facts in known.items()}, places):
            gap.stack = stack.name
            told.append(gap)
    return sorted(told, key=lambda change: str(change.stack))


def _joint(stacks: list[Stack], of_the_host: Facts[Stack]) -> Facts[Any]:
    """The sockets of several stacks; one that was not seen may have more."""
    known = [stack.facts("listening") for stack in stacks]
    gaps = [gap for facts in (*known, of_the_host) for gap in facts.gaps]
    return Facts([one for facts in known for one in facts.seen], known[0].source, gaps)


def _portrait(stack: Stack, name: str) -> frozenset[Any]:
    side = _SIDES[name][1]("", stack.facts(name))
    return frozenset((thing.subject, thing.portrait) for things in side.things.values() for thing in things)


def _gaps(pairs: dict[str, tuple[Facts[Any], Facts[Any]]], places: Places) -> Iterator[Change]:
    """A line for each reason why not all was seen, with the kinds of facts it is about."""
    reasons: dict[tuple[str, str | None], dict[str, set[str]]] = {}
    for name, sides in pairs.items():
        for place, facts in zip(places, sides, strict=True):
            for gap in facts.gaps:
                scope = " ".join(str(word) for word in (gap.protocol, gap.family, gap.stack, gap.ports) if word is not None)
                kinds = reasons.setdefault((gap.why, gap.line), {})
                kinds.setdefault(f"{name} ({scope})" if scope else name, set()).add(place)
    for (why, _), kinds in reasons.items():
        where = " and ".join(sorted({place for said in kinds.values() for place in said}, key=places.index))
        yield Change(UNKNOWN, ", ".join(kinds), why=f"{where} not all was seen: {why}")


def _range_side(place: str, facts: Facts[Range]) -> Side:
    """One thing for each role, protocol and family: all the ports that it has."""
    groups: dict[str, list[Range]] = {}
    for one in facts.seen:
        words = [w for key in ("role", "protocol", "family") if (w := one.shown.get(key, "any")) not in ("any", "default")]
        groups.setdefault(" ".join(words), []).append(one)
    return Side(place, [_range_thing(subject, ranges) for subject, ranges in groups.items()], hiding(facts))


def _range_thing(subject: str, ranges: list[Range]) -> Thing:
    whole = [one.ports for one in ranges if {"first", "last"} <= one.shown.keys()]
    ports = tuple(map(str, joined(whole)))
    aspects: dict[str, tuple[Any, ...]] = {"ports": (", ".join(ports),)} if len(whole) == len(ranges) else {}
    for key in ("descending", "wildcard_exempt", "needs"):
        if said := sorted({text_of(one.shown[key]) for one in ranges if key in one.shown}):
            aspects[key.replace("_", " ")] = tuple(said)
    unsure = {} if aspects.get("ports") else {"ports": "an end of a range is not shown"}
    return Thing(subject, aspects, unsure, words=", ".join(ports), of=ranges[0])


def joined(ranges: Iterable[PortRange]) -> list[PortRange]:
    """The same ports in as few ranges as say it, in order."""
    found: list[PortRange] = []
    for one in sorted(ranges):
        if found and one.first <= found[-1].last + 1:
            found[-1] = PortRange(found[-1].first, max(found[-1].last, one.last))
        else:
            found.append(one)
    return found


def _setting_side(place: str, facts: Facts[Setting]) -> Side:
    things = [Thing(str(one), *_stated("value", one.shown.get("value")), words=_quoted(one), of=one) for one in facts.seen]
    return Side(place, things, hiding(facts), single=True)


def _quoted(setting: Setting) -> str:
    return setting.shown.get("value", "not shown") or "''"


def _persisted_side(place: str, facts: Facts[Persisted]) -> Side:
    """One thing for each name and file, with its values in the order in which they are applied."""
    groups: dict[str, list[Persisted]] = {}
    for one in facts.seen:
        groups.setdefault(f"{one} in {one.shown.get('file', '?')}", []).append(one)
    things = []
    for subject, lines in groups.items():
        value = ", then ".join(map(_quoted, lines)) if all("value" in line.shown for line in lines) else None
        things.append(Thing(subject, *_stated("value", value), words=value or "", of=lines[0]))
    return Side(place, things, hiding(facts))


def _address_side(place: str, facts: Facts[Address]) -> Side:
    things = []
    for one in facts.seen:
        shown = one.shown
        aspects: dict[str, tuple[Any, ...]] = {key: (text_of(shown[key]),) for key in ("prefix", "kind") if key in shown}
        subject = f"{shown.get('address', '?')} on {shown.get('device', '?')}"
        things.append(Thing(subject, aspects, words=f"/{shown['prefix']}" if "prefix" in shown else "", of=one))
    return Side(place, things, hiding(facts), single=True)


_SIDES: dict[str, tuple[str, Callable[[str, Facts[Any]], Side]]] = {
    "privileged": ("privileged", _range_side), "ephemeral": ("ephemeral", _range_side), "reserved": ("reserved", _range_side),
    "settings": ("setting", _setting_side), "persisted": ("persisted", _persisted_side), "addresses": ("address", _address_side),
}  # fmt: skip
"""The kinds of facts beside the sockets: the word for one, and how they are put side by side."""
