"""Linux: what is made of the kernel's tables of packet and raw sockets, and of what sock_diag tells of Unix sockets."""

from __future__ import annotations

import json

import pytest

from auditor.binding import Endpoint
from auditor.evidence import Answer
from auditor.facts import Facts, Malformed, UnknownFact
from auditor.live import rows
from auditor.live.endpoints import COLUMNS
from auditor.model import Snapshot
from tests.bundles import AGENT, INIT, NO_RIGHTS, SSHD, Host, Net, bundle, container, host, interpreted, port, rich, stack_of
from tests.made_endpoints import HEADERS, Packet, Raw, Unix


def seen(of: Host | Snapshot, name: str = "host") -> list[Endpoint]:
    facts = stack_of(of, name).endpoints
    assert not facts.gaps, [gap.why for gap in facts.gaps]
    return list(facts.seen)


def with_answer(command: str, stdout: bytes | None, status: str = "0", of: Host | None = None, stderr: bytes = b"") -> Facts[Endpoint]:
    """The endpoints of a host one of whose answers is another one; stdout None: is not there."""
    of = of or host(endpoints=(Packet((SSHD,)), Raw((SSHD,)), Unix("@x", (SSHD,))))
    answers = []
    for answer in of.answers():
        if not answer.command.endswith(command):
            answers.append(answer)
        elif stdout is not None:
            answers.append(Answer(answer.probe, answer.command, stdout, status, stderr=stderr, stack=answer.stack))
    return stack_of(interpreted(bundle(answers, of.head()))).endpoints


def table(name: str, *lines: str) -> bytes:
    return "\n".join([HEADERS[name], *lines, f"end\t{len(lines)}\n"]).encode()


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (Packet((SSHD,)), "packet every interface (every protocol) by /usr/sbin/sshd"),
        (Packet((SSHD,), 0x88CC, 2), "packet eth0 (LLDP) by /usr/sbin/sshd"),
        (Packet((), 0x88B5, 1), "packet lo (EtherType 0x88b5) by nobody in view"),
        (Packet((SSHD,), 0, 77), "packet an interface that is not shown (nothing, to send alone) by /usr/sbin/sshd"),
        (Packet((SSHD,), 3, -1), "packet an interface that is not shown (every protocol) by /usr/sbin/sshd"),
        (Raw((SSHD, AGENT), 89), "raw ipv4 ospf by /usr/sbin/agent, /usr/sbin/sshd"),
        (Raw((SSHD,), 200, "::1"), "raw ipv6 protocol 200 by /usr/sbin/sshd"),
        (Unix("/run/x", (SSHD,)), "unix /run/x"),
        (Unix("@x", (SSHD,)), "unix @x"),
        (Unix("@0001f", (SSHD,)), "unix @0001f"),
        (Unix("@0002f", (SSHD,), "dgram"), "unix @0002f"),
        (Unix("@00a1", (SSHD,)), "unix @00a1"),
        (Unix("@x", (SSHD,), folders=None), "unix @x"),
    ],
)
def test_an_endpoint_is_called_so_that_it_outlives_a_restart(one: Packet | Raw | Unix, name: str) -> None:
    (found,) = seen(host(endpoints=(one,)))
    if isinstance(one, Unix) and one.name in ("@0001f", "@0002f"):
        name = "unix @ and what the kernel chose by /usr/sbin/sshd"
    assert str(found) == name


def test_a_path_that_is_relative_is_called_by_where_it_is_and_never_like_another_one() -> None:
    at, unknown, like_abstract = Unix("x", at="/srv/x"), Unix("y", folders=None), Unix("@z", folders=None)
    found = seen(host(endpoints=(at, unknown)))
    assert [one.subject for one in found] == ["/srv/x", "./y"]
    with pytest.raises(UnknownFact):
        _ = found[1].file
    path = Endpoint(kind="unix", path=like_abstract.name, abstract=False)
    assert (path.subject, Endpoint(kind="unix", path="@z", abstract=True).subject) == ("./@z", "@z")


def test_devices_and_addresses_are_shown_as_far_as_the_kernel_tells() -> None:
    every, gone, raw = seen(host(endpoints=(Packet(uid=7), Packet(ifindex=9), Raw(address="10.0.0.5", uid=5))))
    assert (every.device, every.uid, every.source, "device" in gone.shown) == (None, 7, "/proc/net/packet", False)
    assert (raw.address, raw.family, raw.protocol, raw.uid, raw.source) == ("10.0.0.5", "ipv4", "icmp", 5, "/proc/net/raw")


def test_a_big_endian_hosts_addresses_are_read_as_they_are() -> None:
    of = host(endpoints=(Raw(address="10.0.0.5"),))
    found = stack_of(interpreted(bundle(of.answers(), {**of.head(), "byteorder": "big"}))).endpoints.seen
    assert [one.address for one in found] == ["5.0.0.10"]


