"""The report: counts, verdict, exit code and words, decided once, here. Reporters only write them."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from auditor import __version__
from auditor.control_statement import approval_statement
from auditor.control_view import framework_views, put_labels
from auditor.differences import Change
from auditor.model import FACTS, OUTCOMES, SEVERITIES, Finding, Snapshot
from auditor.port_range import PortRange
from auditor.remedy import Remedy

if TYPE_CHECKING:
    from auditor.approvals import Approvals
    from auditor.controls import Framework
    from auditor.policy import Policy
    from auditor.site import Assignment

SCHEMA = "port-auditor/report/1"
NEVER = "never"
FAIL_ON = (*SEVERITIES, NEVER)
_NAMED = 5
"""Rules and hosts that the verdict line names; the report lists all."""
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
    """How a report is to be shown: the `organisation` and the classification `banner` that the policies name, the folder of `templates` that
    overlays the page's own, whether it holds the evidence itself or its hashes only, and what was `redacted` ("users", "hosts")."""

    __slots__ = ("banner", "organisation", "redacted", "templates", "with_evidence")

    def __init__(
        self, *, organisation: str | None = None, banner: str | None = None, templates: str | None = None, with_evidence: bool = True,
        redacted: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
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
            said.append(f"{_counted(len(self.compared), 'host')} compared with a baseline of {when}")
        if self.without:
            said.append(f"the baseline has nothing of {_few(self.without)}")
        if self.missing:
            said.append(f"NO EVIDENCE of {_few(self.missing)}, which the baseline has")
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
        audited = f"{self.audited} of {_counted(self.hosts, 'host')} of {self.name}'s inventory audited"
        return audited + (f"; NO EVIDENCE of {_few(self.missing)}" if self.missing else "")


class Report:
    """What an audit found. `bad_sources` are (source, why); stamps are RFC 3339 in UTC, `evaluated_on` a date.

    `narrowed` says, a clause each, what the audit was told to leave out. What a reader wants beside the findings, as plain values:
    `documents` by rule, `iana_ranges` by RFC 6335's names, and by protocol and port what the IANA registry says of those that listen.
    `controls` is what the findings say of each of the `frameworks`.
    """

    def __init__(
        self, hosts: list[HostReport], *, tables: dict[str, Any], started: str, finished: str, evaluated_on: str,
        bad_sources: list[tuple[str, str]] | None = None, fail_on: str = "medium", allow_incomplete: bool = False,
        documents: Mapping[str, RuleDocument] | None = None, iana_ranges: Mapping[str, PortRange] | None = None,
        iana_names: Mapping[tuple[str, int], str] | None = None, narrowed: Sequence[str] = (), site: SiteCoverage | None = None,
        drift: Drift | None = None,
        frameworks: Sequence[Framework] = (), shown_as: Presentation | None = None,
    ) -> None:  # fmt: skip
        self.shown_as = shown_as or Presentation()
        self.frameworks = frameworks
        self.hosts = hosts
        self.tables = tables
        self.started = started
        self.finished = finished
        self.evaluated_on = evaluated_on
        self.bad_sources = bad_sources or []
        self.fail_on = fail_on
        self.allow_incomplete = allow_incomplete
        self.documents = documents or {}
        self.iana_ranges = iana_ranges or {}
        self.iana_names = iana_names or {}
        self.narrowed = tuple(narrowed)
        self.site = site
        self.drift = drift
        put_labels(frameworks, hosts)
        whole = not self.bad_sources and not self.narrowed and not (site and site.missing)
        self.controls = framework_views(frameworks, hosts, whole=whole)
        self.findings = sorted((f for host in hosts for f in host.findings), key=_order)
        self.counts = dict(Counter(f.outcome for f in self.findings))

    def of_one(self, host: HostReport) -> Report:
        """The report of one of its hosts alone, made and judged in the same way."""
        return Report(
            [host], tables=self.tables, started=self.started, finished=self.finished, evaluated_on=self.evaluated_on, fail_on=self.fail_on,
            allow_incomplete=self.allow_incomplete, documents=self.documents, iana_ranges=self.iana_ranges, iana_names=self.iana_names,
            narrowed=self.narrowed, frameworks=self.frameworks, shown_as=self.shown_as,
        )  # fmt: skip

    @property
    def failed(self) -> list[Finding]:
        """Every failed finding, gravest first; `info` among them is inventory."""
        return [f for f in self.findings if f.outcome == "fail"]

    @property
    def open(self) -> list[Finding]:
        """What is failed and not waived; `info` only where --fail-on asks for it, and never what the policy's scope makes inventory."""
        return [f for f in self.failed if not f.inventory and (f.severity != "info" or self.fail_on == "info")]

    @property
    def inventory(self) -> list[Finding]:
        """What is failed but not open."""
        return [f for f in self.failed if f.inventory or (f.severity == "info" and self.fail_on != "info")]

    @property
    def breaking(self) -> list[Finding]:
        """What is open at or above --fail-on."""
        if self.fail_on == NEVER:
            return []
        least = SEVERITIES.index(self.fail_on)
        return [f for f in self.open if SEVERITIES.index(f.severity) >= least]

    @property
    def missing_hosts(self) -> list[str]:
        """The hosts of the site of which there was no evidence: what nobody looked at is no pass."""
        return self.site.missing if self.site else []

    @property
    def judged(self) -> bool:
        """Whether any rule that is about hosts came to a result: a policy that turns all of them off judges nothing."""
        about_waivers = {"waiver-expired", "waiver-too-long", "waiver-unused"}
        outcomes = {f.outcome for f in self.findings if f.rule not in about_waivers}
        return not outcomes <= {"notchecked", "notapplicable", "notselected"} or not outcomes

    @property
    def complete(self) -> bool:
        """Whether everything is known that the verdict rests on: what a policy accepts as a gap or leaves out of its scope is not."""
        if not self.hosts or self.bad_sources or self.missing_hosts or not self.judged:
            return False
        unmet = self.drift is not None and (self.drift.missing or self.drift.without)
        return not unmet and not any(f.leaves_open for f in self.findings)

    @property
    def evidence_state(self) -> str:
        """complete; partial where something that was not seen is accepted or out of scope; else incomplete."""
        if not self.complete:
            return "incomplete"
        return "partial" if any(f.outcome == "unknown" for f in self.findings) else "complete"

    @property
    def verdict(self) -> str:
        """fail, incomplete or pass."""
        if self.breaking:
            return "fail"
        gone = self.drift is not None and self.drift.missing
        if not self.hosts or self.bad_sources or self.missing_hosts or gone or not self.judged:
            return "incomplete"
        if not (self.complete or self.allow_incomplete):
            return "incomplete"
        return "pass"

    @property
    def exit_code(self) -> int:
        """By the contract's precedence; 2 and 74 are decided where they happen."""
        if not self.hosts and self.bad_sources:
            return EXIT_ALL_BAD
        return {"fail": EXIT_OPEN, "incomplete": EXIT_INCOMPLETE, "pass": EXIT_NOTHING_OPEN}[self.verdict]

    @property
    def headline(self) -> str:
        """The verdict in capitals, with what qualifies it."""
        word = self.verdict.upper()
        if self.verdict == "fail" and not self.complete:
            word += " (and incomplete)"
        if self.verdict == "pass" and not self.complete:
            word += " (incomplete evidence, allowed by --allow-incomplete)"
        if self.verdict == "pass":
            names = sorted({host.policy.name for host in self.hosts if not host.policy.approved_given})
            word += f" for {', '.join(names)}" if names else " for the declared scope"
        return word

    @property
    def statement(self) -> str:
        """The verdict line: what was found, of what, when, by which policy, and what it does not speak of."""
        return f"{self.headline}: {'; '.join(self.qualifications())}."

    def qualifications(self) -> list[str]:
        """What the verdict line says after its first word, a clause each."""
        said = [self._open_words()]
        if not self.hosts:
            said = ["nothing was audited"]
        said += [self._seen_words(host) for host in self.hosts] if len(self.hosts) <= 3 else [f"{len(self.hosts)} hosts audited"]
        said += [f"judged by {name}" for name in sorted({f"{h.policy.name}@{h.policy.sha256[:8]}" for h in self.hosts})]
        said += [*([str(self.site)] if self.site else []), *self.narrowed]
        said += self.drift.words if self.drift else []
        said += self._scope_words() + self._off_words()
        if self.hosts and not self.judged:
            said.append("NOTHING WAS JUDGED: no rule about hosts came to a result")
        if waived := self.counts.get("waived"):
            said.append(f"{waived} waived")
        if self.bad_sources:
            said.append(f"{_counted(len(self.bad_sources), 'source')} could not be read")
        said += self._unknown_words() + self._not_checked_words()
        if any(host.live for host in self.hosts):
            said.append("SELF-ASSESSED: judged on the host itself")
        return [*said, "the host firewall and the network path were not examined"]

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
        return f", {_counted(days, 'day')} left"

    def _scope_words(self) -> list[str]:
        """What the policies leave out of the verdict, and which gaps they accept."""
        said = []
        for policy in {host.policy.sha256: host.policy for host in self.hosts}.values():
            of = f" by {policy.name}" if len(self.hosts) > 1 else ""
            if policy.scope.must_see is not None:
                said.append(f"scope{of}: {', '.join(fact for fact in FACTS if fact in policy.scope.must_see)} must be seen")
            for place, rules in (("loopback", policy.scope.loopback), ("containers", policy.scope.containers)):
                if rules is not None:
                    said.append(f"{place}{of}: " + (f"judged by {', '.join(sorted(rules))} alone" if rules else "inventory, not judged"))
        if gaps := {str(f.waiver["origin"]) for f in self.findings if f.outcome == "unknown" and f.waiver}:
            said.append(_counted(len(gaps), "accepted gap"))
        return said

    def _off_words(self) -> list[str]:
        """Which rules the policies turn off, and whose findings they set to info, which is never open."""
        off = sorted({f.rule for f in self.findings if f.outcome == "notselected"})
        said = [f"{_counted(len(off), 'rule')} off in the policy{_named(off)}"] if off else []
        quiet = sorted({name for host in self.hosts for name, setting in host.policy.rules.items() if setting.severity == SEVERITIES[0]})
        return [*said, f"never open, as the policy sets it to {SEVERITIES[0]}: {', '.join(quiet)}"] if quiet else said

    def _open_words(self) -> str:
        if not self.open:
            return "nothing open" + ("" if self.complete else " among what was seen")
        by = Counter(f.severity for f in self.open)
        return f"{len(self.open)} open, {', '.join(f'{by[s]} {s}' for s in reversed(SEVERITIES) if by[s])}"

    def _seen_words(self, host: HostReport) -> str:
        stacks = host.snapshot.stacks.seen
        seen = sum(len(stack.listening.seen) for stack in stacks if "listening" in stack.shown)
        where = f"{_counted(len(stacks), 'network stack')} of {host.name}"
        at = f"at {host.snapshot.shown.get('taken', 'an unknown time')}"
        if not seen and any("listening" not in stack.shown or stack.listening.gaps for stack in stacks):
            return f"listeners of {where} not looked at, or not all, {at}"
        approved = "" if host.approvals is None else f", {sum(host.approvals.listeners.values())} of them approved"
        return f"{_counted(seen, 'listener')} in {where} seen {at}{approved}"

    def _unknown_words(self) -> list[str]:
        said = []
        for host in self.hosts:
            sockets = [s for stack in host.snapshot.stacks.seen if "listening" in stack.shown for s in stack.listening.seen]
            hidden = sum(s.shown.get("owner_state") in ("unreadable", "none", None) for s in sockets)
            partly = sum(s.shown.get("owner_state") == "partial" for s in sockets)
            of = f" of {host.name}" if len(self.hosts) > 1 else ""
            if hidden:
                said.append(f"owners of {hidden} of {_counted(len(sockets), 'listener')}{of} not visible")
            if partly:
                said.append(f"{_counted(partly, 'listener')}{of} may have more owners than were seen")
        if broken := self.counts.get("error"):
            said.append(f"{broken} checks broke off by our error")
        return said

    def _not_checked_words(self) -> list[str]:
        rules: dict[str, str] = {}
        for finding in self.findings:
            if finding.outcome == "notchecked":
                rules.setdefault(finding.rule, finding.message)
        said = []
        if rules.pop("listener-not-approved", None):
            lacking = {f.host for f in self.findings if f.outcome == "notchecked" and f.rule == "listener-not-approved"}
            where = "" if len(lacking) == len(self.hosts) else f" of {_counted(len(lacking), 'host')}"
            said.append(f"approval of listeners{where} NOT ASSESSED: the policy lists none")
        if rules:
            others = " other" if said else ""
            where = " on some hosts or all" if len(self.hosts) > 1 else ""
            words = f"{len(rules)}{others} rule{'s' * (len(rules) != 1)} not checked{where} for want of a yardstick"
            said.append(f"{words}{_named(sorted(rules))}")
        return said

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


def _few(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _named(rules: list[str]) -> str:
    """Their names, where they are few."""
    return f": {', '.join(rules)}" if len(rules) <= _NAMED else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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
