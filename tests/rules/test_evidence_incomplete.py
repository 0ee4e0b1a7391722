"""evidence-incomplete: one unknown per stack and reason for whatever the verdict rests on and was not seen."""

from __future__ import annotations

import pytest

from tests.bundles import EPHEMERAL, NO_RIGHTS, SSHD, Host, Net, host, interpreted, judged, outcomes, port, service

NAME = "evidence-incomplete"


def test_a_host_of_which_everything_was_seen_passes() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:22", SSHD)), "", NAME)
    assert (finding.outcome, finding.count) == ("pass", 9)


def test_a_setting_that_was_not_read_is_told_wherever_it_is_missing() -> None:
    (finding, *more) = judged(host(settings={EPHEMERAL: None}), "", NAME)
    assert finding.outcome == "unknown"
    assert "ip_local_port_range" in finding.message
    assert all(f.outcome == "unknown" for f in more)


def test_a_namespace_that_could_not_be_entered_is_one_finding_of_its_stack() -> None:
    php = service(6000, "php-fpm", 33)
    found = judged(Host(Net(), others=[Net([port("tcp/127.0.0.1:9000", php)], holder=php, outside="Operation not permitted")]), "", NAME)
    assert outcomes(found) == ["pass host", "unknown php-fpm.service"]
    (apart,) = [f for f in found if f.outcome == "unknown"]
    assert "could not be entered: Operation not permitted" in apart.message
    assert apart.count == 6
    assert apart.examples == ("privileged", "ephemeral", "reserved", "addresses", "settings")


def test_a_bundle_that_was_cut_is_one_finding_over_all_of_it() -> None:
    found = judged(interpreted(host(port("tcp/0.0.0.0:22", SSHD)).bundle()[:-2]), "", NAME)
    assert [(f.outcome, f.stack, f.count) for f in found] == [("unknown", "host", 9)]
    assert "cut" in found[0].message


def test_processes_that_are_hidden_may_hide_a_namespace() -> None:
    hidden = host(rights={**NO_RIGHTS, "hidepid": "2"})
    found = judged(hidden, "", NAME)
    assert {(finding.outcome, finding.subject) for finding in found} == {("unknown", "stacks"), ("unknown", "grants")}
    assert all("hidepid" in finding.message for finding in found)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_protocol_that_the_kernel_would_not_tell_is_a_gap_unless_proc_net_has_it(protocol: str) -> None:
    told = host(port(f"{protocol}/0.0.0.0:22", SSHD), refused=[(protocol, "ipv4", "sock_diag: Operation not supported")])
    assert outcomes(judged(told, "", NAME)) == ["pass host"]
    untold = host(refused=[("sctp", "ipv4", "sock_diag: Operation not supported")])
    (finding,) = judged(untold, "", NAME)
    assert (finding.outcome, finding.subject) == ("unknown", "several kinds of facts")
    assert finding.message == "sock_diag: Operation not supported"