def test_who_may_use_a_socket_hangs_on_its_file_and_on_each_folder_above() -> None:
    def open_to(file: str | None, *folders: tuple[str, str]) -> tuple[bool, bool]:
        (one,) = seen(host(endpoints=(Unix("/run/a/x", file=file, folders=folders),)))
        return one.open_to_all, one.open_to_others

    assert open_to("0777:0:0") == (True, True)
    assert open_to("0660:0:0") == (False, True)
    assert open_to("0600:0:0") == (False, False)
    assert open_to("0755:0:0") == (False, False)
    assert open_to("0666:0:0", ("/run/a", "0750:0:33")) == (False, True)
    assert open_to("0666:0:0", ("/run", "0700:0:33")) == (False, False)
    assert open_to(None) == (False, False)
    assert open_to("", ("/run/a", "0700:5:5")) == (False, False)
    assert open_to("0600:0:0", ("/run/a", "?")) == (False, False)
    for file, folders in (("", ()), ("0777:0:0", (("/run/a", "?"),))):
        with pytest.raises(UnknownFact) as unknown:
            open_to(file, *folders)
        assert unknown.value.fact == "endpoints"


def test_its_holders_are_known_only_where_every_process_was_looked_at() -> None:
    (known,) = seen(host(endpoints=(Unix("/run/x", (SSHD,)),)))
    (partly,) = seen(host(endpoints=(Unix("/run/x", (SSHD,)),), rights=NO_RIGHTS, unreadable=(1,)))
    (none,) = seen(host(endpoints=(Unix("/run/x"),)))
    assert [one.owner_state for one in (known, partly, none)] == ["known", "partial", "none"]
    assert [owner.pid for owner in known.owners] == [SSHD.pid]
    with pytest.raises(UnknownFact):
        list(none.owners)


UNITS = (
    ("dbus.socket", "ListenStream", "/var/run//dbus/bus"), ("log.socket", "ListenDatagram", "%t/log"), ("web.socket", "ListenStream", "80"),
    ("seq.socket", "ListenSequentialPacket", "/run/seq"), ("abs.socket", "ListenStream", "@abs"), ("vm.socket", "ListenStream", "vsock::5"),
    ("journal@.socket", "ListenStream", "/run/journal.%i/out"), ("a.socket", "ListenStream", "/run/two"),
    ("b.socket", "ListenStream", "/run/two"), ("c.socket", "ListenStream", "/run/gone"), ("c.socket", "ListenStream", ""),
    ("pipe.socket", "ListenStream", "/run/per%%cent"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "unit"),
    [
        ("/run/dbus/bus", "stream", "dbus.socket"),
        ("/run/log", "dgram", "log.socket"),
        ("/run/log", "stream", None),
        ("/run/seq", "seqpacket", "seq.socket"),
        ("@abs", "stream", "abs.socket"),
        ("/run/per%cent", "stream", "pipe.socket"),
        ("/run/journal.mill/out", "stream", ...),
        ("/run/journal.mill/in", "stream", None),
        ("/run/two", "stream", ...),
        ("/run/gone", "stream", None),
        ("/run/other", "stream", None),
    ],
)
def test_the_unit_of_a_socket_that_process_1_holds_is_the_one_that_declares_it(name: str, kind: str, unit: object) -> None:
    (one,) = seen(host(endpoints=(Unix(name, (INIT, AGENT), kind),), units=UNITS))
    assert one.shown.get("socket_unit", ...) == unit


def test_a_socket_that_process_1_does_not_hold_is_no_units() -> None:
    (one,) = seen(host(endpoints=(Unix("/run/dbus/bus", (AGENT,)),), units=UNITS))
    assert one.socket_unit is None
    (one,) = seen(host(endpoints=(Unix("/run/dbus/bus", ()),), units=UNITS, rights=NO_RIGHTS, unreadable=(1,)))
    assert "socket_unit" not in one.shown
    lost = host(endpoints=(Unix("/run/dbus/bus", (INIT,)),), units=UNITS)
    answers = [answer for answer in lost.answers() if answer.probe != "socket-units"]
    (one,) = seen(interpreted(bundle(answers, lost.head())))
    assert "socket_unit" not in one.shown


def test_declaring_ports_and_paths_is_told_apart() -> None:
    of = host(port("tcp/0.0.0.0:80", INIT), endpoints=(Unix("/run/dbus/bus", (INIT,)),), units=UNITS)
    (listener,) = stack_of(of).listening.seen
    assert listener.socket_unit == "web.socket"


