"""OCSF Compliance Finding (class 2003), schema 1.5.0, for a SIEM: a JSON array with one event a line, written host by host.

Each answer of each rule is one event, so that nothing is left out. What OCSF's words stand for (schema.ocsf.io, class compliance_finding,
objects compliance and finding_info):

- compliance.status: Fail is what is open or waived; Pass is a pass; Warning, "did not yield a result due to missing information", is
  unknown, error and notchecked; all else is Other and says what it is.
- status: New is open or could not be seen; Suppressed is what somebody accepted; Resolved is a finding of the baseline that is no more;
  all else, notchecked among it, is Other, "Nothing to review". In Progress is never said: whether people work on it is not known here.
- severity: the rule's where the finding is Fail, or could not be seen within the policy's scope; else Informational.
- activity: Update where the baseline had the finding too, Close where it alone had it, else Create.

The last event, `port-auditor/report/...`, is the audit as a whole: its Warning says that the audit is incomplete, allowed or not, and
`unmapped` why. Its finding_info.uid is that of every audit of these hosts by policies of these names, its metadata.uid of this one alone.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, TextIO

from auditor import __version__, stamps
from auditor.display import harmless_within
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.model import Finding
from auditor.report import Report
from auditor.reporter import Streamed

SCHEMA_VERSION = "1.5.0"
REPORT_UID = "port-auditor/report"
_ACTIVITIES = {1: "Create", 2: "Update", 3: "Close"}
_SEVERITIES = {"info": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_PASS, _WARNING, _FAIL = (1, "Pass"), (2, "Warning"), (3, "Fail")
_NEW, _SUPPRESSED, _RESOLVED = (1, "New"), (3, "Suppressed"), (4, "Resolved")
_OTHER = {"fail": "Inventory", "notapplicable": "Not applicable", "notselected": "Not selected"}
_VERDICTS = {"pass": _PASS, "incomplete": _WARNING, "fail": _FAIL}
_RULE_ANALYTIC = 1


class Events:
    """A list of them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._asked = _Digest()
        self._seen = _Digest()
        self._resources: list[dict[str, Any]] = []
        """Of the first two hosts."""
        stream.write("[\n")

    def host(self, one: Report) -> None:
        """An event for each answer about the host, and for each finding of the baseline that is no more."""
        host = one.hosts[0]
        self._asked.add(host.name, host.policy.name)
        self._seen.add(host.name, host.policy.sha256, host.evidence_sha256 or host.given)
        if len(self._resources) < 2:
            self._resources.append(_resource(host))
        numbers: Counter[str] = Counter()
        for gone, findings in ((False, one.findings), (True, host.gone)):
            for finding in findings:
                numbers[finding.fingerprint] += 1
                self._write(_event(one, host, finding, numbers[finding.fingerprint], gone))
                self._stream.write(",\n")

    def end(self, report: Report) -> None:
        """The event about the whole."""
        event = _whole(report)
        event["finding_info"]["uid"] = f"{REPORT_UID}/{self._asked}"
        event["metadata"]["uid"] = f"{report.finished}/{REPORT_UID}/{self._seen}"
        if len(self._resources) == 1:
            event["resources"] = self._resources
        self._write(harmless_within(event))
        self._stream.write("\n]\n")

    def _write(self, event: dict[str, Any]) -> None:
        json.dump(event, self._stream, ensure_ascii=True)


class _Digest:
    """Of names that are added one after the other."""

    def __init__(self) -> None:
        from hashlib import sha256

        self._digest = sha256()

    def add(self, *names: str) -> None:
        self._digest.update("\0".join((*names, "")).encode("utf-8", "backslashreplace"))

    def __str__(self) -> str:
        return self._digest.hexdigest()[:32]


def _event(report: Report, host: HostReport, finding: Finding, number: int, gone: bool) -> dict[str, Any]:
    document = report.documents.get(finding.rule)
    title = document.title if document else finding.rule
    time = stamps.milliseconds(stamps.of_evidence(report, host))
    status = (99, "Absent") if gone else _compliance_status(report, finding)
    counts = status in (_FAIL, _WARNING) and report.state(finding) not in ("notchecked", "inventory")
    severity = _SEVERITIES[finding.severity if counts else "info"]
    said = {"status_id": status[0], "status": status[1]}
    check = {"uid": finding.rule, "name": title, "severity_id": _SEVERITIES[finding.severity][0], **said}
    event = {
        **_head(report, 3 if gone else 2 if finding.baseline_state == "unchanged" else 1, severity, time),
        **_status(_RESOLVED if gone else _lifecycle(finding, counts)),
        "status_detail": report.standing(finding),
        "message": finding.message,
        "finding_info": {
            "uid": finding.fingerprint,
            "title": title,
            "desc": finding.message,
            "types": ["Port policy"],
            "analytic": {"type_id": _RULE_ANALYTIC, "type": "Rule", "uid": finding.rule, "name": title},
            "first_seen_time": _milliseconds(finding.first_seen),
            "last_seen_time": None if gone else time,
            "data_sources": [finding.source] if finding.source else None,
        },
        "compliance": {**_standards(report, host, finding), **said, "checks": [check]},
        "resources": [_resource(host)],
        "unmapped": {
            **finding.to_json(),
            **({"baseline_state": "absent"} if gone else {}),
            "policy": {"name": host.policy.name, "sha256": host.policy.sha256},
            "evidence_sha256": host.evidence_sha256,
            "self_assessed": host.live,
        },
    }
    judged = (report.finished, host.policy.sha256[:8], host.evidence_sha256 or "-", finding.fingerprint, str(number))
    event["metadata"]["uid"] = "/".join(judged)
    event["metadata"]["correlation_uid"] = host.evidence_sha256
    plain: dict[str, Any] = harmless_within(_without_none(event))
    if document and counts and (remedy := document.remedy.on(host.snapshot.shown.get("system"))):
        plain["remediation"] = {"desc": remedy}
    return plain


