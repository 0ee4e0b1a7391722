"""Hosts that tests make: a world of processes, network, host name, /etc and /run of its own, with a process 1 that takes orders.

Made with namespaces and gone with their process 1, which ends when this process lets go of its stdin, however that comes about.
Such a host is needed because on the machine itself even root may not see every process (one with more capabilities, say).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Snapshot, Socket, Stack
from auditor.sources import from_bytes
from auditor.tables import Tables

ROOT = Path(__file__).resolve().parent.parent
NOBODY, WEB = 65534, 20001
"""Users of a made host, beside root."""
INITIAL_PID_NAMESPACE = b"4026531836"
UNSHARE = ("unshare", "--pid", "--fork", "--net", "--mount", "--uts", "--ipc")
TOOLS = ("ip", "nsenter", "setpriv", "unshare")
_PROGRAM = Path(__file__).resolve().parent / "inhabitants.py"
_numbers = itertools.count(1)


def why_not() -> str | None:
    """Why no host can be made here, or None."""
    if sys.platform != "linux":
        return "hosts are made of Linux namespaces"
    if os.geteuid():
        return "making network and PID namespaces needs root"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"needs {', '.join(missing)} (packages iproute2, util-linux)"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return f"namespaces are refused here: {tried.stderr.strip()}" if tried.returncode else None


NEEDED = pytest.mark.skipif(bool(_why := why_not()), reason=f"makes hosts: {_why}")
"""For tests that make hosts."""


class Process:
    """A process of a made host, as it reported itself: ids as they are inside, the ports of its sockets in their order."""

    def __init__(self, host: Host, report: dict[str, Any]) -> None:
        self.host = host
        self.pid: int = report["pid"]
        self.pids: list[int] = report["pids"]
        self.ports: list[int] = report.get("ports", [])

    @property
    def port(self) -> int:
        (port,) = self.ports
        return port

    @property
    def outside(self) -> int:
        """Its id on the machine."""
        return self.host.outside(self.pid)

    def stop(self) -> None:
        self.host.started.remove(self)
        self.host.order("stop", pids=self.pids)


class Done:
    """What a command inside a host gave."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode("utf-8", "backslashreplace")


