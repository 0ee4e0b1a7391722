"""authbind as Debian packages it, really used in made hosts: what is said of its files is what it lets users bind."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from auditor.binding import Grant
from auditor.live import authbind
from auditor.live.authbind import HELPERS
from auditor.model import Snapshot
from auditor.parsers.authbind_byuid import Allowed, parse
from tests.bundles import judged
from tests.hosts import NEEDED, NOBODY, WEB, Host, host, stack
from tests.parsers.test_authbind_byuid import NO_RULES, RULES

pytestmark = [
    NEEDED,
    pytest.mark.skipif(not (os.path.exists(HELPERS[0]) and shutil.which("authbind")), reason="needs authbind (package authbind)"),
]
NAMES = {NOBODY: "nobody", WEB: "web"}
ETC = "/etc/authbind"
BINDER = """\
import json, socket, sys
for family, kind, address, port in json.loads(sys.argv[1]):
    with socket.socket(family, kind) as one:
        try:
            one.bind((address, port))
            print("ok")
        except OSError:
            print("refused")
"""
TCP4, UDP4, TCP6 = (2, 1), (2, 2), (10, 1)
ANY = "0.0.0.0"
Files = Mapping[str, tuple[int, int, int, str]]


def lay_out(made: Host, files: Files, folders: Mapping[str, tuple[int, int, int]] | None = None) -> None:
    """/etc/authbind with these files (mode, owner, group, content) and nothing else."""
    made.run("rm", "-rf", ETC, check=True)
    made.run("mkdir", "-p", *(f"{ETC}/{name}" for name in ("byport", "byaddr", "byuid")), check=True)
    for name, (mode, uid, gid, content) in files.items():
        made.write(f"{ETC}/{name}", content, mode)
        made.run("chown", f"{uid}:{gid}", f"{ETC}/{name}", check=True)
    for name, (mode, uid, gid) in (folders or {}).items():
        made.run("chown", f"{uid}:{gid}", f"{ETC}/{name}", check=True)
        made.run("chmod", f"{mode:o}", f"{ETC}/{name}", check=True)


def got(made: Host, uid: int, *wanted: tuple[tuple[int, int], str, int], groups: tuple[int, ...] = ()) -> list[bool]:
    """Which of these (family and kind, address, port) a user gets through authbind."""
    in_groups = [f"--groups={','.join(map(str, groups))}"] if groups else ["--clear-groups"]
    words = json.dumps([[*kind, address, port] for kind, address, port in wanted])
    argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", *in_groups, "--", "authbind", "--deep", "/usr/bin/python3", "-c", BINDER, words]
    done = made.run(*argv, check=True)
    return [line == b"ok" for line in done.out.split(b"\n")[:-1]]


def grants(snapshot: Snapshot) -> dict[str, Grant]:
    """authbind's, by subject."""
    known = stack(snapshot).grants
    assert not known.gaps, [gap.why for gap in known.gaps]
    return {one.subject: one for one in known.seen if one.path == "authbind"}


def said(found: Mapping[str, Grant], uid: int, address: str, port: int, groups: tuple[int, ...] = ()) -> bool:
    """Whether the grants say that a user may bind: those that hold now, not those that need a file to be changed."""
    return any(
        one.allows("tcp", port) and " by " not in subject and covers(one.scope, uid, groups) and (f" on {address} alone" in one.via[-1]
        or " alone" not in one.via[-1]) for subject, one in found.items()
    )  # fmt: skip


def covers(scope: str, uid: int, groups: tuple[int, ...]) -> bool:
    everyone, _, but = scope.partition(" but ")
    words = {f"user {NAMES[uid]}", f"user {uid}", *(f"group {group}" for group in (uid, *groups))}
    if everyone == "everyone":
        return not words & {*but.split(" and ")}
    return any({*one.split(" as a member of ")} <= words for one in scope.split(" and "))


