"""The report: counts, verdict, exit code and words, decided once, here. Reporters only write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor import __version__
from auditor.control_statement import approval_statement
from auditor.control_view import ControlTallies, FrameworkView, put_labels
from auditor.coverage import Drift, SiteCoverage
from auditor.days import until
from auditor.host_report import HostReport
from auditor.in_words import counted, few
from auditor.model import OUTCOMES, SEVERITIES, Finding
from auditor.port_range import PortRange
from auditor.presentation import Presentation, RuleDocument
from auditor.totals import FAIL_ON_BY_DEFAULT, Totals
from auditor.verdict_line import clauses, headline

if TYPE_CHECKING:
    from auditor.controls import Framework

SCHEMA = "port-auditor/report/1"
SUMMARY_SCHEMA = "port-auditor/summary/1"
NEVER = "never"
FAIL_ON = (*SEVERITIES, NEVER)
EXIT_NOTHING_OPEN, EXIT_OPEN, EXIT_ALL_BAD, EXIT_INCOMPLETE = 0, 1, 2, 3


class Report:
    """What an audit found. `bad_sources` are (source, why); stamps are RFC 3339 in UTC, `evaluated_on` a date.

    `narrowed` says, a clause each, what the audit was told to leave out or to take for granted; `in_part` are those of them that leave out
    rules, stacks or hosts. What a reader wants beside the findings, as plain values:
    `documents` by rule, `iana_ranges` by RFC 6335's names, and by protocol and port what the IANA registry says of those that listen.
    `controls` is what the findings say of each of the `frameworks`.

    Hosts are added one by one, and those that are not kept leave nothing but `totals`: `hosts` and `findings` are of those that are.
    """

    def __init__(
        self, hosts: Iterable[HostReport] = (), *, tables: dict[str, Any], started: str, finished: str, evaluated_on: str,
        bad_sources: list[tuple[str, str]] | None = None, fail_on: str = FAIL_ON_BY_DEFAULT, allow_incomplete: bool = False,
        documents: Mapping[str, RuleDocument] | None = None, iana_ranges: Mapping[str, PortRange] | None = None,
        iana_names: Mapping[tuple[str, int], str] | None = None, narrowed: Sequence[str] = (), in_part: Sequence[str] = (),
        site: SiteCoverage | None = None, drift: Drift | None = None, frameworks: Sequence[Framework] = (),
        shown_as: Presentation | None = None,
    ) -> None:  # fmt: skip
        self.tables = tables
        self.started = started
        self.finished = finished
        self.evaluated_on = evaluated_on
        self.bad_sources = bad_sources or []
        self.fail_on = fail_on
        self.allow_incomplete = allow_incomplete
        self.documents = documents or {}
        self.iana_ranges = iana_ranges or {}
        self.iana_names = dict(iana_names or {})
        self.narrowed = tuple(narrowed)
        self.in_part = tuple(in_part)
        self.site = site
        self.drift = drift
        self.frameworks = frameworks
        self.shown_as = shown_as or Presentation()
        self.totals = Totals(fail_on)
        self.hosts: list[HostReport] = []
        self._controls = ControlTallies(frameworks, fail_on)
        self._in_order: list[Finding] | None = None
        for host in hosts:
            self.add(host)

    def add(self, host: HostReport, *, keep: bool = True) -> None:
        """Count a host in, and `keep` it for the formats that want all hosts at once."""
        put_labels(self.frameworks, [host])
        self.totals.add(host)
        self._controls.add(host)
        if keep:
            self.hosts.append(host)
            self._in_order = None

    def of_one(self, host: HostReport) -> Report:
        """The report of one of its hosts alone, made and judged in the same way."""
        return Report(
            [host], tables=self.tables, started=self.started, finished=self.finished, evaluated_on=self.evaluated_on, fail_on=self.fail_on,
            allow_incomplete=self.allow_incomplete, documents=self.documents, iana_ranges=self.iana_ranges, iana_names=self.iana_names,
            narrowed=self.narrowed, in_part=self.in_part, frameworks=self.frameworks, shown_as=self.shown_as,
            drift=self.drift and Drift.of([host]),
        )  # fmt: skip

    @property
    def findings(self) -> list[Finding]:
        """Those of the hosts that were kept, gravest first."""
        if self._in_order is None:
            self._in_order = sorted((f for host in self.hosts for f in host.findings), key=_order)
        return self._in_order

    @property
    def counts(self) -> dict[str, int]:
        """How many answers of each outcome there are."""
        return {outcome: self.totals.counts[outcome] for outcome in OUTCOMES if self.totals.counts[outcome]}

    @property
    def controls(self) -> list[FrameworkView]:
        unread = few([source for source, _ in self.bad_sources])
        missing = sorted({*self.missing_hosts, *(self.drift.missing if self.drift else ())})
        lacking = [f"no evidence of {few(missing)}"] if missing else []
        lacking += [f"{counted(len(self.bad_sources), 'source')} could not be read ({unread})"] if self.bad_sources else []
        return self._controls.views([*lacking, *self.in_part])

    @property
    def failed(self) -> list[Finding]:
        """Every failed finding, gravest first; `info` among them is inventory."""
        return [f for f in self.findings if f.outcome == "fail"]

    @property
    def open(self) -> list[Finding]:
        """What is failed and not waived."""
        return [f for f in self.failed if self.totals.is_open(f)]

    @property
    def inventory(self) -> list[Finding]:
        """What is failed but not open."""
        return [f for f in self.failed if not self.totals.is_open(f)]

    def state(self, finding: Finding) -> str:
        """What a finding counts as, as Totals says."""
        return self.totals.state(finding)

    @property
    def breaking(self) -> int:
        """How many are open at or above --fail-on."""
        if self.fail_on == NEVER:
            return 0
        return sum(self.totals.open[severity] for severity in SEVERITIES[SEVERITIES.index(self.fail_on) :])

    @property
    def bar(self) -> str:
        """What --fail-on makes of open findings, in words."""
        if self.fail_on == NEVER:
            return "findings do not decide: --fail-on never"
        return f"fails only at {self.fail_on} or graver: --fail-on {self.fail_on}"

    @property
    def missing_hosts(self) -> list[str]:
        """The hosts of the site of which there was no evidence: what nobody looked at is no pass."""
        return self.site.missing if self.site else []

    @property
    def judged(self) -> bool:
        """Whether any rule that is about hosts came to a result."""
        return self.totals.judged

    @property
    def complete(self) -> bool:
        """Whether everything is known that the verdict rests on: what a policy accepts as a gap or leaves out of its scope is not."""
        unmet = self.drift is not None and (self.drift.missing or self.drift.without)
        return not self._lacking and not unmet and not self.totals.leaves_open

    @property
    def _lacking(self) -> bool:
        """Whether there is something that nobody looked at, which no option allows."""
        return not self.totals.hosts or bool(self.bad_sources or self.missing_hosts) or not self.totals.judged

    @property
    def evidence_state(self) -> str:
        """complete; partial where something that was not seen is accepted or out of scope; else incomplete."""
        if not self.complete:
            return "incomplete"
        return "partial" if self.totals.counts["unknown"] else "complete"

    @property
    def verdict(self) -> str:
        """fail, incomplete or pass."""
        if self.breaking:
            return "fail"
        if self._lacking or (self.drift is not None and self.drift.missing):
            return "incomplete"
        if not (self.complete or self.allow_incomplete):
            return "incomplete"
        return "pass"

    @property
    def exit_code(self) -> int:
        """By the contract's precedence; 2 and 74 are decided where they happen."""
        if not self.totals.hosts and self.bad_sources:
            return EXIT_ALL_BAD
        return {"fail": EXIT_OPEN, "incomplete": EXIT_INCOMPLETE, "pass": EXIT_NOTHING_OPEN}[self.verdict]

    @property
    def headline(self) -> str:
        """The verdict in capitals, with what qualifies it."""
        return headline(self)

    @property
    def statement(self) -> str:
        """The verdict line: what was found, of what, when, by which policy, and what it does not speak of."""
        return f"{self.headline}: {'; '.join(self.qualifications())}."

    def qualifications(self) -> list[str]:
        """What the verdict line says after its first word, a clause each."""
        return clauses(self)

    def standing(self, finding: Finding) -> str | None:
        """Why a finding does not count: until when it is accepted, whose it is, who approved that and why; or that it is out of scope."""
        if finding.waiver is not None:
            told = finding.waiver
            named = f" ({told['id']})" if "id" in told else ""
            who = f"owner {told['owner']}, " + (f"approved by {told['approved_by']}" if "approved_by" in told else "approver not stated")
            days = until(told["expires"], self.evaluated_on)
            held = "" if days is None else f", {counted(days, 'day')} left"
            return f"accepted{named} until {told['expires']}{held}; {who}: {told['reason']}"
        return "not part of the verdict, by the policy's scope" if finding.inventory else None

    @property
    def approval_statements(self) -> list[str]:
        """What an assessor can accept about approved listeners, for each host whose policy lists them."""
        return [statement for host in self.hosts if (statement := approval_statement(host)) is not None]

    def to_json(self) -> dict[str, Any]:
        """report/1."""
        return {
            **self._head_json(SCHEMA),
            "hosts": [host.to_json() for host in self.hosts],
            "findings": [finding.to_json() for finding in self.findings],
            "controls": [row for view in self.controls for row in view.to_json()],
        }

    def summary_json(self) -> dict[str, Any]:
        """summary/1: how it went over all hosts, of which there is no more than the number `audited`."""
        return {**self._head_json(SUMMARY_SCHEMA), "audited": self.totals.hosts}

    def _head_json(self, schema: str) -> dict[str, Any]:
        return {
            "schema": schema,
            "tool": {"name": "port-auditor", "version": __version__},
            "tables": self.tables,
            "started": self.started,
            "finished": self.finished,
            "evaluated_on": self.evaluated_on,
            "fail_on": self.fail_on,
            "allow_incomplete": self.allow_incomplete,
            "narrowed": list(self.narrowed),
            "organisation": self.shown_as.organisation,
            "banner": self.shown_as.banner,
            "redacted": list(self.shown_as.redacted),
            "site": self.site and self.site.to_json(),
            "drift": self.drift and self.drift.to_json(),
            "verdict": self.verdict,
            "statement": self.statement,
            "complete": self.complete,
            "evidence": self.evidence_state,
            "counts": self.counts,
            "bad_sources": [{"source": source, "why": why} for source, why in self.bad_sources],
        }


def _order(finding: Finding) -> tuple[Any, ...]:
    """Gravest first within an outcome, then by name: the same findings are always in the same order."""
    return (
        OUTCOMES.index(finding.outcome),
        -SEVERITIES.index(finding.severity),
        finding.rule,
        finding.host,
        finding.stack or "",
        finding.subject,
    )
