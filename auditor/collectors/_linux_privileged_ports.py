"""What a right to take privileged ports gives in a stack, and who has made use of it already."""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import Any

from auditor.collectors._linux_question import Question
from auditor.model import Socket

LOOKED_THROUGH = ("known", "none")
"""Where `owner_state` says so, every process was looked at."""


def none_needed(question: Question) -> bool:
    """Whether the stack has no privileged ports that are known: there are none, so that every user may take any and no right gives more;
    or which they are was not read, which is a gap of `_linux_granted_by_threshold`."""
    return not question.privileged.seen


def given(question: Question) -> dict[str, Any]:
    """`ports` of a grant that gives all privileged ones, and `protocol`; no ports where it is not known which they are."""
    known = {"ports": [one.ports for one in question.privileged.seen]}
    return {"protocol": "any", **({} if question.privileged.gaps and not question.privileged.seen else known)}


def in_words(question: Question) -> str:
    """The privileged ports, for a reader."""
    return ", ".join(str(one) for one in question.privileged.seen) or "the privileged ports, whichever they are"


def held_by(question: Question, pids: Collection[int], sure: bool) -> dict[str, Any]:
    """`bound` and `processes` of a grant: how many these are is not shown where it is not `sure` that they are all."""
    return {**bound(question, pids, sure), **({"processes": len(pids)} if sure else {})}


def bound(question: Question, pids: Container[int], sure: bool = True) -> dict[str, list[str]]:
    """`bound` of a grant, the sockets on privileged ports that these processes hold. Not shown where none was seen but may be."""
    privileged = [one for one in question.listening.seen if _privileged(question, one)]
    held = [one.subject for one in privileged if any(owner.pid in pids for owner in one.shown.get("owners_seen", []))]
    unsure = not sure or question.listening.gaps or question.privileged.gaps or any(not _looked_through(one) for one in privileged)
    return {} if unsure and not held else {"bound": sorted(set(held))}


def _looked_through(socket: Socket) -> bool:
    return socket.shown.get("owner_state") in LOOKED_THROUGH


def _privileged(question: Question, socket: Socket) -> bool:
    return any(one.protocol in ("any", socket.protocol) and socket.port in one.ports for one in question.privileged.seen)
