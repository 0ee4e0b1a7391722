"""Files that really have capabilities: they are found where they are to be looked for, and what is predicted of them is what bind gives."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.binding import Grant
from auditor.live import file_comparison, file_search, granting_files, idleness, mounts
from auditor.live.searched_places import Place
from auditor.model import Snapshot
from tests.bundles import judged
from tests.hosts import NEEDED, NOBODY, WEB, Host, as_if_initial, host, interpreted, stack

needs_setcap = pytest.mark.skipif(shutil.which("setcap") is None, reason="needs setcap (package libcap2-bin)")
PYTHON = os.path.realpath("/usr/bin/python3")
needs_python = pytest.mark.skipif(not os.path.isfile(PYTHON), reason="needs a python3 in /usr/bin (package python3)")
PORT = 81
BINDS = "cap_net_bind_service=ep"
TRY = f"""
import errno, socket
try:
    socket.socket().bind(("127.0.0.1", {PORT}))
    print("ok")
except OSError as error:
    print(errno.errorcode[error.errno])
"""
HANGING = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
os.setpgid(0, 0)
for kind, path in (word.split(":") for word in sys.argv[1:]):
    os.makedirs(path)
    if kind == "fuse":
        device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    else:
        reading, writing = os.pipe()
        options = f"fd={writing},pgrp={os.getpgrp()},minproto=5,maxproto=5,indirect"
    if libc.mount(kind.encode(), path.encode(), kind.encode(), 0, options.encode()):
        sys.exit(os.strerror(ctypes.get_errno()))
print("mounted", flush=True)
while True: signal.pause()
"""
"""File systems whose server never answers: whoever looks at what is on them waits until it ends."""
MAPPED = """
import mmap, sys
new = open(sys.argv[2], "rb").read()
with open(sys.argv[1], "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
    memory[:len(new)] = new
"""


@pytest.fixture
def made() -> Iterator[Host]:
    with host() as one:
        one.run("mkdir", "-m", "755", f"{one.stage}/apps", check=True)
        yield one


def copy(made: Host, program: str, name: str, capability: str | None = BINDS, mode: str = "755") -> str:
    path = f"{made.stage}/apps/{name}"
    made.run("sh", "-c", 'cp "$1" "$2" && chmod "$3" "$2"', "-", program, path, mode, check=True)
    if capability:
        made.run("setcap", capability, path, check=True)
    return path


def seen(made: Host, *more: str, user: int | None = None, search: bool = True) -> Snapshot:
    """What a run saw that was asked to search the folder of programs."""
    where = ("--search", f"{made.stage}/apps") if search else ()
    return interpreted(as_if_initial(made.collect(*where, *more, user=user)))


def files(snapshot: Snapshot) -> dict[str, Grant]:
    """The files that give capabilities, by their names."""
    found = [one for one in stack(snapshot).grants.seen if one.path == "file-capability"]
    return {os.path.basename(one.subject): one for one in found}


def gaps(snapshot: Snapshot) -> list[str]:
    return [gap.why for gap in stack(snapshot).grants.gaps]


def bind_by(made: Host, path: str, *, user: int = NOBODY) -> str:
    """What a user's bind gives by a copy of python; the reason where it cannot be run. Through env(1), since setpriv(1) still has root's
    rights when it looks for the program."""
    done = made.run("env", path, "-I", "-S", "-c", TRY, user=user)
    return done.out.decode().strip() or done.err.strip().rpartition(": ")[2]


@contextmanager
def hanging(made: Host, *mounted: str) -> Iterator[None]:
    """KIND:PATH, fuse or autofs, mounted inside."""
    with made.running(made.interpreter, "-S", "-c", HANGING, *mounted) as holding:
        if holding.said != "mounted":
            pytest.skip(f"no such file system can be mounted here: {holding.complaint()[-200:]}")
        yield


def of_root(number: int) -> str:
    return struct.pack("<6I", 3 << 24 | 1, 1 << 10, 0, 0, 0, number).hex()


# What a file gives


