"""The sockets of one stack put together from several outputs: one seen twice is one, and what is known wins over what is not."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from auditor.collectors._saved_answers import Heard, Listing
from auditor.facts import PORT_MAX, Gap, PortRange
from auditor.model import Owner, Socket
from auditor.parsers import services
from auditor.reading import FAMILIES, PROTOCOLS, Seen

_SHARED = "several sockets have this address and port; which holder has which of them is not shown"
_UNHELD = "it lists no socket that no process holds, such as one of the kernel's own"
_OF_A_NAME = ("process", "user")
"""Keys of an owner that commands cut."""

_WORDS = {"tcp": "TCP", "udp": "UDP", "ipv4": "IPv4", "ipv6": "IPv6"}

Named = Callable[[str, str], tuple[int, ...]]
"""The ports that a service name has, for a protocol."""


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


class Sockets:
    """The merged sockets of a stack, and the gaps. `holders` are programs that list every holder, `leaves_out` those that list no socket
    without one; `named` resolves port names."""

    def __init__(self, heard: Heard, holders: frozenset[str], leaves_out: frozenset[str], named: Named) -> None:
        self.found: list[Merged] = []
        self.gaps: list[Gap] = []
        self._heard = heard
        self._named = named
        self._by_place: dict[tuple[str, int, str], _Alike] = {}
        self._by_port: dict[tuple[str, int], list[Merged]] = {}
        listings = []
        for listing in heard.listings:
            _limit_to_what_was_asked(listing)
            lists_holders = listing.program in holders and listing.reading.shows_owners
            listings.append(_Rows(listing, self._resolved(listing), lists_holders=lists_holders))
            self.gaps += listing.reading.gaps
        for rows in listings:
            for seen, shown in rows.whole:
                self._take(rows, seen, shown)
        for rows in listings:
            for seen, shown in rows.loose:
                self._take(rows, seen, shown)
        _share(self.found)
        self.gaps += uncovered(heard, leaves_out)

    def _resolved(self, listing: Listing) -> list[Row]:
        rows = []
        for seen in listing.reading.seen:
            shown = dict(seen.shown)
            if seen.port_name is None or self._resolve(seen, shown, listing):
                rows.append((seen, shown))
        return rows

    def _take(self, rows: _Rows, seen: Seen, shown: dict[str, Any]) -> None:
        one = self._exact(rows, seen, shown) or (self._loose(rows, seen, shown) if _is_loose(shown) else None) or self._new(seen, shown)
        known_by = one.identity
        one.add(seen, shown, rows.listing, self.gaps)
        if one.identity != known_by:
            self._by_place[one.place].name(one)
        one.lists_holders |= shown["protocol"] in rows.lists_holders
        rows.matched.add(id(one))

    def _resolve(self, seen: Seen, shown: dict[str, Any], listing: Listing) -> bool:
        """Put the number of a port's name in `shown`; a gap where there is none, or more than one."""
        name, protocol = seen.port_name or "", shown["protocol"]
        own = self._heard.ports_by_name.get((name, protocol))
        ports = (own,) if own else () if own == services.AMBIGUOUS else self._named(name, protocol)
        if len(ports) == 1 and 0 < ports[0] <= PORT_MAX:
            shown |= {"port": ports[0], "port_from_name": True}
            return True
        several = own == services.AMBIGUOUS or len(ports) > 1
        why = "several ports have this name" if several else "no port is known by this name"
        self.gaps.append(Gap(f"{listing.source}: {why}: {name}", seen.line[:200], protocol=protocol))
        return False

    def _new(self, seen: Seen, shown: dict[str, Any]) -> Merged:
        one = Merged(seen, dict(shown))
        self.found.append(one)
        self._by_place.setdefault(one.place, _Alike()).put(one)
        self._by_port.setdefault(one.place[:2], []).append(one)
        return one

    def _exact(self, rows: _Rows, seen: Seen, shown: dict[str, Any]) -> Merged | None:
        place = shown["protocol"], shown["port"], shown["address"]
        if rows.listing.reading.per_descriptor:
            return self._by_place[place].find(seen, shown) if place in self._by_place else None
        if place not in rows.left:
            rows.left[place] = self._by_place[place].copy() if place in self._by_place else _Alike()
        one = rows.left[place].find(seen, shown)
        if one is not None:
            rows.left[place].drop(one)
        return one

    def _loose(self, rows: _Rows, seen: Seen, shown: dict[str, Any]) -> Merged | None:
        """The one socket that a row with a cut address, or of no known family, may be of; None where there are several or none."""
        if not rows.listing.reading.per_descriptor and rows.cut_alike[_cut_place(shown)] > 1:
            return None
        if shown["address"] == "*" and rows.tells_families:
            return None
        found = None
        for one in self._by_port.get((shown["protocol"], shown["port"]), ()):
            if id(one) not in rows.matched and one.same_as(seen, shown) and _may_be(one.shown, shown):
                if found is not None:
                    return None
                found = one
        if found and shown["address"] == "*" and not self._would_be_seen(rows.listing, shown["protocol"], found.shown["family"]):
            return None
        return found

    def _would_be_seen(self, but: Listing, protocol: str, family: str) -> bool:
        """Whether a socket of the other family would be in another listing too."""
        others = [name for name in FAMILIES if name != family]
        return any(
            all(listing.reading.covers.get((protocol, name), "not asked") is None for name in others)
            for listing in self._heard.listings
            if listing is not but
        )


Row = tuple[Seen, dict[str, Any]]


