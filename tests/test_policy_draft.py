"""A drafted policy approves what was seen, nothing that nobody would sign, and says nothing that a host made it say."""

# ruff: noqa: S108 - folders are named here, nothing is written there

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import plugins
from auditor.display import harmless
from auditor.errors import PolicyError
from auditor.evaluate import evaluate
from auditor.facts import Facts, Gap, UnknownFact
from auditor.model import Finding, Snapshot, Socket, Stack
from auditor.owner import Owner
from auditor.policy import Policy, load
from auditor.policy_draft import Draft, draft
from auditor.policy_draft_text import HOSTS_NAMED, LINES_MAX, text
from auditor.policy_keys import PolicyErrors
from auditor.yaml_nodes import parse
from tests import bundles
from tests.bundles import NGINX, SSHD, Host, Process, host, port, service

TMP = Process(666, "/tmp/.x/sshd", 0, "/system.slice/sshd.service")


def drafted(*hosts: Host | Snapshot, by: str = "", share: int = 90) -> Draft:
    snapshots = [one.snapshot() if isinstance(one, Host) else one for one in hosts]
    return draft(snapshots, bundles.policy(by), bundles.TABLES, share)


def written(*hosts: Host | Snapshot, by: str = "", share: int = 90) -> str:
    return text(drafted(*hosts, by=by, share=share), "baseline", "for a test")


def proposed(made: Draft) -> list[str]:
    """Each entry that is proposed, in one line."""
    return [" ".join(f"{key}={','.join(values)}" for key, values in one.values.items()) for one in made.proposed]


def filled(tmp_path: Path, drawn_up: str) -> Policy:
    path = tmp_path / "drafted.yaml"
    path.write_text(drawn_up.replace("purpose:\n", "purpose: filled in\n"), encoding="utf-8")
    return load(str(path), plugins.rule_parameters())


def judged(snapshot: Snapshot, policy: Policy) -> list[Finding]:
    return evaluate(snapshot, policy, bundles.TABLES, [bundles.rules()["listener-not-approved"]], bundles.TODAY)


def called(*machines: str, ports: Iterable[Any] = ()) -> list[Snapshot]:
    """Hosts that are alike but for their name and machine-id."""
    one = host(*ports).snapshot()
    return [Snapshot(**{**one.shown, "host": name, "machine_id": f"{name}-id"}) for name in machines]


# What is proposed


def test_an_entry_asks_all_that_the_host_shows() -> None:
    made = drafted(host(port("tcp/0.0.0.0:22", SSHD), port("tcp/[::]:22", SSHD), port("udp/127.0.0.1:123", service(700, "chronyd", 1000))))
    assert proposed(made) == [
        "name=ssh port=22 protocol=tcp executable=/usr/sbin/sshd user=root unit=sshd.service",
        "name=ntp port=123 protocol=udp address=loopback executable=/usr/sbin/chronyd user=ann unit=chronyd.service",
    ]
    assert made.proposed[0].notes == ["privileged"]


def test_what_is_unassigned_is_called_by_its_unit_and_names_are_never_twice() -> None:
    made = drafted(
        host(port("tcp/0.0.0.0:41000", NGINX), port("udp/0.0.0.0:53", SSHD), port("tcp/0.0.0.0:53", SSHD), port("tcp/10.0.0.5:53", NGINX))
    )
    assert [one.values["name"] for one in made.proposed] == [["domain"], ["domain-tcp"], ["domain-udp"], ["nginx"]]
    assert made.proposed[3].notes == ["ephemeral", "IANA: unassigned"]


def test_names_that_the_extended_policy_has_are_not_taken_again() -> None:
    made = drafted(host(port("tcp/0.0.0.0:22", SSHD)), by="listening: {approved: [{name: ssh, port: 2222}]}")
    assert proposed(made)[0].startswith("name=ssh-tcp ")


def test_what_the_extended_policy_approves_is_not_listed_again() -> None:
    made = drafted(host(port("tcp/0.0.0.0:22", SSHD)), by="listening: {approved: [{name: s, port: 22, executable: /usr/sbin/sshd}]}")
    assert (made.already, made.proposed, made.refused) == (1, [], [])


