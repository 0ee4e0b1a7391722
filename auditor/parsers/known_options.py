"""Options of a command that nothing is known of: what they leave out of its output is not known either."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.command import Command
from auditor.reading import Reading

_TYPESET_DASHES = "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"
"""What editors and mailers make of a dash: such a word was an option, and nobody read it as one."""


def uncover_unknown(reading: Reading, command: Command, options: Iterable[str], known: str) -> None:
    """Doubt the rows where one of the `options` given, a letter or a word with its dashes, is none of the letters `known`."""
    unknown = [option if option.startswith(("-", "+")) else f"-{option}" for option in sorted(options) if option not in set(known)]
    unknown += [word for word in command.arguments if word[:1] in tuple(_TYPESET_DASHES)]
    if unknown:
        reading.uncover(f"the option {unknown[0]:.40} is not known here: rows may be missing")
