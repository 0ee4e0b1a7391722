"""What a Linux bundle means, where no made host can show it: process 1 is systemd, addresses are public, the kernel is old."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.collectors._linux_owners import container_of, unit_of
from auditor.collectors._reach import reach
from auditor.model import Snapshot
from auditor.sources import from_bytes
from auditor.tables import Tables
from tests.bundles import container, host

WEB1 = (Path(__file__).parent / "evidence" / "web1.evidence").read_text()
NO_UNITS = "| unit\tfile\tline\tdirective\tvalue\n| end\t0\n"


def snapshot(text: str) -> Snapshot:
    (source,) = from_bytes(text.encode(), "web1", Tables())
    return source.snapshot


def shown(text: str, port: int, address: str = "0.0.0.0") -> dict[str, Any]:
    (one,) = [s for s in snapshot(text).stacks.seen[0].listening.seen if (s.port, s.address) == (port, address)]
    return one.shown


def units(*rows: str) -> str:
    """The web server with socket units, its sshd's listeners held by process 1."""
    table = "".join(f"| {row}\n" for row in rows)
    held = WEB1.replace(NO_UNITS, f"| unit\tfile\tline\tdirective\tvalue\n{table}| end\t{len(rows)}\n")
    pid = next(line.split("\t")[0][2:] for line in WEB1.split("\n") if "\tsshd\t" in line)
    return held.replace(f"| {pid}\t", "| 1\t")


def test_a_socket_that_process_1_holds_is_its_socket_units_and_names_the_service_it_starts() -> None:
    text = units("ssh.socket\t/usr/lib/systemd/system/ssh.socket\t6\tListenStream\t22")
    assert (shown(text, 22)["socket_unit"], shown(text, 22)["activates"]) == ("ssh.socket", "ssh.service")
    assert (shown(text, 22, "::")["socket_unit"]) == "ssh.socket"
    assert "socket_unit" not in shown(text, 80)


@pytest.mark.parametrize(
    ("rows", "service"),
    [
        (["ssh.socket\t/a\t1\tListenStream\t0.0.0.0:22", "ssh.socket\t/a\t2\tService\tsshd.service"], "sshd.service"),
        (["ssh.socket\t/a\t1\tListenStream\t22", "ssh.socket\t/a\t2\tAccept\tyes"], "ssh@.service"),
        (
            ["ssh.socket\t/a\t1\tListenStream\t2222", "ssh.socket\t/b\t1\tListenStream\t", "ssh.socket\t/b\t2\tListenStream\t22"],
            "ssh.service",
        ),
    ],
)
def test_directives_of_the_unit_and_its_drop_ins_count_as_systemd_counts_them(rows: list[str], service: str) -> None:
    assert shown(units(*rows), 22)["activates"] == service


@pytest.mark.parametrize(
    "rows",
    [
        ["a.socket\t/a\t1\tListenStream\t22", "b.socket\t/b\t1\tListenStream\t22"],
        ["a.socket\t/a\t1\tListenDatagram\t22"],
        ["a.socket\t/a\t1\tListenStream\t10.9.9.9:22"],
        ["a.socket\t/a\t1\tListenStream\t/run/22"],
        ["a.socket\t/a\t1\tListenStream\tvsock::22"],
    ],
)
def test_a_socket_that_no_unit_or_more_than_one_declares_is_no_units(rows: list[str]) -> None:
    found = shown(units(*rows), 22)
    assert (found["socket_unit"], found["activates"]) == (None, None)


def test_where_the_units_are_not_known_none_is_denied() -> None:
    text = units("ssh.socket\t/a\t1\tListenStream\t22").replace("$ builtin:socket-units", "$ builtin:other")
    assert "socket_unit" not in shown(text, 22)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", "loopback"), ("127.9.9.9", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"),
        ("169.254.1.1", "link"), ("fe80::1", "link"),
        ("10.0.0.5", "private"), ("192.168.1.1", "private"), ("172.16.0.1", "private"), ("100.64.0.1", "private"), ("fd00::1", "private"),
        ("8.8.8.8", "public"), ("2606:4700::1", "public"), ("::ffff:8.8.8.8", "public"),
        ("0.0.0.0", "wildcard"), ("::", "wildcard"), ("::ffff:0.0.0.0", "wildcard"), ("224.0.0.251", "wildcard"), ("ff02::fb", "wildcard"),
        ("255.255.255.255", "wildcard"),
    ],
)  # fmt: skip
def test_an_address_reaches_as_far_as_iana_says(address: str, expected: str) -> None:
    assert reach(address) == expected


def test_a_wildcard_reaches_as_far_as_the_farthest_address_of_its_stack() -> None:
    assert shown(WEB1, 6379)["reach"] == "private"
    assert shown(WEB1.replace("10.0.0.5", "8.8.8.8"), 6379)["reach"] == "public"


def test_without_the_interfaces_a_wildcards_reach_is_unknown() -> None:
    assert shown(WEB1.replace("$ builtin:rtnetlink", "$ builtin:other"), 6379)["reach"] == "unknown"


