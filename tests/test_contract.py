"""What every plugin promises, asked of every plugin that is found: a new one is held to it without a line written here."""

# ruff: noqa: E501 - the corpus reads best as it is

from __future__ import annotations

import ast
import importlib
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import plugins
from auditor.collector import Collector
from auditor.errors import PluginError, SourceError
from auditor.evidence import Answer, load
from auditor.facts import Facts, Gap
from auditor.model import Finding, Snapshot, Socket, Stack
from auditor.remedy import SYSTEMS, Remedy
from auditor.report import Report
from auditor.rule import Breach, Case, Rule
from auditor.site import Assignment
from auditor.sources import Source, from_bytes
from tests.bundles import RICH, STRICT, TABLES, Host, bundle, earlier, judged, rich, rules
from tests.hostile import HOSTILE, RAW_CONTROLS, hostile_report, reported

COLLECTORS = plugins.collectors()
RULES = plugins.rules()
FORMATS = plugins.formats()
GARBAGE = b"\xff\xfe\x00 \xc2\xb2 garbage\t\x1b[2J\r\nmore\tof\tit\n\\\n"
SEVERAL = pytest.mark.parametrize("collector", COLLECTORS.values(), ids=lambda c: c.name)


# Collectors: whatever becomes of a bundle, there is a snapshot, and nothing in it that the bundle does not say


def endless(answer: Answer) -> bool:
    """A file as it stands, or what an ordinary command prints: nothing in it says where it ends, so only its status can say that it was cut."""
    return pasted(answer) or (answer.command.startswith("builtin:read ") and not answer.command.startswith("builtin:read /proc/sys/"))


def pasted(answer: Answer) -> bool:
    """What an ordinary command printed: of a paste nobody can tell whether it was cut."""
    return not answer.command.startswith("builtin:")


def may_be_absent(answer: Answer) -> bool:
    """A file that many hosts do not have: that it is absent is an answer."""
    tables = ("/net/packet", "/net/raw", "/net/raw6")
    return endless(answer) or "sunrpc" in answer.command or "autobind" in answer.command or answer.command.endswith(tables)


_MAY_FALL = {"known": {"known", "partial", "unreadable"}, "partial": {"partial", "unreadable"}, "none": {"none", "unreadable"},
             "unreadable": {"unreadable"}}  # fmt: skip


def fewer(part: dict[str, Any], whole: dict[str, Any], skip: tuple[str, ...]) -> bool:
    """Whether nothing is known of the one thing that was not known of the other."""
    for key, value in part.items():
        if key in ("owner_reason", "source", "via", *skip):
            continue
        if key in ("subject", "scope") and "user" in whole and "user" not in part:
            continue  # a number stands for the name that was lost
        if key not in whole:
            return False
        known = whole[key]
        if key == "owner_state":
            if value not in _MAY_FALL[known]:
                return False
        elif key == "bound":
            if not set(value) <= set(known):
                return False
        elif key == "owners":
            if not all(any(fewer(owner, other, skip) for other in known) for owner in value):
                return False
            if part.get("owner_state") == "known" and len(value) != len(known):
                return False
        elif value != known and not (key in ("reach", "state") and value == "unknown"):
            return False
    return True


def untrue(part: dict[str, Any], whole: dict[str, Any], skip: tuple[str, ...]) -> list[str]:
    """What a stack's JSON claims that the whole one's does not: more things, other things, or all of them where some are gone."""
    if part == whole:
        return []
    found = []
    for kind, facts in part.items():
        if not isinstance(facts, dict) or facts == whole.get(kind):
            continue
        if facts["basis"] == "documented" and whole.get(kind, facts)["basis"] != "documented":
            continue  # the table's word, said to be that, where the host's own is lost
        left = list(whole.get(kind, {"seen": []})["seen"])
        for thing in facts["seen"]:
            same = thing if thing in left else next((other for other in left if fewer(thing, other, skip)), None)
            if same is None:
                found.append(f"{kind}: {thing}")
            elif not facts["gaps"]:
                left.remove(same)
        if left and not facts["gaps"]:
            found.append(f"{kind}: {len(left)} are gone and there is no gap: {left[:2]}")
    return found


def claims(snapshot: Snapshot, whole: dict[str, Any], skip: tuple[str, ...] = ()) -> list[str]:
    """What a snapshot of mutilated evidence claims that the `whole` one does not."""
    part = snapshot.to_json()
    found = [key for key in ("host", "machine_id", "boot_id", "release", "taken", "system") if key in part and part[key] != whole[key]]
    stacks = list(whole["stacks"]["seen"])
    for stack in part["stacks"]["seen"]:
        likely_first = sorted(stacks, key=lambda other: other["name"] != stack["name"])
        same = next((other for other in likely_first if not untrue(stack, other, skip)), None)
        if same is not None and not part["stacks"]["gaps"]:
            stacks.remove(same)
        elif same is not None:
            continue
        elif any(facts["seen"] or not facts["gaps"] for facts in stack.values() if isinstance(facts, dict)):
            named = [other for other in stacks if other["name"] == stack["name"]]
            found += min([untrue(stack, other, skip) for other in named or stacks] or [["a stack too many"]], key=len)
    if stacks and not part["stacks"]["gaps"]:
        found.append(f"{len(stacks)} stacks are gone and there is no gap")
    return found


