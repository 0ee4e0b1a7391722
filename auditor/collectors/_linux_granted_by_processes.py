"""Processes that may take privileged ports: those that have CAP_NET_BIND_SERVICE where that counts in a stack. Root's are one grant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from auditor.binding import Grant
from auditor.collectors import _linux_privileged_ports as privileged_ports
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import Owners
from auditor.collectors._linux_question import Granted, Question
from auditor.collectors._linux_user_namespaces import INITIAL, Task, Untold, UserNamespaces
from auditor.facts import Gap
from auditor.owner import DELETED, IN_MEMORY, Owner
from auditor.parsers import rows

COLUMNS = (
    "pids threads uid executable cgroup file at_path folders root effective permitted ambient no_new_privs seccomp stack user_namespace"
    " uid_map"
)
SOURCE = "/proc/PID/status"
LIMITS = ("Of capabilities CAP_NET_BIND_SERVICE alone was looked for: who may become root, or trace what has it, may take its ports too.",)
_SET = re.compile("[0-9a-f]{16}")
_BIT = 1 << 10
"""CAP_NET_BIND_SERVICE: include/uapi/linux/capability.h."""
_SECCOMP = {"1": "seccomp lets it call neither socket(2) nor bind(2)", "2": "a seccomp filter is on it, which may refuse bind(2)"}
"""PR_GET_SECCOMP's modes: strict, and a filter."""
_PIDS_TOLD = 5


class Kind:
    """Processes that are alike: `task` is what decides for each, `who` tells who they are. `some`: other threads of theirs are not so."""

    __slots__ = ("ambient", "effective", "locked", "permitted", "pids", "seccomp", "some", "stack", "task", "who")

    def __init__(self, row: tuple[str | None, ...], owners: Owners) -> None:
        """ValueError where the row is none that the probe writes."""
        pids, threads, uid, executable, cgroup, *file = row[:9]
        effective, permitted, ambient, locked, seccomp, stack, user_namespace, uid_map = row[9:]
        self.pids = [_number(word) for word in (pids or "").split(" ")]
        self.some = threads == "some"
        self.effective, self.permitted, self.ambient = _has(effective), _has(permitted), bool(ambient) and _has(ambient)
        self.locked = locked == "1"
        self.seccomp = seccomp or ""
        self.stack = stack or ""
        capable = self.effective or self.permitted
        self.task = Task(_number(uid), capable, _number(user_namespace) if user_namespace else None, uid_map)
        self.who = owners.described(self.pids[0], (None, "", uid, "", executable, cgroup, *file))

    @property
    def root(self) -> bool:
        """Whether it runs as root of a user namespace of its own."""
        root = self.who.shown.get("root")
        return root is not None and bool(root.shown.get("uid") == self.task.uid) and self.task.user_namespace not in (None, INITIAL)

    def steps(self) -> list[str]:
        """What they have, in words."""
        first = ", ".join(map(str, self.pids[:_PIDS_TOLD])) + (" ..." if len(self.pids) > _PIDS_TOLD else "")
        said = [f"{counted(len(self.pids))} ({first}){', some threads alone' if self.some else ''}: {self._sets()}"]
        if self.ambient:
            said.append("what is in the ambient set survives execve(2): each program that it runs has it as well")
        if self.permitted and not self.effective:
            said.append("what is permitted a process may make effective by itself (capset(2))")
        if self.locked:
            said.append("no_new_privs is set: what it runs gains nothing from its file")
        return said + ([_SECCOMP[self.seccomp]] if self.seccomp in _SECCOMP else [])

    def _sets(self) -> str:
        names = [name for name in ("effective", "permitted", "ambient") if getattr(self, name)]
        return f"CAP_NET_BIND_SERVICE is {' and '.join(', '.join(names).rsplit(', ', 1))}" if names else "without CAP_NET_BIND_SERVICE"


class Processes:
    """All that was told of the processes of a host, by stack, and what was not."""

    def __init__(self, linux: LinuxEvidence, owners: Owners) -> None:
        found, self.gaps = linux.table("capabilities", COLUMNS, "builtin:capabilities")
        self.asked = bool(found) or not self.gaps
        self.user_namespaces = UserNamespaces(linux)
        self.gaps += self.user_namespaces.gaps
        self.by_stack: dict[str, list[Kind]] = {}
        for row in found:
            try:
                kind = Kind(row, owners)
            except ValueError:
                self.gaps.append(Gap("builtin:capabilities: a row cannot be read", "\t".join(word or "-" for word in row)[:200]))
                continue
            if not kind.stack:
                self.gaps.append(Gap(f"which network namespace {counted(len(kind.pids))} with the capability are in may not be read"))
            self.by_stack.setdefault(kind.stack, []).append(kind)

    def speaks_of(self, label: str) -> bool:
        """Whether the processes of a network namespace were looked at as such."""
        return label in self.by_stack or self.user_namespaces.tells_of(label)


@lru_cache(maxsize=1)
def processes(linux: LinuxEvidence, owners: Owners) -> Processes:
    """Read once for all stacks of a host."""
    return Processes(linux, owners)


