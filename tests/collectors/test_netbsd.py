"""NetBSD: the limit that is in force where lowportmax is there, settings of each family, and the curtain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.collectors import netbsd
from auditor.evidence import Answer
from auditor.model import Snapshot, Socket
from tests.bundles import interpreted, judged
from tests.collectors.told import Told, bundled, host, open_questions, own, spans, whys
from tests.saved_hosts import NETBSD

V4, V6 = "net.inet.ip.", "net.inet6.ip6."
SOCKSTAT: Told = ("sockstat -46ln", NETBSD.texts["sockstat -46ln"])
NETSTAT: Told = ("netstat -an -f inet", NETBSD.texts["netstat -an -f inet"])


def stated(prefix: str, **values: str) -> list[Answer]:
    given = {"anonportmin": "49152", "anonportmax": "65535", "lowportmin": "600", "lowportmax": "1023", **values}
    return [Answer("saved", f"sysctl {prefix}{name}", f"{prefix}{name} = {value}\n".encode()) for name, value in given.items()]


def denied(*names: str) -> list[Answer]:
    """NetBSD's words, of the level at which it stops."""
    return [
        Answer("saved", f"sysctl {name}", b"", "1",
               stderr=f"sysctl: fourth level name '{name.split('.')[3]}' in '{name}' is invalid\n".encode())
        for name in names
    ]  # fmt: skip


def without(answers: list[Answer], *names: str) -> list[Answer]:
    return [one for one in answers if not one.command.endswith(names)]


def no_limit(prefix: str) -> list[Answer]:
    """A kernel with `options IPNOPRIVPORTS`."""
    return [*without(stated(prefix), "lowportmin", "lowportmax"), *denied(f"{prefix}lowportmin", f"{prefix}lowportmax")]


def altered(uid: str = "0", **values: str) -> Snapshot:
    texts = {f"sysctl {name.replace('__', '.')}": f"{name.replace('__', '.')} = {value}\n" for name, value in values.items()}
    return interpreted(replace(NETBSD, texts=NETBSD.texts | texts, uid=uid).bundle())


def by_subject(snapshot: Snapshot) -> dict[str, Socket]:
    return {one.numbered_subject: one for one in own(snapshot).listening.seen}


# Privileged ports


