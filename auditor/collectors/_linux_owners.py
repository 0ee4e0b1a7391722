"""Who holds which socket, from the walk through /proc/PID/fd."""

from __future__ import annotations

import re
import time
from typing import Any

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.facts import Gap
from auditor.owner import UNPROVEN, File, Folder, Identity, Owner
from auditor.parsers import rows

PROCESS_COLUMNS = "pid started uid process executable cgroup file? at_path? folders? root?"
INITIAL_PID_NAMESPACE = "4026531836"
"""The inode of the first PID namespace: PROC_PID_INIT_INO of include/linux/proc_ns.h."""
CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE = 19, 21, 2, 1
"""Bits of CapEff: include/uapi/linux/capability.h."""

_NONE_VISIBLE = "no process in view holds it: the kernel itself, a descriptor in flight, or a process that is hidden"
_CONTAINER_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_NAMED_CONTAINER = re.compile(r"/(?:lxc\.payload\.|lxc/|machine-)([^/]+?)(?:\.scope)?(?:/|$)")
_USERS_OWN = re.compile(r"/(?:user(?:-[^/]*)?\.slice|user@[^/]*\.service)(?:/|$)")
_AT_PATH = ("itself", "another", "none")
_MODE = re.compile(r"([0-7]{4})([+?]?)")
_UNIT = re.compile(r"(?:/\.\.|/[^/]+\.slice)*/([^/]+\.(?:service|scope|socket|mount|swap))(?:/|$)")


def unit_of(cgroup: str) -> str | None:
    """The systemd unit of a control group path. systemd has units in slices alone; what lies below anything else, as a unit, a container or
    a group that was given to a user, is named at will."""
    container = _container(cgroup)
    ours = cgroup
    if container:
        start = cgroup.rindex("/", 0, container.end(0) - 1) + 1
        ours = cgroup[:start] + cgroup[start:].partition("/")[0]
    found = _UNIT.match(ours)
    return found[1] if found else None


def container_of(cgroup: str) -> str | None:
    """The container's id, or its name where the runtime uses that, from a control group path. What lies below a user's slice or manager the
    user names at will: a container that a user runs looks like any process that takes the name of one, so neither is a container."""
    found = _container(cgroup)
    if found is None:
        return None
    return found[1].replace("\\x2d", "-") if found.lastindex else found[0]


def _container(cgroup: str) -> re.Match[str] | None:
    users = _USERS_OWN.search(cgroup)
    end = users.start() if users else len(cgroup)
    return _CONTAINER_ID.search(cgroup, 0, end) or _NAMED_CONTAINER.search(cgroup, 0, end)


