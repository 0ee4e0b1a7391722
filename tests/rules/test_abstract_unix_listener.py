"""abstract-unix-listener: a name that no file guards."""

from __future__ import annotations

from tests.bundles import AGENT, INIT, SSHD, bundle, host, interpreted, judged, outcomes
from tests.made_endpoints import Packet, Unix

NAME = "abstract-unix-listener"


def test_a_listener_with_an_abstract_name_is_told_of() -> None:
    (finding,) = judged(host(endpoints=(Unix("@ctl", (AGENT,)),)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "info", "unix @ctl")
    assert finding.message == "every process in this network namespace may connect to @ctl (stream): no file guards an abstract name"
    assert finding.observed == "process agent, executable /usr/sbin/agent, user root, unit agent.service"
    assert finding.expected == "a path that file modes guard"


def test_to_a_datagram_socket_anybody_may_send() -> None:
    (finding,) = judged(host(endpoints=(Unix("@log", (AGENT,), "dgram"),)), "", NAME)
    assert "may send to @log (dgram)" in finding.message


def test_names_that_the_kernel_gave_are_one_finding_for_each_program() -> None:
    of = host(endpoints=(Unix("@00001", (AGENT,), "dgram"), Unix("@00002", (AGENT,), "dgram"), Unix("@0000a", (SSHD,), "dgram")))
    found = {(finding.subject, finding.count) for finding in judged(of, "", NAME)}
    assert found == {("unix @ and what the kernel chose by /usr/sbin/agent", 2), ("unix @ and what the kernel chose by /usr/sbin/sshd", 1)}


def test_paths_and_other_sockets_are_none() -> None:
    assert outcomes(judged(host(endpoints=(Unix("/run/x", (INIT,)), Unix("@odd", folders=None, at="/srv/@odd"))), "", NAME)) == [
        "fail info host unix @odd"
    ]
    assert outcomes(judged(host(endpoints=(Unix("/run/x", (INIT,)), Packet((AGENT,)))), "", NAME)) == ["pass host"]


def test_where_sock_diag_was_refused_it_is_unknown() -> None:
    of = host()
    answers = [answer for answer in of.answers() if answer.command != "builtin:unix_diag"]
    (finding,) = judged(interpreted(bundle(answers, of.head())), "", NAME)
    assert (finding.outcome, finding.message) == ("unknown", "builtin:unix_diag was not asked")


def test_where_they_were_not_asked_about_it_is_not_checked() -> None:
    of = host()
    assert outcomes(judged(interpreted(bundle(of.answers(), {**of.head(), "asked": "ports"})), "", NAME)) == ["notchecked host"]