class _Rows:
    """The rows of one listing, those whose address is whole and those where it is not; which sockets it has had (`matched`), and which of
    others it has not (`left`), by place: but for one that lists descriptors, each row is a socket of its own."""

    __slots__ = ("cut_alike", "left", "listing", "lists_holders", "loose", "matched", "tells_families", "whole")

    def __init__(self, listing: Listing, rows: list[Row], *, lists_holders: bool) -> None:
        self.listing = listing
        self.whole = [row for row in rows if not _is_loose(row[1])]
        self.loose = [row for row in rows if _is_loose(row[1])]
        self.cut_alike = Counter(_cut_place(shown) for _, shown in self.loose)
        self.tells_families = any(shown["family"] != "unknown" for _, shown in rows)
        self.matched: set[int] = set()
        self.left: dict[tuple[str, int, str], _Alike] = {}
        self.lists_holders = [protocol for protocol in PROTOCOLS if lists_holders and _is_whole(listing, protocol)]


class _Alike:
    """Sockets of one place, told apart by their identity where they have one."""

    __slots__ = ("by_identity", "others")

    def __init__(self, by_identity: dict[str, Merged] | None = None, others: Iterable[Merged] = ()) -> None:
        self.by_identity = by_identity or {}
        self.others = deque(others)

    def name(self, one: Merged) -> None:
        """One of them has an identity now."""
        self.others.remove(one)
        self.put(one)

    def copy(self) -> _Alike:
        return _Alike(dict(self.by_identity), self.others)

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


def _is_whole(listing: Listing, protocol: str) -> bool:
    """Whether no row of a protocol can be missing from what the command was asked for."""
    covers = listing.reading.covers
    return any(covers.get((protocol, family), "not asked") is None for family in FAMILIES) and not any(
        gap.concerns(protocol, "any", None) for gap in listing.reading.gaps
    )


def _completes(key: str, value: Any, known: Any) -> bool:
    """Whether a value is the known one, or the known one is that cut short."""
    return bool(value == known) or (key in _OF_A_NAME and str(value).startswith(str(known)))


def _limit_to_what_was_asked(listing: Listing) -> None:
    """Rows of a protocol or family that was not asked for say that the command line is not the one that was run."""
    asked = listing.reading.covers
    for seen in listing.reading.seen:
        protocol, family = seen.shown["protocol"], seen.shown["family"]
        if (
            asked
            and protocol in PROTOCOLS
            and family in FAMILIES
            and (protocol, family) not in asked
            and seen.shown.get("v6only") is not False
        ):
            listing.reading.uncover(f"it shows {_WORDS[protocol]} over {_WORDS[family]}, which its command line does not ask for")
            return


def _is_loose(shown: dict[str, Any]) -> bool:
    return bool(shown.get("address_cut")) or shown["address"] == "*"


def _may_be(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two addresses, one of which is cut or of no known family, may be the same."""
    wildcards = ("*", "0.0.0.0", "::")  # noqa: S104 - compared, never bound
    if "*" in (one["address"], other["address"]):
        return one["address"] in wildcards and other["address"] in wildcards
    for cut, whole in ((one, other), (other, one)):
        if cut.get("address_cut"):
            text = whole["address"] + (f"%{whole['zone']}" if "zone" in whole else "")
            if text.startswith(cut["address"]):
                return True
    return False


def _cut_place(shown: dict[str, Any]) -> tuple[str, int, str]:
    return shown["protocol"], shown["port"], shown["address"]


def _share(found: list[Merged]) -> None:
    """Sockets that only their holders tell apart: unless each row had its own, each may be anybody's."""
    by_place: dict[tuple[str, int, str], list[Merged]] = {}
    for one in found:
        by_place.setdefault(one.place, []).append(one)
    for alike in by_place.values():
        if all(one.holders.told for one in alike) or not any(one.holders.told for one in alike):
            continue
        everybody = Holders()
        for one in alike:
            everybody.add(one.holders.told)
            one.holders, one.shared = everybody, True


def uncovered(heard: Heard, leaves_out: frozenset[str]) -> list[Gap]:
    """A gap for each protocol and family of which not every socket is known to have been listed."""
    why: dict[tuple[str, str], str] = {}
    for protocol in PROTOCOLS:
        for family in FAMILIES:
            pair = (protocol, family)
            said = [
                (one.source, one.reading.covers[pair] or (_UNHELD if one.program in leaves_out else None))
                for one in heard.listings
                if pair in one.reading.covers
            ]
            if None not in [reason for _, reason in said]:
                why[pair] = "; ".join(dict.fromkeys(_told_by(source, str(reason)) for source, reason in said))
    return _scoped(why)


def _told_by(source: str, reason: str) -> str:
    return reason if reason.startswith(source) else f"{source}: {reason}"


def _scoped(why: dict[tuple[str, str], str]) -> list[Gap]:
    """As few gaps as say it: one for all, one for a protocol, one for a family, one for a pair."""
    if len(why) == len(PROTOCOLS) * len(FAMILIES) and len(set(why.values())) == 1:
        return [Gap(next(iter(why.values())) or "no answer lists sockets")]
    gaps = []
    for scope, width in (("protocol", len(FAMILIES)), ("family", len(PROTOCOLS))):
        for name in PROTOCOLS if scope == "protocol" else FAMILIES:
            pairs = [pair for pair in why if name in pair]
            if len(pairs) == width and len({why[pair] for pair in pairs}) == 1:
                reason = why[pairs[0]] or f"no answer lists {_WORDS[name]} sockets"
                gaps.append(Gap(reason, protocol=name) if scope == "protocol" else Gap(reason, family=name))
                for pair in pairs:
                    del why[pair]
    return gaps + [
        Gap(reason or f"no answer lists {_WORDS[protocol]} sockets of {_WORDS[family]}", protocol=protocol, family=family)
        for (protocol, family), reason in why.items()
    ]


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
        listing.reading.per_descriptor and listing.reading.covers.get(pair, "not asked") is None and not listing.reading.gaps
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
