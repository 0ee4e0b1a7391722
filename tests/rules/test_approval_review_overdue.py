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


def test_one_without_a_review_is_never_overdue() -> None:
    assert on("2099-01-01", BY.replace(", review_by: 2026-11-20", "")) == ["pass host"]


def test_a_policy_that_approves_nothing_is_not_checked() -> None:
    assert on("2026-11-21", "") == ["notchecked host"]


def test_what_a_host_shows_does_not_matter() -> None:
    assert outcomes(judged(host(rights=NO_RIGHTS), BY, NAME)) == ["pass host"]
