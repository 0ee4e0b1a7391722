"""Who holds a socket: every descriptor of every process that may be read, and for those that hold one, who they are.

Runs in forked children, because it works by changing directory into /proc/PID/fd: names in it stay short, and what is read
relative to it is of that very process, whoever gets its number later.
"""

from __future__ import annotations

import os
import sys

from auditor.live import executables, rights, rows
from auditor.live.files import of_proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[bytes], object]

PROCESS_COLUMNS = f"pid started uid process executable cgroup {executables.COLUMNS}"
HOLDER_COLUMNS = "pid inodes"
WALK_COLUMNS = "name value"
_INODES_A_ROW = 4096
_PIDS_WORTH_A_WALKER = 150
_MOST_WALKERS = 4
_KCMP = {"x86_64": 312, "aarch64": 272, "riscv64": 272, "loongarch64": 272, "ppc64le": 354, "ppc64": 354, "s390x": 343}
"""The number of kcmp in each machine's syscall table (arch/*/syscall*.tbl; include/uapi/asm-generic/unistd.h)."""
_KCMP_FILES = 2
_LINKS_OF_ONE_THREAD = 3
"""A task folder has a link for itself, one for its parent, and one for each thread."""


def process_row(pid: int, at: str = "", running: str = "") -> bytes | None:
    """What PROCESS_COLUMNS say of a process, or None if it went away meanwhile. `at` is a path to its /proc folder, `running` to that of a
    thread of it that lives: where the first one ended, the others alone still show the executable, which is the same for all."""
    at = at or f"/proc/{pid}"
    try:
        status = of_proc(at + "/status")
        started = _started(at)
        groups = group(of_proc(at + "/cgroup"))
        try:
            executable, *file = executables.look(running or at)
        except PermissionError:
            executable, *file = executables.DENIED
        except FileNotFoundError:
            executable, *file = executables.KERNEL_THREAD
        if started != _started(f"/proc/{pid}"):
            return None
    except OSError:
        return None
    name = status[6 : status.index(b"\n")].replace(b"\t", b"\\t")  # the kernel has escaped backslash and LF already
    uid = status.partition(b"\nUid:\t")[2].split(b"\t", 2)[1]
    return b"\t".join((b"%d" % pid, started, uid, b"\\-" if name == b"-" else name, executable, groups, *file))


def _started(at: str) -> bytes:
    """Field 22 of stat, in clock ticks since boot; what stands in brackets may hold anything, brackets and blanks too."""
    return of_proc(at + "/stat").rpartition(b")")[2].split(None, 20)[19]


def group(said: bytes) -> bytes:
    """The path in the unified hierarchy, or in systemd's own where the first is only the root; `-` where there is neither. `said` is what
    /proc/PID/cgroup says."""
    paths = dict(line.split(b":", 2)[1:] for line in said.split(b"\n") if line)
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

    def begin(self) -> None:
        """Before another walk: what was found stays, what is counted is of the last one."""
        self.looked = self.vanished = 0
        self.unreadable.clear()

    def add(self, text: bytes) -> None:
        """Take in the rows that a walker wrote."""
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

    @property
    def trouble(self) -> str | None:
        """Why this walk may not have found every holder."""
        if self.broken:
            return "a walker through the processes ended before it was done"
        if self.unreadable:
            many = "1 process" if len(self.unreadable) == 1 else f"{len(self.unreadable)} processes"
            return f"the descriptors of {many} may not be read: {rights.why_refused('CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH')}"
        return None

    def counts(self, retries: int) -> bytes:
        """WALK_COLUMNS: looked, vanished, retries, and `unreadable`, the ids of the processes whose descriptors may not be read."""
        unreadable = " ".join(map(str, sorted(self.unreadable)))
        named = {"looked": self.looked, "vanished": self.vanished, "retries": retries, "unreadable": unreadable}
        return rows.table(WALK_COLUMNS, [f"{name}\t{value}".encode() for name, value in named.items()])


