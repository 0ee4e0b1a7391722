"""Heimdall Data Format (InSpec's exec-json), for Heimdall and the MITRE SAF tools.

What Heimdall makes of a document (npm inspecjs 2.12.6, lib/compat_impl and lib/context.js) decides its shape:

- A control with results of several statuses shows one of them, error before failed before passed before skipped: an error would hide what
  is open, a pass what was not looked at. So a control here has results of one state only. The gravest state of a rule has the rule's name,
  each other one the rule's name and its own: `listener-not-approved/passed`.
- What is unknown or not checked is `skipped`, Heimdall's "Not Reviewed", which counts against the whole as a failure does.
- Heimdall shows as waived what has `skipped_due_to_waiver`, and so each acceptance has a control of its own: one waiver never covers what
  is open beside it. These rules did run; `run` says so, and each result what was found.
- Impact 0 is "Not Applicable": what is not applicable, not selected, or inventory; a finding of severity info that is open has 0.1.
- Two controls of one id are taken for one and its overlay, and one of them is not shown: where there are several hosts, ids end with
  `@HOST`.

There is a profile for each host, as each has its policy and its evidence; the last profile says whether the audit is complete, and what is
missing. No CCI is given: the frameworks' files name none by control.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, TextIO

from auditor import __version__, stamps
from auditor.display import harmless
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.model import SEVERITIES, Finding
from auditor.nist_controls import heimdall_id, nist_controls
from auditor.report import Report
from auditor.reporter import Reporter

COMPLETENESS = "port-auditor/audit-complete"
_IMPACTS = dict(zip(SEVERITIES, (0.1, 0.3, 0.5, 0.7, 0.9), strict=True))
_NOT_APPLICABLE = 0.0
_STATES = ("failed", "error", "not-seen", "not-checked", "passed", "waived", "inventory", "not-applicable", "not-selected")
"""Gravest first."""
_OF_OUTCOMES = {"fail": "failed", "unknown": "not-seen", "notchecked": "not-checked", "pass": "passed", "notapplicable": "not-applicable",
                "notselected": "not-selected"}  # fmt: skip
_STATUSES = {"failed": "failed", "error": "error", "passed": "passed"}
_OUT_OF_COUNT = ("inventory", "not-applicable", "not-selected")


def render(report: Report, stream: TextIO) -> None:
    json.dump(_document(report), stream, indent=1, ensure_ascii=True)
    stream.write("\n")


def _document(report: Report) -> dict[str, Any]:
    profiles = [_Profile(report, host, called).plain() for host, called in zip(report.hosts, _called(report), strict=True)]
    only = report.hosts[0].name if len(report.hosts) == 1 else None
    took = stamps.milliseconds(stamps.of_end(report)) - stamps.milliseconds(stamps.of_audit(report))
    return {
        "platform": {"name": "port-auditor", "release": __version__, "target_id": only and harmless(only)},
        "version": __version__,
        "statistics": {"duration": took / 1000},
        "profiles": [*profiles, _audit(report)],
    }


def _called(report: Report) -> list[str]:
    """What each host is called here: its name, and where that is taken, a number after it."""
    taken: dict[str, None] = {}
    for host in report.hosts:
        name = called = harmless(host.name)
        number = 1
        while called in taken:
            number += 1
            called = f"{name}#{number}"
        taken[called] = None
    return list(taken)


class _Profile:
    """What one host is judged by, and what came of it; `called` is its name, which no other has."""

    def __init__(self, report: Report, host: HostReport, called: str) -> None:
        self.report = report
        self.one = report.of_one(host)
        self.host = host
        self.called = called
        self.system = host.snapshot.shown.get("system")
        self.at = stamps.of_evidence(report, host)
        self.nist: dict[str, list[str]] = {}
        for _, control in nist_controls(self.one):
            for rule in control.rules:
                if rule.relation != "informs":
                    self.nist.setdefault(rule.rule, []).append(heimdall_id(control.control.id))

    def plain(self) -> dict[str, Any]:
        by_rule: dict[str, dict[tuple[str, str], list[Finding]]] = {}
        for finding in self.one.findings:
            by_rule.setdefault(finding.rule, {}).setdefault(self._state(finding), []).append(finding)
        controls = [control for rule in sorted(by_rule) for control in self._controls(rule, by_rule[rule])]
        policy, gone = self.host.policy, len(self.host.gone)
        return _profile(
            f"{policy.name}@{self.called}", policy.sha256, f"{self.called}, judged by {policy.name}",
            self.one.statement + (f" Findings of the baseline that are no more: {gone}." if gone else ""), controls,
            attributes=[_input(name, value) for name, value in (
                ("host", self.host.name), ("system", self.system), ("taken", self.host.snapshot.shown.get("taken")),
                ("evidence sha256", self.host.evidence_sha256), ("verdict", self.one.verdict), ("complete", self.one.complete),
            )],
            maintainer=self.report.shown_as.organisation,
        )  # fmt: skip

    def _state(self, finding: Finding) -> tuple[str, str]:
        """A finding's state, and the acceptance that it rests on."""
        if finding.waiver is not None:
            return "waived", json.dumps(finding.waiver, sort_keys=True)
        if finding.inventory or (finding.outcome == "fail" and not self.one.totals.is_open(finding)):
            return "inventory", ""
        return _OF_OUTCOMES.get(finding.outcome, finding.outcome), ""

    def _controls(self, rule: str, states: dict[tuple[str, str], list[Finding]]) -> list[dict[str, Any]]:
        """A control for each state of a rule, the gravest first and with the rule's name."""
        found: list[dict[str, Any]] = []
        numbers = Counter[str]()
        for state, waiver in sorted(states, key=lambda key: (_STATES.index(key[0]), key[1])):
            numbers[state] += 1
            words = [rule, *([state] if found else []), *([str(numbers[state])] if numbers[state] > 1 else [])]
            found.append(self._control("/".join(words), rule, state, states[state, waiver]))
        return found

    def _control(self, name: str, rule: str, state: str, findings: list[Finding]) -> dict[str, Any]:
        document = self.report.documents.get(rule)
        gravest = max((finding.severity for finding in findings), key=SEVERITIES.index)
        remedy = document.remedy.on(self.system) if document else ""
        labels = dict.fromkeys(harmless(label) for finding in findings for label in finding.controls)
        nist = self.nist.get(rule)
        return {
            "id": harmless(name if len(self.report.hosts) == 1 else f"{name}@{self.called}"),
            "title": harmless(document.title if document else rule) + ("" if state in _STATUSES else f" ({state.replace('-', ' ')})"),
            "desc": document.why if document else None,
            "descriptions": [{"label": "fix", "data": remedy}] if remedy else [],
            "impact": _NOT_APPLICABLE if state in _OUT_OF_COUNT else _IMPACTS[gravest],
            "refs": [],
            "tags": {"rule": harmless(rule), "state": state, "host": harmless(self.host.name), "controls": list(labels),
                     **({"nist": nist} if nist else {})},
            "code": "",
            "source_location": {},
            "results": [self._result(finding, state) for finding in findings],
            **({"waiver_data": self._waiver(findings[0])} if state == "waived" else {}),
        }  # fmt: skip

    def _result(self, finding: Finding, state: str) -> dict[str, Any]:
        told = {name: getattr(finding, name) for name in ("observed", "expected", "source", "who")}
        said = [finding.message, *(f"{name}: {value}" for name, value in told.items() if value), *self._standing(finding)]
        status = _STATUSES.get(state, "skipped")
        return {
            "status": status,
            "code_desc": harmless(f"{finding.subject} in {finding.stack}" if finding.stack else finding.subject),
            "start_time": self.at,
            "skip_message" if status == "skipped" else "message": harmless("; ".join(said)),
            **({"exception": "our error"} if status == "error" else {}),
            "outcome": finding.outcome,
            "severity": finding.severity,
            "fingerprint": finding.fingerprint,
            "count": finding.count,
            "baseline_state": finding.baseline_state,
            "first_seen": finding.first_seen and harmless(finding.first_seen),
        }

    def _standing(self, finding: Finding) -> list[str]:
        standing = self.report.standing(finding)
        return [standing] if standing else []

    def _waiver(self, finding: Finding) -> dict[str, Any]:
        waiver = finding.waiver or {}
        return {
            "expiration_date": harmless(waiver.get("expires", "")),
            "justification": harmless("; ".join(f"{key}: {value}" for key, value in waiver.items() if key != "expires")),
            "run": True,
            "skipped_due_to_waiver": True,
            "message": harmless(self.report.standing(finding) or ""),
        }