def test_an_address_is_asked_of_one_host_alone_and_loopback_of_many() -> None:
    ports = (port("tcp/10.0.0.5:22", SSHD), port("tcp/127.0.0.1:25", NGINX), port("tcp/[::1]:25", NGINX))
    alone, many = drafted(host(*ports)), drafted(*called("a", "b", ports=ports))
    assert [one.values.get("address") for one in alone.proposed] == [["10.0.0.5"], ["loopback"]]
    assert [one.values.get("address") for one in many.proposed] == [None, ["loopback"]]


def test_a_listener_of_loopback_and_of_the_wildcard_is_asked_for_nowhere_in_particular() -> None:
    made = drafted(host(port("tcp/127.0.0.1:22", SSHD), port("tcp/0.0.0.0:22", SSHD)))
    assert "address" not in made.proposed[0].values


def test_a_device_is_asked_where_it_is_the_same_everywhere() -> None:
    made = drafted(
        host(port("udp/0.0.0.0%virbr0:67", service(5, "dnsmasq")), port("udp/0.0.0.0%br1:68", SSHD), port("udp/0.0.0.0:68", SSHD))
    )
    assert [one.values.get("interface") for one in made.proposed] == [["virbr0"], None]


def test_what_socket_activation_holds_is_asked_by_its_units() -> None:
    units = (("ssh.socket", "ListenStream", "22"), ("ssh.socket", "Service", "ssh.service"))
    before = host(port("tcp/0.0.0.0:22", bundles.INIT), units=units)
    after = host(port("tcp/0.0.0.0:22", bundles.INIT, service(812, "ssh")), units=units)
    for one in (before, after):
        assert proposed(drafted(one)) == ["name=ssh port=22 protocol=tcp unit=ssh.service,ssh.socket"]


def test_a_kernel_given_port_is_asked_as_such() -> None:
    avahi = service(700, "avahi-daemon", 108)
    made = drafted(host(port("udp/0.0.0.0:45000", avahi, uid=108), port("udp/0.0.0.0:45999", avahi, uid=108)))
    assert proposed(made) == [
        "name=avahi-daemon port=kernel-given protocol=udp executable=/usr/sbin/avahi-daemon user=108 unit=avahi-daemon.service"
    ]


def test_units_whose_names_are_made_at_run_time_are_never_asked() -> None:
    by_hand = Process(7, "/usr/sbin/x", 0, "/user.slice/user-0.slice/session-3.scope")
    run = Process(8, "/usr/sbin/y", 0, "/system.slice/run-u12.service")
    made = drafted(host(port("tcp/0.0.0.0:7000", by_hand), port("tcp/0.0.0.0:7001", run)))
    assert [one.values.get("unit") for one in made.proposed] == [None, None]
    assert all("runs in a login session, or was started by hand" in one.notes for one in made.proposed)


def test_an_owner_that_was_not_visible_is_approved_by_port_with_a_word_about_it() -> None:
    made = drafted(host(port("tcp/0.0.0.0:2049")))
    (one,) = made.proposed
    assert one.values == {"name": one.values["name"], "port": ["2049"], "protocol": ["tcp"]}
    assert one.notes == ["owner not visible: approve by executable once seen"]


def test_those_whose_owner_was_not_visible_are_taken_for_the_only_one_that_was() -> None:
    seen, unseen = called("a", "b", ports=[port("tcp/0.0.0.0:22", SSHD)])
    unseen = bundles.with_sockets(unseen, owners_seen=[], owner_state="unreadable", owner_reason="no permission")
    made = drafted(seen, unseen)
    assert proposed(made) == ["name=ssh port=22 protocol=tcp executable=/usr/sbin/sshd user=root unit=sshd.service"]
    assert "owner not visible of 1 of 2 listeners" in made.proposed[0].notes


