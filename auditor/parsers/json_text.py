"""JSON in a command's output: found behind other lines, and written compactly as the text of a record."""

from __future__ import annotations

from typing import Any

from auditor.reading import Read

_NOT_READABLE = (ValueError, RecursionError)


def loaded(read: Read, text: str, opening: str) -> Any:
    """The JSON array ("[") or object ("{") that a line begins; the lines before it are gaps. None, and a gap, where there is none."""
    import json

    lines = text.split("\n")
    at = next((number for number, line in enumerate(lines) if line.lstrip("\ufeff \t").startswith(opening)), None)
    before = [line for line in lines[:at] if line.strip()]
    found: Any = None
    if at is not None:
        try:
            found = _printable(json.loads("\n".join(lines[at:]).strip("\ufeff \t\r\n\0")))
        except _NOT_READABLE:
            before = [line for line in lines if line.strip()]
    for line in before:
        read.gap("a line that is not of the JSON", line)
    if found is None and not before:
        read.gap("the output is empty")
    return found


def _printable(value: Any) -> Any:
    """JSON may escape half of a surrogate pair, which is no character and which nothing could write."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return value


def compact(record: Any) -> str:
    """A record on one line."""
    import json

    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
