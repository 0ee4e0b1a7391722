"""The first screen: the verdict, how many answers of which kind, the gravest findings, what was not seen, what qualifies the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.foremost import gravest, not_seen
from auditor.model import Finding
from auditor.report import Report
from auditor.terminal.layout import COLOURS, Layout

ALWAYS = ("open", "unknown", "waived", "passed", "not checked")
"""Answers that are told where there are none of them too."""


def summary(layout: Layout, report: Report) -> Iterator[str]:
    """What is cut here stands whole below."""
    yield from _marks(layout, report)
    yield from _verdict(layout, report)
    yield from layout.record(answers(report))
    if len(report.hosts) > 1:
        yield from layout.prose(_hosts(report))
    yield from _gravest(layout, report)
    yield from _not_seen(layout, report)
    yield ""
    yield from layout.heading("What the verdict speaks of")
    for clause in report.qualifications()[1:]:
        yield from layout.prose(clause, "  - ", "    ")


def answers(report: Report) -> str:
    """Every finding counts in one of these: a rule gives at least one answer for each network stack."""
    states = report.totals.states
    told = {
        "open": states["open"], "inventory": states["inventory"], "unknown": states["unknown"], "accepted gaps": states["accepted"],
        "errors of ours": states["error"], "waived": states["waived"], "passed": states["pass"], "not checked": states["notchecked"],
        "off in the policy": states["notselected"], "not applicable": states["notapplicable"],
    }  # fmt: skip
    return "answers: " + ", ".join(f"{count} {words}" for words, count in told.items() if count or words in ALWAYS)


def _hosts(report: Report) -> str:
    opened = set(report.open)
    found = sum(not opened.isdisjoint(host.findings) for host in report.hosts)
    unsure = sum(any(one.leaves_open for one in host.findings) for host in report.hosts)
    return f"hosts: {len(report.hosts)} audited, {found} with something open, {unsure} with something unknown"


def _marks(layout: Layout, report: Report) -> Iterator[str]:
    """What must stand before everything else: the classification, whose report it is, and that it does not tell all names."""
    shown = report.shown_as
    for words in (shown.banner, shown.organisation):
        if words:
            yield from layout.prose(words)
    if shown.redacted:
        yield from layout.prose(f"redacted: the names of {', '.join(shown.redacted)}")


def _verdict(layout: Layout, report: Report) -> Iterator[str]:
    word = report.verdict.upper()
    rest = f"{report.headline.removeprefix(word)}: {report.qualifications()[0]}"
    (first, *others) = layout.prose(word + rest)
    yield layout.painted(word, COLOURS[word]) + first.removeprefix(word)
    yield from others


def _gravest(layout: Layout, report: Report) -> Iterator[str]:
    told, rest = gravest(report)
    if told:
        yield ""
        yield from layout.heading("Gravest")
    for lead, finding in told:
        where = place(finding) if len(report.hosts) > 1 else _subject(finding)
        yield layout.glimpse(f"{finding.rule}  {lead}{where}", f"  {finding.severity:9} ", COLOURS.get(finding.severity))
    if rest:
        yield from layout.prose(f"... and {rest}, below", "  ", "    ")


def place(finding: Finding) -> str:
    """What a finding is on, how many things that is, and where."""
    return f"{_subject(finding)}  on {finding.host}{f', stack {finding.elsewhere}' if finding.elsewhere else ''}"


def _subject(finding: Finding) -> str:
    return f"{finding.subject} ({finding.count})" if finding.count > 1 else finding.subject


def _not_seen(layout: Layout, report: Report) -> Iterator[str]:
    said, rest = not_seen(report)
    if not said and not (report.complete and report.hosts):
        return
    yield ""
    yield from layout.heading("Not seen")
    for _, reason in said:
        yield layout.glimpse(reason, "  ")
    if rest:
        yield from layout.prose(f"... and {rest}, below", "  ", "    ")
    if not said:
        yield from layout.prose("nothing that a rule asked about; what this method never shows stands below", "  ")
