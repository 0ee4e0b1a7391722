"""Whether a socket is what an entry asks for: yes, no, or the evidence does not show it; and never yes by what is not seen."""

# ruff: noqa: S108 - addresses and paths are compared here, nothing is bound or written

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts import Facts, Gap, UnknownFact
from auditor.model import Address, Range, Socket, Stack
from auditor.owner import Owner
from auditor.policy_entries import Entry, approved, forbidden
from auditor.policy_keys import Glob
from auditor.port_range import PortRange
from auditor.yaml_nodes import parse

NGINX: dict[str, Any] = {
    "pid": 812,
    "process": "nginx",
    "executable": "/usr/sbin/nginx",
    "user": "www-data",
    "uid": 33,
    "unit": "nginx.service",
    "container": None,
}
ROGUE = {
    "pid": 666,
    "process": "nginx",
    "executable": "/tmp/nginx",
    "user": "eve",
    "uid": 1001,
    "unit": "cron.service",
    "container": None,
}


def entry(asked: str) -> Entry:
    return approved(parse(f"{{name: x, port: any, {asked}}}".encode(), "p.yaml"))


def prohibition(asked: str) -> Entry:
    return forbidden(parse(f"{{{asked}}}".encode(), "p.yaml"))


def socket(*owners: dict[str, Any], without: tuple[str, ...] = (), **shown: Any) -> Socket:
    """tcp/10.1.2.3:443, held by `owners` (nginx, unless given), all known."""
    values: dict[str, Any] = {
        "protocol": "tcp", "family": "ipv4", "address": "10.1.2.3", "port": 443, "kernel_given": False, "device": None,
        "reach": "private", "owner_state": "known", "socket_unit": None, "activates": None,
        "owners_seen": [Owner(**owner) for owner in owners or (NGINX,)], **shown,
    }  # fmt: skip
    return Socket(**{key: value for key, value in values.items() if key not in without})


def stack(*addresses: tuple[str, str], gaps: tuple[Gap, ...] = (), name: str = "host") -> Stack:
    return Stack(name=name, kind="host", addresses=Facts([Address(address=a, device=d) for a, d in addresses], "netlink", gaps))


HOST = stack(("10.1.2.3", "bond0"), ("192.168.0.1", "eth1"), ("127.0.0.1", "lo"))


def answer(asked: str | Entry, subject: Socket, inside: Stack = HOST) -> bool | None:
    """True, False, or None for unknown."""
    try:
        return (entry(asked) if isinstance(asked, str) else asked).matches(subject, inside)
    except UnknownFact:
        return None


def without(owner: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in owner.items() if key not in keys}


# One criterion at a time


@pytest.mark.parametrize(
    ("port", "shown", "expected"),
    [
        ("443", {}, True),
        ("[80, 400-500]", {}, True),
        ("444", {}, False),
        ("any", {}, True),
        ("kernel-given", {}, False),
        ("kernel-given", {"kernel_given": True}, True),
        ("[443, kernel-given]", {}, True),
        ("[22, kernel-given]", {"kernel_given": True}, True),
        ("[22, kernel-given]", {}, False),
    ],
)
def test_port(port: str, shown: dict[str, Any], expected: bool) -> None:
    asked = approved(parse(f"{{name: x, port: {port}}}".encode(), "p.yaml"))
    assert answer(asked, socket(**shown)) is expected


def test_a_kernel_given_port_is_unknown_where_the_evidence_does_not_tell() -> None:
    asked = approved(parse(b"{name: x, port: kernel-given}", "p.yaml"))
    assert answer(asked, socket(without=("kernel_given",))) is None
    either = approved(parse(b"{name: x, port: [443, kernel-given]}", "p.yaml"))
    assert answer(either, socket(without=("kernel_given",))) is True


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"port": 40000}, True),
        ({"port": 40000, "socket_unit": "app.socket"}, False),
        ({"port": 40000, "family": "ipv6"}, False),
        ({"port": 443}, False),
        ({"port": 50000}, False),
        ({"port": 55000}, None),
    ],
)
def test_a_tcp_port_is_kernel_given_where_the_kernel_hands_it_out_and_no_unit_declares_it(
    shown: dict[str, Any], expected: bool | None
) -> None:
    asked = approved(parse(b"{name: x, port: kernel-given}", "p.yaml"))
    alike = {"protocol": "any", "family": "ipv4"}
    ephemeral = Facts([Range(first=32768, last=60999, **alike)], "sysctl")
    reserved = Facts([Range(first=50000, last=50009, **alike)], "sysctl", [Gap("cut", ports=PortRange(55000, 55001))])
    inside = Stack(name="host", kind="host", ephemeral=ephemeral, reserved=reserved)
    assert answer(asked, socket(without=("kernel_given",), **shown), inside) is expected


