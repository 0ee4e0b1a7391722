"""SARIF, as its schema, sarif-tools and GitHub's uploader take it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

import auditor.reporters.sarif as module
from auditor import __version__
from auditor.coverage import Drift, SiteCoverage
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, SEVERITIES, Finding
from auditor.presentation import RuleDocument
from auditor.remedy import Remedy
from auditor.report import Report
from tests.reports import Origin, finding, policy, rendered, report, snapshot

COMPLETE = "audit-complete"
ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = json.loads((ROOT / "tests" / "schemas" / "sarif-schema-2.1.0.json").read_text())
VALID = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
RESULT = VALID.evolve(schema={"$ref": "#/definitions/result", **{key: SCHEMA[key] for key in ("$schema", "definitions")}})
WAIVER = {"id": "EXC-118", "reason": "socket migration", "owner": "web-platform", "approved_by": "ciso", "expires": "2027-01-31",
          "origin": "web.yaml:12"}  # fmt: skip
HOSTILE = [
    "<script>alert(1)</script>", "{{7*7}} {0}", "\x1b[2J", "\x1b]8;;http://x\x1b\\", "\u202eevil", "\u2028", "\udcff", "\ud800", "\ufffe",
    "two\nrows", "]]>", "[click](http://evil.example)", "/" + "a" * 4095, "", " ", "/etc/passwd", "../../x", "http://evil.example/a:7",
    "a b%20?c#d", "web.yaml:99999999999999999999",
]  # fmt: skip


def told(made: Report) -> dict[str, Any]:
    """The document, checked as GitHub would."""
    return checked(rendered("sarif", made))


def checked(text: str) -> dict[str, Any]:
    """What GitHub asks for beyond the schema: "SARIF support for code scanning", and what its uploader and its issues say."""
    assert text.isascii()
    document: dict[str, Any] = json.loads(text)
    VALID.validate(document)
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-schema-2.1.0.json")
    categories = [run["automationDetails"]["id"].rpartition("/")[0] for run in document["runs"]]
    assert len(set(categories)) == len(categories), "a delivery cannot contain multiple runs with the same category"
    for run in document["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        rules = {rule["id"]: rule for rule in driver["rules"]}
        assert len(rules) == len(driver["rules"])
        for rule in rules.values():
            for text in (rule["shortDescription"]["text"], rule["fullDescription"]["text"]):
                assert 0 < len(text) <= 1024
            assert rule["help"]["text"]
            assert rule["help"]["markdown"]
            assert re.fullmatch("[A-Z][0-9A-Za-z]*", rule["name"])
            assert "security" in rule["properties"]["tags"]
            assert 0 < float(rule["properties"]["security-severity"]) <= 10
            assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")
            assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
        assert len(run["results"]) <= module.RESULTS_MAX
        for result in run["results"]:
            assert result["ruleId"] in rules
    for result in others(document):
        RESULT.validate(result)
        assert result["message"]["text"].strip()
        assert "](" not in result["message"]["text"]
    for result in in_runs(document):
        RESULT.validate(result)
        assert result["message"]["text"].strip()
        assert re.fullmatch("[0-9a-f]{32}:1", result["partialFingerprints"]["primaryLocationLineHash"])
        assert result["level"] == "none" if result["kind"] != "fail" else result["level"] in ("note", "warning", "error")
        (place,) = result["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert uri
        assert not uri.startswith("/")
        assert not {".", "..", ""} & set(uri.split("/"))
        assert uri.isascii()
        assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)
        assert urlsplit(uri)[:2] == ("", "")
        region = place["physicalLocation"]["region"]
        assert min(region.values()) >= 1
        assert region.keys() == {"startLine", "startColumn", "endLine", "endColumn"}
        for logical in place.get("logicalLocations", []):
            assert logical["fullyQualifiedName"].endswith(logical["name"])
        assert "](" not in result["message"]["text"]
    dismissed = {place_of(result) for result in alerts(document) if result.get("suppressions")}
    shown = {place_of(result) for result in alerts(document) if not result.get("suppressions")}
    assert not dismissed & shown, "advanced-security/dismiss-alerts would dismiss an open alert"
    for word in strings(document):
        word.encode("utf-8")
    return document


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def place_of(result: dict[str, Any]) -> tuple[str, str, int, int]:
    """By what dismiss-alerts tells alerts apart."""
    physical = result["locations"][0]["physicalLocation"]
    return result["ruleId"], physical["artifactLocation"]["uri"], physical["region"]["startLine"], physical["region"]["startColumn"]


def alerts(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What GitHub makes alerts of, but for that of an audit that is not complete."""
    return [result for result in in_runs(document) if result["ruleId"] != COMPLETE]


