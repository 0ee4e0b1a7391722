from __future__ import annotations

import pytest

from auditor.parsers import netstat_hpux
from tests.parsers import laws
from tests.parsers.listings import EVERY, covered, place, places, reader

read = reader(netstat_hpux.parse, "netstat -an")
HEADER = "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
INET = "Active Internet connections (including servers)\n" + HEADER
INET6 = "Active Internet connections (IPv6, including servers)\n" + HEADER
ROWS = (
    "tcp        0      0  *.7703                 *.*                     LISTEN\n"
    "tcp        0      0  127.0.0.1.7704         *.*                     BOUND\n"
    "tcp        0      0  10.77.0.9.7703         10.77.0.1.50200         ESTABLISHED\n"
    "udp        0      0  *.7701                 *.*\n"
    "udp        0      0  127.0.0.1.50021        127.0.0.1.50021\n"
    "udp        0      0  *.*                    *.*\n"
)
ROWS6 = (
    "tcp6       0      0  *.7703                 *.*                     LISTEN\n"
    "tcp6       0      0  ::1.7705               *.*                     LISTEN\n"
    "tcp6       0      0  ::1.50200              ::1.7705                TIME_WAIT\n"
    "udp6       0      0  *.7701                 *.*\n"
)
UNIX = (
    "Active UNIX domain sockets\nAddress  Type   Recv-Q Send-Q    Inode     Conn     Refs  Nextref Addr\n"
    " 4a0b1c0 stream      0      0  4a0c000\n"
)


def test_both_tables_are_read() -> None:
    reading = read(INET + ROWS + INET6 + ROWS6 + UNIX)
    assert places(reading) == [
        place("tcp", "ipv4", "0.0.0.0", 7703),
        place("tcp", "ipv4", "127.0.0.1", 7704, "bound"),
        place("udp", "ipv4", "0.0.0.0", 7701),
        place("tcp", "ipv6", "::", 7703),
        place("tcp", "ipv6", "::1", 7705),
        place("udp", "ipv6", "::", 7701),
    ]
    assert not reading.gaps
    assert covered(reading) == EVERY
    assert all(not seen.owners for seen in reading.seen)


def test_a_udp_socket_connected_to_itself_is_a_connection() -> None:
    reading = read(INET + ROWS)
    assert ("udp        0      0  127.0.0.1.50021        127.0.0.1.50021", "it has a peer: a connection") in reading.passed


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(netstat_hpux.parse, "netstat -an", INET + ROWS + INET6 + ROWS6 + UNIX)


def test_only_the_tables_that_are_there_are_covered() -> None:
    assert covered(read(INET + ROWS)) == {("tcp", "ipv4"), ("udp", "ipv4")}
    reading = read(INET6 + ROWS6, "netstat -an -f inet6")
    assert set(reading.covers) == covered(reading) == {("tcp", "ipv6"), ("udp", "ipv6")}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (ROWS + ROWS6, "netstat -an"),
        (HEADER + ROWS, "netstat -an"),
        ("Active Internet connections\n" + HEADER + ROWS, "netstat -an"),
        (INET + ROWS, "netstat -n"),
        (INET + ROWS, "netstat -ans"),
        ("", "netstat -an"),
    ],
)
def test_without_title_header_or_servers_nothing_is_known_to_be_complete(text: str, command: str) -> None:
    assert covered(read(text, command)) == set()


def test_a_port_that_fills_its_column_may_be_cut() -> None:
    """655 may have been 6553 or 65535; behind 7703 there is no fifth digit of a port."""
    reading = read(INET6 + "tcp6       0      0  2001:db8:77:1::123.655 *.*                     LISTEN\n")
    assert [(gap.protocol, gap.family) for gap in reading.gaps] == [("tcp", "ipv6")]
    assert not reading.seen
    reading = read(INET6 + "tcp6       0      0  2001:db8:77:1::12.7703 *.*                     LISTEN\n")
    assert [shown["port"] for shown in places(reading)] == [7703]


def test_a_host_part_of_sixteen_letters_may_be_cut_however_good_it_looks() -> None:
    reading = read(INET6 + "tcp6       0      0  2001:db8:77::123.7703  *.*                     LISTEN\n"
                   "tcp6       0      0  2001:db8:77::12.7703   *.*                     LISTEN\n")  # fmt: skip
    assert [shown.get("address_cut") for shown in places(reading)] == [True, None]


@pytest.mark.parametrize(
    "row",
    [
        "tcp        0      0  *.7703                 *.*",
        "tcp        0      0  *.7703                 *.*                     NEWSTATE",
        "tcp        0      0  10.77.0.9.7703         10.77.0.1.50200         LISTEN",
        "tcp        0      0  *.7703",
        "udp        0      0  *.77777                *.*",
    ],
)
def test_a_row_that_cannot_be_read_is_a_gap(row: str) -> None:
    reading = read(INET + row + "\n")
    assert [gap.line for gap in reading.gaps] == [row]
    assert not reading.seen


def test_a_cut_address_of_a_connection_is_no_gap() -> None:
    reading = read(INET6 + "tcp6       0      0  2001:db8:77:1:2:3:4:55 2001:db8:77:1:2:3:4:66  ESTABLISHED\n")
    assert not reading.gaps
    assert len(reading.passed) == 3


def test_other_protocols_are_passed_over_and_sctp_is_not() -> None:
    reading = read(INET + "icmp       0      0  *.*                    *.*\nsctp       0      0  *.2944                 *.*\n")
    assert [gap.line for gap in reading.gaps] == ["sctp       0      0  *.2944                 *.*"]
