"""listener-disappeared: what listened at the baseline and does not now; what may be there unseen is unknown, not gone."""

from __future__ import annotations

from tests.bundles import NGINX, SSHD, Host, Process, container, host, judged, outcomes, port
from tests.rules.drift import since, unseen

NAME = "listener-disappeared"
BEFORE = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX))


def test_a_listener_that_is_gone_is_named_with_who_held_it() -> None:
    (finding,) = since(BEFORE, host(port("tcp/0.0.0.0:22", SSHD)), NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "tcp/0.0.0.0:80")
    assert finding.message == "tcp/0.0.0.0:80 no longer listens"
    assert finding.observed == "nothing there"
    assert finding.expected is not None
    assert "/usr/sbin/nginx" in finding.expected
    assert finding.source == "baseline of 2026-11-20T23:00:00Z"


def test_the_same_listeners_pass_and_a_new_one_is_no_business_of_this_rule() -> None:
    assert outcomes(since(BEFORE, BEFORE, NAME)) == ["pass host"]
    assert outcomes(since(host(), BEFORE, NAME)) == ["pass host"]


def test_without_a_baseline_it_is_not_checked() -> None:
    assert outcomes(judged(BEFORE, "", NAME)) == ["notchecked host"]


def test_where_not_all_was_seen_now_it_is_unknown_and_not_gone() -> None:
    found = since(BEFORE, unseen(host(port("tcp/0.0.0.0:22", SSHD)), protocol="tcp"), NAME)
    assert {f.outcome for f in found} == {"unknown"}
    assert any("it was refused" in f.message for f in found)


def test_a_listener_of_a_container_that_is_gone_is_told_with_the_container() -> None:
    app = Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{'ab' * 32}.scope")
    before = Host(BEFORE.net, others=[container("ab" * 32, port("tcp/0.0.0.0:443", app))], containers={"ab" * 32: "shop"})
    assert outcomes(since(before, BEFORE, NAME)) == ["fail low host tcp/0.0.0.0:443 of container:shop"]


def test_what_was_not_seen_is_said_in_the_words_of_an_audit() -> None:
    told = {finding.message for finding in since(unseen(BEFORE), unseen(BEFORE), NAME)}
    assert told == {"whether a listener is gone cannot be told: at the baseline and now not all was seen: it was refused"}