MODES: Files = {
    "byport/80": (0o777, 0, 0, ""),
    "byport/81": (0o700, NOBODY, 0, ""),
    "byport/82": (0o500, WEB, 0, ""),
    "byport/83": (0o010, 0, WEB, ""),
    "byport/84": (0o700, 0, 0, ""),
    "byport/85": (0o644, 0, 0, ""),
    "byport/86": (0o601, NOBODY, 0, ""),
    "byport/87": (0o701, 0, WEB, ""),
    "byport/88": (0o060, 0, 5000, ""),
    "byport/89": (0o010, 0, 5000, ""),
    "byport/090": (0o777, 0, 0, ""),
    "byport/600": (0o777, 0, 0, ""),
    "byport/!601": (0o777, 0, 0, ""),
    "byport/!91": (0o777, 0, 0, ""),
    "byport/511": (0o777, 0, 0, ""),
    "byport/512": (0o777, 0, 0, ""),
    "byport/!1023": (0o755, 0, 0, ""),
    "byport/100": (0o600, 0, 0, ""),
    "byaddr/127.0.0.1,90": (0o755, 0, 0, ""),
    "byaddr/127.0.0.1:92": (0o600, 0, 0, ""),
    "byaddr/127.0.0.1,92": (0o755, 0, 0, ""),
    "byaddr/::1,93": (0o755, 0, 0, ""),
    "byaddr/0:0:0:0:0:0:0:1,94": (0o755, 0, 0, ""),
    "byaddr/127.0.0.1,100": (0o755, 0, 0, ""),
    "byaddr/!127.0.0.1,700": (0o755, 0, 0, ""),
    "byaddr/127.0.0.1,701": (0o755, 0, 0, ""),
    "byaddr/127.00.0.1,95": (0o755, 0, 0, ""),
    f"byuid/{WEB}": (0o600, 0, 0, "# rules\n0.0.0.0/0:200,210\n::/0,211\n127.0.0.1-127.0.0.9,212-213\n0.0.0.0/0,80\n10.0.0.1/8,220\n"
                                  "0.0.0.0/0,221 # no comment there\n 0.0.0.0/0,222\n0.0.0.0/0, 223 \n"
                                  " 0. 0.0.0/ 0:224, 224\n0.0.0.0/0,230--1"),
    f"byuid/!{WEB}": (0o600, 0, 0, "127.0.0.0/8,100-800\n"),
    f"byuid/{NOBODY}": (0o644, 0, 0, "127.0.0.1,100\n0.0.0.0/0,600\n"),
}  # fmt: skip
PORTS = (*range(80, 96), 100, 200, 205, 210, 211, 212, 213, 214, 220, 221, 222, 223, 224, 229, 230, 400, 511, 512, 600, 601, 700, 701, 1023)


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    with host() as one:
        yield one


@pytest.mark.parametrize("groups", [(), (5000,)])
@pytest.mark.parametrize("uid", [NOBODY, WEB])
def test_what_is_said_of_each_port_is_what_a_user_gets(made: Host, uid: int, groups: tuple[int, ...]) -> None:
    lay_out(made, MODES)
    found = grants(made.snapshot())
    measured = dict(zip(PORTS, got(made, uid, *((TCP4, "127.0.0.1", port) for port in PORTS), groups=groups), strict=True))
    expected = {port: said(found, uid, "127.0.0.1", port, groups) for port in PORTS}
    # of the two families' rules a grant tells the ports together: 211 is of IPv6 alone
    assert {port for port in PORTS if measured[port] != expected[port]} == ({211} if uid == WEB else set())
    assert sum(measured.values()) >= 8
    assert sum(not one for one in measured.values()) >= 8
    (udp,) = got(made, uid, (UDP4, "127.0.0.1", 80))
    assert udp


def test_addresses_of_ipv6_are_told_in_both_spellings(made: Host) -> None:
    lay_out(made, MODES)
    found = grants(made.snapshot())
    assert got(made, NOBODY, *((TCP6, "::1", port) for port in (80, 93, 94, 95, 90))) == [True, True, True, False, False]
    assert [said(found, NOBODY, "::1", port) for port in (80, 93, 94, 95, 90)] == [True, True, True, False, False]
    assert got(made, WEB, (TCP6, "::1", 211), (TCP6, "::1", 200), (TCP4, ANY, 212)) == [True, False, False]
    assert found[f"byuid/{WEB}"].via[0] == f"/etc/authbind/byuid/{WEB}:2 allows 200-210 on any IPv4 address"
    assert f"/etc/authbind/byuid/{WEB}:4 allows 212-213 on 127.0.0.1-127.0.0.9" in found[f"byuid/{WEB}"].via


