"""What a collection on a real, made host shows: sockets, their holders, and the namespaces they are in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.hosts import INITIAL_PID_NAMESPACE, NEEDED, NOBODY, WEB, Host, host, interpreted, listener, owners, sockets, stack

pytestmark = NEEDED


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    with host() as one:
        yield one


def clean(shown: dict[str, object], *keys: str) -> dict[str, object]:
    return {key: shown.get(key, "not shown") for key in keys}


@pytest.mark.parametrize(
    ("want", "subject", "expected"),
    [
        (listener("tcp", "0.0.0.0"), "tcp/0.0.0.0:{}", {"family": "ipv4", "state": "listening", "v6only": "not shown"}),
        (listener("tcp", "127.0.0.1"), "tcp/127.0.0.1:{}", {"family": "ipv4", "state": "listening", "reach": "loopback"}),
        (listener("tcp", "::", v6only=False), "tcp/*:{}", {"family": "ipv6", "state": "listening", "v6only": False}),
        (listener("tcp", "::", v6only=True), "tcp/[::]:{}", {"family": "ipv6", "state": "listening", "v6only": True}),
        (listener("tcp", "::1"), "tcp/[::1]:{}", {"family": "ipv6", "reach": "loopback"}),
        (listener("tcp", "127.0.0.1", listen=False), "tcp/127.0.0.1:{}", {"state": "bound", "family": "ipv4"}),
        (listener("udp", "127.0.0.1"), "udp/127.0.0.1:{}", {"state": "listening", "family": "ipv4", "kernel_given": True}),
        (listener("udp", "::1", 5300), "udp/[::1]:{}", {"state": "listening", "family": "ipv6", "kernel_given": False}),
        (listener("mptcp", "127.0.0.1"), "tcp/127.0.0.1:{}", {"state": "listening", "mptcp": True}),
        (listener("mptcp", "127.0.0.1", listen=False), "tcp/127.0.0.1:{}", {"state": "bound"}),
        (listener("udp", "0.0.0.0", 5301, device="lo"), "udp/0.0.0.0%lo:{}", {"device": "lo"}),
    ],
    ids=lambda value: value["protocol"] + value["address"] if isinstance(value, dict) and "protocol" in value else None,
)
def test_every_kind_of_socket_that_holds_a_port_is_seen_as_what_it_is(
    made: Host, want: dict[str, object], subject: str, expected: dict[str, object]
) -> None:
    process = made.start(want, user=WEB)
    try:
        one = sockets(made.snapshot())[subject.format(process.port)]
    finally:
        process.stop()
    assert clean(one.shown, *expected) == expected
    assert owners(one) == [process.pid]
    assert one.shown["owner_state"] == "known"
    (owner,) = one.shown["owners_seen"]
    assert (owner.uid, owner.user, owner.executable, owner.container) == (WEB, "web", made.python, None)


def test_udp_lite_is_seen_where_the_kernel_has_it(made: Host) -> None:
    try:
        process = made.start(listener("udplite", "127.0.0.1"))
    except RuntimeError as error:
        pytest.skip(f"this kernel has no UDP-Lite: {error}")
    assert f"udplite/127.0.0.1:{process.port}" in sockets(made.snapshot())
    process.stop()


def test_a_udp_socket_with_a_peer_and_a_connection_are_no_listeners(made: Host) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 7000))
    done = made.run(
        made.interpreter, "-c", "import socket,subprocess,sys; a=socket.create_connection(('127.0.0.1',7000)); "
        "b=socket.socket(2,2); b.connect(('127.0.0.1',9)); print(a.getsockname()[1], b.getsockname()[1], flush=True); "
        f"subprocess.run([sys.executable,'-m','auditor','snapshot'], env={made.environment!r})",
    )  # fmt: skip
    process.stop()
    first, _, snapshot = done.out.partition(b"\n")
    tcp, udp = first.decode().split()
    assert f'"port": {tcp},'.encode() not in snapshot
    assert f'"port": {udp},'.encode() not in snapshot
    assert b'"port": 7000,' in snapshot


def test_all_processes_that_share_a_listener_are_its_owners_each_with_its_user(made: Host) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 8443), users=[0, WEB, NOBODY])
    one = sockets(made.snapshot())["tcp/127.0.0.1:8443"]
    process.stop()
    assert owners(one) == sorted(process.pids)
    assert sorted(owner.user for owner in one.shown["owners_seen"]) == ["nobody", "root", "web"]


def test_two_users_on_one_port_are_two_sockets_with_an_owner_each(made: Host) -> None:
    first = made.start(listener("tcp", "127.0.0.1", 9000, reuse=True), user=WEB)
    second = made.start(listener("tcp", "127.0.0.1", 9000, reuse=True), user=WEB)
    seen = [one for one in stack(made.snapshot()).listening.seen if one.port == 9000]
    first.stop()
    second.stop()
    assert sorted(pid for one in seen for pid in owners(one)) == sorted([first.pid, second.pid])


def test_a_listener_handed_to_another_process_has_both_as_owners(made: Host) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 9001), how="passed")
    assert owners(sockets(made.snapshot())["tcp/127.0.0.1:9001"]) == sorted(process.pids)
    process.stop()


@pytest.mark.parametrize("how", ["own-table", "zombie-leader"])
def test_a_thread_cannot_hide_a_listener_from_its_process(made: Host, how: str) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 9002), how=how)
    assert owners(sockets(made.snapshot())["tcp/127.0.0.1:9002"]) == [process.pid]
    process.stop()


def test_a_listener_that_no_process_has_in_its_table_has_no_visible_owner_and_is_not_the_kernels(made: Host) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 9003), how="in-flight")
    one = sockets(made.snapshot())["tcp/127.0.0.1:9003"]
    process.stop()
    assert (one.shown["owner_state"], owners(one)) == ("none", [])
    assert "no process in view" in one.shown["owner_reason"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b'a",pid=1,fd=3)', 'a",pid=1,fd=3)'),
        (b"b) R 1 (c", "b) R 1 (c"),
        (b"x\n1\t0\t0", "x\n1\t0\t0"),
        (b"back\\n", "back\\n"),
        (b"\x1b[2Jesc", "\x1b[2Jesc"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"-", "-"),
    ],
)
def test_a_process_that_gave_itself_a_clever_name_is_still_itself(made: Host, name: bytes, shown: str) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 9004), name=name, user=WEB)
    one = sockets(made.snapshot())["tcp/127.0.0.1:9004"]
    process.stop()
    (owner,) = one.shown["owners_seen"]
    assert (owner.pid, owner.process, owner.executable, owner.uid) == (process.pid, shown, made.python, WEB)


def test_a_privileged_port_held_by_an_ordinary_user_says_whose_it_is(made: Host) -> None:
    process = made.start(listener("tcp", "0.0.0.0", 81), user=NOBODY)
    (owner,) = sockets(made.snapshot())["tcp/0.0.0.0:81"].shown["owners_seen"]
    process.stop()
    assert (owner.user, owner.pid) == ("nobody", process.pid)


def test_the_kernel_says_that_the_executable_was_deleted(made: Host) -> None:
    path = made.program("gone")
    process = made.start(listener("tcp", "127.0.0.1", 9005), run=[path])
    os.unlink(f"/proc/{made.pid}/root{path}")
    (owner,) = sockets(made.snapshot())["tcp/127.0.0.1:9005"].shown["owners_seen"]
    process.stop()
    assert owner.executable == f"{path} (deleted)"


def test_a_program_laid_over_anothers_path_in_a_mount_namespace_of_its_own_is_not_taken_for_it(made: Host) -> None:
    approved, rogue = made.program("approved"), made.program("rogue")
    opens = "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',9016)); s.listen(); print('up',flush=True); time.sleep(60)"
    lay_over = 'mount --bind "$1" "$2" && PYTHONHOME="$4" exec "$2" -S -c "$3"'
    prefix = sys.base_prefix if sys.base_prefix == "/usr" else f"{made.stage}/python"
    with made.running("unshare", "--mount", "sh", "-c", lay_over, "-", rogue, approved, opens, prefix) as laid:
        (owner,) = sockets(made.snapshot())["tcp/127.0.0.1:9016"].shown["owners_seen"]
    assert laid.said == "up"
    assert owner.executable == f"{approved} (in another mount namespace)"


def test_a_program_in_a_mount_namespace_of_its_own_keeps_its_name_where_its_file_is_the_hosts(made: Host) -> None:
    opens = "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',9017)); s.listen(); print('up',flush=True); time.sleep(60)"
    with made.running("unshare", "--mount", made.interpreter, "-S", "-c", opens) as apart:
        (owner,) = sockets(made.snapshot())["tcp/127.0.0.1:9017"].shown["owners_seen"]
    assert apart.said == "up"
    assert not owner.executable.endswith(")")


def test_no_argument_of_a_process_is_in_the_bundle(made: Host) -> None:
    path = made.program("server")
    process = made.start(listener("tcp", "127.0.0.1", 9006), run=[path, "--password=hunter2"])
    bundle = made.collect()
    process.stop()
    assert b"9006" in bundle
    assert b"hunter2" not in bundle


def test_inside_a_pid_namespace_owners_are_never_called_all(made: Host) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 9007))
    bundle = made.collect()
    process.stop()
    assert b"\n| pid_namespace\t" + INITIAL_PID_NAMESPACE not in bundle
    one = sockets(interpreted(bundle))["tcp/127.0.0.1:9007"]
    assert (one.shown["owner_state"], owners(one)) == ("partial", [process.pid])
    assert "PID namespace" in one.shown["owner_reason"]


def test_each_namespaces_settings_are_read_inside_it(made: Host) -> None:
    made.sysctl("net.ipv4.ip_local_port_range", "20000 30000")
    process = made.start(
        listener("tcp", "127.0.0.1", 80), namespace=True,
        sysctls={"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ip_local_port_range": "40000 50000",
                 "net.ipv4.ip_local_reserved_ports": "41000-41002,42000"},
    )  # fmt: skip
    snapshot = made.snapshot()
    process.stop()
    made.sysctl("net.ipv4.ip_local_port_range", "32768 60999")
    (other,) = [one for one in snapshot.stacks.seen if one.name != "host"]
    assert [str(one) for one in stack(snapshot).ephemeral] == ["20000-30000"]
    assert [str(one) for one in stack(snapshot).privileged] == ["1-1023"]
    assert [str(one) for one in other.ephemeral] == ["40000-50000"]
    assert [str(one) for one in other.privileged] == []
    assert [str(one) for one in other.reserved] == ["41000-41002", "42000"]
    assert [one.numbered_subject for one in other.listening] == ["tcp/127.0.0.1:80"]


def test_a_namespace_that_one_thread_alone_is_in_is_found(made: Host) -> None:
    process = made.start(
        listener("tcp", "127.0.0.1", 9008), how="own-namespace", thread_sysctls={"net.ipv4.ip_unprivileged_port_start": "7"}
    )
    snapshot = made.snapshot()
    process.stop()
    (other,) = [one for one in snapshot.stacks.seen if one.name != "host"]
    assert [str(one) for one in other.privileged] == ["1-6"]
    assert [one.numbered_subject for one in other.listening] == ["tcp/127.0.0.1:9008"]


def test_a_mounted_namespace_without_a_process_is_entered_and_named_by_its_mount() -> None:
    with host() as other:
        other.order("mounted namespace", name="blue", sysctls={"net.ipv4.ip_unprivileged_port_start": "80"})
        blue = stack(other.snapshot(), "blue")
    assert blue.kind == "netns"
    assert [str(one) for one in blue.privileged] == ["1-79"]


@pytest.mark.parametrize(
    ("group", "name", "unit"),
    [
        ("docker-" + "a" * 64 + ".scope", "container:" + "a" * 12, "docker-" + "a" * 64 + ".scope"),
        ("shop.service", "shop.service", "shop.service"),
        ("user@1000.service/sshd.service", "user@1000.service", "user@1000.service"),
    ],
)
def test_a_namespace_is_named_by_its_container_or_unit_and_a_user_cannot_borrow_a_units_name(
    made: Host, group: str, name: str, unit: str
) -> None:
    names = []
    for _ in range(2):
        process = made.start(listener("tcp", "127.0.0.1", 9009), namespace=True, group=group)
        snapshot = made.snapshot()
        process.stop()
        (other,) = [one for one in snapshot.stacks.seen if one.name != "host"]
        names.append(other.name)
        (one,) = other.listening
        assert one.shown["owners_seen"][0].unit == unit
    assert names == [name, name]


def test_an_ordinary_user_sees_listeners_everywhere_and_settings_and_owners_nowhere_else(made: Host) -> None:
    inside = made.start(listener("tcp", "0.0.0.0", 9010), namespace=True)
    outside = made.start(listener("tcp", "0.0.0.0", 9011))
    snapshot = made.snapshot(user=NOBODY)
    inside.stop()
    outside.stop()
    one = sockets(snapshot)["tcp/0.0.0.0:9011"]
    assert (one.shown["owner_state"], owners(one)) == ("unreadable", [])
    (other,) = [one for one in snapshot.stacks.seen if one.name != "host"]
    assert [seen.numbered_subject for seen in other.listening.seen] == ["tcp/0.0.0.0:9010"]
    assert other.listening.source == "/proc/net"
    assert "v6only" not in other.listening.seen[0].shown
    for facts in (other.privileged, other.ephemeral, other.reserved):
        assert facts.gaps
        assert "could not be entered" in facts.gaps[0].why


def test_where_sock_diag_is_refused_proc_net_is_read_and_what_is_lost_is_said(made: Host) -> None:
    process = made.start(listener("tcp", "0.0.0.0", 9012), listener("tcp", "::", 9013), listener("udp", "127.0.0.1", 9014))
    bundle = made.collect(prefix=[made.interpreter, f"{made.stage}/checkout/tests/inhabitants.py", "without-netlink"])
    process.stop()
    snapshot = interpreted(bundle)
    seen = {one.numbered_subject: one for one in stack(snapshot).listening.seen if 9012 <= one.port <= 9014}
    assert set(seen) == {"tcp/0.0.0.0:9012", "tcp/[::]:9013", "udp/127.0.0.1:9014"}
    assert all(one.shown["source"] == "/proc/net" and owners(one) == [process.pid] for one in seen.values())
    assert "v6only" not in seen["tcp/[::]:9013"].shown
    assert any("bound-only TCP, v6only" in limit for limit in snapshot.limits)


def test_a_socket_unit_of_process_1_is_named_with_its_service_and_its_secrets_stay_on_the_host(made: Host) -> None:
    made.write("/etc/systemd/system/shop.socket", "[Socket]\nListenStream=9015\nService=shop-web.service\nEnvironment=PASSWORD=hunter2\n")
    bundle = made.collect()
    assert b"ListenStream\t9015" in bundle
    assert b"hunter2" not in bundle


def test_sysctl_files_are_applied_in_systemds_order_with_file_and_line() -> None:
    with host() as other:
        name = "net.ipv4.ip_local_port_range"
        vendor = "/usr/lib/sysctl.d" if os.path.isdir("/usr/lib/sysctl.d") else "/run/sysctl.d"
        other.write(f"{vendor}/10-same.conf", f"{name} = 1024 2048\n")
        other.write("/etc/sysctl.d/10-same.conf", f"# comment\n\n-{name.replace('.', '/')} = 20000  30000\n")
        other.write("/etc/sysctl.d/20-glob.conf", "net.ipv4.ip_local_port_* = 3000 4000\n")
        other.write(f"{vendor}/30-masked.conf", f"{name} = 5000 6000\n")
        other.link("/etc/sysctl.d/30-masked.conf", "/dev/null")
        found = [(one.value, one.file, one.line) for one in stack(other.snapshot()).persisted]
        other.write("/etc/sysctl.d/40-excluded.conf", f"-{name}\n")
        assert list(stack(other.snapshot()).persisted) == []
    assert found == [
        ("3000 4000", "/etc/sysctl.d/20-glob.conf", 1),
        ("20000 30000", "/etc/sysctl.d/10-same.conf", 3),
    ]
