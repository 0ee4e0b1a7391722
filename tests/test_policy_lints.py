"""`policy check` says what is odd in a policy that loads, and only what is certain."""

# ruff: noqa: S108 - folders are named here, nothing is written there

from __future__ import annotations

import datetime
from itertools import combinations
from typing import Any

import pytest

import auditor.policy_lints as lints
from auditor.facts import Facts, UnknownFact
from auditor.model import Address, Socket, Stack
from auditor.owner import Owner
from auditor.policy_containment import contains, same
from auditor.policy_entries import Entry, approved
from auditor.policy_lints import problems
from auditor.policy_wider import PerhapsWider
from auditor.port_range import PortRange
from auditor.yaml_nodes import parse
from tests import bundles

TODAY = datetime.date(2026, 11, 21)


def entry(asked: str) -> Entry:
    return approved(parse(f"{{name: x, {asked}}}".encode(), "p.yaml"))


def told(text: str, today: datetime.date = TODAY) -> list[str]:
    """Each problem as `error 3: ...`, the line of the file without the file."""
    import re

    found = problems(bundles.policy(text), today)
    return [re.sub(r"\S*site\.yaml:", "", f"{problem.severity} {problem}") for problem in found]


def listed(*approved: str, forbidden: tuple[str, ...] = (), more: str = "") -> str:
    lines = ["listening:", "  approved:", *(f"  - {{{one}}}" for one in approved)]
    return "\n".join([*lines, *(["  forbidden:"] if forbidden else []), *(f"  - {{{one}}}" for one in forbidden), more, ""])


# One problem at a time


def test_a_policy_in_which_nothing_is_odd_has_no_problems() -> None:
    assert told(listed("name: a, port: 22, user: root", "name: b, port: 23, user: root", forbidden=("port: 21",))) == []
    assert problems(bundles.policy("extends: baseline"), TODAY) == []


def test_an_entry_that_a_wider_one_makes_idle() -> None:
    wide, narrow = "name: wide, port: [22, 80-90]", "name: narrow, port: 80, protocol: tcp, executable: /usr/sbin/nginx"
    says = "'narrow' approves nothing that 'wide' at {} does not; narrow that one, or take this one out"
    assert told(listed(wide, narrow)) == ["warning 5: " + says.format(4)]
    assert told(listed(narrow, wide)) == ["warning 4: " + says.format(5)]


def test_an_entry_that_is_there_twice_is_told_once() -> None:
    assert told(listed("name: a, port: 22, user: [root, x]", "name: b, user: [x, root], port: [22]")) == [
        "warning 5: 'b' approves the same as 'a' at 4; keep one of the two"
    ]
    assert told(listed("name: a, port: 1", forbidden=("port: 22", "port: 22, why: cleartext"))) == [
        "warning 7: 'port 22' forbids the same as 'port 22' at 6; keep one of the two"
    ]


def test_an_entry_with_a_limit_makes_no_other_idle() -> None:
    assert told(listed("name: few, port: 22, at_most: 1", "name: root, port: 22, user: root")) == []
    assert told(listed("name: few, port: 22, at_most: 1", "name: many, port: 22")) == [
        "warning 4: 'few' approves nothing that 'many' at 5 does not; narrow that one, or take this one out"
    ]


def test_what_is_approved_and_wholly_forbidden_is_an_error() -> None:
    assert told(listed("name: old, port: [23, 512], protocol: tcp", forbidden=("port: [23, 512-514]",))) == [
        "error 4: 'old' is approved here and forbidden at 6; no approval outweighs that: take one of the two out, or write what is right "
        "as its 'except'"
    ]
    assert told(listed("name: old, port: 7000, executable: /tmp/x/y", forbidden=("port: any, executable: [/tmp/*, deleted]",)))[
        0
    ].startswith("error 4: 'old' is approved here and forbidden at 6;")