def test_chmod_777_comes_out_as_what_it_is(made: Host) -> None:
    lay_out(made, {"byport/80": (0o777, 0, 0, "")})
    snapshot = made.snapshot()
    grant = grants(snapshot)["byport/80"]
    assert (str(grant), grant.scope, grant.everyone, [str(one) for one in grant.ports]) == ("authbind byport/80", "everyone", True, ["80"])
    assert grant.via == [
        "/etc/authbind/byport/80 is mode 0777, owner 0, group 0",
        f"{HELPERS[0]} is set-user-id root and binds for whoever it lets; programs ask it where authbind starts them (LD_PRELOAD)",
        "who may execute it may bind port 80 by authbind, on any address, over TCP and UDP alike",
        "everyone may write it as well, which gives nothing more: what is in it does not count",
        "so everyone may bind port 80 on any address",
    ]
    (finding,) = judged(snapshot, "", "authbind-open-to-all")
    assert (finding.outcome, finding.severity, finding.message) == ("fail", "high", "everyone may bind 80 through authbind")


@pytest.mark.parametrize(
    ("folders", "uid", "groups", "may"),
    [
        ({"byport": (0o750, 0, 5000)}, WEB, (), False),
        ({"byport": (0o750, 0, 5000)}, WEB, (5000,), True),
        ({"byport": (0o700, WEB, 0)}, WEB, (), True),
        ({"byport": (0o700, WEB, 0)}, NOBODY, (), False),
        ({"byaddr": (0o700, 0, 0)}, WEB, (), False),
    ],
)
def test_a_folder_that_a_user_may_not_search_gives_it_nothing(
    made: Host, folders: Mapping[str, tuple[int, int, int]], uid: int, groups: tuple[int, ...], may: bool
) -> None:
    """Not from byuid either: only a file that is seen not to be there is passed over."""
    lay_out(made, {"byport/80": (0o755, 0, 0, ""), **{f"byuid/{one}": (0o644, 0, 0, "0.0.0.0/0,90\n") for one in (WEB, NOBODY)}}, folders)
    found = grants(made.snapshot())
    with_port = "byport" in folders
    assert got(made, uid, (TCP4, ANY, 80), (TCP4, ANY, 90), groups=groups) == [may if with_port else True, may]
    assert [said(found, uid, ANY, port, groups) for port in (80, 90)] == [may if with_port else True, may]


@pytest.mark.parametrize("groups", [(), (5000,)])
def test_the_folder_of_all_must_be_searched_too(made: Host, groups: tuple[int, ...]) -> None:
    lay_out(made, {"byport/80": (0o755, 0, 0, ""), f"byuid/{NOBODY}": (0o644, 0, 0, "0.0.0.0/0,90\n")}, {"": (0o710, 0, 5000)})
    found = grants(made.snapshot())
    assert got(made, NOBODY, (TCP4, ANY, 80), (TCP4, ANY, 90), groups=groups) == [bool(groups)] * 2
    assert [said(found, NOBODY, ANY, port, groups) for port in (80, 90)] == [bool(groups)] * 2


def test_an_access_control_list_is_read(made: Host) -> None:
    if shutil.which("setfacl") is None:
        pytest.skip("needs setfacl (package acl)")
    lay_out(made, {f"byport/{port}": (0o700, 0, 0, "") for port in (80, 81, 82)})
    made.run("setfacl", "-m", f"u:{WEB}:x", f"{ETC}/byport/80", check=True)
    made.run("setfacl", "-m", f"g:{NOBODY}:x", f"{ETC}/byport/81", check=True)
    made.run("setfacl", "-m", f"u:{WEB}:rx,m::r", f"{ETC}/byport/82", check=True)
    found = grants(made.snapshot())
    assert {subject: one.scope for subject, one in found.items()} == {"byport/80": "user web", "byport/81": f"group {NOBODY}"}
    wanted = [(TCP4, ANY, port) for port in (80, 81, 82)]
    assert got(made, WEB, *wanted) == [True, False, False]
    assert got(made, NOBODY, *wanted) == [False, True, False]


def test_a_folder_that_everybody_may_write_to_gives_everybody_every_port(made: Host) -> None:
    lay_out(made, {}, {"byuid": (0o1777, 0, 0)})
    grant = grants(made.snapshot())["byuid by adding files"]
    assert (grant.scope, grant.everyone, [str(one) for one in grant.ports]) == ("everyone", True, ["1-1023"])
    assert got(made, NOBODY, (TCP4, ANY, 25)) == [False]
    made.run("sh", "-c", f"echo 0.0.0.0/0,25 > {ETC}/byuid/{NOBODY}", user=NOBODY, check=True)
    assert got(made, NOBODY, (TCP4, ANY, 25)) == [True]


