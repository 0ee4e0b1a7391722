"""The files whose text a command such as cat prints, one after the other."""

from __future__ import annotations

import re

from auditor.command import Command

_BRACES = re.compile(r"(.*?)\{([^{}]*,[^{}]*)\}(.*)")


def printed_files(command: Command) -> list[str]:
    """The paths in the order in which they were given, `{a,b}` taken apart as a shell does; a pattern (`*`) stays one."""
    return [path for word in command.arguments if not word.startswith("-") for path in _expanded(word)]


def _expanded(word: str) -> list[str]:
    braces = _BRACES.fullmatch(word)
    if braces is None:
        return [word]
    return [path for part in braces[2].split(",") for path in _expanded(braces[1] + part + braces[3])]
