"""Of many entries, those that may contain a given one, so that a policy of a thousand is not compared each with each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from auditor.policy_entries import Entry
from auditor.policy_keys import Glob
from auditor.policy_wants import Addresses, Containers, Ports, Users

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

_LISTED_MAX = 64
"""An entry of more ports than these is looked at by its ranges."""
_ANYTHING = None
"""Instead of words: those under which an entry can be found do not tell which it may contain."""
_Words = Iterable[Hashable] | None


class PerhapsWider:
    """Entries in their order, and for one of them those that may speak of all that it speaks of. What an entry asks has words, and what it
    contains has one of them; sets of entries are numbers whose bits are the entries' places."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._listed: dict[tuple[str, Hashable], list[int]] = {}
        self._sets: dict[tuple[str, Hashable], int] = {}
        asking: dict[str, list[int]] = {}
        anything: dict[str, list[int]] = {}
        for at, entry in enumerate(self.entries):
            self._file("at_most", entry.at_most, at)
            for key, want in entry.wanted.items():
                asking.setdefault(key, []).append(at)
                words = _of_wide(key, want)
                if words is _ANYTHING:
                    anything.setdefault(key, []).append(at)
                else:
                    for word in set(words):
                        self._file(key, word, at)
        self._able = _set_of(at for at, entry in enumerate(self.entries) if not entry.exceptions)
        self._asking = {key: _set_of(places) for key, places in asking.items()}
        self._anything = {key: _set_of(places) for key, places in anything.items()}

    def _file(self, key: str, word: Hashable, at: int) -> None:
        self._listed.setdefault((key, word), []).append(at)

    def _under(self, key: str, word: Hashable) -> int:
        """The entries that are filed under a word."""
        if (key, word) not in self._sets:
            self._sets[key, word] = _set_of(self._listed.get((key, word), ()))
        return self._sets[key, word]

    def than(self, narrow: Entry) -> Iterator[Entry]:
        """The entries that may contain `narrow` and make it idle, in their order; itself may be one."""
        left = self._able if not narrow.exceptions else 0
        left &= self._under("at_most", None) | self._under("at_most", narrow.at_most)
        for key, asking in self._asking.items():
            if key not in narrow.wanted:
                left &= ~asking
            elif (words := _of_narrow(key, narrow.wanted[key])) is not _ANYTHING:
                found = self._anything.get(key, 0)
                for word in words:
                    found |= self._under(key, word)
                left &= ~asking | found
        while left:
            lowest = left & -left
            yield self.entries[lowest.bit_length() - 1]
            left ^= lowest


def _set_of(places: Iterable[int]) -> int:
    bits = bytearray()
    for at in places:
        bits.extend(bytes(max(0, at // 8 + 1 - len(bits))))
        bits[at // 8] |= 1 << at % 8
    return int.from_bytes(bits, "little")


def _of_wide(key: str, want: Any) -> _Words:
    """The words of which whatever it contains has one."""
    return _WORDS[key][0](want) if key in _WORDS else (want,)


def _of_narrow(key: str, want: Any) -> _Words:
    """Words of which whatever contains it has one."""
    return _WORDS[key][1](want) if key in _WORDS else (want,)


def _first(want: Iterable[str]) -> _Words:
    return (min(want),)


def _wide_ports(want: Ports) -> _Words:
    if sum(map(len, want.joined)) > _LISTED_MAX:
        return _ANYTHING
    listed: list[Hashable] = [port for ports in want.joined for port in range(ports.first, ports.last + 1)]
    return [*listed, "kernel-given"] if want.kernel_given else listed


def _narrow_ports(want: Ports) -> _Words:
    return (want.joined[0].first if want.joined else "kernel-given",)


def _wide_globs(want: tuple[Glob, ...]) -> _Words:
    patterns = [one.pattern for one in want]
    return _ANYTHING if any("*" in pattern for pattern in patterns) else patterns


def _narrow_globs(want: tuple[Glob, ...]) -> _Words:
    return (want[0].pattern,)


def _wide_users(want: Users) -> _Words:
    return _ANYTHING if want.others else want.names


def _narrow_users(want: Users) -> _Words:
    return () if want.others else want.names[:1]


def _wide_addresses(want: Addresses) -> _Words:
    return _ANYTHING if want.words else [_block(one, one.prefixlen) for one in want.networks]


def _narrow_addresses(want: Addresses) -> _Words:
    if want.words:
        return ()
    return [_block(want.networks[0], length) for length in range(want.networks[0].prefixlen + 1)]


def _block(network: IPv4Network | IPv6Network, length: int) -> Hashable:
    return network.version, length, int(network.network_address) >> (network.max_prefixlen - length)


def _wide_containers(want: Containers) -> _Words:
    asked = [(kind, words) for kind, globs in _kinds(want) if (words := _wide_globs(globs)) is not _ANYTHING]
    return [(kind, word) for kind, words in asked[:1] for word in words] if asked else _ANYTHING


def _narrow_containers(want: Containers) -> _Words:
    return [(kind, globs[0].pattern) for kind, globs in _kinds(want)]


def _kinds(want: Containers) -> Iterator[tuple[str, tuple[Glob, ...]]]:
    return ((kind, globs) for kind, globs in (("name", want.names), ("image", want.images)) if globs is not None)


_WORDS: dict[str, tuple[Callable[[Any], _Words], Callable[[Any], _Words]]] = {
    "protocol": (sorted, _first), "port": (_wide_ports, _narrow_ports), "reach": (sorted, _first),
    "address": (_wide_addresses, _narrow_addresses), "interface": (sorted, _first), "stack": (_wide_globs, _narrow_globs),
    "process": (_wide_globs, _narrow_globs), "executable": (_wide_globs, _narrow_globs), "user": (_wide_users, _narrow_users),
    "unit": (_wide_globs, _narrow_globs), "container": (_wide_containers, _narrow_containers),
}  # fmt: skip
"""Of what is asked by a key, the words of a wide entry and those of a narrow one; of other keys what is asked itself."""