def test_what_was_not_asked_is_unknown_and_what_has_no_such_sockets_is_none() -> None:
    of = host(endpoints=(Unix("@x"),))
    head = {**of.head(), "asked": "grants,persisted,ports,units"}
    with pytest.raises(UnknownFact):
        _ = stack_of(interpreted(bundle(of.answers(), head))).endpoints
    assert [one.kind for one in with_answer("/packet", b"", "absent").seen] == ["raw", "unix"]
    assert not with_answer("/packet", b"", "absent").gaps


@pytest.mark.parametrize(
    ("command", "stdout", "why"),
    [
        ("/packet", None, "/proc/net/packet was not read"),
        ("/raw6", None, "/proc/net/raw6 was not read"),
        ("unix_diag", None, "builtin:unix_diag was not asked"),
        ("/packet", b"", "/proc/net/packet: the table does not begin with its header"),
        ("/packet", table("raw"), "/proc/net/packet: the table does not begin with its header"),
        ("/raw", table("raw6"), "/proc/net/raw: the table does not begin with its header"),
        ("/raw", table("packet"), "/proc/net/raw: the table does not begin with its header"),
        ("/raw", table("raw", Raw().line(5))[:-6], "/proc/net/raw: its last line is missing, it was cut"),
        ("/packet", table("packet", "x"), "/proc/net/packet: a line of the table cannot be read"),
        ("/packet", table("packet", Packet().line(5).replace("0003", "0x03")), "/proc/net/packet: a line of the table cannot be read"),
        ("/raw", table("raw", "x"), "/proc/net/raw: a line of the table cannot be read"),
        ("/raw", table("raw", Raw(address="::").line(5)), "/proc/net/raw: a line of the table cannot be read"),
        ("/raw", table("raw", Raw(protocol=256).line(5)), "/proc/net/raw: protocol 256 is none of IP's"),
        ("/raw", table("raw", Raw().line(5).replace(" 0 5 2", " 0 \u0665 2")), "/proc/net/raw: a line of the table cannot be read"),
        ("unix_diag", rows.table(COLUMNS, [b"9\tpath\t/x\t0\t5\t-\t\t"]), "a row of unix_diag cannot be read"),
        ("unix_diag", rows.table(COLUMNS, [b"stream\t-\t-\t0\t5\t-\t-\t-"]), "a row of unix_diag cannot be read"),
        ("unix_diag", rows.table(COLUMNS, [b"stream\tpath\t/x\t0\t\t-\t\t"]), "a row of unix_diag cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_gap_and_the_rest_is_seen(command: str, stdout: bytes | None, why: str) -> None:
    facts = with_answer(command, stdout)
    assert [gap.why for gap in facts.gaps] == [why]
    assert len(facts.seen) == (3 if command == "/raw6" else 2)


def test_an_answer_that_failed_says_why() -> None:
    facts = with_answer("/raw", b"", "1", stderr=b"/proc/net/raw: Permission denied\n")
    assert [gap.why for gap in facts.gaps] == ["builtin:proc-net /proc/thread-self/net/raw: /proc/net/raw: Permission denied"]


def test_of_a_namespace_that_could_not_be_entered_unix_sockets_are_one_gap() -> None:
    of = Host(others=(Net(endpoints=(Packet((SSHD,)), Unix("@x", (SSHD,))), outside="Operation not permitted", holder=SSHD),))
    facts = stack_of(of, "sshd.service").endpoints
    assert [one.kind for one in facts.seen] == ["packet"]
    assert len(facts.gaps) == 1
    assert "could not be entered" in facts.gaps[0].why


def test_the_same_inode_in_two_namespaces_is_of_each_its_own() -> None:
    identity = "ab" * 32
    of = Host(net=Net(endpoints=(Unix("@a", (SSHD,)),)), others=(container(identity, endpoints=(Unix("@b", (AGENT,)),)),))
    assert [one.path for one in seen(of)] == ["@a"]
    assert [one.path for one in seen(of, f"container:{identity[:12]}")] == ["@b"]


def test_limits_say_what_this_never_shows_where_it_was_asked() -> None:
    of = host()
    assert any("without a packet socket" in limit for limit in of.snapshot().limits)
    head = {**of.head(), "asked": "ports"}
    assert not any("packet socket" in limit for limit in interpreted(bundle(of.answers(), head)).limits)


def test_a_snapshot_of_them_reads_back_as_it_was() -> None:
    plain = json.loads(json.dumps(rich().snapshot().to_json()))
    again = Snapshot.from_json(plain, "snapshot")
    assert again.to_json() == plain
    assert [str(one) for one in seen(again)] == [str(one) for one in seen(rich())]
    with pytest.raises(Malformed):
        Endpoint.from_json({"kind": "unix", "path": "/x", "file": {}}, "endpoint")
