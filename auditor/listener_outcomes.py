"""What became of each listener of a host: the gravest of all that was found on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from auditor.host_report import HostReport
from auditor.model import SEVERITIES, Finding, Socket, Stack

NO_FINDING = "none"
KINDS = (*reversed(SEVERITIES), "unknown", "waived", "inventory", NO_FINDING)
"""Gravest first: open by severity, then what could not be told, what was accepted, what is inventory, and what no finding names."""
WORDS = {**{severity: f"open ({severity})" for severity in SEVERITIES}, "unknown": "unknown", "waived": "waived", "inventory": "inventory",
         NO_FINDING: "without a finding"}  # fmt: skip
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}
_STATES = ("open", "error", "unknown", "accepted", "waived", "inventory")
"""What a finding on a listener may count as, in a reader's order."""
_OF_OUTCOME = {"error": "unknown", "unknown": "unknown", "waived": "waived"}


class ListenerOutcomes:
    """The kind (KINDS) of every listener of a host. `state` is the report's word for what a finding counts as: one that failed is
    `open` or not. What could not be told stays unknown, whoever accepts that."""

    def __init__(self, host: HostReport, state: Callable[[Finding], str]) -> None:
        self._kinds: dict[tuple[str | None, str], str] = {}
        self._open: dict[str | None, list[Finding]] = {}
        self._found: dict[tuple[str | None, str], dict[tuple[str, str, str], None]] = {}
        for finding in host.findings:
            kind = _OF_OUTCOME.get(finding.outcome)
            if finding.outcome == "fail":
                kind = finding.severity if state(finding) == "open" else "inventory"
            if kind in SEVERITIES:
                self._open.setdefault(finding.stack, []).append(finding)
            if kind is not None:
                for name in _names(finding):
                    there = (finding.stack, name)
                    self._kinds[there] = gravest((kind, self._kinds.get(there, NO_FINDING)))
                    self._found.setdefault(there, {})[state(finding), finding.rule, finding.outcome] = None

    def of(self, stack: Stack, socket: Socket) -> str:
        """`none` where no finding names it, which is not to say that every rule could judge it."""
        return gravest(self._kinds.get((stack.shown.get("name"), name), NO_FINDING) for name in _called(socket))

    def found(self, stack: Stack, socket: Socket, outcome: str | None = None) -> list[tuple[str, str]]:
        """What was found on it, or what of it came to an `outcome`: state and rule, by state."""
        found = {one for name in _called(socket) for one in self._found.get((stack.shown.get("name"), name), ())}
        told = {(state, rule) for state, rule, became in found if outcome in (None, became)}
        return sorted(told, key=lambda one: (_STATES.index(one[0]), one[1]))

    def open_elsewhere(self, stack: Stack, sockets: Iterable[Socket]) -> list[Finding]:
        """The open findings of a stack that are on none of these listeners, gravest first."""
        found = self._open.get(stack.shown.get("name"), [])
        called = {name for socket in sockets for name in _called(socket)} if found else set()
        return sorted(
            (one for one in found if called.isdisjoint(_names(one))), key=lambda one: (_RANK[one.severity], one.rule, one.subject)
        )


def gravest(kinds: Iterable[str]) -> str:
    return min(kinds, key=_RANK.__getitem__)


def in_words(kinds: Iterable[str]) -> str:
    """`1 open (high); 3 without a finding`: gravest first; of one alone without the number."""
    counts = sorted(Counter(kinds).items(), key=lambda one: _RANK[one[0]])
    alone = sum(count for _, count in counts) == 1
    return "; ".join(WORDS[kind] if alone else f"{count} {WORDS[kind]}" for kind, count in counts)


def _names(finding: Finding) -> Iterable[str]:
    return finding.subjects or (finding.subject, *finding.examples)


def _called(socket: Socket) -> tuple[str, ...]:
    return tuple(dict.fromkeys((socket.subject, socket.numbered_subject)))
