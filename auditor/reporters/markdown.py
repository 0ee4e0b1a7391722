"""For tickets on GitHub, GitLab and Jira: the verdict, what was audited, what could not be seen, what is open and what to do about it.

CommonMark with GFM's tables and no HTML. A ticket has little room: the gravest findings come first, what is left out is counted, and
listeners are counted only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, TextIO

from auditor import __version__
from auditor.host_report import HostReport
from auditor.in_words import few
from auditor.lacking import lacking
from auditor.markdown_words import WHOLE, code, prose
from auditor.model import HOST_STACK, Finding
from auditor.report import Report
from auditor.reporter import Reporter

_LONGEST = 32_000
"""Characters: Jira takes 32,767, GitHub 65,536."""
_LABELS = 800
"""Characters of a finding's controls."""
_CLAUSE = 600
_CLAUSES = 20
"""How many clauses of the verdict are shown: the first and the last, which say what was not judged."""
_ELSEWHERE = "the html, json and csv reports have all"
_WHOLE = "the html and json reports have all"
_FACTS = ("privileged", "ephemeral", "reserved", "listening", "addresses", "settings", "persisted", "grants")
_HEAD = "| host | system | evidence | taken | policy | open | waived | unknown |\n|---|---|---|---|---|---|---|---|\n"
_SAID = ("observed", "expected", "source", "who")


def render(report: Report, stream: TextIO) -> None:
    """The whole report; open findings get the room that the rest leaves."""
    found = report.open
    errors, waived, unknown, accepted, aside = (
        [f for f in report.findings if (f.outcome, report.state(f)) == one]
        for one in (("error", "error"), ("waived", "waived"), ("unknown", "unknown"), ("unknown", "accepted"), ("unknown", "inventory"))
    )
    inventory = [*report.inventory, *aside]
    gone = [f"- {code(host.name)}: {code(f.rule)} {code(f.subject)}" for host in report.hosts for f in host.gone]
    before = [_verdict(report), _audited(report), _section("What could not be seen", _unseen(report), 2_000)]
    after = [
        _section(f"Our errors ({len(errors)})", _entries(report, errors), 1_200, of=len(errors)),
        _section(f"No longer found, and not necessarily mended ({len(gone)})", gone, 1_500, elsewhere=_WHOLE),
        _section("Changed since the baseline", _changes(report), 1_500, elsewhere=_WHOLE),
        _section(f"Waived ({len(waived)})", _entries(report, waived), 2_500, of=len(waived)),
        _section(f"Unknown ({len(unknown)})", _unknown(report, unknown), 2_500),
        _section(f"Accepted gaps ({len(accepted)})", _unknown(report, accepted), 1_500),
        _section(f"Inventory, not open ({len(inventory)})", _inventory(report, aside), 800),
        _section("Controls", _controls(report), 1_500),
        _section("Not checked: nothing to compare with", _not_checked(report), 2_000),
        _off(report),
        _section("Never shown by this method", _limits(report), 2_500),
        f"### Listeners ({report.totals.sight.listeners})\n\nThey are not listed here: {_ELSEWHERE}.",
    ]
    room = _LONGEST - sum(len(part) + 2 for part in (*before, *after))
    parts = [*before, _section(f"Open ({len(found)})", _open(report, found), room, of=len(found)), *after]
    stream.write("\n\n".join(filter(None, parts)) + "\n")


def _section(title: str, entries: Iterable[str], room: int, of: int | None = None, elsewhere: str = _ELSEWHERE) -> str:
    """A heading, the entries for which there is room, one at the least, and how many are left out, `of` how many where they are made as
    they are asked for; nothing where there are none."""
    said, size = [f"### {title}\n"], 0
    for number, entry in enumerate(entries):
        size += len(entry) + 1
        if size > room and number:
            total = of or len(list(entries))
            said.append(f"\n**{total - number} of {total} are left out here**: {elsewhere}.")
            break
        said.append(entry)
    return "\n".join(said).replace("\n\n\n", "\n\n") if len(said) > 1 else ""


