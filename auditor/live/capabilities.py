"""Which processes may take privileged ports: those with CAP_NET_BIND_SERVICE, and in which user and network namespace they have it.

Capabilities belong to threads (capabilities(7)), and so does the network namespace. Their sets are in /proc/PID/status, which all may read.
"""

from __future__ import annotations

import os

from auditor.evidence import Answer
from auditor.live import executables, namespaces, rows, user_namespaces
from auditor.live.files import of_proc
from auditor.live.owners import group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COLUMNS = (
    f"pids threads uid executable cgroup {executables.COLUMNS} effective permitted inheritable ambient bounding no_new_privs seccomp stack"
    " user_namespace uid_map"
)
_BIT = 1 << 10
"""CAP_NET_BIND_SERVICE: include/uapi/linux/capability.h."""
_MOST_ROUNDS = 20
"""How often processes are listed again, and the threads of one, to look at those that came meanwhile. In each round fewer can have come
than in the one before; only what has itself followed by another as soon as it is listed escapes them all."""
_READ, _ENDED, _FAILED, _TORN = "read", "ended", "failed", "torn"
"""What became of a look at a process: it has ended (a kernel thread looks the same), it could not be read, which most often means that it
has ended, or threads of it could not, whenever they were listed."""
_SETS = (b"CapEff", b"CapPrm", b"CapInh", b"CapAmb", b"CapBnd", b"NoNewPrivs", b"Seccomp")
_GIVING = (b"CapEff", b"CapPrm", b"CapAmb")
_AT_PATH = 1 + executables.COLUMNS.split(" ").index("at_path")
_OF_MEMORY = b"\nVmSize:"
"""A line that kernel threads and what has ended already do not have."""
_CAPABILITIES = b"\nCapEff:"
"""A line that each status has which was read to its end."""


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """A row for each kind of process that has the capability, with the ids of all that are alike; `threads` is `all`, or `some` where other
    threads of theirs are not like that. Also those that have it not, but whose user owns the user namespace that their network namespace
    belongs to. Of kernel threads, and of this run itself, nothing is told. `user_namespace` is its inode, or where that may not be read
    `uid_map` is the map of its users. The sets of one whose status does not tell them are empty. Then who owns the network namespaces.

    One that ended before it was read may have left a child that is not in the list yet: they are listed again until all that came can be
    read. Where that is never so, the first answer fails and says so, beside the rows."""
    left = notebook.get("namespaces")
    found = left if isinstance(left, namespaces.Found) else namespaces.find()
    owners = user_namespaces.Owners(found.namespaces)
    kinds = _Kinds(namespaces.Labels(found.namespaces), owners)
    escaped = _look_at_all(kinds)
    status, why = ("1", _escaped(escaped)) if escaped else ("0", b"")
    yield Answer("capabilities", "builtin:capabilities", rows.table(COLUMNS, kinds.rows()), status, stderr=why)
    of_networks, of_users = owners.tables()
    yield Answer("capabilities", "builtin:namespace-owners", of_networks)
    yield Answer("capabilities", "builtin:user-namespaces", of_users)


def _look_at_all(kinds: _Kinds) -> int:
    """Look at each process, and at those that come meanwhile; how many of those that are left, or of the last that came, were not read."""
    done = {os.getpid()}
    torn: set[int] = set()
    for _ in range(_MOST_ROUNDS):
        there = namespaces.pids()
        outcomes = {pid: kinds.add(pid) for pid in there if pid not in done}
        done |= {pid for pid, outcome in outcomes.items() if outcome != _FAILED}
        torn = {pid for pid in there if pid in torn or outcomes.get(pid) == _TORN}
        unread = {pid for pid, outcome in outcomes.items() if outcome != _READ}
        if not unread:
            return len(torn)
    return len(torn | unread)


def _escaped(many: int) -> bytes:
    processes = "1 process" if many == 1 else f"{many} processes"
    return (
        f"{processes} could not be read, though they were listed up to {_MOST_ROUNDS} times: where they, or threads of theirs, end too"
        " soon, what passes from one to the next with the capability may be missing\n"
    ).encode()


