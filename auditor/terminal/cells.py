"""Text measured and laid out in the cells of a terminal: wide characters take two (Unicode TR11), those that combine with another none."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACES_OR_WORD = re.compile(r" +|[^ ]+")
_WIDE = ("W", "F")
_COMBINING = ("Mn", "Me")
CUT = " ..."


def cells(text: str) -> int:
    """How many cells harmless text takes. What is of ambiguous width takes one, as outside of East Asian locales."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if character < "\u0300":
        return 1
    import unicodedata

    if unicodedata.category(character) in _COMBINING:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def padded(text: str, width: int) -> str:
    """`text` with spaces after it up to `width` cells; whole where it is longer."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int) -> str:
    """`text` where it fits `width` cells, else as much of it as does, with an ellipsis."""
    return text if cells(text) <= width else _first(text, width - len(CUT)).rstrip() + CUT


def wrapped(text: str, width: int, *, lead: str = "", hang: str = "  ") -> list[str]:
    """`text` in lines of at most `width` cells: the first begins with `lead`, the others with `hang`. Words stay whole where a line is long
    enough for them."""
    lines: list[str] = []
    indent = cells(hang)
    line, taken, fresh = lead, cells(lead), True
    for gap, word in _words(text):
        told = word if fresh else gap + word
        if taken + cells(told) > width and not (fresh and taken <= indent):
            lines.append(line.rstrip())
            line, taken, told = hang, indent, word
        if taken + cells(told) > width:
            *full, told = _parts(told, width - taken, width - indent)
            for part in full:
                lines.append(line + part)
                line, taken = hang, indent
        line, taken, fresh = line + told, taken + cells(told), False
    return [*lines, line.rstrip()]


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Each word, after the spaces before it."""
    gap = ""
    for piece in _SPACES_OR_WORD.findall(text):
        if piece[0] != " ":
            yield gap, piece
        gap = piece


def _parts(text: str, room: int, further: int) -> Iterator[str]:
    """`text` in parts of at most `room` cells for the first and `further` for the others; what has room for no character stays whole."""
    start = taken = 0
    for place, character in enumerate(text):
        wide = _cells(character)
        if taken + wide > room and place > start:
            yield text[start:place]
            start, taken, room = place, 0, further
        if taken + wide > room:
            break
        taken += wide
    yield text[start:]


def _first(text: str, width: int) -> str:
    """The characters that fit `width` cells, with those that combine with the last."""
    taken = 0
    for place, character in enumerate(text):
        taken += _cells(character)
        if taken > width:
            return text[:place]
    return text
