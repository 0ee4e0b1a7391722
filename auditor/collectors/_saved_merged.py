"""One socket of several outputs: what its rows show together, and who holds it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import chain
from typing import Any

from auditor.collectors._saved_answers import Heard, Listing
from auditor.facts import Gap
from auditor.model import Socket
from auditor.owner import Owner
from auditor.port_range import PortRange
from auditor.reading import Seen

_SHARED = "several sockets have this address and port; which holder has which of them is not shown"
_OF_A_NAME = ("process", "user")
"""Keys of an owner that commands cut."""


class Holders:
    """The processes that hold a socket. `doubt` is why one of them is not known for sure: two rows tell it in two ways."""

    __slots__ = ("_by_pid", "_disputed", "_owners", "doubt", "told")

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.doubt: str | None = None
        self._by_pid: dict[Any, dict[str, Any]] = {}
        self._disputed: set[tuple[Any, str]] = set()
        self._owners: list[Owner] | None = None

    def add(self, owners: list[dict[str, Any]]) -> None:
        """More holders, each process once; a key that is told in two ways is not known of it."""
        for owner in owners:
            pid = owner["pid"] if "pid" in owner else tuple(owner.items())
            known = self._by_pid.get(pid)
            if known is None:
                known = self._by_pid[pid] = {}
                self.told.append(known)
            for key, value in owner.items():
                if (pid, key) in self._disputed:
                    continue
                if key not in known or _completes(key, value, known[key]):
                    known[key] = value
                elif not _completes(key, known[key], value):
                    self._disputed.add((pid, key))
                    self.doubt = f"{key} of process {pid} is {known.pop(key)!r:.40} in one answer and {value!r:.40} in another"

    def owners(self, heard: Heard) -> list[Owner]:
        """With what else the stack's answers say of the same processes."""
        if self._owners is None:
            self._owners = [Owner(**_told(owner, heard)) for owner in self.told]
        return self._owners


class Merged:
    """One socket: what every row of it shows together, its holders, and which listings had it. `disputed` are the keys that two rows show
    differently."""

    __slots__ = ("disputed", "holders", "identity", "lists_holders", "shared", "shown", "shows_owners", "sources")

    def __init__(self, seen: Seen, shown: dict[str, Any]) -> None:
        self.shown = shown
        self.identity = seen.identity
        self.holders = Holders()
        self.disputed: set[str] = set()
        self.sources: list[str] = []
        self.lists_holders = False
        self.shows_owners = False
        self.shared = False

    @property
    def place(self) -> tuple[str, int, str]:
        return self.shown["protocol"], self.shown["port"], self.shown["address"]

    def same_as(self, seen: Seen, shown: dict[str, Any]) -> bool:
        """Whether a row of another listing may be this socket: nothing that both show speaks against it."""
        if _tells(self.identity) and _tells(seen.identity) and self.identity != seen.identity:
            return False
        for key in ("zone", "device"):
            if key in self.shown and key in shown and self.shown[key] != shown[key]:
                return False
        return "unknown" in (self.shown["family"], shown["family"]) or self.shown["family"] == shown["family"]

    def add(self, seen: Seen, shown: dict[str, Any], listing: Listing, gaps: list[Gap]) -> None:
        """One more row of it. Rows whose address is cut or of no known family come last."""
        if "port_from_name" not in shown:
            self.shown.pop("port_from_name", None)
        for key, value in shown.items():
            known = self.shown.get(key)
            if key in ("address", "address_cut", "port_from_name") or key in self.disputed or value == "unknown":
                continue
            if known in (None, "unknown"):
                self.shown[key] = value
            elif known != value:
                one, other = f"{known!r:.40} in {self.sources[0]}", f"{value!r:.40} in {listing.source}"
                port = PortRange(self.shown["port"], self.shown["port"])
                gaps.append(Gap(f"{key} of {Socket(**self.shown)} is {one} and {other}", protocol=self.shown["protocol"], ports=port))
                self.disputed.add(key)
                self.shown.pop(key) if key != "state" else self.shown.update(state="unknown")
        self.holders.add(seen.owners)
        if listing.source not in self.sources:
            self.sources.append(listing.source)
        self.identity = self.identity or seen.identity
        self.shows_owners |= listing.reading.shows_owners


