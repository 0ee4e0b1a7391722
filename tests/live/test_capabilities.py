"""Processes that really have CAP_NET_BIND_SERVICE, in namespaces that really are whose they are: what is predicted is what bind gives."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.binding import Grant
from auditor.live import capabilities, files, namespaces
from auditor.model import Snapshot
from auditor.owner import ELSEWHERE, FORGEABLE
from tests.bundles import THRESHOLD
from tests.hosts import NEEDED, NOBODY, WEB, Host, host, stack

pytestmark = NEEDED
PORT = 81
AMBIENT = ("--clear-groups", "--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service")
TRY = f"""
import errno, signal, socket, sys
one = socket.socket()
try:
    one.bind(("127.0.0.1", {PORT}))
    one.listen()
    said = "ok"
except OSError as error:
    said = errno.errorcode[error.errno]
print(said, flush=True)
while True: signal.pause()
"""
"""A process that says what became of its bind, and stays."""
OVER_THE_LEADER = f"""
import ctypes, errno, platform, signal, socket, struct, threading
libc = ctypes.CDLL(None, use_errno=True)
def tried():
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", {PORT}))
        except OSError as error:
            return errno.errorcode[error.errno]
    return "ok"
told = threading.Event()
def work():
    dropped.wait()
    said.append(tried())
    told.set()
    while True: threading.Event().wait(3600)
said, dropped = [], threading.Event()
threading.Thread(target=work, daemon=True).start()
header, sets = struct.pack("II", 0x20080522, 0), bytes(24)
assert libc.capset(header, sets) == 0
mine = tried()
dropped.set()
told.wait()
print(mine, *said, flush=True)
while True: signal.pause()
"""
"""The first thread gives its capabilities away; another one keeps them. capset(2) is about the thread that calls it."""


@contextmanager
def running(made: Host, *words: str, program: str = TRY) -> Iterator[str]:
    """A Python that runs `program` below `words`, inside; what it said first."""
    with made.running(*words, made.interpreter, "-S", "-c", program) as python:
        yield python.said


def as_user(uid: int, *more: str) -> tuple[str, ...]:
    return ("setpriv", f"--reuid={uid}", *(more or ("--clear-groups",)), "--")


def grants(snapshot: Snapshot, path: str, name: str = "host") -> list[Grant]:
    return [grant for grant in stack(snapshot, name).grants.seen if grant.path == path]


def others(snapshot: Snapshot) -> str:
    """The one stack beside the host's."""
    (name,) = [one.name for one in snapshot.stacks.seen if one.name != "host"]
    return name


def test_ambient_capabilities_are_a_grant_and_the_kernel_agrees() -> None:
    with host() as made, running(made, *as_user(NOBODY, *AMBIENT)) as said:
        (grant,) = grants(made.snapshot(), "process")
    assert said == "ok"
    assert (grant.uid, grant.user, grant.processes, grant.root, grant.everyone) == (NOBODY, "nobody", 1, False, False)
    assert grant.bound == [f"tcp/127.0.0.1:{PORT}"]
    assert [str(ports) for ports in grant.ports] == ["1-1023"]
    assert grant.subject == f"{made.interpreter} as user nobody"
    assert grant.via[0].endswith("CAP_NET_BIND_SERVICE is effective, permitted and ambient")
    assert grant.via[-2:] == ["its user namespace owns this network namespace", "so it may bind 1-1023"]
    assert any("survives execve" in step for step in grant.via)


def test_a_user_without_it_is_refused_and_is_no_grant() -> None:
    with host() as made, running(made, *as_user(NOBODY)) as said:
        snapshot = made.snapshot()
    assert said == "EACCES"
    assert grants(snapshot, "process") == []
    assert [str(one) for one in stack(snapshot).grants.seen] == ["root root"]


def test_inheritable_alone_gives_nothing() -> None:
    with host() as made, running(made, *as_user(NOBODY, "--clear-groups", "--inh-caps", "+net_bind_service")) as said:
        assert grants(made.snapshot(), "process") == []
    assert said == "EACCES"


