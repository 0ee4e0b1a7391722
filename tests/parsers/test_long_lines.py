"""Guards against hangs: a line of any length is read in time that grows with its length, whatever it is full of, and nothing raises."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import auditor
import auditor.parsers
from auditor.parsers import (
    accounts,
    ansible,
    getcap,
    ifconfig,
    ipadm,
    iptables_save,
    jls,
    lsof,
    ndd,
    netsh,
    netstat_bsd,
    netstat_linux,
    nft,
    nmap,
    no,
    osquery,
    proc_net_text,
    procstat,
    ps,
    rdomains,
    registry,
    services,
    ss,
    sysctl,
    systemctl_show,
    tasklist,
    user_attr,
    vos,
    witness,
    zoneadm,
)
from auditor.reading import Output, Read
from tests.parsers.test_two_outputs import LISTINGS

Parse = Callable[[Output], Read]
LENGTH = 50_000
MOST = 2.0
"""Seconds, where a tenth of one would do: what grows with the square of the length takes many times this."""
FULL_OF = ("a", "A", " ", "9", ".", ":", '"', "[", "]", "(", "->", "=", "-", "a.", "é")
NAMED: list[tuple[Parse, str, str]] = [
    (accounts.parse, "cat /etc/passwd", "ann:x:1004:1004:Ann:/home/ann:/bin/sh\n"),
    (ansible.parse, "ansible web1 -m listen_ports_facts", 'web1 | SUCCESS => {"ansible_facts": {"tcp_listen": [], "udp_listen": []}}\n'),
    (getcap.parse, "getcap -r /", "/srv/a = cap_chown,cap_net_bind_service+ep cap_fowner-i [rootid=1000]\n"),
    (ifconfig.parse, "ifconfig -a", "em0: flags=8843<UP> rdomain 3 mtu 1500\n        inet 10.9.8.7 netmask 0xffffff00\n"),
    (ipadm.parse, "ipadm show-prop tcp", "PROTO PROPERTY PERM CURRENT PERSISTENT DEFAULT POSSIBLE\ntcp smallest_anon_port rw 4 4 4 1-9\n"),
    (jls.parse, "jls -n", 'jid=3 name="web one" vnet=new\n'),
    (ndd.parse, "sh ports.sh", "# ndd -get /dev/tcp tcp_smallest_anon_port\n40000\n"),
    (netsh.parse, "netsh int ipv4 show dynamicport tcp", "Protocol tcp Dynamic Port Range\n-----\nStart Port : 20000\n"),
    (nmap.parse, "nmap -oX - 192.0.2.7", '<nmaprun scanner="nmap"><host><address addr="192.0.2.7" addrtype="ipv4"/></host></nmaprun>\n'),
    (no.parse, "no -a", "        tcp_ephemeral_low = 40000\n"),
    (osquery.parse, 'osqueryi --json "select * from listening_ports"', '[{"address": "0.0.0.0", "pid": "711", "port": "22"}]\n'),
    (procstat.parse, "procstat -ab", "  PID COMM                OSREL PATH\n  417 pigeond           1401000 /usr/local/sbin/pigeond\n"),
    (ps.parse, "ps -axo pid,user,comm", "  PID USER COMMAND\n  411 ann  heron\n"),
    (ps.parse, "ps -ef", "UID PID  PPID  C STIME TTY          TIME CMD\nann 411     1  0 Nov21 ?        00:01:54 /opt/heron -x\n"),
    (rdomains.parse, "netstat -R", "Rdomain 0\n  Interfaces: lo0 em0\n  Routing table: 0\n"),
    (registry.parse, "reg query HKLM\\SYSTEM\\x", "HKEY_LOCAL_MACHINE\\SYSTEM\\x\n    MaxUserPort    REG_DWORD    0xfffe\n"),
    (services.parse, "cat /etc/services", "domain 53/tcp name # names\n"),
    (
        iptables_save.parse,
        "iptables-save -t nat",
        '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING ! -i "a" -p tcp --dports 1,2:3 -j REDIRECT\nCOMMIT\n',
    ),
    (
        nft.parse,
        "nft list ruleset",
        'table ip nat {\n\tchain pre {\n\t\tip daddr 1.1.1.1 tcp dport { 1, 3 } dnat to 2.2.2.2 comment "x"\n\t}\n}\n',
    ),
    (
        nft.parse,
        "nft -j list ruleset",
        '{"nftables": [{"rule": {"family": "ip", "table": "nat", "chain": "pre", "handle": 1, "expr": []}}]}\n',
    ),
    (ss.parse, "ss -tlnpe", 'LISTEN 0 5 0.0.0.0:7703 0.0.0.0:* users:(("a",pid=7,fd=3)) uid:1 ino:5 sk:6 cgroup:/a v6only:1 <->\n'),
    (sysctl.parse, "sysctl -a", "net.inet.ip.portrange.first: 1023\n"),
    (sysctl.parse, "sysctl -n net.a.b", "1023\n"),
    (lsof.parse, "lsof -nP -i -F", "p411\nf7\ntIPv4\nPTCP\nn*:7703\nTST=LISTEN\n"),
    (lsof.parse, "lsof -nP", "heron   411  ann  NOFD  /proc/411/fd (opendir: Permission denied)\n"),
    (tasklist.parse, "tasklist /svc", "Image Name   PID Services\n============ === ========\nowl.exe      412 owl\n"),
    (user_attr.parse, "cat /etc/user_attr", "ann::::type=normal;defaultpriv=basic,net_privaddr\n"),
    (user_attr.parse_policy, "cat /etc/security/policy.conf", "PRIV_DEFAULT=basic\n"),
    (systemctl_show.parse, "systemctl show", "Id=a.service\nUser=www\nCapabilityBoundingSet=cap_net_bind_service\n\nId=b.service\n"),
    (vos.access_list, "display_access_list x", "w  *.System\n"),
    (vos.variable, "display_parameter", "allow_unpriv_bind$ = 0\n"),
    (witness.parse, "witness", "protocol\taddress\tport\ntcp\t127.0.0.1\t22\nend\t1\n"),
    (zoneadm.parse, "zoneadm list -cp", "0:global:running:/::ipkg:shared:none\n"),
    (zoneadm.parse_zonename, "zonename", "global\n"),
]
SAMPLES = NAMED + [(parse, command, header + rows) for parse, command, header, rows in LISTINGS]
ROW = "tcp LISTEN 0 5 0.0.0.0:1 0.0.0.0:* ino:5\n"
NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --comment "
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[0-9]*,?[0-9]*\})\+")


def columns(line: str) -> Iterator[tuple[int, int]]:
    """The whole line, its end, each word and each run of blanks, and before each of them."""
    yield from ((0, len(line)), (len(line), len(line)))
    for found in re.finditer(r"\S+|\s+", line):
        yield from (found.span(), (found.start(), found.start()))


def filled(text: str, full_of: str) -> Iterator[str]:
    lines = text.splitlines()
    for at, line in enumerate(lines):
        for start, end in columns(line):
            longer = line[:start] + full_of * (LENGTH // len(full_of)) + line[end:]
            yield "\n".join([*lines[:at], longer, *lines[at + 1 :]]) + "\n"


def hurry(parse: Parse, command: str, text: str) -> None:
    started = time.process_time()
    parse(Output(command, text))
    assert time.process_time() - started < MOST, f"{command}: it hangs on {text[:300]!r}"


@pytest.mark.parametrize(
    ("parse", "command", "text"), SAMPLES, ids=[f"{parse.__module__.rpartition('.')[2]}-{command}" for parse, command, _ in SAMPLES]
)
def test_a_long_line_does_not_make_a_parser_hang(parse: Parse, command: str, text: str) -> None:
    for full_of in FULL_OF:
        for longer in filled(text, full_of):
            hurry(parse, command, longer)


def test_every_parser_of_a_commands_output_is_tried() -> None:
    defining = {path.stem for path in Path(auditor.parsers.__path__[0]).glob("*.py") if "(output: Output" in path.read_text()}
    assert defining == {parse.__module__.rpartition(".")[2] for parse, _, _ in SAMPLES}


@pytest.mark.parametrize(
    ("parse", "command", "text"),
    [
        (lsof.parse, "lsof -nP -i", "COMMAND PID " + "USER FD TYPE " * 10_000),
        (lsof.parse, "lsof -nP -i", "m" + "=" * 2_000 + "x"),
        (lsof.parse, "lsof -nP -i", "a 1 ann 1u " + "/fd (stat: " * 10_000),
        (ss.parse, "ss -tlnp", "LISTEN 0 5 0.0.0.0:1 0.0.0.0:* " + 'users:(("' * 20_000),
        (ss.parse, "ss -tlnp", 'LISTEN 0 5 0.0.0.0:1 0.0.0.0:* users:(("a",pid=1,proc_ctx=' + ",1,sock_ctx=" * 20_000),
        (ss.parse, "ss -tlnMe", ROW * 10_000 + f"mp{ROW}" * 10_000),
        (netstat_bsd.parse_freebsd, "netstat -an", "Proto " * 20_000),
        (netstat_linux.parse, "netstat -tlnZ", "tcp 0 0 0.0.0.0:1 0.0.0.0:* LISTEN " + " :" * 10_000 + ":" * 10_000 + " x"),
        (netstat_linux.parse, "netstat -tlnpeo", "tcp 0 0 0.0.0.0:1 0.0.0.0:* LISTEN 0 7" + " " * LENGTH + "7/a" + " " * LENGTH + "x"),
        (proc_net_text.parse, "head /proc/net/tcp /proc/net/udp", f"==> /proc/net/{'[' * LENGTH} <=="),
        (sysctl.parse, "sysctl -a", "net.a.b: " + " " * LENGTH + "1023"),
        (iptables_save.parse, "iptables-save -t nat", NAT + '"' + "\\ " * 100_000),
        (iptables_save.parse, "iptables-save -t nat", NAT + '"\\" \\""' * 100_000 + '" "' + '\\" ' * 100_000),
    ],
)
def test_a_line_made_to_be_read_in_many_ways_does_not_make_a_parser_hang(parse: Parse, command: str, text: str) -> None:
    hurry(parse, command, text)


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        (r"(?:a|b)*+c", True), (r"(a)++", True), (r"(a)?+", True), (r"(a){2,}+", True), (r"((a)|b){,3}+", True), (r"a*+", False),
        (r"[^\])]++", False), (r"\S?+", False), (r"\)*+", False), (r"(a)*", False), (r"(a)+b+", False),
    ],
)  # fmt: skip
def test_a_group_that_is_repeated_possessively_is_known(pattern: str, refused: bool) -> None:
    assert bool(POSSESSIVE_GROUP.search(pattern)) == refused


def test_no_group_repeats_possessively() -> None:
    """Python before 3.11.5 may read such a one wrongly: github.com/python/cpython/issues/106052."""
    written = [
        (path, one.value)
        for path in Path(auditor.__path__[0]).rglob("*.py")
        for one in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    assert any(iptables_save._WORD.pattern == text for _, text in written)
    assert [f"{path}: {text}" for path, text in written if POSSESSIVE_GROUP.search(text)] == []
