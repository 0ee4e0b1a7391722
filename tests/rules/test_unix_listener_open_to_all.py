"""unix-listener-open-to-all: a file that everybody may write, below folders that everybody may search."""

from __future__ import annotations

import pytest

from tests.bundles import AGENT, INIT, bundle, host, interpreted, judged, outcomes
from tests.made_endpoints import Packet, Raw, Unix

NAME = "unix-listener-open-to-all"
DECLARED = (("agent.socket", "ListenStream", "/run/agent"),)


def test_a_socket_that_every_user_may_write_to_is_told_with_its_mode() -> None:
    (finding,) = judged(host(endpoints=(Unix("/run/x", (AGENT,), file="0666:0:0"),)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "info", "unix /run/x")
    assert finding.message == "every user may write to /run/x (mode 0666) and search every folder above it"
    assert finding.observed == "process agent, executable /usr/sbin/agent, user root, unit agent.service"


def test_the_unit_that_declares_it_is_named() -> None:
    (finding,) = judged(host(endpoints=(Unix("/run/agent", (INIT,)),), units=DECLARED), "", NAME)
    assert finding.observed is not None
    assert finding.observed.endswith("; declared by agent.socket")


@pytest.mark.parametrize(
    "one",
    [
        Unix("/run/x", (AGENT,), file="0660:0:0"),
        Unix("/run/x", (AGENT,), file="0775:0:0"),
        Unix("/run/a/x", (AGENT,), folders=(("/run/a", "0750:0:33"),)),
        Unix("/run/a/x", (AGENT,), folders=(("/run", "0711:0:33"), ("/", "0700:0:0"))),
        Unix("/run/x", (AGENT,), file=None),
        Unix("/run/a/x", (AGENT,), file="", folders=(("/run/a", "0700:5:5"),)),
        Unix("@x", (AGENT,)),
        Packet((AGENT,)),
        Raw((AGENT,)),
    ],
)
def test_one_that_not_everybody_reaches_is_none(one: Packet | Raw | Unix) -> None:
    assert outcomes(judged(host(endpoints=(one,)), "", NAME)) == ["pass host"]


def test_folders_that_may_be_searched_but_not_read_keep_nobody_out() -> None:
    of = host(endpoints=(Unix("/run/a/x", (AGENT,), folders=(("/run/a", "0711:0:0"),)),))
    assert outcomes(judged(of, "", NAME)) == ["fail info host unix /run/a/x"]


@pytest.mark.parametrize("one", [Unix("/run/a/x", file=""), Unix("/run/a/x", folders=(("/run/a", "?"),)), Unix("left", folders=None)])
def test_where_it_is_not_shown_who_may_it_is_unknown_and_others_are_judged(one: Unix) -> None:
    found = outcomes(judged(host(endpoints=(one, Unix("/run/y", (AGENT,)))), "", NAME))
    assert found == ["fail info host unix /run/y", "unknown host"]


def test_the_baseline_has_it_off_and_without_the_part_it_is_not_checked() -> None:
    of = host(endpoints=(Unix("/run/x", (AGENT,)),))
    assert outcomes(judged(of, "extends: baseline\n", NAME)) == ["notselected host"]
    assert outcomes(judged(interpreted(bundle(of.answers(), {**of.head(), "asked": "ports"})), "", NAME)) == ["notchecked host"]
