"""Write files whole or not at all: into a temporary file beside the target, then renamed over it."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, contextmanager, suppress

from auditor.errors import OutputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

_MODE = 0o640
_FOLDER_MODE = 0o750
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MOST_LINKS = 40
"""As path_resolution(7) has it."""


def write(path: str, pieces: Iterable[bytes], mode: int = _MODE) -> None:
    """Write `pieces` to `path`. OutputError where that cannot be done; then nothing is left behind and an old file stays."""
    with File(path, mode) as file:
        for piece in pieces:
            file.write(piece)


class File:
    """A file that is at `path` when the block ends, or once it is finished, and not before; where the block raises, nothing is left behind
    and an old file stays. A step that cannot be done raises OutputError: then too, and nothing more may be written."""

    def __init__(self, path: str, mode: int = _MODE) -> None:
        self.path = path
        self.mode = mode

    def __enter__(self) -> File:
        folder, self._name = os.path.split(self.path)
        self._temporary = ""
        self._where = -1
        try:
            with self._said():
                self._where = _opened(folder)
                self._file = _special(self._where, self._name) or self._made()
        except BaseException:
            self._discard()
            raise
        return self

    def _made(self) -> BinaryIO:
        """A temporary file in the same folder, of our own group and not of one that a folder may give it."""
        status = os.fstat(self._where)
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            raise PermissionError(1, "anybody may write in its folder, so anybody could replace it")
        self._temporary = f".{self._name[:200]}.{os.getpid()}.{os.urandom(4).hex()}"  # before it is made: an interrupt may come at any time
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(self._temporary, flags, self.mode, dir_fd=self._where), "wb")
        os.fchown(file.fileno(), -1, os.getegid())
        os.fchmod(file.fileno(), self.mode)
        return file

    def write(self, piece: bytes) -> None:
        with self._said():
            self._file.write(piece)

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self._discard()

    def finish(self) -> None:
        """Have it at its path now. One that is there, or that failed, stays as it is."""
        if self._where < 0:
            return
        with self._said():
            self._file.flush()
            if self._temporary:
                os.fsync(self._file.fileno())
                os.rename(self._temporary, self._name, src_dir_fd=self._where, dst_dir_fd=self._where)
                self._temporary = ""
                os.fsync(self._where)
        self._discard()

    def _discard(self) -> None:
        with suppress(AttributeError, OSError):
            self._file.close()
        if self._temporary:
            with suppress(FileNotFoundError):
                os.unlink(self._temporary, dir_fd=self._where)
            self._temporary = ""
        if self._where >= 0:
            os.close(self._where)
            self._where = -1

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._discard()
            said = f"{self.path} could not be written: {error.strerror or error}"
            raise OutputError(said, "choose another place, or make room there") from error


def _special(where: int, name: str) -> BinaryIO | None:
    """The device or the pipe that is there, open: that is written to, never replaced. Where others may put something there it is not looked
    for: who plants a link to a device or a pipe finds it replaced by a file."""
    try:
        there = os.stat(name, dir_fd=where)
    except (FileNotFoundError, ValueError):
        return None
    status = os.fstat(where)
    ours = status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not ours or stat.S_ISREG(there.st_mode) or stat.S_ISDIR(there.st_mode):
        return None
    file = os.fdopen(os.open(name, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=where), "wb")  # a link here is ours: /dev/stdout is one
    if _which(there) != _which(os.fstat(file.fileno())):
        file.close()
        raise PermissionError(1, "something else took its place while it was opened")
    return file


def _which(status: os.stat_result) -> tuple[int, ...]:
    """Inode numbers are used again."""
    return status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode), status.st_rdev


def folder(path: str) -> None:
    """Make sure there is a folder at `path`; OutputError where there cannot be, or where another user's link leads elsewhere."""
    try:
        if os.path.islink(path) and _is_another_users(os.lstat(path)):
            raise PermissionError(1, "it is a link that belongs to another user")
        os.close(_opened(path, make=True))
    except OSError as error:
        raise OutputError(f"the folder {path} could not be made: {error.strerror or error}", "choose another with -o") from error


def _is_another_users(status: os.stat_result) -> bool:
    return status.st_uid not in (0, os.geteuid())


def _opened(path: str, make: bool = False) -> int:
    """A descriptor of the folder at `path`. Root, who may write anywhere, goes there step by step and by no link of another user."""
    if os.geteuid() != 0 or not hasattr(os, "O_PATH"):
        if make:
            os.makedirs(path, mode=_FOLDER_MODE, exist_ok=True)
        return os.open(path or ".", _FOLDER)
    steps = _steps(path)
    links = 0
    with ExitStack() as reached:
        where = os.open(".", os.O_PATH | os.O_CLOEXEC)
        reached.callback(os.close, where)
        while steps:
            name = steps.pop(0)
            step = _stepped(where, name, make)
            reached.callback(os.close, step)
            if stat.S_ISLNK(os.fstat(step).st_mode):
                links += 1
                steps[:0] = _steps(_target(step, name, links))
            else:
                where = step
        return os.open(".", _FOLDER, dir_fd=where)


def _steps(path: str) -> list[str]:
    return [*(["/"] if path.startswith("/") else []), *(step for step in path.split("/") if step)]


def _stepped(where: int, name: str, make: bool) -> int:
    """A descriptor of what has this name there, be it a link; where there is nothing, of a new folder if one is to be made."""
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=where)
    except FileNotFoundError:
        if not make:
            raise
    os.mkdir(name, _FOLDER_MODE, dir_fd=where)
    return os.open(name, flags, dir_fd=where)


def _target(link: int, name: str, links: int) -> str:
    if _is_another_users(os.fstat(link)):
        raise PermissionError(1, f"{name} on its way is a link that belongs to another user")
    if links > _MOST_LINKS:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return os.readlink("", dir_fd=link)
