"""What identifies people or hosts, out of a report that is to be shared: each name becomes another, the same one wherever it stands.

`users` are the account names of people (whose uid is not one of the system's own accounts, or not known) and whoever the policy names as
owner or approver. `hosts` are the names, machine-ids, boot-ids and addresses of hosts, and where their evidence lay. What is known to be
a name becomes another one by its place; elsewhere a name is found as a whole word, in capitals or not. Stamps, numbers and the words by
which findings and listeners are told apart stay, or change alike. The evidence itself is left out. All hosts have to be known before the
first of them can be shown: what one says of another is found too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts import Facts, Record
from auditor.model import Finding, Setting, Snapshot, Socket
from auditor.redacted_names import HOST, MACHINE, PERSON, SOURCE, USER, Names
from auditor.redaction_meeting import EVERY_HOST, EVERY_SOURCE, HOSTS, PERSONS, USERS, Meeting

if TYPE_CHECKING:
    from auditor.host_report import HostReport
    from auditor.report import Report

KINDS = (USERS, HOSTS)
_STAYS = {
    "protocol", "family", "state", "basis", "kind", "reach", "owner_state", "role", "needs", "schema", "system", "taken", "started", "mode",
    "at_path", "result", "rule", "expires", "review_by",
}  # fmt: skip
"""Keys whose values are words of ours, numbers, or stamps, which a host or a user may happen to be called by."""


class Redaction:
    """The names of these kinds that were met, and what they became. One for all hosts of a report: all are met before any is redacted."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self.kinds = frozenset(kinds)
        self._names = Names(users=USERS in self.kinds, hosts=HOSTS in self.kinds)
        self._meeting = Meeting(self._names, self.kinds)

    def meet(self, host: HostReport) -> None:
        """Get to know the names that a host has and tells of."""
        self._meeting.host(host)

    def host(self, host: HostReport) -> None:
        """Take the names out of all that a report holds of a host, in place, and its evidence with them."""
        host.evidence = None
        name, before = host.name, (host.snapshot, host.baseline)
        host.given = self._source(host.given)
        host.snapshot = self._record(host.snapshot)
        host.baseline = host.baseline and self._record(host.baseline)
        if host.assignment is not None:
            assignment = host.assignment = copy.copy(host.assignment)
            assignment.host = assignment.host and self._host(assignment.host)
            assignment.machine_id = assignment.machine_id and self._word("machine_id", assignment.machine_id)
            assignment.place = self._source(assignment.place)
            self._attributes(assignment, ("identified", "origin", "rivals", "clones", "strangers", "groups", "roles"))
        subject = _Subjects(before, (host.snapshot, host.baseline), self._names.text)
        for finding in (*host.findings, *host.gone):
            finding.host = host.name if finding.host == name else self._host(finding.host)
            finding.examples, finding.subjects = tuple(map(subject, finding.examples)), tuple(map(subject, finding.subjects))
            finding.subject = subject(finding.subject)
            self._finding(finding)
        for change in host.changes:
            change.subject = subject(change.subject)
            self._attributes(change, ("stack", "before", "after", "why"))
        policy = host.policy = self._copy(host.policy, ("name", "files"))
        policy.required = tuple(self._entry(entry) for entry in policy.required)
        host.accepted = [self._words(one) | {"asks": self._asked(one["asks"])} for one in host.accepted]
        for approval in host.approvals.entries if host.approvals else ():
            approval.entry = self._entry(approval.entry)
            approval.asks = self._asked(approval.asks)
            approval.matched = [(self._names.text(stack), subject(one)) for stack, one in approval.matched]

    def report(self, report: Report) -> None:
        """Take the names out of what a report says of all hosts, once all hosts were met and before any is written."""
        self._meeting.others(report)
        report.shown_as = self._copy(report.shown_as, ("organisation", "banner"))
        self._attributes(report, ("narrowed", "in_part"))
        report.bad_sources = [(self._source(source), self._names.text(why)) for source, why in report.bad_sources]
        for told in (report.drift, report.site):
            if told is not None:
                told.missing = [self._host(name) for name in told.missing]
        if report.site is not None:
            self._attributes(report.site, ("name", "files"))

    def _host(self, name: str) -> str:
        return self._names.other(HOST, name) if HOSTS in self.kinds and name not in EVERY_HOST else self._names.text(name)

    def _source(self, given: str) -> str:
        return self._names.other(SOURCE, given) if HOSTS in self.kinds and given not in EVERY_SOURCE else self._names.text(given)

    def _record(self, record: Any) -> Any:
        """The same thing with other names; nothing is read again, so that none can be refused."""
        stays = {*_STAYS, "name"} if isinstance(record, Setting) else _STAYS
        return type(record)(**{key: value if key in stays else self._field(key, value) for key, value in record.shown.items()})

    def _field(self, key: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._word(key, value)
        if isinstance(value, Record):
            return self._record(value)
        if isinstance(value, Facts):
            seen = [self._field(key, one) for one in value.seen]
            gaps = [self._copy(gap, ("why", "line", "stack")) for gap in value.gaps]
            return Facts(seen, self._names.text(value.source), gaps, value.basis, value.fact)
        if isinstance(value, list):
            return [self._field(key, one) for one in value]
        return self._value(value)

    def _word(self, key: str, word: str) -> str:
        """A word, of which the key tells what it is."""
        if key == "host":
            return self._host(word)
        if HOSTS in self.kinds and key in ("machine_id", "boot_id"):
            return self._names.other(MACHINE, word)
        if HOSTS in self.kinds and key == "address":
            return self._names.address(word)
        if USERS in self.kinds and (key in PERSONS or (key == "user" and self._names.is_met(word))):
            return self._names.other(PERSON if key in PERSONS else USER, word)
        return word if key in _STAYS else self._names.text(word)

    def _value(self, value: Any) -> Any:
        """Any value with other names in its texts, however deep they lie."""
        whole = [value]
        todo: list[Any] = [whole]
        while todo:
            part = todo.pop()
            for key, one in list(part.items() if isinstance(part, dict) else enumerate(part)):
                if isinstance(one, str):
                    part[key] = self._word(str(key), one)
                elif isinstance(one, tuple | frozenset):
                    part[key] = type(one)(self._names.text(text) for text in one)
                elif isinstance(one, dict | list):
                    part[key] = copy.copy(one)
                    todo.append(part[key])
        return whole[0]

    def _words(self, told: dict[str, Any]) -> dict[str, Any]:
        words: dict[str, Any] = self._value(told)
        return words

    def _entry(self, entry: Any) -> Any:
        other = self._copy(entry, ("origin", "purpose", "ticket"))
        other.name = self._names.text(str(entry))
        for key in PERSONS:
            setattr(other, key, self._value({key: getattr(entry, key)})[key])
        return other

    def _asked(self, asks: dict[str, str]) -> dict[str, str]:
        """What an entry of the policy asks. Of the users that it names no uid tells whether they are people, nor are its hosts all met."""
        user = asks.get("user", "root")
        hidden = {"user": "redacted"} if USERS in self.kinds and user != "root" and not self._names.is_met(user) else {}
        hidden |= {"hosts": "redacted"} if HOSTS in self.kinds and "hosts" in asks else {}
        return self._words(asks) | hidden

    def _attributes(self, thing: Any, names: Iterable[str]) -> None:
        for name in names:
            setattr(thing, name, self._value(getattr(thing, name)))

    def _copy(self, thing: Any, names: Iterable[str]) -> Any:
        other = copy.copy(thing)
        self._attributes(other, names)
        return other

    def _finding(self, finding: Finding) -> None:
        self._attributes(finding, ("stack", "message", "observed", "expected", "source", "who", "waiver"))


class _Subjects:
    """What things are called now, by what they were called: findings stand on what they are about."""

    def __init__(self, before: Iterable[Snapshot | None], after: Iterable[Snapshot | None], text: Callable[[str], str]) -> None:
        self._text = text
        self._now: dict[str, str] = {}
        for was, now in zip(before, after, strict=True):
            for name, other in zip(_called(was), _called(now), strict=True):
                self._now.setdefault(name, other)

    def __call__(self, subject: str) -> str:
        return self._now.get(subject) or self._text(subject)


def _called(snapshot: Snapshot | None) -> Iterator[str]:
    """What the things of the stacks are called, in a fixed order."""
    for stack in snapshot.facts("stacks").seen if snapshot is not None else ():
        for facts in stack.shown.values():
            for one in facts.seen if isinstance(facts, Facts) else ():
                yield str(one)
                if isinstance(one, Socket):
                    yield one.subject