def test_root_without_the_bit_has_no_grant_and_root_is_one_grant_however_many() -> None:
    with host() as made:
        before = grants(made.snapshot(), "root")
        with running(made, "setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", "--") as said:
            after = grants(made.snapshot(), "root")
        with running(made), running(made, *as_user(NOBODY)):
            (more,) = grants(made.snapshot(), "root")
    assert said == "EACCES"
    assert len(before) == len(after) == 1
    assert more.root
    assert (more.subject, more.scope, more.uid) == ("root", "root", 0)
    assert f"tcp/127.0.0.1:{PORT}" in more.bound
    assert after[0].processes == before[0].processes
    assert more.processes == before[0].processes + 1


def test_a_thread_that_alone_keeps_it_is_found() -> None:
    with host() as made, running(made, *as_user(NOBODY, *AMBIENT), program=OVER_THE_LEADER) as said:
        (grant,) = grants(made.snapshot(), "process")
        (seen,) = grants(made.snapshot(user=NOBODY), "process")
    assert said == "EACCES ok"
    assert grant.processes == seen.processes == 1
    assert "some threads alone" in grant.via[0]
    assert "some threads alone" in seen.via[0]


def test_no_new_privileges_and_a_filter_are_said() -> None:
    with host() as made, running(made, *as_user(NOBODY, *AMBIENT, "--no-new-privs")) as said:
        (grant,) = grants(made.snapshot(), "process")
    assert said == "ok"
    assert any("no_new_privs" in step for step in grant.via)


def unprivileged_user_namespaces() -> bool:
    if os.geteuid() or not shutil.which("setpriv"):
        return False
    tried = subprocess.run(["setpriv", f"--reuid={WEB}", "--clear-groups", "unshare", "-Ur", "true"], capture_output=True, check=False)
    return tried.returncode == 0


USER_NAMESPACES = pytest.mark.skipif(not unprivileged_user_namespaces(), reason="users may make no user namespaces here")


@USER_NAMESPACES
def test_root_of_a_user_namespace_has_nothing_in_the_hosts_network() -> None:
    with host() as made, running(made, *as_user(WEB), "unshare", "--user", "--map-root-user", "--") as said:
        snapshot = made.snapshot()
    assert said == "EACCES"
    assert grants(snapshot, "process") == []
    assert stack(snapshot).grants.gaps == ()


@USER_NAMESPACES
def test_root_of_a_user_namespace_has_every_port_in_its_own_network_and_so_has_who_owns_it() -> None:
    with host() as made, running(made, *as_user(WEB), "unshare", "--user", "--map-root-user", "--net", "--") as said:
        snapshot = made.snapshot()
    name = others(snapshot)
    (grant,) = grants(snapshot, "process", name)
    (owner,) = grants(snapshot, "namespace-owner", name)
    assert said == "ok"
    assert grants(snapshot, "process") == []
    assert (grant.uid, grant.user, grant.root) == (WEB, "web", True)
    assert grant.subject.startswith(made.interpreter)
    assert grant.executable.endswith((ELSEWHERE, FORGEABLE))
    assert grant.bound == [f"tcp/127.0.0.1:{PORT}"]
    assert (owner.uid, owner.user, owner.subject, owner.root) == (WEB, "web", "user web", False)
    assert grants(snapshot, "namespace-owner") == []
    assert stack(snapshot, name).grants.gaps == ()


@USER_NAMESPACES
def test_who_owns_the_user_namespace_needs_no_capability_in_its_network_where_he_comes_from_above() -> None:
    boxed = (*as_user(WEB), "unshare", "--user", "--map-root-user", "--net", "--")
    with host() as made, running(made, *boxed, program=TRY.replace("print(said", "import os; print(said, os.getpid()")) as told:
        first, pid = told.split()
        entering = ("nsenter", f"--net=/proc/{pid}/ns/net", "--")
        with running(made, *entering, *as_user(NOBODY)) as stranger, running(made, *entering, *as_user(WEB)) as owner:
            snapshot = made.snapshot()
    assert (first, stranger, owner) == ("ok", "EACCES", "EADDRINUSE"), "the address is taken: it got past the capability"
    found = grants(snapshot, "process", others(snapshot))
    assert sorted((grant.uid, grant.root) for grant in found) == [(WEB, False), (WEB, True)]
    (plain,) = [grant for grant in found if not grant.root]
    assert "without CAP_NET_BIND_SERVICE" in plain.via[0]
    assert plain.via[1] == f"user {WEB} owns, from the one above, the user namespace that owns this network namespace"


