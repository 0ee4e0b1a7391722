from __future__ import annotations

import pytest

from auditor.parsers import netstat_aix
from tests.parsers import laws
from tests.parsers.listings import EVERY, covered, place, places, reader

read = reader(netstat_aix.parse, "netstat -Aan")
TITLE = "Active Internet connections (including servers)\n"
PLAIN = TITLE + (
    "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
    "tcp        0      0  *.7703                 *.*                    LISTEN\n"
    "tcp4       0      0  *.7704                 *.*                    LISTEN\n"
    "tcp6       0      0  *.7704                 *.*                    LISTEN\n"
    "tcp4       0      0  127.0.0.1.7705         *.*                    CLOSED\n"
    "tcp4       0      0  10.77.0.9.7704         10.77.0.1.50200        ESTABLISHED\n"
    "udp        0      0  *.7701                 *.*\n"
    "udp4       0      0  *.*                    *.*\n"
)
HEADER = "PCB/ADDR         Proto Recv-Q Send-Q  Local Address      Foreign Address    (state)\n"
WITH_PCB = TITLE + HEADER + (
    "f1000e00001a2bb8 tcp4       0      0  *.7704             *.*                LISTEN\n"
    "f1000e00001c4bb8 tcp        0      0  *.7703             *.*                LISTEN\n"
    "f1000e00001d5600 udp4       0      0  *.7701             *.*\n"
    "f1000e00001e6bb8 tcp4       0      0  10.77.100.231.7704 10.77.100.230.5020 ESTABLISHED\n"
)  # fmt: skip
UNIX = (
    "\nActive UNIX domain sockets\nSADR/PCB         Type   Recv-Q Send-Q      Inode            Conn             Refs\n"
    "f1000e0000aaa008 stream      0      0 f1000a0000bbb020                0                0\n"
)


def test_the_protocol_tells_the_family_where_it_has_a_digit() -> None:
    reading = read(PLAIN + UNIX, "netstat -an")
    assert places(reading) == [
        place("tcp", "unknown", "*", 7703),
        place("tcp", "ipv4", "0.0.0.0", 7704),
        place("tcp", "ipv6", "::", 7704),
        place("tcp", "ipv4", "127.0.0.1", 7705, "bound"),
        place("udp", "unknown", "*", 7701),
    ]
    assert not reading.gaps
    assert covered(reading) == EVERY


def test_the_pcb_comes_first_with_a_and_is_the_identity() -> None:
    reading = read(WITH_PCB + UNIX)
    assert [(seen.identity, seen.shown["port"]) for seen in reading.seen] == [
        ("f1000e00001a2bb8", 7704), ("f1000e00001c4bb8", 7703), ("f1000e00001d5600", 7701)]  # fmt: skip
    assert not reading.gaps
    assert not reading.shows_owners


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(netstat_aix.parse, "netstat -Aan", WITH_PCB + RMSOCK + UNIX)
    laws.total(netstat_aix.parse, "netstat -an", PLAIN)


@pytest.mark.parametrize(
    ("local", "port"),
    [
        ("10.77.100.231.3277", None),  # may have been 3277x
        ("10.77.100.231.7704", 7704),  # no port has a fifth digit behind 7704
        ("10.77.100.21.32770", 32770),
        ("10.77.10.231.3277", 3277),  # narrower than its column
    ],
)
def test_a_port_that_fills_its_column_may_be_cut(local: str, port: int | None) -> None:
    reading = read(TITLE + HEADER + f"f1000e00001a2bb8 tcp4       0      0  {local:18} *.*                LISTEN\n")
    assert [shown["port"] for shown in places(reading)] == ([] if port is None else [port])
    assert [(gap.protocol, gap.family) for gap in reading.gaps] == ([("tcp", "ipv4")] if port is None else [])


def test_the_same_text_is_whole_where_the_column_is_wider() -> None:
    text = PLAIN[: PLAIN.index("tcp ")] + "tcp4       0      0  10.77.100.231.3277     *.*                    LISTEN\n"
    assert [shown["port"] for shown in places(read(text, "netstat -an"))] == [3277]


RMSOCK = (
    "# rmsock f1000e00001a2bb8 tcpcb\n"
    "The socket 0xf1000e00001a2808 is being held by proccess 6160552 (pigeond).\n"
    "# rmsock f1000e00001d5600 inpcb\n"
    "The socket 0xf1000e00001d5408 is being held by Kernel/Kernel Extension.\n"
    "# rmsock f1000e0000999bb8 tcpcb\n"
    "The socket 0xf1000e0000999808 is being held by proccess 77 (gone (old)).\n"
    "The socket 0xf1000e0000998808 is being held by proccess 78 (whose).\n"
)


@pytest.mark.parametrize("text", [WITH_PCB + UNIX + RMSOCK, RMSOCK + WITH_PCB, WITH_PCB + RMSOCK])
def test_what_rmsock_said_of_a_pcb_is_its_owner(text: str) -> None:
    reading = read(text)
    assert [seen.owners for seen in reading.seen] == [[{"pid": 6160552, "process": "pigeond"}], [], []]
    assert not reading.gaps
    assert sum("no socket that is listed" in why for _, why in reading.passed) == 2


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (PLAIN.replace("Proto Recv-Q", "Proto RecvQ"), "netstat -an"),
        (PLAIN.replace(" (including servers)", ""), "netstat -an"),
        (PLAIN, "netstat -n"),
        (PLAIN, "netstat -an -p tcp"),
        ("", "netstat -an"),
    ],
)
def test_without_header_or_servers_nothing_is_known_to_be_complete(text: str, command: str) -> None:
    assert covered(read(text, command)) == set()


def test_f_limits_what_was_asked() -> None:
    assert set(read(PLAIN, "netstat -an -f inet6").covers) == {("tcp", "ipv6"), ("udp", "ipv6")}


def test_a_line_that_may_be_a_listener_is_a_gap() -> None:
    reading = read(PLAIN + "tcp4       0      0  *.7709\nsctp       0      0  *.2944                 *.*\n", "netstat -an")
    assert [gap.line for gap in reading.gaps] == ["tcp4       0      0  *.7709", "sctp       0      0  *.2944                 *.*"]
