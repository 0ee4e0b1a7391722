"""A table's file: its bytes, what its head says of them, and its YAML. Read when first asked for, and once."""

from __future__ import annotations

import os
from typing import Any

from auditor.errors import TableError

MEND = "Restore the file from the package, or name another folder of tables."


class TableFile:
    """One file of the tables' folder.

    Its head is the run of lines at its top that start with `#`; `# KEY: VALUE` in it is a fact about the table. Every table states
    `source` and `date`. Reading raises TableError where the file is missing or is not UTF-8.
    """

    __slots__ = ("_bytes", "_head", "_text", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._bytes: bytes | None = None
        self._text: str | None = None
        self._head: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """As `iana-services`."""
        return os.path.splitext(os.path.basename(self.path))[0]

    @property
    def bytes(self) -> bytes:
        if self._bytes is None:
            try:
                with open(self.path, "rb") as file:
                    self._bytes = file.read()
            except OSError as problem:
                raise TableError(f"{self.path}: {problem.strerror or problem}", MEND) from problem
        return self._bytes

    @property
    def text(self) -> str:
        if self._text is None:
            try:
                self._text = self.bytes.decode("utf-8")
            except UnicodeDecodeError as problem:
                line = self.bytes.count(b"\n", 0, problem.start) + 1
                raise TableError(f"{self.path}:{line}: not UTF-8", MEND) from problem
        return self._text

    @property
    def head(self) -> dict[str, str]:
        if self._head is None:
            self._head, text, start = {}, self.text, 0
            while text.startswith("#", start):
                end = text.find("\n", start)
                end = len(text) if end < 0 else end
                key, colon, value = text[start + 1 : end].partition(": ")
                if colon and key.strip().replace("-", "").isalnum():
                    self._head.setdefault(key.strip(), value.strip())
                start = end + 1
        return self._head

    def stated(self, key: str) -> str:
        """What the head states under `key`; TableError where it does not."""
        try:
            return self.head[key]
        except KeyError:
            raise TableError(f"{self.path}:1: its head does not state `{key}`", MEND) from None

    @property
    def provenance(self) -> dict[str, str]:
        """{"source", "date", "sha256"}, the last of the file's bytes, in hex."""
        from hashlib import sha256

        return {"source": self.stated("source"), "date": self.stated("date"), "sha256": sha256(self.bytes).hexdigest()}

    def mapping(self, key: str) -> Any:
        """What the file, as YAML, holds under `key`."""
        return entry(from_yaml(self.text, self.path), key, self.path)


def from_yaml(text: str, where: str, first_line: int = 1) -> Any:
    """The value of YAML text that starts at line `first_line` of the file `where`; TableError with file:line where it is broken."""
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        raise TableError(f"{where}:{line}: {getattr(problem, 'problem', None) or 'not YAML'}", MEND) from problem


def entry(value: Any, key: str, where: str) -> Any:
    """`value[key]`; TableError where `value` is no mapping or has no such key."""
    if not isinstance(value, dict) or key not in value:
        raise TableError(f"{where}: no `{key}`", MEND)
    return value[key]


def words(value: Any, key: str, where: str, allowed: tuple[str, ...] | None = None) -> str:
    """The text under `key`, one of `allowed` where that is given."""
    text = entry(value, key, where)
    if not isinstance(text, str) or not text.strip():
        raise TableError(f"{where}: `{key}` is not text: {text!r:.60}", MEND)
    if allowed is not None and text not in allowed:
        raise TableError(f"{where}: `{key}` is {text!r:.60}, not one of {', '.join(allowed)}", MEND)
    return text


def known_keys(value: Any, allowed: tuple[str, ...], where: str) -> None:
    """TableError where `value` is no mapping or has a key that is not in `allowed`."""
    if not isinstance(value, dict):
        raise TableError(f"{where}: not a mapping", MEND)
    if unknown := [str(key) for key in value if key not in allowed]:
        raise TableError(f"{where}: unknown key {', '.join(unknown)}", MEND)
