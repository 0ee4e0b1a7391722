"""The network namespaces that can be found from here: of processes, of their threads, and mounted ones.

Where /proc/PID/ns/net may not be read (another user's process), the namespace is told by the inode of /proc/PID/net/tcp, which
anyone may stat and which is one per namespace; such a namespace can be read through /proc/PID/net but not entered.
"""

from __future__ import annotations

import os

from auditor.live import rows

COLUMNS = "stack self init processes pid process executable cgroup mounted procnet"
_ENTRANCES = 4
_ONE_THREAD = 3
"""Links of a task folder: itself, its parent, and each thread."""


class Namespace:
    """`label` names it within this run (its inode); `entrances` are paths to open for setns, `outside` folders where its /proc/net
    can be read without entering, `pids` some processes in it."""

    __slots__ = ("entrances", "init", "inode", "label", "mounted", "outside", "own", "pids", "processes")

    def __init__(self, label: str, inode: int | None) -> None:
        self.label = label
        self.inode = inode
        self.pids: list[int] = []
        self.processes = 0
        self.entrances: list[str] = []
        self.outside: list[str] = []
        self.mounted: list[bytes] = []
        self.own = False
        self.init: bool | None = False


class Found:
    """What `find` gives: the namespaces (this process' own first), and how many processes it could not place (they were gone)."""

    __slots__ = ("namespaces", "vanished")

    def __init__(self, namespaces: list[Namespace], vanished: int) -> None:
        self.namespaces = namespaces
        self.vanished = vanished


