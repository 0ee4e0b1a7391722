"""Files of this host, read as they stand."""

from __future__ import annotations

import os
import stat

from auditor.evidence import Answer, quoted

_LIMIT = 1 << 18


def content(path: str, limit: int = _LIMIT) -> bytes:
    """A regular file's bytes, at most `limit` of them and one more. OSError where it cannot be had; never waits on a FIFO."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return file.read(limit + 1)


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
