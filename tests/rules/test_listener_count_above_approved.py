"""listener-count-above-approved: `at_most` bounds an approval, in each stack."""

from __future__ import annotations

import pytest

from tests.bundles import NO_RIGHTS, Host, Net, container, host, judged, outcomes, port, service
from tests.rules.drift import unseen

NAME = "listener-count-above-approved"
STATD = service(700, "rpc.statd")
BY = """\
listening:
  approved:
    - {name: statd, port: kernel-given, executable: /usr/sbin/rpc.statd, at_most: 2, purpose: locks}
"""


def statds(count: int) -> list[object]:
    return [port(f"udp/0.0.0.0:{45000 + at}", STATD) for at in range(count)]


def test_more_than_the_policy_approves_are_counted_and_named() -> None:
    (finding,) = judged(host(*statds(3)), BY, NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", "statd")
    assert finding.message == "3 sockets are 'statd', and at most 2 may be"
    assert finding.observed == "udp/0.0.0.0:45000, udp/0.0.0.0:45001, udp/0.0.0.0:45002"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_as_many_as_approved_pass(count: int) -> None:
    assert outcomes(judged(host(*statds(count)), BY, NAME)) == ["pass host"]


def test_an_entry_without_a_bound_approves_any_number() -> None:
    assert outcomes(judged(host(*statds(9)), BY.replace(", at_most: 2", ""), NAME)) == ["pass host"]


def test_a_policy_without_approvals_is_not_checked() -> None:
    assert outcomes(judged(host(*statds(3)), "", NAME)) == ["notchecked host"]


def test_each_stack_has_its_own_count() -> None:
    both = Host(Net(tuple(statds(2))), others=[container("ab" * 32, *statds(3))], containers={"ab" * 32: "nfs"})
    assert outcomes(judged(both, BY, NAME)) == ["fail medium container:nfs statd", "pass host"]


def test_where_another_may_be_one_it_is_unknown_unless_there_are_too_many_already() -> None:
    def unsure(count: int) -> Host:
        return Host(Net((*statds(count), port("udp/0.0.0.0:46000"))), rights=NO_RIGHTS, unreadable=[800])

    (finding,) = judged(unsure(2), BY, NAME)
    assert (finding.outcome, finding.subject) == ("unknown", "statd")
    assert [f.outcome for f in judged(unseen(host(*statds(2))), BY, NAME)] == ["unknown"]
    assert [f.outcome for f in judged(unseen(host(*statds(3))), BY, NAME)] == ["fail"]
