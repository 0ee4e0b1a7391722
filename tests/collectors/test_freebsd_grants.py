"""FreeBSD: who may take privileged ports, by the kernel's own range, mac_portacl, mac_ntpd and the jails' permission."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from auditor.binding import Grant
from auditor.evidence import Answer
from auditor.facts import Facts
from auditor.model import Snapshot
from tests.bundles import interpreted, stack_of
from tests.collectors.told import bundled, own, steps, ways, whys
from tests.saved_hosts import FREEBSD

PORTRANGE = "net.inet.ip.portrange."
MAC = "security.mac."
JAILS = "jls -n jid name allow.reserved_ports"
VNET = "jls -n jid name vnet"
UNKNOWN = "jls: unknown parameter: allow.reserved_ports\n"


def host(texts: dict[str, str] | None = None, missing: dict[str, str] | None = None, **settings: str) -> Snapshot:
    """The rich host with other settings (`portacl__enabled` is security.mac.portacl.enabled, `reservedhigh` one of portrange) and texts."""
    values = {(MAC if "__" in name else PORTRANGE) + name.replace("__", "."): value for name, value in settings.items()}
    told = FREEBSD.texts | {f"sysctl {name}": f"{name}: {value}\n" for name, value in values.items()} | (texts or {})
    lost = missing or {}
    return interpreted(
        replace(FREEBSD, texts={k: v for k, v in told.items() if k not in lost}, missing={**FREEBSD.missing, **lost}).bundle()
    )


def grants(texts: dict[str, str] | None = None, missing: dict[str, str] | None = None, **settings: str) -> Facts[Grant]:
    return own(host(texts, missing, **settings)).grants


def portacl(rules: str = "", enabled: str = "1", high: str = "1023", exempt: str = "1") -> dict[str, str]:
    return {"portacl__enabled": enabled, "portacl__port_high": high, "portacl__suser_exempt": exempt, "portacl__autoport_exempt": "1",
            "portacl__rules": rules}  # fmt: skip


NO_JAILS = {VNET: "", JAILS: ""}


# Root and the threshold


def test_as_it_is_shipped_root_alone_may() -> None:
    known = grants(NO_JAILS)
    assert (ways(known), known.gaps, known.basis) == ({"root root": "root: 1-1023"}, (), "derived")
    (root,) = known.seen
    assert (root.root, root.everyone, root.uid) == (True, False, 0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("0", "79", {"root root": "root: 1-79", f"threshold {PORTRANGE}reservedhigh": "everyone: 80-1023"}),
        ("600", "1023", {"root root": "root: 600-1023", f"threshold {PORTRANGE}reservedhigh": "everyone: 1-599"}),
        ("0", "0", {f"threshold {PORTRANGE}reservedhigh": "everyone: 1-1023"}),
        ("0", "2000", {"root root": "root: 1-2000"}),
    ],
)
def test_what_the_kernel_does_not_reserve_is_everybodys(low: str, high: str, expected: dict[str, str]) -> None:
    known = grants(NO_JAILS, reservedlow=low, reservedhigh=high)
    assert (ways(known), known.gaps) == (expected, ())
    if f"threshold {PORTRANGE}reservedhigh" in expected:
        said = steps(known, f"threshold {PORTRANGE}reservedhigh")
        assert said.startswith(f"{PORTRANGE}reservedlow is {low} and {PORTRANGE}reservedhigh {high}; ")
        assert [one.everyone for one in known.seen if one.path == "threshold"] == [True]


def test_without_the_range_nothing_is_said_of_who_may() -> None:
    known = grants(NO_JAILS, {f"sysctl {PORTRANGE}reservedhigh": "sysctl: killed\n"})
    assert ways(known) == {}
    assert "reservedhigh" in whys(known)


# mac_portacl


def test_a_rule_gives_its_port_to_its_user_where_the_kernel_reserves_it_no_more() -> None:
    known = grants(NO_JAILS, reservedhigh="0", **portacl("uid:80:tcp:80,gid:1001:udp:514"))
    assert (ways(known), known.gaps) == (
        {
            "root root": "root: 1-1023",
            "portacl uid:80:tcp:80": "user 80: 80 (tcp)",
            "portacl gid:1001:udp:514": "group 1001: 514 (udp)",
        },
        (),
    )
    user, group = (one for one in known.seen if one.path == "portacl")
    assert (user.uid, group.uid, group.user) == (80, None, None)
    assert "user" not in user.shown, "no answer lists the accounts"


def test_the_ports_up_to_port_high_are_not_everybodys_although_the_kernel_reserves_none() -> None:
    assert not any(one.everyone for one in grants(reservedhigh="0", **portacl()).seen)
    opened = grants(NO_JAILS, reservedhigh="0", **portacl(high="79"))
    assert ways(opened) == {"root root": "root: 1-79", f"threshold {PORTRANGE}reservedhigh": "everyone: 80-1023"}
    assert f"asks for a rule for each port up to 79 ({MAC}portacl.port_high)" in steps(opened, f"threshold {PORTRANGE}reservedhigh")


@pytest.mark.parametrize(
    ("high", "acl", "why"),
    [
        ("1023", portacl("uid:80:tcp:80"), f"{PORTRANGE}reservedlow is 0 and {PORTRANGE}reservedhigh 1023: the kernel keeps tcp/80 for"),
        ("80", portacl("uid:80:tcp:80"), f"{PORTRANGE}reservedhigh 80: the kernel keeps tcp/80 for PRIV_NETINET_RESERVEDPORT"),
        ("1023", portacl("gid:80:tcp:80"), "can only refuse, so group 80 does not get it"),
        ("1023", portacl("uid:80:tcp:80", exempt="0"), "can only refuse, so user 80 does not get it"),
        ("0", portacl("uid:80:tcp:80", enabled="0"), f"{MAC}portacl.enabled is 0: mac_portacl decides nothing"),
        ("0", portacl("uid:80:tcp:8080"), f"mac_portacl asks for rules up to port 1023 ({MAC}portacl.port_high): above it this one"),
    ],
)
def test_a_rule_that_decides_nothing_gives_no_port_and_says_why(high: str, acl: dict[str, str], why: str) -> None:
    known = grants(NO_JAILS, reservedhigh=high, **acl)
    (rule,) = (one for one in known.seen if one.path == "portacl")
    assert (rule.ports, rule.root, rule.everyone) == ([], False, False)
    assert why in rule.via[-1]
    assert rule.via[0] == f"{MAC}portacl.rules has {rule.subject}"


def test_a_rule_just_above_what_the_kernel_reserves_counts() -> None:
    assert ways(grants(NO_JAILS, reservedhigh="79", **portacl("uid:80:tcp:80")))["portacl uid:80:tcp:80"] == "user 80: 80 (tcp)"


@pytest.mark.parametrize(
    ("rule", "exempt", "expected"),
    [
        ("uid:0:tcp:80", "0", "user 0: 80 (tcp)"),
        ("uid:0:tcp:80", "1", "user 0: 80 (tcp)"),
        ("gid:0:tcp:80", "0", "root in group 0: 80 (tcp)"),
        ("gid:0:tcp:80", "1", "group 0: none (tcp)"),
    ],
)
def test_a_rule_on_a_reserved_port_is_for_root_alone(rule: str, exempt: str, expected: str) -> None:
    known = grants(NO_JAILS, **portacl(rule, exempt=exempt))
    assert ways(known)[f"portacl {rule}"] == expected
    if "none" not in expected:
        assert [one.root for one in known.seen if one.path == "portacl"] == [True]


def test_root_needs_a_rule_as_well_where_it_is_not_exempt() -> None:
    known = grants(NO_JAILS, reservedhigh="2000", **portacl("uid:0:udp:53", exempt="0"))
    assert ways(known) == {"root root": "root: 1024-2000", "portacl uid:0:udp:53": "user 0: 53 (udp)"}
    assert "suser_exempt is 0: who has the privilege does not pass without one either" in steps(known, "root root")


def test_a_rule_for_port_0_is_about_ports_that_the_kernel_chooses() -> None:
    assert "portacl" not in {one.path for one in grants(**portacl("uid:80:tcp:0")).seen}


def test_a_rule_that_cannot_be_read_is_a_gap_and_costs_no_other() -> None:
    known = grants(reservedhigh="0", **portacl("uid:80:tcp:80,uid:www:tcp:443"))
    assert "portacl uid:80:tcp:80" in ways(known)
    assert [(gap.why, gap.line) for gap in known.gaps] == [("a rule of mac_portacl cannot be read", "uid:www:tcp:443")]


@pytest.mark.parametrize("name", ["enabled", "port_high", "suser_exempt", "rules"])
def test_what_was_not_read_of_mac_portacl_leaves_a_gap_and_no_rule_counts_for_sure(name: str) -> None:
    acl = {key: value for key, value in portacl("uid:80:tcp:80").items() if key != f"portacl__{name}"}
    known = grants(NO_JAILS, {f"sysctl {MAC}portacl.{name}": "sysctl: killed\n"}, reservedhigh="1023", **acl)
    assert f"{MAC}portacl.{name}" in whys(known)
    assert not any(one.shown.get("ports") for one in known.seen if one.path == "portacl")


def test_whether_mac_portacl_is_there_must_have_been_asked() -> None:
    told = [Answer("saved", f"sysctl {PORTRANGE[:-1]}", f"{PORTRANGE}reservedlow: 0\n{PORTRANGE}reservedhigh: 1023\n".encode())]
    known = own(bundled("FreeBSD", *told, release="14.1")).grants
    assert ways(known) == {"root root": "root: ?"}
    assert f"no answer states {MAC}portacl.enabled" in whys(known)


def test_the_list_of_accounts_names_the_users_of_rules() -> None:
    known = grants({"cat /etc/passwd": "www:*:80:80:World Wide Web Owner:/nonexistent:/usr/sbin/nologin\n"}, **portacl("uid:80:tcp:80"))
    assert [one.user for one in known.seen if one.path == "portacl"] == ["www"]


# mac_ntpd


def test_mac_ntpd_gives_its_user_every_reserved_port() -> None:
    known = grants(NO_JAILS, ntpd__enabled="1", ntpd__uid="123")
    assert ways(known) == {"root root": "root: 1-1023", "privilege mac_ntpd, user 123": "user 123: 1-1023"}
    assert [(one.uid, one.root, one.everyone) for one in known.seen if one.path == "privilege"] == [(123, False, False)]
    assert set(ways(grants(NO_JAILS, ntpd__enabled="0", ntpd__uid="123"))) == {"root root"}


def test_a_rule_for_the_user_of_mac_ntpd_counts_on_a_reserved_port() -> None:
    known = grants(NO_JAILS, ntpd__enabled="1", ntpd__uid="123", **portacl("uid:123:udp:123", exempt="0"))
    assert ways(known) == {"portacl uid:123:udp:123": "user 123: 123 (udp)"}


@pytest.mark.parametrize("lost", ["enabled", "uid"])
def test_whether_mac_ntpd_gives_it_must_be_known(lost: str) -> None:
    settings = {name: value for name, value in (("ntpd__enabled", "1"), ("ntpd__uid", "123")) if name != f"ntpd__{lost}"}
    known = grants(NO_JAILS, {f"sysctl {MAC}ntpd.{lost}": "sysctl: killed\n"}, **settings)
    assert set(ways(known)) == {"root root"}
    assert f"{MAC}ntpd.{lost}" in whys(known)


# Jails


@pytest.mark.parametrize(
    ("said", "expected"),
    [("allow.reserved_ports", "1-1023"), ("allow.noreserved_ports", "none")],
)
def test_root_of_a_jail_may_where_it_is_allowed(said: str, expected: str) -> None:
    known = grants({VNET: "jid=3 name=web vnet=inherit\n", JAILS: f"jid=3 name=web {said}\n"})
    assert ways(known)["jail root of jail web"] == f"root of jail web, on the jail's addresses: {expected}"
    assert said in steps(known, "jail root of jail web")
    assert known.gaps == ()


def test_a_kernel_without_the_permission_always_lets_root_of_a_jail() -> None:
    known = grants({VNET: "jid=3 name=web vnet=inherit\n"}, {JAILS: UNKNOWN})
    assert ways(known)["jail root of jail web"] == "root of jail web, on the jail's addresses: 1-1023"
    assert "the kernel has no allow.reserved_ports" in steps(known, "jail root of jail web")
    assert known.gaps == ()


@pytest.mark.parametrize(
    ("texts", "missing", "why"),
    [
        ({VNET: "jid=3 name=web vnet=inherit\n", JAILS: "jid=4 name=db allow.reserved_ports\n"}, {}, "root of jail web"),
        ({VNET: "jid=3 name=web vnet=inherit\n"}, {JAILS: "jls: killed\n"}, "root of jail web"),
        ({JAILS: ""}, {VNET: "jls: Operation not permitted\n"}, "Operation not permitted"),
        ({VNET: "jid=3 name=web vnet=inherit\n", JAILS: "jid=3 name=web allow.res\n"}, {}, "root of jail web"),
    ],
)
def test_a_jail_of_which_it_is_not_known_is_a_gap(texts: dict[str, str], missing: dict[str, str], why: str) -> None:
    known = grants(texts, missing)
    assert "jail root of jail web" not in ways(known)
    assert why in whys(known)


def test_two_answers_that_tell_it_in_two_ways_tell_nothing() -> None:
    twice = "jid=3 name=web allow.reserved_ports\njid=3 name=web allow.noreserved_ports\n"
    known = grants({VNET: "jid=3 name=web vnet=inherit\n", JAILS: twice})
    assert "jail root of jail web" not in ways(known)
    assert "root of jail web may take privileged ports was not seen" in whys(known)


def test_a_jail_with_a_stack_of_its_own_may_nothing_in_the_hosts() -> None:
    known = grants({VNET: "jid=3 name=web vnet=new\n", JAILS: "jid=3 name=web allow.reserved_ports\n"})
    assert set(ways(known)) == {"root root"}


def test_root_of_a_jail_is_who_may_in_its_own_stack() -> None:
    values = {f"{PORTRANGE}reservedlow": "0", f"{PORTRANGE}reservedhigh": "1023"}
    inside = {f"jexec web sysctl {name}": f"{name}: {value}\n" for name, value in values.items()}
    snapshot = host({**inside, VNET: "jid=3 name=web vnet=new\n", JAILS: "jid=3 name=web allow.reserved_ports\n"})
    known = stack_of(snapshot, "jail:web").grants
    assert ways(known) == {"jail root of jail web": "root of jail web, on the jail's addresses: ?"}, "mac_portacl was not asked in it"
    assert f"no answer states {MAC}portacl.enabled" in whys(known)


def test_what_was_taken_inside_a_jail_does_not_show_what_it_is_allowed() -> None:
    known = grants({"sysctl security.jail.jailed": "security.jail.jailed: 1\n"})
    assert ways(known) == {}
    assert "inside a jail: whether its root may" in whys(known)


def test_whether_there_are_jails_must_have_been_asked() -> None:
    told = [Answer("saved", command, text.encode(), "0") for command, text in FREEBSD.texts.items() if not command.startswith("jls")]
    assert "whether root of a jail may take privileged ports was not asked" in whys(own(bundled("FreeBSD", *told)).grants)


def test_a_snapshot_with_grants_is_written_and_read_again() -> None:
    snapshot = host(reservedhigh="79", **portacl("uid:80:tcp:80,uid:81:tcp:79"))
    written = json.loads(json.dumps(snapshot.to_json()))
    assert json.loads(json.dumps(Snapshot.from_json(written, "a test").to_json())) == written
