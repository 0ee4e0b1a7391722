"""Files of this host, read as they stand."""

from __future__ import annotations

import os
import stat

from auditor.evidence import Answer, quoted

_LIMIT = 1 << 18
_PROC_PIECE = 1 << 16


def content(path: str, limit: int = _LIMIT) -> bytes:
    """A regular file's bytes, at most `limit` of them and one more. OSError where it cannot be had; never waits on a FIFO."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return file.read(limit + 1)


def of_proc(path: str, folder: int | None = None) -> bytes:
    """What a file of /proc has to say, below the open `folder` where one is given. OSError where it cannot be had."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        said = piece = os.read(descriptor, _PROC_PIECE)
        while len(piece) == _PROC_PIECE:  # a line `Groups:` of 65,536 groups is longer
            piece = os.read(descriptor, _PROC_PIECE)
            said += piece
        return said
    finally:
        os.close(descriptor)


def answer(probe: str, path: str, stack: str | None = None) -> Answer:
    """The file at `path` as an answer: `absent` where there is none, `cut` where it is too long to keep."""
    command = f"builtin:read {quoted(path)}"
    try:
        text = content(path)
    except FileNotFoundError:
        return Answer(probe, command, b"", "absent", stack=stack)
    except OSError as error:
        return Answer(probe, command, b"", "1", stderr=f"{path}: {error.strerror}\n".encode(), stack=stack)
    if len(text) > _LIMIT:
        return Answer(probe, command, text[:_LIMIT], f"cut {_LIMIT}", stack=stack)
    return Answer(probe, command, text, stack=stack)
