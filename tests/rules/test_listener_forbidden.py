"""listener-forbidden: what the policy forbids is found whoever else holds it, and never excused by what was not seen."""

from __future__ import annotations

import pytest

from tests.bundles import NO_RIGHTS, SSHD, Process, host, judged, outcomes, port, service

NAME = "listener-forbidden"
RSYSLOG = service(300, "rsyslogd")
DROPPED = Process(666, "/tmp/x", 1000, "/user.slice", "sshd")  # noqa: S108
POLICY = """\
listening:
  forbidden:
    - {port: [23, 512-514], protocol: tcp, except: {executable: /usr/sbin/rsyslogd}, why: cleartext}
    - {port: any, executable: ["/tmp/*", deleted], why: not an installed service}
"""


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:23", "tcp/127.0.0.1:513", "tcp/*:514"])
def test_what_is_forbidden_is_high_and_says_why(at: str) -> None:
    (finding,) = judged(host(port(at, SSHD)), POLICY, NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "high", at)
    assert finding.message == f"{at} is forbidden: cleartext"
    assert finding.source is not None
    assert finding.source.endswith("site.yaml:4")
    assert "/usr/sbin/sshd" in str(finding.observed)


@pytest.mark.parametrize(
    "one", [port("tcp/0.0.0.0:22", SSHD), port("udp/0.0.0.0:514", SSHD), port("tcp/0.0.0.0:514", RSYSLOG)], ids=lambda p: p.at
)
def test_other_ports_other_protocols_and_the_exception_pass(one: object) -> None:
    assert outcomes(judged(host(one), POLICY, NAME)) == ["pass host"]  # type: ignore[arg-type]


@pytest.mark.parametrize("holders", [(DROPPED,), (SSHD, DROPPED)], ids=["alone", "beside a decent one"])
def test_one_holder_is_enough(holders: tuple[Process, ...]) -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:22", *holders)), POLICY, NAME)
    assert (finding.outcome, finding.message) == ("fail", "tcp/0.0.0.0:22 is forbidden: not an installed service")


def test_a_program_whose_file_is_gone_is_one() -> None:
    gone = Process(5, "/usr/sbin/app (deleted)")
    assert [f.outcome for f in judged(host(port("tcp/0.0.0.0:99", gone)), POLICY, NAME)] == ["fail"]


def test_where_the_holder_was_not_seen_neither_prohibition_nor_exception_is_certain() -> None:
    blind = {"rights": NO_RIGHTS, "unreadable": [5]}
    assert outcomes(judged(host(port("tcp/0.0.0.0:99"), **blind), POLICY, NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:514"), **blind), POLICY, NAME)) == ["unknown host"]


def test_a_prohibition_that_is_certain_counts_whatever_another_leaves_open() -> None:
    policy = POLICY + "    - {port: 99}\n"
    assert [f.outcome for f in judged(host(port("tcp/0.0.0.0:99"), rights=NO_RIGHTS, unreadable=[5]), policy, NAME)] == ["fail"]


def test_an_approval_does_not_outweigh_it() -> None:
    policy = POLICY.replace("listening:", "listening:\n  approved: [{name: telnet, port: 23}]")
    assert [f.outcome for f in judged(host(port("tcp/0.0.0.0:23", SSHD)), policy, NAME)] == ["fail"]


def test_a_policy_that_forbids_nothing_checks_nothing() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:23", SSHD)), "", NAME)) == ["notchecked host"]