def _verdict(report: Report) -> str:
    clauses = report.qualifications()
    if (more := len(clauses) - _CLAUSES) > 0:
        clauses[_CLAUSES // 2 : -_CLAUSES // 2] = [f"{more} clauses left out here"]
    shown = report.shown_as
    head = [f"**{prose(words)}**" for words in (shown.banner, shown.organisation) if words]
    first, *others = (prose(clause, _CLAUSE) for clause in clauses)
    return "\n\n".join([*head, f"## {prose(report.headline)}: {first}", "; ".join(others) + "."])


def _audited(report: Report) -> str:
    """One row a host, and the yardsticks."""
    rows = (("" if number else _HEAD) + _row(report, host) for number, host in enumerate(report.hosts))
    table = _section(f"Audited ({len(report.hosts)})", rows, 3_000, of=len(report.hosts))
    tables = ", ".join(f"{prose(name)} of {code(one.get('date', '?'))}" for name, one in report.tables.items())
    when = f"{code(report.started)} to {code(report.finished)}, evaluated for {code(report.evaluated_on)}"
    return f"{table}\n\nBy port-auditor {code(__version__)}, {when}. Tables: {tables or 'none'}.".lstrip()


def _row(report: Report, host: HostReport) -> str:
    shown = host.snapshot.shown
    counts = Counter(map(report.state, host.findings))
    system = " ".join(str(shown.get(key, "unknown")) for key in ("system", "release"))
    digest = f" sha256 {code(host.evidence_sha256[:12])}" if host.evidence_sha256 else ""
    policy = f"{host.policy.name}@{host.policy.sha256[:8]}"
    cells = [code(host.name), code(system), code(host.given) + digest, code(shown.get("taken", "unknown")), code(policy)]
    return f"| {' | '.join([*cells, *(str(counts[state]) for state in ('open', 'waived', 'unknown'))])} |"


def _unseen(report: Report) -> list[str]:
    said = [f"- {kind} {code(name)}: {prose(why)}" for kind, name, why in lacking(report)]
    return said + [f"- {code(host.name)}{words}" for host in report.hosts for words in _gaps(host)]


def _gaps(host: HostReport) -> Iterator[str]:
    """What could not be seen of a host: a line for each stack and reason, with all that it hides."""
    hidden: dict[tuple[str, str], dict[str, None]] = {}
    stacks = host.snapshot.facts("stacks")
    for gap in stacks.gaps:
        hidden.setdefault(("", gap.why), {})["stacks"] = None
    for stack in stacks.seen:
        for name in _FACTS:
            for gap in stack.facts(name).gaps:
                hidden.setdefault((f", stack {code(stack.shown.get('name', '?'))}", gap.why), {})[name] = None
    for (where, why), kinds in hidden.items():
        yield f"{where}: {', '.join(kinds)}: {prose(why)}"
    for words, names in _not_looked_at(host):
        yield f": {words}: {code(', '.join(map(str, names)))}"


def _not_looked_at(host: HostReport) -> Iterator[tuple[str, list[Any]]]:
    """A snapshot from elsewhere may hold anything under `visibility`."""
    seen = _mapping(host.snapshot.shown.get("visibility"))
    told = {"not entered": _mapping(seen.get("namespaces")).get("not_entered"), "not read": seen.get("not_read")}
    yield from ((words, names) for words, names in told.items() if isinstance(names, list) and names)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _open(report: Report, found: list[Finding]) -> Iterator[str]:
    """One entry a finding; before the first of a rule, what to do about it on the systems where it was found."""
    systems: dict[str, set[str | None]] = {}
    for host in report.hosts:
        systems.setdefault(host.name, set()).add(host.snapshot.shown.get("system"))
    for (severity, rule), alike in groupby(found, lambda finding: (finding.severity, finding.rule)):
        findings = list(alike)
        lead = _rule(report, severity, rule, {system for finding in findings for system in systems.get(finding.host, (None,))})
        for entry in _entries(report, findings):
            yield lead + entry
            lead = ""


def _entries(report: Report, findings: list[Finding]) -> Iterator[str]:
    return (_entry(report, finding) for finding in findings)


def _rule(report: Report, severity: str, rule: str, systems: set[str | None]) -> str:
    told = report.documents.get(rule)
    remedy = f"Remedy: {told.remedy.on(*systems)}".split("\n\n") if told else []
    title = f": {prose(told.title)}" if told else ""
    return "\n\n".join([f"\n#### {severity.upper()} {code(rule)}{title}", *(prose(" ".join(one.split()), WHOLE) for one in remedy), ""])


def _entry(report: Report, finding: Finding) -> str:
    where = code(finding.host) + (f", stack {code(finding.elsewhere)}" if finding.elsewhere else "")
    count = f" ({finding.count} of them)" if finding.count > 1 else ""
    rule = "" if report.state(finding) == "open" else f"{code(finding.rule)} "
    said = [f"- {rule}{code(finding.subject)}{count} on {where}: {prose(finding.message)}"]
    said += [f"{name}: {code(value)}" for name in _SAID if (value := getattr(finding, name))]
    said += [f"controls: {code(', '.join(finding.controls), _LABELS)}"] if finding.controls else []
    said += [f"first seen: {words}"] if (words := _first_seen(finding)) else []
    standing = report.standing(finding)
    said += [prose(standing)] if standing else []
    return "\n  - ".join([*said, f"fingerprint: {code(finding.fingerprint)}"])


def _first_seen(finding: Finding) -> str:
    """The baseline's moment may not have been the first."""
    stamp = code(finding.first_seen) if finding.first_seen else ""
    since = {"unchanged": "in the baseline, or before", "new": "new since the baseline"}.get(finding.baseline_state or "", "")
    return ", ".join(filter(None, (stamp, since)))


def _changes(report: Report) -> list[str]:
    return [f"- {code(host.name)}: {code(change)}" for host in report.hosts for change in host.changes]


def _unknown(report: Report, found: list[Finding]) -> list[str]:
    """By reason: what could not be seen usually hides itself from many rules."""
    by_reason: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in found:
        by_reason.setdefault((finding.host, finding.message, report.standing(finding)), []).append(finding)
    said = []
    for (host, reason, standing), alike in by_reason.items():
        stacks = list(dict.fromkeys(f.stack for f in alike if f.stack))
        where = f", stack {few(list(map(code, stacks)))}" if stacks not in ([], [HOST_STACK]) else ""
        lead = f"- {code(host)}{where}: {prose(reason)}"
        kept = f"\n  - {prose(standing)}" if standing else ""
        said.append(f"{lead}{kept}\n  - not judged: {', '.join(_rules(alike))}")
    return said


def _inventory(report: Report, aside: list[Finding]) -> list[str]:
    """What was found by rule, then what could not be told by reason."""
    return [*(f"- {words}" for words in _rules(report.inventory)), *_unknown(report, aside)]


def _rules(findings: list[Finding]) -> list[str]:
    """Each rule, with how often."""
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.rule] += finding.count
    return [f"{code(rule)} ({count})" for rule, count in sorted(counts.items())]