class _Kinds:
    """The processes that were found, by what their rows say beside who they are. What is alike of many is read or made out once."""

    def __init__(self, labels: namespaces.Labels, owners: user_namespaces.Owners) -> None:
        self._labels = labels
        self._owners = owners
        self._found: dict[tuple[bytes, ...], list[int]] = {}
        self._programs: dict[tuple[object, ...], tuple[bytes, ...]] = {}
        self._groups: dict[bytes, bytes] = {}
        self._sets: dict[bytes, _Sets] = {}

    def rows(self) -> list[bytes]:
        return [b"\t".join((b" ".join(b"%d" % pid for pid in pids), *kind)) for kind, pids in self._found.items()]

    def add(self, pid: int) -> str:
        """Look at a process and its threads; what became of it."""
        try:
            folder = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return _FAILED
        try:
            threads = _Threads(self._labels, self._owners, self._sets_of, folder)
            for kind in self._kinds(threads, folder):
                self._found.setdefault(kind, []).append(pid)
            return _TORN if threads.torn else _READ if threads.alive else _ENDED
        except OSError:
            return _FAILED
        finally:
            os.close(folder)

    def _kinds(self, threads: _Threads, folder: int) -> Iterator[tuple[bytes, ...]]:
        for (uid, sets, stack, user_namespace, uid_map), those in threads.seen.items():
            share = b"all" if len(those) == threads.alive else b"some"
            executable, *file = self._program(those, folder, user_namespace)
            yield share, uid, executable, self._group(folder), *file, *sets.told, stack, user_namespace, uid_map

    def _sets_of(self, status: bytes) -> _Sets:
        lines = status[status.find(b"\nCapInh:") : status.find(b"\nCpus_allowed:")]
        if lines not in self._sets:
            self._sets[lines] = _Sets(lines)
        return self._sets[lines]

    def _group(self, folder: int) -> bytes:
        said = of_proc("cgroup", folder)
        if said not in self._groups:
            self._groups[said] = group(said)
        return self._groups[said]

    def _program(self, those: list[str], folder: int, user_namespace: bytes) -> tuple[bytes, ...]:
        """What executables.look says, of the first of these threads that is still there."""
        for at in those:
            try:
                return self._looked(at, folder, user_namespace)
            except PermissionError:
                break
            except FileNotFoundError:
                if at == "." or os.path.exists(f"{_path(folder)}/{at}"):
                    return executables.KERNEL_THREAD
            except OSError:
                continue
        return executables.DENIED

    def _looked(self, at: str, folder: int, user_namespace: bytes) -> tuple[bytes, ...]:
        """It says the same of all that run one file, which is at its path, in one user namespace."""
        name = os.readlink(f"{at}/exe", dir_fd=folder)
        runs = os.stat(f"{at}/exe", dir_fd=folder)
        alike = name, runs.st_dev, runs.st_ino, user_namespace
        if alike in self._programs:
            return self._programs[alike]
        told = executables.look(f"{_path(folder)}/{at}")
        if told[_AT_PATH] == b"itself":
            self._programs[alike] = told
        return told


class _Threads:
    """Those of a process: how many are `alive`, and those that count, by what was read of each (`seen`). `torn`: whenever they were listed,
    one could not be read, and none of the others has the capability."""

    def __init__(
        self, labels: namespaces.Labels, owners: user_namespaces.Owners, sets_of: Callable[[bytes], _Sets], folder: int
    ) -> None:  # fmt: skip
        """OSError where the process is gone, or may not be read."""
        self._labels = labels
        self._owners = owners
        self._sets_of = sets_of
        self._folder = folder
        self.alive = 0
        self.seen: dict[tuple[bytes, _Sets, bytes, bytes, bytes], list[str]] = {}
        status = of_proc("status", folder)
        missed = True
        if b"\nThreads:\t1\n" in status:
            missed = self._look(".", status) == _FAILED
        done: set[str] = set()
        for _ in range(_MOST_ROUNDS):
            if not missed:
                break
            new = [tid for tid in os.listdir(f"{_path(folder)}/task") if tid not in done]
            outcomes = {tid: self._look(f"task/{tid}") for tid in new}
            missed = any(outcome != _READ for outcome in outcomes.values())
            done |= {tid for tid, outcome in outcomes.items() if outcome != _FAILED}
        self.torn = missed and not any(sets.capable for _, sets, *_ in self.seen)

    def _look(self, at: str, status: bytes = b"") -> str:
        """What became of a look at a thread."""
        try:
            status = status or of_proc(f"{at}/status", self._folder)
            if _OF_MEMORY not in status and _CAPABILITIES in status:
                return _ENDED
            uid, sets = _uid(status), self._sets_of(status)
            if sets.capable or uid in self._owners.uids:
                stack = self._labels.of(at, self._folder)
                if sets.capable or self._owners.of.get(stack, user_namespaces.INITIAL) != user_namespaces.INITIAL:
                    kind = uid, sets, stack.encode(), *user_namespaces.of(at, self._folder)
                    self.seen.setdefault(kind, []).append(at)
            self.alive += 1
        except OSError:
            return _FAILED
        return _READ


def _path(folder: int) -> str:
    """A path to an open folder."""
    return f"/proc/self/fd/{folder}"


def _uid(status: bytes) -> bytes:
    """The effective user id; "" where it is not told."""
    return status.partition(b"\nUid:\t")[2].partition(b"\t")[2].partition(b"\t")[0]


class _Sets:
    """What follows the names in _SETS, "" for one that the kernel does not tell. Where even the effective ones are not told, they may be
    `capable`. No process can name itself so that it looks like such a line: the kernel escapes LF."""

    __slots__ = ("capable", "told")

    def __init__(self, lines: bytes) -> None:
        said = dict(line.split(b":\t", 1) for line in lines.split(b"\n") if b":\t" in line)
        self.told = tuple(said.get(name, b"") for name in _SETS)
        self.capable = b"CapEff" not in said or any(int(said.get(name, b"0"), 16) & _BIT for name in _GIVING)
