"""Every rule on every stack of a host. Total: for each there is an answer, and the absence of a line never means anything."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from auditor.facts import Facts, Gap, Record, UnknownFact
from auditor.model import Finding, Snapshot, Socket, Stack
from auditor.policy import Policy
from auditor.rule import Breach, Case, NotChecked, Rule
from auditor.tables import Tables

_EXAMPLES = 5
_PLURALS = {"facts": "kinds of facts", "required": "required listeners"}
_STACK_FACTS = ("privileged", "ephemeral", "reserved", "listening", "addresses", "settings", "persisted")

NEEDS: dict[str, tuple[Callable[[Policy, Stack], bool], str]] = {
    "approved": (lambda policy, _: policy.approved_given, "the policy lists no approved listeners: approval NOT ASSESSED"),
    "required": (lambda policy, _: bool(policy.required), "the policy requires no listener"),
    "forbidden": (lambda policy, _: bool(policy.forbidden), "the policy forbids no listener"),
    "ephemeral": (lambda policy, _: policy.ephemeral is not None, "the policy expects no ephemeral range"),
    "witnessed": (lambda _, stack: "witnessed" in stack.shown, "no second witness was asked (--cross-check)"),
}
"""What a rule may need, whether it is there, and the reason that is given where it is not."""


class _Subject:
    """One thing a rule is called for. `names` are those a waiver may call it by."""

    __slots__ = ("names", "thing")

    def __init__(self, thing: Any, *names: str) -> None:
        self.thing = thing
        self.names = names


def evaluate(
    snapshot: Snapshot, policy: Policy, tables: Tables, rules: Iterable[Rule], today: datetime.date, only_stack: str | None = None
) -> list[Finding]:
    """The findings of one host, of all outcomes, in the order of rules and stacks. `today` is a day in UTC."""
    host = _Host(snapshot, policy, tables, today, only_stack)
    ordered = sorted(rules, key=lambda rule: (rule.each == "waiver", rule.name))
    host.ran = {rule.name for rule in ordered}
    for rule in ordered:
        host.judge(rule)
    return host.findings


class _Host:
    def __init__(self, snapshot: Snapshot, policy: Policy, tables: Tables, today: datetime.date, only_stack: str | None) -> None:
        self.snapshot = snapshot
        self.policy = policy
        self.tables = tables
        self.today = today
        self.name = snapshot.shown.get("host", "unknown host")
        self.system = snapshot.shown.get("system")
        self.only_stack = only_stack
        self.seen = _facts(snapshot, "stacks")
        self.stacks: list[Stack] = [s for s in self.seen.seen if only_stack is None or s.name == only_stack]
        self.ran: set[str] = set()
        self.waivers_used: set[Any] = set()
        self.findings: list[Finding] = []

    def judge(self, rule: Rule) -> None:
        if rule.each in ("host", "waiver"):
            self.answer(rule, Stack(name="host", kind="host"), None)
            return
        for stack in self.stacks:
            self.answer(rule, stack, stack.name)
        if absent := self._absent(rule):
            self.answer(rule, Stack(name="host", kind="host"), None, absent)

    def _absent(self, rule: Rule) -> tuple[str, str] | None:
        """What there is to say of a rule where no stack that it is for was seen: an outcome and why."""
        gaps = self.seen.gaps
        if self.only_stack is not None and not self.stacks:
            why = f"no stack of this host is called {self.only_stack!r}"
            return ("unknown", f"{why}, among those that were seen: {gaps[0].why}") if gaps else ("notapplicable", why)
        if not self.stacks or (rule.stacks == "host" and self.only_stack is None and not any(s.kind == "host" for s in self.stacks)):
            return "unknown", gaps[0].why if gaps else "the host's own network stack was not seen"
        return None

    def answer(self, rule: Rule, stack: Stack, stack_name: str | None, absent: tuple[str, str] | None = None) -> None:
        """One rule on one stack: at least one finding, whatever happens."""
        setting = self.policy.rules.get(rule.name)
        verdict = _Verdict(self, rule, stack, stack_name, setting.severity if setting else None)
        if rule.systems and self.system is not None and self.system not in rule.systems:
            verdict.say("notapplicable", f"this rule is for {', '.join(rule.systems)}")
        elif setting is not None and setting.off:
            verdict.say("notselected", f"off in the policy ({setting.origin})")
        elif rule.systems and self.system is None:
            verdict.say("unknown", f"the evidence does not show the system, and this rule is for {', '.join(rule.systems)}")
        elif absent is not None:
            verdict.say(*absent)
        elif unheard_of := [need for need in rule.needs if need not in NEEDS]:
            verdict.say("error", f"our error, not the host's: the rule needs {unheard_of[0]!r}, which is nothing")
        elif rule.stacks == "host" and stack.kind != "host":
            verdict.say("notapplicable", "this rule is for a host's own stack")
        elif missing := [why for need in rule.needs for there, why in [NEEDS[need]] if not there(self.policy, stack)]:
            verdict.say("notchecked", missing[0])
        else:
            case = Case(
                policy=self.policy, tables=self.tables, today=self.today, snapshot=self.snapshot, stack=stack,
                parameters=setting.parameters if setting else {}, waivers_used=frozenset(self.waivers_used),
                waivers_unsure=self._waivers_unsure() if rule.each == "waiver" else None,
            )  # fmt: skip
            verdict.judge(case)
        self.findings += verdict.findings()

    def _waivers_unsure(self) -> dict[Any, BaseException]:
        """The waivers that may cover something that was not judged, or could not be."""
        unknown = {finding.rule for finding in self.findings if finding.outcome in ("unknown", "error")}
        unsure: dict[Any, BaseException] = {}
        for waiver in self.policy.waivers:
            if waiver.rule in unknown:
                unsure[waiver] = UnknownFact(f"{waiver.rule} could not be judged on everything")
            elif waiver.rule not in self.ran or self.only_stack is not None:
                unsure[waiver] = NotChecked("only some rules, or one stack, were asked for")
        return unsure

    def subjects(self, rule: Rule, stack: Stack) -> Iterator[_Subject]:
        """What the rule is to be called for; raises UnknownFact at the end where that may not be all."""
        if rule.each == "host":
            yield _Subject(self.snapshot, "host")
        elif rule.each == "stack":
            yield _Subject(stack, "stack")
        elif rule.each == "privileged":
            yield _Subject(stack, stack.privileged.source)
        elif rule.each == "socket":
            for socket in stack.listening:
                yield _Subject(socket, socket.subject, socket.numbered_subject)
        elif rule.each == "range":
            for ports in stack.ephemeral:
                words = [w for key in ("role", "protocol", "family") if (w := ports.shown.get(key, "any")) not in ("any", "default")]
                yield _Subject(ports, f"{stack.ephemeral.source}{' (' + ', '.join(words) + ')' if words else ''}")
        elif rule.each == "setting":
            for one in stack.settings:
                yield _Subject(one, str(one))
        elif rule.each == "facts":
            yield from (_Subject(_facts(stack, name), name) for name in _STACK_FACTS)
            if stack.kind == "host" or (self.only_stack is None and not any(s.kind == "host" for s in self.stacks)):
                yield _Subject(self.seen, "stacks")
        elif rule.each == "required":
            yield from (_Subject(entry, str(entry)) for entry in self.policy.required if stack.kind == "host")
        elif rule.each == "waiver":
            yield from (_Subject(waiver, str(waiver)) for waiver in self.policy.waivers if waiver.speaks_of(self.name))
        else:
            raise ValueError(f"rule {rule.name} is asked for each '{rule.each}', which is nothing")


def _facts(record: Record, name: str) -> Facts[Any]:
    """One kind of a record's facts, with a gap where the evidence does not show it at all."""
    shown: Facts[Any] | None = record.shown.get(name)
    if shown is None:
        return Facts([], "", [Gap(f"the evidence does not show {name}")])
    return shown