def test_the_presence_of_lowportmax_says_that_the_limit_is_in_force_and_its_value_does_not_move_it() -> None:
    snapshot = bundled("NetBSD", *stated(V4, lowportmax="900"), *stated(V6), release="10.0")
    known = own(snapshot).privileged
    assert (spans(known), known.gaps) == (["ipv4 1-1023", "ipv6 1-1023"], ())
    assert [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")] == ["pass"]


def test_a_kernel_without_lowportmax_keeps_no_port_for_root() -> None:
    snapshot = bundled("NetBSD", *no_limit(V4), *no_limit(V6), release="10.0")
    known = own(snapshot).privileged
    assert (spans(known), known.gaps) == ([], ())
    assert [(one.outcome, one.message) for one in judged(snapshot, "", "privileged-range-lowered")] == [
        ("fail", "any user may bind 1-1023")
    ]


def test_the_absence_of_lowportmax_means_nothing_where_anonportmin_was_not_seen() -> None:
    snapshot = bundled("NetBSD", *denied(f"{V4}lowportmin", f"{V4}lowportmax"), *stated(V6), release="10.0")
    assert spans(own(snapshot).privileged) == ["ipv6 1-1023"]
    assert open_questions(own(snapshot).privileged) == ["ipv4"]
    assert [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")] == ["unknown"]


def test_a_limit_that_was_never_asked_for_is_unknown() -> None:
    snapshot = bundled("NetBSD", *without(stated(V4), "lowportmax"), *stated(V6), release="10.0")
    assert open_questions(own(snapshot).privileged) == ["ipv4"]


@pytest.mark.parametrize(("prefix", "family", "other"), [(V4, "ipv4", "ipv6"), (V6, "ipv6", "ipv4")])
def test_each_family_has_its_own_settings_and_does_not_stand_in_for_the_other(prefix: str, family: str, other: str) -> None:
    stack = own(bundled("NetBSD", *stated(prefix), release="10.0"))
    assert (spans(stack.privileged), open_questions(stack.privileged)) == ([f"{family} 1-1023"], [other])
    assert (spans(stack.ephemeral), open_questions(stack.ephemeral)) == ([f"{family} 49152-65535", f"{family} 600-1023"], [other])
    assert open_questions(stack.reserved) == sorted(["ipv4", "ipv6"])


def test_a_limit_of_one_family_alone_is_found_with_its_family() -> None:
    (found,) = judged(bundled("NetBSD", *stated(V4), *no_limit(V6), release="10.0"), "", "privileged-range-lowered")
    assert found.outcome == "fail"
    assert "ipv6" in found.message
    assert "ipv4" not in found.message


def test_a_kernel_without_ipv6_opens_no_ports_by_that() -> None:
    names = [f"{V6}{name}" for name in ("anonportmin", "anonportmax", "lowportmin", "lowportmax")]
    snapshot = bundled("NetBSD", *stated(V4), *denied(*names), release="10.0")
    stack = own(snapshot)
    assert stack.privileged.gaps == stack.ephemeral.gaps == ()
    assert spans(stack.ephemeral) == ["ipv4 49152-65535", "ipv4 600-1023"]
    assert [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")] == ["pass"]


def test_a_kernel_that_one_answer_gives_the_limit_and_another_denies_it_is_unknown() -> None:
    snapshot = bundled("NetBSD", *stated(V4), *stated(V6), *denied(f"{V4}lowportmax"), release="10.0")
    assert open_questions(own(snapshot).privileged) == ["ipv4"]
    assert "pass" not in [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")]


# Ephemeral and reserved ports


def test_the_ranges_and_what_is_left_out_of_them_are_each_familys_own() -> None:
    stack = own(altered(net__inet6__ip6__anonportmin="60000", net__inet__ip__anonportalgo__reserve="50000,50005"))
    assert [(one.family, one.role, str(one)) for one in stack.ephemeral.seen] == [
        ("ipv4", "default", "49152-65535"), ("ipv4", "low", "600-1023"), ("ipv6", "default", "60000-65535"), ("ipv6", "low", "600-1023"),
    ]  # fmt: skip
    assert spans(stack.reserved) == ["ipv4 50000", "ipv4 50005", "ipv6 50000", "ipv6 50005"]
    assert stack.reserved.gaps == ()


def test_an_empty_reserve_keeps_nothing_and_one_that_is_no_list_is_unknown() -> None:
    empty = own(altered(net__inet__ip__anonportalgo__reserve="")).reserved
    assert (spans(empty), empty.gaps) == (["ipv6 50000", "ipv6 50005"], ())
    garbled = own(altered(net__inet__ip__anonportalgo__reserve="0x3f2a")).reserved
    assert (spans(garbled), open_questions(garbled)) == (["ipv6 50000", "ipv6 50005"], ["ipv4"])


def test_a_release_without_the_algorithm_keeps_nothing_back() -> None:
    answers = [*stated(V4), *stated(V6), *denied(f"{V4}anonportalgo.reserve", f"{V6}anonportalgo.reserve")]
    known = own(bundled("NetBSD", *answers, release="5.0")).reserved
    assert (spans(known), known.gaps) == ([], ())


def test_a_changed_setting_is_compared_with_sysctl_conf() -> None:
    found = [one for one in judged(altered(net__inet__ip__anonportmin="40000"), "", "setting-not-persisted") if one.outcome == "fail"]
    assert found[0].message == "net.inet.ip.anonportmin runs as 40000, and after a reboot it will be 49152"


# Sockets and who holds them


def test_what_netstat_adds_to_sockstat() -> None:
    sockets = by_subject(interpreted(NETBSD.bundle()))
    assert {subject: (one.state, one.owner_state) for subject, one in sockets.items()} == {
        "tcp/[::]:22": ("listening", "known"),
        "tcp/0.0.0.0:22": ("listening", "known"),
        "udp/0.0.0.0:68": ("listening", "known"),
        "tcp/0.0.0.0:2222": ("bound", "unreadable"),
    }
    assert "v6only" not in sockets["tcp/[::]:22"].shown, "NetBSD does not tell whether it takes IPv4 too"


def test_sockstat_alone_misses_what_no_process_holds() -> None:
    snapshot = host("NetBSD", SOCKSTAT, uid="0")
    assert "no socket that no process holds" in whys(own(snapshot).listening)
    whole = bundled("NetBSD", Answer("netstat", NETSTAT[0], NETSTAT[1].encode()), Answer("sockets", SOCKSTAT[0], SOCKSTAT[1].encode()))
    assert open_questions(own(whole).listening) == ["ipv6"]


@pytest.mark.parametrize(
    ("uid", "curtain", "state", "hides"),
    [
        ("0", "1", "known", False),
        ("1000", "0", "known", False),
        ("1000", "1", "partial", True),
        ("1000", "2", "partial", True),
    ],
)
def test_the_curtain_hides_others_from_everybody_but_root(uid: str, curtain: str, state: str, hides: bool) -> None:
    snapshot = altered(uid, security__curtain=curtain)
    assert by_subject(snapshot)["tcp/0.0.0.0:22"].owner_state == state
    assert ("security.curtain is on" in whys(own(snapshot).listening)) is hides


def test_without_a_word_of_the_curtain_only_root_sees_every_process() -> None:
    states = [by_subject(host("NetBSD", SOCKSTAT, **head))["tcp/0.0.0.0:22"].owner_state for head in ({}, {"uid": "0"}, {"uid": "7"})]
    assert states == ["partial", "known", "partial"]


def test_the_probes_only_ask() -> None:
    for probe in (one for one in netbsd.COLLECTOR.probes if not one.ask):
        assert probe.argv[0] in ("sysctl", "sockstat", "netstat", "ps", "ifconfig", "cat")
        assert not any("=" in word or word == "-w" for word in probe.argv)
