from __future__ import annotations

import pytest

from auditor.parsers import netstat_solaris
from tests.parsers import laws
from tests.parsers.listings import EVERY, covered, place, places, reader

read = reader(netstat_solaris.parse, "netstat -an")
UDP4 = (
    "\nUDP: IPv4\n"
    "   Local Address        Remote Address      State\n"
    "-------------------- -------------------- ----------\n"
)  # fmt: skip
UDP6 = (
    "\nUDP: IPv6\n"
    "   Local Address                     Remote Address                   State      If\n"
    "--------------------------------- --------------------------------- ---------- -----\n"
)
TCP4 = (
    "\nTCP: IPv4\n"
    "   Local Address        Remote Address     Swind  Send-Q  Rwind  Recv-Q    State\n"
    "-------------------- -------------------- ------- ------ ------- ------ -----------\n"
)
TCP6 = (
    "\nTCP: IPv6\n"
    "   Local Address                     Remote Address                  Swind  Send-Q  Rwind  Recv-Q   State      If\n"
    "--------------------------------- --------------------------------- ------- ------ ------- ------ ----------- -----\n"
)
SCTP = (
    "\nSCTP:\n"
    "        Local Address                   Remote Address          Swind  Send-Q Rwind  Recv-Q StrsI/O  State\n"
    "------------------------------- ------------------------------- ------ ------ ------ ------ ------- -----------\n"
)
UNIX = (
    "\nActive UNIX domain sockets\n"
    "Address          Type       Vnode            Conn             Local Addr      Remote Addr\n"
    "ffff0100deadb038 stream-ord ffff0100deadb100 0000000000000000 /var/run/.pigeond\n"
)
TABLES = (
    UDP4 + "      *.*                                 Unbound\n"
    "      *.7701                              Idle\n"
    "10.77.0.9.50123      10.77.0.1.53         Connected\n"
    + UDP6 + "      *.7701                                                        Idle\n"
    "fe80::21.7702                                                       Idle       net4\n"
    "::1.50124                         ::1.7701                          Connected\n"
    + TCP4 + "      *.7703               *.*                  0      0  128000      0 LISTEN\n"
    "      *.*                  *.*                  0      0  128000      0 IDLE\n"
    "      *.7704               *.*                  0      0  128000      0 BOUND\n"
    "10.77.0.9.7703       10.77.0.1.50200       64128      0  128872      0 ESTABLISHED\n"
    "10.77.0.9.50300      10.77.0.1.7705        64128      0  128872      0 TIME_WAIT\n"
    + TCP6 + "      *.7703                             *.*                             0      0  128000      0 LISTEN\n"
    "fe80::21.7706                            *.*                             0      0  128000      0 LISTEN      net4\n"
    "::ffff:10.77.0.9.7707                    *.*                             0      0  128000      0 LISTEN\n"
    + UNIX
)  # fmt: skip


def test_every_table_is_read_by_its_title() -> None:
    reading = read(TABLES)
    assert places(reading) == [
        place("udp", "ipv4", "0.0.0.0", 7701),
        place("udp", "ipv6", "::", 7701),
        place("udp", "ipv6", "fe80::21", 7702, zone="net4"),
        place("tcp", "ipv4", "0.0.0.0", 7703),
        place("tcp", "ipv4", "0.0.0.0", 7704, "bound"),
        place("tcp", "ipv6", "::", 7703),
        place("tcp", "ipv6", "fe80::21", 7706, zone="net4"),
        place("tcp", "ipv6", "::ffff:10.77.0.9", 7707),
    ]
    assert not reading.gaps
    assert covered(reading) == EVERY
    assert not reading.shows_owners
    assert not reading.per_descriptor


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    for command in ("netstat -an", "netstat -anv", "netstat -anu", "netstat -anuv"):
        laws.total(netstat_solaris.parse, command, TABLES + WITH_OWNERS + VERBOSE + SCTP_ROWS)


