"""The report: counts, verdict, exit code and words, decided once, here. Reporters only write them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from auditor import __version__
from auditor.control_statement import approval_statement
from auditor.control_view import ControlTallies, FrameworkView, put_labels
from auditor.differences import Change
from auditor.model import OUTCOMES, SEVERITIES, Finding, Snapshot
from auditor.port_range import PortRange
from auditor.remedy import Remedy
from auditor.totals import Totals
from auditor.verdict_line import clauses, counted, few, headline

if TYPE_CHECKING:
    from auditor.approvals import Approvals
    from auditor.controls import Framework
    from auditor.policy import Policy
    from auditor.site import Assignment

SCHEMA = "port-auditor/report/1"
NEVER = "never"
FAIL_ON = (*SEVERITIES, NEVER)
EXIT_NOTHING_OPEN, EXIT_OPEN, EXIT_ALL_BAD, EXIT_INCOMPLETE = 0, 1, 2, 3


class Source(Protocol):
    """What a report needs to know of where a snapshot came from."""

    snapshot: Snapshot
    given: str
    evidence: bytes | None
    sha256: str | None
    live: bool


class RuleDocument:
    """A rule's document as a reader of its findings wants it: paragraphs, with code between backticks."""

    __slots__ = ("remedy", "title", "why")

    def __init__(self, title: str, why: str, remedy: Remedy) -> None:
        self.title = title
        self.why = why
        self.remedy = remedy


class VendorDefault:
    """What a system's vendor ships, as the vendor table's row `record` says. `privileged`, `ephemeral` and `reserved` are ranges, each with
    what narrows it ("tcp", "high", or ""); None where the row does not state them."""

    __slots__ = ("confidence", "ephemeral", "privileged", "record", "reserved", "system")

    def __init__(
        self, record: str, system: str, confidence: str, *, privileged: list[tuple[PortRange, str]] | None,
        ephemeral: list[tuple[PortRange, str]] | None, reserved: list[tuple[PortRange, str]] | None,
    ) -> None:  # fmt: skip
        self.record = record
        self.system = system
        self.confidence = confidence
        self.privileged = privileged
        self.ephemeral = ephemeral
        self.reserved = reserved


class Presentation:
    """How a report is to be shown: the `organisation` and the classification `banner` that the policies name, the folder of `templates`
    that overlays the page's own, whether it holds the evidence itself or its hashes only, and what was `redacted` ("users", "hosts").
    `width` is in the columns of the terminal that it is printed on, None where it is a file's or a pipe's; `colour` says whether that
    terminal shows colours, and wants them."""

    __slots__ = ("banner", "colour", "organisation", "redacted", "templates", "width", "with_evidence")

    def __init__(
        self, *, organisation: str | None = None, banner: str | None = None, templates: str | None = None, with_evidence: bool = True,
        redacted: tuple[str, ...] = (), width: int | None = None, colour: bool = False,
    ) -> None:  # fmt: skip
        self.width = width
        self.colour = colour
        self.organisation = organisation
        self.banner = banner
        self.templates = templates
        self.with_evidence = with_evidence
        self.redacted = redacted


