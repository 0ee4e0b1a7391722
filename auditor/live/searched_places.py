"""Where files that have capabilities were looked for: how many were looked at there, and what was not."""

from __future__ import annotations

import os

from auditor.live import rows
from auditor.live.mounts import BarredError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.live.mounts import Mount

    Write = Callable[[bytes], object]

SEARCHED_COLUMNS = "found place files"
"""What was looked at, in which place (`-` for programs that are named one by one), and how many files that were."""
MISSED_COLUMNS = "found place kind detail count path"
"""What was not: of one kind and detail how many in a place, and the path of one of the first."""
NO_LOSS = (b"kernel", b"nosuid", b"unresolved", b"namespaced")
"""The kinds of what was missed by which nothing is lost that a better run would find: file systems without programs, those on which no
capability counts, programs that only systemd can name, files whose capabilities count in somebody's user namespace alone."""
_EXAMPLES = 3


class Place:
    """Where is looked: `found` is path, unit, process or search, `name` the folder or tree, if it is one; `files` counts what was looked
    at. It is not `there` where there is no such folder, or it was looked at by another name."""

    def __init__(self, found: str, name: str) -> None:
        self.found = found
        self.name = name
        self.there = True
        self.files = 0
        self._missed: dict[tuple[str, str], tuple[list[int], list[str]]] = {}

    def miss(self, kind: str, detail: str, path: str) -> None:
        count, examples = self._missed.setdefault((kind, detail), ([0], []))
        count[0] += 1
        if len(examples) < _EXAMPLES:
            examples.append(path)

    def fail(self, path: str, problem: Exception) -> None:
        """What raised at a path: it is not looked into, or could not be."""
        if isinstance(problem, BarredError):
            self.bar(problem.mount)
        elif isinstance(problem, OSError):
            self.miss("unreadable", problem.strerror or "", path)
        else:
            self.miss("unresolved", "", path)

    def bar(self, mount: Mount) -> None:
        self.miss(mount.bar if mount.bar == "kernel" or not mount.nosuid else "nosuid", mount.kind, mount.point)

    def tell(self, write: Write) -> None:
        if self.there:
            write(line(b"s", self.found, self.name or None, self.files))
        for (kind, detail), (count, examples) in self._missed.items():
            for path in examples:
                write(line(b"n", self.found, self.name or None, kind, detail, count[0], path or None))


def line(mark: bytes, *fields: object) -> bytes:
    """A row with its mark; None is what was looked for and is not there."""
    said = [b"-" if field is None else rows.field(field if isinstance(field, bytes) else os.fsencode(str(field))) for field in fields]
    return b"\t".join((mark, *said)) + b"\n"