class _Verdict:
    """What becomes of one rule on one stack."""

    def __init__(self, host: _Host, rule: Rule, stack: Stack, stack_name: str | None, severity: str | None) -> None:
        self.host = host
        self.rule = rule
        self.stack = stack
        self.stack_name = stack_name
        self.set_severity = severity
        self.judged = 0
        self.said: list[Finding] = []
        self.breaches: dict[tuple[str, str, Any], list[tuple[str, Breach]]] = {}
        self.unknown: dict[str, list[str]] = {}
        self.not_checked: dict[str, list[str]] = {}

    def say(
        self, outcome: str, message: str, subject: str = "stack", breach: Breach | None = None, *,
        count: int = 1, examples: tuple[str, ...] = (), observed: str | None = None, waiver: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        severity = self.set_severity or (breach and breach.severity) or self.rule.severity
        finding = Finding(self.rule.name, self.host.name, self.stack_name, subject, outcome, severity, message)
        if breach is not None:
            finding.observed, finding.expected, finding.source = breach.observed, breach.expected, breach.source
        finding.observed = observed or finding.observed
        finding.count, finding.examples, finding.waiver = count, examples, waiver
        self.said.append(finding)

    def judge(self, case: Case) -> None:
        try:
            for subject in self.host.subjects(self.rule, self.stack):
                self.judged += 1
                self._check(case, subject)
        except UnknownFact as reason:
            self.unknown.setdefault(str(reason), []).append("what was not seen")

    def _check(self, case: Case, subject: _Subject) -> None:
        try:
            for breach in self.rule.check(case, subject.thing):
                self._breach(subject, breach)
        except UnknownFact as reason:
            self.unknown.setdefault(str(reason), []).append(subject.names[0])
        except NotChecked as reason:
            self.not_checked.setdefault(str(reason), []).append(subject.names[0])
        except Exception as error:
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            at = f" at {where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else ""
            self.say("error", f"our error, not the host's: {type(error).__name__}: {error}{at}", subject.names[0])

    def _breach(self, subject: _Subject, breach: Breach) -> None:
        waiver = self._waiver(subject, breach.fold)
        if waiver is not None:
            self.host.waivers_used.add(waiver)
        key = (subject.names[0] if breach.fold is None else breach.fold, breach.severity or "", waiver)
        self.breaches.setdefault(key, []).append((subject.names[-1], breach))

    def _waiver(self, subject: _Subject, fold: str | None) -> Any:
        names = subject.names if fold is None else (*subject.names, fold)
        for waiver in self.host.policy.waivers:
            if not waiver.live(self.host.today) or not waiver.covers(self.rule.name, self.host.name, self.stack_name, names):
                continue
            try:
                if not waiver.pinned or (isinstance(subject.thing, Socket) and waiver.pins(subject.thing)):
                    return waiver
            except UnknownFact:
                continue
        return None

    def findings(self) -> list[Finding]:
        """What was said, folded and grouped: sockets that share a port share a name, and are one finding with their number. A pass where
        every subject was judged and there is nothing else to say."""
        for (subject, _, waiver), breaches in self.breaches.items():
            names = tuple(dict.fromkeys(name for name, _ in breaches))
            first, outcome = breaches[0][1], "fail" if waiver is None else "waived"
            self.say(
                outcome,
                first.message if first.fold is not None else _distinct(breach.message for _, breach in breaches),
                subject,
                first,
                count=len(breaches),
                examples=names[:_EXAMPLES] if first.fold is not None or len(names) > 1 else (),
                observed=", ".join(names) if first.fold is not None else _distinct(breach.observed for _, breach in breaches),
                waiver=None if waiver is None else waiver.to_json(),
            )
        for outcome, reasons in (("unknown", self.unknown), ("notchecked", self.not_checked)):
            taken: set[str] = set()
            for reason, subjects in reasons.items():
                subject = subjects[0] if len(subjects) == 1 else f"several {_PLURALS.get(self.rule.each, self.rule.each + 's')}"
                if subject in taken:
                    subject = f"{subject}, from {subjects[0]}"
                taken.add(subject)
                self.say(outcome, reason, subject, count=len(subjects), examples=tuple(subjects[:_EXAMPLES]) if len(subjects) > 1 else ())
        if not self.said:
            self.say("pass", f"{self.judged} judged, none failed", count=self.judged)
        return self.said


def _distinct(words: Iterable[str | None]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word))