def test_a_container_is_asked_by_name_and_never_by_id() -> None:
    identity = "ab" * 32
    app = Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{identity}.scope")
    boxed = [bundles.container(identity, port("tcp/172.17.0.2:80", app))]
    named = Host(net=host().net, others=boxed, containers={identity: "cart"})
    nameless = Host(net=host().net, others=boxed)
    assert proposed(drafted(named)) == ["name=http port=80 protocol=tcp container=cart executable=/usr/bin/app user=0"]
    assert drafted(nameless).proposed == []
    assert [why for why, _ in drafted(nameless).refused] == ["in a container of which no usable name is known"]


def test_another_network_stack_is_asked_by_its_name() -> None:
    blue = bundles.Net((port("tcp/0.0.0.0:80", NGINX),), mounted="/run/netns/blue", holder=Process(7000, "/usr/bin/sleep"))
    (line,) = proposed(drafted(Host(net=host().net, others=[blue])))
    assert " stack=blue executable=/usr/sbin/nginx " in line


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ({"user": "www-data", "uid": 33}, ["www-data"]),
        ({"user": "root", "uid": 0}, ["root"]),
        ({"user": "root"}, ["root"]),
        ({"user": "root", "uid": 1000}, ["1000"]),
        ({"user": "1000", "uid": 33}, ["33"]),
        ({"user": "1000"}, None),
        ({"user": "a\nb", "uid": 5}, ["5"]),
        ({"uid": 110}, ["110"]),
        ({}, None),
    ],
)
def test_a_user_is_asked_by_a_name_that_can_mean_no_other(shown: dict[str, Any], asked: list[str] | None) -> None:
    held = [Owner(executable="/usr/sbin/x", **shown)]
    made = drafted(bundles.with_sockets(host(port("tcp/0.0.0.0:22", SSHD)), owners_seen=held))
    assert made.proposed[0].values.get("user") == asked


# Many hosts


def test_an_entry_is_proposed_if_it_is_on_that_share_of_the_hosts() -> None:
    most = called(*(f"web{n}" for n in range(9)), ports=[port("tcp/0.0.0.0:22", SSHD)])
    odd = called("odd", ports=[port("tcp/0.0.0.0:9999", NGINX)])
    made = drafted(*most, *odd)
    assert [(one.values["name"], len(one.hosts)) for one in made.proposed] == [(["ssh"], 9)]
    assert [one.hosts for one in made.rare] == [["odd"]]
    assert "    # on 9 of 10 hosts; privileged\n    - name: ssh\n" in text(made, "baseline", "")
    assert "\n#   name distinct, port 9999, protocol tcp, " in text(made, "baseline", "")
    assert ": on 1 of 10 hosts: odd\n" in text(made, "baseline", "")
    assert drafted(*most, *odd, share=91).proposed == []


def test_outliers_name_five_hosts_and_count_the_others() -> None:
    few = called(*(f"odd{n}" for n in range(7)), ports=[port("tcp/0.0.0.0:9999", NGINX)])
    many = called(*(f"web{n}" for n in range(93)))
    assert ": on 7 of 100 hosts: odd0, odd1, odd2, odd3, odd4 and 2 more\n" in written(*few, *many)
    assert HOSTS_NAMED == 5


def test_users_and_units_that_differ_between_hosts_are_all_asked_and_too_many_are_not() -> None:
    def at(name: str, unit: str, uid: int) -> Snapshot:
        one = host(port("tcp/0.0.0.0:22", Process(8, "/usr/sbin/sshd", uid, f"/system.slice/{unit}"))).snapshot()
        return Snapshot(**{**one.shown, "host": name, "machine_id": name})

    made = drafted(at("a", "ssh.service", 0), at("b", "sshd.service", 0))
    assert proposed(made) == ["name=ssh port=22 protocol=tcp executable=/usr/sbin/sshd user=root unit=ssh.service,sshd.service"]
    made = drafted(*(at(f"h{uid}", "ssh.service", uid) for uid in range(2000, 2006)))
    assert proposed(made) == ["name=ssh port=22 protocol=tcp executable=/usr/sbin/sshd unit=ssh.service"]
    assert "6 different values of user" in made.proposed[0].notes


def test_a_host_that_is_given_twice_counts_once() -> None:
    same = host(port("tcp/0.0.0.0:22", SSHD)).snapshot()
    assert drafted(same, same, *called("other")).hosts == 2


