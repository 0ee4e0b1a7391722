"""Texts as CommonMark that is nothing but text. Whatever is not an ordinary word stands in a code span (CommonMark 0.31 section 6.1), where
nothing is markup, a link, a mention or a reference to an issue. Backslashes would not do: GitHub and GitLab look for `@name`, `#1`
and addresses after Markdown has been read."""

from __future__ import annotations

import re

from auditor.display import harmless

LONGEST = 300
"""Characters of one thing that is told; how many more there are is told too."""
WHOLE = 1_000_000
_EMPTY = "(empty)"
_ORDINARY = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*'?|[0-9]{1,6}(?:-[0-9]{1,6})?|")
"""No commit's number, no ticket's, no name of a host; nothing at all is left of a word that is punctuation."""
_BEGINS_LIST = re.compile(r"[0-9]+[.)]")


def code(text: object, longest: int = LONGEST) -> str:
    """A text as a span, exactly as it is but for what `harmless` escapes, and for `|`, which would part the cells of a table."""
    plain, more = _cut(harmless(text).replace("|", "\\x7c"), longest)
    if not plain:
        return _EMPTY
    fence = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    pad = " " if {plain[0], plain[-1]} & {" ", "`"} and not plain.isspace() else ""
    return f"{fence}{pad}{plain}{pad}{fence}{more}"


def prose(text: object, longest: int = LONGEST) -> str:
    """A sentence of ours that may have a host's words in it: what stands between backticks is a span, and so is each word that is no
    ordinary one."""
    plain, more = _cut(" ".join(harmless(text).split()) or _EMPTY, longest)
    parts = plain.split("`")
    if len(parts) % 2 == 0 or "" in parts[1::2]:
        parts = [plain]
    said = ""
    for number, part in enumerate(parts):
        piece = code(part, WHOLE) if number % 2 else " " * part.startswith(" ") + _words(part) + " " * part.endswith(" ")
        said += " " * (said.endswith("`") and piece.startswith("`")) + piece
    return said.strip() + more


def _cut(text: str, longest: int) -> tuple[str, str]:
    """As much of a text as may be told, and how much more there is."""
    return text[:longest], f" ... and {len(text) - longest} characters more" if len(text) > longest else ""


def _words(text: str) -> str:
    words = text.split()
    first = [code(words.pop(0), WHOLE)] if _BEGINS_LIST.match(text) else []
    return " ".join([*first, *map(_word, words)])


def _word(word: str) -> str:
    """The punctuation around it stays outside of its span; `bind(2)` keeps its own."""
    before = "(" if word.startswith("(") else ""
    core = word[len(before) :].rstrip("),;:.")
    if "(" in core:
        core += ")" * word[len(before) + len(core) :].startswith(")")
    after = word[len(before) + len(core) :]
    return word if _ORDINARY.fullmatch(core) else f"{before}{code(core, WHOLE)}{after}"
