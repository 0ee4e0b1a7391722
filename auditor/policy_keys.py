"""How a policy's mappings are read: a dict of keys and readers, where a reader turns one node into a typed value or raises.

Errors are collected, so that one run names all that can be named; each says what it found, what it expected, and the nearest
right word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.errors import PolicyError
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node, Scalar, Sequence, quoted

if TYPE_CHECKING:
    import datetime

T = TypeVar("T")
Reader = Callable[[Node], T]

ERRORS_MAX = 50
"""Errors that are told at once; more would hide the first."""
RANGE_EXPECTED = "a port or range of ports within 0-65535, as 443 or 8000-8099"


class PolicyErrors(PolicyError):
    """Several errors in one policy; `parts` are the single ones, in the order in which they were met."""

    def __init__(self, parts: list[PolicyError]) -> None:
        told = [f"{part}; {part.advice}" for part in parts[:ERRORS_MAX]]
        if len(parts) > ERRORS_MAX:
            told.append(f"and {len(parts) - ERRORS_MAX} more")
        super().__init__("\n".join(told), f"mend these {len(parts)} places, then try `port-auditor policy check`")
        self.parts = parts


def raise_all(errors: Iterable[PolicyError]) -> None:
    """Raise what was collected, if anything: one error as it is, several as PolicyErrors."""
    parts = [part for error in errors for part in (error.parts if isinstance(error, PolicyErrors) else [error])]
    if parts:
        raise parts[0] if len(parts) == 1 else PolicyErrors(parts)


def wrong(node: Node, expected: str, advice: str = "") -> PolicyError:
    """`node` is not what is `expected` there."""
    return node.error(f"expected {expected}, found {node.found}", advice or "write what is expected there, or leave the key out")


def nearest(word: str, words: Collection[str]) -> str:
    """Advice for a word that is none of `words`."""
    import difflib

    close = difflib.get_close_matches(word[:100].lower(), words, 1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"allowed here: {', '.join(words)}"


def as_mapping(node: Node, what: str) -> Mapping:
    """`node`, if it is a mapping; else a PolicyError that expected `what`."""
    if not isinstance(node, Mapping):
        raise wrong(node, what)
    return node


def mapping(node: Node, keys: dict[str, Reader[Any]], *, required: Collection[str] = (), what: str = "keys and values") -> dict[str, Any]:
    """Read a mapping by `keys`; absent ones are absent from the result. Raises one PolicyError for all that is wrong in it."""
    node = as_mapping(node, what)
    errors: list[PolicyError] = []
    values: dict[str, Any] = {}
    for name, (key, value) in node.items.items():
        reader = keys.get(name)
        if reader is None:
            errors.append(key.error(f"unknown key {quoted(name)}", nearest(name, keys)))
            continue
        try:
            values[name] = reader(value)
        except PolicyError as error:
            errors.append(error)
    for name in required:
        if name not in node.items:
            errors.append(node.error(f"{name!r} is missing", f"add a line '{name}: ...'"))
    if errors:
        raise_all(errors)
    return values


def each(node: Node, reader: Reader[T], what: str) -> tuple[T, ...]:
    """Read a list, each item by `reader`."""
    if not isinstance(node, Sequence):
        advice = "write [] for an empty list" if node.found == "nothing" else f"begin each of the {what} with '- '"
        raise wrong(node, f"a list of {what}", advice)
    errors: list[PolicyError] = []
    values: list[T] = []
    for item in node.items:
        try:
            values.append(reader(item))
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return tuple(values)


def list_of(reader: Reader[T], what: str) -> Reader[tuple[T, ...]]:
    """A reader of a list, which may be empty."""
    return lambda node: each(node, reader, what)


def one_or_more(reader: Reader[T], what: str, advice: str = "leave the key out if any will do") -> Reader[tuple[T, ...]]:
    """A reader of one thing or a list of them that is not empty; `advice` for an empty one."""

    def read(node: Node) -> tuple[T, ...]:
        if not isinstance(node, Sequence):
            return (reader(node),)
        if not node.items:
            raise node.error(f"an empty list of {what} fits nothing", advice)
        return each(node, reader, what)

    return read


def text(node: Node) -> str:
    """A text of one line that a terminal shows as it is."""
    if not isinstance(node, Scalar) or not node.text:
        raise wrong(node, "a text")
    if not node.text.isprintable():
        raise wrong(node, "a text of one line without control characters")
    return node.text


def word(node: Node) -> Scalar:
    """A text, as the node that it is, for errors that come later."""
    if not isinstance(node, Scalar):
        raise wrong(node, "a text")
    text(node)
    return node


def version_1(of: str) -> Reader[str]:
    """A reader of the version of a file of this kind: 1."""

    def read(node: Node) -> str:
        if not isinstance(node, Scalar) or node.text != "1":
            raise wrong(node, "1", f"this version of the program reads {of} of version 1")
        return node.text

    return read


def prose(node: Node) -> str:
    """A text that may have several lines, without control characters or others that change how a line is shown."""
    if not isinstance(node, Scalar) or not node.text.strip():
        raise wrong(node, "a text")
    if not node.text.isprintable():
        from unicodedata import category

        if not all(letter.isprintable() or letter in "\n\t" or category(letter) == "Zs" for letter in node.text):
            raise wrong(node, "a text without control characters")
    return node.text.strip()


def one_of(*words: str) -> Reader[str]:
    """A reader of one word out of `words`."""

    def read(node: Node) -> str:
        if not isinstance(node, Scalar) or node.text not in words:
            raise wrong(node, f"one of {', '.join(words)}", nearest(node.text, words) if isinstance(node, Scalar) and node.text else "")
        return node.text

    return read


def port_range(node: Node) -> PortRange:
    """A port or a range of ports."""
    try:
        return PortRange.parse(node.text if isinstance(node, Scalar) else "")
    except ValueError:
        raise wrong(node, RANGE_EXPECTED, "write digits only, the lower port first") from None


def number(node: Node) -> int:
    """A whole number from 0 to 999999999."""
    digits = node.text if isinstance(node, Scalar) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise wrong(node, "a whole number", "write digits only")
    return int(digits)


def yes_or_no(node: Node) -> bool:
    """`yes` or `no`, `true` or `false`, `on` or `off`."""
    return one_of("yes", "true", "on", "no", "false", "off")(node) in ("yes", "true", "on")


def date(node: Node) -> datetime.date:
    """A day as YYYY-MM-DD; no other spelling."""
    import datetime

    digits = node.text if isinstance(node, Scalar) else ""
    try:
        if len(digits) != 10 or not digits.isascii() or not digits.replace("-", "").isdigit() or digits[4] + digits[7] != "--":
            raise ValueError
        return datetime.date(int(digits[:4]), int(digits[5:7]), int(digits[8:]))
    except ValueError:
        raise wrong(node, "a date that exists, as 2027-03-31", "write YYYY-MM-DD") from None


class Glob:
    """A pattern in which `*` stands for any text, also none, and nothing else is special. Takes time linear in the text."""

    __slots__ = ("pattern", "pieces")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.pieces = pattern.split("*")

    def fits(self, text: str) -> bool:
        """Whether all of `text` is as the pattern says; case counts."""
        head, *middle = self.pieces
        if not middle:
            return text == head
        tail = middle.pop()
        at, end = len(head), len(text) - len(tail)
        if end < at or not text.startswith(head) or not text.endswith(tail):
            return False
        for piece in middle:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    def __repr__(self) -> str:
        return f"Glob({self.pattern!r})"


def glob(node: Node) -> Glob:
    """A text in which `*` stands for any text."""
    return Glob(text(node))
