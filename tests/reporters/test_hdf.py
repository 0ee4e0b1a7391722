"""The Heimdall Data Format, as Heimdall's own library (npm inspecjs) reads it, and what Heimdall would show."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from auditor.report import Report
from tests.mixed_reports import GAP, WAIVER, answers, fleet, frameworks, host, hostile, mixed
from tests.node_packages import FOLDER, path_in
from tests.reports import finding, rendered, report, snapshot

COMPLETE = "port-auditor/audit-complete"
MAKES: dict[str, Callable[[], Report]] = {
    "mixed": mixed,
    "fleet": fleet,
    "hostile": hostile,
    "empty": lambda: Report(tables={}, started="", finished="", evaluated_on=""),
}
READ = """
const {convertFileContextual} = require('inspecjs');
const read = convertFileContextual(require('fs').readFileSync(0, 'utf8'));
const shown = read.contains.flatMap(profile => profile.contains.map(control => ({
    profile: profile.data.name, id: control.data.id, status: control.hdf.status, waived: control.hdf.waived,
    severity: control.hdf.severity, hidden: control.extendedBy.length + control.extendsFrom.length,
    nist: control.hdf.canonized_nist({}), message: control.hdf.message,
})));
console.log(JSON.stringify(shown));
"""


@pytest.fixture(scope="module")
def node() -> str:
    """Node, which finds inspecjs beside."""
    path_in("inspecjs", "package.json")
    program = shutil.which("node")
    return program or pytest.skip("no node is here: apt-get install nodejs")


def heimdall(node: str, told: dict[str, Any]) -> list[dict[str, Any]]:
    """Each control as Heimdall shows it."""
    done = subprocess.run(
        [node, "-e", READ], cwd=FOLDER.parent, input=json.dumps(told), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    shown: list[dict[str, Any]] = json.loads(done.stdout)
    return shown


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return {name: document(make()) for name, make in MAKES.items()}


def document(made: Report) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(rendered("hdf", made))
    return told


def of_hosts(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The controls of all hosts."""
    return [control for profile in told["profiles"][:-1] for control in profile["controls"]]


def of_rules(made: Report) -> list[dict[str, Any]]:
    return of_hosts(document(made))


def by_id(made: Report) -> dict[str, dict[str, Any]]:
    return {control["id"]: control for control in of_rules(made)}


@pytest.mark.parametrize("name", MAKES)
def test_heimdall_reads_every_report_and_hides_no_control(name: str, node: str, documents: dict[str, dict[str, Any]]) -> None:
    shown = heimdall(node, documents[name])
    assert len(shown) == len(of_hosts(documents[name])) + 1
    assert not [control for control in shown if control["hidden"]]
    assert len({control["id"] for control in shown}) == len(shown)


def test_heimdall_shows_each_state_of_a_rule_by_itself_and_the_gravest_by_its_name(node: str) -> None:
    shown = {control["id"]: (control["status"], control["waived"]) for control in heimdall(node, document(mixed()))}
    rule = "made-up-rule"
    assert shown == {
        rule: ("Failed", False),
        f"{rule}/error": ("Profile Error", False),
        f"{rule}/not-seen": ("Not Reviewed", False),
        f"{rule}/not-checked": ("Not Reviewed", False),
        f"{rule}/passed": ("Passed", False),
        f"{rule}/waived": ("Not Applicable", True),
        f"{rule}/inventory": ("Not Applicable", False),
        f"{rule}/not-applicable": ("Not Applicable", False),
        f"{rule}/not-selected": ("Not Applicable", False),
        "listener-not-approved": ("Failed", False),
        "listener-not-approved/waived": ("Not Applicable", True),
        "privileged-range-lowered": ("Failed", False),
        "cleartext-listener": ("Failed", False),
        COMPLETE: ("Not Reviewed", False),
    }