class Running:
    """A command that goes on inside a host; `said` is the first line that it gave."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        self._child = child
        self.said = child.stdout.readline().rstrip("\n")

    def complaint(self) -> str:
        """What one that has ended said of it."""
        assert self._child.stderr is not None
        return self._child.stderr.read().strip()


class Host:
    """`pid` is its process 1 as the machine numbers it, `stage` a folder of its own that everybody may read, `python` the executable
    of every process that `start` makes, `group` its control group (None where none can be made), `started` what `start` made and nobody
    stopped yet."""

    def __init__(self, stage: str, agent: subprocess.Popen[str]) -> None:
        self.stage = stage
        self.group: str | None = None
        self.started: list[Process] = []
        self._agent = agent
        self._groups: list[str] = []
        bind = {"checkout": str(ROOT), "packages": sysconfig.get_path("purelib")}
        if sys.base_prefix != "/usr":
            bind["python"] = sys.base_prefix
        said = self.order("prepare", stage=stage, bind=bind)
        self.pid: int = said["pid"]
        self.python: str = said["python"]
        binary = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        self.interpreter = binary if sys.base_prefix == "/usr" else f"{stage}/python/bin/{os.path.basename(binary)}"
        if (root := cgroup_root()) is not None:
            self.group = self.make_group(f"{root}/port-auditor-test-{os.getpid()}-{next(_numbers)}.slice")
            if self.group:
                Path(self.group, "cgroup.procs").write_text(str(self.pid))

    def order(self, what: str, **more: Any) -> dict[str, Any]:
        """Have process 1 do something; what it answers."""
        assert self._agent.stdin is not None
        assert self._agent.stdout is not None
        self._agent.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._agent.stdin.flush()
        said: dict[str, Any] = json.loads(self._agent.stdout.readline() or '{"failed": "process 1 of the made host is gone"}')
        if "failed" in said:
            raise RuntimeError(said["failed"])
        return said

    def start(
        self,
        *sockets: Mapping[str, Any],
        name: bytes | None = None,
        group: str | None = None,
        run: Sequence[str] | None = None,
        **more: Any,
    ) -> Process:
        """A process that holds `sockets` (see `listener`). `name` is what it calls itself, `group` the path of a control group below
        the host's own, `run` what it becomes: an executable made by `program`, and its arguments. More: user, users, user_first, how,
        namespace, sysctls, thread_sysctls (inhabitants.py tells)."""
        order: dict[str, Any] = {"sockets": list(sockets), **more}
        if name is not None:
            order["name"] = name.hex()
        if group is not None:
            if self.group is None:
                pytest.skip("needs a control group (cgroup2) that can be written")
            order["cgroup"] = self.make_group(f"{self.group}/{group}")
        if run is not None:
            order["run"] = [run[0], [run[0], "-S", "-c", "import signal\nwhile True: signal.pause()", *run[1:]]]
            order["environment"] = {"PYTHONHOME": sys.base_prefix if sys.base_prefix == "/usr" else f"{self.stage}/python"}
        self.started.append(Process(self, self.order("start", **order)))
        return self.started[-1]

    def program(self, name: str) -> str:
        """An executable of its own, at a path of its own (in `stage`, or `name` itself where that is a path): a copy of the interpreter."""
        path = os.path.join(self.stage, name)
        inside = Path(f"/proc/{self.pid}/root{path}")
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.python, inside)
        return path

    def make_group(self, path: str) -> str | None:
        try:
            for made in [*reversed(Path(path).parents), Path(path)]:
                if not made.exists():
                    made.mkdir()
                    self._groups.append(str(made))
        except OSError:
            return None
        return path

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """A file inside; only in what is this host's alone."""
        self.order("write", path=path, content=(content.encode() if isinstance(content, str) else content).hex(), mode=mode)

    def link(self, path: str, target: str) -> None:
        self.order("write", path=path, link=target)

    def sysctl(self, name: str, value: str) -> None:
        """Set a setting of its network namespace."""
        self.run("sh", "-c", 'printf %s "$2" > "/proc/sys/$1"', "-", name.replace(".", "/"), value, check=True)

    def ip(self, *words: str) -> None:
        self.run("ip", *words, check=True)

    def outside(self, pid: int) -> int:
        """The machine's number of a process inside."""
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if os.stat(f"/proc/{entry}/ns/pid_for_children").st_ino != os.stat(f"/proc/{self.pid}/ns/pid_for_children").st_ino:
                        continue
                    lines = Path(f"/proc/{entry}/status").read_text(errors="replace").split("\n")
                except OSError:
                    continue
                if any(line.startswith("NSpid:") and line.split()[-1] == str(pid) for line in lines):
                    return int(entry)
        raise LookupError(pid)

    def argv(self, *words: str, user: int | None = None) -> list[str]:
        """A command line that runs `words` inside."""
        entering = ["nsenter", f"--target={self.pid}", "--pid", "--net", "--mount", "--uts", "--"]
        dropping = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"] if user else []
        return [*entering, *dropping, *words]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{self.stage}/checkout:{self.stage}/packages",
        }  # fmt: skip

    def run(self, *words: str, user: int | None = None, check: bool = False, timeout: float = 60) -> Done:
        """Run a command inside, from /."""
        done = subprocess.run(
            self.argv(*words, user=user), capture_output=True, check=False, timeout=timeout, env=self.environment, stdin=subprocess.DEVNULL
        )
        assert not check or not done.returncode, done.stderr.decode(errors="replace")
        return Done(done)

    @contextmanager
    def running(self, *words: str, user: int | None = None) -> Iterator[Running]:
        """A command inside, from / and after its first line; it is ended with all of its process group, whatever happens meanwhile: none of
        them is left when its output is at its end."""
        with subprocess.Popen(
            self.argv(*words, user=user), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment, start_new_session=True,
        ) as child:  # fmt: skip
            try:
                yield Running(child)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                with suppress(ValueError, subprocess.TimeoutExpired):  # ValueError: of a test that has read it to its end
                    child.communicate(timeout=3)

    def auditor(self, *words: str, user: int | None = None, prefix: Sequence[str] = ()) -> Done:
        """Run `python -m auditor` inside."""
        return self.run(*prefix, self.interpreter, "-m", "auditor", *words, user=user)

    def collect(self, *words: str, user: int | None = None, prefix: Sequence[str] = (), codes: tuple[int, ...] = (0, 3)) -> bytes:
        """The bundle of a run inside, which must end well."""
        done = self.auditor("collect", *words, user=user, prefix=prefix)
        assert done.code in codes, done.err
        assert "Traceback" not in done.err, done.err
        return done.out

    def snapshot(self, *, user: int | None = None) -> Snapshot:
        """What a run inside saw. As root it is taken for the whole host, see `as_if_initial`."""
        return interpreted(as_if_initial(self.collect(user=user)))

    def forget(self) -> None:
        for path in reversed(self._groups):
            for _ in range(100):
                try:
                    os.rmdir(path)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)


