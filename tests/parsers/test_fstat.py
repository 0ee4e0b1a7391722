from __future__ import annotations

import pytest

from auditor.parsers import fstat
from auditor.reading import Output
from tests.parsers import laws, listings
from tests.parsers.listings import EVERY, places, reader

read = reader(fstat.parse, "fstat -n")
HEADER = "USER     CMD          PID   FD MOUNT        INUM  MODE         R/W    SZ|DV\n"
OPENBSD = HEADER + (
    "_owl     owld        2203   wd /              2  drwxr-xr-x     r      512\n"
    "_owl     owld        2203 text /usr      103711  -r-xr-xr-x    rx   441160\n"
    "_owl     owld        2203    0 /          17811  crw-rw-rw-    rw     null\n"
    "_owl     owld        2203    3* unix stream 0x0 <-> 0x0\n"
    "_owl     owld        2203    4* internet stream tcp 0x0 *:515\n"
    "_owl     owld        2203    5* internet6 stream tcp 0xffff8000008e9660 *:515\n"
    "_owl     owld        2203    6* internet6 dgram udp [fe80::5%em0]:547\n"
    "_owl     owld        2203    7* internet dgram udp 10.9.8.7:5555 <-> 10.9.8.1:53\n"
    "_owl     owld        2203    8* internet stream tcp 0x0 10.9.8.7:515 <-- 10.9.8.1:40112\n"
    "_owl     owld        2203    9* internet stream tcp 0x0 10.9.8.7:40113 --> 10.9.8.1:22 rtable 5\n"
    "_owl     owld        2203   10* internet dgram udp *:0\n"
    "_owl     owld        2203   11* internet stream tcp 0x0 *:516 rtable 5\n"
    "_owl     owld        2203   12* internet raw icmp 0x0\n"
    "_owl     owld        2203   13* route raw 0 0x0\n"
    "_owl     owld        2203   14 kqueue 0x0 0 state: W\n"
    "1005     two words   3001    3* internet dgram udp 127.0.0.1:161\n"
)
NETBSD = HEADER + (
    "root     finchd        88    3* internet stream tcp *:7070\n"
    "root     finchd        88    4* internet6 stream tcp [*]:7070\n"
    "root     finchd        88    5* internet6 dgram udp [::1]:7071\n"
    "root     finchd        88    6* internet stream tcp 10.9.8.1:40112 <-> 10.9.8.7:7070\n"
    "root     finchd        88    7* internet stream tcp fffffe8011223344\n"
)


def covered(command: str, text: str = OPENBSD) -> set[tuple[str, str]]:
    return listings.covered(read(text, command))


def gaps(row: str) -> list[tuple[str | None, str | None]]:
    reading = read(HEADER + row + "\n")
    assert not reading.seen
    return [(gap.protocol, gap.family) for gap in reading.gaps]


def test_openbsd_sockets_with_a_port_and_no_peer_are_read() -> None:
    reading = read(OPENBSD)
    assert places(reading) == [
        {"protocol": "tcp", "state": "unknown", "address": "0.0.0.0", "family": "ipv4", "port": 515},
        {"protocol": "tcp", "state": "unknown", "address": "::", "family": "ipv6", "port": 515, "v6only": True},
        {"protocol": "udp", "state": "listening", "address": "fe80::5", "zone": "em0", "family": "ipv6", "port": 547},
        {"protocol": "udp", "state": "listening", "address": "127.0.0.1", "family": "ipv4", "port": 161},
    ]
    assert not reading.gaps
    assert reading.per_descriptor
    assert reading.shows_owners


def test_holders_are_as_printed_and_roots_listing_tells_sockets_apart() -> None:
    seen = read(OPENBSD).seen
    assert seen[0].owners == [{"user": "_owl", "pid": 2203, "process": "owld"}]
    assert seen[-1].owners == [{"uid": 1005, "pid": 3001, "process": "two words"}]
    assert [one.identity for one in seen[:2]] == [None, "0xffff8000008e9660"]


def test_a_socket_of_another_routing_table_is_not_the_hosts_own() -> None:
    assert "it is of routing table 5" in {why for _, why in read(OPENBSD).passed}


def test_netbsd_sockets_are_read_and_tell_nothing_of_v6only() -> None:
    reading = read(NETBSD)
    assert places(reading) == [
        {"protocol": "tcp", "state": "unknown", "address": "0.0.0.0", "family": "ipv4", "port": 7070},
        {"protocol": "tcp", "state": "unknown", "address": "::", "family": "ipv6", "port": 7070},
        {"protocol": "udp", "state": "listening", "address": "::1", "family": "ipv6", "port": 7071},
    ]
    assert not reading.gaps
    assert set(reading.covers.values()) == {None}


def test_an_fstat_that_shows_no_addresses_covers_nothing() -> None:
    text = HEADER + "root     pigeond      417    6* internet stream tcp fffff80003df43d0\n"
    reading = read(text)
    assert not reading.seen
    assert None not in reading.covers.values()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("_owl     owld        2203    4* internet stream tcp 0x0 *:515x", ("tcp", "ipv4")),
        ("_owl     owld        2203    4* internet6 stream tcp 0x0 hidden:515", ("tcp", "ipv6")),
        ("_owl     owld        2203    4* internet stream", (None, None)),
        ("_owl     owld        2203    4* error", (None, None)),
        ("_owl     owld        2203    4*  stream tcp", (None, None)),
        ("fstat: something", (None, None)),
    ],
)
def test_what_may_be_a_socket_and_cannot_be_read_is_a_gap(row: str, expected: tuple[str | None, str | None]) -> None:
    assert gaps(row) == [expected]


def test_the_typed_command_is_passed_over() -> None:
    assert not read("$ fstat -n\n" + OPENBSD).gaps


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("fstat", EVERY),
        ("fstat -nsv", EVERY),
        ("fstat -p 2203", set()),
        ("fstat -u _owl -n", set()),
        ("fstat -f /var", set()),
        ("fstat /var/run/owl.sock", set()),
    ],
)
def test_options_limit_what_is_covered(command: str, expected: set[tuple[str, str]]) -> None:
    assert covered(command) == expected


def test_output_without_its_header_is_not_known_to_be_complete() -> None:
    assert covered("fstat", "") == set()
    assert covered("fstat", OPENBSD.removeprefix(HEADER)) == set()


def test_no_line_is_lost_whatever_the_text() -> None:
    laws.total(fstat.parse, "fstat -n", OPENBSD)
    laws.total(fstat.parse, "fstat", NETBSD)


def test_a_user_or_a_number_of_any_length_does_not_raise() -> None:
    header = "USER     CMD          PID   FD MOUNT        INUM  MODE         R/W    SZ|DV\n"
    reading = fstat.parse(Output("fstat -n", f"{header}{'9' * 5_000} owld 2203 4* internet stream tcp 0x0 *:515\n"))
    assert [seen.owners for seen in reading.seen] == [[{"pid": 2203, "process": "owld", "user": "9" * 5_000}]]
