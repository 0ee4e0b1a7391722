"""waiver-too-long: a bound for how long an exception may hold from today."""

from __future__ import annotations

import datetime

import pytest

from tests.bundles import host, judged, outcomes

NAME = "waiver-too-long"
WAIVER = "waivers: [{id: EXC-1, rule: cleartext-listener, reason: old, owner: ops, expires: 2027-01-31}]\n"
GAP = "gaps: [{id: GAP-1, fact: owners, reason: no rights, owner: ops, expires: 2027-01-31}]\n"


def by(days: int, accepted: str = WAIVER) -> str:
    return f"rules: {{{NAME}: {{at_most_days: {days}}}}}\n{accepted}"


def test_a_waiver_that_holds_for_longer_is_named_with_its_days() -> None:
    (finding,) = judged(host(), by(71), NAME, today=datetime.date(2026, 11, 20))
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "EXC-1")
    assert finding.message == "the waiver EXC-1 for cleartext-listener holds for 72 more days, through 2027-01-31"
    assert (finding.observed, finding.expected) == ("72 days from 2026-11-20", "at most 71 days")


@pytest.mark.parametrize("days", [72, 365])
def test_one_within_the_bound_passes(days: int) -> None:
    assert outcomes(judged(host(), by(days), NAME)) == ["pass -"]


def test_an_accepted_gap_is_bounded_too() -> None:
    (finding,) = judged(host(), by(10, GAP), NAME)
    assert finding.message == "the accepted gap GAP-1 for owners holds for 72 more days, through 2027-01-31"


def test_an_expired_one_is_not_too_long() -> None:
    assert outcomes(judged(host(), by(0, WAIVER.replace("2027", "2025")), NAME)) == ["pass -"]


def test_without_a_bound_it_is_not_checked() -> None:
    assert outcomes(judged(host(), WAIVER, NAME)) == ["notchecked -"]