def shape(line: bytes) -> bytes:
    """What lines have in common that differ in their numbers and words alone."""
    return re.sub(rb"[A-Za-z]+", b"a", re.sub(rb"\d+", b"0", line))


class AFew:
    """Two of each kind of things that are alike stand for all: to break the third proves what breaking the second did."""

    def __init__(self) -> None:
        self._had = Counter[Any]()

    def wants(self, *kind: object) -> bool:
        self._had[kind] += 1
        return self._had[kind] <= 2


class Mutilated:
    """A collector's rich bundle, to be interpreted with parts of it broken."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.host: Host = RICH[collector.name]()
        self.bytes = self.host.bundle()
        self.answers = load(self.bytes).answers
        self.whole = json.loads(json.dumps(self.read(self.bytes).to_json()))

    def read(self, evidence: bytes) -> Snapshot:
        snapshot = self.collector.interpret(load(evidence), TABLES)
        assert isinstance(snapshot, Snapshot)
        return snapshot

    def instead(self, at: int, stdout: bytes | None = None, status: str | None = None, stderr: bytes | None = None) -> Snapshot:
        """With answer number `at` another one."""
        answers = list(self.answers)
        old = answers[at]
        answers[at] = Answer(
            old.probe, old.command, old.stdout if stdout is None else stdout, status or old.status,
            stderr=old.stderr if stderr is None else stderr, stack=old.stack,
        )  # fmt: skip
        return self.read(bundle(answers, self.host.head()))

    def wrong(self, at: int, snapshot: Snapshot) -> list[str]:
        # where the names of containers are lost their ids stand for them
        skip = ("container",) if self.answers[at].probe == "containers" else ()
        return [f"{self.answers[at].command}: {claim}" for claim in claims(snapshot, self.whole, skip)]

    def unlike(self) -> Iterator[tuple[int, Answer]]:
        """The answers and their numbers; of those in several stacks to one command that are alike in all their lines, the first two."""
        few = AFew()
        for at, answer in enumerate(self.answers):
            if few.wants(answer.command, answer.status, frozenset(map(shape, answer.stdout.splitlines()))):
                yield at, answer

    def lines(self) -> Iterator[tuple[int, bytes, Answer | None]]:
        """The lines of the bundle, as far as they and the answers that they are of are not alike: each one's number, itself, and its
        answer."""
        unlike = dict(self.unlike())
        at, answer, few = -1, None, AFew()
        for number, line in enumerate(self.bytes.split(b"\n")[:-1]):
            if line.startswith(b"@ "):
                at, few = at + 1, AFew()
                answer = unlike.get(at)
            if at < 0 or line == b"." or (answer and few.wants(shape(line))):
                yield number, line, answer if line[:1] in b"|!\\$?@" else None


@cache
def mutilated_of(name: str) -> Mutilated:
    return Mutilated(COLLECTORS[name])


@pytest.fixture
def mutilated(collector: Collector) -> Mutilated:
    return mutilated_of(collector.name)


def test_every_collector_has_a_rich_host_to_be_tested_with() -> None:
    assert set(RICH) == set(COLLECTORS)


@SEVERAL
def test_the_rich_host_is_seen_whole(mutilated: Mutilated) -> None:
    assert not claims(mutilated.read(mutilated.bytes), mutilated.whole)
    assert mutilated.whole["stacks"]["gaps"] == []
    unseen = getattr(mutilated.host, "unseen", ())
    whole = {kind: facts for kind, facts in mutilated.whole["stacks"]["seen"][0].items() if isinstance(facts, dict)}
    assert {kind: facts["gaps"] for kind, facts in whole.items() if kind not in unseen and facts["gaps"]} == {}
    assert all(whole[kind]["gaps"] for kind in unseen)
    assert len(mutilated.whole["stacks"]["seen"]) > (2 if mutilated.collector.name == "linux" else 0)


@SEVERAL
@pytest.mark.parametrize("status", ["1", "absent", "timeout 60", "signal 9", "cut 100", "unknown"])
def test_an_answer_that_failed_leaves_its_facts_unknown(mutilated: Mutilated, status: str) -> None:
    wrong = []
    for at, answer in mutilated.unlike():
        if answer.status == "absent" or (status == "absent" and may_be_absent(answer)):
            continue
        if status == "unknown" and answer.command.startswith("cat "):
            continue  # an empty file is a file
        half = b"" if pasted(answer) and status == "unknown" else answer.stdout[: len(answer.stdout) // 2]
        for stdout, stderr in dict.fromkeys([(b"", b""), (half, b"why\n"), *([(b"", b"why\n"), (half, b"")] if status == "1" else [])]):
            wrong += mutilated.wrong(at, mutilated.instead(at, stdout, status, stderr=stderr))
    assert not wrong


@SEVERAL
def test_an_answer_that_failed_although_it_looks_whole_invents_nothing(mutilated: Mutilated) -> None:
    assert not [claim for at in range(len(mutilated.answers)) for claim in mutilated.wrong(at, mutilated.instead(at, status="1"))]


ONLY_WORDS = {"rights", "accounts", "cgroups"}
"""Probes on whose answers no fact hangs whole, only what is said beside one: a user's name, a control group's path."""


@SEVERAL
def test_an_answer_that_failed_although_it_looks_whole_is_not_taken_for_one_that_did_not(mutilated: Mutilated) -> None:
    whole = mutilated.read(mutilated.bytes).to_json()
    for at, answer in enumerate(mutilated.answers):
        if answer.status == "0" and answer.probe not in ONLY_WORDS:
            assert mutilated.instead(at, status="1").to_json() != whole, answer.command


@SEVERAL
def test_an_answer_cut_at_any_line_leaves_a_gap(mutilated: Mutilated) -> None:
    wrong = []
    for at, answer in mutilated.unlike():
        if answer.status == "absent" or endless(answer):
            continue
        lines = answer.stdout.splitlines(keepends=True)
        few = AFew()
        for end in [end for end, line in enumerate(lines) if few.wants(shape(line)) or end == len(lines) - 1]:
            wrong += mutilated.wrong(at, mutilated.instead(at, b"".join(lines[:end])))
            wrong += mutilated.wrong(at, mutilated.instead(at, b"".join(lines[:end]) + lines[end][: len(lines[end]) // 2]))
    assert not wrong


@SEVERAL
def test_an_answer_full_of_garbage_says_nothing(mutilated: Mutilated) -> None:
    wrong = []
    for at, answer in mutilated.unlike():
        if answer.status != "absent":
            for garbage in (GARBAGE, b"-\n", b"\xc2\xb2\n", GARBAGE * 50, b"\0" * 999):
                wrong += mutilated.wrong(at, mutilated.instead(at, garbage))
    assert not wrong


@SEVERAL
@pytest.mark.parametrize("digits", ["²".encode(), b"-1", b"99999999999999999999999", b"x", b"0x1F", b" ", "٣".encode()])
def test_a_number_that_is_none_is_neither_read_nor_passed_over(mutilated: Mutilated, digits: bytes) -> None:
    """In the first row of each table, the first and the last run of digits of each field in turn: the row is a gap, or less is known of it."""
    whole = ports_of(mutilated.whole)
    of_shape = AFew()
    for at, answer in mutilated.unlike():
        first_row = b"".join(answer.stdout.splitlines(keepends=True)[:2])
        if not of_shape.wants(answer.probe, shape(first_row)):
            continue
        fields = re.finditer(rb"[^\t\n]+" if b"\t" in first_row else rb"\S+", first_row)
        runs = [list(re.compile(rb"\d+").finditer(first_row, *field.span())) for field in fields]
        for start, end in dict.fromkeys(run.span() for of_field in runs for run in (*of_field[:1], *of_field[-1:])):
            snapshot = mutilated.instead(at, answer.stdout[:start] + digits + answer.stdout[end:])
            plain = json.loads(json.dumps(snapshot.to_json()))
            assert Snapshot.from_json(plain, "snapshot")
            if len(ports_of(plain)) < len(whole):
                assert any(s.listening.gaps for s in snapshot.stacks.seen) or snapshot.stacks.gaps, answer.command


def ports_of(snapshot: dict[str, Any]) -> list[int]:
    return [one["port"] for stack in snapshot["stacks"]["seen"] for one in stack["listening"]["seen"]]


@SEVERAL
def test_an_answer_fed_the_text_of_another_invents_nothing(mutilated: Mutilated) -> None:
    wrong = []
    for at, answer in mutilated.unlike():
        for step in (1, 2, 5, 13):
            other = mutilated.answers[(at + step) % len(mutilated.answers)]
            heads = [set(text.split(b"\n")[0].split(b"\t")) for text in (answer.stdout, other.stdout)]
            alike = heads[0] <= heads[1] or "builtin:read" in answer.command + other.command or answer.command.startswith("cat ")
            alike = alike or (pasted(answer) and answer.command.split()[0] == other.command.split()[0])
            alike = alike or (pasted(answer) and not other.stdout)  # no output is an answer of some commands
            alike = alike or all("proc-net" in one.command for one in (answer, other))  # the kernel's tables of ports and of raw sockets
            snapshot = mutilated.instead(at, other.stdout)
            if not alike and answer.status != "absent":
                wrong += mutilated.wrong(at, snapshot)
    assert not wrong


@SEVERAL
def test_a_bundle_cut_anywhere_has_gaps_over_everything(mutilated: Mutilated) -> None:
    whole = mutilated.bytes
    starts = [0, *accumulate(len(line) + 1 for line in whole.split(b"\n"))]
    of_mark = AFew()
    ends = {0, len(whole) - 1}
    for number, line, answer in mutilated.lines():
        ends.add(starts[number + 1])
        if of_mark.wants(line[:1], answer and answer.probe):
            ends.add(starts[number] + len(line) // 2)
    for end in sorted(ends - {len(whole)}):
        snapshot = mutilated.read(whole[:end])
        assert not claims(snapshot, mutilated.whole, ("container",)), whole[:end][-80:]
        assert snapshot.stacks.gaps
        for stack in snapshot.stacks.seen:
            sure = {kind for kind, facts in stack.shown.items() if isinstance(facts, Facts) and not facts.gaps}
            assert sure <= ({"persisted", "socket_units"} if stack.kind != "host" else set()), "other namespaces have no files of their own"


@SEVERAL
def test_a_line_that_stands_twice_is_seen_or_changes_nothing(mutilated: Mutilated) -> None:
    every = mutilated.bytes.split(b"\n")
    for number, line, answer in mutilated.lines():
        if answer is None or not (endless(answer) and line.startswith(b"|")):
            snapshot = mutilated.read(b"\n".join([*every[: number + 1], *every[number:]]))
            assert not claims(snapshot, mutilated.whole), line


@SEVERAL
def test_a_line_that_is_gone_leaves_a_gap(mutilated: Mutilated) -> None:
    every = mutilated.bytes.split(b"\n")
    for number, line, answer in mutilated.lines():
        if answer is None or not (endless(answer) and line.startswith(b"|")):
            snapshot = mutilated.read(b"\n".join([*every[:number], *every[number + 1 :]]))
            assert not claims(snapshot, mutilated.whole, ("container",)), line


@SEVERAL
@pytest.mark.parametrize("more", [b"x\n", b"\0", b"| a\n", b".\n", b"@ sockets\n$ builtin:sock_diag\n? 0\n", b"\n\n"])
def test_something_added_behind_the_end_is_a_gap_over_everything(mutilated: Mutilated, more: bytes) -> None:
    snapshot = mutilated.read(mutilated.bytes + more)
    assert snapshot.stacks.gaps
    assert not claims(snapshot, mutilated.whole)
    assert not claims(mutilated.read(mutilated.bytes * 2), mutilated.whole)


@SEVERAL
def test_an_answer_that_stands_twice_is_no_two_hosts(mutilated: Mutilated) -> None:
    for at in range(len(mutilated.answers)):
        answers = list(mutilated.answers)
        answers.insert(at, answers[at])
        assert not mutilated.wrong(at, mutilated.read(bundle(answers, mutilated.host.head())))


_EDITS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 60), st.binary(max_size=20) | st.none()), min_size=1, max_size=6)


@pytest.mark.parametrize("name", COLLECTORS)
@settings(max_examples=120)
@given(edits=_EDITS)
def test_no_mutation_of_a_bundle_breaks_an_interpreter_or_a_rule(name: str, edits: list[tuple[int, int, bytes | None]]) -> None:
    """Bytes replaced, or (None) written twice, at random places."""
    text = mutilated_of(name).bytes
    for place, length, new in edits:
        at = place % len(text)
        old = text[at : at + length]
        text = text[:at] + (old * 2 if new is None else new) + text[at + length :]
    snapshot = COLLECTORS[name].interpret(load(text), TABLES)
    again = Snapshot.from_json(json.loads(json.dumps(snapshot.to_json())), "snapshot")
    findings = judged(snapshot, STRICT)
    assert not [f.message for f in findings if f.outcome == "error"]
    assert [f.to_json() for f in judged(again, STRICT)] == [f.to_json() for f in findings]


# Rules: never a pass by what was not seen


def judge(of: Host | Snapshot, by: str = "", **more: Any) -> list[Finding]:
    """The findings of a host that is compared with an earlier snapshot of it, by every rule."""
    return judged(of, by, baseline=earlier(), **more)


def judges_the_host(rule: Rule) -> bool:
    """Rules about waivers and what an entry says ask the policy alone, and one asks the tables about a release."""
    of_the_policy = ("approval-review-overdue", "approved-name-differs-from-iana", "release-without-vendor-row")
    return rule.each != "waiver" and rule.name not in of_the_policy


def fail_ids(findings: list[Finding], rule: str | None = None) -> set[tuple[str, str | None, str, str]]:
    return {(f.rule, f.stack, f.subject, f.outcome) for f in findings if f.outcome in ("fail", "waived") and rule in (None, f.rule)}


def by_place(findings: list[Finding]) -> dict[tuple[str, str | None], set[str]]:
    found: dict[tuple[str, str | None], set[str]] = {}
    for finding in findings:
        found.setdefault((finding.rule, finding.stack), set()).add(finding.outcome)
    return found


GAP = Gap("a gap that a test made")
KINDS = [name for name, key in Stack.keys.items() if name not in ("name", "kind", "identities")]


def unknown_stack(name: str, kind: str, how: str) -> Stack:
    facts = {name: Facts[Any]([], "a test", [GAP]) for name in KINDS}
    return Stack(name=name, kind=kind, **(facts if how == "gaps" else {}))


NOWHERE = {
    "no stacks seen": Snapshot(host="h", system="Linux", release="6.1.0", stacks=Facts[Stack]([], "a test", [GAP])),
    "no stacks at all": Snapshot(host="h", system="Linux", release="6.1.0", stacks=Facts[Stack]([], "a test")),
    "nothing": Snapshot(),
    "a host of gaps": Snapshot(host="h", system="Linux", release="6.1.0", stacks=Facts([unknown_stack("host", "host", "gaps")], "a test")),
    "a host of nothing": Snapshot(host="h", system="Linux", release="6.1.0", stacks=Facts([unknown_stack("host", "host", "")], "a test")),
    "an unknown system": Snapshot(host="h", stacks=Facts([unknown_stack("host", "host", "gaps")], "a test")),
    "a container of gaps": Snapshot(host="h", system="Linux", release="6.1.0", stacks=Facts([unknown_stack("c", "netns", "gaps")], "a test")),
    "a socket of which nothing is shown": Snapshot(
        host="h", system="Linux", release="6.1.0",
        stacks=Facts([Stack(name="host", kind="host", listening=Facts([Socket()], "a test"))], "a test"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("policy", ["", STRICT], ids=["bare", "strict"])
@pytest.mark.parametrize("snapshot", NOWHERE.values(), ids=NOWHERE.keys())
def test_where_nothing_is_known_no_rule_passes(snapshot: Snapshot, policy: str) -> None:
    findings = [f for f in judge(snapshot, policy) if judges_the_host(RULES[f.rule])]
    assert {f.rule for f in findings} == {name for name, rule in RULES.items() if judges_the_host(rule)}
    assert {f.outcome for f in findings} <= {"unknown", "notchecked", "notapplicable", "notselected"}
    assert any(f.outcome == "unknown" for f in findings)


NOT_ON_LINUX = {"ephemeral-range-differs-by-protocol", "ephemeral-ports-sequential", "portacl-rule-dead"}
"""Linux has one range for all protocols and both families, no setting that makes it count, and no mac_portacl."""


def test_a_rich_host_breaks_every_rule_by_a_strict_policy() -> None:
    """So that the tests below have a finding of each rule to lose."""
    elsewhere = Assignment(host="db1", identified="a test", place="a test")
    found = {f.rule for f in judge(rich(), STRICT, assignment=elsewhere) if f.outcome in ("fail", "waived")}
    never_fail = {name for name, rule in RULES.items() if rule.name in ("owner-not-visible", "evidence-incomplete")}
    silent_here = set(RULES) - found - never_fail
    assert silent_here <= NOT_ON_LINUX | {"ephemeral-range-reaches-privileged-ports", "release-without-vendor-row"}, (
        "give tests.bundles.rich or STRICT something for each rule to find"
    )


def with_gap(snapshot: Snapshot, stack: Stack, kind: str) -> Snapshot:
    facts = stack.shown[kind]
    wider = Stack(**{**stack.shown, kind: Facts(facts.seen, facts.source, [GAP, *facts.gaps], facts.basis)})
    stacks = [wider if one is stack else one for one in snapshot.stacks.seen]
    return Snapshot(**{**snapshot.shown, "stacks": Facts(stacks, snapshot.stacks.source, snapshot.stacks.gaps)})


WALKED = {"listening": "socket", "ephemeral": "range", "settings": "setting", "socket_units": "socket_unit", "service_names": "service_name",
          "translations": "translation", "grants": "grant", "endpoints": "endpoint", "measured": "measured"}  # fmt: skip
LEFT_TO_THEIR_RULES = ("witnessed", "socket_units", "service_names", "translations", "endpoints", "measured")
"""What evidence-incomplete does not miss: one rule alone asks for it."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", ["", STRICT], ids=["bare", "strict"])
def test_a_gap_loses_no_finding_but_those_that_hang_on_it_and_makes_nothing_pass(kind: str, policy: str) -> None:
    snapshot = rich().snapshot()
    before = judge(snapshot, policy)
    for stack in snapshot.stacks.seen:
        if kind not in stack.shown:
            continue
        after = judge(with_gap(snapshot, stack, kind), policy)
        told = {(f.rule, f.stack) for f in after if f.outcome == "unknown" and GAP.why in f.message}
        lost = fail_ids(before) - fail_ids(after)
        assert {(rule, place) for rule, place, _, _ in lost} <= told | {("waiver-unused", None)}
        assert all(place in (stack.name, None) for _, place, _, _ in lost)
        new_passes = {place for place, said in by_place(after).items() if "pass" in said and "pass" not in by_place(before)[place]}
        assert not new_passes
        assert ("evidence-incomplete", stack.name) in told or kind in LEFT_TO_THEIR_RULES
        for name, rule in rules().items():
            if rule.each == WALKED.get(kind) and (rule.stacks == "all" or stack.kind == "host"):
                said = by_place(after)[name, stack.name]
                assert (name, stack.name) in told or said <= {"notchecked", "notselected", "notapplicable"}, name
                kept = {one for one in fail_ids(before, name) if one[1] == stack.name}
                assert kept <= fail_ids(after, name), "what a rule is called for and was seen is judged, gap or no gap"


