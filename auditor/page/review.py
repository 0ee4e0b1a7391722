"""What whoever signs must have in view beside the findings: what this audit does not cover."""

from __future__ import annotations

from auditor.in_words import counted, few
from auditor.lacking import lacking
from auditor.report import Report

_LACKING = {"host": "no evidence of {}", "source": "{} could not be read", "baseline": "the baseline has nothing of {}"}
_UNJUDGED = {
    "unknown": "{} unknown",
    "accepted": "{} unknown, accepted until a day",
    "error": "{} broken off by our error",
    "notchecked": "{} not checked: nothing to compare with",
}


def not_covered(report: Report) -> list[str]:
    """Hosts and sources that nobody looked at, by name, and the answers that are none."""
    names: dict[str, list[str]] = {}
    told = []
    for kind, name, why in lacking(report):
        if kind in _LACKING:
            names.setdefault(kind, []).append(name)
        else:
            told.append(why)
    for kind, lead in _LACKING.items():
        if kind in names:
            told.append(f"{lead.format(counted(len(names[kind]), 'source' if kind == 'source' else 'host'))}: {few(names[kind])}")
    states = report.totals.states
    return [*told, *(say.format(counted(states[one], "answer")) for one, say in _UNJUDGED.items() if states[one])]
