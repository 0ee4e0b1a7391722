"""Something in the place of standard streams that whoever started us has closed."""

from __future__ import annotations

import os
import sys


def stand_in() -> None:
    """Where one is closed a file that is opened later would take its number, and what is printed would go into it. Now what would be read
    is empty, what is said is lost, and printing fails as on a full disk."""
    for number, name, flags, mode in ((0, "stdin", os.O_RDONLY, "r"), (1, "stdout", os.O_RDONLY, "w"), (2, "stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))  # noqa: SIM115