@pytest.mark.parametrize(
    ("asked", "bound", "expected"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("[192.168.0.1, 10.0.0.0/8]", "10.1.2.3", True),
        ("10.0.0.0/8", "0.0.0.0", False),
        ("0.0.0.0/0", "0.0.0.0", False),
        ("0.0.0.0/0", "10.1.2.3", True),
        ("'::/0'", "::", False),
        ("'::/0'", "10.1.2.3", False),
        ("any", "0.0.0.0", True),
        ("any", "10.1.2.3", True),
        ("'*'", "0.0.0.0", True),
        ("'*'", "::", True),
        ("'*'", "*", True),
        ("'*'", "10.1.2.3", False),
        ("0.0.0.0", "0.0.0.0", True),
        ("0.0.0.0", "::", False),
        ("0.0.0.0/32", "0.0.0.0", True),
        ("'::'", "::", True),
        ("'::'", "0.0.0.0", False),
        ("'::'", "::1", False),
        ("0.0.0.0", "*", None),
        ("[0.0.0.0, '::']", "*", True),
        ("10.0.0.0/8", "*", False),
        ("loopback", "127.0.0.53", True),
        ("loopback", "::1", True),
        ("loopback", "::ffff:127.0.0.1", True),
        ("loopback", "10.1.2.3", False),
        ("loopback", "0.0.0.0", False),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("'::ffff:10.1.2.3'", "10.1.2.3", True),
        ("'::ffff:10.0.0.0/104'", "10.1.2.3", True),
        ("0.0.0.0", "::ffff:0.0.0.0", True),
        ("10.0.0.0/8", "::ffff:0.0.0.0", False),
        ("'fe80::/10'", "fe80::1%eth0", True),
        ("'2001:db8::/32'", "2001:0DB8:0::1", True),
        ("10.0.0.0/8", "garbage", None),
    ],
)
def test_address_is_the_one_it_is_bound_to(asked: str, bound: str, expected: bool | None) -> None:
    assert answer(f"address: {asked}", socket(address=bound)) is expected


def test_an_address_that_was_cut_is_unknown() -> None:
    assert answer("address: 10.0.0.0/8", socket(address="2001:db8::3", address_cut=True)) is None


@pytest.mark.parametrize(
    ("family", "shown", "expected"),
    [
        ("ipv4", {}, True),
        ("ipv6", {}, False),
        ("ipv6", {"family": "ipv6", "address": "::1"}, True),
        ("ipv4", {"family": "ipv6", "address": "::1"}, False),
        ("ipv4", {"family": "ipv6", "address": "::", "v6only": False}, True),
        ("ipv6", {"family": "ipv6", "address": "::", "v6only": False}, True),
        ("ipv4", {"family": "ipv6", "address": "::", "v6only": True}, False),
        ("ipv4", {"family": "ipv6", "address": "::"}, None),
        ("ipv6", {"family": "ipv6", "address": "::"}, True),
        ("ipv4", {"family": "ipv6", "address": "::ffff:10.1.2.3"}, True),
        ("ipv6", {"family": "ipv6", "address": "::ffff:10.1.2.3"}, False),
        ("ipv4", {"family": "unknown", "address": "*"}, None),
    ],
)
def test_family_is_that_of_the_traffic_it_serves(family: str, shown: dict[str, Any], expected: bool | None) -> None:
    assert answer(f"family: {family}", socket(**shown)) is expected