def test_a_table_that_is_not_there_may_be_lost() -> None:
    reading = read(TABLES.replace(UDP6, UDP4))
    assert reading.covers["udp", "ipv6"] == "it has no table of them"
    assert covered(reading) == EVERY - {("udp", "ipv6")}
    assert covered(read("")) == set()


def test_titles_without_family_are_ipv4() -> None:
    reading = read(TCP4.replace(": IPv4", "") + "      *.7703               *.*                  0      0  49152      0 LISTEN\n")
    assert places(reading) == [place("tcp", "ipv4", "0.0.0.0", 7703)]
    assert covered(reading) == {("tcp", "ipv4")}


def test_rows_without_a_title_are_gaps() -> None:
    reading = read("      *.7703               *.*                  0      0  49152      0 LISTEN\n")
    assert not reading.seen
    assert [gap.line for gap in reading.gaps] == ["*.7703               *.*                  0      0  49152      0 LISTEN"]
    assert covered(reading) == set()


def test_a_table_of_another_kind_is_a_gap_with_its_rows() -> None:
    reading = read("\nUDPLITE: IPv4\n      *.7701                              Idle\n")
    assert [gap.line for gap in reading.gaps] == ["UDPLITE: IPv4", "*.7701                              Idle"]


@pytest.mark.parametrize(
    ("row", "table"),
    [
        ("      *.7703               *.*                  0      0  49152      0 UNKNOWN STATE(9)", TCP4),
        ("      *.7703               *.*                  0      0  49152      0 ESTABLISH", TCP4),
        ("      *.7703               *.*                  0      0  49152", TCP4),
        ("      *.99999              *.*                  0      0  49152      0 LISTEN", TCP4),
        ("      *.7703               10.77.0.1.5          0      0  49152      0 LISTEN", TCP4),
        ("      *.7701                              UNKNOWN ST", UDP4),
    ],
)
def test_a_row_that_cannot_be_read_is_a_gap_of_its_protocol_and_family(row: str, table: str) -> None:
    reading = read(table + row + "\n")
    assert not reading.seen
    assert [(gap.line, gap.protocol, gap.family) for gap in reading.gaps] == [(row.strip(), table[1:4].lower(), "ipv4")]


def test_ports_and_hosts_may_be_names() -> None:
    reading = read(TCP4 + "      *.pigeon             *.*                  0      0  49152      0 LISTEN\n"
                   "coop.example.owl           *.*                  0      0  49152      0 LISTEN\n", "netstat -a")  # fmt: skip
    assert [(seen.port_name, seen.shown) for seen in reading.seen] == [
        ("pigeon", {"protocol": "tcp", "family": "ipv4", "address": "0.0.0.0", "state": "listening"}),
        ("owl", {"protocol": "tcp", "family": "ipv4", "address": "coop.example", "state": "listening"}),
    ]


def test_buffers_of_11_4_are_no_interface() -> None:
    reading = read(
        UDP6 + "fe80::21.7702                                                       Idle                     57344               0\n"
        "fe80::22.7702                                                       Idle       net0          57344               0\n"
    )
    assert [shown.get("zone") for shown in places(reading)] == [None, "net0"]


@pytest.mark.parametrize(
    ("command", "pairs"),
    [
        ("netstat -an -f inet", {("tcp", "ipv4"), ("udp", "ipv4")}),
        ("netstat -an -f inet -f inet6", EVERY),
        ("netstat -an -P tcp", {("tcp", "ipv4"), ("tcp", "ipv6")}),
        ("netstat -anPudp -finet6", {("udp", "ipv6")}),
        ("netstat -an -f unix", set()),
        ("netstat -an -P icmp", set()),
    ],
)
def test_options_say_what_was_asked(command: str, pairs: set[tuple[str, str]]) -> None:
    reading = read(TABLES, command)
    assert set(reading.covers) == covered(reading) == pairs


