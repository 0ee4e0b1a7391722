"""Collecting while the host does not hold still, the disk is full, or somebody presses Ctrl-C; and a second opinion by ss."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.hosts import NEEDED, ROOT, as_if_initial, host, interpreted, listener, stack

pytestmark = NEEDED
LOADED = ("127.1.", "127.0.0.1", "[::1]")
"""The addresses of the load. Elsewhere ss can be wrong: it prints what a process calls itself, `a",pid=1` included."""
LOAD = ROOT.parent / "shared" / "bench" / "load.py"


def test_a_storm_of_processes_gives_no_traceback_and_no_wrong_owner() -> None:
    with host() as made:
        made.order("storm", each=0.02, every=0.002)
        named = 0
        for turn in range(40):
            if named and turn >= 5:
                break
            for one in stack(interpreted(as_if_initial(made.collect()))).listening.seen:
                for owner in one.shown.get("owners_seen", []):
                    if match := re.fullmatch(r"port(\d+)", owner.shown.get("process", "")):
                        assert int(match[1]) == one.port
                        named += 1
    assert named, "the storm was never caught in the act"


def test_a_full_file_system_exits_74_and_keeps_what_was_there() -> None:
    with host() as made:
        made.order("mount", path="/run/small", options="size=64k,mode=0755")
        made.write("/run/small/h.evidence", "old")
        made.run("sh", "-c", "head -c 60000 /dev/zero > /run/small/filler; true")
        done = made.auditor("collect", "-o", "/run/small/h.evidence")
        assert done.code == 74, done.err
        assert "what to do" in done.err
        assert made.run("ls", "-A", "/run/small").out.split() == [b"filler", b"h.evidence"]
        assert made.run("cat", "/run/small/h.evidence").out == b"old"


def test_a_device_is_written_to_and_stays_a_device() -> None:
    with host() as made:
        made.order("null device", path="/run/null")
        assert made.auditor("collect", "-o", "/run/null").code in (0, 3)
        assert made.run("test", "-c", "/run/null").code == 0


INTERRUPTED = (130, "port-auditor: interrupted\n")
HALF = """
import sys, time
from auditor import collect
from auditor.cli import main
whole = collect.bundle
def half(*given, **more):
    for number, piece in enumerate(whole(*given, **more)):
        yield piece
        if number == 5:
            print("half", flush=True)
            time.sleep(60)
