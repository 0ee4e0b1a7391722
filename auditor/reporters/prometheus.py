"""The figures of an audit for Prometheus, as a file for node_exporter's textfile collector.

    port-auditor audit -f prometheus=/var/lib/prometheus/node-exporter/port_auditor.prom

The file is written beside its place and renamed over it, and everybody may read it (mode 0644): node_exporter runs as another user. So it
holds figures and no name of a host, process, user or address; node_exporter adds `instance`. Labels are words of this program, rules, and
what policies are called: their number is bounded. Every combination is written, zeros too, so that an alert needs no `or vector(0)`.

node_exporter drops a sample that it has from another file already, so every sample is labelled with the names of the policies: there may be
a file for each policy.

reports/formats.md has the alerts that are worth having. That on what could not be seen keeps the instance and the policy:

    sum without (severity, state) (port_auditor_findings{state=~"unknown|error"}) > 0

Sources: Prometheus, "Exposition formats", text-based format (escaping, HELP, TYPE); node_exporter's README, "Textfile Collector" (`*.prom`,
no timestamps, written by a rename); "Metric and label naming" (seconds, `_info`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TextIO

from auditor import __version__
from auditor.display import harmless
from auditor.figures import acceptances, duration, evidence_moment, expiring, moment, owner_states, reaches
from auditor.model import OUTCOMES, SEVERITIES
from auditor.report import Report
from auditor.reporter import Reporter

Sample = tuple[Mapping[str, str], int]
_STATES = ("open", "waived", "inventory", "unknown", "accepted", "error")
_RESULTS = ("fail", "pass", "waived")


def render(report: Report, stream: TextIO) -> None:
    """Every figure with its HELP and TYPE; one whose value is not known has no sample, which `absent()` finds."""
    policies = {"policy": ",".join(sorted({policy.name for policy in report.totals.policies.values()}))}
    for name, explained, samples in _figures(report):
        stream.write(f"# HELP port_auditor_{name} {explained}\n# TYPE port_auditor_{name} gauge\n")
        for labels, value in samples:
            stream.write(f"port_auditor_{name}{_braced({**labels, **policies})} {value}\n")


def _figures(report: Report) -> list[tuple[str, str, Iterable[Sample]]]:
    return [
        ("verdict", "1 for the verdict of the last run, 0 for the others.",
         _one_of("verdict", ("pass", "fail", "incomplete"), report.verdict)),
        ("last_run_complete", "1 when everything was seen that the verdict rests on.", _only(int(report.complete))),
        ("evidence", "1 for how much of the evidence there was: partial where a gap is accepted, or out of scope.",
         _one_of("state", ("complete", "partial", "incomplete"), report.evidence_state)),
        ("last_run_timestamp_seconds", "Unix time at which the last run finished.", _only(moment(report.finished))),
        ("last_run_duration_seconds", "How long the last run took, without the writing of its reports.", _only(duration(report))),
        ("narrowed", "What the last run was told to leave out or to take for granted, counted.", _only(len(report.narrowed))),
        ("evidence_timestamp_seconds", "Unix time of the oldest evidence judged; absent where some does not tell.",
         _only(evidence_moment(report))),
        ("findings", "Findings by severity and state; accepted are accepted gaps, inventory breaks no verdict.", _findings(report)),
        ("new_findings", "Open findings that the baseline does not show; absent without a baseline.", _new(report)),
        ("rule_open", "Open findings of each rule; absent for one that came to no result.", _by_rule(report)),
        ("outcomes", "Results of rules by outcome; unknown whether accepted or not.",
         [({"outcome": word}, report.counts.get(word, 0)) for word in OUTCOMES]),
        ("listeners", "Listeners that were seen, by how far they can be reached.",
         [({"scope": word}, count) for word, count in reaches(report).items()]),
        ("listeners_owner", "Listeners that were seen, by how much is known of who holds them.",
         [({"state": word}, count) for word, count in owner_states(report).items()]),
        ("hosts", "Hosts audited.", _only(len(report.hosts))),
        ("hosts_missing", "Hosts of the inventory of which there was no evidence.", _only(len(report.missing_hosts))),
        ("sources_bad", "Sources that could not be read.", _only(len(report.bad_sources))),
        ("waivers_used", "Waivers and accepted gaps on which a finding of the last run rests.", _only(len(acceptances(report)))),
        ("waivers_expiring_30d", "Those of them that expire within 30 days.", _only(expiring(report))),
        ("policy_info", "The policies that hosts were judged by.", _policies(report)),
        ("build_info", "The version of port-auditor.", [({"version": __version__}, 1)]),
    ]  # fmt: skip


def _only(value: int | None) -> list[Sample]:
    return [] if value is None else [({}, value)]


def _one_of(label: str, words: tuple[str, ...], true: str) -> list[Sample]:
    return [({label: word}, int(word == true)) for word in words]


def _findings(report: Report) -> list[Sample]:
    counts = Counter((finding.severity, report.state(finding)) for finding in report.findings)
    return [({"severity": severity, "state": state}, counts[severity, state]) for severity in SEVERITIES for state in _STATES]


def _new(report: Report) -> list[Sample]:
    if report.drift is None:
        return []
    counts = Counter(finding.severity for finding in report.open if finding.baseline_state == "new")
    return [({"severity": severity}, counts[severity]) for severity in SEVERITIES]


def _by_rule(report: Report) -> list[Sample]:
    counts = Counter(finding.rule for finding in report.open)
    judged = {finding.rule for finding in report.findings if finding.outcome in _RESULTS}
    return [({"rule": rule}, counts[rule]) for rule in sorted(judged)]


def _policies(report: Report) -> list[Sample]:
    return [({"name": name, "sha256": sha256}, 1) for name, sha256 in sorted({(h.policy.name, h.policy.sha256) for h in report.hosts})]


def _braced(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    """A label's value: backslash and quote escaped; a line feed is an escape already, as is every other control character."""
    return harmless(value).replace("\\", "\\\\").replace('"', '\\"')


REPORTER = Reporter(suffix="prom", media_type="text/plain; version=0.0.4", render=render, mode=0o644)
