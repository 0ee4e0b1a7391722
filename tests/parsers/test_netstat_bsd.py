from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditor.parsers import netstat_bsd
from auditor.parsers.netstat_bsd import parse_dragonfly, parse_freebsd, parse_netbsd, parse_openbsd
from auditor.reading import Output, Reading
from tests.parsers import laws, listings
from tests.parsers.listings import EVERY, places

Parser = Callable[[Output], Reading]
TCP = {("tcp", "ipv4"), ("tcp", "ipv6")}
UDP = {("udp", "ipv4"), ("udp", "ipv6")}
TITLE = "Active Internet connections (including servers)\n"
HEADER = "Proto Recv-Q Send-Q Local Address          Foreign Address        (state)    \n"
HEADER_WITH_A = "Tcpcb            Proto Recv-Q Send-Q Local Address      Foreign Address    (state)     \n"
FREEBSD = TITLE + HEADER + (
    "tcp46      0      0 *.7070                 *.*                    LISTEN     \n"
    "tcp6       0      0 *.7071                 *.*                    LISTEN     \n"
    "tcp4       0      0 *.7071                 *.*                    LISTEN     \n"
    "tcp4       0      0 10.119.128.117.7072    *.*                    CLOSED     \n"
    "tcp4       0     52 10.119.128.117.7072    10.119.128.9.40112     ESTABLISHED\n"
    "tcp4       0      0 *.*                    *.*                    CLOSED     \n"
    "udp6       0      0 fe80::5%em0.547        *.*                    \n"
    "udp4       0      0 127.0.0.1.123          *.*                    \n"
    "udp4       0      0 10.119.128.117.5555    10.119.128.9.53        \n"
    "udp4       0      0 *.*                    *.*                    \n"
    "ip 4       0      0 *.*                    *.*                    \n"
    "icm6       0      0 *.*                    *.*                    \n"
    "div4       0      0 *.8668                 *.*                    \n"
    "Active UNIX domain sockets\n"
    "Address          Type   Recv-Q Send-Q            Inode             Conn             Refs          Nextref Addr\n"
    "fffff80003ab6100 stream      0      0                0 fffff80003ab6200                0                0\n"
    "fffff80003abf000 stream      0      0 fffff80003c581e0                0                0                0 /var/run/owl.pipe\n"
)  # fmt: skip
OPENBSD = TITLE + (
    "Proto   Recv-Q Send-Q  Local Address          Foreign Address        TCP-State\n"
    "tcp          0      0  *.7070                 *.*                    LISTEN\n"
    "tcp          0      0  10.119.128.117.7072    10.119.128.9.40112     ESTABLISHED\n"
) + TITLE + (
    "Proto   Recv-Q Send-Q  Local Address          Foreign Address       \n"
    "udp          0      0  *.514                  *.*\n"
    "ip           0      0  *.*                    *.*                    1\n"
) + TITLE + (
    "Proto   Recv-Q Send-Q  Local Address          Foreign Address        TCP-State\n"
    "tcp6         0      0  *.7070                 *.*                    LISTEN\n"
    "tcp6         0      0  fe80::1%lo0.7071       *.*                    LISTEN\n"
)  # fmt: skip
NETBSD = TITLE + (
    "Proto Recv-Q Send-Q  Local Address          Foreign Address        State\n"
    "tcp        0      0  *.7070                 *.*                    LISTEN\n"
    "tcp        0      0  *.7072                 *.*                    CLOSED\n"
    "udp        0      0  *.514                  *.*                   \n"
    "Active Internet6 connections (including servers)\n"
    "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
    "tcp6       0      0  *.7070                 *.*                    LISTEN\n"
    "tcp6       0      0  2001:db8:7:7:7:7.7071  *.*                    LISTEN\n"
    "tcp6       0      0  2001:db8:7777:77.7072  *.*                    LISTEN\n"
    "tcp6       0      0  2001:db8:7777:77.7072  2001:db8:7777:88.40112 ESTABLISHED\n"
)  # fmt: skip


