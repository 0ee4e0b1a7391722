"""ss of iproute2, of every age."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.parsers import ss
from auditor.reading import Output, Reading
from tests.parsers import laws

HEADER = "Netid State  Recv-Q Send-Q      Local Address:Port  Peer Address:PortProcess"
NEW = f"""{HEADER}
udp   UNCONN 0      0           127.0.0.54%lo:53         0.0.0.0:*    users:(("resolver",pid=402,fd=12)) uid:101 ino:3101 sk:1 cgroup:/s.slice/r.service <->
udp   UNCONN 0      0         0.0.0.0%vnet4:67         0.0.0.0:*    ino:3102 sk:2 cgroup:/ <->
udp   UNCONN 0      0        192.0.2.40:41000      198.51.100.9:53    users:(("resolver",pid=402,fd=13)) ino:3103 sk:3 cgroup:/ <->
udp   UNCONN 0      0      [fe80::2]%eth7:546            [::]:*    ino:3104 sk:4 cgroup:/ v6only:1 <->
tcp   LISTEN 0      511          0.0.0.0:80          0.0.0.0:*    users:(("web",pid=12,fd=6),("web",pid=11,fd=6)) ino:3105 sk:5 cgroup:/w.slice v6only:9 <->
tcp   LISTEN 0      511             [::]:81             [::]:*    users:(("web",pid=11,fd=7)) uid:33 ino:3106 sk:6 cgroup:/a b/c v6only:1 <->
tcp   LISTEN 0      100                *:82                *:*    users:(("app",pid=15,fd=3),("app",pid=15,fd=4)) ino:3107 sk:7 cgroup:/w v6only:0 -->
tcp   LISTEN 0      100       *%eth7:83                *:*    ino:3108 sk:8 cgroup:unreachable:7f v6only:0 <->
tcp   LISTEN 0      50  [::ffff:192.0.2.40]:84            *:*    ino:3109 sk:9 cgroup:/ v6only:0 <->
tcp   ESTAB  0      0       192.0.2.40:80     198.51.100.7:50312 users:(("web",pid=12,fd=9)) ino:3110 sk:a cgroup:/ <->
tcp   UNCONN 0      0       192.0.2.40:7001        0.0.0.0:*    ino:3111 sk:b cgroup:/ <->
tcp   UNCONN 0      0            0.0.0.0:*          0.0.0.0:*    ino:3112 sk:c cgroup:/ <->
"""  # noqa: E501
OLD = """Netid  State      Recv-Q Send-Q     Local Address:Port       Peer Address:Port
udp    UNCONN     0      0                      *:68                    *:*      users:(("dhcp",801,6))
tcp    LISTEN     0      128                    *:22                    *:*      users:(("sshd",802,3),("init",1,9))
tcp    LISTEN     0      128                   :::22                   :::*      users:(("sshd",802,4))
tcp    LISTEN     0      10          192.0.2.77:8080                    *:*
tcp    LISTEN     0      10      fe80::9%eth3:8081                   :::*
tcp               0      10                     *:25                    *:*      users:(("mail",900,4))
"""


def read(text: str, command: str = "ss -tulnpe", stderr: str = "") -> Reading:
    output = Output(command, text, stderr)
    reading = ss.parse(output)
    laws.accounted(output, reading)
    return reading


def shown(reading: Reading, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(seen.shown.get(key, "absent") for key in keys) for seen in reading.seen]


def places(reading: Reading) -> list[tuple[Any, ...]]:
    return shown(reading, "protocol", "family", "address", "port")


def one(row: str, command: str = "ss -tulnpe", header: str = HEADER) -> Any:
    reading = read(f"{header}\n{row}\n", command)
    assert reading.gaps == []
    assert len(reading.seen) == 1
    return reading.seen[0]


def test_a_new_ss_shows_family_v6only_device_creator_and_control_group() -> None:
    reading = read(NEW)
    assert shown(reading, "protocol", "family", "address", "port", "state", "v6only", "zone", "device", "uid", "cgroup") == [
        ("udp", "ipv4", "127.0.0.54", 53, "listening", "absent", "absent", "lo", 101, "/s.slice/r.service"),
        ("udp", "ipv4", "0.0.0.0", 67, "listening", "absent", "absent", "vnet4", 0, "/"),
        ("udp", "ipv6", "fe80::2", 546, "listening", True, "eth7", "absent", 0, "/"),
        ("tcp", "ipv4", "0.0.0.0", 80, "listening", "absent", "absent", None, 0, "/w.slice v6only:9"),
        ("tcp", "ipv6", "::", 81, "listening", True, "absent", None, 33, "/a b/c"),
        ("tcp", "ipv6", "::", 82, "listening", False, "absent", None, 0, "/w"),
        ("tcp", "ipv6", "::", 83, "listening", False, "absent", "eth7", 0, "absent"),
        ("tcp", "ipv6", "::ffff:192.0.2.40", 84, "listening", False, "absent", None, 0, "/"),
        ("tcp", "ipv4", "192.0.2.40", 7001, "bound", "absent", "absent", None, 0, "/"),
    ]
    assert [seen.identity for seen in reading.seen] == ["3101", "3102", "3104", "3105", "3106", "3107", "3108", "3109", "3111"]
    assert reading.gaps == []
    assert reading.shows_owners


def test_every_holder_is_named_once() -> None:
    owners = [seen.owners for seen in read(NEW).seen]
    assert owners[3] == [{"pid": 12, "process": "web"}, {"pid": 11, "process": "web"}]
    assert owners[5] == [{"pid": 15, "process": "app"}]
    assert owners[1] == []


def test_an_old_ss_means_ipv4_by_its_asterisk_and_names_holders_without_labels() -> None:
    reading = read(OLD, "ss -tulpn")
    assert shown(reading, "protocol", "family", "address", "port", "v6only", "zone") == [
        ("udp", "ipv4", "0.0.0.0", 68, "absent", "absent"),
        ("tcp", "ipv4", "0.0.0.0", 22, "absent", "absent"),
        ("tcp", "ipv6", "::", 22, "absent", "absent"),
        ("tcp", "ipv4", "192.0.2.77", 8080, "absent", "absent"),
        ("tcp", "ipv6", "fe80::9", 8081, "absent", "eth3"),
        ("tcp", "ipv4", "0.0.0.0", 25, "absent", "absent"),
    ]
    assert reading.seen[1].owners == [{"pid": 802, "process": "sshd"}, {"pid": 1, "process": "init"}]
    assert [seen.shown["state"] for seen in reading.seen] == ["listening"] * 6


PLAIN = "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port"
STAR = "tcp   LISTEN 0      5            *:9000            *:*"


@pytest.mark.parametrize(
    ("sign", "family"),
    [
        ("tcp   LISTEN 0      5      127.0.0.1:1          0.0.0.0:*", "ipv6"),
        ("tcp   LISTEN 0      5      [::1]:1                    *:*", "ipv6"),
        ("tcp   LISTEN 0      5            *:1                  *:* ino:5 sk:1 cgroup:/ <->", "ipv6"),
        ("tcp   LISTEN 0      5            *:1                  *:* ino:5 sk:1 v6only:0 <->", "ipv6"),
        ("tcp   LISTEN 0      5      127.0.0.1:1                *:*", "ipv4"),
        ("tcp   LISTEN 0      5           :::1                 :::*", "ipv4"),
        ("tcp   ESTAB  0      0  2001:db8::1:1     2001:db8::2:9", "ipv4"),
        ("tcp   LISTEN 0      5            *:1                  *:* users:((\"a\",5,6))", "ipv4"),
        ("tcp   LISTEN 0      5      [::1]:1                 [::]:*", "unknown"),
        ("tcp   LISTEN 0      5      127.0.0.1:1          0.0.0.0:*\ntcp LISTEN 0 5 :::1 :::*", "unknown"),
    ],
)  # fmt: skip
def test_what_another_row_shows_of_the_age_tells_what_an_asterisk_is(sign: str, family: str) -> None:
    last = read(f"{PLAIN}\n{sign}\n{STAR}\n", "ss -tuln").seen[-1].shown
    assert (last["family"], last["address"]) == (family, {"ipv4": "0.0.0.0", "ipv6": "::", "unknown": "*"}[family])
    assert last.get("v6only") == (False if family == "ipv6" else None)


@pytest.mark.parametrize(
    ("command", "header", "family"),
    [("ss -tuln", HEADER, "ipv6"), ("ss -tulnO", PLAIN, "ipv6"), ("ss -4tuln", PLAIN, "ipv4"), ("ss -tuln6", PLAIN, "ipv6"),
     ("ss -tuln", PLAIN, "unknown")],
)  # fmt: skip
def test_header_and_options_tell_what_an_asterisk_is(command: str, header: str, family: str) -> None:
    assert one(STAR, command, header).shown["family"] == family


def test_brackets_alone_do_not_say_v6only_as_ss_4_14_had_them_too() -> None:
    row = "tcp   LISTEN 0      5         [::]:9000         [::]:*"
    assert "v6only" not in one(row, header=PLAIN).shown
    assert one(row).shown["v6only"] is True


@pytest.mark.parametrize(
    ("users", "owners"),
    [
        ('users:(("my "odd" (x",pid=7,fd=3))', [{"pid": 7, "process": 'my "odd" (x'}]),
        ('users:(("a,pid=1,fd=9",pid=7,fd=3))', [{"pid": 7, "process": "a,pid=1,fd=9"}]),
        ('users:(("x",pid=1,fd=3",pid=7,fd=3))', [{"pid": 7, "process": 'x",pid=1,fd=3'}]),
        ('users:(("x y)",pid=7,fd=3),("z),(",pid=8,fd=3))', [{"pid": 7, "process": "x y)"}, {"pid": 8, "process": "z),("}]),
        ('users:(("w ino:9 uid:8",pid=7,fd=3))', [{"pid": 7, "process": "w ino:9 uid:8"}]),
        ('users:(("pool",pid=7,tid=9,fd=3),("main",pid=7,tid=7,fd=3))', [{"pid": 7, "process": "main"}]),
        ('users:(("s",pid=7,proc_ctx=u:r:t:s0:c1,c2,fd=3))', [{"pid": 7, "process": "s"}]),
        ('users:(("s",pid=7,proc_ctx=u:r:t:s0,fd=3,sock_ctx=u:r:t:s0))', [{"pid": 7, "process": "s"}]),
        ('users:(("",pid=7,fd=3))', [{"pid": 7, "process": ""}]),
        ('users:(("ok",pid=7,fd=3),("cut', [{"pid": 7, "process": "ok"}, {}]),
        ("users:((rubbish))", [{}]),
        ('users:(("a",1,1)) ino:5",pid=7,fd=3))', [{}]),
        ('users:(("a",pid=1,fd=1))",pid=7,fd=3))', [{"pid": 7, "process": 'a",pid=1,fd=1))'}]),
        ('users:(("a",1,1)) ino:5",7,3))', [{}]),
        ('users:(("heron",808,3),("a",1,1),("b",7,3))', [{"pid": 808, "process": "heron"}, {}]),
        (
            'users:(("ok",8,3),("aaaaaaaaa",1,1),("b",7,3))',
            [{"pid": 8, "process": "ok"}, {"pid": 1, "process": "aaaaaaaaa"}, {"pid": 7, "process": "b"}],
        ),
    ],
)
def test_odd_names_are_told_from_what_is_around_them(users: str, owners: list[dict[str, Any]]) -> None:
    seen = one(f"tcp   LISTEN 0      5      0.0.0.0:9000      0.0.0.0:*    {users} uid:55 ino:77 sk:1 cgroup:/c <->")
    assert seen.owners == owners
    if {} not in owners:
        assert (seen.identity, seen.shown["uid"], seen.shown["cgroup"]) == ("77", 55, "/c")


def test_what_follows_holders_that_can_be_read_in_several_ways_is_not_known() -> None:
    seen = one('tcp LISTEN 0 5 0.0.0.0:9000 0.0.0.0:* users:(("a",1,1)) ino:5",pid=7,fd=3)) uid:55 ino:77 sk:1')
    assert seen.identity is None
    assert "uid" not in seen.shown


def test_the_path_of_a_control_group_is_no_holder() -> None:
    seen = one('tcp LISTEN 0 5 0.0.0.0:9000 0.0.0.0:* ino:77 sk:1 cgroup:/a/users:(("a",pid=1,fd=1)) <->')
    assert (seen.owners, seen.shown["cgroup"]) == ([], '/a/users:(("a",pid=1,fd=1))')


def test_a_name_that_looks_like_an_old_holder_does_not_make_an_asterisk_ipv4() -> None:
    seen = one('tcp LISTEN 0 5 *:9000 *:* users:(("a",1,1)x",pid=7,fd=3))', header=PLAIN)
    assert (seen.owners, seen.shown["family"]) == ([{"pid": 7, "process": 'a",1,1)x'}], "unknown")


@pytest.mark.parametrize(
    ("command", "covered"),
    [
        ("ss -ln -A inet", "tcp udp"), ("ss -ln -A inet,!tcp", "udp"), ("ss -ln -A all,!udp", "tcp"), ("ss -ln -A inet -A !tcp", "udp"),
        ("ss -Hlnpt -A udp", "udp"), ("ss -Hlnp -A udp -t", "udp"), ("ss -lntu -A unix", ""), ("ss -lnt -A tcp", "tcp"),
        ("ss -lnt --query=udp", "udp"), ("ss -ln -A !udp,udp", ""),
    ],
)  # fmt: skip
def test_of_a_query_only_what_is_sure_is_covered(command: str, covered: str) -> None:
    reading = read(f"{HEADER}\n", command)
    assert " ".join(sorted({protocol for (protocol, _), why in reading.covers.items() if why is None})) == covered


def test_without_e_there_is_neither_creator_nor_inode() -> None:
    seen = one('tcp LISTEN 0 5 0.0.0.0:9000 0.0.0.0:* users:(("x",pid=1,fd=1))', "ss -tulnp")
    assert "uid" not in seen.shown
    assert seen.identity is None


def test_lines_that_go_on_from_a_row_are_read_with_it() -> None:
    text = f"""{HEADER}