@USER_NAMESPACES
def test_of_user_namespaces_in_one_another_those_above_the_owner_count_and_those_below_do_not() -> None:
    inner = ("unshare", "--user", "--map-root-user", "--")
    with host() as made, running(made, *as_user(WEB), "unshare", "--user", "--map-root-user", "--net", "--", *inner) as said:
        snapshot = made.snapshot()
    name = others(snapshot)
    assert said == "EACCES"
    assert [grant.subject for grant in grants(snapshot, "process", name) if "python" in grant.subject] == []
    with host() as made, running(made, *as_user(WEB), *inner, "unshare", "--user", "--map-root-user", "--net", "--") as said:
        snapshot = made.snapshot()
    assert said == "ok"
    assert [grant.uid for grant in grants(snapshot, "namespace-owner", others(snapshot))] == [WEB]


@pytest.mark.parametrize(
    ("threshold", "open_to_all", "privileged"),
    [("0", ["1-1023"], []), ("80", ["80-1023"], ["1-79"]), ("1024", [], ["1-1023"]), ("2000", [], ["1-1999"])],
)
def test_the_threshold_gives_everyone_what_lies_between_it_and_the_default(
    threshold: str, open_to_all: list[str], privileged: list[str]
) -> None:
    with host() as made:
        made.sysctl(THRESHOLD, threshold)
        with running(made, *as_user(NOBODY)) as said:
            snapshot, unprivileged = made.snapshot(), made.snapshot(user=NOBODY)
    assert said == ("ok" if open_to_all else "EACCES")
    for of in (snapshot, unprivileged):
        found = grants(of, "threshold")
        assert [str(ports) for grant in found for ports in grant.ports] == open_to_all
        assert all(grant.everyone and threshold in grant.via[0] for grant in found)
        assert [str(ports) for grant in grants(of, "root") for ports in grant.ports] == privileged


def test_a_users_run_finds_the_same_processes_and_says_what_it_could_not_see() -> None:
    with host() as made, running(made, *as_user(WEB, *AMBIENT)) as said:
        (whole,) = grants(made.snapshot(), "process")
        snapshot = made.snapshot(user=NOBODY)
    (seen,) = grants(snapshot, "process")
    assert said == "ok"
    assert (seen.uid, seen.user, seen.processes, seen.ports[0].last) == (whole.uid, whole.user, whole.processes, 1023)
    assert seen.subject == "a program that may not be read as user web"
    assert not {"executable", "file", "bound"} & seen.shown.keys()
    assert any("taken for this run's own by its map of users (0 0 4294967295)" in step for step in seen.via)
    assert any("descriptors of" in gap.why for gap in stack(snapshot).grants.gaps), "a set-user-id program may listen"


@USER_NAMESPACES
def test_a_users_run_does_not_know_who_owns_the_network_of_others_but_what_counts_in_the_hosts() -> None:
    boxed = ("unshare", "--user", "--map-root-user", "--")
    with host() as made, running(made, *as_user(WEB), *boxed), running(made, *as_user(WEB), *boxed[:-1], "--net", "--"):
        snapshot = made.snapshot(user=NOBODY)
    assert grants(snapshot, "process") == []
    assert not [gap for gap in stack(snapshot).grants.gaps if "user namespace" in gap.why]
    other = stack(snapshot, others(snapshot)).grants
    assert other.seen == ()
    assert any("could not be entered" in gap.why for gap in other.gaps)