class Owners:
    """Looks up the holders of an inode. `why_partial` says why there may be holders that were not seen; None: all were looked at."""

    def __init__(self, evidence: LinuxEvidence, containers: dict[str, str], images: dict[str, str]) -> None:
        self.rights = self._rights(evidence)
        self.unreadable: list[str] = []
        self.counts: dict[str, int] = {}
        self._containers = containers
        self._images = images
        self._users = self._accounts(evidence)
        processes, gaps = evidence.table("owners", PROCESS_COLUMNS, "builtin:processes")
        holders, more = evidence.table("owners", "pid inodes", "builtin:holders")
        walk, still = evidence.table("owners", "name value", "builtin:walk")
        self.gaps = gaps + more + still
        self._owners: dict[int, Owner] = {}
        for row in processes:
            if (process := rows.number(row[0])) is None:
                self._odd("builtin:processes", row)
            else:
                self._owners[process] = self.described(process, row)
        self._holders: dict[str, set[int]] = {}
        for row in holders:
            process, inodes = rows.number(row[0]), (row[1] or "").split(" ")
            if process is None or not all(rows.number(inode) for inode in inodes):
                self._odd("builtin:holders", row)
                continue
            for inode in inodes:
                self._holders.setdefault(inode, set()).add(process)
        for row in walk:
            if row[0] == "unreadable":
                self.unreadable = (row[1] or "").split()
            elif row[0] and (count := rows.number(row[1])) is not None:
                self.counts[row[0]] = count
            else:
                self._odd("builtin:walk", row)
        self.why_partial = self._why_partial(evidence)
        self._late = evidence.late

    def why_unseen(self, inode: str) -> str | None:
        """Why a holder of this one may not have been seen; None: there is none to be seen."""
        return self.why_partial or (
            "it was opened, or who held it ended, while the processes were looked through" if inode in self._late else None
        )

    def of(self, inode: str) -> list[Owner]:
        """Every process that holds it."""
        return [self._owners.get(pid) or Owner(pid=pid) for pid in sorted(self._holders.get(inode, ()))]

    def user(self, uid: int) -> str | None:
        """The name of a user; None where the host's own files give none."""
        return self._users.get(str(uid))

    def held(self, inode: str) -> dict[str, Any]:
        """What a socket's record says of its holders; inode 0 is no socket that a process has."""
        holders, why = self.of(inode) if inode != "0" else [], self.why_unseen(inode)
        shown: dict[str, Any] = {"owner_state": "unreadable" if why else "none"}
        if holders:
            shown = {"owners_seen": holders, "owner_state": "partial" if why else "known"}
        if shown["owner_state"] != "known":
            shown["owner_reason"] = why or _NONE_VISIBLE
        return shown

    def holds(self, capability: int) -> bool | None:
        """Whether this run had a capability (a bit of CapEff); None where the evidence does not say."""
        try:
            return bool(int(self.rights["capabilities"], 16) >> capability & 1)
        except (KeyError, ValueError):
            return None

    def _rights(self, evidence: LinuxEvidence) -> dict[str, str]:
        found, _ = evidence.table("rights", "name value", "builtin:rights")
        return {name: value for name, value in found if name and value}

    def _accounts(self, evidence: LinuxEvidence) -> dict[str, str]:
        found, _ = evidence.table("accounts", "uid user", "builtin:accounts")
        users: dict[str, str] = {}
        for uid, user in found:
            if uid and user:
                users.setdefault(uid, user)
        return users

    def _why_partial(self, evidence: LinuxEvidence) -> str | None:
        if self.gaps or evidence.whole:
            return (self.gaps + evidence.whole)[0].why.removeprefix("builtin:walk: ")
        return self.hidden

    @property
    def hidden(self) -> str | None:
        """Why there may be processes that were not shown; None: all are."""
        if self.rights.get("hidepid") != "0" and not self.holds(CAP_SYS_PTRACE):
            return "/proc is mounted with hidepid, or it is not known whether it is: processes of others are not shown"
        if self.rights.get("pid_namespace") != INITIAL_PID_NAMESPACE:
            return "this ran inside a PID namespace: processes outside it are not shown"
        return None

    def _odd(self, what: str, row: tuple[str | None, ...]) -> None:
        self.gaps.append(Gap(f"{what}: a row cannot be read", "\t".join(field or "" for field in row)[:200]))

    def described(self, pid: int, row: tuple[str | None, ...]) -> Owner:
        """A process by its row of PROCESS_COLUMNS; "" is what was not asked or not shown."""
        _, started, uid, process, executable, cgroup, file, at_path, folders, root = row
        shown: dict[str, object] = {"pid": pid}
        if process:
            shown["process"] = process
        if executable != "":
            shown["executable"] = executable
            shown |= _executable_file(executable, file, at_path, folders)
        if root is None or (ids := _numbers(root, 2)):
            shown["root"] = None if root is None else Identity(uid=ids[0], gid=ids[1])
        if cgroup:
            container = container_of(cgroup)
            shown["unit"] = unit_of(cgroup)
            shown["container"] = (
                self._containers.get(container, container[:12] if len(container) == 64 else container) if container else None
            )
            if container in self._images:
                shown["image"] = self._images[container]
        if (user := rows.number(uid)) is not None:
            shown["uid"] = user
            if uid in self._users and not shown.get("container"):
                shown["user"] = self._users[uid]
        if moment := self._moment(started):
            shown["started"] = moment
        return Owner(**shown)

    def _moment(self, started: str | None) -> str | None:
        try:
            boot, ticks, since = (rows.number(field) for field in (self.rights.get("boot_time"), self.rights.get("ticks"), started))
            if boot is None or since is None or not ticks:
                return None
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(boot + since // ticks))
        except (ValueError, OverflowError, OSError):
            return None


def _executable_file(path: str | None, file: str | None, at_path: str | None, folders: str | None) -> dict[str, File | None]:
    """The file that runs, as far as it is shown: its rights, which file is at its path, and the folders above that."""
    if path is None or file is None:
        return {"executable_file": None} if path is file else {}
    rights = file_rights(file)
    if not rights:
        return {}
    if at_path in _AT_PATH and not path.endswith(UNPROVEN):
        rights["at_path"] = at_path
    above = path.split("/")[:-1]
    paths = ["/".join(above[:end]) or "/" for end in range(len(above), 0, -1)]
    said = [file_rights(word) for word in (folders or "").split(" ")]
    if rights.get("at_path") == "itself" and len(said) == len(paths) and all(said):
        rights["folders"] = [Folder(path=of, **one) for of, one in zip(paths, said, strict=True)]
    return {"executable_file": File(**rights)}


def file_rights(said: str) -> dict[str, Any]:
    """`mode`, `uid`, `gid` and `access_list` of MODE:UID:GID (see `auditor.live.executables`); empty where it is not that."""
    mode, _, ids = said.partition(":")
    numbers = _numbers(ids, 2)
    marked = _MODE.fullmatch(mode)
    if marked is None or not numbers:
        return {}
    rights: dict[str, Any] = {"mode": marked[1], "uid": numbers[0], "gid": numbers[1]}
    return rights if marked[2] == "?" else rights | {"access_list": marked[2] == "+"}


def _numbers(said: str, count: int) -> list[int]:
    """Numbers that are parted by colons; empty where these are not `count` of them."""
    found = [number for word in said.split(":") if (number := rows.number(word)) is not None]
    return found if len(found) == said.count(":") + 1 == count else []


def container_names(evidence: LinuxEvidence) -> tuple[dict[str, str], list[Gap]]:
    """Container ids and the names their runtimes gave them."""
    found, gaps = evidence.table("containers", "id name", "builtin:containers")
    return {identity: name for identity, name in found if identity and name}, gaps


def container_images(evidence: LinuxEvidence) -> dict[str, str]:
    """Container ids and the images that their runtimes say they were made of, where they say so."""
    found, _ = evidence.table("containers", "id image", "builtin:containers")
    return {identity: image for identity, image in found if identity and image}
