"""BPF programs at the bind hooks, from evidence: what may waive the capability, what can only refuse, what was not looked at."""

from __future__ import annotations

import pytest

from auditor.binding import Grant
from auditor.evidence import Answer
from tests.bundles import THRESHOLD, WEB_CONTAINER, Host, bundle, container, host, interpreted, judged, stack_of
from tests.made_gates import Gates, Program

OURS = "Id=web.service\nSocketBindAllow=\nSocketBindDeny=any\n"
TAG = "tag 79aa95555f6b99c7"


def having(*programs: Program, systemd: str | None = None, **more: object) -> Host:
    return host(gates=Gates(programs=programs, systemd=systemd), **more)


def found(of: Host, stack: str = "host") -> list[Grant]:
    return [one for one in stack_of(of, stack).grants.seen if one.path == "program"]


def subjects(of: Host, stack: str = "host") -> list[str]:
    return [one.subject for one in found(of, stack)]


def limits(of: Host) -> list[str]:
    return [one for one in of.snapshot().limits if one.startswith(("BPF programs at", "A bind in"))]


def test_a_program_may_perhaps_give_what_runs_in_its_group_any_privileged_port() -> None:
    (one,) = found(having(Program("/web.slice", uid=33)))
    assert str(one) == f"program opener ({TAG}) at bind4 of control group /web.slice"
    assert one.scope == "perhaps whatever runs in control group /web.slice or below it"
    assert [str(ports) for ports in one.ports] == ["1-1023"]
    assert "everyone" not in one.shown
    assert one.via == [
        f"BPF program opener ({TAG}), loaded by user 33, is attached to bind4 of control group /web.slice; "
        "it counts beside those of the groups below",
        "such a program may waive the test of CAP_NET_BIND_SERVICE, refuse a bind, or change its address: which, is not visible",
        "so what runs there may perhaps take any privileged port over IPv4, whoever runs it",
    ]


def test_one_at_the_root_is_for_every_process() -> None:
    (one,) = found(having(Program("/", "bind6", flags=1)))
    assert one.scope == "perhaps whatever runs in control group / (every process)"
    assert one.via[0].endswith("; a group below may override it")
    assert "over IPv6" in one.via[-1]
    (one,) = found(having(Program("/..", flags="")))
    assert one.scope == "perhaps whatever runs in a control group above those that are visible here (every process)"


def test_what_is_not_told_of_a_program_is_not_made_up() -> None:
    assert subjects(having(Program("/a", name="", tag="", uid=""))) == ["of a name that is not shown at bind4 of control group /a"]
    assert subjects(having(Program("/a", name=None))) == [f"without a name ({TAG}) at bind4 of control group /a"]


def test_a_container_is_told_by_its_name_and_a_unit_too() -> None:
    of = having(
        Program(f"/system.slice/docker-{WEB_CONTAINER}.scope"), Program("/system.slice/web.service"), containers={WEB_CONTAINER: "web"}
    )
    boxed, unit = found(of)
    assert boxed.subject == f"opener ({TAG}) at bind4 of container web"
    assert unit.unit == "web.service"


def test_what_sits_behind_the_bind_grants_nothing_and_is_told_as_a_limit() -> None:
    of = having(Program("/a", "post_bind4"), Program("/a", "post_bind6"))
    assert found(of) == []
    assert limits(of) == [
        f"A bind in control group /a may be refused by the BPF program opener ({TAG}) at {hook}: what it does is not visible."
        for hook in ("post_bind4", "post_bind6")
    ]


def test_systemds_own_are_told_apart_where_systemd_says_that_the_unit_has_rules() -> None:
    group = "/system.slice/web.service"
    own = (Program(group, "bind4", "sd_bind4"), Program(group, "bind6", "sd_bind6"))
    of = having(*own, systemd=OURS)
    assert found(of) == []
    assert (
        limits(of)[0]
        == f"A bind in control group {group} may be refused by systemd's own BPF program sd_bind4 ({TAG}) at bind4: SocketBindDeny=."
    )
    assert len(subjects(having(*own, systemd="Id=web.service\nSocketBindAllow=ipv4:80\n"))) == 0
    assert len(limits(of)) == 2


@pytest.mark.parametrize(
    ("program", "systemd"),
    [
        (Program("/system.slice/web.service", "bind4", "sd_bind4"), "Id=web.service\nSocketBindAllow=\nSocketBindDeny=\n"),
        (Program("/system.slice/web.service", "bind4", "sd_bind4"), "Id=web.service\n\nId=other.service\nSocketBindDeny=any\n"),
        (Program("/system.slice/web.service/inner", "bind4", "sd_bind4"), OURS),
        (Program("/system.slice/web.service", "bind6", "sd_bind4"), OURS),
        (Program("/system.slice/web.service", "bind4", "sd_bind4x"), OURS),
        (Program("/", "bind4", "sd_bind4"), OURS),
    ],
)
def test_a_name_proves_nothing(program: Program, systemd: str | None) -> None:
    assert len(found(having(program, systemd=systemd))) == 1


