"""How strong each approval is, which listeners rest on it, and that the index by port forgets no entry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.approvals import EXECUTABLE, NAME, PORT_ONLY, WHO, approvals, counted, strength
from auditor.facts import UnknownFact
from auditor.model import Socket, Stack
from auditor.policy_entries import Entry, approved
from auditor.policy_index import EntriesByPort
from auditor.yaml_nodes import parse
from tests import bundles
from tests.bundles import AGENT, NGINX, SSHD, host, port


def entry(asked: str) -> Entry:
    return approved(parse(f"{{name: x, {asked}}}".encode(), "p.yaml"))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("port: 443", PORT_ONLY),
        ("port: 443, protocol: tcp, address: 10.0.0.0/8, interface: bond0, reach: private, stack: host", PORT_ONLY),
        ("port: 443, process: nginx", NAME),
        ("port: 443, process: [nginx, '*']", PORT_ONLY),
        ("port: 443, executable: /usr/sbin/nginx", EXECUTABLE),
        ("port: 443, executable: /usr/sbin/*", EXECUTABLE),
        ("port: 443, executable: '/usr/sbin/php-fpm*'", EXECUTABLE),
        ("port: 443, executable: [/usr/sbin/nginx, /usr/bin/*]", EXECUTABLE),
        ("port: 443, executable: '/*r*'", PORT_ONLY),
        ("port: 443, executable: '/usr*'", PORT_ONLY),
        ("port: 443, executable: '//*'", PORT_ONLY),
        ("port: 443, executable: '*/nginx'", PORT_ONLY),
        ("port: 443, executable: deleted", PORT_ONLY),
        ("port: 443, executable: [/usr/sbin/nginx, deleted]", PORT_ONLY),
        ("port: 443, executable: /usr/sbin/nginx, process: nginx", EXECUTABLE),
        ("port: 443, executable: /usr/sbin/nginx, user: www-data", WHO),
        ("port: 443, executable: /usr/sbin/nginx, user: {not: root}", EXECUTABLE),
        ("port: 443, executable: /usr/sbin/nginx, unit: '*.service'", EXECUTABLE),
        ("port: 443, executable: [/usr/sbin/nginx, '*']", PORT_ONLY),
        ("port: 443, executable: '/*'", PORT_ONLY),
        ("port: 443, executable: '*', process: nginx", NAME),
        ("port: 443, user: www-data", WHO),
        ("port: 443, user: {not: root}", PORT_ONLY),
        ("port: 443, user: {not: root}, unit: nginx.service", WHO),
        ("port: 443, unit: '*'", PORT_ONLY),
        ("port: 443, unit: '*.service'", PORT_ONLY),
        ("port: 443, unit: 'nginx*'", WHO),
        ("port: 443, unit: [nginx.service, '*x*']", PORT_ONLY),
        ("port: 443, process: '*x'", PORT_ONLY),
        ("port: 443, process: 'nginx*'", NAME),
        ("port: 443, container: cart", WHO),
        ("port: 443, container: {image: 'registry/cart@*'}", WHO),
        ("port: 443, container: {name: '*'}", PORT_ONLY),
        ("port: 443, container: '*-web'", PORT_ONLY),
        ("port: 443, container: {name: '*', image: 'registry/*'}", WHO),
        ("port: 443, container: {name: '*', image: '*/cart'}", PORT_ONLY),
        ("port: any, executable: /usr/sbin/nginx", EXECUTABLE),
    ],
)
def test_an_approval_is_as_strong_as_what_tells_its_holder_from_others(asked: str, expected: str) -> None:
    assert strength(entry(asked)) == expected


def test_strengths_are_counted_strongest_first() -> None:
    assert counted([PORT_ONLY, WHO, PORT_ONLY, WHO, WHO]) == "3 by user, unit or container, 2 by port only"
    assert counted([NAME, EXECUTABLE]) == "1 by executable alone (any local user may run it), 1 by process name"
    assert counted([NAME]) == "1 by process name"
    assert counted([]) == ""


LIST = """\
listening:
  approved:
    - {name: ssh, port: 22, executable: /usr/sbin/sshd, purpose: administration, owner: ops, approved_by: j.doe, ticket: CHG-1,
       review_by: 2027-03-01}
    - {name: web, port: 80, process: nginx}
    - {name: any-web, port: [80, 8000-8100]}
    - {name: nfs, port: 2049, user: root}
    - {name: idle, port: 9}
  required: [ssh, {port: 123, protocol: udp}]