@pytest.mark.parametrize(
    ("interface", "shown", "expected"),
    [
        ("bond0", {}, True),
        ("[eth9, bond0]", {}, True),
        ("eth1", {}, False),
        ("bond0", {"device": "bond0", "address": "0.0.0.0"}, True),
        ("bond0", {"device": "eth1"}, False),
        ("bond0", {"address": "0.0.0.0"}, False),
        ("lo", {"address": "127.0.0.1"}, True),
        ("eth0", {"family": "ipv6", "address": "fe80::1", "zone": "eth0"}, True),
        ("eth1", {"family": "ipv6", "address": "fe80::1", "zone": "eth0"}, False),
    ],
)
def test_interface_is_the_device_or_the_one_that_has_the_address(interface: str, shown: dict[str, Any], expected: bool) -> None:
    assert answer(f"interface: {interface}", socket(**shown)) is expected


def test_interface_is_unknown_while_addresses_or_the_device_are_not_known() -> None:
    gap = (Gap("netlink refused"),)
    assert answer("interface: eth7", socket(), stack(("10.1.2.3", "bond0"), gaps=gap)) is None
    assert answer("interface: bond0", socket(), stack(("10.1.2.3", "bond0"), gaps=gap)) is True
    assert answer("interface: bond0", socket(), Stack(name="host", kind="host")) is None
    assert answer("interface: eth7", socket(without=("device",))) is None
    assert answer("interface: bond0", socket(without=("device",))) is True


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("protocol: tcp", True),
        ("protocol: [udp, tcp]", True),
        ("protocol: udp", False),
        ("protocol: any", True),
        ("reach: private", True),
        ("reach: [public, link]", False),
        ("stack: host", True),
        ("stack: container:*", False),
        ("process: nginx", True),
        ("process: apache", False),
        ("executable: /usr/sbin/nginx", True),
        ("executable: /usr/*/nginx", True),
        ("executable: /usr/sbin/ngin", False),
        ("executable: [/usr/sbin/apache2, /usr/sbin/nginx]", True),
        ("executable: deleted", False),
        ("user: www-data", True),
        ("user: 33", True),
        ("user: 34", False),
        ("user: [root, www-data]", True),
        ("user: root", False),
        ("user: {not: root}", True),
        ("user: {not: [root, www-data]}", False),
        ("unit: nginx.service", True),
        ("unit: nginx*", True),
        ("unit: nginx", False),
        ("container: cart-*", False),
    ],
)
def test_the_other_criteria(asked: str, expected: bool) -> None:
    assert answer(asked, socket()) is expected


def test_the_names_root_goes_by_do_not_matter_where_its_number_is_shown() -> None:
    toor = {**NGINX, "user": "toor", "uid": 0}
    assert answer("user: root", socket(toor)) is True
    assert answer("user: {not: root}", socket(toor)) is False
    assert answer("user: root", socket({**NGINX, "user": "root", "uid": 1000})) is False
    assert answer("user: root", socket(without({**NGINX, "user": "root"}, "uid"))) is True


def test_a_deleted_executable_is_known_by_the_kernels_mark_and_still_by_its_path() -> None:
    upgraded = socket({**NGINX, "executable": "/usr/sbin/nginx (deleted)"})
    assert answer("executable: deleted", upgraded) is True
    assert answer("executable: /usr/sbin/nginx", upgraded) is True
    assert answer("executable: /usr/sbin/apache2", upgraded) is False


def test_where_another_file_runs_than_the_one_at_its_path_the_path_approves_nothing_and_still_forbids() -> None:
    forged = {**NGINX, "executable": "/usr/sbin/nginx (in another mount namespace)"}
    gone = {**NGINX, "executable": "/usr/sbin/nginx (deleted) (in another mount namespace)"}
    for one in (forged, gone):
        assert answer("executable: /usr/sbin/nginx", socket(one)) is False
        assert answer("executable: /usr/sbin/*", socket(one)) is False
        assert answer("executable: [/usr/sbin/*, '*']", socket(one)) is True
        assert answer("executable: '/usr/sbin/* (in another mount namespace)'", socket(one)) is True
        assert answer(prohibition("executable: /usr/sbin/*"), socket(one)) is True
        assert answer(prohibition("executable: /usr/sbin/*, user: nobody"), socket(one)) is False
    assert (answer("executable: deleted", socket(forged)), answer("executable: deleted", socket(gone))) == (False, True)


