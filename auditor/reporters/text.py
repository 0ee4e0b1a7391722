"""For a terminal: the verdict and what qualifies it on one screen, then the findings, then the hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from auditor.foremost import not_looked_at
from auditor.report import Report
from auditor.reporter import Reporter
from auditor.terminal.findings import findings, inventory, not_checked, since_the_baseline, unknown
from auditor.terminal.hosts import hosts, limits
from auditor.terminal.layout import Layout, shortened
from auditor.terminal.summary import answers, summary


def render(report: Report, stream: TextIO) -> None:
    """As wide and as coloured as `report.shown_as` says."""
    for line in _lines(Layout(report.shown_as), report):
        stream.write(line + "\n")


def _lines(layout: Layout, report: Report) -> Iterator[str]:
    outcomes = {outcome: [f for f in report.findings if f.outcome == outcome] for outcome in ("error", "waived")}
    yield from summary(layout, report)
    yield ""
    yield from _not_looked_at(layout, report)
    yield from findings(layout, report, "Open", report.open)
    yield from findings(layout, report, "Our errors", outcomes["error"])
    yield from unknown(layout, report, "Unknown", "unknown")
    yield from unknown(layout, report, "Accepted gaps", "accepted")
    yield from findings(layout, report, "Waived", outcomes["waived"])
    yield from inventory(layout, report)
    yield from since_the_baseline(layout, report.hosts)
    yield from hosts(layout, report)
    yield from _controls(layout, report)
    yield from not_checked(layout, report)
    yield from limits(layout, report.hosts)
    yield from layout.record(f"{answers(report)}; evaluated for {report.evaluated_on}")


def _not_looked_at(layout: Layout, report: Report) -> Iterator[str]:
    lines = [line for lead, words in not_looked_at(report) for line in layout.prose(shortened(words), f"{lead}: ", "    ")]
    yield from [*lines, ""] if lines else []


def _controls(layout: Layout, report: Report) -> Iterator[str]:
    """One line for each framework, where a policy chose any: the html and json reports have the controls."""
    if not any(host.policy.controls for host in report.hosts):
        return
    yield from layout.heading("Controls")
    views = report.controls
    if lowered := next((view.lowered for view in views), ""):
        yield from layout.prose(f"Each rule counts a step less than mapped: {lowered}.", "  ", "    ")
    for view in views:
        yield from layout.prose(f"{view.framework.title}: {view.summary}. {view.disclaimer}", "  ", "    ")
    yield ""


REPORTER = Reporter(suffix="txt", media_type="text/plain", render=render)
