"""The rights of processes as the shell script shows them: /proc/PID/status, and what lsns says of the user namespaces that own others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.collectors._linux_evidence import Rows
from auditor.collectors._linux_proc_text import Processes, Row, Text, by_path, targets
from auditor.collectors._linux_script_executables import Files
from auditor.collectors._linux_user_namespaces import INITIAL
from auditor.facts import Gap
from auditor.parsers import rows

LIMITS = (
    "Taken by the shell script: the capabilities of a thread are looked at where the first one of its process ended, or where one is in "
    "another network namespace; elsewhere those of the first one are told.",
)
_STATUS = re.compile(r"/proc/([0-9]{1,10})(/task/[0-9]{1,10})?/status")
_STAT = re.compile(r"/proc/([0-9]{1,10})/stat")
_BIT = 1 << 10
"""CAP_NET_BIND_SERVICE: include/uapi/linux/capability.h."""
_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of include/linux/sched.h, in field 9 of /proc/PID/stat. Such threads are in the first network namespace, which is the initial
user namespace's (kernel/kthread.c; net/core/net_namespace.c, net_ns_init)."""
_PARENT_FIELD, _FLAGS_FIELD = 1, 6
"""Of what follows the closing bracket in /proc/PID/stat."""
_USER = re.compile(r"user:\[([0-9]{1,20})\]")
_PAIR = re.compile(r"([0-9]{1,20}) ([0-9]{1,20})")
_OWN = "/proc/self/ns/user"
_SETS = ("CapEff", "CapPrm", "CapAmb", "NoNewPrivs", "Seccomp")
_GIVING = ("CapEff", "CapPrm", "CapAmb")


