"""cleartext-listener: by port number; a program that is usually met on the port excuses it, an unseen one never does."""

from __future__ import annotations

import pytest

from auditor.owner import Owner
from tests.bundles import NO_RIGHTS, SSHD, Process, host, judged, outcomes, port, service, with_sockets

NAME = "cleartext-listener"
RSYSLOG = service(300, "rsyslogd")
USUAL = "rules: {cleartext-listener: {tiers: [always, usual]}}\n"


@pytest.mark.parametrize(
    "at", ["tcp/0.0.0.0:21", "tcp/10.0.0.5:23", "tcp/*:512", "tcp/[2001:db8::5]:513", "tcp/0.0.0.0:514", "udp/0.0.0.0:69"]
)
def test_a_port_that_is_always_cleartext_is_medium(at: str) -> None:
    (finding,) = judged(host(port(at, SSHD)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", at)
    assert finding.message.startswith(f"port {at.rpartition(':')[2]} is ")
    assert "/usr/sbin/sshd" in str(finding.observed)


@pytest.mark.parametrize(
    "at", ["tcp/127.0.0.1:23", "tcp/[::1]:21", "udp/0.0.0.0:23", "tcp/0.0.0.0:22", "tcp/0.0.0.0:80", "udp/0.0.0.0:514"]
)
def test_loopback_other_protocols_and_ports_that_may_speak_starttls_pass(at: str) -> None:
    assert outcomes(judged(host(port(at, SSHD)), "", NAME)) == ["pass host"]


def test_a_policy_may_ask_about_usual_ones_too() -> None:
    found = judged(host(port("tcp/0.0.0.0:80", SSHD), port("tcp/0.0.0.0:23", SSHD)), USUAL, NAME)
    assert [f.outcome for f in found] == ["fail", "fail"]


@pytest.mark.parametrize("path", ["/usr/sbin/rsyslogd", "/usr/sbin/rsyslogd (deleted)", "/usr/sbin/syslog-ng"])
def test_a_log_server_is_what_is_usually_met_on_port_514(path: str) -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:514", Process(300, path))), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("path", ["/tmp/rsyslogd", "/usr/sbin/in.rshd", None])  # noqa: S108
def test_another_program_is_not_excused_nor_is_a_second_holder(path: str | None) -> None:
    other = Process(301, path)
    for holders in ((other,), (RSYSLOG, other)):
        assert [f.outcome for f in judged(host(port("tcp/0.0.0.0:514", *holders)), "", NAME)] == ["fail"]


def test_a_holder_that_was_not_seen_excuses_nothing() -> None:
    blind = {"rights": NO_RIGHTS, "unreadable": [300]}
    assert outcomes(judged(host(port("tcp/0.0.0.0:514")), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:514"), **blind), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:514", RSYSLOG), **blind), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:514", Process(300, ""))), "", NAME)) == ["unknown host"]
    assert [f.outcome for f in judged(host(port("tcp/0.0.0.0:23"), **blind), "", NAME)] == ["fail"], "no program excuses port 23"


@pytest.mark.parametrize("owners", [[], [Owner(pid=1, executable=None)]])
def test_known_owners_of_whom_none_is_a_log_server_excuse_nothing(owners: list[Owner]) -> None:
    snapshot = with_sockets(host(port("tcp/0.0.0.0:514", RSYSLOG)), owners_seen=owners)
    assert [f.outcome for f in judged(snapshot, "", NAME)] == ["fail"]


def test_a_socket_that_only_holds_the_port_speaks_to_nobody() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:513", SSHD, state="bound")), "", NAME)) == ["pass host"]


def test_where_its_reach_is_not_known_it_is_unknown() -> None:
    telnet = host(port("tcp/0.0.0.0:23", SSHD))
    assert outcomes(judged(with_sockets(telnet, reach="unknown"), "", NAME)) == ["unknown host"]
    assert outcomes(judged(with_sockets(telnet, port=...), "", NAME)) == ["unknown host"]
    assert outcomes(judged(with_sockets(telnet, reach="unknown", port=22), "", NAME)) == ["pass host"]
