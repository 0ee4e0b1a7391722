"""waiver-expired: through its last day a waiver holds; after it, what it covered counts again and it is named."""

from __future__ import annotations

import datetime

import pytest

from tests.bundles import SSHD, host, judged, outcomes, port

NAME = "waiver-expired"
TELNET = host(port("tcp/0.0.0.0:23", SSHD))
WAIVER = """\
waivers:
  - {id: EXC-1, rule: cleartext-listener, subject: "tcp/0.0.0.0:23", reason: old, owner: ops, expires: 2028-02-29}
"""


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (datetime.date(2028, 2, 29), ["pass -", "waived host"]),
        (datetime.date(2028, 3, 1), ["fail medium - EXC-1", "fail medium host tcp/0.0.0.0:23"]),
    ],
)
def test_a_waiver_holds_through_its_last_day(day: datetime.date, found: list[str]) -> None:
    assert outcomes(judged(TELNET, WAIVER, NAME, "cleartext-listener", today=day)) == found


@pytest.mark.parametrize(("day", "says"), [(datetime.date(2028, 3, 1), "1 day ago"), (datetime.date(2028, 3, 11), "11 days ago")])
def test_the_message_says_which_since_when_and_for_how_long(day: datetime.date, says: str) -> None:
    (finding,) = judged(host(), WAIVER, NAME, today=day)
    assert finding.message == f"the waiver EXC-1 for cleartext-listener held through 2028-02-29 and ended {says}"
    assert (finding.observed, finding.expected) == (f"today is {day}", "not after 2028-02-29")


def test_without_waivers_none_has_expired() -> None:
    assert outcomes(judged(host(), "", NAME)) == ["pass -"]


def test_one_for_another_host_does_not_expire_here() -> None:
    elsewhere = WAIVER.replace("reason: old", "reason: old, hosts: db*")
    assert outcomes(judged(host(), elsewhere, NAME, today=datetime.date(2030, 1, 1))) == ["pass -"]
