"""BPF programs at the bind hooks of control groups: each may give what runs there a privileged port, and which of them does is not visible.

Linux kernel/bpf/verifier.c: a program at `bind4` or `bind6` returns 0 to 3, where the lower bit allows the bind and the upper one
(BPF_RET_BIND_NO_CAP_NET_BIND_SERVICE, include/linux/bpf.h) waives the capability. One at `post_bind4` or `post_bind6` can only refuse.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

from auditor.binding import Grant
from auditor.collectors import _linux_privileged_ports as privileged_ports
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import container_names, container_of, unit_of
from auditor.collectors._linux_question import Granted, Question
from auditor.facts import Gap
from auditor.parsers import rows

_WAIVING = {"bind4": "IPv4", "bind6": "IPv6"}
_REFUSING = ("post_bind4", "post_bind6")
_ABOVE = "/.."
_OWN_OF_SYSTEMD = {("bind4", "sd_bind4"), ("bind6", "sd_bind6")}
"""systemd, src/core/bpf/socket_bind/socket-bind.bpf.c: they return 0 or 1, and so waive nothing."""
_FLAGS = {1: "a group below may override it", 2: "it counts beside those of the groups below"}
"""BPF_F_ALLOW_OVERRIDE and BPF_F_ALLOW_MULTI of include/uapi/linux/bpf.h."""
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(?:service|socket|mount|swap|slice|scope)")
_SOURCE = "bpf(2), BPF_PROG_QUERY"


_NOTHING_TO_ASK = ("this kernel attaches no programs", "the unified hierarchy", "a shell script")
"""How auditor.live.bind_programs begins where the kernel has no such programs, or shows no control groups here to ask about; and what
`_linux_script` says: the script never can, and `never_looked_for` has it that no rule passes for that."""


class _Program(NamedTuple):
    group: str
    hook: str
    flags: str
    name: str | None
    tag: str
    uid: str

    @property
    def called(self) -> str:
        """Its name, which proves nothing, and the tag, which is the hash of its instructions; the id is another after each restart."""
        name = "without a name" if self.name is None else self.name or "of a name that is not shown"
        return f"{name} (tag {self.tag})" if self.tag else name


def granted(question: Question) -> Granted:
    """The programs that may waive the capability for what is in this stack, and what of them was not looked at."""
    linux = question.linux
    said, gaps = linux.table("bind-programs", "name value", "builtin:bind-hooks")
    listed, more = linux.table("bind-programs", "cgroup hook flags name tag uid", "builtin:bind-programs")
    unseen, limits = _not_looked_at({row[0]: row[1] for row in said})
    found = Granted(gaps=[*gaps, *more, *unseen], limits=limits)
    if not gaps and not {"asked", "left", "why", "systemd"} <= {name for name, _ in said}:
        found.gaps.append(Gap("builtin:bind-hooks: the answer does not say what was asked"))
    programs: list[_Program] = []
    for row in listed:
        if row[0] and row[1] in (*_WAIVING, *_REFUSING):
            programs.append(_Program(row[0], row[1], row[2] or "", row[3], row[4] or "", row[5] or ""))
        else:
            found.gaps.append(Gap("builtin:bind-programs: a row cannot be read", "\t".join(word or "" for word in row)[:200]))
    try:
        programs = _for_the_stack(question, list(dict.fromkeys(programs)))
    except LookupError:
        found.gaps.append(Gap("which control groups the processes of this stack are in is not shown, and so which programs count for them"))
        return found
    of_systemd = _Systemd(linux, programs, ("systemd", "0") not in said)
    names, _ = container_names(linux)
    for one in programs:
        where = _place(one.group, names)
        own = of_systemd.attached(one)
        if own or one.hook in _REFUSING:
            whose, what = ("systemd's own", "SocketBindDeny=") if own else ("the", "what it does is not visible")
            found.limits.append(f"A bind in {where} may be refused by {whose} BPF program {one.called} at {one.hook}: {what}.")
        elif privileged_ports.none_needed(question):
            continue
        elif own is None:
            found.gaps.append(Gap(f"whether systemd attached program {one.called} to {one.hook} of {where} is not known"))
        else:
            found.grants.append(_grant(question, one, where))
    return found


def _not_looked_at(said: dict[str | None, str | None]) -> tuple[list[Gap], list[str]]:
    """Why nothing, or not everything, was asked: a gap, but a limit where there is nothing that a better run could ask."""
    programs = "BPF programs at the bind hooks of control groups, which may waive or refuse a bind,"
    why, left = said.get("why"), rows.number(said.get("left"))
    if why and why.startswith(_NOTHING_TO_ASK):
        return [], [f"{programs} were not looked for: {why}."]
    if why:
        return [Gap(f"BPF programs at the bind hooks were not looked for: {why}")], []
    if left:
        groups = f"{left} control group{'s' if left > 1 else ''}"
        return [Gap(f"BPF programs at the bind hooks were not looked for in {groups} beyond the {said.get('asked')} asked")], []
    return [], []


def _for_the_stack(question: Question, programs: list[_Program]) -> list[_Program]:
    """Those at the groups of its processes, above and below them; all where it may be any, as in the host's own and in one that no process
    is in yet. LookupError where the evidence does not show which groups these are."""
    if question.namespace.kind == "host" or not programs:
        return programs
    listed, _ = question.linux.table("namespaces", "stack cgroup", "builtin:namespaces")
    groups = [row[1] for row in listed if row[0] == question.namespace.label]
    if not groups or "" in groups:
        raise LookupError(question.namespace.label)
    return [one for one in programs if any(group is None or _meet(one.group, group) for group in groups)]


def _meet(one: str, other: str) -> bool:
    """Whether one of two groups is the other, or above it."""
    shorter, longer = sorted((one.rstrip("/") + "/", other.rstrip("/") + "/"), key=len)
    return one == _ABOVE or longer.startswith(shorter)


class _Systemd:
    """What systemd says of the programs that are called as its own are. A name alone proves nothing."""

    def __init__(self, linux: LinuxEvidence, programs: list[_Program], runs: bool) -> None:
        self._runs = runs
        self._count = Counter((one.group, one.hook, one.name) for one in programs)
        self._rules: dict[str, bool] = {}
        for answer in linux.answers("bind-programs"):
            heard = answer.command.startswith("systemctl show ") and not answer.trouble
            for block in answer.text.split("\n\n") if heard else []:
                said = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
                self._rules[said.get("Id", "")] = any(said.get(name) for name in ("SocketBindAllow", "SocketBindDeny"))

    def attached(self, one: _Program) -> bool | None:
        """Whether it accounts for a program: the only one so called at that hook of a unit of which it says that it has such rules. None
        where it was not heard."""
        unit = one.group.rpartition("/")[2]
        if (one.hook, one.name) not in _OWN_OF_SYSTEMD or self._count[one.group, one.hook, one.name] > 1 or not _UNIT.fullmatch(unit):
            return False
        return self._rules.get(unit) if self._runs else False


def _place(group: str, containers: dict[str, str]) -> str:
    if group == _ABOVE:
        return "a control group above those that are visible here"
    identity = container_of(group)
    return f"container {containers.get(identity, identity[:12])}" if identity else f"control group {group}"


def _grant(question: Question, one: _Program, where: str) -> Grant:
    family = _WAIVING[one.hook]
    loaded = f", loaded by user {one.uid}" if one.uid else ""
    flags = _FLAGS.get(rows.number(one.flags) or 0)
    shown: dict[str, Any] = {
        "path": "program", "subject": f"{one.called} at {one.hook} of {where}",
        "scope": f"perhaps whatever runs in {where}" + (" (every process)" if one.group in ("/", _ABOVE) else " or below it"),
        "via": [
            f"BPF program {one.called}{loaded}, is attached to {one.hook} of {where}" + (f"; {flags}" if flags else ""),
            "such a program may waive the test of CAP_NET_BIND_SERVICE, refuse a bind, or change its address: which, is not visible",
            f"so what runs there may perhaps take any privileged port over {family}, whoever runs it",
        ],
        "source": _SOURCE, "root": False, "user": None, "executable": None, "file": None, "interpreter": None,
        "unit": unit_of(one.group),
    }  # fmt: skip
    shown |= privileged_ports.given(question)
    return Grant(**shown)
