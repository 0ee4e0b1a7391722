"""The first screen: the verdict, how many answers of which kind, the gravest findings, what was not seen, what qualifies the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from auditor.lacking import lacking
from auditor.model import Finding
from auditor.report import Report
from auditor.terminal.layout import COLOURS, Layout
from auditor.verdict_line import counted

_GRAVEST = 5
_REASONS = 3
_UNSEEN = {"unknown": "unknown", "accepted": "unknown, accepted", "inventory": "unknown, out of scope"}
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
    """A line for each rule that is broken, so that one breach on a thousand hosts does not hide the others."""
    rules: dict[tuple[str, str], list[Finding]] = {}
    for finding in report.open:
        rules.setdefault((finding.severity, finding.rule), []).append(finding)
    if rules:
        yield ""
        yield from layout.heading("Gravest")
    for (severity, rule), alike in list(rules.items())[:_GRAVEST]:
        on = f" on {len(names)} hosts" if len(names := {finding.host for finding in alike}) > 1 else ""
        first = f"{len(alike)} open{on}, first: " if len(alike) > 1 else ""
        where = place(alike[0]) if len(report.hosts) > 1 else _subject(alike[0])
        yield layout.glimpse(f"{rule}  {first}{where}", f"  {severity:9} ", COLOURS.get(severity))
    if len(rules) > _GRAVEST:
        rest = sum(len(alike) for alike in list(rules.values())[_GRAVEST:])
        yield from layout.prose(f"... and {rest} more open, by {counted(len(rules) - _GRAVEST, 'other rule')}, below", "  ", "    ")


def place(finding: Finding) -> str:
    """What a finding is on, how many things that is, and where."""
    return f"{_subject(finding)}  on {finding.host}{f' {finding.stack}' if finding.stack else ''}"


def _subject(finding: Finding) -> str:
    return f"{finding.subject} ({finding.count})" if finding.count > 1 else finding.subject


def not_looked_at(report: Report) -> Iterator[tuple[str, str]]:
    """What was asked for and is not there, each with the words that lead to it."""
    names: dict[str, list[str]] = {}
    for kind, name, why in lacking(report):
        if kind == "source":
            yield "could not be read", why if name in why else f"{name}: {why}"
        else:
            names.setdefault(kind, []).append(name)
    for kind, lead in (("host", "no evidence of"), ("baseline", "the baseline has nothing of")):
        if kind in names:
            yield f"{lead} {counted(len(names[kind]), 'host')}", ", ".join(names[kind])


def _not_seen(layout: Layout, report: Report) -> Iterator[str]:
    """By reason, those first that count, and of them those that hide most."""
    said = [f"{lead}: {words}" for lead, words in not_looked_at(report)]
    hidden = Counter((report.state(finding), finding.message) for finding in report.findings if finding.outcome == "unknown")
    for state, words in _UNSEEN.items():
        said += [f"{count} {words}: {why}" for (one, why), count in hidden.most_common() if one == state]
    if not said and not (report.complete and report.hosts):
        return
    yield ""
    yield from layout.heading("Not seen")
    for reason in said[:_REASONS]:
        yield layout.glimpse(reason, "  ")
    if len(said) > _REASONS:
        yield from layout.prose(f"... and {counted(len(said) - _REASONS, 'more reason')}, below", "  ", "    ")
    if not said:
        yield from layout.prose("nothing that a rule asked about; what this method never shows stands below", "  ")
