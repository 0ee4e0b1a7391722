"""Which sockets beside a socket are other users', looked up by place and user: many sockets of one user cost what one costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from auditor.facts import Facts, UnknownFact
from auditor.model import Socket

NAMED_MAX = 5
"""How many other users of a place are named for one socket: each of them is asked about itself too."""
_NOT_SHOWN = ...
_Meet = Callable[[Socket, Socket], bool]
_Why = tuple[str, str | None]
"""What an UnknownFact says, and the kind of fact that is missing."""


class _Users:
    """Sockets of one place that one user created and whose processes run as the same users; or of which it is unknown for one reason."""

    __slots__ = ("first", "holders", "several", "uid")

    def __init__(self, first: Socket) -> None:
        self.first = first
        self.several = False
        self.uid: Any = first.shown.get("uid", _NOT_SHOWN)
        self.holders: frozenset[int] | _Why
        try:
            self.holders = frozenset(owner.uid for owner in first.owners)
        except UnknownFact as unknown:
            self.holders = str(unknown), unknown.fact


class _OfCreator:
    """The sockets of one place that one user created, by who holds them. Sets of `known` ones are numbers whose bits are their places."""

    __slots__ = ("by_holders", "held_by", "known", "unknown")

    def __init__(self) -> None:
        self.by_holders: dict[frozenset[int] | _Why, _Users] = {}
        self.known: list[_Users] = []
        self.unknown: list[_Why] = []
        self.held_by: dict[int, int] = {}

    def users_of(self, users: _Users) -> _Users:
        """Those that are there already and are the same, or else these."""
        there = self.by_holders.setdefault(users.holders, users)
        if there is not users:
            there.several = True
        elif isinstance(users.holders, tuple):
            self.unknown.append(users.holders)
        else:
            for uid in users.holders:
                self.held_by[uid] = self.held_by.get(uid, 0) | 1 << len(self.known)
            self.known.append(users)
        return there

    def others(self, users: _Users) -> Iterator[_Users]:
        """NAMED_MAX at most of those of which no user has a process that holds them and a process that holds these. Raises UnknownFact at
        the end where not every holder was seen."""
        if isinstance(users.holders, tuple):
            if any(other is not users or users.several for other in self.by_holders.values()):
                raise UnknownFact(*users.holders)
            return
        left = (1 << len(self.known)) - 1
        for uid in users.holders:
            left &= ~self.held_by.get(uid, 0)
        yield from islice((other for other in self._in(left) if other is not users or users.several), NAMED_MAX)
        if self.unknown:
            raise UnknownFact(*self.unknown[0])

    def _in(self, places: int) -> Iterator[_Users]:
        while places:
            yield self.known[(places & -places).bit_length() - 1]
            places &= places - 1


class _Place:
    """The sockets that are alike in all but whose they are, by their creators."""

    __slots__ = ("by_creator", "first")

    def __init__(self, first: Socket) -> None:
        self.first = first
        self.by_creator: dict[Any, _OfCreator] = {}

    def users_of(self, socket: Socket) -> _Users:
        users = _Users(socket)
        return self.by_creator.setdefault(users.uid, _OfCreator()).users_of(users)

    def others(self, users: _Users) -> tuple[list[Socket], _Why | None]:
        """A socket of each of the others, of NAMED_MAX at most: those that another user created, and those whose holders are others. And
        why there may be more."""
        found: list[Socket] = []
        why: _Why | None = None
        for uid in self.by_creator if users.uid is _NOT_SHOWN else (users.uid, _NOT_SHOWN):
            try:
                for other in self.by_creator[uid].others(users) if uid in self.by_creator else ():
                    found.append(other.first)
            except UnknownFact as unknown:
                why = why or (str(unknown), unknown.fact)
        return [*found, *islice(self._of_other_creators(users), NAMED_MAX)][:NAMED_MAX], why

    def _of_other_creators(self, users: _Users) -> Iterator[Socket]:
        shown = self.by_creator if users.uid is not _NOT_SHOWN else {}
        others = (them for uid, them in shown.items() if uid not in (users.uid, _NOT_SHOWN))
        return (other.first for them in others for other in them.by_holders.values())


class SocketUsers:
    """The sockets of a stack, by place and users."""

    def __init__(self, listening: Facts[Socket]) -> None:
        self._listening = listening
        self._places: dict[tuple[Any, ...], dict[Any, dict[tuple[Any, ...], _Place]]] = {}
        self._users: dict[Socket, _Users] = {}
        self._answers: dict[tuple[Any, ...], tuple[list[Socket], _Why | None]] = {}
        for one in listening.seen:
            at = tuple(map(one.shown.get, ("protocol", "port", "address")))
            rest = tuple(one.shown.get(key, _NOT_SHOWN) for key in ("family", "v6only", "zone", "state", "device"))
            here = self._places.setdefault(at, {}).setdefault(one.shown.get("device") or None, {})
            place = here.setdefault(rest, _Place(one))
            self._users[one] = place.users_of(one)

    def others(self, socket: Socket, addresses: tuple[str, ...], meet: _Meet) -> Iterator[Socket]:
        """A socket of each other user, of NAMED_MAX at most of each place, that has a socket's protocol and port and one of these addresses
        and meets it. `meet` asks nothing of users. Raises UnknownFact at the end where there may be more."""
        place = socket.protocol, socket.port
        users = self._users.get(socket) or _Users(socket)
        asked = (*place, users, addresses, meet)
        if asked not in self._answers:
            self._answers[asked] = self._answer(socket, users, addresses, meet)
        found, why = self._answers[asked]
        yield from found
        yield from Facts((), "", self._listening.about(socket.protocol, "any", socket.port).gaps, fact=self._listening.fact)
        if why is not None:
            raise UnknownFact(*why)

    def _answer(self, socket: Socket, users: _Users, addresses: tuple[str, ...], meet: _Meet) -> tuple[list[Socket], _Why | None]:
        found: list[Socket] = []
        why: _Why | None = None
        for place in (place for address in addresses for place in self._at(socket, address)):
            doubt: _Why | None = None
            try:
                if not meet(socket, place.first):
                    continue
            except UnknownFact as unknown:
                doubt = str(unknown), unknown.fact
            others, unsure = place.others(users)
            if doubt is None:
                found += others
                why = why or unsure
            elif others or unsure:
                why = why or doubt
        return found, why

    def _at(self, socket: Socket, address: str) -> Iterator[_Place]:
        """The places at an address, without those on another device."""
        by_device = self._places.get((socket.protocol, socket.port, address), {})
        device = socket.shown.get("device") or None
        return (place for one in (by_device if device is None else (device, None)) for place in by_device.get(one, {}).values())
