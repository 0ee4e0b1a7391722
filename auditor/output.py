"""Write files whole or not at all: into a temporary file beside the target, then renamed over it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from auditor.errors import OutputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_MODE = 0o640
_FOLDER_MODE = 0o750


def write(path: str, pieces: Iterable[bytes], mode: int = _MODE) -> None:
    """Write `pieces` to `path`, mode 0640. OutputError where that cannot be done; then nothing is left behind and an old file stays."""
    folder, name = os.path.split(path)
    try:
        where = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if _is_special(where, name):
                with open(path, "wb") as file:
                    file.writelines(pieces)
            else:
                _write(where, name, pieces, mode)
        finally:
            os.close(where)
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}", "choose another place, or make room there") from error


def _is_special(where: int, name: str) -> bool:
    """Whether a device or a pipe is there: that is written to, never replaced. Where others may put something there it is not looked for:
    who plants a link to a device or a pipe finds it replaced by a file."""
    try:
        kind = os.stat(name, dir_fd=where).st_mode
    except (FileNotFoundError, ValueError):
        return False
    status = os.fstat(where)
    ours = status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return ours and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


def _write(where: int, name: str, pieces: Iterable[bytes], mode: int) -> None:
    status = os.fstat(where)
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        raise PermissionError(1, "anybody may write in its folder, so anybody could replace it")
    temporary = f".{name[:200]}.{os.getpid()}.{os.urandom(4).hex()}"
    try:  # from before it is made: an interrupt may come at any time
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=where)
        with os.fdopen(descriptor, "wb") as file:
            os.fchown(descriptor, -1, os.getegid())  # not the group that a folder may give it
            os.fchmod(descriptor, mode)
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(descriptor)
        os.rename(temporary, name, src_dir_fd=where, dst_dir_fd=where)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=where)
        raise
    os.fsync(where)


def folder(path: str) -> None:
    """Make sure there is a folder at `path`; OutputError where there cannot be, or where another user's link leads elsewhere."""
    try:
        if os.path.islink(path) and os.lstat(path).st_uid not in (0, os.geteuid()):
            raise PermissionError(1, "it is a link that belongs to another user")
        os.makedirs(path, mode=_FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {path} could not be made: {error.strerror or error}", "choose another with -o") from error
