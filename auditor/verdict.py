"""What becomes of one rule on one stack: what it found, folded and grouped, with what is waived, accepted or no part of the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from auditor.display import who_in_words
from auditor.facts import UnknownFact
from auditor.model import Finding, Socket, Stack
from auditor.policy import Policy
from auditor.policy_waivers import Acceptance, AcceptedGap, Waiver
from auditor.rule import Breach, Case, NotChecked, Rule

if TYPE_CHECKING:
    import datetime

_EXAMPLES = 5
_PLURALS = {"facts": "kinds of facts", "required": "required listeners", "approved": "approved listeners",
            "socket_unit": "ports of socket units", "service_name": "names of ports"}  # fmt: skip
_Missing = tuple[str, AcceptedGap | None, bool]
"""Why something is unknown, which accepted gap it is part of, and whether it is inventory."""


class Subject:
    """One thing a rule is called for. `names` are those a waiver may call it by."""

    __slots__ = ("names", "thing")

    def __init__(self, thing: Any, *names: str) -> None:
        self.thing = thing
        self.names = names


class Judging(Protocol):
    """The host that is judged: its `name`, the `policy` and the day, and what was accepted and is `waivers_used` by now."""

    name: str
    policy: Policy
    today: datetime.date
    waivers_used: set[Acceptance]


class Verdict:
    """What becomes of one rule on one stack; `stack_name` is None where it is about the host."""

    def __init__(self, host: Judging, rule: Rule, stack: Stack, stack_name: str | None, severity: str | None) -> None:
        self.host = host
        self.rule = rule
        self.stack = stack
        self.stack_name = stack_name
        self.set_severity = severity
        self.judged = 0
        self.said: list[Finding] = []
        self.breaches: dict[tuple[str, str, Waiver | None, bool], list[tuple[str, Breach]]] = {}
        self.who: dict[tuple[str, str, Waiver | None, bool], dict[str, None]] = {}
        self.unknown: dict[_Missing, list[tuple[str, str | None]]] = {}
        self.not_checked: dict[str, list[str]] = {}

    def say(
        self, outcome: str, message: str, subject: str = "stack", breach: Breach | None = None, *,
        count: int = 1, examples: tuple[str, ...] = (), observed: str | None = None, waiver: Acceptance | None = None,
        inventory: bool = False, facts: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        severity = "info" if inventory else self.set_severity or (breach and breach.severity) or self.rule.severity
        finding = Finding(self.rule.name, self.host.name, self.stack_name, subject, outcome, severity, message)
        if breach is not None:
            finding.observed, finding.expected, finding.source = breach.observed, breach.expected, breach.source
        finding.observed = observed or finding.observed
        finding.count, finding.examples, finding.waiver = count, examples, None if waiver is None else waiver.to_json()
        finding.inventory, finding.facts = inventory, facts
        self.said.append(finding)

    def judge(self, case: Case, subjects: Iterator[Subject]) -> None:
        """Ask the rule about each of its subjects; they may end with UnknownFact, where there may be more."""
        try:
            for subject in subjects:
                self.judged += 1
                self._check(case, subject)
        except UnknownFact as reason:
            self._not_known(reason, Subject(None, "what was not seen"))

    def _check(self, case: Case, subject: Subject) -> None:
        try:
            for breach in self.rule.check(case, subject.thing):
                self._breach(subject, breach)
        except UnknownFact as reason:
            self._not_known(reason, subject)
        except NotChecked as reason:
            self.not_checked.setdefault(str(reason), []).append(subject.names[0])
        except Exception as error:
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            at = f" at {where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else ""
            self.say("error", f"our error, not the host's: {type(error).__name__}: {error}{at}", subject.names[0])

    def miss(self, reason: UnknownFact) -> None:
        """There may be stacks that were not seen, or there is none to judge."""
        self._not_known(reason, Subject(None, "stack"))

    def _not_known(self, reason: UnknownFact, subject: Subject) -> None:
        unseen = self._is_inventory(subject.thing) or not self.host.policy.scope.must_know(reason.fact)
        missing = (str(reason), self._accepted(reason.fact, subject.names), unseen)
        self.unknown.setdefault(missing, []).append((subject.names[0], reason.fact))

    def _is_inventory(self, thing: Any) -> bool:
        """Whether what is found of it is no part of the verdict, by the policy's scope."""
        return not self.host.policy.scope.judges(self.rule.name, self.stack, thing)

    def _breach(self, subject: Subject, breach: Breach) -> None:
        waiver = self._waiver(subject, breach.fold)
        if waiver is not None:
            self.host.waivers_used.add(waiver)
        name = subject.names[0] if breach.fold is None else breach.fold
        key = (name, breach.severity or "", waiver, self._is_inventory(subject.thing))
        self.breaches.setdefault(key, []).append((subject.names[-1], breach))
        if who := who_in_words(subject.thing):
            self.who.setdefault(key, {})[who] = None

    def _accepted(self, fact: str | None, names: tuple[str, ...]) -> AcceptedGap | None:
        """The gap that the policy accepts, of which this is part."""
        for gap in self.host.policy.gaps:
            if gap.live(self.host.today) and gap.accepts(fact, self.host.name, self.stack_name, names):
                self.host.waivers_used.add(gap)
                return gap
        return None

    def _waiver(self, subject: Subject, fold: str | None) -> Waiver | None:
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
        for key, breaches in self.breaches.items():
            subject, _, waiver, inventory = key
            names = tuple(dict.fromkeys((breach.observed if breach.fold is not None else None) or name for name, breach in breaches))
            first, outcome = breaches[0][1], "fail" if waiver is None else "waived"
            self.say(
                outcome,
                _distinct(breach.message for _, breach in breaches),
                subject,
                first,
                count=len(breaches),
                examples=names[:_EXAMPLES] if first.fold is not None or len(names) > 1 else (),
                observed=", ".join(names) if first.fold is not None else _distinct(breach.observed for _, breach in breaches),
                waiver=waiver,
                inventory=inventory,
            )
            self.said[-1].subjects = tuple(name for name, _ in breaches)
            self.said[-1].who = _few(list(self.who.get(key, ())))
        taken: set[str] = set()
        for (reason, gap, inventory), missing in self.unknown.items():
            facts = tuple(dict.fromkeys(fact for _, fact in missing if fact is not None))
            self._several("unknown", reason, [name for name, _ in missing], taken, waiver=gap, inventory=inventory, facts=facts)
        taken = set()
        for reason, subjects in self.not_checked.items():
            self._several("notchecked", reason, subjects, taken)
        if not self.said:
            self.say("pass", f"{self.judged} judged, none failed", count=self.judged)
        return self.said

    def _several(self, outcome: str, reason: str, subjects: list[str], taken: set[str], **more: Any) -> None:
        """One finding for all that share a reason, under a name that none before it has `taken`."""
        name = subjects[0] if len(subjects) == 1 else f"several {_PLURALS.get(self.rule.each, self.rule.each + 's')}"
        if name in taken:
            name = f"{name}, from {subjects[0]}"
        taken.add(name)
        examples = tuple(subjects[:_EXAMPLES]) if len(subjects) > 1 else ()
        self.say(outcome, reason, name, count=len(subjects), examples=examples, **more)
        self.said[-1].subjects = tuple(subjects)


def _few(who: list[str]) -> str | None:
    more = f" and {len(who) - _EXAMPLES} more" if len(who) > _EXAMPLES else ""
    return "; ".join(who[:_EXAMPLES]) + more or None


def _distinct(words: Iterable[str | None]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word))
