"""The first screen beside the verdict: what is wrong, what was not seen, and which hosts and sources nobody looked at."""

from __future__ import annotations

from typing import Any

from auditor.foremost import LACKING, gravest, not_seen
from auditor.lacking import lacking
from auditor.model import Finding
from auditor.page.findings import place
from auditor.report import Report


def opening(report: Report, anchors: dict[Finding, str]) -> dict[str, Any]:
    told, more_open = gravest(report)
    unseen, more_unseen = not_seen(report)
    missing = [kind for kind, _, _ in lacking(report)]
    return {
        "gravest": [(lead, finding, place(finding), anchors[finding]) for lead, finding in told],
        "more_open": more_open,
        "not_seen": [("visibility" if state == LACKING else "unknown", words) for state, words in unseen],
        "more_unseen": more_unseen,
        "hosts_without_evidence": missing.count("host"),
        "sources_not_read": missing.count("source"),
    }
