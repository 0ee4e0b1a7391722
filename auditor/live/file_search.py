"""The search for files that have capabilities: extended attribute `security.capability`, which anybody may read who may reach the file.

Runs in a forked child, because it works by changing directory into each folder, so that what is looked at is in that very folder, and
because it may have to be ended. Links are followed only where a path names a program; nothing is touched that `mounts` bars.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from auditor.live import executables, unit_programs
from auditor.live.file_comparison import Comparison
from auditor.live.idleness import become_idle
from auditor.live.mounts import BarredError
from auditor.live.searched_places import Place, line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from auditor.live.mounts import Mounts
    from auditor.live.searched_places import Write

SEARCH_PATH = (
    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/games", "/usr/local/games",
)  # fmt: skip
FILE_COLUMNS = "path capability file folders links mount same"
"""`capability` is the attribute in hexadecimal digits, `file` and `folders` as in auditor.live.executables, `links` how many names the file
has, `mount` which of nosuid and noexec hold where it lies (`-`: neither), `same` the files in the search path that have the same bytes, a
slash between one and the next, which no path has twice in a row (`-`: there is none)."""
_CAPABILITY = "security.capability"
_HAS_NONE = (errno.ENODATA, errno.ENOTSUP)
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What is said of a file that is no more, or that another kind of file took the place of."""
_DEEPEST = 256
_MOST_FOUND = 10_000
"""How many files a bundle takes."""
_MOST_NAMESPACED = 1_000
"""How many it takes beside these whose capabilities count in a user namespace alone: any user may make as many as he likes."""
_REVISION_3 = 3
_SIZE_OF_REVISION_3 = 24
"""`struct vfs_ns_cap_data` of include/uapi/linux/capability.h: the revision in the highest byte of the first number, the user who is root
of the namespace in the last, both little endian."""
_ENTRIES_A_GLANCE = 256
_PATH = os.O_PATH | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of include/linux/sched.h, in field 9 of /proc/PID/stat."""


class _TimeIsUpError(Exception):
    pass


class Search:
    """Writes lines, each with a mark before it: `b` before a place is looked at, `s` and `n` after it (SEARCHED_COLUMNS, MISSED_COLUMNS of
    `searched_places`), `f` for each file found (FILE_COLUMNS). What is left at the deadline, by time.monotonic, is told as missed."""

    def __init__(self, write: Write, mounts: Mounts, deadline: float) -> None:
        self._write = write
        self._mounts = mounts
        self._deadline = deadline
        self._told: set[str] = set()
        self._namespaced = 0
        self._path_folders: list[str] = []
        self._comparison = Comparison(SEARCH_PATH, mounts, deadline)

    def run(self, roots: Sequence[str]) -> None:
        """Look at the search path, the programs of units and of processes, which are soon done; then, at idle priority, at whole trees."""
        for folder in SEARCH_PATH:
            self._look("path", folder, self._flat)
        self._look("unit", "", self._units)
        self._look("process", "", self._processes)
        if roots:
            become_idle()
        for root in roots:
            self._look("search", root, self._root)

    def _look(self, found: str, name: str, into: Callable[[Place], None]) -> None:
        place = Place(found, name)
        self._write(line(b"b", found, name or None))
        try:
            self._in_time()
            into(place)
        except _TimeIsUpError:
            place.miss("time", "", place.name)
        except (BarredError, OSError) as problem:
            place.fail(place.name, problem)
        place.tell(self._write)

    def _in_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise _TimeIsUpError

    def _entries(self, folder: str | int) -> Iterator[os.DirEntry[str]]:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if not number % _ENTRIES_A_GLANCE:
                    self._in_time()
                yield entry

    def _flat(self, place: Place) -> None:
        """A folder of the search path, unless it was looked at by another name."""
        try:
            folder = self._mounts.real(place.name)
            place.there = folder not in self._path_folders
        except FileNotFoundError:
            place.there = False
        if not place.there:
            return
        self._path_folders.append(folder)
        for entry in self._files(place, folder, folder, folder):
            if entry.is_symlink():
                self._program(place, f"{folder}/{entry.name}")

    def _files(self, place: Place, folder: str | int, path: str, reached: str) -> list[os.DirEntry[str]]:
        """Look at the files of a folder, whose path is `path` and which is `reached` by another one; what else is in it. Where one was
        gone, it is listed again: it may have got another name, and one that is listed and gone again is missed."""
        others = {}
        for again in (False, True):
            gone = False
            for entry in self._entries(folder):
                if not entry.is_file(follow_symlinks=False):
                    others[entry.name] = entry
                elif not self._file(place, _below(path, entry.name), _below(reached, entry.name) if reached else entry.name, again):
                    gone = True
            if not gone:
                break
        return list(others.values())

    def _program(self, place: Place, path: str, again: bool = False) -> None:
        """A file that is named by a path in which there may be links."""
        try:
            real = self._mounts.real(path)
            listed = real not in self._told and stat.S_ISREG(os.lstat(real).st_mode)
            if listed and not self._file(place, real, real, again) and not again:
                self._program(place, path, True)
        except (BarredError, OSError) as problem:
            if not isinstance(problem, OSError) or problem.errno not in _GONE:
                place.fail(path, problem)

    def _units(self, place: Place) -> None:
        def listed(folder: str) -> list[os.DirEntry[str]]:
            try:
                return list(self._entries(self._mounts.real(folder)))
            except (BarredError, OSError) as problem:
                if not isinstance(problem, OSError) or problem.errno not in _GONE:
                    place.fail(folder, problem)
                return []

        for path in unit_programs.programs(self._mounts, listed, place.fail):
            self._program(place, path)

    def _processes(self, place: Place) -> None:
        """The programs that processes run, where that is the file at its path here."""
        seen = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            link = f"/proc/{pid}/exe"
            try:
                path = os.readlink(link)
                if path in seen or not path.startswith("/"):
                    continue
                real = self._mounts.real(path)
                if os.path.samestat(os.stat(link), os.stat(real)):
                    seen.add(path)
                    self._file(place, real, link)
            except BarredError as barred:
                place.bar(barred.mount)
            except PermissionError as problem:
                if not _is_kernels(pid):
                    place.fail(link, problem)
            except OSError:
                continue  # a kernel thread, a process that is gone, a file that is not at its path here

    def _root(self, place: Place) -> None:
        path = self._mounts.real(place.name)
        if stat.S_ISREG(os.lstat(path).st_mode):
            if not self._file(place, path, path):
                self._file(place, path, path, True)
            return
        folder = os.open(path, _FOLDER)
        try:
            self._tree(place, path, folder, 0)
        finally:
            os.close(folder)

    def _tree(self, place: Place, path: str, folder: int, depth: int) -> None:
        """Look at the files of an open folder, then into the folders in it."""
        os.fchdir(folder)
        below = _folders(self._files(place, folder, path, ""))
        done = set()
        for again in (False, True):
            gone = False
            for name in below:
                done.add(name)
                there = _below(path, name)
                if there in self._mounts.points and (mount := self._mounts.barred(there)):
                    place.bar(mount)
                elif depth == _DEEPEST:
                    place.miss("deep", str(_DEEPEST), there)
                elif not self._below(place, there, name, folder, depth):
                    done.discard(name)
                    gone = True
                    if again:
                        place.miss("vanished", "", there)
            if again or not gone:
                break
            below = (name for name in _folders(self._entries(folder)) if name not in done)

    def _below(self, place: Place, path: str, name: str, above: int, depth: int) -> bool:
        """Look into a folder in an open one; no where it is gone."""
        try:
            folder = os.open(name, _FOLDER, dir_fd=above)
        except OSError as problem:
            if problem.errno in _GONE:
                return False
            place.fail(path, problem)
            return True
        try:
            self._tree(place, path, folder, depth + 1)
        except OSError as problem:
            place.fail(path, problem)
        finally:
            os.close(folder)
        return True

    def _file(self, place: Place, path: str, at: str, again: bool = False) -> bool:
        """A regular file; `at` is where it is reached now. No where it is gone, which is missed where it was looked for `again`."""
        place.files += not again
        by_link = place.found == "process"
        try:
            os.getxattr(at, _CAPABILITY, follow_symlinks=by_link)
            if path in self._told:
                return True
            descriptor = os.open(at, _PATH if by_link else _PATH | os.O_NOFOLLOW)
            try:
                self._found(place, path, descriptor)
            finally:
                os.close(descriptor)
        except OSError as problem:
            if problem.errno in _GONE:
                if again:
                    place.miss("vanished", "", path)
                return False
            if problem.errno not in _HAS_NONE:
                place.fail(path, problem)
        return True

    def _found(self, place: Place, path: str, descriptor: int) -> None:
        """A file that has the attribute. All that is told of it is of the one that is open."""
        status, at = os.fstat(descriptor), f"/proc/self/fd/{descriptor}"
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        value, flags = os.getxattr(at, _CAPABILITY), os.fstatvfs(descriptor).f_flag
        if _is_namespaced(value):
            if self._namespaced == _MOST_NAMESPACED:
                place.miss("namespaced", str(_MOST_NAMESPACED), path)
                return
            self._namespaced += 1
        elif len(self._told) - self._namespaced == _MOST_FOUND:
            place.miss("many", str(_MOST_FOUND), path)
            return
        self._told.add(path)
        words = [word for bit, word in ((os.ST_NOSUID, "nosuid"), (os.ST_NOEXEC, "noexec")) if flags & bit]
        rights, folders = executables.rights(at, status, stat.S_IRWXG), executables.folders_above(path, stat.S_IRWXG)
        same = self._comparison.same(path, descriptor, status.st_size)
        self._write(line(b"f", path, value.hex(), rights, folders, status.st_nlink, " ".join(words) or None, same))


def _folders(entries: Iterable[os.DirEntry[str]]) -> Iterator[str]:
    return (entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _below(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _is_namespaced(value: bytes) -> bool:
    """Whether a file's capability counts in user namespaces alone whose root is another than root here."""
    return len(value) == _SIZE_OF_REVISION_3 and value[3] == _REVISION_3 and any(value[-4:])


def _is_kernels(pid: str) -> bool:
    """Whether it is a thread of the kernel, which runs no file."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return bool(int(file.read().rpartition(b")")[2].split()[6]) & _KERNEL_THREAD)
    except (OSError, IndexError, ValueError):
        return True
