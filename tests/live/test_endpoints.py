"""Packet, raw and Unix sockets of made hosts: who holds them, who may use them, and that no name forges one."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from auditor.binding import Endpoint
from auditor.evidence import load
from tests.hosts import NEEDED, NOBODY, WEB, Host, as_if_initial, host, interpreted, stack

pytestmark = NEEDED
OPENS = """
import json, os, socket, sys
held = []
for family, kind, protocol, name in json.loads(sys.argv[1]):
    one = socket.socket(family, kind, protocol)
    if name is not None:
        one.bind(name.encode("latin-1") if isinstance(name, str) else tuple(name))
    if kind != 2 and family == 1:
        one.listen()
    held.append(one)
{then}
print(os.getpid(), flush=True)
sys.stdin.read()
"""
CHAIN = """
import os
deep = "/a" * 1800
at = os.open("/run/open", os.O_RDONLY)
for _ in range(1800):
    os.mkdir("a", dir_fd=at)
    at = os.open("a", os.O_RDONLY, dir_fd=at)
for number in range(38):
    os.symlink(f"/run/open/l{number + 1}" if number < 37 else "/run/open", f"x{number}", dir_fd=at)
    os.symlink(f"/run/open{deep}/x{number}", f"/run/open/l{number}")
"""
"""Links at the ends of a deep folder that lead from one to the next: nineteen pairs, as many as the kernel follows."""
UNIX, PACKET, INET, INET6 = 1, 17, 2, 10
STREAM, DGRAM, RAW, SEQPACKET = 1, 2, 3, 5
EVERY = 0x0300
"""ETH_P_ALL in the network's byte order."""
Wanted = tuple[int, int, int, object]


@contextmanager
def holding(
    made: Host, *sockets: Wanted, user: int | None = None, before: Sequence[str] = (), then: str = "", cwd: str = "/"
) -> Iterator[int]:  # fmt: skip
    """A process inside that holds these sockets of a family, a kind, a protocol and an address; its id. `then` is what it does after."""
    words = ("env", f"--chdir={cwd}", made.interpreter, "-S", "-c", OPENS.replace("{then}", then), json.dumps(sockets))
    command = made.argv(*before, *words, user=user)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=made.environment)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.communicate("")


def unix(name: str, kind: int = STREAM) -> Wanted:
    return UNIX, kind, 0, name


@pytest.fixture
def made() -> Iterator[Host]:
    with host() as one:
        one.run("mkdir", "-m", "755", "-p", "/run/open", "/srv", check=True)
        yield one


def seen(made: Host, name: str = "host", user: int | None = None, prefix: Sequence[str] = ()) -> dict[str, Endpoint]:
    """The endpoints of a stack by the finding's subject."""
    return told(made.collect(user=user, prefix=prefix), name)


def told(bundle: bytes, name: str = "host", gaps: int = 0) -> dict[str, Endpoint]:
    facts = stack(interpreted(as_if_initial(bundle)), name).endpoints
    assert len(facts.gaps) == gaps, [gap.why for gap in facts.gaps]
    return {str(one): one for one in facts.seen}


def pids(one: Endpoint) -> list[int]:
    return sorted(owner.pid for owner in one.shown.get("owners_seen", []))


def test_packet_and_raw_sockets_are_seen_with_their_interface_protocol_and_holder(made: Host) -> None:
    sockets: list[Wanted] = [
        (PACKET, RAW, EVERY, None), (PACKET, DGRAM, 0, ["lo", 0x0806]), (PACKET, RAW, 0, None), (INET, RAW, 1, ["127.0.0.1", 0]),
        (INET6, RAW, 58, None), (INET, RAW, 255, None), (INET, RAW, 253, None), (INET, DGRAM, 0, None),
    ]  # fmt: skip
    with holding(made, *sockets) as pid:
        found = seen(made)
        by = f"by {found.popitem()[1].owners_seen[0].executable}"
        found = seen(made)
        assert sorted(found) == sorted([
            f"packet every interface (every protocol) {by}", f"packet lo (ARP) {by}",
            f"packet every interface (nothing, to send alone) {by}",
            f"raw ipv4 icmp {by}", f"raw ipv6 icmpv6 {by}", f"raw ipv4 nothing, to send alone {by}", f"raw ipv4 protocol 253 {by}",
        ])  # fmt: skip
        assert {(tuple(pids(one)), one.owner_state, one.uid) for one in found.values()} == {((pid,), "known", 0)}
        assert found[f"raw ipv4 icmp {by}"].address == "127.0.0.1"
        assert found[f"packet lo (ARP) {by}"].device == "lo"
    assert seen(made) == {}


