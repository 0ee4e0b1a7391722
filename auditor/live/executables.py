"""The file that a process runs: where it lies, and who may change it or put another one in its place.

A path says which file the kernel has for the program only where that is the one at the path here, and where no process may choose it.
Nor is anything at a path touched before it is known that it leads to no file system that may never answer (auditor.live.mounts).
Whatever is told of the file itself is by stat through /proc/PID/exe, and so of that very file.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from functools import lru_cache

from auditor.live import mounts, rows
from auditor.live.files import of_proc
from auditor.live.mounts import BarredError

COLUMNS = "file at_path folders root"
"""What `look` tells beside the path. `file` is MODE:UID:GID, the mode in octal digits; behind a mode whose group bits show write (or
what else is asked for), `+` says that it has an access control list, whose mask they are then (acl(5)), and `?` that it was not told
whether it has one. `at_path` is
`itself`, `another` or `none`: which file is at its path. `folders` are those above it, the innermost first, each as `file` is. `root` is
UID:GID of the root of its user namespace."""
ELSEWHERE = " (in another mount namespace)"
FORGEABLE = " (in another user namespace)"
_DELETED = " (deleted)"
_IN_MEMORY = "/memfd:"
"""So begins the name of a file that has none; it can be made elsewhere too, but it is nobody's path."""
_ACCESS_LIST = "system.posix_acl_access"
"""The extended attribute that holds it: include/uapi/linux/xattr.h. It is shown to whoever may reach the file."""
_HAS_NONE = (errno.ENODATA, errno.ENOTSUP)
"""What getxattr(2) says of a file that has no access control list, and of a file system that keeps none."""
_ROOT = b"0:0"
_NOT_SHOWN = b""
_NONE = b"-"
DENIED = (_NOT_SHOWN,) * 5
KERNEL_THREAD = (_NONE, _NONE, _NONE, _NONE, _NOT_SHOWN)


def look(at: str) -> tuple[bytes, ...]:
    """The path of an executable, as the kernel has it, and COLUMNS; `at` is the process' folder in /proc. OSError where it cannot be read.

    In a mount namespace of its own, which any user can make, another file can be laid over a path, and a process that is in this one can
    run it: where the file is not the one at that path here, ELSEWHERE says so, and where it was deleted, unless it lies on the very mount
    that its folder is on here. In a user namespace of its own, which any user can make, a process may have the kernel call it by any other
    program's path (prctl(2), PR_SET_MM_MAP): FORGEABLE says so, though not where another process did that that shared its memory. Where the
    namespace is not shown, neither is the path. Nothing is told of what is at a path that leads into a mount that is barred.
    """
    link = at + "/exe"
    try:
        path, runs, at_path, folders = _placed(link)
    except BarredError:
        path, runs, at_path, folders = _behind_a_bar(link), _status(link), _NOT_SHOWN, _NOT_SHOWN
    try:
        ours = _in_our_user_namespace(at)
    except OSError:
        return DENIED
    if not ours and not path.startswith(_IN_MEMORY) and not path.endswith(ELSEWHERE):
        path += FORGEABLE
        at_path = folders = _NOT_SHOWN
    return rows.field(os.fsencode(path)), rights(link, runs), at_path, folders, _ROOT if ours else _root(at)


def _placed(link: str) -> tuple[str, os.stat_result | None, bytes, bytes]:
    """The path, the status of the file, and which file is at that path, with the folders above it. Raises BarredError."""
    path = os.readlink(link)
    runs, here = _status(link), _status_at(path)
    if not _same(runs, here) and path != (again := os.readlink(link)):  # it was replaced, or the process became another program meanwhile
        path = again
        runs, here = _status(link), _status_at(path)
    if _same(runs, here):
        return path, runs, b"itself", folders_above(path)
    bare = path.removesuffix(_DELETED)
    if bare == path or not bare.startswith("/"):
        return path + ELSEWHERE, runs, _NOT_SHOWN, _NOT_SHOWN
    if bare.startswith(_IN_MEMORY):
        return path, runs, _NOT_SHOWN, _NOT_SHOWN
    if _on_mount_of_folder(link, bare):
        return path, runs, _at_path(bare), _NOT_SHOWN
    return path + ELSEWHERE, runs, _NOT_SHOWN, _NOT_SHOWN


