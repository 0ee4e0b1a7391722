"""ephemeral-range-of-equal-parity: both ends even or both odd, on kernels that mind."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from auditor.model import Range
from auditor.port_range import PortRange
from tests.bundles import EPHEMERAL, changed, host, interpreted, judged, outcomes
from tests.saved_hosts import OPENBSD

NAME = "ephemeral-range-of-equal-parity"


@pytest.mark.parametrize(
    ("span", "parity"),
    [
        ("32768 61000", "even"),
        ("32769 60999", "odd"),
        ("40000 40000", "even"),
        ("32768 60999", None),
        ("32769 61000", None),
        ("1024 65535", None),
    ],
)
def test_both_ends_even_or_both_odd_are_told(span: str, parity: str | None) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span}), "", NAME)
    assert (finding.outcome, finding.severity) == ("pass" if parity is None else "fail", "info")
    if parity is not None:
        assert finding.message == f"the first and the last port are both {parity}"
        assert str(finding.observed).split()[0] == str(PortRange.parse(span.replace(" ", "-")))


def test_a_kernel_that_ships_such_a_range_makes_nothing_of_it() -> None:
    (old,) = judged(host(release="3.10.0-1160.el7", settings={EPHEMERAL: "32768 61000"}), "", NAME)
    assert (old.outcome, "this release ships ends of equal parity itself" in old.message) == ("notchecked", True)
    assert outcomes(judged(host(release="3.10.0", settings={EPHEMERAL: "32768 60999"}), "", NAME)) == ["pass host"]


def test_where_the_release_is_not_known_only_ends_of_equal_parity_are_in_doubt() -> None:
    assert outcomes(judged(host(release=None, settings={EPHEMERAL: "32768 61000"}), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(release=None), "", NAME)) == ["pass host"]
    assert outcomes(judged(host(release="0.9", settings={EPHEMERAL: "32768 61000"}), "", NAME)) == ["notchecked host"]


def test_a_range_that_was_not_read_is_unknown() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: None}), "", NAME)) == ["unknown host"]
    nothing = Facts([Range(last=5, role="default", protocol="any", family="any")], "t")
    assert outcomes(judged(changed(host(), ephemeral=nothing), "", NAME)) == ["unknown host"]


def test_it_is_for_linux_and_off_until_a_site_wants_it() -> None:
    assert {f.outcome for f in judged(interpreted(OPENBSD.bundle()), "", NAME)} == {"notapplicable"}
    assert outcomes(judged(host(), "extends: baseline\n", NAME)) == ["notselected host"]
