"""Set-user-id programs of root that listen: whoever may run one has it bind with root's rights."""

from __future__ import annotations

from stat import S_ISUID
from typing import Any

from auditor.binding import Grant
from auditor.collectors import _linux_privileged_ports as privileged_ports
from auditor.collectors._linux_question import Granted, Question
from auditor.facts import Gap
from auditor.owner import DELETED, UNPROVEN, File, Owner

LIMITS = ("Of set-user-id programs those alone are told of that hold a port now.",)


def granted(question: Question) -> Granted:
    """A grant for each such program that holds a socket of the stack, by its path where that is proven."""
    if privileged_ports.none_needed(question):
        return Granted(limits=LIMITS)
    holders = [owner for one in question.listening.seen for owner in one.shown.get("owners_seen", [])]
    programs: dict[str, tuple[File, set[int]]] = {}
    for owner in holders:
        file = owner.shown.get("executable_file")
        if file is not None and _set_user_id(owner.executable, file):
            programs.setdefault(owner.executable, (file, set()))[1].add(owner.pid)
    gaps = _gaps(question, holders)
    grants = [_grant(question, path, file, privileged_ports.held_by(question, pids, not gaps)) for path, (file, pids) in programs.items()]
    return Granted(grants, gaps, LIMITS)


def _set_user_id(path: str, file: File) -> bool:
    """Whether it is root's and set-user-id, and at its path, so that others may run it."""
    return file.uid == 0 and bool(file.permissions & S_ISUID) and not path.endswith((DELETED, *UNPROVEN))


def _gaps(question: Question, holders: list[Owner]) -> list[Gap]:
    """Why there may be others who listen, or why it is not known what those run that were seen."""
    unseen = [one for one in question.listening.seen if one.shown.get("owner_state") not in privileged_ports.LOOKED_THROUGH]
    reasons = [gap.why for one in unseen for gap in one.owners.gaps]
    if any(owner.shown.get("executable", "") is not None and "executable_file" not in owner.shown for owner in holders):
        reasons.append("whether a set-user-id program listens: the file of one that does was not shown")
    return [*question.listening.gaps, *map(Gap, dict.fromkeys(reasons))]


def _grant(question: Question, path: str, file: File, held: dict[str, Any]) -> Grant:
    via = [
        f"{path} is root's, mode {file.mode}: whoever runs it becomes root by that",
        "it holds a socket here; which ports it binds for whoever runs it is its own matter",
        f"so it may bind {privileged_ports.in_words(question)}",
    ]
    return Grant(path="setuid", subject=path, scope=f"whoever may run {path}", everyone=False, root=False, executable=path, file=file,
                 via=via, source="stat of /proc/PID/exe", **held, **privileged_ports.given(question))  # fmt: skip
