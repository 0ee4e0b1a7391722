"""What a reader must see first: the gravest of what is open, and what was not seen. It is the same in every format that has room for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.in_words import counted
from auditor.lacking import lacking
from auditor.model import Finding

if TYPE_CHECKING:
    from auditor.report import Report

_GRAVEST = 5
_REASONS = 3
LACKING = "lacking"
_UNSEEN = {"unknown": "unknown", "accepted": "unknown, accepted", "inventory": "unknown, out of scope"}


def gravest(report: Report) -> tuple[list[tuple[str, Finding]], str]:
    """For each of the gravest broken rules its first finding and the words that lead to it, and what to say of the others. A rule has one
    line, so that one breach on a thousand hosts does not hide the others."""
    rules: dict[tuple[str, str], list[Finding]] = {}
    for finding in report.open:
        rules.setdefault((finding.severity, finding.rule), []).append(finding)
    broken = list(rules.values())
    others = broken[_GRAVEST:]
    rest = f"{sum(map(len, others))} more open, by {counted(len(others), 'other rule')}" if others else ""
    return [(_lead(alike), alike[0]) for alike in broken[:_GRAVEST]], rest


def _lead(alike: list[Finding]) -> str:
    on = f" on {hosts} hosts" if (hosts := len({finding.host for finding in alike})) > 1 else ""
    return f"{len(alike)} open{on}, first: " if len(alike) > 1 else ""


def not_seen(report: Report) -> tuple[list[tuple[str, str]], str]:
    """The first reasons, each as what it counts as and its words, and what to say of the others: those first that count, and of them those
    that hide most."""
    said = [(LACKING, f"{lead}: {words}") for lead, words in not_looked_at(report)]
    hidden = Counter((report.state(finding), finding.message) for finding in report.findings if finding.outcome == "unknown")
    for state, words in _UNSEEN.items():
        said += [(state, f"{count} {words}: {why}") for (one, why), count in hidden.most_common() if one == state]
    others = len(said) - _REASONS
    return said[:_REASONS], counted(others, "more reason") if others > 0 else ""


def not_looked_at(report: Report) -> Iterator[tuple[str, str]]:
    """What was asked for and is not there, each with the words that lead to it."""
    names: dict[str, list[str]] = {}
    for kind, name, why in lacking(report):
        if kind == "source":
            yield "could not be read", why if name in why else f"{name}: {why}"
        else:
            names.setdefault(kind, []).append(name)
    for kind, lead in (("host", "no evidence of"), ("baseline", "the baseline has nothing of")):
        if kind in names:
            yield f"{lead} {counted(len(names[kind]), 'host')}", ", ".join(names[kind])
