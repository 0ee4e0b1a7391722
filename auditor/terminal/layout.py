"""Lines for people: as wide as the terminal, coloured where it can show it, and with nothing in them that it would obey.

Whatever a host said goes through `harmless` here, whoever asks, and colour goes around words of ours alone. A colour never stands for a
word. Those of the table can be read on black and on white (WCAG 2.2, 1.4.3, large text: 3:1) in xterm's palette: blue cannot, nor can
letters in yellow, green or cyan, and bold black is grey on many terminals.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor.display import harmless
from auditor.terminal.cells import cells, cut, padded, wrapped

if TYPE_CHECKING:
    from auditor.presentation import Presentation

PROSE = 100
"""Columns of what is no terminal."""
BOLD = "1"
COLOURS = {
    "FAIL": "1;37;41", "INCOMPLETE": "30;43", "PASS": "30;42",
    "critical": "1;37;41", "high": "1;31", "medium": "35",
}  # fmt: skip
"""SGR parameters (ECMA-48, 8.3.117) of our words."""
LONGEST = 600
"""Characters of one value: hundreds of names folded into one would push everything else off the screen."""
WHOLE = "the html and json reports have all"


class Layout:
    """How lines are laid out. Records, which are lines that people search for, are broken for a terminal only: in files and pipes each
    stays one line."""

    __slots__ = ("breaks_records", "colour", "width")

    def __init__(self, shown_as: Presentation) -> None:
        self.width = shown_as.width or PROSE
        self.breaks_records = shown_as.width is not None
        self.colour = shown_as.colour

    def painted(self, words: str, style: str | None) -> str:
        """Our own words in a colour."""
        return f"\x1b[{style}m{words}\x1b[0m" if self.colour and style and words else words

    def heading(self, title: str, count: int | str | None = None) -> list[str]:
        """The `title` is ours."""
        return self.prose("" if count is None else f"({count})", f"{title} ", style=BOLD)

    def prose(self, text: str, lead: str = "", hang: str = "  ", style: str | None = None) -> list[str]:
        """Lines of `text`, the first after `lead`, which is ours and in the colour `style`."""
        return self._led(wrapped(harmless(text), self.width, lead=lead, hang=hang), lead, style)

    def record(self, text: str, lead: str = "", hang: str = "  ", style: str | None = None) -> list[str]:
        """One line, or several of a terminal that is narrower."""
        if self.breaks_records:
            return self.prose(text, lead, hang, style)
        return self._led([lead + harmless(text)], lead, style)

    def glimpse(self, text: str, lead: str = "", style: str | None = None) -> str:
        """One line, cut with an ellipsis where it is too long: only of what stands whole elsewhere in the report."""
        return self._led([lead + cut(harmless(text), self.width - cells(lead))], lead, style)[0]

    def columns(self, rows: Iterable[tuple[str, ...]], indent: str) -> list[str]:
        """Rows, the cells of which stand beneath each other; the last column takes what is left of the line, and is broken within it. Where
        that is too narrow, or one of the others too long, the last column stands beneath them."""
        plain = [tuple(map(harmless, row)) for row in rows]
        widths = [min(max(map(cells, column)), self.width * 2 // 5) for column in list(zip(*plain, strict=True))[:-1]]
        before = cells(indent) + sum(widths) + 2 * len(widths)
        lines = []
        for *row, last in plain:
            lead = indent + "".join(padded(cell, width) + "  " for cell, width in zip(row, widths, strict=True))
            if not self.breaks_records:
                lines.append((lead + last).rstrip())
            elif self.width - before >= self.width // 3 and cells(lead) == before:
                lines += wrapped(last, self.width, lead=lead, hang=" " * before)
            else:
                lines += wrapped("  ".join(row), self.width, lead=indent, hang=indent + "    ")
                lines += wrapped(last, self.width, lead=indent + "  ", hang=indent + "    ") if last else []
        return lines

    def _led(self, lines: list[str], lead: str, style: str | None) -> list[str]:
        word = lead.strip()
        first = lead.replace(word, self.painted(word, style), 1) if word else lead
        return [(first + lines[0][len(lead) :]).rstrip(), *lines[1:]]


def shortened(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[:LONGEST]} ... and more; {WHOLE}"
