"""SARIF 2.1.0, as GitHub code scanning accepts it.

    port-auditor audit evidence/ --site site.yaml -f sarif=ports.sarif      then: github/codeql-action/upload-sarif

Run it where the policy and the evidence lie in the repository, and name both by relative paths: every result stands in one of these files.

What is a result. GitHub makes an alert of every element of `run.results`: it reads neither `kind` (microsoft/PSRule issue 955) nor
`suppressions` (github/codeql-action issue 1230) nor `baselineState`, and closes an alert whose result is gone. So there stand
    open findings        kind fail, level by severity
    unknown and error    kind open ("insufficient information to decide"), level none, as section 3.27.10 demands
    accepted ones        with `suppressions`: were they left out, GitHub would call them fixed. advanced-security/dismiss-alerts closes
                         their alerts; it tells alerts apart by rule and place alone, so an accepted one never stands where an open one can
and all the others in the log's property bag, as results of the same shape under `portAuditor/otherResults`, where no alert comes of them:
    pass                 kind pass
    inventory            kind informational: failed, and by the policy not open
    notchecked           kind review: there is nothing to compare with, people have to judge
    notapplicable, notselected   kind notApplicable
    what the baseline had and is gone   baselineState absent: among the results GitHub would keep it open
(`inlineExternalProperties` cannot hold them: by section 3.15.2 a property is inline or external, and GitHub wants `results` inline.)

An audit that is incomplete has executionSuccessful false and says why in toolExecutionNotifications: nobody may conclude from it that what
is not there is fixed. GitHub may answer "unsuccessful execution" to such an upload and keep the alerts that it had (github/codeql-action
pull request 1393); gaps that a policy accepts make no audit incomplete.

More than 25,000 results make a further run, with a category of its own, as GitHub rejects two runs of one category; it takes 20 runs.

Sources: OASIS, SARIF 2.1.0 (sections by number); GitHub Docs, "SARIF support for code scanning"; the limits there.
"""

from __future__ import annotations

import json
import posixpath
import re
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TextIO
from urllib.parse import quote

from auditor import __version__
from auditor.display import harmless
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.model import SEVERITIES, Finding
from auditor.report import Report
from auditor.reporter import Streamed

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RESULTS_MAX = 25_000
"""How many results GitHub takes in one run."""
TEXT_MAX = 1024
"""How many characters GitHub takes of a rule's descriptions."""
OTHERS = "portAuditor/otherResults"
_KINDS = {"pass": "pass", "fail": "fail", "waived": "fail", "unknown": "open", "error": "open", "notchecked": "review",
          "notapplicable": "notApplicable", "notselected": "notApplicable"}  # fmt: skip
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.1"}
"""Each in the middle of what GitHub calls by that word; it has none for info."""
_SPOOLED_MAX = 1 << 22
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z", re.ASCII)
_LINE = re.compile(r"(.+):([1-9][0-9]{0,8})")


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
        self.name = "hosts"
        """What tells this log from those of other hosts."""
        self.unknown = 0
        stream.write(f'{{"$schema":"{SCHEMA}","version":"2.1.0",\n"properties":{{"{OTHERS}":[')

    def __del__(self) -> None:
        self._waiting.close()

    def host(self, one: Report) -> None:
        """The results of one host: to the waiting file what is an alert, to the stream the others."""
        for host in one.hosts:
            self.hosts += 1
            self.name = host.name if self.hosts == 1 else "hosts"
            places = _Places(host)
            for finding in one.findings:
                result = _result(one, host, finding, places)
                self._meet(finding)
                if one.totals.is_open(finding) or finding.leaves_open or _accepted(finding):
                    self._waiting.write(_line(result))
                    self._count += 1
                    self.unknown += finding.leaves_open and finding.outcome == "unknown"
                else:
                    self._write_other(result)
            for finding in host.gone:
                self._meet(finding)
                self._write_other({**_result(one, host, finding, places), "baselineState": "absent"})

    def end(self, report: Report) -> None:
        """The runs: one, and another for each further RESULTS_MAX results."""
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


def _accepted(finding: Finding) -> bool:
    """A waived finding, or a gap that the policy accepts."""
    return finding.outcome == "waived" or (finding.outcome == "unknown" and finding.waiver is not None)


def _result(report: Report, one: HostReport, finding: Finding, places: _Places) -> dict[str, Any]:
    kind, fingerprint = _KINDS[finding.outcome], finding.fingerprint
    if finding.outcome == "fail" and not report.totals.is_open(finding):
        kind = "informational"
    result: dict[str, Any] = {
        "ruleId": harmless(finding.rule),
        "kind": kind,
        "level": _LEVELS[finding.severity] if kind == "fail" else "none",
        "message": {"text": _message(report, finding)},
        "locations": [{"physicalLocation": places.of(finding), "logicalLocations": [_logical(finding)]}],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{fingerprint}:1",
            "portAuditorFingerprint/v1": fingerprint,
        },
        "properties": _properties(one, finding),
    }
    if _accepted(finding):
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": _justification(report, finding)}]
    if finding.baseline_state is not None:
        result["baselineState"] = finding.baseline_state
    return result


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
    words = {"unknown": "Not known: ", "notchecked": "Not checked: "}.get(finding.outcome, "")
    lines = [words + said]
    if _KINDS[finding.outcome] in ("fail", "open"):
        lines += [f"{key}: {value}" for key, value in beside.items() if value]
    return _plain(*lines)


