"""What the verdict rests on, added up host by host: nothing of a host is kept, but of the first few what the verdict line says of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from auditor.model import Finding

if TYPE_CHECKING:
    from auditor.host_report import HostReport
    from auditor.policy import Policy

FEW = 3
"""Up to how many hosts the verdict line speaks of each by name."""
_ABOUT_WAIVERS = frozenset(("waiver-expired", "waiver-too-long", "waiver-unused"))
APPROVAL = "listener-not-approved"
FAIL_ON_BY_DEFAULT = "medium"


def is_open(finding: Finding, fail_on: str) -> bool:
    """Whether it is failed and not waived; `info` only where --fail-on asks for it, and never what the scope makes inventory."""
    return finding.outcome == "fail" and not is_aside(finding, fail_on)


def is_aside(finding: Finding, fail_on: str) -> bool:
    """Whether it does not count, whatever its outcome: it is out of the policy's scope, or of severity info."""
    return finding.inventory or (finding.severity == "info" and fail_on != "info")


class Sight:
    """How many listeners of a host, or of all, were seen, and of how many the owners are hidden, or perhaps not all."""

    __slots__ = ("hidden", "listeners", "partly")

    def __init__(self, listeners: int = 0, hidden: int = 0, partly: int = 0) -> None:
        self.listeners = listeners
        self.hidden = hidden
        self.partly = partly

    @classmethod
    def of(cls, host: HostReport) -> Sight:
        sockets = [s for stack in host.snapshot.stacks.seen if "listening" in stack.shown for s in stack.listening.seen]
        states = Counter(s.shown.get("owner_state") for s in sockets)
        return cls(len(sockets), states["unreadable"] + states["none"] + states[None], states["partial"])

    def add(self, other: Sight) -> None:
        self.listeners += other.listeners
        self.hidden += other.hidden
        self.partly += other.partly


class Totals:
    """What was added so far. `fail_on` says whether findings of severity info are open.

    `counts` are answers by outcome, `states` by what they count as, `open` and `waived` findings by severity. `leaves_open`: something
    that the verdict rests on is not known. `judged`: a rule about hosts came to a result. `off` are rules that a policy turned off,
    `not_checked` reasons by rule, `unassessed` the number of hosts whose policy lists no approved listeners; `gaps` are where accepted gaps
    that were met are written. `seen` and `sights` are of the first FEW hosts, `sight` is of all.
    """

    __slots__ = ("_outcomes", "counts", "fail_on", "gaps", "hosts", "leaves_open", "live", "not_checked", "off", "open",
                 "policies", "saved", "seen", "sight", "sights", "states", "unassessed", "waived")  # fmt: skip

    def __init__(self, fail_on: str) -> None:
        self.fail_on = fail_on
        self.hosts = 0
        self.counts: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        self.waived: Counter[str] = Counter()
        self.leaves_open = False
        self.live = False
        self.saved = 0
        self.policies: dict[str, Policy] = {}
        self.gaps: set[str] = set()
        self.off: set[str] = set()
        self.not_checked: dict[str, str] = {}
        self.unassessed = 0
        self.seen: list[str] = []
        self.sights: list[tuple[str, Sight]] = []
        self.sight = Sight()
        self._outcomes: set[str] = set()

    def add(self, host: HostReport) -> None:
        self.hosts += 1
        self.live = self.live or host.live
        self.saved += "saved_by_hand" in (host.snapshot.shown.get("visibility") or {})
        self.policies.setdefault(host.policy.sha256, host.policy)
        for finding in host.findings:
            self._count(finding)
        self.unassessed += any(one.outcome == "notchecked" and one.rule == APPROVAL for one in host.findings)
        sight = Sight.of(host)
        self.sight.add(sight)
        if len(self.seen) < FEW:
            self.seen.append(host.seen_in_words)
            self.sights.append((host.name, sight))

    def _count(self, finding: Finding) -> None:
        self.counts[finding.outcome] += 1
        self.states[self.state(finding)] += 1
        self.leaves_open = self.leaves_open or finding.leaves_open
        if self.is_open(finding):
            self.open[finding.severity] += 1
        elif finding.outcome == "waived":
            self.waived[finding.severity] += 1
        elif finding.outcome == "unknown" and finding.waiver:
            self.gaps.add(str(finding.waiver["origin"]))
        elif finding.outcome == "notselected":
            self.off.add(finding.rule)
        elif finding.outcome == "notchecked":
            self.not_checked.setdefault(finding.rule, finding.message)
        if finding.rule not in _ABOUT_WAIVERS:
            self._outcomes.add(finding.outcome)

    def is_open(self, finding: Finding) -> bool:
        """As `is_open`."""
        return is_open(finding, self.fail_on)

    def state(self, finding: Finding) -> str:
        """What it counts as: `open`; `inventory`, which is no part of the verdict; `accepted`, an unknown that the policy accepts; else its
        outcome."""
        if finding.outcome == "fail":
            return "open" if self.is_open(finding) else "inventory"
        if finding.outcome == "unknown" and not finding.leaves_open:
            return "inventory" if finding.waiver is None else "accepted"
        return finding.outcome

    @property
    def judged(self) -> bool:
        """Whether any rule that is about hosts came to a result: a policy that turns all of them off judges nothing."""
        return not self._outcomes <= {"notchecked", "notapplicable", "notselected"} or not self._outcomes
