"""ephemeral-range-differs-from-iana: which ports a range has beyond the Dynamic Ports, and which of them it lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import EPHEMERAL, Host, Net, changed, host, interpreted, judged, outcomes
from tests.saved_hosts import FREEBSD, OPENBSD, VOS

NAME = "ephemeral-range-differs-from-iana"


def range_of(first: int, last: int, role: str = "default") -> Range:
    return Range(first=first, last=last, role=role, protocol="any", family="any")


@pytest.mark.parametrize(
    ("span", "says"),
    [
        ("32768 60999", "hands out 32768-49151 (16384 ports) outside the Dynamic Ports, and leaves out 61000-65535 (4536 ports) of them"),
        ("49151 65535", "hands out 49151 outside the Dynamic Ports"),
        ("49152 65534", "leaves out 65535 of the Dynamic Ports"),
        ("50000 60999", "leaves out 49152-49999, 61000-65535 (5384 ports) of the Dynamic Ports"),
        ("10000 20000", "hands out 10000-20000 (10001 ports) outside the Dynamic Ports, and leaves out 49152-65535 (16384 ports) of them"),
    ],
)
def test_it_says_which_ports_are_too_many_and_which_are_missing(span: str, says: str) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span}), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", EPHEMERAL)
    assert finding.message == f"the kernel {says}"
    assert str(finding.observed).startswith(span.replace(" ", "-"))
    assert finding.expected == "49152-65535 (16384 ports)"


def test_the_dynamic_ports_themselves_pass_on_every_stack() -> None:
    both = Host(Net(settings={EPHEMERAL: "49152 65535"}), others=[Net(mounted="/run/netns/blue", settings={EPHEMERAL: "49152 65535"})])
    assert outcomes(judged(both, "", NAME)) == ["pass blue", "pass host"]


def test_a_range_for_the_privileged_alone_is_not_compared_but_the_others_are() -> None:
    low, high = range_of(600, 1023, "low"), range_of(49152, 65535, "high")
    assert outcomes(judged(changed(host(), ephemeral=Facts([low, high], "portrange")), "", NAME)) == ["pass host"]
    assert outcomes(judged(interpreted(FREEBSD.bundle()), "", NAME)) == ["fail low host net.inet.ip.portrange"]
    assert outcomes(judged(interpreted(replace(FREEBSD, release="8.0").bundle()), "", NAME)) == ["fail low host net.inet.ip.portrange"]
    openbsd = judged(interpreted(OPENBSD.bundle()), "", NAME)
    assert [f.observed for f in openbsd if f.outcome == "fail"] == ["1024-49151 (48128 ports)"]


def test_a_documented_range_is_compared_with_ianas_which_is_another_table() -> None:
    assert "fail" in {f.outcome for f in judged(interpreted(VOS.bundle()), "", NAME)}


def test_a_range_that_was_not_read_is_unknown_and_costs_no_other() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: None}), "", NAME)) == ["unknown host"]
    some = Facts([range_of(1024, 5000)], "t", [Gap("cut")])
    assert outcomes(judged(changed(host(), ephemeral=some), "", NAME)) == ["fail low host t", "unknown host"]


def test_it_is_off_until_a_site_wants_it() -> None:
    assert outcomes(judged(host(), "extends: baseline\n", NAME)) == ["notselected host"]