def _audit(report: Report) -> dict[str, Any]:
    """Whether the audit is complete, and what nobody looked at. A complete one counts for nothing."""
    results = [("the audit as a whole", report.statement)]
    results += [(f"{kind} {name}", why) for kind, name, why in lacking(report)]
    control = {
        "id": COMPLETENESS,
        "title": harmless(report.headline),
        "desc": harmless(report.statement),
        "impact": _NOT_APPLICABLE if report.complete else _IMPACTS["medium"],
        "refs": [],
        "tags": {"verdict": report.verdict, "complete": report.complete, "evidence": report.evidence_state, "counts": report.counts},
        "code": "",
        "source_location": {},
        "results": [
            {"status": "skipped", "code_desc": harmless(what), "start_time": stamps.of_end(report), "skip_message": harmless(why)}
            for what, why in results
        ],
    }
    return _profile("port-auditor", "", "The audit as a whole", report.statement, [control], maintainer=report.shown_as.organisation)


def _profile(
    name: str, sha256: str, title: str, summary: str, controls: list[dict[str, Any]], *, attributes: list[dict[str, Any]] | None = None,
    maintainer: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "name": harmless(name),
        "sha256": sha256,
        "title": harmless(title),
        "maintainer": maintainer and harmless(maintainer),
        "summary": harmless(summary),
        "version": __version__,
        "supports": [],
        "attributes": attributes or [],
        "groups": [],
        "controls": controls,
        "status": "loaded",
    }


def _input(name: str, value: object) -> dict[str, Any]:
    return {"name": name, "options": {"value": value if isinstance(value, bool) or value is None else harmless(value)}}


REPORTER = Reporter(suffix="hdf.json", media_type="application/json", render=render)
