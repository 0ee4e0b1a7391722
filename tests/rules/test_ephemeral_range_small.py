"""ephemeral-range-small: fewer ports to hand out, without the reserved ones, than the policy calls enough."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.port_range import PortRange
from tests.bundles import EPHEMERAL, RESERVED, changed, host, judged, outcomes

NAME = "ephemeral-range-small"
ENOUGH = "rules: {ephemeral-range-small: {at_least: 100}}\n"


@pytest.mark.parametrize(
    ("span", "reserved", "outcome"),
    [
        ("40000 40099", "", "pass"),
        ("40000 40098", "", "fail"),
        ("40000 40099", "40050", "fail"),
        ("40000 40109", "40000-40009", "pass"),
        ("40000 40109", "40000-40009,40009-40010", "fail"),
        ("40000 40099", "39999,40100", "pass"),
    ],
)
def test_ports_that_are_reserved_do_not_count(span: str, reserved: str, outcome: str) -> None:
    assert [f.outcome for f in judged(host(settings={EPHEMERAL: span, RESERVED: reserved}), ENOUGH, NAME)] == [outcome]


def test_the_finding_shows_the_sum() -> None:
    (finding,) = judged(host(settings={EPHEMERAL: "40000 40049", RESERVED: "40000-40009,50000"}), ENOUGH, NAME)
    assert (finding.outcome, finding.severity) == ("fail", "low")
    assert finding.message == "only 40 ports can be handed out"
    assert finding.observed == "40000-40049 (50 ports) minus 10 reserved = 40"
    assert finding.expected == "at least 100"


def test_reserved_ports_that_were_not_read_make_it_unknown() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: "40000 40200", RESERVED: None}), ENOUGH, NAME)) == ["unknown host"]
    assert outcomes(judged(host(settings={EPHEMERAL: None}), ENOUGH, NAME)) == ["unknown host"]


def test_a_range_for_the_privileged_alone_is_small_everywhere() -> None:
    low = Facts([Range(first=600, last=1023, protocol="any", family="any", role="low")], "portrange.lowfirst")
    assert outcomes(judged(changed(host(), ephemeral=low), ENOUGH.replace("100", "1000"), NAME)) == ["pass host"]


def test_each_range_is_judged_and_a_gap_beside_them_is_told() -> None:
    two = [Range(first=40000, last=last, protocol=p, family="any", role="default") for p, last in (("tcp", 40010), ("udp", 45000))]
    found = judged(changed(host(), ephemeral=Facts(two, "t", [Gap("cut")])), ENOUGH, NAME)
    assert sorted(f.outcome for f in found) == ["fail", "unknown"]


@pytest.mark.parametrize(
    ("more", "outcomes_seen"), [(PortRange(30000, 39999), {"unknown"}), (PortRange(39999, 39999), {"fail", "unknown"})]
)
def test_a_range_that_may_be_larger_than_was_seen_is_not_called_small(more: PortRange, outcomes_seen: set[str]) -> None:
    seen = [Range(first=40000, last=40010, protocol="any", family="any", role="default")]
    found = judged(changed(host(), ephemeral=Facts(seen, "t", [Gap("it depends on the patch level", ports=more)])), ENOUGH, NAME)
    assert {f.outcome for f in found} == outcomes_seen


def test_without_a_number_nothing_is_checked_and_the_baseline_has_one() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: "40000 40001"}), "", NAME)) == ["notchecked host"]
    (finding,) = judged(host(settings={EPHEMERAL: "40000 40001"}), "extends: baseline\n", NAME)
    assert (finding.outcome, finding.expected) == ("fail", "at least 8192")


def ranges(*parts: tuple[int, int, str, str]) -> Facts[Range]:
    return Facts([Range(first=first, last=last, protocol=p, family=f, role="default") for first, last, p, f in parts], "a test")


@pytest.mark.parametrize(
    ("ephemeral", "reserved", "left"),
    [
        ((40000, 40149, "tcp", "any"), [(40000, 40099, "udp", "any")], None),
        ((40000, 40149, "udp", "any"), [(40000, 40099, "udp", "any")], 50),
        ((40000, 40149, "any", "any"), [(40000, 40099, "udp", "any")], 50),
        ((40000, 40149, "any", "any"), [(40000, 40049, "udp", "any"), (40050, 40099, "tcp", "any")], None),
        ((40000, 40149, "tcp", "any"), [(40000, 40099, "tcp", "ipv6")], 50),
        ((40000, 40149, "tcp", "ipv4"), [(40000, 40099, "tcp", "ipv6")], None),
        ((40000, 40149, "sctp", "any"), [(40000, 40099, "tcp", "any")], None),
    ],
)
def test_ports_reserved_of_one_protocol_or_family_are_missing_there_alone(
    ephemeral: tuple[int, int, str, str], reserved: list[tuple[int, int, str, str]], left: int | None
) -> None:
    (finding,) = judged(changed(host(), ephemeral=ranges(ephemeral), reserved=ranges(*reserved)), ENOUGH, NAME)
    assert finding.outcome == ("pass" if left is None else "fail")
    assert left is None or finding.message == f"only {left} ports can be handed out"
