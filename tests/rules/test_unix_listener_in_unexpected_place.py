"""unix-listener-in-unexpected-place: below one of the policy's folders, by whole names, where others reach it."""

# ruff: noqa: S108 - /tmp is what it is about

from __future__ import annotations

import pytest

from tests.bundles import AGENT, bundle, host, interpreted, judged, outcomes
from tests.made_endpoints import STICKY, Packet, Unix

NAME = "unix-listener-in-unexpected-place"
BY = f"rules: {{{NAME}: {{folders: [/tmp, /dev/shm/], except: [/tmp/.X11-unix]}}}}\n"
TMP = (("/tmp", STICKY),)
BASELINE = "extends: baseline\n"


def test_a_socket_in_tmp_is_named_with_who_holds_it() -> None:
    (finding,) = judged(host(endpoints=(Unix("/tmp/.s.PGSQL.5432", (AGENT,), folders=TMP),)), BY, NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "unix /tmp/.s.PGSQL.5432")
    assert finding.message == "/tmp/.s.PGSQL.5432 lies in /tmp, where any user may put a socket"
    assert finding.observed == "process agent, executable /usr/sbin/agent, user root, unit agent.service"
    assert finding.expected == "no socket under /tmp, /dev/shm/ that others use"


@pytest.mark.parametrize("path", ["/tmp/a", "/tmp/a/b", "/dev/shm/x", "/tmp/.X11-unix2/x", "/tmp/.X11-unix"])
def test_it_goes_by_whole_names(path: str) -> None:
    assert outcomes(judged(host(endpoints=(Unix(path, (AGENT,)),)), BY, NAME)) == [f"fail low host unix {path}"]


@pytest.mark.parametrize("path", ["/run/x", "/tmpfiles/x", "/srv/tmp/x", "/dev/shmx", "/tmp/.X11-unix/X0", "@/tmp/x", "@/tmp/.X11-unix/X0"])
def test_other_places_are_none(path: str) -> None:
    assert outcomes(judged(host(endpoints=(Unix(path, (AGENT,)), Packet((AGENT,)))), BY, NAME)) == ["pass host"]


@pytest.mark.parametrize(
    "one",
    [
        Unix("/tmp/tmux-1000/default", (AGENT,), folders=(*TMP, ("/tmp/tmux-1000", "0700:1000:1000"))),
        Unix("/tmp/ssh-x/agent.5", (AGENT,), file="", folders=(*TMP, ("/tmp/ssh-x", "0700:1000:1000"))),
        Unix("/tmp/x", (AGENT,), file="0600:1000:1000", folders=TMP),
        Unix("/tmp/x", (AGENT,), file=None),
    ],
)
def test_one_that_its_owner_alone_reaches_is_none(one: Unix) -> None:
    assert outcomes(judged(host(endpoints=(one,)), BY, NAME)) == ["pass host"]


def test_a_group_that_reaches_it_is_others() -> None:
    of = host(endpoints=(Unix("/tmp/a/x", (AGENT,), file="0660:0:33", folders=(*TMP, ("/tmp/a", "0750:0:33"))),))
    assert outcomes(judged(of, BY, NAME)) == ["fail low host unix /tmp/a/x"]


def test_what_a_link_leads_to_counts_and_where_a_relative_path_lies() -> None:
    of = host(endpoints=(Unix("/run/x", (AGENT,), at="/tmp/x"), Unix("y", (AGENT,), at="/tmp/y")))
    assert outcomes(judged(of, BY, NAME)) == ["fail low host unix /run/x", "fail low host unix /tmp/y"]


@pytest.mark.parametrize("one", [Unix("/tmp/x", file=""), Unix("/tmp/a/x", folders=(("/tmp/a", "?"),)), Unix("x", folders=None)])
def test_where_it_is_not_shown_who_reaches_it_or_where_it_lies_it_is_unknown(one: Unix) -> None:
    found = outcomes(judged(host(endpoints=(one, Unix("/tmp/seen", (AGENT,)))), BY, NAME))
    assert found == ["fail low host unix /tmp/seen", "unknown host"]


def test_one_elsewhere_need_not_be_shown() -> None:
    assert outcomes(judged(host(endpoints=(Unix("/run/x", file=""),)), BY, NAME)) == ["pass host"]


@pytest.mark.parametrize("path", ["/tmp/x", "/var/tmp/x", "/dev/shm/x"])
def test_the_baseline_names_the_usual_folders(path: str) -> None:
    assert outcomes(judged(host(endpoints=(Unix(path, (AGENT,)),)), BASELINE, NAME)) == [f"fail low host unix {path}"]


@pytest.mark.parametrize("path", ["/tmp/.X11-unix/X0", "/tmp/.ICE-unix/900"])
def test_the_baseline_leaves_out_those_of_x11(path: str) -> None:
    assert outcomes(judged(host(endpoints=(Unix(path, (AGENT,)),)), BASELINE, NAME)) == ["pass host"]


def test_without_a_list_or_without_the_part_it_is_not_checked() -> None:
    of = host(endpoints=(Unix("/tmp/x", (AGENT,)),))
    (finding,) = judged(of, "", NAME)
    assert (finding.outcome, finding.message) == ("notchecked", "the policy gives no `folders` for it")
    assert outcomes(judged(interpreted(bundle(of.answers(), {**of.head(), "asked": "ports"})), BY, NAME)) == ["notchecked host"]
