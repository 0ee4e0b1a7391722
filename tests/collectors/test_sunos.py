"""Solaris and illumos: the settings of TCP, UDP and SCTP by ndd or ipadm, ports that need privileges of their own, and zones."""

from __future__ import annotations

import pytest

from auditor.collectors import sunos
from auditor.evidence import Answer
from auditor.model import Snapshot
from tests.collectors.told import Told, bundled, host, judged, open_questions, own, spans, whys

GLOBAL: Told = ("zoneadm list -cp", "0:global:running:/::ipkg:shared\n")
TCP4 = (
    "TCP: IPv4\n   Local Address        Remote Address     Swind  Send-Q  Rwind  Recv-Q    State\n"
    "-------------------- -------------------- ------- ------ ------- ------ -----------\n"
    "      *.8443               *.*                  0      0  128000      0 LISTEN\n"
    "10.9.8.7.45000             *.*                  0      0  128000      0 LISTEN\n\n"
)
UDP4 = (
    "UDP: IPv4\n   Local Address        Remote Address      State\n-------------------- -------------------- ----------\n"
    "      *.514                               Idle\n\n"
)
NETSTAT: Told = ("netstat -an -f inet", UDP4 + TCP4)


def properties(protocol: str, smallest: str = "32768", largest: str = "65535", nonpriv: str = "1024", extra: str = "2049,4045") -> Told:
    rows = (
        ("smallest_anon_port", smallest),
        ("largest_anon_port", largest),
        ("smallest_nonpriv_port", nonpriv),
        ("extra_priv_ports", extra),
    )
    return (
        f"ipadm show-prop -p {','.join(name for name, _ in rows)} {protocol}",
        "PROTO PROPERTY              PERM CURRENT      PERSISTENT   DEFAULT      POSSIBLE\n"
        + "".join(f"{protocol:5} {name:21} rw   {value:12} --           {value:12} --\n" for name, value in rows),
    )


def ndd(protocol: str, smallest: int = 32768, largest: int = 65535, nonpriv: int = 1024, extra: str = "2049\n4045") -> tuple[Told, ...]:
    values = {"smallest_anon_port": smallest, "largest_anon_port": largest, "smallest_nonpriv_port": nonpriv, "extra_priv_ports": extra}
    return tuple((f"ndd -get /dev/{protocol} {protocol}_{name}", f"{value}\n") for name, value in values.items())


def eleven(*told: Told) -> Snapshot:
    return host("SunOS", GLOBAL, *(told or (properties("tcp"), properties("udp"))), release="5.11")


STOCK_PRIVILEGED = [
    f"{protocol} {ports}" for protocol in ("tcp", "udp") for ports in ("1-136", "137-139", "140-444", "2049", "4045", "445", "446-1023")
]


@pytest.mark.parametrize(
    "snapshot",
    [eleven(), host("SunOS", *ndd("tcp"), *ndd("udp"), release="5.10"), host("SunOS", *ndd("tcp"), *ndd("udp"), release="5.11")],
    ids=["ipadm", "ndd", "ndd of 11"],
)
def test_a_stock_host_is_as_shipped_whichever_command_says_so(snapshot: Snapshot) -> None:
    stack = own(snapshot)
    assert (spans(stack.ephemeral), stack.ephemeral.gaps) == (["tcp 32768-65535", "udp 32768-65535"], ())
    assert (spans(stack.privileged), stack.privileged.gaps) == (STOCK_PRIVILEGED, ())
    assert (spans(stack.reserved), stack.reserved.gaps) == (["tcp 2049", "tcp 4045", "udp 2049", "udp 4045"], ())
    for rule in ("privileged-range-lowered", "ephemeral-range-differs-from-vendor", "ephemeral-range-reaches-privileged-ports"):
        assert [f.outcome for f in judged(snapshot, "", rule)] == ["pass"]


def test_each_port_names_the_privilege_that_it_needs() -> None:
    needs = {str(one): one.needs for one in own(eleven()).privileged.seen if one.protocol == "tcp"}
    assert needs["137-139"] == needs["445"] == "PRIV_NET_PRIVADDR or PRIV_SYS_SMB"
    assert needs["2049"] == needs["4045"] == "PRIV_SYS_NFS"
    assert needs["1-136"] == needs["446-1023"] == "PRIV_NET_PRIVADDR"


def test_before_privileges_there_was_root() -> None:
    known = own(host("SunOS", *ndd("tcp"), *ndd("udp"), release="5.8")).privileged
    assert {one.needs for one in known.seen} == {"root"}
    assert spans(known) == ["tcp 1-1023", "tcp 2049", "tcp 4045", "udp 1-1023", "udp 2049", "udp 4045"]


def test_a_raised_threshold_takes_in_the_extra_ports_once() -> None:
    known = own(eleven(properties("tcp", nonpriv="3000"), properties("udp", extra="--"))).privileged
    assert [one for one in spans(known) if one.startswith("tcp")] == [
        "tcp 1-136", "tcp 137-139", "tcp 140-444", "tcp 2049", "tcp 2050-2999", "tcp 4045", "tcp 445", "tcp 446-2048",
    ]  # fmt: skip
    assert [one for one in spans(known) if one.startswith("udp")] == ["udp 1-136", "udp 137-139", "udp 140-444", "udp 445", "udp 446-1023"]