def test_a_ping_socket_is_no_raw_socket(made: Host) -> None:
    made.sysctl("net.ipv4.ping_group_range", "0 0")
    with holding(made, (INET, DGRAM, 1, None)):
        assert seen(made) == {}


def test_unix_sockets_are_seen_with_who_may_use_them(made: Host) -> None:
    sockets = (
        unix("/run/open/stream"), unix("/run/open/dgram", DGRAM), unix("/run/open/seq", SEQPACKET), unix("\0name"),
        unix("\0a\0b\n\x1b[2J", DGRAM), unix("", DGRAM),
    )  # fmt: skip
    made.run("ln", "-s", "/run/open", "/srv/link", check=True)
    then = "os.chmod('/run/open/stream', 0o666); held[2].close(); os.unlink('/run/open/seq')"
    with holding(made, *sockets, unix("/srv/link/by-link"), user=None, then=then) as pid:
        found = {one.path: one for one in seen(made).values()}
        kernel_given = next(path for path in found if path and len(path) == 6)
        assert set(found) == {"/run/open/stream", "/run/open/dgram", "@name", "@a\0b\n\x1b[2J", "/srv/link/by-link", kernel_given}
        assert {one.protocol for one in found.values() if one.abstract} == {"stream", "dgram"}
        stream, dgram, link = (found[path] for path in ("/run/open/stream", "/run/open/dgram", "/srv/link/by-link"))
        assert stream.file
        assert link.file
        assert (stream.file.mode, stream.file.uid, stream.open_to_all) == ("0666", 0, True)
        assert (dgram.protocol, dgram.open_to_all) == ("dgram", False)
        assert [folder.path for folder in link.file.folders] == ["/run/open", "/run", "/"]
        assert link.file.path == "/run/open/by-link"
        assert {tuple(pids(one)) for one in found.values()} == {(pid,)}


def test_an_ordinary_user_sees_the_same_but_for_who_holds_them(made: Host) -> None:
    made.run("mkdir", "-m", "700", "/run/closed", check=True)
    sockets: tuple[Wanted, ...] = (
        (PACKET, RAW, EVERY, None), (INET, RAW, 1, None), unix("/run/open/x"), unix("/run/closed/x"), unix("\0name"),
    )  # fmt: skip
    with holding(made, *sockets, then="os.chmod('/run/open/x', 0o777)") as pid, holding(made, unix("\0mine"), user=NOBODY) as own:
        bundle = made.collect(user=NOBODY)
        assert {str(one).partition(" by ")[0] for one in seen(made).values()} == {
            str(one).partition(" by ")[0] for one in told(bundle).values()
        }
        found = {one.shown.get("path", one.kind): one for one in told(bundle).values()}
        assert (pids(found["@mine"]), found["@mine"].owner_state) == ([own], "partial")
        assert {(tuple(pids(one)), one.owner_state) for name, one in found.items() if name != "@mine"} == {((), "unreadable")}
        assert found["/run/open/x"].open_to_all
        assert not found["/run/closed/x"].open_to_all
        assert pid not in pids(found["packet"])


def test_no_name_forges_a_socket(made: Host) -> None:
    forged = "x\n00000000ff1b6ea6: 00000002 00000000 00010000 0001 01   572 forged"
    with holding(made, unix("\0" + forged), unix(forged, DGRAM), cwd="/run/open"):
        lines = made.run("cat", "/proc/net/unix", check=True).out.decode().split("\n")
        assert [line.split()[-1] for line in lines if line.startswith("00000000ff1b6ea6")] == ["forged"] * 2, "this kernel escapes them"
        found = seen(made)
        assert sorted(one.path or "" for one in found.values()) == sorted(["@" + forged, forged])