tcp   LISTEN 0      5      0.0.0.0:9000      0.0.0.0:*
     users:(("x",pid=71,fd=3)) ino:77
     sk:1 cgroup:/c <->
\t cubic rto:1000 mss:536 cwnd:10
\t skmem:(r0,rb131072,t0)
tcp   LISTEN 0      5      0.0.0.0:9001      0.0.0.0:*
"""
    reading = read(text)
    assert [(seen.shown["port"], seen.owners, seen.identity) for seen in reading.seen] == [
        (9000, [{"pid": 71, "process": "x"}], "77"), (9001, [], None),
    ]  # fmt: skip
    assert reading.seen[0].shown["cgroup"] == "/c"
    assert reading.gaps == []


def test_names_stand_for_ports_and_hosts_where_they_were_resolved() -> None:
    reading = read(
        f"{HEADER}\ntcp LISTEN 0 5 localhost:ipp 0.0.0.0:*\ntcp LISTEN 0 5 localhost:80 *:*\ntcp LISTEN 0 5 *:ssh *:*\n", "ss -tulr"
    )
    assert shown(reading, "family", "address", "port") == [
        ("ipv4", "localhost", "absent"), ("ipv6", "localhost", 80), ("ipv6", "::", "absent"),
    ]  # fmt: skip
    assert [seen.port_name for seen in reading.seen] == ["ipp", None, "ssh"]


@pytest.mark.parametrize(
    ("command", "covered"),
    [
        ("ss -tuln", "tcp4 tcp6 udp4 udp6"), ("ss -tulnp4", "tcp4 udp4"), ("ss -6tuln", "tcp6 udp6"), ("ss -46ltn", "tcp4 tcp6"),
        ("ss -ltn", "tcp4 tcp6"), ("ss -aun", "udp4 udp6"), ("ss -l", "tcp4 tcp6 udp4 udp6"), ("ss -lnf inet", "tcp4 udp4"),
        ("ss -ln -f inet6 -t", "tcp6"), ("ss -tun", ""), ("ss", ""), ("ss -lx", ""), ("ss -lSn", ""), ("ss -lMn", ""), ("ss -lw", ""),
        ("ss --listening --tcp --ipv4", "tcp4"), ("ss --listen --udp --family=inet6", "udp6"), ("ss -ln -A tcp", "tcp4 tcp6"),
        ("ss -ln --query=tcp,udp,unix", "tcp4 tcp6 udp4 udp6"), ("ss -lnA inet", "tcp4 tcp6 udp4 udp6"), ("ss -ln -f unix", ""),
        ("ss -lxt", "tcp4 tcp6"), ("ss -lx4", "tcp4 udp4"), ("ss -tn state listening", "tcp4 tcp6"),
        ("ss -tun state listening", "tcp4 tcp6"),
        ("ss -tun state listening state unconnected", "tcp4 tcp6 udp4 udp6"), ("ss -tuln state established", ""), ("ss -s", ""),
        ("ss -tun state all", "tcp4 tcp6 udp4 udp6"), ("ss -tuan exclude listening", "udp4 udp6"), ("ss -B", ""),
        ("ss -tuln -D /tmp/dump", ""), ("ss -ltn -N blue", "tcp4 tcp6"), ("ss -sltn", "tcp4 tcp6"),
    ],
)  # fmt: skip
def test_what_was_asked_for_is_covered(command: str, covered: str) -> None:
    reading = read(HEADER + "\n", command)
    assert {f"{p}{f[-1]}" for (p, f), why in reading.covers.items() if why is None} == set(covered.split())
    assert None in reading.covers.values() or not reading.covers


@pytest.mark.parametrize("command", ["ss -tuln sport = :22", "ss -tuln '( sport = :22 )'", "ss -tln state listening dst 192.0.2.0/24",
                                     "ss -tuln -F /tmp/filter", "ss -tulnE", r"ss -tuln \( sport = :22 \)"])  # fmt: skip
def test_a_filter_leaves_nothing_covered(command: str) -> None:
    covers = read(HEADER + "\n", command).covers
    assert covers
    assert None not in covers.values()


def test_without_its_header_nothing_is_covered_unless_it_was_not_asked_for() -> None:
    assert set(read(STAR, "ss -tuln").covers.values()) == {"its header line is missing"}
    assert set(read("", "ss -tuln").covers.values()) == {"its header line is missing"}
    assert set(read(STAR, "ss -Htuln").covers.values()) == {None}
    assert set(read("", "ss -tuln --no-header").covers.values()) == {None}


def test_a_row_without_netid_is_of_the_one_protocol_that_was_asked_for() -> None:
    header = "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess"
    assert one("LISTEN 0 5 0.0.0.0:1 0.0.0.0:*", "ss -ltn", header).shown["protocol"] == "tcp"
    assert one("UNCONN 0 5 0.0.0.0:1 0.0.0.0:*", "ss -lun", header).shown["protocol"] == "udp"
    assert one("LISTEN 0 5 0.0.0.0:1 0.0.0.0:*", "ss -lSn", header).shown["protocol"] == "sctp"
    assert one("0 5 0.0.0.0:1 0.0.0.0:*", "ss -tn state listening", header[7:]).shown["state"] == "listening"
    unknown = read(f"{header}\nLISTEN 0 5 0.0.0.0:1 0.0.0.0:*\n", "ss -tuln")
    assert [gap.why for gap in unknown.gaps] == ["which protocol this row is of is not shown"]


def test_an_mptcp_row_is_the_tcp_socket_of_its_inode() -> None:
    rows = "tcp LISTEN 0 5 0.0.0.0:1 0.0.0.0:* ino:5 sk:1 <->\ntcp LISTEN 0 5 0.0.0.0:1 0.0.0.0:* ino:6 sk:2 <->\n"
    both = read(f"{HEADER}\n{rows}mptcp LISTEN 0 5 0.0.0.0:1 0.0.0.0:* ino:6 sk:3 <->\n", "ss -ltMne")
    assert shown(both, "protocol", "mptcp") == [("tcp", "absent"), ("tcp", True)]
    alone = read(f"{HEADER}\nmptcp LISTEN 0 5 0.0.0.0:1 0.0.0.0:* ino:6 sk:3 <->\n", "ss -lMne")
    assert shown(alone, "protocol", "mptcp", "port") == [("tcp", True, 1)]
    by_place = read(f"{HEADER}\ntcp LISTEN 0 5 0.0.0.0:1 0.0.0.0:*\nmptcp LISTEN 0 5 0.0.0.0:1 0.0.0.0:*\n", "ss -ltMn")
    assert shown(by_place, "protocol", "mptcp") == [("tcp", True)]


def test_other_kinds_of_sockets_are_passed_over_and_udplite_is_its_own() -> None:
    text = f"""{HEADER}
