"""Linux from pasted commands: the threshold, root, files that getcap lists, and what such a paste does not show."""

from __future__ import annotations

import pytest

from auditor.binding import Grant
from auditor.facts import Facts
from tests.bundles import stack_of
from tests.collectors.test_linux_saved import RANGE, SS, THRESHOLD, settings
from tests.collectors.told import Told, host, own, steps, ways, whys

GETCAP: Told = (
    "getcap -r / 2>/dev/null",
    "/usr/bin/ping cap_net_raw=ep\n/usr/bin/python3.11 cap_net_bind_service=ep\n/srv/httpd = cap_net_bind_service+p\n",
)
NOBODY = "the pasted commands do not show who has CAP_NET_BIND_SERVICE (getcap -r / shows the files)"
NO_PROCESS = "the pasted commands do not show which processes and units have CAP_NET_BIND_SERVICE"


def grants(*told: Told) -> Facts[Grant]:
    return own(host("Linux", *told, release="6.12.1")).grants


def test_settings_alone_do_not_show_who_has_the_capability() -> None:
    known = grants(settings())
    assert (ways(known), whys(known)) == ({"root root": "root: 1-1023"}, NOBODY)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [("80", {"root root": "root: 1-79", f"threshold {THRESHOLD}": "everyone: 80-1023"}), ("2000", {"root root": "root: 1-1999"})],
)
def test_a_lowered_threshold_is_everybodys(threshold: str, expected: dict[str, str]) -> None:
    known = grants(settings(threshold, ephemeral="32768\t60999"))
    assert ways(known) == expected
    if threshold == "80":
        assert steps(known, f"threshold {THRESHOLD}").startswith(f"{THRESHOLD} is 80; ")


def test_where_no_port_is_privileged_nobody_needs_the_capability() -> None:
    known = grants(settings("0"), GETCAP)
    assert (ways(known), known.gaps) == ({f"threshold {THRESHOLD}": "everyone: 1-1023"}, ())


def test_what_getcap_lists_gives_whoever_may_run_it_the_ports() -> None:
    known = grants(settings(), GETCAP)
    assert (ways(known), whys(known)) == (
        {
            "root root": "root: 1-1023",
            "file-capability /usr/bin/python3.11": "whoever may run /usr/bin/python3.11: 1-1023",
            "file-capability /srv/httpd": "whoever may run /srv/httpd: 1-1023",
        },
        NO_PROCESS,
    )
    python, httpd = (one for one in known.seen if one.path == "file-capability")
    assert python.interpreter == "python"
    assert "by its name it is python" in "; ".join(python.via)
    assert (httpd.executable, httpd.root) == ("/srv/httpd", False)
    assert {"file", "everyone", "interpreter"} & set(httpd.shown) == set(), "its mode and its bytes are not shown"
    assert "the program itself has to raise it" in "; ".join(httpd.via)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/srv/x cap_net_bind_service=ei", "it is inheritable only"),
        ("/srv/x cap_net_bind_service=ep [rootid=1000]", "whose root is user 1000, not in the host's own"),
    ],
)
def test_a_file_that_gives_nothing_is_listed_with_the_reason(line: str, why: str) -> None:
    known = grants(settings(), ("getcap -rn /", line + "\n"))
    assert ways(known)["file-capability /srv/x"] == "whoever may run /srv/x: none"
    assert why in steps(known, "file-capability /srv/x")


def test_a_search_of_one_folder_leaves_the_other_files_open() -> None:
    known = grants(settings(), ("getcap -r /srv", "/srv/httpd cap_net_bind_service=ep\n"))
    assert whys(known) == NOBODY


def test_a_line_of_getcap_that_cannot_be_read_is_a_gap_and_costs_no_other() -> None:
    known = grants(settings(), (GETCAP[0], GETCAP[1] + "Failed to get capabilities of file `/x' (Input/output error)\n"))
    assert "file-capability /srv/httpd" in ways(known)
    assert "files with capabilities: a line of getcap tells no file's capabilities" in whys(known)


def test_a_filtered_search_is_not_whole() -> None:
    known = grants(settings(), ("getcap -r / | grep bin", GETCAP[1]))
    assert "its output was filtered, by grep bin" in whys(known)


def test_without_the_threshold_which_ports_is_not_said() -> None:
    known = grants((f"sysctl {RANGE}", f"{RANGE} = 32768\t60999\n"), GETCAP)
    assert ways(known) == {
        "file-capability /usr/bin/python3.11": "whoever may run /usr/bin/python3.11: ?",
        "file-capability /srv/httpd": "whoever may run /srv/httpd: ?",
    }
    assert f"no answer states {THRESHOLD}" in whys(known)


def test_files_of_the_host_are_not_told_of_another_stack() -> None:
    snapshot = host("Linux", settings(), GETCAP, (f"ip netns exec blue {settings()[0]}", settings()[1]), SS, release="6.12.1")
    assert set(ways(stack_of(snapshot, "blue").grants)) == {"root root"}
    assert NOBODY in whys(stack_of(snapshot, "blue").grants)
