"""The output of two commands, perhaps of two hosts, in one text: a gap in every listing of sockets, whose rows are read all the same."""

from __future__ import annotations

import pytest

from auditor.parsers import (
    fstat,
    lsof,
    netstat_aix,
    netstat_bsd,
    netstat_hpux,
    netstat_linux,
    netstat_macos,
    netstat_solaris,
    netstat_windows,
    powershell_sockets,
    proc_net_text,
    sockstat,
    ss,
)
from auditor.reading import Reading
from tests.parsers.listings import FSTAT, IPV6_SERVERS, LINUX, LSOF, MACOS, PROC, SERVERS, SOCKSTAT, Parse, reader

SECOND = "a second header: the output of two commands, perhaps of two hosts"
TWO_HOSTS = "the prompts of two hosts"
BSD = "Proto Recv-Q Send-Q Local Address          Foreign Address        (state)\n"
PROC_ROW = (
    "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4101 1 0000000000000000 100 0 0 10 0\n"
)
SOLARIS = "TCP: IPv4\n"
SOLARIS_ROWS = (
    "   Local Address        Remote Address     Swind  Send-Q  Rwind  Recv-Q    State\n"
    "-------------------- -------------------- ------- ------ ------- ------ -----------\n"
    "      *.7703               *.*                  0      0  128000      0 LISTEN\n"
)
OPENBSD_ROW = "tcp          0      0  *.7703                 *.*                    LISTEN\n"
OPENBSD_TCP = SERVERS + BSD + OPENBSD_ROW
OPENBSD_TCP6 = SERVERS + BSD + OPENBSD_ROW.replace("tcp ", "tcp6")
OPENBSD_UDP = SERVERS + "Proto Recv-Q Send-Q Local Address          Foreign Address\nudp          0      0  *.7701                 *.*\n"
NETBSD_ROW = "tcp        0      0  *.7703                 *.*                    LISTEN\n"
NETBSD = SERVERS + MACOS + NETBSD_ROW
NETBSD6 = SERVERS.replace("Internet", "Internet6") + MACOS + NETBSD_ROW.replace("tcp ", "tcp6")
HPUX_ROW = "tcp        0      0  *.7703                 *.*                     LISTEN\n"
HPUX = SERVERS + MACOS + HPUX_ROW
HPUX6 = IPV6_SERVERS + MACOS + HPUX_ROW.replace("tcp ", "tcp6")
FREEBSD_ROW = "tcp4       0      0 *.7703                 *.*                    LISTEN\n"
QUEUES = "Current listen queue sizes (qlen/incqlen/maxqlen)\nListen         Local Address\n"
LSOF_ROW = "heron   411  ann    7u  IPv4   9001      0t0  TCP *:7703 (LISTEN)\n"
SS = "State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n"
LINUX_ROW = "tcp        0      0 0.0.0.0:7703            0.0.0.0:*               LISTEN\n"
WINDOWS = "  Proto  Local Address          Foreign Address        State           PID\n"
WINDOWS_ROW = "  TCP    0.0.0.0:7703           0.0.0.0:0              LISTENING       4120\n"
POWERSHELL = "LocalAddress LocalPort RemoteAddress RemotePort State  AppliedSetting OwningProcess\n"
LISTINGS: list[tuple[Parse, str, str, str]] = [
    (sockstat.parse, "sockstat -46l", SOCKSTAT, "root     pigeond    417   8  tcp4   *:7703                *:*\n"),
    (ss.parse, "ss -tlnp", SS, "LISTEN 0      5            0.0.0.0:7703       0.0.0.0:*\n"),
    (lsof.parse, "lsof -nP -i", LSOF, LSOF_ROW),
    (fstat.parse, "fstat -n", FSTAT, "_owl     owld        2203    4* internet stream tcp 0x0 *:7703\n"),
    (netstat_bsd.parse_freebsd, "netstat -an", SERVERS + BSD, FREEBSD_ROW),
    (netstat_bsd.parse_dragonfly, "netstat -an", SERVERS + BSD, FREEBSD_ROW),
    (netstat_bsd.parse_netbsd, "netstat -an", SERVERS + MACOS, NETBSD_ROW),
    (netstat_bsd.parse_openbsd, "netstat -an", SERVERS + BSD, OPENBSD_ROW),
    (netstat_macos.parse, "netstat -an", SERVERS + MACOS, FREEBSD_ROW),
    (netstat_macos.parse, "netstat -Lan", QUEUES, "0/0/128        *.7703\n"),
    (netstat_aix.parse, "netstat -an", SERVERS + MACOS, FREEBSD_ROW),
    (netstat_hpux.parse, "netstat -an", SERVERS, MACOS + HPUX_ROW),
    (netstat_solaris.parse, "netstat -an", SOLARIS, SOLARIS_ROWS),
    (netstat_linux.parse, "netstat -tln", SERVERS + LINUX, LINUX_ROW),
    (netstat_windows.parse, "netstat -ano", WINDOWS, WINDOWS_ROW),
    (netstat_windows.parse, "netstat -anbo", WINDOWS, WINDOWS_ROW + " [owl.exe]\n"),
    (powershell_sockets.parse, "Get-NetTCPConnection", POWERSHELL, "0.0.0.0 7703 0.0.0.0 0 Listen 4120\n"),
    (proc_net_text.parse, "cat /proc/net/tcp", PROC, PROC_ROW),
]
NAMES = [f"{parse.__module__.rpartition('.')[2]}-{parse.__name__}-{command}" for parse, command, _, _ in LISTINGS]
every_listing = pytest.mark.parametrize(("parse", "command", "header", "rows"), LISTINGS, ids=NAMES)


