"""ephemeral-range-differs-from-vendor: inventory of what somebody changed, against the row of that very release."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from auditor.model import Range
from tests.bundles import EPHEMERAL, changed, host, judged, outcomes

NAME = "ephemeral-range-differs-from-vendor"


@pytest.mark.parametrize(
    ("release", "span"), [("6.12.1", "32768 60999"), ("4.2.0", "32768 60999"), ("3.10.0-1160.el7.x86_64", "32768 61000")]
)
def test_the_shipped_range_passes(release: str, span: str) -> None:
    assert outcomes(judged(host(release=release, settings={EPHEMERAL: span}), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("span", ["32768 61000", "1024 65535", "49152 65535"])
def test_any_other_is_told_with_both_and_how_many_ports(span: str) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span}), "", NAME)
    first, last = map(int, span.split())
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "info", EPHEMERAL)
    assert finding.observed == f"{first}-{last} ({last - first + 1} ports)"
    assert finding.expected == "32768-60999 (28232 ports)"
    assert finding.source == "vendor table, linux-4.2-plus"


def test_a_release_of_no_row_is_not_checked_and_an_unknown_one_unknown() -> None:
    assert outcomes(judged(host(release="1.0"), "", NAME)) == ["notchecked host"]
    assert outcomes(judged(host(release=None), "", NAME)) == ["unknown host"]


def test_a_range_that_was_not_read_is_unknown() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: "32768"}), "", NAME)) == ["unknown host"]


def one(basis: str = "read", **more: object) -> Facts[Range]:
    return Facts(
        [Range(**{"first": 32768, "last": 60999, "protocol": "any", "family": "any", "role": "default", **more})], "t", basis=basis
    )


def test_a_range_of_a_kind_that_the_vendor_does_not_have_is_not_checked() -> None:
    assert outcomes(judged(changed(host(), ephemeral=one(role="high")), "", NAME)) == ["notchecked host"]


def test_a_tables_word_is_not_compared_with_itself() -> None:
    assert outcomes(judged(changed(host(), ephemeral=one("documented")), "", NAME)) == ["notchecked host"]


def test_a_range_of_one_protocol_is_compared_with_that_of_all() -> None:
    for last, outcome in ((60999, "pass"), (61000, "fail")):
        found = Facts([Range(first=32768, last=last, protocol="udp", family="any", role="default")], "a test")
        assert [f.outcome for f in judged(changed(host(), ephemeral=found), "", NAME)] == [outcome]
