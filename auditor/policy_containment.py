"""Whether every listener that one entry speaks of is also what another speaks of. Only what is certain is said to be so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from auditor.policy_entries import Entry
from auditor.policy_keys import Glob
from auditor.policy_wants import WILDCARDS, Addresses, Containers, Ports, Users
from auditor.port_range import PORT_MAX, PortRange


def contains(wide: Entry, narrow: Entry, *, besides: tuple[str, ...] = ()) -> bool:
    """Whether each listener that matches `narrow` matches `wide`, whatever else it is; `besides` are keys that are not asked."""
    if wide.exceptions or narrow.exceptions:
        return False
    asked = {key: want for key, want in wide.wanted.items() if key not in besides}
    return all(key in narrow.wanted and _CONTAINED.get(key, _same)(want, narrow.wanted[key]) for key, want in asked.items())


def same(one: Entry, other: Entry) -> bool:
    """Whether two entries speak of the same listeners."""
    return one.at_most == other.at_most and contains(one, other) and contains(other, one)


def ports_in(ports: Iterable[PortRange], others: Iterable[PortRange]) -> list[PortRange]:
    """The ports of the one that are ports of the others, as few ranges."""
    return PortRange.joined(ports, without=PortRange(0, PORT_MAX).minus(others))


def _same(wide: Any, narrow: Any) -> bool:
    return bool(wide == narrow)


def _ports(wide: Ports, narrow: Ports) -> bool:
    return (wide.kernel_given or not narrow.kernel_given) and all(_within(ports, wide.joined) for ports in narrow.joined)


def _within(ports: PortRange, joined: Sequence[PortRange]) -> bool:
    """Whether all of `ports` are ports of ranges in order, no two of which touch."""
    at = bisect_right(joined, ports.first, key=lambda one: one.first)
    return at > 0 and ports.last <= joined[at - 1].last


def _subset(wide: Iterable[str], narrow: Iterable[str]) -> bool:
    return set(narrow) <= set(wide)


def _addresses(wide: Addresses, narrow: Addresses) -> bool:
    words = set(wide.words) | (set(WILDCARDS) if "*" in wide.words else set())
    if set(WILDCARDS) <= words:
        words.add("*")
    return narrow.words <= words and all(
        ("loopback" in words and network.is_loopback)
        or any(network.version == other.version and network.subnet_of(other) for other in wide.networks)  # type: ignore[arg-type]
        for network in narrow.networks
    )


def _globs(wide: tuple[Glob, ...], narrow: tuple[Glob, ...]) -> bool:
    """A pattern that fits the other as it is written fits all that the other does: a `*` in it falls to one of its own."""
    return all(any(one.fits(other.pattern) for one in wide) for other in narrow)


def _executables(wide: tuple[Glob, ...], narrow: tuple[Glob, ...]) -> bool:
    """A path that ends in a mark (deleted, another mount or user namespace), and the word `deleted`, only if written alike."""

    def fits(one: Glob, other: Glob) -> bool:
        marked = other.pattern == "deleted" or other.pattern.endswith(")")
        return one.pattern == other.pattern or (not marked and one.fits(other.pattern))

    return all(any(fits(one, other) for one in wide) for other in narrow)


def _users(wide: Users, narrow: Users) -> bool:
    if wide.others is not narrow.others:
        return False
    return _subset(narrow.names, wide.names) if wide.others else _subset(wide.names, narrow.names)


def _containers(wide: Containers, narrow: Containers) -> bool:
    pairs = ((wide.names, narrow.names), (wide.images, narrow.images))
    return all(asked is None or (given is not None and _globs(asked, given)) for asked, given in pairs)


_CONTAINED: dict[str, Callable[[Any, Any], bool]] = {
    "protocol": _subset, "port": _ports, "reach": _subset, "address": _addresses, "interface": _subset, "stack": _globs,
    "process": _globs, "executable": _executables, "user": _users, "unit": _globs, "container": _containers,
}  # fmt: skip
