"""One host told by several commands: what is one socket, what is known of it, and what stays open."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collectors._saved_answers import Heard, Listing
from auditor.collectors._saved_sockets import Sockets
from auditor.command import Command
from auditor.evidence import Answer
from auditor.model import Snapshot, Socket
from auditor.parsers import sockstat, ss
from auditor.reading import Output, Reading
from tests.bundles import judged, stack_of
from tests.collectors.told import Told, bundled, host, open_questions, own, whys
from tests.reports import rendered, report
from tests.saved_hosts import FREEBSD

SS_HEAD = "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
NETSTAT_HEAD = (
    "Active Internet connections (only servers)\n"
    "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name    \n"
)
BSD_HEAD = "Active Internet connections (including servers)\nProto Recv-Q Send-Q Local Address          Foreign Address        (state)\n"
SOCKSTAT_HEAD = "USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"


def ss_row(local: str, holder: str = "", more: str = "", protocol: str = "tcp") -> str:
    peer = "[::]:*" if local.startswith("[") else "0.0.0.0:*"
    process, _, pid = holder.partition("/")
    users = f'users:(("{process}",pid={pid},fd=3))' if holder else ""
    return f"{protocol:5} {'LISTEN' if protocol == 'tcp' else 'UNCONN'} 0      128    {local}    {peer}    {users} {more}\n"


def ss_of(*rows: str, command: str = "ss -tulnp") -> Told:
    return (command, SS_HEAD + "".join(rows))


def netstat_of(*rows: tuple[str, str], command: str = "netstat -tulnp") -> Told:
    """Rows of net-tools: a local address, and PID/program or `-`."""
    lines = [
        f"{'tcp6' if local.count(':') > 1 else 'tcp':5} {0:6} {0:6} {local:23} {':::*' if local.count(':') > 1 else '0.0.0.0:*':23} "
        f"LISTEN      {program:20}\n"
        for local, program in rows
    ]
    return (command, NETSTAT_HEAD + "".join(lines))


def sockstat_of(*rows: str, command: str = "sockstat -46l") -> Told:
    """Rows as `user process pid proto address`."""
    lines = []
    for row in rows:
        user, process, pid, proto, address = row.split(" ")
        lines.append(f"{user:8} {process:10} {pid:5} 4   {proto:6} {address:21} *:*\n")
    return (command, SOCKSTAT_HEAD + "".join(lines))


def bsd_of(*rows: str, command: str = "netstat -an") -> Told:
    """Rows of a BSD netstat as `proto address state`."""
    lines = [f"{proto:10} 0      0 {address:22} *.*                    {state}\n" for proto, address, state in (r.split(" ") for r in rows)]
    return (command, BSD_HEAD + "".join(lines))


def sockets(snapshot: Snapshot, stack: str = "host") -> list[Socket]:
    return list(stack_of(snapshot, stack).listening.seen)


def subjects(snapshot: Snapshot) -> dict[str, int]:
    return dict(Counter(one.numbered_subject for one in sockets(snapshot)))


def the_one(snapshot: Snapshot) -> Socket:
    (found,) = sockets(snapshot)
    return found


def holders(one: Socket) -> list[tuple[object, object]]:
    return [(owner.shown.get("process"), owner.shown.get("pid")) for owner in one.shown.get("owners_seen", [])]


# One socket in several answers


def test_the_same_socket_in_two_answers_is_one_and_says_what_both_say() -> None:
    one = the_one(host("FreeBSD", bsd_of("tcp4 *.80 LISTEN"), sockstat_of("www shopd 1200 tcp4 *:80"), uid="0"))
    assert (one.numbered_subject, one.state, one.owner_state, holders(one)) == ("tcp/0.0.0.0:80", "listening", "known", [("shopd", 1200)])
    assert one.source == "netstat -an, sockstat -46l"


def test_known_wins_over_unknown_whichever_came_first() -> None:
    answers = [("sockstat -46", sockstat_of("www shopd 1200 tcp4 *:80")[1]), bsd_of("tcp4 *.80 LISTEN")]
    for order in (answers, answers[::-1]):
        assert the_one(host("FreeBSD", *order)).state == "listening"
    assert the_one(host("FreeBSD", answers[0])).state == "unknown"


def test_an_answer_that_stands_twice_changes_nothing() -> None:
    rows = ss_of(ss_row("0.0.0.0:80", "nginx/7"), ss_row("[::]:80", "nginx/7"))
    once, twice = host("Linux", rows, uid="0"), host("Linux", rows, rows, uid="0")
    assert [one.to_json() for one in sockets(once)] == [one.to_json() for one in sockets(twice)]
    assert open_questions(own(once).listening) == open_questions(own(twice).listening)


def test_what_two_answers_show_otherwise_is_a_gap_of_that_port_and_the_key_is_not_shown() -> None:
    snapshot = host("FreeBSD", bsd_of("tcp4 *.80 LISTEN"), bsd_of("tcp4 *.80 CLOSED", command="netstat -a -n"))
    assert the_one(snapshot).state == "unknown"
    assert open_questions(own(snapshot).listening) == ["tcp 80"]
    assert "state of tcp/0.0.0.0:80 is 'listening' in netstat -an and 'bound' in netstat -a -n" in whys(own(snapshot).listening)


def test_a_third_answer_does_not_settle_what_two_contradict() -> None:
    rows = [bsd_of(f"tcp4 *.80 {state}", command=f"netstat -an{'W' * n}") for n, state in enumerate(("LISTEN", "CLOSED", "LISTEN"))]
    assert the_one(host("FreeBSD", *rows)).state == "unknown"
    uids = [ss_of(ss_row("0.0.0.0:80", "nginx/7", f"uid:{uid} ino:5"), command=f"ss -tulnpe{'e' * uid}") for uid in (1, 2, 1)]
    assert "uid" not in the_one(host("Linux", *uids)).shown


def test_a_contradiction_about_the_family_a_wildcard_takes_is_told() -> None:
    snapshot = host("FreeBSD", bsd_of("tcp46 *.80 LISTEN"), sockstat_of("www shopd 1200 tcp6 *:80"))
    assert "v6only" not in the_one(snapshot).shown
    assert "v6only of tcp/" in whys(own(snapshot).listening)


# Several sockets alike


def test_rows_alike_in_one_answer_are_as_many_sockets_and_another_answer_adds_none() -> None:
    alike = [ss_row("0.0.0.0:80", "nginx/7"), ss_row("0.0.0.0:80", "nginx/8")]
    assert subjects(host("Linux", ss_of(*alike), ss_of(*alike, command="ss -tlnp"))) == {"tcp/0.0.0.0:80": 2}


def test_of_sockets_that_only_their_holders_tell_apart_each_may_be_anybodys() -> None:
    snapshot = host("FreeBSD", bsd_of("tcp4 *.80 LISTEN", "tcp4 *.80 LISTEN"),
                    sockstat_of("www shopd 7 tcp4 *:80", "root evil 8 tcp4 *:80"), uid="0")  # fmt: skip
    both = sockets(snapshot)
    assert [holders(one) for one in both] == [[("shopd", 7), ("evil", 8)]] * 2
    assert {one.owner_state for one in both} == {"partial"}


def test_where_each_row_has_its_own_holder_each_keeps_it() -> None:
    snapshot = host("Linux", ss_of(ss_row("0.0.0.0:80", "nginx/7"), ss_row("0.0.0.0:80", "evil/8")), uid="0")
    assert [holders(one) for one in sockets(snapshot)] == [[("nginx", 7)], [("evil", 8)]]
    assert {one.owner_state for one in sockets(snapshot)} == {"known"}


@pytest.mark.parametrize("order", [1, -1])
def test_an_inode_tells_sockets_alike_apart(order: int) -> None:
    rows = [ss_row("0.0.0.0:80", f"p{n}/{n}", f"ino:{900 + n} sk:{n}") for n in (1, 2, 3)]
    bare = [ss_row("0.0.0.0:80", "", f"ino:{900 + n} sk:{n}") for n in (1, 2, 3)][::order]
    snapshot = host("Linux", ss_of(*bare, command="ss -tulne"), ss_of(*rows, command="ss -tulnpe"), uid="0")
    assert subjects(snapshot) == {"tcp/0.0.0.0:80": 3}
    assert sorted(holders(one) for one in sockets(snapshot)) == [[("p1", 1)], [("p2", 2)], [("p3", 3)]]


def test_another_inode_is_another_socket() -> None:
    answers = [ss_of(ss_row("0.0.0.0:80", f"p{n}/{n}", f"ino:{n}"), command=f"ss -tulnpe{'e' * n}") for n in (1, 2)]
    assert subjects(host("Linux", *answers)) == {"tcp/0.0.0.0:80": 2}


def test_the_address_of_a_control_block_prefers_its_own_and_forbids_none() -> None:
    head = "USER     CMD          PID   FD  DEV      INUM        MODE   R/W    SZ|DV\n"
    fstat = head + "".join(f"root  p{n}  {n}  3* internet stream tcp 0xfffffd800000000{n} *:80\n" for n in (1, 2))
    snapshot = host("OpenBSD", bsd_of("tcp *.80 LISTEN"), ("fstat -n", fstat))
    assert holders(the_one(snapshot)) == [("p1", 1), ("p2", 2)]


# Addresses that are cut, or of no known family


WHOLE = ("2001:db8::aaaa:bbbb:1", "2001:db8::aaaa:bbbb:2")
CUT = "2001:db8::aaaa:bbbb"


def cut_rows(*programs: str) -> Told:
    """The address as net-tools cuts it: to what is left of 23 characters beside the port."""
    rows = [(f"{CUT}:443", program) for program in programs]
    return netstat_of(*rows, command="netstat -tlnp")


def test_a_cut_address_is_one_with_the_only_whole_one_that_it_may_be_of() -> None:
    seen = host("Linux", cut_rows("40/sshd"))
    assert the_one(seen).shown.get("address_cut"), "the fixture is to be a cut address"
    for order in (1, -1):
        one = the_one(host("Linux", *[cut_rows("40/sshd"), ss_of(ss_row(f"[{WHOLE[0]}]:443"), command="ss -tuln")][::order]))
        assert (one.address, "address_cut" in one.shown, holders(one)) == (WHOLE[0], False, [("sshd", 40)])


@pytest.mark.parametrize("order", [1, -1])
def test_a_cut_address_that_may_be_of_two_is_of_neither(order: int) -> None:
    whole = ss_of(*(ss_row(f"[{address}]:443", "") for address in WHOLE), command="ss -tuln")
    found = sockets(host("Linux", *[cut_rows("40/sshd"), whole][::order]))
    assert {one.address: holders(one) for one in found} == {WHOLE[0]: [], WHOLE[1]: [], CUT: [("sshd", 40)]}


def test_two_cut_rows_alike_are_not_guessed_at() -> None:
    whole = ss_of(ss_row(f"[{WHOLE[0]}]:443", ""), command="ss -tuln")
    found = sockets(host("Linux", cut_rows("40/sshd", "41/evil"), whole))
    assert holders(next(one for one in found if one.address == WHOLE[0])) == []
    assert len(found) == 3


def test_a_cut_address_is_not_one_of_another_zone_port_or_protocol() -> None:
    for other in (ss_row(f"[{WHOLE[0]}]:444"), ss_row(f"[{WHOLE[0]}]:443", protocol="udp"), ss_row("[2001:db9::1]:443")):
        assert len(sockets(host("Linux", cut_rows("40/sshd"), ss_of(other, command="ss -tuln")))) == 2


OLD_SS = "Recv-Q Send-Q      Local Address:Port        Peer Address:Port\n0      128                     *:80                       *:*\n"


def test_a_wildcard_of_no_known_family_is_one_with_the_only_one_there_is_where_another_would_have_been_seen() -> None:
    old: Told = ("ss -tln", "State  " + OLD_SS.replace("0      128", "LISTEN 0      128"))
    assert the_one(host("Linux", old)).shown["family"] == "unknown", "the fixture is to be of no known family"
    both = ss_of(ss_row("0.0.0.0:80"), command="ss -tuln")
    assert subjects(host("Linux", old, both)) == {"tcp/0.0.0.0:80": 1}
    ipv4_alone = ss_of(ss_row("0.0.0.0:80"), command="ss -4tuln")
    assert subjects(host("Linux", old, ipv4_alone)) == {"tcp/0.0.0.0:80": 1, "tcp/*:80": 1}
    two = ss_of(ss_row("0.0.0.0:80"), ss_row("[::]:80"), command="ss -tuln")
    assert subjects(host("Linux", old, two)) == {"tcp/0.0.0.0:80": 1, "tcp/[::]:80": 1, "tcp/*:80": 1}


def test_a_wildcard_of_no_known_family_is_no_address_of_its_own() -> None:
    old: Told = ("ss -tln", "State  " + OLD_SS.replace("0      128", "LISTEN 0      128"))
    assert len(sockets(host("Linux", old, ss_of(ss_row("127.0.0.1:80"), command="ss -tuln")))) == 2


# Holders


def test_a_holder_in_two_answers_is_one_with_the_longer_name() -> None:
    answers = [netstat_of(("0.0.0.0:80", "7/very-long-daemon"), command="netstat -tlnp"), ss_of(ss_row("0.0.0.0:80", "very-long-daemo/7"))]
    for order in (1, -1):
        assert holders(the_one(host("Linux", *answers[::order]))) == [("very-long-daemon", 7)]


def test_a_holder_that_two_answers_name_otherwise_has_no_name_and_is_not_known() -> None:
    answers = [ss_of(ss_row("0.0.0.0:80", f"{name}/7"), command=command)
               for name, command in (("nginx", "ss -tulnp"), ("evil", "ss -tlnp"), ("nginx", "ss -ltnp"))]  # fmt: skip
    one = the_one(host("Linux", *answers, uid="0"))
    assert holders(one) == [(None, 7)]
    assert (one.owner_state, one.owner_reason) == ("partial", "process of process 7 is 'nginx' in one answer and 'evil' in another")


def test_a_line_that_cannot_be_read_may_be_another_holder() -> None:
    whole = sockstat_of("www shopd 7 tcp4 *:80")
    assert the_one(host("FreeBSD", whole, uid="0")).owner_state == "known"
    for row, state in (("root     evil       8     4   tcp4   *:8x", "partial"), ("root     evil       8     4   udp4   *:8x", "known")):
        snapshot = host("FreeBSD", (whole[0], f"{whole[1]}{row}                  *:*\n"), uid="0")
        assert the_one(snapshot).owner_state == state
        assert own(snapshot).listening.gaps


def test_a_socket_that_a_listing_of_holders_has_without_one_is_held_by_no_process() -> None:
    assert the_one(host("FreeBSD", sockstat_of("? ? ? tcp4 *:80"), uid="0")).owner_state == "none"
    assert the_one(host("FreeBSD", sockstat_of("? ? ? tcp4 *:80"))).owner_state == "unreadable"


@pytest.mark.parametrize("command", ["ss -tuln", "netstat -tuln"])
def test_a_listing_that_was_not_asked_for_holders_does_not_say_that_there_are_none(command: str) -> None:
    rows = ss_of(ss_row("0.0.0.0:80"), command=command) if command.startswith("ss") else (command, netstat_of(("0.0.0.0:80", ""))[1])
    assert the_one(host("Linux", (rows[0], rows[1].replace("PID/Program name", "")), uid="0")).owner_state == "unreadable"


def test_a_listing_that_does_not_name_every_holder_does_not_say_that_there_is_none() -> None:
    row = '{"pid":"3","port":"22","protocol":"6","family":"2","address":"0.0.0.0","fd":"3","socket":"1","path":""}'
    query: Told = ("osqueryi --json 'select * from listening_ports'", f"[{row}]\n")
    snapshot = host("Linux", query, ss_of(ss_row("0.0.0.0:2222"), command="ss -tuln"), uid="0")
    assert {one.port: one.owner_state for one in sockets(snapshot)} == {22: "partial", 2222: "unreadable"}


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("sudo -n ss -tulnp", "known"),
        ("sudo -u root ss -tulnp", "known"),
        ("doas -u0 ss -tulnp", "known"),
        ("sudo -u www ss -tulnp", "partial"),
        ("sudo -n -uwww ss -tulnp", "partial"),
    ],
)
def test_what_was_run_as_another_user_is_not_what_root_sees(command: str, state: str) -> None:
    assert the_one(host("Linux", (command, ss_of(ss_row("0.0.0.0:80", "nginx/7"))[1]), uid="0")).owner_state == state


# What was asked, and what came of it


@pytest.mark.parametrize(
    ("command", "unknown"),
    [
        ("ss -tulnp", []),
        ("ss -tlnp", ["udp"]),
        ("ss -ulnp", ["tcp"]),
        ("ss -4tulnp", ["ipv6"]),
        ("ss -tlnp4", ["tcp ipv6", "udp"]),
        ("sudo /usr/bin/ss -tulnp 2>/dev/null", []),
        ("ss -tulnp | cat", []),
        ("ss -tulnp | tee ss.txt", []),
        ("ss -tulnp | grep LISTEN", [""]),
        ("ss -tulnp | sort | head -20", [""]),
        ("ss -tulnp; ss -tulnp", [""]),
        ("ss -tulnp sport = :80", [""]),
        ("ss -tunp", [""]),
    ],
)
def test_only_what_was_asked_for_and_not_filtered_is_known(command: str, unknown: list[str]) -> None:
    assert open_questions(own(host("Linux", (command, SS_HEAD))).listening) == unknown


def test_a_filter_is_named_and_costs_only_its_own_answer() -> None:
    filtered = ("ss -tulnp | grep 80", ss_row("0.0.0.0:80", "nginx/7"))
    assert "its output was filtered, by grep 80" in whys(own(host("Linux", filtered)).listening)
    snapshot = host("Linux", filtered, ss_of(ss_row("0.0.0.0:80", "nginx/7"), command="ss -tlnp"), uid="0")
    assert open_questions(own(snapshot).listening) == ["udp"]
    assert the_one(snapshot).owner_state == "known"


def test_rows_of_a_family_that_was_not_asked_for_say_that_another_command_was_run() -> None:
    snapshot = host("Linux", ss_of(ss_row("[2001:db8::1]:80"), command="ss -4tulnp"))
    assert "which its command line does not ask for" in whys(own(snapshot).listening)
    assert open_questions(own(snapshot).listening) == ["ipv4", "ipv6"]


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("root@fw2:~# ss -tulnp\n", ""),
        ("$ sudo ss -p -l -n -t -u\n", ""),
        ("root@fw2:~# ss -tulnp | grep -v 23\n", "its text shows another command: ss -tulnp | grep -v 23"),
        ("root@fw2:~# ss -4tulnp\n", "its text shows another command: ss -4tulnp"),
        ("root@fw2:~# ss -tulnp\n" + SS_HEAD + "root@fw3:~# ss -tulnp\n", "the prompts of two hosts"),
    ],
)
def test_a_prompt_in_the_text_is_believed_before_the_label(before: str, why: str) -> None:
    snapshot = host("Linux", ("ss -tulnp", before + SS_HEAD + ss_row("0.0.0.0:80", "nginx/7")), uid="0")
    assert subjects(snapshot) == {"tcp/0.0.0.0:80": 1}
    assert why in whys(own(snapshot).listening)
    assert bool(own(snapshot).listening.gaps) is bool(why)


@pytest.mark.parametrize(("system", "command"), [("Linux", "ss -Htulnp"), ("FreeBSD", "sockstat -46lq"), ("FreeBSD", "netstat -an")])
@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_not_an_empty_host(system: str, command: str, text: str) -> None:
    assert open_questions(own(host(system, (command, text))).listening) == [""]
    assert own(bundled(system, Answer("saved", command, b"", "0"))).listening.gaps == ()


@pytest.mark.parametrize("status", ["1", "signal 13", "timeout 10", "cut 4096", "absent", "127", ""])
def test_an_answer_that_failed_keeps_its_rows_and_covers_nothing(status: str) -> None:
    command, text = ss_of(ss_row("0.0.0.0:80", "nginx/7"))
    snapshot = bundled("Linux", Answer("saved", command, text.encode(), status or "2", stderr=b"ss: went wrong\n"), uid="0")
    assert subjects(snapshot) == {"tcp/0.0.0.0:80": 1}
    assert open_questions(own(snapshot).listening) == [""]
    assert the_one(snapshot).owner_state == "partial"
    assert "went wrong" in snapshot.visibility["not_read"][0]


def test_a_last_line_that_was_cut_is_not_read_and_leaves_a_gap() -> None:
    command, text = ss_of(ss_row("0.0.0.0:80", "nginx/7"), ss_row("0.0.0.0:8080", "nginx/7"))
    cut = text[: text.rindex(":8080") + 3].encode()
    snapshot = bundled("Linux", Answer("saved", command, cut, "0"))
    assert subjects(snapshot) == {"tcp/0.0.0.0:80": 1}, "a port that is cut may look like another one"
    assert open_questions(own(snapshot).listening) == [""]


def test_a_command_that_no_parser_knows_is_told() -> None:
    snapshot = host("Linux", ss_of(), ("rockstat -l", "tcp 80\n"), ("ssh fw2 ss -tulnp", SS_HEAD), ("sh -c 'ss -tulnp'", SS_HEAD))
    assert snapshot.visibility["not_read"] == [
        f"{command}: no parser knows this command" for command in ("rockstat -l", "ssh fw2 ss -tulnp", "sh -c 'ss -tulnp'")
    ]
    missing = bundled("Linux", Answer("saved", "rockstat -l", b"", "absent"))
    assert missing.visibility["not_read"] == ["rockstat -l: the host does not have it"]


@pytest.mark.parametrize(
    ("system", "command", "stack", "kind"),
    [
        ("FreeBSD", "jexec web netstat -an", "jail:web", "vnet"),
        ("SunOS", "zlogin web netstat -an", "zone:web", "zone"),
        ("OpenBSD", "route -T 3 exec netstat -an", "rdomain:3", "rdomain"),
        ("Linux", "ip netns exec web netstat -tln", "web", "netns"),
        ("Linux", "docker exec web netstat -tln", "container:web", "netns"),
    ],
)
@pytest.mark.parametrize("label", [None, "host"])
def test_a_command_that_was_run_elsewhere_speaks_of_there_whatever_the_label_of_where_it_was_typed(
    system: str, command: str, stack: str, kind: str, label: str | None
) -> None:
    snapshot = host(system, (command, BSD_HEAD), stack=label)
    assert [(one.name, one.kind) for one in snapshot.stacks.seen] == [(stack, kind)]


@pytest.mark.parametrize(("system", "kind"), [("FreeBSD", "vnet"), ("OpenBSD", "rdomain"), ("Linux", "netns"), ("NetBSD", "netns")])
def test_a_label_names_a_stack_of_the_systems_kind(system: str, kind: str) -> None:
    snapshot = host(system, ("netstat -an", BSD_HEAD), stack="blue %{bold}\x1b[31m\u202e")
    assert [(one.name, one.kind) for one in snapshot.stacks.seen] == [("blue %{bold}\x1b[31m\u202e", kind)]
    assert "host's own network stack" in whys(snapshot.stacks)


def test_a_label_that_says_host_is_the_hosts_and_one_that_only_looks_like_it_is_not() -> None:
    assert [one.kind for one in host("Linux", ss_of(), stack="host").stacks.seen] == ["host"]
    for label in ("Host", "host ", "h\u043est"):
        assert [one.kind for one in host("Linux", ss_of(), stack=label).stacks.seen] == ["netns"]


# Hostile hosts


@pytest.mark.parametrize("port", ["65536", "0080", "\uff18\uff10", "80\u200b", "+80", "99999999999999999999", "8_0", "80%", ""])
def test_a_port_that_is_none_is_a_gap_and_not_another_port(port: str) -> None:
    for system, told in (
        ("Linux", ss_of(ss_row(f"0.0.0.0:{port}", "x/7"))),
        ("FreeBSD", sockstat_of(f"root x 7 tcp4 *:{port}")),
        ("FreeBSD", bsd_of(f"tcp4 *.{port} LISTEN")),
    ):
        snapshot = host(system, told, uid="0")
        assert [one.port for one in sockets(snapshot) if one.port != 80 or port != "0080"] == []
        assert own(snapshot).listening.gaps or port == "0080"


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "\u202egnp.exe", '"),("sshd",pid=1,fd=3', "<script>", "{{7*7}}", "%s%n", "a b", "\ufffd"])
def test_a_name_that_a_process_gave_itself_stays_a_name(name: str) -> None:
    snapshot = host(
        "FreeBSD", ("sockstat -46l", SOCKSTAT_HEAD + f"www      {name:10} 7     4   tcp4   *:80                  *:*\n"), uid="0"
    )
    assert {one.pid for found in sockets(snapshot) for one in found.shown.get("owners_seen", [])} <= {7}
    for format_ in ("text", "html"):
        written = rendered(format_, report(*judged(snapshot), of=snapshot))
        assert "\x1b" not in written
        assert "\u202e" not in written
        assert format_ == "text" or written.count("<script>") == 1, "the page has one of its own"


@pytest.mark.parametrize("name", ["x 9 5 tcp4", "9 5 tcp4", "-- *:22 --"])
def test_a_name_that_imitates_a_row_is_not_one(name: str) -> None:
    rows = SOCKSTAT_HEAD + f"www      {name:10} 7     4   tcp4   *:80                  *:*\n"
    one = the_one(host("FreeBSD", ("sockstat -46l", rows), uid="0"))
    assert (one.numbered_subject, holders(one)) == ("tcp/0.0.0.0:80", [(name, 7)])


HOSTILE = st.text(st.sampled_from("*:.%[]\x1b\u202e\u0661 0189abtcpLISTENuser\n\t?"), max_size=40)


@given(rows=st.lists(HOSTILE, max_size=6), status=st.sampled_from(["0", "unknown", "1"]))
def test_no_text_makes_a_listing_known_that_has_a_line_nobody_can_read(rows: list[str], status: str) -> None:
    good = sockstat_of("www shopd 7 tcp4 *:80")
    text = good[1] + "".join(f"{row}\n" for row in rows)
    snapshot = bundled("FreeBSD", Answer("saved", good[0], text.encode(), status), uid="0")
    reading = sockstat.parse(Output(Command(good[0]), text))
    assert "tcp/0.0.0.0:80" in subjects(snapshot)
    if reading.gaps or status == "1":
        assert own(snapshot).listening.gaps
        assert not any(one.owner_state == "known" for one in sockets(snapshot) if not any(g.protocol for g in reading.gaps))


def many(command: str, rows: list[str]) -> Reading:
    return ss.parse(Output(Command(command), SS_HEAD + "".join(rows)))


@pytest.mark.parametrize(
    "row",
    [
        lambda n: ss_row(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}:80", f"x/{n}"),
        lambda n: ss_row("0.0.0.0:80", f"x/{n}"),
        lambda n: ss_row("0.0.0.0:80", f"x/{n}", f"ino:{n + 1}"),
        lambda n: ss_row(f"0.0.0.0:{n + 1}", f"x/{n}"),
    ],
    ids=["addresses", "alike", "inodes", "ports"],
)
def test_merging_looks_at_each_row_a_few_times_however_many_there_are(row: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from auditor.collectors import _saved_merged

    looks = 0
    same_as = _saved_merged.Merged.same_as

    def counting(self: object, *words: object) -> bool:
        nonlocal looks
        looks += 1
        return same_as(self, *words)  # type: ignore[arg-type]

    copied = 0
    copy = _saved_merged.Alike.copy

    def counting_copy(self: _saved_merged.Alike) -> _saved_merged.Alike:
        nonlocal copied
        copied += len(self.by_identity) + len(self.others)
        return copy(self)

    monkeypatch.setattr(_saved_merged.Merged, "same_as", counting)
    monkeypatch.setattr(_saved_merged.Alike, "copy", counting_copy)
    lines = [row(n) for n in range(2000)]  # type: ignore[operator]
    heard = Heard("host", "host")
    for command, order in (("ss -tulnp", 1), ("ss -tulnpe", 1), ("ss -utlnp", -1)):
        heard.listings.append(Listing(many(command, lines[::order]), Command(command)))
    merged = Sockets(heard, frozenset({"ss"}), frozenset(), lambda name, protocol: ())
    assert len(merged.found) == 2000
    assert looks + copied < 10 * 2000


@pytest.mark.parametrize("through", [" > out", " >> out", " &", " | cat /dev/null", " | tee -p x y", "; true", " | tee >(wc)"])
def test_what_went_elsewhere_is_not_taken_for_all(through: str) -> None:
    snapshot = host("Linux", ("ss -Htulnp" + through, ss_row("0.0.0.0:80", "nginx/7")), uid="0")
    assert open_questions(own(snapshot).listening) == [""]


@pytest.mark.parametrize("through", ["", " | cat", " | tee out.txt", " | tee -a out.txt", " 2>/dev/null"])
def test_what_only_passed_through_is_all(through: str) -> None:
    snapshot = host("Linux", ("ss -tulnp" + through, SS_HEAD + ss_row("0.0.0.0:80", "nginx/7")), uid="0")
    assert not own(snapshot).listening.gaps


LOOPBACK_ALONE = "lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\n"


@pytest.mark.parametrize(("head", "reaches"), [({}, "unknown"), ({"collector": "freebsd 1"}, "loopback")])
def test_a_paste_that_ends_after_loopback_says_nothing_of_how_far_a_wildcard_reaches(head: dict[str, str], reaches: str) -> None:
    listing = "\n".join(line for line in FREEBSD.texts["sockstat -46l"].split("\n") if "198.51.100.7" not in line)
    snapshot = host("FreeBSD", ("sockstat -46l", listing), ("ifconfig -a", LOOPBACK_ALONE), uid="0", **head)
    assert {one.reach for one in own(snapshot).listening.seen} == {reaches}


def test_an_address_that_a_socket_is_bound_to_is_one_that_a_wildcard_reaches() -> None:
    rows = ss_row("0.0.0.0:80", "nginx/7") + ss_row("9.9.9.9:81", "nginx/7")
    snapshot = host("Linux", ("ss -tulnp", SS_HEAD + rows), ("ifconfig -a", LOOPBACK_ALONE), uid="0")
    assert {one.port: one.reach for one in own(snapshot).listening.seen} == {80: "public", 81: "public"}


def test_a_wildcard_reaches_what_its_stack_has_of_its_own_family() -> None:
    rows = ss_row("0.0.0.0:80", "nginx/7") + ss_row("[::]:81", "nginx/7") + ss_row("*:82", "nginx/7") + ss_row("[ff02::fb]:83", "nginx/7")
    addresses = LOOPBACK_ALONE + "eth0: flags=8843<UP> mtu 1500\n\tinet 9.9.9.9 netmask 0xffffff00\n\tinet6 fe80::1%eth0 prefixlen 64\n"
    snapshot = host("Linux", ("ss -tulnp", SS_HEAD + rows), ("ifconfig -a", addresses), uid="0")
    assert {one.port: one.reach for one in own(snapshot).listening.seen} == {80: "public", 81: "link", 82: "public", 83: "link"}
