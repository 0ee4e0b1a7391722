"""Programs that do what their caller tells them: what their files are called, and why a right that such a file has is their caller's."""

from __future__ import annotations

import re
from typing import Any

from auditor.errors import TableError
from auditor.table_files import MEND, TableFile, entry, known_keys, words

KINDS = {"code": "runs what its caller gives it", "relay": "hands on what arrives at a port to whatever its caller names"}
"""Of what kind one is, and what that means."""
_VERSIONED = re.compile(r"(.*?[^0-9.-])-?[0-9][0-9.]*(?:-.*)?")
"""A name with a version behind it, as python3.11, lua5.4, gawk-5.1.0, python3.11-dbg."""


class Interpreter:
    """One of them: `kind` is one of KINDS, `names` those of its files without a version."""

    __slots__ = ("kind", "name", "names", "source")

    def __init__(self, stated: Any, where: str) -> None:
        known_keys(stated, self.__slots__, where)
        self.name = words(stated, "name", where)
        self.kind = words(stated, "kind", where, tuple(KINDS))
        self.source = words(stated, "source", where)
        names = entry(stated, "names", where)
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name and "/" not in name for name in names):
            raise TableError(f"{where}: `names` is not a list of file names", MEND)
        self.names: tuple[str, ...] = tuple(names)

    @property
    def why(self) -> str:
        """What it does with a right that it has."""
        return KINDS[self.kind]

    def __repr__(self) -> str:
        return f"Interpreter({self.name}, {self.kind})"


def read(file: TableFile) -> tuple[Interpreter, ...]:
    """The table's entries, in its order. TableError where it is broken."""
    stated = file.mapping("interpreters")
    if not isinstance(stated, list):
        raise TableError(f"{file.path}: `interpreters` is not a list", MEND)
    return tuple(Interpreter(item, f"{file.path}: entry {at}") for at, item in enumerate(stated, 1))


def of_path(path: str, known: tuple[Interpreter, ...]) -> Interpreter | None:
    """Which one a file is by its name, with or without a version; None where it is none of those that are known."""
    name = path.rpartition("/")[2]
    versioned = _VERSIONED.fullmatch(name)
    asked = (name, versioned[1]) if versioned else (name,)
    return next((one for one in known if any(word in one.names for word in asked)), None)