def read(parse: Parse, command: str, text: str) -> Reading:
    return reader(parse, command)(text)


def whys(reading: Reading) -> list[str]:
    return [gap.why for gap in reading.gaps]


@every_listing
def test_one_output_has_one_header(parse: Parse, command: str, header: str, rows: str) -> None:
    reading = read(parse, command, header + rows)
    assert reading.gaps == []
    assert [seen.shown["state"] for seen in reading.seen] in (["listening"], ["unknown"])


@every_listing
def test_a_second_header_is_a_gap_and_its_rows_are_read(parse: Parse, command: str, header: str, rows: str) -> None:
    other = rows.replace("7703", "7709").replace(":0016", ":0017")
    reading = read(parse, command, header + rows + header + other)
    assert whys(reading).count(SECOND) == 1
    assert (reading.gaps[0].why, reading.gaps[0].line) in [
        (SECOND, line) for line in (header.splitlines()[-1], header.splitlines()[-1].strip())
    ]
    assert {seen.shown["port"] for seen in reading.seen} in ({7703, 7709}, {22, 23})


@every_listing
def test_the_prompts_of_two_hosts_are_a_gap(parse: Parse, command: str, header: str, rows: str) -> None:
    prompts = ["root@fw1:~#", "fw1.example.net#", "ann@fw1$", "[root@FW1 ~]#", "fw1:~ ann$", "$", "bash-5.2$"]
    if parse == netstat_windows.parse:
        prompts = ["fw1#", "C:\\>"]
    text = "".join(f"{prompt} {command}\n" for prompt in prompts) + header + rows
    assert read(parse, command, text).gaps == []
    for other in ("root@fw2:~#", "fw2$", "[ann@fw2 ~]$", "fw2:/ #"):
        reading = read(parse, command, f"{text}{other} {command}\n")
        assert [(gap.why, gap.line) for gap in reading.gaps] == [(TWO_HOSTS, f"{other} {command}")]


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (netstat_bsd.parse_openbsd, OPENBSD_TCP + OPENBSD_UDP + OPENBSD_TCP6),
        (netstat_bsd.parse_netbsd, NETBSD + NETBSD6),
        (netstat_hpux.parse, HPUX + HPUX6),
        (netstat_solaris.parse, SOLARIS + SOLARIS_ROWS + SOLARIS.replace("4", "6") + SOLARIS_ROWS),
    ],
)
def test_tables_that_each_have_a_header_are_one_output(parse: Parse, text: str) -> None:
    assert read(parse, "netstat -an", text).gaps == []
    assert SECOND in whys(read(parse, "netstat -an", text * 2))


def test_openbsd_begins_no_second_table_of_a_kind_though_control_blocks_stand_before_it() -> None:
    with_a = "".join(f"0xffff80000{at:07d} {line}\n" if line.startswith(("tcp", "udp")) else f"{line}\n"
                     for at, line in enumerate((OPENBSD_TCP + OPENBSD_UDP).splitlines()))  # fmt: skip
    assert whys(read(netstat_bsd.parse_openbsd, "netstat -anA", with_a)) == []
    assert whys(read(netstat_bsd.parse_openbsd, "netstat -anA", with_a * 2)) == [SECOND] * 2


def test_freebsd_has_a_table_of_sctp_of_its_own() -> None:
    sctp = (
        "Active SCTP associations (including servers)\n"
        "Proto  Type  Local Address          Foreign Address        (state)\n"
        "sctp4  1to1  *.7704                                        LISTEN\n"
    )
    assert read(netstat_bsd.parse_freebsd, "netstat -an", SERVERS + BSD + FREEBSD_ROW + sctp).gaps == []


def test_macos_has_a_header_of_multipath_connections() -> None:
    multipath = "Active Multipath Internet connections\nProto/ID  Flags      Local Address          Foreign Address        (state)\n"
    assert read(netstat_macos.parse, "netstat -an", SERVERS + MACOS + FREEBSD_ROW + multipath).gaps == []


def test_a_listing_that_repeats_itself_has_a_header_each_time() -> None:
    assert read(lsof.parse, "lsof -nP -i -r", f"{LSOF}{LSOF_ROW}=======\n" * 2).gaps == []
    assert read(netstat_linux.parse, "netstat -tlnc", (SERVERS + LINUX + LINUX_ROW) * 2).gaps == []


def test_a_table_of_proc_that_is_asked_for_twice_is_printed_twice() -> None:
    assert read(proc_net_text.parse, "cat /proc/net/tcp /proc/net/tcp", (PROC + PROC_ROW) * 2).gaps == []
    assert whys(read(proc_net_text.parse, "cat /proc/net/tcp /proc/net/tcp", (PROC + PROC_ROW) * 3)) == [SECOND]


def test_rows_of_proc_whose_numbers_begin_again_are_of_two_outputs() -> None:
    second = PROC_ROW.replace("   0:", "   1:").replace(":0016", ":0050").replace("4101", "4102")
    other = PROC_ROW.replace(":0016", ":0051").replace("4101", "4103")
    assert read(proc_net_text.parse, "cat /proc/net/tcp", PROC + PROC_ROW + second).gaps == []
    reading = read(proc_net_text.parse, "cat /proc/net/tcp", PROC + PROC_ROW + second + other)
    assert [(gap.why, gap.protocol, gap.family) for gap in reading.gaps] == [
        ("its rows begin again: the output of two commands, perhaps of two hosts", "tcp", "ipv4")
    ]
    assert [seen.shown["port"] for seen in reading.seen] == [22, 80, 81]
