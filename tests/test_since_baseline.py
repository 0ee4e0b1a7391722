"""Which findings are new since the baseline, which were there already, and which are gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import main
from auditor.facts import Gap
from auditor.model import Finding
from auditor.since_baseline import Side, mark
from tests.bundles import NGINX, SSHD, Host, Net, Process, container, host, port
from tests.reports import finding, snapshot

POLICY = "policy: 1\nlistening: {approved: [{name: ssh, port: 22}]}\n"
BEFORE, NOW = "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z"


def marked(
    now: list[Finding], before: list[Finding], *, gaps: tuple[Gap, ...] = (), gaps_before: tuple[Gap, ...] = (), fail_on: str = "medium"
) -> list[Finding]:
    sides = Side(snapshot(taken=NOW, gaps=gaps), now), Side(snapshot(taken=BEFORE, gaps=gaps_before), before)
    return mark(*sides, fail_on=fail_on)


def audited(
    folder: Path, now: Host, before: Host, policy: str = POLICY, *, rebooted: bool = False
) -> dict[str, list[tuple[str, str, str | None, str | None]]]:
    """What the program says of a host with a baseline: (rule, subject, state, first seen) by outcome, and under `gone`."""
    (folder / "site.yaml").write_text(policy)
    (folder / "now.evidence").write_bytes(now.bundle().replace(b"% boot-id b-1", b"% boot-id b-2" if rebooted else b"% boot-id b-1"))
    (folder / "before.evidence").write_bytes(before.bundle())
    out = folder / "out.json"
    main(
        ["audit", "-p", str(folder / "site.yaml"), "-b", str(folder / "before.evidence"), str(folder / "now.evidence"), "-f", f"json={out}"]
    )
    found: dict[str, list[tuple[str, str, str | None, str | None]]] = {}
    told = json.loads(out.read_text())
    for key, one in [(one["outcome"], one) for one in told["findings"]] + [("gone", one) for one in told["hosts"][0]["gone"]]:
        found.setdefault(key, []).append((one["rule"], one["subject"], one["baseline_state"], one["first_seen"]))
    return found


def test_a_listener_that_came_since_is_new_and_one_that_was_there_was_seen_at_the_baseline_or_before(tmp_path: Path) -> None:
    before = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX), taken=BEFORE)
    now = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX), port("tcp/0.0.0.0:81", NGINX), taken=NOW)
    failed = audited(tmp_path, now, before)["fail"]
    assert ("listener-not-approved", "tcp/0.0.0.0:80", "unchanged", BEFORE) in failed
    assert ("listener-not-approved", "tcp/0.0.0.0:81", "new", NOW) in failed


def test_without_a_baseline_nobody_knows_since_when(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(POLICY)
    (tmp_path / "now.evidence").write_bytes(host(port("tcp/0.0.0.0:80", NGINX)).bundle())
    main(["audit", "-p", str(tmp_path / "site.yaml"), str(tmp_path / "now.evidence"), "-f", f"json={tmp_path / 'out.json'}"])
    findings = json.loads((tmp_path / "out.json").read_text())["findings"]
    assert {(one["baseline_state"], one["first_seen"]) for one in findings} == {(None, None)}


@pytest.mark.parametrize("outcome", ["fail", "waived"])
def test_what_was_open_or_waived_then_and_is_not_found_now_is_gone(outcome: str) -> None:
    then = finding(outcome=outcome, waiver={"origin": "p.yaml:1"} if outcome == "waived" else None)
    assert marked([finding(outcome="pass", subject="stack")], [then]) == [then]


def test_what_is_found_again_is_not_gone_even_where_it_is_waived_by_now() -> None:
    now = finding(outcome="waived", waiver={"origin": "p.yaml:1"})
    assert marked([now], [finding()]) == []
    assert (now.baseline_state, now.first_seen) == ("unchanged", BEFORE)


def test_what_cannot_be_seen_now_is_not_gone() -> None:
    assert marked([finding(outcome="unknown", subject="several sockets")], [finding()]) == []


def test_what_the_baseline_could_not_see_is_not_called_new() -> None:
    now = finding()
    marked([now], [finding(outcome="unknown", subject="several sockets")])
    assert (now.baseline_state, now.first_seen) == (None, None)


def test_what_another_stack_could_not_see_hides_nothing_of_this_one() -> None:
    now, then = finding(), finding(subject="tcp/0.0.0.0:23")
    assert marked([now, finding(outcome="unknown", stack="blue")], [then, finding(outcome="unknown", stack="blue")]) == [then]
    assert now.baseline_state == "new"


@pytest.mark.parametrize("aside", [{"severity": "info"}, {"inventory": True}])
def test_inventory_that_is_gone_is_not_told(aside: dict[str, Any]) -> None:
    judged = finding(subject="stack", outcome="pass")
    assert len(marked([judged], [finding()])) == 1
    assert marked([judged], [finding(**aside)]) == []


def test_info_that_is_gone_is_told_where_it_counts() -> None:
    assert len(marked([finding(subject="stack", outcome="pass")], [finding(severity="info")], fail_on="info")) == 1


@pytest.mark.parametrize("outcome", ["unknown", "error"])
def test_what_is_still_unknown_has_been_so_since_the_baseline(outcome: str) -> None:
    now = finding(outcome=outcome)
    marked([now], [finding(outcome=outcome)])
    assert (now.baseline_state, now.first_seen) == ("unchanged", BEFORE)


@pytest.mark.parametrize("outcome", ["fail", "unknown"])
def test_what_passes_is_neither_new_nor_unchanged(outcome: str) -> None:
    now = finding(outcome="pass")
    marked([now], [finding(outcome=outcome)])
    assert (now.baseline_state, now.first_seen) == (None, None)


def test_a_rule_that_found_only_what_is_waived_was_judged() -> None:
    then, waived = finding(subject="tcp/0.0.0.0:23"), finding(outcome="waived", waiver={"origin": "p.yaml:1"})
    assert marked([waived], [then, finding()]) == [then]


def test_a_stack_is_gone_where_its_rule_was_judged_on_any_other_and_not_where_it_was_judged_on_none() -> None:
    gone = finding(stack="container:old")
    judged, unsure = finding(subject="stack", outcome="pass"), finding(subject="stack", stack="blue", outcome="unknown")
    assert marked([judged, unsure], [gone]) == [gone]
    assert marked([unsure], [gone]) == []


def test_what_was_found_of_a_whole_host_is_not_gone_because_a_stack_was_judged() -> None:
    assert marked([finding(subject="stack", outcome="pass")], [finding(stack=None)]) == []


def test_a_baseline_of_the_same_moment_dates_what_was_there() -> None:
    now = finding()
    mark(Side(snapshot(taken=NOW), [now]), Side(snapshot(taken=NOW), [finding()]))
    assert (now.baseline_state, now.first_seen) == ("unchanged", NOW)


def test_a_stack_that_was_not_seen_now_is_not_gone_and_one_not_seen_then_is_not_new() -> None:
    other, gap = finding(stack="container:evil"), (Gap("namespaces may not be entered"),)
    here = finding(subject="stack", outcome="pass")
    assert marked([here], [other, here], gaps=gap) == []
    assert marked([here], [other, here]) == [other]
    marked([other, here], [here], gaps_before=gap)
    assert other.baseline_state is None
    marked([other, here], [here])
    assert other.baseline_state == "new"


@pytest.mark.parametrize("outcome", ["notchecked", "notselected", "notapplicable"])
def test_what_nobody_looked_for_is_neither_gone_nor_new(outcome: str) -> None:
    here, now = finding(subject="stack", outcome=outcome), finding()
    assert marked([here], [finding()]) == []
    marked([now], [here])
    assert now.baseline_state is None


def test_a_host_that_was_renamed_keeps_its_history(tmp_path: Path) -> None:
    sockets = (port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX))
    told = audited(tmp_path, host(*sockets, name="web9", taken=NOW), host(*sockets, taken=BEFORE))
    assert "gone" not in told
    assert ("listener-not-approved", "tcp/0.0.0.0:80", "unchanged", BEFORE) in told["fail"]


def test_what_rules_about_changes_find_is_new(tmp_path: Path) -> None:
    told = audited(tmp_path, host(port("tcp/0.0.0.0:80", NGINX), taken=NOW), host(taken=BEFORE))
    assert ("listener-appeared", "tcp/0.0.0.0:80", "new", NOW) in told["fail"]


def test_a_listener_of_a_container_that_is_gone_is_gone(tmp_path: Path) -> None:
    stack = container("aa" * 32, port("tcp/0.0.0.0:81", NGINX))
    told = audited(
        tmp_path, host(port("tcp/0.0.0.0:22", SSHD), taken=NOW), host(port("tcp/0.0.0.0:22", SSHD), others=[stack], taken=BEFORE)
    )
    assert "listener-not-approved" in {rule for rule, *_ in told["gone"]}


def test_a_baseline_from_the_future_dates_nothing() -> None:
    now = finding()
    mark(Side(snapshot(taken=NOW), [now]), Side(snapshot(taken="2031-01-01T00:00:00Z"), [finding()]))
    assert (now.baseline_state, now.first_seen) == ("unchanged", None)


SEEN, HALF_SEEN = Process(500, "/usr/bin/web-1.2", 0, "/", "web"), Process(500, None, 0, "/", "web")


def test_a_namespace_that_is_called_after_less_of_a_process_keeps_its_findings(tmp_path: Path) -> None:
    before = host(others=[Net((port("tcp/0.0.0.0:7777"),), holder=SEEN)], taken=BEFORE)
    now = host(others=[Net((port("tcp/0.0.0.0:7777"),), holder=HALF_SEEN, outside="not permitted")], taken=NOW)
    told = audited(tmp_path, now, before)
    assert ("listener-not-approved", "tcp/0.0.0.0:7777", "unchanged", BEFORE) in told["fail"]
    assert "gone" not in told
    assert not {rule for rule, *_ in told["fail"] + told["unknown"]} & {"listener-appeared", "listener-disappeared"}


@pytest.mark.parametrize("approved", ["process:web", "process:web-1.2"])
def test_a_policy_that_names_such_a_namespace_judges_it_by_its_name_of_now(tmp_path: Path, approved: str) -> None:
    before, now = (host(others=[Net((port("tcp/0.0.0.0:7777"),), holder=one)], taken=at) for one, at in ((SEEN, BEFORE), (HALF_SEEN, NOW)))
    policy = f"policy: 1\nlistening: {{approved: [{{name: web, port: 7777, stack: '{approved}'}}]}}\n"
    told = audited(tmp_path, now, before, policy)
    found = [one for one in told.get("fail", []) if one[0] == "listener-not-approved"]
    assert found == ([] if approved == "process:web" else [("listener-not-approved", "tcp/0.0.0.0:7777", "unchanged", BEFORE)])
    assert "gone" not in told


def test_after_a_boot_nobody_knows_whether_a_namespace_that_is_called_after_a_process_is_the_same(tmp_path: Path) -> None:
    before, now = (host(others=[Net((port(f"tcp/0.0.0.0:{n}"),), holder=SEEN)], taken=at) for n, at in ((7777, BEFORE), (7778, NOW)))
    told = audited(tmp_path, now, before, rebooted=True)
    assert ("listener-not-approved", "tcp/0.0.0.0:7778", None, None) in told["fail"]
    assert ("listener-appeared", "tcp/0.0.0.0:7778", "new", NOW) in told["fail"]
    assert ("listener-disappeared", "tcp/0.0.0.0:7777 of process:web-1.2 (at the baseline)", "new", NOW) in told["fail"]
    assert "gone" not in told