def test_a_gap_among_the_stacks_themselves_is_told_and_loses_no_finding() -> None:
    snapshot = rich().snapshot()
    before = judge(snapshot, STRICT)
    after = judge(Snapshot(**{**snapshot.shown, "stacks": Facts(snapshot.stacks.seen, "a test", [GAP])}), STRICT)
    assert fail_ids(before) <= fail_ids(after)
    told = [f for f in after if f.outcome == "unknown" and GAP.why in f.message]
    assert [f.subject for f in told if rules()[f.rule].each != "change"] == ["stacks"]
    assert {f.rule for f in told} >= {name for name, rule in rules().items() if rule.each == "change"}


@pytest.mark.parametrize("state", ["partial", "unreadable", "none", None])
def test_an_owner_that_was_not_seen_makes_nothing_pass(state: str | None) -> None:
    snapshot = rich().snapshot()
    before = judge(snapshot, STRICT)
    for stack in snapshot.stacks.seen:
        for at, one in enumerate(stack.listening.seen):
            if one.owner_state != "known":
                continue
            shown = {**one.shown, "owner_reason": GAP.why, "owner_state": state}
            if state != "partial":
                del shown["owners_seen"]
            if state is None:
                del shown["owner_state"]
            seen = [Socket(**shown) if n == at else other for n, other in enumerate(stack.listening.seen)]
            stacks = [Stack(**{**s.shown, "listening": Facts(seen, "a test")}) if s is stack else s for s in snapshot.stacks.seen]
            after = judge(Snapshot(**{**snapshot.shown, "stacks": Facts(stacks, "a test")}), STRICT)
            told = {(f.rule, f.stack) for f in after if f.outcome == "unknown" and GAP.why in f.message}
            assert ("owner-not-visible", stack.name) in told
            lost = {(rule, place) for rule, place, _, _ in fail_ids(before) - fail_ids(after)}
            kernel_given = one.shown.get("kernel_given")  # its subject names its holder
            assert lost <= told | {("waiver-unused", None)} or kernel_given
            assert not {p for p, said in by_place(after).items() if "pass" in said and "pass" not in by_place(before)[p]}