nl    UNCONN 0      0            rtnl:systemd/1             *
u_str LISTEN 0      4096    /run/x.sock 12345                * 0
raw   UNCONN 0      0           0.0.0.0:icmp         0.0.0.0:*
UDPLITE UNCONN 0    0           0.0.0.0:7007         0.0.0.0:*
sctp  LISTEN 0      5           0.0.0.0:5000         0.0.0.0:*
sctp  `- ESTAB 0    0        192.0.2.4:5000      192.0.2.5:6000
"""
    reading = read(text, "ss -l")
    assert places(reading) == [("udplite", "ipv4", "0.0.0.0", 7007), ("sctp", "ipv4", "0.0.0.0", 5000)]
    assert reading.gaps == []


def test_the_summary_and_the_typed_command_are_passed_over() -> None:
    text = f"""ops@web:~$ sudo ss -s -tuln
Total: 210
TCP:   14 (estab 2, closed 1, orphaned 0, timewait 1)

Transport Total     IP        IPv6
RAW       1         0         1
{HEADER}
{STAR}
"""
    reading = read(text, "ss -s -tuln")
    assert reading.gaps == []
    assert len(reading.seen) == 1


@pytest.mark.parametrize(
    "row",
    ["tcp   LISTEN 0      5      0.0.0.0:99999      0.0.0.0:*", "tcp   LISTEN 0      5      0.0.0:80      0.0.0.0:*", "tcp LISTEN 0 5",
     "udp   LISTEN 0      5      0.0.0.0:99      0.0.0.0:*", "tcp   HEARS  0      5      0.0.0.0:99      0.0.0.0:*", "warning: odd",
     "tcp   LISTEN x      5      0.0.0.0:99      0.0.0.0:*", "fd=3))"],
)  # fmt: skip
def test_what_cannot_be_read_is_a_gap(row: str) -> None:
    reading = read(f"{HEADER}\n{row}\n{STAR}\n", "ss -tuln")
    assert [gap.line for gap in reading.gaps] == [row]
    assert len(reading.seen) == 1


def test_a_state_column_left_blank_is_unknown_where_connections_were_asked_for_too() -> None:
    assert one("tcp 0 5 0.0.0.0:1 0.0.0.0:*", "ss -tan").shown["state"] == "unknown"


@pytest.mark.parametrize("text", [NEW, OLD])
def test_no_text_makes_it_raise_or_lose_a_line(text: str) -> None:
    laws.total(ss.parse, "ss -tulnpe", text)
    laws.total(ss.parse, "ss -l", text)