def in_runs(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [result for run in document["runs"] for result in run["results"]]


def incomplete(made: Report) -> list[dict[str, Any]]:
    return [result for result in in_runs(told(made)) if result["ruleId"] == COMPLETE]


def others(document: dict[str, Any]) -> list[dict[str, Any]]:
    return document["properties"][module.OTHERS]  # type: ignore[no-any-return]


def states(results: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((result["partialFingerprints"]["portAuditorFingerprint/v1"], result["properties"]["outcome"]) for result in results)


def one_of_each() -> list[Finding]:
    return [finding("a-rule", f"s{n}", outcome, waiver=WAIVER if outcome == "waived" else None) for n, outcome in enumerate(OUTCOMES)]


def host(name: str, *findings: Finding, given: str | None = None) -> HostReport:
    origin = Origin(snapshot(host=name))
    origin.given = given or origin.given
    return HostReport(origin, policy(), list(findings))


def physical(made: Report) -> tuple[str, int]:
    (result,) = alerts(told(made))
    place = result["locations"][0]["physicalLocation"]
    return unquote(place["artifactLocation"]["uri"]), place["region"]["startLine"]


def test_every_finding_of_every_outcome_is_there_once_with_its_state() -> None:
    made = report(*one_of_each(), finding("b-rule", severity="info"), finding("b-rule", "z", inventory=True))
    document = told(made)
    assert states(alerts(document) + others(document)) == Counter((f.fingerprint, f.outcome) for f in made.findings)
    assert document["runs"][0]["properties"]["counts"] == made.counts


def test_alerts_are_what_is_open_not_known_or_accepted_and_nothing_else() -> None:
    gap = finding("a-rule", "gap", "unknown", waiver=WAIVER)
    aside = finding("a-rule", "aside", "unknown", inventory=True)
    document = told(report(*one_of_each(), gap, aside, finding("b-rule", severity="info"), finding("b-rule", "z", inventory=True)))
    shown = {
        result["properties"]["subject"]: (result["kind"], result["level"], len(result.get("suppressions", [])))
        for result in alerts(document)
    }
    assert shown == {
        "s0": ("fail", "warning", 0), "s1": ("open", "none", 0), "s2": ("open", "none", 0), "s3": ("fail", "warning", 1),
        "gap": ("open", "none", 1),
    }  # fmt: skip
    assert in_runs(document)[-1]["ruleId"] == COMPLETE
    assert {result["properties"]["subject"]: result["kind"] for result in others(document)} == {
        "s4": "review", "s5": "pass", "s6": "notApplicable", "s7": "notApplicable", "aside": "open", "tcp/0.0.0.0:22": "informational",
        "z": "informational",
    }  # fmt: skip


def test_info_is_an_alert_where_it_is_asked_for() -> None:
    (result,) = alerts(told(report(finding(severity="info"), fail_on="info")))
    assert (result["kind"], result["level"]) == ("fail", "note")


@pytest.mark.parametrize(("severity", "level", "word"), [
    ("critical", "error", "critical"), ("high", "error", "high"), ("medium", "warning", "medium"), ("low", "note", "low"),
])  # fmt: skip
def test_levels_and_scores_are_those_that_github_calls_by_the_severitys_name(severity: str, level: str, word: str) -> None:
    document = told(report(finding(severity=severity)))
    assert alerts(document)[0]["level"] == level
    (rule,) = document["runs"][0]["tool"]["driver"]["rules"]
    score = float(rule["properties"]["security-severity"])
    assert {"critical": score > 9, "high": 7 <= score < 9, "medium": 4 <= score < 7, "low": 0 < score < 4}[word]
    assert rule["defaultConfiguration"]["level"] == level


def test_a_rule_has_the_gravest_severity_that_it_came_to() -> None:
    (rule,) = told(report(*(finding(subject=s, severity=s) for s in ("low", *SEVERITIES, "info"))))["runs"][0]["tool"]["driver"]["rules"]
    assert float(rule["properties"]["security-severity"]) > 9


def test_a_rule_has_its_document_with_the_remedy_for_every_system() -> None:
    (rule,) = told(report(finding("listener-not-approved")))["runs"][0]["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"]) == ("listener-not-approved", "ListenerNotApproved")
    assert rule["shortDescription"]["text"] == "Title of listener-not-approved"
    assert rule["fullDescription"]["text"] == "Why listener-not-approved matters."
    for said in ("Why listener-not-approved matters.", "Stop it, or waive it.", "OpenBSD, NetBSD: `rcctl stop listener-not-approved`."):
        assert said in rule["help"]["text"]
        assert said in rule["help"]["markdown"]


@pytest.mark.parametrize("why", ["", " ", "w" * 5000, "a\nb\n\nc"])
def test_descriptions_are_neither_empty_nor_longer_than_github_takes(why: str) -> None:
    for title in ("", "t" * 5000):
        told(report(finding("a-rule"), documents={"a-rule": RuleDocument(title, why, Remedy(""))}))
    told(report(finding("a-rule"), documents={}))


def test_a_waiver_is_a_suppression_that_says_who_why_and_until_when() -> None:
    (result,) = alerts(told(report(finding(outcome="waived", waiver=WAIVER))))
    (suppression,) = result["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    for said in ("EXC-118", "web-platform", "ciso", "2027-01-31", "71 days left", "socket migration", "web.yaml:12"):
        assert said in suppression["justification"]


@pytest.mark.parametrize("outcome", ["waived", "unknown"])
def test_what_is_accepted_stands_where_it_is_written_and_never_where_an_open_one_can(outcome: str) -> None:
    assert physical(report(finding(outcome=outcome, waiver=WAIVER, source="policy web.yaml:3"))) == ("web.yaml", 12)
    document = told(report(finding(outcome=outcome, waiver={**WAIVER, "origin": "elsewhere.yaml:12"}), finding(subject="open")))
    assert len({place_of(result) for result in alerts(document)}) == 2


@pytest.mark.parametrize(("source", "place"), [
    ("policy web.yaml:41", ("web.yaml", 41)), ("web.yaml:41", ("web.yaml", 41)), ("policy other.yaml:41", ("web1.evidence", 1)),
    ("policy web.yaml", ("web1.evidence", 1)), ("policy web.yaml:0", ("web1.evidence", 1)), ("/etc/sysctl.conf:7", ("web1.evidence", 1)),
    (None, ("web1.evidence", 1)),
])  # fmt: skip
def test_a_finding_stands_in_the_line_of_the_policy_that_it_comes_of_or_in_the_evidence(source: str | None, place: tuple[str, int]) -> None:
    assert physical(report(finding(source=source))) == place


@pytest.mark.parametrize(("given", "place"), [
    ("evidence/web1.evidence", ("evidence/web1.evidence", 1)), ("./e/../e/a b#1?.evidence", ("e/a b#1?.evidence", 1)),
    ("/srv/evidence/x", ("srv/evidence/x", 1)), ("../x", ("x", 1)), ("stdin", ("web1.evidence", 1)), ("/", ("evidence", 1)),
    ("all.jsonl:7", ("all.jsonl:7", 1)),
])  # fmt: skip
def test_evidence_is_named_by_a_relative_path(given: str, place: tuple[str, int]) -> None:
    assert physical(report(hosts=[host("web1", finding(), given=given)])) == place


def test_a_snapshot_of_many_in_one_file_stands_in_its_line_and_this_host_in_the_bundle_that_would_be_its() -> None:
    one = host("web1", finding(), given="all.jsonl:7")
    one.evidence = None
    assert physical(report(hosts=[one])) == ("all.jsonl", 7)
    one = host("a/b", finding(), given="this host")
    one.live = True
    assert physical(report(hosts=[one])) == ("a_b.evidence", 1)


def test_what_differs_from_the_baseline_says_so_and_what_is_gone_is_no_alert() -> None:
    new, old = finding(subject="new"), finding(subject="old")
    new.baseline_state, old.baseline_state = "new", "unchanged"
    one = host("web1", new, old, finding(subject="none"))
    one.gone = [finding(subject="gone", severity="high")]
    document = told(report(hosts=[one]))
    assert {result["properties"]["subject"]: result.get("baselineState") for result in alerts(document)} == {
        "new": "new", "old": "unchanged", "none": None,
    }  # fmt: skip
    (gone,) = others(document)
    assert (gone["properties"]["subject"], gone["baselineState"]) == ("gone", "absent")


def test_a_complete_audit_has_succeeded_whatever_it_found() -> None:
    (invocation,) = told(report(finding()))["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["toolExecutionNotifications"] == []
    assert (invocation["exitCode"], invocation["startTimeUtc"]) == (1, "2026-11-21T10:00:00Z")


@pytest.mark.parametrize(("said", "findings", "more"), [
    ("nothing was audited", [], {"hosts": []}),
    ("it was cut", [finding()], {"bad_sources": [("a.evidence", "it was cut")]}),
    ("db7", [finding()], {"site": SiteCoverage("s", ["s.yaml"], "ab" * 32, hosts=2, audited=1, missing=["db7"])}),
    ("db8", [finding()], {"drift": Drift(["2026-11-01T00:00:00Z"], [], ["db8"])}),
    ("db9", [finding()], {"drift": Drift([], ["db9"], [])}),
    ("1 checks came to no result", [finding(outcome="unknown")], {}),
    ("1 checks broke off by our error", [finding(outcome="error")], {}),
    ("no rule about hosts came to a result", [finding(outcome="notselected")], {}),
])  # fmt: skip
def test_an_incomplete_audit_has_not_succeeded_and_says_why(said: str, findings: list[Finding], more: dict[str, Any]) -> None:
    (run,) = told(report(*findings, **more))["runs"]
    assert run["properties"]["complete"] is False
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notice,) = invocation["toolExecutionNotifications"]
    assert notice["level"] == "error"
    assert said in notice["message"]["text"]
    (result,) = incomplete(report(*findings, **more))
    assert (result["kind"], result["level"]) == ("fail", "warning")
    assert said in result["message"]["text"]
    assert run["results"][-1] == result


def test_an_incomplete_audit_is_a_rule_with_a_document_and_its_result_stands_in_the_policy() -> None:
    made = report(finding(outcome="unknown"))
    (rule,) = [rule for rule in told(made)["runs"][0]["tool"]["driver"]["rules"] if rule["id"] == COMPLETE]
    assert rule["shortDescription"]["text"] == "Everything was seen that the verdict rests on"
    assert "Give the audit the rights" in rule["help"]["text"]
    (result,) = incomplete(made)
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "web.yaml"
    assert incomplete(report(finding(), finding(outcome="unknown", waiver=WAIVER))) == []


@pytest.mark.parametrize(("outcome", "more", "successful"), [
    ("unknown", {}, True), ("error", {}, True), ("pass", {"bad_sources": [("a.evidence", "it was cut")]}, False),
    ("notselected", {}, False), ("pass", {"drift": Drift([], [], ["db8"])}, False),
])  # fmt: skip
def test_what_allow_incomplete_allows_github_takes_and_the_result_stands_for_it(outcome: str, more: Any, successful: bool) -> None:
    made = report(finding(outcome=outcome), allow_incomplete=True, **more)
    (invocation,) = told(made)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is successful
    assert {notice["level"] for notice in invocation["toolExecutionNotifications"]} == {"warning" if successful else "error"}
    assert len(incomplete(made)) == 1


def test_an_accepted_gap_leaves_the_audit_complete_and_what_was_left_out_is_told() -> None:
    (run,) = told(report(finding(outcome="unknown", waiver=WAIVER), finding(outcome="pass"), narrowed=["only 1 rule asked"]))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is True
    assert run["invocations"][0]["toolExecutionNotifications"] == [{"level": "note", "message": {"text": "only 1 rule asked"}}]


def test_each_host_has_a_category_of_its_own_and_several_have_one_that_does_not_change_with_their_number() -> None:
    def category(*hosts: HostReport, **shown: Any) -> str:
        category, _, day = told(report(hosts=hosts, **shown))["runs"][0]["automationDetails"]["id"].rpartition("/")
        assert day == "2026-11-21"
        return str(category)

    db = host("c", finding())
    db.policy.name, db.policy.sha256 = "db", "12" * 32
    assert category(host("web1", finding())) == "port-auditor/web1"
    assert category(host("a/b", finding())) == "port-auditor/a_b"
    assert category(host("a", finding()), host("b", finding())) == "port-auditor/web"
    assert category(host("a", finding()), host("b", finding()), db) == "port-auditor/db,web"
    assert category(db, db) == "port-auditor/db"
    assert category() == "port-auditor/no-host"
    site = SiteCoverage("bank", ["s.yaml"], "ab" * 32, hosts=2, audited=2, missing=[])
    assert category(host("a", finding()), host("b", finding()), db, site=site) == "port-auditor/bank"


@pytest.mark.parametrize(("number", "runs"), [(0, [0]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_more_results_than_github_takes_in_a_run_make_more_runs(monkeypatch: pytest.MonkeyPatch, number: int, runs: list[int]) -> None:
    monkeypatch.setattr(module, "RESULTS_MAX", 3)
    made = report(*(finding(subject=f"s{n}") for n in range(number)), finding(outcome="pass"))
    document = told(made)
    assert [len(run["results"]) for run in document["runs"]] == runs
    assert states(alerts(document) + others(document)) == Counter((f.fingerprint, f.outcome) for f in made.findings)
    assert len({json.dumps(run["tool"]) for run in document["runs"]}) == 1


def test_results_that_wait_in_a_file_are_those_that_wait_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = report(hosts=[host(name, *one_of_each(), finding("b-rule", name)) for name in ("a", "b", "a")])
    in_memory = rendered("sarif", whole)
    monkeypatch.setattr(module, "_SPOOLED_MAX", 100)
    assert rendered("sarif", whole) == in_memory


@pytest.mark.parametrize("word", HOSTILE)
def test_whatever_a_host_calls_itself_every_reader_can_read_it(word: str) -> None:
    waiver = dict.fromkeys(("id", "reason", "owner", "expires", "origin", "approved_by"), word)
    more = {"observed": word, "expected": word, "source": word, "examples": (word, word), "message": word, "host": word, "stack": word}
    findings = [finding("a-rule", word, outcome, waiver=waiver if outcome == "waived" else None, **more) for outcome in OUTCOMES]
    for one in findings:
        one.who = word
    whole = host(word, *findings, given=word)
    whole.policy.name, whole.policy.files = word, [word]
    made = report(hosts=[whole], bad_sources=[(word, word)], narrowed=[word], tables={word: {"source": word}})
    document = told(made)
    assert states(alerts(document) + others(document)) == Counter((f.fingerprint, f.outcome) for f in findings)
    assert not [said for said in strings(document) if re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ufffe]", said)]


def test_the_same_report_is_the_same_bytes() -> None:
    assert rendered("sarif", report(*one_of_each())) == rendered("sarif", report(*one_of_each()))


def test_sarif_tools_reads_it_and_counts_the_alerts_by_severity(tmp_path: Path) -> None:
    loader = pytest.importorskip("sarif.loader", reason="sarif-tools is not installed: pip install '.[formats]'")
    file = tmp_path / "ports.sarif"
    file.write_text(rendered("sarif", report(finding(severity="high"), finding(subject="b", severity="low"), finding(outcome="unknown"))))
    read = loader.load_sarif_file(str(file))
    assert read.get_distinct_tool_names() == ["port-auditor"]
    counts = read.get_report().get_issue_count_for_severity
    assert {level: counts(level) for level in ("error", "warning", "note", "none")} == {"error": 1, "warning": 1, "note": 1, "none": 1}
    (high,) = [record for record in read.get_records() if record["Severity"] == "error"]
    assert (high["Location"], int(high["Line"]), high["Tool"]) == ("web1.evidence", 1, "port-auditor")


def test_sarif_tools_finds_an_incomplete_audit_no_clean_one(tmp_path: Path) -> None:
    pytest.importorskip("sarif.loader", reason="sarif-tools is not installed: pip install '.[formats]'")
    for outcome, code in (("pass", 0), ("unknown", 1)):
        file = tmp_path / f"{outcome}.sarif"
        file.write_text(rendered("sarif", report(finding(outcome=outcome))))
        command = [sys.executable, "-m", "sarif", "--check", "warning", "summary", str(file)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_a_result_that_is_no_alert_is_short() -> None:
    long = finding(outcome="pass", observed="o" * 9999, expected="e" * 9999, source="s" * 9999, examples=("x" * 9999,))
    (result,) = others(told(report(long)))
    assert len(json.dumps(result)) < 500
    assert result["properties"] == {"host": "web1", "stack": "host", "subject": "tcp/0.0.0.0:22", "outcome": "pass", "severity": "medium"}
    assert result["message"]["text"] == long.message


def test_from_a_real_bundle_it_says_what_report_1_says() -> None:
    def audit(form: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "auditor", "audit", "tests/evidence/web1.evidence", "-p", "tests/evidence/web1.yaml", "--today",
             "2026-11-21", "-f", form],
            capture_output=True, check=False, text=True, cwd=ROOT, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        return done.stdout

    plain, document = json.loads(audit("json")), checked(audit("sarif"))
    assert states(alerts(document) + others(document)) == Counter((f["fingerprint"], f["outcome"]) for f in plain["findings"])
    (run,) = document["runs"]
    assert len(run["results"]) == 3
    assert run["properties"]["statement"] == plain["statement"]
    assert run["tool"]["driver"]["semanticVersion"] == __version__
    assert {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]} == {
        "tests/evidence/web1.evidence"
    }
