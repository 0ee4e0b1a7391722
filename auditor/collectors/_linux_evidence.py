"""The answers of a Linux bundle, found by probe and stack, and what was not answered."""

from __future__ import annotations

from typing import Any

from auditor.evidence import Answer, Evidence, words
from auditor.facts import Gap
from auditor.parsers import rows

Rows = list[tuple[str | None, ...]]


class LinuxEvidence:
    """`head` of the bundle; `whole` are the gaps that lie over everything in it (it was cut, a line of no known kind). `limits`
    are those of the way in which it was taken, `never_looked_for` the paths of grants that it cannot show, `late` the inodes of sockets
    that came, or whose holder ended, meanwhile."""

    limits: tuple[str, ...] = ()
    addresses_source = "rtnetlink"
    late: frozenset[str] = frozenset()
    never_looked_for: tuple[str, ...] = ()

    def __init__(self, evidence: Evidence) -> None:
        self.head = evidence.head
        self.whole = [Gap(why, line) for why, line in evidence.gaps]
        self.asked = evidence.head.get("asked", "").split(",")
        self._answers: dict[str, list[Answer]] = {}
        for answer in evidence.answers:
            self._answers.setdefault(answer.probe, []).append(answer)

    def answers(self, probe: str, stack: str | None = None) -> list[Answer]:
        """The answers to `probe`; of `stack` where one is named."""
        return [a for a in self._answers.get(probe, []) if stack is None or a.stack == stack]

    def labels(self) -> list[str]:
        """The stack labels that answers speak of, in their order."""
        return list(dict.fromkeys(a.stack for answers in self._answers.values() for a in answers if a.stack is not None))

    def table(self, probe: str, columns: str, command: str, stack: str | None = None) -> tuple[Rows, list[Gap]]:
        """The rows of a built-in's answer, and gaps: it was not asked, it failed, its text is not whole."""
        found = [a for a in self.answers(probe, stack) if a.command.split(" ")[0] == command]
        if not found:
            return [], [Gap(f"{command} was not asked")]
        gathered: Rows = []
        gaps: list[Gap] = []
        for answer in found:
            parsed, trouble = rows.parse(answer.text, columns, command)
            gathered += parsed
            gaps += trouble
            if answer.trouble and probe != "sockets":
                gaps.append(Gap(answer.trouble))
        return list(dict.fromkeys(gathered)) if len(found) > 1 else gathered, gaps

    def not_entered(self, stack: str) -> str | None:
        """Why a namespace could not be entered; None where it was, or where that is not said."""
        said = [a.trouble.removeprefix(f"{a.command}: ") for a in self.answers("entering", stack) if a.trouble]
        return said[0] if said else None

    def socket_details(self, stack: str) -> dict[tuple[str, str, int], dict[str, Any]]:
        """By protocol, inode and port, what is known of a socket beside what /proc/net shows."""
        return {}

    def files(self, probe: str, stack: str | None = None) -> dict[str, Answer]:
        """The files read under `probe`, by path."""
        found = {}
        for answer in self.answers(probe, stack):
            said = words(answer.command)
            if said[:1] in (["builtin:read"], ["cat"]) and len(said) == 2:
                found[said[1]] = answer
        return found