def test_who_may_write_a_users_file_or_change_a_files_mode_may_let_it_bind(made: Host) -> None:
    lay_out(made, {f"byuid/{WEB}": (0o646, 0, 0, ""), f"byuid/!{WEB}": (0o644, WEB, 0, ""), "byport/80": (0o600, NOBODY, 0, "")})
    found = grants(made.snapshot())
    assert {subject: (one.scope, [str(ports) for ports in one.ports]) for subject, one in found.items()} == {
        f"byuid/{WEB} by writing it": ("user web, as everyone may allow", ["1-79", "81-511"]),
        f"byuid/!{WEB} by writing it": ("user web", ["512-1023"]),
        "byport/80 by changing its mode": ("user nobody", ["80"]),
    }
    assert got(made, NOBODY, (TCP4, ANY, 80)) == [False]
    made.run("chmod", "700", f"{ETC}/byport/80", user=NOBODY, check=True)
    assert got(made, NOBODY, (TCP4, ANY, 80)) == [True]
    made.run("sh", "-c", f"echo 0.0.0.0/0,25 > {ETC}/byuid/{WEB}", user=NOBODY, check=True)
    assert got(made, WEB, (TCP4, ANY, 25)) == [True]


def test_links_are_followed(made: Host) -> None:
    lay_out(made, {"byport/80": (0o755, 0, 0, "")})
    made.run("mkdir", "-m", "700", f"{ETC}/closed", check=True)
    made.run("ln", "-s", "80", f"{ETC}/byport/81", check=True)
    made.run("ln", "-s", "nowhere", f"{ETC}/byport/82", check=True)
    made.run("ln", "-s", f"{ETC}/closed/x", f"{ETC}/byport/83", check=True)
    made.run("mkdir", f"{ETC}/byport/84", check=True)
    made.write(f"{ETC}/closed/x", "", 0o755)
    found = grants(made.snapshot())
    assert {subject for subject, one in found.items() if one.scope == "everyone"} == {"byport/80", "byport/81", "byport/84"}
    assert got(made, NOBODY, *((TCP4, ANY, port) for port in range(80, 85))) == [True, True, False, False, True]


@pytest.mark.parametrize(("where", "option"), [("/usr/lib/authbind", "nosuid"), ("/usr/lib/authbind", "noexec"), (ETC, "noexec")])
def test_how_a_file_system_is_mounted_counts(where: str, option: str) -> None:
    with host() as made:
        lay_out(made, {"byport/80": (0o777, 0, 0, ""), f"byuid/{NOBODY}": (0o644, 0, 0, "0.0.0.0/0,90\n")})
        made.run("mount", "--bind", where, where, check=True)
        made.run("mount", "-o", f"remount,bind,{option}", where, check=True)
        found = grants(made.snapshot())
        measured = got(made, NOBODY, (TCP4, ANY, 80), (TCP4, ANY, 90))
        assert measured == [False, where == ETC]
        assert [said(found, NOBODY, ANY, port) for port in (80, 90)] == measured


def test_without_authbind_nothing_is_granted_and_nothing_is_missing() -> None:
    with host() as made:
        assert grants(made.snapshot()) == {}


def test_another_user_finds_the_same_or_says_of_which_ports_it_does_not_know() -> None:
    with host() as made:
        lay_out(made, {"byport/80": (0o777, 0, 0, ""), f"byuid/{WEB}": (0o600, 0, 0, "0.0.0.0/0,90\n"), f"byuid/!{WEB}": (0o644, 0, 0, "")})
        known = stack(made.snapshot(user=NOBODY)).grants
        assert [one.scope for one in known.seen if one.subject == "byport/80"] == ["everyone"]
        assert [(gap.why, str(gap.ports)) for gap in known.gaps if "authbind" in gap.why] == [
            (f"/etc/authbind/byuid/{WEB}: Permission denied", "1-511")
        ]
        made.run("chmod", "700", f"{ETC}/byport", check=True)
        known = stack(made.snapshot(user=NOBODY)).grants
        assert [(gap.why, gap.ports) for gap in known.gaps if "byport" in gap.why] == [("/etc/authbind/byport: Permission denied", None)]


def test_nothing_of_a_byuid_file_but_its_rules_is_in_the_bundle(made: Host) -> None:
    lay_out(made, {f"byuid/{WEB}": (0o644, 0, 0, "# hunter2 for 10.0.0.1,80\n0.0.0.0/0:80,80\n0.0.0.0/0,81 hunter2\n")})
    bundle = made.collect()
    assert b"hunter2" not in bundle
    assert b"/etc/authbind/byuid/20001\t2\t0.0.0.0/0:80,80\n" in bundle


