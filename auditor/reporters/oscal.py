"""OSCAL 1.1.2 assessment results, for assessors and GRC tools (pages.nist.gov/OSCAL, model assessment-results).

The first result is the audit as a whole: its verdict, what is missing, and every control of every framework. Then comes one result for each
host, with an observation for each answer of each rule, so that nothing is left out; a risk, `deviation-approved`, for each acceptance that
was used; and a finding, `not-satisfied`, for each control of NIST SP 800-53 where a rule that evidences it found something open. No
control is ever `satisfied`: that is the assessor's to say, and so are `attestations`, of which an empty one would not be valid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from auditor import __version__, stamps
from auditor.control_view import ControlView
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.model import Finding
from auditor.nist_controls import nist_controls, oscal_id
from auditor.oscal_values import Uuids, filled, href, markup, prop
from auditor.report import Report
from auditor.reporter import Reporter

OSCAL_VERSION = "1.1.2"
NOTHING_REVIEWED = "no-control-reviewed"
"""A selection of controls may not be empty, and `include-all` would say that all of them were reviewed."""
_FOUND = ("fail", "waived")
_NOT_ASSESSED = "not assessed"


def render(report: Report, stream: TextIO) -> None:
    json.dump({"assessment-results": _Document(report).plain()}, stream, indent=1, ensure_ascii=True)
    stream.write("\n")


class _Document:
    """The document while it is made: its uuids, what no other run has, and the resources that its parts refer to."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.uuids = Uuids()
        self.tool = self.uuids.of("component", "port-auditor")
        judged = [word for host in report.hosts for word in _judged(host)]
        self.of_this_run = (report.started, report.finished, report.evaluated_on, report.statement, *judged)
        self.resources: list[dict[str, Any]] = []

    def plain(self) -> dict[str, Any]:
        plan = self._plan()
        return {
            "uuid": self.uuids.of("assessment-results", *self.of_this_run),
            "metadata": self._metadata(),
            "import-ap": {"href": f"#{plan}"},
            "results": [self._whole(), *(self._host(host) for host in self.report.hosts)],
            "back-matter": {"resources": self.resources},
        }

    def _metadata(self) -> dict[str, Any]:
        shown = self.report.shown_as
        party = [{"uuid": self.uuids.of("party", shown.organisation), "type": "organization", "name": markup(shown.organisation)}] if (
            shown.organisation) else []  # fmt: skip
        return filled({
            "title": "Port audit: assessment results",
            "last-modified": stamps.of_end(self.report),
            "version": stamps.of_end(self.report),
            "oscal-version": OSCAL_VERSION,
            "props": prop("marking", shown.banner, None),
            "parties": party,
        })  # fmt: skip

    def _plan(self) -> str:
        """There is no OSCAL assessment plan: the policies say what is asked."""
        policies = {host.policy.sha256: host.policy for host in self.report.hosts}
        named = ", ".join(f"{policy.name} (sha256 {policy.sha256})" for policy in policies.values()) or "no policy"
        uuid = self.uuids.of("plan", *policies)
        said = f"No OSCAL assessment plan was given. What is asked of the hosts stands in: {named}."
        self.resources.append({"uuid": uuid, "title": "What the audit asks", "description": markup(said)})
        return uuid

    # The audit as a whole

    def _whole(self) -> dict[str, Any]:
        report, start = self.report, stamps.of_audit(self.report)
        component = {
            "uuid": self.tool, "type": "software", "title": "port-auditor", "description": "The program that made these results",
            "props": prop("version", __version__, None), "status": {"state": "operational"},
        }  # fmt: skip
        return filled({
            "uuid": self.uuids.of("result", "whole", *self.of_this_run),
            "title": "The audit as a whole",
            "description": markup(report.statement),
            "start": start,
            "end": stamps.of_end(report),
            "props": _verdict(report),
            "local-definitions": {"components": [component]},
            "reviewed-controls": _reviewed(report, all_frameworks=True),
            "observations": list(self._missing()),
            "remarks": "The results of each host follow. Observations about no host are about what nobody looked at.",
        })  # fmt: skip

    def _missing(self) -> Iterator[dict[str, Any]]:
        """How complete the audit is, and whatever it was to look at and did not."""
        report = self.report
        told = "The audit is complete" if report.complete else "The audit is not complete"
        yield self._about_the_audit("completeness", told, report.statement, prop("complete", report.complete), "TEST")
        for kind, name, why in lacking(report):
            more = [*prop("complete", False), *prop(kind, name)]
            yield self._about_the_audit("lacking", f"Nobody looked: {name}", f"{kind} {name}: {why}", more)

    def _about_the_audit(self, kind: str, title: str, said: str, props: list[dict[str, str]], method: str = "UNKNOWN") -> dict[str, Any]:
        return filled({
            "uuid": self.uuids.of(kind, said), "title": markup(title), "description": markup(said), "props": props, "methods": [method],
            "origins": self._origin(), "collected": stamps.of_end(self.report),
        })  # fmt: skip

    # One host

    def _host(self, host: HostReport) -> dict[str, Any]:
        one, at = self.report.of_one(host), stamps.of_evidence(self.report, host)
        item = self._item(host)
        evidence = self._evidence(host)
        observations = [(finding, self._observation(host, finding, item["uuid"], evidence)) for finding in one.findings]
        return filled({
            "uuid": self.uuids.of("result", "host", at, self.report.evaluated_on, *_judged(host)),
            "title": markup(f"Host {host.name}, judged by {host.policy.name}"),
            "description": markup(one.statement),
            "start": at,
            "end": at,
            "props": [*_verdict(one), *prop("policy", host.policy.name), *prop("policy-sha256", host.policy.sha256),
                      *prop("self-assessed", host.live)],
            "local-definitions": {"inventory-items": [item]},
            "reviewed-controls": _reviewed(one),
            "observations": [plain for _, plain in observations] + [
                self._observation(host, finding, item["uuid"], evidence, gone=True) for finding in host.gone],
            "risks": self._risks(host, observations),
            "findings": self._findings(one, host, observations),
        })  # fmt: skip

    def _item(self, host: HostReport) -> dict[str, Any]:
        shown = host.snapshot.shown
        return {
            "uuid": self.uuids.of("inventory-item", host.name),
            "description": markup(f"Host {host.name}"),
            "props": [
                *(prop("host", host.name) or prop("host", "without a name")),
                *prop("host-by-its-own-word", shown.get("host")), *prop("machine-id", shown.get("machine_id")),
                *prop("os-name", shown.get("system"), None), *prop("os-version", shown.get("release"), None),
            ],
        }  # fmt: skip

    def _evidence(self, host: HostReport) -> dict[str, str]:
        """The evidence as a resource, by its name and digest: it is not part of this document."""
        uuid = self.uuids.of("evidence", host.evidence_sha256 or host.given)
        digest = host.evidence_sha256
        link = {"href": href(host.given), "hashes": [{"algorithm": "SHA-256", "value": digest}] if digest else []}
        said = f"Evidence of {host.name}" + (f", sha256 {digest}" if digest else ", given as a snapshot, without a digest")
        self.resources.append(filled({
            "uuid": uuid, "title": markup(f"Evidence of {host.name}"), "description": markup(said), "props": prop("sha256", digest),
            "rlinks": [] if host.live or not host.given else [filled(link)],
        }))  # fmt: skip
        return {"href": f"#{uuid}", "description": markup(said)}

    def _observation(
        self, host: HostReport, finding: Finding, item: str, evidence: dict[str, str], *, gone: bool = False
    ) -> dict[str, Any]:
        document = self.report.documents.get(finding.rule)
        kind = "historic" if gone else "finding" if finding.outcome in _FOUND else None
        standing = self.report.standing(finding)
        return filled({
            "uuid": self.uuids.of("gone" if gone else "observation", finding.fingerprint),
            "title": markup(document.title if document else finding.rule),
            "description": markup(finding.message),
            "props": list(_props(finding, gone)),
            "methods": ["TEST"],
            "types": [kind] if kind else [],
            "origins": self._origin(),
            "subjects": [{"subject-uuid": item, "type": "inventory-item", "title": markup(host.name)}],
            "relevant-evidence": [evidence],
            "collected": stamps.of_evidence(self.report, host),
            "remarks": "Of the baseline; no more" if gone else standing and markup(standing),
        })  # fmt: skip

    def _origin(self) -> list[dict[str, Any]]:
        return [{"actors": [{"type": "tool", "actor-uuid": self.tool}]}]

    def _risks(self, host: HostReport, observations: list[tuple[Finding, dict[str, Any]]]) -> list[dict[str, Any]]:
        """One for each acceptance that was used on the host, with what it covers."""
        covered: dict[tuple[tuple[str, str], ...], list[tuple[Finding, str]]] = {}
        for finding, plain in observations:
            if finding.waiver is not None:
                covered.setdefault(tuple(sorted(finding.waiver.items())), []).append((finding, plain["uuid"]))
        risks = []
        for waiver, used in covered.items():
            told, first = dict(waiver), used[0][0]
            name = told.get("id") or told.get("origin") or "without a name"
            ends = stamps.in_utc(f"{told.get('expires')}T23:59:59Z")
            risks.append(filled({
                "uuid": self.uuids.of("risk", host.name, name),
                "title": markup(f"Accepted: {name}"),
                "description": markup("; ".join(dict.fromkeys(finding.message for finding, _ in used))),
                "statement": markup(self.report.standing(first) or name),
                "props": [one for key, value in waiver for one in prop(key.replace("_", "-"), value)],
                "status": "deviation-approved",
                "deadline": ends,
                "related-observations": [{"observation-uuid": uuid} for _, uuid in used],
            }))  # fmt: skip
        return risks

    def _findings(self, one: Report, host: HostReport, observations: list[tuple[Finding, dict[str, Any]]]) -> list[dict[str, Any]]:
        """The controls against which something is open that a rule which evidences them found; nothing is said of any other."""
        findings = []
        for view, control in nist_controls(one):
            rules = {rule.rule for rule in control.rules if rule.relation == "evidences"}
            label = control.control.named(view.framework)
            related = [plain["uuid"] for f, plain in observations if f.rule in rules and one.totals.is_open(f) and label in f.controls]
            if related:
                oscal = oscal_id(control.control.id)
                said = f"{len(related)} open by rules that evidence it"
                findings.append({
                    "uuid": self.uuids.of("finding", host.name, oscal),
                    "title": markup(f"{control.control.id}: {said}"),
                    "description": markup(f"{control.control.words}: {said}"),
                    "target": {
                        "type": "objective-id", "target-id": f"{oscal}_obj", "status": {"state": "not-satisfied", "reason": "fail"},
                    },
                    "related-observations": [{"observation-uuid": uuid} for uuid in related],
                    "remarks": markup(view.disclaimer),
                })  # fmt: skip
        return findings