def _whole(report: Report) -> dict[str, Any]:
    """The event about the audit itself. At its end the totals are known, and no findings."""
    status = _WARNING if report.verdict == "pass" and not report.complete else _VERDICTS[report.verdict]
    severity = _SEVERITIES["info" if status == _PASS else report.fail_on if report.fail_on in _SEVERITIES else "medium"]
    event = {
        **_head(report, 1, severity, stamps.milliseconds(stamps.of_end(report))),
        **_status((99, "Nothing to review") if status == _PASS else _NEW),
        "message": report.headline,
        "finding_info": {"title": report.headline, "desc": report.statement, "types": ["Audit"]},
        "compliance": {"standards": ["port-auditor policies"], "status_id": status[0], "status": status[1]},
        "start_time": stamps.milliseconds(stamps.of_audit(report)),
        "end_time": stamps.milliseconds(stamps.of_end(report)),
        "unmapped": {
            "verdict": report.verdict,
            "complete": report.complete,
            "evidence": report.evidence_state,
            "counts": report.counts,
            "qualifications": report.qualifications(),
            "lacking": [{"kind": kind, "name": name, "why": why} for kind, name, why in lacking(report)],
            "narrowed": list(report.narrowed),
            "controls": [{"framework": v.framework.title, "summary": v.summary, "disclaimer": v.disclaimer} for v in report.controls],
        },
    }
    return _without_none(event)


def _head(report: Report, activity: int, severity: tuple[int, str], time: int) -> dict[str, Any]:
    """What every event of this class has; type_uid is class_uid * 100 + activity_id."""
    return {
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {"name": "port-auditor", "vendor_name": "port-auditor", "version": __version__},
            "labels": [report.shown_as.banner] if report.shown_as.banner else None,
        },
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "type_uid": 200300 + activity,
        "type_name": f"Compliance Finding: {_ACTIVITIES[activity]}",
        "time": time,
        "severity_id": severity[0],
        "severity": severity[1],
    }


def _status(status: tuple[int, str]) -> dict[str, Any]:
    return {"status_id": status[0], "status": status[1]}


def _compliance_status(report: Report, finding: Finding) -> tuple[int, str]:
    if finding.outcome in ("unknown", "error", "notchecked"):
        return _WARNING
    if finding.outcome == "pass":
        return _PASS
    if finding.outcome == "waived" or report.totals.is_open(finding):
        return _FAIL
    return 99, _OTHER[finding.outcome]


def _lifecycle(finding: Finding, counts: bool) -> tuple[int, str]:
    if finding.waiver is not None or finding.outcome == "waived":
        return _SUPPRESSED
    return _NEW if counts else (99, "Nothing to review")


def _standards(report: Report, host: HostReport, finding: Finding) -> dict[str, Any]:
    """The frameworks that the finding says something about, and the policy, which is what it was judged by."""
    titles = [f.title for f in report.frameworks if any(label.startswith(f"{f.title} ") for label in finding.controls)]
    return {
        "standards": [*titles, f"port-auditor policy {host.policy.name}"],
        "control": finding.controls[0] if finding.controls else None,
        "requirements": list(finding.controls) or None,
    }


def _resource(host: HostReport) -> dict[str, Any]:
    shown = host.snapshot.shown
    about = {key: shown.get(key) for key in ("machine_id", "system", "release", "taken")}
    return {"uid": shown.get("machine_id") or f"host:{host.name}", "name": host.name, "type": "host", "data": _without_none(about)}


def _milliseconds(stamp: str | None) -> int | None:
    utc = stamps.in_utc(stamp)
    return None if utc is None else stamps.milliseconds(utc)


def _without_none(plain: dict[str, Any]) -> dict[str, Any]:
    """An attribute that is not known is absent; `unmapped` is left as it is."""
    return {
        key: _without_none(value) if isinstance(value, dict) and key != "unmapped" else value
        for key, value in plain.items() if value is not None
    }  # fmt: skip


REPORTER = Streamed(suffix="ocsf.json", media_type="application/json", begin=Events)
