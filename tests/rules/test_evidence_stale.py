"""evidence-stale: evidence that is older than the policy lets it be."""

from __future__ import annotations

import datetime

import pytest

from auditor.model import Snapshot
from tests.bundles import host, judged, outcomes

NAME = "evidence-stale"
BY = "rules: {evidence-stale: {at_most_days: 30}}\n"
TODAY = datetime.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("taken", "outcome"),
    [
        ("2026-11-21T00:00:00Z", "pass"),
        ("2026-10-22T00:00:00Z", "pass"),
        ("2026-10-21T23:59:59Z", "fail"),
        ("2026-10-21T23:30:00-01:00", "pass"),
        ("2026-10-22T00:30:00+14:00", "fail"),
        ("2026-11-22T23:59:59Z", "pass"),
        ("2026-11-23T00:00:00Z", "fail"),
        ("1970-01-01T00:00:00Z", "fail"),
        ("9999-12-31T23:59:59Z", "fail"),
        ("2026-11-21T00:00:00", "unknown"),
        ("2026-11-21", "unknown"),
        ("yesterday", "unknown"),
        ("9999-12-31T23:59:59-12:00", "unknown"),
        ("0001-01-01T00:00:00+12:00", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_day_more_than_allowed_is_stale_and_more_than_a_day_ahead_is_no_stamp(taken: str, outcome: str) -> None:
    assert [f.outcome for f in judged(host(taken=taken), BY, NAME, today=TODAY)] == [outcome]


def test_the_finding_says_how_old_it_is() -> None:
    (finding,) = judged(host(taken="2026-09-01T12:00:00Z"), BY, NAME, today=TODAY)
    assert (finding.severity, finding.message) == ("low", "taken 81 days ago")
    assert (finding.observed, finding.expected) == ("2026-09-01T12:00:00Z", "at most 30 days ago")
    (ahead,) = judged(host(taken="2027-11-21T12:00:00Z"), BY, NAME, today=TODAY)
    assert (ahead.message, ahead.expected) == ("taken 365 days in the future", "a stamp that is past")


def test_nothing_is_fresh_enough_for_no_day_but_the_day_itself() -> None:
    by = BY.replace("30", "0")
    assert outcomes(judged(host(taken="2026-11-21T00:00:00Z"), by, NAME, today=TODAY)) == ["pass -"]
    assert outcomes(judged(host(taken="2026-11-20T23:59:59Z"), by, NAME, today=TODAY)) == ["fail low - host"]


def test_a_stamp_that_is_not_shown_is_unknown() -> None:
    assert outcomes(judged(Snapshot(system="Linux"), BY, NAME)) == ["unknown -"]


def test_without_a_number_nothing_is_checked_and_the_baseline_leaves_it_off() -> None:
    assert outcomes(judged(host(), "", NAME)) == ["notchecked -"]
    assert outcomes(judged(host(), "extends: baseline\n", NAME)) == ["notselected -"]
    assert outcomes(judged(host(), "extends: baseline\n" + BY, NAME, today=TODAY)) == ["pass -"]