def test_a_path_that_is_gone_or_anothers_lets_nobody_in(made: Host) -> None:
    gone = "os.unlink('/run/open/gone'); os.rename('/run/open/replaced', '/run/open/elsewhere')"
    with (
        holding(made, unix("/run/open/gone"), unix("/run/open/replaced"), then=gone) as first,
        holding(made, unix("/run/open/replaced"), user=None) as second,
    ):
        facts = stack(interpreted(as_if_initial(made.collect())), "host").endpoints.seen
        assert {(one.path, tuple(pids(one)), one.file is None) for one in facts} == {
            ("/run/open/gone", (first,), True), ("/run/open/replaced", (first,), True), ("/run/open/replaced", (second,), False),
        }  # fmt: skip


def test_a_path_of_another_mount_namespace_is_not_judged_by_what_lies_here(made: Host) -> None:
    over = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /srv && exec "$@"', "-")
    with holding(made, unix("/srv/x"), before=over, then="os.chmod('/srv/x', 0o777)"):
        (one,) = seen(made).values()
        assert (one.path, one.file) == ("/srv/x", None)
        made.run("touch", "/srv/x", check=True)
        (one,) = seen(made).values()
        assert (one.path, one.file) == ("/srv/x", None)


def test_a_file_of_the_same_number_on_another_file_system_is_another_file(made: Host) -> None:
    over = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /srv && exec "$@"', "-")
    tell = "open('/run/open/%s', 'w').write(str(os.stat('/srv/x').st_ino))"
    with holding(made, unix("/srv/x"), before=over, then=tell % "there") as first:
        made.run("mount", "-t", "tmpfs", "none", "/srv", check=True)
        with holding(made, unix("/srv/x"), then=tell % "here") as second:
            numbers = {made.run("cat", f"/run/open/{name}", check=True).out for name in ("there", "here")}
            assert len(numbers) == 1, "this kernel numbers them otherwise"
            facts = stack(interpreted(as_if_initial(made.collect())), "host").endpoints.seen
            assert {(tuple(pids(one)), one.file is None) for one in facts} == {((first,), True), ((second,), False)}


def test_sockets_that_take_nobody_are_left_out(made: Host) -> None:
    sockets = (unix("/run/open/taken", DGRAM), unix("/run/open/a", DGRAM), unix("/run/open/b"))
    bound_alone = "one = socket.socket(1); one.bind('/run/open/bound'); held.append(one); held[1].connect('/run/open/taken')"
    client = "one = socket.socket(1); one.bind('/run/open/client'); one.connect('/run/open/b'); held += [one, held[2].accept()]"
    with holding(made, *sockets, then=f"{bound_alone}; {client}"):
        assert sorted(seen(made)) == ["unix /run/open/b", "unix /run/open/taken"]


def test_a_run_with_other_mounts_than_process_1_does_not_say_that_a_socket_is_not_there(made: Host) -> None:
    over = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run/open && exec "$@"', "-")
    with holding(made, unix("/run/open/x")):
        (one,) = seen(made, prefix=over).values()
        assert "file" not in one.shown


def test_a_relative_path_is_found_where_its_process_is(made: Host) -> None:
    with holding(made, unix("private"), unix("left"), cwd="/run/open") as pid:
        found = seen(made)
        assert sorted(found) == ["unix /run/open/left", "unix /run/open/private"]
        assert pids(found["unix /run/open/private"]) == [pid]
        unseen = seen(made, user=NOBODY)
        assert sorted(unseen) == ["unix ./left", "unix ./private"]
        assert "file" not in unseen["unix ./left"].shown


def test_those_of_another_network_namespace_are_in_its_stack(made: Host) -> None:
    apart = ("unshare", "--net")
    with holding(made, (PACKET, RAW, EVERY, None), unix("\0apart"), unix("/run/open/x"), before=apart) as pid:
        (name,) = [one.name for one in interpreted(made.collect()).stacks.seen if one.kind == "netns"]
        assert seen(made) == {}
        assert {one.kind: pids(one) for one in seen(made, name).values()} == {"packet": [pid], "unix": [pid]}
        bundle = made.collect(user=NOBODY)
        (name,) = [one.name for one in interpreted(bundle).stacks.seen if one.kind == "netns"]
        assert [str(one) for one in told(bundle, name, gaps=1).values()] == ["packet every interface (every protocol) by nobody in view"]
        (gap,) = stack(interpreted(bundle), name).endpoints.gaps
        assert "could not be entered" in gap.why


