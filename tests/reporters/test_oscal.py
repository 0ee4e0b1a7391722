"""OSCAL assessment results, as compliance-trestle reads them, and what they claim."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.display import harmless
from auditor.report import Report
from tests.mixed_reports import WAIVER, WORDS, answers, fleet, frameworks, host, hostile, mixed
from tests.reports import finding, rendered, report, snapshot

MAKES: dict[str, Callable[[], Report]] = {
    "mixed": mixed,
    "fleet": fleet,
    "hostile": hostile,
    "empty": lambda: Report(tables={}, started="", finished="", evaluated_on=""),
}


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return {name: json.loads(rendered("oscal", make()))["assessment-results"] for name, make in MAKES.items()}


def results(made: Report) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(rendered("oscal", made))["assessment-results"]["results"]
    return told


def props(of: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in of.get("props", [])}


def told_of(observations: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((props(one)["fingerprint"], props(one)["outcome"]) for one in observations if "historic" not in one.get("types", []))


def everywhere(node: Any, name: str) -> Iterator[Any]:
    """Every value of that name in a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == name:
                yield value
            yield from everywhere(value, name)
    elif isinstance(node, list):
        for item in node:
            yield from everywhere(item, name)


def test_trestle_reads_every_report(documents: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    pytest.importorskip("trestle", reason="compliance-trestle: pip install '.[formats]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trestle.oscal.assessment_results import AssessmentResults
    for name, document in documents.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"assessment-results": document}))
        read = AssessmentResults.oscal_read(path)
        assert read is not None
        assert len(read.results) == len(MAKES[name]().hosts) + 1
        assert document["metadata"]["oscal-version"] == "1.1.2"


@pytest.mark.parametrize("name", ["mixed", "fleet", "hostile"])
def test_every_answer_of_every_rule_is_an_observation(name: str, documents: dict[str, dict[str, Any]]) -> None:
    _, *of_hosts = documents[name]["results"]
    assert told_of([one for result in of_hosts for one in result.get("observations", [])]) == answers(MAKES[name]())