@NEEDED
@needs_setcap
@needs_python
@pytest.mark.parametrize("user", [None, NOBODY], ids=["by root", "by nobody"])
def test_a_copy_of_python_is_found_by_whatever_name_and_gives_anybody_the_port(made: Host, user: int | None) -> None:
    path = copy(made, PYTHON, "webapp")
    snapshot = seen(made, user=user)
    one = files(snapshot)["webapp"]
    assert bind_by(made, path) == "ok"
    assert (one.subject, one.scope, one.everyone, one.interpreter) == (path, "everyone", True, "python")
    assert [str(ports) for ports in one.ports] == ["1-1023"]
    assert any(step.startswith(f"its bytes are those of {PYTHON}:") for step in one.via)
    (finding,) = [each for each in judged(snapshot, "", "capability-on-interpreter") if each.outcome == "fail"]
    assert finding.message == f"everyone can take privileged ports by {path}, which is python and does what it is told"
    if user is None:
        assert gaps(snapshot) == []


@NEEDED
@needs_setcap
def test_a_copy_of_netcat_is_found_and_takes_the_port(made: Host) -> None:
    netcat = os.path.realpath("/usr/bin/nc")
    if not netcat.endswith("nc.openbsd"):
        pytest.skip("needs nc.openbsd (package netcat-openbsd)")
    path = copy(made, netcat, "relay")
    one = files(seen(made))["relay"]
    took = made.run("timeout", "0.5", path, "-l", "127.0.0.1", str(PORT), user=NOBODY)
    refused = made.run("timeout", "0.5", netcat, "-l", "127.0.0.1", str(PORT), user=NOBODY)
    assert (took.code, refused.code) == (124, 1), (took.err, refused.err)
    assert one.interpreter == "netcat"


@NEEDED
@needs_setcap
@needs_python
@pytest.mark.parametrize(
    ("capability", "bound", "ports"),
    [
        ("cap_net_bind_service=ep", "ok", ["1-1023"]),
        ("cap_net_bind_service=eip", "ok", ["1-1023"]),
        ("cap_net_bind_service=p", "EACCES", ["1-1023"]),
        ("cap_net_bind_service=ei", "EACCES", []),
        ("cap_net_raw=ep", "EACCES", None),
    ],
)
def test_the_flags_decide_what_it_gives(made: Host, capability: str, bound: str, ports: list[str] | None) -> None:
    path = copy(made, PYTHON, "webapp", capability)
    found = files(seen(made))
    assert bind_by(made, path) == bound
    assert ([str(each) for each in found["webapp"].ports] if found else None) == ports
    if capability.endswith("=p"):
        assert "the program itself has to raise the capability" in found["webapp"].via[1]


@NEEDED
@needs_setcap
@needs_python
@pytest.mark.parametrize(("option", "bound"), [("nosuid", "EACCES"), ("noexec", "Permission denied"), ("nodev", "ok")])
def test_the_mount_decides_whether_it_counts(made: Host, option: str, bound: str) -> None:
    made.run("mount", "-t", "tmpfs", "-o", f"mode=755,{option}", "none", f"{made.stage}/apps", check=True)
    path = copy(made, PYTHON, "webapp")
    one = files(seen(made))["webapp"]
    assert bind_by(made, path) == bound
    assert bool(one.ports) is (bound == "ok")
    assert any(step.startswith(f"it lies on a mount with {option}: ") for step in one.via) is (bound != "ok")


@NEEDED
@needs_setcap
@needs_python
def test_one_that_was_given_it_in_a_user_namespace_gives_nothing_here(made: Host) -> None:
    path = copy(made, PYTHON, "webapp", None)
    made.run("chown", f"{WEB}:{WEB}", path, check=True)
    given = made.run("unshare", "--user", "--map-root-user", "setcap", BINDS, path, user=WEB)
    if given.code:
        pytest.skip(f"a user may make no user namespace here: {given.err.strip()}")
    one = files(seen(made))["webapp"]
    assert bind_by(made, path) == "EACCES"
    assert one.ports == []
    assert f"it counts in user namespaces alone whose root is user {WEB}, not in the host's own" in one.via


@NEEDED
@pytest.mark.parametrize(
    ("value", "ports"),
    [
        (struct.pack("<3I", 1 << 24 | 1, 1 << 10, 0).hex(), ["1-1023"]),
        (struct.pack("<5I", 2 << 24 | 1, 1 << 10, 0, 0, 0).hex(), ["1-1023"]),
        (of_root(0), ["1-1023"]),
        (of_root(1000), []),
    ],
    ids=["revision 1", "revision 2", "revision 3 of root", "revision 3 of a user"],
)
def test_every_revision_that_the_kernel_takes_is_read(made: Host, value: str, ports: list[str]) -> None:
    path = copy(made, "/bin/true", "webd", None)
    code = f"import os; os.setxattr({path!r}, 'security.capability', bytes.fromhex({value!r}))"
    done = made.run(made.interpreter, "-S", "-c", code)
    if "Invalid argument" in done.err:
        pytest.skip("this kernel takes no revision 1 any more")
    assert not done.code, done.err
    assert [str(each) for each in files(seen(made))["webd"].ports] == ports


