"""Which network stack of a host at one time is which at another.

The host's own, and those that a container, a mount, a unit, a jail or a zone gives a name, are the same where they have one name. The name
of one that is called after a process tells nothing: which of its processes is met first, and how much of that may be read, is another in
each run, and anybody may call a process anything. Such a one is the same where the kernel says so, within one boot. Those of which nothing
says which is which are compared together: what none of them has on one side is not there, whichever they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from auditor.facts import Facts
from auditor.model import HOST_STACK, Snapshot, Stack

_AFTER_A_PROCESS = re.compile(r"process[: ]|namespace without a visible process|(?:netns|procnet):[0-9]+$")
_NUMBER = re.compile(r" \([0-9]+\)$")
_KERNELS = ("netns", "procnet")


class Together:
    """Stacks of which it cannot be told which is which: those `before` and those `after`."""

    __slots__ = ("after", "before")

    def __init__(self, before: list[Stack], after: list[Stack]) -> None:
        self.before = before
        self.after = after


class StackPairs:
    """The stacks of two snapshots of a host. `before` is the earlier one with its stacks called as the later one calls them: what has one
    name is one stack, and what has not is another, but for those that are `together`, whose names are `unsure`."""

    def __init__(self, before: Snapshot, after: Snapshot, earlier: str) -> None:
        """`earlier` are the words for the time or place of the earlier one."""
        ours, theirs = before.facts("stacks").seen, after.facts("stacks").seen
        boots = before.shown.get("boot_id"), after.shown.get("boot_id")
        pairs, pools = _Unpaired(ours, theirs, bool(boots[0]) and boots[0] == boots[1]).settled()
        names = {id(one): other.name for one, other in pairs}
        taken = {stack.name for stack in theirs}
        called = {id(one): _called(one, names.get(id(one), f"{one.name} ({earlier})" if one.name in taken else one.name)) for one in ours}
        self.before = _with_stacks(before, called.values())
        self.together = [Together([called[id(one)] for one in pool.before], pool.after) for pool in pools]
        self.unsure = frozenset(stack.name for pool in self.together for stack in (*pool.before, *pool.after))


class _Unpaired:
    """The stacks of both sides that have not found each other yet."""

    def __init__(self, ours: Iterable[Stack], theirs: Iterable[Stack], one_boot: bool) -> None:
        self._ours = {id(one): one for one in ours}
        self._theirs = {id(one): one for one in theirs}
        self._one_boot = one_boot

    def settled(self) -> tuple[list[tuple[Stack, Stack]], list[Together]]:
        """Those that are the same, and those of which it cannot be told."""
        pairs = [*self._by_name(), *self._by_identity(_of_container, lambda one, other: True)]
        if self._one_boot:
            pairs += self._by_identity(_of_kernel, _one_by_the_kernel)
        return [*pairs, *self._by_name()], list(self._together())

    def _by_name(self) -> Iterator[tuple[Stack, Stack]]:
        """Those that are called alike, and nothing else is."""
        theirs = _groups(self._theirs.values())
        for name, ours in _groups(self._ours.values()).items():
            if len(ours) == len(others := theirs.get(name, [])) == 1:
                yield self._met(ours[0], others[0])

    def _by_identity(
        self, identities: Callable[[Stack], set[str]], same: Callable[[Stack, Stack], bool]
    ) -> Iterator[tuple[Stack, Stack]]:  # fmt: skip
        known = {identity: one for one in self._ours.values() for identity in identities(one)}
        for other in list(self._theirs.values()):
            one = next((known[identity] for identity in sorted(identities(other)) if identity in known), None)
            if one is not None and id(one) in self._ours and same(one, other):
                yield self._met(one, other)

    def _met(self, one: Stack, other: Stack) -> tuple[Stack, Stack]:
        del self._ours[id(one)], self._theirs[id(other)]
        return one, other

    def _together(self) -> Iterator[Together]:
        theirs = _groups(self._theirs.values())
        for name, ours in _groups(self._ours.values()).items():
            if others := theirs.get(name):
                yield Together(ours, others)
        ours, others = ([one for one in side.values() if _given(one) is None] for side in (self._ours, self._theirs))
        ours, others = self._perhaps_among(ours, others), self._perhaps_among(others, ours)
        if ours:
            yield Together(ours, others)

    def _perhaps_among(self, stacks: list[Stack], others: list[Stack]) -> list[Stack]:
        """Those of `stacks` that may be one of `others`: the kernel does not tell them apart from all of them. What it shows of both in one
        way is another by now, or they would have met."""
        if not self._one_boot:
            return stacks if others else []
        ways = {frozenset(_ways(other)) for other in others}
        return [one for one in stacks if any(way.isdisjoint(_ways(one)) for way in ways)]


def _given(stack: Stack) -> str | None:
    """The name that something other than its processes gives it, without the number that tells it from others of that name. The host's own
    stack is one: what else is called so, as a mount may be, keeps its number."""
    bare = _NUMBER.sub("", stack.name)
    return None if _AFTER_A_PROCESS.match(stack.name) else stack.name if bare == HOST_STACK else bare


def _groups(stacks: Iterable[Stack]) -> dict[str, list[Stack]]:
    found: dict[str, list[Stack]] = {}
    for one in stacks:
        if (name := _given(one)) is not None:
            found.setdefault(name, []).append(one)
    return found


def _ways(stack: Stack) -> dict[str, str]:
    """What the kernel calls it, by the way in which that was read."""
    told = (identity.partition(":") for identity in stack.shown.get("identities", []))
    return {way: number for way, _, number in told if way in _KERNELS}


def _of_kernel(stack: Stack) -> set[str]:
    return {f"{way}:{number}" for way, number in _ways(stack).items()}


def _of_container(stack: Stack) -> set[str]:
    return {identity for identity in stack.shown.get("identities", []) if identity.startswith("container:")}


def _one_by_the_kernel(one: Stack, other: Stack) -> bool:
    """Whether all that the kernel shows of both is the same. It gives a number anew once its namespace is gone: of two that something other
    than their processes names, the names decide."""
    ours, theirs = _ways(one), _ways(other)
    names = {_given(one), _given(other)}
    return (None in names or len(names) == 1) and all(ours[way] == theirs[way] for way in ours.keys() & theirs.keys())


def _called(stack: Stack, name: str) -> Stack:
    return stack if name == stack.name else Stack(**{**stack.shown, "name": name})


def _with_stacks(snapshot: Snapshot, stacks: Iterable[Stack]) -> Snapshot:
    if "stacks" not in snapshot.shown:
        return snapshot
    known = snapshot.stacks
    return Snapshot(**{**snapshot.shown, "stacks": Facts(stacks, known.source, known.gaps, known.basis)})