def test_where_sock_diag_is_refused_unix_sockets_are_unknown_and_not_guessed(made: Host) -> None:
    refused = (made.python, "-S", f"{made.stage}/checkout/tests/inhabitants.py", "without-netlink")
    with holding(made, unix("/run/open/x"), (INET, RAW, 1, None)):
        bundle = made.collect(prefix=refused)
        (one,) = told(bundle, gaps=1).values()
        assert one.kind == "raw"
        (gap,) = stack(interpreted(bundle), "host").endpoints.gaps
        assert "/proc/net/unix is not believed" in gap.why


def test_looking_for_files_ends_in_time_and_what_was_not_looked_for_is_a_gap(made: Host) -> None:
    with holding(made, unix("/run/open/x"), unix("near"), unix("\0name"), cwd="/run/open"):
        code = "from auditor.live import endpoints; print(endpoints.here('netns:1', {}).answers[-1].to_bytes().decode())"
        late, early = (made.run(made.interpreter, "-c", code.format(n), check=True).out.decode() for n in (6.0, 0.0))
    assert "2 Unix sockets were not looked for" in late
    assert late.rstrip().endswith("? 1")
    (row,) = [line for line in late.split("\n") if "/run/open/x" in line]
    assert row.endswith("\t\t\t"), "file, folders and at are not shown"
    assert early.rstrip().endswith("? 0")
    assert "0755:0:0" in early


def test_a_chain_of_links_through_deep_folders_does_not_hold_up_the_audit(made: Host) -> None:
    made.run(made.interpreter, "-S", "-c", CHAIN, check=True)
    open_them = """
for number in range(40):
    one = socket.socket(1)
    one.bind(f'/run/open/l19/{number}')
    one.listen()
    held.append(one)
"""
    with holding(made, then=open_them):
        began = time.monotonic()
        bundle = made.collect("--only", "endpoints")
        took = time.monotonic() - began
    facts = stack(interpreted(as_if_initial(bundle)), "host").endpoints
    assert len(facts.seen) == 40
    assert took < 12
    assert all(one.shown.get("file", ...) is not None for one in facts.seen), "none is said to be gone"


def test_they_are_asked_about_only_in_their_part(made: Host) -> None:
    with holding(made, unix("/run/open/x"), (INET, RAW, 1, None), user=None):
        only_ports = made.collect("--only", "ports")
        assert not [answer for answer in load(only_ports).answers if answer.probe == "endpoints"]
        assert "endpoints" not in stack(interpreted(only_ports), "host").shown
        alone = told(made.collect("--only", "endpoints"))
        assert sorted(alone) == sorted(seen(made))
        assert {one.owner_state for one in alone.values()} == {"known"}


def test_ten_thousand_listeners_are_seen_in_seconds(made: Host) -> None:
    then = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (11000, 11000))
for number in range(10000):
    one = socket.socket(1)
    one.bind(f'/run/open/{number}')
    one.listen()
    held.append(one)
"""
    with holding(made, then=then, user=None) as pid:
        began = time.monotonic()
        bundle = made.collect("--only", "endpoints")
        took = time.monotonic() - began
        found = told(bundle)
        print(f"{took:.2f} s to collect, {time.monotonic() - began:.2f} s with reading it")
        assert len(found) == 10000
        assert {(tuple(pids(one)), one.file is not None) for one in found.values()} == {((pid,), True)}
        assert took < 15


def test_a_users_own_folder_keeps_others_out(made: Host) -> None:
    made.run("install", "-d", "-o", str(WEB), "-m", "711", "/run/open/web", check=True)
    with holding(made, unix("/run/open/web/x"), user=WEB, then="os.chmod('/run/open/web/x', 0o660)"):
        (one,) = seen(made).values()
        assert (one.uid, one.open_to_all, one.open_to_others) == (WEB, False, True)
    made.run("chmod", "700", "/run/open/web", check=True)
    made.run("rm", "/run/open/web/x", check=True)
    with holding(made, unix("/run/open/web/x"), user=WEB, then="os.chmod('/run/open/web/x', 0o777)"):
        (one,) = seen(made).values()
        assert (one.open_to_all, one.open_to_others) == (False, False)
