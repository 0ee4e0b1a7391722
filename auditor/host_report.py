"""One host of a report: its snapshot, what it was judged by, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from auditor.control_statement import approval_statement
from auditor.differences import Change
from auditor.in_words import counted
from auditor.model import Finding, Snapshot
from auditor.port_range import PortRange

if TYPE_CHECKING:
    from auditor.approvals import Approvals
    from auditor.policy import Policy
    from auditor.site import Assignment


class Source(Protocol):
    """What a report needs to know of where a snapshot came from."""

    snapshot: Snapshot
    given: str
    evidence: bytes | None
    sha256: str | None
    live: bool


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


class HostReport:
    """One host: its snapshot, what it was judged by, and what came of it. `evidence` and its sha256 are None for a snapshot given as such;
    `live` says that it was judged on the host itself; `vendor` is None where no row of the vendor table is for it; `assignment` is what a
    site's inventory says of it, None without a site; `approvals` says what approves its listeners, None where the policy lists nothing;
    `baseline` is the earlier snapshot of it that it was compared with, `changes` what differs from that, and `gone` the findings that the
    baseline would have and this does not. `accepted` are the waivers and accepted gaps that speak of it, as `Acceptance.told`."""

    __slots__ = ("accepted", "approvals", "assignment", "baseline", "changes", "evidence", "evidence_sha256", "findings", "given", "gone",
                 "live", "policy", "snapshot", "vendor")  # fmt: skip

    def __init__(
        self, source: Source, policy: Policy, findings: list[Finding], vendor: VendorDefault | None = None,
        assignment: Assignment | None = None,
    ) -> None:  # fmt: skip
        self.assignment = assignment
        self.approvals: Approvals | None = None
        self.baseline: Snapshot | None = None
        self.changes: list[Change] = []
        self.gone: list[Finding] = []
        self.accepted: list[dict[str, Any]] = []
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
        return f"{counted(seen, 'listener')} in {where} seen {at}{self._approved}"

    @property
    def _approved(self) -> str:
        if self.approvals is None:
            return ""
        weak = f" ({self.approvals.weak})" if self.approvals.weak else ""
        return f", {sum(self.approvals.listeners.values())} of them approved{weak}"

    def to_json(self) -> dict[str, Any]:
        """As report/1 has it."""
        plain = self.snapshot.to_json()
        return {
            **{key: plain.get(key) for key in ("host", "machine_id", "system", "release", "taken")},
            **({"host": self.name, "assignment": _assignment_json(self, self.assignment)} if self.assignment else {}),
            "self_assessed": self.live,
            "policy": {"name": self.policy.name, "sha256": self.policy.sha256, "files": self.policy.files},
            "evidence_sha256": self.evidence_sha256,
            "baseline": None if self.baseline is None else {key: self.baseline.shown.get(key) for key in ("host", "machine_id", "taken")},
            "changes": [change.to_json() for change in self.changes],
            "gone": [finding.to_json() for finding in self.gone],
            "approvals": None if self.approvals is None else self.approvals.to_json(),
            "approval_statement": approval_statement(self),
            **{key: plain.get(key) for key in ("visibility", "limits", "settings", "stacks")},
        }


def _assignment_json(host: HostReport, one: Assignment) -> dict[str, Any]:
    """What the site's inventory says of a host, beside what it says of itself."""
    return {
        "claimed": host.snapshot.shown.get("host"),
        "host": one.host,
        "identified": one.identified,
        "origin": one.origin,
        "groups": sorted(one.groups),
        "roles": list(one.roles),
        "machine_id": one.machine_id,
    }
