"""Findings as the page groups them, and what it says of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from auditor.host_report import HostReport
from auditor.model import Finding
from auditor.report import Report

Marks = dict[tuple[str, str, str], list[tuple[str, Finding]]]
"""(anchor, finding) by the host, stack and subject that the finding is on."""
REASONED = ("pass", "notchecked", "notapplicable", "notselected")
"""Outcomes whose message says what was judged or why not, and is shown in the table of all outcomes."""
_SAID = ("severity", "subject", "count", "message", "observed", "expected", "source", "who", "controls")
"""What the page says of a finding, but for where, since when, its waiver and its fingerprint."""


def _grouped(findings: Iterable[Finding], key: Callable[[Finding], str]) -> list[tuple[str, list[Finding]]]:
    return [(name, list(alike)) for name, alike in groupby(findings, key)]


def by_severity(findings: list[Finding]) -> list[tuple[str, list[tuple[str, list[Finding]]]]]:
    """In the report's order, the gravest first; within a severity by rule."""
    return [(severity, by_rule(alike)) for severity, alike in _grouped(findings, lambda finding: finding.severity)]


def by_rule(findings: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """In the report's order: a rule's findings stand together within a severity, whose heading or badge comes first."""
    return _grouped(findings, lambda finding: finding.rule)


def alike(findings: list[Finding]) -> list[list[Finding]]:
    """Those of a rule that say the same of several hosts or stacks stand together; all in the report's order."""
    same: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        accepted = tuple(sorted((finding.waiver or {}).items()))
        said = tuple(getattr(finding, name) for name in _SAID)
        same.setdefault((*said, accepted), []).append(finding)
    return list(same.values())


def by_reason(report: Report, findings: list[Finding]) -> list[dict[str, Any]]:
    """What could not be seen usually hides itself from many rules: one row a reason. What counts comes first."""
    reasons: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: not finding.leaves_open):
        reasons.setdefault((finding.message, report.standing(finding)), []).append(finding)
    return [
        {
            "reason": reason,
            "standing": standing,
            "places": list(dict.fromkeys(place(f) for f in alike)),
            "rules": [(rule, sum(f.count for f in of_rule)) for rule, of_rule in by_rule(sorted(alike, key=lambda f: f.rule))],
            "examples": list(dict.fromkeys(name for f in alike for name in (f.examples or (f.subject,)) if name != "stack")),
        }
        for (reason, standing), alike in reasons.items()
    ]


def outcomes(findings: list[Finding]) -> list[dict[str, Any]]:
    """One row for each rule, stack and outcome, and for each reason where the outcome has one: together they are all findings."""
    rows: dict[tuple[str, ...], int] = {}
    for finding in findings:
        reason = finding.message if finding.outcome in REASONED else ""
        key = (finding.rule, finding.host, finding.stack or "", finding.outcome, reason)
        rows[key] = rows.get(key, 0) + 1
    keys = ("rule", "host", "stack", "outcome", "reason")
    return [{**dict(zip(keys, key, strict=True)), "count": rows[key]} for key in sorted(rows)]


def marked(findings: Iterable[Finding], anchors: dict[Finding, str]) -> Marks:
    """For links from a thing to what was found on it."""
    marks: Marks = {}
    for finding in findings:
        marks.setdefault((finding.host, finding.stack or "", finding.subject), []).append((anchors[finding], finding))
    return marks


def place(finding: Finding) -> str:
    return finding.host if finding.elsewhere is None else f"{finding.host}, stack {finding.elsewhere}"


def first_seen(finding: Finding, host: HostReport | None, report: Report) -> str:
    """Since when something is known to be so."""
    stamp = finding.first_seen or "an unknown time"
    if finding.baseline_state == "unchanged":
        return f"there at the baseline of {stamp} or before"
    if host is None or host.baseline is None:
        return "not known: " + ("no baseline was given" if report.drift is None else "the baseline has nothing of this host")
    if finding.baseline_state == "new":
        return f"{stamp}: new since the baseline of {host.baseline.shown.get('taken', 'an unknown time')}"
    return "not known: the baseline does not tell"


def shared_controls(findings: list[Finding]) -> tuple[str, ...]:
    """The controls that several findings have in common, where all have the same: they are said once."""
    first = findings[0].controls
    return first if len(findings) > 1 and all(finding.controls == first for finding in findings) else ()


def paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]
