"""SARIF 2.1.0, as GitHub code scanning accepts it.

    port-auditor audit evidence/ --site site.yaml -f sarif=ports.sarif      then: github/codeql-action/upload-sarif

Run it where the policy and the evidence lie in the repository, and name both by relative paths: every result stands in one of these files.

What is a result. GitHub makes an alert of every element of `run.results`: it reads neither `kind` (microsoft/PSRule issue 955) nor
`suppressions` (github/codeql-action issue 1230) nor `baselineState`, and closes an alert whose result is gone. So there stand
    open findings        kind fail, level by severity
    unknown and error    kind open ("insufficient information to decide"), level none, as section 3.27.10 demands
    accepted ones        with `suppressions`: were they left out, GitHub would call them fixed. advanced-security/dismiss-alerts closes
                         their alerts; it tells alerts apart by rule and place alone, so an accepted one never stands where an open one can
    audit-complete       of ours, where the audit is not complete: kind fail, level warning, so that no gate takes it for a clean one
and all the others in the log's property bag, as short results under `portAuditor/otherResults`, where no alert comes of them:
    pass                 kind pass
    inventory            kind informational: failed, and by the policy not open
    notchecked           kind review: there is nothing to compare with, people have to judge
    notapplicable, notselected   kind notApplicable
    what the baseline had and is gone   baselineState absent: among the results GitHub would keep it open
(`inlineExternalProperties` cannot hold them: by section 3.15.2 a property is inline or external, and GitHub wants `results` inline.)

An audit that is incomplete has executionSuccessful false and says why in toolExecutionNotifications: nobody may conclude from it that what
is not there is fixed. GitHub refuses such an upload and keeps the alerts that it had (github/codeql-action pull request 1393). Gaps that a
policy accepts make no audit incomplete; those that --allow-incomplete allows have executionSuccessful true, where nothing is lacking
altogether, and the result audit-complete stands for them.

More than 25,000 results make a further run, with a category of its own, as GitHub rejects two runs of one category; it takes 20 runs.

Sources: OASIS, SARIF 2.1.0 (sections by number); GitHub Docs, "SARIF support for code scanning"; the limits there.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from typing import Any, TextIO

from auditor import __version__
from auditor.display import harmless, harmless_within
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.model import SEVERITIES, Finding
from auditor.report import Report
from auditor.reporter import Streamed
from auditor.sarif_places import Places, accepted, physical
from auditor.sarif_rules import COMPLETENESS, LEVELS, described, plain

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RESULTS_MAX = 25_000
"""How many results GitHub takes in one run."""
OTHERS = "portAuditor/otherResults"
FINGERPRINT = "portAuditorFingerprint/v1"
_KINDS = {"pass": "pass", "fail": "fail", "waived": "fail", "unknown": "open", "error": "open", "notchecked": "review",
          "notapplicable": "notApplicable", "notselected": "notApplicable"}  # fmt: skip
_SPOOLED_MAX = 1 << 22
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z", re.ASCII)


class Log:
    """The results that are alerts wait in a file, as the others go before them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting = tempfile.SpooledTemporaryFile(_SPOOLED_MAX, "w+", encoding="ascii")  # noqa: SIM115 - closed in the end
        self._count = 0
        self._others = 0
        self.rules: dict[str, str] = {}
        """The gravest severity of each rule, in the order in which rules were met."""
        self.hosts = 0
        self.name = ""
        """Of the first host."""
        self.unknown = 0
        stream.write(f'{{"$schema":"{SCHEMA}","version":"2.1.0",\n"properties":{{"{OTHERS}":[')

    def __del__(self) -> None:
        self._waiting.close()

    def host(self, one: Report) -> None:
        """The results of one host: to the waiting file what is an alert, to the stream the others."""
        for host in one.hosts:
            self.hosts += 1
            self.name = self.name or host.name
            places = Places(host)
            for finding in one.findings:
                self._meet(finding)
                if one.totals.is_open(finding) or finding.leaves_open or accepted(finding):
                    self._waiting.write(_line(_result(one, host, finding, places)))
                    self._count += 1
                    self.unknown += finding.leaves_open and finding.outcome == "unknown"
                else:
                    self._write_other(_other(one, finding))
            for finding in host.gone:
                self._meet(finding)
                self._write_other({**_other(one, finding), "baselineState": "absent"})

    def end(self, report: Report) -> None:
        """The runs: one, and another for each further RESULTS_MAX results."""
        if not report.complete:
            self.rules[COMPLETENESS] = "medium"
            self._waiting.write(_line(_incomplete(report, self)))
            self._count += 1
        self._stream.write(']},\n"runs":[')
        with self._waiting as waiting:
            waiting.seek(0)
            for part in range(max(1, -(-self._count // RESULTS_MAX))):
                run = json.dumps(_run(report, self, part), ensure_ascii=True)
                self._stream.write(("," if part else "") + f'\n{run[:-1]},\n"results":[')
                for number, result in zip(range(min(RESULTS_MAX, self._count - part * RESULTS_MAX)), waiting, strict=False):
                    self._stream.write(("," if number else "") + "\n" + result.rstrip())
                self._stream.write("]}")
        self._stream.write("]}\n")

    def _meet(self, finding: Finding) -> None:
        known = self.rules.setdefault(finding.rule, finding.severity)
        if SEVERITIES.index(finding.severity) > SEVERITIES.index(known):
            self.rules[finding.rule] = finding.severity

    def _write_other(self, result: dict[str, Any]) -> None:
        self._stream.write(("," if self._others else "") + "\n" + _line(result).rstrip())
        self._others += 1


def _line(result: dict[str, Any]) -> str:
    return json.dumps(result, ensure_ascii=True, separators=(",", ":")) + "\n"


def _result(report: Report, one: HostReport, finding: Finding, places: Places) -> dict[str, Any]:
    kind, fingerprint = _kind(report, finding), finding.fingerprint
    result: dict[str, Any] = {
        "ruleId": harmless(finding.rule),
        "kind": kind,
        "level": LEVELS[finding.severity] if kind == "fail" else "none",
        "message": {"text": _message(report, finding)},
        "locations": [{"physicalLocation": places.of(finding), "logicalLocations": [_logical(finding)]}],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{fingerprint}:1",
            FINGERPRINT: fingerprint,
        },
        "properties": _properties(one, finding),
    }
    if accepted(finding):
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": _justification(report, finding)}]
    if finding.baseline_state is not None:
        result["baselineState"] = finding.baseline_state
    return result


def _kind(report: Report, finding: Finding) -> str:
    return "informational" if finding.outcome == "fail" and not report.totals.is_open(finding) else _KINDS[finding.outcome]


def _other(report: Report, finding: Finding) -> dict[str, Any]:
    """A result that is no alert: which answer of which rule it is, and no more. They are most of a log."""
    named = {name: getattr(finding, name) for name in ("host", "stack", "subject", "outcome", "severity")}
    return {
        "ruleId": harmless(finding.rule),
        "kind": _kind(report, finding),
        "message": {"text": plain(finding.message if finding.message.strip() else finding.rule)},
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {name: harmless(value) for name, value in named.items() if value is not None},
    }


def _incomplete(report: Report, log: Log) -> dict[str, Any]:
    """The result of an audit that is not complete, with its reasons. It stands where the first policy does."""
    files = [file for policy in report.totals.policies.values() for file in policy.files]
    reasons = [text for level, text in _notices(report, log) if level != "note"]
    fingerprint = Finding(COMPLETENESS, _category(report, log), None, "", "unknown", "medium", "").fingerprint
    return {
        "ruleId": COMPLETENESS,
        "kind": "fail",
        "level": "warning",
        "message": {"text": plain("The audit is not complete", *reasons)},
        "locations": [{"physicalLocation": physical(files[0] if files else "evidence", 1)}],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1", FINGERPRINT: fingerprint},
    }


def _logical(finding: Finding) -> dict[str, str]:
    names = [harmless(word) for word in (finding.host, finding.stack, finding.subject) if word]
    return {"name": names[-1] if names else "?", "fullyQualifiedName": "/".join(names) or "?", "kind": "resource"}


def _message(report: Report, finding: Finding) -> str:
    """What an alert shows: the finding in one line, and beneath what a reader needs who has nothing else."""
    said = finding.message if finding.message.strip() else finding.rule
    beside = {
        "Host": finding.host, "Stack": finding.stack, "Subject": finding.subject, "Observed": finding.observed,
        "Expected": finding.expected, "Held by": finding.who, "Source": finding.source, "Examples": ", ".join(finding.examples),
        "Standing": report.standing(finding),
    }  # fmt: skip
    words = "Not known: " if finding.outcome == "unknown" else ""
    return plain(words + said, *(f"{key}: {value}" for key, value in beside.items() if value))


def _justification(report: Report, finding: Finding) -> str:
    told = finding.waiver or {}
    more = {"approved_by": "approved by", "ticket": "ticket", "compensated_by": "compensated by", "origin": "written in"}
    said = [report.standing(finding) or "accepted", *(f"{words} {told[key]}" for key, words in more.items() if told.get(key))]
    return harmless("; ".join(said))


def _properties(one: HostReport, finding: Finding) -> dict[str, Any]:
    """The finding's own words, as report/1 has them."""
    plain: dict[str, Any] = {
        "outcome": finding.outcome, "severity": finding.severity, "host": finding.host, "stack": finding.stack, "subject": finding.subject,
        "message": finding.message, "observed": finding.observed, "expected": finding.expected, "source": finding.source,
        "who": finding.who, "count": finding.count, "examples": list(finding.examples), "inventory": finding.inventory,
        "facts": list(finding.facts), "controls": list(finding.controls), "first_seen": finding.first_seen, "waiver": finding.waiver,
        "policy_sha256": one.policy.sha256, "evidence_sha256": one.evidence_sha256,
    }  # fmt: skip
    return {key: harmless_within(value) for key, value in plain.items() if value not in (None, [])}


def _run(report: Report, log: Log, part: int) -> dict[str, Any]:
    """A run without its results."""
    category = _category(report, log) + (f"/part-{part + 1}" if part else "")
    return {
        "tool": {"driver": {
            "name": "port-auditor",
            "semanticVersion": __version__,
            "rules": [described(report, rule, severity) for rule, severity in log.rules.items()],
        }},
        "automationDetails": {
            "id": f"{category}/{harmless(report.evaluated_on)}",
            "description": {"text": plain(report.statement)},
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, log)],
        "properties": harmless_within({
            "verdict": report.verdict, "complete": report.complete, "evidence": report.evidence_state, "statement": report.statement,
            "counts": report.counts, "evaluated_on": report.evaluated_on, "fail_on": report.fail_on, "narrowed": list(report.narrowed),
            "tables": report.tables,
        }),
    }  # fmt: skip


def _category(report: Report, log: Log) -> str:
    """What tells this log from those of other hosts: the one host, or the site, or else the policies of several."""
    policies = ",".join(sorted({policy.name for policy in report.totals.policies.values()}))
    name = log.name if log.hosts == 1 else report.site.name if report.site else policies or "no-host"
    return f"port-auditor/{harmless(name).replace('/', '_')}"


def _invocation(report: Report, log: Log) -> dict[str, Any]:
    stamps = {"startTimeUtc": report.started, "endTimeUtc": report.finished}
    return {
        "executionSuccessful": report.complete or _allowed(report),
        "exitCode": report.exit_code,
        "exitCodeDescription": harmless(report.headline),
        **{key: stamp for key, stamp in stamps.items() if _STAMP.fullmatch(stamp)},
        "toolExecutionNotifications": [{"level": level, "message": {"text": plain(text)}} for level, text in _notices(report, log)],
    }


def _notices(report: Report, log: Log) -> Iterator[tuple[str, str]]:
    """Why the audit is incomplete, and what it was told to leave out."""
    grave = "warning" if _allowed(report) else "error"
    for kind, name, why in lacking(report):
        yield grave, f"{kind} {name}: {why}"
    if broken := report.counts.get("error"):
        yield grave, f"{broken} checks broke off by our error"
    if log.unknown:
        yield grave, f"{log.unknown} checks came to no result, as what they rest on was not seen"
    for clause in report.narrowed:
        yield "note", clause


def _allowed(report: Report) -> bool:
    """Whether --allow-incomplete allows all that is missing: never what nobody looked at."""
    return report.allow_incomplete and not any(lacking(report))


REPORTER = Streamed(suffix="sarif", media_type="application/sarif+json", begin=Log)
