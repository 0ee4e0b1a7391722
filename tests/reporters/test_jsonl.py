"""JSON lines: report/1 of each host, and summary/1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.coverage import Drift, SiteCoverage
from auditor.host_report import HostReport
from auditor.model import OUTCOMES
from auditor.report import Report
from tests.reports import Origin, finding, listener, owner, policy, rendered, report, snapshot, stack


def lines(made: Report) -> list[dict[str, Any]]:
    text = rendered("jsonl", made)
    assert text.endswith("}\n")
    assert text.isascii()
    return [json.loads(line, parse_constant=pytest.fail) for line in text[:-1].split("\n")]


def three() -> Report:
    found = {"a1": [finding(host="a1")], "b2": [finding(host="b2", outcome=outcome) for outcome in OUTCOMES], "c3": []}
    return report(hosts=[HostReport(Origin(snapshot(host=name)), policy(), some) for name, some in found.items()])


def test_each_line_is_the_report_of_one_host_as_the_json_report_of_it_alone() -> None:
    made = three()
    *hosts, _ = lines(made)
    assert hosts == [json.loads(rendered("json", made.of_one(host))) for host in made.hosts]
    assert [one["hosts"][0]["host"] for one in hosts] == ["a1", "b2", "c3"]
    assert {one["schema"] for one in hosts} == {"port-auditor/report/1"}
    assert [one["verdict"] for one in hosts] == ["fail", "fail", "pass"]
    assert [one["complete"] for one in hosts] == [True, False, True]


def test_the_last_line_is_the_verdict_of_the_whole() -> None:
    made = three()
    *_, summary = lines(made)
    whole = json.loads(rendered("json", made))
    kept = {key: value for key, value in whole.items() if key not in ("hosts", "findings", "controls")}
    assert summary == {**kept, "schema": "port-auditor/summary/1", "audited": 3}
    assert (summary["verdict"], summary["complete"]) == ("fail", False)


def test_a_file_that_was_cut_short_has_no_summary() -> None:
    *hosts, summary = lines(three())
    assert "summary/1" in summary["schema"]
    assert not any("summary/1" in one["schema"] for one in hosts)


def test_the_lines_hold_the_same_findings_and_counts_as_the_whole() -> None:
    made = three()
    *hosts, summary = lines(made)
    told = {(f["fingerprint"], f["outcome"]) for one in hosts for f in one["findings"]}
    assert told == {(f.fingerprint, f.outcome) for f in made.findings}
    for outcome, count in summary["counts"].items():
        assert count == sum(one["counts"].get(outcome, 0) for one in hosts)


def test_what_was_not_audited_stands_in_the_last_line_which_is_incomplete() -> None:
    site = SiteCoverage("site", ["site.yaml"], "ab" * 32, hosts=2, audited=1, missing=["db7"])
    made = report(bad_sources=[("a.evidence", "it was cut")], site=site, drift=Drift(["2026-11-01T00:00:00Z"], [], ["mx1"]))
    *_, summary = lines(made)
    assert (summary["verdict"], summary["complete"]) == ("incomplete", False)
    assert summary["bad_sources"] == [{"source": "a.evidence", "why": "it was cut"}]
    assert (summary["site"]["missing"], summary["drift"]["missing"]) == (["db7"], ["mx1"])


def test_a_report_without_a_host_is_its_summary() -> None:
    (summary,) = lines(report(hosts=[]))
    assert (summary["schema"], summary["verdict"], summary["audited"]) == ("port-auditor/summary/1", "incomplete", 0)


@pytest.mark.parametrize("word", ["two\nlines", "\r", "\u2028", "\u2029", "\x85", "\x1b[2J", "\x00", "\u202e", "\udcff", '"},{"', "]]>"])
def test_a_name_ends_no_line_and_is_itself_again_when_read(word: str) -> None:
    host = snapshot(stack(listener(22, owner(1, process=word))), host=word)
    one, summary = lines(report(finding(subject=word, host=word), of=host, bad_sources=[(word, word)]))
    assert one["findings"][0]["subject"] == one["hosts"][0]["host"] == summary["bad_sources"][0]["why"] == word
