"""OpenBSD: the constant limit, rootonly and baddynamic lists, routing domains, and fstat, which shows everybody's files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.collectors import openbsd
from auditor.evidence import Answer
from auditor.model import Snapshot, Socket
from tests.bundles import interpreted, judged, stack_of
from tests.collectors.told import Told, bundled, host, open_questions, own, spans, whys
from tests.saved_hosts import OPENBSD

LISTS = ("net.inet.tcp.rootonly", "net.inet.udp.rootonly", "net.inet.tcp.baddynamic", "net.inet.udp.baddynamic")
FSTAT: Told = ("fstat -n", OPENBSD.texts["fstat -n"])
NETSTAT: Told = ("netstat -an -f inet", OPENBSD.texts["netstat -an -f inet"])
ONE_DOMAIN: Told = ("netstat -R", "Rdomain 0\n  Interfaces: lo0 em0\n  Routing table: 0\n\n")


def settings(**values: str) -> list[Told]:
    """A `sysctl` each: `portfirst` is net.inet.ip.portfirst, `tcp_rootonly` net.inet.tcp.rootonly."""
    names = {name: f"net.inet.{name.replace('_', '.')}" if "_" in name else f"net.inet.ip.{name}" for name in values}
    return [(f"sysctl {names[name]}", f"{names[name]}={value}\n") for name, value in values.items()]


def denied(*names: str) -> list[Answer]:
    words = "sysctl: third level name '{0}' in '{1}' is invalid\n"
    return [
        Answer("saved", f"sysctl {name}", b"", "1", stderr=words.format(name.split(".")[2], name).encode())
        for name in names
    ]  # fmt: skip


def altered(**values: str) -> Snapshot:
    return interpreted(replace(OPENBSD, texts=OPENBSD.texts | dict(settings(**values))).bundle())


def by_subject(snapshot: Snapshot, stack: str = "host") -> dict[str, Socket]:
    return {one.numbered_subject: one for one in stack_of(snapshot, stack).listening.seen}


# Privileged and reserved ports


def test_the_limit_is_a_constant_and_the_lists_add_to_it_protocol_by_protocol() -> None:
    snapshot = altered(tcp_rootonly="2049", udp_rootonly="2049,6000-6005")
    known = own(snapshot).privileged
    assert (spans(known), known.gaps) == (["1-1023", "tcp 2049", "udp 2049", "udp 6000-6005"], ())
    assert {one.needs for one in known.seen} == {"root"}


def test_a_list_that_was_not_read_leaves_its_own_protocol_unknown() -> None:
    stack = own(host("OpenBSD", *settings(tcp_rootonly="2049", tcp_baddynamic="587,6000-6010")))
    assert (spans(stack.privileged), open_questions(stack.privileged)) == (["1-1023", "tcp 2049"], ["udp"])
    assert (spans(stack.reserved), open_questions(stack.reserved)) == (["tcp 587", "tcp 6000-6010"], ["udp"])


def test_a_release_without_the_lists_has_none_of_them() -> None:
    stack = own(bundled("OpenBSD", *denied(*LISTS), release="5.4"))
    assert (spans(stack.privileged), stack.privileged.gaps) == (["1-1023"], ())
    assert (spans(stack.reserved), stack.reserved.gaps) == ([], ())


@pytest.mark.parametrize("value", ["2049,", "2049 6000-6010", ""])
def test_an_empty_list_or_a_stray_comma_is_no_other_list(value: str) -> None:
    known = own(host("OpenBSD", *settings(tcp_rootonly=value, udp_rootonly=""))).privileged
    assert known.gaps == ()
    assert spans(known)[0] == "1-1023"


@pytest.mark.parametrize("value", ["2049,nfs", "70000", "10-2", "\uff12\uff10\uff14\uff19"])
def test_a_list_that_is_none_is_unknown_and_not_empty(value: str) -> None:
    known = own(host("OpenBSD", *settings(tcp_rootonly=value, udp_rootonly=""))).privileged
    assert spans(known) == ["1-1023"]
    assert open_questions(known) == ["tcp"]
    assert "is no list of ports" in whys(known)


# Ephemeral ports


def test_each_role_has_its_range() -> None:
    known = own(altered()).ephemeral
    assert [(one.role, str(one)) for one in known.seen] == [("default", "1024-49151"), ("high", "49152-65535"), ("low", "600-1023")]
    assert known.gaps == ()
    assert all("descending" not in one.shown for one in known.seen)


def test_first_may_be_above_last() -> None:
    assert str(own(altered(portfirst="40000", portlast="30000")).ephemeral.seen[0]) == "30000-40000"


def test_a_range_below_1024_is_handed_to_anybody_and_is_found() -> None:
    found = judged(altered(portfirst="700", portlast="800"), "", "ephemeral-range-reaches-privileged-ports")
    assert [(one.outcome, one.severity) for one in found] == [("fail", "high")]
    assert "700-748, 752-800" in found[0].message, "what baddynamic keeps of both protocols is not handed out"


@pytest.mark.parametrize(("tcp", "udp", "outcome"), [("45001", "", "pass"), ("", "45001", "fail"), ("", "", "fail")])
def test_ports_of_baddynamic_are_not_handed_out_for_their_protocol_alone(tcp: str, udp: str, outcome: str) -> None:
    texts = dict(settings(tcp_baddynamic=tcp, udp_baddynamic=udp))
    texts["netstat -an -f inet"] = NETSTAT[1].replace("127.0.0.1.25   ", "127.0.0.1.45001")
    snapshot = interpreted(replace(OPENBSD, texts=OPENBSD.texts | texts).bundle())
    assert [one.outcome for one in judged(snapshot, "", "listener-in-ephemeral-range")] == [outcome]


def test_what_failed_leaves_only_what_is_constant() -> None:
    failed = [Answer("settings", f"sysctl {name}", b"", "timeout 5") for name in (*openbsd.RANGES, *LISTS)]
    stack = own(bundled("OpenBSD", *failed, release="7.6"))
    assert spans(stack.privileged) == ["1-1023"]
    assert spans(stack.ephemeral) == ["600-1023"]
    assert spans(stack.reserved) == []
    assert stack.privileged.gaps
    assert stack.ephemeral.gaps
    assert stack.reserved.gaps


def test_a_changed_setting_is_compared_with_sysctl_conf() -> None:
    changed = altered(portlast="40000")
    (found,) = [one for one in judged(changed, "", "setting-not-persisted") if one.outcome == "fail"]
    assert "net.inet.ip.portlast is not the kernel's default, and no file sets it" in found.message
    kept = replace(
        OPENBSD, texts=OPENBSD.texts | dict(settings(portlast="40000")) | {"cat /etc/sysctl.conf": "net.inet.ip.portlast=40000\n"}
    )
    assert "fail" not in [one.outcome for one in judged(interpreted(kept.bundle()), "", "setting-not-persisted")]


# Sockets and who holds them


@pytest.mark.parametrize("uid", ["0", "1000"])
def test_fstat_shows_everybodys_sockets_to_anybody(uid: str) -> None:
    snapshot = interpreted(replace(OPENBSD, uid=uid).bundle())
    assert own(snapshot).listening.gaps == ()
    assert {one.owner_state for one in own(snapshot).listening.seen} == {"known"}
    owner = by_subject(snapshot)["tcp/127.0.0.1:25"].owners_seen[0]
    assert owner.shown == {"pid": 30999, "process": "smtpd", "user": "_smtpd", "uid": 95}


def test_lsof_shows_an_unprivileged_user_his_own_alone() -> None:
    lsof = (
        "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\nsmtpd 30999 _smtpd 5u IPv4 0xfffffd8000000003 0t0 TCP 127.0.0.1:25 (LISTEN)\n"
    )
    states = {
        uid: by_subject(host("OpenBSD", NETSTAT, ("lsof -nP -i", lsof), uid=uid))["tcp/127.0.0.1:25"].owner_state for uid in ("0", "1000")
    }
    assert states == {"0": "known", "1000": "partial"}


def test_fstat_alone_does_not_say_what_listens_and_misses_what_nobody_holds() -> None:
    snapshot = host("OpenBSD", FSTAT)
    assert {one.state for one in own(snapshot).listening.seen if one.protocol == "tcp"} == {"unknown"}
    assert "no socket that no process holds" in whys(own(snapshot).listening)


def test_a_socket_that_fstat_does_not_have_is_held_by_no_process() -> None:
    text = NETSTAT[1].replace("*.514 ", "*.2049")
    sockets = by_subject(host("OpenBSD", ("netstat -an -f inet", text), FSTAT))
    assert (sockets["udp/0.0.0.0:2049"].owner_state, sockets["tcp/0.0.0.0:22"].owner_state) == ("none", "known")


def test_names_of_ports_are_the_systems_own() -> None:
    named = NETSTAT[1].replace("*.514 ", "*.heron")
    services: Told = ("cat /etc/services", "heron\t6514/udp\nheron\t9/tcp\n")
    snapshot = host("OpenBSD", ("netstat -a -f inet", named.replace(".22 ", ".ssh").replace(".25 ", ".smtp")), services)
    assert {subject: one.shown.get("port_from_name") for subject, one in by_subject(snapshot).items()} == {
        "tcp/127.0.0.1:25": True, "tcp/0.0.0.0:22": True, "udp/0.0.0.0:6514": True,
    }  # fmt: skip


# Routing domains


@pytest.mark.parametrize(
    "command", ["netstat -an -T 5 -f inet", "netstat -anT5 -f inet", "route -T 5 exec netstat -an -f inet", "doas netstat -T 5 -an -f inet"]
)
def test_a_routing_domain_that_was_looked_into_is_a_stack_of_its_own(command: str) -> None:
    listed: Told = ("netstat -R", ONE_DOMAIN[1] + "Rdomain 5\n  Interface: em1\n  Routing table: 5\n\n")
    assert [gap.stack for gap in host("OpenBSD", listed, NETSTAT).stacks.gaps] == ["rdomain:5"]
    snapshot = host("OpenBSD", listed, NETSTAT, (command, NETSTAT[1].replace("*.22 ", "*.5022")))
    assert snapshot.stacks.gaps == ()
    assert [(stack.name, stack.kind) for stack in snapshot.stacks.seen] == [("host", "host"), ("rdomain:5", "rdomain")]
    assert "tcp/0.0.0.0:5022" in by_subject(snapshot, "rdomain:5")
    assert "tcp/0.0.0.0:5022" not in by_subject(snapshot)


@pytest.mark.parametrize("command", ["netstat -an -T 0 -f inet", "route -T 0 exec netstat -an -f inet"])
def test_routing_domain_0_is_the_hosts_own(command: str) -> None:
    assert [stack.name for stack in host("OpenBSD", ONE_DOMAIN, (command, NETSTAT[1])).stacks.seen] == ["host"]


def test_a_domain_that_no_list_has_is_still_a_stack_and_says_nothing_of_the_host() -> None:
    snapshot = host("OpenBSD", ONE_DOMAIN, FSTAT, ("netstat -an -T99", NETSTAT[1]))
    assert [stack.name for stack in snapshot.stacks.seen] == ["host", "rdomain:99"]
    assert "no socket that no process holds" in whys(own(snapshot).listening)
    alone = host("OpenBSD", ("netstat -an -T99", NETSTAT[1]))
    assert [stack.kind for stack in alone.stacks.seen] == ["rdomain"]
    assert "no answer speaks of the host's own network stack" in whys(alone.stacks)


@pytest.mark.parametrize("text", ["", "Rdomain 5\n  Interface: em1\n", "netstat: unknown option -- R\n"])
def test_a_list_of_domains_that_is_not_whole_is_a_gap(text: str) -> None:
    assert whys(host("OpenBSD", NETSTAT, ("netstat -R", text)).stacks)


def test_whether_there_are_domains_must_have_been_asked() -> None:
    assert "was not asked (netstat -R)" in whys(host("OpenBSD", NETSTAT).stacks)
    assert host("OpenBSD", NETSTAT, ONE_DOMAIN).stacks.gaps == ()


def test_the_probes_only_ask() -> None:
    for probe in (one for one in openbsd.COLLECTOR.probes if not one.ask):
        assert probe.argv[0] in ("sysctl", "netstat", "fstat", "ps", "ifconfig", "cat")
        assert not any("=" in word or word == "-w" for word in probe.argv)
