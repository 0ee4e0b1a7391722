"""How `audit` judges one host: by which policy, beside which earlier snapshot, and what a report wants to know of it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from auditor.approvals import approvals
from auditor.baseline import Baseline, Earlier
from auditor.cli.site_audit import SiteAudit
from auditor.days import day
from auditor.differences import SINCE_BASELINE
from auditor.errors import SourceError
from auditor.evaluate import evaluate
from auditor.host_report import HostReport, VendorDefault
from auditor.model import Finding, Snapshot
from auditor.policy import Policy
from auditor.port_range import PortRange
from auditor.rule import Rule
from auditor.since_baseline import Side, mark
from auditor.site import Assignment
from auditor.snapshot_differences import differences
from auditor.sources import Source, from_path
from auditor.stack_pairs import StackPairs
from auditor.tables import Tables


class Judging:
    """The `rules` that are asked, the policy, the tables, the day and the one stack (None: all) by which every host is judged."""

    def __init__(
        self, policy: Policy, tables: Tables, rules: Sequence[Rule], today: datetime.date, only_stack: str | None,
        site: SiteAudit | None, baseline: str | None, fail_on: str,
    ) -> None:  # fmt: skip
        self.policy = policy
        self.tables = tables
        self.rules = rules
        self.today = today
        self.only_stack = only_stack
        self.fail_on = fail_on
        self.site = site
        self.baseline = Baseline(_earlier(baseline, tables, site))

    def host(self, source: Source) -> HostReport:
        one = self.site.assignment(source) if self.site else None
        by = self.site.policy_of(one, self.policy) if self.site and one else self.policy
        snapshot = source.snapshot
        earlier = self.baseline.of(_name(snapshot, one), snapshot)
        host = HostReport(source, by, self._findings(snapshot, by, earlier, one), vendor_default(snapshot, self.tables), one)
        host.approvals = approvals(snapshot, by, self.today, self.only_stack) if by.approved_given else None
        host.accepted = [one.told for one in (*by.waivers, *by.gaps) if one.speaks_of(host.name)]
        if earlier is not None:
            host.baseline = earlier
            host.changes = differences(earlier, snapshot, SINCE_BASELINE)
            host.gone = self._since(earlier, host)
        return host

    def _findings(self, snapshot: Snapshot, by: Policy, earlier: Snapshot | None, one: Assignment | None) -> list[Finding]:
        return evaluate(snapshot, by, self.tables, self.rules, self.today, self.only_stack, baseline=earlier, assignment=one)

    def _since(self, earlier: Snapshot, host: HostReport) -> list[Finding]:
        """What is gone since. A host or a stack that has another name since then has its name of now in the findings of then."""
        of_then = day((earlier.shown.get("taken") or "")[:10]) or self.today
        stacks = StackPairs(earlier, host.snapshot, SINCE_BASELINE[0])
        then = evaluate(stacks.before, host.policy, self.tables, self.rules, of_then, self.only_stack, assignment=host.assignment)
        for finding in then:
            finding.host = host.name
        about_changes = [rule.name for rule in self.rules if "baseline" in rule.needs]
        return mark(Side(host.snapshot, host.findings), Side(earlier, then), about_changes, stacks.unsure, self.fail_on)


def _earlier(path: str | None, tables: Tables, site: SiteAudit | None) -> Iterator[Earlier]:
    """The earlier snapshots at a path. SourceError where one cannot be read: what it would have shown would be missed in silence."""
    count = 0
    for source in from_path(path, tables) if path is not None else ():
        if not isinstance(source, Source):
            raise _unreadable(*source)
        count += 1
        name = _name(source.snapshot, site.site.assign(source.path, source.given) if site else None)
        yield Earlier(name, source.snapshot.shown.get("machine_id"), _Again(source, tables))
    if path is not None and not count:
        raise SourceError(f"the baseline {path} has no snapshot in it", "give a bundle, a snapshot, or a folder of them")


class _Again:
    """Reads a snapshot again, where it lies alone in a file; else it has to be kept."""

    def __init__(self, source: Source, tables: Tables) -> None:
        self.path = source.path
        self.tables = tables
        self.kept = source.snapshot if source.path is None else None

    def __call__(self) -> Snapshot:
        if self.kept is not None:
            return self.kept
        for source in from_path(str(self.path), self.tables):
            if isinstance(source, Source):
                return source.snapshot
            raise _unreadable(*source)
        raise _unreadable(str(self.path), "it is gone")


def _unreadable(path: str, why: str) -> SourceError:
    return SourceError(f"the baseline {path} cannot be read: {why}", "give a bundle, a snapshot, or a folder of them")


def _name(snapshot: Snapshot, assignment: Assignment | None) -> str:
    """By the site, or else as the evidence says."""
    claimed: str | None = snapshot.shown.get("host")
    return claimed or "" if assignment is None else assignment.called(claimed)


def vendor_default(snapshot: Snapshot, tables: Tables) -> VendorDefault | None:
    """The vendor table's row for a host, as plain values."""
    record = tables.vendor(snapshot.shown.get("system", ""), snapshot.shown.get("release"))
    if record is None:
        return None
    stated: dict[str, list[tuple[PortRange, str]] | None] = {"privileged": None, "ephemeral": None, "reserved": None}
    if record.knows("privileged"):
        stated["privileged"] = [] if record.privileged is None else [(record.privileged, "")]
    for name in ("ephemeral", "reserved"):
        if record.knows(name):
            ranges = record.ephemeral if name == "ephemeral" else record.reserved
            stated[name] = [(one.ports, ", ".join(sorted({one.role, one.protocol} - {"default", "any"}))) for one in ranges]
    return VendorDefault(record.id, record.os, record.confidence, **stated)


def iana_names(host: HostReport, tables: Tables) -> dict[tuple[str, int], str]:
    """What the registry says of each port of a host that listens: its service names, or else its status."""
    sockets = [s.shown for stack in host.snapshot.stacks.seen if "listening" in stack.shown for s in stack.listening.seen]
    asked = {(shown["protocol"], shown["port"]) for shown in sockets if "protocol" in shown and "port" in shown}
    entries = {(protocol, port): tables.iana(port, protocol) for protocol, port in sorted(asked)}
    return {key: " ".join(entry.names) or f"({entry.status})" for key, entry in entries.items()}
