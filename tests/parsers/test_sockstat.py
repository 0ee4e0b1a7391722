from __future__ import annotations

from typing import Any

import pytest

from auditor.parsers import sockstat
from tests.parsers import laws, listings
from tests.parsers.listings import EVERY, places, reader

read = reader(sockstat.parse, "sockstat -46l")
HEADER = "USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
FREEBSD = HEADER + (
    "root     pigeond    417   6  tcp46  *:7070                *:*\n"
    "root     pigeond    417   7  tcp6   *:7071                *:*\n"
    "root     pigeond    417   8  tcp4   *:7071                *:*\n"
    "_owl     owld       2203  4  tcp4   10.9.8.7:515          *:*\n"
    "_owl     owld       2203  5  udp6   fe80::5%em0:547       *:*\n"
    "_owl     owld       2203  9  tcp4   10.9.8.7:515          10.9.8.1:40112\n"
    "_owl     owld       2203  10 udp4   *:*                   *:*\n"
    "_owl     owld       2203  11 stream /var/run/owl.sock\n"
    "_owl     owld       2203  12 dgram  -> /var/run/logpriv\n"
    "1005     quail      3001  3  div4   *:8668                *:*\n"
    "?        ?          ?     ?  udp4   *:2049                *:*\n"
)
NETBSD = HEADER + (
    "root     finchd     88     3 tcp    *.7070                *.*\n"
    "root     finchd     88     4 tcp6   *.7070                *.*\n"
    "root     finchd     88     5 tcp6   fe80:3::9.7072        *.*\n"
    "root     finchd     88     6 tcp6   2001:db8:7:7:7:7:7:7.7073 *.*\n"
    "_wren    wrend      91    12 udp    127.0.0.1.7074        *.*\n"
    "_wren    wrend      91    13 tcp    *.*                   *.*\n"
    "_wren    wrend      91    14 24/58  *.*                   *.*\n"
    "_wren    wrend      91    15 tcp    10.9.8.7.22           10.9.8.1.5123\n"
)


def one(row: str, command: str = "sockstat -46l", header: str = HEADER) -> dict[str, Any]:
    (shown,) = places(read(header + row + "\n", command))
    return shown


def covered(command: str, text: str = HEADER) -> set[tuple[str, str]]:
    return listings.covered(read(text, command))


def gaps(row: str, command: str = "sockstat -46l", header: str = HEADER) -> list[tuple[str | None, str | None]]:
    reading = read(header + row + "\n", command)
    assert not reading.seen
    return [(gap.protocol, gap.family) for gap in reading.gaps]


