"""Which file system lies at a path, told before anything there is touched: a network server that is gone would hold up whoever looks, and
a look at what autofs keeps has it mounted. What is mounted is told by /proc/self/mountinfo (proc_pid_mountinfo(5)), as it was when read.
"""

from __future__ import annotations

import errno
import os

_REMOTE = frozenset((
    "9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "fuseblk", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
))  # fmt: skip
"""File systems that wait for another machine, for a program (fuse(4)), or that mount another one when they are looked at (autofs(5)): those
of them that statfs(2) lists, and those that vendors' modules add. `fuse.NAME` is one of fuse's."""
_KERNELS_OWN = frozenset((
    "bdev", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs", "devpts", "efivarfs", "fusectl",
    "hugetlbfs", "mqueue", "nfsd", "nsfs", "openpromfs", "pipefs", "proc", "pstore", "resctrl", "rpc_pipefs", "securityfs", "selinuxfs",
    "smackfs", "sockfs", "spufs", "sysfs", "tracefs", "xenfs",
))  # fmt: skip
"""File systems that hold no programs, only what the kernel shows of itself."""
_WITHOUT_DEVICE = frozenset((
    "aufs", "devtmpfs", "ecryptfs", "jffs2", "overlay", "ramfs", "rootfs", "shiftfs", "tmpfs", "ubifs", "unionfs", "yaffs2", "zfs",
))  # fmt: skip
"""File systems that are local although /proc/filesystems calls them `nodev`. Any other one that it calls so is taken for a remote one."""
_MOST_LINKS = 40
"""How many links a path may lead through: MAXSYMLINKS of include/linux/namei.h."""
_MOST_PARTS = 4096
"""How many names a path may have, with those of the links that it leads through: PATH_MAX of include/uapi/linux/limits.h is for each alone,
so that any user can make a path of which the kernel would walk 80,000."""


class Mount:
    """A mount: its number and its parent's, where it is (`point`), the `kind` of its file system, and whether no file capability counts
    there or below it (`nosuid`). `bar` says why it is not looked into: `remote`, `kernel`; "" where it is."""

    __slots__ = ("bar", "kind", "nosuid", "number", "parent", "point")

    def __init__(self, number: int, parent: int, point: str, kind: str, nosuid: bool, bar: str) -> None:
        self.number = number
        self.parent = parent
        self.point = point
        self.kind = kind
        self.nosuid = nosuid
        self.bar = bar


class BarredError(Exception):
    """A path leads into a `mount` that is not looked into."""

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount.point)
        self.mount = mount


class Mounts:
    """What is mounted. `points` are the places where anything is, whether it can be reached there or lies below another mount; `numbers`
    are those of the mounts."""

    def __init__(self, mountinfo: bytes, filesystems: bytes) -> None:
        nodev = {line[6:].decode() for line in filesystems.split(b"\n") if line.startswith(b"nodev\t")}
        found = [_mount(line, nodev) for line in mountinfo.split(b"\n") if b" - " in line]
        self.numbers = frozenset(mount.number for mount in found)
        parents = {mount.parent for mount in found}
        for mount in found:  # what autofs mounts has options of its own, as what is mounted below has
            mount.nosuid = mount.nosuid and mount.kind != "autofs" and mount.number not in parents
        self._on = {(mount.parent if mount.parent in self.numbers else 0, mount.point): mount for mount in found}
        self.points = frozenset(mount.point for mount in found)

    def barred(self, path: str) -> Mount | None:
        """The mount on the way to `path`, a whole path without links, that is not to be looked into; None where there is none. Of those
        over each other at a place the uppermost one counts. What is mounted at / is none to be barred: were it to hang, nothing could
        run."""
        here, at = 0, ""
        for name in ["", *path.strip("/").split("/")]:
            at = f"{at.rstrip('/')}/{name}"
            uppermost = None
            while mount := self._on.get((here, at)):
                here, uppermost = mount.number, mount
            if uppermost is not None and uppermost.bar and at != "/":
                return uppermost
        return None

    def real(self, path: str) -> str:
        """A whole path without links, as realpath(3) gives it, but touching nothing in a mount that is not to be looked into. Raises
        BarredError where it leads into one, OSError where it leads nowhere, or is longer than what is followed here (ELOOP). What the
        last name is, is not looked at but for a link."""
        names = path.split("/")[::-1]
        at, links, parts = "/", 0, 0
        while names:
            name = names.pop()
            parts += 1
            if parts > _MOST_PARTS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if name in ("", "."):
                continue
            if name == "..":
                at = os.path.dirname(at)
                continue
            there = os.path.join(at, name)
            if there in self.points and (mount := self.barred(there)):
                raise BarredError(mount)
            target = _target(there)
            if target is None:
                at = there
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            names += target.split("/")[::-1]
            at = "/" if target.startswith("/") else at
        return at


def current() -> Mounts:
    """What is mounted now, as this process sees it. OSError where that is not shown."""
    return Mounts(_read("/proc/self/mountinfo"), _read("/proc/filesystems"))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _mount(line: bytes, nodev: set[str]) -> Mount:
    before, _, after = line.partition(b" - ")
    number, parent, _, _, point, options = before.split(b" ")[:6]
    kind = os.fsdecode(after.split(b" ")[0])
    own = 0 if number == parent else int(parent)
    return Mount(int(number), own, os.fsdecode(_plain(point)), kind, b"nosuid" in options.split(b","), _bar(kind, nodev))


def _plain(escaped: bytes) -> bytes:
    """A field of mountinfo: blank, tab, newline and backslash are written as \\ and three octal digits (proc_pid_mountinfo(5))."""
    first, *others = escaped.split(b"\\")
    return first + b"".join(bytes((int(part[:3], 8),)) + part[3:] for part in others)


def _bar(kind: str, nodev: set[str]) -> str:
    if kind in _KERNELS_OWN:
        return "kernel"
    family = kind.partition(".")[0]
    return "remote" if family in _REMOTE or (family in nodev and family not in _WITHOUT_DEVICE) else ""


def _target(path: str) -> str | None:
    """What a link says; None for what is no link."""
    try:
        return os.readlink(path)
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            return None
        raise
