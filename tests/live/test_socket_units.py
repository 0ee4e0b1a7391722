"""Sockets that process 1 of a made host holds, as systemd does, and the unit files that declare them."""

from __future__ import annotations

import json

import pytest

from tests.bundles import judged, outcomes
from tests.hosts import NEEDED, NOBODY, Host, as_if_initial, host, interpreted, listener, sockets, stack

pytestmark = NEEDED
SHOP = """\
[Unit]
Description=the shop, token=hunter2
[Socket]
Environment=PASSWORD=hunter2
ExecStartPre=/bin/sh -c 'echo hunter2'
ListenStream=8080
ListenStream = 127.0.0.1:40000
ListenStream=/run/shop.sock
Service=shop-web.service
"""


def units(made: Host) -> dict[str, tuple[str | None, str | None]]:
    return {subject: (one.socket_unit, one.activates) for subject, one in sockets(made.snapshot()).items()}


def test_each_socket_of_process_1_has_the_unit_that_declares_it_and_the_service_that_gets_it() -> None:
    with host() as made:
        made.write("/etc/systemd/system/shop.socket", SHOP)
        made.write("/etc/systemd/system/log.socket", "[Socket]\nListenDatagram=514\n")
        made.write("/etc/systemd/system/echo.socket", "[Socket]\nListenStream=[::1]:7\nAccept=yes\n")
        made.write("/etc/systemd/system/sshd.socket", "[Socket]\nListenStream=22\n")
        made.write("/etc/systemd/system/sshd.socket.d/port.conf", "[Socket]\nListenStream=\nListenStream=2222\n")
        made.order("hold", sockets=[
            listener("tcp", "::", 8080, v6only=False), listener("tcp", "127.0.0.1", 40000), listener("udp", "::", 514, v6only=False),
            listener("tcp", "::1", 7), listener("tcp", "0.0.0.0", 22), listener("tcp", "0.0.0.0", 2222), listener("tcp", "127.0.0.1", 2223),
        ])  # fmt: skip
        assert units(made) == {
            "tcp/*:8080": ("shop.socket", "shop-web.service"),
            "tcp/127.0.0.1:40000": ("shop.socket", "shop-web.service"),
            "udp/*:514": ("log.socket", "log.service"),
            "tcp/[::1]:7": ("echo.socket", "echo@.service"),
            "tcp/0.0.0.0:22": (None, None),
            "tcp/0.0.0.0:2222": ("sshd.socket", "sshd.service"),
            "tcp/127.0.0.1:2223": (None, None),
        }


def test_of_two_units_of_one_name_the_administrators_counts_and_a_masked_one_declares_nothing() -> None:
    with host() as made:
        made.write("/run/systemd/system/shop.socket", "[Socket]\nListenStream=81\nService=vendor.service\n")
        made.write("/etc/systemd/system/shop.socket", "[Socket]\nListenStream=80\nService=ours.service\n")
        made.write("/run/systemd/system/off.socket", "[Socket]\nListenStream=82\n")
        made.link("/etc/systemd/system/off.socket", "/dev/null")
        made.order("hold", sockets=[listener("tcp", "0.0.0.0", port) for port in (80, 81, 82)])
        assert units(made) == {
            "tcp/0.0.0.0:80": ("shop.socket", "ours.service"),
            "tcp/0.0.0.0:81": (None, None),
            "tcp/0.0.0.0:82": (None, None),
        }


def test_nothing_of_a_unit_file_but_what_it_listens_on_is_in_the_bundle() -> None:
    with host() as made:
        made.write("/etc/systemd/system/shop.socket", SHOP)
        made.write("/etc/systemd/system/shop.socket.d/more.conf", "[Socket]\nEnvironment=KEY=hunter2\nListenStream=8081\n")
        for user in (None, NOBODY):
            bundle = made.collect(user=user)
            assert b"shop.socket\t/etc/systemd/system/shop.socket\t6\tListenStream\t8080\n" in bundle
            assert b"/etc/systemd/system/shop.socket.d/more.conf\t3\tListenStream\t8081\n" in bundle
            assert b"hunter2" not in bundle


def test_a_unit_that_nobody_else_may_read_is_a_gap_for_them_and_not_an_undeclared_socket() -> None:
    with host() as made:
        made.write("/etc/systemd/system/shop.socket", SHOP, mode=0o600)
        made.order("hold", sockets=[listener("tcp", "0.0.0.0", 8080)])
        snapshot = interpreted(made.collect(user=NOBODY))
    assert any("shop.socket: Permission denied" in why for why in snapshot.visibility["not_read"])
    assert sockets(snapshot)["tcp/0.0.0.0:8080"].shown.get("socket_unit") is None


