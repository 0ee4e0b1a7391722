"""iana-unauthorised-use-known: the registry's own note about a port."""

from __future__ import annotations

import pytest

from tests.bundles import AGENT, host, judged, outcomes, port, with_sockets

NAME = "iana-unauthorised-use-known"


def test_the_note_is_told_with_the_status_and_the_iana_name() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:8888", AGENT)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "tcp/0.0.0.0:8888")
    assert finding.message == "IANA knows unauthorised use of port 8888/tcp, which is assigned to ddi-tcp-1"
    assert finding.observed == "process agent, executable /usr/sbin/agent, user root, unit agent.service"
    assert str(finding.source).startswith("IANA registry of 20")


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("tcp/0.0.0.0:6659", "fail"),
        ("udp/127.0.0.1:8889", "fail"),
        ("tcp/[::1]:1053", "fail"),
        ("udp/0.0.0.0:1053", "pass"),
        ("tcp/0.0.0.0:443", "pass"),
        ("tcp/0.0.0.0:8443", "pass"),
    ],
)
def test_it_is_of_a_port_and_a_protocol_wherever_it_listens(at: str, outcome: str) -> None:
    assert [one.outcome for one in judged(host(port(at, AGENT)), "", NAME)] == [outcome]


def test_of_a_port_without_a_name_none_is_given() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:6659", AGENT)), "", NAME)
    assert finding.message == "IANA knows unauthorised use of port 6659/tcp, which is unassigned"


def test_a_port_that_the_kernel_chose_says_nothing() -> None:
    assert outcomes(judged(with_sockets(host(port("udp/0.0.0.0:8888", AGENT)), kernel_given=True), "", NAME)) == ["pass host"]


def test_a_port_that_was_not_seen_is_unknown() -> None:
    assert outcomes(judged(with_sockets(host(port("tcp/0.0.0.0:8888", AGENT)), port=...), "", NAME)) == ["unknown host"]


def test_it_is_off_in_the_baseline() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:8888", AGENT)), "extends: baseline\n", NAME)) == ["notselected host"]
