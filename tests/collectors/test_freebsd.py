"""FreeBSD: reservedlow and reservedhigh, mac_portacl, jails, and what security.bsd hides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.collectors import freebsd
from auditor.evidence import Answer
from auditor.model import Snapshot, Socket
from tests.bundles import interpreted, stack_of
from tests.collectors.told import Told, bundled, host, judged, open_questions, own, spans, whys
from tests.saved_hosts import FREEBSD

PORTRANGE = "net.inet.ip.portrange."
PORTACL = "security.mac.portacl."
NO_PORTACL = Answer("saved", f"sysctl {PORTACL}enabled", b"", "1", stderr=f"sysctl: unknown oid '{PORTACL}enabled'\n".encode())
SOCKSTAT: Told = ("sockstat -46l", FREEBSD.texts["sockstat -46l"])
NO_JAILS: Told = ("jls -n jid name vnet", "")


def settings(**values: str) -> Told:
    """`sysctl` of several names, each under net.inet.ip.portrange unless it begins otherwise; `__` is a dot."""
    lines = [f"{name.replace('__', '.') if '__' in name else PORTRANGE + name}: {value}\n" for name, value in values.items()]
    return (f"sysctl {' '.join(line.partition(':')[0] for line in lines)}", "".join(lines))


def portacl(enabled: str = "1", suser_exempt: str = "1", port_high: str = "1023", rules: str = "uid:80:tcp:80") -> Told:
    values = {"enabled": enabled, "port_high": port_high, "suser_exempt": suser_exempt, "autoport_exempt": "1", "rules": rules}
    return (f"sysctl {PORTACL[:-1]}", "".join(f"{PORTACL}{name}: {value}\n" for name, value in values.items()))


def told(*answers: Told) -> list[Answer]:
    return [Answer("saved", command, text.encode(), "unknown") for command, text in answers]


def without_portacl(*answers: Told, **head: str) -> Snapshot:
    return bundled("FreeBSD", NO_PORTACL, *told(*answers), release="14.1-RELEASE", **head)


def altered(uid: str = "0", **values: str) -> Snapshot:
    """The rich host with other settings, and run by another user."""
    texts = {f"sysctl {name.replace('__', '.')}": f"{name.replace('__', '.')}: {value}\n" for name, value in values.items()}
    return interpreted(replace(FREEBSD, texts=FREEBSD.texts | texts, uid=uid).bundle())


def by_subject(snapshot: Snapshot, stack: str = "host") -> dict[str, Socket]:
    return {one.numbered_subject: one for one in stack_of(snapshot, stack).listening.seen}


# Privileged ports


@pytest.mark.parametrize(
    ("low", "high", "privileged"),
    [("0", "1023", ["1-1023"]), ("0", "0", []), ("600", "1023", ["600-1023"]), ("1024", "1023", []), ("0", "79", ["1-79"])],
)
def test_the_privileged_ports_are_those_from_reservedlow_to_reservedhigh(low: str, high: str, privileged: list[str]) -> None:
    known = own(without_portacl(settings(reservedlow=low, reservedhigh=high))).privileged
    assert (spans(known), known.gaps, known.basis) == (privileged, (), "derived")


@pytest.mark.parametrize(
    ("high", "outcome", "says"),
    [("1023", "pass", ""), ("0", "fail", "1-1023"), ("79", "fail", "80-1023")],
)
def test_a_lowered_reservedhigh_is_found(high: str, outcome: str, says: str) -> None:
    found = judged(without_portacl(settings(reservedlow="0", reservedhigh=high)), "", "privileged-range-lowered")
    assert [one.outcome for one in found] == [outcome]
    assert says in found[0].message


@pytest.mark.parametrize("value", ["-1", "70000", "\uff11\uff10\uff12\uff13", "1023 1023", "0x3ff", "9" * 400, ""])
def test_a_reservedhigh_that_is_no_port_is_unknown(value: str) -> None:
    snapshot = without_portacl(settings(reservedlow="0", reservedhigh=value))
    assert spans(own(snapshot).privileged) == []
    assert own(snapshot).privileged.gaps
    assert [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")] == ["unknown"]


def test_whether_mac_portacl_is_loaded_must_have_been_asked() -> None:
    known = own(host("FreeBSD", settings(reservedlow="0", reservedhigh="0"), release="14.1")).privileged
    assert f"no answer states {PORTACL}enabled" in whys(known)


def test_mac_portacl_keeps_the_ports_that_reservedhigh_gave_away() -> None:
    open_to_all = settings(reservedlow="0", reservedhigh="0")
    known = own(host("FreeBSD", open_to_all, portacl(), release="14.1")).privileged
    assert (spans(known), known.gaps) == (["tcp 1-1023", "udp 1-1023"], ())
    assert {one.needs for one in known.seen} == {"a rule of mac_portacl, or root"}
    assert {one.needs for one in own(host("FreeBSD", open_to_all, portacl(suser_exempt="0"))).privileged.seen} == {
        "a rule of mac_portacl, root too"
    }
    assert [one.outcome for one in judged(host("FreeBSD", open_to_all, portacl(), release="14.1"), "", "privileged-range-lowered")] == [
        "pass"
    ]


@pytest.mark.parametrize(("acl", "privileged"), [(portacl(port_high="79"), ["tcp 1-79", "udp 1-79"]), (portacl(enabled="0"), [])])
def test_mac_portacl_keeps_none_above_port_high_and_none_where_it_is_off(acl: Told, privileged: list[str]) -> None:
    snapshot = host("FreeBSD", settings(reservedlow="0", reservedhigh="0"), acl, release="14.1")
    assert spans(own(snapshot).privileged) == privileged
    assert [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")] == ["fail"]


def test_a_module_that_one_answer_denies_and_another_has_is_unknown() -> None:
    snapshot = bundled("FreeBSD", NO_PORTACL, *told(settings(reservedlow="0", reservedhigh="1023"), portacl()), release="14.1")
    assert f"two answers state {PORTACL}enabled differently" in whys(own(snapshot).privileged)
    assert "in another there is no such setting" in whys(own(snapshot).settings)
    assert "pass" not in [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")]


# Ephemeral ports


def test_each_role_has_its_range_and_the_low_one_goes_downwards() -> None:
    known = own(interpreted(FREEBSD.bundle())).ephemeral
    assert [(one.role, str(one), one.descending) for one in known.seen] == [
        ("default", "10000-65535", False),
        ("high", "49152-65535", False),
        ("low", "600-1023", True),
    ]
    assert {(one.protocol, one.family) for one in known.seen} == {("any", "any")}


def test_a_role_that_was_not_asked_for_costs_no_other() -> None:
    known = own(host("FreeBSD", settings(first="10000", last="65535"))).ephemeral
    assert [(one.role, str(one)) for one in known.seen] == [("default", "10000-65535")]
    assert [gap.why for gap in known.gaps] == [f"no answer states {PORTRANGE}hifirst", f"no answer states {PORTRANGE}lowfirst"]


def test_a_range_that_reaches_the_system_ports_is_found_but_not_the_low_one_which_is_meant_to() -> None:
    found = judged(altered(net__inet__ip__portrange__first="1000"), "", "ephemeral-range-reaches-privileged-ports")
    assert [one.outcome for one in found] == ["fail"]
    assert found[0].message.startswith("the kernel may hand out 1000-1023, which are System Ports: any user's program")


def test_no_port_is_kept_back() -> None:
    known = own(host("FreeBSD", SOCKSTAT)).reserved
    assert (known.seen, known.gaps, known.basis) == ((), (), "derived")


# Settings


def test_a_setting_that_two_answers_state_otherwise_is_not_known() -> None:
    snapshot = without_portacl(settings(reservedlow="0", reservedhigh="1023"), settings(reservedhigh="0"))
    assert "reservedhigh is '1023' in one answer and '0' in another" in whys(own(snapshot).settings)
    assert "two answers state" in whys(own(snapshot).privileged)
    assert f"{PORTRANGE}reservedhigh" not in snapshot.settings


def test_a_command_that_failed_states_nothing() -> None:
    answer = Answer("saved", f"sysctl {PORTRANGE}reservedhigh", f"{PORTRANGE}reservedhigh: 1023\n".encode(), "signal 9")
    snapshot = bundled("FreeBSD", NO_PORTACL, answer, *told(settings(reservedlow="0")))
    assert "signal 9" in whys(own(snapshot).settings)
    assert spans(own(snapshot).privileged) == []


def test_what_sysctl_conf_says_is_compared_with_what_runs() -> None:
    (drifted,) = [f for f in judged(altered(net__inet__ip__portrange__first="1024"), "", "setting-not-persisted") if f.outcome == "fail"]
    assert drifted.message == f"{PORTRANGE}first runs as 1024, and after a reboot it will be 10000"
    assert drifted.source == "/etc/sysctl.conf:2"


def test_the_local_file_is_read_last_whichever_answer_came_first() -> None:
    running = settings(first="20000", last="65535")
    files: list[Told] = [
        ("cat /etc/sysctl.conf.local", f"{PORTRANGE}first=20000\n"),
        ("cat /etc/sysctl.conf", f"{PORTRANGE}first=30000\n"),
    ]
    persisted = own(host("FreeBSD", running, *files)).persisted
    assert [(one.value, one.file) for one in persisted.seen] == [("30000", "/etc/sysctl.conf"), ("20000", "/etc/sysctl.conf.local")]
    assert persisted.gaps == ()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("cat /etc/sysctl.conf", "/etc/sysctl.conf.local was not asked for"),
        ("cat /etc/sysctl.conf | grep portrange", "lines may have been left out, by grep portrange"),
        ("head /etc/sysctl.conf", "lines may have been left out, by head"),
        ("cat /etc/rc.conf", "what the next boot sets was not asked"),
    ],
)
def test_settings_of_the_next_boot_that_were_not_read_whole_are_unknown(command: str, why: str) -> None:
    snapshot = host("FreeBSD", settings(first="20000"), (command, f"{PORTRANGE}first=20000\n"), release="14.1-RELEASE")
    assert why in whys(own(snapshot).persisted)
    assert "pass" not in [one.outcome for one in judged(snapshot, "", "setting-not-persisted")]


# Sockets and who holds them


def test_the_rich_host_is_known_whole() -> None:
    snapshot = interpreted(FREEBSD.bundle())
    sockets = by_subject(snapshot)
    assert set(sockets) == {"tcp/[::]:22", "tcp/0.0.0.0:22", "tcp/*:8443", "udp/198.51.100.7:123", "udp/0.0.0.0:2049"}
    assert own(snapshot).listening.gaps == snapshot.stacks.gaps == ()
    assert {subject: one.owner_state for subject, one in sockets.items() if one.owner_state != "known"} == {"udp/0.0.0.0:2049": "none"}


def test_processes_are_joined_with_what_ps_and_procstat_say_of_them() -> None:
    owner, *more = by_subject(interpreted(FREEBSD.bundle()))["udp/198.51.100.7:123"].owners_seen
    assert owner.shown == {"pid": 870, "process": "ntpd", "user": "ntpd", "uid": 123, "executable": "/usr/sbin/ntpd"}
    assert more == []


def test_one_socket_that_two_processes_hold_has_both() -> None:
    assert [owner.pid for owner in by_subject(interpreted(FREEBSD.bundle()))["tcp/*:8443"].owners_seen] == [1200, 1201]


@pytest.mark.parametrize(
    ("processes", "executables"),
    [
        ("  PID   UID USER     COMMAND\n  901     0 root     evil\n", "  PID COMM OSREL PATH\n  901 evil 1401000 /tmp/evil\n"),
        ("  PID   UID USER     COMMAND\n  901    66 uucp     sshd\n", "  PID COMM OSREL PATH\n  901 evil 1401000 /tmp/evil\n"),
    ],
)
def test_a_process_that_has_another_name_or_user_by_then_is_another_one(processes: str, executables: str) -> None:
    snapshot = host("FreeBSD", SOCKSTAT, ("ps -axwwo pid,uid,user,comm", processes), ("procstat -ab", executables), uid="0")
    assert by_subject(snapshot)["tcp/0.0.0.0:22"].owners_seen[0].shown == {"pid": 901, "process": "sshd", "user": "root"}


@pytest.mark.parametrize(
    ("uid", "view", "state", "hides"),
    [
        ("0", "1", "known", False),
        ("0", "0", "known", False),
        ("1001", "1", "known", False),
        ("1001", "0", "partial", True),
    ],
)
def test_an_unprivileged_user_sees_all_unless_see_other_uids_is_0(uid: str, view: str, state: str, hides: bool) -> None:
    snapshot = altered(uid, security__bsd__see_other_uids=view)
    assert by_subject(snapshot)["tcp/0.0.0.0:22"].owner_state == state
    assert ("see_other_uids is 0" in whys(own(snapshot).listening)) is hides
    if hides:
        assert {one.outcome for one in judged(snapshot, "listening: {required: [{port: 9999}]}", "required-listener-absent")} == {"unknown"}


def test_who_ran_it_decides_where_nothing_says_what_is_hidden() -> None:
    states = [by_subject(host("FreeBSD", SOCKSTAT, **head))["tcp/0.0.0.0:22"].owner_state for head in ({}, {"uid": "0"}, {"uid": "7"})]
    assert states == ["partial", "known", "partial"]


def test_sockstat_of_ipv4_leaves_ipv6_alone_unknown() -> None:
    text = SOCKSTAT[1].split("\n", 1)[0] + "\nroot     sshd        901  5   tcp4   *:22                  *:*\n"
    snapshot = host("FreeBSD", ("sockstat -4l", text))
    assert [one.numbered_subject for one in own(snapshot).listening.seen] == ["tcp/0.0.0.0:22"]
    assert open_questions(own(snapshot).listening) == ["ipv6"]


# Jails


@pytest.mark.parametrize(
    ("vnet", "sockets", "rest"),
    [("0", "shows only its own sockets", True), ("1", "", False)],
)
def test_what_was_taken_inside_a_jail_shows_that_jail_alone(vnet: str, sockets: str, rest: bool) -> None:
    snapshot = altered(security__jail__jailed="1", security__jail__vnet=vnet)
    assert sockets in whys(own(snapshot).listening)
    assert bool(own(snapshot).listening.gaps) is rest
    assert "taken inside a jail" in whys(snapshot.stacks)
    assert by_subject(snapshot)["tcp/0.0.0.0:22"].owner_state == "partial"


def test_whether_it_was_a_jail_is_not_taken_from_answers_that_contradict_each_other() -> None:
    said = [settings(security__jail__jailed=value) for value in ("0", "1")]
    snapshot = host("FreeBSD", *said, SOCKSTAT, NO_JAILS, uid="0")
    assert by_subject(snapshot)["tcp/0.0.0.0:22"].owner_state == "partial"
    assert "shows only its own sockets" in whys(own(snapshot).listening)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("jid=3 name=web vnet=new\n", "jail web has a network stack of its own, which was not looked into (jexec 3 ...)"),
        ("jid=3 name=web\n", "jail web may have a network stack of its own, which was not looked into (jexec 3 ...)"),
        ("jid=3 name=web vnet=inherit\n", ""),
        ("", ""),
        ("   JID  IP Address      Hostname                      Path\n", "a line of jls cannot be read"),
    ],
)
def test_a_jail_with_a_stack_of_its_own_is_a_gap(line: str, why: str) -> None:
    assert whys(host("FreeBSD", SOCKSTAT, ("jls -n jid name vnet", line)).stacks) == why


def test_whether_there_are_jails_must_have_been_asked() -> None:
    assert "was not asked (jls" in whys(host("FreeBSD", SOCKSTAT).stacks)
    refused = Answer("jails", "jls -n jid name vnet", b"", "1", stderr=b"jls: jail_get: Operation not permitted\n")
    assert "not permitted" in whys(bundled("FreeBSD", refused, *told(SOCKSTAT)).stacks)


@pytest.mark.parametrize("named", ["web", "3"])
def test_a_jail_that_was_entered_by_name_or_number_is_a_stack_of_its_own(named: str) -> None:
    inside: Told = (f"jexec {named} sockstat -46l", SOCKSTAT[1].replace(":8443", ":9443"))
    snapshot = host("FreeBSD", SOCKSTAT, ("jls -n jid name vnet", "jid=3 name=web vnet=new\njid=4 name=db vnet=new\n"), inside, uid="0")
    assert [(one.name, one.kind) for one in snapshot.stacks.seen] == [("host", "host"), (f"jail:{named}", "vnet")]
    assert [gap.stack for gap in snapshot.stacks.gaps] == ["jail:db"]
    assert "tcp/*:9443" in by_subject(snapshot, f"jail:{named}")
    assert "tcp/*:9443" not in by_subject(snapshot)


def test_a_jail_shows_its_own_processes_alone_even_to_root() -> None:
    snapshot = host("FreeBSD", SOCKSTAT, ("jexec web sockstat -46l", SOCKSTAT[1]), uid="0")
    assert by_subject(snapshot)["tcp/0.0.0.0:22"].owner_state == "known"
    inside = by_subject(snapshot, "jail:web")["tcp/0.0.0.0:22"]
    assert (inside.owner_state, inside.owner_reason) == (
        "partial",
        "the commands ran inside jail:web, where only its own processes are seen",
    )


def test_settings_of_a_jail_are_not_the_hosts() -> None:
    inside = settings(reservedlow="0", reservedhigh="0")
    snapshot = without_portacl(settings(reservedlow="0", reservedhigh="1023"), (f"jexec web {inside[0]}", inside[1]))
    assert spans(stack_of(snapshot, "host").privileged) == ["1-1023"]
    assert snapshot.settings[f"{PORTRANGE}reservedhigh"] == "1023"
    assert host("FreeBSD", (f"jexec web {inside[0]}", inside[1])).settings == {}


def test_the_probes_only_ask() -> None:
    for probe in (one for one in freebsd.COLLECTOR.probes if not one.ask):
        assert probe.argv[0] in ("sysctl", "sockstat", "netstat", "ps", "procstat", "ifconfig", "jls", "cat")
        assert not any("=" in word or word == "-w" for word in probe.argv)


def test_what_another_user_ran_does_not_show_everybodys_sockets_whoever_ran_id() -> None:
    told = [("id -u", "0\n"), ("sysctl security.bsd.see_other_uids", "security.bsd.see_other_uids: 0\n")]
    for command, gaps in (("sudo -u www sockstat -46l", True), ("sockstat -46l", False)):
        known = own(host("FreeBSD", *told, (command, FREEBSD.texts["sockstat -46l"]), release="14.1")).listening
        assert any("see_other_uids is 0" in gap.why for gap in known.gaps) is gaps