class Capabilities:
    """The tables of auditor.live.capabilities. `labels` are those of the network namespaces that processes and threads are in."""

    def __init__(self, text: Text, processes: Processes, files: Files, labels: dict[str, str]) -> None:
        self._text = text
        self._processes = processes
        self._files = files
        self._labels = labels
        self._maps = by_path(text.lines("maps of user namespaces"))
        self._users = targets(text.lines("user namespaces"))
        self._kernels, self._own = _of_stat(text)
        self._tasks: dict[int, dict[str, dict[str, str]]] = {}
        for path, lines in by_path([*text.lines("status"), *text.lines("status of threads")]).items():
            if of := _STATUS.fullmatch(path):
                said = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
                self._tasks.setdefault(int(of[1]), {})[of[1] + (of[2] or "")] = said

    def table(self) -> tuple[Rows, list[Gap]]:
        """The processes that have the capability, those that are alike in one row."""
        kinds: dict[Row, list[int]] = {}
        untold = 0
        for pid in sorted(self._processes.alive.keys() - self._own):
            tasks = self._tasks.get(pid, {})
            untold += not any("Uid" in said for said in tasks.values())
            for kind in self._kinds(pid, {at: said for at, said in tasks.items() if "VmSize" in said}):
                kinds.setdefault(kind, []).append(pid)
        gaps = list(self._processes.gaps)
        if untold:
            gaps.append(Gap(f"the capabilities of {'1 process' if untold == 1 else f'{untold} processes'} were not shown"))
        if not self._text.has("status of threads"):
            gaps.append(Gap("the capabilities of threads were not asked for, for want of sed, sort or uniq"))
        return [(" ".join(map(str, pids)), *kind) for kind, pids in kinds.items()], gaps

    def owners(self) -> tuple[Rows, list[Gap]]:
        """Which user namespace owns each network namespace, as far as it is told."""
        owning = {self._labels[str(pid)] for pid in self._kernels if str(pid) in self._labels}
        if not self._users.get(_OWN) and self._text.has("user namespaces"):  # a kernel without user namespaces
            owning |= {*self._labels.values()}
        told = {f"netns:{number}": owner for number, owner in self._pairs("owners of namespaces")}
        return [*told.items(), *((label, str(INITIAL)) for label in owning)], []

    def user_namespaces(self) -> tuple[Rows, list[Gap]]:
        """Those that own network namespaces, and this run's own. Who owns one is not shown, but of the initial one, which is root's."""
        own = self._user_namespace("self")
        above = dict(self._pairs("parents of user namespaces"))
        found = dict.fromkeys([own, *(owner or "" for _, owner in self.owners()[0]), *above, *above.values()])
        return [
            (inode, str(int(inode == own)), *((None, "0") if inode == str(INITIAL) else (above.get(inode, ""), "")),
             self._map("self") if inode == own else "")
            for inode in found if inode
        ], []  # fmt: skip

    def without_program(self) -> list[int]:
        """Processes that run a file which was not shown; the kernel's threads run none."""
        return [pid for pid in sorted(self._processes.alive.keys() - self._kernels) if self._processes.refused(pid, "exe")]

    def _kinds(self, pid: int, tasks: dict[str, dict[str, str]]) -> Iterator[Row]:
        """What a row says beside the pids, for each kind of task that a process has."""
        seen: dict[Row, list[str]] = {}
        for at, said in tasks.items():
            sets = tuple(said.get(name, "").strip() for name in _SETS)
            if "CapEff" not in said or any(_has(said.get(name)) for name in _GIVING):
                seen.setdefault((_effective(said.get("Uid", "")), *sets, self._labels.get(at, "")), []).append(at)
        _, _, _, _, executable, group = self._processes.row(pid)
        user_namespace = self._user_namespace(str(pid))
        for (uid, *sets_and_stack), those in seen.items():
            threads = "all" if len(those) == len(tasks) else "some"
            yield (threads, uid, executable, group, *self._files.of(pid, executable), *sets_and_stack, user_namespace,
                   "" if user_namespace else self._map(str(pid)))  # fmt: skip

    def _user_namespace(self, which: str) -> str:
        if not self._users.get(_OWN) and self._text.has("user namespaces"):
            return str(INITIAL)
        of = _USER.fullmatch(self._users.get(f"/proc/{which}/ns/user") or "")
        return of[1] if of else ""

    def _map(self, which: str) -> str | None:
        if (path := f"/proc/{which}/uid_map") not in self._maps:
            return ""
        return ",".join(" ".join(line.split()) for line in self._maps[path]) or None

    def _pairs(self, section: str) -> Iterator[tuple[str, str]]:
        """Two namespaces a line; 0 stands for what lsns may not see."""
        for line in self._text.lines(section):
            if (of := _PAIR.fullmatch(line.strip())) and "0" not in of.groups():
                yield of[1], of[2]


def _of_stat(text: Text) -> tuple[set[int], set[int]]:
    """The threads of the kernel; the processes of the script itself, which are the shell and those that come of it."""
    kernels: set[int] = set()
    parents: dict[int, int | None] = {}
    for path, parts in by_path(text.lines("began")).items():
        fields = "\n".join(parts).rpartition(")")[2].split()
        if (of := _STAT.fullmatch(path)) and len(fields) > _FLAGS_FIELD:
            parents[int(of[1])] = rows.number(fields[_PARENT_FIELD])
            if (rows.number(fields[_FLAGS_FIELD]) or 0) & _KERNEL_THREAD:
                kernels.add(int(of[1]))
    own = {number for line in text.lines("of this run") if (number := rows.number(line)) is not None}
    grown = 0
    while grown != len(own):
        grown = len(own)
        own |= {pid for pid, parent in parents.items() if parent in own}
    return kernels, own


def _effective(uids: str) -> str:
    """The effective user of a line of real, effective, saved and file system's."""
    return uids.partition("\t")[2].partition("\t")[0]


def _has(said: str | None) -> bool:
    """Whether the capability is in a set; yes where it cannot be read, so that the row says so."""
    if said is None:
        return False
    try:
        return bool(int(said, 16) & _BIT)
    except ValueError:
        return True
