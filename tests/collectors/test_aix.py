"""AIX: no's ranges of TCP and of UDP, low ports by the vendor's word, and sockets of no single family."""

from __future__ import annotations

from auditor.collectors import aix
from tests.bundles import judged
from tests.collectors.told import Told, host, open_questions, own, spans

NAMES = ("tcp_ephemeral_low", "tcp_ephemeral_high", "udp_ephemeral_low", "udp_ephemeral_high")
STOCK: Told = ("no -a", "".join(f"{name:>30} = {value}\n" for name, value in zip(NAMES, (32768, 65535, 32768, 65535), strict=True)))
NETSTAT: Told = (
    "netstat -an",
    "Active Internet connections (including servers)\n"
    "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
    "tcp4       0      0  *.8443                 *.*                    LISTEN\n"
    "tcp6       0      0  *.22                   *.*                    LISTEN\n"
    "tcp        0      0  *.40000                *.*                    LISTEN\n"
    "udp4       0      0  192.0.2.7.514          *.*\n",
)


def test_each_protocol_has_the_range_that_no_prints() -> None:
    known = own(host("AIX", STOCK, release="2")).ephemeral
    assert (spans(known), known.gaps, known.basis) == (["tcp 32768-65535", "udp 32768-65535"], (), "read")


def test_one_name_at_a_time_says_the_same() -> None:
    told = [(f"no -o {name}", f"{name} = {value}\n") for name, value in zip(NAMES, (40000, 50000, 32768, 65535), strict=True)]
    snapshot = host("AIX", *told, release="2")
    assert spans(own(snapshot).ephemeral) == ["tcp 40000-50000", "udp 32768-65535"]
    assert [f.outcome for f in judged(snapshot, "", "ephemeral-range-differs-from-vendor")] == ["fail"]


def test_what_was_left_out_by_a_filter_is_unknown() -> None:
    known = own(host("AIX", ("no -a | fgrep tcp_ephemeral", "".join(STOCK[1].splitlines(keepends=True)[:2])))).ephemeral
    assert (spans(known), open_questions(known)) == (["tcp 32768-65535"], ["udp"])


def test_a_range_the_wrong_way_round_is_unknown() -> None:
    told = (STOCK[0], STOCK[1].replace("udp_ephemeral_low = 32768", "udp_ephemeral_low = 65536"))
    assert open_questions(own(host("AIX", told)).ephemeral) == ["udp"]


def test_low_ports_are_privileged_by_the_vendors_word_which_is_not_compared_with_itself() -> None:
    snapshot = host("AIX", STOCK, NETSTAT, release="2")
    known = own(snapshot).privileged
    assert (spans(known), known.basis, known.gaps) == (["1-1023"], "documented", ())
    assert [f.outcome for f in judged(snapshot, "", "privileged-range-lowered")] == ["notchecked"]
    assert [f.outcome for f in judged(snapshot, "", "ephemeral-range-differs-from-vendor")] == ["pass"]
    assert "Ranges documented for release 2, not read." not in snapshot.limits
    assert "Privileged ports documented for release 2, not read." in snapshot.limits


def test_sockets_of_no_single_family_are_not_guessed_at() -> None:
    snapshot = host("AIX", STOCK, NETSTAT, release="2")
    sockets = {(one.protocol, one.port): one for one in own(snapshot).listening.seen}
    assert (sockets["tcp", 40000].family, sockets["tcp", 40000].address) == ("unknown", "*")
    assert {one.owner_state for one in sockets.values()} == {"unreadable"}
    found = judged(snapshot, "", "listener-in-ephemeral-range")
    assert [(f.outcome, f.observed) for f in found] == [("fail", "tcp/*:40000")]


def test_the_probes_only_ask() -> None:
    for probe in aix.COLLECTOR.probes:
        assert probe.argv[0] in ("no", "netstat", "lsof", "ps", "ifconfig", "cat")
        assert not {"rmsock", "-p", "-r", "-d"} & set(probe.argv)
        assert not any("=" in word for word in probe.argv)
