"""Files that give whoever runs them capabilities: in the search path, among the programs of systemd's units and of processes, and in the
trees that the run was asked to search."""

from __future__ import annotations

import os
import select
import signal
import time

from auditor.evidence import Answer
from auditor.live import mounts, rows
from auditor.live.file_search import FILE_COLUMNS, Search
from auditor.live.searched_places import MISSED_COLUMNS, NO_LOSS, SEARCHED_COLUMNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEARCH_SECONDS = 30
"""How long all of the search may take, where the run does not say it."""
_GRACE = 3.0
"""How many seconds later a search is ended that did not end by itself: it is held up by a file system."""
_PIECE = 1 << 16
_PROBE = "granting-files"


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """The files, what was looked at, and what was not. `notebook["search"]` may have the
    trees to search as well (`roots`) and how long all of it may take (`seconds`)."""
    wishes = notebook.get("search")
    wished: dict[str, object] = wishes if isinstance(wishes, dict) else {}
    roots, seconds = wished.get("roots"), wished.get("seconds")
    limit = float(seconds) if isinstance(seconds, (int, float)) else float(SEARCH_SECONDS)
    try:
        paths = [os.path.abspath(str(root)) for root in roots] if isinstance(roots, (list, tuple)) else []
        lines = _searched(mounts.current(), paths, limit)
    except OSError as problem:
        at = f"{problem.filename}: " if problem.filename else ""
        why = f"the search could not begin: {at}{problem.strerror}\n".encode("utf-8", "surrogateescape")
        yield Answer(_PROBE, "builtin:granting-files", rows.table(FILE_COLUMNS, []), "1", stderr=why)
        return
    for name, mark, columns in (("granting-files", b"f", FILE_COLUMNS), ("searched", b"s", SEARCHED_COLUMNS)):
        yield Answer(_PROBE, f"builtin:{name}", rows.table(columns, [line for kind, line in lines if kind == mark]))
    missed = [line for kind, line in lines if kind == b"n"]
    why = b"".join(dict.fromkeys(_in_words(line) for line in missed if line.split(b"\t")[2] not in NO_LOSS))
    yield Answer(_PROBE, "builtin:not-searched", rows.table(MISSED_COLUMNS, missed), "1" if why else "0", stderr=why)


def _in_words(missed: bytes) -> bytes:
    """A row of MISSED_COLUMNS, for who runs this."""
    found, place, kind, detail, count, _ = missed.split(b"\t")
    return b"%s: not looked at: %s, %s\n" % (found if place == b"-" else place, count, b" ".join((kind, detail)).strip())


def _searched(mounted: mounts.Mounts, roots: Sequence[str], seconds: float) -> list[tuple[bytes, bytes]]:
    """The lines of a search, each with its mark, as auditor.live.file_search writes them. One that hung or broke is told as missed."""
    deadline = time.monotonic() + seconds
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _search(reader, writer, mounted, roots, deadline)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb", buffering=0) as pipe:
            text, whole = _read(pipe.fileno(), deadline + _GRACE)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    if not whole:
        os.kill(child, signal.SIGKILL)
    ended = _ended(child)
    found = [(mark, line) for mark, tab, line in (raw.partition(b"\t") for raw in text.split(b"\n")[:-1]) if tab]
    if not whole or ended != 0:
        begun = [line for mark, line in found if mark == b"b"]
        at = begun[-1] if begun else b"-\t-"
        kind = b"broken" if whole else b"hung"
        found.append((b"n", b"\t".join((at, kind, b"%d" % seconds, b"1", at.partition(b"\t")[2]))))
    return found


def _search(reader: int, writer: int, mounted: mounts.Mounts, roots: Sequence[str], deadline: float) -> None:
    """What the child does; it never returns."""
    status = 1
    try:
        os.close(reader)
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            Search(pipe.write, mounted, deadline).run(roots)
        status = 0
    finally:
        os._exit(status)


def _read(descriptor: int, until: float) -> tuple[bytes, bool]:
    """What comes, and whether that was all before the moment `until`, by time.monotonic."""
    pieces: list[bytes] = []
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(until - time.monotonic(), 0))
        if not ready:
            return b"".join(pieces), False
        piece = os.read(descriptor, _PIECE)
        if not piece:
            return b"".join(pieces), True
        pieces.append(piece)


def _ended(child: int) -> int | None:
    """How a child ended; None where it does not within a second: what waits for a server that is gone may not even be killed."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.001)
    return None
