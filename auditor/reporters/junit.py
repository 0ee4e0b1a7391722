"""JUnit XML, for the test pages of Jenkins, GitLab and others: a testsuite for each host, a testcase for each finding.

    failure   open, of any severity: the page shows all, --fail-on decides the exit status alone
    error     not known, and nobody accepted that, or our error: where nothing could be seen nothing has passed, so it breaks a build,
              with --allow-incomplete too
    skipped   waived, an accepted gap, out of the policy's scope, not checked, not applicable, switched off; with the reason
    passed    pass, and inventory: what failed and by the policy is not open

The last testsuite, `port-auditor`, is about the audit as a whole: its verdict, and an error for each source that could not be read, each
host of which there was no evidence and each that the baseline lacks.

There is no standard. This keeps to the strictest schema in use, Windy Road's JUnit-162a883.xsd: no totals on `testsuites`, no zone in a
stamp, nothing in a testcase but one of these elements. So all findings stand a second time in the testsuite's `system-out`, a line each:
outcome, fingerprint, rule, name and words. `skipped` is of any type there, and may have the `message` which Jenkins and GitLab show.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO

from auditor import __version__
from auditor.display import harmless
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.model import Finding
from auditor.report import Report
from auditor.reporter import Streamed
from auditor.xml_text import attributes, lines

PASSED, SKIPPED, ERROR, FAILURE = "passed", "skipped", "error", "failure"


class Case:
    """A testcase as it is written: its `result`, and where it is not passed the `type`, `message` and `details` of that."""

    __slots__ = ("classname", "details", "message", "name", "result", "type")

    def __init__(self, classname: str, name: str, result: str, kind: str = "", message: str = "", details: Iterable[str] = ()) -> None:
        self.classname = classname
        self.name = name
        self.result = result
        self.type = kind
        self.message = message
        self.details = details


class Testsuites:
    """One of each host, and one of the whole."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._written = 0
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n')

    def host(self, one: Report) -> None:
        for host in one.hosts:
            cases = [_case(one, host, finding) for finding in one.findings]
            _tell_apart(cases)
            words = [_line(finding.outcome, finding, case.name, _words(one, finding))
                     for finding, case in zip(one.findings, cases, strict=True)]  # fmt: skip
            gone = [_line("gone", finding, _name(finding), "in the baseline, and not now") for finding in host.gone]
            suite = {"name": _token(host.name), "hostname": _token(host.name), "timestamp": _stamp(one)}
            self._write(suite, {**_about(one), **_about_host(host)}, cases, [*words, *gone])

    def end(self, report: Report) -> None:
        cases = [Case(kind, name, ERROR, "incomplete", why) for kind, name, why in lacking(report)]
        _tell_apart(cases)
        suite = {"name": "port-auditor", "hostname": "localhost", "timestamp": _stamp(report)}
        self._write(suite, _about(report), cases, [report.statement])
        self._stream.write("</testsuites>\n")

    def _write(self, suite: dict[str, str], about: dict[str, str], cases: list[Case], words: Iterable[str]) -> None:
        results = Counter(case.result for case in cases)
        counts = {"tests": len(cases), "failures": results[FAILURE], "errors": results[ERROR], "skipped": results[SKIPPED], "time": 0}
        head = {**suite, "package": "port-auditor", "id": str(self._written), **{name: str(count) for name, count in counts.items()}}
        self._written += 1
        self._stream.write(f"<testsuite{attributes(head)}>\n<properties>\n")
        for key, value in about.items():
            self._stream.write(f"<property{attributes({'name': key, 'value': value})}/>\n")
        self._stream.write("</properties>\n")
        self._stream.writelines(map(_testcase, cases))
        self._stream.write(f"<system-out>{lines(words)}</system-out>\n<system-err/>\n</testsuite>\n")


def _case(report: Report, one: HostReport, finding: Finding) -> Case:
    result = _result(report, finding)
    kind = finding.severity if result == FAILURE else finding.outcome
    message = f"{finding.outcome}: {_words(report, finding)}" if result == SKIPPED else finding.message
    return Case(finding.rule, _name(finding), result, kind, message, _details(report, one, finding))


def _result(report: Report, finding: Finding) -> str:
    if finding.leaves_open:
        return ERROR
    if finding.outcome == "fail":
        return FAILURE if report.totals.is_open(finding) else PASSED
    return PASSED if finding.outcome == "pass" else SKIPPED