def test_the_name_a_process_gives_itself_is_no_executable() -> None:
    liar = {**ROGUE, "process": "/usr/sbin/nginx"}
    assert answer("executable: /usr/sbin/nginx", socket(liar)) is False
    assert answer("process: /usr/sbin/nginx", socket(liar)) is True
    assert answer("executable: /usr/sbin/nginx", socket(without(liar, "executable"))) is None


def test_no_executable_is_not_any_executable() -> None:
    assert answer("executable: '*'", socket({**NGINX, "executable": None})) is False


# Units of sockets that process 1 holds

INIT = {
    "pid": 1,
    "process": "systemd",
    "executable": "/usr/lib/systemd/systemd",
    "user": "root",
    "uid": 0,
    "unit": "init.scope",
    "container": None,
}


@pytest.mark.parametrize("unit", ["ssh.socket", "ssh.service", "init.scope"])
def test_a_socket_that_process_1_holds_goes_by_its_socket_unit_and_its_service(unit: str) -> None:
    held = socket(INIT, socket_unit="ssh.socket", activates="ssh.service")
    assert answer(f"unit: {unit}", held) is True
    assert answer("unit: nginx.service", held) is False


def test_another_holder_cannot_borrow_the_socket_unit() -> None:
    held = socket(INIT, ROGUE, socket_unit="ssh.socket", activates="ssh.service")
    assert answer("unit: ssh.service", held) is False
    started = {**NGINX, "unit": "ssh.service"}
    assert answer("unit: [ssh.service, ssh.socket]", socket(INIT, started, socket_unit="ssh.socket", activates=None)) is True


def test_the_unit_of_what_process_1_holds_is_unknown_where_its_socket_unit_is() -> None:
    assert answer("unit: ssh.service", socket(INIT, without=("socket_unit", "activates"))) is None
    assert answer("unit: ssh.service", socket(INIT, socket_unit="ssh.socket", without=("activates",))) is None
    assert answer("unit: ssh.service", socket(NGINX, without=("socket_unit", "activates"))) is False


def test_a_holder_without_a_number_might_be_process_1() -> None:
    nameless = without(NGINX, "pid")
    assert answer("unit: ssh.service", socket(nameless, socket_unit="ssh.socket", activates="ssh.service")) is None
    assert answer("unit: nginx.service", socket(nameless, socket_unit="ssh.socket", activates="ssh.service")) is True
    assert answer("unit: ssh.service", socket(nameless)) is False


# Several holders, and holders that are not visible


@pytest.mark.parametrize("asked", ["executable: /usr/sbin/nginx", "user: www-data", "unit: nginx.service", "user: {not: eve}"])
def test_a_rogue_second_holder_does_not_hide_behind_the_approved_one(asked: str) -> None:
    assert answer(asked, socket(NGINX, NGINX)) is True
    assert answer(asked, socket(NGINX, ROGUE)) is False
    assert answer(asked, socket(ROGUE, NGINX)) is False


@pytest.mark.parametrize("asked", ["executable: /tmp/*", "user: eve", "user: {not: www-data}", "executable: /tmp/*, user: eve"])
def test_a_forbidden_holder_does_not_hide_behind_a_decent_one(asked: str) -> None:
    assert answer(prohibition(asked), socket(NGINX)) is False
    assert answer(prohibition(asked), socket(NGINX, ROGUE)) is True
    assert answer(prohibition(asked), socket(ROGUE, NGINX)) is True


def test_what_is_forbidden_of_one_holder_is_not_put_together_from_two() -> None:
    assert answer(prohibition("executable: /tmp/*, user: www-data"), socket(NGINX, ROGUE)) is False


