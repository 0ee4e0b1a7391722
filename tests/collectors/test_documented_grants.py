"""Systems that cannot be asked who may take privileged ports: what their vendors' words and settings say, and what nobody can say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.binding import Grant
from auditor.facts import Facts
from tests.bundles import interpreted
from tests.collectors.test_vos import ACCESS, CLOSED, NETSTAT, OPENED, vos
from tests.collectors.told import Told, host, own, steps, ways, whys
from tests.saved_hosts import AIX, FTX, HPUX, WINDOWS, SavedHost

VOS_OPEN = "threshold low ports of VOS"


def grants(of: SavedHost, release: str | None = None, **texts: str) -> Facts[Grant]:
    return own(interpreted(replace(of, release=release or of.release, texts=of.texts | texts).bundle())).grants


# Windows


def test_on_windows_everybody_may_take_every_port() -> None:
    known = grants(WINDOWS)
    assert (ways(known), known.gaps, known.basis) == ({"threshold low ports of Windows": "everyone: 1-1023"}, (), "documented")
    assert "Windows asks for no privilege by a port's number" in steps(known, "threshold low ports of Windows")
    assert [one.everyone for one in known.seen] == [True]


def test_a_windows_of_no_known_release_is_unknown() -> None:
    known = own(host("Windows", ("netstat -ano", WINDOWS.texts["netstat -ano"]))).grants
    assert known.seen == ()
    assert "give the NT version" in whys(known)


# HP-UX, AIX, FTX


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (HPUX, "who was given a privilege of HP-UX"),
        (AIX, "whom role-based access control lets"),
        (FTX, "whether others than root may take the privileged ports of FTX is not documented"),
    ],
)
def test_root_may_and_who_else_is_unknown(of: SavedHost, why: str) -> None:
    known = grants(of)
    assert ways(known) == {"root root": "root: 1-1023"}
    assert [why in gap.why for gap in known.gaps] == [True]


@pytest.mark.parametrize("of", [HPUX, FTX])
def test_a_threshold_that_was_lowered_opens_the_ports_to_everybody(of: SavedHost) -> None:
    names = [f"ndd -get /dev/{protocol} {protocol}_smallest_nonpriv_port" for protocol in ("tcp", "udp")]
    known = grants(of, **{names[0]: "80\n"})
    assert ways(known) == {
        "root root, tcp": "root: 1-79 (tcp)",
        "root root, udp": "root: 1-1023 (udp)",
        "threshold smallest_nonpriv_port": "everyone: 80-1023 (tcp)",
    }
    none = grants(of, **dict.fromkeys(names, "0\n"))
    assert (ways(none), none.gaps) == ({"threshold smallest_nonpriv_port": "everyone: 1-1023"}, ())


def test_an_ftx_of_no_known_release_and_threshold_is_unknown() -> None:
    known = own(host("FTX", ("netstat -an", FTX.texts["netstat -an"]))).grants
    assert known.gaps
    assert not any("ports" in one.shown for one in known.seen)


# VOS


@pytest.mark.parametrize(
    ("release", "stack", "told", "expected", "why"),
    [
        ("15.2", "TCP_OS", CLOSED, {"privilege a privileged process": "privileged processes: 1-1023"}, "which processes are privileged"),
        ("15.2", "TCP_OS", OPENED, {VOS_OPEN: "everyone: 1-1023"}, ""),
        ("14.2", "TCP_OS", NETSTAT, {VOS_OPEN: "everyone: 1-1023"}, ""),
        ("15.2", "TCP_OS", NETSTAT, {"privilege a privileged process": "privileged processes: ?"}, "allow_unpriv_bind$"),
        ("15.2", "STCP", ACCESS, {"privilege *.SysAdmin of access_list_name": "*.SysAdmin: 1-1023"}, ""),
        ("15.2", "STCP", NETSTAT, {}, "who may write to the STCP device"),
        ("15.2", "STCP", ("display_access_list x", "w *.*\n"), {VOS_OPEN: "everyone: 1-1023"}, ""),
        ("15.2", None, NETSTAT, {}, "which stack it is"),
        (None, "TCP_OS", CLOSED, {}, "the release"),
    ],
)
def test_on_vos_the_release_the_stack_and_its_settings_decide(
    release: str | None, stack: str | None, told: Told, expected: dict[str, str], why: str
) -> None:
    known = own(vos(release, stack, told)).grants
    assert ways(known) == expected
    assert why in whys(known)
    assert bool(known.gaps) is bool(why)
    assert known.basis in ("documented", "derived")
