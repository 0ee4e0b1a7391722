"""An approved list in a CSV file, as spreadsheets and registers export it: a row is an entry, read as one that is written in YAML.

Its first row names the columns; case and blanks around the words do not count. A cell says what its key says in YAML; an empty one says
nothing. Several ports, protocols, addresses, interfaces, reaches, users or units stand in one cell with `,` or `;` between them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from auditor.errors import PolicyError
from auditor.policy_entries import APPROVED_KEYS, Entry, approved
from auditor.policy_keys import Reader, mapping, nearest, one_of, one_or_more, raise_all, text, wrong
from auditor.yaml_nodes import Mapping, Node, Scalar, Sequence, content_of, printable, quoted, text_of

ROWS_MAX = 10_000
_SHOWN_MAX = 50
"""Columns that an error names, and letters of each."""
DELIMITERS = {",": ",", ";": ";", "tab": "\t"}
SOURCE_KEYS = ("file", "columns", "delimiter")
_NEEDED = ("name", "port")
_MAPPING = "approved_from: {file: ..., columns: {port: ..., purpose: ...}}"
_SEVERAL = {"port": r"[,;\n]", "protocol": r"[\s,;/]+", "address": r"[,;\n]", "interface": r"[,;\n]", "reach": r"[,;\n]", "user": r"[,;\n]",
            "unit": r"[,;\n]"}  # fmt: skip
_CASE_IGNORED = ("port", "protocol", "family", "reach")
_MAYBE_THOUSANDS = re.compile(r"(\d{1,2}),(\d{3})", re.ASCII)
_WITH_PROTOCOL = re.compile(r"(?:(?P<before>[a-z]+)/)?(?P<ports>\d+(?:-\d+)?)(?:/(?P<behind>[a-z]+))?", re.ASCII)


class Source:
    """A file that `approved_from` names: `file` as written there, `columns` (the file's word for each key; None: the file has our words),
    and its `delimiter` (None: the one by which its first row has the columns)."""

    __slots__ = ("columns", "delimiter", "file")

    def __init__(self, file: Scalar, columns: dict[str, Scalar] | None = None, delimiter: str | None = None) -> None:
        self.file = file
        self.columns = columns
        self.delimiter = delimiter


class Sheet:
    """What was read of a file: `rows` as YAML would have them, its `content`, the `columns` that are used (the file's word for each key)
    and the words of those that are `unused`."""

    __slots__ = ("columns", "content", "rows", "unused")

    def __init__(self, rows: Sequence, content: bytes, columns: dict[str, str], unused: list[str]) -> None:
        self.rows = rows
        self.content = content
        self.columns = columns
        self.unused = unused

    def entries(self) -> tuple[Entry, ...]:
        """The rows as approved entries. Raises PolicyError with all that is wrong in them."""
        errors: list[PolicyError] = []
        found = []
        for row in self.rows.items:
            try:
                found.append(approved(row))
            except PolicyError as error:
                errors.append(error)
        raise_all(errors)
        return tuple(found)


def sources(node: Node) -> tuple[Source, ...]:
    """Read `approved_from`: a file, or a list of them."""
    return one_or_more(_source, "files")(node)


def _source(node: Node) -> Source:
    if isinstance(node, Scalar):
        return Source(_scalar(node))
    readers: tuple[Reader[Any], ...] = (_scalar, _columns, one_of(*DELIMITERS))
    given = mapping(node, dict(zip(SOURCE_KEYS, readers, strict=True)), required=("file",))
    return Source(given["file"], given.get("columns"), DELIMITERS.get(given.get("delimiter", "")))


def _scalar(node: Node) -> Scalar:
    if not isinstance(node, Scalar):
        raise wrong(node, "a text")
    text(node)
    return node


def _columns(node: Node) -> dict[str, Scalar]:
    readers: dict[str, Reader[Scalar]] = dict.fromkeys(APPROVED_KEYS, _scalar)
    return mapping(node, readers, required=("port",))


def sheet(path: str, shown: str, source: Source | None = None) -> Sheet:
    """Read a CSV file: what `source` says of it, or, where that is None, as much of it as has our words. Errors call it `shown`.

    Raises PolicyError where the file, its first row or a row is not what it seems; what cells say is judged by Sheet.entries.
    """
    file = printable(shown)
    try:
        content = content_of(path, file, "CSV")
    except PolicyError as error:
        raise source.file.error(str(error), error.advice) if source is not None else error from None
    written = text_of(content, file, "split it, and list the parts in 'approved_from'")
    mapped = source.columns if source is not None else None
    wanted = [word.text for word in mapped.values()] if mapped is not None else list(APPROVED_KEYS)
    delimiter = (source.delimiter if source is not None else None) or _delimiter(written, file, wanted)
    lines = _rows(written, file, delimiter)
    head, place = next(lines, ([], Node(file, 1, 1)))
    at = _mapped(head, mapped, place) if mapped is not None else _own(head, place, all_of_them=source is not None)
    rows = Sequence(file, 1, 1)
    errors: list[PolicyError] = []
    for cells, place in lines:
        if len(rows.items) == ROWS_MAX:
            raise place.error(f"more than {ROWS_MAX} rows", "split the file, and list the parts in 'approved_from'")
        try:
            rows.items.append(_entry(cells, head, at, place))
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    used = {key: head[column] for key, column in at.items()}
    return Sheet(rows, content, used, [word for column, word in enumerate(head) if word and column not in at.values()])


def _delimiter(written: str, file: str, wanted: list[str]) -> str:
    """The one by which the first row has most of the columns that are wanted."""
    words = {_word(one) for one in wanted}

    def found(delimiter: str) -> int:
        head, _ = next(_rows(written, file, delimiter), ([], None))
        return len(words.intersection(map(_word, head)))

    return max(DELIMITERS.values(), key=found)


def _rows(written: str, file: str, delimiter: str) -> Iterator[tuple[list[str], Node]]:
    """The cells of each row that has any, without blanks around them, and where it begins."""
    reader = csv.reader(io.StringIO(written, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            advice = "look at its quotes: one inside a quoted cell is written twice, and a cell ends at its second one"
            raise Node(file, line, 1).error(f"not CSV: {error}", advice) from None
        if cells is None:
            return
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield stripped, Node(file, line, 1)


def _word(text: str) -> str:
    return " ".join(text.split()).casefold()


def _mapped(head: list[str], columns: dict[str, Scalar], place: Node) -> dict[str, int]:
    """Where each key's column is, by the words that the policy gives."""
    errors: list[PolicyError] = []
    at = {}
    for key, word in columns.items():
        try:
            at[key] = _position(head, word.text, word, place)
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return at


def _own(head: list[str], place: Node, *, all_of_them: bool) -> dict[str, int]:
    """Where each key's column is, in a file that has our words; `all_of_them`: and no others."""
    ours = {_word(key): key for key in APPROVED_KEYS}
    advice = f"its columns: {', '.join(_shown(head)) or 'none'}; say which is which: {_MAPPING}"
    others = [word for word in head if word and _word(word) not in ours]
    if others and all_of_them:
        raise place.error(f"the column {quoted(others[0])} is none of {', '.join(APPROVED_KEYS)}", advice)
    at = {ours[_word(word)]: _position(head, word, place, place) for word in head if _word(word) in ours}
    if "port" not in at:
        raise place.error("no column is called 'port'", advice)
    return at


def _position(head: list[str], word: str, named: Node, place: Node) -> int:
    words = [_word(one) for one in head]
    if words.count(_word(word)) > 1:
        raise place.error(f"several columns are called {quoted(word)}", "rename all but one of them")
    if _word(word) not in words:
        raise named.error(f"{place.file} has no column {quoted(word)}", nearest(word, _shown(head)))
    return words.index(_word(word))


def _shown(head: list[str]) -> list[str]:
    words = [printable(word[:_SHOWN_MAX]) for word in head if word]
    return words if len(words) <= _SHOWN_MAX else [*words[:_SHOWN_MAX], f"and {len(words) - _SHOWN_MAX} more"]


def _entry(cells: list[str], head: list[str], at: dict[str, int], place: Node) -> Mapping:
    """A row as YAML would have it; the column of a place is the number of the cell."""
    if any(cells[len(head) :]):
        raise place.error(f"{len(cells)} cells, where the first row has {len(head)}", "quote a cell that has the delimiter in it")
    entry = Mapping(place.file, place.line, place.column)
    for key, column in at.items():
        if column < len(cells) and cells[column]:
            here = Node(place.file, place.line, column + 1)
            _put(entry, key, _value(key, cells[column], here))
    if "port" in entry.items and "protocol" not in entry.items:
        _take_protocol(entry, entry.items["port"][1])
    if "name" not in at:
        _put(entry, "name", _text(place.origin, place))
    for key in _NEEDED:
        if key not in entry.items:
            raise Node(place.file, place.line, at[key] + 1).error(f"the row has no {key}", "fill in the cell, or remove the row")
    return entry


def _put(entry: Mapping, key: str, value: Node) -> None:
    entry.items[key] = (_text(key, value), value)


def _text(text: str, place: Node) -> Scalar:
    return Scalar(text, place.file, place.line, place.column, plain=False)


def _value(key: str, cell: str, place: Node) -> Node:
    if key in _CASE_IGNORED:
        cell = cell.lower()
    if key not in _SEVERAL:
        return _text(cell, place)
    unclear = _MAYBE_THOUSANDS.fullmatch(cell) if key == "port" else None
    if unclear and int(unclear[1] + unclear[2]) < 1 << 16:
        number = int(unclear[1] + unclear[2])
        advice = f"write {unclear[1]};{unclear[2]} or {number}"
        raise place.error(f"{quoted(cell)} may be two ports, or {number} with a mark between its thousands", advice)
    parts = [part for part in map(str.strip, re.split(_SEVERAL[key], cell)) if part]
    if len(parts) < 2:
        return _text("".join(parts) or cell, place)
    several = Sequence(place.file, place.line, place.column)
    several.items = [_text(part, place) for part in parts]
    return several


def _take_protocol(entry: Mapping, ports: Node) -> None:
    """Where the ports' cell names one protocol for all of them (tcp/443, 443/tcp), take it out of them."""
    cells = [one for one in (ports.items if isinstance(ports, Sequence) else [ports]) if isinstance(one, Scalar)]
    found = [match for cell in cells if (match := _WITH_PROTOCOL.fullmatch(cell.text))]
    protocols = {tuple(word for word in (match["before"], match["behind"]) if word) for match in found}
    if len(found) == len(cells) and len(protocols) == 1 and len(*protocols) == 1:
        for cell, match in zip(cells, found, strict=True):
            cell.text = match["ports"]
        _put(entry, "protocol", _text(protocols.pop()[0], ports))