def test_while_not_all_holders_were_seen_an_approval_is_unknown_and_a_difference_is_one() -> None:
    partial: Any = {"owner_state": "partial", "owner_reason": "3 processes could not be read"}
    assert answer("executable: /usr/sbin/nginx", socket(NGINX, **partial)) is None
    assert answer("executable: /usr/sbin/nginx", socket(NGINX, ROGUE, **partial)) is False
    assert answer(prohibition("executable: /tmp/*"), socket(NGINX, **partial)) is None
    assert answer(prohibition("executable: /tmp/*"), socket(NGINX, ROGUE, **partial)) is True


@pytest.mark.parametrize("state", ["known", "unreadable", "none"])
def test_no_visible_holder_fits_nothing_and_is_no_difference(state: str) -> None:
    nobody = socket(owner_state=state, owners_seen=[])
    assert answer("executable: '*'", nobody) is None
    assert answer("user: {not: root}", nobody) is None
    assert answer(prohibition("executable: /tmp/*"), nobody) is None
    assert answer("protocol: tcp", nobody) is True


def test_one_known_difference_settles_it_whatever_else_is_unknown() -> None:
    blind = socket(without=("owners_seen", "owner_state", "reach"))
    assert answer("reach: public, executable: /usr/sbin/nginx, protocol: udp", blind) is False
    assert answer("reach: public, executable: /usr/sbin/nginx, protocol: tcp", blind) is None
    assert answer("user: eve, executable: /usr/sbin/nginx", socket(without(NGINX, "executable"))) is False


@pytest.mark.parametrize("key", ["executable", "user", "unit", "container", "process"])
def test_a_key_that_the_evidence_does_not_show_is_unknown(key: str) -> None:
    wanted = {"executable": "/usr/sbin/nginx", "user": "www-data", "unit": "nginx.service", "container": "c", "process": "nginx"}[key]
    assert answer(f"{key}: {wanted}", socket(without(NGINX, key))) is None


@pytest.mark.parametrize("key", ["protocol", "port", "address", "reach", "family"])
def test_a_socket_that_does_not_show_what_is_asked_is_unknown(key: str) -> None:
    asked = approved(parse(b"{name: x, port: 443, protocol: tcp, address: 10.0.0.0/8, reach: private, family: ipv4}", "p.yaml"))
    assert answer(asked, socket()) is True
    assert answer(asked, socket(without=(key,))) is None


def test_the_unknown_says_which_point_and_why_and_no_socket_so_that_equal_reasons_stay_together() -> None:
    hidden = socket(owners_seen=[], owner_state="unreadable", owner_reason="no permission to read /proc/812/fd")
    with pytest.raises(UnknownFact) as caught:
        entry("executable: /usr/sbin/nginx").matches(hidden, HOST)
    assert str(caught.value) == "executable is not visible: no permission to read /proc/812/fd"


# Exceptions to what is forbidden


def test_an_exception_holds_for_every_holder_or_not_at_all() -> None:
    asked = prohibition("port: [443, 514], except: [{executable: /usr/sbin/nginx}, {address: loopback}]")
    assert answer(asked, socket(NGINX)) is False
    assert answer(asked, socket(ROGUE)) is True
    assert answer(asked, socket(NGINX, ROGUE)) is True
    assert answer(asked, socket(ROGUE, address="127.0.0.1")) is False
    assert answer(asked, socket(ROGUE, port=80)) is False


def test_an_exception_is_asked_of_the_same_stack() -> None:
    for asked in ("stack: host", "interface: bond0"):
        assert answer(prohibition(f"port: 443, except: {{{asked}}}"), socket(ROGUE)) is False
    assert answer(prohibition("port: 443, except: {stack: blue}"), socket(ROGUE)) is True
    assert answer(prohibition("port: 443, except: {stack: blue}"), socket(ROGUE), stack(name="blue")) is False


def test_an_exception_that_cannot_be_judged_makes_it_unknown() -> None:
    asked = prohibition("port: 443, except: {executable: /usr/sbin/nginx}")
    assert answer(asked, socket(without(NGINX, "executable"))) is None
    assert answer(asked, socket(without(NGINX, "executable"), port=80)) is False


# What must hold for anything