class HostReport:
    """One host: its snapshot, what it was judged by, and what came of it. `evidence` and its sha256 are None for a snapshot given as such;
    `live` says that it was judged on the host itself; `vendor` is None where no row of the vendor table is for it; `assignment` is what a
    site's inventory says of it, None without a site; `approvals` says what approves its listeners, None where the policy lists nothing;
    `baseline` is the earlier snapshot of it that it was compared with, `changes` what differs from that, and `gone` the findings that the
    baseline would have and this does not."""

    __slots__ = ("approvals", "assignment", "baseline", "changes", "evidence", "evidence_sha256", "findings", "given", "gone", "live",
                 "policy", "snapshot", "vendor")  # fmt: skip

    def __init__(
        self, source: Source, policy: Policy, findings: list[Finding], vendor: VendorDefault | None = None,
        assignment: Assignment | None = None,
    ) -> None:  # fmt: skip
        self.assignment = assignment
        self.approvals: Approvals | None = None
        self.baseline: Snapshot | None = None
        self.changes: list[Change] = []
        self.gone: list[Finding] = []
        self.given = source.given
        self.snapshot = source.snapshot
        self.vendor = vendor
        self.policy = policy
        self.findings = findings
        self.evidence = source.evidence
        self.evidence_sha256 = source.sha256
        self.live = source.live

    @property
    def name(self) -> str:
        """The inventory's name for it; the one that it gives itself only where there is no site."""
        claimed = self.snapshot.shown.get("host")
        return self.assignment.called(claimed) if self.assignment else str(claimed or "unknown host")

    @property
    def seen_in_words(self) -> str:
        """How many of its listeners were seen when, and how many of them are approved, for the verdict line."""
        stacks = self.snapshot.stacks.seen
        seen = sum(len(stack.listening.seen) for stack in stacks if "listening" in stack.shown)
        where = f"{counted(len(stacks), 'network stack')} of {self.name}"
        at = f"at {self.snapshot.shown.get('taken', 'an unknown time')}"
        if not seen and any("listening" not in stack.shown or stack.listening.gaps for stack in stacks):
            return f"listeners of {where} not looked at, or not all, {at}"
        approved = "" if self.approvals is None else f", {sum(self.approvals.listeners.values())} of them approved"
        return f"{counted(seen, 'listener')} in {where} seen {at}{approved}"


class Drift:
    """How an audit with a baseline went: the stamps of the snapshots that hosts were `compared` with, the hosts `without` one, and those of
    the baseline of which there is no evidence now, which are `missing`."""

    __slots__ = ("compared", "missing", "without")

    def __init__(self, compared: list[str], without: list[str], missing: list[str]) -> None:
        self.compared = compared
        self.without = without
        self.missing = missing

    @property
    def words(self) -> list[str]:
        said = []
        if self.compared:
            first, last = min(self.compared), max(self.compared)
            when = first if first == last else f"{first} to {last}"
            said.append(f"{counted(len(self.compared), 'host')} compared with a baseline of {when}")
        if self.without:
            said.append(f"the baseline has nothing of {few(self.without)}")
        if self.missing:
            said.append(f"NO EVIDENCE of {few(self.missing)}, which the baseline has")
        return said

    def to_json(self) -> dict[str, Any]:
        return {"compared": len(self.compared), "without": self.without, "missing": self.missing}


class SiteCoverage:
    """A site that an audit was of: its `name`, `files` and their sha256, how many `hosts` of it were asked for and how many audited, and
    those of which evidence is `missing`."""

    __slots__ = ("audited", "files", "hosts", "missing", "name", "sha256")

    def __init__(self, name: str, files: list[str], sha256: str, *, hosts: int, audited: int, missing: list[str]) -> None:
        self.name = name
        self.files = files
        self.sha256 = sha256
        self.hosts = hosts
        self.audited = audited
        self.missing = missing

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("name", "sha256", "files", "hosts", "audited", "missing")}

    def __str__(self) -> str:
        audited = f"{self.audited} of {counted(self.hosts, 'host')} of {self.name}'s inventory audited"
        return audited + (f"; NO EVIDENCE of {few(self.missing)}" if self.missing else "")