@NEEDED
@needs_setcap
@needs_python
@pytest.mark.parametrize(
    ("mode", "folder", "others", "web", "scope"),
    [
        ("755", "755", "ok", "ok", "everyone"),
        ("750", "755", "", "ok", f"group {WEB}"),
        ("755", "750", "", "ok", f"group {WEB}"),
        ("700", "755", "", "", "root"),
    ],
)
def test_who_may_run_it_is_who_gets_the_port(made: Host, mode: str, folder: str, others: str, web: str, scope: str) -> None:
    path = copy(made, PYTHON, "webapp", None)
    for which, bits in ((path, mode), (os.path.dirname(path), folder)):
        made.run("chown", f"0:{WEB}", which, check=True)
        made.run("chmod", bits, which, check=True)
    made.run("setcap", BINDS, path, check=True)
    one = files(seen(made))["webapp"]
    got = [bind_by(made, path, user=user) for user in (NOBODY, WEB)]
    assert [each == "ok" for each in got] == [bool(others), bool(web)], got
    assert (one.scope, one.everyone, one.root) == (scope, scope == "everyone", scope == "root")


@NEEDED
@needs_setcap
@needs_python
@pytest.mark.parametrize("what", ["file", "folder"])
def test_who_is_let_run_it_by_an_access_control_list_is_not_root_alone(made: Host, what: str) -> None:
    path = copy(made, PYTHON, "webapp", None, mode="755")
    gate = path if what == "file" else os.path.dirname(path)
    made.run("chmod", "700", gate, check=True)
    if shutil.which("setfacl") is None:
        pytest.skip("setfacl is not installed (package acl)")
    given = made.run("setfacl", "-m", f"u:{WEB}:rx", gate)
    if "Operation not supported" in given.err:
        pytest.skip("the file system of the made host keeps no access control lists")
    made.run("setcap", BINDS, path, check=True)
    one = files(seen(made))["webapp"]
    assert bind_by(made, path, user=WEB) == "ok"
    assert bind_by(made, path, user=NOBODY) != "ok"
    assert one.scope == ("whoever its access list lets" if what == "file" else f"whoever the access list of {gate} lets")
    assert "everyone" not in one.shown
    assert one.root is False


# What becomes of the capability when the file changes


@NEEDED
@needs_setcap
@needs_python
@pytest.mark.parametrize("how", ["write", "truncate", "chown"])
def test_a_file_that_is_written_to_or_given_away_loses_it(made: Host, how: str) -> None:
    path = copy(made, PYTHON, "webapp", mode="777")
    change = {"write": ("sh", "-c", f"printf x >>{path}"), "truncate": ("truncate", "-s", "9", path), "chown": ("chown", str(WEB), path)}
    assert "webapp" in files(seen(made))
    made.run(*change[how], user=None if how == "chown" else NOBODY, check=True)
    assert files(seen(made)) == {}


@NEEDED
@needs_setcap
@needs_python
def test_a_file_that_others_may_write_to_keeps_it_when_they_change_it_by_a_mapping_and_runs_what_they_wrote(made: Host) -> None:
    path = copy(made, PYTHON, "webapp", mode="777")
    made.run(PYTHON, "-I", "-S", "-c", MAPPED, path, os.path.realpath("/bin/cat"), user=NOBODY, check=True)
    said = made.run(path, "/proc/self/status", user=NOBODY).out.decode()
    (capabilities,) = [line.split()[1] for line in said.split("\n") if line.startswith("CapEff:")]
    assert int(capabilities, 16) == 1 << 10
    snapshot = seen(made)
    assert files(snapshot)["webapp"].ports
    (finding,) = [each for each in judged(snapshot, "", "capability-on-writable-file") if each.outcome == "fail"]
    assert finding.message == f"every user may change {path}, which gives everyone privileged ports"


@NEEDED
@needs_setcap
def test_each_name_of_a_file_is_told(made: Host) -> None:
    path = copy(made, "/bin/true", "webd")
    made.run("ln", path, f"{made.stage}/apps/kept", check=True)
    found = files(seen(made))
    assert sorted(found) == ["kept", "webd"]
    assert all("the file has 2 names (hard links): each gives the same" in one.via for one in found.values())


