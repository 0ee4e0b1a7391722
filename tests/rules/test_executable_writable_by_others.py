"""executable-writable-by-others: who else may change what runs, by the file itself and the folders above it."""

from __future__ import annotations

import pytest

from auditor.owner import DELETED, ELSEWHERE, FORGEABLE
from tests.bundles import NO_RIGHTS, SSHD, Process, host, interpreted, judged, outcomes, port, without_files
from tests.saved_hosts import FREEBSD

NAME = "executable-writable-by-others"
PATH = "/opt/app/bin/server"


def found(**more: object) -> list[str]:
    """What is said of a server with these properties: outcome, and the message where it failed."""
    process = Process(5, **{"executable": PATH, **more})  # type: ignore[arg-type]
    return [one.message if one.outcome == "fail" else one.outcome for one in judged(host(port("tcp/0.0.0.0:80", process)), "", NAME)]


def test_a_file_that_every_user_may_write_is_named_with_its_mode_owner_and_group() -> None:
    server = Process(5, PATH, 0, file="0777:0:0")
    (finding,) = judged(host(port("tcp/0.0.0.0:80", server), port("tcp/0.0.0.0:443", server)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject, finding.count) == ("fail", "high", PATH, 2)
    assert finding.message == f"every user may change {PATH}, which user root runs"
    assert str(finding.observed).startswith(f"tcp/0.0.0.0:80: {PATH} is mode 0777, owner 0, group 0, tcp/0.0.0.0:443: ")
    assert finding.expected == "changed by none but root and the user that runs it"


@pytest.mark.parametrize(
    ("file", "uid", "who"),
    [
        ("0755:0:0", 0, None),
        ("0775:0:0", 0, None),
        ("0755:33:33", 33, None),
        ("4755:0:0", 33, None),
        ("1755:0:0", 33, None),
        ("0757:0:0", 0, "every user"),
        ("1757:0:0", 0, "every user"),
        ("0775:0:50", 0, "group 50"),
        ("0777:0:50", 0, "every user and group 50"),
        ("0755:1000:1000", 0, "user 1000"),
        ("0755:1000:0", 33, "user 1000"),
        ("0500:1000:0", 33, "user 1000"),
        ("0770:33:50", 33, "group 50"),
        ("0755+:0:0", 0, None),
        ("0755?:0:50", 0, None),
    ],
)
def test_whoever_may_change_the_file_but_root_and_its_own_user_is_named(file: str, uid: int, who: str | None) -> None:
    user = {0: "root", 33: "www-data"}[uid]
    assert found(file=file, uid=uid) == (["pass"] if who is None else [f"{who} may change {PATH}, which user {user} runs"])


@pytest.mark.parametrize(
    ("folder", "rights", "who"),
    [
        ("/opt/app/bin", "0777:0:0", "every user"),
        ("/opt/app", "0775:0:50", "group 50"),
        ("/opt", "0755:1000:0", "user 1000"),
        ("/", "0757:0:0", "every user"),
        ("/opt/app", "1777:0:0", None),
        ("/opt/app", "1775:0:50", None),
        ("/opt/app", "1777:1000:0", "user 1000"),
        ("/opt/app", "2775:0:0", None),
    ],
)
def test_a_folder_above_it_lets_whoever_may_write_there_put_another_file_in_its_place(folder: str, rights: str, who: str | None) -> None:
    assert found(folders=((folder, rights),)) == (["pass"] if who is None else [f"{who} may change {PATH}, which user root runs"])


@pytest.mark.parametrize("mark", ["+", "?"])
@pytest.mark.parametrize(
    ("rights", "uid", "who"),
    [
        ("0775{}:0:0", 0, None),
        ("0775{}:0:50", 0, None),
        ("0777{}:0:50", 0, "every user"),
        ("0775{}:1000:50", 33, "user 1000"),
        ("2777{}:1000:0", 0, "every user and user 1000"),
    ],
)
def test_where_there_may_be_an_access_control_list_who_needs_none_is_certain(mark: str, rights: str, uid: int, who: str | None) -> None:
    user = {0: "root", 33: "www-data"}[uid]
    says = ["unknown"] if who is None else [f"{who} may change {PATH}, which user {user} runs", "unknown"]
    assert found(file=rights.format(mark), uid=uid) == says
    assert found(folders=(("/opt/app", rights.format(mark)),), uid=uid) == says


def test_an_access_control_list_that_was_not_read_is_named_as_what_is_unknown() -> None:
    (one,) = judged(host(port("tcp/0.0.0.0:80", Process(5, PATH, file="0775+:0:0"))), "", NAME)
    assert "an access control list decides who else may write; it was not read" in one.message
    assert one.facts == ("owners",)


def test_in_a_sticky_folder_an_access_control_list_lets_nobody_change_what_is_anothers() -> None:
    assert found(folders=(("/opt/app", "1775+:0:50"),)) == ["pass"]
    assert found(file="1775+:0:50") == ["unknown"]


def test_an_access_control_list_hides_no_other_folder() -> None:
    says = [f"every user may change {PATH}, which user root runs", "unknown"]
    assert found(file="0775+:0:0", folders=(("/opt", "0777:0:0"),)) == says
    assert found(folders=(("/opt/app", "0775+:0:0"), ("/opt", "0777:0:0"))) == says


def test_the_folders_that_are_open_are_told_and_no_others() -> None:
    server = Process(5, PATH, file="0775:0:50", folders=(("/opt/app", "0777:0:0"),))
    (finding,) = judged(host(port("tcp/0.0.0.0:80", server)), "", NAME)
    assert finding.message == f"group 50 and every user may change {PATH}, which user root runs"
    assert finding.observed == f"tcp/0.0.0.0:80: {PATH} is mode 0775, owner 0, group 50, /opt/app is mode 0777, owner 0, group 0"


@pytest.mark.parametrize("mark", [DELETED, ELSEWHERE, DELETED + ELSEWHERE, FORGEABLE, DELETED + FORGEABLE])
def test_of_a_file_that_is_not_the_one_at_its_path_it_alone_is_judged(mark: str) -> None:
    assert found(executable=PATH + mark) == ["pass"]
    assert found(executable=PATH + mark, file="0755:1000:0") == [f"user 1000 may change {PATH}{mark}, which user root runs"]


@pytest.mark.parametrize(
    ("root", "file", "uid", "says"),
    [
        ("100000:100000", "0755:100000:100000", 100033, ["pass"]),
        ("100000:100000", "0775:100000:100000", 100033, ["pass"]),
        ("100000:100000", "0755:100001:100000", 100033, [f"user 100001 may change {PATH}{ELSEWHERE}, which user 100033 runs"]),
        ("0:0", "0755:100000:100000", 100033, [f"user 100000 may change {PATH}{ELSEWHERE}, which user 100033 runs"]),
        (None, "0755:100000:100000", 100033, [f"user 100000 may change {PATH}{ELSEWHERE}, which user 100033 runs"]),
        ("", "0755:100000:100000", 100033, ["unknown"]),
        ("", "0755:0:0", 100033, ["pass"]),
        ("", "0777:100000:0", 100033, [f"every user may change {PATH}{ELSEWHERE}, which user 100033 runs", "unknown"]),
    ],
)
def test_root_of_the_containers_own_user_namespace_is_root_there(root: str | None, file: str, uid: int, says: list[str]) -> None:
    assert found(executable=PATH + ELSEWHERE, root=root, file=file, uid=uid) == says


def test_what_is_in_memory_and_the_kernels_own_have_no_file_to_be_changed() -> None:
    assert found(executable="/memfd:x (deleted)", file="0777:1000:1000") == ["pass"]
    assert found(executable=None) == ["pass"]


def test_what_an_older_bundle_or_an_odd_row_does_not_show_is_unknown() -> None:
    assert outcomes(judged(without_files(host(port("tcp/0.0.0.0:22", SSHD))), "", NAME)) == ["unknown host"]
    for file in ("", "755", "0855:0:0", "0755:0", "0755:0:0:0", "0755:-1:0", "0755::0", "rwxr-xr-x:0:0", "+:0:0"):
        assert found(file=file) == ["unknown"], file
    for mark in ("*", "++", "+?", " "):
        assert found(file=f"0755{mark}:0:0") == ["unknown"], mark
    for rights in ("", "x", "0755:0"):
        assert found(folders=(("/opt", rights),)) == ["unknown"], rights


def test_a_file_that_is_open_is_told_though_its_folders_are_not_shown() -> None:
    assert found(file="0777:0:0", folders=(("/opt", ""),)) == [f"every user may change {PATH}, which user root runs", "unknown"]


def test_what_is_not_known_of_the_file_hides_no_folder() -> None:
    server = Process(5, PATH, 33, file="0755:100000:0", root="", folders=(("/opt", "0777:0:0"),))
    (fail, unknown) = judged(host(port("tcp/0.0.0.0:80", server)), "", NAME)
    assert (fail.message, unknown.outcome) == (f"every user may change {PATH}, which user www-data runs", "unknown")


def test_holders_that_were_not_seen_make_it_unknown_and_hide_nothing() -> None:
    open_file = Process(5, PATH, file="0777:0:0")
    blind = {"rights": NO_RIGHTS, "unreadable": [4]}
    assert outcomes(judged(host(port("tcp/0.0.0.0:80", open_file), **blind), "", NAME)) == [f"fail high host {PATH}", "unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:80", SSHD), **blind), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:80", Process(4, ""), open_file)), "", NAME)) == [f"fail high host {PATH}", "unknown host"]


def test_it_is_for_linux() -> None:
    assert {one.outcome for one in judged(interpreted(FREEBSD.bundle()), "", NAME)} == {"notapplicable"}