def test_hidden_processes_are_a_gap() -> None:
    with host() as made, running(made, *as_user(WEB, *AMBIENT)):
        made.run("mount", "-o", "remount,hidepid=2", "/proc", check=True)
        snapshot = made.snapshot(user=NOBODY)
    assert grants(snapshot, "process") == []
    assert any("hidepid" in gap.why for gap in stack(snapshot).grants.gaps)


def test_a_set_user_id_program_of_root_that_listens_is_a_grant_to_whoever_may_run_it() -> None:
    with host() as made:
        path = made.program("bin/mill")
        made.run("chmod", "4755", path, check=True)
        made.start({"protocol": "tcp", "address": "127.0.0.1", "port": PORT}, run=[path])
        (grant,) = grants(made.snapshot(), "setuid")
    assert (grant.subject, grant.scope, grant.executable) == (path, f"whoever may run {path}", path)
    assert (grant.file.mode, grant.bound, grant.processes) == ("4755", [f"tcp/127.0.0.1:{PORT}"], 1)


def test_a_process_whose_first_thread_ended_is_found() -> None:
    with host() as made:
        before = grants(made.snapshot(), "root")[0].processes
        made.start({"protocol": "tcp", "address": "127.0.0.1", "port": PORT}, how="zombie-leader")
        (after,) = grants(made.snapshot(), "root")
    assert after.processes == before + 1
    assert after.bound == [f"tcp/127.0.0.1:{PORT}"]


CHURN = """
import signal, threading
def many():
    while True:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
threading.Thread(target=many, daemon=True).start()
print("there", flush=True)
while True: signal.pause()
"""
HOPPING = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("there", flush=True)
os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
until = time.monotonic() + 20
while time.monotonic() < until:
    if os.fork(): os._exit(0)
