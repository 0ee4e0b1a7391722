"""reserved-port-without-listener: ports kept for nobody, once all listeners were seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import AGENT, EPHEMERAL, NGINX, RESERVED, changed, host, interpreted, judged, outcomes, port, stack_of
from tests.saved_hosts import DARWIN, NETBSD, WINDOWS

NAME = "reserved-port-without-listener"


@pytest.mark.parametrize(
    ("reserved", "idle"),
    [
        ("", None),
        ("40000,40001", None),
        ("8080", None),
        ("40000-40003", "40002-40003 (2 ports)"),
        ("32000-32769,40000", "32768-32769 (2 ports)"),
        ("39999-40002,50000", "39999, 40002, 50000 (3 ports)"),
    ],
)
def test_ports_of_the_range_that_nobody_holds_are_named_in_one_finding(reserved: str, idle: str | None) -> None:
    held = (port("tcp/0.0.0.0:40000", NGINX), port("udp/[::1]:40001", AGENT))
    (finding,) = judged(host(*held, settings={RESERVED: reserved}), "", NAME)
    assert (finding.outcome, finding.severity) == ("pass" if idle is None else "fail", "info")
    if idle is not None:
        assert finding.message == f"reserved, and nothing listens there: {idle}"
        assert (finding.subject, finding.observed) == ("stack", idle)


def test_a_port_that_is_bound_only_has_its_owner() -> None:
    assert outcomes(judged(host(port("tcp/127.0.0.1:40000", AGENT, state="bound"), settings={RESERVED: "40000"}), "", NAME)) == [
        "pass host"
    ]


def test_thousands_of_them_are_one_short_finding() -> None:
    (finding,) = judged(host(port("tcp/*:40000", NGINX), settings={RESERVED: "33000-45000"}), "", NAME)
    assert finding.observed == "33000-39999, 40001-45000 (12000 ports)"


def test_other_systems_lists_are_judged_where_a_site_can_change_them() -> None:
    (netbsd,) = judged(interpreted(NETBSD.bundle()), "", NAME)
    assert "nothing listens there: 50000, 50005 (2 ports)" in netbsd.message
    windows = judged(interpreted(WINDOWS.bundle()), "", NAME)
    assert [f.observed for f in windows if f.outcome == "fail"] == ["50000-50059 (60 ports)"]
    assert {f.outcome for f in judged(interpreted(DARWIN.bundle()), "", NAME)} == {"notapplicable"}


def test_a_netbsd_port_that_something_holds_is_left_out() -> None:
    more = "www      shopd      900   4  tcp    *.50000               *.*\n"
    texts = {**NETBSD.texts, "sockstat -46ln": NETBSD.texts["sockstat -46ln"] + more}
    (finding,) = judged(interpreted(replace(NETBSD, texts=texts).bundle()), "", NAME)
    assert finding.observed is not None
    assert "50005" in finding.observed
    assert "50000" not in finding.observed


def test_without_all_listeners_nothing_is_called_absent() -> None:
    seen = host(port("tcp/0.0.0.0:40000", NGINX), settings={RESERVED: "40001"})
    listening = stack_of(seen).listening
    some = changed(seen, listening=Facts(listening.seen, listening.source, [Gap("refused", protocol="udp")]))
    assert outcomes(judged(some, "", NAME)) == ["unknown host"]
    nothing_reserved = changed(host(), listening=Facts([], "t", [Gap("refused")]))
    assert outcomes(judged(nothing_reserved, "", NAME)) == ["pass host"], "there is nothing whose listener could be missing"


@pytest.mark.parametrize("name", [EPHEMERAL, RESERVED])
def test_ranges_that_were_not_read_are_unknown(name: str) -> None:
    assert outcomes(judged(host(settings={RESERVED: "40000", name: None}), "", NAME)) == ["unknown host"]


def test_what_is_certain_of_one_protocol_is_told_although_another_is_not_known() -> None:
    some = Facts([Range(first=40000, last=40000, protocol="any", family="any")], "t", [Gap("cut", protocol="udp")])
    found = judged(changed(host(), reserved=some), "", NAME)
    assert outcomes(found) == ["fail info host stack", "unknown host"]
    assert found[0].message == "reserved for tcp, and nothing listens there: 40000"


def test_it_is_off_until_a_site_wants_it() -> None:
    assert outcomes(judged(host(), "extends: baseline\n", NAME)) == ["notselected host"]
