"""Sockets that are no ports, in the namespace that this thread is in: AF_PACKET, raw, and those of AF_UNIX that others may send to.

Unix sockets come from NETLINK_SOCK_DIAG alone: in /proc/net/unix a name with a line feed in it forges a line, and who made it is any user.
Layouts and numbers are those of linux/unix_diag.h and linux/net.h (Linux 6.12).
"""

from __future__ import annotations

import os
import stat
import time
from struct import Struct

from auditor.evidence import Answer, quoted
from auditor.live import executables, mounts, namespaces, netlink, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = "type space name uid inode file folders at"
"""`space` is `path` or `abstract`, in which the name lies. The rest is who may use it through its path, as this process sees it: `file` is
MODE:UID:GID as executables.COLUMNS has it, `-` where there is no such socket at that path; `folders` are those above it, the innermost
first, each as `file` is or `?`; `at` is the path without links."""
TABLES = {"packet": -1, "raw": 9, "raw6": 9}
"""Files of /proc/net, and which field of a line the inode is."""
_SOCK_DIAG_BY_FAMILY, _AF_UNIX = 20, 1
_ESTABLISHED, _CLOSE, _LISTEN = 1, 7, 10
_STATES = 1 << _LISTEN | 1 << _CLOSE | 1 << _ESTABLISHED
"""A datagram socket is `established` also where another one was connected to it: unix_dgram_connect of net/unix/af_unix.c."""
_SHOW_NAME, _SHOW_VFS, _SHOW_PEER, _SHOW_UID = 1, 2, 4, 0x40
_NAME, _VFS, _PEER, _UID = 0, 1, 2, 7
_REQUEST = Struct("=BBHIII8x")
_MESSAGE = Struct("=BBBxI8x")
_FILE = Struct("=II")
_NUMBER = Struct("=I")
_DATAGRAM = 2
_TYPES = {1: b"stream", _DATAGRAM: b"dgram", 5: b"seqpacket"}
_MINOR_BITS = 20
"""Of a device number inside the kernel: include/linux/kdev_t.h. unix_diag gives such a one, and of an inode's number the lower 32 bits."""
_MOST_SECONDS = 5.0
"""How long the files of sockets are looked for, in all namespaces: any user can have many of all these, and paths that lead far."""
_NOT_SHOWN, _NONE, _UNREAD = b"", b"-", b"?"


class Endpoints:
    """What was found in one namespace: answers for the bundle, the inodes of the sockets, and how many `seconds` went on their files."""

    __slots__ = ("answers", "inodes", "seconds")

    def __init__(self, answers: list[Answer], inodes: set[bytes]) -> None:
        self.answers = answers
        self.inodes = inodes
        self.seconds = 0.0


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """What the probe `ports` gives, where that is not asked as well: it visits the namespaces and looks for the holders, once for all."""
    from auditor.live import accounts, ports, rights

    parts = notebook.get("parts")
    if not isinstance(parts, (set, frozenset)) or "ports" not in parts:
        yield from rights.ask(notebook)
        yield from ports.ask(notebook)
        yield from accounts.ask(notebook)


def here(label: str, spent: float = 0.0) -> Endpoints:
    """Those of the namespace that this thread is in; `spent` are the seconds that went on the files of others."""
    found = from_outside(label, "/proc/thread-self/net")
    try:
        files = _Files(spent)
        lines, inodes = _unix(files)
        found.seconds = files.seconds
        status, why = ("1", _passed_over(files.passed_over)) if files.passed_over else ("0", b"")
        found.answers.append(Answer("endpoints", "builtin:unix_diag", rows.table(COLUMNS, lines), status, stderr=why, stack=label))
        found.inodes |= inodes
    except OSError as error:
        why = f"{error.strerror or error}; /proc/net/unix is not believed, since any user can forge it\n".encode()
        found.answers.append(Answer("endpoints", "builtin:unix_diag", rows.table(COLUMNS, []), "1", stderr=why, stack=label))
    return found


