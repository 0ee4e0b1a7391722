"""approval-review-overdue: an approval holds through the day of its review."""

from __future__ import annotations

import datetime

import pytest

from tests.bundles import NO_RIGHTS, host, judged, outcomes

NAME = "approval-review-overdue"
BY = "listening: {approved: [{name: ssh, port: 22, owner: sre, approved_by: j.doe, review_by: 2026-11-20}]}\n"


def on(day: str, by: str = BY) -> list[str]:
    return outcomes(judged(host(), by, NAME, today=datetime.date.fromisoformat(day)))


def test_the_day_after_it_is_overdue_and_the_owner_is_named() -> None:
    (finding,) = judged(host(), BY, NAME, today=datetime.date(2026, 11, 21))
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "ssh")
    assert finding.message == "the approval of 'ssh' was to be reviewed by 2026-11-20, 1 day ago"
    assert finding.observed == "today is 2026-11-21; owner sre, approved by j.doe"
    assert str(finding.source).endswith("site.yaml:2")


@pytest.mark.parametrize(("day", "says"), [("2026-11-19", "pass host"), ("2026-11-20", "pass host"), ("2028-02-29", "fail low host ssh")])
def test_it_holds_through_its_day(day: str, says: str) -> None:
    assert on(day) == [says]


def test_one_without_a_day_of_review_is_not_checked_and_is_no_reviewed_approval() -> None:
    (finding,) = judged(host(), BY.replace(", review_by: 2026-11-20", ""), NAME, today=datetime.date(2099, 1, 1))
    assert (finding.outcome, finding.subject) == ("notchecked", "ssh")
    assert finding.message == "1 of 1 entries have no review_by: nothing says when their approval is over"


def test_entries_without_a_day_are_one_answer_beside_those_that_have_one() -> None:
    undated = "{name: web, port: 80}, {name: dns, port: 53}"
    found = judged(host(), BY.replace("]}", f", {undated}]}}"), NAME, today=datetime.date(2026, 11, 21))
    assert [(f.outcome, f.subject, f.count) for f in found] == [("fail", "ssh", 1), ("notchecked", "several approved listeners", 2)]
    assert (found[1].examples, found[1].message[:36]) == (("web", "dns"), "2 of 3 entries have no review_by: no")
    assert on("2026-11-19", BY.replace("]}", f", {undated}]}}")) == ["notchecked host"], "no pass for all"


def test_what_is_required_and_written_out_there_is_an_approval_with_a_review_too() -> None:
    required = "required: [{port: 123, review_by: 2026-11-19}]"
    assert on("2026-11-20", BY.replace("]}", f"], {required}}}")) == ["fail low host port 123"]


def test_a_policy_that_approves_nothing_is_not_checked() -> None:
    assert on("2026-11-21", "") == ["notchecked host"]


def test_what_a_host_shows_does_not_matter() -> None:
    assert outcomes(judged(host(rights=NO_RIGHTS), BY, NAME)) == ["pass host"]
