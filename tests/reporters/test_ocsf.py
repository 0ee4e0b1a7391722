"""OCSF events, as the OCSF models of another project read them, and as a SIEM counts them."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from auditor.report import Report
from tests.mixed_reports import GAP, WAIVER, answers, everything, fleet, host, hostile, mixed
from tests.reports import finding, rendered, report, snapshot

FAIL, NEW, SUPPRESSED, RESOLVED = 3, 1, 3, 4
CREATE, UPDATE, CLOSE = 1, 2, 3


MAKES: dict[str, Callable[[], Report]] = {
    "mixed": mixed,
    "fleet": fleet,
    "hostile": hostile,
    "empty": lambda: Report(tables={}, started="", finished="", evaluated_on=""),
}


def events(made: Report) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(rendered("ocsf", made))
    return told


@pytest.fixture(scope="module")
def documents() -> dict[str, list[dict[str, Any]]]:
    return {name: events(make()) for name, make in MAKES.items()}


def of_findings(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in told[:-1] if event["activity_id"] != CLOSE]


def of_subject(told: list[dict[str, Any]], subject: str) -> dict[str, Any]:
    return next(event for event in told[:-1] if event["unmapped"]["subject"] == subject)


@pytest.mark.parametrize("name", MAKES)
def test_every_event_is_a_compliance_finding_of_the_schema(name: str, documents: dict[str, list[dict[str, Any]]]) -> None:
    pytest.importorskip("py_ocsf_models", reason="py-ocsf-models: pip install '.[formats]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from py_ocsf_models import OCSF_VERSION
        from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
    for event in documents[name]:
        read = ComplianceFinding(**event)
        assert event["metadata"]["version"] == OCSF_VERSION
        assert read.type_uid == event["class_uid"] * 100 + read.activity_id
        assert read.finding_info.uid
        assert read.compliance.standards


def test_it_is_an_array_with_one_event_a_line() -> None:
    first, *lines, last = rendered("ocsf", mixed()).splitlines()
    assert (first, last) == ("[", "]")
    assert all(json.loads(line.removesuffix(",")) for line in lines)
    assert len(lines) == len(mixed().findings) + 2


@pytest.mark.parametrize("name", ["mixed", "fleet", "hostile"])
def test_every_answer_of_every_rule_is_an_event(name: str, documents: dict[str, list[dict[str, Any]]]) -> None:
    told = of_findings(documents[name])
    assert Counter((e["finding_info"]["uid"], e["unmapped"]["outcome"]) for e in told) == answers(MAKES[name]())


@pytest.mark.parametrize("fail_on", ["medium", "info"])
def test_what_fails_and_is_new_is_what_is_open(fail_on: str) -> None:
    made = mixed(fail_on=fail_on)
    told = [e for e in of_findings(events(made)) if (e["compliance"]["status_id"], e["status_id"]) == (FAIL, NEW)]
    assert Counter(e["finding_info"]["uid"] for e in told) == Counter(f.fingerprint for f in made.open)


@pytest.mark.parametrize(
    ("outcome", "more", "compliance", "lifecycle"),
    [
        ("fail", {}, (3, "Fail"), "New"),
        ("waived", {"waiver": WAIVER}, (3, "Fail"), "Suppressed"),
        ("pass", {}, (1, "Pass"), "Nothing to review"),
        ("unknown", {}, (2, "Warning"), "New"),
        ("unknown", {"waiver": GAP}, (2, "Warning"), "Suppressed"),
        ("unknown", {"inventory": True}, (2, "Warning"), "Nothing to review"),
        ("error", {}, (2, "Warning"), "New"),
        ("notchecked", {}, (2, "Warning"), "Nothing to review"),
        ("notapplicable", {}, (99, "Not applicable"), "Nothing to review"),
        ("notselected", {}, (99, "Not selected"), "Nothing to review"),
        ("fail", {"severity": "info"}, (99, "Inventory"), "Nothing to review"),
        ("fail", {"inventory": True}, (99, "Inventory"), "Nothing to review"),
    ],
)
def test_an_outcome_in_the_words_of_ocsf(outcome: str, more: dict[str, Any], compliance: tuple[int, str], lifecycle: str) -> None:
    event = events(report(finding(outcome=outcome, **more)))[0]
    assert (event["compliance"]["status_id"], event["compliance"]["status"]) == compliance
    assert event["compliance"]["checks"][0]["status_id"] == compliance[0]
    assert event["status"] == lifecycle
    assert event["severity"] == ("Medium" if lifecycle in ("New", "Suppressed") else "Informational")


@pytest.mark.parametrize(
    ("outcome", "status", "severity"), [("pass", "Pass", "Informational"), ("unknown", "Warning", "Medium"), ("fail", "Fail", "Medium")]
)
def test_the_last_event_is_the_verdict(outcome: str, status: str, severity: str) -> None:
    made = report(finding(outcome=outcome))
    last = events(made)[-1]
    assert re.fullmatch("port-auditor/report/[0-9a-f]{32}", last["finding_info"]["uid"])
    assert (last["compliance"]["status"], last["severity"]) == (status, severity)
    assert last["finding_info"]["desc"] == made.statement
    assert (last["unmapped"]["verdict"], last["unmapped"]["counts"]) == (made.verdict, {outcome: 1})


def test_what_allow_incomplete_lets_pass_is_a_warning_and_not_a_pass() -> None:
    made = report(finding(outcome="unknown"), allow_incomplete=True)
    last = events(made)[-1]
    assert made.verdict == "pass"
    assert (last["compliance"]["status"], last["status"], last["severity"]) == ("Warning", "New", "Medium")


def test_no_event_of_two_policies_that_judge_one_bundle_in_one_second_is_that_of_the_other() -> None:
    web, strict = host(finding(), finding(subject="x")), host(finding(), finding(subject="x"), name="strict")
    strict.policy.sha256 = "12" * 32
    uids = [event["metadata"]["uid"] for one in (web, strict) for event in events(report(hosts=[one]))]
    assert len(set(uids)) == len(uids) == 6


def whole(name: str, evidence: str = "cd" * 32, policy: str = "ef" * 32) -> tuple[str, str]:
    one = host(finding(host=name), of=snapshot(host=name))
    one.evidence_sha256, one.policy.sha256 = evidence, policy
    last = events(report(hosts=[one]))[-1]
    return last["finding_info"]["uid"], last["metadata"]["uid"]


def test_the_last_events_of_two_hosts_in_one_second_are_two_and_those_of_one_host_are_of_one_finding() -> None:
    (web, first), (other, second) = whole("web1"), whole("web2")
    assert web != other
    assert first != second
    again = [whole("web1", evidence="12" * 32), whole("web1", policy="12" * 32)]
    assert {finding for finding, _ in again} == {web}
    assert len({first, *(event for _, event in again)}) == 3
    assert whole("web1") == (web, first)


def test_the_last_event_has_the_host_as_its_resource_where_there_is_one() -> None:
    first, *_, last = events(mixed())
    assert last["resources"] == first["resources"]
    assert last["resources"][0]["name"] == "web1"
    assert "resources" not in events(fleet())[-1]


def test_the_last_event_says_what_nobody_looked_at() -> None:
    last = events(fleet())[-1]["unmapped"]
    assert last["complete"] is False
    assert [(one["kind"], one["name"]) for one in last["lacking"]] == [("source", "a.evidence"), ("host", "db1")]


def test_a_report_of_no_host_is_a_warning_and_nothing_else() -> None:
    (only,) = events(report(hosts=[], bad_sources=[("a", "cut")]))
    assert only["compliance"]["status"] == "Warning"


def test_a_finding_of_the_baseline_that_is_no_more_is_closed() -> None:
    (gone,) = [event for event in events(mixed())[:-1] if event["activity_id"] == CLOSE]
    assert (gone["type_uid"], gone["status_id"], gone["unmapped"]["baseline_state"]) == (200303, RESOLVED, "absent")
    assert (gone["unmapped"]["subject"], gone["compliance"]["status"]) == ("gone", "Absent")


def test_a_finding_that_the_baseline_had_is_an_update_with_its_first_stamp() -> None:
    told = events(mixed())
    known = of_subject(told, "known")
    assert (known["activity_id"], known["type_uid"]) == (UPDATE, 200302)
    assert known["finding_info"]["first_seen_time"] == 1790812800000
    assert (known["unmapped"]["who"], known["unmapped"]["examples"]) == ("sshd[1] root", ["one", "other"])
    assert of_subject(told, "set to info")["activity_id"] == CREATE


def test_an_event_is_of_the_moment_at_which_the_evidence_was_taken() -> None:
    assert events(report(finding()))[0]["time"] == 1795141020000
    assert events(report(finding(), of=snapshot(taken="lately")))[0]["time"] == 1795255200000


def test_the_remedy_is_the_one_for_the_hosts_system_and_stands_where_something_is_to_do() -> None:
    linux, other = (events(report(finding(), of=snapshot(system=name)))[0]["remediation"]["desc"] for name in ("Linux", "NetBSD"))
    assert "stop listener-not-approved" in linux
    assert "rcctl" not in linux
    assert "rcctl" in other
    assert "remediation" not in events(report(finding(outcome="pass")))[0]


def test_the_controls_of_a_finding_and_the_policy_are_its_standards() -> None:
    event = of_subject(events(mixed()), "tcp/0.0.0.0:9000")
    assert "NIST SP 800-53 r5" in event["compliance"]["standards"]
    assert event["compliance"]["standards"][-1] == "port-auditor policy web"
    assert "NIST SP 800-53 r5 CM-7" in event["compliance"]["requirements"]


def test_two_findings_of_one_fingerprint_are_two_events() -> None:
    told = of_findings(events(mixed()))
    same = [event for event in told if event["unmapped"]["subject"] == "tcp/0.0.0.0:9000"]
    assert {event["status"] for event in same} == {"New", "Suppressed"}
    assert len({event["metadata"]["uid"] for event in told}) == len(told)


def test_no_control_character_and_no_lone_surrogate_of_a_host_comes_out(documents: dict[str, list[dict[str, Any]]]) -> None:
    for event in documents["hostile"]:
        said = json.dumps({**event, "remediation": None}, ensure_ascii=False)
        assert said.encode()
        assert not {c for c in said if ord(c) < 0x20 or c in "\x7f\u2028\u202e\u200d"}
        assert "\\u00" not in said


def test_the_same_report_is_the_same_bytes_and_no_word_of_compliance_is_in_it() -> None:
    made = [host(*everything())]
    assert rendered("ocsf", report(hosts=made)) == rendered("ocsf", report(hosts=made))
    said = json.dumps([event["message"] for event in events(report(hosts=made))])
    assert not {word for word in ("compliant", "satisfied") if word in said}
