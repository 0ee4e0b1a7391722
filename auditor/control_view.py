"""What the findings of an audit say about each control of a framework, in words that an assessor can accept.

A control's result is `no exception seen`, `N open`, `N accepted` or `not assessed`, and nothing else: whether the control is fulfilled,
people conclude. Beside it stands how much of the evidence there was: `complete`, `partial` or `none`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from auditor.control_doubts import Doubts
from auditor.controls import RELATIONS, Control, Framework, Map
from auditor.in_words import counted
from auditor.model import Finding
from auditor.totals import is_aside, is_open

if TYPE_CHECKING:
    from auditor.host_report import HostReport

JUDGED = ("pass", "fail", "waived")
DOUBTFUL = ("unknown", "error")
_ASIDE = "aside"
"""Found, and by the policy neither open nor accepted: of severity info, or out of its scope."""
_PORT = re.compile(r":([0-9]{1,5})$")


class RuleTally:
    """What one rule says for one control, over the hosts that were added."""

    __slots__ = ("accepted", "open", "outcomes")

    def __init__(self) -> None:
        self.open = 0
        self.accepted = 0
        self.outcomes: set[str] = set()

    def add(self, one: Map, findings: Iterable[Finding], fail_on: str) -> None:
        for finding in findings:
            self.open += is_open(finding, fail_on) and _on(one, finding)
            self.accepted += is_accepted(finding) and _on(one, finding)
            self.outcomes.add(_ASIDE if finding.outcome == "fail" and is_aside(finding, fail_on) else finding.outcome)


class RuleView:
    """One rule of a control, over all hosts: its `relation` as mapped, `worth` after what could not be seen, and what came of it: `open`,
    `accepted`, and `state`, which is `judged`, `partly` (not everywhere, or not all of it), `unknown`, `not assessed` or `not applicable`.
    """

    __slots__ = ("accepted", "open", "reason", "relation", "rule", "state", "worth")

    def __init__(self, rule: str, one: Map, tally: RuleTally, lowered: bool) -> None:
        self.rule = rule
        self.relation = one.relation
        self.worth = RELATIONS[min(RELATIONS.index(one.relation) + lowered, len(RELATIONS) - 1)]
        self.reason = one.reason
        self.open = tally.open
        self.accepted = tally.accepted
        self.state = _state(tally.outcomes)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("rule", "relation", "worth", "state", "open", "accepted", "reason")}


class ControlView:
    """One control over all hosts: `result`, `evidence` (complete, partial or none) and the `rules` that they come of. `whole` says that all
    hosts and all of each were judged."""

    __slots__ = ("accepted", "control", "evidence", "open", "result", "rules")

    def __init__(self, control: Control, rules: list[RuleView], whole: bool) -> None:
        self.control = control
        self.rules = rules
        self.open = sum(rule.open for rule in rules)
        self.accepted = sum(rule.accepted for rule in rules)
        told = [rule.state for rule in rules if rule.state != "not applicable"]
        judged = [rule for rule in rules if rule.state in ("judged", "partly")]
        self.evidence = "none" if not judged else "complete" if whole and set(told) == {"judged"} else "partial"
        self.result = self._result(judged)

    def _result(self, judged: list[RuleView]) -> str:
        """`no exception seen` only where one of the rules that are worth most was judged: the lesser ones alone do not carry it."""
        counts = [f"{count} {word}" for count, word in ((self.open, "open"), (self.accepted, "accepted")) if count]
        if counts:
            return ", ".join(counts)
        most = min(RELATIONS.index(rule.relation) for rule in self.rules)
        return "no exception seen" if any(RELATIONS.index(rule.relation) == most for rule in judged) else "not assessed"

    def to_json(self) -> dict[str, Any]:
        """One that is the same as another does not say all of that again."""
        control = self.control
        plain: dict[str, Any] = {
            "id": control.id, "for": list(control.releases), "same_as": control.same_as, "result": self.result, "open": self.open,
            "accepted": self.accepted, "evidence": self.evidence,
        }  # fmt: skip
        if control.same_as is None:
            plain |= {"words": control.words, "attest": control.attest, "rules": [rule.to_json() for rule in self.rules]}
        return {**plain, "source": control.source}


class FrameworkView:
    """One framework: the controls that are for any of the hosts. `lowered` says what was not seen, read or judged in this run, so that
    each rule is worth a step less than mapped; it is empty where there is nothing of that kind."""

    __slots__ = ("controls", "framework", "lowered")

    def __init__(self, framework: Framework, controls: list[ControlView], lowered: str) -> None:
        self.framework = framework
        self.controls = controls
        self.lowered = lowered

    @property
    def disclaimer(self) -> str:
        return f"This report does not by itself demonstrate compliance with {self.framework.title}."

    @property
    def summary(self) -> str:
        """How many controls came to what, those with open findings by their ids. One with a number for each release counts once, and is
        called by our words for it: no evidence tells a host's distribution."""
        own = [view for view in self.controls if view.control.same_as is None]
        found = [view.control for view in own if view.open]
        counts = {"with accepted findings only": sum(view.accepted > 0 and not view.open for view in own)}
        counts |= {result: sum(view.result == result for view in own) for result in ("no exception seen", "not assessed")}
        said = [f"{counted(len(found), 'control')} with open findings ({self._called(found)})"] if found else []
        return ", ".join([*said, *(f"{count} {words}" for words, count in counts.items() if count)]) or "none is for these hosts"

    def _called(self, controls: list[Control]) -> str:
        others = Counter(view.control.same_as for view in self.controls)
        names = [f"{one.words}: {others[one.id] + 1} numbers" if others[one.id] else one.id for one in controls]
        by_release = any(others[one.id] for one in controls)
        return ", ".join(dict.fromkeys(names)) + ("; they are by release, and the host's is not known" if by_release else "")

    def to_json(self) -> list[dict[str, Any]]:
        head = {"framework": self.framework.title, "key": self.framework.key, "version": self.framework.version}
        return [{**head, **view.to_json()} for view in self.controls]


