"""executable-deleted: upgraded and not restarted is one thing, gone is another, and which it is must be shown."""

from __future__ import annotations

import pytest

from auditor.owner import DELETED, ELSEWHERE, FORGEABLE
from tests.bundles import NGINX, NO_RIGHTS, SSHD, Host, Process, host, interpreted, judged, outcomes, port, without_files
from tests.saved_hosts import SAVED_HOSTS

NAME = "executable-deleted"
NEW = Process(812, "/usr/sbin/sshd (deleted)", 0, at_path="another")
GONE = Process(813, "/opt/run (deleted)", 1000)


def test_what_was_upgraded_and_not_restarted_is_low() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:22", NEW)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "/usr/sbin/sshd (deleted)")
    assert finding.message == "/usr/sbin/sshd was upgraded and not restarted: another file is at its path"
    assert finding.observed == "tcp/0.0.0.0:22: process 812 since 2026-11-18T11:06:49Z"


def test_what_is_gone_is_medium() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:9000", GONE)), "", NAME)
    assert (finding.outcome, finding.severity, finding.message) == ("fail", "medium", "/opt/run was deleted, and nothing is at its path")


def test_a_program_with_several_ports_is_one_finding_for_a_stack() -> None:
    ports = [port(at, NEW) for at in ("tcp/0.0.0.0:22", "tcp/[::]:22", "tcp/0.0.0.0:2222")]
    (finding,) = judged(host(*ports, port("tcp/0.0.0.0:80", NGINX)), "", NAME)
    assert (finding.count, len(finding.examples)) == (3, 3)


def test_where_it_is_not_shown_what_is_at_the_path_it_is_found_and_how_grave_it_is_is_unknown() -> None:
    found = judged(without_files(host(port("tcp/0.0.0.0:9000", GONE, NEW))), "", NAME)
    assert outcomes(found) == ["fail low host /opt/run (deleted)", "fail low host /usr/sbin/sshd (deleted)", "unknown host"]
    assert {one.message for one in found if one.outcome == "fail"} == {
        "/opt/run was deleted or replaced",
        "/usr/sbin/sshd was deleted or replaced",
    }


@pytest.mark.parametrize("mark", [DELETED + ELSEWHERE, ELSEWHERE, DELETED + FORGEABLE, FORGEABLE])
def test_in_another_namespace_it_is_the_kernels_word_that_counts(mark: str) -> None:
    found = outcomes(judged(host(port("tcp/0.0.0.0:80", Process(5, "/usr/sbin/app" + mark))), "", NAME))
    assert found == (["pass host"] if mark in (ELSEWHERE, FORGEABLE) else [f"fail low host /usr/sbin/app{mark}", "unknown host"])


def test_a_file_that_bears_the_mark_in_its_name_was_not_deleted() -> None:
    class Named(Process):
        def file_fields(self) -> tuple[str | None, ...]:
            return self.file, "itself", "0755:0:0 0755:0:0", self.root

    assert outcomes(judged(host(port("tcp/0.0.0.0:80", Named(5, "/opt/x (deleted)"))), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("executable", ["/usr/sbin/sshd", "/memfd:x (deleted)", None, "/opt/ (deleted)/x"])
def test_what_is_there_what_never_was_in_a_file_system_and_the_kernels_own_are_not_it(executable: str | None) -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:80", Process(5, executable))), "", NAME)) == ["pass host"]


def test_an_executable_that_may_not_be_read_is_unknown_and_hides_no_other() -> None:
    hidden = Process(5, "")
    assert outcomes(judged(host(port("tcp/0.0.0.0:80", hidden)), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:80", hidden, GONE)), "", NAME)) == ["fail medium host /opt/run (deleted)", "unknown host"]


def test_holders_that_were_not_seen_make_it_unknown() -> None:
    blind = Host(net=host(port("tcp/0.0.0.0:22", SSHD)).net, rights=NO_RIGHTS, unreadable=[4])
    assert outcomes(judged(blind, "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:9000", GONE), rights=NO_RIGHTS, unreadable=[4]), "", NAME)) == [
        "fail medium host /opt/run (deleted)", "unknown host",
    ]  # fmt: skip


@pytest.mark.parametrize("system", ["darwin", "openbsd", "netbsd"])
def test_where_a_systems_commands_show_no_executables_it_is_not_checked(system: str) -> None:
    found = judged(interpreted(SAVED_HOSTS[system].bundle()), "", NAME)
    assert {one.outcome for one in found} == {"notchecked"}
    assert "do not show which file a process runs" in found[0].message


def test_where_they_do_it_is_judged() -> None:
    found = judged(interpreted(SAVED_HOSTS["freebsd"].bundle()), "", NAME)
    assert [(one.outcome, one.subject) for one in found] == [("unknown", "udp/0.0.0.0:2049")]
