"""listening-sources-disagree: two witnesses of the same listeners; ports that come and go by themselves prove nothing."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from tests.bundles import INIT, SSHD, Host, changed, host, judged, outcomes, port, service, stack_of

NAME = "listening-sources-disagree"
DNS = service(300, "named", 53)


def both(*witnessed: tuple[str, str, int]) -> Host:
    return host(port("tcp/0.0.0.0:22", SSHD), port("tcp/*:80", SSHD), port("udp/127.0.0.1:53", DNS), witnessed=witnessed)


SAME = (("tcp", "0.0.0.0", 22), ("tcp", "::", 80), ("udp", "127.0.0.1", 53))


def test_the_same_listeners_pass() -> None:
    assert outcomes(judged(both(*SAME), "", NAME)) == ["pass host"]


def test_what_only_the_second_source_sees_is_named() -> None:
    (finding,) = judged(both(*SAME, ("tcp", "10.0.0.5", 31337)), "", NAME)
    assert (finding.outcome, finding.severity) == ("fail", "medium")
    assert finding.message == "1 listener is seen by one source only"
    assert finding.observed == "only psutil: tcp 10.0.0.5 port 31337"


def test_what_only_the_first_source_sees_is_named_too_and_all_is_one_finding() -> None:
    (finding,) = judged(both(SAME[1], ("udp", "0.0.0.0", 99)), "", NAME)
    assert finding.message == "3 listeners are seen by one source only"
    assert finding.observed == "only sock_diag: tcp 0.0.0.0 port 22, udp 127.0.0.1 port 53; only psutil: udp 0.0.0.0 port 99"


@pytest.mark.parametrize("witnessed", [SAME, (*SAME, ("udp", "0.0.0.0", 45000)), (*SAME, ("udp", "0.0.0.0", 51000))])
def test_datagram_ports_that_the_kernel_gives_come_and_go(witnessed: tuple[tuple[str, str, int], ...]) -> None:
    of = both(*witnessed)
    given = host(*of.net.ports, port("udp/0.0.0.0:45000", DNS), witnessed=witnessed)
    assert outcomes(judged(given, "", NAME)) == ["pass host"]


def test_a_stream_on_a_port_that_the_kernel_may_give_counts_all_the_same() -> None:
    assert [f.outcome for f in judged(both(*SAME, ("tcp", "0.0.0.0", 45000)), "", NAME)] == ["fail"]


def test_what_both_see_is_the_same_where_a_unit_fixes_a_port_that_the_kernel_may_give_and_where_the_second_knows_no_sctp() -> None:
    ports = (port("udp/0.0.0.0:45000", INIT), port("sctp/0.0.0.0:36412", SSHD))
    of = host(*ports, units=[("a.socket", "ListenDatagram", "45000")], witnessed=[("udp", "0.0.0.0", 45000)])
    assert outcomes(judged(of, "", NAME)) == ["pass host"]


def test_a_bound_socket_that_does_not_listen_is_none_of_the_second_sources() -> None:
    of = host(port("tcp/127.0.0.1:5000", SSHD, state="bound"), witnessed=())
    assert outcomes(judged(of, "", NAME)) == ["pass host"]


def test_where_one_source_did_not_see_all_it_is_unknown() -> None:
    whole = both(*SAME).snapshot()
    own = stack_of(whole)
    for kind in ("listening", "witnessed"):
        facts = own.shown[kind]
        assert outcomes(judged(changed(whole, **{kind: Facts(facts.seen, facts.source, [Gap("cut")])}), "", NAME)) == ["unknown host"]


def test_without_a_second_witness_nothing_is_checked() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:22", SSHD)), "", NAME)) == ["notchecked host"]
