"""reserved-port-outside-ephemeral-range: reservations that do nothing, once all ranges that are handed out were seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import EPHEMERAL, RESERVED, changed, host, interpreted, judged, outcomes
from tests.saved_hosts import FREEBSD, NETBSD, OPENBSD, SUNOS

NAME = "reserved-port-outside-ephemeral-range"


@pytest.mark.parametrize(
    ("reserved", "idle"),
    [
        ("", None),
        ("32768,40000-40010,60999", None),
        ("8080", "8080"),
        ("8080,40000,61000-61009", "8080, 61000-61009 (11 ports)"),
        ("32000-33000", "32000-32767 (768 ports)"),
        ("1,2,3,5", "1-3, 5 (4 ports)"),
    ],
)
def test_the_ports_in_no_range_are_named_in_one_finding(reserved: str, idle: str | None) -> None:
    (finding,) = judged(host(settings={RESERVED: reserved}), "", NAME)
    assert (finding.outcome, finding.severity) == ("pass" if idle is None else "fail", "low")
    if idle is not None:
        assert finding.message == f"reserved, and in no range that is handed out: {idle}"
        assert (finding.subject, finding.observed, finding.source) == ("stack", idle, f"{RESERVED}; {EPHEMERAL}")


def test_thousands_of_single_ports_are_one_short_finding() -> None:
    (finding,) = judged(host(settings={RESERVED: ",".join(map(str, range(1025, 9025, 2)))}), "", NAME)
    assert finding.message.endswith("1043 and 3990 more (4000 ports)")


def test_netbsds_families_are_compared_each_with_its_own_range() -> None:
    texts = {**NETBSD.texts, "sysctl net.inet6.ip6.anonportalgo.reserve": "net.inet6.ip6.anonportalgo.reserve = 2222,50000\n"}
    (finding,) = judged(interpreted(replace(NETBSD, texts=texts).bundle()), "", NAME)
    assert finding.message == "reserved for ipv6, and in no range that is handed out: 2222"


def test_openbsds_own_list_has_such_ports_and_each_protocol_its_own() -> None:
    (finding,) = judged(interpreted(OPENBSD.bundle()), "", NAME)
    assert finding.message == "reserved for tcp, and in no range that is handed out: 587"


def test_where_a_list_does_more_than_reserve_nothing_is_said_of_it() -> None:
    assert outcomes(judged(interpreted(SUNOS.bundle()), "", NAME)) == ["notapplicable host"]
    assert {f.outcome for f in judged(interpreted(FREEBSD.bundle()), "", NAME)} == {"notapplicable"}


@pytest.mark.parametrize("name", [EPHEMERAL, RESERVED])
def test_what_was_not_read_is_unknown(name: str) -> None:
    assert outcomes(judged(host(settings={RESERVED: "8080", name: None}), "", NAME)) == ["unknown host"]


def test_what_is_certain_of_one_protocol_is_told_although_another_range_is_not_known() -> None:
    some = Facts([Range(first=1024, last=5000, protocol="any", family="any", role="default")], "t", [Gap("cut", protocol="udp")])
    found = judged(changed(host(settings={RESERVED: "8080"}), ephemeral=some), "", NAME)
    assert outcomes(found) == ["fail low host stack", "unknown host"]
    assert found[0].message == "reserved for tcp, and in no range that is handed out: 8080"


def test_it_is_off_until_a_site_wants_it() -> None:
    assert outcomes(judged(host(), "extends: baseline\n", NAME)) == ["notselected host"]