@pytest.mark.parametrize("name", MAKES)
def test_a_uuid_is_of_version_5_and_stands_for_one_thing_and_every_reference_finds_its_own(
    name: str, documents: dict[str, dict[str, Any]]
) -> None:
    document = documents[name]
    uuids = Counter(everywhere(document, "uuid"))
    assert not [uuid for uuid, times in uuids.items() if times > 1]
    assert all(re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", uuid) for uuid in uuids)
    referred = [uuid for key in ("observation-uuid", "subject-uuid", "actor-uuid") for uuid in everywhere(document, key)]
    referred += [href[1:] for href in everywhere(document, "href") if href.startswith("#")]
    assert set(referred) <= set(uuids)
    assert document["import-ap"]["href"][1:] in {one["uuid"] for one in document["back-matter"]["resources"]}


def test_an_observation_has_the_same_uuid_in_the_next_run() -> None:
    later = report(finding(), started="2026-11-28T10:00:00Z", finished="2026-11-28T10:00:01Z", of=snapshot(taken="2026-11-28T09:00:00Z"))
    (_, before), (_, after) = results(report(finding())), results(later)
    assert before["observations"][0]["uuid"] == after["observations"][0]["uuid"]
    assert before["uuid"] != after["uuid"]


def test_only_what_a_rule_that_evidences_a_control_found_is_a_finding_and_it_is_not_satisfied() -> None:
    _, result = results(mixed())
    found = {one["target"]["target-id"]: one for one in result["findings"]}
    assert found.keys() == {"cm-7_obj", "cm-6_obj"}
    by_uuid = {one["uuid"]: props(one)["subject"] for one in result["observations"]}
    related = [by_uuid[one["observation-uuid"]] for one in found["cm-7_obj"]["related-observations"]]
    assert related == ["tcp/0.0.0.0:9000"]
    assert [*everywhere(result, "state")] == ["not-satisfied", "not-satisfied"]


def test_a_finding_counts_the_same_in_its_title_its_description_and_what_it_refers_to() -> None:
    _, result = results(mixed())
    for found in result["findings"]:
        said = f"{len(found['related-observations'])} open by rules that evidence it"
        assert found["title"].endswith(f": {said}")
        assert found["description"].endswith(f": {said}")


def test_no_result_of_two_hosts_two_bundles_or_two_policies_of_one_second_has_the_uuid_of_another() -> None:
    def uuids(name: str = "web1", evidence: str = "cd" * 32, policy: str = "ef" * 32, day: str = "2026-11-21") -> list[str]:
        one = host(finding(host=name), of=snapshot(host=name))
        one.evidence_sha256, one.policy.sha256 = evidence, policy
        return [result["uuid"] for result in results(report(hosts=[one], evaluated_on=day))]

    runs = [uuids(), uuids(name="web2"), uuids(evidence="12" * 32), uuids(policy="12" * 32), uuids(day="2026-11-22")]
    for several in zip(*runs, strict=True):
        assert len(set(several)) == len(runs)
    assert uuids() == runs[0]


def test_where_nothing_is_open_no_control_is_spoken_of() -> None:
    passes = [finding(rule, outcome="pass") for rule in ("listener-not-approved", "privileged-range-lowered")]
    _, result = results(report(*passes, finding(outcome="waived", waiver=WAIVER), frameworks=frameworks()))
    assert "findings" not in result


@pytest.mark.parametrize("name", MAKES)
def test_nothing_is_ever_satisfied_and_never_are_all_controls_reviewed(name: str, documents: dict[str, dict[str, Any]]) -> None:
    assert {*everywhere(documents[name]["results"], "state")} <= {"not-satisfied", "operational"}
    assert not [*everywhere(documents[name], "include-all")]
    assert not [*everywhere(documents[name], "attestations")]
    assert all([*everywhere(documents[name], "include-controls")])


def test_the_controls_that_were_reviewed_are_those_of_which_something_was_seen() -> None:
    _, result = results(mixed())
    (selection,) = result["reviewed-controls"]["control-selections"]
    ids = [one["control-id"] for one in selection["include-controls"]]
    assert {"cm-7", "cm-7.1", "cm-6"} <= {*ids}
    assert "sc-5" not in ids
    _, none = results(report(finding("made-up-rule"), frameworks=frameworks()))
    (selection,) = none["reviewed-controls"]["control-selections"]
    assert selection["include-controls"] == [{"control-id": "no-control-reviewed"}]


def test_the_whole_tells_what_came_of_each_control_and_what_people_must_attest() -> None:
    told = [(one["name"], one["value"]) for one in results(mixed())[0]["reviewed-controls"]["props"]]
    assert ("control-result", "NIST SP 800-53 r5 CM-7: 2 open, 1 accepted, evidence partial") in told
    assert [value for name, value in told if name == "to-be-attested" and value.startswith("CM-7: The system's owner")]


def test_what_was_accepted_is_a_deviation_with_a_deadline_and_what_it_covers() -> None:
    _, result = results(mixed())
    risks = {props(risk)["reason"]: risk for risk in result["risks"]}
    risk = risks["socket migration"]
    assert (risk["status"], risk["deadline"], props(risk)["id"]) == ("deviation-approved", "2027-01-31T23:59:59Z", "EXC-118")
    covered = {one["observation-uuid"] for one in risk["related-observations"]}
    assert [props(one)["outcome"] for one in result["observations"] if one["uuid"] in covered] == ["waived"]
    assert "71 days left" in risk["statement"]
    gap = risks["runs without the capability"]
    assert len(gap["related-observations"]) == 1


def test_an_incomplete_audit_says_so_and_why() -> None:
    whole = results(fleet())[0]
    assert (props(whole)["verdict"], props(whole)["complete"]) == ("fail", "false")
    told = {one["title"]: one for one in whole["observations"]}
    assert told.keys() == {"The audit is not complete", "Nobody looked: a.evidence", "Nobody looked: db1"}
    assert all(props(one)["complete"] == "false" for one in told.values())
    assert "it was cut" in told["Nobody looked: a.evidence"]["description"]
    assert told["Nobody looked: db1"]["methods"] == ["UNKNOWN"]
    assert props(results(report(finding(outcome="pass")))[0]["observations"][0]) == {"complete": "true"}


def test_the_counts_are_those_of_the_report() -> None:
    made = mixed()
    whole, one = results(made)
    for told in (props(whole), props(one)):
        assert {name.removeprefix("count-"): int(value) for name, value in told.items() if name.startswith("count-")} == made.counts
        assert int(told["open"]) == len(made.open)


def test_a_finding_of_the_baseline_that_is_no_more_is_historic() -> None:
    (gone,) = [one for one in results(mixed())[1]["observations"] if one.get("types") == ["historic"]]
    assert (props(gone)["subject"], props(gone)["baseline-state"]) == ("gone", "absent")


def test_an_observation_tells_who_since_when_and_on_what_it_rests() -> None:
    observations = results(mixed())[1]["observations"]
    known = next(props(one) for one in observations if props(one)["subject"] == "known")
    assert (known["who"], known["first-seen"], known["baseline-state"]) == ("sshd[1] root", "2026-10-01T00:00:00Z", "unchanged")
    assert (known["observed"], known["expected"], known["source"], known["count"]) == ("1", "2", "sysctl", "2")
    assert {one["collected"] for one in observations} == {"2026-11-20T02:17:00Z"}


@pytest.mark.parametrize("taken", ["lately", "2026-11-20T02:17:00", "2026-11-20", "0001-01-01T00:00:00+23:59"])
def test_evidence_that_does_not_tell_its_moment_is_of_the_moment_of_the_audit(taken: str) -> None:
    _, result = results(report(finding(), of=snapshot(taken=taken)))
    assert {result["start"], result["observations"][0]["collected"]} == {"2026-11-21T10:00:00Z"}


def test_the_evidence_is_named_by_its_path_and_digest() -> None:
    made = host(finding())
    made.given = "a dir/web#1?.evidence"
    (_, resource) = json.loads(rendered("oscal", report(hosts=[made])))["assessment-results"]["back-matter"]["resources"]
    assert resource["rlinks"] == [{"href": "a%20dir/web%231%3F.evidence", "hashes": [{"algorithm": "SHA-256", "value": "cd" * 32}]}]
    made.live = True
    (_, resource) = json.loads(rendered("oscal", report(hosts=[made])))["assessment-results"]["back-matter"]["resources"]
    assert "rlinks" not in resource
    assert props(resource) == {"sha256": "cd" * 32}


def test_the_host_is_an_inventory_item_with_what_is_known_of_it() -> None:
    _, result = results(report(finding(), of=snapshot(machine_id="0" * 32)))
    (item,) = result["local-definitions"]["inventory-items"]
    assert props(item) == {
        "host": "web1",
        "host-by-its-own-word": "web1",
        "machine-id": "0" * 32,
        "os-name": "Linux",
        "os-version": "6.12.1",
    }
    assert {one["subjects"][0]["subject-uuid"] for one in result["observations"]} == {item["uuid"]}


def test_markdown_of_a_host_is_shown_and_does_nothing() -> None:
    cmarkgfm = pytest.importorskip("cmarkgfm", reason="compliance-trestle: pip install '.[formats]'")
    _, result = results(report(*(finding(subject=f"s{n}", message=word) for n, word in enumerate(WORDS))))
    texts = {props(one)["subject"]: one["description"] for one in result["observations"]}
    for number, word in enumerate(WORDS):
        page = cmarkgfm.markdown_to_html(texts[f"s{number}"])
        assert re.fullmatch("<p>[^<]*</p>\n", page), (word, page)
        said = page[3:-5].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
        assert said == (harmless(word).strip() or "(nothing)")


def test_the_same_report_is_the_same_bytes() -> None:
    assert rendered("oscal", fleet()) == rendered("oscal", fleet())