def test_what_is_required_and_forbidden_is_an_error_that_says_so() -> None:
    assert told(listed("name: old, port: 23", forbidden=("port: 23",), more="  required: [old]"))[0].startswith(
        "error 4: 'old' is required here"
    )


def test_what_is_forbidden_in_part_is_a_warning_with_the_ports() -> None:
    assert told(listed("name: old, port: 20-25, protocol: tcp", forbidden=("port: [21, 23-24]",))) == [
        "warning 4: 'old' is approved here and forbidden at 6 on 21, 23-24; take that out of one of the two"
    ]


def test_a_prohibition_with_exceptions_may_be_right() -> None:
    assert told(listed("name: old, port: 514, executable: /usr/sbin/rsyslogd",
                       forbidden=("port: 514, except: {executable: /usr/sbin/rsyslogd}",))) == []  # fmt: skip


def test_an_approval_by_process_name_alone_is_a_warning() -> None:
    assert told(listed("name: web, port: 80, process: nginx")) == [
        "warning 4: 'web' is approved by process name alone, and any process can give itself a name; add its executable, user, unit or "
        "container"
    ]
    assert told(listed("name: web, port: 80, process: nginx, user: www-data")) == []


def test_what_must_be_had_and_is_not_is_an_error_unless_a_default_gives_it() -> None:
    must = "must_have: [purpose, owner, review_by]\n"
    one = listed("name: web, port: 80, user: root, purpose: shop", more="  required: [{port: 123, user: root, purpose: time, owner: ops}]")
    assert told(must + one) == [
        "error 5: 'web' has no owner, review_by; must_have at 2 asks for it: add a line 'owner: ...'",
        "error 6: 'port 123, user root' has no review_by; must_have at 2 asks for it: add a line 'review_by: ...'",
    ]
    assert told(must + "defaults: {owner: ops, review_by: 2027-01-01}\n" + one) == []


def test_days_that_have_passed_are_warnings_from_the_day_after() -> None:
    text = listed("name: web, port: 80, user: root, review_by: 2026-11-21", more=(
        "waivers: [{id: EXC-1, rule: listener-not-approved, subject: x, reason: r, owner: o, expires: 2026-11-21}]\n"
        "gaps: [{fact: owners, reason: r, owner: o, expires: 2026-11-21}]"
    ))  # fmt: skip
    assert told(text) == []
    assert told(text, datetime.date(2026, 11, 22)) == [
        "warning 5: waiver 'EXC-1' expired on 2026-11-21, and is no longer obeyed; take it out, or have it approved anew",
        told(text, datetime.date(2026, 11, 22))[1],
        "warning 4: the review of 'web' was due by 2026-11-21; review it, and set a new date",
    ]
    assert " expired on 2026-11-21, and is no longer obeyed" in told(text, datetime.date(2026, 11, 22))[1]


WAIVED = "reason: r, owner: o, expires: 2027-01-31}"


def test_two_waivers_or_gaps_of_one_id_are_an_error_that_names_both_places() -> None:
    waivers = "".join(f"- {{id: A, rule: {rule}, subject: x, {WAIVED}\n" for rule in ("cleartext-listener", "listener-forbidden"))
    gaps = "".join(f"- {{{name}fact: owners, {WAIVED}\n" for name in ("id: A, ", "id: B, ", "", ""))
    assert told(f"waivers:\n{waivers}gaps:\n{gaps}") == [
        "error 4: the waiver has the id 'A' of the waiver at 3; give one of the two another id",
        "error 6: the accepted gap has the id 'A' of the waiver at 3; give one of the two another id",
    ]