def raising(error: BaseException) -> Rule:
    def check(case: Case, thing: Any) -> Iterator[Breach]:
        raise error
        yield

    rule = Rule(each="socket", severity="low", check=check)
    rule.name = "raises"
    return rule


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), RecursionError(), AttributeError("y"), SourceError("a", "b"), StopIteration()])
def test_a_rule_that_raises_is_our_error_and_costs_no_other_finding(error: Exception) -> None:
    snapshot = rich().snapshot()
    before = judge(snapshot, STRICT)
    after = judge(snapshot, STRICT, these=[*rules().values(), raising(error)])
    assert [f.to_json() for f in after if f.rule != "raises"] == [f.to_json() for f in before]
    broken = [f for f in after if f.rule == "raises"]
    assert len([f for f in broken if f.outcome == "error"]) == sum(len(s.listening.seen) for s in snapshot.stacks.seen)
    assert all("our error, not the host's" in f.message for f in broken if f.outcome == "error")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_name_a_title_a_reason_and_a_remedy(name: str) -> None:
    rule = RULES[name]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", name)
    assert not set(name.split("-")) & {"no", "not-", "check", "should", "must"}
    assert 0 < len(rule.title) < 140
    assert re.findall(r"^.+(?=\n-+$)", rule.doc, re.MULTILINE) == ["Why it matters", "Remedy"], "the headings, and no others"
    assert len(rule.section("Why it matters")) > 60
    assert len(rule.section("Remedy")) > 60
    assert rule.section("Nothing") == ""