# Where it is looked for


@NEEDED
@needs_setcap
def test_nothing_is_looked_for_where_nobody_asked(made: Host) -> None:
    copy(made, "/bin/true", "webd")
    snapshot = seen(made, search=False)
    assert files(snapshot) == {}
    assert gaps(snapshot) == []
    (limit,) = [each for each in snapshot.limits if each.startswith("Files with capabilities were looked for in ")]
    assert "/usr/bin" in limit
    assert made.stage not in limit


@NEEDED
@needs_setcap
def test_the_search_path_is_looked_at_and_where_its_links_lead(made: Host) -> None:
    path = copy(made, "/bin/true", "webd")
    made.run("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/usr/local/bin", check=True)
    made.run("cp", "/bin/true", "/usr/local/bin/direct", check=True)
    made.run("setcap", BINDS, "/usr/local/bin/direct", check=True)
    made.run("ln", "-s", path, "/usr/local/bin/linked", check=True)
    made.run("ln", "-s", "nowhere", "/usr/local/bin/dangling", check=True)
    snapshot = seen(made, search=False)
    assert sorted(one.subject for one in files(snapshot).values()) == sorted([path, "/usr/local/bin/direct"])
    assert gaps(snapshot) == []


@NEEDED
@needs_setcap
def test_the_programs_of_units_are_looked_at_and_their_arguments_are_never_kept(made: Host) -> None:
    first, second, third = (copy(made, "/bin/true", name) for name in ("first", "second d", "third"))
    made.write("/etc/systemd/system/one.service", f"[Service]\nExecStart=-@{first} hunter2 --token=hunter2\nEnvironment=K=hunter2\n")
    made.write("/etc/systemd/system/two.service.d/more.conf", f'[Service]\nExecStartPre=+"{second}" hunter2\n')
    made.write("/etc/systemd/system/three.service", f"[Service]\nExecStart=\\\n  {third} \\\n  hunter2\nExecReload=/nowhere/x hunter2\n")
    made.write("/etc/systemd/system/four@.service", "[Service]\nExecStart=/opt/%i/run hunter2\n")
    made.link("/etc/systemd/system/off.service", "/dev/null")
    bundle = made.collect()
    snapshot = interpreted(as_if_initial(bundle))
    assert sorted(files(snapshot)) == ["first", "second d", "third"]
    assert gaps(snapshot) == []
    assert b"hunter2" not in bundle
    assert any(limit.endswith("an escape was not looked at: /etc/systemd/system/four@.service.") for limit in snapshot.limits)


@NEEDED
@needs_setcap
def test_a_unit_file_that_may_not_be_read_is_a_gap(made: Host) -> None:
    made.write("/etc/systemd/system/one.service", "[Service]\nExecStart=/bin/true\n", mode=0o600)
    assert any("/etc/systemd/system/one.service" in why and "Permission denied" in why for why in gaps(seen(made, user=NOBODY)))
    assert gaps(seen(made)) == []


@NEEDED
@needs_setcap
@needs_python
def test_what_a_process_runs_is_looked_at(made: Host) -> None:
    path = copy(made, PYTHON, "webapp")
    program = "print('up', flush=True)\nimport signal\nwhile True: signal.pause()"
    with made.running(path, "-I", "-S", "-c", program, user=NOBODY) as webapp:
        snapshot, blind = seen(made, search=False), seen(made, search=False, user=WEB)
    assert webapp.said == "up"
    assert files(snapshot)["webapp"].subject == path
    assert gaps(snapshot) == []
    assert any(why.startswith("files with capabilities: the programs that processes run: ") for why in gaps(blind))


@NEEDED
@needs_setcap
def test_a_tree_is_searched_to_its_end_across_local_mounts_and_through_no_link(made: Host) -> None:
    apps = f"{made.stage}/apps"
    made.run("mkdir", "-p", f"{apps}/a/b", f"{apps}/mounted", f"{made.stage}/outside", check=True)
    made.run("mount", "-t", "tmpfs", "none", f"{apps}/mounted", check=True)
    made.run("mount", "-t", "proc", "proc", f"{apps}/a/b", check=True)
    for name in ("deep", "mounted/below", "new\nline\ttab"):
        copy(made, "/bin/true", name)
    made.run("mv", copy(made, "/bin/true", "outside"), f"{made.stage}/outside/x", check=True)
    made.run("ln", "-s", f"{made.stage}/outside", f"{apps}/link", check=True)
    made.run("ln", "-s", ".", f"{apps}/round", check=True)
    snapshot = seen(made)
    assert sorted(files(snapshot)) == ["below", "deep", "new\nline\ttab"]
    assert gaps(snapshot) == []