def _words(report: Report, finding: Finding) -> str:
    """The finding, and why it does not count where it does not."""
    standing = report.standing(finding)
    if finding.outcome == "fail" and not report.totals.is_open(finding):
        standing = standing or "inventory: its severity is info"
    return f"{finding.message}; {standing}" if standing else finding.message


def _name(finding: Finding) -> str:
    """Pages that join all testsuites tell testcases apart by classname and name, so it begins with the host."""
    return " ".join(word for word in (finding.host, finding.stack, finding.subject) if word)


def _tell_apart(cases: list[Case]) -> None:
    """Number those of one class and one name: pages show only one of them. The first keeps its name, and so does whoever has a name that
    only looks numbered."""
    named = {_key(case, case.name) for case in cases}
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        key = _key(case, case.name)
        seen[key] += 1
        if seen[key] == 1:
            continue
        while (numbered := _key(case, f"{case.name} #{seen[key]}")) in named:
            seen[key] += 1
        named.add(numbered)
        case.name = f"{case.name} #{seen[key]}"


def _key(case: Case, name: str) -> tuple[str, str]:
    return _token(case.classname), _token(name)


def _details(report: Report, one: HostReport, finding: Finding) -> Iterator[str]:
    """What a reader needs who sees this testcase alone, a line each."""
    told = {
        "severity": finding.severity, "observed": finding.observed, "expected": finding.expected, "source": finding.source,
        "who": finding.who, "examples": ", ".join(finding.examples), "controls": ", ".join(finding.controls),
        "baseline": finding.baseline_state, "first seen": finding.first_seen, "fingerprint": finding.fingerprint,
    }  # fmt: skip
    yield from (f"{key}: {value}" for key, value in told.items() if value)
    document = report.documents.get(finding.rule)
    if document is not None and finding.outcome == "fail":
        yield from document.remedy.on(one.snapshot.shown.get("system")).splitlines()


def _line(word: str, finding: Finding, name: str, words: str) -> str:
    return f"{word} {finding.fingerprint} {finding.rule} {name}: {words}"


def _about(report: Report) -> dict[str, str]:
    said = {
        "port-auditor": __version__, "verdict": report.verdict, "complete": str(report.complete).lower(), "evidence": report.evidence_state,
        "statement": report.statement, "evaluated_on": report.evaluated_on, "narrowed": "; ".join(report.narrowed),
        **{f"count.{outcome}": str(number) for outcome, number in report.counts.items()},
    }  # fmt: skip
    return {key: value for key, value in said.items() if value}


def _about_host(one: HostReport) -> dict[str, str]:
    shown = one.snapshot.shown
    said = {
        "system": shown.get("system"), "release": shown.get("release"), "taken": shown.get("taken"), "source": one.given,
        "evidence.sha256": one.evidence_sha256, "policy": one.policy.name, "policy.sha256": one.policy.sha256,
        "policy.files": ", ".join(one.policy.files), "self_assessed": str(one.live).lower(),
    }  # fmt: skip
    return {key: str(value) for key, value in said.items() if value}


def _testcase(case: Case) -> str:
    head = f"<testcase{attributes({'classname': _token(case.classname), 'name': _token(case.name), 'time': '0'})}"
    if case.result == PASSED:
        return f"{head}/>\n"
    said = {"message": case.message} | ({} if case.result == SKIPPED else {"type": _token(case.type)})
    inside = "" if case.result == SKIPPED else lines(case.details)
    return f"{head}><{case.result}{attributes(said)}>{inside}</{case.result}></testcase>\n"


def _token(text: str) -> str:
    """`text` as an xs:token that is not empty."""
    return " ".join(harmless(text).split()) or "?"


def _stamp(report: Report) -> str:
    """When the audit began, in UTC and without a zone; where that is not told the day of the audit, and 1970 where that is not either: the
    schema wants one."""
    for stamp in (report.started, report.evaluated_on):
        try:
            when = datetime.datetime.fromisoformat(stamp)
            return (when.astimezone(datetime.UTC) if when.tzinfo else when).strftime("%Y-%m-%dT%H:%M:%S")
        except (OverflowError, ValueError):
            continue
    return "1970-01-01T00:00:00"


REPORTER = Streamed(suffix="xml", media_type="application/xml", begin=Testsuites)