def test_hosts_of_one_name_are_told_apart_whatever_they_call_themselves() -> None:
    one = host(port("tcp/0.0.0.0:22", SSHD)).snapshot()
    named = [("a", "1"), ("a", "2"), ("a (2)", "2"), ("a", None), ("a (2) (2)", "2")]
    made = drafted(*(Snapshot(**{**one.shown, "host": name, "machine_id": machine}) for name, machine in named))
    assert (made.hosts, len(made.proposed[0].hosts)) == (5, 5)


def test_hosts_that_may_listen_on_more_are_named_first() -> None:
    own = bundles.stack_of(host(port("tcp/0.0.0.0:22", SSHD))).listening
    partly = bundles.changed(host(), listening=Facts(own.seen, own.source, [Gap("not\nallowed")]))
    assert "\n# web1 may listen on more than was seen: not\\nallowed\n" in written(partly).partition("policy: 1")[0]


# What is not proposed


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/tmp/sshd", "its executable lies under /tmp"),
        ("/var/tmp/x/sshd", "its executable lies under /var/tmp"),
        ("/dev/shm/sshd", "its executable lies under /dev/shm"),
        ("/home/eve/sshd", "its executable lies under /home"),
        ("/usr/../tmp/sshd", "its executable lies under /tmp"),
        ("//tmp/sshd", "its executable lies under /tmp"),
        ("/opt/agents/run", "its executable lies under /opt/agents"),
        ("/usr/sbin/sshd (deleted)", "its executable is deleted"),
        ("/memfd:sshd (deleted)", "its executable is in memory, and no file"),
        ("/usr/sbin/sshd (in another mount namespace)", "its executable is in another mount namespace"),
        ("/usr/sbin/sshd (deleted) (in another mount namespace)", "its executable is deleted"),
        ("/usr/sbin/sshd (in another user namespace)", "its executable is in another user namespace"),
        ("/usr/sbin/*", "its executable has a path that a policy cannot name"),
        ("/usr/sbin/s\x1b[31m", "its executable has a path that a policy cannot name"),
    ],
)
def test_a_program_that_nobody_would_sign_is_a_comment_with_the_reason(path: str, why: str) -> None:
    rule = "rules: {executable-in-writable-folder: {folders: [/opt/agents]}}"
    made = drafted(host(port("tcp/0.0.0.0:22", Process(666, path))), by=rule)
    assert made.proposed == made.rare == []
    assert [reason for reason, _ in made.refused] == [why]
    assert f"{why}; on web1" in text(made, "baseline", "")
    assert yaml.safe_load(text(made, "baseline", ""))["listening"]["approved"] == []


def test_one_such_holder_among_decent_ones_is_enough() -> None:
    assert [why for why, _ in drafted(host(port("tcp/0.0.0.0:22", SSHD, TMP))).refused] == ["its executable lies under /tmp"]


def test_what_is_forbidden_is_not_proposed_and_what_perhaps_is_says_so() -> None:
    by = "listening: {forbidden: [{port: 23, why: cleartext}, {port: any, executable: /opt/*}]}"
    made = drafted(host(port("tcp/0.0.0.0:23", SSHD), port("tcp/0.0.0.0:2049")), by=by)
    assert [why.rpartition("/")[2] for why, _ in made.refused] == ["site.yaml:2"]
    assert made.refused[0][0].startswith("forbidden at ")
    (first, second) = made.proposed[0].notes
    assert first == "owner not visible: approve by executable once seen"
    assert second.startswith("perhaps forbidden at ")


def test_an_entry_that_would_approve_what_is_not_proposed_is_not_proposed_either() -> None:
    made = drafted(host(port("tcp/0.0.0.0:7000"), port("tcp/10.0.0.5:7000", TMP)))
    assert made.proposed == []
    assert [why for why, _ in made.refused] == [
        "its executable lies under /tmp",
        "an entry for it would approve tcp/10.0.0.5:7000 on web1 as well: its executable lies under /tmp",
    ]


def test_comments_of_one_kind_have_an_end() -> None:
    many = [port(f"tcp/0.0.0.0:{number}", TMP) for number in range(1024, 1024 + LINES_MAX + 3)]
    assert written(host(*many)).endswith("\n#   and 3 more\n")