@NEEDED
@needs_setcap
def test_a_folder_that_nobody_else_may_enter_is_a_gap_for_them(made: Host) -> None:
    made.run("mkdir", "-m", "700", f"{made.stage}/apps/closed", check=True)
    copy(made, "/bin/true", "closed/in")
    copy(made, "/bin/true", "open")
    assert sorted(files(seen(made))) == ["in", "open"]
    snapshot = seen(made, user=NOBODY)
    assert sorted(files(snapshot)) == ["open"]
    apps = f"{made.stage}/apps"
    assert f"files with capabilities: {apps}: 1 could not be looked at (Permission denied): {apps}/closed" in gaps(snapshot)


@NEEDED
@needs_setcap
def test_file_systems_that_may_never_answer_are_told_and_not_touched(made: Host) -> None:
    apps = f"{made.stage}/apps"
    copy(made, "/bin/true", "webd")
    made.run("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/usr/local/bin", check=True)
    with hanging(made, f"fuse:{apps}/hung", f"autofs:{apps}/auto"):
        made.run("ln", "-s", f"{apps}/hung/program", "/usr/local/bin/linked", check=True)
        made.write("/etc/systemd/system/one.service", f"[Service]\nExecStart={apps}/auto/server/run\n")
        began = time.monotonic()
        snapshot = seen(made)
        took = time.monotonic() - began
    assert took < granting_files.SEARCH_SECONDS / 2
    assert sorted(files(snapshot)) == ["webd"]
    assert set(gaps(snapshot)) == {
        f"files with capabilities: /usr/local/bin: what is on file systems of kind fuse is not searched: {apps}/hung",
        f"files with capabilities: {apps}: what is on file systems of kind autofs is not searched: {apps}/auto",
        f"files with capabilities: {apps}: what is on file systems of kind fuse is not searched: {apps}/hung",
        f"files with capabilities: the programs of systemd's services: what is on file systems of kind autofs is not searched: {apps}/auto",
    }


@contextmanager
def laid_over(made: Host, name: str) -> Iterator[int]:
    """An ordinary user runs apps/NAME/x of a mount namespace of its own, where another file system lies over the folder of programs."""
    words = 'mount -t tmpfs none "$1" && mkdir "$1/$2" && cp /bin/sleep "$1/$2/x" && echo $$ && exec "$1/$2/x" 600'
    with made.running("unshare", "-Urm", "sh", "-c", words, "-", f"{made.stage}/apps", name, user=NOBODY) as theirs:
        if not theirs.said:
            pytest.skip(f"an ordinary user may make no mount namespace here: {theirs.complaint()}")
        while not made.run("readlink", f"/proc/{theirs.said}/exe").out.endswith(b"/x\n"):
            time.sleep(0.01)
        yield int(theirs.said)


@NEEDED
@pytest.mark.parametrize("name", ["hung", "link"])
def test_a_program_that_seems_to_lie_on_what_never_answers_holds_nobody_up(made: Host, name: str) -> None:
    apps = f"{made.stage}/apps"
    made.run("ln", "-s", "hung", f"{apps}/link", check=True)
    with hanging(made, f"fuse:{apps}/hung"), laid_over(made, name) as pid:
        code = f"from auditor.live import executables; print(*executables.look('/proc/{pid}'), sep='|')"
        said = made.run(made.interpreter, "-c", code, timeout=20, check=True).out.decode()
        snapshot = seen(made, search=False)
    path, mode, *placed, _ = said.split("|")
    assert path == f"b'{apps}/{name}/x (in another mount namespace)'"
    assert mode.startswith("b'0755:")
    assert placed == ["b''", "b''"]
    assert (
        f"files with capabilities: the programs that processes run: what is on file systems of kind fuse is not searched: {apps}/hung"
        in gaps(snapshot)
    )
    assert not any("did not end in time" in why for why in gaps(snapshot))