def test_freebsd_rows_without_a_peer_are_sockets() -> None:
    reading = read(FREEBSD)
    place = {"protocol": "tcp", "state": "unknown"}
    assert places(reading) == [
        place | {"address": "::", "family": "ipv6", "port": 7070, "v6only": False},
        place | {"address": "::", "family": "ipv6", "port": 7071, "v6only": True},
        place | {"address": "0.0.0.0", "family": "ipv4", "port": 7071},
        place | {"address": "10.9.8.7", "family": "ipv4", "port": 515},
        {"protocol": "udp", "state": "listening", "address": "fe80::5", "zone": "em0", "family": "ipv6", "port": 547},
        {"protocol": "udp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 2049},
    ]
    assert not reading.gaps
    assert reading.per_descriptor
    assert reading.shows_owners


def test_owners_are_as_printed_and_a_socket_without_a_process_has_none() -> None:
    reading = read(FREEBSD)
    assert reading.seen[0].owners == [{"user": "root", "pid": 417, "process": "pigeond"}]
    assert reading.seen[-1].owners == []
    assert read(HEADER + "1005     quail      3001  3  tcp4   *:99   *:*\n").seen[0].owners == [
        {"uid": 1005, "pid": 3001, "process": "quail"}
    ]


def test_netbsd_rows_are_read_and_tell_nothing_of_v6only() -> None:
    reading = read(NETBSD, "sockstat -ln")
    assert places(reading) == [
        {"protocol": "tcp", "state": "listening", "address": "0.0.0.0", "family": "ipv4", "port": 7070},
        {"protocol": "tcp", "state": "listening", "address": "::", "family": "ipv6", "port": 7070},
        {"protocol": "tcp", "state": "listening", "address": "fe80::9", "zone": "3", "family": "ipv6", "port": 7072},
        {"protocol": "tcp", "state": "listening", "address": "2001:db8:7:7:7:7:7:7", "family": "ipv6", "port": 7073},
        {"protocol": "udp", "state": "listening", "address": "127.0.0.1", "family": "ipv4", "port": 7074},
    ]
    assert not reading.gaps


def test_netbsd_without_l_lists_bound_sockets_too() -> None:
    assert {seen.shown["state"] for seen in read(NETBSD, "sockstat -n").seen if seen.shown["protocol"] == "tcp"} == {"unknown"}


def test_netbsd_prints_names_unless_asked_not_to() -> None:
    row = "root     finchd     88     3 tcp    mill.ssh              *.*\n"
    (seen,) = read(HEADER + row, "sockstat -l").seen
    assert (seen.shown["address"], seen.port_name, "port" in seen.shown) == ("mill", "ssh", False)
    assert gaps(row, "sockstat -ln") == [("tcp", "ipv4")]


def test_a_row_with_a_redacted_address_is_a_gap() -> None:
    assert gaps("root     pigeond    417   6  tcp4   x.x.x.x:7070          *:*") == [("tcp", "ipv4")]
    assert gaps("root     pigeond    417   6  tcp4   *:7070                hidden") == [("tcp", "ipv4")]
    assert gaps("root     pigeond    417   6  tcp4   10.9.8.7:515          10.9.8.") == [("tcp", "ipv4")]


def test_a_row_whose_columns_were_shifted_is_read_by_its_shape() -> None:
    assert one("me  pigeond    417 6   tcp46  *:7070               *:*")["port"] == 7070


def test_a_command_that_runs_into_the_pid_is_parted_where_it_must_have_been_cut() -> None:
    (seen,) = read(HEADER + "a-very-long-user-x two words!74123 3 tcp4 *:7070  *:*\n").seen
    assert seen.owners == [{"user": "a-very-long-user-x", "pid": 74123, "process": "two words!"}]


def test_a_command_that_runs_into_the_pid_and_may_end_in_a_digit_is_not_guessed() -> None:
    (seen,) = read(HEADER + "a-very-long-user-x finch74123 3 tcp4 *:7070  *:*\n").seen
    assert seen.owners == [{"user": "a-very-long-user-x"}]


def test_a_pid_that_runs_into_the_descriptor_is_a_gap() -> None:
    assert gaps("root     owl7       1000007tcp4 *:7070 *:*") == [(None, None)]
    assert gaps("root     owl7 1000007  tcp4   *:7070                *:*") == [(None, None)]


def test_a_command_may_look_like_the_columns_after_it() -> None:
    (seen,) = read(HEADER + "mallory  1 2 tcp4   417   6  tcp4   *:7070                *:*\n").seen
    assert seen.owners == [{"user": "mallory", "pid": 417, "process": "1 2 tcp4"}]


def test_addresses_that_touch_are_parted() -> None:
    reading = read(HEADER + "root     pigeond    417   6  tcp4   10.119.128.17:700010.119.128.19:49866\n")
    assert not reading.seen
    assert not reading.gaps
    assert one("a-very-long-user-x two words!74123 3 tcp4 100.119.128.117:7000*:*")["port"] == 7000


def test_old_releases_say_tcp4_6_of_both_families() -> None:
    assert one("camel    cameld     10941 7  tcp4 6 *:3179               *:*") == {
        "protocol": "tcp", "state": "unknown", "address": "::", "family": "ipv6", "port": 3179, "v6only": False}  # fmt: skip


def test_a_tcp_connection_that_hardware_handles_is_tcp() -> None:
    assert one("root     pigeond    417   6  toe4   *:7070                *:*")["protocol"] == "tcp"


def test_remarks_after_a_row_are_left_aside() -> None:
    assert one("root     pigeond    417   6  tcp4   *:7070                *:*   # the pigeon LISTEN", "sockstat -4ls")["state"] == "unknown"


def test_a_remark_on_its_own_is_a_gap() -> None:
    assert gaps("#root     pigeond    417   6") == [(None, None)]


def test_the_typed_command_is_passed_over() -> None:
    reading = read("root@mill:~ # sockstat -46l\n$ /usr/bin/sockstat -46l\n" + HEADER)
    assert not reading.gaps
    assert None in reading.covers.values()


@pytest.mark.parametrize(("word", "state"), [("LISTEN", "listening"), ("CLOSED", "bound"), ("??", "unknown")])
def test_the_column_of_s_tells_the_state(word: str, state: str) -> None:
    header = HEADER[:-1] + " PATH STATE   CONN STATE\n"
    assert (
        one(f"root     pigeond    417   6  tcp4   *:7070                *:*                                {word}", "sockstat -4s", header)[
            "state"
        ]
        == state
    )


def test_the_columns_of_freebsd_15_are_read() -> None:
    header = "USER COMMAND    PID FD PROTO LOCAL ADDRESS         FOREIGN ADDRESS    PCB KVA FIB ID ENCAPS CONN STATE BBLOG STATE STACK CC\n"
    row = "root pigeond    417  6 tcp6  *:7070                *:*    0xfffff80003df43d0   0 12     ?? LISTEN     off         rack  cubic"
    assert one(row, "sockstat -AfiUsbSC", header) == {
        "protocol": "tcp", "state": "listening", "address": "::", "family": "ipv6", "port": 7070, "v6only": True}  # fmt: skip


def test_freebsd_15_cuts_addresses_so_that_a_full_column_is_a_gap() -> None:
    header = "USER COMMAND    PID FD PROTO LOCAL ADDRESS         FOREIGN ADDRESS\n"
    cut = "root pigeond    417  6 tcp6  2001:db8:7:7::7:70707 *:*".replace("70707", "7070")
    full = "root pigeond    417  6 tcp6  2001:db8:70:7::7:7070 *:*"
    assert one(cut, "sockstat -46l", header)["port"] == 7070
    assert gaps(full, "sockstat -46l", header) == [("tcp", "ipv6")]
    assert gaps(full, "sockstat -46lq", "") == [("tcp", "ipv6")]
    assert one(full, "sockstat -46lw", header)["address"] == "2001:db8:70:7::7"
    assert one("root     pigeond    417   6  tcp6   2001:db8:70:7::7:7070 *:*", "sockstat -46l", HEADER)["port"] == 7070
    assert one("root pigeond    417  6 tcp4  192.168.100.100:60000 *:*", "sockstat -46l", header)["port"] == 60000


def test_an_sctp_socket_has_a_row_for_each_address() -> None:
    text = HEADER + (
        "root     pigeond    417   6  sctp46 *:7070                *:*\n"
        "root     pigeond    417   7  sctp4  10.9.8.7:7071         *:*\n"
        "                                    10.9.8.8:7071         \n"
        "root     pigeond    417   8  sctp4  10.9.8.7:7072         10.9.9.9:1\n"
        "                                    10.9.8.8:7072         10.9.9.8:1\n"
    )
    reading = read(text)
    assert [(s["protocol"], s["family"], s["address"], s["port"]) for s in places(reading)[:3]] == [
        ("sctp", "ipv6", "::", 7070), ("sctp", "ipv4", "10.9.8.7", 7071), ("sctp", "ipv4", "10.9.8.8", 7071)]  # fmt: skip
    assert all(seen.owners[0]["pid"] == 417 for seen in reading.seen)
    assert "v6only" not in reading.seen[0].shown
    assert len(reading.seen) == 3
    assert not reading.gaps


def test_an_sctp_row_that_runs_on_with_another_address_is_a_gap() -> None:
    assert gaps("root     pigeond 417 7 sctp4  10.9.8.7:7071         *:*  ?? ?? ?? ?? 10.9.8.8:7071 ??") == [("sctp", "ipv4")]


def test_an_ipv4_address_of_an_sctp_socket_for_both_is_mapped() -> None:
    assert one("root     pigeond    417   7  sctp46 10.9.8.7:7071         *:*")["address"] == "::ffff:10.9.8.7"


def test_output_without_its_header_is_not_known_to_be_complete() -> None:
    assert covered("sockstat -46l", "") == set()
    assert covered("sockstat -46l", FREEBSD.removeprefix(HEADER)) == set()
    assert covered("sockstat -46lq", FREEBSD.removeprefix(HEADER)) == EVERY


def test_what_it_complained_of_may_have_hidden_rows() -> None:
    reading = read(HEADER, stderr="sockstat: struct xtcpcb size mismatch\n")
    assert None not in reading.covers.values()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sockstat", EVERY),
        ("sockstat -l", EVERY),
        ("sockstat -cl", EVERY),
        ("sockstat -4l", {("tcp", "ipv4"), ("udp", "ipv4")}),
        ("sockstat -6", {("tcp", "ipv6"), ("udp", "ipv6")}),
        ("sockstat -46lP tcp", {("tcp", "ipv4"), ("tcp", "ipv6")}),
        ("sockstat -Pudp,sctp", {("udp", "ipv4"), ("udp", "ipv6")}),
        ("sockstat -u -P tcp", {("tcp", "ipv4"), ("tcp", "ipv6")}),
        ("sockstat -f -l -4", {("tcp", "ipv4"), ("udp", "ipv4")}),
        ("sockstat -l -f inet6", {("tcp", "ipv6"), ("udp", "ipv6")}),
        ("sockstat -lfinet", {("tcp", "ipv4"), ("udp", "ipv4")}),
        ("sockstat -f local", set()),
        ("sockstat -u", set()),
        ("sockstat -c", set()),
        ("sockstat -l -j 4", set()),
        ("sockstat -Ll", set()),
        ("sockstat -4 -p22", set()),
        ("sockstat -F www", set()),
    ],
)
def test_options_limit_what_is_covered(command: str, expected: set[tuple[str, str]]) -> None:
    assert covered(command) == expected


def test_no_line_is_lost_whatever_the_text() -> None:
    laws.total(sockstat.parse, "sockstat -46ls", FREEBSD)
    laws.total(sockstat.parse, "sockstat -n", NETBSD)
