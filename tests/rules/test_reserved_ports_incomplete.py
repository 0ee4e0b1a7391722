"""reserved-ports-incomplete: what the policy wants kept and the kernel may hand out all the same."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import EPHEMERAL, RESERVED, Host, Net, changed, host, interpreted, judged, outcomes
from tests.saved_hosts import FREEBSD, OPENBSD, WINDOWS

NAME = "reserved-ports-incomplete"
WANTED = "ephemeral: {reserved_must_include: [40000-40009, 50000]}\n"


@pytest.mark.parametrize(
    ("span", "reserved", "missing"),
    [
        ("32768 60999", "40000-40009,50000", None),
        ("32768 60999", "39000-51000", None),
        ("32768 60999", "", "40000-40009, 50000 (11 ports)"),
        ("32768 60999", "40000-40008,50000", "40009"),
        ("32768 60999", "40000,40002-40009", "40001, 50000 (2 ports)"),
        ("32768 39999", "", None),
        ("32768 40004", "", "40000-40004 (5 ports)"),
        ("40009 49999", "8080", "40009"),
    ],
)
def test_the_ports_that_are_handed_out_and_not_reserved_are_named(span: str, reserved: str, missing: str | None) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span, RESERVED: reserved}), WANTED, NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("pass" if missing is None else "fail", "medium", "stack")
    if missing is not None:
        assert finding.message == f"the kernel may hand out ports that are to be reserved: {missing}"
        assert (finding.observed, finding.expected) == (missing, "reserved: 40000-40009, 50000 (11 ports)")
        assert str(finding.source).endswith("site.yaml:2")


def test_it_is_asked_of_every_stack() -> None:
    two = Host(Net(settings={RESERVED: "40000-50000"}), others=[Net(mounted="/run/netns/blue")])
    assert outcomes(judged(two, WANTED, NAME)) == ["fail medium blue stack", "pass host"]


def test_each_protocol_has_its_own_list_where_the_system_has() -> None:
    (finding,) = judged(interpreted(OPENBSD.bundle()), "ephemeral: {reserved_must_include: [2049, 3784, 5999-6000]}\n", NAME)
    assert finding.message == (
        "the kernel may hand out ports that are to be reserved, for tcp: 3784, 5999 (2 ports); "
        "the kernel may hand out ports that are to be reserved, for udp: 5999-6000 (2 ports)"
    )
    assert {f.outcome for f in judged(interpreted(WINDOWS.bundle()), "ephemeral: {reserved_must_include: [50000-50059]}\n", NAME)} == {
        "pass"
    }


def test_a_system_without_such_a_list_must_not_have_them_in_its_range() -> None:
    found = judged(interpreted(FREEBSD.bundle()), WANTED, NAME)
    assert [f.observed for f in found if f.outcome == "fail"] == ["40000-40009, 50000 (11 ports)"]
    assert "fail" not in {
        f.outcome for f in judged(interpreted(FREEBSD.bundle()), "ephemeral: {reserved_must_include: [700, 9999]}\n", NAME)
    }


def test_what_only_the_privileged_ask_for_needs_no_reservation() -> None:
    low = Facts([Range(first=600, last=1023, protocol="any", family="any", role="low")], "t")
    assert outcomes(judged(changed(host(), ephemeral=low), "ephemeral: {reserved_must_include: 631}\n", NAME)) == ["pass host"]


def test_ports_outside_the_range_need_no_list_to_be_known() -> None:
    assert outcomes(judged(host(settings={RESERVED: None, EPHEMERAL: "32768 39999"}), WANTED, NAME)) == ["pass host"]
    assert outcomes(judged(host(settings={RESERVED: None}), WANTED, NAME)) == ["unknown host"]
    assert outcomes(judged(host(settings={EPHEMERAL: None}), WANTED, NAME)) == ["unknown host"]


def test_what_is_certain_of_one_protocol_is_told_although_another_is_not_known() -> None:
    reserved = Facts[Range]([], "t", [Gap("refused", protocol="tcp")])
    found = judged(changed(host(), reserved=reserved), WANTED, NAME)
    assert outcomes(found) == ["fail medium host stack", "unknown host"]
    assert ", for udp: " in found[0].message


def test_a_policy_that_wants_nothing_reserved_checks_nothing() -> None:
    assert outcomes(judged(host(), "", NAME)) == ["notchecked host"]
    assert outcomes(judged(host(), "ephemeral: {expect: iana-dynamic}\n", NAME)) == ["notchecked host"]
