"""Whose capabilities count in a network namespace: those of the user namespace that owns it, and of the ones above.

This is what cap_capable of security/commoncap.c decides for ns_capable(net->user_ns, CAP_NET_BIND_SERVICE), which a bind asks.
"""

from __future__ import annotations

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.facts import Gap
from auditor.parsers import rows

INITIAL = 4026531837
"""The inode of the first user namespace: PROC_USER_INIT_INO of include/linux/proc_ns.h."""


class Untold(Exception):
    """What decides it was not seen; says what."""


class UserNamespace:
    """One by its inode; `parent` is None for the initial one and where it is not `told`, `owner` None where that is not."""

    __slots__ = ("inode", "owner", "parent", "told")

    def __init__(self, inode: int, parent: int | None, told: bool, owner: int | None) -> None:
        self.inode = inode
        self.parent = parent
        self.told = told
        self.owner = owner


class Task:
    """What decides for a process: its effective user, whether it has the capability, and its user namespace, or where that may not be read
    the map of its users, as the evidence has it."""

    __slots__ = ("capable", "uid", "uid_map", "user_namespace")

    def __init__(self, uid: int, capable: bool, user_namespace: int | None, uid_map: str | None) -> None:
        self.uid = uid
        self.capable = capable
        self.user_namespace = user_namespace
        self.uid_map = uid_map


class UserNamespaces:
    """Those that own the network namespaces of a host, and those above them. `own` is the one that the evidence was taken in."""

    def __init__(self, linux: LinuxEvidence) -> None:
        owners, gaps = linux.table("capabilities", "stack user_namespace", "builtin:namespace-owners")
        told, more = linux.table("capabilities", "user_namespace self parent owner uid_map", "builtin:user-namespaces")
        self.gaps = gaps + more
        self.own: int | None = None
        self._own_map: str | None = None
        self._known: dict[int, UserNamespace] = {}
        for row in told:
            inode, parent = rows.number(row[0]), rows.number(row[2])
            if inode is None:
                self.gaps.append(Gap("builtin:user-namespaces: a row cannot be read", "\t".join(word or "-" for word in row)[:200]))
                continue
            top = row[2] is None and inode == INITIAL
            self._known[inode] = UserNamespace(inode, parent, top or parent is not None, rows.number(row[3]))
            if row[1] == "1":
                self.own, self._own_map = inode, row[4]
        self._owners = {label: inode for label, word in owners if label and (inode := rows.number(word)) is not None}

    def tells_of(self, label: str) -> bool:
        """Whether it is told which one owns that network namespace."""
        return label in self._owners

    def owning(self, label: str) -> list[UserNamespace]:
        """The one that owns a network namespace, and those above it as far as they are told. Raises Untold where not even the first is."""
        if label not in self._owners:
            raise Untold("which user namespace owns this network namespace was not told")
        found: list[UserNamespace] = []
        inode: int | None = self._owners[label]
        while inode is not None and inode not in [one.inode for one in found]:
            found.append(self._known.get(inode, UserNamespace(inode, None, False, None)))
            inode = found[-1].parent
        return found

    def of(self, task: Task) -> int | None:
        """The one that a process is in. One whose map of users is that of this run is taken for this run's own: only who may already do
        anything here could give that map to another. None where it is another, which was not told; raises Untold where not even that is."""
        if task.user_namespace is not None:
            return task.user_namespace
        if task.uid_map == "" or not self._own_map:
            raise Untold("the user namespace of a process that has the capability may not be read")
        return self.own if task.uid_map == self._own_map else None

    def why_it_counts(self, task: Task, label: str) -> str | None:
        """Why the kernel lets a process in that network namespace take privileged ports; None: it does not. Raises Untold."""
        owning = self.owning(label)
        own = self.of(task)
        at = next((at for at, one in enumerate(owning) if one.inode == own), None)
        if at is None:
            others = [one for one in owning if one.inode != self.own]
            if owning[-1].told and (own is not None or not others):
                return None
            raise Untold("the user namespace of a process that has the capability may not be read, or how it lies to this one's")
        if at and owning[at - 1].owner == task.uid:
            which = "owns" if at == 1 else "is above the one that owns"
            return f"user {task.uid} owns, from the one above, the user namespace that {which} this network namespace"
        if task.capable:
            return f"its user namespace {'is above the one that owns' if at else 'owns'} this network namespace"
        if at and owning[at - 1].owner is None:
            raise Untold("who owns the user namespace that owns this network namespace was not told")
        return None

    def told_by_map(self, task: Task) -> str | None:
        """What its user namespace was taken for and why, where its link could not be read."""
        if task.user_namespace is not None or not task.uid_map or task.uid_map != self._own_map:
            return None
        return f"its user namespace may not be read, and is taken for this run's own by its map of users ({task.uid_map})"
