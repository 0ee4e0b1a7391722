"""Who may do what with files, by their modes and access control lists, as the kernel decides it: path_resolution(7), acl(5) and
acl_permission_check of fs/namei.c. Of root nothing is told: it may."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, combinations

from auditor.parsers import rows

READ, WRITE, EXECUTE = 4, 2, 1
_RIGHTS = re.compile(r"([0-7]{4}):([0-9]+):([0-9]+)(?:\+(.+))?")
_ENTRY = re.compile(r"([ugm])([0-9]*)=([0-7])")
_MOST_GROUPS = 8


class Rights:
    """What decides who may use one file. ValueError where `said` is not MODE:UID:GID, with +u33=5,g=5,g4=1,m=5 behind it where it has an
    access control list."""

    __slots__ = ("entries", "gid", "mode", "uid")

    def __init__(self, said: str) -> None:
        found = _RIGHTS.fullmatch(said)
        ids = [rows.number(word) for word in (found[2], found[3])] if found else []
        if found is None or None in ids:
            raise ValueError(said)
        self.mode = int(found[1], 8)
        self.uid, self.gid = int(found[2]), int(found[3])
        self.entries: dict[tuple[str, int | None], int] = {}
        for word in found[4].split(",") if found[4] else []:
            entry = _ENTRY.fullmatch(word)
            if entry is None:
                raise ValueError(said)
            self.entries[entry[1], int(entry[2]) if entry[2] else None] = int(entry[3])

    @property
    def named(self) -> tuple[set[int], set[int]]:
        """The users and groups that it speaks of."""
        users = {who for (kind, who) in self.entries if kind == "u" and who is not None}
        groups = {who for (kind, who) in self.entries if kind == "g" and who is not None}
        return users | {self.uid}, groups | {self.gid}

    def let(self, uid: int | None, groups: frozenset[int], what: int) -> bool:
        """Whether a user may, who is not root. The first class that fits decides alone."""
        if uid == self.uid:
            return self.mode >> 6 & what == what
        if self.entries and self.mode & 0o070:
            return self._by_list(uid, groups, what)
        return (self.mode >> 3 if self.gid in groups else self.mode) & what == what

    def _by_list(self, uid: int | None, groups: frozenset[int], what: int) -> bool:
        mask = self.entries.get(("m", None), 7)
        if ("u", uid) in self.entries and uid is not None:
            return self.entries["u", uid] & mask & what == what
        own = {self.gid: self.entries.get(("g", None), self.mode >> 3 & 7)}
        theirs = [*own.items(), *((who, may) for (kind, who), may in self.entries.items() if kind == "g" and who is not None)]
        fitting = [may for who, may in theirs if who in groups]
        if fitting:
            return any(may & what == what for may in fitting) and mask & what == what
        return self.mode & what == what


class Who:
    """Those of whom `may` is true: a function of a user (None: one of whom nothing else is said) and a set of groups."""

    def __init__(self, may: Callable[[int | None, frozenset[int]], bool], uids: Iterable[int], gids: Iterable[int]) -> None:
        self._may = may
        self._uids = sorted(set(uids) - {0})
        self._groups = [frozenset(some) for some in _subsets(sorted(set(gids)))]
        self.anyone = may(None, frozenset())
        """Whether any user may of whom the files do not speak."""

    def words(self, user: Callable[[int], str]) -> str | None:
        """Who they are; None where there is nobody. `user` gives a user's name."""
        if self.anyone:
            but = [*(user(uid) for uid in self._uids if not self._may(uid, frozenset())), *self._refused_groups()]
            return "everyone" + (f" but {' and '.join(but)}" if but else "")
        found = [said for uid in self._uids if (said := self._of(uid, user(uid)))]
        return " and ".join([*found, *(self._group(some, user) for some in self._minimal(None))]) or None

    @property
    def only(self) -> int | None:
        """The one user who may; None where others may too, or none."""
        alone = [uid for uid in self._uids if self._may(uid, frozenset())]
        others = self.anyone or self._minimal(None) or any(self._minimal(uid) for uid in self._uids if uid not in alone)
        return alone[0] if len(alone) == 1 and not others else None

    def _group(self, some: frozenset[int], user: Callable[[int], str]) -> str:
        refused = [user(uid) for uid in self._uids if not self._may(uid, some)]
        return _in_words(some) + (f" but not {' or '.join(refused)}" if refused else "")

    def of(self, uid: int, user: Callable[[int], str]) -> str | None:
        """One user, with the groups that it takes; None where it may not."""
        return self._of(uid, user(uid), alone=True)

    def _of(self, uid: int, name: str, alone: bool = False) -> str | None:
        if self._may(uid, frozenset()):
            return name
        groups = [some for some in self._minimal(uid) if alone or some not in self._minimal(None)]
        return f"{name} as a member of {' or '.join(map(_in_words, groups))}" if groups else None

    def _minimal(self, uid: int | None) -> list[frozenset[int]]:
        """The smallest sets of groups with which a user may."""
        found: list[frozenset[int]] = []
        for some in self._groups:
            if self._may(uid, some) and not any(less <= some for less in found):
                found.append(some)
        return found

    def _refused_groups(self) -> Iterator[str]:
        """All but root's own."""
        return (_in_words(some) for some in self._groups if len(some) == 1 and some != {0} and not self._may(None, some))


def who(asked: list[tuple[Rights, int]]) -> Who:
    """Those who may do what is asked of each of these files. ValueError where they speak of more groups than can be told apart."""
    uids: set[int] = set()
    gids: set[int] = set()
    for rights, _ in asked:
        users, groups = rights.named
        uids |= users
        gids |= groups
    if len(gids) > _MOST_GROUPS:
        raise ValueError(f"{len(gids)} groups")
    return Who(lambda uid, groups: all(rights.let(uid, groups, what) for rights, what in asked), uids, gids)


def _in_words(groups: frozenset[int]) -> str:
    return " and ".join(f"group {group}" for group in sorted(groups))


def _subsets(gids: list[int]) -> Iterator[tuple[int, ...]]:
    """The smaller ones first."""
    return chain.from_iterable(combinations(gids, size) for size in range(len(gids) + 1))
