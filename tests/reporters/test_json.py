"""report/1, as other programs read it."""

from __future__ import annotations

import json

import pytest

from auditor.host_report import HostReport
from auditor.model import OUTCOMES, Snapshot
from tests.reports import Origin, finding, listener, owner, policy, rendered, report, snapshot, stack

KEYS = {"schema", "tool", "tables", "started", "finished", "evaluated_on", "verdict", "complete", "counts", "hosts", "findings"}
HOST_KEYS = {"host", "system", "release", "taken", "policy", "evidence_sha256", "visibility", "limits", "stacks"}
FINDING_KEYS = {
    "rule", "host", "stack", "subject", "outcome", "severity", "message", "observed", "expected", "source", "count", "waiver",
    "fingerprint", "controls",
}  # fmt: skip


def test_every_key_of_the_contract_is_there() -> None:
    told = json.loads(rendered("json", report(finding())))
    assert told["schema"] == "port-auditor/report/1"
    assert told.keys() >= KEYS
    assert told["tool"].keys() == {"name", "version"}
    assert told["hosts"][0].keys() >= HOST_KEYS
    assert told["hosts"][0]["policy"] == {"name": "web", "sha256": "ef" * 32, "files": ["web.yaml"]}
    assert told["findings"][0].keys() >= FINDING_KEYS


def test_every_finding_of_every_outcome_is_there_and_counted() -> None:
    told = json.loads(rendered("json", report(*(finding("a-rule", f"s{n}", outcome) for n, outcome in enumerate(OUTCOMES * 2)))))
    assert len(told["findings"]) == 2 * len(OUTCOMES)
    assert told["counts"] == dict.fromkeys(OUTCOMES, 2)


@pytest.mark.parametrize(
    ("outcome", "severity", "verdict", "complete"),
    [
        ("fail", "high", "fail", True),
        ("fail", "low", "pass", True),
        ("unknown", "high", "incomplete", False),
        ("pass", "high", "pass", True),
    ],
)
def test_the_verdict_and_whether_it_is_complete_stand_beside_each_other(outcome: str, severity: str, verdict: str, complete: bool) -> None:
    told = json.loads(rendered("json", report(finding(outcome=outcome, severity=severity))))
    assert (told["verdict"], told["complete"]) == (verdict, complete)


def test_an_open_finding_and_an_unknown_are_a_fail_that_is_not_complete() -> None:
    told = json.loads(rendered("json", report(finding(), finding(outcome="unknown"))))
    assert (told["verdict"], told["complete"]) == ("fail", False)


@pytest.mark.parametrize("word", ["\x1b[2J", "a\nb", "\u202egnp.exe", "\u2028", "\udcff", "é", '"},{"', "</script>"])
def test_a_name_is_escaped_and_is_itself_again_when_read(word: str) -> None:
    text = rendered("json", report(finding(subject=word), of=snapshot(stack(listener(22, owner(1, process=word))), host=word)))
    assert text.isascii()
    assert not [c for c in text if ord(c) < 0x20 and c != "\n"]
    told = json.loads(text)
    assert told["findings"][0]["subject"] == told["hosts"][0]["host"] == word
    assert told["hosts"][0]["stacks"]["seen"][0]["listening"]["seen"][0]["owners"][0]["process"] == word


def test_a_hosts_stacks_are_those_of_its_snapshot() -> None:
    host = snapshot(stack(listener(22, owner(812)), listener(80, state="bound")))
    told = json.loads(rendered("json", report(of=host)))["hosts"][0]
    again = Snapshot.from_json({"stacks": told["stacks"]}, "snapshot")
    assert again.stacks.to_json() == host.stacks.to_json()


def test_a_snapshot_that_came_without_evidence_has_no_digest() -> None:
    origin = Origin(snapshot())
    origin.evidence = origin.sha256 = None
    told = json.loads(rendered("json", report(hosts=[HostReport(origin, policy(), [])])))
    assert told["hosts"][0]["evidence_sha256"] is None


def test_a_report_without_a_host_is_one_object_that_says_so() -> None:
    told = json.loads(rendered("json", report(hosts=[], bad_sources=[("a.evidence", "it was cut")])))
    assert (told["verdict"], told["complete"], told["hosts"]) == ("incomplete", False, [])
    assert told["bad_sources"] == [{"source": "a.evidence", "why": "it was cut"}]


def test_it_is_one_object_that_ends_with_a_line() -> None:
    text = rendered("json", report(finding()))
    assert text.endswith("}\n")
    assert json.JSONDecoder().raw_decode(text)[1] == len(text) - 1
