"""Who holds a socket: every descriptor of every process that may be read, and for those that hold one, who they are.

Runs in forked children, because it works by changing directory into /proc/PID/fd: names in it stay short, and what is read
relative to it is of that very process, whoever gets its number later.
"""

from __future__ import annotations

import os

from auditor.live import rows

PROCESS_COLUMNS = "pid started uid process executable cgroup"
HOLDER_COLUMNS = "pid inodes"
WALK_COLUMNS = "name value"
_INODES_A_ROW = 4096
_PROC_FILE = 1 << 16
_PIDS_WORTH_A_WALKER = 150


def process_row(pid: int, at: str = "") -> bytes | None:
    """What PROCESS_COLUMNS say of a process, or None if it went away meanwhile. `at` is a path to its /proc folder."""
    at = at or f"/proc/{pid}"
    try:
        status = _read(at + "/status")
        started = _started(at)
        groups = _group(at)
        try:
            executable = rows.field(os.fsencode(os.readlink(at + "/exe")))
        except PermissionError:
            executable = b""
        except FileNotFoundError:
            executable = b"-"
        if started != _started(f"/proc/{pid}"):
            return None
    except OSError:
        return None
    name = status[6 : status.index(b"\n")].replace(b"\t", b"\\t")
    uid = status.partition(b"\nUid:\t")[2].split(b"\t", 2)[1]
    return b"\t".join((b"%d" % pid, started, uid, name, executable, groups))


def _read(path: str) -> bytes:
    """A file of /proc, which gives all it has at one read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _PROC_FILE)
    finally:
        os.close(descriptor)


def _started(at: str) -> bytes:
    """Field 22 of stat, in clock ticks since boot; what stands in brackets may hold anything, brackets and blanks too."""
    return _read(at + "/stat").rpartition(b")")[2].split(None, 20)[19]


def _group(at: str) -> bytes:
    """The path in the unified hierarchy, or in systemd's own where the first is only the root; `-` where there is neither."""
    paths = dict(line.split(b":", 2)[1:] for line in _read(at + "/cgroup").split(b"\n") if line)
    unified, systemd = paths.get(b""), paths.get(b"name=systemd")
    path = systemd if unified in (None, b"/") and systemd else unified
    return b"-" if path is None else rows.field(path)


class Walk:
    """What one or several walkers found: rows for PROCESS_COLUMNS and HOLDER_COLUMNS, the inodes that have a holder, counts."""

    __slots__ = ("broken", "found", "holders", "looked", "processes", "unreadable", "vanished")

    def __init__(self) -> None:
        self.processes: list[bytes] = []
        self.holders: list[bytes] = []
        self.found: set[bytes] = set()
        self.looked = 0
        self.vanished = 0
        self.unreadable: list[int] = []
        self.broken = False

    def add(self, text: bytes) -> None:
        for line in text.split(b"\n"):
            mark, _, row = line.partition(b"\t")
            if mark == b"p":
                self.processes.append(row)
            elif mark == b"h":
                self.holders.append(row)
                self.found.update(row.partition(b"\t")[2].split(b" "))
            elif mark == b"n":
                looked, vanished, unreadable = row.split(b"\t")
                self.looked += int(looked)
                self.vanished += int(vanished)
                self.unreadable += (int(pid) for pid in unreadable.split())

    def take(self, other: Walk) -> None:
        """Add what a walk by thread found; the processes it went through are the same and are not counted again."""
        self.processes += other.processes
        self.holders += other.holders
        self.found |= other.found

    @property
    def trouble(self) -> str | None:
        """Why this walk may not have found every holder."""
        if self.broken:
            return "a walker through the processes ended before it was done"
        if self.unreadable:
            many = "1 process" if len(self.unreadable) == 1 else f"{len(self.unreadable)} processes"
            return f"the descriptors of {many} may not be read by this run (others' need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"
        return None

    def counts(self, retries: int) -> bytes:
        """WALK_COLUMNS: looked, vanished, retries, and `unreadable`, the ids of the processes whose descriptors may not be read."""
        unreadable = " ".join(map(str, sorted(self.unreadable)))
        named = {"looked": self.looked, "vanished": self.vanished, "retries": retries, "unreadable": unreadable}
        return rows.table(WALK_COLUMNS, [f"{name}\t{value}".encode() for name, value in named.items()])


def walk(into: Walk, wanted: set[bytes], pids: list[int], threads: bool = False) -> None:
    """Look through the descriptors of `pids` for the socket inodes `wanted`; with `threads`, of each thread by itself (one that
    left its process' descriptor table keeps its own)."""
    walkers = min(len(os.sched_getaffinity(0)), 4, 1 + len(pids) // _PIDS_WORTH_A_WALKER)
    links = {f"socket:[{inode.decode()}]" for inode in wanted}
    readers = [_forked(links, pids[i::walkers], threads) for i in range(walkers)]
    for reader, child in readers:
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        into.broken = into.broken or b"\nn\t" not in b"\n" + text
        into.add(text)


def _forked(links: set[str], pids: list[int], threads: bool) -> tuple[int, int]:
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return reader, child
    status = 1
    try:
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            _walk(links, pids, threads, pipe.write)
        status = 0
    finally:
        os._exit(status)


def _walk(links: set[str], pids: list[int], threads: bool, write: object) -> None:
    looked = vanished = 0
    unreadable: list[int] = []
    for pid in pids:
        folders = [f"/proc/{pid}/fd"]
        if threads:
            try:
                folders = [f"/proc/{pid}/task/{tid}/fd" for tid in os.listdir(f"/proc/{pid}/task")]
            except OSError:
                continue
        held: set[str] = set()
        try:
            for folder in folders:
                os.chdir(folder)
                held |= _held(links)
            looked += 1
        except PermissionError:
            unreadable.append(pid)
            continue
        except OSError:
            vanished += 1
            continue
        if not held:
            continue
        row = process_row(pid, "../../.." if threads else "..")
        if row is None:
            vanished += 1
            continue
        write(b"p\t" + row + b"\n")  # type: ignore[operator]
        inodes = sorted(link[8:-1] for link in held)
        for at in range(0, len(inodes), _INODES_A_ROW):
            write(f"h\t{pid}\t{' '.join(inodes[at : at + _INODES_A_ROW])}\n".encode())  # type: ignore[operator]
    write(f"n\t{looked}\t{vanished}\t{' '.join(map(str, unreadable))}\n".encode())  # type: ignore[operator]


def _held(links: set[str]) -> set[str]:
    """Which of `links` the descriptors in the current directory are; a descriptor closed meanwhile is passed over."""
    names = os.listdir()
    try:
        return links.intersection(map(os.readlink, names))
    except FileNotFoundError:
        pass
    held = set()
    for name in names:
        try:
            held.add(os.readlink(name))
        except FileNotFoundError:
            continue
    return links & held


def many_threaded(pids: list[int]) -> list[int]:
    """Those of `pids` that have more than one thread (a task folder has a link for itself, its parent and each thread)."""
    several = []
    for pid in pids:
        try:
            if os.stat(f"/proc/{pid}/task").st_nlink > 3:
                several.append(pid)
        except OSError:
            continue
    return several
