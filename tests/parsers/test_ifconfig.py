from __future__ import annotations

import pytest

from auditor.parsers import ifconfig
from auditor.reading import Interfaces, Output
from tests.parsers import laws

FREEBSD = (
    "em0: flags=8863<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500\n"
    "\toptions=481009b<RXCSUM,TXCSUM,VLAN_MTU>\n"
    "\tether 08:00:27:aa:bb:cc\n"
    "\tinet 10.9.8.7 netmask 0xffffff00 broadcast 10.9.8.255\n"
    "\tinet6 fe80::5%em0 prefixlen 64 scopeid 0x1\n"
    "\tinet6 2001:db8:7::7 prefixlen 56 autoconf\n"
    "\tnd6 options=23<PERFORMNUD,ACCEPT_RTADV,AUTO_LINKLOCAL>\n"
    "gif0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> metric 0 mtu 1280\n"
    "\ttunnel inet 10.9.8.7 --> 10.9.9.9\n"
    "\tinet 10.7.7.1 --> 10.7.7.2 netmask 0xfffffffc\n"
)
OPENBSD = (
    "lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 32768\n"
    "\tindex 3 priority 0 llprio 3\n"
    "\tgroups: lo\n"
    "\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x3\n"
    "\tinet 127.0.0.1 netmask 0xff000000\n"
    "vether5: flags=8943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> rdomain 5 mtu 1500\n"
    "\tinet 10.5.5.5 netmask 0xffff0000 broadcast 10.5.255.255\n"
)
NETBSD = (
    "wm0: flags=0x8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n"
    "\tmedia: Ethernet autoselect (1000baseT full-duplex)\n"
    "\tinet 10.9.8.7/24 broadcast 10.9.8.255 flags 0\n"
    "\tinet alias 10.9.8.8 netmask 0xffffffff\n"
    "\tinet6 fe80::5%wm0/64 flags 0 scopeid 0x1\n"
)
SOLARIS = (
    "net0: flags=1000843<UP,BROADCAST,RUNNING,MULTICAST,IPv4> mtu 1500 index 2\n"
    "        inet 10.9.8.7 netmask fffff000 broadcast 10.9.15.255\n"
    "        ether 8:0:27:aa:bb:cc\n"
    "net0:1: flags=1000843<UP,BROADCAST,RUNNING,MULTICAST,IPv4> mtu 1500 index 2\n"
    "        zone mill\n"
    "        inet 10.9.8.8 netmask ffffff00 broadcast 10.9.8.255\n"
    "net1: flags=1000842<BROADCAST,RUNNING,MULTICAST,IPv4> mtu 1500 index 3\n"
    "        inet 0.0.0.0 netmask 0\n"
    "net0: flags=20002004841<UP,RUNNING,MULTICAST,DHCP,IPv6> mtu 1500 index 2\n"
    "        inet6 fe80::5/10\n"
)


def read(text: str, command: str = "ifconfig -a") -> Interfaces:
    output = Output(command, text)
    found = ifconfig.parse(output)
    laws.accounted(output, found)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FREEBSD, [("em0", "10.9.8.7", 24), ("em0", "fe80::5", 64), ("em0", "2001:db8:7::7", 56), ("gif0", "10.7.7.1", 30)]),
        (OPENBSD, [("lo0", "fe80::1", 64), ("lo0", "127.0.0.1", 8)]),
        (NETBSD, [("wm0", "10.9.8.7", 24), ("wm0", "10.9.8.8", 32), ("wm0", "fe80::5", 64)]),
        (SOLARIS, [("net0", "10.9.8.7", 20), ("net0", "10.9.8.8", 24), ("net0", "fe80::5", 10)]),
    ],
)
def test_addresses_are_read_with_their_interface_and_prefix(text: str, expected: list[tuple[str, str, int | None]]) -> None:
    found = read(text)
    assert found.found == expected
    assert not found.gaps


@pytest.mark.parametrize(
    ("mask", "prefix"),
    [
        ("netmask 0xffffff00", 24), ("netmask ffffff00", 24), ("netmask 255.255.254.0", 23), ("netmask 0xffff00ff", None),
        ("netmask what", None), ("broadcast 10.9.8.255", None), ("netmask 0", 0), ("prefixlen 200", None),
    ],
)  # fmt: skip
def test_a_prefix_is_taken_from_any_form_of_mask(mask: str, prefix: int | None) -> None:
    assert read(f"em0: flags=8863<UP> mtu 1500\n\tinet 10.9.8.7 {mask}\n").found == [("em0", "10.9.8.7", prefix)]


def test_an_address_that_cannot_be_read_is_a_gap() -> None:
    for row in ("\tinet 10.9.8 netmask 0xffffff00", "\tinet6", "\tinet6 fe80::x%em0 prefixlen 64"):
        found = read(f"em0: flags=8863<UP> mtu 1500\n{row}\n")
        assert (found.found, [gap.line for gap in found.gaps]) == ([], [row])


def test_an_address_of_no_known_interface_is_a_gap() -> None:
    assert len(read("\tinet 10.9.8.7 netmask 0xffffff00\n").gaps) == 1
    found = read(FREEBSD + "what is this\n\tinet 10.1.1.1 netmask 0xffffff00\n")
    assert len(found.gaps) == 2
    assert "10.1.1.1" not in [address for _, address, _ in found.found]


def test_an_output_without_an_interface_is_a_gap() -> None:
    assert len(read("").gaps) == 1
    assert len(read("$ ifconfig -a\n").gaps) == 1


@pytest.mark.parametrize("command", ["ifconfig em0", "ifconfig -l", "ifconfig -au", "ifconfig -ad", "ifconfig -a inet6", "ifconfig -g lo"])
def test_what_leaves_addresses_out_is_a_gap(command: str) -> None:
    assert read(FREEBSD, command).gaps


@pytest.mark.parametrize("command", ["ifconfig", "ifconfig -a", "ifconfig -A", "ifconfig -am", "ifconfig -f inet:cidr -a"])
def test_all_interfaces_leave_nothing_out(command: str) -> None:
    assert not read("$ " + command + "\n" + FREEBSD, command).gaps


def test_no_line_is_lost_whatever_the_text() -> None:
    for text in (FREEBSD, OPENBSD, NETBSD, SOLARIS):
        laws.total(ifconfig.parse, "ifconfig -a", text)
