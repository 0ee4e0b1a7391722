"""privileged-port-held-by-others: who holds a privileged port must be one whom the policy names."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import NGINX, NO_RIGHTS, SSHD, THRESHOLD, Host, Net, Process, changed, host, judged, outcomes, port

NAME = "privileged-port-held-by-others"
BY = "privileged: {granted_to: [{executable: /usr/sbin/sshd, user: root}]}\n"


def test_a_holder_that_the_policy_does_not_name_is_told_with_who_it_is() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:80", NGINX)), BY, NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", "tcp/0.0.0.0:80")
    assert finding.message == "tcp/0.0.0.0:80 is a privileged port, and who holds it may not hold one"
    assert "executable /usr/sbin/nginx" in str(finding.observed)
    assert finding.expected == "one of the 1 holders that the policy names"
    assert str(finding.source).endswith("site.yaml:2")


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:22", "tcp/[::]:1023", "udp/0.0.0.0:123"])
def test_one_that_it_names_passes(at: str) -> None:
    assert outcomes(judged(host(port(at, SSHD)), BY, NAME)) == ["pass host"]


def test_a_port_that_is_not_privileged_is_anybodys() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:1024", NGINX)), BY, NAME)) == ["pass host"]
    lowered = host(port("tcp/0.0.0.0:80", NGINX), settings={THRESHOLD: "80"})
    assert outcomes(judged(lowered, BY, NAME)) == ["pass host"], "where nobody needs a right, nobody was granted one"


def test_the_right_executable_under_another_user_is_another_holder() -> None:
    assert [f.outcome for f in judged(host(port("tcp/0.0.0.0:22", Process(9, "/usr/sbin/sshd", 1000))), BY, NAME)] == ["fail"]


def test_an_empty_list_lets_nobody() -> None:
    assert [f.outcome for f in judged(host(port("tcp/0.0.0.0:22", SSHD)), "privileged: {granted_to: []}\n", NAME)] == ["fail"]


def test_a_policy_that_names_nobody_is_not_checked() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:80", NGINX)), "privileged: {expect: 0-1023}\n", NAME)) == ["notchecked host"]


def test_a_holder_that_was_not_seen_is_unknown() -> None:
    blind = Host(Net((port("tcp/0.0.0.0:80"),)), rights=NO_RIGHTS, unreadable=[700])
    (finding,) = judged(blind, BY, NAME)
    assert (finding.outcome, finding.facts) == ("unknown", ("owners",))


def test_where_the_privileged_ports_are_not_known_so_is_this() -> None:
    snapshot = changed(host(port("tcp/0.0.0.0:80", NGINX)), privileged=Facts([], "sysctl", [Gap("refused")]))
    assert [(f.outcome, f.facts) for f in judged(snapshot, BY, NAME)] == [("unknown", ("privileged",))]


def test_a_wildcard_that_needs_no_right_on_this_system_is_not_one() -> None:
    exempt = Range(first=1, last=1023, protocol="any", family="any", wildcard_exempt=True)
    of = host(port("tcp/0.0.0.0:80", NGINX), port("tcp/127.0.0.1:81", NGINX))
    found = judged(changed(of, privileged=Facts([exempt], "a test")), BY, NAME)
    assert [(f.outcome, f.subject) for f in found] == [("fail", "tcp/127.0.0.1:81")]


def test_of_a_holder_that_may_not_be_the_only_one_it_does_not_say_that_he_is_not_visible() -> None:
    by = "privileged: {granted_to: [{user: root}]}\n"
    (finding,) = judged(host(port("tcp/0.0.0.0:22", SSHD), unreadable=[7]), by, NAME)
    assert finding.outcome == "unknown"
    assert finding.message == "whether another user holds it too is not visible: some processes may not be read"