@pytest.mark.parametrize(
    ("names", "fitting"),
    [
        ("", ""),
        ("subject: '*', hosts: ['web-*', '**'], ", ""),
        ("stack: host, user: eve, ", " that fits its stack and user"),
        ("executable: /usr/sbin/in.telnetd, ", " that fits its executable"),
    ],
)
def test_a_waiver_of_everything_that_a_rule_finds_is_a_warning(names: str, fitting: str) -> None:
    assert told(f"waivers: [{{id: A, rule: cleartext-listener, {names}{WAIVED}]\n") == [
        f"warning 2: waiver A covers every finding of cleartext-listener{fitting}, on all hosts; name its subject or its hosts"
    ]


@pytest.mark.parametrize("names", ["subject: 'tcp/0.0.0.0:*'", "hosts: 'web-*'", "subject: '*', hosts: web-07"])
def test_a_waiver_of_some_subjects_or_of_some_hosts_is_none(names: str) -> None:
    assert told(f"waivers: [{{id: A, rule: cleartext-listener, {names}, {WAIVED}]\n") == []


@pytest.mark.parametrize("name", ["listener-not-approved", "listener-forbidden", "evidence-incomplete", "owner-not-visible",
                                  "host-identity-mismatch"])  # fmt: skip
def test_a_rule_on_which_a_review_rests_is_not_turned_off_in_silence(name: str) -> None:
    advice = "and a review rests on it; leave it on, and accept what cannot be mended by a waiver or a gap"
    assert told(f"rules: {{{name}: off}}\n") == [f"warning 2: {name} is off, {advice}"]
    assert told(f"rules: {{{name}: {{severity: info}}}}\n") == [f"warning 2: {name} is info, which is never open, {advice}"]
    assert told(f"rules: {{{name}: low, cleartext-listener: off}}\n") == []


def test_a_scope_without_listeners_or_containers_is_a_warning() -> None:
    assert told("scope:\n  must_see: [owners, privileged]\n  containers: inventory\n  loopback: inventory\n") == [
        "warning 3: the verdict need not know the listeners: a host of which none was seen can pass; add listeners to must_see",
        "warning 4: no rule judges what listens in containers, however far it can be reached; name the rules that judge there",
    ]
    assert told("scope: {must_see: listeners, containers: listener-forbidden, loopback: inventory}\n") == []


@pytest.mark.parametrize(
    ("port", "says"),
    [("any", "every port"), ("1-65535", "65535 ports"), ("[1-600, 400-1001]", "1001 ports"), ("[kernel-given, 2000-3000]", "1001 ports")],
)
def test_an_approval_of_very_many_ports_whoever_holds_them_is_a_warning(port: str, says: str) -> None:
    assert told(listed(f"name: all, port: {port}, user: {{not: root}}")) == [
        f"warning 4: 'all' approves {says}, whoever holds them; name its executable, user, unit or container, or fewer ports"
    ]
    assert told(listed(f"name: all, port: {port}, unit: a.service")) == []
    assert told(listed("name: all, port: [kernel-given, 1-1000]")) == []


def test_a_system_that_is_none_is_a_warning_with_the_nearest_whatever_the_case() -> None:
    systems = "systems are called as `uname -s` prints them: Linux, Darwin, FreeBSD, "
    expectations = "privileged: {expect: {hp-ux: 0-1023, freebds: none}}\nephemeral:\n  expect:\n    SunSO: 1-9\n"
    found = told("applies_to: {systems: [linux, Ubuntu]}\n" + expectations)
    said = "no system is called {}, and so this is for no host; {}" + systems
    assert [line.partition("OpenBSD")[0] for line in found] == [
        "warning 2: " + said.format("'Ubuntu'", ""),
        "warning 3: " + said.format("'freebds'", "did you mean 'FreeBSD'? "),
        "warning 6: " + said.format("'SunSO'", "did you mean 'SunOS'? "),
    ]


