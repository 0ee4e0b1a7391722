"""Numbers and lists as people say them."""

from __future__ import annotations

NAMED = 5
"""How many names stand in one clause; the report lists all."""


def counted(number: int, noun: str) -> str:
    """How many there are: "1 host", "2 hosts"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def few(names: list[str]) -> str:
    """The first of them by name, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