@pytest.mark.parametrize("name", RULES)
def test_a_remedy_has_a_line_to_paste_for_each_system_that_it_names(name: str) -> None:
    rule = RULES[name]
    remedy = Remedy(rule.section("Remedy"))
    own = [re.match(r"([A-Z]\w[\w-]*(?:, [A-Z][\w-]*)*):\s", paragraph) for paragraph in remedy.paragraphs]
    named = [system for label in own if label for system in label[1].split(", ")]
    assert set(named) <= set(SYSTEMS), "a system is named as `uname -s` prints it"
    assert named == [system for system, _ in remedy.by_system]
    assert len(named) == len(set(named)), "each at most once"
    assert own == sorted(own, key=bool), "what holds everywhere stands first"
    assert set(named) <= set(rule.systems or SYSTEMS)
    for system, text in remedy.by_system:
        assert len(text.split("`")) % 2, f"backticks of {system} in pairs"
        assert text.count("`") > 1, f"a line to paste for {system}"
        assert not [code for code in text.split("`")[1::2] if "\n" in code], f"what is to be pasted for {system} stands on one line"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_never_calls_itself_what_it_imports_nor_reads_a_file(name: str) -> None:
    module = importlib.import_module(f"auditor.rules.{name.replace('-', '_')}")
    tree = ast.parse(Path(str(module.__file__)).read_bytes())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"open", "eval", "exec", "globals", "setattr", "__import__"}
    assert len([n for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "RULE"]) == 1


