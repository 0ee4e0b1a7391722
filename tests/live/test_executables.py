"""The files that listeners run, on made hosts: who may change them, what is at the path of a deleted one. Live and by the script."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditor.live import executables
from auditor.model import Snapshot
from auditor.owner import FORGEABLE
from tests.bundles import judged
from tests.hosts import NEEDED, WEB, Host, host, listener, sockets
from tests.live.test_script import snapshot as by_script

pytestmark = NEEDED
AT = "tcp/127.0.0.1:9020"
BOTH_WAYS = pytest.mark.parametrize("seen", [Host.snapshot, by_script], ids=["live", "script"])
CONTAINED = """
import ctypes, os, socket, sys
program, prefix = sys.argv[1:]
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child:
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w") as mapped:
            mapped.write("0 100000 65536")
    os.write(go[1], b"x")
    os.waitpid(child, 0)
else:
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        print("no user namespace", flush=True)
        os._exit(1)
    os.write(ready[1], b"x")
    os.read(go[0], 1)
    os.setgid(33)
    os.setuid(33)
    one = socket.socket()
    one.bind(("127.0.0.1", 9020))
    one.listen()
    one.set_inheritable(True)
    print("up", os.getpid(), flush=True)
    os.execve(program, [program, "-S", "-c", "import time; time.sleep(600)"], {"PYTHONHOME": prefix})
"""
Seen = Callable[[Host], Snapshot]


@pytest.fixture
def made() -> Iterator[Host]:
    with host() as one:
        yield one


def told(snapshot: Snapshot, rule: str) -> list[str]:
    """What a rule says of the host's own stack: outcome, severity where it failed, and message."""
    return [f"{one.outcome} {one.severity}: {one.message}" if one.outcome == "fail" else one.outcome for one in judged(snapshot, "", rule)]


def inside(made: Host, path: str) -> Path:
    """A path of the made host, from here."""
    return Path(f"/proc/{made.pid}/root{path}")


@BOTH_WAYS
def test_a_program_that_every_user_may_write_is_found_and_a_well_kept_one_is_not(made: Host, seen: Seen) -> None:
    path = made.program("server")
    made.start(listener("tcp", "127.0.0.1", 9020), run=[path], user=WEB)
    assert told(seen(made), "executable-writable-by-others") == ["pass"]
    inside(made, path).chmod(0o777)
    (finding,) = judged(seen(made), "", "executable-writable-by-others")
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "high", path)
    assert finding.message == f"every user may change {path}, which user web runs"
    assert finding.observed == f"{AT}: {path} is mode 0777, owner 0, group 0"


@BOTH_WAYS
def test_a_program_in_a_folder_of_another_user_is_found_and_one_that_is_its_own_users_is_not(made: Host, seen: Seen) -> None:
    folder = inside(made, f"{made.stage}/theirs")
    folder.mkdir()
    path = made.program("theirs/server")
    os.chown(inside(made, path), WEB, WEB)
    os.chown(folder, WEB, WEB)
    first = made.start(listener("tcp", "127.0.0.1", 9020), run=[path], user=WEB)
    assert told(seen(made), "executable-writable-by-others") == ["pass"]
    first.stop()
    made.start(listener("tcp", "127.0.0.1", 9020), run=[path])
    (finding,) = judged(seen(made), "", "executable-writable-by-others")
    assert finding.message == f"user {WEB} may change {path}, which user root runs"
    assert (
        finding.observed
        == f"{AT}: {path} is mode 0755, owner {WEB}, group {WEB}, {made.stage}/theirs is mode 0755, owner {WEB}, group {WEB}"
    )


def let_write(path: Path) -> None:
    """Give a user the right to write by an access control list."""
    if shutil.which("setfacl") is None:
        pytest.skip("setfacl is not installed")
    done = subprocess.run(["setfacl", "-m", "u:4242:rwx", path], capture_output=True, text=True, check=False)
    if "Operation not supported" in done.stderr:
        pytest.skip("the file system of the made host keeps no access control lists")
    assert done.returncode == 0, done.stderr