@pytest.mark.parametrize("systemd", [None, OURS, "garbage", ""])
def test_where_systemd_was_not_heard_of_that_unit_it_is_not_known_whose_it_is(systemd: str | None) -> None:
    program = Program("/system.slice/other.service", "bind4", "sd_bind4")
    of = having(program, systemd=systemd)
    why = f"whether systemd attached program sd_bind4 ({TAG}) to bind4 of control group /system.slice/other.service is not known"
    assert found(of) == []
    assert [gap.why for gap in stack_of(of).grants.gaps] == [why]


def test_where_systemd_does_not_run_nothing_is_its_own() -> None:
    of = host(gates=Gates(programs=[Program("/web.service", "bind4", "sd_bind4")], runs_systemd=False))
    assert len(found(of)) == 1


def test_of_two_of_one_name_at_one_hook_neither_is_systemds() -> None:
    twice = [Program("/web.service", "bind4", "sd_bind4", tag) for tag in ("a", "b")]
    assert len(found(having(*twice, systemd=OURS))) == 2


def test_a_stack_has_the_programs_above_and_below_its_processes_and_the_host_has_all() -> None:
    group = f"/system.slice/docker-{WEB_CONTAINER}.scope"
    programs = [Program("/"), Program("/.."), Program("/system.slice"), Program(group), Program(f"{group}/x"), Program("/user.slice"),
                Program("/system"), Program(f"{group}x")]  # fmt: skip
    of = having(*programs, others=[container(WEB_CONTAINER)], containers={WEB_CONTAINER: "web"})
    assert len(found(of)) == len(programs)
    assert [one.rpartition(" of ")[2] for one in subjects(of, "container:web")] == [
        "control group /", "a control group above those that are visible here", "control group /system.slice", "container web",
        "container web",
    ]  # fmt: skip


def test_where_there_are_none_to_be_asked_for_that_is_a_limit_and_why() -> None:
    of = host(gates=Gates(why_no_programs="this kernel attaches no programs to control groups (CONFIG_CGROUP_BPF)"))
    assert stack_of(of).grants.gaps == ()
    assert limits(of) == [
        "BPF programs at the bind hooks of control groups, which may waive or refuse a bind, were not looked for: "
        "this kernel attaches no programs to control groups (CONFIG_CGROUP_BPF)."
    ]
    assert limits(host()) == []


def test_where_they_may_not_be_asked_for_that_is_a_gap_and_no_rule_passes() -> None:
    of = host(gates=Gates(why_no_programs="bpf(2) is refused: listing programs needs CAP_NET_ADMIN"))
    why = "BPF programs at the bind hooks were not looked for: bpf(2) is refused: listing programs needs CAP_NET_ADMIN"
    assert [(gap.why, gap.path) for gap in stack_of(of).grants.gaps] == [(why, "program")]
    assert [(one.outcome, one.message) for one in judged(of, "", "bind-program-unexplained")] == [("unknown", why)]
    assert {one.outcome for one in judged(of, "", "authbind-open-to-all")} == {"pass"}


@pytest.mark.parametrize(("left", "words"), [(1, "1 control group"), (7, "7 control groups")])
def test_groups_that_were_not_asked_are_counted(left: int, words: str) -> None:
    (gap,) = stack_of(host(gates=Gates(groups_left=left))).grants.gaps
    assert gap.why.endswith(f"were not looked for in {words} beyond the 40 asked")


def test_a_row_of_no_known_hook_is_a_gap() -> None:
    of = having(Program("/a", "bind5"))
    assert found(of) == []
    assert [gap.why for gap in stack_of(of).grants.gaps] == ["builtin:bind-programs: a row cannot be read"]


def test_where_no_port_is_known_to_be_privileged_no_program_gives_one() -> None:
    for threshold in ("0", "x"):
        of = having(Program("/"), Program("/", "post_bind4"), settings={THRESHOLD: threshold})
        assert found(of) == []
        assert len(limits(of)) == 1


def test_a_stack_whose_groups_are_not_shown_may_have_any_program() -> None:
    of = having(Program("/web.slice"), others=[container(WEB_CONTAINER)], containers={WEB_CONTAINER: "web"})
    answers = []
    for answer in of.answers():
        cut = answer.stdout.replace(f"/system.slice/docker-{WEB_CONTAINER}.scope".encode(), b"")
        answers.append(Answer(answer.probe, answer.command, cut, answer.status, stack=answer.stack))
    other = next(stack for stack in interpreted(bundle(answers, of.head())).stacks.seen if stack.kind == "netns")
    assert [one for one in other.grants.seen if one.path == "program"] == []
    assert any("which control groups the processes of this stack are in is not shown" in gap.why for gap in other.grants.gaps)
