"""What the terminal can show that a report is printed on."""

from __future__ import annotations

import os
from copy import copy
from typing import TextIO

from auditor.presentation import Presentation

NARROWEST, WIDEST = 40, 200


def shown_on(stream: TextIO, shown_as: Presentation) -> Presentation:
    """`shown_as` for a terminal: in its columns (COLUMNS, or else what it says itself), and in colour unless NO_COLOR is set and not empty
    (no-color.org) or TERM is dumb, empty or not set. As it is for a file or a pipe: what is written there never depends on a terminal."""
    if not stream.isatty():
        return shown_as
    from shutil import get_terminal_size

    on_terminal = copy(shown_as)
    on_terminal.width = min(max(get_terminal_size().columns, NARROWEST), WIDEST)
    on_terminal.colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")
    return on_terminal