class Alike:
    """Sockets of one place, told apart by their identity where they have one."""

    __slots__ = ("by_identity", "others")

    def __init__(self, by_identity: dict[str, Merged] | None = None, others: Iterable[Merged] = ()) -> None:
        self.by_identity = by_identity or {}
        self.others = deque(others)

    def name(self, one: Merged) -> None:
        """One of them has an identity now."""
        self.others.remove(one)
        self.put(one)

    def copy(self) -> Alike:
        return Alike(dict(self.by_identity), self.others)

    def put(self, one: Merged) -> None:
        if one.identity is None or self.by_identity.setdefault(one.identity, one) is not one:
            self.others.append(one)

    def drop(self, one: Merged) -> None:
        if one.identity is not None and self.by_identity.get(one.identity) is one:
            del self.by_identity[one.identity]
        else:
            self.others.remove(one)

    def find(self, seen: Seen, shown: dict[str, Any]) -> Merged | None:
        same = self.by_identity.get(seen.identity or "")
        if same is not None and same.same_as(seen, shown):
            return same
        pool = self.others if _tells(seen.identity) else chain(self.others, self.by_identity.values())
        return next((one for one in pool if one.same_as(seen, shown)), None)


def _tells(identity: str | None) -> bool:
    """Whether it is the same in every command's output: an inode is, the address of a control block is not."""
    return identity is not None and identity.isdigit()


def _completes(key: str, value: Any, known: Any) -> bool:
    """Whether a value is the known one, or the known one is that cut short."""
    return bool(value == known) or (key in _OF_A_NAME and str(value).startswith(str(known)))


def owners_of(one: Merged, heard: Heard, sight: str | None) -> dict[str, Any]:
    """The owners' keys of a socket. `sight` says why not every process may have been looked at; None where all were."""
    holders = one.holders.owners(heard)
    listed = one.lists_holders or _would_list(one, heard)
    if one.shared:
        why: str | None = _SHARED
    elif one.holders.doubt:
        why = one.holders.doubt
    elif holders:
        why = sight if one.lists_holders else sight or f"{one.sources[0]} names one process of a socket; there may be others"
    elif listed:
        why = sight
    else:
        why = "no answer that shows holders lists it" if one.shows_owners else "the output shows no holders"
    state = ("partial" if why else "known") if holders else ("unreadable" if why else "none")
    found: dict[str, Any] = {"owner_state": state}
    if holders:
        found["owners_seen"] = holders
    if state != "known":
        found["owner_reason"] = why or "no process holds it: the kernel itself, or a process that is gone"
    return found


def _would_list(one: Merged, heard: Heard) -> bool:
    """Whether a whole listing by holder, without a gap, has no row of it: then no process holds it."""
    pair = (one.shown["protocol"], one.shown["family"])
    return one.shown.get("state") == "listening" and any(
        listing.lists_holders
        and listing.reading.per_descriptor
        and listing.reading.covers.get(pair, "not asked") is None
        and not listing.reading.gaps
        for listing in heard.listings
    )


def _told(owner: dict[str, Any], heard: Heard) -> dict[str, Any]:
    """An owner with what ps and the accounts say of the same process; one that has another name or user there had its number later."""
    told = dict(owner)
    for shown in heard.processes.get(owner.get("pid", -1), ()):
        if all(_completes(key, told[key], value) or _completes(key, value, told[key]) for key, value in shown.items() if key in told):
            told |= {key: value for key, value in shown.items() if key not in told or _completes(key, value, told[key])}
    if "user" not in told and told.get("uid") in heard.users:
        told["user"] = heard.users[told["uid"]]
    return told