def test_a_unit_without_its_suffix_is_a_warning_wherever_it_is_asked() -> None:
    says = "the unit 'ssh' has no suffix; write ssh.service"
    assert told(listed("name: a, port: 22, unit: [ssh, sshd.service, 'ssh*']")) == [f"warning 4: {says}"]
    assert told("privileged: {granted_to: [{unit: ssh}]}\n") == [f"warning 2: {says}"]
    assert told("listening:\n  forbidden: [{port: 22, except: {unit: ssh}}]\n  required: [{port: 22, unit: ssh}]\n") == [
        f"warning 4: {says}", f"warning 3: {says}",
    ]  # fmt: skip


def test_errors_come_first() -> None:
    found = told(listed("name: a, port: 80, process: x", "name: b, port: 23", forbidden=("port: 23",)))
    assert [line.partition(" ")[0] for line in found] == ["error", "warning"]


def test_two_thousand_entries_are_looked_at_in_no_time_to_speak_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ratio would drift: what is held is that no entry is compared with all others."""
    asked = counted(monkeypatch)
    policy = bundles.policy(listed(*(f"name: s{n}, port: {n}, user: root" for n in range(1, 1001)), forbidden=("port: 2000",)))
    assert problems(policy, TODAY) == []
    assert len(asked) < 5_000


@pytest.mark.parametrize(
    "asks",
    ["process: p{n}", "user: u{n}", "unit: u{n}.service", "executable: /usr/bin/x{n}", "address: 10.0.{high}.{low}",
     "user: u, at_most: {n}", "container: {{image: i{n}}}", "interface: [eth{n}, lo]"],
)  # fmt: skip
def test_entries_of_any_port_are_compared_only_where_one_may_contain_the_other(asks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counted(monkeypatch)
    entries = (f"name: s{n}, port: any, {asks.format(n=n, high=n >> 8, low=n & 255)}" for n in range(1, 2001))
    said = [line for line in told(listed(*entries)) if " makes " in line or "nothing that" in line or "the same as" in line]
    assert said == []
    assert len(asked) < 10_000, "each with each would be four million questions"


def test_long_lists_of_ports_are_not_compared_port_by_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each list was sorted anew for each port of each other list."""
    joined = counted(monkeypatch, PortRange, "minus")
    lists = ("[" + ", ".join(str(2 * n + first) for n in range(999)) + "]" for first in range(0, 2500, 100))
    assert told(listed(*(f"name: s{n}, port: {ports}, user: root" for n, ports in enumerate(lists)))) == []
    assert len(joined) < 1_000


def counted(monkeypatch: pytest.MonkeyPatch, of: Any = lints, name: str = "contains") -> list[None]:
    """One item for each call from now on."""
    calls: list[None] = []
    real = getattr(of, name)

    def counting(*given: Any, **more: Any) -> Any:
        calls.append(None)
        return real(*given, **more)

    monkeypatch.setattr(of, name, counting)
    return calls


