"""executable-in-writable-folder: below one of the policy's folders, by whole names."""

from __future__ import annotations

import pytest

from auditor.owner import DELETED, ELSEWHERE, FORGEABLE
from tests.bundles import Process, host, judged, outcomes, port

NAME = "executable-in-writable-folder"
BY = "rules: {executable-in-writable-folder: {folders: [/tmp, /dev/shm/]}}\n"


def test_what_runs_from_tmp_is_named_with_who_holds_the_port() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:9000", Process(5, "/tmp/.x/nginx", 33))), BY, NAME)  # noqa: S108
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "high", "/tmp/.x/nginx")  # noqa: S108
    assert finding.message == "/tmp/.x/nginx runs from /tmp"  # noqa: S108
    assert finding.observed == "tcp/0.0.0.0:9000: process nginx, executable /tmp/.x/nginx, user www-data, unit none"
    assert finding.expected == "no program under /tmp, /dev/shm/"


@pytest.mark.parametrize("mark", ["", DELETED, ELSEWHERE, DELETED + ELSEWHERE, FORGEABLE])
@pytest.mark.parametrize("path", ["/tmp/x", "/dev/shm/a/b"])  # noqa: S108
def test_a_mark_behind_the_path_hides_nothing(path: str, mark: str) -> None:
    of = host(port("tcp/0.0.0.0:9000", Process(5, path + mark)))
    assert outcomes(judged(of, BY, NAME)) == [f"fail high host {path}{mark}"]


@pytest.mark.parametrize("path", ["/usr/bin/x", "/tmpfiles/x", "/var/tmp/x", "/srv/tmp/x", "/dev/shmx", "/memfd:tmp (deleted)", None])  # noqa: S108
def test_other_folders_are_not_it(path: str | None) -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:9000", Process(5, path))), BY, NAME)) == ["pass host"]


@pytest.mark.parametrize("path", ["/tmp/x", "/var/tmp/x", "/dev/shm/x", "/private/tmp/x"])  # noqa: S108
def test_the_baseline_names_the_usual_ones(path: str) -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:9000", Process(5, path))), "extends: baseline\n", NAME)) == [f"fail high host {path}"]


def test_without_a_list_it_is_not_checked() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:9000", Process(5, "/tmp/x"))), "", NAME)  # noqa: S108
    assert (finding.outcome, finding.message) == ("notchecked", "the policy gives no `folders` for it")


def test_an_executable_that_may_not_be_read_is_unknown() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:9000", Process(5, ""))), BY, NAME)) == ["unknown host"]