def from_outside(label: str, folder: str) -> Endpoints:
    """What `folder`, a /proc/PID/net, shows of them; nothing of Unix sockets."""
    answers = [_table(f"{folder}/{name}", label) for name in TABLES]
    inodes = {
        fields[place]
        for answer, place in zip(answers, TABLES.values(), strict=True)
        for line in answer.stdout.split(b"\n")[1:-2]
        if len(fields := line.split()) > max(place, 1)
    }
    return Endpoints(answers, inodes)


def _table(path: str, label: str) -> Answer:
    """The kernel's lines as they are, and how many; `absent` where this kernel has no such sockets."""
    command = f"builtin:proc-net {quoted(path)}"
    try:
        with open(path, "rb") as file:
            lines = file.read().removesuffix(b"\n").split(b"\n")
    except FileNotFoundError:
        if os.path.exists(os.path.dirname(path) + "/dev"):
            return Answer("endpoints", command, b"", "absent", stack=label)
        return Answer("endpoints", command, b"", "1", stderr=f"{path}: the process is gone\n".encode(), stack=label)
    except OSError as error:
        return Answer("endpoints", command, b"", "1", stderr=f"{path}: {error.strerror}\n".encode(), stack=label)
    return Answer("endpoints", command, b"\n".join((*lines, rows.ending(len(lines) - 1))), stack=label)


def _passed_over(many: int) -> bytes:
    sockets = "1 Unix socket was" if many == 1 else f"{many} Unix sockets were"
    return (
        f"the files of {sockets} not looked for: {_MOST_SECONDS:g} seconds had gone on others; their paths are many, or lead far\n".encode()
    )


def _unix(files: _Files) -> tuple[list[bytes], set[bytes]]:
    """Rows of COLUMNS and the inodes: listeners, and datagram sockets that have a name and no peer, to which whoever may can send."""
    request = _REQUEST.pack(_AF_UNIX, 0, 0, _STATES, 0, _SHOW_NAME | _SHOW_VFS | _SHOW_PEER | _SHOW_UID)
    with netlink.Channel(netlink.NETLINK_SOCK_DIAG) as channel:
        payloads = channel.dump(_SOCK_DIAG_BY_FAMILY, request)
    lines, inodes = [], set()
    for payload in payloads:
        _, kind, state, inode = _MESSAGE.unpack_from(payload)
        shown = dict(netlink.attributes(payload, _MESSAGE.size))
        name = shown.get(_NAME, b"")
        if state != _LISTEN and (kind != _DATAGRAM or not name or _PEER in shown):
            continue
        number = b"%d" % inode
        inodes.add(number)
        uid = b"%d" % _NUMBER.unpack(shown[_UID])[0] if _UID in shown else _NOT_SHOWN
        if name.startswith(b"\0"):
            where: tuple[bytes, ...] = (b"abstract", rows.field(name[1:]), uid, number, _NONE, _NONE, _NONE)
        elif name:
            path = name.rstrip(b"\0")
            where = (b"path", rows.field(path), uid, number, *files.look(path, *_FILE.unpack(shown.get(_VFS, bytes(_FILE.size)))))
        else:
            where = (_NONE, _NONE, uid, number, _NONE, _NONE, _NONE)
        lines.append(b"\t".join((_TYPES.get(kind, b"%d" % kind), *where)))
    return lines, inodes


