"""XCCDF 1.2 results, for SCAP tools (NISTIR 7275r4; Debian's openscap-common ships the schema).

The root is a Benchmark, since the standard has a rule-result refer to a Rule of the document that it is in (6.6.4.1), with a Rule for each
rule that came to an answer, and a TestResult for each host. Where there is not just one host, the first TestResult is the audit as a whole;
where there is, that one stands in the host's: many tools read one TestResult only. Each begins with a rule of ours, `audit-complete`: its
messages give the verdict, the counts and what nobody looked at; it is `unknown` where the audit is incomplete, else `informational`.

Each finding is a rule-result with its stack and subject as `instance`. Its result (6.6.4.2) is the finding's outcome, but

    waived               informational, with an override (6.6.4.3): old result fail, the approver as authority (or the owner,
                         as such, where none is stated), and why and until when
    fail, and inventory  informational
    an accepted gap      unknown, as before, with an override that says who approved it
    critical             severity high, "a grave or critical problem"

An override's time is the audit's, which applied it. OpenSCAP's Schematron (1.3.7) wants one on every result as soon as one has one: the
standard does not, and nobody authorized those.

The score is the default model's (table 40) with all weights 1: unknown and error count as not passed, informational, notchecked,
notapplicable and notselected not at all. It is rounded down, and 0 where nothing counted. `ident` holds the controls by name; no CCI, as
the frameworks' files name none by control.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from auditor import __version__, stamps
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.model import SEVERITIES, Finding
from auditor.report import Report
from auditor.reporter import Reporter
from auditor.xml_text import attributes, lines, text

NAMESPACE = "http://checklists.nist.gov/xccdf/1.2"
COMPLETENESS = "port-auditor.audit-complete"
_CONTROLS = "urn:port-auditor:controls"
_SEVERITIES = {severity: severity for severity in SEVERITIES} | {"critical": "high"}
_MESSAGES = {"error": "error", "unknown": "warning", "notchecked": "warning"}
_NOT_COUNTED = ("notapplicable", "notchecked", "informational", "notselected")


def render(report: Report, stream: TextIO) -> None:
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(f"<Benchmark{attributes({'xmlns': NAMESPACE, 'id': _id('benchmark', 'audit'), 'xml:lang': 'en'})}>\n")
    stream.writelines(_benchmark(report))
    only = report.hosts[0] if len(report.hosts) == 1 else None
    stream.writelines(_test_result(report, only, 0))
    for number, host in enumerate(() if only else report.hosts, 1):
        stream.writelines(_test_result(report.of_one(host), host, number))
    stream.write("</Benchmark>\n")


def _benchmark(report: Report) -> Iterator[str]:
    yield _element("status", "interim")
    yield _element("title", "Port audit")
    yield _element("description", "What port-auditor asked of the hosts. The policies that their results name say what is allowed.")
    if report.shown_as.banner:
        yield _element("notice", report.shown_as.banner, {"id": "banner"})
    yield _element("version", __version__)
    yield _rule(COMPLETENESS, "unknown", [_element("title", "Everything was seen that the verdict rests on")])
    gravest = {finding.rule: finding.severity for finding in sorted(report.findings, key=lambda one: SEVERITIES.index(one.severity))}
    for rule, severity in sorted(gravest.items()):
        document = report.documents.get(rule)
        told = {"title": document.title, "rationale": document.why, "fixtext": document.remedy.on(None)} if document else {"title": rule}
        yield _rule(rule, _SEVERITIES[severity], [f"<{name}>{lines(words.splitlines())}</{name}>\n" for name, words in told.items()])


def _rule(rule: str, severity: str, told: list[str]) -> str:
    return f"<Rule{attributes({'id': _id('rule', rule), 'severity': severity, 'multiple': 'true'})}>\n{''.join(told)}</Rule>\n"


def _test_result(report: Report, host: HostReport | None, number: int) -> Iterator[str]:
    """The result of one host and of the report that is of it alone, or of the audit as a whole."""
    name = host.name if host else "all hosts of this audit"
    at = stamps.of_evidence(report, host) if host else stamps.of_end(report)
    findings = report.findings if host else []
    ids = {"id": _id("testresult", str(number)), "test-system": f"cpe:/a:port-auditor:port-auditor:{__version__}", "version": __version__}
    yield f"<TestResult{attributes({**ids, 'start-time': stamps.of_audit(report), 'end-time': stamps.of_end(report)})}>\n"
    yield _element("title", report.headline)
    if report.shown_as.organisation:
        yield _element("organization", report.shown_as.organisation)
    yield _element("target", name)
    results = [(COMPLETENESS, "informational" if report.complete else "unknown")]
    yield _rule_result(*results[0], "unknown", at, [_message(*one) for one in _about(report, host)])
    for finding in findings:
        results.append((finding.rule, _result(report, finding)))
        yield _rule_result(*results[-1], _SEVERITIES[finding.severity], at, _told(report, finding, results[-1][1]))
    yield _element("score", _score(results), {"system": "urn:xccdf:scoring:default", "maximum": "100"})
    yield "</TestResult>\n"


def _rule_result(rule: str, result: str, severity: str, at: str, told: Iterable[str]) -> str:
    head = attributes({"idref": _id("rule", rule), "severity": severity, "time": at})
    return f"<rule-result{head}>\n{_element('result', result)}{''.join(told)}</rule-result>\n"


def _result(report: Report, finding: Finding) -> str:
    aside = finding.outcome == "fail" and report.state(finding) != "open"
    return "informational" if aside or finding.outcome == "waived" else finding.outcome


def _told(report: Report, finding: Finding, result: str) -> Iterator[str]:
    standing = report.standing(finding)
    if finding.waiver is not None:
        old = _element("old-result", "fail" if finding.outcome == "waived" else finding.outcome)
        head = attributes({"time": stamps.of_audit(report), "authority": _authority(finding.waiver)})
        yield f"<override{head}>\n{old}{_element('new-result', result)}{_element('remark', standing)}</override>\n"
    yield from (_element("ident", control, {"system": _CONTROLS}) for control in finding.controls)
    said = {
        "message": finding.message, "outcome": finding.outcome, "state": report.state(finding), "standing": standing,
        "severity": finding.severity, "observed": finding.observed, "expected": finding.expected, "source": finding.source,
        "who": finding.who, "examples": ", ".join(finding.examples), "count": finding.count, "baseline": finding.baseline_state,
        "first seen": finding.first_seen, "fingerprint": finding.fingerprint,
    }  # fmt: skip
    yield from (_message(key, value, _MESSAGES.get(finding.outcome, "info")) for key, value in said.items() if value)
    if finding.stack:
        yield _element("instance", finding.stack, {"context": "stack"})
    yield _element("instance", finding.subject, {"context": "subject", **({"parentContext": "stack"} if finding.stack else {})})


def _authority(waiver: dict[str, str]) -> str:
    return waiver.get("approved_by") or f"owner {waiver['owner']}, approver not stated"


def _about(report: Report, host: HostReport | None) -> Iterator[tuple[str, object, str]]:
    """What a report says of itself, each with its severity as a message."""
    said: dict[str, object] = {"statement": report.statement, "verdict": report.verdict, "complete": str(report.complete).lower(),
                               "evidence": report.evidence_state}  # fmt: skip
    said |= {f"count {outcome}": count for outcome, count in report.counts.items()}
    if host:
        shown, policy = host.snapshot.shown, host.policy
        said |= {"system": shown.get("system"), "release": shown.get("release"), "taken": shown.get("taken"), "given": host.given,
                 "evidence sha256": host.evidence_sha256, "policy": policy.name, "policy sha256": policy.sha256}  # fmt: skip
    yield from ((key, value, "info") for key, value in said.items() if value)
    yield from (("left out", words, "warning") for words in report.narrowed)
    yield from (("lacking", f"{kind} {name}: {why}", "error") for kind, name, why in lacking(report))
    for gone in host.gone if host else ():
        yield "gone", f"{gone.fingerprint} {gone.rule} {gone.subject}, which the baseline has", "info"


def _score(results: Iterable[tuple[str, str]]) -> str:
    """By table 40, of (rule, result): the mean of what part of each rule's results are pass."""
    from fractions import Fraction

    rules: dict[str, list[bool]] = {}
    for rule, result in results:
        if result not in _NOT_COUNTED:
            rules.setdefault(rule, []).append(result == "pass")
    scores = [Fraction(sum(passed), len(passed)) for passed in rules.values()]
    hundredths = math.floor(10000 * sum(scores) / len(scores)) if scores else 0
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _message(key: str, value: object, severity: str) -> str:
    return _element("message", f"{key}: {value}", {"severity": severity})


def _element(name: str, words: object, of: dict[str, str] | None = None) -> str:
    return f"<{name}{attributes(of or {})}>{text(words)}</{name}>\n"


def _id(kind: str, name: str) -> str:
    """An id that the standard allows (6.2.3), another for each name."""
    return f"xccdf_port-auditor_{kind}_" + (re.sub("[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}_", name) or "_")


REPORTER = Reporter(suffix="xccdf.xml", media_type="application/xml", render=render)