# Containment


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("port: any", "port: 22"),
        ("port: 1-1023", "port: [22, 80-90]"),
        ("port: [1-10, 11-20]", "port: 5-15"),
        ("port: [22, kernel-given]", "port: kernel-given"),
        ("port: 22, protocol: [tcp, udp]", "port: 22, protocol: tcp"),
        ("port: 22, address: 10.0.0.0/8", "port: 22, address: [10.1.0.0/16, 10.2.3.4]"),
        ("port: 22, address: loopback", "port: 22, address: ['::1', 127.0.0.53, loopback]"),
        ("port: 22, address: '*'", "port: 22, address: ['::', 0.0.0.0]"),
        ("port: 22, address: ['::', 0.0.0.0]", "port: 22, address: '*'"),
        ("port: 22, executable: /usr/*", "port: 22, executable: [/usr/sbin/sshd, '/usr/lib/*/x']"),
        ("port: 22, unit: 'ssh*.service'", "port: 22, unit: [ssh.service, 'sshd@*.service']"),
        ("port: 22, user: {not: root}", "port: 22, user: {not: [root, eve]}"),
        ("port: 22, user: [root, eve]", "port: 22, user: root, process: x"),
        ("port: 22, container: 'cart-*'", "port: 22, container: {name: cart-1, image: x}"),
        ("port: 22, container: {image: '*cart*'}", "port: 22, container: {image: 'registry/cart@*'}"),
        ("port: 22, reach: [private, link]", "port: 22, reach: link"),
        ("port: 22, family: ipv4", "port: 22, family: ipv4, interface: eth0, stack: host"),
    ],
)
def test_one_entry_contains_another(wide: str, narrow: str) -> None:
    assert contains(entry(wide), entry(narrow))
    assert same(entry(wide), entry(wide))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("port: 22", "port: any"),
        ("port: 1-1023", "port: [22, 1024]"),
        ("port: 1-65535", "port: [22, kernel-given]"),
        ("port: 22, protocol: tcp", "port: 22"),
        ("port: 22, protocol: tcp", "port: 22, protocol: [tcp, udp]"),
        ("port: 22, address: 10.0.0.0/8", "port: 22, address: '*'"),
        ("port: 22, address: 0.0.0.0", "port: 22, address: '*'"),
        ("port: 22, address: 0.0.0.0/0", "port: 22, address: '::1'"),
        ("port: 22, executable: /usr/sbin/sshd", "port: 22, executable: /usr/sbin/*"),
        ("port: 22, executable: '*'", "port: 22, executable: deleted"),
        ("port: 22, executable: /usr/*", "port: 22, executable: '/usr/sbin/sshd (in another mount namespace)'"),
        ("port: 22, executable: /usr/*", "port: 22, executable: '/usr/sbin/sshd (in another user namespace)'"),
        ("port: 22, user: root", "port: 22, user: {not: eve}"),
        ("port: 22, user: {not: [root, eve]}", "port: 22, user: {not: root}"),
        ("port: 22, user: {not: root}", "port: 22, user: eve"),
        ("port: 22, container: {image: 'cart*'}", "port: 22, container: cart"),
        ("port: 22, family: ipv4", "port: 22, family: ipv6"),
    ],
)
def test_what_is_not_certain_is_not_said(wide: str, narrow: str) -> None:
    assert not contains(entry(wide), entry(narrow))


def lists(*words: str) -> list[str]:
    """Each word, and each two of them as a list."""
    return [*words, *(f"[{one}, {other}]" for one, other in combinations(words, 2))]


def owners(key: str, *values: Any) -> list[dict[str, Any]]:
    """Sockets held by a process with each value of a key, and by two with any two."""
    held = [Owner(**{key: value}) for value in values]
    return [{"owners_seen": list(both)} for both in [*((one,) for one in held), *combinations(held, 2)]]