def test_a_port_that_a_unit_fixes_inside_the_ephemeral_range_is_a_fault_in_waiting_and_no_inventory() -> None:
    with host() as made:
        made.write("/etc/systemd/system/shop.socket", "[Socket]\nListenStream=127.0.0.1:40000\nListenDatagram=127.0.0.1:40001\n")
        made.order("hold", sockets=[listener("tcp", "127.0.0.1", 40000), listener("udp", "127.0.0.1", 40001)])
        made.write("/run/h.evidence", as_if_initial(made.collect()))
        said = json.loads(made.auditor("audit", "-f", "json", "/run/h.evidence").out)["findings"]
    found = [(one["subject"], one["severity"]) for one in said if one["outcome"] == "fail"]
    assert found == [("tcp/127.0.0.1:40000", "low"), ("udp/127.0.0.1:40001", "low")]
    assert "fixed by shop.socket" in next(one["message"] for one in said if one["outcome"] == "fail")


def test_two_enabled_units_of_one_port_are_found_as_they_are_enabled_and_not_before() -> None:
    with host() as made:
        made.write("/run/systemd/system/shop.socket", "[Socket]\nListenStream=8080\n")
        made.write("/etc/systemd/system/mill.socket", "[Socket]\nBindIPv6Only=both\nListenStream=127.0.0.1:8080\n")
        made.link("/etc/systemd/system/sockets.target.wants/mill.socket", "/etc/systemd/system/mill.socket")
        made.link("/etc/systemd/system/other.socket", "mill.socket")
        assert outcomes(judged(made.snapshot(), "", "socket-units-share-port")) == ["pass host"]
        made.link("/etc/systemd/system/web.target.requires/shop.socket", "../../../../run/systemd/system/shop.socket")
        (found,) = judged(made.snapshot(), "", "socket-units-share-port")
        assert found.source == "/etc/systemd/system/mill.socket:3, /run/systemd/system/shop.socket:2"
        made.link("/etc/systemd/system/shop.socket", "/dev/null")
        assert outcomes(judged(made.snapshot(), "", "socket-units-share-port")) == ["pass host"]


def test_a_folder_of_links_that_may_not_be_read_leaves_it_unknown_which_units_are_enabled() -> None:
    with host() as made:
        made.write("/etc/systemd/system/shop.socket", "[Socket]\nListenStream=8080\n")
        made.link("/etc/systemd/system/sockets.target.wants/shop.socket", "../shop.socket")
        made.run("chmod", "700", "/etc/systemd/system/sockets.target.wants", check=True)
        units = stack(interpreted(made.collect(user=NOBODY))).socket_units
    assert units.seen == ()
    assert ["/etc/systemd/system/sockets.target.wants: Permission denied" in gap.why for gap in units.gaps] == [True]


TWIN = "[Socket]\nListenStream=\nListenStream=8080\n"


def test_drop_ins_for_many_units_have_a_port_shared() -> None:
    with host() as made:
        for unit in ("shop-web", "mill"):
            made.write(f"/usr/lib/systemd/system/{unit}.socket", "[Socket]\nListenStream=8081\n")
            made.link(f"/etc/systemd/system/sockets.target.wants/{unit}.socket", f"/usr/lib/systemd/system/{unit}.socket")
        made.write("/usr/lib/systemd/system/mill.socket", "[Socket]\nListenStream=8080\n")
        seen = [[(one.unit, one.port, one.file) for one in stack(made.snapshot()).socket_units]]
        made.write("/etc/systemd/system/shop-.socket.d/a.conf", TWIN)
        seen.append([(one.unit, one.port, one.file) for one in stack(made.snapshot()).socket_units])
        assert outcomes(judged(made.snapshot(), "", "socket-units-share-port")) == ["fail medium host shop-web.socket tcp/8080"]
        made.link("/etc/systemd/system/shop-web.socket.d/a.conf", "/dev/null")
        made.write("/run/systemd/system/socket.d/b.conf", "[Socket]\nListenDatagram=9\n")
        seen.append([(one.unit, one.port, one.file) for one in stack(made.snapshot()).socket_units])
    vendor, many, every = "/usr/lib/systemd/system", "/etc/systemd/system/shop-.socket.d/a.conf", "/run/systemd/system/socket.d/b.conf"
    mill = ("mill.socket", 8080, f"{vendor}/mill.socket")
    assert seen[:2] == [[mill, ("shop-web.socket", 8081, f"{vendor}/shop-web.socket")], [mill, ("shop-web.socket", 8080, many)]]
    assert seen[2] == [
        mill, ("mill.socket", 9, every), ("shop-web.socket", 8081, f"{vendor}/shop-web.socket"), ("shop-web.socket", 9, every),
    ]  # fmt: skip


@pytest.mark.parametrize("folder", ["shop.socket.d", "shop-.socket.d", "socket.d"])
def test_a_folder_of_drop_ins_that_may_not_be_read_leaves_it_unknown(folder: str) -> None:
    with host() as made:
        made.write(f"/etc/systemd/system/{folder}/a.conf", TWIN)
        made.run("chmod", "700", f"/etc/systemd/system/{folder}", check=True)
        units = stack(interpreted(made.collect(user=NOBODY))).socket_units
    assert [f"/etc/systemd/system/{folder}: Permission denied" in gap.why for gap in units.gaps] == [True]
