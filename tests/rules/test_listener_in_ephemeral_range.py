"""listener-in-ephemeral-range: a fixed port that the kernel may hand out is low, with the arithmetic; all others are one line."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range, Socket
from auditor.port_range import PortRange
from tests.bundles import AGENT, EPHEMERAL, INIT, RESERVED, SSHD, Host, changed, host, judged, outcomes, port, service

NAME = "listener-in-ephemeral-range"
FOLD = "ports of the ephemeral range, not known to be fixed"
UNIT = (("app.socket", "ListenStream", "40000"),)
NAMED = "listening: {approved: [{name: app, port: 40000, protocol: tcp}]}\n"


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:32767", "tcp/0.0.0.0:61000", "tcp/[::]:22", "udp/0.0.0.0:1"])
def test_a_port_outside_passes(at: str) -> None:
    assert outcomes(judged(host(port(at, AGENT)), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:32768", "tcp/127.0.0.1:60999", "udp/*:45000", "tcp/[fe80::1%eth0]:50000"])
def test_a_port_inside_is_inventory_for_the_kernel_may_have_chosen_it(at: str) -> None:
    assert outcomes(judged(host(port(at, AGENT)), "", NAME)) == [f"fail info host {FOLD}"]


def test_many_are_one_line_that_names_them() -> None:
    (finding,) = judged(host(*(port(f"tcp/0.0.0.0:{n}", AGENT) for n in range(40000, 40012)), port("udp/0.0.0.0:45000", AGENT)), "", NAME)
    assert (finding.count, finding.severity, len(finding.examples)) == (13, "info", 5)
    assert finding.observed is not None
    assert finding.observed.startswith("tcp/0.0.0.0:40000, tcp/0.0.0.0:40001, ")
    assert finding.observed.endswith("udp/0.0.0.0:45000"), "the line of inventory has the number that the subject leaves out"


def test_a_unit_fixes_its_port() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:40000", INIT), units=UNIT, settings={RESERVED: "41000-41009"}), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "tcp/0.0.0.0:40000")
    assert finding.message == "port 40000 is fixed by app.socket, and the kernel may hand it out while the service is not running"
    assert finding.observed == (
        "32768 <= 40000 <= 60999; 28232 ports, 10 of them reserved, 40000 is not: one of 28222 that may be handed out"
    )
    assert finding.expected == "port 40000 outside 32768-60999, or reserved"


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:40000", "udp/0.0.0.0:40000"])
def test_a_policy_that_leaves_the_port_to_the_kernel_has_nothing_to_protect(at: str) -> None:
    policy = "listening: {approved: [{name: agent, port: kernel-given, executable: EXECUTABLE}]}\n"
    listening = host(port(at, AGENT))
    assert outcomes(judged(listening, policy.replace("EXECUTABLE", "/usr/sbin/agent"), NAME)) == ["pass host"]
    assert outcomes(judged(listening, policy.replace("EXECUTABLE", "/usr/sbin/other"), NAME)) == [f"fail info host {FOLD}"]


@pytest.mark.parametrize(
    ("policy", "severity"),
    [
        (NAMED, "low"),
        (NAMED.replace("port: 40000", "port: 39990-40010"), "low"),
        (NAMED.replace("approved", "required"), "low"),
        (NAMED.replace("protocol: tcp", "protocol: udp"), "info"),
        (NAMED.replace("port: 40000", "port: any"), "info"),
        (NAMED.replace("port: 40000", "port: 32768-60999"), "info"),
        (NAMED.replace("port: 40000", "port: 1-65535"), "info"),
        (NAMED.replace("port: 40000", "port: 40001"), "info"),
    ],
)
def test_a_policy_fixes_the_ports_that_it_names_but_not_by_naming_all(policy: str, severity: str) -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:40000", AGENT)), policy, NAME)
    assert (finding.outcome, finding.severity) == ("fail", severity)


def test_a_reserved_port_is_not_handed_out() -> None:
    reserved = host(port("tcp/0.0.0.0:40000", INIT), units=UNIT, settings={RESERVED: "39999-40001"})
    assert outcomes(judged(reserved, NAMED, NAME)) == ["pass host"]


def facts(*ranges: dict[str, Any], gaps: tuple[Gap, ...] = ()) -> Facts[Range]:
    return Facts(
        [Range(**{"first": 32768, "last": 60999, "protocol": "any", "family": "any", "role": "default", **one}) for one in ranges],
        "t",
        gaps,
    )


ANY: dict[str, Any] = {}
V4, V6 = {"family": "ipv4"}, {"family": "ipv6"}
GAP = (Gap("cut"),)


@pytest.mark.parametrize(
    ("at", "ephemeral", "reserved", "outcome"),
    [
        ("tcp/0.0.0.0:40000", facts({"protocol": "tcp"}), facts(), "fail"),
        ("tcp/0.0.0.0:40000", facts({"protocol": "udp"}), facts(), "pass"),
        ("tcp/0.0.0.0:40000", facts(V4), facts(), "fail"),
        ("tcp/0.0.0.0:40000", facts(V6), facts(), "pass"),
        ("tcp/[::1]:40000", facts(V4), facts(), "pass"),
        ("tcp/[::]:40000", facts(V4), facts(), "pass"),
        ("tcp/*:40000", facts(V4), facts(), "fail"),
        ("tcp/*:40000", facts(V6), facts(), "fail"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts({"protocol": "udp"}), "fail"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts({"protocol": "tcp"}), "pass"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts(V4), "pass"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts(V6), "fail"),
        ("tcp/*:40000", facts(ANY), facts(V6), "fail"),
        ("tcp/*:40000", facts(V4, V6), facts(V6), "fail"),
        ("tcp/*:40000", facts(V4, V6), facts(V4, V6), "pass"),
        ("tcp/*:40000", facts(ANY), facts(ANY), "pass"),
        ("tcp/[::]:40000", facts(ANY), facts(V6), "pass"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts({**V4, "first": 50000}), "fail"),
        ("tcp/0.0.0.0:40000", facts({"role": "high"}), facts(), "fail"),
        ("tcp/0.0.0.0:40000", facts({"role": "low"}), facts(), "pass"),
        ("tcp/0.0.0.0:40000", facts(ANY, gaps=GAP), facts(), "fail"),
        ("tcp/0.0.0.0:40000", facts(V6, gaps=GAP), facts(), "unknown"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts(gaps=GAP), "unknown"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts(ANY, gaps=GAP), "pass"),
        ("tcp/0.0.0.0:22", facts(ANY), facts(gaps=GAP), "pass"),
        ("tcp/0.0.0.0:22", facts(ANY, gaps=(Gap("cut", protocol="udp"),)), facts(), "pass"),
        ("udp/0.0.0.0:22", facts(ANY, gaps=(Gap("cut", protocol="udp"),)), facts(), "unknown"),
        ("tcp/*:22", facts(ANY, gaps=(Gap("cut", family="ipv4"),)), facts(), "unknown"),
        ("tcp/[::1]:22", facts(ANY, gaps=(Gap("cut", family="ipv4"),)), facts(), "pass"),
        ("tcp/0.0.0.0:22", facts(ANY, gaps=(Gap("disputed", ports=PortRange(1024, 1024)),)), facts(), "pass"),
        ("tcp/0.0.0.0:1024", facts(ANY, gaps=(Gap("disputed", ports=PortRange(1024, 1024)),)), facts(), "unknown"),
        ("tcp/0.0.0.0:40000", facts(ANY), facts(gaps=(Gap("cut", protocol="udp"),)), "fail"),
    ],
)
def test_ranges_of_one_protocol_or_family_speak_of_that_alone(
    at: str, ephemeral: Facts[Range], reserved: Facts[Range], outcome: str
) -> None:
    snapshot = changed(host(port(at, AGENT)), ephemeral=ephemeral, reserved=reserved)
    assert [f.outcome for f in judged(snapshot, "", NAME)] == [outcome]


def test_a_wildcard_that_may_or_may_not_be_dual_stack_is_unknown_where_that_decides() -> None:
    seen = Socket(protocol="tcp", family="ipv6", address="::", port=40000, state="listening")
    for ephemeral, outcome in ((facts(V4), "unknown"), (facts(V6), "fail"), (facts(ANY), "fail")):
        snapshot = changed(host(), ephemeral=ephemeral, listening=Facts([seen], "/proc/net"))
        assert [f.outcome for f in judged(snapshot, "", NAME)] == [outcome]


def test_a_socket_bound_to_an_address_serves_that_family_alone_whatever_its_v6only_says() -> None:
    seen = Socket(protocol="tcp", family="ipv6", address="::1", v6only=False, port=40000, state="listening")
    for ephemeral, reserved, outcome in ((facts(V4), facts(), "pass"), (facts(ANY), facts(V6), "pass"), (facts(ANY), facts(V4), "fail")):
        snapshot = changed(host(), ephemeral=ephemeral, reserved=reserved, listening=Facts([seen], "t"))
        assert [f.outcome for f in judged(snapshot, "", NAME)] == [outcome]


def test_a_socket_of_unknown_family_is_in_a_range_of_either() -> None:
    seen = Socket(protocol="tcp", family="unknown", address="*", port=40000, state="listening")
    assert [f.outcome for f in judged(changed(host(), ephemeral=facts(V4), listening=Facts([seen], "t")), "", NAME)] == ["fail"]


def test_a_range_that_was_not_read_is_unknown_for_every_listener_in_one_finding() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", SSHD), settings={EPHEMERAL: None}), "", NAME)
    assert (finding.outcome, finding.count) == ("unknown", 2)


def test_a_host_with_clients_and_one_fixed_port_has_one_open_line() -> None:
    busy = Host(
        host(*(port(f"udp/0.0.0.0:{n}", service(n, "avahi-daemon")) for n in (41000, 42000)), port("tcp/0.0.0.0:40000", INIT)).net,
        units=UNIT,
    )
    assert outcomes(judged(busy, "", NAME)) == [f"fail info host {FOLD}", "fail low host tcp/0.0.0.0:40000"]


def test_the_arithmetic_counts_what_is_reserved_of_its_own_protocol_and_family() -> None:
    reserved = facts({"first": 32768, "last": 32777, "protocol": "tcp"}, {"first": 50000, "protocol": "udp"}, {"first": 50000, **V6})
    snapshot = changed(host(port("tcp/0.0.0.0:40000", AGENT)), ephemeral=facts(ANY), reserved=reserved)
    (finding,) = judged(snapshot, NAMED, NAME)
    assert finding.observed is not None
    assert "28232 ports, 10 of them reserved" in finding.observed
