"""listener-appeared: what listens now and did not at the baseline; what may have been there unseen is unknown, not new."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Snapshot
from tests.bundles import AGENT, NGINX, NO_RIGHTS, SSHD, Host, Net, Process, container, host, judged, outcomes, port, service
from tests.rules.drift import since, unseen

NAME = "listener-appeared"
BEFORE = host(port("tcp/0.0.0.0:22", SSHD))


def test_a_new_listener_is_named_with_who_holds_it_and_since_when() -> None:
    (finding,) = since(BEFORE, host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:8080", AGENT)), NAME)
    assert (finding.outcome, finding.severity, finding.stack, finding.subject) == ("fail", "medium", "host", "tcp/0.0.0.0:8080")
    assert finding.message == "tcp/0.0.0.0:8080 did not listen at the baseline"
    assert finding.observed == "listening, reach private, held by /usr/sbin/agent user root unit agent.service"
    assert finding.expected == "nothing there"
    assert finding.source == "baseline of 2026-11-20T23:00:00Z"


def test_the_same_listeners_pass_and_one_that_went_is_no_business_of_this_rule() -> None:
    assert outcomes(since(BEFORE, BEFORE, NAME)) == ["pass host"]
    assert outcomes(since(BEFORE, host(), NAME)) == ["pass host"]
    again = host(port("tcp/0.0.0.0:22", service(4242, "sshd")))
    assert outcomes(since(BEFORE, again, NAME)) == ["pass host"], "a service that was restarted is the same"


def test_without_a_baseline_it_is_not_checked() -> None:
    (finding,) = judged(BEFORE, "", NAME)
    assert (finding.outcome, finding.message) == ("notchecked", "no baseline of this host was given (--baseline)")


def test_a_second_socket_on_a_port_that_had_one_appeared_too() -> None:
    (finding,) = since(BEFORE, host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:22", AGENT)), NAME)
    assert (finding.outcome, finding.subject, finding.observed, finding.expected) == ("fail", "tcp/0.0.0.0:22", "2", "1")


def test_a_listener_of_a_container_that_is_new_appeared_in_its_stack() -> None:
    app = Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{'ab' * 32}.scope")
    now = Host(BEFORE.net, others=[container("ab" * 32, port("tcp/0.0.0.0:80", app))], containers={"ab" * 32: "shop"})
    assert outcomes(since(BEFORE, now, NAME)) == ["fail medium container:shop tcp/0.0.0.0:80", "pass host"]


def test_what_the_baseline_may_not_have_seen_is_unknown_and_not_new() -> None:
    blind = unseen(BEFORE, protocol="udp")
    now = host(port("tcp/0.0.0.0:22", SSHD), port("udp/0.0.0.0:53", NGINX), port("tcp/0.0.0.0:80", NGINX))
    found = since(blind, now, NAME)
    assert [(f.outcome, f.subject) for f in found if f.outcome == "fail"] == [("fail", "tcp/0.0.0.0:80")], "TCP was seen in full"
    assert any(f.outcome == "unknown" and "it was refused" in f.message and f.facts == ("listeners",) for f in found)
    assert not [f for f in found if f.outcome == "pass"]


def test_a_stack_that_the_baseline_could_not_list_leaves_it_unknown() -> None:
    web = container("ab" * 32, port("tcp/0.0.0.0:80", Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{'ab' * 32}.scope")))
    now = Host(BEFORE.net, others=[web], containers={"ab" * 32: "shop"})
    before = BEFORE.snapshot()
    unsure = Snapshot(**{**before.shown, "stacks": Facts(before.stacks.seen, "a test", [Gap("/proc hides processes")])})
    found = since(unsure, now, NAME)
    assert {f.outcome for f in found if f.stack == "container:shop"} == {"unknown"}


@pytest.mark.parametrize("rights", [NO_RIGHTS])
def test_owners_that_were_not_visible_then_do_not_make_a_listener_new(rights: dict[str, str]) -> None:
    blind = Host(Net((port("tcp/0.0.0.0:22"),)), rights=rights, unreadable=[700])
    assert outcomes(since(blind, BEFORE, NAME)) == ["pass host"]


def test_what_was_not_seen_is_said_in_the_words_of_an_audit() -> None:
    told = {finding.message for finding in since(unseen(host()), host(port("tcp/0.0.0.0:22", SSHD)), NAME)}
    assert told == {
        f"whether {what} is new cannot be told: at the baseline not all was seen: it was refused" for what in ("it", "a listener")
    }
