"""executable-in-memory: a program that is in no file system, whatever it calls itself."""

from __future__ import annotations

import pytest

from tests.bundles import NGINX, Process, host, judged, outcomes, port

NAME = "executable-in-memory"
IMPLANT = Process(666, "/memfd:../usr/sbin/sshd (deleted)", 0, "/system.slice/ssh.service", "sshd")


def test_a_program_in_memory_is_named_with_who_holds_the_port() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:22", IMPLANT), port("tcp/0.0.0.0:2222", IMPLANT)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject, finding.count) == ("fail", "high", "/memfd:../usr/sbin/sshd (deleted)", 2)
    assert finding.message == "/memfd:../usr/sbin/sshd runs from memory, from no file"
    assert str(finding.observed).startswith('tcp/0.0.0.0:22: process sshd, executable "/memfd:../usr/sbin/sshd (deleted)", user root, unit')


@pytest.mark.parametrize("executable", ["/usr/sbin/sshd", "/usr/sbin/sshd (deleted)", "/memfd:x", "/opt/memfd:x (deleted)", None])
def test_what_has_or_had_a_path_is_not_it(executable: str | None) -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:22", Process(5, executable))), "", NAME)) == ["pass host"]


def test_a_holder_beside_it_and_one_that_may_not_be_read_hide_it_not() -> None:
    of = host(port("tcp/0.0.0.0:22", NGINX, Process(5, ""), IMPLANT))
    assert outcomes(judged(of, "", NAME)) == ["fail high host /memfd:../usr/sbin/sshd (deleted)", "unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:22", Process(5, ""))), "", NAME)) == ["unknown host"]