def test_extra_ports_in_the_range_are_not_handed_out() -> None:
    snapshot = eleven(properties("tcp", extra="2049,4045,45000"), properties("udp"), NETSTAT)
    assert "tcp 45000" in spans(own(snapshot).reserved)
    assert "fail" not in [f.outcome for f in judged(snapshot, "", "listener-in-ephemeral-range")]
    shipped = eleven(properties("tcp"), properties("udp"), NETSTAT)
    assert "fail" in [f.outcome for f in judged(shipped, "", "listener-in-ephemeral-range")]


def test_what_is_known_of_tcp_alone_does_not_pass_for_udp() -> None:
    snapshot = eleven(properties("tcp"))
    stack = own(snapshot)
    for known in (stack.privileged, stack.ephemeral, stack.reserved):
        assert open_questions(known) == ["udp"]
    for rule in ("privileged-range-lowered", "ephemeral-range-differs-from-vendor", "listener-in-ephemeral-range"):
        assert "pass" not in [f.outcome for f in judged(eleven(properties("tcp"), NETSTAT), "", rule)]


def test_a_range_of_udp_that_was_changed_is_found_beside_that_of_tcp() -> None:
    snapshot = eleven(properties("tcp"), properties("udp", smallest="10000"))
    found = [(f.outcome, f.subject.rpartition(" ")[2]) for f in judged(snapshot, "", "ephemeral-range-differs-from-vendor")]
    assert found == [("fail", "(udp)")]


def test_sctp_is_told_where_it_was_asked_and_has_its_own_ranges() -> None:
    stack = own(eleven(properties("tcp"), properties("udp"), properties("sctp", smallest="40000")))
    assert "sctp 40000-65535" in spans(stack.ephemeral)
    assert "sctp 1-136" in spans(stack.privileged)


def test_settings_that_were_not_read_are_gaps() -> None:
    settings = own(eleven(properties("tcp"))).settings
    assert {"tcp.smallest_anon_port", "tcp.extra_priv_ports"} <= {one.name for one in settings.seen}
    assert "udp_smallest_anon_port" in whys(settings)


# Zones


def zones(*lines: str) -> Told:
    return ("zoneadm list -cp", GLOBAL[1] + "".join(f"{line}\n" for line in lines))


def test_a_running_zone_with_a_stack_of_its_own_is_a_gap_unless_it_was_looked_into() -> None:
    listed = zones("3:web:running:/zones/web::ipkg:excl", "-:spare:installed:/zones/spare::ipkg:excl")
    command, text = properties("tcp")
    gaps = host("SunOS", listed, properties("tcp"), release="5.11").stacks.gaps
    assert [gap.stack for gap in gaps] == ["zone:web"]
    entered = host("SunOS", listed, properties("tcp"), (f"zlogin web {command}", text), release="5.11")
    assert entered.stacks.gaps == ()
    assert [(stack.name, stack.kind) for stack in entered.stacks.seen] == [("host", "host"), ("zone:web", "zone")]


def test_zones_that_share_the_stack_have_sockets_that_netstat_does_not_show() -> None:
    assert own(host("SunOS", GLOBAL, NETSTAT, release="5.11")).listening.gaps != ()
    assert "zones share this stack" not in whys(own(host("SunOS", GLOBAL, NETSTAT, release="5.11")).listening)
    shared = host("SunOS", zones("4:db:running:/zones/db::ipkg:shared"), NETSTAT, release="5.11")
    assert "shows its own zone's sockets alone: db" in whys(own(shared).listening)
    assert shared.stacks.gaps == ()


def test_whether_there_are_zones_must_have_been_asked() -> None:
    assert "zoneadm list -cp" in whys(host("SunOS", NETSTAT, release="5.10").stacks)
    refused = Answer("zones", "zoneadm list -cp", b"", "1", stderr=b"zoneadm: global: only root may do so\n")
    assert bundled("SunOS", refused, release="5.11").stacks.gaps


def test_what_was_taken_inside_a_zone_says_so() -> None:
    inside = host("SunOS", ("zonename", "web\n"), ("zoneadm list -cp", "3:web:running:/::ipkg:excl\n"), NETSTAT, release="5.11")
    assert "taken inside zone web" in whys(own(inside).listening)
    assert "taken inside zone web" in whys(inside.stacks)
    assert "inside" not in whys(host("SunOS", ("zonename", "global\n"), GLOBAL, NETSTAT, release="5.11").stacks)


# Sockets


def test_a_table_that_netstat_did_not_print_may_be_empty_or_lost() -> None:
    stack = own(host("SunOS", GLOBAL, NETSTAT, properties("tcp"), properties("udp"), release="5.11"))
    assert [one.numbered_subject for one in stack.listening.seen] == ["udp/0.0.0.0:514", "tcp/0.0.0.0:8443", "tcp/10.9.8.7:45000"]
    assert open_questions(stack.listening) == ["ipv6"]
    assert {one.owner_state for one in stack.listening.seen} == {"unreadable"}


def test_the_probes_only_ask() -> None:
    for probe in sunos.COLLECTOR.probes:
        assert probe.argv[0] in ("ndd", "ipadm", "netstat", "ps", "ifconfig", "zonename", "zoneadm", "cat")
        assert probe.argv[:2] in (("ndd", "-get"), ("ipadm", "show-prop"), ("zoneadm", "list")) or probe.argv[0] not in (
            "ndd",
            "ipadm",
            "zoneadm",
        )
