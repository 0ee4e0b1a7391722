"""owner-not-visible: one unknown per stack and reason, with a count; never a finding for each socket."""

from __future__ import annotations

from tests.bundles import NO_RIGHTS, SSHD, host, judged, outcomes, port, with_sockets

NAME = "owner-not-visible"


def test_where_every_holder_was_seen_it_passes() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:22", SSHD), port("tcp/[::]:22", SSHD)), "", NAME)
    assert (finding.outcome, finding.count) == ("pass", 2)


def test_many_without_a_visible_owner_are_one_finding_with_their_number_and_examples() -> None:
    (finding,) = judged(host(*(port(f"tcp/0.0.0.0:{n}") for n in range(1000, 1012)), rights=NO_RIGHTS, unreadable=[5, 6]), "", NAME)
    assert (finding.outcome, finding.count, len(finding.examples)) == ("unknown", 12, 5)
    assert finding.message == "some processes may not be read"


def test_a_seen_holder_is_no_proof_that_there_is_no_other() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:22", SSHD), unreadable=[5]), "", NAME)
    assert (finding.outcome, finding.subject) == ("unknown", "tcp/0.0.0.0:22")


def test_with_all_rights_a_socket_of_nobodys_is_told_apart_from_one_that_could_not_be_seen() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:2049")), "", NAME)
    assert finding.outcome == "unknown"
    assert finding.message.startswith("no process in view holds it")


def test_a_socket_of_which_nothing_is_said_of_owners_is_unknown() -> None:
    silent = with_sockets(host(port("tcp/0.0.0.0:22", SSHD)), owner_state=..., owners_seen=...)
    assert outcomes(judged(silent, "", NAME)) == ["unknown host"]


def test_inside_a_process_namespace_no_owner_is_certain() -> None:
    boxed = host(port("tcp/0.0.0.0:22", SSHD), rights={**NO_RIGHTS, "uid": "0", "pid_namespace": "4026532000"})
    assert outcomes(judged(boxed, "", NAME)) == ["unknown host"]
