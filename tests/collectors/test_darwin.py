"""macOS: what the release says of privileged ports, the wildcard's exemption, the restricted port, netstat and lsof."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.collectors import darwin
from auditor.evidence import Answer
from auditor.model import Snapshot, Socket
from tests.bundles import interpreted, judged
from tests.collectors.told import Told, bundled, host, open_questions, own, spans, whys
from tests.saved_hosts import DARWIN

RESTRICTED = "net.restricted_port.enforced"
NO_SUCH = Answer("saved", f"sysctl {RESTRICTED}", b"", "1", stderr=f"sysctl: unknown oid '{RESTRICTED}'\n".encode())
NETSTAT: Told = ("netstat -anvl -p tcp", DARWIN.texts["netstat -anvl -p tcp"])
LSOF: Told = ("lsof -nP +c 0 -iTCP -sTCP:LISTEN", DARWIN.texts["lsof -nP +c 0 -iTCP -sTCP:LISTEN"])


def enforced(value: str) -> Told:
    return (f"sysctl {RESTRICTED}", f"{RESTRICTED}: {value}\n")


def altered(release: str = "24.1.0", uid: str = "0", **texts: str) -> Snapshot:
    return interpreted(replace(DARWIN, release=release, uid=uid, texts=DARWIN.texts | texts).bundle())


def by_subject(snapshot: Snapshot) -> dict[str, Socket]:
    return {one.numbered_subject: one for one in own(snapshot).listening.seen}


# Privileged ports


@pytest.mark.parametrize(
    ("release", "exempt"),
    [("1.0", False), ("17.7.0", False), ("18.0.0", True), ("19.6.0", True), ("24.1.0", True)],
)
def test_the_wildcard_is_exempt_since_darwin_18(release: str, exempt: bool) -> None:
    known = own(host("Darwin", enforced("0"), release=release)).privileged
    assert [(str(one), one.protocol, one.wildcard_exempt, one.needs) for one in known.seen] == [("1-1023", "any", exempt, "root")]
    assert (known.gaps, known.basis) == ((), "documented")


@pytest.mark.parametrize(
    ("release", "value", "privileged"),
    [
        ("24.1.0", "1", ["1-1023", "tcp 55555"]),
        ("20.0.0", "1", ["1-1023", "tcp 55555"]),
        ("24.1.0", "0", ["1-1023"]),
        ("19.6.0", "1", ["1-1023"]),
        ("17.7.0", "1", ["1-1023"]),
    ],
)
def test_port_55555_is_refused_even_to_root_since_darwin_20_where_that_is_enforced(release: str, value: str, privileged: list[str]) -> None:
    stack = own(host("Darwin", enforced(value), release=release))
    assert (spans(stack.privileged), stack.privileged.gaps) == (privileged, ())
    assert (spans(stack.reserved), stack.reserved.gaps) == (privileged[1:], ())


def test_a_release_without_the_setting_enforces_nothing_and_one_that_was_not_asked_leaves_that_port_open() -> None:
    denied = own(bundled("Darwin", NO_SUCH, release="20.1.0"))
    assert (spans(denied.privileged), denied.privileged.gaps, denied.reserved.gaps) == (["1-1023"], (), ())
    unasked = own(host("Darwin", NETSTAT, release="24.1.0"))
    assert (spans(unasked.privileged), open_questions(unasked.privileged)) == (["1-1023"], ["tcp 55555"])
    assert open_questions(unasked.reserved) == ["tcp 55555"]
    assert open_questions(own(host("Darwin", enforced("2"), release="24.1.0")).privileged) == ["tcp 55555"]


@pytest.mark.parametrize("release", [None, "", "unknown"])
def test_without_the_release_the_privileged_ports_are_unknown(release: str | None) -> None:
    stack = own(host("Darwin", enforced("1"), release=release))
    assert spans(stack.privileged) == spans(stack.reserved) == []
    assert "the release decides" in whys(stack.privileged)
    assert "the release decides" in whys(stack.reserved)
    snapshot = host("Darwin", enforced("1"), NETSTAT, release=release)
    assert not {"pass", "fail"} & {one.outcome for one in judged(snapshot, "privileged: {expect: 0-1023}", "privileged-range-lowered")}


def test_the_tables_word_is_not_compared_with_itself_but_with_the_policys() -> None:
    assert [one.outcome for one in judged(altered(), "", "privileged-range-lowered")] == ["notchecked"]
    assert "pass" not in [one.outcome for one in judged(altered(), "privileged: {expect: 0-2047}", "privileged-range-lowered")]
    assert any(line.startswith("Privileged ports documented for release 24.1.0, not read") for line in altered().limits)


# Ephemeral ports


def test_each_role_has_its_range() -> None:
    known = own(altered()).ephemeral
    assert [(one.role, str(one), one.descending) for one in known.seen] == [
        ("default", "49152-65535", False), ("high", "49152-65535", False), ("low", "600-1023", True),
    ]  # fmt: skip
    assert known.gaps == ()


def test_a_setting_that_was_not_answered_costs_its_own_range_alone() -> None:
    texts = {command: text for command, text in DARWIN.texts.items() if command != "sysctl net.inet.ip.portrange.last"}
    known = own(interpreted(replace(DARWIN, texts=texts).bundle())).ephemeral
    assert [one.role for one in known.seen] == ["high", "low"]
    assert "net.inet.ip.portrange.last" in whys(known)


def test_a_changed_setting_is_compared_with_sysctl_conf() -> None:
    changed = {"sysctl net.inet.ip.portrange.first": "net.inet.ip.portrange.first: 40000\n"}
    (found,) = [one for one in judged(altered(**changed), "", "setting-not-persisted") if one.outcome == "fail"]
    assert "net.inet.ip.portrange.first is not the kernel's default, and no file sets it" in found.message
    kept = changed | {"cat /etc/sysctl.conf": "net.inet.ip.portrange.first=40000\n"}
    assert "fail" not in [one.outcome for one in judged(altered(**kept), "", "setting-not-persisted")]


# Sockets and who holds them


def test_netstat_shows_every_socket_and_lsof_every_holder() -> None:
    snapshot = altered()
    assert own(snapshot).listening.gaps == ()
    assert {subject: one.owner_state for subject, one in by_subject(snapshot).items()} == {
        "tcp/*:5000": "known", "tcp/127.0.0.1:631": "known", "udp/0.0.0.0:5353": "known",
    }  # fmt: skip
    owner = by_subject(snapshot)["tcp/*:5000"].owners_seen[0]
    assert owner.shown == {"pid": 612, "process": "rapportd", "user": "robin", "uid": 501}


def test_an_unprivileged_user_still_sees_every_socket_but_not_every_holder() -> None:
    lsof = LSOF[1].split("\n")
    snapshot = altered(uid="501", **{LSOF[0]: f"{lsof[0]}\n{lsof[2]}\n"})
    assert own(snapshot).listening.gaps == ()
    assert {one.owner_state for one in by_subject(snapshot).values()} == {"partial"}


def test_the_process_that_netstat_names_is_one_of_perhaps_several() -> None:
    socket = by_subject(host("Darwin", NETSTAT, uid="0"))["tcp/127.0.0.1:631"]
    assert (socket.owner_state, [owner.pid for owner in socket.owners_seen]) == ("partial", [1])
    assert "netstat -anvl -p tcp names one process" in socket.owner_reason


def test_lsof_alone_covers_nothing() -> None:
    assert own(host("Darwin", LSOF, uid="0")).listening.gaps
    assert open_questions(own(host("Darwin", NETSTAT, uid="0")).listening) == ["udp"]


def test_the_probes_only_ask() -> None:
    for probe in (one for one in darwin.COLLECTOR.probes if not one.ask):
        assert probe.argv[0] in ("sysctl", "netstat", "lsof", "ps", "ifconfig", "cat")
        assert not any("=" in word or word == "-w" for word in probe.argv)