SHOWABLE = [
    "protocol",
    "family",
    "address",
    "port",
    "kernel_given",
    "device",
    "reach",
    "owner_state",
    "socket_unit",
    "activates",
    "owners_seen",
]
ASKED = st.sampled_from([
    "protocol: tcp", "address: 10.0.0.0/8", "address: loopback", "interface: bond0", "reach: private", "reach: public", "family: ipv4",
    "executable: /usr/sbin/nginx", "executable: /tmp/*", "user: {not: root}", "user: 33", "unit: nginx.service", "container: c",
    "process: nginx",
])  # fmt: skip


@given(st.lists(ASKED, min_size=1, max_size=4, unique_by=lambda text: text.partition(":")[0]), st.sets(st.sampled_from(SHOWABLE)),
       st.sets(st.sampled_from(sorted(NGINX))), st.booleans())  # fmt: skip
def test_showing_less_never_turns_a_no_into_a_yes_or_a_yes_into_a_no(
    asked: list[str], hidden: set[str], hidden_of_owner: set[str], bad: bool
) -> None:
    less = socket(without(NGINX, *hidden_of_owner), without=tuple(hidden))
    rule = prohibition(", ".join(asked)) if bad else entry(", ".join(asked))
    assert answer(rule, less) in (None, answer(rule, socket()))


# Globs


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("a*a", "a", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("a*b*b*c", "a-b-c", False),
        ("a*b*b*c", "abbc", True),
        ("a*b*b", "ab", False),
        ("a*b*c*d", "abcbd", True),
        ("tcp/[::]:*", "tcp/[::]:80", True),
        ("tcp/[::]:*", "tcp/::80", False),
        ("a?c", "abc", False),
        ("a?c", "a?c", True),
        ("a.c", "abc", False),
        ("**", "x", True),
        ("", "", True),
        ("", "x", False),
        ("web-*", "web-07\n", True),
        ("web-07", "web-07\n", False),
        ("WEB", "web", False),
    ],
)
def test_only_the_star_is_special(pattern: str, text: str, expected: bool) -> None:
    assert Glob(pattern).fits(text) is expected


@given(st.text("ab*[", max_size=8), st.text("ab[", max_size=10))
def test_a_glob_fits_what_its_definition_says(pattern: str, text: str) -> None:
    def fits(rest: str, left: str) -> bool:
        if not rest:
            return not left
        if rest[0] == "*":
            return any(fits(rest[1:], left[n:]) for n in range(len(left) + 1))
        return left[:1] == rest[0] and fits(rest[1:], left[1:])

    assert Glob(pattern).fits(text) is fits(pattern, text)


def test_a_hostile_glob_takes_no_time() -> None:
    start = time.perf_counter()
    assert not Glob("*a" * 2000 + "b").fits("a" * 100_000)
    assert not Glob(("a" * 50 + "*") * 200 + "b*").fits("a" * 100_000)
    assert time.perf_counter() - start < 1


# In what it differs


@pytest.mark.parametrize(
    ("asked", "subject", "keys"),
    [
        ("port: 443, user: root, address: 10.0.0.5, executable: /usr/sbin/nginx", socket(), ["address", "user"]),
        ("port: 80, protocol: udp, stack: web", socket(), ["protocol", "port", "stack"]),
        ("port: 443, user: www-data, unit: nginx.service", socket(), []),
        ("port: any, user: root, unit: cron.service", socket(without(NGINX, "user", "uid")), ["unit"]),
        ("port: 80, address: 10.0.0.5", socket(address_cut=True), ["port"]),
        ("port: 443, executable: /usr/sbin/nginx, unit: nginx.service", socket(NGINX, ROGUE), ["executable", "unit"]),
        ("port: 443, executable: /usr/sbin/nginx, user: root", socket(owners_seen=[]), []),
    ],
)
def test_it_differs_in_what_does_not_fit_and_what_is_unknown_is_not_named(asked: str, subject: Socket, keys: list[str]) -> None:
    assert approved(parse(f"{{name: x, {asked}}}".encode(), "p.yaml")).differs_in(subject, HOST) == keys