ASKER = f"""\
import json, os, socket, subprocess, sys
for number, line in enumerate(json.loads(sys.argv[1])):
    with open(f"{ETC}/byuid/{{30000 + number}}", "w", encoding="utf-8") as file:
        file.write(line + "\\n")
    said = []
    for family, address, argument in ((2, "127.0.0.1", "0100007f"), (2, "127.0.0.9", "0900007f"), (10, "::1", "0" * 31 + "1")):
        for port in (79, 80, 81, 90, 91, 511):
            with socket.socket(family) as one:
                words = ["{HELPERS[0]}", argument, f"{{socket.htons(port):04x}}", *(["6"] if family == 10 else [])]
                done = subprocess.run(words, stdin=one, user=30000 + number, group=30000, extra_groups=[])
                if not done.returncode:
                    said.append(f"{{address}} {{port}}")
    print(json.dumps(said))
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the helper is told addresses in the machine's order")
def test_each_line_means_what_the_helper_makes_of_it(made: Host) -> None:
    """Of the long ones too: the helper reads 298 bytes at a time, and each piece may be a line."""
    lay_out(made, {})
    lines = [
        *RULES,
        *NO_RULES,
        "#" * 298 + "0.0.0.0/0,80",
        "#" * 297 + "0.0.0.0/0,80",
        "0.0.0.0/0,80" + " " * 286,
        "0.0.0.0/0,80" + " " * 287,
    ]
    done = made.run("/usr/bin/python3", "-c", ASKER, json.dumps(lines), check=True, timeout=300)
    measured = dict(zip(lines, map(json.loads, done.out.split(b"\n")[:-1]), strict=True))
    rules: dict[int, list[Allowed]] = {}
    for row in made.collect("--only", "grants").split(b"\n"):
        if row.startswith(b"| /etc/authbind/byuid/") and row.count(b"\t") == 2:
            path, _, text = row.decode().split("\t")
            if found := parse(text.replace("\\t", "\t")):
                rules.setdefault(int(path.rpartition("/")[2]) - 30000, []).append(found)
    expected = {
        line: [
            f"{address} {port}"
            for address in ("127.0.0.1", "127.0.0.9", "::1")
            for port in (79, 80, 81, 90, 91, 511)
            if any(port in one.ports and inside(address, one) for one in rules.get(number, []))
        ]
        for number, line in enumerate(lines)
    }
    assert measured == expected
    assert {line for line in lines[: len(RULES)] if measured[line]} >= {"0.0.0.0/0,80--1", "0.0.0.0/0,4294967376", "0.0.0.0/ 0 ,80"}


def inside(address: str, one: Allowed) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if (":" in one.first) != (":" in address):
        return False
    low, at, high = (socket.inet_pton(family, word) for word in (one.first, address, one.last))
    return low <= at <= high


def test_a_folder_that_another_user_may_not_even_enter_is_unknown_to_it() -> None:
    with host() as made:
        lay_out(made, {"byport/80": (0o777, 0, 0, "")}, {"": (0o700, 0, 0)})
        known = stack(made.snapshot(user=NOBODY)).grants
        assert [one for one in known.seen if one.path == "authbind"] == []
        assert {gap.why for gap in known.gaps if "authbind" in gap.why} == {
            f"{ETC}/{name}: Permission denied" for name in ("byport", "byaddr", "byuid")
        }


def test_of_very_many_names_some_are_looked_at_and_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in authbind.NAMES:
        (tmp_path / folder).mkdir()
    for port in (80, 81, 82):
        (tmp_path / "byport" / str(port)).touch()
    monkeypatch.setattr(authbind, "ROOT", str(tmp_path))
    monkeypatch.setattr(authbind, "_MOST_NAMES", 2)
    listed, _ = authbind.ask({})
    assert b"byport\tonly 2 of 3 names were looked at\tfolder\t" in listed.stdout
    assert b"byport/81\tthere\t" in listed.stdout
    assert b"byport/82\t" not in listed.stdout


def test_of_a_byuid_file_that_is_too_long_nothing_is_concluded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "byuid").mkdir()
    (tmp_path / "byuid" / "33").write_text("::/0,80\n" * 9)
    monkeypatch.setattr(authbind, "ROOT", str(tmp_path))
    monkeypatch.setattr(authbind, "_MOST_BYTES", 20)
    listed, _ = authbind.ask({})
    assert b"byuid/33\tit is longer than is read\tfile\t" in listed.stdout