# The way round: drafted, filled in, audited


def test_an_empty_purpose_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(written(host(port("tcp/0.0.0.0:22", SSHD))))
    with pytest.raises(PolicyError) as caught:
        load(str(path), plugins.rule_parameters())
    line = path.read_text().splitlines().index("      purpose:") + 1
    assert str(caught.value).startswith(f"{path}:{line}:")
    assert str(caught.value).endswith(": expected a text, found nothing")
    assert caught.value.advice == "say what it is for"


def test_each_key_that_must_be_had_has_an_empty_line_that_is_refused_until_it_is_filled_in(tmp_path: Path) -> None:
    drawn_up = written(host(port("tcp/0.0.0.0:22", SSHD)), by="must_have: [name, review_by, purpose, owner]\n")
    assert "      purpose:\n      review_by:\n      owner:\n" in drawn_up
    assert "what it is for, fill in each `review_by`, fill in each `owner`, and delete" in drawn_up
    path = tmp_path / "web.yaml"
    path.write_text(drawn_up.replace("purpose:\n", "purpose: x\n"))
    with pytest.raises(PolicyErrors) as caught:
        load(str(path), plugins.rule_parameters())
    assert [str(part).rpartition(": ")[2] for part in caught.value.parts] == ["expected a date that exists, as 2027-03-31, found nothing",
                                                                               "expected a text, found nothing"]  # fmt: skip


@pytest.mark.parametrize("name", bundles.RICH)
def test_filled_in_the_draft_approves_just_what_it_proposed(name: str, tmp_path: Path) -> None:
    snapshot = bundles.interpreted(bundles.RICH[name]().bundle())
    made = drafted(snapshot)
    found = judged(snapshot, filled(tmp_path, text(made, "baseline", "for a test")))
    refused = {seen.socket.subject for _, seen in made.refused}
    assert {finding.subject for finding in found if finding.outcome == "fail"} == refused
    unknown = {finding.message for finding in found if finding.outcome == "unknown"}
    assert unknown <= {gap.why for stack in snapshot.stacks.seen for gap in stack.listening.gaps}


def test_filled_in_the_draft_of_a_mixed_fleet_fails_for_the_outlier_and_the_rogue_alone(tmp_path: Path) -> None:
    fleet = called(*(f"web{n}" for n in range(19)), ports=[port("tcp/0.0.0.0:22", SSHD), port("tcp/*:80", NGINX)])
    (odd,) = called("odd", ports=[port("tcp/0.0.0.0:22", TMP), port("tcp/0.0.0.0:9999", NGINX), port("tcp/0.0.0.0:80", NGINX)])
    policy = filled(tmp_path, written(*fleet, odd))
    assert [one.outcome for snapshot in fleet for one in judged(snapshot, policy)] == ["pass"] * 19
    assert [(one.outcome, one.subject) for one in judged(odd, policy)] == [("fail", "tcp/0.0.0.0:22"), ("fail", "tcp/0.0.0.0:9999")]


# Hostile hosts


@pytest.mark.parametrize("path", ["/usr/x\n- {port: any}", "/tmp/x\n- {port: any}", "/usr/x'}\n    - name: y\n      port: any"])
def test_a_path_that_breaks_out_of_its_line_adds_no_entry(path: str) -> None:
    lines = written(host(port("tcp/0.0.0.0:22", Process(666, path)))).splitlines()
    assert yaml.safe_load("\n".join(lines))["listening"]["approved"] == []
    assert [line for line in lines if "port: any" in line and not line.startswith("#")] == []


HOSTILE = st.one_of(
    st.sampled_from(
        ["x\n- {port: any}", "x\n    - name: y\n      port: any", "'", '"', "*", "a*b", "#", ": ", "- ", "{port: any}", "[a, b]",
         "\u2028x: y", "\u0085x", "\ufeff", "\ud800", "null", "~", "yes", "%YAML 1.1", "&a", "*a", "!!str", "", " ", "/tmp/x", "any",
         "deleted", "1000",
         "kernel-given", "\x1b[2J", "\u202egpj", "purpose:", "a" * 2000]
    ),
    st.text(max_size=12),
    st.characters().map(lambda letter: f"/usr/{letter}\n- {letter}"),
)  # fmt: skip


