"""What node_exporter is given, read by Prometheus' own parsers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from auditor import plugins
from auditor.coverage import Drift
from auditor.facts import Facts
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, SEVERITIES, Finding, Snapshot, Stack
from auditor.policy import Policy
from auditor.report import Report
from tests.reports import Origin, finding, listener, owner, policy, rendered, report, snapshot, stack

ROOT = Path(__file__).resolve().parent.parent.parent
parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed: pip install '.[formats]'")


def told(made: Report) -> dict[str, int | float]:
    """Every sample by its name without the prefix and the values of its labels, as "findings high open"."""
    found = {}
    for family in parser.text_string_to_metric_families(rendered("prometheus", made)):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            assert sample.timestamp is None
            *words, policies = sample.labels.items()
            assert policies[0] == "policy"
            key = " ".join((sample.name.removeprefix("port_auditor_"), *(word for _, word in words)))
            assert key not in found
            found[key] = sample.value
    return found


def waived(subject: str, expires: str, origin: str, outcome: str = "waived") -> Finding:
    return finding(subject=subject, outcome=outcome, waiver={"reason": "r", "owner": "o", "expires": expires, "origin": origin})


def test_every_severity_and_state_is_there_and_counted() -> None:
    made = told(report(
        *(finding(subject=f"tcp/0.0.0.0:{n}", severity="high") for n in range(3)), finding(severity="info"), finding(severity="low"),
        finding(subject="x", severity="critical", inventory=True), waived("y", "2027-01-31", "p:1"), finding(outcome="unknown"),
        waived("z", "2027-01-31", "p:2", "unknown"), finding("aside", outcome="unknown", inventory=True), finding(outcome="error"),
    ))  # fmt: skip
    found = {key: value for key, value in made.items() if key.startswith("findings ")}
    assert len(found) == len(SEVERITIES) * 6
    assert {key.removeprefix("findings "): value for key, value in found.items() if value} == {
        "high open": 3, "low open": 1, "info inventory": 1, "critical inventory": 1, "medium waived": 1, "medium unknown": 1,
        "medium accepted": 1, "medium inventory": 1, "medium error": 1,
    }  # fmt: skip


def test_an_audit_that_left_something_out_says_how_much() -> None:
    assert told(report(finding()))["narrowed"] == 0
    assert told(report(finding(), narrowed=["only 1 rule asked", "only 1 stack"]))["narrowed"] == 2


def test_info_is_open_where_it_is_asked_for() -> None:
    made = told(report(finding(severity="info"), fail_on="info"))
    assert (made["findings info open"], made["findings info inventory"]) == (1, 0)


def test_every_outcome_is_there_and_counted() -> None:
    made = told(report(*(finding(subject=f"s{n}", outcome=outcome) for n, outcome in enumerate(OUTCOMES[:3] * 2))))
    assert {key: value for key, value in made.items() if key.startswith("outcomes ")} == {
        f"outcomes {outcome}": 2 if outcome in OUTCOMES[:3] else 0 for outcome in OUTCOMES
    }


@pytest.mark.parametrize(
    ("outcome", "allowed", "verdict", "complete"),
    [
        ("fail", False, "fail", 1),
        ("pass", False, "pass", 1),
        ("unknown", False, "incomplete", 0),
        ("error", False, "incomplete", 0),
        ("unknown", True, "pass", 0),
    ],
)
def test_one_verdict_is_true_and_whether_it_is_complete_stands_beside_it(outcome: str, allowed: bool, verdict: str, complete: int) -> None:
    made = told(report(finding(outcome=outcome), allow_incomplete=allowed))
    assert [word for word in ("pass", "fail", "incomplete") if made[f"verdict {word}"]] == [verdict]
    assert made["last_run_complete"] == complete
    assert made["evidence complete"] == complete
    assert made["evidence incomplete"] == 1 - complete


def test_stamps_are_seconds_since_1970_and_come_from_the_report() -> None:
    made = told(report(finding()))
    assert made["last_run_timestamp_seconds"] == datetime.fromisoformat("2026-11-21T10:00:01+00:00").timestamp()
    assert made["last_run_duration_seconds"] == 1
    assert made["evidence_timestamp_seconds"] == datetime.fromisoformat("2026-11-20T02:17:00+00:00").timestamp()


def hosts(*taken: str | None) -> Report:
    shots = [snapshot(host=f"h{n}", taken=when) if when else snapshot(host=f"h{n}") for n, when in enumerate(taken)]
    for shot, when in zip(shots, taken, strict=True):
        if when is None:
            del shot.shown["taken"]
    return report(hosts=[HostReport(Origin(shot), policy(), []) for shot in shots])


def test_the_oldest_evidence_counts_and_is_not_guessed_where_one_host_does_not_tell() -> None:
    dated = hosts("2026-11-20T02:17:00Z", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00+02:00")
    assert told(dated)["evidence_timestamp_seconds"] == datetime.fromisoformat("2026-11-01T00:00:00+00:00").timestamp()
    for made in (hosts("2026-11-20T02:17:00Z", None), hosts("2026-11-20T02:17:00Z", "yesterday\n"), hosts()):
        assert "evidence_timestamp_seconds" not in told(made)


@pytest.mark.parametrize("stamp", ["", "now", "2026-11-21T10:00:01", "\udcff"])
def test_a_stamp_that_is_none_is_absent_and_not_zero(stamp: str) -> None:
    made = told(report(finding(), started=stamp, finished=stamp))
    assert "last_run_timestamp_seconds" not in made
    assert "last_run_duration_seconds" not in made


def test_a_rule_has_its_open_findings_and_is_absent_where_it_came_to_no_result() -> None:
    made = told(report(
        finding("one"), finding("one", "x"), finding("two", outcome="pass"), finding("three", outcome="unknown"),
        finding("four", outcome="notchecked"), waived("x", "2027-01-31", "p:1"), finding("five", severity="info"),
    ))  # fmt: skip
    rules = {key.removeprefix("rule_open "): value for key, value in made.items() if key.startswith("rule_open ")}
    assert rules == {"one": 2, "two": 0, "listener-not-approved": 0, "five": 0}


def test_listeners_are_counted_by_reach_and_by_what_is_known_of_their_owners() -> None:
    odd = listener(5, reach="the moon", owner_state="sold")
    bare = listener(6)
    del bare.shown["reach"], bare.shown["owner_state"]
    own = stack(listener(1, owner(1), reach="public"), listener(2, owner(1)), listener(3, owner_state="partial"), odd, bare)
    made = told(report(of=snapshot(own, stack(listener(7, reach="container"), name="box"))))
    assert {key: made[key] for key in made if key.startswith("listeners ")} == {
        "listeners loopback": 0, "listeners container": 1, "listeners link": 0, "listeners private": 2, "listeners public": 1,
        "listeners unknown": 2,
    }  # fmt: skip
    assert {key: made[key] for key in made if key.startswith("listeners_owner ")} == {
        "listeners_owner known": 2, "listeners_owner partial": 1, "listeners_owner unreadable": 2, "listeners_owner none": 1,
    }  # fmt: skip


def test_waivers_that_end_within_thirty_days_are_counted_once_each() -> None:
    made = told(report(
        waived("a", "2026-12-21", "p:1"), waived("b", "2026-12-21", "p:1"), waived("c", "2026-12-22", "p:2"),
        waived("d", "some day", "p:3"), waived("e", "2026-11-21", "p:4", "unknown"), finding(),
    ))  # fmt: skip
    assert (made["waivers_used"], made["waivers_expiring_30d"]) == (4, 3)


def test_findings_that_are_new_are_told_only_where_there_is_a_baseline() -> None:
    new, old = finding(severity="high"), finding(subject="old", severity="high")
    new.baseline_state, old.baseline_state = "new", "unchanged"
    assert not [key for key in told(report(new, old)) if key.startswith("new_findings")]
    made = told(report(new, old, drift=Drift(["2026-11-01T00:00:00Z"], [], [])))
    assert {key: value for key, value in made.items() if key.startswith("new_findings")} == {
        f"new_findings {severity}": int(severity == "high") for severity in SEVERITIES
    }


def test_bad_sources_and_no_hosts_are_figures_too() -> None:
    made = told(report(hosts=[], bad_sources=[("a", "cut"), ("b", "cut")]))
    assert (made["hosts"], made["sources_bad"], made["verdict incomplete"], made["last_run_complete"]) == (0, 2, 1, 0)


def named(name: str, sha256: str = "ab" * 32) -> Policy:
    made = policy(name)
    made.sha256 = sha256
    return made


def test_each_policy_is_there_once() -> None:
    judged_by = [named("web"), named("db", "cd" * 32), named("web")]
    made = told(report(hosts=[HostReport(Origin(snapshot()), by, []) for by in judged_by]))
    assert [key for key in made if key.startswith("policy_info")] == [f"policy_info db {'cd' * 32}", f"policy_info web {'ab' * 32}"]


def test_every_sample_is_labelled_with_the_policies_so_that_the_files_of_two_are_not_taken_for_one() -> None:
    def labels(*names: str) -> set[str]:
        text = rendered("prometheus", report(hosts=[HostReport(Origin(snapshot()), named(name), []) for name in names]))
        return {sample.labels["policy"] for family in parser.text_string_to_metric_families(text) for sample in family.samples}

    assert labels("web") == {"web"}
    assert labels("db") == {"db"}
    made = [named("web"), named("db", "cd" * 32), named("db", "12" * 32)]
    text = rendered("prometheus", report(hosts=[HostReport(Origin(snapshot()), by, []) for by in made]))
    assert text.count("# TYPE") > 10
    assert {line.partition('policy="')[2].partition('"')[0] for line in text.splitlines() if not line.startswith("#")} == {"db,web"}


@pytest.mark.parametrize("name", ['a"b', "a\\", "\\n", 'x"} 1\nport_auditor_verdict{verdict="pass"} 1', "{}", "é", ""])
def test_a_policys_name_stays_one_label(name: str) -> None:
    text = rendered("prometheus", report(hosts=[HostReport(Origin(snapshot()), named(name), [])]))
    made = told(report(hosts=[HostReport(Origin(snapshot()), named(name), [])]))
    assert f"policy_info {name.replace(chr(10), chr(92) + 'n')} {'ab' * 32}" in made
    assert text.count("\n") == rendered("prometheus", report()).count("\n")


def test_nothing_that_a_host_says_is_in_it() -> None:
    word = "MARK"
    own = stack(listener(4711, owner(4711, process=word, executable=word, user=word, unit=word), address=word, source=word), name=word)
    shot = snapshot(own, host=word, system=word, release=word, limits=[word])
    one = finding(subject=word, host=word, stack=word, message=word, observed=word, expected=word, source=word, examples=(word,))
    text = rendered("prometheus", report(one, of=shot, bad_sources=[(word, word)]))
    assert word not in text
    assert "4711" not in text


def test_its_size_does_not_grow_with_hosts_listeners_or_findings() -> None:
    def made(hosts: int, ports: int) -> str:
        found = []
        for n in range(hosts):
            own = stack(*(listener(port, owner(port, process=f"p{port}")) for port in range(1, ports)), name=f"s{n}")
            found.append(HostReport(Origin(snapshot(own, host=f"h{n}")), policy(), [finding(subject=f"s{n}.{p}") for p in range(ports)]))
        return rendered("prometheus", report(hosts=found))

    assert made(30, 40).count("\n") == made(1, 2).count("\n")


def test_a_host_of_which_nothing_is_known_has_figures() -> None:
    assert told(report(of=Snapshot(stacks=Facts([Stack(name="s", kind="k")], ""))))["listeners private"] == 0


def test_its_file_may_be_read_by_everybody_and_no_other_formats() -> None:
    modes = {name: plugins.reporter(name).mode for name in plugins.formats()}
    assert {name: mode for name, mode in modes.items() if mode != 0o640} == {"prometheus": 0o644}
    assert plugins.reporter("prometheus").suffix == "prom"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: apt-get install prometheus")
@pytest.mark.parametrize("made", [report(finding(), waived("a", "2026-12-21", "p:1")), report(hosts=[])], ids=["one host", "none"])
def test_promtool_has_nothing_against_it(made: Report) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=rendered("prometheus", made), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


PART = (ROOT / "reports" / "formats.md").read_text(encoding="utf-8").partition("\n## prometheus\n")[2].partition("\n## ")[0]
ALERTS = dict(re.findall(r"^    (\S.*?)  +# (.*)$", PART, re.MULTILINE))
"""Expressions, and what each is for."""
POLICY = ', policy="web"'


def test_the_alerts_of_the_document_name_figures_that_there_are() -> None:
    there = {key.split()[0] for key in told(report(finding()))}
    named = set(re.findall(r"port_auditor_([a-z0-9_]+)", " ".join(ALERTS)))
    assert len(named) > 5
    assert named <= there


def on_day_20(*findings: Finding, ran: int = 20, taken: str | None = "1970-01-20T01:00:00Z", **shown: Any) -> Report:
    """A report for a test of rules, whose clock begins in 1970."""
    sockets = shown.pop("listeners", (listener(22, owner(1)),))
    own = snapshot(stack(*sockets), taken=taken or "nobody knows")
    stamps = {"started": f"1970-01-{ran}T02:00:00Z", "finished": f"1970-01-{ran}T02:00:00Z", "evaluated_on": f"1970-01-{ran}"}
    return report(*(findings or (finding(outcome="pass"),)), of=own, **stamps, **shown)


ON_INSTANCES: dict[str, Report | None] = {
    "fine": on_day_20(),
    "open": on_day_20(finding(severity="high")),
    "unseen": on_day_20(finding(outcome="unknown")),
    "broken": on_day_20(finding(outcome="error")),
    "in part": on_day_20(narrowed=["only 1 rule asked"]),
    "accepting": on_day_20(waived("a", "1970-01-29", "p:1")),
    "without rights": on_day_20(listeners=(listener(22),)),
    "stopped": on_day_20(ran=10, taken="1970-01-10T01:00:00Z"),
    "on old evidence": on_day_20(taken="1970-01-01T01:00:00Z"),
    "on undated evidence": on_day_20(taken=None),
    "without an audit": None,
}
RAISED = {
    "open at or above --fail-on": ["open"],
    "not all was seen": ["unseen", "broken"],
    "how much was not seen": ["unseen", "broken"],
    "the audit lacks rights": ["without rights"],
    "it left something out, or took it for granted": ["in part"],
    "somebody has to decide": ["accepting"],
    "it never ran": ["without an audit"],
    "it runs no more": ["stopped"],
    "it runs on old evidence": ["stopped", "on old evidence"],
    "its evidence has no date": ["on undated evidence"],
}


def series(instance: str, made: Report | None) -> list[dict[str, str]]:
    """What Prometheus has of an instance of node_exporter."""
    lines = [] if made is None else [line for line in rendered("prometheus", made).splitlines() if not line.startswith("#")]
    samples = [(name.removesuffix("}") + ",", value) for name, value in (line.rsplit(" ", 1) for line in lines)]
    return [{"series": f'{head}job="node",instance="{instance}"}}', "values": f"{value}+0x20"} for head, value in (*samples, ("up{", "1"))]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: apt-get install prometheus")
def test_every_alert_of_the_document_is_raised_for_the_instances_and_policies_that_it_is_about_and_no_other(tmp_path: Path) -> None:
    assert set(ALERTS.values()) == set(RAISED)
    asked = [
        {"expr": f"group by (instance, policy) ({expression})", "eval_time": "20d", "exp_samples": [
            {"labels": f'{{instance="{one}"{POLICY if ON_INSTANCES[one] else ""}}}', "value": 1} for one in RAISED[why]
        ]} for expression, why in ALERTS.items()
    ]  # fmt: skip
    given = [one for instance, made in ON_INSTANCES.items() for one in series(instance, made)]
    tests = {"evaluation_interval": "1d", "tests": [{"interval": "1d", "input_series": given, "promql_expr_test": asked}]}
    (tmp_path / "tests.yaml").write_text(json.dumps(tests))
    done = subprocess.run(["promtool", "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