@contextmanager
def host() -> Iterator[Host]:
    """A made host; whatever happens, its processes, namespaces, mounts and control groups are gone afterwards."""
    stage = tempfile.mkdtemp(prefix="port-auditor-", dir="/tmp")
    command = [*UNSHARE, "--kill-child", "--", sys.executable, "-S", str(_PROGRAM)]
    agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
    made: Host | None = None
    try:
        made = Host(stage, agent)
        yield made
    finally:
        assert agent.stdin is not None
        assert agent.stdout is not None
        agent.stdin.close()
        try:
            agent.wait(10)
        except subprocess.TimeoutExpired:
            agent.kill()
            agent.wait()
        agent.stdout.close()
        if made is not None:
            made.forget()
        os.rmdir(stage)


def cgroup_root() -> str | None:
    """Where the unified hierarchy is mounted."""
    for line in Path("/proc/self/mountinfo").read_text().split("\n"):
        if " - cgroup2 " in line:
            return line.split(" ")[4]
    return None


def listener(protocol: str, address: str, port: int = 0, **more: Any) -> dict[str, Any]:
    """What `Host.start` is asked for. More: v6only, device, reuse, listen (False: bound only), scope."""
    return {"protocol": protocol, "address": address, "port": port, **more}


def interpreted(bundle: bytes) -> Snapshot:
    (source,) = from_bytes(bundle, "made host", Tables())
    return source.snapshot


def as_if_initial(bundle: bytes) -> bytes:
    """The bundle, with the number of the first PID namespace in place of the made host's.

    A collector inside any other PID namespace says that it may not see every process, and it is right: the machine outside has more.
    But nothing outside can hold a socket of a made host, whose network namespace was made with it and is known to nobody else. Within
    its own world it sees all that there is, as root of a machine does, so what is judged of such a bundle is what is judged there.
    """
    before, mark, after = bundle.partition(b"\n| pid_namespace\t")
    number, end, rest = after.partition(b"\n")
    assert mark
    assert number.isdigit()
    return before + mark + INITIAL_PID_NAMESPACE + end + rest


def stack(snapshot: Snapshot, name: str = "host") -> Stack:
    (found,) = [one for one in snapshot.stacks.seen if one.name == name]
    return found


def sockets(snapshot: Snapshot, name: str = "host") -> dict[str, Socket]:
    """The sockets of a stack by their subjects with numbers; two of one subject are an error here."""
    seen = stack(snapshot, name).listening.seen
    found = {one.numbered_subject: one for one in seen}
    assert len(found) == len(seen), sorted(one.numbered_subject for one in seen)
    return found


def owners(one: Socket) -> list[int]:
    """The ids of those who were seen to hold it."""
    return sorted(owner.pid for owner in one.shown.get("owners_seen", []))
