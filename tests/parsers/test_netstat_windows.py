from __future__ import annotations

import pytest

from auditor.parsers import netstat_windows
from tests.parsers import laws
from tests.parsers.listings import EVERY, covered, place, places, reader

read = reader(netstat_windows.parse, "netstat -ano")
TITLE = "\r\nActive Connections\r\n\r\n"
HEADER = TITLE + "  Proto  Local Address          Foreign Address        State           PID\r\n"
ANO = HEADER + (
    "  TCP    0.0.0.0:7703           0.0.0.0:0              LISTENING       4120\r\n"
    "  TCP    10.77.0.9:50200        10.77.0.1:443          ESTABLISHED     4121\r\n"
    "  TCP    [::]:7703              [::]:0                 LISTENING       4120\r\n"
    "  TCP    [::1]:7704             [::]:0                 LISTENING       4\r\n"
    "  UDP    0.0.0.0:7701           *:*                                    4122\r\n"
    "  UDP    [fe80::21%7]:1900      *:*                                    4122\r\n"
)
GERMAN = (
    "\r\nAktive Verbindungen\r\n\r\n"
    "  Proto  Lokale Adresse         Remoteadresse          Status           PID\r\n"
    "  TCP    0.0.0.0:7703           0.0.0.0:0              ABHÖREN         4120\r\n"
    "  TCP    10.77.0.9:50200        10.77.0.1:443          HERGESTELLT     4121\r\n"
    "  TCP    [::]:7703              [::]:0                 ABHÖREN         4120\r\n"
    "  UDP    0.0.0.0:7701           *:*                                    4122\r\n"
)
ANBO = HEADER + (
    "  TCP    0.0.0.0:7703           0.0.0.0:0              LISTENING       4120\r\n"
    "  CoopSvc\r\n"
    " [svchost.exe]\r\n"
    "  TCP    0.0.0.0:445            0.0.0.0:0              LISTENING       4\r\n"
    " Can not obtain ownership information\r\n"
    "  TCP    10.77.0.9:50200        10.77.0.1:443          ESTABLISHED     4121\r\n"
    " [my browser.exe]\r\n"
    "  UDP    0.0.0.0:7701           *:*                                    4122\r\n"
    " [owl d.exe]\r\n"
)


def test_listeners_of_both_families_with_their_pid() -> None:
    reading = read(ANO)
    assert places(reading) == [
        place("tcp", "ipv4", "0.0.0.0", 7703),
        place("tcp", "ipv6", "::", 7703),
        place("tcp", "ipv6", "::1", 7704),
        place("udp", "ipv4", "0.0.0.0", 7701),
        place("udp", "ipv6", "fe80::21", 1900, zone="7"),
    ]
    assert [seen.owners for seen in reading.seen] == [[{"pid": pid}] for pid in (4120, 4120, 4, 4122, 4122)]
    assert not reading.gaps
    assert reading.shows_owners
    assert covered(reading) == EVERY


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    for text, command in ((ANO, "netstat -ano"), (GERMAN, "netstat -anoq"), (ANBO, "netstat -anbo"), (ANBO, "netstat -ano")):
        laws.total(netstat_windows.parse, command, text)


def test_without_o_there_is_no_owner() -> None:
    text = ANO.replace("           PID", "")
    for pid in ("4120", "4121", "4122", "       4\r\n"):
        text = text.replace(pid, "" if pid.isdigit() else "\r\n")
    reading = read(text, "netstat -an")
    assert len(reading.seen) == 5
    assert all(not seen.owners for seen in reading.seen)
    assert not reading.shows_owners
    assert not reading.gaps
    assert covered(reading) == EVERY


def test_another_language_says_listening_by_a_peer_without_port() -> None:
    reading = read(GERMAN)
    assert places(reading) == [
        place("tcp", "ipv4", "0.0.0.0", 7703), place("tcp", "ipv6", "::", 7703), place("udp", "ipv4", "0.0.0.0", 7701)
    ]  # fmt: skip
    assert not reading.gaps
    assert covered(reading) == EVERY


def test_with_q_a_word_of_another_language_may_mean_bound() -> None:
    assert [shown["state"] for shown in places(read(GERMAN, "netstat -anoq"))] == ["unknown", "unknown", "listening"]
    text = ANO + "  TCP    0.0.0.0:50200          0.0.0.0:0              BOUND           4121\r\n"
    assert [shown["state"] for shown in places(read(text, "netstat -anoq"))] == ["listening"] * 5 + ["bound"]


def test_b_names_the_program_below_the_row() -> None:
    reading = read(ANBO, "netstat -anbo")
    assert [(seen.shown["port"], seen.owners) for seen in reading.seen] == [
        (7703, [{"pid": 4120, "process": "svchost.exe"}]),
        (445, [{"pid": 4}]),
        (7701, [{"pid": 4122, "process": "owl d.exe"}]),
    ]
    assert not reading.gaps