@NEEDED
def test_a_program_that_lies_on_a_remote_file_system_keeps_its_path_and_what_is_at_it_is_not_looked_at(made: Host) -> None:
    made.run("mount", "-t", "tmpfs", "-o", "mode=755", "none", f"{made.stage}/apps", check=True)
    path = copy(made, "/bin/sleep", "waits", None)
    code = f"""
import subprocess
from auditor.live import executables, mounts
mounts._REMOTE |= {{"tmpfs"}}
child = subprocess.Popen([{path!r}, "600"])
print(*executables.look(f"/proc/{{child.pid}}"), sep="|")
child.kill()
"""
    said = made.run(made.interpreter, "-c", code, check=True).out.decode()
    assert said.strip().split("|") == [f"b'{path}'", "b'0755:0:0'", "b''", "b''", "b'0:0'"]


@NEEDED
def test_a_search_that_hangs_is_ended_and_says_where(made: Host) -> None:
    """As on what was mounted after the mounts were read."""
    hung = f"{made.stage}/apps/hung"
    code = f"""
import sys
from auditor.live import granting_files, mounts
found = granting_files._searched(mounts.Mounts(b"", b""), [{hung!r}], 0.3)
print(b"\\n".join(line for mark, line in found if mark == b"n").decode())
"""
    with hanging(made, f"fuse:{hung}"):
        began = time.monotonic()
        done = made.run(made.interpreter, "-c", code, check=True)
        took = time.monotonic() - began
    assert done.out.decode().split("\n")[-2].split("\t") == ["search", hung, "hung", "0", "1", hung]
    assert took < 10