"""


def test_the_register_says_what_each_entry_approves_and_of_what_it_is_unsure() -> None:
    found = approvals(
        host(port("tcp/0.0.0.0:22", SSHD), port("tcp/[::]:22", SSHD), port("tcp/0.0.0.0:80", NGINX), port("tcp/0.0.0.0:2049"),
             port("udp/0.0.0.0:123", AGENT), port("tcp/0.0.0.0:23", AGENT)).snapshot(),
        bundles.policy(LIST),
        bundles.TODAY,
    )  # fmt: skip
    assert [(str(one.entry), one.strength, [subject for _, subject in one.matched], one.unknown) for one in found.entries] == [
        ("ssh", EXECUTABLE, ["tcp/0.0.0.0:22", "tcp/[::]:22"], 0),
        ("web", NAME, ["tcp/0.0.0.0:80"], 0),
        ("any-web", PORT_ONLY, ["tcp/0.0.0.0:80"], 0),
        ("nfs", WHO, [], 1),
        ("idle", PORT_ONLY, [], 0),
        ("port 123, protocol udp", PORT_ONLY, ["udp/0.0.0.0:123"], 0),
    ]
    assert [str(one.entry) for one in found.used] == ["ssh", "web", "any-web", "nfs", "port 123, protocol udp"]


def test_a_listener_counts_by_the_weakest_entry_that_approves_it() -> None:
    found = approvals(host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX)).snapshot(), bundles.policy(LIST), bundles.TODAY)
    assert found.listeners == {WHO: 0, EXECUTABLE: 1, NAME: 0, PORT_ONLY: 1}
    assert found.statement == "1 by executable alone (any local user may run it), 1 by port only: a rogue on those ports passes"
    assert found.weak == "1 by port alone, 1 by executable alone"


def test_what_tells_who_holds_a_listener_is_not_weak() -> None:
    policy = bundles.policy("listening: {approved: [{name: w, port: 22, executable: /usr/sbin/sshd, user: 0}]}")
    found = approvals(host(port("tcp/0.0.0.0:22", SSHD)).snapshot(), policy, bundles.TODAY)
    assert (found.listeners[WHO], found.weak) == (1, "")


def test_a_rogue_that_passes_by_its_name_is_counted_by_name() -> None:
    rogue = bundles.Process(666, "/tmp/x", 1000, "/", "nginx")  # noqa: S108
    policy = bundles.policy("listening: {approved: [{name: w, port: 8080, process: nginx}]}")
    found = approvals(host(port("tcp/0.0.0.0:8080", rogue)).snapshot(), policy, bundles.TODAY)
    assert (found.statement, found.weak) == ("1 by process name", "1 by process name alone")


def test_nothing_approved_is_said_to_be_none() -> None:
    assert approvals(host().snapshot(), bundles.policy(LIST), bundles.TODAY).statement == "none"


def test_one_stack_alone_can_be_asked() -> None:
    both = bundles.Host(
        net=host(port("tcp/0.0.0.0:22", SSHD)).net, others=[bundles.Net((port("tcp/0.0.0.0:22", SSHD),), mounted="/run/netns/b")]
    )
    snapshot, policy = both.snapshot(), bundles.policy(LIST)
    assert approvals(snapshot, policy, bundles.TODAY).listeners[EXECUTABLE] == 2
    assert approvals(snapshot, policy, bundles.TODAY, "host").listeners[EXECUTABLE] == 1


def test_the_register_is_plain_json() -> None:
    plain = approvals(host(port("tcp/0.0.0.0:22", SSHD)).snapshot(), bundles.policy(LIST), bundles.TODAY).to_json()
    assert plain["listeners"] == {"who": 0, "executable": 1, "name": 0, "port only": 0}
    origin = plain["entries"][0].pop("origin")
    assert origin.endswith("site.yaml:4")
    assert plain["entries"][0] == {
        "name": "ssh", "entry": "ssh", "asks": ["port 22", "executable /usr/sbin/sshd"], "strength": "executable",
        "purpose": "administration", "owner": "ops", "approved_by": "j.doe",
        "ticket": "CHG-1", "review_by": "2027-03-01", "matched": [{"stack": "host", "subject": "tcp/0.0.0.0:22"}], "unknown": 0,
    }  # fmt: skip


# The index


PORTS = st.one_of(
    st.sampled_from(["any", "kernel-given", "[22, kernel-given]", "0-65535", "1-200"]),
    st.integers(0, 300).map(str),
    st.tuples(st.integers(0, 150), st.integers(0, 150)).map(lambda pair: f"[{pair[0]}, {min(pair)}-{max(pair)}]"),
)


@given(
    st.lists(st.tuples(PORTS, st.sampled_from(["tcp", "udp", "[tcp, udp]"])), max_size=12),
    st.one_of(st.none(), st.integers(0, 300)),
    st.sampled_from([True, False, None]),
)
@settings(deadline=None)
def test_no_entry_that_the_index_leaves_out_could_match_or_be_unsure(
    asked: list[tuple[str, str]], number: int | None, given_by_kernel: bool | None
) -> None:
    entries = [entry(f"port: {ports}, protocol: {protocol}") for ports, protocol in asked]
    shown: dict[str, Any] = {"protocol": "tcp", "port": number, "kernel_given": given_by_kernel}
    socket = Socket(**{key: value for key, value in shown.items() if value is not None})
    found = list(EntriesByPort(entries).of(number))
    assert found == [one for one in entries if one in found]
    for one in entries:
        if one not in found:
            assert one.matches(socket, Stack(name="host")) is False


def test_a_port_is_looked_up_among_the_entries_that_name_it_those_that_name_none_and_the_kernels() -> None:
    asked = ("port: 22", "port: [21, 23-25]", "port: 1-64", "port: 1-65", "port: any, process: a", "port: kernel-given", "port: [22, 80]")
    index = EntriesByPort([entry(one) for one in asked])

    def found(port: int | None) -> list[str]:
        return [asked[index.entries.index(one)] for one in index.of(port)]

    anywhere = ["port: any, process: a", "port: kernel-given"]
    assert found(22) == ["port: 22", "port: 1-64", "port: 1-65", *anywhere, "port: [22, 80]"]
    assert found(21) == ["port: [21, 23-25]", "port: 1-64", "port: 1-65", *anywhere]
    assert found(25) == found(21)
    assert found(26) == found(64) == found(1) == ["port: 1-64", "port: 1-65", *anywhere]
    assert found(65) == ["port: 1-65", *anywhere]
    assert found(66) == found(0) == anywhere
    assert found(None) == list(asked)


def test_a_policy_looks_up_what_may_approve_a_socket_by_its_port_and_what_is_required_approves_too() -> None:
    policy = bundles.policy("listening: {approved: [{name: a, port: 22}, {name: b, port: 80}], required: [a, {name: c, port: 22}]}\n")
    assert [one.name for one in policy.approved_for(Socket(port=22))] == ["a", "c"]
    assert [one.name for one in policy.approved_for(Socket(port=80))] == ["b"]
    assert [one.name for one in policy.approved_for(Socket())] == ["a", "b", "c"]
    assert policy.approving is policy.approving
    assert [one.name for one in bundles.policy("listening: {required: [{name: c, port: 22}]}\n").approved_for(Socket(port=22))] == ["c"]


def answers(entries: Any, socket: Socket, stack: Stack) -> list[tuple[Entry, bool | None]]:
    said: list[tuple[Entry, bool | None]] = []
    for one in entries:
        try:
            said.append((one, bool(one.matches(socket, stack))))
        except UnknownFact:
            said.append((one, None))
    return [(one, answer) for one, answer in said if answer is not False]


@pytest.mark.parametrize("name", bundles.RICH)
def test_on_every_rich_host_the_index_gives_the_answers_of_the_whole_list(name: str) -> None:
    by = "listening: {approved: [{name: a, port: 22}, {name: b, port: kernel-given}, {name: c, port: 1-1023, user: root}, {name: d, port: any, process: app}]}"  # fmt: skip  # noqa: E501
    policy = bundles.policy(by)
    for stack in bundles.interpreted(bundles.RICH[name]().bundle()).stacks.seen:
        for socket in stack.listening.seen:
            assert answers(policy.approved_for(socket), socket, stack) == answers(policy.approved, socket, stack)


def test_the_index_follows_a_policy_whose_lists_are_replaced() -> None:
    from auditor.policy import Policy

    policy = Policy("made")
    assert list(policy.approved_for(Socket(port=22))) == []
    policy.approved = (entry("port: 22"),)
    assert list(policy.approved_for(Socket(port=22))) == list(policy.approved)
    policy.required = (policy.approved[0].required_at("elsewhere"),)
    assert list(policy.approved_for(Socket(port=22))) == list(policy.approved)