def _judged(host: HostReport) -> tuple[str, str, str]:
    """Which host, by which evidence and which policy."""
    return host.name, host.evidence_sha256 or host.given, host.policy.sha256


def _verdict(report: Report) -> list[dict[str, str]]:
    counts = [one for outcome, count in report.counts.items() for one in prop(f"count-{outcome}", count)]
    return [
        *prop("verdict", report.verdict),
        *prop("complete", report.complete),
        *prop("evidence", report.evidence_state),
        *prop("open", len(report.open)),
        *counts,
    ]


def _props(finding: Finding, gone: bool) -> Iterable[dict[str, str]]:
    for name in ("fingerprint", "outcome", "rule", "severity", "stack", "subject", "count", "observed", "expected", "source", "who"):
        yield from prop(name, getattr(finding, name))
    yield from prop("inventory", finding.inventory)
    yield from prop("baseline-state", "absent" if gone else finding.baseline_state)
    yield from prop("first-seen", finding.first_seen)
    for name, values in (("example", finding.examples), ("fact", finding.facts), ("control", finding.controls)):
        for value in values:
            yield from prop(name, value)


def _reviewed(report: Report, *, all_frameworks: bool = False) -> dict[str, Any]:
    """The controls of NIST SP 800-53 of which something was seen. What came of those of all frameworks stands in props, as does what
    people must attest."""
    seen = [control for _, control in nist_controls(report) if control.result != _NOT_ASSESSED]
    ids = list(dict.fromkeys(oscal_id(control.control.id) for control in seen))
    said = "What the audit says something about: " + ("; ".join(map(_result, seen)) if seen else "no control of NIST SP 800-53") + "."
    props = [] if not all_frameworks else [
        one for view in report.controls for control in view.controls
        for one in (*prop("control-result", f"{view.framework.title} {_result(control)}"), *_attest(control))
    ]  # fmt: skip
    return filled({
        "description": markup(f"{said} Whether a control is fulfilled, the assessor concludes."),
        "props": props,
        "control-selections": [{"include-controls": [{"control-id": name} for name in ids or [NOTHING_REVIEWED]]}],
    })  # fmt: skip


def _result(view: ControlView) -> str:
    return f"{view.control.number}: {view.result}, evidence {view.evidence}"


def _attest(view: ControlView) -> list[dict[str, str]]:
    return prop("to-be-attested", f"{view.control.number}: {view.control.attest}") if view.control.same_as is None else []


REPORTER = Reporter(suffix="oscal.json", media_type="application/json", render=render)
