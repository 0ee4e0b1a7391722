"""release-without-vendor-row: nothing to compare a host's ranges with."""

from __future__ import annotations

import pytest

from auditor.model import Snapshot
from tests.bundles import host, interpreted, judged, outcomes
from tests.saved_hosts import SAVED_HOSTS

NAME = "release-without-vendor-row"


@pytest.mark.parametrize("release", ["6.12.1", "2.6.32-754.el6.x86_64", "99.0"])
def test_a_release_that_has_a_row_passes(release: str) -> None:
    assert outcomes(judged(host(release=release), "", NAME)) == ["pass -"]


def test_a_release_without_a_row_is_named_with_the_rows_that_are_near() -> None:
    (finding,) = judged(host(release="1.0.9"), "", NAME)
    assert (finding.outcome, finding.severity, finding.observed) == ("fail", "info", "Linux 1.0.9")
    assert finding.message == "no row of the vendor table is for Linux 1.0.9: nothing was compared with vendor defaults"
    assert finding.expected is not None
    assert "Linux from 4.2 (linux-4.2-plus)" in finding.expected
    assert "android" not in finding.expected


def test_a_system_without_a_row_is_named_whether_its_release_is_shown_or_not() -> None:
    (finding,) = judged(Snapshot(system="OpenSBD", release="7.5"), "", NAME)
    assert (finding.outcome, finding.observed) == ("fail", "OpenSBD 7.5")
    assert finding.expected is not None
    assert "OpenBSD" in finding.expected
    (other,) = judged(Snapshot(system="zzz"), "", NAME)
    assert (other.outcome, other.expected) == ("fail", "a system of the table")


@pytest.mark.parametrize("snapshot", [Snapshot(), Snapshot(release="6.12.1"), Snapshot(system="Linux"), Snapshot(system="Windows")])
def test_a_system_or_a_release_that_is_not_shown_is_unknown(snapshot: Snapshot) -> None:
    assert outcomes(judged(snapshot, "", NAME)) == ["unknown -"]


def test_where_the_rows_go_by_more_than_the_release_nothing_is_checked() -> None:
    (finding,) = judged(interpreted(SAVED_HOSTS["vos"].bundle()), "", NAME)
    assert (finding.outcome, finding.message) == ("notchecked", "the vendor table goes by more than the release of VOS")


@pytest.mark.parametrize("name", sorted(set(SAVED_HOSTS) - {"vos"}))
def test_every_system_that_can_be_judged_has_a_row(name: str) -> None:
    assert outcomes(judged(interpreted(SAVED_HOSTS[name].bundle()), "", NAME)) == ["pass -"]