@BOTH_WAYS
@pytest.mark.parametrize("what", ["server", ""], ids=["file", "folder"])
def test_who_may_write_by_an_access_control_list_is_unknown(made: Host, seen: Seen, what: str) -> None:
    inside(made, f"{made.stage}/listed").mkdir(mode=0o755)
    path = made.program("listed/server")
    made.start(listener("tcp", "127.0.0.1", 9020), run=[path], user=WEB)
    assert told(seen(made), "executable-writable-by-others") == ["pass"]
    target = inside(made, f"{made.stage}/listed/{what}")
    let_write(target)
    assert target.stat().st_mode & 0o777 == 0o775
    snapshot = seen(made)
    (owner,) = sockets(snapshot)[AT].owners
    assert owner.executable_file is not None
    folder = owner.executable_file.folders[0]
    assert (owner.executable_file.access_list, folder.path, folder.access_list) == (what != "", os.path.dirname(path), what == "")
    assert told(snapshot, "executable-writable-by-others") == ["unknown"]
    target.chmod(0o755)  # of what has such a list this takes the right from its mask
    assert told(seen(made), "executable-writable-by-others") == ["pass"]


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENODATA, b"0775:0:0"), (errno.ENOTSUP, b"0775:0:0"), (errno.EPERM, b"0775?:0:0"), (errno.EACCES, b"0775?:0:0"),
        (errno.ENOSYS, b"0775?:0:0"), (errno.ENOENT, b"0775?:0:0"),
    ],
)  # fmt: skip
def test_what_could_not_be_asked_about_an_access_control_list_is_said(monkeypatch: pytest.MonkeyPatch, number: int, says: bytes) -> None:
    def refused(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "getxattr", refused)
    monkeypatch.setattr(os, "stat", lambda _: os.stat_result((0o100775, 2, 3, 1, 0, 0, 0, 0, 0, 0)))
    assert executables.look("/proc/self")[1] == says


@BOTH_WAYS
@pytest.mark.parametrize("at_path", ["another", "none", "folder"])
def test_what_is_at_the_path_of_a_deleted_program_says_how_grave_it_is(made: Host, seen: Seen, at_path: str) -> None:
    path = made.program("server")
    made.start(listener("tcp", "127.0.0.1", 9020), run=[path])
    assert told(seen(made), "executable-deleted") == ["pass"]
    inside(made, path).unlink()
    if at_path == "another":
        made.program("server")
    elif at_path == "folder":
        inside(made, path).mkdir()
    says = "low: {} was upgraded and not restarted: another file is at its path"
    if at_path != "another":
        says = "medium: {} was deleted, and nothing is at its path"
    assert told(seen(made), "executable-deleted") == [f"fail {says.format(path)}"]


@BOTH_WAYS
def test_a_program_whose_name_has_the_mark_of_a_deleted_one_was_not_deleted(made: Host, seen: Seen) -> None:
    path = made.program("server (deleted)")
    made.start(listener("tcp", "127.0.0.1", 9020), run=[path])
    (owner,) = sockets(seen(made))[AT].owners
    assert (owner.executable, owner.executable_file and owner.executable_file.at_path) == (path, "itself")
    assert told(seen(made), "executable-deleted") == ["pass"]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("owner", "says"), [(100000, ["pass"]), (100007, ["fail high: user 100007 may change {}, which user 100033 runs"])]
)
def test_a_file_that_is_the_containers_own_roots_is_roots(made: Host, seen: Seen, owner: int, says: list[str]) -> None:
    path = made.program("contained")
    os.chown(inside(made, path), owner, owner)
    prefix = sys.base_prefix if sys.base_prefix == "/usr" else f"{made.stage}/python"
    with made.running(made.interpreter, "-S", "-c", CONTAINED, path, prefix) as contained:
        if not contained.said.startswith("up "):
            pytest.skip("user namespaces are refused here")
        snapshot = seen(made)
    (holder,) = sockets(snapshot)[AT].owners
    assert (holder.uid, holder.root and (holder.root.uid, holder.root.gid)) == (100033, (100000, 100000))
    assert holder.executable == path + FORGEABLE
    assert told(snapshot, "executable-writable-by-others") == [one.format(path + FORGEABLE) for one in says]
