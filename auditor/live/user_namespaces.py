"""Which user namespace owns each network namespace, whose that one is, and those above it: ioctl_ns(2).

The kernel tells of user namespaces at or below the reader's own, and of no other.
"""

from __future__ import annotations

import fcntl
import os
import sys

from auditor.live import rows
from auditor.live.files import of_proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from auditor.live.namespaces import Namespace

INITIAL = 4026531837
"""The inode of the first user namespace: PROC_USER_INIT_INO of include/linux/proc_ns.h."""
OWNER_COLUMNS = "stack user_namespace"
COLUMNS = "user_namespace self parent owner uid_map"
_NO_DIRECTION = 1 << 29 if os.uname().machine.startswith(("alpha", "mips", "ppc", "sparc")) else 0
"""What _IO of include/uapi/asm-generic/ioctl.h adds on the machines that define it in their own way."""
_USERNS, _PARENT, _OWNER_UID = (_NO_DIRECTION | 0xB700 | number for number in (1, 2, 4))
"""NS_GET_USERNS, NS_GET_PARENT and NS_GET_OWNER_UID of include/uapi/linux/nsfs.h."""
_UID_SIZE = 4
_NOT_SHOWN = b""
_NONE = b"-"


class Owners:
    """`of` are the user namespaces that own network namespaces, by the labels of these, as far as they are told; `uids` are the users who
    own those user namespaces, or one above them, without the initial one's."""

    __slots__ = ("_above", "_own", "of", "uids")

    def __init__(self, namespaces: list[Namespace]) -> None:
        self._own = own()
        self._above: dict[int, tuple[bytes, bytes]] = {}
        self.of = {one.label: owner for one in namespaces if (owner := self._owner(one)) is not None}
        self.uids = {owner for inode, (_, owner) in self._above.items() if inode != INITIAL and owner}

    def tables(self) -> tuple[bytes, bytes]:
        """OWNER_COLUMNS, and COLUMNS: `parent` is `-` for the initial one, `owner` the user who owns it; the reader's own is `self`, and of
        that alone the map of users is told."""
        owners = [b"%s\t%d" % (label.encode(), inode) for label, inode in self.of.items()]
        lines = []
        for inode, (parent, owner) in ({self._own: _top(self._own)} | self._above).items():
            ours = inode == self._own
            lines.append(b"\t".join((b"%d" % inode, b"%d" % ours, parent, owner, uid_map("/proc/self") if ours else _NOT_SHOWN)))
        return rows.table(OWNER_COLUMNS, owners), rows.table(COLUMNS, lines)

    def _owner(self, namespace: Namespace) -> int | None:
        """The inode of the one that owns a network namespace; None where that is not told."""
        if not _enabled():
            return INITIAL
        for entrance in namespace.entrances:
            try:
                descriptor = os.open(entrance, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                if os.fstat(descriptor).st_ino == namespace.inode:
                    return self._reached(fcntl.ioctl(descriptor, _USERNS))
            except OSError:
                continue
            finally:
                os.close(descriptor)
        return None

    def _reached(self, descriptor: int) -> int:
        """The inode of the user namespace that a descriptor leads to, which is closed; what is above it is known then."""
        try:
            inode = os.fstat(descriptor).st_ino
            if inode not in self._above:
                self._above[inode] = _top(inode)
                if inode != INITIAL:
                    self._above[inode] = self._parent(descriptor), self._user(descriptor)
            return inode
        finally:
            os.close(descriptor)

    def _parent(self, descriptor: int) -> bytes:
        try:
            return b"%d" % self._reached(fcntl.ioctl(descriptor, _PARENT))
        except OSError:
            return _NOT_SHOWN

    def _user(self, descriptor: int) -> bytes:
        """Who owns it. A user that the reader's own namespace has no number for is shown as the overflow one, who is nobody."""
        try:
            user = int.from_bytes(fcntl.ioctl(descriptor, _OWNER_UID, bytes(_UID_SIZE)), sys.byteorder)
            unmapped = self._own != INITIAL and user == int(of_proc("/proc/sys/kernel/overflowuid"))
        except (OSError, ValueError):
            return _NOT_SHOWN
        return _NOT_SHOWN if unmapped else b"%d" % user


def _top(inode: int) -> tuple[bytes, bytes]:
    """Parent and owner of a user namespace of which no more is told; the initial one has no parent, and is root's."""
    return (_NONE, b"0") if inode == INITIAL else (_NOT_SHOWN, _NOT_SHOWN)


def _enabled() -> bool:
    """Whether the kernel has user namespaces at all."""
    return os.path.lexists("/proc/self/ns/user")


def own() -> int:
    """The inode of the one that this process is in."""
    return int(os.readlink("/proc/self/ns/user")[6:-1]) if _enabled() else INITIAL


def of(at: str, folder: int | None = None) -> tuple[bytes, bytes]:
    """The user namespace of a process, by its folder in /proc (`at`, below the open `folder` where one is given): its inode, or where that
    may not be read, its map of users, which anyone may read. OSError where the process is gone."""
    try:
        return os.fsencode(os.readlink(f"{at}/ns/user", dir_fd=folder))[6:-1], _NOT_SHOWN
    except PermissionError:
        return _NOT_SHOWN, uid_map(at, folder)
    except FileNotFoundError:
        if _enabled():
            raise
        return b"%d" % INITIAL, _NOT_SHOWN


def uid_map(at: str, folder: int | None = None) -> bytes:
    """user_namespaces(7), "ID-inside-ns ID-outside-ns length", of each range, parted by commas; `-` where there is none yet."""
    lines = of_proc(f"{at}/uid_map", folder).splitlines()
    return b",".join(b" ".join(line.split()) for line in lines) or _NONE