def _behind_a_bar(link: str) -> str:
    """The path where nothing at it may be touched: the kernel's word where the file lies on a mount of this namespace, ELSEWHERE otherwise.
    Path and mount are those of one descriptor, and while that is open no other mount gets the number."""
    runs = os.open(link, os.O_PATH | os.O_CLOEXEC)
    try:
        path, number = os.readlink(f"/proc/self/fd/{runs}"), int(_mount(runs) or -1)
        ours = number in _mounted().numbers and number in mounts.current().numbers
        return path if ours else path + ELSEWHERE
    finally:
        os.close(runs)


def _mounted() -> mounts.Mounts:
    return _mounted_in(int(time.monotonic()))


@lru_cache(maxsize=1)
def _mounted_in(_second: int) -> mounts.Mounts:
    """What is mounted, read once in a second: for each process it would take too long."""
    return mounts.current()


def _in_our_user_namespace(at: str) -> bool:
    own = "/proc/self/ns/user"
    if not os.path.lexists(own):  # a kernel without user namespaces
        return True
    return os.readlink(at + "/ns/user") == os.readlink(own)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _status_at(path: str) -> os.stat_result | None:
    """The status of what is at a path that a process may have chosen. Raises BarredError where that leads into a barred mount."""
    try:
        return os.stat(_mounted().real(path)) if path.startswith("/") else None
    except OSError:
        return None


def _same(runs: os.stat_result | None, here: os.stat_result | None) -> bool:
    """Whether it is one file; no where it cannot be told."""
    return runs is not None and here is not None and (runs.st_dev, runs.st_ino) == (here.st_dev, here.st_ino)


def rights(path: str, status: os.stat_result | None, bits: int = stat.S_IWGRP) -> bytes:
    """MODE:UID:GID as COLUMNS has it; "" where the status was not had. An access control list counts where the group has one of `bits`."""
    if status is None:
        return _NOT_SHOWN
    mark = _access_list(path) if status.st_mode & bits else b""
    return b"%04o%s:%d:%d" % (stat.S_IMODE(status.st_mode), mark, status.st_uid, status.st_gid)


def _access_list(path: str) -> bytes:
    try:
        os.getxattr(path, _ACCESS_LIST)
    except OSError as problem:
        return b"" if problem.errno in _HAS_NONE else b"?"
    return b"+"


def folders_above(path: str, bits: int = stat.S_IWGRP) -> bytes:
    """The rights of those above what is at a path that leads into no barred mount."""
    found = []
    while path.startswith("/") and path != "/":
        path = os.path.dirname(path)
        found.append(rights(path, _status(path), bits))
    return _NOT_SHOWN if _NOT_SHOWN in found else b" ".join(found)


def _at_path(path: str) -> bytes:
    """Which file is at the path of one that was deleted."""
    try:
        return b"another" if stat.S_ISREG(os.stat(_mounted().real(path)).st_mode) else b"none"
    except (FileNotFoundError, NotADirectoryError):
        return b"none"
    except OSError:
        return _NOT_SHOWN


def _root(at: str) -> bytes:
    """Who root of another user namespace is here; `-` where it has no root."""
    try:
        ids = [_outside(of_proc(f"{at}/{name}")) for name in ("uid_map", "gid_map")]
    except OSError:
        return _NOT_SHOWN
    return _NONE if _NONE in ids else b":".join(ids)


def _outside(mapped: bytes) -> bytes:
    """What 0 in a user namespace is here: user_namespaces(7), "ID-inside-ns ID-outside-ns length" on each line."""
    return next((line.split()[1] for line in mapped.splitlines() if line.split()[:1] == [b"0"]), _NONE)


def _on_mount_of_folder(link: str, path: str) -> bool:
    """Whether the file lies on the mount that holds its folder here, or the nearest one above that is still there: the path of what was
    deleted is the kernel's word only where the mounts are those of this namespace. A device or an inode number would not do: a mount can
    show a folder of the same file system at any path."""
    folder = os.path.dirname(path)
    while folder != "/" and not ((status := _status_at(folder)) and stat.S_ISDIR(status.st_mode)):
        folder = os.path.dirname(folder)
    try:
        runs = os.open(link, os.O_PATH | os.O_CLOEXEC)
        try:
            here = os.open(_mounted().real(folder), os.O_PATH | os.O_CLOEXEC)
            try:
                mount = _mount(here)
                return mount is not None and mount == _mount(runs)
            finally:
                os.close(here)
        finally:
            os.close(runs)
    except OSError:
        return False


def _mount(descriptor: int) -> bytes | None:
    """The number of the mount that a descriptor is on; while it is open no other mount gets that number."""
    for line in of_proc(f"/proc/self/fdinfo/{descriptor}").split(b"\n"):
        if line.startswith(b"mnt_id:"):
            return line[7:].strip()
    return None
