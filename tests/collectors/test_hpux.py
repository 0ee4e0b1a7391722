"""HP-UX: ndd's settings of TCP and of UDP, netstat without owners, and what is unknown where a setting was not read."""

from __future__ import annotations

import pytest

from auditor.collectors import hpux
from auditor.evidence import Answer
from auditor.model import Snapshot
from tests.bundles import judged
from tests.collectors.told import Told, bundled, host, open_questions, own, spans, whys

SHIPPED = {
    f"{protocol}_{name}": value
    for protocol in ("tcp", "udp")
    for name, value in (("smallest_anon_port", 49152), ("largest_anon_port", 65535), ("smallest_nonpriv_port", 1024))
}
HEAD = "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
INET: Told = (
    "netstat -an -f inet",
    "Active Internet connections (including servers)\n"
    + HEAD
    + "tcp        0      0  *.8443                 *.*                    LISTEN\n"
    "tcp        0      0  127.0.0.1.50021        *.*                    LISTEN\n"
    "udp        0      0  *.514                  *.*\n",
)
INET6: Told = ("netstat -an -f inet6", "Active Internet connections (IPv6, including servers)\n" + HEAD)


def ndd(values: dict[str, int]) -> tuple[Told, ...]:
    return tuple((f"ndd -get /dev/{name[:3]} {name}", f"{value}\n") for name, value in values.items())


def hp(*told: Told, **changed: int | None) -> Snapshot:
    """A host with the shipped settings, but for those `changed`; None is not asked."""
    values = {name: value for name, value in {**SHIPPED, **changed}.items() if value is not None}
    return host("HP-UX", INET, INET6, *ndd(values), *told, release="B.11.31")


def test_the_row_of_the_stratus_page_is_what_a_stock_host_has() -> None:
    stack = own(hp())
    assert (spans(stack.ephemeral), stack.ephemeral.gaps) == (["tcp 49152-65535", "udp 49152-65535"], ())
    assert (spans(stack.privileged), stack.privileged.gaps) == (["tcp 1-1023", "udp 1-1023"], ())
    assert (stack.ephemeral.basis, stack.privileged.basis) == ("read", "derived")
    for rule in ("ephemeral-range-differs-from-vendor", "privileged-range-lowered"):
        assert [f.outcome for f in judged(hp(), "", rule)] == ["pass"]


def test_a_lowered_threshold_of_one_protocol_is_found() -> None:
    (finding,) = judged(hp(udp_smallest_nonpriv_port=512), "", "privileged-range-lowered")
    assert (finding.outcome, finding.severity, finding.message) == ("fail", "high", "any user may bind 512-1023 (udp)")


def test_a_threshold_that_was_not_read_is_unknown_of_its_protocol_and_never_passes() -> None:
    snapshot = hp(udp_smallest_nonpriv_port=None)
    known = own(snapshot).privileged
    assert (spans(known), open_questions(known)) == (["tcp 1-1023"], ["udp"])
    assert "udp_smallest_nonpriv_port" in whys(known)
    assert [f.outcome for f in judged(snapshot, "", "privileged-range-lowered")] == ["unknown"]
    lowered = hp(udp_smallest_nonpriv_port=None, tcp_smallest_nonpriv_port=80)
    assert sorted(f.outcome for f in judged(lowered, "", "privileged-range-lowered")) == ["fail", "unknown"]


def test_a_changed_range_is_told_with_its_protocol() -> None:
    found = judged(hp(tcp_smallest_anon_port=20000), "", "ephemeral-range-differs-from-vendor")
    assert [(f.outcome, f.subject.rpartition(" ")[2]) for f in found] == [("fail", "(tcp)")]


def test_a_range_of_which_the_kernel_checks_nothing_may_be_the_wrong_way_round() -> None:
    known = own(hp(tcp_smallest_anon_port=60000, tcp_largest_anon_port=50000)).ephemeral
    assert (spans(known), open_questions(known)) == (["udp 49152-65535"], ["tcp"])


def test_netstat_shows_no_holders_and_the_report_says_so() -> None:
    snapshot = hp()
    assert {one.owner_state for one in own(snapshot).listening.seen} == {"unreadable"}
    assert "Listeners matched by port and address only: no answer shows who holds them." in snapshot.limits
    assert [one.numbered_subject for one in own(snapshot).listening.seen] == ["tcp/0.0.0.0:8443", "tcp/127.0.0.1:50021", "udp/0.0.0.0:514"]
    assert own(snapshot).listening.gaps == ()


def test_lsof_names_the_holders_where_it_is_installed() -> None:
    lsof = (
        "lsof -nP -i",
        "COMMAND   PID USER   FD   TYPE     DEVICE SIZE/OFF NODE NAME\n"
        "heron    2211 root    5u  IPv4 0x70a1b2c3      0t0  TCP *:8443 (LISTEN)\n",
    )
    id_u = ("id -u", "0\n")
    sockets = {one.numbered_subject: one for one in own(hp(lsof, id_u)).listening.seen}
    assert [owner.shown["process"] for owner in sockets["tcp/0.0.0.0:8443"].shown["owners_seen"]] == ["heron"]


def test_a_listener_in_the_range_of_its_protocol_is_found() -> None:
    found = judged(hp(), "", "listener-in-ephemeral-range")
    assert [(f.outcome, f.observed) for f in found] == [("fail", "tcp/127.0.0.1:50021")]


def test_a_setting_that_the_release_does_not_have_is_a_gap_and_not_a_default() -> None:
    name = "tcp_smallest_nonpriv_port"
    refused = Answer("settings", f"ndd -get /dev/tcp {name}", b"", "1", stderr=b"operation failed, Invalid argument\n")
    known = own(bundled("HP-UX", refused, release="B.11.31")).privileged
    assert (known.seen, open_questions(known)) == ((), ["tcp", "udp"])


@pytest.mark.parametrize("release", ["B.11.31", "B.10.20", None])
def test_ranges_that_were_read_hold_whatever_the_release(release: str | None) -> None:
    snapshot = host("HP-UX", *ndd(SHIPPED), release=release)
    assert spans(own(snapshot).ephemeral) == ["tcp 49152-65535", "udp 49152-65535"]


def test_the_probes_only_ask() -> None:
    for probe in hpux.COLLECTOR.probes:
        assert probe.argv[0] in ("ndd", "netstat", "lsof", "env", "cat")
        assert "-set" not in probe.argv
    assert {probe.argv[-1] for probe in hpux.COLLECTOR.probes if probe.argv[0] == "ndd"} == set(SHIPPED)
