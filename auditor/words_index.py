"""Things looked up by their words where some may not be shown: all against which nothing speaks, without asking each."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
Words = Mapping[str, Hashable]


class WordsIndex(Generic[T]):
    """Things filed under words by key. They are of few kinds by the keys that they have: what is asked is looked up in each kind by those
    that both have."""

    def __init__(self) -> None:
        self._kinds: dict[frozenset[str], list[tuple[Words, str, T]]] = {}
        self._looked_up: dict[tuple[frozenset[str], tuple[str, ...]], dict[tuple[Hashable, ...], dict[str, T]]] = {}

    def file(self, words: Words, name: str, thing: T) -> None:
        """File a thing; all before any is looked up."""
        self._kinds.setdefault(frozenset(words), []).append((words, name, thing))

    def agreeing(self, words: Words) -> Iterator[T]:
        """The things none of whose words is another than that of `words` for the same key; of a name the first for each kind of keys."""
        for kind, filed in self._kinds.items():
            keys = tuple(sorted(kind & words.keys()))
            if (kind, keys) not in self._looked_up:
                found = self._looked_up[kind, keys] = {}
                for shown, name, thing in filed:
                    found.setdefault(tuple(shown[key] for key in keys), {}).setdefault(name, thing)
            yield from self._looked_up[kind, keys].get(tuple(words[key] for key in keys), {}).values()
