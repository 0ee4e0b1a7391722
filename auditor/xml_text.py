"""Words that may be anything, as XML 1.0: what it forbids (section 2.2) and what is not harmless is written as an escape of ours, what is
not ASCII as a character reference. So a document is well-formed, and the same in whatever encoding its stream has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from auditor.display import harmless


def text(words: object) -> str:
    """As the content of an element."""
    return _ascii(escape(harmless(words)))


def lines(several: Iterable[object]) -> str:
    """As the content of an element, each on a line of its own."""
    return "\n".join(map(text, several))


def attributes(of: Mapping[str, object]) -> str:
    """As attributes of an element, each with a blank before it."""
    return "".join(f" {name}={_ascii(quoteattr(harmless(value)))}" for name, value in of.items())


def _ascii(plain: str) -> str:
    return plain.encode("ascii", "xmlcharrefreplace").decode("ascii")
