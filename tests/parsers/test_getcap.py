"""getcap: files with CAP_NET_BIND_SERVICE, in libcap's older and newer words."""

from __future__ import annotations

import pytest

from auditor.parsers import getcap
from auditor.parsers.getcap import FileCapabilities
from auditor.reading import Output
from tests.parsers import laws

NEW = "/usr/bin/ping cap_net_raw=ep\n/srv/httpd cap_net_bind_service=ep\n/srv/a b cap_net_bind_service,cap_net_raw=eip cap_chown+p\n"
OLD = "/usr/bin/ping = cap_net_raw+ep\n/srv/httpd = cap_net_bind_service+ep\n"


def read(text: str, command: str = "getcap -r /") -> FileCapabilities:
    output = Output(command, text)
    found = getcap.parse(output)
    laws.accounted(output, found)
    return found


def sets(text: str) -> dict[str, str]:
    return {one.path: "".join(sorted(one.sets)) for one in read(text).found}


def test_the_newer_form_and_the_older_one_say_the_same() -> None:
    assert sets(NEW) == {"/srv/httpd": "ep", "/srv/a b": "eip"}
    assert sets(OLD) == {"/srv/httpd": "ep"}
    assert read(NEW).gaps == read(OLD).gaps == []


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("=ep", "ep"),
        ("all=ep", "ep"),
        ("10=p", "p"),
        ("= cap_net_bind_service+i", "i"),
        ("=eip cap_net_bind_service-ep", "i"),
        ("=eip cap_chown-e", "eip"),
        ("cap_net_bind_service=ep cap_net_bind_service-e", "p"),
        ("cap_net_bind_service+e-e+p", "p"),
        ("cap_chown,cap_net_bind_service+p", "p"),
        ("=ep cap_net_bind_service=", None),
        ("cap_net_bind_serviceable=ep", None),
        ("cap_chown=ep", None),
        ("=", None),
    ],
)
def test_clauses_are_taken_in_turn(clauses: str, expected: str | None) -> None:
    assert sets(f"/srv/x {clauses}\n") == ({} if expected is None else {"/srv/x": expected})
    assert read(f"/srv/x {clauses}\n").gaps == []


def test_the_root_of_a_user_namespace_is_told() -> None:
    (one,) = read("/srv/nested cap_net_bind_service=ep [rootid=1000]\n").found
    assert (one.path, one.root) == ("/srv/nested", 1000)


@pytest.mark.parametrize(
    "line",
    [
        "Failed to get capabilities of file `/x' (Operation not supported)",
        "/srv/x",
        "srv/x cap_net_bind_service=ep",
        "/srv/x cap_net_bind_service",
        "/srv/x cap_net_bind_service=q",
        "/srv/x CAP_NET_BIND_SERVICE=ep",
        "cap_net_bind_service=ep",
    ],
)
def test_a_line_that_tells_no_files_capabilities_is_a_gap(line: str) -> None:
    found = read(NEW + line + "\n")
    assert (len(found.found), [gap.line for gap in found.gaps]) == (2, [line])


def test_a_prompt_is_none_and_where_it_looked_is_known() -> None:
    found = read("root@web:~# getcap -r /\n" + NEW)
    assert (len(found.found), found.gaps, found.searched) == (2, [], ("/",))
    assert read(NEW, "getcap -r /usr/bin 2>/dev/null").searched == ("/usr/bin",)


def test_whatever_the_text_is_it_is_read() -> None:
    laws.total(getcap.parse, "getcap -r /", NEW + OLD)
