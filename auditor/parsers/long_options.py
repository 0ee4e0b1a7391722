"""The options of a command line as getopt_long(3) of GNU reads them: bundled letters, and words after two dashes, which may be cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping


class LongOptions:
    """`letters` given, long options as the letter they stand for; `values` of those that take one; `words` that are no options; `unknown`
    are long options that stand for no letter, or might for several."""

    __slots__ = ("letters", "unknown", "values", "words")

    def __init__(self, arguments: Iterable[str], taking: str = "", long: Mapping[str, str] | None = None) -> None:
        self.letters: set[str] = set()
        self.unknown: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.words: list[str] = []
        rest = deque(arguments)
        while rest:
            word = rest.popleft()
            if word == "--":
                self.words += rest
                break
            if word.startswith("--"):
                self._long(word[2:], rest, taking, long or {})
            elif word.startswith("-") and len(word) > 1:
                self._bundle(word[1:], rest, taking)
            else:
                self.words.append(word)

    def value(self, letter: str) -> str | None:
        """The last value of an option; None where it is not given."""
        values = self.values.get(letter)
        return values[-1] if values else None

    def _bundle(self, letters: str, rest: deque[str], taking: str) -> None:
        for at, letter in enumerate(letters):
            self.letters.add(letter)
            if letter in taking:
                value = letters[at + 1 :] or (rest.popleft() if rest else "")
                self.values.setdefault(letter, []).append(value)
                return

    def _long(self, text: str, rest: deque[str], taking: str, long: Mapping[str, str]) -> None:
        """A long option may be cut as long as it stands for one letter only."""
        name, equals, value = text.partition("=")
        found = {long[name]} if name in long else {letter for known, letter in long.items() if known.startswith(name)}
        if len(found) != 1:
            self.unknown.add(f"--{name}")
            return
        letter = found.pop()
        self.letters.add(letter)
        if letter in taking:
            self.values.setdefault(letter, []).append(value if equals else rest.popleft() if rest else "")
