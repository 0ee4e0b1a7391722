"""What is odd in a policy that loads: each entry is right by itself, and yet one says too much, or two do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.approvals import NAME, PORT_ONLY, strength
from auditor.policy import Policy
from auditor.policy_containment import contains, ports_in, same
from auditor.policy_entries import Entry
from auditor.policy_keys import Glob
from auditor.policy_waivers import Acceptance
from auditor.policy_wider import PerhapsWider
from auditor.port_range import PortRange
from auditor.remedy import SYSTEMS
from auditor.yaml_nodes import Mapping, Node, Scalar, Sequence, quoted

if TYPE_CHECKING:
    import datetime

ERROR, WARNING = "error", "warning"
PORTS_MAX = 1000
"""Ports that one approval may have without saying who holds them."""
RESTS_ON = ("listener-not-approved", "listener-forbidden", "evidence-incomplete", "owner-not-visible", "host-identity-mismatch")
"""Rules without which a report is no evidence: of what is approved, of how much was seen, and of which host it is."""


class Problem:
    """`severity`: an ERROR must be mended, a WARNING looked at. `origin` is the place as `file:line`, `advice` what to do next."""

    __slots__ = ("advice", "message", "origin", "severity")

    def __init__(self, severity: str, origin: str, message: str, advice: str) -> None:
        self.severity = severity
        self.origin = origin
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}; {self.advice}"


def problems(policy: Policy, today: datetime.date) -> list[Problem]:
    """All that is odd in a policy as merged, errors first. `today` is a day in UTC."""
    found = [
        *_incomplete(policy),
        *_contradictory(policy),
        *_covered(policy.approved, "approves"),
        *_covered(policy.forbidden, "forbids"),
        *_by_name_alone(policy),
        *_very_wide(policy),
        *_same_id(policy),
        *_waived_altogether(policy),
        *_quietened(policy),
        *_without_scope(policy),
        *_unknown_systems(policy),
        *_units_without_suffix(policy),
        *_overdue(policy, today),
    ]
    return sorted(found, key=lambda problem: problem.severity)


def _approving(policy: Policy) -> tuple[Entry, ...]:
    return policy.approving.entries


def _incomplete(policy: Policy) -> Iterator[Problem]:
    for entry in _approving(policy):
        missing = [key for key in policy.must_have if getattr(entry, key) is None]
        if missing:
            asked = f"must_have at {policy.origin('must_have')} asks for it"
            yield Problem(ERROR, entry.origin, f"'{entry}' has no {', '.join(missing)}", f"{asked}: add a line '{missing[0]}: ...'")


def _contradictory(policy: Policy) -> Iterator[Problem]:
    required = {entry.written for entry in policy.required}
    for entry in _approving(policy):
        said = f"'{entry}' is {'required' if entry.written in required else 'approved'} here and forbidden at"
        for against in policy.forbidden:
            if contains(against, entry):
                advice = "no approval outweighs that: take one of the two out, or write what is right as its 'except'"
                yield Problem(ERROR, entry.origin, f"{said} {against.origin}", advice)
                break
            both = ports_in(entry.ports, against.ports)
            if both and contains(against, entry, besides=("port",)):
                told = ", ".join(map(str, both))
                yield Problem(WARNING, entry.origin, f"{said} {against.origin} on {told}", "take that out of one of the two")


def _covered(entries: tuple[Entry, ...], does: str) -> Iterator[Problem]:
    """Entries that another makes idle: one that says the same before it, or one that says more."""
    wider = PerhapsWider(entries)
    at = {entry: number for number, entry in enumerate(entries)}
    for entry in entries:
        here = f"'{entry}' {does}"
        for other in wider.than(entry):
            if other is entry:
                continue
            if same(other, entry):
                if at[other] < at[entry]:
                    yield Problem(WARNING, entry.origin, f"{here} the same as '{other}' at {other.origin}", "keep one of the two")
                    break
            elif other.at_most is None and contains(other, entry):
                message = f"{here} nothing that '{other}' at {other.origin} does not"
                yield Problem(WARNING, entry.origin, message, "narrow that one, or take this one out")
                break


def _by_name_alone(policy: Policy) -> Iterator[Problem]:
    for entry in _approving(policy):
        if strength(entry) == NAME:
            message = f"'{entry}' is approved by process name alone, and any process can give itself a name"
            yield Problem(WARNING, entry.origin, message, "add its executable, user, unit or container")


def _very_wide(policy: Policy) -> Iterator[Problem]:
    for entry in _approving(policy):
        count = sum(ports.last - ports.first + 1 for ports in PortRange.joined(entry.ports))
        if strength(entry) == PORT_ONLY and (count > PORTS_MAX or "port" not in entry.wanted):
            said = f"{count} ports" if count else "every port"
            advice = "name its executable, user, unit or container, or fewer ports"
            yield Problem(WARNING, entry.origin, f"'{entry}' approves {said}, whoever holds them", advice)


def _same_id(policy: Policy) -> Iterator[Problem]:
    """A report names a waiver by its id: two of one id are one that nobody can look up."""
    first: dict[str, Acceptance] = {}
    for accepted in (*policy.waivers, *policy.gaps):
        if accepted.id is not None and (other := first.setdefault(accepted.id, accepted)) is not accepted:
            message = f"the {accepted.word} has the id '{accepted.id}' of the {other.word} at {other.origin}"
            yield Problem(ERROR, accepted.origin, message, "give one of the two another id")


def _waived_altogether(policy: Policy) -> Iterator[Problem]:
    for waiver in policy.waivers:
        if not _narrows(waiver.subjects) and not _narrows(waiver.hosts):
            bounds = [key for key in ("stack", "executable", "user") if key in waiver.written.items]
            fitting = f" that fits its {' and '.join(bounds)}" if bounds else ""
            message = f"{waiver.title} covers every finding of {waiver.rule}{fitting}, on all hosts"
            yield Problem(WARNING, waiver.origin, message, "name its subject or its hosts")


def _narrows(patterns: tuple[Glob, ...] | None) -> bool:
    return patterns is not None and all(one.pattern.strip("*") for one in patterns)


def _quietened(policy: Policy) -> Iterator[Problem]:
    for name in RESTS_ON:
        setting = policy.rules.get(name)
        if setting is not None and (setting.off or setting.severity == "info"):
            message = f"{name} is {'off' if setting.off else 'info, which is never open'}, and a review rests on it"
            yield Problem(WARNING, setting.origin, message, "leave it on, and accept what cannot be mended by a waiver or a gap")


def _without_scope(policy: Policy) -> Iterator[Problem]:
    if policy.scope.must_see is not None and "listeners" not in policy.scope.must_see:
        message = "the verdict need not know the listeners: a host of which none was seen can pass"
        yield Problem(WARNING, policy.origin("scope", "must_see"), message, "add listeners to must_see")
    if policy.scope.containers == frozenset():
        message = "no rule judges what listens in containers, however far it can be reached"
        yield Problem(WARNING, policy.origin("scope", "containers"), message, "name the rules that judge there")


def _unknown_systems(policy: Policy) -> Iterator[Problem]:
    """Nothing is expected of a host whose system is called otherwise, and that goes unnoticed."""
    from difflib import get_close_matches

    known = {system.lower(): system for system in SYSTEMS}
    places = [word for section in ("privileged", "ephemeral") for word in _keys_of(policy.parts.get((section, "expect"), []))]
    for word in [*_words_of(policy.parts.get(("applies_to", "systems"), [])), *places]:
        if word.text.lower() not in known:
            near = [f"did you mean {known[name]!r}? " for name in get_close_matches(word.text.lower(), known, 1)]
            advice = f"{''.join(near)}systems are called as `uname -s` prints them: {', '.join(SYSTEMS)}"
            yield Problem(WARNING, word.origin, f"no system is called {quoted(word.text)}, and so this is for no host", advice)


def _keys_of(nodes: list[Node]) -> list[Scalar]:
    return [key for node in nodes if isinstance(node, Mapping) for key, _ in node.items.values()]


def _words_of(nodes: list[Node]) -> list[Scalar]:
    words = [word for node in nodes for word in (node.items if isinstance(node, Sequence) else [node])]
    return [word for word in words if isinstance(word, Scalar)]


def _units_without_suffix(policy: Policy) -> Iterator[Problem]:
    """systemd's names end in what they are, and so a word without one is none of them."""
    listed = (*_approving(policy), *policy.forbidden, *(policy.granted_to or ()))
    for entry in (*listed, *(exception for one in listed for exception in one.exceptions)):
        for unit in entry.wanted.get("unit", ()):
            if not {".", "*"} & set(unit.pattern):
                yield Problem(WARNING, entry.origin, f"the unit {quoted(unit.pattern)} has no suffix", f"write {unit.pattern}.service")


def _overdue(policy: Policy, today: datetime.date) -> Iterator[Problem]:
    for accepted in (*policy.waivers, *policy.gaps):
        if not accepted.live(today):
            message = f"{accepted.word} '{accepted}' expired on {accepted.expires}, and is no longer obeyed"
            yield Problem(WARNING, accepted.origin, message, "take it out, or have it approved anew")
    for entry in _approving(policy):
        if entry.review_by is not None and entry.review_by < today:
            yield Problem(WARNING, entry.origin, f"the review of '{entry}' was due by {entry.review_by}", "review it, and set a new date")
