"""A program is never taken for the one at its path, however it came to that path: live and by the shell script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auditor.model import Snapshot
from tests.hosts import NEEDED, NOBODY, Host, host, listener, sockets
from tests.live.test_script import snapshot as by_script

pytestmark = NEEDED
FORGER = """
import os, subprocess, sys
source, target, path, gone, prefix, opens = sys.argv[1:]
lay_over = 'mount --bind "$1" "$2" && echo up && exec sleep 600'
there = subprocess.Popen(["unshare", "-Urm", "sh", "-c", lay_over, "-", source, target], stdout=subprocess.PIPE)
if there.stdout.readline() == b"up\\n":
    os.execve(f"/proc/{there.pid}/root{path}", [path, "-S", "-c", opens, str(there.pid), gone], {"PYTHONHOME": prefix})
"""
OPENS = """
import os, socket, sys, time
if sys.argv[2]:
    os.unlink(sys.argv[2])
one = socket.socket()
one.bind(("127.0.0.1", 9018))
one.listen()
print("up", os.getpid(), sys.argv[1], flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    with host() as one:
        yield one


@contextmanager
def forged(made: Host, source: str, target: str, path: str, gone: str = "") -> Iterator[None]:
    """An ordinary user lays `source` over `target` in a mount namespace of its own, and runs what is at `path` there from the host's."""
    prefix = sys.base_prefix if sys.base_prefix == "/usr" else f"{made.stage}/python"
    words = (made.interpreter, "-S", "-c", FORGER, source, target, path, gone, prefix, OPENS)
    with made.running(*words, user=NOBODY) as forger:
        if not forger.said.startswith("up "):
            pytest.skip(f"an ordinary user may make no mount namespace here: {forger.complaint()}")
        yield


def seen(made: Host) -> set[str | None]:
    """What both ways of looking call the program."""
    both: tuple[Snapshot, Snapshot] = (made.snapshot(), by_script(made))
    return {owner.executable for one in both for owner in sockets(one)["tcp/127.0.0.1:9018"].shown["owners_seen"]}


@pytest.fixture
def theirs(made: Host) -> str:
    """A folder of the ordinary user."""
    folder = Path(f"/proc/{made.pid}/root{made.stage}/theirs")
    folder.mkdir(exist_ok=True)
    os.chown(folder, NOBODY, NOBODY)
    return f"{made.stage}/theirs"


@pytest.mark.parametrize("deleted", [False, True])
def test_a_program_run_from_the_host_out_of_anothers_mount_namespace_is_not_taken_for_the_one_at_its_path(
    made: Host, theirs: str, deleted: bool
) -> None:
    approved, rogue = made.program("approved"), made.program("theirs/rogue")
    with forged(made, rogue, approved, approved, rogue if deleted else ""):
        assert seen(made) == {f"{approved}{' (deleted)' * deleted} (in another mount namespace)"}


def test_a_program_deleted_from_a_folder_laid_over_an_approved_one_is_not_taken_for_a_replaced_package(made: Host, theirs: str) -> None:
    """Both folders are on one file system, and the process is in the host's mount namespace."""
    folder = Path(f"/proc/{made.pid}/root{made.stage}/programs")
    folder.mkdir()
    approved, rogue = made.program("programs/server"), made.program("theirs/server")
    with forged(made, theirs, os.path.dirname(approved), approved, rogue):
        assert seen(made) == {f"{approved} (deleted) (in another mount namespace)"}


def test_a_program_that_had_the_kernel_call_it_by_another_path_is_not_taken_for_what_is_there(made: Host, theirs: str) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler (cc)")
    forger, approved = f"{theirs}/forger", made.program("approved-by-path")
    source = Path(__file__).with_name("forger.c")
    subprocess.run([compiler, "-w", "-o", f"/proc/{made.pid}/root{forger}", source], check=True)
    with made.running(forger, approved, "9018", user=NOBODY) as forged:
        up, *pid = forged.said.split() or [""]
        if up != "up":
            pytest.skip(f"an ordinary user may not do that here: {forged.complaint()}")
        called = os.readlink(f"/proc/{made.outside(int(pid[0]))}/exe")
        found = seen(made)
    assert (os.path.basename(called), found) == ("approved-by-path", {f"{approved} (in another user namespace)"})


@pytest.mark.parametrize("folder_too", [False, True])
def test_a_program_whose_package_was_replaced_or_removed_keeps_its_path(made: Host, folder_too: bool) -> None:
    folder = Path(f"/proc/{made.pid}/root{made.stage}/package{folder_too}")
    folder.mkdir()
    path = made.program(f"{folder.name}/server")
    process = made.start(listener("tcp", "127.0.0.1", 9018), run=[path])
    (folder / "server").unlink()
    if folder_too:
        folder.rmdir()
    else:
        made.program(f"{folder.name}/server")
    found = seen(made)
    process.stop()
    assert found == {f"{path} (deleted)"}


def test_a_program_that_has_no_file_says_so(made: Host) -> None:
    opens = OPENS.replace("sys.argv[2]", "''").replace("sys.argv[1]", "0")
    runs = (
        "import os, sys\nwith open(sys.executable, 'rb') as file: text = file.read()\nmade = os.memfd_create('../usr/sbin/sshd')\n"
        "os.write(made, text)\nos.execve(made, ['x', '-S', '-c', sys.argv[1]], {'PYTHONHOME': sys.argv[2]})"
    )
    prefix = sys.base_prefix if sys.base_prefix == "/usr" else f"{made.stage}/python"
    with made.running(made.interpreter, "-S", "-c", runs, opens, prefix) as nameless:
        found = seen(made)
    assert nameless.said.startswith("up ")
    assert found == {"/memfd:../usr/sbin/sshd (deleted)"}