def _controls(report: Report) -> list[str]:
    """One line for each framework, where a policy chose any."""
    if not any(host.policy.controls for host in report.hosts):
        return []
    views = report.controls
    lowered = [f"- Each rule counts a step less than mapped: {prose(view.lowered)}." for view in views[:1] if view.lowered]
    return lowered + [f"- {prose(view.framework.title)}: {prose(view.summary)}. {prose(view.disclaimer)}" for view in views]


def _not_checked(report: Report) -> list[str]:
    """By what there was nothing to compare with."""
    by_reason: dict[str, set[str]] = {}
    for finding in report.findings:
        if finding.outcome == "notchecked":
            by_reason.setdefault(finding.message, set()).add(finding.rule)
    return [f"- {prose(reason)}: {', '.join(map(code, sorted(rules)))}" for reason, rules in by_reason.items()]


def _off(report: Report) -> str:
    rules = sorted({finding.rule for finding in report.findings if finding.outcome == "notselected"})
    return f"### Off in the policy ({len(rules)})\n\n{', '.join(map(code, rules))}" if rules else ""


def _limits(report: Report) -> list[str]:
    """What the method can never show, once for all hosts."""
    limits = dict.fromkeys(str(limit) for host in report.hosts for limit in host.snapshot.shown.get("limits", []))
    return [f"- {prose(limit)}" for limit in limits]


REPORTER = Reporter(suffix="md", media_type="text/markdown", render=render)