@pytest.mark.parametrize(
    ("cgroup", "unit", "container"),
    [
        ("/system.slice/nginx.service", "nginx.service", None),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service", "user@1000.service", None),
        ("/system.slice/docker-" + "a" * 64 + ".scope", "docker-" + "a" * 64 + ".scope", "a" * 64),
        ("/docker/" + "b" * 64, None, "b" * 64),
        ("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + "c" * 64 + ".scope", "cri-containerd-" + "c" * 64 + ".scope", "c" * 64),
        ("/lxc.payload.web/system.slice/ssh.service", None, "web"),
        ("/lxc.payload.web/ssh.service", None, "web"),
        ("/docker/" + "d" * 64 + "/system.slice/ssh.service", None, "d" * 64),
        ("/machine.slice/machine-deb.scope/payload", "machine-deb.scope", "deb"),
        ("/", None, None),
        ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + "e" * 64 + ".scope/container", "user@1000.service", None),
        ("/user.slice/user-1000.slice/user@1000.service/docker-" + "e" * 64 + ".scope", "user@1000.service", None),
        ("/user.slice/user-1000.slice/session-3.scope/machine-web.scope", "session-3.scope", None),
        ("/../../user-1000.slice/user@1000.service/lxc.payload.web", "user@1000.service", None),
        ("/user.slice/lxc.payload.web/ssh.service", None, None),
        ("/user/ann/0/ssh.service", None, None),
        ("/given/ssh.service", None, None),
        ("/user.slice/given/system.slice/ssh.service", None, None),
        ("/../system.slice/ssh.service", "ssh.service", None),
        ("/../../a.slice/a-b.slice/mill.mount/x.service", "mill.mount", None),
        ("/ssh.service", "ssh.service", None),
        ("/init.scope", "init.scope", None),
        ("/docker/" + "f" * 64 + "/user.slice/user-0.slice/session-1.scope", None, "f" * 64),
        ("/lxc.payload.web/user.slice/user-0.slice/session-1.scope", None, "web"),
        ("/machine.slice/libpod-" + "a" * 64 + ".scope/container", "libpod-" + "a" * 64 + ".scope", "a" * 64),
    ],
)
def test_units_and_containers_are_read_from_the_control_groups_path(cgroup: str, unit: str | None, container: str | None) -> None:
    assert (unit_of(cgroup), container_of(cgroup)) == (unit, container)


def test_before_4_11_the_threshold_is_the_kernels_constant() -> None:
    absent = WEB1.replace("$ builtin:read /proc/sys/net/ipv4/ip_unprivileged_port_start\n| 80\n? 0", "$ builtin:read "
                          "/proc/sys/net/ipv4/ip_unprivileged_port_start\n? absent")  # fmt: skip
    old = snapshot(absent.replace("% release 6.12.1", "% release 4.4.0-210-generic")).stacks.seen[0].privileged
    assert ([str(one) for one in old], old.basis) == (["1-1023"], "derived")
    new = snapshot(absent).stacks.seen[0].privileged
    assert (new.seen, len(new.gaps)) == ((), 1)


@pytest.mark.parametrize(
    ("release", "said"), [("6.12.1", False), ("6.8.0", False), ("6.7.9", True), ("5.15.0-1051-aws", True), ("odd", True)]
)
def test_before_6_8_the_report_says_that_bound_only_sockets_are_not_listed(release: str, said: bool) -> None:
    limits = snapshot(WEB1.replace("% release 6.12.1", f"% release {release}")).limits
    assert any("Before Linux 6.8" in limit for limit in limits) is said


def test_proc_net_is_read_in_the_byte_order_of_its_host() -> None:
    header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    line = "   0: 0A000005:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0"
    answer = f"@ proc-net stack=netns:4026531840\n$ builtin:proc-net-listening /proc/1/net/tcp\n| {header}\n| {line}\n| end\t1\n? 0\n"
    text = (
        WEB1.replace("$ builtin:sock_diag", "$ builtin:other").replace("@ sockets ", "@ asked-otherwise ").removesuffix(".\n")
        + answer
        + ".\n"
    )
    seen = {
        order: snapshot(text.replace("% uid 0\n", f"% uid 0\n% byteorder {order}\n")).stacks.seen[0].listening.seen
        for order in ("little", "big")
    }
    assert [one.address for one in seen["little"]] == ["5.0.0.10"]
    assert [one.address for one in seen["big"]] == ["10.0.0.5"]


def test_a_namespace_is_known_by_its_inodes_and_its_container() -> None:
    seen = host(procnet="31", others=[container("5f" * 32, procnet="32")], containers={"5f" * 32: "shop"}).snapshot().stacks.seen
    assert [(one.name, one.identities) for one in seen] == [
        ("host", ["netns:1", "procnet:31"]),
        ("container:shop", ["netns:2", "procnet:32", f"container:{'5f' * 32}"]),
    ]


def test_evidence_from_before_the_inode_of_net_tcp_was_listed_is_whole() -> None:
    stacks = snapshot(WEB1).stacks
    assert (stacks.gaps, [one.identities for one in stacks.seen]) == ((), [["netns:4026531840"]])