@pytest.mark.parametrize(("command", "why"), [("netstat -n", "(-a)"), ("netstat -ans", "(-s)"), ("netstat -anr", "(-r)")])
def test_without_a_or_for_other_tables_nothing_is_known_to_be_complete(command: str, why: str) -> None:
    reading = read(TABLES, command)
    assert covered(reading) == set()
    assert all(why in (told or "") for told in reading.covers.values())


WITH_OWNERS = (
    "\nUDP: IPv4\n"
    "   Local Address        Remote Address     User    Pid      Command       State\n"
    "-------------------- -------------------- -------- ------ -------------- ----------\n"
    "      *.7701                              _owl       4410 owld           Idle\n"
    "10.77.0.9.50123      10.77.0.1.53         _owl       4410 owld           Connected\n"
    "\nUDP: IPv6\n"
    "   Local Address                     Remote Address                   User    Pid      Command       State      If\n"
    "--------------------------------- --------------------------------- -------- ------ -------------- ---------- -----\n"
    "fe80::21.7702                                                       61002      4411 my owl         Idle       net10\n"
    "\nTCP: IPv4\n"
    "   Local Address        Remote Address     User    Pid      Command     Swind  Send-Q  Rwind  Recv-Q    State\n"
    "-------------------- -------------------- -------- ------ -------------- ------- ------ ------- ------ -----------\n"
    "      *.7703               *.*            root       4500 pigeond              0      0  128000      0 LISTEN\n"
    "      *.7703               *.*            pigeonwa   4501 pigeond 2            0      0  128000      0 LISTEN\n"
)


def test_u_shows_a_row_for_each_process() -> None:
    reading = read(WITH_OWNERS, "netstat -anu")
    assert reading.shows_owners
    assert reading.per_descriptor
    assert [(seen.shown["port"], seen.shown.get("zone"), seen.owners) for seen in reading.seen] == [
        (7701, None, [{"pid": 4410, "process": "owld", "user": "_owl"}]),
        (7702, "net10", [{"pid": 4411, "process": "my owl", "uid": 61002}]),
        (7703, None, [{"pid": 4500, "process": "pigeond", "user": "root"}]),
        (7703, None, [{"pid": 4501, "process": "pigeond 2"}]),  # a user of eight letters may be cut
    ]
    assert not reading.gaps


VERBOSE = (
    "\nTCP: IPv4\n"
    "Local/Remote Address Swind   Snext     Suna   Rwind   Rnext     Rack    Rto   Mss     State    \n"
    "-------------------- ----- -------- -------- ------- -------- -------- ----- ----- -----------\n"
    "      *.7703         \n"
    "      *.*                 0 00000000 00000000  128000 00000000 00000000   450   536 LISTEN\n"
    "10.77.0.9.7703       \n"
    "10.77.0.1.50200       64128 0a0b0c0d 0a0b0c0d  128872 0a0b0c0e 0a0b0c0e   450  1460 ESTABLISHED\n"
)
VERBOSE_WITH_OWNERS = (
    "\nTCP: IPv6\n"
    "Local/Remote Address              Swind   Snext     Suna   Rwind   Rnext     Rack    Rto   Mss     State      If     User    Pid"
    "      Command    \n"
    "--------------------------------- ----- -------- -------- ------- -------- -------- ----- ----- ----------- ----- -------- ------"
    " --------------\n"
    "fe80::21.7706                    \n"
    "      *.*                              0 00000000 00000000  128000 00000000 00000000   450   536 LISTEN      net4  root       4500 "
    "/opt/pigeon/pigeond -x 1\n"
    "      *.7703                     \n"
    "      *.*                              0 00000000 00000000  128000 00000000 00000000   450   536 LISTEN            root       4500 "
    "/opt/pigeon/pigeond -x 1\n"
)


def test_v_splits_a_tcp_row_into_two_lines() -> None:
    reading = read(VERBOSE, "netstat -anv")
    assert places(reading) == [place("tcp", "ipv4", "0.0.0.0", 7703)]
    assert len(reading.taken) == 2
    assert not reading.gaps


