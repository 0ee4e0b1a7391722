"""lsof: its table and its fields, and what each command line covers."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.parsers import lsof
from auditor.reading import Output, Reading
from tests.parsers import laws

HEADER = "COMMAND     PID USER   FD   TYPE             DEVICE SIZE/OFF NODE NAME"
ALL = {("tcp", "ipv4"), ("tcp", "ipv6"), ("udp", "ipv4"), ("udp", "ipv6")}
TCP, UDP = {pair for pair in ALL if pair[0] == "tcp"}, {pair for pair in ALL if pair[0] == "udp"}
HERON = {"pid": 417, "process": "heron", "user": "ann"}


def row(name: str, protocol: str = "TCP", kind: str = "IPv4", command: str = "heron", fd: str = "7u") -> str:
    return f"{command:9} {417:5} ann {fd:>4}  {kind} {'0x81c5a1f0b2d3e4f5':>18}      0t0  {protocol} {name}"


def read(*lines: str, command: str = "lsof -nP -i") -> Reading:
    output = Output(command, "\n".join([*lines, ""]))
    reading = lsof.parse(output)
    laws.accounted(output, reading)
    return reading


def one(line: str, command: str = "lsof -nP -i", header: str = HEADER) -> dict[str, Any]:
    reading = read(header, line, command=command)
    assert reading.gaps == []
    (seen,) = reading.seen
    assert seen.owners == [HERON]
    return {**seen.shown, **({"port_name": seen.port_name} if seen.port_name else {})}


def shown(protocol: str, family: str, address: str, port: int, state: str = "listening", **more: object) -> dict[str, Any]:
    return {"protocol": protocol, "family": family, "address": address, "port": port, "state": state, **more}


def test_each_kind_of_row_says_its_protocol_family_and_state() -> None:
    assert one(row("*:7070 (LISTEN)")) == shown("tcp", "ipv4", "0.0.0.0", 7070)
    assert one(row("*:7070 (LISTEN)", kind="IPv6")) == shown("tcp", "ipv6", "::", 7070), "v6only is not shown"
    assert one(row("[::1]:7070 (LISTEN)", kind="IPv6")) == shown("tcp", "ipv6", "::1", 7070)
    assert one(row("10.1.2.3:7070 (LISTEN)", kind="IPv6")) == shown("tcp", "ipv6", "::ffff:10.1.2.3", 7070)
    assert one(row("10.1.2.3:7070 (CLOSED)")) == shown("tcp", "ipv4", "10.1.2.3", 7070, "bound")
    assert one(row("*:7070 (LISTEN QR=0 QS=0)")) == shown("tcp", "ipv4", "0.0.0.0", 7070)
    assert one(row("*:7070 (QR=0 QS=0)")) == shown("tcp", "ipv4", "0.0.0.0", 7070, "unknown")
    assert one(row("*:7070"), "lsof -nP -i -T") == shown("tcp", "ipv4", "0.0.0.0", 7070, "unknown")
    assert one(row("*:7070 ", "UDP")) == shown("udp", "ipv4", "0.0.0.0", 7070)
    assert one(row("*:7070 (Idle)", "UDP")) == shown("udp", "ipv4", "0.0.0.0", 7070)
    assert one(row("*:7070", "UDPLITE")) == shown("udplite", "ipv4", "0.0.0.0", 7070)


def test_names_stand_for_ports_and_hosts_without_n_and_P() -> None:
    expected = {"protocol": "tcp", "family": "ipv4", "state": "listening", "address": "heron.example", "port_name": "heron-alt"}
    assert one(row("heron.example:heron-alt (LISTEN)"), "lsof -i") == expected
    assert one(row("*:7070[mountd] (LISTEN)"), "lsof +M -i")["port"] == 7070


@pytest.mark.parametrize(
    "line",
    [
        row("10.1.2.3:7070->10.9.9.9:50001 (ESTABLISHED)"),
        row("10.1.2.3:7070->10.9.9.9:50001 (CLOSED)"),
        row("*:7070 (SYN_SENT)"),
        row("*:*", "UDP"),
        row("*:* (CLOSED)"),
        row("*:7070 (Unbound)", "UDP"),
        row("*:*", "ICMP"),
        row("no PCB, CANTSENDMORE, CANTRCVMORE"),
        "heron      417  ann    8u  unix 0x81c5a1f0b2d3e4f5      0t0      /var/run/heron: 3u",
        "heron      417  ann    9u  sock                0,8      0t0 5006 protocol: TCP",
        "heron      417  ann  txt    REG                1,4  1234567 1234 /usr/local/bin/heron mill",
        "lsof: WARNING: can't stat() tracefs file system /sys/kernel/debug/tracing",
        "      Output information may be incomplete.",
        "=======",
        "[ann@mill ~]$ sudo lsof -nP -i",
    ],
)
def test_connections_unbound_sockets_and_other_rows_are_passed_over(line: str) -> None:
    reading = read(HEADER, line)
    assert (reading.seen, reading.gaps) == ([], [])
    assert None in reading.covers.values()


@pytest.mark.parametrize(
    ("line", "protocol", "family"),
    [
        (row("*:7070 (DREAMING)"), "tcp", "ipv4"),
        (row("*:7070 (DREAMING)", "UDP", "IPv6"), "udp", "ipv6"),
        (row("", "UDP"), "udp", "ipv4"),
        (row("*:99999 (LISTEN)"), "tcp", "ipv4"),
        (row("( )"), "tcp", "ipv4"),
        (row("a b c"), "tcp", "ipv4"),
        (row("*:7070 (LISTEN)", command="the heron"), None, None),
        (row("*:7070 (LISTEN)").replace("ann", "the ann"), None, None),
        (row("*:7070 (LISTEN)", fd="strange"), None, None),
        ("lsof: can't open /proc/net/tcp", None, None),
    ],
)
def test_a_row_that_cannot_be_read_is_a_gap_of_as_narrow_a_scope_as_is_sure(line: str, protocol: str | None, family: str | None) -> None:
    reading = read(HEADER, line)
    assert reading.seen == []
    assert [(gap.line, gap.protocol, gap.family) for gap in reading.gaps] == [(line, protocol, family)]


def test_the_name_of_a_process_is_unescaped_and_the_device_tells_sockets_apart() -> None:
    for printed, name in {
        r"Heron\x20M": "Heron M",
        r"a\x20\\\tb": "a \\\tb",
        r"\xc3\xa9": "é",
        r"\xff": r"\xff",
        "-heron": "-heron",
    }.items():
        (seen,) = read(HEADER, row("*:7070 (LISTEN)", command=printed)).seen
        assert seen.owners == [{"pid": 417, "process": name, "user": "ann"}]
        assert seen.identity == "0x81c5a1f0b2d3e4f5"


def test_a_user_without_a_name_is_a_number() -> None:
    (seen,) = read(HEADER, row("*:7070 (LISTEN)").replace("ann", "1004"), command="lsof -nPl -i").seen
    assert seen.owners == [{"pid": 417, "process": "heron", "uid": 1004}]


@pytest.mark.parametrize(
    ("header", "between"),
    [
        ("COMMAND  PID  TID USER FD TYPE DEVICE SIZE/OFF NODE NAME", ["", "418"]),
        ("COMMAND  PID  TID TASKCMD USER FD TYPE DEVICE SIZE/OFF NODE NAME", ["", r"418 a\x20b"]),
        ("COMMAND  PID PPID PGID USER FD TYPE FILE-FLAG DEVICE SIZE/OFF NODE NAME", ["1 417"]),
        ("COMMAND  PID SECURITY-CONTEXT USER FD TYPE DEVICE SIZE NODE NAME", ["unconfined_u:unconfined_r:unconfined_t:s0"]),
    ],
)
def test_columns_before_the_user_are_counted_by_the_header(header: str, between: list[str]) -> None:
    for words in between:
        line = row("*:7070 (LISTEN)").replace("417 ann", f"417 {words} ann")
        assert one(line, header=header) == shown("tcp", "ipv4", "0.0.0.0", 7070)


def test_the_name_of_a_file_forges_no_socket() -> None:
    forged = "heron 417 ann 8r REG 1,4 0 1234 /tmp/x 9u IPv4 0x1 0t0 TCP *:22 (LISTEN)"
    reading = read(HEADER, forged, command="lsof -nP")
    assert reading.seen == []
    assert [gap.line for gap in reading.gaps] == [forged]


def test_descriptors_that_could_not_be_read_leave_all_uncovered() -> None:
    for line in (
        "heron 417 root NOFD /proc/417/fd (opendir: Permission denied)",
        "heron 417 root 0 unknown /proc/417/fd/0 (readlink: Permission denied)",
    ):
        reading = read(HEADER, line, command="lsof -nP")
        assert set(reading.covers.values()) == {"the descriptors of some processes could not be read"}
    reading = read("p417", "fNOFD", "n/proc/417/fd (opendir: Permission denied)", command="lsof -nP -Fn")
    assert None not in reading.covers.values()


def test_a_socket_is_listed_once_for_each_descriptor_and_owners_are_shown() -> None:
    reading = read(HEADER)
    assert reading.per_descriptor
    assert reading.shows_owners


def test_without_its_header_rows_are_read_and_nothing_is_covered() -> None:
    reading = read(row("*:7070 (LISTEN)"), row("*:7071 (LISTEN)").replace("417 ann", "417 418 ann"), command="lsof -nP -i | grep LISTEN")
    assert [seen.shown["port"] for seen in reading.seen] == [7070, 7071]
    assert set(reading.covers.values()) == {"its header line is missing"}


def test_nothing_printed_proves_nothing() -> None:
    assert set(read(command="lsof -nP -iTCP -sTCP:LISTEN").covers.values()) == {"it printed nothing"}
    assert set(read(command="lsof -nP -i -Fpn").covers.values()) == {"it printed nothing"}


@pytest.mark.parametrize(
    ("command", "covered"),
    [
        ("lsof", ALL),
        ("lsof -i", ALL),
        ("lsof -Pni", ALL),
        ("lsof -i -n -P +c 0", ALL),
        ("lsof -iTCP -sTCP:LISTEN -P -n", TCP),
        ("lsof -i tcp -s tcp:listen", TCP),
        ("lsof -iTCP -iUDP", ALL),
        ("lsof -iUDP", UDP),
        ("lsof -iUDP -sTCP:LISTEN", set()),
        ("lsof -i -sTCP:LISTEN", TCP),
        ("lsof -i -sTCP:^ESTABLISHED", ALL),
        ("lsof -i -sTCP:^LISTEN", UDP),
        ("lsof -i -sTCP:ESTABLISHED", set()),
        ("lsof -i4", {("tcp", "ipv4"), ("udp", "ipv4")}),
        ("lsof -nPi6TCP", {("tcp", "ipv6")}),
        ("lsof -iTCP:22", set()),
        ("lsof -i :22", set()),
        ("lsof -i @10.1.2.3", set()),
        ("lsof -i -i :22", ALL),
        ("lsof -i -p 417", ALL),
        ("lsof -a -i -p 417", set()),
        ("lsof -p 417", set()),
        ("lsof -u ann", set()),
        ("lsof -i -u ^ann", set()),
        ("lsof -i -c ^heron", set()),
        ("lsof /var/run/heron", set()),
        ("lsof -U", set()),
        ("lsof -X -i", set()),
        ("lsof -g -R -i", ALL),
        ("lsof -i http", set()),
    ],
)
def test_the_options_say_what_is_covered(command: str, covered: set[tuple[str, str]]) -> None:
    assert {pair for pair, why in read(HEADER, command=command).covers.items() if why is None} == covered


def test_process_ids_alone_are_no_listing() -> None:
    reading = read("417", "418", "lsof: odd", command="lsof -ti")
    assert set(reading.covers.values()) == {"only process ids were asked for (-t)"}
    assert [gap.line for gap in reading.gaps] == ["lsof: odd"]


FIELDS = ["p417", "cheron mill", "u1004", "Lann", "f7", "tIPv4", "d5006", "PTCP", "n*:7070", "TST=LISTEN", "TQR=0", "TQS=0"]
OWNER = {"pid": 417, "process": "heron mill", "uid": 1004, "user": "ann"}


def test_fields_say_the_same_as_the_table() -> None:
    reading = read(
        *FIELDS, "f8", "tIPv6", "PUDP", "n[::1]:7071", "p418", "cmill", "f3", "tIPv6", "PTCP", "n*:7072", command="lsof -nP -i -FpcuLftPTnd"
    )
    assert [(seen.shown, seen.owners, seen.identity) for seen in reading.seen] == [
        (shown("tcp", "ipv4", "0.0.0.0", 7070), [OWNER], "5006"),
        (shown("udp", "ipv6", "::1", 7071), [OWNER], None),
        (shown("tcp", "ipv6", "::", 7072, "unknown"), [{"pid": 418, "process": "mill"}], None),
    ]
    assert reading.gaps == []
    assert {pair for pair, why in reading.covers.items() if why is None} == ALL


def test_fields_that_end_in_nul_stand_on_one_line_for_each_file() -> None:
    lines = ["\0".join(FIELDS[:4]) + "\0", "\0".join(FIELDS[4:]) + "\0", "f9\0tREG\0n/tmp/x\0"]
    (seen,) = read(*lines, command="lsof -nP -i -F0").seen
    assert (seen.shown, seen.owners) == (shown("tcp", "ipv4", "0.0.0.0", 7070), [OWNER])


def test_without_descriptors_a_file_begins_where_the_order_of_fields_begins_anew() -> None:
    lines = [
        "p417",
        "tIPv4",
        "PTCP",
        "n*:7070",
        "tREG",
        "n/tmp/x",
        "tIPv4",
        "PUDP",
        "n*:7071",
        "tIPv4",
        "PTCP",
        "n10.1.2.3:7070->10.9.9.9:5",
    ]
    assert [seen.shown["port"] for seen in read(*lines, command="lsof -nP -FptPn").seen] == [7070, 7071]


def test_without_its_protocol_a_name_is_a_gap_unless_the_command_or_the_state_tells_it() -> None:
    gaps = read("p417", "n*:7070", command="lsof -nP -i -Fn").gaps
    assert [(gap.line, gap.protocol) for gap in gaps] == [("n*:7070", None)]
    assert read("p417", "n*:7070", command="lsof -nP -iUDP -Fn").seen[0].shown == shown("udp", "unknown", "*", 7070)
    assert read("p417", "n*:7070", command="lsof -nP -i4UDP -Fn").seen[0].shown == shown("udp", "ipv4", "0.0.0.0", 7070)
    assert read("p417", "n*:7070", "TST=LISTEN", command="lsof -nP -i -FnT").seen[0].shown == shown("tcp", "unknown", "*", 7070)
    wider = read("p417", "PUDP", "n*:7070", command="lsof -nP -i4 -c heron -FPn").seen[0].shown
    assert wider == shown("udp", "unknown", "*", 7070), "a file of the command asked for may be of the other family"
    mixed = read("p417", "n*:7070", command="lsof -nP -iUDP -c heron -Fn")
    assert [gap.line for gap in mixed.gaps] == ["n*:7070"], "another file of the same process may have this name"


def test_without_its_name_a_socket_is_a_gap() -> None:
    gaps = read("p417", "tIPv6", "PTCP", command="lsof -nP -i -FtP").gaps
    assert [(gap.why, gap.protocol, gap.family) for gap in gaps] == [("its address was not asked for (n)", "tcp", "ipv6")]


def test_fields_before_any_process_and_strange_lines_are_gaps() -> None:
    reading = read("n*:7070", "p417", "?", "n*:7071", command="lsof -nP -iTCP -Fn")
    assert [gap.line for gap in reading.gaps] == ["n*:7070", "?"]
    assert [seen.shown["port"] for seen in reading.seen] == [7071]


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    lines = [HEADER, row("*:7070 (LISTEN)"), row("*:7071", "UDP", "IPv6"), row("a:1->b:2 (ESTABLISHED)")]
    laws.total(lsof.parse, "lsof -nP -i", "\n".join(lines))
    laws.total(lsof.parse, "lsof -ti", "417\n418\n")
    laws.total(lsof.parse, "lsof -nP -i -F", "\n".join([*FIELDS, *FIELDS]))
    laws.total(lsof.parse, "lsof -nP -i -F0", "\n".join(["\0".join(FIELDS[:4]) + "\0", "\0".join(FIELDS[4:]) + "\0"] * 2))