# Snapshots as JSON


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_snapshot_that_went_through_json_gives_the_same_findings() -> None:
    snapshot = rich().snapshot()
    (again,) = from_bytes(as_json(snapshot.to_json()), "a test", TABLES)
    assert isinstance(again, Source)
    assert again.snapshot.to_json() == snapshot.to_json()
    assert [f.to_json() for f in judged(again.snapshot, STRICT)] == [f.to_json() for f in judged(snapshot, STRICT)]


def test_keys_that_a_later_version_adds_are_passed_over() -> None:
    plain = json.loads(as_json(rich().snapshot().to_json()))
    wider = json.loads(json.dumps(plain), object_hook=lambda o: {**o, "from_the_future": [1, {"a": None}]})
    wider["settings"], wider["visibility"] = plain["settings"], plain["visibility"]
    (again,) = from_bytes(as_json(wider), "a test", TABLES)
    assert isinstance(again, Source)
    assert again.snapshot.to_json() == plain


def firsts(value: Any) -> Any:
    """A JSON value with the first two items of each list."""
    if isinstance(value, dict):
        return {key: firsts(item) for key, item in value.items()}
    return [firsts(item) for item in value[:2]] if isinstance(value, list) else value


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each place in a JSON value, the first two items of each list standing for all."""
    if path:
        yield path
    if path[:1] != ("visibility",) or len(path) < 2:
        items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
        for key, item in items:
            yield from places(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    old = at[path[-1]]
    at[path[-1]] = new(old) if callable(new) else new
    return copy


WRONG: list[Callable[[Any], Any]] = [
    lambda old: {} if not isinstance(old, dict) else [],
    lambda old: 7.5,
    lambda old: "x" if not isinstance(old, str) and old is not None else True,
    lambda old: True if not isinstance(old, bool) else 1,
    lambda old: -70000 if not isinstance(old, str) else 0,
]


def test_a_wrong_type_anywhere_in_a_snapshot_is_refused() -> None:
    plain = firsts(json.loads(as_json(rich().snapshot().to_json())))
    assert list(from_bytes(as_json(plain), "a test", TABLES))
    accepted = []
    for path in places(plain):
        for wrong in WRONG:
            broken = put(plain, path, wrong)
            if broken == plain:
                continue
            if path[-1] in ("pid", "uid", "gid", "prefix", "line", "processes") and wrong is WRONG[4]:
                continue  # a whole number all the same
            if path[0] == "visibility" and len(path) > 1 and path[1] not in ("rights", "processes", "owners", "namespaces"):
                continue  # what a collector says of its own sight is its own
            if path[0] == "visibility" and len(path) > 1 and wrong(0) == {}:
                continue
            with suppress(SourceError):
                list(from_bytes(as_json(broken), "a test", TABLES))
                accepted.append((path, wrong(None)))
    assert not accepted


# Reporters: whatever a host calls itself, a report stays a report


def rendered(name: str, report: Report) -> str:
    stream = io.StringIO()
    plugins.reporter(name).render(report, stream)
    text = stream.getvalue()
    assert text
    text.encode("utf-8")
    return text


class Tags(HTMLParser):
    """The elements of a page, and the scripts and addresses in them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_an_empty_report_and_one_of_a_host_of_which_nothing_is_known(name: str) -> None:
    assert rendered(name, Report([], tables={}, started="", finished="", evaluated_on="2026-11-20"))
    for snapshot in (one for one in NOWHERE.values() if "stacks" in one.shown):
        assert rendered(name, reported(snapshot, judged(snapshot, STRICT)))
    assert rendered(name, reported(Snapshot(stacks=Facts([Stack(name="s", kind="k")], "")), []))


