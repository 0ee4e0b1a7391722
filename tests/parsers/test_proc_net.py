"""/proc/net/{tcp,udp}[6] as kernels print them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.parsers import proc_net

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
SSH = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18432 1 0000000000000000 100 0 0 10 0"
LOOPBACK = "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 99 1 0000000000000000 100 0 0 10 0"
CONNECTED = (
    "   2: 0500000A:0016 0900000A:D431 01 00000000:00000000 02:000A0C5B 00000000     0        0 20001 4 0000000000000000 20 4 30 10 -1"
)
DHCP = "  87: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 16001 2 0000000000000000 0"
DNS_QUERY = "  90: 0500000A:D431 08080808:0035 01 00000000:00000000 00:00000000 00000000   101        0 16002 2 0000000000000000 0"
V6_WILDCARD = (
    "   0: " + "0" * 32 + ":0016 " + "0" * 32 + ":0000 0A 00000000:00000000 00:00000000 00000000     0        0 18434 1 0 100 0 0 10 0"
)
V6_LOOPBACK = V6_WILDCARD.replace("0" * 32 + ":0016", "0" * 24 + "01000000:0277").replace("18434", "77")
V6_MAPPED = V6_WILDCARD.replace("0" * 32 + ":0016", "0" * 16 + "FFFF00000500000A:0050")


def read(lines: list[str], protocol: str = "tcp", family: str = "ipv4", **more: bool) -> tuple[list[tuple[str, int, int, str]], list[str]]:
    found, gaps = proc_net.parse("\n".join([HEADER, *lines]), protocol, family, **more)
    assert all(gap.protocol == protocol and gap.family == family for gap in gaps), "a gap is of just this table"
    return [(row.address, row.port, row.uid, row.inode) for row in found], [gap.line or "" for gap in gaps]


def test_listening_sockets_are_read_and_connections_are_passed_over() -> None:
    assert read([SSH, LOOPBACK, CONNECTED]) == ([("0.0.0.0", 22, 0, "18432"), ("127.0.0.1", 8080, 1000, "99")], [])


def test_a_datagram_socket_counts_where_it_has_no_peer() -> None:
    with_peer = DHCP.replace("00000000:0000 07", "08080808:0035 07")
    assert read([DHCP, DNS_QUERY, with_peer], "udp") == ([("0.0.0.0", 68, 0, "16001")], [])


def test_addresses_of_the_sixth_version_are_words_of_the_hosts_byte_order() -> None:
    found, gaps = read([V6_WILDCARD, V6_LOOPBACK, V6_MAPPED], family="ipv6")
    assert [(address, port) for address, port, *_ in found] == [("::", 22), ("::1", 631), ("::ffff:10.0.0.5", 80)]
    assert gaps == []


def test_on_a_big_endian_host_the_words_are_as_they_stand() -> None:
    assert read([LOOPBACK.replace("0100007F", "7F000001")], little_endian=False)[0] == [("127.0.0.1", 8080, 1000, "99")]


@pytest.mark.parametrize("protocol", ["tcp", "udp", "udplite"])
def test_an_empty_table_has_no_sockets_and_no_gaps(protocol: str) -> None:
    assert read([], protocol) == ([], [])


@pytest.mark.parametrize("text", ["", "\n", SSH, "cat: /proc/net/tcp: Permission denied", HEADER.replace("sl", "ls")])
def test_without_its_header_it_is_no_table(text: str) -> None:
    found, gaps = proc_net.parse(text, "tcp", "ipv4")
    assert found == []
    assert [gap.why for gap in gaps] == ["the table does not begin with its header"]


@pytest.mark.parametrize(
    "line",
    [
        SSH[:20], SSH[:60], SSH[: SSH.index("18432")], "garbage", SSH.replace(":0016", ":16"), SSH.replace(":0016", ":00016"),
        SSH.replace(":0016", ":+016"), SSH.replace(":0016", ":0x16"), SSH.replace("00000000:0016", "0000000:0016"),
        SSH.replace("00000000:0016", "0" * 32 + "0:0016"), SSH.replace("18432", "-1"), SSH.replace("18432", "x"),
        SSH.replace("00000000     0", "00000000    -1"), SSH.replace(" 0A ", " A "), SSH.replace("18432", "²"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_a_gap_and_costs_no_other_line(line: str) -> None:
    found, gaps = read([line, LOOPBACK])
    assert [port for _, port, *_ in found] == [8080]
    assert gaps == [line]


def test_port_zero_is_no_port() -> None:
    assert read([SSH.replace(":0016", ":0000")]) == ([], [])


@given(st.text(max_size=120), st.sampled_from(["tcp", "udp", "udplite"]), st.sampled_from(["ipv4", "ipv6"]))
def test_reading_is_total(text: str, protocol: str, family: str) -> None:
    for whole in (text, HEADER + "\n" + text):
        for row in proc_net.parse(whole, protocol, family)[0]:
            assert 0 < row.port <= 65535


@given(st.integers(0, len(SSH)), st.characters())
def test_a_line_with_one_odd_character_is_read_as_a_port_or_is_a_gap_or_no_listener(at: int, odd: str) -> None:
    found, gaps = read([SSH[:at] + odd + SSH[at + 1 :]])
    assert len(found) + len(gaps) <= 2
    assert all(inode.isascii() and inode.isdigit() and 0 < port <= 65535 for _, port, _, inode in found)
