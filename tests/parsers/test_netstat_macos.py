"""netstat of macOS: its layouts by release, cut addresses, and what each command line covers."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.parsers import netstat_macos
from auditor.reading import Output, Reading
from tests.parsers import laws

TITLE = "Active Internet connections (including servers)"
HEADER = "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)    "
ALL = {("tcp", "ipv4"): None, ("tcp", "ipv6"): None, ("udp", "ipv4"): None, ("udp", "ipv6"): None}
FIRST_V = HEADER + "  rhiwat shiwat    pid   epid"
SECOND_V = FIRST_V + "  state    options"
THIRD_V = HEADER + "  rhiwat  shiwat    pid   epid state  options           gencnt    flags   flags1 usscnt rtncnt fltrs"
FOURTH_V = THIRD_V.replace("  rhiwat", "      rxbytes      txbytes  rhiwat")
FIFTH_V = FOURTH_V.replace("   pid   epid state ", "         process:pid    state ")
SIXTH_V = FIFTH_V.replace("process:pid ", "process:pid          eprocess:epid ")
AFTER = "00180 00000006 0000000000005a17 00000000 00000900      1      0 000000"


def tcp(local: str, state: str = "LISTEN", proto: str = "tcp4", foreign: str = "*.*", tail: str = "") -> str:
    return f"{proto:5} {0:6} {0:6}  {local:22.22} {foreign:22.22} {state:11}{tail}"


def udp(local: str, proto: str = "udp4", foreign: str = "*.*", tail: str = "") -> str:
    return tcp(local, "", proto, foreign, tail)


def read(*rows: str, command: str = "netstat -an", header: str = HEADER, status: str = "0") -> Reading:
    output = Output(command, "\n".join([TITLE, header, *rows, ""]), status=status)
    reading = netstat_macos.parse(output)
    laws.accounted(output, reading)
    return reading


def one(row: str, **more: str) -> dict[str, Any]:
    reading = read(row, **more)
    assert reading.gaps == []
    (seen,) = reading.seen
    return {**seen.shown, **({"port_name": seen.port_name} if seen.port_name else {})}


def shown(protocol: str, family: str, address: str, port: int, state: str = "listening", **more: object) -> dict[str, Any]:
    return {"protocol": protocol, "family": family, "address": address, "port": port, "state": state, **more}


def test_each_kind_of_row_says_its_protocol_family_and_state() -> None:
    rows = {
        tcp("127.0.0.1.7070"): shown("tcp", "ipv4", "127.0.0.1", 7070),
        tcp("*.7071"): shown("tcp", "ipv4", "0.0.0.0", 7071),
        tcp("*.7072", proto="tcp6"): shown("tcp", "ipv6", "::", 7072, v6only=True),
        tcp("::1.7073", proto="tcp6"): shown("tcp", "ipv6", "::1", 7073),
        tcp("*.7074", proto="tcp46"): shown("tcp", "ipv6", "::", 7074, v6only=False),
        tcp("10.1.2.3.7074", proto="tcp46"): shown("tcp", "ipv6", "::ffff:10.1.2.3", 7074, v6only=False),
        tcp("*.7075", "CLOSED"): shown("tcp", "ipv4", "0.0.0.0", 7075, "bound"),
        udp("*.7076"): shown("udp", "ipv4", "0.0.0.0", 7076),
        udp("fe80::1%lo0.7077", proto="udp6"): shown("udp", "ipv6", "fe80::1", 7077, zone="lo0"),
        udp("*.7078", proto="udp46"): shown("udp", "ipv6", "::", 7078, v6only=False),
    }
    for row, expected in rows.items():
        assert one(row) == expected
    assert read(*rows).covers == ALL


@pytest.mark.parametrize(
    "row",
    [
        tcp("10.1.2.3.7070", "ESTABLISHED", foreign="10.9.9.9.50001"),
        tcp("10.1.2.3.7070", "CLOSED", foreign="10.9.9.9.50001"),
        tcp("10.1.2.3.7070", "TIME_WAIT"),
        tcp("*.*", "CLOSED"),
        udp("*.*", "udp46"),
        udp("10.1.2.3.50002", foreign="10.9.9.9.53"),
        "icm6       0      0  *.*                    *.*                               ",
        "ip 4       0      0  *.*                    *.*                               ",
        " tcp4/5    00000001  10.1.2.3.50003         10.9.9.9.443           ESTABLISHED",
        "mptcp/5   00000000                                                ESTABLISHED",
        "ann@heron ~ % netstat -an",
    ],
)
def test_connections_unbound_sockets_and_other_rows_are_passed_over(row: str) -> None:
    reading = read(row)
    assert (reading.seen, reading.gaps) == ([], [])


@pytest.mark.parametrize(
    ("row", "protocol", "family"),
    [
        (tcp("*.7070", ""), "tcp", "ipv4"),
        (tcp("*.7070", "LISTENS", "tcp6"), "tcp", "ipv6"),
        (tcp("*.99999"), "tcp", "ipv4"),
        (tcp("?.7070", proto="tcp6"), "tcp", "ipv6"),
        (tcp("*.7070", foreign="10.9.9.9.5"), "tcp", "ipv4"),
        ("tcp4 0 0 *.7070", "tcp", "ipv4"),
        ("udp  0 0 *.7070 *.*", "udp", None),
        ("netstat: sysctl: net.inet.tcp.pcblist_n: Cannot allocate memory", None, None),
    ],
)
def test_a_row_that_cannot_be_read_is_a_gap_of_as_narrow_a_scope_as_is_sure(row: str, protocol: str | None, family: str | None) -> None:
    reading = read(row)
    assert reading.seen == []
    assert [(gap.line, gap.protocol, gap.family) for gap in reading.gaps] == [(row, protocol, family)]


def test_an_address_as_wide_as_its_cut_is_told_to_be_cut_however_valid_it_looks() -> None:
    assert one(tcp("fe80::1ff:fe23:4.7070", proto="tcp6")) == shown("tcp", "ipv6", "fe80::1ff:fe23:4", 7070, address_cut=True)
    assert one(udp("2001:db8:77:1:a:.7070", "udp6")) == shown("udp", "ipv6", "2001:db8:77:1:a:", 7070, address_cut=True)
    assert one(tcp("2001:db8::1234.7070", proto="tcp6")) == shown("tcp", "ipv6", "2001:db8::1234", 7070)


def test_where_only_the_zone_may_be_cut_the_address_is_whole_and_the_zone_left_out() -> None:
    assert one(tcp("fe80::a:b:c:d%en.7070", proto="tcp6")) == shown("tcp", "ipv6", "fe80::a:b:c:d", 7070)
    assert one(tcp("fe80::a:b:c:d12%.7070", proto="tcp6")) == shown("tcp", "ipv6", "fe80::a:b:c:d12", 7070)


def test_with_long_addresses_16_characters_are_no_cut() -> None:
    row = f"tcp6       0      0  {'fe80::1ff:fe23:4%en0.7070':45} {'*.*':45} LISTEN     "
    assert one(row, command="netstat -anl") == shown("tcp", "ipv6", "fe80::1ff:fe23:4", 7070, zone="en0")
    whole = "2001:db8:1234:5678:9abc:def0:1234:5678"
    row = f"tcp6       0      0  {whole + '.7070':45} {'*.*':45} LISTEN     "
    assert one(row, command="netstat -anl")["address"] == whole
    assert "address_cut" not in one(row, command="netstat -anl")


def test_without_n_ports_and_hosts_are_names() -> None:
    assert one(tcp("heron.ipp"), command="netstat -a") == {
        "protocol": "tcp", "family": "ipv4", "address": "heron", "state": "listening", "port_name": "ipp"}  # fmt: skip
    cut = one(udp("heron-of-the-mil.ntp", "udp6"), command="netstat -a")
    assert (cut["address"], cut["address_cut"], cut["port_name"]) == ("heron-of-the-mil", True, "ntp")


def test_a_port_name_that_fills_its_column_may_be_cut_and_is_not_believed() -> None:
    row = tcp("10.123.123.123.heron-alt", command := "LISTEN")
    assert command in row
    reading = read(row, command="netstat -a")
    assert reading.seen == []
    assert [gap.why for gap in reading.gaps] == ["its port may be cut: the column is full"]


def test_with_control_blocks_a_full_column_may_have_cut_the_number_of_the_port() -> None:
    def row(local: str) -> str:
        return f"c0ffee0123456789 {7:8x} tcp4       0      0  {local:18.18} {'*.*':18} LISTEN     "

    assert read(row("192.168.111.222.7070"), command="netstat -Aan").gaps[0].protocol == "tcp"
    assert one(row("127.0.0.1.7070"), command="netstat -Aan") == shown("tcp", "ipv4", "127.0.0.1", 7070)


@pytest.mark.parametrize(
    ("header", "tail"),
    [
        (FIRST_V, "  131072 131072    417      0"),
        (SECOND_V, "  131072 131072    417      0 0x0100 0x00000006"),
        (SECOND_V, "  131072 131072    417      0 00100 00000006"),
        (THIRD_V, "  131072  131072    417      0 " + AFTER),
        (FOURTH_V, "            0            0  131072  131072    417      0 " + AFTER),
    ],
)
def test_the_process_is_found_in_every_layout_with_a_column_for_it(header: str, tail: str) -> None:
    for row in (tcp("*.7070", tail=tail), udp("*.7070", tail=tail)):
        reading = read(row, command="netstat -anv", header=header)
        assert [seen.owners for seen in reading.seen] == [[{"pid": 417}]]
        assert reading.shows_owners
        without = netstat_macos.parse(Output("netstat -anv | grep 7070", row))
        assert [seen.owners for seen in without.seen] == [[{"pid": 417}]], "the shape tells it where the header was filtered away"


@pytest.mark.parametrize("process", ["heron", "Heron Mill H", "2.1.99", "Heron (Service)", "a:1 00100", "heron-of-the-very-long-mill"])
def test_a_process_name_may_hold_blanks_colons_and_more_than_its_width(process: str) -> None:
    tail = f"            0            0  131072  131072 {process:>16}:{417:<6} {AFTER}"
    for row in (tcp("*.7070", tail=tail), udp("*.7070", tail=tail)):
        reading = read(row, command="netstat -anv", header=FIFTH_V)
        assert [seen.owners for seen in reading.seen] == [[{"pid": 417, "process": process}]]


def test_the_effective_process_of_the_most_verbose_layout_is_not_taken_for_the_process() -> None:
    tail = f"            0/1            0/2  131072  131072 {'Heron Mill':>16}:{417:<6} {'the other':>16}:{9:<6} {AFTER}"
    reading = read(tcp("*.7070", tail=tail), command="netstat -anvv", header=SIXTH_V)
    assert reading.seen[0].owners == [{"pid": 417, "process": "Heron Mill"}]
    filtered = netstat_macos.parse(Output("netstat -anvv | grep 7070", tcp("*.7070", tail=tail)))
    assert filtered.seen[0].owners == [{"pid": 417, "process": "Heron Mill"}]


def test_process_0_is_none_known_and_a_layout_without_the_column_shows_none() -> None:
    tail = f"            0            0  131072  131072 {'':>16}:{0:<6} {AFTER}"
    reading = read(tcp("*.7070", tail=tail), command="netstat -anv", header=FIFTH_V)
    assert reading.seen[0].owners == []
    assert reading.shows_owners
    assert not read(tcp("*.7070")).shows_owners
    bytes_only = read(tcp("*.7070", tail="  12 13 417 18"), command="netstat -anb", header=HEADER + "  rxbytes txbytes a b")
    assert bytes_only.seen[0].owners == []


def test_tables_after_the_internet_ones_are_passed_over_but_not_rows_of_sockets_in_them() -> None:
    reading = read(
        tcp("*.7070"),
        "Active Multipath Internet connections",
        "Proto/ID  Flags      Local Address          Foreign Address        (state)    ",
        udp("*.7071", "udp6"),
        "Active LOCAL (UNIX) domain sockets",
        "Address          Type   Recv-Q Send-Q            Inode             Conn             Refs          Nextref Addr",
        "c0ffee0123456789 stream      0      0                0 c0ffee                0                0 /var/run/heron",
        "Registered kernel control modules",
        "       1        0     8192     2048        0 com.example.heron",
        tcp("*.7072"),
    )
    assert [seen.shown["port"] for seen in reading.seen] == [7070, 7071, 7072]
    assert reading.gaps == []


def test_a_row_is_read_though_something_was_typed_into_its_line() -> None:
    assert one("ls" + tcp("*.7070")) == shown("tcp", "ipv4", "0.0.0.0", 7070)


def test_sockets_that_came_while_it_listed_leave_their_protocol_uncovered() -> None:
    row = udp("*.7070")
    reading = read(tcp("*.7071"), "Some tcp sockets may have been created or deleted" + row)
    assert [seen.shown["port"] for seen in reading.seen] == [7071, 7070]
    assert [pair for pair, why in reading.covers.items() if why] == [("tcp", "ipv4"), ("tcp", "ipv6")]
    assert read("Some udp sockets may have been deleted.").covers == ALL


QUEUES = "Current listen queue sizes (qlen/incqlen/maxqlen)\nListen         Local Address         \n"


def test_the_listing_of_queues_tells_no_family_of_a_wildcard() -> None:
    output = Output(
        "netstat -Lan",
        QUEUES + "0/0/128        *.7070                 \n0/0/5  10.1.2.3.7071\n0/0/5  ::1.7072\n0/0/5  fe80::1ff:fe23:4.7073",
    )
    reading = netstat_macos.parse(output)
    laws.accounted(output, reading)
    assert [seen.shown for seen in reading.seen] == [
        shown("tcp", "unknown", "*", 7070),
        shown("tcp", "ipv4", "10.1.2.3", 7071),
        shown("tcp", "ipv6", "::1", 7072),
        shown("tcp", "ipv6", "fe80::1ff:fe23:4", 7073, address_cut=True),
    ]
    assert reading.gaps == []
    assert reading.covers == {("tcp", "ipv4"): None, ("tcp", "ipv6"): None}
    only = netstat_macos.parse(Output("netstat -Lan -f inet6", QUEUES + "0/0/128 *.7070"))
    assert only.seen[0].shown == shown("tcp", "ipv6", "::", 7070)


@pytest.mark.parametrize(
    ("command", "covered"),
    [
        ("netstat -an", set(ALL)),
        ("/usr/sbin/netstat -anvl", set(ALL)),
        ("netstat -an -p tcp", {("tcp", "ipv4"), ("tcp", "ipv6")}),
        ("netstat -anp udp", {("udp", "ipv4"), ("udp", "ipv6")}),
        ("netstat -an -f inet", {("tcp", "ipv4"), ("udp", "ipv4")}),
        ("netstat -an -finet6 -p tcp", {("tcp", "ipv6")}),
        ("netstat -an -p icmp", set()),
        ("netstat -an -f unix", set()),
        ("netstat -anu", set()),
        ("netstat -n", {("udp", "ipv4"), ("udp", "ipv6")}),
        ("netstat -Lan", {("tcp", "ipv4"), ("tcp", "ipv6")}),
        ("netstat -Ln", set()),
        ("netstat -rn", set()),
        ("netstat -s -p tcp", set()),
        ("netstat -i", set()),
        ("netstat -an 5", set()),
    ],
)
def test_the_options_say_what_is_covered(command: str, covered: set[tuple[str, str]]) -> None:
    text = QUEUES if "L" in command else f"{TITLE}\n{HEADER}\n"
    reading = netstat_macos.parse(Output(command, text))
    assert {pair for pair, why in reading.covers.items() if why is None} == covered


def test_another_table_is_passed_over_whole() -> None:
    output = Output(
        "netstat -rn",
        "Routing tables\n\nInternet:\nDestination        Gateway            Flags        Netif Expire\ndefault 10.1.2.1 UGSc en0\n",
    )
    reading = netstat_macos.parse(output)
    laws.accounted(output, reading)
    assert (reading.seen, reading.gaps, reading.covers) == ([], [], {})


def test_without_its_header_nothing_is_covered() -> None:
    reading = netstat_macos.parse(Output("netstat -an | grep LISTEN", tcp("*.7070")))
    assert set(reading.covers.values()) == {"its header line is missing"}
    assert len(reading.seen) == 1


def test_it_prints_nothing_where_there_are_no_sockets_but_only_a_good_end_makes_that_sure() -> None:
    assert netstat_macos.parse(Output("netstat -an", "", status="0")).covers == ALL
    for status in ("unknown", "1"):
        assert None not in netstat_macos.parse(Output("netstat -an", "\n", status=status)).covers.values()


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    tail = f"            0            0  131072  131072 {'Heron Mill':>16}:{417:<6} {AFTER}"
    assert "process:pid" in FIFTH_V
    tail = tail[:-30]  # a gap's line is cut at 200 characters, and the law wants no blank just there
    rows = [TITLE, FIFTH_V, tcp("*.7070", tail=tail), tcp("fe80::1ff:fe23:4.7070", proto="tcp6", tail=tail), udp("*.7071", tail=tail)]
    laws.total(netstat_macos.parse, "netstat -anv", "\n".join(rows))
    laws.total(netstat_macos.parse, "netstat -Lan", QUEUES + "0/0/128        *.7070\n")


def test_a_title_without_servers_covers_nothing_whatever_the_command_line_says() -> None:
    why = "its title does not say that servers are included (-a)"
    rows = f"{HEADER}\n{tcp('*.7070')}\n"
    for text, covers in (
        (f"{TITLE}\n{rows}Active Multipath Internet connections\n", None),
        (f"Active Internet connections\n{rows}", why),
        (f"Some tcp sockets may have been deleted.Active Internet connections\n{rows}", why),
    ):
        assert set(netstat_macos.parse(Output("netstat -an", text)).covers.values()) == {covers}