@pytest.mark.parametrize(
    ("outcome", "more", "status"),
    [
        ("fail", {}, "Failed"),
        ("fail", {"inventory": True}, "Not Applicable"),
        ("fail", {"severity": "info"}, "Not Applicable"),
        ("waived", {"waiver": WAIVER}, "Not Applicable"),
        ("pass", {}, "Passed"),
        ("unknown", {}, "Not Reviewed"),
        ("unknown", {"waiver": GAP}, "Not Applicable"),
        ("error", {}, "Profile Error"),
        ("notchecked", {}, "Not Reviewed"),
        ("notapplicable", {}, "Not Applicable"),
        ("notselected", {}, "Not Applicable"),
    ],
)
def test_heimdall_shows_an_outcome_beside_a_pass_as_what_it_is(outcome: str, more: dict[str, Any], status: str, node: str) -> None:
    shown = heimdall(node, document(report(finding(outcome=outcome, **more), finding(stack="other", outcome="pass"))))
    found = Counter(control["status"] for control in shown if control["id"] != COMPLETE)
    assert found == Counter([status, "Passed"]) if outcome != "pass" else found == Counter(["Passed"])


def test_heimdall_shows_severities_and_places_controls_in_its_tree_of_nist(node: str) -> None:
    shown = {control["id"]: control for control in heimdall(node, document(mixed(fail_on="info")))}
    assert shown["privileged-range-lowered"]["severity"] == "high"
    assert shown["cleartext-listener"]["severity"] == "low"
    assert {"CM-7", "CM-7 (1)"} <= {*shown["listener-not-approved"]["nist"]}
    assert shown["made-up-rule"]["nist"] == ["UM-1"]
    alone = heimdall(node, document(report(finding(severity="info"), fail_on="info")))[0]
    assert (alone["status"], alone["severity"]) == ("Failed", "low")


@pytest.mark.parametrize("name", ["mixed", "fleet", "hostile"])
def test_every_answer_of_every_rule_is_a_result(name: str, documents: dict[str, dict[str, Any]]) -> None:
    results = [result for control in of_hosts(documents[name]) for result in control["results"]]
    assert Counter((result["fingerprint"], result["outcome"]) for result in results) == answers(MAKES[name]())


@pytest.mark.parametrize("name", MAKES)
def test_what_the_schema_asks_for_is_there(name: str, documents: dict[str, dict[str, Any]]) -> None:
    told = documents[name]
    assert told.keys() >= {"platform", "version", "statistics", "profiles"}
    assert told["platform"].keys() >= {"name", "release"}
    for profile in told["profiles"]:
        assert profile.keys() >= {"name", "sha256", "supports", "attributes", "groups", "controls"}
        for control in profile["controls"]:
            assert control.keys() >= {"id", "impact", "refs", "tags", "source_location", "results"}
            assert 0 <= control["impact"] <= 1
            assert control["results"]
            for result in control["results"]:
                assert result.keys() >= {"status", "code_desc", "start_time"}
                assert result["status"] in ("passed", "failed", "skipped", "error")
    assert len({profile["name"] for profile in told["profiles"]}) == len(told["profiles"])


@pytest.mark.parametrize("fail_on", ["medium", "info"])
def test_what_failed_is_what_is_open_and_what_passed_is_what_passed(fail_on: str) -> None:
    made = mixed(fail_on=fail_on)
    results = [result for control in of_rules(made) for result in control["results"]]
    for status, findings in (("failed", made.open), ("passed", [f for f in made.findings if f.outcome == "pass"])):
        assert Counter(r["fingerprint"] for r in results if r["status"] == status) == Counter(f.fingerprint for f in findings)


def test_a_control_has_results_of_one_state_only() -> None:
    for control in of_rules(fleet()):
        assert len({result["status"] for result in control["results"]}) == 1, control["id"]


def test_a_waiver_covers_what_it_was_given_for_and_nothing_that_is_open_beside_it() -> None:
    found = by_id(mixed())
    waived, beside = found["listener-not-approved/waived"], found["listener-not-approved"]
    assert waived["waiver_data"]["expiration_date"] == "2027-01-31"
    assert "id: EXC-118" in waived["waiver_data"]["justification"]
    assert "71 days left" in waived["waiver_data"]["message"]
    assert [result["outcome"] for result in waived["results"]] == ["waived"]
    assert "waiver_data" not in beside
    assert [result["status"] for result in beside["results"]] == ["failed"]


