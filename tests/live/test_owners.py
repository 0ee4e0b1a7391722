"""Who holds a listener, where that takes more than a look into the tables of processes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from calendar import timegm
from pathlib import PurePosixPath
from typing import Any

import pytest

from auditor.live import namespaces, ports
from tests.hosts import NEEDED, NOBODY, WEB, Host, as_if_initial, host, interpreted, listener, owners, sockets, stack

pytestmark = NEEDED


def test_a_listener_of_a_service_is_shown_with_exactly_these_keys() -> None:
    with host() as made:
        server = made.program("server")
        process = made.start(listener("tcp", "127.0.0.1", 8080), run=[server], user=WEB, group="shop.service")
        one = sockets(made.snapshot())["tcp/127.0.0.1:8080"].to_json()
        below = (made.group or "").rpartition("/")[2]
        above = [{"path": str(folder), **rights(made, str(folder))} for folder in PurePosixPath(server).parents]
        file = {**rights(made, server), "at_path": "itself", "folders": above}
    started = one["owners"][0].pop("started")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", started)
    assert abs(timegm(time.strptime(started, "%Y-%m-%dT%H:%M:%SZ")) - time.time()) < 60
    owner = {"pid": process.pid, "process": "server", "executable": server, "executable_file": file, "user": "web", "uid": WEB,
             "unit": "shop.service", "container": None, "root": {"uid": 0, "gid": 0}}  # fmt: skip
    assert one == {
        "protocol": "tcp", "family": "ipv4", "address": "127.0.0.1", "device": None, "port": 8080, "state": "listening", "uid": 0,
        "cgroup": f"/{below}/shop.service", "owner_state": "known", "owners": [owner], "reach": "loopback", "source": "sock_diag",
    }  # fmt: skip


def rights(made: Host, path: str) -> dict[str, Any]:
    mode, uid, gid = made.run("stat", "-c", "%a %u %g", path, check=True).out.split()
    return {"mode": f"{int(mode, 8):04o}", "uid": int(uid), "gid": int(gid), "access_list": False}


def test_the_executable_of_a_process_whose_first_thread_ended_is_still_known() -> None:
    with host() as made:
        process = made.start(listener("tcp", "127.0.0.1", 8080), how="zombie-leader")
        (owner,) = sockets(made.snapshot())["tcp/127.0.0.1:8080"].shown["owners_seen"]
        assert (owner.pid, owner.executable) == (process.pid, made.python)


@pytest.mark.parametrize("name", [b"tab\there", b"\\t", b"\\", b"-", b"end\t0", b" "])
def test_a_name_made_to_break_a_row_breaks_none(name: bytes) -> None:
    with host() as made:
        process = made.start(listener("tcp", "127.0.0.1", 8080), name=name, user=WEB)
        one = sockets(made.snapshot())["tcp/127.0.0.1:8080"]
        assert one.shown["owner_state"] == "known"
        assert [(owner.pid, owner.process) for owner in one.owners] == [(process.pid, name.decode())]


def test_where_proc_hides_processes_an_ordinary_user_is_told_so_and_root_sees_all_the_same() -> None:
    with host() as made:
        process = made.start(listener("tcp", "127.0.0.1", 8080), user=WEB)
        made.run("mount", "-o", "remount,hidepid=2", "/proc", check=True)
        theirs, roots = made.snapshot(user=NOBODY), made.snapshot()
    one = sockets(theirs)["tcp/127.0.0.1:8080"]
    assert (one.owner_state, owners(one)) == ("unreadable", [])
    assert "hidepid" in one.owner_reason
    assert any("hidepid" in gap.why for gap in theirs.stacks.gaps)
    one = sockets(roots)["tcp/127.0.0.1:8080"]
    assert (one.owner_state, owners(one)) == ("known", [process.pid])
    assert not roots.stacks.gaps


def test_a_listener_that_a_process_took_over_after_the_list_of_processes_was_made_still_has_its_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A parent that hands its socket to a child and ends, made certain: the child is left out of the lists that are made first."""
    program = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen([sys.executable, "-S", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        listed, calls = namespaces.pids, []

        def pids() -> list[int]:
            calls.append(None)
            return [pid for pid in listed() if pid != child.pid or len(calls) > 2]

        monkeypatch.setattr(namespaces, "pids", pids)
        answers = list(ports.ask({}))
        child.kill()
    told = {(answer.probe, answer.command): answer.text for answer in answers if answer.stack is None}
    (inode,) = {row.split("\t")[8] for answer in answers for row in answer.text.split("\n") if f"127.0.0.1\t{port}\t" in row}
    assert re.search(rf"^{child.pid}\t(\d+ )*{inode}\b", told["owners", "builtin:holders"], re.MULTILINE)


def test_a_descriptor_that_two_processes_and_a_thread_apart_hold_is_one_listener() -> None:
    with host() as made:
        process = made.start(listener("tcp", "127.0.0.1", 8080), users=[0, WEB])
        apart = made.start(listener("udp", "127.0.0.1", 53), how="own-table")
        snapshot = made.snapshot()
    assert len(stack(snapshot).listening.seen) == 2
    assert owners(sockets(snapshot)["tcp/127.0.0.1:8080"]) == process.pids
    assert owners(sockets(snapshot)["udp/127.0.0.1:53"]) == [apart.pid]
    assert snapshot.visibility["owners"] == {"known": 2, "partial": 0, "unreadable": 0, "none": 0}


@pytest.mark.parametrize("kernel_compares", [True, False])
def test_a_thread_cannot_hide_that_its_process_holds_what_another_process_visibly_holds(kernel_compares: bool) -> None:
    with host() as made:
        process = made.start(listener("tcp", "127.0.0.1", 8080), how="own-table-and-child")
        refusing = [made.interpreter, f"{made.stage}/checkout/tests/inhabitants.py", "without-kcmp"]
        one = sockets(interpreted(as_if_initial(made.collect(prefix=[] if kernel_compares else refusing))))["tcp/127.0.0.1:8080"]
    assert len(process.pids) == 2
    assert (one.shown["owner_state"], owners(one)) == ("known", sorted(process.pids))


def test_without_any_right_an_ordinary_user_sees_the_owners_of_its_own_listeners_and_that_there_may_be_more() -> None:
    with host() as made:
        mine = made.start(listener("tcp", "127.0.0.1", 8080), user=NOBODY, user_first=True)
        made.start(listener("tcp", "127.0.0.1", 8081), user=WEB, user_first=True)
        snapshot = interpreted(made.collect(user=NOBODY))
    seen = sockets(snapshot)
    # a process whose rights were dropped after its start may not be looked into by others of its user: nor may this one
    assert owners(seen["tcp/127.0.0.1:8080"]) in ([mine.pid], [])
    assert seen["tcp/127.0.0.1:8080"].owner_state in ("partial", "unreadable")
    assert (seen["tcp/127.0.0.1:8081"].owner_state, owners(seen["tcp/127.0.0.1:8081"])) == ("unreadable", [])
