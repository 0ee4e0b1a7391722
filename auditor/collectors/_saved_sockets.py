"""The sockets of one stack put together from several outputs: one seen twice is one, and what is known wins over what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from auditor.collectors._saved_answers import Heard, Listing
from auditor.collectors._saved_merged import Alike, Holders, Merged
from auditor.facts import Gap
from auditor.parsers import services
from auditor.parsers.endpoints import WILDCARDS
from auditor.port_range import PORT_MAX
from auditor.reading import FAMILIES, PROTOCOLS, Seen

_UNHELD = "it lists no socket that no process holds, such as one of the kernel's own"
_WORDS = {"tcp": "TCP", "udp": "UDP", "ipv4": "IPv4", "ipv6": "IPv6"}

Named = Callable[[str, str], tuple[int, ...]]
"""The ports that a service name has, for a protocol."""


class Sockets:
    """The merged sockets of a stack, and the gaps. `holders` are programs that list every holder, `leaves_out` those that list no socket
    without one; `named` resolves port names."""

    def __init__(self, heard: Heard, holders: frozenset[str], leaves_out: frozenset[str], named: Named) -> None:
        self.found: list[Merged] = []
        self.gaps: list[Gap] = []
        self._heard = heard
        self._named = named
        self._by_place: dict[tuple[str, int, str], Alike] = {}
        self._by_port: dict[tuple[str, int], list[Merged]] = {}
        listings = []
        for listing in heard.listings:
            _limit_to_what_was_asked(listing)
            listing.lists_holders = listing.program in holders and listing.reading.shows_owners
            listings.append(_Rows(listing, self._resolved(listing)))
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
        self._by_place.setdefault(one.place, Alike()).put(one)
        self._by_port.setdefault(one.place[:2], []).append(one)
        return one

    def _exact(self, rows: _Rows, seen: Seen, shown: dict[str, Any]) -> Merged | None:
        place = shown["protocol"], shown["port"], shown["address"]
        if rows.listing.reading.per_descriptor:
            return self._by_place[place].find(seen, shown) if place in self._by_place else None
        if place not in rows.left:
            rows.left[place] = self._by_place[place].copy() if place in self._by_place else Alike()
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

    def __init__(self, listing: Listing, rows: list[Row]) -> None:
        self.listing = listing
        self.whole = [row for row in rows if not _is_loose(row[1])]
        self.loose = [row for row in rows if _is_loose(row[1])]
        self.cut_alike = Counter(_cut_place(shown) for _, shown in self.loose)
        self.tells_families = any(shown["family"] != "unknown" for _, shown in rows)
        self.matched: set[int] = set()
        self.left: dict[tuple[str, int, str], Alike] = {}
        self.lists_holders = [protocol for protocol in PROTOCOLS if listing.lists_holders and _is_whole(listing, protocol)]


def _is_whole(listing: Listing, protocol: str) -> bool:
    """Whether no row of a protocol can be missing from what the command was asked for."""
    covers = listing.reading.covers
    return any(covers.get((protocol, family), "not asked") is None for family in FAMILIES) and not any(
        gap.concerns(protocol, "any", None) for gap in listing.reading.gaps
    )


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
    wildcards = ("*", *WILDCARDS.values())
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
