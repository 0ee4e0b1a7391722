"""Every rule on every stack of a host. Total: for each there is an answer, and the absence of a line never means anything."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.differences import SINCE_BASELINE, Change
from auditor.facts import UnknownFact
from auditor.model import Finding, Snapshot, Stack
from auditor.policy import Policy
from auditor.policy_rules import RuleSetting
from auditor.policy_waivers import Acceptance, Waiver
from auditor.rule import Case, NotChecked, Rule
from auditor.snapshot_differences import differences
from auditor.stack_pairs import StackPairs
from auditor.tables import Tables
from auditor.verdict import Subject, Verdict

if TYPE_CHECKING:
    from auditor.site import Assignment

_TELL_OF_GAPS = ("evidence-incomplete", "owner-not-visible")
"""The rules that find every gap there is: without them it cannot be said of an accepted one that it is gone."""
_COMPARED = ("listening", "privileged", "ephemeral", "reserved", "settings", "persisted")
_THINGS = {"setting": "settings", "socket_unit": "socket_units", "service_name": "service_names", "translation": "translations",
           "endpoint": "endpoints", "measured": "measured"}  # fmt: skip
"""What rules are asked for each of that a stack has, by the key that it is under; each thing is called what it calls itself."""
_STACK_FACTS = ("privileged", "ephemeral", "reserved", "listening", "addresses", "settings", "persisted", "grants")


def _never_looked_for(snapshot: Snapshot) -> list[object]:
    """The kinds of grants that the way in which the evidence was taken cannot show."""
    told = (snapshot.shown.get("visibility") or {}).get("never_looked_for")
    return told if isinstance(told, list) else []


NEEDS: dict[str, tuple[Callable[[Case], bool], str]] = {
    "approved": (lambda case: case.policy.approved_given, "the policy lists no approved listeners: approval NOT ASSESSED"),
    "required": (lambda case: bool(case.policy.required), "the policy requires no listener"),
    "forbidden": (lambda case: bool(case.policy.forbidden), "the policy forbids no listener"),
    "ephemeral": (lambda case: case.policy.ephemeral is not None, "the policy expects no ephemeral range"),
    "reserved": (lambda case: bool(case.policy.reserved_must_include), "the policy does not say which ports must be reserved"),
    "granted_to": (lambda case: case.policy.granted_to is not None, "the policy does not say who may hold privileged ports"),
    "baseline": (lambda case: case.baseline is not None, "no baseline of this host was given (--baseline)"),
    "site": (lambda case: case.assignment is not None, "no site file was given (--site)"),
    "witnessed": (lambda case: "witnessed" in case.stack.shown, "no second witness was asked (--cross-check)"),
    "services": (lambda case: "service_names" in case.stack.shown, "the names of ports were not asked for (collect --only ...,services)"),
    "endpoints": (lambda case: "endpoints" in case.stack.shown, "endpoints were not asked for (collect --only ...,endpoints)"),
    "bind-programs": (
        lambda case: "program" not in _never_looked_for(case.snapshot),
        "the shell script cannot ask the kernel for BPF programs (`collect` can)",
    ),
    "measured": (lambda case: "measured" in case.stack.shown, "no bind was tried (--bind-test)"),
    "nat": (lambda case: "translations" in case.stack.shown, "address translation was not asked for (collect --only ...,nat)"),
}
"""What a rule may need, whether it is there, and the reason that is given where it is not."""


def evaluate(
    snapshot: Snapshot, policy: Policy, tables: Tables, rules: Iterable[Rule], today: datetime.date, only_stack: str | None = None,
    *, baseline: Snapshot | None = None, assignment: Assignment | None = None,
) -> list[Finding]:  # fmt: skip
    """The findings of one host, of all outcomes, in the order of rules and stacks. `today` is a day in UTC; `baseline` an earlier snapshot
    of the host; `assignment` what the site's inventory says of it: the host bears the inventory's name, whatever it calls itself."""
    host = _Host(snapshot, policy, tables, today, only_stack, baseline, assignment)
    ordered = sorted(rules, key=lambda rule: (rule.each == "waiver", rule.name))
    host.ran = {rule.name for rule in ordered}
    for rule in ordered:
        host.judge(rule)
    return host.findings


class _Host:
    def __init__(
        self, snapshot: Snapshot, policy: Policy, tables: Tables, today: datetime.date, only_stack: str | None,
        baseline: Snapshot | None, assignment: Assignment | None,
    ) -> None:  # fmt: skip
        self.snapshot = snapshot
        self.policy = policy
        self.tables = tables
        self.today = today
        self.baseline = baseline
        self.assignment = assignment
        claimed = snapshot.shown.get("host")
        self.name: str = assignment.called(claimed) if assignment else claimed or "unknown host"
        self.system = snapshot.shown.get("system")
        self.only_stack = only_stack
        self.seen = snapshot.facts("stacks")
        self.stacks: list[Stack] = [s for s in self.seen.seen if only_stack is None or s.name == only_stack]
        self.ran: set[str] = set()
        self.accepted: tuple[Acceptance, ...] = (*policy.waivers, *policy.gaps)
        self.waivers_used: set[Acceptance] = set()
        self.findings: list[Finding] = []

    def judge(self, rule: Rule) -> None:
        if rule.each in ("host", "waiver"):
            self.answer(rule, Stack(name="host", kind="host"), None)
            return
        for stack in self.stacks:
            self.answer(rule, stack, stack.name)
        if absent := self._absent(rule) or self._unlisted(rule):
            self.answer(rule, Stack(name="host", kind="host"), None, absent)

    def _unlisted(self, rule: Rule) -> tuple[str, str] | None:
        """What there is to say of a rule where there may be stacks that were not seen, if the rule that says so is not asked."""
        setting = self.policy.rules.get("evidence-incomplete")
        told = "evidence-incomplete" in self.ran and not (setting and setting.off)
        if told or rule.stacks == "host" or self.only_stack is not None or not self.seen.gaps:
            return None
        return "unknown", self.seen.gaps[0].why

    def _absent(self, rule: Rule) -> tuple[str, str] | None:
        """What there is to say of a rule where no stack that it is for was seen: an outcome and why."""
        gaps = self.seen.gaps
        if self.only_stack is not None and not self.stacks:
            why = f"no stack of this host is called {self.only_stack!r}"
            return ("unknown", f"{why}, among those that were seen: {gaps[0].why}") if gaps else ("notapplicable", why)
        if not self.stacks or (self.only_stack is None and not any(s.kind == "host" for s in self.stacks)):
            return "unknown", gaps[0].why if gaps else "the host's own network stack was not seen"
        return None

    def answer(self, rule: Rule, stack: Stack, stack_name: str | None, absent: tuple[str, str] | None = None) -> None:
        """One rule on one stack: at least one finding, whatever happens."""
        setting = self.policy.rules.get(rule.name)
        verdict = Verdict(self, rule, stack, stack_name, setting.severity if setting else None)
        if rule.systems and self.system is not None and self.system not in rule.systems:
            verdict.say("notapplicable", f"this rule is for {', '.join(rule.systems)}")
        elif setting is not None and setting.off:
            verdict.say("notselected", f"off in the policy ({setting.origin})")
        elif rule.systems and self.system is None:
            verdict.say("unknown", f"the evidence does not show the system, and this rule is for {', '.join(rule.systems)}")
        elif absent is not None and absent[0] == "unknown":
            verdict.miss(UnknownFact(absent[1], "stacks"))
        elif absent is not None:
            verdict.say(*absent)
        elif unheard_of := [need for need in rule.needs if need not in NEEDS]:
            verdict.say("error", f"our error, not the host's: the rule needs {unheard_of[0]!r}, which is nothing")
        elif rule.stacks == "host" and stack.kind != "host":
            verdict.say("notapplicable", "this rule is for a host's own stack")
        else:
            case = self._case(rule, stack, setting)
            if missing := [why for there, why in map(NEEDS.__getitem__, rule.needs) if not there(case)]:
                verdict.say("notchecked", missing[0])
            else:
                verdict.judge(case, self.subjects(rule, stack))
        self.findings += verdict.findings()

    def _case(self, rule: Rule, stack: Stack, setting: RuleSetting | None) -> Case:
        return Case(
            policy=self.policy, tables=self.tables, today=self.today, snapshot=self.snapshot, stack=stack,
            parameters=setting.parameters if setting else {}, waivers_used=frozenset(self.waivers_used),
            waivers_unsure=self._waivers_unsure() if rule.each == "waiver" else None,
            baseline=self.baseline, assignment=self.assignment,
        )  # fmt: skip

    @cached_property
    def changes(self) -> list[Change]:
        """What changed since the baseline."""
        return [] if self.baseline is None else differences(self.baseline, self.snapshot, SINCE_BASELINE)

    @cached_property
    def _at_the_baseline(self) -> set[str]:
        """The stacks that the baseline has, as they are called now."""
        known = [] if self.baseline is None else StackPairs(self.baseline, self.snapshot, SINCE_BASELINE[0]).before.facts("stacks").seen
        return {one.name for one in known}

    def _changed(self, stack: Stack) -> Iterator[Subject]:
        """What changed in a stack; with the host's own, what changed of the host itself and of stacks that are gone."""
        names = {one.name for one in self.seen.seen}
        for change in self.changes:
            name = change.subject or change.kind
            if change.stack == stack.name or (change.stack is None and stack.kind == "host"):
                yield Subject(change, name)
            elif change.stack not in names and stack.kind == "host":
                yield Subject(change, f"{name} of {change.stack}")
        if self.baseline is not None and stack.name not in self._at_the_baseline:
            for kind in _COMPARED:  # of a stack that is new, the changes name only what was seen
                for _ in stack.facts(kind):
                    pass

    def _waivers_unsure(self) -> dict[Any, BaseException]:
        """What was accepted that may cover something that was not judged, or could not be."""
        unknown: dict[str, list[Finding]] = {}
        for finding in self.findings:
            if finding.outcome in ("unknown", "error"):
                unknown.setdefault(finding.rule, []).append(finding)
        unsure: dict[Any, BaseException] = {}
        for one in self.accepted:
            if isinstance(one, Waiver) and one.rule in unknown:
                unsure[one] = UnknownFact(f"{one.rule} could not be judged on everything", _missing(unknown[one.rule]))
            elif self.only_stack is not None or (
                one.rule not in self.ran if isinstance(one, Waiver) else not self.ran.issuperset(_TELL_OF_GAPS)
            ):
                unsure[one] = NotChecked("only some rules, or one stack, were asked for")
        return unsure

    def subjects(self, rule: Rule, stack: Stack) -> Iterator[Subject]:
        """What the rule is to be called for; raises UnknownFact at the end where that may not be all."""
        if rule.each == "host":
            yield Subject(self.snapshot, "host")
        elif rule.each == "stack":
            yield Subject(stack, "stack")
        elif rule.each == "privileged":
            yield Subject(stack, stack.privileged.source)
        elif rule.each == "socket":
            for socket in stack.listening:
                yield Subject(socket, socket.subject, socket.numbered_subject)
        elif rule.each == "range":
            for ports in stack.ephemeral:
                words = [w for key in ("role", "protocol", "family") if (w := ports.shown.get(key, "any")) not in ("any", "default")]
                yield Subject(ports, f"{stack.ephemeral.source}{' (' + ', '.join(words) + ')' if words else ''}")
        elif rule.each == "grant":
            yield from (Subject(grant, str(grant)) for grant in stack.granted(rule.paths))
        elif rule.each in _THINGS:
            for one in getattr(stack, _THINGS[rule.each]):
                yield Subject(one, str(one))
        elif rule.each == "facts":
            yield from (Subject(stack.facts(name), name) for name in _STACK_FACTS)
            if stack.kind == "host" or (self.only_stack is None and not any(s.kind == "host" for s in self.stacks)):
                yield Subject(self.seen, "stacks")
        elif rule.each == "approved":
            yield from (Subject(entry, str(entry)) for entry in self.policy.approving.entries)
        elif rule.each == "change":
            yield from self._changed(stack)
        elif rule.each == "required":
            yield from (Subject(entry, str(entry)) for entry in self.policy.required if stack.kind == "host")
        elif rule.each == "waiver":
            yield from (Subject(one, str(one)) for one in self.accepted if one.speaks_of(self.name))
        else:
            raise ValueError(f"rule {rule.name} is asked for each '{rule.each}', which is nothing")


def _missing(findings: list[Finding]) -> str | None:
    """The kind of facts that unknown findings lack; one that leaves the verdict open goes first."""
    first = min(findings, key=lambda finding: not finding.leaves_open)
    return next(iter(first.facts), None)
