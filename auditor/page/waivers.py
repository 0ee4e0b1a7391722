"""The register of what somebody accepted until a day: waivers and accepted gaps, and what became of each."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from auditor.model import Finding
from auditor.report import Report

_NOT_STATED = "not stated"
_TOLD = ("id", "reason", "owner", "approved_by", "ticket", "compensated_by", "expires", "origin")


def register(report: Report, anchors: dict[Finding, str]) -> list[dict[str, Any]]:
    """One row for each acceptance that speaks of an audited host, or that a finding names; those that run out first come first."""
    rows: dict[str, dict[str, Any]] = {}
    for host in report.hosts:
        about = {f.subject: f for f in host.findings if f.rule.startswith("waiver-") and f in anchors}
        for told in host.accepted:
            row = rows.setdefault(told["origin"], _row(told, report, told["kind"], told["about"]))
            row["subjects"] = told["subjects"]
            if (found := about.get(told["name"])) is not None:
                row["marks"].append((anchors[found], found))
    for finding in report.findings:
        if finding.waiver is not None:
            gap = finding.outcome == "unknown"
            named = ("accepted gap", ", ".join(finding.facts)) if gap else ("waiver", finding.rule)
            row = rows.setdefault(finding.waiver["origin"], _row(finding.waiver, report, *named))
            row["covers"]["unknown" if gap else "finding"] += 1
    return sorted(rows.values(), key=lambda row: (row["expires"], row["origin"]))


def _row(told: Mapping[str, Any], report: Report, word: str, about: str) -> dict[str, Any]:
    days = _days(told["expires"], report.evaluated_on)
    return {
        **{key: told.get(key, _NOT_STATED) for key in _TOLD},
        "id": told.get("id", ""),
        "word": word,
        "about": about,
        "subjects": [],
        "days": days,
        "left": _words(days),
        "covers": {"finding": 0, "unknown": 0},
        "marks": [],
    }


def _days(expires: str, evaluated_on: str) -> int | None:
    """How many days it holds from the day of the audit; None where that cannot be told."""
    try:
        return (datetime.date.fromisoformat(expires) - datetime.date.fromisoformat(evaluated_on)).days
    except ValueError:
        return None


def _words(days: int | None) -> str:
    if days is None:
        return "not known"
    counted = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"expired {counted} ago" if days < 0 else "its last day" if days == 0 else f"{counted} left"
