"""Findings, each with what was seen and what was wanted; what is unknown by its reason; what there was nothing to compare with."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.host_report import HostReport
from auditor.model import HOST_STACK, Finding
from auditor.report import Report
from auditor.terminal.layout import COLOURS, WHOLE, Layout, shortened
from auditor.terminal.summary import place

_CHANGES = 40
_EXAMPLES = 3
_UNDER = " " * 6
_BELOW = " " * 8
_DETAILS = ("observed", "expected", "source", "who")


def findings(layout: Layout, report: Report, title: str, found: list[Finding]) -> Iterator[str]:
    """The first line of each holds severity, rule, subject and host. What to do stands under the first of each rule."""
    if found:
        yield from layout.heading(title, len(found))
        yield from _findings(layout, report, found)
        yield ""


def _findings(layout: Layout, report: Report, found: list[Finding]) -> Iterator[str]:
    told = set()
    for finding in found:
        yield from _finding(layout, report, finding)
        if finding.rule in report.documents and finding.rule not in told:
            told.add(finding.rule)
            yield from _detail(layout, "what to do", f"port-auditor rules {finding.rule}")


def _finding(layout: Layout, report: Report, finding: Finding) -> Iterator[str]:
    yield from layout.record(f"{finding.rule}  {place(finding)}", f"  {finding.severity.upper():8} ", "    ", COLOURS.get(finding.severity))
    yield from layout.prose(finding.message, "    ", "    ")
    for name in _DETAILS:
        if value := getattr(finding, name):
            yield from _detail(layout, name, shortened(value))
    if first_seen := _first_seen(finding):
        yield from _detail(layout, "first seen", first_seen)
    if standing := report.standing(finding):
        yield from layout.prose(standing, _UNDER, _BELOW)


def _detail(layout: Layout, name: str, value: str) -> list[str]:
    return layout.prose(value, f"{_UNDER}{name}: ", _BELOW)


def _first_seen(finding: Finding) -> str | None:
    """The baseline's moment may not have been the first."""
    if finding.baseline_state == "unchanged":
        return f"{finding.first_seen or 'in the baseline'} or before, unchanged since"
    return f"{finding.first_seen or 'now'}, new since the baseline" if finding.baseline_state == "new" else finding.first_seen


def unknown(layout: Layout, report: Report, title: str, state: str) -> Iterator[str]:
    if found := _unknown(report, state):
        yield from layout.heading(title, len(found))
        yield from _by_reason(layout, report, found)
        yield ""


def inventory(layout: Layout, report: Report) -> Iterator[str]:
    """What is no part of the verdict: what was found, then what could not be told."""
    unseen = _unknown(report, "inventory")
    if count := len(report.inventory) + len(unseen):
        yield from layout.heading("Inventory", count)
        yield from _findings(layout, report, report.inventory)
        yield from _by_reason(layout, report, unseen)
        yield ""


def _unknown(report: Report, state: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.outcome == "unknown" and report.state(finding) == state]


def _by_reason(layout: Layout, report: Report, found: list[Finding]) -> Iterator[str]:
    """What could not be seen usually hides itself from many rules."""
    by_reason: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in found:
        by_reason.setdefault((finding.host, finding.message, report.standing(finding)), []).append(finding)
    for (host, reason, standing), alike in by_reason.items():
        stacks = ", ".join(dict.fromkeys(f.stack for f in alike if f.stack))
        where = f"{host}, stack {stacks}" if stacks not in ("", HOST_STACK) else host
        yield from layout.record(f"{where}: {reason}", "  ", "    ")
        counts: dict[str, int] = {}
        for finding in alike:
            counts[finding.rule] = counts.get(finding.rule, 0) + finding.count
        if standing is not None:
            yield from layout.prose(standing, _UNDER, _BELOW)
        yield from _detail(layout, "not judged", ", ".join(f"{rule} ({count})" for rule, count in sorted(counts.items())))
        if named := list(dict.fromkeys(name for f in alike for name in (f.examples or (f.subject,)) if name != "stack")):
            more = f", ...: {WHOLE}" if len(named) > _EXAMPLES else ""
            yield from _detail(layout, "such as", shortened(", ".join(named[:_EXAMPLES])) + more)


def since_the_baseline(layout: Layout, hosts: list[HostReport]) -> Iterator[str]:
    """What differs from the baseline, and the findings that are no more."""
    gone = [finding for host in hosts for finding in host.gone]
    if gone:
        yield from layout.heading("No longer found, and not necessarily mended", len(gone))
        for finding in gone:
            yield from layout.record(f"{finding.rule}  {place(finding)}", f"  {finding.severity.upper():8} ", "    ")
        yield ""
    changes = [(host, change) for host in hosts for change in host.changes]
    if changes:
        yield from layout.heading("Changed since the baseline", len(changes))
        for host, change in changes[:_CHANGES]:
            where = host.name if change.stack in (None, HOST_STACK) else f"{host.name}, stack {change.stack}"
            yield from layout.record(f"{change}  on {where}", "  ", "    ")
        if len(changes) > _CHANGES:
            yield from layout.prose(f"... and {len(changes) - _CHANGES} more; {WHOLE}", "  ", "    ")
        yield ""


def not_checked(layout: Layout, report: Report) -> Iterator[str]:
    """What there was nothing to compare with, by what is missing."""
    by_reason: dict[str, dict[str, None]] = {}
    for finding in report.findings:
        if finding.outcome == "notchecked":
            by_reason.setdefault(finding.message, {})[finding.rule] = None
    off = sorted({finding.rule for finding in report.findings if finding.outcome == "notselected"})
    if by_reason:
        rules = {rule for rules in by_reason.values() for rule in rules}
        yield from layout.heading("Not checked: nothing to compare with", f"rules: {len(rules)}")
        for reason, own in by_reason.items():
            yield from layout.prose(f"{reason}: {', '.join(sorted(own))}", "  ", "    ")
        yield ""
    if off:
        yield from layout.heading("Off in the policy", f"rules: {len(off)}")
        yield from layout.prose(", ".join(off), "  ", "  ")
        yield ""