def pids() -> list[int]:
    """The processes that /proc shows, by number."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def find() -> Found:
    """Look through every process, every thread of those that have several, and every nsfs mount."""
    by_inode: dict[int, Namespace] = {}
    unreadable: list[int] = []
    vanished = 0

    def add(link: str, entrance: str, pid: int, thread: bool = False) -> None:
        inode = int(link[5:-1])
        namespace = by_inode.get(inode)
        if namespace is None:
            namespace = by_inode[inode] = Namespace(f"netns:{inode}", inode)
        elif thread and namespace.pids:
            return
        namespace.processes += not thread
        if len(namespace.entrances) < _ENTRANCES:
            namespace.entrances.append(entrance)
            namespace.outside.append(entrance[:-6] + "net")
            namespace.pids.append(pid)

    readlink, stat = os.readlink, os.stat
    add(readlink("/proc/thread-self/ns/net"), "/proc/self/ns/net", os.getpid())
    (own,) = by_inode.values()
    own.own, own.processes, own.pids, own.entrances, own.outside = True, 0, [], [], []
    threaded = []
    for pid in pids():
        path = f"/proc/{pid}/ns/net"
        try:
            add(readlink(path), path, pid)
            if stat(f"/proc/{pid}/task").st_nlink > _ONE_THREAD:
                threaded.append(pid)
        except PermissionError:
            unreadable.append(pid)
        except OSError:
            if _several_threads(pid):  # the first thread ended, others live on
                threaded.append(pid)
            else:
                vanished += 1
    for pid in threaded:
        for tid in _listed(f"/proc/{pid}/task"):
            path = f"/proc/{pid}/task/{tid}/ns/net"
            try:
                add(readlink(path), path, pid, thread=True)
            except OSError:
                continue
    for mount, inode in _mounted():
        namespace = by_inode.setdefault(inode, Namespace(f"netns:{inode}", inode))
        namespace.mounted.append(mount)
        namespace.entrances.append(os.fsdecode(mount))
    namespaces = list(by_inode.values())
    namespaces += _unreadable(namespaces, unreadable)
    _mark_init(namespaces)
    return Found(namespaces, vanished)


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _several_threads(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink > _ONE_THREAD
    except OSError:
        return False


def _proc_net_inode(folder: str, seen_from: int | None = None) -> int | None:
    try:
        return os.stat(f"{folder}/tcp", dir_fd=seen_from).st_ino
    except OSError:
        return None


def _inode_from_outside(namespace: Namespace) -> int | None:
    """The inode of its /proc/net/tcp, by the first folder that still shows it."""
    if namespace.own:
        return _proc_net_inode("/proc/thread-self/net")
    return next((inode for folder in namespace.outside if (inode := _proc_net_inode(folder)) is not None), None)


def _seen_from_outside(known: list[Namespace]) -> dict[int, Namespace]:
    """Namespaces by the inodes of their /proc/net/tcp."""
    return {inode: namespace for namespace in known if (inode := _inode_from_outside(namespace)) is not None}


class Labels:
    """The labels of the namespaces that tasks are in, among those that `find` gave."""

    __slots__ = ("_from_outside", "_known")

    def __init__(self, known: list[Namespace]) -> None:
        self._known = known
        self._from_outside: dict[int, Namespace] | None = None

    def of(self, at: str, folder: int) -> str:
        """The label of a task's namespace, "" where it is not shown; `at` is the task's folder, below the open `folder` of its process.
        OSError where the task is gone."""
        try:
            return f"netns:{os.readlink(f'{at}/ns/net', dir_fd=folder)[5:-1]}"
        except PermissionError:
            inode = _proc_net_inode(f"{at}/net", folder)
        if inode is None:
            return ""
        if self._from_outside is None:
            self._from_outside = _seen_from_outside(self._known)
        namespace = self._from_outside.get(inode)
        return f"procnet:{inode}" if namespace is None else namespace.label


def _unreadable(known: list[Namespace], hidden: list[int]) -> list[Namespace]:
    """Namespaces of processes whose ns/net we may not read, without those that are among the known ones."""
    if not hidden:
        return []
    seen = _seen_from_outside(known)
    more: list[Namespace] = []
    for pid in hidden:
        tasks: list[str] = [str(pid)] + [f"{pid}/task/{tid}" for tid in _listed(f"/proc/{pid}/task") if tid != str(pid)]
        for task in tasks:
            inode = _proc_net_inode(f"/proc/{task}/net")
            if inode is None:
                continue
            if inode not in seen:
                seen[inode] = Namespace(f"procnet:{inode}", None)
                more.append(seen[inode])
            namespace = seen[inode]
            namespace.processes += task == tasks[0]
            if len(namespace.pids) < _ENTRANCES:
                namespace.pids.append(pid)
                namespace.outside.append(f"/proc/{task}/net")
    return more


def _mark_init(namespaces: list[Namespace]) -> None:
    """Which one process 1 is in; None for all where that cannot be seen (hidepid)."""
    init = _proc_net_inode("/proc/1/net")
    for namespace in namespaces:
        namespace.init = None if init is None else _inode_from_outside(namespace) == init


def _mounted() -> list[tuple[bytes, int]]:
    """(mount point, inode) of every network namespace that is mounted where this process looks."""
    found = []
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            for line in mounts:
                fields = line.split(b" ")
                if fields[3].startswith(b"net:[") and b" - nsfs " in line:
                    point = fields[4].replace(b"\\040", b" ").replace(b"\\011", b"\t").replace(b"\\012", b"\n").replace(b"\\134", b"\\")
                    found.append((point, int(fields[3][5:-1])))
    except OSError:
        pass
    return found


def table(namespaces: list[Namespace]) -> bytes:
    """A row per namespace and mount; the process named is the first that was found in it, `procnet` the inode of its /proc/PID/net/tcp."""
    from auditor.live.owners import process_row

    lines = []
    for namespace in namespaces:
        init = b"" if namespace.init is None else b"%d" % namespace.init
        row = process_row(namespace.pids[0], running=namespace.outside[0].removesuffix("/net")) if namespace.pids else None
        process = row.split(b"\t") if row else [b"-", b"", b"", b"-", b"-", b"-"]
        mounts = [rows.field(mount) for mount in namespace.mounted] or [b"-"]
        outside = _inode_from_outside(namespace)
        for mount in mounts:
            lines.append(b"\t".join((
                namespace.label.encode(), b"%d" % namespace.own, init, b"%d" % namespace.processes,
                process[0], process[3], process[4], process[5], mount, b"" if outside is None else b"%d" % outside)))  # fmt: skip
    return rows.table(COLUMNS, lines)