# How long it takes, and at whose cost


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty thousand files."""
    root = tmp_path_factory.mktemp("tree")
    for number in range(200):
        folder = root / str(number)
        folder.mkdir()
        for name in range(100):
            (folder / str(name)).touch()
    return root


def rows(answers: list[bytes], command: str) -> list[list[str]]:
    (text,) = [one for one in answers if f"$ builtin:{command}\n".encode() in one]
    return [line[2:].split("\t") for line in text.decode().split("\n") if line.startswith("| ")][1:-1]


def asked(root: Path, seconds: float) -> list[bytes]:
    return [answer.to_bytes() for answer in granting_files.ask({"search": {"roots": [str(root)], "seconds": seconds}})]


def test_a_whole_tree_is_counted(tree: Path) -> None:
    answers = asked(tree, 60)
    assert ["search", str(tree), "20000"] in rows(answers, "searched")
    assert not [row for row in rows(answers, "not-searched") if row[0] == "search"]


def test_a_search_ends_with_its_time_and_says_how_far_it_came(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def limited(self: file_search.Search, place: Place) -> None:
        self._deadline = time.monotonic() + 0.02
        whole(self, place)

    whole = file_search.Search._root
    monkeypatch.setattr(file_search.Search, "_root", limited)
    answers = asked(tree, 60)
    (searched,) = [row for row in rows(answers, "searched") if row[0] == "search"]
    assert 0 < int(searched[2]) < 20000
    assert ["search", str(tree), "time", "", "1", str(tree)] in rows(answers, "not-searched")
    (last,) = [one for one in answers if b"$ builtin:not-searched\n" in one]
    assert f"! {tree}: not looked at: 1, time\n".encode() in last
    assert last.endswith(b"? 1\n")


def test_without_any_time_every_place_says_so(tree: Path) -> None:
    began = time.monotonic()
    answers = asked(tree, 0)
    assert time.monotonic() - began < granting_files._GRACE
    missed = {(row[0], row[1]) for row in rows(answers, "not-searched") if row[2] == "time"}
    assert missed >= {("path", "/usr/bin"), ("unit", "-"), ("process", "-"), ("search", str(tree))}


def test_whole_trees_are_searched_at_idle_priority_and_this_process_keeps_its_own(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tree.parent / "priority"

    def telling(self: file_search.Search, place: Place) -> None:
        told.write_text(f"{os.sched_getscheduler(0) == os.SCHED_IDLE} {os.nice(0)} {_io_class()}")

    before = (os.sched_getscheduler(0), os.nice(0))
    monkeypatch.setattr(file_search.Search, "_root", telling)
    asked(tree, 60)
    idle, nice, io_class = told.read_text().split()
    assert (idle, nice) == ("True", "19")
    assert io_class in ("idle", "?")
    assert (os.sched_getscheduler(0), os.nice(0)) == before


def _io_class() -> str:
    """As ionice(1) of util-linux says it; `?` where there is none."""
    if shutil.which("ionice") is None or os.uname().machine not in idleness._IOPRIO_SET:
        return "?"
    return subprocess.run(["ionice", "-p", str(os.getpid())], capture_output=True, text=True, check=True).stdout.split(":")[0].strip()


def test_a_search_of_the_usual_places_alone_is_not_held_up_by_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError

    monkeypatch.setattr(file_search, "become_idle", never)
    answers = [answer.to_bytes() for answer in granting_files.ask({})]
    assert not [row for row in rows(answers, "not-searched") if row[2] == "broken"]


def test_a_search_that_breaks_off_says_so(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_search.Search, "_root", lambda self, place: os._exit(9))
    assert ["search", str(tree), "broken", "60", "1", str(tree)] in rows(asked(tree, 60), "not-searched")


def test_what_is_no_folder_is_looked_at_as_a_file_and_what_is_nothing_is_told(tree: Path) -> None:
    assert ["search", str(tree / "0" / "0"), "1"] in rows(asked(tree / "0" / "0", 60), "searched")
    gone = str(tree / "gone")
    assert ["search", gone, "unreadable", "No such file or directory", "1", gone] in rows(asked(tree / "gone", 60), "not-searched")


def test_folders_that_are_too_deep_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").touch()
    monkeypatch.setattr(file_search, "_DEEPEST", 2)
    answers = asked(tmp_path, 60)
    assert ["search", str(tmp_path), "1"] in rows(answers, "searched")
    assert ["search", str(tmp_path), "deep", "2", "1", f"{tmp_path}/a/b/c"] in rows(answers, "not-searched")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="giving a file capabilities needs root")
@needs_setcap
def test_files_beyond_what_a_bundle_takes_are_counted_and_big_ones_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        shutil.copy("/bin/true", tmp_path / name)
        subprocess.run(["setcap", BINDS, str(tmp_path / name)], check=True)
    monkeypatch.setattr(file_comparison, "_LARGEST_COMPARED", 0)
    assert {row[-1] for row in rows(asked(tmp_path, 60), "granting-files") if row[0].startswith(str(tmp_path))} == {""}
    monkeypatch.setattr(file_search, "SEARCH_PATH", ())
    monkeypatch.setattr(file_search.Search, "_units", lambda self, place: None)
    monkeypatch.setattr(file_search.Search, "_processes", lambda self, place: None)
    monkeypatch.setattr(file_search, "_MOST_FOUND", 2)
    answers = asked(tmp_path, 60)
    assert len(rows(answers, "granting-files")) == 2
    assert [row[2:5] for row in rows(answers, "not-searched")] == [["many", "2", "1"]]


root_gives = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="giving a file capabilities needs root")
ROOTS = struct.pack("<5I", 2 << 24 | 1, 1 << 10, 0, 0, 0).hex()


def giving(path: Path, capability: str = ROOTS, content: bytes = b"x" * 4096) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.setxattr(path, "security.capability", bytes.fromhex(capability))
    return path


def search_alone(monkeypatch: pytest.MonkeyPatch, *search_path: Path) -> None:
    monkeypatch.setattr(file_search, "SEARCH_PATH", tuple(map(str, search_path)))
    monkeypatch.setattr(file_search.Search, "_units", lambda self, place: None)
    monkeypatch.setattr(file_search.Search, "_processes", lambda self, place: None)


def same(answers: list[bytes]) -> dict[str, str]:
    return {row[0]: row[-1] for row in rows(answers, "granting-files")}


@root_gives
def test_files_that_count_in_user_namespaces_alone_do_not_push_out_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        giving(tmp_path / "first" / str(number), of_root(1000))
    giving(tmp_path / "last")
    giving(tmp_path / "of-root", of_root(0))
    search_alone(monkeypatch)
    monkeypatch.setattr(file_search, "_MOST_FOUND", 2)
    monkeypatch.setattr(file_search, "_MOST_NAMESPACED", 1)
    answers = asked(tmp_path, 60)
    assert {row[0] for row in rows(answers, "granting-files")} > {f"{tmp_path}/last", f"{tmp_path}/of-root"}
    assert len(rows(answers, "granting-files")) == 3
    assert {tuple(row[2:5]) for row in rows(answers, "not-searched")} == {("namespaced", "1", "2")}
    (last,) = [one for one in answers if b"$ builtin:not-searched\n" in one]
    assert b"? 0\n" in last


@root_gives
def test_a_file_is_read_once_to_compare_it_and_no_more_bytes_than_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").write_bytes(b"x" * 4096)
    (tmp_path / "apps").mkdir()
    for name in "ab":
        giving(tmp_path / "apps" / name)
    search_alone(monkeypatch, tmp_path / "bin")
    monkeypatch.setattr(file_comparison, "_MOST_COMPARED", 3 * 4096)
    assert set(same(asked(tmp_path / "apps", 60)).values()) == {f"{tmp_path}/bin/tool"}
    monkeypatch.setattr(file_comparison, "_MOST_COMPARED", 3 * 4096 - 1)
    assert sorted(same(asked(tmp_path / "apps", 60)).values()) == ["", f"{tmp_path}/bin/tool"]


@root_gives
@pytest.mark.parametrize("by", ["link", "fifo", "copy"])
def test_what_took_the_place_of_a_file_to_compare_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    def then_replaced(folder: str) -> list[tuple[str, os.stat_result]]:
        found = list(listed(folder))
        tool.rename(tmp_path / "kept")
        {"link": lambda: tool.symlink_to(tmp_path / "kept"), "fifo": lambda: os.mkfifo(tool),
         "copy": lambda: tool.write_bytes(b"x" * 4096)}[by]()  # fmt: skip
        return found

    listed = file_comparison._listed
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_bytes(b"x" * 4096)
    giving(tmp_path / "apps" / "a")
    search_alone(monkeypatch, tool.parent)
    monkeypatch.setattr(file_comparison, "_listed", then_replaced)
    assert same(asked(tmp_path / "apps", 60)) == {f"{tmp_path}/apps/a": ""}


@root_gives
@pytest.mark.parametrize("into", ["fifo", "link"])
def test_a_file_that_becomes_another_kind_when_it_is_opened_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, into: str) -> None:
    def replaced(path: str, *more: Any, **named: Any) -> bytes:
        value: bytes = getxattr(path, *more, **named)
        if path == "a":
            os.rename("a", tmp_path / "kept")
            os.mkfifo("a") if into == "fifo" else os.symlink(tmp_path / "kept", "a")
        return value

    getxattr = os.getxattr
    giving(tmp_path / "apps" / "a")
    search_alone(monkeypatch)
    monkeypatch.setattr(os, "getxattr", replaced)
    assert same(asked(tmp_path / "apps", 60)) == {}


@root_gives
@pytest.mark.parametrize(("times", "found", "missed"), [(0, 1, []), (1, 1, []), (2, 0, ["vanished"])])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_name_that_changes_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, times: int, found: int, missed: list[str]
) -> None:
    left = [times]

    def rename() -> None:
        if left[0]:
            left[0] -= 1
            old = next(iter(tmp_path.joinpath("apps").iterdir()))
            old.rename(old.with_name("b" if old.name == "a" else "a"))

    def renamed(path: str, *more: Any, **named: Any) -> object:
        if path in ("a", "b"):
            rename()
        return really(path, *more, **named)

    giving(tmp_path / "apps" / "a") if what == "file" else (tmp_path / "apps").mkdir()
    if what == "folder":
        giving(tmp_path / "apps" / "a" / "program")
    search_alone(monkeypatch)
    call = "getxattr" if what == "file" else "open"
    really = getattr(os, call)
    monkeypatch.setattr(os, call, renamed)
    answers = asked(tmp_path / "apps", 60)
    if what == "file" and not times:
        assert ["search", f"{tmp_path}/apps", "1"] in rows(answers, "searched")
    assert len(rows(answers, "granting-files")) == found
    assert [row[2] for row in rows(answers, "not-searched")] == missed


@root_gives
def test_a_file_that_is_deleted_meanwhile_is_no_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deleted(path: str, *more: Any, **named: Any) -> bytes:
        if path == "a" and os.path.exists(path):
            os.unlink(path)
        value: bytes = getxattr(path, *more, **named)
        return value

    getxattr = os.getxattr
    giving(tmp_path / "apps" / "a")
    giving(tmp_path / "apps" / "b")
    search_alone(monkeypatch)
    monkeypatch.setattr(os, "getxattr", deleted)
    answers = asked(tmp_path / "apps", 60)
    assert list(same(answers)) == [f"{tmp_path}/apps/b"]
    assert rows(answers, "not-searched") == []


def test_where_the_mounts_are_not_shown_nothing_is_touched_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> mounts.Mounts:
        raise PermissionError(13, "Permission denied", "/proc/self/mountinfo")

    monkeypatch.setattr(mounts, "current", refused)
    (answer,) = granting_files.ask({})
    assert answer.trouble == "builtin:granting-files: the search could not begin: /proc/self/mountinfo: Permission denied"