def test_v_with_u_puts_the_owner_behind_the_interface() -> None:
    reading = read(VERBOSE_WITH_OWNERS, "netstat -anuv")
    assert [(seen.shown["address"], seen.shown.get("zone"), seen.owners) for seen in reading.seen] == [
        ("fe80::21", "net4", [{"pid": 4500, "user": "root"}]),
        ("::", None, [{"pid": 4500, "user": "root"}]),
    ]
    assert not reading.gaps


def test_a_half_of_a_row_is_a_gap() -> None:
    cut = VERBOSE[: VERBOSE.index("      *.*     ")]
    assert [(gap.line, gap.protocol) for gap in read(cut, "netstat -anv").gaps] == [("*.7703", "tcp")]
    mixed = cut + "nonsense here\n"
    assert [gap.line for gap in read(mixed, "netstat -anv").gaps] == ["*.7703", "nonsense here"]


SCTP_ROWS = (
    SCTP + "      *.2944                    0.0.0.0                              0      0 102400      0   1/1   LISTEN\n"
    "2001:db8:77::9.2945             ::                                   0      0 102400      0   1/1   LISTEN\n"
    "      *.2946                    0.0.0.0                              0      0 102400      0   1/1   CLOSED\n"
    "0.0.0.0                         0.0.0.0                              0      0 102400      0   1/1   CLOSED\n"
    "10.77.0.9.2944                  10.77.0.1.50400                 102400      0 102400      0   2/2   ESTABLISHED\n"
)


def test_sctp_tells_its_family_by_the_peer() -> None:
    reading = read(SCTP_ROWS + "\t<Remote: 10.78.0.1>\n\t<Local: 10.78.0.9>\n", "netstat -anv -P sctp")
    assert places(reading) == [
        place("sctp", "ipv4", "0.0.0.0", 2944),
        place("sctp", "ipv6", "2001:db8:77::9", 2945),
        place("sctp", "ipv4", "0.0.0.0", 2946, "bound"),
    ]
    assert covered(reading) == {("sctp", "ipv4"), ("sctp", "ipv6")}
    assert not reading.gaps


def test_further_addresses_of_an_sctp_listener_are_not_lost() -> None:
    row = SCTP_ROWS[: SCTP_ROWS.index("      *.2946")]
    (gap,) = read(row).gaps
    assert (gap.protocol, gap.family, gap.line) == ("sctp", "ipv6", None)
    (gap,) = read(row + "\t<Local: 2001:db8:78::9>\n", "netstat -anv").gaps
    assert (gap.protocol, gap.line) == ("sctp", "<Local: 2001:db8:78::9>")


def test_a_prompt_and_the_command_are_passed_over() -> None:
    reading = read("root@coop:~# netstat -an\n" + TABLES + "root@coop:~#\n")
    assert not reading.gaps
    assert covered(reading) == EVERY


def test_a_socket_in_idle_that_has_a_port_is_not_listening() -> None:
    reading = read(TCP4 + "      *.7708               *.*                  0      0  128000      0 IDLE\n")
    assert places(reading) == [place("tcp", "ipv4", "0.0.0.0", 7708, "bound")]


def test_v_with_u_tells_a_blank_interface_of_udp_from_the_command() -> None:
    text = (
        "\nUDP: IPv6\n"
        "   Local Address                     Remote Address                   User    Pid     State      If     Command    \n"
        "--------------------------------- --------------------------------- -------- ------ ---------- ----- --------------\n"
        "fe80::21.7702                                                       root       4411 Idle       net4  /opt/owl/owld -u\n"
        "fe80::22.7702                                                       root       4411 Idle             owld -u\n"
        "fe80::23.7702                                                       root       4411 Idle       vioif /opt/owl/owld -u\n"
    )
    reading = read(text, "netstat -anuv")
    assert [shown.get("zone") for shown in places(reading)] == ["net4", None, None]  # a zone of five letters may be cut
    assert all(seen.owners == [{"pid": 4411, "user": "root"}] for seen in reading.seen)
    assert not reading.gaps