DELETED, ELSEWHERE, FORGEABLE = " (deleted)", " (in another mount namespace)", " (in another user namespace)"
KINDS: dict[str, tuple[list[str], list[dict[str, Any]]]] = {
    "port": (
        lists("22", "20-25", "1-65535", "kernel-given", "26-30"),
        [{"port": 22}, {"port": 40000}]
        + [{"port": port, "kernel_given": given} for port in (20, 22, 26, 40000) for given in (True, False)],
    ),
    "protocol": (lists("tcp", "udp", "sctp"), [{"protocol": "tcp"}, {"protocol": "udp"}, {}]),
    "family": (["ipv4", "ipv6"], [{"family": "ipv6", "address": "::", "v6only": False}, {"family": "ipv4", "address": "0.0.0.0"}]),
    "reach": (lists("private", "loopback", "link"), [{"reach": "private"}, {"reach": "loopback"}]),
    "address": (
        lists("10.0.0.0/8", "10.0.0.5", "11.0.0.0/8", "loopback", "'*'", "0.0.0.0", "'::'", "'::1'", "127.0.0.0/8", "'::/0'",
              "126.0.0.0/7"),
        [{"address": word} for word in ("10.0.0.5", "10.9.9.9", "0.0.0.0", "::", "::1", "127.0.0.1", "126.1.1.1", "*",
                                        "::ffff:10.0.0.5", "fe80::1")],
    ),
    "interface": (lists("eth0", "lo"), [{"device": "eth0"}, {"device": None, "address": "10.0.0.5"}, {"device": "lo"}]),
    "process": (lists("sshd", "'ss*'", "'*d'", "'s*d'", "'*'", "'*s*'"), owners("process", "sshd", "ssh", "x", "d")),
    "executable": (
        lists("/usr/sbin/sshd", "'/usr/*'", "'/usr/*/sshd'", "'/tmp/*'", "deleted", "'*'", f"'/usr/sbin/sshd{DELETED}'", "'*)'",
              "'/usr/*)'", f"'/usr/sbin/sshd{ELSEWHERE}'", f"'*{ELSEWHERE}'", f"'/usr/sbin/sshd{FORGEABLE}'"),
        owners("executable", *(f"/usr/sbin/sshd{mark}" for mark in ("", DELETED, ELSEWHERE, DELETED + ELSEWHERE, FORGEABLE)), "/tmp/x",
               "/tmp/x" + DELETED, None),
    ),
    "user": (
        [*lists("root", "eve", "'0'"), *(f"{{not: {users}}}" for users in lists("root", "eve", "'0'"))],
        owners("user", "root", "eve", "x")
        + [{"owners_seen": [Owner(user=name, uid=uid)]} for name in ("root", "eve", "x") for uid in (0, 1000)],
    ),
    "unit": (lists("ssh.service", "'ssh*'", "'*.service'"), owners("unit", "ssh.service", "sshd.service", None)),
    "container": (
        ["cart", "'c*'", "[cart, shop]", "{name: cart, image: 'i*'}", "{image: 'i*'}", "{image: image}", "{name: 'c*'}"],
        [{"owners_seen": [Owner(container=name, **image)]} for name in ("cart", "cow", None)
         for image in ({}, {"image": "image"}, {"image": "x"})],
    ),
}  # fmt: skip
HOST = Stack(name="host", kind="host", addresses=Facts([Address(address="10.0.0.5", device="eth0")], "x"))


@pytest.mark.parametrize("key", KINDS)
def test_whatever_matches_the_contained_entry_matches_the_one_that_contains_it(key: str) -> None:
    wants, sockets = KINDS[key]
    entries = [entry(f"{'' if key == 'port' else 'port: any, '}{key}: {want}") for want in wants]
    matched = [{at for at, shown in enumerate(sockets) if matches(one, shown)} for one in entries]
    found = [(outer, inner) for outer, wide in enumerate(entries) for inner, narrow in enumerate(entries) if contains(wide, narrow)]
    assert {(at, at) for at in range(len(entries))} <= set(found)
    assert not [(wants[outer], wants[inner]) for outer, inner in found if not matched[inner] <= matched[outer]]


def test_whatever_contains_an_entry_is_among_those_that_may() -> None:
    asked = [f"{'' if key == 'port' else 'port: any, '}{key}: {want}" for key, (wants, _) in KINDS.items() for want in wants]
    limited = (f"{one}, user: root, at_most: 2" for one in asked if "user:" not in one)
    entries = [entry(one) for one in (*asked, *limited, "port: any", "port: any, at_most: 2", "port: 22, at_most: 2")]
    wider = PerhapsWider(entries)
    for narrow in entries:
        containing = [one for one in entries if contains(one, narrow) and one.at_most in (None, narrow.at_most)]
        candidates = list(wider.than(narrow))
        assert [one for one in candidates if one in containing] == containing


def matches(one: Entry, shown: dict[str, Any]) -> bool:
    try:
        return one.matches(Socket(**{"owner_state": "known", "address": "10.0.0.5", "family": "ipv4", **shown}), HOST)
    except UnknownFact:
        return False
