"""ephemeral-range-reaches-privileged-ports: what the kernel hands out is neither privileged nor a System Port, but where reserved."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import EPHEMERAL, RESERVED, THRESHOLD, changed, host, judged, outcomes

NAME = "ephemeral-range-reaches-privileged-ports"


@pytest.mark.parametrize(
    ("span", "threshold", "reserved", "says"),
    [
        ("1024 65535", "1024", "", None),
        ("32768 60999", "0", "", None),
        ("1023 65535", "1023", "", "1023, which are System Ports"),
        ("500 65535", "0", "", "500-1023, which are System Ports"),
        ("500 65535", "0", "1-1023", None),
        ("500 65535", "0", "600-700,22", "500-599, 701-1023, which are System Ports"),
        ("1500 65535", "2000", "", "1500-1999, which are privileged here"),
        ("1500 65535", "2000", "1500-1998", "1999, which are privileged here"),
        ("1500 65535", "2000", "1500-1999", None),
        ("1000 65535", "2000", "", "1000-1023, which are System Ports"),
    ],
)
def test_what_may_be_handed_out_is_named(span: str, threshold: str, reserved: str, says: str | None) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span, THRESHOLD: threshold, RESERVED: reserved}), "", NAME)
    assert (finding.outcome, finding.message) == (
        ("pass", finding.message) if says is None else ("fail", f"the kernel may hand out {says}")
    )
    assert finding.severity == "high"


def test_the_finding_shows_both_ranges() -> None:
    (finding,) = judged(host(settings={EPHEMERAL: "1500 65535", THRESHOLD: "2000"}), "", NAME)
    assert finding.observed == "ephemeral: 1500-65535; privileged: 1-1999"
    assert finding.source == f"{EPHEMERAL}; {THRESHOLD}"


def facts(first: int = 0, last: int = 0, gaps: tuple[Gap, ...] = (), **more: Any) -> Facts[Range]:
    """One range, or none."""
    one = Range(**{"first": first, "last": last, "protocol": "any", "family": "any", "role": "default", **more})
    return Facts([one] if last else [], "a test", gaps)


@pytest.mark.parametrize(
    ("ephemeral", "privileged", "reserved", "outcome"),
    [
        (facts(600, 1023, role="low"), facts(1, 1023), facts(), "pass"),
        (facts(1500, 3000, protocol="udp"), facts(1, 2000, protocol="tcp"), facts(), "pass"),
        (facts(1500, 3000, protocol="tcp"), facts(1, 2000, protocol="tcp"), facts(), "fail"),
        (facts(1500, 3000, family="ipv6"), facts(1, 2000, family="ipv4"), facts(), "pass"),
        (facts(500, 3000), facts(1, 1023), facts(500, 1023, protocol="udp", family="ipv6"), "fail"),
        (facts(500, 3000), facts(1, 1023), facts(500, 1023, protocol="udp"), "fail"),
        (facts(500, 3000), facts(1, 1023), facts(500, 1023, family="ipv6"), "fail"),
        (facts(500, 3000, protocol="udp"), facts(1, 1023), facts(500, 1023, protocol="udp"), "pass"),
        (facts(500, 3000, family="ipv6"), facts(1, 1023), facts(500, 1023, family="ipv6"), "pass"),
        (facts(500, 3000, protocol="udp"), facts(1, 1023), facts(500, 1023), "pass"),
        (facts(1500, 3000, protocol="udp"), facts(1, 2000), facts(), "fail"),
        (facts(1500, 3000), facts(1, 2000, family="ipv4"), facts(), "fail"),
        (facts(1500, 3000), facts(2049, 2049, protocol="tcp"), facts(2049, 2049, protocol="tcp"), "pass"),
        (facts(1500, 3000), facts(2049, 2049, protocol="tcp"), facts(2049, 2049, protocol="udp"), "fail"),
        (facts(500, 3000, (Gap("cut"),)), facts(1, 1023), facts(), "fail"),
        (facts(2000, 3000), facts(1, 1023, (Gap("cut"),)), facts(), "unknown"),
        (facts(500, 3000), facts(1, 1023), Facts[Range]([], "t", [Gap("cut")]), "unknown"),
        (facts(2000, 3000), facts(1, 1023), Facts[Range]([], "t", [Gap("cut")]), "pass"),
    ],
)
def test_ranges_of_one_protocol_family_or_role_speak_of_that_alone(
    ephemeral: Facts[Range], privileged: Facts[Range], reserved: Facts[Range], outcome: str
) -> None:
    snapshot = changed(host(), ephemeral=ephemeral, privileged=privileged, reserved=reserved)
    assert judged(snapshot, "", NAME)[0].outcome == outcome


def test_a_range_that_was_not_read_is_unknown() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: None}), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(settings={THRESHOLD: None}), "", NAME)) == ["unknown host"]


def test_ports_reserved_of_each_protocol_and_family_are_reserved_of_all() -> None:
    parts = [Range(first=500, last=1023, protocol=p, family=f) for p, f in (("tcp", "any"), ("udp", "ipv4"), ("udp", "ipv6"))]
    for reserved, outcome in ((parts, "pass"), (parts[:2], "fail"), (parts[1:], "fail")):
        snapshot = changed(host(), ephemeral=facts(500, 3000), privileged=facts(1, 1023), reserved=Facts(reserved, "a test"))
        assert [f.outcome for f in judged(snapshot, "", NAME)] == [outcome]


def test_ports_reserved_in_pieces_are_told_as_those_that_are_left() -> None:
    reserved = Facts(
        [Range(first=500, last=899, protocol="tcp", family="any"), Range(first=600, last=999, protocol="udp", family="any")], "t"
    )
    (finding,) = judged(changed(host(), ephemeral=facts(500, 3000), privileged=facts(1, 1023), reserved=reserved), "", NAME)
    assert finding.message == "the kernel may hand out 500-599, 900-1023, which are System Ports"