def test_two_waivers_of_one_rule_are_two_controls() -> None:
    other = {**WAIVER, "id": "EXC-200", "expires": "2026-12-01"}
    found = by_id(report(finding(subject="a", outcome="waived", waiver=WAIVER), finding(subject="b", outcome="waived", waiver=other)))
    assert {name: control["waiver_data"]["expiration_date"] for name, control in found.items()} == {
        "listener-not-approved": "2026-12-01", "listener-not-approved/waived/2": "2027-01-31",
    }  # fmt: skip


def test_each_host_is_a_profile_and_an_id_is_of_one_host() -> None:
    told = document(fleet())
    assert [profile["name"] for profile in told["profiles"]] == ["web@web1", "web@web1#2", "web@unknown host", "port-auditor"]
    assert told["profiles"][0]["sha256"] == "ef" * 32
    assert {"listener-not-approved@web1", "listener-not-approved@web1#2"} <= by_id(fleet()).keys()
    names = ["web1", "web1", "web1#2"]
    made = report(hosts=[host(finding(), of=snapshot(host=name)) for name in names])
    assert len({profile["name"] for profile in document(made)["profiles"]}) == 4


def test_an_incomplete_audit_is_not_reviewed_and_says_why() -> None:
    (control,) = document(fleet())["profiles"][-1]["controls"]
    assert control["id"] == COMPLETE
    assert control["impact"] > 0
    assert [(result["status"], result["code_desc"]) for result in control["results"]] == [
        ("skipped", "the audit as a whole"), ("skipped", "source a.evidence"), ("skipped", "host db1"),
    ]  # fmt: skip
    assert control["tags"]["complete"] is False


def test_a_complete_audit_is_no_pass_more() -> None:
    made = report(finding(outcome="pass"))
    (control,) = document(made)["profiles"][-1]["controls"]
    assert (control["impact"], control["desc"], control["tags"]["verdict"]) == (0, made.statement, "pass")
    assert {result["status"] for result in control["results"]} == {"skipped"}


def test_a_result_tells_what_was_observed_and_who_and_since_when() -> None:
    (known,) = [r for c in of_rules(mixed()) for r in c["results"] if r["code_desc"].startswith("known")]
    assert "observed: 1; expected: 2; source: sysctl; who: sshd[1] root" in known["message"]
    assert (known["baseline_state"], known["first_seen"], known["start_time"]) == (
        "unchanged", "2026-10-01T00:00:00Z", "2026-11-20T02:17:00Z")  # fmt: skip


def test_the_fix_is_the_one_for_the_hosts_system() -> None:
    (control,) = of_rules(report(finding(), of=snapshot(system="Linux")))
    assert [one["label"] for one in control["descriptions"]] == ["fix"]
    assert "rcctl" not in control["descriptions"][0]["data"]
    assert control["desc"] == "Why listener-not-approved matters."


def test_a_control_has_the_tags_of_what_its_rule_evidences_or_supports_and_not_of_what_it_informs() -> None:
    made = report(finding(outcome="pass"), finding("required-listener-absent"), finding("made-up-rule"), frameworks=frameworks())
    tags = {name: control["tags"].get("nist") for name, control in by_id(made).items()}
    assert tags["required-listener-absent"] is tags["made-up-rule"] is None
    assert {"CM-7", "CM-7 (1)", "CM-7 (3)"} <= {*tags["listener-not-approved"]}


def test_findings_of_the_baseline_that_are_no_more_are_counted() -> None:
    assert "Findings of the baseline that are no more: 1." in document(mixed())["profiles"][0]["summary"]


def test_no_control_character_and_no_lone_surrogate_of_a_host_comes_out() -> None:
    told = document(hostile())
    for profile in told["profiles"]:
        for control in profile["controls"]:
            del control["desc"]
            control.pop("descriptions", None)
    said = json.dumps(told, ensure_ascii=False)
    assert said.encode()
    assert not {c for c in said if ord(c) < 0x20 or c in "\x7f\u2028\u202e\u200d"}


def test_the_same_report_is_the_same_bytes() -> None:
    made = [host(finding(), finding(outcome="waived", waiver=WAIVER))]
    first, second = (rendered("hdf", report(hosts=made, frameworks=frameworks())) for _ in range(2))
    assert first == second
