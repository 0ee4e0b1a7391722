"""The register of what somebody accepted until a day: waivers and accepted gaps, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.days import left, until
from auditor.model import Finding
from auditor.page.links import by_rule, by_subject, links
from auditor.report import Report

_NOT_STATED = "not stated"
_OVER = "expired {} ago"
_TOLD = ("id", "reason", "owner", "approved_by", "ticket", "compensated_by", "expires", "origin")


def register(report: Report, anchors: dict[Finding, str]) -> list[dict[str, Any]]:
    """One row for each acceptance that speaks of an audited host, or that a finding names; those that run out first come first."""
    rows: dict[str, dict[str, Any]] = {}
    for host in report.hosts:
        about: dict[str, list[Finding]] = {}
        for finding in host.findings:
            if finding.rule.startswith("waiver-") and finding in anchors:
                about.setdefault(finding.subject, []).append(finding)
        for told in host.accepted:
            row = rows.setdefault(told["origin"], _row(told, report, told["kind"], told["about"]))
            row["asks"] = [f"{key} {value}" for key, value in told["asks"].items()]
            row["marks"] += [(anchors[finding], finding) for finding in about.get(told["name"], ())]
    for finding in report.findings:
        if finding.waiver is not None:
            gap = finding.outcome == "unknown"
            named = ("accepted gap", ", ".join(finding.facts)) if gap else ("waiver", finding.rule)
            row = rows.setdefault(finding.waiver["origin"], _row(finding.waiver, report, *named))
            if gap:
                row["unknown"] += 1
            else:
                row["covers"].append((anchors[finding], finding))
    for row in rows.values():
        row["covers"], row["marks"] = links(row["covers"], by_subject), links(row["marks"], by_rule)
    return sorted(rows.values(), key=lambda row: (row["expires"], row["origin"]))


def days_left(report: Report) -> dict[str, str]:
    """What is said of each day on which an acceptance of a finding runs out."""
    days = {finding.waiver["expires"] for finding in report.findings if finding.waiver is not None}
    return {day: left(until(day, report.evaluated_on), _OVER) for day in days}


def _row(told: Mapping[str, Any], report: Report, word: str, about: str) -> dict[str, Any]:
    days = until(told["expires"], report.evaluated_on)
    return {
        **{key: told.get(key, _NOT_STATED) for key in _TOLD},
        "id": told.get("id", ""),
        "word": word,
        "about": about,
        "asks": [],
        "days": days,
        "left": left(days, _OVER),
        "covers": [],
        "unknown": 0,
        "marks": [],
    }
