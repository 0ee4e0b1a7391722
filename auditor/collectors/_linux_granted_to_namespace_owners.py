"""Users who own the user namespace of a network namespace: they may enter both, and have every capability there."""

from __future__ import annotations

from auditor.binding import Grant
from auditor.collectors import _linux_privileged_ports as privileged_ports
from auditor.collectors._linux_granted_by_processes import processes
from auditor.collectors._linux_question import Granted, Question
from auditor.collectors._linux_user_namespaces import INITIAL, Untold
from auditor.facts import Gap


def granted(question: Question) -> Granted:
    """A grant for each user who owns the user namespace that a stack belongs to, or one above it; the initial one is root's."""
    known = processes(question.linux, question.owners)
    if privileged_ports.none_needed(question):
        return Granted()
    gaps = list(known.user_namespaces.gaps)
    try:
        owning = [one for one in known.user_namespaces.owning(question.namespace.label) if one.inode != INITIAL]
    except Untold as untold:
        return Granted(gaps=[*gaps, Gap(str(untold))])
    owners = list(dict.fromkeys(one.owner for one in owning))
    gaps += [Gap("who owns the user namespace that owns this network namespace was not told")] if None in owners else []
    return Granted([_grant(question, uid) for uid in owners if uid is not None], gaps)


def _grant(question: Question, uid: int) -> Grant:
    user = question.owners.user(uid)
    named = f"user {user}" if user else f"uid {uid}"
    via = [
        f"{named} owns the user namespace that owns this network namespace, or one above it",
        "who owns a user namespace may enter it from the one above, and has every capability in it (user_namespaces(7))",
        f"so here {named} may bind {privileged_ports.in_words(question)}",
    ]
    return Grant(path="namespace-owner", subject=named, scope=named, everyone=False, root=uid == 0, uid=uid, via=via,
                 source="ioctl_ns(2)", **({"user": user} if user else {}), **privileged_ports.given(question))  # fmt: skip