read_by_all = cache(hostile_report)
"""One report, made once, for all formats: a reporter changes nothing in it."""


@pytest.mark.parametrize("name", FORMATS)
def test_whatever_a_host_calls_itself_a_report_is_a_report(name: str) -> None:
    kind = plugins.reporter(name).media_type
    harmless = Tags()
    if kind == "text/html":
        harmless.feed(rendered(name, read_by_all("x")))
    for shift in range(0, len(HOSTILE), 8):
        text = rendered(name, read_by_all(*HOSTILE[shift:], *HOSTILE[:shift]))
        if kind == "text/csv":
            text = text.replace("\r\n", "\n")
        if kind.startswith("text/"):
            assert not (found := RAW_CONTROLS.search(text)), (shift, text[max(0, found.start() - 90) : found.start() + 20])
        if kind == "application/json":
            assert text.isascii()
            json.loads(text)
        if kind == "text/html":
            page = Tags()
            page.feed(text)
            assert not page.tags - harmless.tags
            assert not page.attributes - harmless.attributes
            assert not {link for link in page.links - harmless.links if not re.fullmatch("#[a-z0-9-]+", link)}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_is_the_same_bytes(name: str) -> None:
    assert rendered(name, hostile_report("x")) == rendered(name, hostile_report("x"))


