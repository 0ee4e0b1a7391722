"""What is asked of a socket and of its holders, where the evidence tells, and what is said where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts, Gap, UnknownFact
from auditor.model import Address, Range, Socket, Stack
from auditor.owner import Owner
from auditor.policy_entries import Entry, approved, forbidden
from auditor.policy_keys import Glob
from auditor.policy_wants import AnotherFile, executable_fits
from auditor.port_range import PortRange
from auditor.yaml_nodes import parse

CART: dict[str, Any] = {
    "pid": 812, "process": "cart", "executable": "/usr/bin/cart", "user": "app", "uid": 1000, "unit": "docker.service",
    "container": "cart-1", "image": "registry/cart@sha256:0a",
}  # fmt: skip
ADDRESSES = Facts([Address(address="10.1.2.3", device="bond0"), Address(address="10.1.2.4", device="eth1")], "netlink")
HOST = Stack(name="host", kind="host", addresses=ADDRESSES)


def entry(asked: str) -> Entry:
    return approved(parse(f"{{name: x, {asked if 'port:' in asked else f'port: any, {asked}'}}}".encode(), "p.yaml"))


def socket(owner: dict[str, Any] | None = None, *without: str, **shown: Any) -> Socket:
    """tcp/10.1.2.3:443 in a container, all known but what is `without`."""
    values: dict[str, Any] = {
        "protocol": "tcp", "family": "ipv4", "address": "10.1.2.3", "port": 443, "device": None, "reach": "private",
        "owner_state": "known", "owners_seen": [Owner(**(owner or CART))], **shown,
    }  # fmt: skip
    return Socket(**{key: value for key, value in values.items() if key not in without})


def matches(asked: str, of: Socket, inside: Stack = HOST) -> bool:
    return entry(asked).matches(of, inside)


# What the evidence does not tell


@pytest.mark.parametrize(
    ("asked", "of", "reason", "fact"),
    [
        ("reach: public", socket(reach="unknown"),
         "reach is not visible: the evidence does not tell from where it can be reached", "addresses"),
        ("reach: public", socket(None, "reach"), "reach is not visible: the evidence does not show reach", "addresses"),
        ("address: 10.0.0.0/8", socket(address="10.1.2", address_cut=True),
         "address is not visible: the evidence shows only the beginning of the address", "listeners"),
        ("address: 10.0.0.0/8", socket(address="10.1.2"),
         "address is not visible: the evidence gives an address that is none: '10.1.2'", "listeners"),
        ("address: 0.0.0.0", socket(address="*"),
         "address is not visible: the evidence does not tell the family of its wildcard address", "listeners"),
        ("family: ipv4", socket(family="unknown"), "family is not visible: the evidence does not tell the family", "listeners"),
        ("family: ipv4", socket(family="ipv6", address="::"), "family is not visible: the evidence does not show v6only", "listeners"),
        ("interface: eth1", socket(None, "device"), "interface is not visible: the evidence does not show device", "listeners"),
        ("executable: /usr/bin/cart", socket({"pid": 1}), "executable is not visible: the evidence does not show executable", "owners"),
        ("user: app", socket({"pid": 1}), "user is not visible: the evidence does not show user", "owners"),
        ("user: 1000", socket({"pid": 1}), "user is not visible: the evidence does not show uid", "owners"),
        ("container: cart", socket({"pid": 1}), "container is not visible: the evidence does not show container", "owners"),
        ("user: app", socket(owners_seen=[]), "user is not visible: no holder was seen", "owners"),
        ("user: app", socket(owner_state="partial", owner_reason="3 processes could not be read"),
         "whether another user holds it too is not visible: 3 processes could not be read", "owners"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_says_which_point_and_why_and_of_which_facts(asked: str, of: Socket, reason: str, fact: str) -> None:
    with pytest.raises(UnknownFact) as caught:
        matches(asked, of)
    assert (str(caught.value), caught.value.fact) == (reason, fact)


def test_of_a_forbidden_holder_in_another_mount_namespace_the_path_is_enough() -> None:
    elsewhere = socket({**CART, "executable": "/usr/bin/cart (in another mount namespace)"})
    assert forbidden(parse(b"{executable: /usr/bin/c*}", "p.yaml")).matches(elsewhere, HOST)
    assert not matches("executable: /usr/bin/c*", elsewhere)


def test_a_program_that_the_process_may_have_chosen_is_enough_for_what_is_forbidden_and_too_little_for_what_is_approved() -> None:
    for path in ("/usr/bin/cart (in another user namespace)", "/usr/bin/cart (deleted) (in another user namespace)"):
        chosen = socket({**CART, "executable": path})
        assert forbidden(parse(b"{executable: /usr/bin/cart}", "p.yaml")).matches(chosen, HOST)
        assert not forbidden(parse(b"{executable: /usr/bin/shop}", "p.yaml")).matches(chosen, HOST)
        assert not matches("executable: /usr/bin/cart", chosen)


@pytest.mark.parametrize("mark", ["another mount namespace", "another user namespace"])
def test_that_another_file_may_run_says_so(mark: str) -> None:
    of = Owner(executable=f"/usr/bin/cart (in {mark})")
    with pytest.raises(AnotherFile) as caught:
        executable_fits((Glob("/usr/bin/c*"),), of, socket())
    assert (str(caught.value), caught.value.fact) == ("another file than the one at its path runs, or may", "owners")


@pytest.mark.parametrize("mark", ["", " (deleted)"])
@pytest.mark.parametrize("asked", ["/usr/bin/cart", "/usr/bin/c*", "[/x, /usr/bin/cart]", "'*/cart'"])
def test_no_user_namespace_takes_a_program_out_of_what_is_forbidden(asked: str, mark: str) -> None:
    forgeable = socket({**CART, "executable": f"/usr/bin/cart{mark} (in another user namespace)"})
    assert forbidden(parse(f"{{executable: {asked}}}".encode(), "p.yaml")).matches(forgeable, HOST)
    excepted = forbidden(parse(f"{{port: any, user: app, except: {{executable: {asked}}}}}".encode(), "p.yaml"))
    assert excepted.matches(forgeable, HOST)
    assert not matches(f"executable: {asked}", forgeable)


def test_the_first_of_several_unknown_points_is_told() -> None:
    with pytest.raises(UnknownFact, match=r"^reach is not visible"):
        matches("address: loopback, reach: public", socket(reach="unknown", address_cut=True))
    with pytest.raises(UnknownFact, match=r"^executable is not visible"):
        matches("user: app, executable: /usr/bin/cart", socket({"pid": 1}))
    with pytest.raises(UnknownFact, match=r"^reach is not visible"):
        matches("user: app, reach: public", socket({"pid": 1}, reach="unknown"))


# Ports that the kernel chose


def ranged(kind: str, first: int, last: int, *gaps: Gap, **of: str) -> dict[str, Facts[Range]]:
    return {kind: Facts([Range(**{"first": first, "last": last, "protocol": "any", "family": "any", **of})], "sysctl", gaps)}


NOTHING_RESERVED: dict[str, Facts[Range]] = {"reserved": Facts((), "sysctl")}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({**NOTHING_RESERVED, **ranged("ephemeral", 400, 500)}, True),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 443, 443)}, True),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 444, 500)}, False),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 400, 500, protocol="tcp")}, True),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 400, 500, protocol="udp")}, False),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 400, 500, family="ipv6")}, False),
        ({**ranged("reserved", 443, 443), **ranged("ephemeral", 400, 500)}, False),
        ({**ranged("reserved", 443, 443, protocol="tcp", family="ipv4"), **ranged("ephemeral", 400, 500)}, False),
        ({**ranged("reserved", 442, 442), **ranged("ephemeral", 400, 500)}, True),
        ({**ranged("reserved", 443, 443, protocol="udp"), **ranged("ephemeral", 400, 500)}, True),
        ({**ranged("reserved", 443, 443, family="ipv6"), **ranged("ephemeral", 400, 500)}, True),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 1, 2, Gap("cut"))}, None),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 1, 2, Gap("cut", protocol="tcp"))}, None),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 1, 2, Gap("cut", family="ipv4"))}, None),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 1, 2, Gap("cut", ports=PortRange(443, 443)))}, None),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 1, 2, Gap("cut", ports=PortRange(444, 444)))}, False),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 1, 2, Gap("cut", protocol="udp"))}, False),
        ({**NOTHING_RESERVED, **ranged("ephemeral", 1, 2, Gap("cut", family="ipv6"))}, False),
        ({**ranged("reserved", 1, 2, Gap("cut")), **ranged("ephemeral", 400, 500)}, None),
        ({**ranged("reserved", 1, 2, Gap("cut", protocol="tcp")), **ranged("ephemeral", 400, 500)}, None),
        ({**ranged("reserved", 1, 2, Gap("cut", family="ipv4")), **ranged("ephemeral", 400, 500)}, None),
        ({**ranged("reserved", 1, 2, Gap("cut", ports=PortRange(444, 444))), **ranged("ephemeral", 400, 500)}, True),
        ({**ranged("reserved", 1, 2, Gap("cut", protocol="udp")), **ranged("ephemeral", 400, 500)}, True),
        ({**ranged("reserved", 1, 2, Gap("cut", family="ipv6")), **ranged("ephemeral", 400, 500)}, True),
    ],
)
def test_a_tcp_port_counts_as_kernel_given_where_the_kernel_hands_it_out_and_does_not_keep_it(
    facts: dict[str, Facts[Range]], expected: bool | None
) -> None:
    inside = Stack(name="host", kind="host", **facts)
    for unit in ({"socket_unit": None}, {}):
        try:
            told: bool | None = matches("port: kernel-given", socket(**unit), inside)
        except UnknownFact:
            told = None
        assert told is expected
    assert matches("port: kernel-given", socket(kernel_given=True), inside)
    assert not matches("port: kernel-given", socket(socket_unit="cart.socket"), inside)


def test_of_udp_only_what_was_derived_counts() -> None:
    inside = Stack(name="host", kind="host", **NOTHING_RESERVED, **ranged("ephemeral", 400, 500))
    assert matches("port: kernel-given", socket(protocol="udp", kernel_given=True), inside)
    with pytest.raises(UnknownFact, match=r"^port is not visible: the evidence does not show kernel_given$"):
        matches("port: kernel-given", socket(protocol="udp"), inside)


# Addresses, families and interfaces


@pytest.mark.parametrize(
    ("asked", "words", "networks"),
    [
        ("address: 10.0.0.0/8", [], ["10.0.0.0/8"]),
        ("address: 10.1.2.3", [], ["10.1.2.3/32"]),
        ("address: [loopback, '*', 'fe80::/10']", ["*", "loopback"], ["fe80::/10"]),
        ("address: '::'", ["::"], []),
        ("address: 0.0.0.0", ["0.0.0.0"], []),
        ("address: 0.0.0.0/32", ["0.0.0.0"], []),
        ("address: '::/128'", ["::"], []),
        ("address: 0:0:0:0:0:0:0:0", ["::"], []),
        ("address: '::/127'", [], ["::/127"]),
        ("address: '::ffff:10.1.2.3'", [], ["10.1.2.3/32"]),
        ("address: '::ffff:0:0/96'", [], ["0.0.0.0/0"]),
        ("address: '::fffe:0:0/95'", [], ["::fffe:0:0/95"]),
        ("address: '::ffff:10.0.0.0/104'", [], ["10.0.0.0/8"]),
        ("address: '::ffff:0.0.0.0'", ["0.0.0.0"], []),
        ("address: '::ffff:0.0.0.1'", [], ["0.0.0.1/32"]),
        ("address: '::ffff:0.0.0.0/127'", [], ["0.0.0.0/31"]),
        ("address: '2001:db8::/127'", [], ["2001:db8::/127"]),
        ("address: 10.0.0.0/008", [], ["10.0.0.0/8"]),
    ],
)  # fmt: skip
def test_an_address_is_a_word_or_a_block(asked: str, words: list[str], networks: list[str]) -> None:
    want = entry(asked).wanted["address"]
    assert (sorted(want.words), [str(network) for network in want.networks]) == (words, networks)


@pytest.mark.parametrize(
    ("asked", "of", "expected"),
    [
        ("address: 'fe80::/10'", {"family": "ipv6", "address": "fe80::1%eth0"}, True),
        ("address: 10.0.0.0/8", {"address": "10.1.2.3%eth0"}, True),
        ("address: loopback", {"address": "127.0.0.1"}, True),
        ("address: 127.0.0.0/8", {"address": "127.0.0.1"}, True),
        ("address: loopback", {"address": "10.1.2.3"}, False),
        ("address: 0.0.0.0", {"address": "*"}, None),
        ("address: '::'", {"address": "*"}, None),
        ("address: loopback", {"address": "*"}, False),
        ("family: ipv6", {"family": "ipv6", "address": "::ffff:10.1.2.3"}, False),
        ("family: ipv4", {"family": "ipv6", "address": "::ffff:10.1.2.3", "address_cut": True}, False),
        ("family: ipv6", {"family": "ipv6", "address": "::ffff:10.1.2.3", "address_cut": True}, True),
        ("family: ipv6", {"family": "ipv4", "address": "::", "v6only": False}, False),
        ("family: ipv4", {"family": "ipv6", "address": "fe80::1", "v6only": False}, False),
        ("reach: [private, public]", {}, True),
        ("interface: bond0", {}, True),
        ("interface: eth1", {}, False),
        ("interface: eth1", {"address": "10.1.2.4"}, True),
        ("interface: bond0", {"address": "*"}, False),
        ("interface: bond0", {"address": "::"}, False),
        ("interface: bond0", {"address": "10.1.2.3", "zone": "eth9"}, True),
        ("interface: eth9", {"address": "10.1.2.3", "zone": "eth9"}, False),
        ("interface: eth9", {"family": "ipv6", "address": "fe80::1", "zone": "eth9"}, True),
        ("interface: eth9", {"family": "ipv6", "address": "fe80::1"}, False),
        ("interface: bond0", {"device": "eth1"}, False),
        ("interface: eth1", {"device": "eth1"}, True),
    ],
)
def test_where_a_socket_is_bound(asked: str, of: dict[str, Any], expected: bool | None) -> None:
    try:
        told: bool | None = matches(asked, socket(**of))
    except UnknownFact:
        told = None
    assert told is expected


@pytest.mark.parametrize("protocol", ["tcp", "udp", "sctp", "udplite", "dccp"])
def test_each_protocol_that_can_be_asked_for_is_told_from_the_others(protocol: str) -> None:
    assert matches(f"protocol: {protocol}", socket(protocol=protocol))
    assert not matches(f"protocol: {protocol}", socket(protocol="icmp"))
    assert "protocol" not in entry(f"protocol: [{protocol}, any]").wanted


def test_a_list_with_any_in_it_asks_nothing() -> None:
    assert "port" not in entry("port: [22, any]").wanted
    assert "address" not in entry("address: [10.1.2.3, any]").wanted


# Holders


@pytest.mark.parametrize(
    ("asked", "of", "expected"),
    [
        ("cart-1", {}, True),
        ("cart-*", {}, True),
        ("[shop, cart-*]", {}, True),
        ("shop", {}, False),
        ("cart-1", {"container": None}, False),
        ("'*'", {"container": None}, False),
        ("{name: cart-1}", {}, True),
        ("{name: [shop, cart-1]}", {}, True),
        ("{name: shop}", {}, False),
        ("{image: registry/cart@*}", {}, True),
        ("{image: [registry/shop@*, registry/cart@*]}", {}, True),
        ("{image: registry/shop@*}", {}, False),
        ("{image: '*'}", {"image": None}, False),
        ("{image: cart-1}", {}, False),
        ("{name: registry/cart@*}", {}, False),
        ("{name: cart-1, image: registry/cart@*}", {}, True),
        ("{name: cart-1, image: registry/shop@*}", {}, False),
        ("{name: shop, image: registry/cart@*}", {}, False),
        ("{image: '*'}", {"container": None, "image": None}, False),
    ],
)
def test_container(asked: str, of: dict[str, Any], expected: bool) -> None:
    assert matches(f"container: {asked}", socket({**CART, **of})) is expected


def test_the_image_is_asked_for_only_where_the_policy_asks_for_it() -> None:
    nameless = {key: value for key, value in CART.items() if key != "image"}
    assert matches("container: cart-1", socket(nameless))
    assert not matches("container: {name: shop, image: registry/*}", socket(nameless))
    with pytest.raises(UnknownFact, match=r"^container is not visible: the evidence does not show image$"):
        matches("container: {name: cart-1, image: registry/*}", socket(nameless))


@pytest.mark.parametrize(
    ("asked", "of", "expected"),
    [
        ("/usr/bin/cart", {}, True),
        ("'*'", {"executable": None}, False),
        ("'*/cart'", {}, True),
        ("deleted", {"executable": "/usr/bin/cart (deleted)"}, True),
        ("deleted", {"executable": "/usr/bin/cart"}, False),
        ("[deleted, /usr/bin/shop]", {"executable": "/usr/bin/shop"}, True),
        ("/usr/bin/cart", {"executable": "/usr/bin/cart (deleted)"}, True),
        ("'/usr/bin/cart (deleted)'", {"executable": "/usr/bin/cart (deleted)"}, True),
        ("'/usr/bin/cart (deleted)'", {"executable": "/usr/bin/cart"}, False),
        ("/usr/bin/cart", {"executable": "/usr/bin/cart (in another mount namespace)"}, False),
        ("/usr/bin/*", {"executable": "/usr/bin/cart (in another mount namespace)"}, False),
        ("'*'", {"executable": "/usr/bin/cart (in another mount namespace)"}, True),
        ("'**'", {"executable": "/usr/bin/cart (in another mount namespace)"}, True),
        ("[/usr/bin/*, '*']", {"executable": "/usr/bin/cart (in another mount namespace)"}, True),
        ("'*/cart (in another mount namespace)'", {"executable": "/usr/bin/cart (in another mount namespace)"}, True),
        ("'/usr/* (in another mount namespace)*'", {"executable": "/usr/bin/cart (in another mount namespace)"}, True),
        ("deleted", {"executable": "/usr/bin/cart (deleted) (in another mount namespace)"}, True),
        ("/usr/bin/cart", {"executable": "/usr/bin/cart (in another user namespace)"}, False),
        ("/usr/bin/cart", {"executable": "/usr/bin/cart (deleted) (in another user namespace)"}, False),
        ("[/usr/bin/*, /usr/bin/cart]", {"executable": "/usr/bin/cart (in another user namespace)"}, False),
        ("'*'", {"executable": "/usr/bin/cart (in another user namespace)"}, True),
        ("'/usr/bin/* (in another user namespace)'", {"executable": "/usr/bin/cart (in another user namespace)"}, True),
        ("'/usr/bin/* (in another mount namespace)'", {"executable": "/usr/bin/cart (in another user namespace)"}, False),
        ("'/usr/* (in another user namespace)*'", {"executable": "/usr/bin/cart (in another user namespace)"}, True),
        ("deleted", {"executable": "/usr/bin/cart (deleted) (in another user namespace)"}, True),
    ],
)
def test_executable(asked: str, of: dict[str, Any], expected: bool) -> None:
    assert matches(f"executable: {asked}", socket({**CART, **of})) is expected


@pytest.mark.parametrize(
    ("asked", "of", "expected"),
    [
        ("1000", {}, True),
        ("01000", {}, True),
        ("1001", {}, False),
        ("9999999999", {"uid": 9999999999}, True),
        ("root", {"user": "toor", "uid": 0}, True),
        ("root", {"user": "root", "uid": 7}, False),
        ("toor", {"user": "toor", "uid": 0}, True),
        ("[toor, app]", {}, True),
        ("{not: [toor, app]}", {}, False),
        ("{not: toor}", {}, True),
    ],
)
def test_user(asked: str, of: dict[str, Any], expected: bool) -> None:
    assert matches(f"user: {asked}", socket({**CART, **of})) is expected


@pytest.mark.parametrize(
    ("asked", "of", "more", "expected"),
    [
        ("cart.service", {"unit": "cart.service"}, {}, True),
        ("cart.service", {"unit": None}, {}, False),
        ("'*'", {"unit": None}, {}, False),
        ("[a.service, cart.socket]", {"pid": 1, "unit": None}, {"socket_unit": "cart.socket", "activates": None}, True),
        ("cart.service", {"pid": 1, "unit": None}, {"socket_unit": "cart.socket", "activates": "cart.service"}, True),
        ("cart.service", {"pid": 2, "unit": None}, {"socket_unit": "cart.socket", "activates": "cart.service"}, False),
        ("cart.service", {"pid": 1, "unit": None}, {"socket_unit": None, "activates": None}, False),
    ],
)
def test_unit(asked: str, of: dict[str, Any], more: dict[str, Any], expected: bool) -> None:
    assert matches(f"unit: {asked}", socket({**CART, **of}, **more)) is expected