"""
MANY_GROUPS = """
import ctypes, os, signal, struct
os.setgroups(range(100000, 165536))
ctypes.CDLL(None).prctl(8, 1, 0, 0, 0)
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
bit = 1 << 10
assert ctypes.CDLL(None).capset(struct.pack("II", 0x20080522, 0), struct.pack("6I", bit, bit, bit, 0, 0, 0)) == 0
print("there", flush=True)
while True: signal.pause()
"""
"""PR_SET_KEEPCAPS, and then the capability alone; with so many groups its status is longer than 400,000 bytes."""


@pytest.mark.parametrize("program", [CHURN, HOPPING])
def test_a_process_that_changes_threads_or_numbers_all_the_time_is_told_or_a_gap(program: str) -> None:
    with host() as made, running(made, *as_user(NOBODY, *AMBIENT), program=program) as said:
        for _ in range(5):
            snapshot = made.snapshot()
            whys = [gap.why for gap in stack(snapshot).grants.gaps if gap.path == "process"]
            assert grants(snapshot, "process") or any("could not be read, though" in why for why in whys)
    assert said == "there"


def test_a_status_of_any_length_is_read_to_its_end() -> None:
    with host() as made, running(made, program=MANY_GROUPS) as said:
        (grant,) = grants(made.snapshot(), "process")
    assert (said, grant.uid) == ("there", NOBODY)


@contextmanager
def bystander(program: str = "import signal; print('there', flush=True); signal.pause()") -> Iterator[int]:
    """A process of root, beside this one."""
    child = subprocess.Popen([sys.executable, "-S", "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        child.stdout.readline()
        yield child.pid
    finally:
        child.kill()
        child.communicate()


class Listed:
    """What /proc lists, each time that it is asked."""

    def __init__(self, *lists: list[int]) -> None:
        self.lists = list(lists)
        self.times = 0

    def __call__(self) -> list[int]:
        self.times += 1
        return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]


def asked(monkeypatch: pytest.MonkeyPatch, listed: Listed) -> tuple[set[int], str, str]:
    """The processes that are told, and the status of the answer and what it says."""
    found = namespaces.find()
    monkeypatch.setattr(namespaces, "pids", listed)
    answer = next(capabilities.ask({"namespaces": found}))
    lines = answer.stdout.decode("utf-8", "replace").split("\n")[1:-2]
    return {int(pid) for line in lines for pid in line.split("\t")[0].split(" ")}, answer.status, answer.stderr.decode()


GONE = [1 << 22, *range((1 << 22) + 1, (1 << 22) + 200)]
"""Numbers that no process has: the largest pid_max is that of the first (proc_sys_kernel(5))."""


def test_what_came_while_others_ended_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with bystander() as pid:
        found, status, _ = asked(monkeypatch, Listed([1, GONE[0]], [1, GONE[1]], [1, pid]))
    assert pid in found
    assert status == "0", "that processes end is no gap"


def test_where_each_newcomer_is_gone_each_time_that_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Listed(*([1, pid] for pid in GONE))
    found, status, why = asked(monkeypatch, listed)
    assert (status, listed.times) == ("1", 20)
    assert why.startswith("1 process could not be read, though they were listed up to 20 times")
    assert 1 in found, "what was read is told"


def test_of_a_thread_that_ends_before_its_namespaces_are_read_the_next_one_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[str] = []

    def of(self: namespaces.Labels, at: str, folder: int) -> str:
        if at.startswith("task/") and not lost:
            lost.append(at)
            raise ProcessLookupError
        return labelled(self, at, folder)

    labelled = namespaces.Labels.of
    monkeypatch.setattr(namespaces.Labels, "of", of)
    with bystander(CHURN) as pid:
        found, status, _ = asked(monkeypatch, Listed([pid]))
    assert lost
    assert (found, status) == ({pid}, "0")


def test_a_process_of_which_every_thread_escapes_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(self: namespaces.Labels, at: str, folder: int) -> str:
        if at.startswith("task/"):
            raise ProcessLookupError
        return labelled(self, at, folder)

    labelled = namespaces.Labels.of
    monkeypatch.setattr(namespaces.Labels, "of", of)
    with bystander(CHURN) as pid:
        found, status, why = asked(monkeypatch, Listed([pid]))
    assert (found, status) == (set(), "1")
    assert "1 process could not be read" in why


def test_a_status_without_sets_is_a_row_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = files.of_proc
    monkeypatch.setattr(capabilities, "of_proc", lambda path, folder: read(path, folder).partition(b"\nSigPnd:")[0])
    with bystander() as pid:
        monkeypatch.setattr(namespaces, "pids", Listed([pid]))
        row = next(capabilities.ask({})).stdout.split(b"\n")[1].split(b"\t")
    told = dict(zip(capabilities.COLUMNS.split(), row, strict=True))
    assert told["pids"] == b"%d" % pid
    assert [told[name] for name in ("effective", "permitted", "ambient")] == [b"", b"", b""]


def kernel_thread(pid: str) -> bool:
    """By PF_KTHREAD of its flags, the ninth field of stat (proc_pid_stat(5), include/linux/sched.h)."""
    try:
        return bool(int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()[6]) & 0x200000)
    except OSError:
        return False


def test_kernel_threads_and_this_run_itself_are_not_counted() -> None:
    threads = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and kernel_thread(pid)]
    found = next(capabilities.ask({})).stdout.decode().split("\n")[1:-2]
    pids = {int(pid) for line in found for pid in line.split("\t")[0].split(" ")}
    assert os.getpid() not in pids
    assert threads
    assert not pids & set(threads)
    assert os.getppid() in pids


def test_a_thousand_processes_cost_far_less_than_a_second() -> None:
    """About 70 microseconds of processor time each, on a machine with nothing else to do."""
    crowd = "import os, time\nfor _ in range(1000):\n    if not os.fork(): time.sleep(600)\nprint('there', flush=True)\ntime.sleep(600)"
    clock = "import time; from auditor.live import capabilities; start = time.process_time(); told = next(capabilities.ask({}));" \
            "print(time.process_time() - start, len(told.stdout.split()) > 1000)"  # fmt: skip
    with host() as made, running(made, program=crowd) as said:
        spent = [made.run(made.interpreter, "-c", clock, check=True).out.split() for _ in range(3)]
    assert said == "there"
    assert {whole for _, whole in spent} == {b"True"}
    assert min(float(seconds) for seconds, _ in spent) < 0.4