@st.composite
def hostile_owners(draw: st.DrawFn) -> Owner:
    shown: dict[str, Any] = {"pid": draw(st.sampled_from([1, 2, 900]))}
    for key in ("process", "executable", "user", "unit", "container"):
        value = draw(st.one_of(HOSTILE, HOSTILE.map(lambda word: "/" + word), st.none()))
        if value is not None or key in ("executable", "unit", "container"):
            shown[key] = value
    shown["uid"] = draw(st.sampled_from([0, 33, 2**32]))
    return Owner(**shown)


@st.composite
def hostile_sockets(draw: st.DrawFn) -> Socket:
    shown: dict[str, Any] = {
        "protocol": draw(st.sampled_from(["tcp", "udp", "x\n- y"])), "family": "ipv4", "state": "listening", "reach": "private",
        "address": draw(st.sampled_from(["0.0.0.0", "10.0.0.5", "127.0.0.1", "::", "x\n- {port: any}", ""])),
        "port": draw(st.sampled_from([22, 22, 80, 7000])), "owners_seen": draw(st.lists(hostile_owners(), max_size=3)),
        "owner_state": draw(st.sampled_from(["known", "known", "partial"])), "device": draw(st.one_of(st.none(), HOSTILE)),
    }  # fmt: skip
    if draw(st.booleans()):
        shown |= {"socket_unit": draw(HOSTILE), "activates": draw(st.one_of(st.none(), HOSTILE))}
    return Socket(**shown)


@st.composite
def hostile_hosts(draw: st.DrawFn) -> Snapshot:
    stacks = [
        Stack(name=draw(HOSTILE), kind=kind, listening=Facts(draw(st.lists(hostile_sockets(), max_size=4)), "x", [Gap(draw(HOSTILE))]))
        for kind in ("host", "netns")
    ]
    return Snapshot(host=draw(HOSTILE), machine_id=draw(HOSTILE), taken=draw(HOSTILE), system="Linux", stacks=Facts(stacks, "x"))


@given(st.lists(hostile_hosts(), min_size=1, max_size=2), st.sampled_from([1, 90]))
@settings(max_examples=60, deadline=None)
def test_whatever_hosts_say_the_draft_reads_as_what_was_meant(hosts: list[Snapshot], share: int) -> None:
    made = draft(hosts, bundles.policy(), bundles.TABLES, share)
    plain = text(made, "a b.yaml", f"of {hosts[0].shown['host']}")
    top = parse(plain.encode("utf-8"), "draft.yaml")
    assert list(top.items) == ["policy", "extends", "listening"]
    again = yaml.load(plain, yaml.BaseLoader)  # noqa: S506 - the loader that leaves every scalar a text
    assert again["extends"] == ["a b.yaml"]
    meant = [{key: values[0] if len(values) == 1 else values for key, values in one.values.items()} for one in made.proposed]
    assert again["listening"]["approved"] == [{**one, "purpose": ""} for one in meant]
    assert all(harmless(line) == line for line in plain.split("\n"))


@given(st.lists(hostile_hosts(), min_size=1, max_size=2))
@settings(max_examples=60, deadline=None)
def test_whatever_hosts_say_no_entry_approves_what_is_refused_and_each_can_be_read(hosts: list[Snapshot]) -> None:
    made = draft(hosts, bundles.policy(), bundles.TABLES, 1)
    names = [one.values["name"] for one in made.proposed]
    assert len({str(name) for name in names}) == len(names)
    for proposal in made.proposed:
        entry = proposal.entry()
        for why, seen in made.refused:
            if not why.startswith("an entry for it"):
                assert not matches(entry, seen)
        assert all(matches(entry, seen) is not False for seen in proposal.seen)


def matches(entry: Any, seen: Any) -> bool | None:
    try:
        return bool(entry.matches(seen.socket, seen.stack))
    except UnknownFact:
        return None
