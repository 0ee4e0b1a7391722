"""BPF programs that tests attach to control groups: the kernel lets what is in such a group bind, and that is what is said."""

from __future__ import annotations

import pytest

from auditor.binding import Grant
from auditor.live import bind_programs
from auditor.model import Snapshot
from tests import bind_program
from tests.bundles import judged
from tests.hosts import NEEDED, NOBODY, Host, host, stack

pytestmark = [NEEDED, bind_program.NEEDED]
BIND = "import socket, sys; socket.socket(int(sys.argv[1])).bind((sys.argv[2], 80))"
ADDRESSES = {"2": "0.0.0.0", "10": "::"}


def bound(made: Host, group: str | None, family: str) -> bool:
    """Whether a user without rights binds port 80 in a control group (None: in the host's own)."""
    into = f"echo 0 > {group}/cgroup.procs && " if group else ""
    dropping = f"exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --"
    done = made.run("sh", "-c", f'{into}{dropping} /usr/bin/python3 -c "$0" "$@"', BIND, family, ADDRESSES[family])
    assert not done.code or "PermissionError" in done.err, done.err
    return not done.code


def grants(snapshot: Snapshot, group: str) -> list[Grant]:
    name = group.rpartition("/")[2]
    return [one for one in stack(snapshot).grants.seen if one.path == "program" and name in one.subject]


def limits(snapshot: Snapshot, group: str) -> list[str]:
    return [one for one in snapshot.limits if group.rpartition("/")[2] in one]


def path(group: str) -> str:
    mount = bind_program.cgroup_root()
    assert mount
    return group.removeprefix(mount)


def test_a_program_that_waives_the_capability_is_a_grant_and_the_kernel_agrees() -> None:
    with host() as made, bind_program.attached(folder=f"{made.group}/open.slice") as group:
        assert [bound(made, group, family) for family in ADDRESSES] == [True, True]
        assert [bound(made, None, family) for family in ADDRESSES] == [False, False]
        snapshot = made.snapshot()
        found = grants(snapshot, group)
        where = f"control group {path(group)}"
        assert [one.subject for one in found] == [f"opener (tag 79aa95555f6b99c7) at {hook} of {where}" for hook in ("bind4", "bind6")]
        for one, family in zip(found, ("IPv4", "IPv6"), strict=True):
            assert [str(ports) for ports in one.ports] == ["1-1023"]
            assert one.scope == f"perhaps whatever runs in {where} or below it"
            assert "everyone" not in one.shown
            assert one.via[0].endswith(f"of {where}; it counts beside those of the groups below")
            assert one.via[-1].endswith(f"over {family}, whoever runs it")
        findings = [f for f in judged(snapshot, "", "bind-program-unexplained") if where in f.subject]
        assert [(f.outcome, f.severity) for f in findings] == [("fail", "medium")] * 2


def test_what_a_program_does_is_not_visible_so_one_that_refuses_looks_the_same() -> None:
    with host() as made, bind_program.attached(bind_program.REFUSE, folder=f"{made.group}/shut.slice") as group:
        assert not bound(made, group, "2")
        assert len(grants(made.snapshot(), group)) == 2


def test_a_program_behind_the_bind_can_only_refuse() -> None:
    hooks = (bind_program.POST_BIND4, bind_program.POST_BIND6)
    with host() as made, bind_program.attached(bind_program.ALLOW, hooks, folder=f"{made.group}/behind.slice") as group:
        snapshot = made.snapshot()
        assert grants(snapshot, group) == []
        assert [one.rpartition(" at ")[2] for one in limits(snapshot, group)] == [
            "post_bind4: what it does is not visible.", "post_bind6: what it does is not visible."
        ]  # fmt: skip


def test_the_name_of_systemds_own_programs_proves_nothing() -> None:
    with host() as made, bind_program.attached(hooks=(bind_program.BIND4,), name="sd_bind4", folder=f"{made.group}/x.service") as group:
        snapshot = made.snapshot()
        (one,) = grants(snapshot, group)
        assert one.subject.startswith("sd_bind4 (tag ")
        assert [f.outcome for f in judged(snapshot, "", "bind-program-unexplained") if "x.service" in f.subject] == ["fail"]


def test_who_may_not_ask_says_so_and_why_and_misses_nothing_by_it() -> None:
    with host() as made, bind_program.attached(folder=f"{made.group}/open.slice") as group:
        snapshot = made.snapshot(user=NOBODY)
        assert grants(snapshot, group) == []
        (gap,) = [one for one in stack(snapshot).grants.gaps if one.path == "program"]
        assert gap.why.endswith("were not looked for: bpf(2) is refused: listing programs needs CAP_NET_ADMIN")


def test_programs_above_the_groups_that_can_be_seen_are_found_by_what_counts_there() -> None:
    """In a control group namespace the folders above are not there, and their programs count all the same."""
    mount = bind_program.cgroup_root()
    with (
        host() as made,
        bind_program.attached(folder=f"{made.group}/open.slice") as group,
        bind_program.attached(hooks=(), folder=f"{group}/inner") as inner,
    ):
        remounted = f"umount -l {mount} && mkdir -p /run/groups && mount -t cgroup2 none /run/groups"
        script = f"""echo 0 > {inner}/cgroup.procs && exec unshare --cgroup --mount sh -c '{remounted} && exec "$0" "$@"' "$0" "$@\""""
        bundle = made.collect("--only", "ports,grants", prefix=("sh", "-c", script))
        assert b"/..\tbind4\t\topener\t" in bundle
        assert b"/..\tbind6\t\topener\t" in bundle


def test_only_so_many_groups_are_asked_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bind_programs, "_MOST_GROUPS", 1)
    with bind_program.attached() as group:
        told, look = bind_programs.ask({})
    assert group.rpartition("/")[2].encode() not in told.stdout
    said = dict(line.split(b"\t") for line in look.stdout.split(b"\n")[1:-1])
    assert said[b"asked"] == b"1"
    assert int(said[b"left"]) >= 1


def test_a_machine_without_the_hierarchy_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bind_programs.control_groups, "mount", lambda: None)
    told, look = bind_programs.ask({})
    assert told.stdout.endswith(b"end\t0\n")
    assert b"\nwhy\tthe unified hierarchy of control groups (cgroup2) is not mounted here\n" in look.stdout
