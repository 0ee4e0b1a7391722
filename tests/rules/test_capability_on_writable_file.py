"""capability-on-writable-file: who may change a file that gives privileged ports has them."""

from __future__ import annotations

import pytest

from tests.bundles import Granting, container, host, interpreted, judged, outcomes
from tests.saved_hosts import FREEBSD

NAME = "capability-on-writable-file"
PATH = "/opt/webd"


def found(**more: object) -> list[str]:
    """What is said of such a file with these properties: outcome, and the message where it failed."""
    file = Granting(**{"path": PATH, **more})  # type: ignore[arg-type]
    return [one.message if one.outcome == "fail" else one.outcome for one in judged(host(granting=[file]), "", NAME)]


def test_one_that_everybody_may_write_to_is_told_with_its_mode() -> None:
    (finding,) = judged(host(granting=[Granting(PATH, file="0777:0:0")]), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "high", f"file-capability {PATH}")
    assert finding.message == f"every user may change {PATH}, which gives everyone privileged ports"
    assert str(finding.observed).startswith(f"{PATH} is mode 0777, owner 0, group 0; {PATH} has the extended attribute")
    assert (finding.expected, finding.source) == ("changed by root alone", f"security.capability of {PATH}")


@pytest.mark.parametrize(
    ("file", "who"),
    [
        ("0755:0:0", None),
        ("0775:0:0", None),
        ("0757:0:0", "every user"),
        ("0775:0:50", "group 50"),
        ("0777:0:50", "every user and group 50"),
        ("0755:1000:0", "user 1000"),
        ("0555:1000:0", "user 1000"),
        ("0775:1000:50", "group 50 and user 1000"),
    ],
)
def test_whoever_may_change_it_but_root_is_named(file: str, who: str | None) -> None:
    assert found(file=file) == (["pass"] if who is None else [f"{who} may change {PATH}, which gives everyone privileged ports"])


def test_one_that_only_its_owner_may_run_is_its_owners_to_change() -> None:
    assert found(file="0700:1000:0") == [f"user 1000 may change {PATH}, which gives user ann privileged ports"]


def test_who_may_write_to_a_folder_above_it_cannot_keep_the_capability() -> None:
    assert found(folders=(("/opt", "0777:0:0"),)) == ["pass"]


def test_an_access_control_list_makes_it_unknown_and_hides_nobody() -> None:
    assert found(file="0775+:0:50") == ["unknown"]
    assert found(file="0775?:0:50") == ["unknown"]
    assert found(file="0775+:1000:50") == [f"user 1000 may change {PATH}, which gives everyone privileged ports", "unknown"]


def test_one_whose_mode_is_not_shown_is_unknown() -> None:
    assert found(file="") == ["unknown"]


@pytest.mark.parametrize("more", [{"mount": "nosuid"}, {"capability": "0100000200200000000000000000000000000000"}])
def test_one_that_gives_no_port_passes(more: dict[str, str]) -> None:
    assert found(file="0777:0:0", **more) == ["pass"]


def test_where_the_mount_is_not_shown_it_is_told_all_the_same() -> None:
    assert found(file="0777:0:0", mount="") == [f"every user may change {PATH}, which gives everyone privileged ports"]


def test_a_search_that_was_cut_short_is_unknown() -> None:
    of = host(not_searched=[("search", "/srv", "time", "", 1, "/srv")])
    assert [one.outcome for one in judged(of, "", NAME)] == ["unknown"]


def test_it_is_for_the_hosts_own_stack_of_linux() -> None:
    assert outcomes(judged(host(others=[container("ab" * 32)]), "", NAME)) == ["notapplicable container:" + "ab" * 6, "pass host"]
    assert {one.outcome for one in judged(interpreted(FREEBSD.bundle()), "", NAME)} == {"notapplicable"}