def granted(question: Question) -> Granted:
    """Root, as one grant, and each program that another user runs, or root of another user namespace, which has the capability."""
    known = processes(question.linux, question.owners)
    if privileged_ports.none_needed(question):
        return Granted(limits=LIMITS)
    gaps = [*known.gaps, *([Gap(question.owners.hidden)] if question.owners.hidden else [])]
    if not known.asked:
        return Granted(gaps=gaps, limits=LIMITS)
    roots: list[Kind] = []
    programs: dict[tuple[object, ...], list[tuple[Kind, str]]] = {}
    label = question.namespace.label
    counting = list(_counting(known, label, gaps))
    sure = not gaps and known.speaks_of(label)
    for kind, why in counting:
        if kind.task.uid == 0 and known.user_namespaces.of(kind.task) == INITIAL:
            roots.append(kind)
        else:
            who = _program(kind.who), kind.task.uid, kind.root, _unit(kind.who), kind.who.shown.get("container")
            programs.setdefault(who, []).append((kind, why))
    grants = [_of_root(question, roots, sure), *(_of_program(question, kinds, sure) for kinds in programs.values())]
    return Granted(grants, list({gap.why: gap for gap in gaps}.values()), LIMITS)


def _counting(known: Processes, label: str, gaps: list[Gap]) -> Iterator[tuple[Kind, str]]:
    """The kinds of processes that may take privileged ports in a stack, and why that is so; `gaps` get what is not known of others."""
    for kind in known.by_stack.get(label, []):
        try:
            why = known.user_namespaces.why_it_counts(kind.task, label)
        except Untold as untold:
            gaps.append(Gap(str(untold)))
            continue
        if why is not None:
            taken = known.user_namespaces.told_by_map(kind.task)
            yield kind, f"{taken}; {why}" if taken else why


def _of_root(question: Question, kinds: list[Kind], sure: bool) -> Grant:
    """Those without the capability may do what the user may who owns the user namespace: root, and that is told as such."""
    pids = {pid for kind in kinds if kind.task.capable for pid in kind.pids}
    containers = sorted({name for kind in kinds if (name := kind.who.shown.get("container"))})
    many = f"{'' if sure else 'at least '}{counted(len(pids))}"
    have = f"{'has' if len(pids) == 1 else 'have'} CAP_NET_BIND_SERVICE here"
    via = [f"{many} of user 0 in the initial user namespace {have}"] if pids or sure else []
    via += [f"some of them are in containers: {', '.join(containers)}"] if containers else []
    via += [] if question.namespace.kind == "host" else ["root may enter any network namespace (setns(2))"]
    via += ["the kernel asks for the capability, not for user 0: root without it may not"]
    via += [f"so root may bind {privileged_ports.in_words(question)}"]
    return Grant(path="root", subject="root", scope="root", root=True, everyone=False, uid=0, via=via, source=SOURCE,
                 **privileged_ports.held_by(question, pids, sure), **privileged_ports.given(question))  # fmt: skip


def _of_program(question: Question, found: list[tuple[Kind, str]], sure: bool) -> Grant:
    kinds = [kind for kind, _ in found]
    first = kinds[0]
    pids = {pid for kind in kinds for pid in kind.pids}
    uid, program = first.task.uid, _program(first.who)
    user = first.who.shown.get("user")
    named = (f"user {user}" if user else f"uid {uid}") + (" (root of its user namespace)" if first.root else "")
    unit, container = _unit(first.who), first.who.shown.get("container")
    subject = f"{program} as {named}" + (f" in {unit}" if unit else "") + (f" of container {container}" if container else "")
    via = list(dict.fromkeys(step for kind, why in found for step in (*kind.steps(), why)))
    via.append(f"so it may bind {privileged_ports.in_words(question)}")
    shown: dict[str, Any] = {"user": user} if user else {}
    for key, name in (("unit", "unit"), ("container", "container"), ("executable", "executable"), ("file", "executable_file")):
        shown |= _agreed(key, [kind.who.shown.get(name, ...) for kind in kinds])
    return Grant(path="process", subject=subject, scope=f"{named}, as {program}", root=first.root, everyone=False, uid=uid,
                 via=via, source=SOURCE, **shown, **privileged_ports.held_by(question, pids, sure),
                 **privileged_ports.given(question))  # fmt: skip


def _agreed(key: str, values: list[Any]) -> dict[str, Any]:
    """The key, where each of the processes shows the same."""
    told = [value.to_json() if hasattr(value, "to_json") else value for value in values]
    return {key: values[0]} if values[0] is not ... and all(one == told[0] for one in told) else {}


def _program(who: Owner) -> str:
    """What runs, in words that outlive an update of its file."""
    path = who.shown.get("executable", "a program that may not be read") or "a program without a file"
    return path if path.startswith(IN_MEMORY) else path.removesuffix(DELETED)


def _unit(who: Owner) -> str | None:
    """The unit, where its name outlives a restart: those of scopes are numbered."""
    unit: str | None = who.shown.get("unit")
    return None if unit is None or unit.endswith(".scope") else unit


def counted(many: int) -> str:
    return "1 process" if many == 1 else f"{many} processes"


def _number(word: str | None) -> int:
    number = rows.number(word)
    if number is None:
        raise ValueError(word)
    return number


def _has(said: str | None) -> bool:
    """Whether the capability is in a set."""
    if said is None or not _SET.fullmatch(said):
        raise ValueError(said)
    return bool(int(said, 16) & _BIT)
