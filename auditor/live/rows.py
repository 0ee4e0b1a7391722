"""Rows as our built-in probes print them: a header of column names, a line a row, fields parted by TAB, and `end N`.

The last line makes a cut answer visible. In a field, backslash, TAB and LF are written \\\\, \\t and \\n; an empty field was not
shown, `-` was looked for and is not there.
"""

from __future__ import annotations


def field(raw: bytes) -> bytes:
    """A host's string as a field."""
    if b"\\" in raw or b"\t" in raw or b"\n" in raw:
        raw = raw.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n")
    return b"\\-" if raw == b"-" else raw


def table(columns: str, rows: list[bytes]) -> bytes:
    """An answer's stdout: `columns` blank-separated, `rows` without their LF."""
    head = columns.replace(" ", "\t").encode()
    return b"\n".join((head, *rows, ending(len(rows))))


def ending(count: int) -> bytes:
    """The last line of a table of `count` rows."""
    return b"end\t%d\n" % count
