"""capability-on-interpreter: what does as it is told must not be able to take privileged ports."""

from __future__ import annotations

import pytest

from tests.bundles import BINDS, THRESHOLD, Granting, container, host, interpreted, judged, outcomes
from tests.saved_hosts import FREEBSD

NAME = "capability-on-interpreter"
RAW = "0100000200200000000000000000000000000000"
INHERITABLE = "0000000200000000000400000000000000000000"
OF_A_USER = "0100000300040000000000000000000000000000e8030000"


def found(*files: Granting, **more: object) -> list[str]:
    """Outcome, and the message where it failed."""
    return [one.message if one.outcome == "fail" else one.outcome for one in judged(host(granting=files, **more), "", NAME)]


def test_a_copy_under_another_name_is_found_by_its_bytes() -> None:
    (finding,) = judged(host(granting=[Granting("/opt/webapp", same="/usr/bin/python3.11")]), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "high", "file-capability /opt/webapp")
    assert finding.message == "everyone can take privileged ports by /opt/webapp, which is python and does what it is told"
    assert finding.observed == (
        "/opt/webapp has the extended attribute security.capability: revision 2, cap_net_bind_service=ep; the effective flag is set: who"
        " runs it has the capability in force at once; its bytes are those of /usr/bin/python3.11: it is python, which runs what its"
        " caller gives it; it is mode 0755, owner 0, group 0: everyone may run it; so everyone may bind 1-1023 by it"
    )
    assert (finding.expected, finding.source) == (
        "no interpreter, shell or relay with CAP_NET_BIND_SERVICE", "security.capability of /opt/webapp")  # fmt: skip


@pytest.mark.parametrize(
    ("path", "name"),
    [("/usr/bin/python3.11", "python"), ("/usr/bin/nc.openbsd", "netcat"), ("/bin/busybox", "busybox"), ("/opt/bin/node18", "node")],
)
def test_one_is_found_by_its_name(path: str, name: str) -> None:
    assert found(Granting(path)) == [f"everyone can take privileged ports by {path}, which is {name} and does what it is told"]


def test_one_that_a_group_may_run_names_the_group() -> None:
    only_group = Granting("/opt/webapp", file="0750:0:33", same="/usr/bin/perl")
    assert found(only_group) == ["group 33 can take privileged ports by /opt/webapp, which is perl and does what it is told"]


def test_one_that_only_the_program_itself_can_raise_counts_too() -> None:
    assert len(judged(host(granting=[Granting("/usr/bin/perl", BINDS.replace("01000002", "00000002"))]), "", NAME)) == 1


@pytest.mark.parametrize(
    "file",
    [
        Granting("/usr/sbin/webd"),
        Granting("/usr/bin/python3.11", RAW),
        Granting("/usr/bin/python3.11", INHERITABLE),
        Granting("/usr/bin/python3.11", OF_A_USER),
        Granting("/usr/bin/python3.11", mount="nosuid"),
        Granting("/usr/bin/python3.11", file="0700:0:0"),
        Granting("/usr/bin/python3.11", folders=(("/usr/bin", "0700:0:0"),)),
    ],
)
def test_what_is_none_or_gives_nobody_anything_passes(file: Granting) -> None:
    assert found(file) == ["pass"]


def test_a_host_without_such_files_passes() -> None:
    assert found() == ["pass"]


def test_where_no_port_is_privileged_nothing_is_given() -> None:
    assert found(Granting("/usr/bin/python3.11"), settings={THRESHOLD: "0"}) == ["pass"]


def test_one_that_was_not_compared_is_unknown_and_hides_no_other() -> None:
    (fail, unknown) = found(Granting("/opt/big", same=""), Granting("/usr/bin/perl"))
    assert fail.startswith("everyone can take privileged ports by /usr/bin/perl")
    assert unknown == "unknown"


def test_a_search_that_was_cut_short_is_unknown_beside_what_was_found() -> None:
    late = {"not_searched": [("search", "/srv", "time", "", 1, "/srv")]}
    assert found(**late) == ["unknown"]
    assert [one.outcome for one in judged(host(granting=[Granting("/usr/bin/perl")], **late), "", NAME)] == ["fail", "unknown"]


def test_it_is_for_the_hosts_own_stack_of_linux() -> None:
    assert outcomes(judged(host(others=[container("ab" * 32)]), "", NAME)) == ["notapplicable container:" + "ab" * 6, "pass host"]
    assert {one.outcome for one in judged(interpreted(FREEBSD.bundle()), "", NAME)} == {"notapplicable"}