collect.bundle = half
sys.exit(main(sys.argv[1:]))
"""


def collecting(path: Path, *program: str) -> subprocess.Popen[str]:
    """A collect into a file, in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(
        [sys.executable, *program, "collect", "-o", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_a_collect_interrupted_while_its_file_is_half_written_exits_130_and_leaves_nothing(tmp_path: Path) -> None:
    with collecting(tmp_path / "h.evidence", "-c", HALF) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        half_written = list(tmp_path.iterdir())
        os.killpg(child.pid, signal.SIGINT)
        _, complaint = child.communicate(timeout=30)
    assert said == "half\n"
    assert len(half_written) == 1
    assert (child.returncode, complaint) == INTERRUPTED
    assert list(tmp_path.iterdir()) == []


def test_a_collect_interrupted_at_any_moment_leaves_a_whole_file_or_none(tmp_path: Path) -> None:
    """Its children, which look through the processes, are interrupted with it."""
    for _ in range(5):
        with collecting(tmp_path / "h.evidence", "-m", "auditor") as child:
            while child.poll() is None and not list(tmp_path.iterdir()):
                time.sleep(0.0005)
            os.killpg(child.pid, signal.SIGINT)
            _, complaint = child.communicate(timeout=30)
        if child.returncode not in (0, 3):
            assert (child.returncode, complaint) == INTERRUPTED
            assert list(tmp_path.iterdir()) == []
        (tmp_path / "h.evidence").unlink(missing_ok=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 3])
def test_a_collect_that_a_scheduler_ends_dies_by_the_signal_and_leaves_nothing(tmp_path: Path, number: signal.Signals, times: int) -> None:
    with collecting(tmp_path / "h.evidence", "-c", HALF) as child:
        assert child.stdout is not None
        child.stdout.readline()
        half_written = list(tmp_path.iterdir())
        for _ in range(times):
            os.killpg(child.pid, number)
        _, complaint = child.communicate(timeout=30)
    assert len(half_written) == 1
    assert (child.returncode, complaint) == (-number, f"port-auditor: ended by signal {number:d}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_collect_that_is_ended_at_any_moment_leaves_a_whole_file_or_none_and_no_child(tmp_path: Path) -> None:
    """The signal goes to the first process only."""
    for _ in range(5):
        with collecting(tmp_path / "h.evidence", "-m", "auditor") as child:
            while child.poll() is None and not list(tmp_path.iterdir()):
                time.sleep(0.0005)
            child.terminate()
            child.communicate(timeout=30)
        if child.returncode not in (0, 3):
            assert child.returncode == -signal.SIGTERM
            assert list(tmp_path.iterdir()) == []
            assert soon(partial(gone, child.pid))
        (tmp_path / "h.evidence").unlink(missing_ok=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_a_program_that_was_started_for_a_bind_test_ends_with_it() -> None:
    """It has a process group of its own, and may not end by itself."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    python = folder / "python-that-hangs"
    python.write_text("#!/bin/sh\nwhile :; do sleep 0.1; done\n")
    python.chmod(0o755)
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "auditor", "bind-test", "--python", str(python)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        ) as child:  # fmt: skip
            assert soon(lambda: hanging(python))
            child.terminate()
            child.communicate(timeout=30)
        assert child.returncode == -signal.SIGTERM
        assert soon(lambda: not hanging(python))
    finally:
        for pid in hanging(python):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder)


def hanging(program: Path) -> list[int]:
    """The processes that run a script."""
    words = f"/bin/sh\0{program}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [int(path.parent.name)] if path.read_bytes().startswith(words) else []
    return found


def soon(true: Callable[[], object]) -> bool:
    """Whether it gets true within five seconds."""
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return bool(true())


def gone(group: int) -> bool:
    """Whether there is no process in the group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_terminal_that_is_gone_ends_no_run_that_was_started_to_outlive_it(tmp_path: Path) -> None:
    program = f"import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n{HALF.replace('60', '1')}"
    with collecting(tmp_path / "h.evidence", "-c", program) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGHUP)
        child.communicate(timeout=30)
    assert child.returncode in (0, 3)
    assert (tmp_path / "h.evidence").exists()


FORKING = """
import os, sys, time
from auditor import cli
def run(arguments):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, b"ready")
            time.sleep(60)
        finally:
            os._exit(77)
    os.read(reader, 5)
    os.kill(child, 15)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) + 100
cli._run = run
sys.exit(cli.main([]))
"""


def test_a_forked_child_dies_by_a_signal_as_if_nobody_heeded_it() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (100 - signal.SIGTERM, "")


@pytest.mark.skipif(not LOAD.exists(), reason="the load maker of the house is not beside this checkout")
@pytest.mark.parametrize("profile", ["tiny", "small"])
def test_protocol_address_port_and_pid_are_those_of_ss(profile: str) -> None:
    """ss of the same moment, of the whole machine; where it has no owner (it may not look, or there is none) neither have we."""
    load = subprocess.Popen([sys.executable, str(LOAD), "--profile", profile, "--hold", "60"], stdout=subprocess.PIPE, text=True)
    try:
        assert load.stdout is not None
        assert load.stdout.readline().startswith("READY")
        listed = subprocess.run(["ss", "-H", "-tulnp"], capture_output=True, text=True, check=True).stdout
        bundle = subprocess.run(
            [sys.executable, "-m", "auditor", "collect"],
            capture_output=True,
            check=False,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        ).stdout
    finally:
        load.send_signal(signal.SIGTERM)
        load.wait(60)
        assert load.stdout is not None
        load.stdout.close()
    theirs = set()
    for line in listed.splitlines():
        protocol, _, _, _, local, *_ = line.split()
        address, _, port = local.rpartition(":")
        if not address.startswith(LOADED):
            continue
        for pid in re.findall(r"pid=(\d+)", line) or ["none"]:
            theirs.add((protocol, address.strip("[]"), int(port), pid))
    ours = set()
    for one in stack(interpreted(bundle)).listening.seen:
        if one.state == "bound" or (not f"[{one.address}]".startswith(LOADED) and not one.address.startswith(LOADED)):
            continue  # ss -l does not list what is bound only
        address = "*" if one.address == "::" and one.shown.get("v6only") is False else one.address
        for pid in [str(owner.pid) for owner in one.shown.get("owners_seen", [])] or ["none"]:
            ours.add((one.protocol, address, one.port, pid))
    assert len(ours) > 10
    assert ours == theirs


def test_the_collector_opens_no_network_connection_and_writes_no_file() -> None:
    tracer = subprocess.run(["sh", "-c", "command -v strace"], capture_output=True, text=True, check=False).stdout.strip()
    if not tracer:
        pytest.skip("strace is not installed")
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 8080))
        done = subprocess.run(
            [tracer, "-f", "-qq", "-e", "trace=connect,bind,sendto,openat,open,creat,unlink,rename,mkdir", "--",
             *made.argv(made.interpreter, "-m", "auditor", "collect")],
            capture_output=True, text=True, errors="replace", check=False, env=made.environment, timeout=120,
        )  # fmt: skip
    calls = done.stderr.splitlines()
    assert not [call for call in calls if "AF_INET" in call and ("connect(" in call or "sendto(" in call or "bind(" in call)]
    assert not [
        call for call in calls if re.search(r"O_WRONLY|O_RDWR|O_CREAT|creat\(|unlink|rename|mkdir", call) and "/dev/null" not in call
    ]
