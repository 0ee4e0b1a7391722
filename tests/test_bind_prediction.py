"""What the facts promise to a user who binds, and where what was given differs."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.authbind_grants import may_run
from auditor.bind_prediction import Comparison, Prediction, in_runs
from auditor.binding import Attempt, Grant, Measured
from auditor.facts import Facts, Gap, UnknownFact
from auditor.model import Range, Stack
from auditor.owner import File
from auditor.port_range import PortRange

PYTHON = "/usr/bin/python3.12"


def kept(first: int = 1, last: int = 1023, **more: Any) -> Range:
    return Range(**{"first": first, "last": last, "protocol": "any", "family": "any", "wildcard_exempt": False, **more})


def grant(path: str, *ports: PortRange, **more: Any) -> Grant:
    told = {"subject": path, "protocol": "any", "everyone": False, "uid": None, "executable": None, "file": None, "scope": "", "via": []}
    return Grant(path=path, ports=list(ports), **{**told, **more})


def stack(*grants: Grant, privileged: Facts[Range] | None = None, gaps: tuple[str, ...] = ()) -> Stack:
    ranges = Facts([kept()], "sysctl") if privileged is None else privileged
    return Stack(name="host", kind="host", privileged=ranges, grants=Facts(grants, "/proc", map(Gap, gaps)))


def measured(results: dict[int, str] | None = None, **more: Any) -> Measured:
    told = {
        "protocol": "tcp", "family": "ipv4", "address": "0.0.0.0", "uid": 65534, "gids": [65534], "through": None, "launcher": None,
        "python": PYTHON, "executed": False, "capable": False, "under": [], "namespace_owner": None, "left_out": [], "automatic": [40001],
        "attempts": [Attempt(port=port, result=result) for port, result in (results or {}).items()],
    }  # fmt: skip
    return Measured(**{key: value for key, value in {**told, **more}.items() if value is not ...})


def authbind(**more: Any) -> Measured:
    return measured(through="authbind --deep", launcher="/usr/bin/authbind", executed=True, **more)


def allowed(of: Stack, to: Measured, *ports: int) -> list[bool]:
    return [Prediction(of, to).allows(port) for port in ports]


def test_what_is_not_privileged_is_promised_and_port_0_always_is() -> None:
    assert allowed(stack(), measured(), 0, 1, 1023, 1024, 65535) == [True, False, False, True, True]
    assert Prediction(stack(), measured()).lowest == 1024


def test_without_a_privileged_range_the_lowest_is_1() -> None:
    open_to_all = stack(privileged=Facts([], "sysctl"))
    assert Prediction(open_to_all, measured()).lowest == 1
    assert not Prediction(open_to_all, measured()).keeps_any


def test_where_every_port_is_privileged_none_is_promised() -> None:
    assert Prediction(stack(privileged=Facts([kept(1, 65535)], "sysctl")), measured()).lowest is None


def test_a_range_of_another_protocol_or_family_keeps_nothing() -> None:
    ranges = Facts([kept(protocol="udp"), kept(2000, 2999, family="ipv6")], "sysctl")
    assert allowed(stack(privileged=ranges), measured(), 80, 2000) == [True, True]
    assert allowed(stack(privileged=ranges), measured(protocol="udp"), 80, 2000) == [False, True]
    assert allowed(stack(privileged=ranges), measured(family="ipv6", address="::"), 80, 2000) == [True, False]


def test_a_range_that_spares_the_wildcard_keeps_the_other_addresses() -> None:
    spared = stack(privileged=Facts([kept(wildcard_exempt=True)], "release"))
    assert allowed(spared, measured(), 80) == [True]
    assert allowed(spared, measured(family="ipv6", address="::"), 80) == [True]
    assert allowed(spared, measured(address="127.0.0.1"), 80) == [False]


def test_what_is_not_known_of_the_ranges_is_not_known_of_a_port_but_what_is_seen_holds() -> None:
    part = stack(privileged=Facts([kept(1, 79)], "sysctl", [Gap("cut")]))
    assert allowed(part, measured(), 22) == [False]
    with pytest.raises(UnknownFact, match="cut"):
        Prediction(part, measured()).allows(80)


def test_a_fork_without_capabilities_has_nothing_of_what_files_and_processes_have() -> None:
    ports = PortRange(1, 1023)
    having = stack(grant("file-capability", ports, executable=PYTHON), grant("process", ports), grant("authbind", ports, everyone=True))
    assert allowed(having, measured(), 80) == [False]


def test_gaps_among_the_grants_leave_a_fork_known_since_it_has_none() -> None:
    assert allowed(stack(gaps=("not searched",)), measured(), 80) == [False]


def test_a_program_started_anew_has_what_its_file_grants() -> None:
    of = stack(grant("file-capability", PortRange(1, 1023), executable=PYTHON))
    assert allowed(of, measured(executed=True), 80, 1023) == [True, True]
    assert allowed(of, measured(executed=True, python="/usr/bin/other"), 80) == [False]
    with pytest.raises(UnknownFact, match="not searched"):
        Prediction(stack(gaps=("not searched",)), measured(executed=True)).allows(80)
    with pytest.raises(UnknownFact, match="executed"):
        Prediction(stack(), measured(executed=...)).allows(80)


def test_a_launcher_with_the_capability_counts_where_it_was_passed_on() -> None:
    of = stack(grant("file-capability", PortRange(1, 1023), executable="/usr/bin/low"))
    through = {"through": "/usr/bin/low", "launcher": "/usr/bin/low", "executed": True}
    assert allowed(of, measured(**through, capable=True), 80) == [True]
    assert allowed(of, measured(**through, capable=False), 80) == [False]


def test_who_owns_the_user_namespace_of_the_stack_may_take_all() -> None:
    assert allowed(stack(), measured(namespace_owner=65534), 1, 80) == [True, True]
    assert allowed(stack(), measured(namespace_owner=1000), 80) == [False]
    with pytest.raises(UnknownFact, match="namespace_owner"):
        Prediction(stack(), measured(namespace_owner=...)).allows(80)


OPEN = File(mode="0777", uid=0, gid=0)


def by_file(subject: str = "byport/80", *ports: PortRange, **more: Any) -> Grant:
    return grant("authbind", *(ports or (PortRange(80, 80),)), **{"subject": subject, "file": OPEN, "everyone": True, **more})


def test_authbind_alone_decides_below_1024() -> None:
    assert allowed(stack(by_file()), authbind(), 79, 80, 81, 1023, 1024) == [False, True, False, False, True]
    raised = stack(by_file(), privileged=Facts([kept(1, 1999)], "sysctl"))
    assert allowed(raised, authbind(), 80, 1024, 1999, 2000) == [True, False, False, True]


def test_of_ports_that_are_not_privileged_it_is_not_known_what_authbind_would_refuse() -> None:
    lowered = stack(by_file(), privileged=Facts([kept(1, 79)], "sysctl"))
    assert allowed(lowered, authbind(), 22, 1024) == [False, True]
    with pytest.raises(UnknownFact, match="authbind decides of ports below 1024"):
        Prediction(lowered, authbind()).allows(80)


@pytest.mark.parametrize("through", ["authbind", "/usr/bin/authbind --deep", "env -i authbind", "'/opt/my tools/authbind'"])
def test_authbind_is_known_by_the_name_of_a_program_among_the_words(through: str) -> None:
    assert allowed(stack(by_file()), measured(through=through, executed=True), 80) == [True]


@pytest.mark.parametrize("through", ["not-authbind", "nice 'authbind", "env x=authbind/y"])
def test_nothing_else_is_authbind(through: str) -> None:
    assert allowed(stack(by_file()), measured(through=through, executed=True), 80) == [False]


def given(*grants: Grant, port: int = 80, **more: Any) -> bool:
    (answer,) = allowed(stack(*grants), authbind(**{"uid": 33, "gids": [33, 100], **more}), port)
    return answer


def test_a_file_gives_to_the_first_class_that_the_user_is_in() -> None:
    assert given(by_file(file=File(mode="0611", uid=0, gid=7)))
    assert not given(by_file(file=File(mode="0611", uid=33, gid=33)))
    assert not given(by_file(file=File(mode="0601", uid=0, gid=100)))


def test_a_file_that_one_user_or_one_group_may_execute_gives_to_them_alone() -> None:
    own = File(mode="0500", uid=33, gid=0)
    assert given(by_file(everyone=False, uid=33, scope="user www-data", file=own))
    assert not given(by_file(everyone=False, uid=33, scope="user www-data", file=own), uid=34)
    of_group = by_file(everyone=False, scope="group 100", file=File(mode="0510", uid=0, gid=100))
    assert given(of_group)
    assert not given(of_group, gids=[33])


def test_where_folders_let_in_whom_the_file_does_not_name_it_is_not_known() -> None:
    with pytest.raises(UnknownFact, match="not told apart: group 4 and group 100"):
        given(by_file(everyone=False, scope="group 4 and group 100", file=File(mode="0511", uid=0, gid=0)))


def test_what_someone_may_make_of_a_file_gives_nothing_yet() -> None:
    assert not given(
        by_file("byport/80 by changing its mode"), by_file("byport by adding files"), by_file("byuid/33 by writing it", uid=33)
    )


@pytest.mark.parametrize("name", ["byaddr/127.0.0.1,80", "byaddr/127.0.0.1:80"])
def test_a_file_of_one_address_gives_on_that_alone(name: str) -> None:
    assert given(by_file(name), address="127.0.0.1")
    assert not given(by_file(name), address="0.0.0.0")
    six = by_file("byaddr/0:0:0:0:0:0:0:1,80")
    assert given(six, family="ipv6", address="::1")
    assert not given(six, family="ipv6", address="::")


def by_user(*lines: str, **more: Any) -> Grant:
    via = [*(f"/etc/authbind/byuid/33:{number} {line}" for number, line in enumerate(lines, 1)), "so user www-data may bind 80"]
    return by_file(
        "byuid/33", PortRange(80, 80), PortRange(443, 443), everyone=False, uid=33, via=via, source="/etc/authbind/byuid/33", **more
    )


def test_lines_of_a_user_count_for_that_user_on_their_addresses() -> None:
    local = by_user("allows 80 on 127.0.0.0-127.255.255.255", "allows 443-444 on any IPv6 address")
    assert given(local, address="127.0.0.1")
    assert not given(local, address="0.0.0.0")
    assert not given(local, address="127.0.0.1", uid=34)
    assert not given(local, address="127.0.0.1", port=443)
    assert given(local, family="ipv6", address="::1", port=443)
    assert not given(local, family="ipv6", address="::1")
    assert given(by_user("allows 80 on any IPv4 address"))


@pytest.mark.parametrize("lines", [[], ["allows 80 on 10.0.0.1", "and 3 lines more"]])
def test_lines_that_are_not_told_may_allow_it(lines: list[str]) -> None:
    grant = by_user(*lines[:1])
    grant.shown["via"] = [*grant.via, *lines[1:]]
    with pytest.raises(UnknownFact, match="not all lines of /etc/authbind/byuid/33"):
        given(grant)


def test_what_files_grant_in_a_stack_that_is_not_the_hosts_own_is_not_known() -> None:
    other = Stack(name="container:web", kind="netns", privileged=Facts([kept()], "sysctl"), grants=Facts([by_file()], ""))
    assert allowed(other, measured(), 80) == [False]
    with pytest.raises(UnknownFact, match="not its own"):
        Prediction(other, authbind()).allows(80)


def test_the_first_class_that_a_user_is_in_decides_even_if_a_later_one_would_grant() -> None:
    file = File(mode="0071", uid=33, gid=100)
    assert not may_run(file, 33, [100])
    assert may_run(file, 34, [100])
    assert may_run(file, 34, [5])
    with pytest.raises(UnknownFact, match="access control list"):
        may_run(File(mode="0755", uid=0, gid=0, access_list=True, path="/etc/authbind/byport/80"), 33, [33])


def compare(results: dict[int, str], of: Stack | None = None, **more: Any) -> Comparison:
    return Comparison(of or stack(), measured(results, **more))


def test_what_is_as_promised_differs_in_nothing() -> None:
    found = compare({80: "EACCES", 1023: "EACCES", 1024: "ok", 8080: "ok"})
    assert (found.differs, found.doubt, found.tried, found.absent) == (False, None, 4, None)


def test_a_port_in_use_says_nothing_of_who_may() -> None:
    found = compare({80: "EADDRINUSE", 1023: "EACCES", 1024: "ok", 8080: "EADDRINUSE"})
    assert (found.differs, found.doubt, found.tried) == (False, None, 2)


def test_a_hole_below_the_threshold_is_told_with_its_number() -> None:
    found = compare({80: "EACCES", 443: "ok", 1023: "EACCES", 1024: "ok"})
    assert found.message.startswith(
        "user 65534: 1 port could be taken that nothing promises, 443 the lowest (lowest promised 1024, lowest taken 443; "
        "1 of 4 attempts differ); the cause is not visible"
    )
    assert (found.observed, found.expected) == ("taken 443", "port 1024 the lowest that can be taken")


def test_a_refusal_above_the_threshold_is_told_with_the_errno() -> None:
    found = compare({80: "EACCES", 1024: "EPERM", 2000: "EPERM", 8080: "ok"})
    assert "2 ports that are promised were refused, 1024 the lowest (EPERM)" in found.message
    assert found.observed == "refused 1024, 2000"


def test_a_refusal_to_let_the_kernel_choose_is_a_refusal() -> None:
    found = compare({0: "EACCES", 80: "EACCES", 1024: "ok"})
    assert "bind of port 0, which leaves the choice to the kernel, was refused (EACCES)" in found.message


def test_another_port_than_was_asked_for_is_told() -> None:
    found = compare({80: "EACCES", 1024: "moved", 2000: "ok"})
    assert "for 1 port another one or another address was given, 1024 the lowest" in found.message
    assert found.observed == "moved 1024"


@pytest.mark.parametrize("result", ["EADDRNOTAVAIL", "EAFNOSUPPORT"])
def test_where_there_is_no_such_address_nothing_is_compared(result: str) -> None:
    found = compare({0: result})
    assert (found.absent, found.differs, found.doubt) == (result, False, None)


def test_an_address_that_is_gone_for_a_port_only_is_a_refusal() -> None:
    assert compare({80: "EACCES", 1024: "EADDRNOTAVAIL", 2000: "ok"}).observed == "refused 1024"


@pytest.mark.parametrize("results", [{1024: "ok"}, {80: "EACCES"}, {80: "EADDRINUSE", 2000: "ok"}, {}])
def test_a_side_of_the_threshold_on_which_nothing_was_tried_is_in_doubt(results: dict[int, str]) -> None:
    found = compare(results)
    assert not found.differs
    assert "none of them was tried" in str(found.doubt)


def test_where_nothing_is_privileged_one_side_is_enough() -> None:
    assert compare({1: "ok", 80: "ok"}, stack(privileged=Facts([], "sysctl"))).doubt is None


def test_a_certain_difference_is_told_beside_what_is_not_known() -> None:
    part = stack(privileged=Facts([kept(1, 79)], "sysctl", [Gap("cut")]))
    found = compare({22: "ok", 2000: "ok"}, part)
    assert found.taken == [22]
    assert str(found.doubt) == "cut"
    assert "lowest promised not known" in found.message


PROGRAM = grant("program", PortRange(1, 1023), subject="opener (tag 00) at bind4 of control group /x")


def test_what_is_in_sight_of_the_cause_is_named() -> None:
    taken, refused = {80: "ok", 443: "EACCES", 1024: "ok"}, {80: "EACCES", 1024: "EPERM", 2000: "ok"}
    assert compare(taken, stack(PROGRAM)).cause == "it may be by the BPF program opener (tag 00) at bind4 of control group /x"
    assert compare(taken, stack(PROGRAM), family="ipv6", address="::").cause.startswith("the cause is not visible")
    assert compare(refused, under=["a seccomp filter"]).cause == "it may be by a seccomp filter"
    assert compare(refused, stack(PROGRAM), under=["a seccomp filter"]).cause.endswith("of control group /x, or by a seccomp filter")
    assert compare(taken, under=["a seccomp filter"]).cause.startswith("the cause is not visible")
    assert compare(taken, capable=True).cause == "it may be by CAP_NET_BIND_SERVICE, which what tried had"
    assert compare(refused, capable=True).cause.startswith("the cause is not visible")


def test_many_ports_are_told_in_runs() -> None:
    assert in_runs([22, 80, 81, 82]) == "22, 80-82"
    assert in_runs(range(1, 41, 2)) == "1, 3, 5, 7, 9, 11, 13, 15 and 12 more"
