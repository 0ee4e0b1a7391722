"""listener-owner-changed: another program, user or unit than at the baseline; one that was not seen may be the same."""

from __future__ import annotations

from tests.bundles import NO_RIGHTS, SSHD, Host, Net, Process, host, judged, outcomes, port, service
from tests.rules.drift import since

NAME = "listener-owner-changed"
BEFORE = host(port("tcp/0.0.0.0:22", SSHD))


def test_another_executable_on_the_port_is_named_with_the_one_before() -> None:
    rogue = Process(5000, "/opt/x/sshd", 1000, "/user.slice/user-1000.slice/session-7.scope")
    (finding,) = since(BEFORE, host(port("tcp/0.0.0.0:22", rogue, uid=0)), NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", "tcp/0.0.0.0:22")
    assert finding.message == "tcp/0.0.0.0:22 has another owner than at the baseline"
    assert finding.observed == "/opt/x/sshd user ann unit session-N.scope"
    assert finding.expected == "/usr/sbin/sshd user root unit sshd.service"


def test_another_user_alone_is_another_owner() -> None:
    now = host(port("tcp/0.0.0.0:22", Process(9, "/usr/sbin/sshd", 33, "/system.slice/sshd.service"), uid=0))
    (finding,) = since(BEFORE, now, NAME)
    assert finding.observed == "/usr/sbin/sshd user www-data unit sshd.service"


def test_the_same_owner_passes_whatever_its_process_id() -> None:
    assert outcomes(since(BEFORE, host(port("tcp/0.0.0.0:22", service(9999, "sshd"))), NAME)) == ["pass host"]


def test_without_a_baseline_it_is_not_checked() -> None:
    assert outcomes(judged(BEFORE, "", NAME)) == ["notchecked host"]


def test_an_owner_that_cannot_be_seen_now_is_unknown() -> None:
    unseen = Host(Net((port("tcp/0.0.0.0:22"),)), rights=NO_RIGHTS, unreadable=[700])
    (finding,) = since(BEFORE, unseen, NAME)
    assert (finding.outcome, finding.subject, finding.facts) == ("unknown", "tcp/0.0.0.0:22", ("owners",))


def test_what_neither_side_could_see_is_said_once_in_the_words_of_an_audit() -> None:
    then, now = (host(port("tcp/0.0.0.0:22", service(9, name)), unreadable=[7]) for name in ("sshd", "other"))
    (finding,) = since(then, now, NAME)
    assert finding.outcome == "unknown"
    said = "whether it has another owner cannot be told: at the baseline and now some processes may not be read"
    assert finding.message == said


def test_what_one_side_could_not_see_says_which() -> None:
    blind = Host(Net((port("tcp/0.0.0.0:22"),)), rights=NO_RIGHTS, unreadable=[700])
    (now,), (then,) = since(BEFORE, blind, NAME), since(blind, BEFORE, NAME)
    assert now.message.startswith("whether it has another owner cannot be told: now ")
    assert then.message.startswith("whether it has another owner cannot be told: at the baseline ")
