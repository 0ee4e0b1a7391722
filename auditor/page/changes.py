"""What changed on each host since its baseline: the differences of what was seen, and the findings that are no more."""

from __future__ import annotations

from typing import Any

from auditor.differences import NOT_COMPARED, SIGNS, UNKNOWN
from auditor.host_report import HostReport
from auditor.model import Finding
from auditor.report import Report


def compared(report: Report, anchors: dict[Finding, str]) -> list[dict[str, Any]]:
    """One for each host that was compared with a baseline."""
    return [_host(host, anchors) for host in report.hosts if host.baseline is not None]


def _host(host: HostReport, anchors: dict[Finding, str]) -> dict[str, Any]:
    counted = [finding for finding in host.findings if finding in anchors]
    rows = [
        {
            "sign": NOT_COMPARED if one.sign == UNKNOWN else SIGNS[one.sign],
            "stack": one.stack,
            "what": one.what,
            "count": one.count,
            "before": one.before,
            "after": one.after,
            "why": one.why,
        }
        for one in host.changes
    ]
    return {
        "name": host.name,
        "baseline": host.baseline.shown.get("taken", "an unknown time") if host.baseline is not None else None,
        "rows": rows,
        "counts": {word: sum(row["sign"] == word for row in rows) for word in dict.fromkeys(row["sign"] for row in rows)},
        "new": [(anchors[finding], finding) for finding in counted if finding.baseline_state == "new"],
        "stayed": sum(finding.baseline_state == "unchanged" for finding in counted),
        "untold": sum(finding.baseline_state is None for finding in counted),
        "gone": host.gone,
    }
