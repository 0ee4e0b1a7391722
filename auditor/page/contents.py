"""Everything that the page's templates ask for."""

from __future__ import annotations

from functools import partial
from typing import Any

from auditor import __version__
from auditor.model import SEVERITIES, Finding
from auditor.page.approvals import Register
from auditor.page.changes import compared
from auditor.page.control_rows import by_release, rows
from auditor.page.evidence import appended
from auditor.page.findings import alike, by_reason, by_rule, by_severity, first_seen, marked, outcomes, paragraphs, shared_controls
from auditor.page.hosts import host_rows
from auditor.page.limits import limits
from auditor.page.opening import opening
from auditor.page.review import not_covered
from auditor.page.waivers import days_left, register
from auditor.report import SCHEMA, Report

_FOLDED_FROM = {"stacks": 8, "hosts": 4}
"""From how many on what is said of each is folded: complete all the same, and printed unfolded."""
_MANY = 300
"""From how many open findings on a browser lays out only those in view."""


def contents(report: Report) -> dict[str, Any]:
    """Plain values by the names that the templates use."""
    opened = report.open
    by_outcome = {outcome: [f for f in report.findings if f.outcome == outcome] for outcome in ("error", "unknown", "waived")}
    linked = [*opened, *by_outcome["error"], *by_outcome["waived"], *report.inventory]
    anchors = {finding: f"finding-{number}" for number, finding in enumerate(linked, 1)}
    marks = marked(anchors, anchors)
    of_host = {finding: host for host in report.hosts for finding in host.findings}
    approvals = Register(report, anchors)
    stacks = sum(len(host.snapshot.stacks.seen) for host in report.hosts)
    return {
        "report": report,
        "shown_as": report.shown_as,
        "schema": SCHEMA,
        "version": __version__,
        "subject": report.hosts[0].name if len(report.hosts) == 1 else f"{len(report.hosts)} hosts",
        "clauses": report.qualifications(),
        "opening": opening(report, anchors),
        "severities": tuple(reversed(SEVERITIES)),
        "anchors": anchors,
        "states": report.totals.states,
        "open": by_severity(opened),
        "many": len(opened) >= _MANY,
        "open_counts": {severity: sum(f.severity == severity for f in opened) for severity in SEVERITIES},
        "first_seen": {finding: first_seen(finding, of_host.get(finding), report) for finding in anchors},
        "inventory": by_rule(report.inventory),
        "errors": by_rule(by_outcome["error"]),
        "unknown": by_reason(report, by_outcome["unknown"]),
        "waived": by_rule(by_outcome["waived"]),
        "nothing_to_judge": sum(f.count == 0 for f in report.findings if f.outcome == "pass"),
        "notchecked": sorted({(f.rule, f.message) for f in report.findings if f.outcome == "notchecked"}),
        "outcomes": outcomes(report.findings),
        "compared": compared(report, anchors),
        "hosts": [
            host_rows(host, f"host-{number}", report, marks, approvals.approved_as(host)) for number, host in enumerate(report.hosts, 1)
        ],
        "limits": limits(report),
        "unfold_hosts": len(report.hosts) < _FOLDED_FROM["hosts"],
        "unfold_stacks": stacks < _FOLDED_FROM["stacks"],
        "approvals": approvals.tables,
        "waivers": register(report, anchors),
        "days_left": days_left(report),
        "by_release": by_release(report.controls),
        "controls": [(view, rows(view)) for view in report.controls],
        "statements": report.approval_statements if report.controls else [],
        "not_covered": not_covered(report),
        "evidence": appended(report),
        "paragraphs": paragraphs,
        "shared_controls": shared_controls,
        "alike": alike,
        "systems": partial(_systems, report),
    }


def _systems(report: Report, findings: list[Finding]) -> set[str | None]:
    """The systems of the hosts that findings are on; None for one that is not known."""
    names = {finding.host for finding in findings}
    return {host.snapshot.shown.get("system") for host in report.hosts if host.name in names}