def read(text: str, parse: Parser = parse_freebsd, command: str = "netstat -an", **more: str) -> Reading:
    output = Output(command, text, **more)
    reading = parse(output)
    laws.accounted(output, reading)
    return reading


def one(row: str, parse: Parser = parse_freebsd, command: str = "netstat -an", header: str = HEADER) -> dict[str, Any]:
    (shown,) = places(read(TITLE + header + row + "\n", parse, command))
    return shown


def gaps(
    row: str, parse: Parser = parse_freebsd, command: str = "netstat -an", header: str = HEADER
) -> list[tuple[str | None, str | None]]:
    reading = read(TITLE + header + row + "\n", parse, command)
    assert not reading.seen
    return [(gap.protocol, gap.family) for gap in reading.gaps]


def covered(command: str, parse: Parser = parse_freebsd, text: str = FREEBSD) -> set[tuple[str, str]]:
    return listings.covered(read(text, parse, command))


def test_freebsd_sockets_without_a_peer_are_read() -> None:
    reading = read(FREEBSD)
    assert places(reading) == [
        {"protocol": "tcp", "state": "listening", "address": "::", "family": "ipv6", "port": 7070, "v6only": False},
        {"protocol": "tcp", "state": "listening", "address": "::", "family": "ipv6", "port": 7071, "v6only": True},
        {"protocol": "tcp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 7071},
        {"protocol": "tcp", "state": "bound", "address": "10.119.128.117", "family": "ipv4", "port": 7072},
        {"protocol": "udp", "state": "listening", "address": "fe80::5", "zone": "em0", "family": "ipv6", "port": 547},
        {"protocol": "udp", "state": "listening", "address": "127.0.0.1", "family": "ipv4", "port": 123},
    ]
    assert not reading.gaps
    assert set(reading.covers.values()) == {None}
    assert not reading.shows_owners
    assert not reading.per_descriptor


def test_openbsd_has_no_socket_for_both_families() -> None:
    reading = read(OPENBSD, parse_openbsd)
    assert places(reading) == [
        {"protocol": "tcp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 7070},
        {"protocol": "udp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 514},
        {"protocol": "tcp", "state": "listening", "address": "::", "family": "ipv6", "port": 7070, "v6only": True},
        {"protocol": "tcp", "state": "listening", "address": "fe80::1", "zone": "lo0", "family": "ipv6", "port": 7071},
    ]
    assert not reading.gaps


def test_netbsd_does_not_tell_whether_ipv4_is_taken_too() -> None:
    reading = read(NETBSD, parse_netbsd)
    assert places(reading) == [
        {"protocol": "tcp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 7070},
        {"protocol": "tcp", "state": "bound", "address": "0.0.0.0", "family": "ipv4", "port": 7072},
        {"protocol": "udp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 514},
        {"protocol": "tcp", "state": "listening", "address": "::", "family": "ipv6", "port": 7070},
        {"protocol": "tcp", "state": "listening", "address": "2001:db8:7:7:7:7", "address_cut": True, "family": "ipv6", "port": 7071},
        {"protocol": "tcp", "state": "listening", "address": "2001:db8:7777:77", "address_cut": True, "family": "ipv6", "port": 7072},
    ]
    assert not reading.gaps


def test_dragonfly_is_read_with_its_windows() -> None:
    header = "Socket      TxWin  Unacked   RTT/ms Proto Recv-Q Send-Q Local Address     Foreign Address   (state)\n"
    shown = one(
        "ffffffe0      max        0        - tcp4       0      0 *.7070            *.*               LISTEN",
        parse_dragonfly,
        "netstat -aAPn",
        header,
    )
    assert shown == {"protocol": "tcp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 7070}
    assert one("udp6       0      0 *.514                 *.*", parse_dragonfly)["v6only"] is True


def test_the_control_block_tells_sockets_apart() -> None:
    rows = (
        "fffff80003df43d0 tcp4       0      0 *.7070             *.*                LISTEN\n"
        "               0 udp4       0      0 *.514              *.*\n"
    )
    reading = read(TITLE + HEADER_WITH_A + rows, command="netstat -Aan")
    assert [seen.identity for seen in reading.seen] == ["fffff80003df43d0", None]


def test_netbsds_short_states_are_known() -> None:
    header = "PCB      Proto Recv-Q Send-Q Local Address         Foreign Address       State\n"
    rows = (
        "7fb79001a370 tcp        0      0 127.0.0.1.7070        *.*                   LISTEN\n"
        "7fb79001a6b0 tcp        0      0 127.0.0.1.7071        *.*                   ESTABL\n"
    )
    reading = read(TITLE + header + rows, parse_netbsd, "netstat -anA")
    assert [shown["port"] for shown in places(reading)] == [7070]
    assert not reading.gaps


def test_a_state_that_is_not_known_is_a_gap() -> None:
    assert gaps("tcp4       0      0 *.7070                 *.*                    LISTENING") == [("tcp", "ipv4")]
    assert gaps("tcp46      0      0 *.7070                 *.*                    ") == [("tcp", None)]
    assert gaps("tcp4       0      0 *.7070                 10.9.8.7.1             LISTEN") == [("tcp", "ipv4")]


@pytest.mark.parametrize("letter", ["T", "x", "R"])
def test_without_the_state_tcp_is_not_told_but_udp_is(letter: str) -> None:
    header = "Proto Rexmit OOORcv 0-win  Local Address          Foreign Address\n"
    rows = (
        "tcp4       0      0      0 *.7070                 *.*                    \nudp4                       *.514                  *.*\n"
    )
    reading = read(TITLE + header + rows, command=f"netstat -an{letter}")
    assert [shown["port"] for shown in places(reading)] == [514]
    assert [gap.protocol for gap in reading.gaps] == ["tcp"]
    assert {pair for pair, why in reading.covers.items() if why is None} == UDP


def test_the_table_of_listen_queues_lists_what_listens() -> None:
    text = (
        "Current listen queue sizes (qlen/incqlen/maxqlen)\nProto Listen                           Local Address         \n"
        "tcp46 0/0/128                          *.7070                 \nunix  0/0/30                           /var/run/owl.sock\n"
    )
    reading = read(text, command="netstat -Lan")
    assert places(reading) == [{"protocol": "tcp", "state": "listening", "address": "::", "family": "ipv6", "port": 7070, "v6only": False}]
    assert {pair for pair, why in reading.covers.items() if why is None} == TCP
    assert not reading.gaps


def test_the_other_columns_of_freebsd_stand_after_the_state() -> None:
    header = HEADER[:-1] + " Stack   CC           cwin   ssthresh   MSS ECN Log ID\n"
    assert (
        one(
            "tcp4       0      0 *.7070                 *.*                    LISTEN      freebsd cubic 1 2 3 n/a -",
            command="netstat -ancCP",
            header=header,
        )["port"]
        == 7070
    )


@pytest.mark.parametrize(
    ("cell", "command", "expected"),
    [
        ("2001:db8:7:7:7:7.7070", "netstat -an", {"address": "2001:db8:7:7:7:7", "address_cut": True, "port": 7070}),
        ("2001:db8:77:77::.70", "netstat -an", {"address": "2001:db8:77:77::", "address_cut": True, "port": 70}),
        ("2001:db8:7:7::7.7070", "netstat -an", {"address": "2001:db8:7:7::7", "port": 7070}),
        ("2001:db8:7:7:7:7.62503", "netstat -an", {"address": "2001:db8:7:7:7:7", "address_cut": True, "port": 62503}),
        ("2001:db8:7:7:7:7:7:7.7070", "netstat -anW", {"address": "2001:db8:7:7:7:7:7:7", "port": 7070}),
        ("2001:db8:7:7:7:7:7:7.7070", "netstat -anl", {"address": "2001:db8:7:7:7:7:7:7", "port": 7070}),
        ("2001:db8:7:70::7.7070", "netstat -anW", {"address": "2001:db8:7:70::7", "port": 7070}),
    ],
)
def test_an_address_as_wide_as_it_is_cut_to_is_taken_for_cut(cell: str, command: str, expected: dict[str, Any]) -> None:
    for parse in (parse_freebsd, parse_dragonfly):
        assert one(f"tcp6       0      0 {cell:<22} *.*                    LISTEN", parse, command) == {
            "protocol": "tcp", "state": "listening", "family": "ipv6", **expected}  # fmt: skip


def test_v_leaves_ipv6_whole_on_netbsd_and_openbsd_and_widens_nothing_on_freebsd() -> None:
    row = "tcp6       0      0  2001:db8:7:70::7.7070  *.*                    LISTEN"
    for parse in (parse_netbsd, parse_openbsd):
        assert "address_cut" in one(row, parse, "netstat -an")
        assert one(row, parse, "netstat -anv")["address"] == "2001:db8:7:70::7"
    assert "address_cut" in one(row, parse_freebsd, "netstat -anv")


def test_with_a_names_are_cut_earlier_and_ipv4_addresses_with_them() -> None:
    row = "fffff80003df43d0 tcp4       0      0 10.119.128.1.ssh   *.*                LISTEN"
    reading = read(TITLE + HEADER_WITH_A + row + "\n", command="netstat -Aa")
    assert places(reading) == [{"protocol": "tcp", "state": "listening", "address": "10.119.128.1", "address_cut": True, "family": "ipv4"}]
    assert reading.seen[0].port_name == "ssh"
    assert "address_cut" not in one(
        "fffff80003df43d0 tcp4       0      0 10.119.128.1.7070  *.*                LISTEN", command="netstat -Aan", header=HEADER_WITH_A
    )


def test_with_a_netbsd_cuts_ipv6_addresses_earlier() -> None:
    header = "PCB      Proto Recv-Q Send-Q  Local Address      Foreign Address    (state)\n"
    shown = one("7fb78c005028 tcp6       0      0 2001:db8:777.7070  *.*                LISTEN", parse_netbsd, "netstat -anA", header)
    assert (shown["address"], shown["address_cut"]) == ("2001:db8:777", True)


def test_a_port_that_a_full_column_may_have_cut_is_a_gap() -> None:
    row = "fffff80003df43d0 tcp4       0      0 {:<18} *.*                LISTEN"
    assert gaps(row.format("10.119.128.117.707"), command="netstat -Aan", header=HEADER_WITH_A) == [("tcp", "ipv4")]
    assert one(row.format("10.119.128.11.7070"), command="netstat -AanW", header=HEADER_WITH_A)["port"] == 7070
    assert one(row.format("10.119.12.11.70707"[:17]), command="netstat -Aan", header=HEADER_WITH_A)["port"] == 7070
    assert one(row.format("10.119.12.17.62503"), command="netstat -Aan", header=HEADER_WITH_A)["port"] == 62503


def test_names_of_hosts_and_ports_are_as_printed() -> None:
    (seen,) = read(TITLE + HEADER + "tcp4       0      0 mill.domain            *.*                    LISTEN\n", command="netstat -a").seen
    assert (seen.shown["address"], seen.port_name, "port" in seen.shown) == ("mill", "domain", False)
    (seen,) = read(TITLE + HEADER + "tcp6       0      0 *.7070                 *.*                    LISTEN\n", command="netstat -a").seen
    assert seen.shown["port"] == 7070


def test_names_where_numbers_were_asked_for_are_a_gap() -> None:
    assert gaps("tcp4       0      0 x.x.x.x.7070           *.*                    LISTEN") == [("tcp", "ipv4")]
    assert gaps("tcp4       0      0 *.ssh                  *.*                    LISTEN") == [("tcp", "ipv4")]


@pytest.mark.parametrize(
    ("parse", "name", "cut"),
    [
        (parse_openbsd, "microsof", True),
        (parse_openbsd, "domain", False),
        (parse_freebsd, "microsoft-ds", False),
        (parse_freebsd, "netbios-ssn-abc", True),
        (parse_netbsd, "netbios-ssn-abc", False),
    ],
)
def test_a_ports_name_as_long_as_they_are_cut_to_is_a_gap(parse: Parser, name: str, cut: bool) -> None:
    reading = read(f"{TITLE}{HEADER}tcp4       0      0 {f'*.{name}':<22} *.*                    LISTEN\n", parse, "netstat -a")
    assert [seen.port_name for seen in reading.seen] == ([] if cut else [name])
    assert [gap.protocol for gap in reading.gaps] == (["tcp"] if cut else [])


def test_a_host_and_a_port_that_fill_the_column_are_a_gap() -> None:
    row = f"udp          0      0  {'10.119.128.255.domain-x':.22} *.*"
    assert gaps(row, parse_netbsd, "netstat -a", "Proto Recv-Q Send-Q  Local Address          Foreign Address        State\n") == [
        ("udp", "ipv4")
    ]


def test_openbsds_name_of_an_rpc_program_is_left_aside() -> None:
    (seen,) = read(TITLE + HEADER + "udp          0      0  *.sunrpc[portmapp      *.*\n", parse_openbsd, "netstat -a").seen
    assert seen.port_name == "sunrpc"


def test_an_ipv4_address_in_an_ipv6_row_is_mapped() -> None:
    assert (
        one("tcp6       0      0  ::ffff:10.9.8.7.7070   *.*                    LISTEN", parse_netbsd, "netstat -anv")["address"]
        == "::ffff:10.9.8.7"
    )
    assert one("tcp46      0      0 10.9.8.7.7070          *.*                    LISTEN")["address"] == "::ffff:10.9.8.7"


def test_a_protocol_without_a_version_tells_no_family_on_freebsd() -> None:
    assert one("tcp        0      0 *.7070                 *.*                    LISTEN")["family"] == "unknown"
    assert one("toe4       0      0 *.7070                 *.*                    LISTEN")["protocol"] == "tcp"


def test_sctp_that_listens_is_read_and_its_further_addresses_are_gaps() -> None:
    text = FREEBSD + (
        "Active SCTP associations (including servers)\nProto  Type  Local Address          Foreign Address        (state)\n"
        "sctp46 1to1  *.7070                                        LISTEN\n"
        "sctp4  1toN  10.9.8.7.7071                                 LISTEN\n"
        "             10.9.8.8.7071\n"
        "sctp4  1to1  10.9.8.7.7072          10.9.9.9.4000          ESTABLISHED\n"
        "sctp4  1to1  10.9.8.7.7073                                 \n"
    )
    reading = read(text)
    assert [(s["family"], s["address"], s["port"]) for s in places(reading) if s["protocol"] == "sctp"] == [
        ("ipv6", "::", 7070),
        ("ipv4", "10.9.8.7", 7071),
    ]
    assert [gap.protocol for gap in reading.gaps] == ["sctp", "sctp"]
    assert set(reading.covers.values()) == {None}


def test_sockets_that_came_while_it_listed_them_may_be_missing() -> None:
    assert covered("netstat -an", text=FREEBSD + "Some udp sockets may have been created.\n") == TCP
    assert covered("netstat -an", text=FREEBSD + "Some tcp sockets may have been deleted.\n") == EVERY
    glued = read(FREEBSD.replace("Active UNIX", "Some tcp sockets may have been created or deletedActive UNIX"))
    assert not glued.gaps
    assert {pair for pair, why in glued.covers.items() if why is None} == UDP


def test_a_row_that_cannot_be_read_is_a_gap_of_its_protocol() -> None:
    assert gaps("tcp6       0") == [("tcp", "ipv6")]
    assert gaps("udp4") == [("udp", "ipv4")]
    assert gaps("tpc4       0      0 *.7070                 *.*                    LISTEN") == [(None, None)]
    assert gaps("???") == [(None, None)]
    assert [gap.protocol for gap in read(FREEBSD + "udp4\n").gaps] == ["udp"]


def test_the_typed_command_is_passed_over() -> None:
    assert not read("root@mill:~ # netstat -an\n" + FREEBSD).gaps


def test_output_without_its_header_is_not_known_to_be_complete() -> None:
    rows = FREEBSD.removeprefix(TITLE + HEADER)
    assert covered("netstat -an", text=rows) == set()
    assert len(read(rows).seen) == len(read(FREEBSD).seen)


@pytest.mark.parametrize("parse", [parse_freebsd, parse_dragonfly, parse_openbsd, parse_netbsd])
def test_where_there_is_no_socket_nothing_is_printed(parse: Parser) -> None:
    assert set(read("", parse, status="0").covers.values()) == {None}
    assert None not in read("", parse).covers.values()
    assert None not in read("", parse, status="0", stderr="netstat: kvm_read: Bad address\n").covers.values()


@pytest.mark.parametrize(
    ("parse", "command", "expected"),
    [
        (parse_freebsd, "netstat -n", set()),
        (parse_freebsd, "netstat -a -f inet", {("tcp", "ipv4"), ("udp", "ipv4")}),
        (parse_freebsd, "netstat -an6", {("tcp", "ipv6"), ("udp", "ipv6")}),
        (parse_freebsd, "netstat -anp tcp", TCP),
        (parse_freebsd, "netstat -an -p udp -f inet6", {("udp", "ipv6")}),
        (parse_freebsd, "netstat -an -p icmp", set()),
        (parse_freebsd, "netstat -an -f unix", set()),
        (parse_freebsd, "netstat -anP", EVERY),
        (parse_openbsd, "netstat -an -T 5", EVERY),
        (parse_openbsd, "netstat -aln", set()),
        (parse_openbsd, "netstat -an -p tcp", TCP),
        (parse_netbsd, "netstat -ln", set()),
        (parse_netbsd, "netstat -an -f inet6", {("tcp", "ipv6"), ("udp", "ipv6")}),
    ],
)
def test_options_limit_what_is_covered(parse: Parser, command: str, expected: set[tuple[str, str]]) -> None:
    assert covered(command, parse) == expected


@pytest.mark.parametrize(
    ("parse", "command"),
    [
        (parse_freebsd, "netstat -rn"),
        (parse_freebsd, "netstat -an 5"),
        (parse_netbsd, "netstat -an -p tcp"),
        (parse_openbsd, "netstat -R"),
        (parse_openbsd, "netstat -P 0x1234"),
        (parse_dragonfly, "netstat -s"),
    ],
)
def test_another_table_is_no_listing_of_sockets(parse: Parser, command: str) -> None:
    reading = read(FREEBSD, parse, command)
    assert (reading.covers, reading.seen, reading.gaps) == ({}, [], [])


@pytest.mark.parametrize(
    ("parse", "text"), [(parse_freebsd, FREEBSD), (parse_dragonfly, FREEBSD), (parse_openbsd, OPENBSD), (netstat_bsd.parse_netbsd, NETBSD)]
)
def test_no_line_is_lost_whatever_the_text(parse: Parser, text: str) -> None:
    for command in ("netstat -an", "netstat -AaT", "netstat -aL"):
        laws.total(parse, command, text)


@pytest.mark.parametrize("parse", [parse_freebsd, parse_dragonfly, parse_openbsd, parse_netbsd])
def test_a_title_without_servers_covers_nothing_whatever_the_command_line_says(parse: Parser) -> None:
    row = "tcp4       0      0 *.7070                 *.*                    LISTEN     \n"
    assert set(read(TITLE + HEADER + row, parse).covers.values()) == {None}
    for title in ("Active Internet connections\n", "Active Internet6 connections\n"):
        assert set(read(title + HEADER + row, parse).covers.values()) == {"its title does not say that servers are included (-a)"}
