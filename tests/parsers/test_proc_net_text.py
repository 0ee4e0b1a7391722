"""/proc/net/tcp and its like, as cat prints them."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.parsers import proc_net_text
from auditor.reading import Output, Reading
from tests.parsers import laws

V4 = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
V4_DATAGRAMS = V4.rstrip() + " ref pointer drops\n"
V6 = V4.replace("rem_address  ", "                        remote_address                       ")
V6_DATAGRAMS = V6.rstrip() + " ref pointer drops\n"
TAIL = "00000000:00000000 00:00000000 00000000"
NOBODY = "00000000:0000"
SSH = f"   0: 00000000:0016 {NOBODY} 0A {TAIL}     0        0 4101 1 0000000000000000 100 0 0 10 0\n"
LOCAL = f"   1: 0100007F:1F90 {NOBODY} 0A {TAIL}  1000        0 4102 1 0000000000000000 100 0 0 10 0\n"
CONNECTED = f"   2: 0500000A:0016 0900000A:D431 01 {TAIL}     0        0 4103 4 0000000000000000 20 4 30 10 -1\n"
DHCP = f"  87: 00000000:0044 {NOBODY} 07 {TAIL}     0        0 4104 2 0000000000000000 0\n"
SSH6 = f"   0: {'0' * 32}:0016 {'0' * 32}:0000 0A {TAIL}     0        0 4105 1 0000000000000000 100 0 0 10 0\n"
MAPPED6 = SSH6.replace("0" * 32 + ":0016", "0" * 16 + "FFFF00000500000A:0050").replace("4105", "4106")
NTP6 = f"  11: {'0' * 32}:007B {'0' * 32}:0000 07 {TAIL}   123        0 4107 2 0000000000000000 0\n"
ALL = V4 + SSH + LOCAL + CONNECTED + V6 + SSH6 + MAPPED6 + V4_DATAGRAMS + DHCP + V6_DATAGRAMS + NTP6
FOUR = "cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6"


def read(text: str, command: str = "cat /proc/net/tcp", stderr: str = "", little_endian: bool = True) -> Reading:
    output = Output(command, text, stderr)
    reading = proc_net_text.parse(output, little_endian)
    laws.accounted(output, reading)
    return reading


def sockets(reading: Reading) -> list[tuple[Any, ...]]:
    return [
        (*(seen.shown[key] for key in ("protocol", "family", "address", "port", "uid", "state")), seen.identity) for seen in reading.seen
    ]


EXPECTED = [
    ("tcp", "ipv4", "0.0.0.0", 22, 0, "listening", "4101"), ("tcp", "ipv4", "127.0.0.1", 8080, 1000, "listening", "4102"),
    ("tcp", "ipv6", "::", 22, 0, "listening", "4105"), ("tcp", "ipv6", "::ffff:10.0.0.5", 80, 0, "listening", "4106"),
    ("udp", "ipv4", "0.0.0.0", 68, 0, "listening", "4104"), ("udp", "ipv6", "::", 123, 123, "listening", "4107"),
]  # fmt: skip


@pytest.mark.parametrize("command", [FOUR, "cat /proc/net/{tcp,tcp6,udp,udp6}", "cat /proc/net/{tcp,udp}{,6}",
                                     "cat /proc/17/net/{tcp,tcp6,udp,udp6}",
                                     "cat /proc/net/tcp* /proc/net/udp /proc/net/udp6"])  # fmt: skip
def test_several_tables_in_one_output_are_told_by_their_headers_and_order(command: str) -> None:
    reading = read(ALL, command)
    assert sockets(reading) == EXPECTED
    assert reading.gaps == []
    assert reading.covers == dict.fromkeys([(p, f) for p in ("tcp", "udp") for f in ("ipv4", "ipv6")])
    assert not reading.shows_owners


def test_order_tells_tables_of_kernels_whose_datagram_header_is_the_same() -> None:
    reading = read(V4 + SSH + V4 + DHCP, "cat /proc/net/tcp /proc/net/udp")
    assert [row[0] for row in sockets(reading)] == ["tcp", "udp"]


def test_tables_that_cannot_be_told_apart_are_gaps() -> None:
    reading = read(V4 + DHCP, "cat /proc/net/tcp /proc/net/udp")
    assert reading.seen == []
    assert len(reading.gaps) == 1
    assert None not in reading.covers.values()


def test_a_file_that_is_not_there_is_not_covered_and_shifts_no_other() -> None:
    no_v6 = "cat: /proc/net/tcp6: No such file or directory\n"
    reading = read(V4 + SSH + V4_DATAGRAMS + DHCP, "cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp", no_v6)
    assert [row[0] for row in sockets(reading)] == ["tcp", "udp"]
    assert reading.covers == {("tcp", "ipv4"): None, ("tcp", "ipv6"): no_v6.strip(), ("udp", "ipv4"): None}


def test_udp_and_udplite_have_the_same_header_and_are_told_by_order_only() -> None:
    both = "cat /proc/net/udp /proc/net/udplite"
    assert [row[0] for row in sockets(read(V4_DATAGRAMS + DHCP + V4_DATAGRAMS + DHCP.replace("4104", "9"), both))] == ["udp", "udplite"]
    assert read(V4_DATAGRAMS + DHCP, both).seen == []
    missing = "cat: /proc/net/udplite: No such file or directory\n"
    assert [row[0] for row in sockets(read(V4_DATAGRAMS + DHCP, both, missing))] == ["udp"]


def test_two_dumps_of_one_table_are_one_and_a_socket_of_both_is_one() -> None:
    reading = read(V4 + SSH + V4 + SSH + LOCAL)
    assert sockets(reading) == EXPECTED[:2]
    assert reading.covers == {("tcp", "ipv4"): None}
    assert [gap.line for gap in reading.gaps] == [V4.rstrip("\n")]


def test_rows_whose_line_breaks_were_lost_are_each_read() -> None:
    assert sockets(read(V4 + SSH.rstrip() + "  " + LOCAL)) == EXPECTED[:2]
    broken = read(V4 + SSH.rstrip() + "  " + LOCAL[:60] + "\n")
    assert broken.seen == []
    assert [(gap.protocol, gap.family) for gap in broken.gaps] == [("tcp", "ipv4")]


def test_without_its_header_a_table_is_read_but_not_covered() -> None:
    reading = read(SSH)
    assert sockets(reading) == EXPECTED[:1]
    assert reading.covers == {("tcp", "ipv4"): "its table, with its header line, is not in the output"}


def test_byte_order_is_the_callers_to_say() -> None:
    assert sockets(read(V4 + LOCAL.replace("0100007F", "7F000001"), little_endian=False)) == EXPECTED[1:2]


def test_head_may_print_part_of_a_file_and_names_each_of_several() -> None:
    text = f"==> /proc/net/udp <==\n{V4_DATAGRAMS}{DHCP}\n==> /proc/net/tcp <==\n{V4}{SSH}"
    reading = read(text, "head /proc/net/udp /proc/net/tcp")
    assert [row[0] for row in sockets(reading)] == ["udp", "tcp"]
    assert None not in reading.covers.values()


def test_tables_of_several_stacks_in_one_output_belong_to_none() -> None:
    reading = read(V4 + SSH + V4 + LOCAL, "cat /proc/7/net/tcp /proc/9/net/tcp")
    assert reading.seen == []
    assert len(reading.gaps) == 2
    assert None not in reading.covers.values()


def test_a_table_of_the_other_family_than_asked_for_is_a_gap() -> None:
    reading = read(V6 + SSH6)
    assert reading.seen == []
    assert len(reading.gaps) == 1


def test_an_echoed_command_is_passed_over() -> None:
    assert read("root@web:~# cat /proc/net/tcp\n" + V4 + SSH).gaps == []


@pytest.mark.parametrize("line", ["garbage", SSH[:50], SSH.replace(":0016", ":16").strip()])
def test_what_cannot_be_read_is_a_gap_of_its_table(line: str) -> None:
    reading = read(V4 + line + "\n" + LOCAL)
    assert [(gap.line, gap.protocol, gap.family) for gap in reading.gaps] == [(line, "tcp", "ipv4")]
    assert sockets(reading) == EXPECTED[1:2]


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    laws.total(proc_net_text.parse, FOUR, ALL)
    laws.total(proc_net_text.parse, "cat /proc/net/tcp", ALL)
    laws.total(proc_net_text.parse, "cat", ALL)