# How plugins are found

A_RULE = '''"""A made-up breach.

Why it matters
--------------
It does not.

Remedy
------
None.
"""

from auditor.rule import Breach, Rule


def check(case, stack):
    yield Breach("made up")


RULE = Rule(each="stack", severity="low", check=check)
'''


def run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "auditor", *argv], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_rule_dropped_into_the_folder_is_found_and_judges(clone: Path) -> None:
    (clone / "auditor" / "rules" / "made_up_breach.py").write_text(A_RULE)
    (clone / "h.evidence").write_bytes(rich().bundle())
    assert "A made-up breach" in run(clone, "rules", "made-up-breach").stdout
    done = run(clone, "audit", "-f", "json=-", "--only", "made-up-breach", "h.evidence")
    findings = json.loads(done.stdout)["findings"]
    assert [(f["rule"], f["outcome"], f["message"]) for f in findings] == [("made-up-breach", "fail", "made up")] * 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("this is no Python", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("X = 1", "RULE"),
        ("RULE = 5", "no Rule but int"),
        ("from auditor.rule import Rule\nRULE = Rule(each='moon', severity='low', check=print)", "moon"),
        ("from auditor.rule import Rule\nRULE = Rule(each='stack', severity='urgent', check=print)", "urgent"),
    ],
)
def test_a_plugin_that_does_not_load_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    distribution(tmp_path, monkeypatch, "port_auditor.rules", "made-up = made_up_plugin:RULE", text)
    with pytest.raises(PluginError) as caught:
        plugins.rules()
    assert "made-up" in str(caught.value)
    assert "made_up_plugin" in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.advice


def distribution(folder: Path, monkeypatch: pytest.MonkeyPatch, group: str, points: str, text: str, name: str = "made_up_plugin") -> None:
    """A distribution on sys.path that has entry points and one module."""
    (folder / f"{name}.py").write_text(text)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{points}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.invalidate_caches()


def test_a_rule_of_another_distribution_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(tmp_path, monkeypatch, "port_auditor.rules", "made-up-breach = made_up_plugin:RULE", A_RULE)
    found = plugins.rules()
    assert set(found) == {*RULES, "made-up-breach"}
    assert found["made-up-breach"].title == "A made-up breach"
    assert found["made-up-breach"].name == "made-up-breach"


def test_a_format_and_a_collector_of_another_distribution_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from auditor.reporter import Reporter\nfrom auditor.collector import Collector\n"
        "REPORTER = Reporter(suffix='z', media_type='text/z', render=lambda report, stream: None)\n"
        "COLLECTOR = Collector(systems=('Plan9',), probes=(), interpret=lambda evidence, tables: None)\n"
    )
    points = "zzz = made_up_plugin:REPORTER\n[port_auditor.collectors]\nplan9 = made_up_plugin:COLLECTOR"
    distribution(tmp_path, monkeypatch, "port_auditor.reporters", points, text)
    assert plugins.formats() == sorted([*FORMATS, "zzz"])
    assert (plugins.reporter("zzz").name, plugins.reporter("zzz").suffix) == ("zzz", "z")
    assert plugins.collector_for("plan9").name == "plan9"


def test_two_plugins_of_one_name_are_an_error_that_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = next(iter(RULES))
    distribution(tmp_path, monkeypatch, "port_auditor.rules", f"{taken} = made_up_plugin:RULE", A_RULE)
    with pytest.raises(PluginError) as caught:
        plugins.rules()
    assert f"two plugins are called '{taken}'" in str(caught.value)
    assert "made_up_plugin:RULE" in str(caught.value)
    assert f"auditor.rules.{taken.replace('-', '_')}" in str(caught.value)


def test_a_system_that_no_collector_knows_and_a_format_that_there_is_not_are_errors_that_name_those_there_are() -> None:
    with pytest.raises(SourceError) as caught:
        plugins.collector_for("TempleOS")
    assert "Linux" in caught.value.advice
    assert plugins.collector_for("LINUX") is plugins.collector_for("linux")
    with pytest.raises(PluginError) as no_format:
        plugins.reporter("papyrus")
    assert "json" in no_format.value.advice
