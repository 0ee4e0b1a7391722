"""netstat of net-tools and of busybox."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.parsers import netstat_linux
from auditor.reading import Output, Reading
from tests.parsers import laws

TITLE = "Active Internet connections (only servers)\n"
PLAIN = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n"
OWNED = "Proto Recv-Q Send-Q Local Address           Foreign Address         State       User       Inode      PID/Program name    \n"
FULL = f"""(Not all processes could be identified, non-owned process info
 will not be shown, you would have to be root to see it all.)
{TITLE}{OWNED.rstrip()} Timer
tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      0          3101       511/sshd: /usr/sbin  off (0.00/0/0)
tcp        0      0 192.0.2.40:22           198.51.100.7:50123      ESTABLISHED 0          3102       700/sshd: ann [p keepalive (6.07/0/0)
tcp        0      0 192.0.2.40:80           198.51.100.7:50124      SYN_RECV    0          0          -                    on (0.79/0/0)
tcp6       0      0 :::80                   :::*                    LISTEN      33         3103       512/my "odd" (x) p   off (0.00/0/0)
tcp6       0      0 192.0.2.40:9300         :::*                    LISTEN      1001       3104       -                    off (0.00/0/0)
tcp6       0      0 2001:db8:77:1::abc:8080 :::*                    LISTEN      www data   3105       513/java             off (0.00/0/0)
udp        0      0 0.0.0.0:68              0.0.0.0:*                           0          3106       514/dhclient         off (0.00/0/0)
udp        0      0 192.0.2.40:41000        198.51.100.9:53         ESTABLISHED 101        3107       515/resolver         off (0.00/0/0)
udp6       0      0 fe80::5054:ff:fe12::546 :::*                                0          3108       516/dhcp6            off (0.00/0/0)
udpl       0      0 0.0.0.0:7007            0.0.0.0:*                           5          3109       517/lite             off (0.00/0/0)
raw6       0      0 :::58                   :::*                    7           0          3110       518/network          off (0.00/0/0)
Active UNIX domain sockets (only servers)
Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path
unix  2      [ ACC ]     STREAM     LISTENING     3111     1/init               /run/a.sock
"""
BUSYBOX = f"""{TITLE}{PLAIN}tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      
tcp        0      0 :::22                   :::*                    LISTEN      
tcp        0      0 ::ffff:192.0.2.40:9300  :::*                    LISTEN      
tcp        0      0 fe80::5054:ff:fe12:3456:9200 :::*                    LISTEN      
udp        0      0 fe80::5054:ff:fe1:9:546 :::*                                
"""  # noqa: W291
GERMAN = """Aktive Internetverbindungen (Nur Server)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       Benutzer   Inode      PID/Program name
tcp        0      0 *:ssh                   *:*                     LISTEN      root       3101       511/sshd
tcp6       0      0 [::]:ssh                [::]:*                  LISTEN      root       3102       511/sshd
Aktive Sockets in der UNIX-Domäne (Nur Server)
Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Pfad
"""
CZECH = """Aktivní Internetová spojení (pouze servery)
Proto Přích-F Odch-F Místní Adresa          Vzdálená Adresa         Stav      Uživatel   I-uzel
tcp        0      0 0.0.0.0:22              0.0.0.0:*               NASLOUCHÁ   0          3101
"""
PORTUGUESE = """Conexões Internet Ativas (sem os servidores)
Proto Recv-Q Send-Q Endereço Local          Endereço Remoto         Estado
tcp        0      0 0.0.0.0:22              0.0.0.0:*               OUÇA
tcp        0      0 192.0.2.40:22           198.51.100.7:50123      ESTABELECIDA
"""


def read(text: str, command: str = "netstat -tulpen", stderr: str = "") -> Reading:
    output = Output(command, text, stderr)
    reading = netstat_linux.parse(output)
    laws.accounted(output, reading)
    return reading


def shown(reading: Reading, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(seen.shown.get(key, "absent") for key in keys) for seen in reading.seen]


def test_rows_with_user_inode_program_and_timer() -> None:
    reading = read(FULL, "netstat -tulpeno")
    assert shown(reading, "protocol", "family", "address", "port", "uid", "address_cut") == [
        ("tcp", "ipv4", "0.0.0.0", 22, 0, "absent"),
        ("tcp", "ipv6", "::", 80, 33, "absent"),
        ("tcp", "ipv6", "::ffff:192.0.2.40", 9300, 1001, "absent"),
        ("tcp", "ipv6", "2001:db8:77:1::abc", 8080, "absent", True),
        ("udp", "ipv4", "0.0.0.0", 68, 0, "absent"),
        ("udp", "ipv6", "fe80::5054:ff:fe12:", 546, 0, True),
        ("udplite", "ipv4", "0.0.0.0", 7007, 5, "absent"),
    ]
    assert [seen.owners for seen in reading.seen] == [
        [{"pid": 511, "process": "sshd: /usr/sbin"}], [{"pid": 512, "process": 'my "odd" (x) p'}], [], [{"pid": 513, "process": "java"}],
        [{"pid": 514, "process": "dhclient"}], [{"pid": 516, "process": "dhcp6"}], [{"pid": 517, "process": "lite"}],
    ]  # fmt: skip
    assert [seen.identity for seen in reading.seen] == ["3101", "3103", "3104", "3105", "3106", "3108", "3109"]
    assert {seen.shown["state"] for seen in reading.seen} == {"listening"}
    assert reading.gaps == []
    assert reading.shows_owners
    assert set(reading.covers.values()) == {None}


def test_busybox_says_tcp_of_both_families_and_does_not_cut() -> None:
    reading = read(BUSYBOX, "busybox netstat -tuln")
    assert shown(reading, "protocol", "family", "address", "port", "address_cut") == [
        ("tcp", "ipv4", "0.0.0.0", 22, "absent"), ("tcp", "ipv6", "::", 22, "absent"),
        ("tcp", "ipv6", "::ffff:192.0.2.40", 9300, "absent"), ("tcp", "ipv6", "fe80::5054:ff:fe12:3456", 9200, "absent"),
        ("udp", "ipv6", "fe80::5054:ff:fe1:9", 546, "absent"),
    ]  # fmt: skip
    assert not reading.shows_owners


V6_23 = "tcp6       0      0 2001:db8:77:1::abc:8080 :::*                    LISTEN\n"
V6_22 = "tcp6       0      0 2001:db8:77:1::ab:8080  :::*                    LISTEN\n"


@pytest.mark.parametrize(
    ("row", "command", "cut"),
    [(V6_23, "netstat -tln", True), (V6_23, "netstat -tlnW", False), (V6_23, "netstat -tln --wide", False), (V6_22, "netstat -tln", False),
     (V6_23 + V6_23.replace("abc:", "abcd:"), "netstat -tln", False)],
)  # fmt: skip
def test_an_address_as_wide_as_the_column_may_be_cut(row: str, command: str, cut: bool) -> None:
    assert ("address_cut" in read(TITLE + PLAIN + row, command).seen[0].shown) is cut


def test_translated_titles_headers_and_states() -> None:
    german = read(GERMAN, "netstat -tulpe")
    assert shown(german, "family", "address", "port", "uid") == [
        ("ipv4", "0.0.0.0", "absent", "absent"),
        ("ipv6", "::", "absent", "absent"),
    ]
    assert [seen.port_name for seen in german.seen] == ["ssh", "ssh"]
    assert shown(read(CZECH, "netstat -tlne"), "port", "uid") == [(22, 0)]
    assert shown(read(PORTUGUESE, "netstat -tln"), "port") == [(22,)]
    for reading in (german, read(CZECH), read(PORTUGUESE)):
        assert reading.gaps == []
        assert set(reading.covers.values()) == {None}


def test_a_state_of_no_known_word_without_a_peer_is_a_gap() -> None:
    reading = read(PORTUGUESE.replace("OUÇA", "HEARS"), "netstat -tln")
    assert [(gap.protocol, gap.family) for gap in reading.gaps] == [("tcp", None)]
    assert reading.seen == []


def test_an_asterisk_of_a_netstat_that_may_be_busybox_is_of_no_known_family() -> None:
    row = "tcp        0      0 *:ssh                   *:*                     LISTEN\n"
    assert shown(read(TITLE + PLAIN + row, "netstat -tl"), "family", "address") == [("unknown", "*")]
    assert shown(read(TITLE + PLAIN + row + V6_22, "netstat -tl"), "family", "address")[0] == ("ipv4", "0.0.0.0")
    assert shown(read(TITLE + PLAIN + row, "netstat -tl4"), "family", "address") == [("ipv4", "0.0.0.0")]


def test_a_host_name_may_stand_for_the_address_and_both_names_may_be_cut() -> None:
    rows = (
        "tcp        0      0 localhost:ipp           0.0.0.0:*               LISTEN\n"
        "tcp        0      0 a-long-name.example:ipp 0.0.0.0:*               LISTEN\n"
        "tcp        0      0 loca:eighteen-letters-x 0.0.0.0:*               LISTEN\n"
    )
    reading = read(TITLE + PLAIN + rows, "netstat -tl")
    assert shown(reading, "family", "address", "address_cut") == [("ipv4", "localhost", "absent"), ("ipv4", "a-long-name.example", True)]
    assert [gap.why for gap in reading.gaps] == ["the name of a port may be cut"]


def test_a_row_in_listen_counts_even_if_a_peer_is_printed() -> None:
    row = "tcp6       0      0 2001:db8:1:2:3:4::54776 2001:db8:99:8:7:6::6667 LISTEN\n"
    assert shown(read(TITLE + PLAIN + row, "netstat -tln"), "address", "port", "address_cut") == [("2001:db8:1:2:3:4:", 54776, True)]


def test_a_connection_whose_cut_address_cannot_be_read_is_passed_over() -> None:
    row = "tcp6       0      0 2001:db8::1:%%:80       2001:db8:99:8:7:6::6667 ESTABLISHED\n"
    assert read(TITLE + PLAIN + row, "netstat -tan").gaps == []
    listening = read(TITLE + PLAIN + row.replace("ESTABLISHED", "LISTEN"), "netstat -tan")
    assert [(gap.protocol, gap.family) for gap in listening.gaps] == [("tcp", "ipv6")]


def test_a_security_context_is_not_part_of_the_name() -> None:
    row = (
        "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      511/sshd a b         system_u:system_r:sshd_t:s0\n"
    )
    assert read(TITLE + PLAIN.rstrip() + " PID/Program name Security Context\n" + row, "netstat -tlnpZ").seen[0].owners == [
        {"pid": 511, "process": "sshd a b"}
    ]


def test_an_empty_argv_has_no_name() -> None:
    row = "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      511/\n"
    assert read(TITLE + PLAIN + row, "netstat -tlnp").seen[0].owners == [{"pid": 511}]


@pytest.mark.parametrize(
    ("command", "covered"),
    [
        ("netstat -tuln", "tcp4 tcp6 udp4 udp6"), ("netstat -an", "tcp4 tcp6 udp4 udp6"), ("netstat -l", "tcp4 tcp6 udp4 udp6"),
        ("netstat -ltn", "tcp4 tcp6"), ("netstat -lun", "udp4 udp6"), ("netstat -tuln4", "tcp4 udp4"), ("netstat -ln --inet6", "tcp6 udp6"),
        ("netstat -lnt -A inet6", "tcp6"), ("netstat -lx", ""), ("netstat -lw", ""), ("netstat -tun", ""), ("netstat", ""),
        ("netstat -rn", ""),
        ("netstat -i", ""), ("netstat -s", ""), ("netstat --listening --tcp --numeric", "tcp4 tcp6"), ("netstat -lnx4", "tcp4 udp4"),
        ("netstat --protocol=inet -ln", "tcp4 udp4"), ("netstat --listen --program", "tcp4 tcp6 udp4 udp6"),
    ],
)  # fmt: skip
def test_what_was_asked_for_is_covered(command: str, covered: str) -> None:
    assert {f"{p}{f[-1]}" for (p, f), why in read(TITLE + PLAIN, command).covers.items() if why is None} == set(covered.split())


def test_without_its_header_nothing_is_covered() -> None:
    for text in ("", V6_22):
        assert set(read(text, "netstat -tuln").covers.values()) == {"its header line is missing"}


def test_a_line_of_the_kernel_that_netstat_could_not_read_uncovers_its_protocol() -> None:
    covers = read(TITLE + PLAIN, "netstat -tuln", "warning, got bogus tcp line.\n").covers
    assert {pair[0] for pair, why in covers.items() if why} == {"tcp"}


def test_a_repeated_listing_names_a_socket_once() -> None:
    reading = read((TITLE + PLAIN + V6_22) * 2, "netstat -tlnc")
    assert len(reading.seen) == 1
    assert len(read(TITLE + PLAIN + V6_22 * 2, "netstat -tln").seen) == 2


def test_a_prompt_is_passed_over_and_a_table_of_routes_has_no_sockets() -> None:
    assert read(f"[root@web ~]# netstat -tuln\n{TITLE}{PLAIN}", "netstat -tuln").gaps == []
    assert read("Kernel IP routing table\n0.0.0.0  192.0.2.1  0.0.0.0  UG  0 0  0 eth0\n", "netstat -rn").seen == []


@pytest.mark.parametrize(
    "row",
    ["tcp        0      0 0.0.0.0:99999           0.0.0.0:*               LISTEN", "tcp        0      0 0.0.0:80 0.0.0.0:* LISTEN",
     "udp        0      0 0.0.0.0:53              0.0.0.0:*               ODD   5/x", "tcp 0", "strange", "udp        0      0 0.0.0.0:53",
     "tcp        0      0 0.0.0.0:53              0.0.0.0:*               LISTEN  who/what"],
)  # fmt: skip
def test_what_cannot_be_read_is_a_gap(row: str) -> None:
    reading = read(f"{TITLE}{PLAIN}{row}\n{V6_22}", "netstat -tulnp")
    assert [gap.line for gap in reading.gaps] == [row]
    assert len(reading.seen) == 1


def test_a_row_that_cannot_be_read_is_no_title_though_a_header_follows() -> None:
    reading = read(f"{TITLE}{PLAIN}tcp 0 0 Internet (x)\n{PLAIN}", "netstat -tuln")
    assert [gap.line for gap in reading.gaps] == ["tcp 0 0 Internet (x)", PLAIN.rstrip("\n")]


@pytest.mark.parametrize("text", [FULL, BUSYBOX, GERMAN, CZECH, PORTUGUESE])
def test_no_text_makes_it_raise_or_lose_a_line(text: str) -> None:
    laws.total(netstat_linux.parse, "netstat -tulpeno", text)
    laws.total(netstat_linux.parse, "busybox netstat -l", text)


@pytest.mark.parametrize(
    ("title", "covered"),
    [
        ("Active Internet connections (only servers)", True), ("Active Internet connections (servers and established)", True),
        ("Active Internet connections (w/o servers)", False), ("Active Internet connections", False),
        ("Aktive Internetverbindungen (ohne Server)", False), ("Aktive Internetverbindungen (Nur Server)", True),
        ("Connexions Internet actives (sans serveurs)", False), ("Connexions Internet actives (seulement serveurs)", True),
        ("Aktivní Internetová spojení (w/o servery)", False), ("Aktiivsed internetiühendused (ilma serveriteta)", False),
        ("稼働中のインターネット接続 (w/oサーバ)", False), ("稼働中のインターネット接続 (サーバのみ)", True),
        ("Conexões Internet Ativas (sem os servidores)", True),
    ],
)  # fmt: skip
def test_a_title_that_says_that_servers_are_left_out_covers_nothing(title: str, covered: bool) -> None:
    reading = read(FULL.replace(TITLE, f"{title}\n"), "netstat -tulpen")
    assert reading.gaps == []
    assert {why is None for why in reading.covers.values()} == {covered}