def _plain(*lines: str) -> str:
    """Harmless lines, without anything that section 3.11.6 makes a link of."""
    return "\n".join(map(harmless, lines)).replace("](", "] (")


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
    return {key: _harmless(value) for key, value in plain.items() if value not in (None, [])}


def _harmless(value: Any) -> Any:
    """A JSON value whose every string can be read by every reader of JSON: some reject lone surrogates."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(key): _harmless(item) for key, item in value.items()}
    return [_harmless(item) for item in value] if isinstance(value, list | tuple) else value


class _Places:
    """Where the findings of a host stand: in the line of its policy that they come of, else in its evidence, which is always there."""

    def __init__(self, one: HostReport) -> None:
        self.files = set(one.policy.files)
        self.evidence, self.line = one.given, 1
        if one.live or one.given == "stdin" or one.given.startswith("stdin:"):
            self.evidence = f"{one.name.replace('/', '_')}.evidence"
        elif one.evidence is None and (found := _LINE.fullmatch(one.given)):
            self.evidence, self.line = found[1], int(found[2])

    def of(self, finding: Finding) -> dict[str, Any]:
        """Where an accepted one is written; where the policy asks for what an open one is not."""
        if _accepted(finding):
            written = (finding.waiver or {}).get("origin", "")
            return self._in_policy(written) or _physical(self.evidence, self.line, column=2)
        return self._in_policy((finding.source or "").removeprefix("policy ")) or _physical(self.evidence, self.line)

    def _in_policy(self, origin: str) -> dict[str, Any] | None:
        found = _LINE.fullmatch(origin)
        return _physical(found[1], int(found[2])) if found and found[1] in self.files else None


def _physical(path: str, line: int, column: int = 1) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1}
    return {"artifactLocation": {"uri": _relative(path)}, "region": region}


@lru_cache(64)
def _relative(path: str) -> str:
    """A path as a relative reference that is never empty: GitHub rejects all others."""
    parts = [part for part in posixpath.normpath(path).split("/") if part not in ("", ".", "..")]
    return quote("/".join(parts) or "evidence", safe="/", errors="backslashreplace")


def _run(report: Report, log: Log, part: int) -> dict[str, Any]:
    """A run without its results."""
    category = f"port-auditor/{harmless(log.name).replace('/', '_')}" + (f"/part-{part + 1}" if part else "")
    return {
        "tool": {"driver": {
            "name": "port-auditor",
            "semanticVersion": __version__,
            "rules": [_rule(report, rule, severity) for rule, severity in log.rules.items()],
        }},
        "automationDetails": {
            "id": f"{category}/{harmless(report.evaluated_on)}",
            "description": {"text": _plain(report.statement)},
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, log)],
        "properties": _harmless({
            "verdict": report.verdict, "complete": report.complete, "evidence": report.evidence_state, "statement": report.statement,
            "counts": report.counts, "evaluated_on": report.evaluated_on, "fail_on": report.fail_on, "narrowed": list(report.narrowed),
            "tables": report.tables,
        }),
    }  # fmt: skip


def _invocation(report: Report, log: Log) -> dict[str, Any]:
    stamps = {"startTimeUtc": report.started, "endTimeUtc": report.finished}
    return {
        "executionSuccessful": report.complete,
        "exitCode": report.exit_code,
        "exitCodeDescription": harmless(report.headline),
        **{key: stamp for key, stamp in stamps.items() if _STAMP.fullmatch(stamp)},
        "toolExecutionNotifications": [{"level": level, "message": {"text": _plain(text)}} for level, text in _notices(report, log)],
    }


def _notices(report: Report, log: Log) -> Iterator[tuple[str, str]]:
    """Why the audit is incomplete, and what it was told to leave out."""
    for kind, name, why in lacking(report):
        yield "error", f"{kind} {name}: {why}"
    if broken := report.counts.get("error"):
        yield "error", f"{broken} checks broke off by our error"
    if log.unknown:
        yield "error", f"{log.unknown} checks came to no result, as what they rest on was not seen"
    for clause in report.narrowed:
        yield "note", clause


def _rule(report: Report, rule: str, severity: str) -> dict[str, Any]:
    """A rule's document. GitHub takes no empty text, and shows as severity of an alert what stands here: the gravest that it had."""
    document = report.documents.get(rule)
    name = harmless(rule)
    title, why, remedy = (document.title, document.why, document.remedy.on(None)) if document else (rule, "", "")
    full = _plain(" ".join(why.split("\n\n")[0].split())) or _plain(title) or name
    parts = [part for part in (why, remedy and f"Remedy\n\n{remedy}") if part.strip()]
    help_text = _plain(*"\n\n".join(parts).splitlines()) or full
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in re.split(r"[^0-9A-Za-z]+", rule)) or name,
        "shortDescription": {"text": _cut(_plain(title) or name)},
        "fullDescription": {"text": _cut(full)},
        "help": {"text": help_text, "markdown": help_text.replace("Remedy\n\n", "## Remedy\n\n", 1) if remedy else help_text},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"tags": ["security", "network"], "precision": "high", "security-severity": _SCORES[severity]},
    }


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 4] + " ..."


REPORTER = Streamed(suffix="sarif", media_type="application/sarif+json", begin=Log)