def test_b_without_o_names_the_program_alone() -> None:
    text = TITLE + "  Proto  Local Address          Foreign Address        State\r\n" + (
        "  TCP    0.0.0.0:7703           0.0.0.0:0              LISTENING\r\n [owld.exe]\r\n")  # fmt: skip
    (seen,) = read(text, "netstat -anb").seen
    assert seen.owners == [{"process": "owld.exe"}]


def test_an_owner_of_a_connection_is_not_given_to_the_listener_above() -> None:
    text = ANBO.replace(" [svchost.exe]\r\n", "")
    assert read(text, "netstat -anbo").seen[0].owners == [{"pid": 4120}]


def test_lines_below_a_row_are_gaps_where_b_was_not_asked_for() -> None:
    assert [gap.line for gap in read(ANBO).gaps] == [
        "CoopSvc", "[svchost.exe]", "Can not obtain ownership information", "[my browser.exe]", "[owl d.exe]"]  # fmt: skip


def test_select_string_marks_rows_and_loses_the_header() -> None:
    text = "\r\n>   TCP    0.0.0.0:7703           0.0.0.0:0              LISTENING       4120\r\n   [owld.exe]\r\n"
    reading = read(text, "netstat -anbo | Select-String LISTENING -Context 0,1")
    assert [(seen.shown["port"], seen.owners) for seen in reading.seen] == [(7703, [{"pid": 4120, "process": "owld.exe"}])]
    assert covered(reading) == set()


@pytest.mark.parametrize(
    "row",
    [
        "TCP    0.0.0.0:7709",
        "TCP    0.0.0.0:7709           0.0.0.0:0",
        "TCP    0.0.0.0:7709           0.0.0.0:0              LISTENING",
        "TCP    0.0.0.0:77099          0.0.0.0:0              LISTENING       4120",
        "TCP    0.0.0.0:7709           10.77.0.1:0            LISTENING       4120",
        "TCP    0.0.0.0:7709           10.77.0.1:443          LISTENING       4120",
        "UDP    0.0.0.0:7709           10.77.0.1:53                           4120",
    ],
)
def test_a_row_that_cannot_be_read_is_a_gap(row: str) -> None:
    reading = read(HEADER + "  " + row + "\r\n")
    assert [gap.line for gap in reading.gaps] == [row]
    assert not reading.seen


def test_without_n_a_name_tells_neither_family_nor_address() -> None:
    reading = read(HEADER + "  TCP    COOP-7:pigeon          COOP-7:0               LISTENING       4120\r\n", "netstat -ao")
    (seen,) = reading.seen
    assert seen.shown == {"protocol": "tcp", "family": "unknown", "address": "COOP-7", "state": "listening"}
    assert seen.port_name == "pigeon"


@pytest.mark.parametrize(
    ("command", "pairs"),
    [
        ("netstat -anop tcp", {("tcp", "ipv4")}),
        ("netstat -ano -p UDPv6", {("udp", "ipv6")}),
        ("netstat /a /n /o", EVERY),
        ("netstat -ANO", EVERY),
        ("netstat -ano -p icmp", set()),
    ],
)
def test_p_says_what_was_asked(command: str, pairs: set[tuple[str, str]]) -> None:
    reading = read(ANO, command)
    assert set(reading.covers) == covered(reading) == pairs


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (ANO, "netstat -no"),
        (ANO, "netstat -anoe"),
        (ANO[len(HEADER) :], "netstat -ano"),
        (HEADER, "netstat -ano"),
        ("The requested operation requires elevation.\r\n", "netstat -anob"),
        ("", "netstat -ano"),
    ],
)
def test_without_header_rows_or_listeners_asked_for_nothing_is_known_to_be_complete(text: str, command: str) -> None:
    assert covered(read(text, command)) == set()


def test_a_prompt_is_passed_over_and_a_remark_is_a_gap() -> None:
    reading = read("C:\\Users\\Ann Lee>netstat -ano\r\n" + ANO + "\r\nC:\\Users\\Ann Lee>\r\nsee above\r\n")
    assert [gap.line for gap in reading.gaps] == ["see above"]


def test_lines_above_the_first_row_belong_to_none() -> None:
    reading = read("something odd\r\n" + ANBO, "netstat -anbo")
    assert [gap.line for gap in reading.gaps] == ["something odd"]


def test_a_list_without_any_udp_row_may_be_cut() -> None:
    without = "".join(line for line in ANO.splitlines(keepends=True) if "UDP" not in line)
    for command in ("netstat -ano", "netstat -ano -p UDP"):
        covers = read(without, command).covers
        assert covers[("udp", "ipv4")] == "it has no row of UDP, which no Windows host has: it may be cut"
    assert covered(read(without)) == {("tcp", "ipv4"), ("tcp", "ipv6")}
    assert covered(read(without, "netstat -ano -p TCP")) == {("tcp", "ipv4")}
    assert covered(read(ANO)) == EVERY