def walk(into: Walk, wanted: set[bytes], pids: list[int]) -> None:
    """Look through the descriptors of `pids` for the socket inodes `wanted`, and through those of threads that left their process'
    descriptor table. Where one stays without a holder, then through those of each thread: one may have left it meanwhile."""
    walkers = min(len(os.sched_getaffinity(0)), _MOST_WALKERS, 1 + len(pids) // _PIDS_WORTH_A_WALKER)
    links = {f"socket:[{inode.decode()}]" for inode in wanted}
    shares = [pids[at::walkers] for at in range(walkers)]
    _gather(into, [_forked(_by_process, links, share, walkers == 1) for share in shares])
    left = links - {f"socket:[{inode.decode()}]" for inode in into.found}
    if left and walkers > 1:
        _gather(into, [_forked(_by_thread, left, pids)])


def _gather(into: Walk, walkers: list[tuple[int, int]]) -> None:
    for reader, child in walkers:
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        into.broken = into.broken or status != 0
        into.add(text)


def _forked(task: Callable[..., None], *given: object) -> tuple[int, int]:
    """Run `task` in a child; it writes rows to the pipe whose reading end is returned with the child's id."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return reader, child
    status = 1
    try:
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            task(pipe.write, *given)
        status = 0
    finally:
        os._exit(status)


def _by_process(write: Write, links: set[str], pids: list[int], then_by_thread: bool) -> None:
    looked = vanished = 0
    unreadable: list[int] = []
    found: set[str] = set()
    shares_table = None
    for pid in pids:
        try:
            os.chdir(f"/proc/{pid}/fd")
            held = _held(links)
            looked += 1
            if held and not _told(write, pid, held, ".."):
                vanished += 1
            else:
                found |= held
            for tid in _threads(pid):
                shares_table = shares_table or _table_comparison()
                if int(tid) != pid and not shares_table(pid, int(tid)):
                    found |= _of_thread(write, links, pid, tid, held)
        except PermissionError:
            unreadable.append(pid)
        except OSError:
            vanished += 1
    write(f"n\t{looked}\t{vanished}\t{' '.join(map(str, unreadable))}\n".encode())
    if then_by_thread and links - found:
        _by_thread(write, links - found, pids)


def _by_thread(write: Write, links: set[str], pids: list[int]) -> None:
    """The processes are the same and are not counted again."""
    for pid in pids:
        told: set[str] = set()
        for tid in _threads(pid):
            told |= _of_thread(write, links, pid, tid, told)


def _of_thread(write: Write, links: set[str], pid: int, tid: str, told: set[str]) -> set[str]:
    """Write what a thread holds beside what was `told` of its process."""
    try:
        os.chdir(f"/proc/{pid}/task/{tid}/fd")
        held = _held(links) - told
        if held:
            _told(write, pid, held, "../../..", "..")
        return held
    except OSError:
        return set()


def _table_comparison() -> Callable[[int, int], bool]:
    """Whether two threads share their descriptor table, by kcmp(2); no where the kernel does not tell, so that both are looked at."""
    number = _KCMP.get(os.uname().machine) if sys.maxsize >> 32 else None
    if number is None or os.readlink("/proc/self") != str(os.getpid()):
        return lambda one, other: False
    try:
        import ctypes
    except ImportError:
        return lambda one, other: False
    call = ctypes.CDLL(None).syscall
    return lambda one, other: call(number, one, other, _KCMP_FILES, 0, 0) == 0


def _threads(pid: int) -> list[str]:
    """The threads of a process that has several."""
    try:
        several = os.stat(f"/proc/{pid}/task").st_nlink > _LINKS_OF_ONE_THREAD
        return os.listdir(f"/proc/{pid}/task") if several else []
    except OSError:
        return []


def _told(write: Write, pid: int, held: set[str], at: str, running: str = "") -> bool:
    """Write who a process is and what it holds; False where it went away meanwhile."""
    row = process_row(pid, at, running)
    if row is None:
        return False
    write(b"p\t" + row + b"\n")
    inodes = sorted(link[8:-1] for link in held)
    for first in range(0, len(inodes), _INODES_A_ROW):
        write(f"h\t{pid}\t{' '.join(inodes[first : first + _INODES_A_ROW])}\n".encode())
    return True


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
