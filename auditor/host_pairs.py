"""Which host of one source is which of another, and what changed on each. A's hosts are kept, B's pass by one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor.differences import ADDED, REMOVED, UNKNOWN, A, B, Change
from auditor.in_words import counted
from auditor.model import Snapshot
from auditor.snapshot_differences import differences

Identity = tuple[str | None, str | None]
"""Machine id and name, each where it is shown."""


class HostChanges:
    """What changed on a host, of which `stacks` and `sockets` were seen (in B, or where it is not there, in A). `note` says why
    two were compared that are not known to be the same."""

    __slots__ = ("changes", "identity", "name", "note", "sockets", "stacks")

    def __init__(self, snapshot: Snapshot, changes: list[Change], note: str | None = None) -> None:
        self.identity = identity_of(snapshot)
        self.name = name_of(self.identity)
        self.stacks, self.sockets = _size(snapshot)
        self.changes = changes
        self.note = note

    def to_json(self) -> list[dict[str, Any]]:
        return [{"host": self.name, **change.to_json()} for change in self.changes]


def identity_of(snapshot: Snapshot) -> Identity:
    return snapshot.shown.get("machine_id"), snapshot.shown.get("host")


def name_of(identity: Identity) -> str:
    return identity[1] or identity[0] or "host without a name"


def _size(snapshot: Snapshot) -> tuple[int, int]:
    stacks = snapshot.facts("stacks").seen
    return len(stacks), sum(len(stack.facts("listening").seen) for stack in stacks)


def compare_hosts(before: Iterable[Snapshot], after: Iterable[Snapshot], unread: Mapping[str, Sequence[Any]]) -> list[HostChanges]:
    """Every host of A and B, by name. Hosts are the same by machine id where both show it, else by name; where each source has exactly one,
    these are compared whatever they are called. `unread` are the sources of each side that could not be read, looked at last."""
    pairs = _Pairs()
    for snapshot in before:
        pairs.keep(snapshot)
    for snapshot in after:
        pairs.meet(snapshot)
    pairs.settle(unread)
    hosts = sorted(pairs.found, key=lambda host: (host.name, host.identity[0] or ""))
    names = [host.identity[1] for host in hosts]
    for host in hosts:
        if host.identity[0] and names.count(host.identity[1]) > 1:
            host.name = f"{host.identity[1]} ({host.identity[0]})"
    return hosts


class _Pairs:
    """`waiting` are the hosts of each side that have not met another, `times` how often each identity came."""

    def __init__(self) -> None:
        self.waiting: dict[str, dict[Identity, Snapshot]] = {A: {}, B: {}}
        self.times: dict[str, dict[Identity, int]] = {A: {}, B: {}}
        self.met: dict[Identity, HostChanges] = {}
        self.found: list[HostChanges] = []

    def _count(self, side: str, identity: Identity) -> int:
        self.times[side][identity] = self.times[side].get(identity, 0) + 1
        return self.times[side][identity]

    def keep(self, snapshot: Snapshot) -> None:
        identity = identity_of(snapshot)
        self._count(A, identity)
        self.waiting[A][identity] = snapshot

    def meet(self, snapshot: Snapshot) -> None:
        """Compare a host of B at once with the one of A that has its machine id and name, if there is just one; else let it wait."""
        identity = identity_of(snapshot)
        first = self._count(B, identity) == 1
        if first and identity != (None, None) and self.times[A].get(identity) == 1:
            self.met[identity] = HostChanges(snapshot, differences(self.waiting[A][identity], snapshot))
            return
        self.met.pop(identity, None)
        self.waiting[B][identity] = snapshot

    def settle(self, unread: Mapping[str, Sequence[Any]]) -> None:
        for identity, host in self.met.items():
            self.found.append(host)
            del self.waiting[A][identity]
        one, other = self.waiting[A], self.waiting[B]
        if not self.met and [sum(times.values()) for times in self.times.values()] == [1, 1]:
            self._pair(next(iter(one)), next(iter(other)), only=True)
        for index in (0, 1):
            for ours, theirs in _matches(one, other, index):
                if self.times[A][ours] == self.times[B][theirs] == 1:
                    self._pair(ours, theirs)
        rivals = {A: _Rivals(other), B: _Rivals(one)}
        for side in (A, B):
            self.found += [self._alone(side, identity, rivals[side], unread) for identity in self.waiting[side]]

    def _pair(self, ours: Identity, theirs: Identity, only: bool = False) -> None:
        before, after = self.waiting[A].pop(ours), self.waiting[B].pop(theirs)
        note = f"A's {name_of(ours)} is compared with B's {name_of(theirs)}, as each has exactly one host"
        self.found.append(HostChanges(after, differences(before, after), note=note if only and not _same(ours, theirs) else None))

    def _alone(self, side: str, identity: Identity, rivals: _Rivals, unread: Mapping[str, Sequence[Any]]) -> HostChanges:
        other = B if side == A else A
        snapshot, name = self.waiting[side][identity], name_of(identity)
        why = None
        if (times := self.times[side][identity]) > 1:
            why = f"{side} has {times} snapshots of it: give one"
        elif rival := rivals.of(identity):
            several = f", of which there are {self.times[other][rival]}" if self.times[other][rival] > 1 else ""
            why = f"it may be {name_of(rival)} of {other}{several}"
        elif unread[other]:
            why = f"{len(unread[other])} of {other} could not be read"
        elif identity == (None, None):
            why = "its evidence does not say which host it is"
        stacks, sockets = _size(snapshot)
        words = f"{counted(stacks, 'stack')}, {counted(sockets, 'socket')}"
        sign = UNKNOWN if why else REMOVED if side == A else ADDED
        before, after = (words, None) if side == A else (None, words)
        return HostChanges(snapshot, [Change(sign, "host", name, why=why, before=before, after=after)])


def _same(one: Identity, other: Identity) -> bool:
    """By machine id where both show it, else by name."""
    index = 0 if one[0] is not None and other[0] is not None else 1
    return one[index] is not None and one[index] == other[index]


def _matches(one: Iterable[Identity], other: Iterable[Identity], index: int) -> list[tuple[Identity, Identity]]:
    """The pairs that share a machine id (index 0) or a name (1), where nobody else does."""
    groups: dict[str, tuple[list[Identity], list[Identity]]] = {}
    for at, side in enumerate((one, other)):
        for identity in side:
            if (key := identity[index]) is not None:
                groups.setdefault(key, ([], []))[at].append(identity)
    return [(ours[0], theirs[0]) for ours, theirs in groups.values() if len(ours) == len(theirs) == 1 and _same(ours[0], theirs[0])]


class _Rivals:
    """Hosts of the other side that found no partner, to ask whether one of them may be a given host."""

    def __init__(self, identities: Iterable[Identity]) -> None:
        self.by_key: dict[tuple[int, str], list[Identity]] = {}
        self.by_shape: dict[tuple[bool, bool], Identity] = {}
        for identity in identities:
            self.by_shape.setdefault((identity[0] is None, identity[1] is None), identity)
            for index, key in enumerate(identity):
                if key is not None:
                    self.by_key.setdefault((index, key), []).append(identity)

    def of(self, identity: Identity) -> Identity | None:
        """One that is the same, or that shows nothing by which it could be told apart."""
        alike = (one for index, key in enumerate(identity) if key is not None for one in self.by_key.get((index, key), []))
        if same := next((one for one in alike if _same(identity, one)), None):
            return same
        shapes = (rival for (no_id, no_name), rival in self.by_shape.items()
                  if (no_id or identity[0] is None) and (no_name or identity[1] is None))  # fmt: skip
        return next(shapes, None)