class Report:
    """What an audit found. `bad_sources` are (source, why); stamps are RFC 3339 in UTC, `evaluated_on` a date.

    `narrowed` says, a clause each, what the audit was told to leave out. What a reader wants beside the findings, as plain values:
    `documents` by rule, `iana_ranges` by RFC 6335's names, and by protocol and port what the IANA registry says of those that listen.
    `controls` is what the findings say of each of the `frameworks`.

    Hosts are added one by one, and those that are not kept leave nothing but `totals`: `hosts` and `findings` are of those that are.
    """

    def __init__(
        self, hosts: Iterable[HostReport] = (), *, tables: dict[str, Any], started: str, finished: str, evaluated_on: str,
        bad_sources: list[tuple[str, str]] | None = None, fail_on: str = "medium", allow_incomplete: bool = False,
        documents: Mapping[str, RuleDocument] | None = None, iana_ranges: Mapping[str, PortRange] | None = None,
        iana_names: Mapping[tuple[str, int], str] | None = None, narrowed: Sequence[str] = (), site: SiteCoverage | None = None,
        drift: Drift | None = None, frameworks: Sequence[Framework] = (), shown_as: Presentation | None = None,
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
        self.site = site
        self.drift = drift
        self.frameworks = frameworks
        self.shown_as = shown_as or Presentation()
        self.totals = Totals(fail_on)
        self.hosts: list[HostReport] = []
        self._controls = ControlTallies(frameworks)
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
            narrowed=self.narrowed, frameworks=self.frameworks, shown_as=self.shown_as,
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
        whole = not self.bad_sources and not self.narrowed and not self.missing_hosts
        return self._controls.views(whole=whole)

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

    @property
    def breaking(self) -> int:
        """How many are open at or above --fail-on."""
        if self.fail_on == NEVER:
            return 0
        return sum(self.totals.open[severity] for severity in SEVERITIES[SEVERITIES.index(self.fail_on) :])

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
        """Why a finding does not count: who accepted it, for what reason and how many days longer; or that it is out of scope."""
        if finding.waiver is not None:
            told = finding.waiver
            named = f" ({told['id']})" if "id" in told else ""
            return f"accepted{named} until {told['expires']}{self._days_left(told['expires'])}, by {told['owner']}: {told['reason']}"
        return "not part of the verdict, by the policy's scope" if finding.inventory else None

    def _days_left(self, expires: str) -> str:
        """How long something holds from the day of the audit; nothing where that cannot be told."""
        try:
            days = (datetime.date.fromisoformat(expires) - datetime.date.fromisoformat(self.evaluated_on)).days
        except ValueError:
            return ""
        return f", {counted(days, 'day')} left"

    @property
    def approval_statements(self) -> list[str]:
        """What an assessor can accept about approved listeners, for each host whose policy lists them."""
        return [statement for host in self.hosts if (statement := approval_statement(host)) is not None]

    def to_json(self) -> dict[str, Any]:
        """report/1."""
        return {
            "schema": SCHEMA,
            "tool": {"name": "port-auditor", "version": __version__},
            "tables": self.tables,
            "started": self.started,
            "finished": self.finished,
            "evaluated_on": self.evaluated_on,
            "fail_on": self.fail_on,
            "allow_incomplete": self.allow_incomplete,
            "narrowed": list(self.narrowed),
            "site": self.site and self.site.to_json(),
            "drift": self.drift and self.drift.to_json(),
            "verdict": self.verdict,
            "statement": self.statement,
            "complete": self.complete,
            "evidence": self.evidence_state,
            "counts": self.counts,
            "bad_sources": [{"source": source, "why": why} for source, why in self.bad_sources],
            "hosts": [_host_json(host) for host in self.hosts],
            "findings": [finding.to_json() for finding in self.findings],
            "controls": [row for view in self.controls for row in view.to_json()],
        }


def _host_json(host: HostReport) -> dict[str, Any]:
    plain = host.snapshot.to_json()
    return {
        **{key: plain.get(key) for key in ("host", "machine_id", "system", "release", "taken")},
        **({"host": host.name, "assignment": _assignment_json(host)} if host.assignment else {}),
        "self_assessed": host.live,
        "policy": {"name": host.policy.name, "sha256": host.policy.sha256, "files": host.policy.files},
        "evidence_sha256": host.evidence_sha256,
        "baseline": None if host.baseline is None else {key: host.baseline.shown.get(key) for key in ("host", "machine_id", "taken")},
        "approvals": None if host.approvals is None else host.approvals.to_json(),
        "approval_statement": approval_statement(host),
        **{key: plain.get(key) for key in ("visibility", "limits", "settings", "stacks")},
    }


def _assignment_json(host: HostReport) -> dict[str, Any] | None:
    """What the site's inventory says of a host, beside what it says of itself."""
    one = host.assignment
    if one is None:
        return None
    return {
        "claimed": host.snapshot.shown.get("host"),
        "host": one.host,
        "identified": one.identified,
        "origin": one.origin,
        "groups": sorted(one.groups),
        "roles": list(one.roles),
        "machine_id": one.machine_id,
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