class ControlTallies:
    """What the findings of hosts say of each control of some `frameworks`, added host by host: nothing is kept of a host but its name,
    where something of it is in doubt. `fail_on` says whether findings of severity info are open."""

    def __init__(self, frameworks: Iterable[Framework], fail_on: str) -> None:
        self._frameworks = tuple(frameworks)
        self._fail_on = fail_on
        self._asked: set[str] = set()
        self._doubts = Doubts()
        self._rules: dict[Control, dict[tuple[Map, str], RuleTally]] = {}
        """Of the controls that are for any of the hosts."""

    def add(self, host: HostReport) -> None:
        self._asked.update(host.policy.controls)
        self._doubts.add(host)
        by_rule = _by_rule(host.findings)
        for framework in self._frameworks:
            for control in framework.controls:
                if _is_for(control, host):
                    tallies = self._rules.setdefault(control, {(one, rule): RuleTally() for one in control.maps for rule in one.rules})
                    for (one, rule), tally in tallies.items():
                        if _asked(one, host):
                            tally.add(one, by_rule.get(rule, ()), self._fail_on)

    def views(self, lacking: Sequence[str] = ()) -> list[FrameworkView]:
        """Of each framework that one of the policies chose, or of all where none did. `lacking` says, a clause each, what there was no
        evidence of, and what the audit was told to leave out: it makes the evidence of all controls partial."""
        lowered = "; ".join((*lacking, *self._doubts.clauses))
        views = []
        for framework in self._frameworks:
            if self._asked and framework.key not in self._asked:
                continue
            controls = []
            for control in framework.controls:
                if tallies := self._rules.get(control):
                    rules = [RuleView(rule, one, tally, bool(lowered)) for (one, rule), tally in tallies.items()]
                    controls.append(ControlView(control, rules, not lacking))
            views.append(FrameworkView(framework, controls, lowered))
        return views


def put_labels(frameworks: Iterable[Framework], hosts: Iterable[HostReport]) -> None:
    """Give each finding the controls that its rule evidences or supports, as `NIST SP 800-53 r5 CM-7`. Items that have an id for each
    release are left out: the evidence names the kernel, not the distribution. So are findings that found nothing."""
    labels: dict[str, list[tuple[str, str, Control, Map]]] = {}
    for framework in frameworks:
        for control in framework.controls:
            for one in control.maps if not control.releases else ():
                for rule in one.rules if one.relation != RELATIONS[-1] else ():
                    labels.setdefault(rule, []).append((framework.key, control.named(framework), control, one))
    for host in hosts:
        for finding in host.findings:
            if finding.outcome in ("fail", "waived", *DOUBTFUL):
                finding.controls = tuple(dict.fromkeys(
                    label for key, label, control, one in labels.get(finding.rule, ())
                    if key in (host.policy.controls or (key,)) and _is_for(control, host) and _asked(one, host) and _on(one, finding)
                ))  # fmt: skip


def is_accepted(finding: Finding) -> bool:
    """Whether somebody accepted a finding that would count."""
    return finding.outcome == "waived" and not finding.inventory


def _by_rule(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    return found


def _is_for(control: Control, host: HostReport) -> bool:
    system = host.snapshot.shown.get("system")
    return not control.systems or system is None or system in control.systems


def _asked(one: Map, host: HostReport) -> bool:
    """Whether the host's policy asks what the map is about: a rule that passed for other ports, or by another range, says nothing of it."""
    if one.forbids:
        forbidden = [ports for entry in host.policy.forbidden if not entry.of_owner for ports in entry.ports]
        return not any(wanted.minus(forbidden) for wanted in one.forbids)
    if one.expects is None:
        return True
    expected = host.policy.ephemeral.of(host.snapshot.shown.get("system", "")) if host.policy.ephemeral is not None else None
    return expected is not None and expected.ranges == (one.expects,)


def _on(one: Map, finding: Finding) -> bool:
    """Whether a finding is on one of the map's ports. A port that the kernel chose has no number in its subject, and is none of them."""
    if not one.ports or finding.outcome in DOUBTFUL:
        return True
    numbers = [int(found[1]) for name in (finding.subject, *finding.examples) if (found := _PORT.search(name))]
    return any(number in ports for number in numbers for ports in one.ports)


def _state(outcomes: Collection[str]) -> str:
    doubtful = any(outcome in outcomes for outcome in DOUBTFUL)
    if any(outcome in outcomes for outcome in JUDGED):
        return "partly" if doubtful or not {_ASIDE, "notchecked", "notselected"}.isdisjoint(outcomes) else "judged"
    if doubtful:
        return "unknown"
    return "not applicable" if outcomes and set(outcomes) == {"notapplicable"} else "not assessed"