class _Files:
    """Finds the files of sockets, touching nothing that lies on another machine or that a program shows (mounts.BarredError)."""

    def __init__(self, spent: float = 0.0) -> None:
        self._mounts = mounts.current()
        self._devices = dict(_devices("/proc/self/mountinfo"))
        self._none = _NONE if _is_inits_view() else _NOT_SHOWN
        self._folders: dict[str, bytes] = {}
        self._working: list[str] | None = None
        self._began = time.monotonic()
        self._until = self._began + _MOST_SECONDS - spent
        self.passed_over = 0

    def look(self, name: bytes, inode: int, device: int) -> tuple[bytes, bytes, bytes]:
        """`file`, `folders` and `at`. That there is no such socket at its path is said only where this process has the mounts of process 1,
        as most have."""
        path = os.fsdecode(name)
        if self._late():
            self.passed_over += 1
            return _NOT_SHOWN, _NOT_SHOWN, _NOT_SHOWN
        return self._look_at(path, inode, device) if path.startswith("/") else self._look_where_processes_are(path, inode, device)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def _late(self) -> bool:
        return time.monotonic() > self._until

    def _look_at(self, path: str, inode: int, device: int) -> tuple[bytes, bytes, bytes]:
        try:
            real = self._mounts.real(path)
            if not self._is_it(real, inode, device):
                return self._none, _NOT_SHOWN, _NOT_SHOWN
            file = executables.rights(real, os.stat(real))
        except (FileNotFoundError, NotADirectoryError):
            return self._none, _NOT_SHOWN, _NOT_SHOWN
        except mounts.BarredError:
            return _NOT_SHOWN, _NOT_SHOWN, _NOT_SHOWN
        except (OSError, ValueError):
            real, file = path, _NOT_SHOWN
        return file, self._above(os.path.dirname(real)), rows.field(os.fsencode(real))

    def _look_where_processes_are(self, path: str, inode: int, device: int) -> tuple[bytes, bytes, bytes]:
        """A path that does not begin with / was bound from some process' working folder; the numbers of the file prove from which."""
        for folder in self._working_folders():
            if self._late():
                self.passed_over += 1
                break
            found = self._look_at(f"{folder.rstrip('/')}/{path}", inode, device)
            if found[0] not in (_NONE, _NOT_SHOWN):
                return found
        return _NOT_SHOWN, _NOT_SHOWN, _NOT_SHOWN

    def _working_folders(self) -> list[str]:
        if self._working is None:
            found = {_link(f"/proc/{pid}/cwd") for pid in namespaces.pids()}
            self._working = sorted(folder for folder in found if folder.startswith("/"))
        return self._working

    def _is_it(self, path: str, inode: int, device: int) -> bool:
        """By the kernel's own numbers, which stat(2) does not tell of every file system."""
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            with open(f"/proc/self/fdinfo/{descriptor}", "rb") as opened:
                told = dict(line.split(b":", 1) for line in opened if b":" in line)
        finally:
            os.close(descriptor)
        number = int(told[b"ino"]) if b"ino" in told else status.st_ino  # before Linux 5.14 it is not told
        there = self._devices.get(int(told[b"mnt_id"]))
        return stat.S_ISSOCK(status.st_mode) and (number & 0xFFFFFFFF, there) == (inode, device)

    def _above(self, folder: str) -> bytes:
        if folder not in self._folders:
            above = folder
            found = [_folder(above)]
            while above != os.path.dirname(above):
                above = os.path.dirname(above)
                found.append(_folder(above))
            self._folders[folder] = b" ".join(found)
        return self._folders[folder]


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _folder(path: str) -> bytes:
    try:
        return executables.rights(path, os.stat(path))
    except (OSError, ValueError):
        return _UNREAD


def _devices(path: str) -> Iterator[tuple[int, int]]:
    """The devices of mounts, by their numbers: proc_pid_mountinfo(5)."""
    with open(path, "rb") as mountinfo:
        for line in mountinfo:
            number, _, device = line.split(b" ", 3)[:3]
            major, _, minor = device.partition(b":")
            yield int(number), int(major) << _MINOR_BITS | int(minor)


def _is_inits_view() -> bool:
    """Whether process 1 has the same mounts: no two mounts of a running system have one number, in whichever namespace."""
    try:
        return _root_mount("/proc/self/mountinfo") == _root_mount("/proc/1/mountinfo") is not None
    except OSError:
        return False


def _root_mount(path: str) -> bytes | None:
    with open(path, "rb") as mountinfo:
        return next((fields[0] for line in mountinfo if (fields := line.split(b" ", 5))[4] == b"/"), None)
