"""Solaris and illumos: who has the privileges that low ports take, by user_attr and policy.conf, and what root of a zone has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.binding import Grant
from auditor.facts import Facts
from tests.bundles import interpreted
from tests.collectors.told import bundled, own, steps, ways, whys
from tests.saved_hosts import IPADM, SUNOS, properties

USERS, POLICY = "cat /etc/user_attr", "cat /etc/security/policy.conf"
ROOT = {"root root": "root: 1-1023, 2049, 4045"}


def grants(texts: dict[str, str], release: str = "5.11", without: tuple[str, ...] = ()) -> Facts[Grant]:
    told = {command: text for command, text in (SUNOS.texts | {USERS: "", POLICY: ""} | texts).items() if command not in without}
    return own(interpreted(replace(SUNOS, release=release, texts=told).bundle())).grants


def of_users(entries: str, policy: str = "") -> dict[str, str]:
    known = grants({USERS: entries, POLICY: policy})
    assert known.gaps == ()
    return {name: who for name, who in ways(known).items() if name not in ROOT}


def test_root_has_every_privilege_of_the_global_zone() -> None:
    known = grants({})
    assert (ways(known), known.gaps) == (ROOT, ())
    assert "root has every privilege of the global zone" in steps(known, "root root")


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        ("defaultpriv=basic,net_privaddr", "1-1023"),
        ("defaultpriv=basic,PRIV_NET_PRIVADDR", "1-1023"),
        ("defaultpriv=basic,sys_nfs", "2049, 4045"),
        ("defaultpriv=basic,sys_smb", "137-139, 445"),
        ("defaultpriv=basic,net_privaddr,sys_nfs", "1-1023, 2049, 4045"),
        ("defaultpriv=all", "1-1023, 2049, 4045"),
        ("defaultpriv=all,!net_privaddr", "137-139, 445, 2049, 4045"),
        ("defaultpriv=zone,-net_privaddr,-sys_smb", "2049, 4045"),
        ("defaultpriv=basic,net_privaddr;limitpriv=all", "1-1023"),
        ("defaultpriv=basic,net_privaddr;limitpriv=basic", None),
        ("defaultpriv=basic,net_privaddr;limitpriv=basic,{net_raw}:80/tcp", "?"),
        ("defaultpriv=basic;limitpriv=all", None),
        ("defaultpriv=net_privaddr,!net_privaddr", None),
        ("limitpriv=all", None),
        ("auths=solaris.admin", None),
    ],
)
def test_a_user_has_the_ports_that_the_privileges_open(sets: str, expected: str | None) -> None:
    entries = f"web::::type=normal;{sets}\n"
    if expected == "?":
        known = grants({USERS: entries})
        assert (ways(known), whys(known)) == (ROOT, "the privileges of user web cannot be read (/etc/user_attr)")
    else:
        assert of_users(entries) == ({} if expected is None else {"privilege user web": f"user web: {expected}"})


def test_the_reasoning_names_the_file_and_the_set() -> None:
    known = grants({USERS: "web::::defaultpriv=basic,net_privaddr\n"})
    assert steps(known, "privilege user web").startswith("/etc/user_attr: defaultpriv is basic,net_privaddr; ")
    (web,) = (one for one in known.seen if one.path == "privilege")
    assert (web.user, web.everyone, web.root, "uid" in web.shown) == ("web", False, False, False)


def test_what_policy_conf_gives_every_user_has() -> None:
    found = of_users("web::::limitpriv=basic\nann::::type=normal\n", "PRIV_DEFAULT=basic,net_privaddr\n")
    assert found == {"privilege PRIV_DEFAULT, every user": "every user who logs in: 1-1023"}
    known = grants({POLICY: "PRIV_DEFAULT=basic,net_privaddr\n"})
    assert [one.everyone for one in known.seen if one.path == "privilege"] == [True]
    assert of_users("", "PRIV_DEFAULT=basic\n") == of_users("", "PRIV_DEFAULT=basic,net_privaddr\nPRIV_LIMIT=basic\n") == {}


def test_the_limit_of_policy_conf_is_a_users_who_has_none() -> None:
    entries = "web::::defaultpriv=basic,net_privaddr\nown::::defaultpriv=basic,net_privaddr;limitpriv=all\n"
    assert of_users(entries, "PRIV_LIMIT=basic\n") == {"privilege user own": "user own: 1-1023"}


@pytest.mark.parametrize("lost", [USERS, POLICY])
def test_a_file_that_was_not_read_leaves_who_has_them_open(lost: str) -> None:
    known = grants({}, without=(lost,))
    assert ways(known) == ROOT
    assert lost.removeprefix("cat ") in whys(known)
    asked = [one for one in SUNOS.answers() if one.command != lost]
    assert f"was not asked ({lost.removeprefix('cat ')})" in whys(own(bundled("SunOS", *asked, release="5.11")).grants)


def test_a_line_that_cannot_be_read_leaves_it_open_and_costs_no_other() -> None:
    known = grants({USERS: "web::::defaultpriv=basic,net_privaddr\nodd line\n"})
    assert "privilege user web" in ways(known)
    assert [(gap.why, gap.line) for gap in known.gaps] == [
        ("who has the privileges for low ports: a line of user_attr cannot be read", "odd line")
    ]


def test_before_solaris_10_root_alone_may() -> None:
    known = grants({USERS: "web::::defaultpriv=basic,net_privaddr\n"}, release="5.9", without=(POLICY,))
    assert (ways(known), known.gaps) == (ROOT, ())
    assert "this release has no privileges" in steps(known, "root root")


def test_root_of_a_zone_has_not_the_ports_of_nfs_for_sure() -> None:
    known = grants({"zonename": "web\n"})
    assert ways(known)["root root"] == "root of zone web: 1-1023"
    assert [(gap.protocol, str(gap.ports)) for gap in known.gaps] == [(p, n) for p in ("tcp", "udp") for n in ("2049", "4045")]
    assert "whether zone web has PRIV_SYS_NFS" in whys(known)


def test_a_threshold_cannot_be_lowered_but_a_snapshot_that_says_so_is_believed() -> None:
    low = {f"{IPADM} {protocol}": properties(protocol).replace("1024 ", "512  ") for protocol in ("tcp", "udp")}
    known = grants(low)
    assert ways(known)["threshold smallest_nonpriv_port"] == "everyone: 512-1023"


def test_the_extra_ports_are_each_of_their_protocol() -> None:
    known = grants({f"{IPADM} udp": properties("udp").replace("2049,4045", "2049     ")})
    assert {name: who for name, who in ways(known).items() if name.startswith("root")} == {
        "root root, tcp": "root: 1-1023, 2049, 4045 (tcp)",
        "root root, udp": "root: 1-1023, 2049 (udp)",
    }
