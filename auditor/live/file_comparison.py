"""Which files of the search path have the same bytes as another one: a copy of an interpreter is one by whatever name.

Only what was listed as a regular file, and is still that very file, is opened for reading.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from auditor.live.mounts import BarredError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.live.mounts import Mounts

_LARGEST_COMPARED = 1 << 28
_MOST_COMPARED = 1 << 30
"""How many bytes are read in all to compare files: anybody may make files as large as programs are."""
_PIECE = 1 << 20


class _TooMuchError(Exception):
    """More would be read, or would take longer, than is allowed."""


class Comparison:
    """Compares with the files in `folders`, until the deadline, by time.monotonic. Each of these is read once at most."""

    def __init__(self, folders: Sequence[str], mounts: Mounts, deadline: float) -> None:
        self._folders = folders
        self._mounts = mounts
        self._deadline = deadline
        self._by_size: dict[int, dict[str, os.stat_result]] | None = None
        self._digests: dict[str, bytes] = {}
        self._compared = 0

    def same(self, path: str, descriptor: int, size: int) -> str | None:
        """The files in the search path that have the same bytes; None where there is none, "" where it cannot be told."""
        alike = {other: status for other, status in self._of_size(size).items() if other != path}
        if not alike:
            return None
        if size > _LARGEST_COMPARED:
            return ""
        try:
            digest = self._digest(descriptor)
            return "/".join(other for other, status in alike.items() if self._digest_of(other, status) == digest) or None
        except (OSError, _TooMuchError):
            return ""

    def _digest_of(self, path: str, listed: os.stat_result) -> bytes:
        """That of a file in the search path, if it is still the one that was listed."""
        if path not in self._digests:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if not os.path.samestat(os.fstat(descriptor), listed):
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
                self._digests[path] = self._digest(descriptor)
            finally:
                os.close(descriptor)
        return self._digests[path]

    def _digest(self, descriptor: int) -> bytes:
        """That of a regular file, of which a descriptor is open by which it cannot be read (O_PATH)."""
        import hashlib

        digest = hashlib.sha256()
        reading = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while piece := os.read(reading, _PIECE):
                self._compared += len(piece)
                if self._compared > _MOST_COMPARED or time.monotonic() > self._deadline:
                    raise _TooMuchError
                digest.update(piece)
        finally:
            os.close(reading)
        return digest.digest()

    def _of_size(self, size: int) -> dict[str, os.stat_result]:
        if self._by_size is None:
            self._by_size = {}
            for folder in dict.fromkeys(real for folder in self._folders if (real := self._reachable(folder))):
                for path, status in _listed(folder):
                    self._by_size.setdefault(status.st_size, {})[path] = status
        return self._by_size.get(size, {})

    def _reachable(self, folder: str) -> str | None:
        try:
            return self._mounts.real(folder)
        except (BarredError, OSError):
            return None


def _listed(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """The regular files of a folder."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield f"{folder}/{entry.name}", status
    except OSError:
        return
