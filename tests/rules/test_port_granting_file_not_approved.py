"""port-granting-file-not-approved: a file that gives privileged ports must be one whose path the policy names."""

from __future__ import annotations

import pytest

from tests.bundles import Granting, Process, container, host, interpreted, judged, outcomes, port
from tests.saved_hosts import FREEBSD

NAME = "port-granting-file-not-approved"
PATH = "/opt/app/bin/webd"


def policy(*entries: str) -> str:
    return f"privileged: {{granted_to: [{', '.join(entries)}]}}\n"


def found(*entries: str, files: tuple[Granting, ...] = (Granting(PATH),), **more: object) -> list[str]:
    """Each outcome and subject by a policy with these holders."""
    said = judged(host(granting=files, **more), policy(*entries), NAME)
    return [f"{one.outcome} {one.subject}" if one.outcome == "fail" else one.outcome for one in said]


def test_one_that_no_entry_names_is_told_with_what_it_gives() -> None:
    (finding,) = judged(host(granting=[Granting(PATH)]), policy("{executable: /usr/sbin/nginx}"), NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", f"file-capability {PATH}")
    assert finding.message == f"{PATH} gives everyone privileged ports, and the policy names no such file"
    assert str(finding.observed).endswith("so everyone may bind 1-1023 by it")
    assert finding.expected == "one of the 1 holders whose executable the policy names"
    assert str(finding.source).endswith("site.yaml:2")


@pytest.mark.parametrize(
    "entry",
    [
        f"{{executable: {PATH}}}",
        '{executable: "/opt/app/*"}',
        f"{{executable: [/usr/sbin/nginx, {PATH}]}}",
        f"{{executable: {PATH}, user: www-data}}",
        f"{{executable: {PATH}, unit: web.service}}",
    ],
)
def test_one_that_an_entry_names_passes(entry: str) -> None:
    assert found(entry) == ["pass"]


@pytest.mark.parametrize(
    "entry",
    [
        "{user: root}", "{user: {not: nobody}}", "{unit: web.service}", "{container: web}", "{process: webd}", "{executable: deleted}",
        "{executable: /opt/app/bin/web}", '{executable: "/opt/app/*/x"}', "{executable: /opt/app/bin}",
    ],
)  # fmt: skip
def test_an_entry_of_anything_else_approves_no_file(entry: str) -> None:
    assert found(entry) == [f"fail file-capability {PATH}"]


def test_one_entry_of_several_is_enough_and_none_is_too_little() -> None:
    assert found("{user: root}", f"{{executable: {PATH}}}") == ["pass"]
    assert found() == [f"fail file-capability {PATH}"]


def test_each_file_is_one_finding() -> None:
    assert found("{executable: /a}", files=(Granting("/a"), Granting("/b"), Granting("/c"))) == [
        "fail file-capability /b", "fail file-capability /c"]  # fmt: skip


def test_one_that_gives_no_port_needs_no_approval() -> None:
    assert found(files=(Granting(PATH, mount="nosuid"),)) == ["pass"]


def test_a_set_user_id_program_that_listens_is_such_a_file_too() -> None:
    helper = Process(9, "/usr/lib/helper", 0, file="4755:0:0")
    of = host(port("tcp/0.0.0.0:80", helper))
    assert outcomes(judged(of, policy("{user: root}"), NAME)) == ["fail medium host setuid /usr/lib/helper"]
    assert outcomes(judged(of, policy("{executable: /usr/lib/helper}"), NAME)) == ["pass host"]


def test_a_policy_that_names_nobody_is_not_checked() -> None:
    assert [one.outcome for one in judged(host(granting=[Granting(PATH)]), "", NAME)] == ["notchecked"]


def test_a_search_that_was_cut_short_is_unknown_beside_what_was_found() -> None:
    late = [("search", "/srv", "time", "", 1, "/srv")]
    assert found("{user: root}", not_searched=late) == [f"fail file-capability {PATH}", "unknown"]
    assert found(f"{{executable: {PATH}}}", not_searched=late) == ["unknown"]


def test_it_is_for_the_hosts_own_stack_of_linux() -> None:
    said = judged(host(others=[container("ab" * 32)]), policy("{user: root}"), NAME)
    assert outcomes(said) == ["notapplicable container:" + "ab" * 6, "pass host"]
    assert {one.outcome for one in judged(interpreted(FREEBSD.bundle()), policy("{user: root}"), NAME)} == {"notapplicable"}
