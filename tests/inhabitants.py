"""What runs inside a host that tests make (tests/hosts.py): its process 1, and the processes that hold sockets there.

Run as a program it takes orders, a line of JSON each, on stdin, and answers each with a line of JSON. The host ends with its stdin.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import platform
import shutil
import signal
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_FILES, CLONE_NEWNET = 0x400, 0x40000000
CONTAINED = 0x20000 | 0x4000000 | 0x8000000 | 0x20000000 | CLONE_NEWNET
"""CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID and the network's: what a container runtime unshares."""
MS_BIND, MNT_DETACH = 4096, 2
PR_SET_NAME, PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 15, 1, 22, 38
TRANSPORTS = {
    "tcp": (socket.SOCK_STREAM, 0),
    "udp": (socket.SOCK_DGRAM, 0),
    "udplite": (socket.SOCK_DGRAM, 136),
    "mptcp": (socket.SOCK_STREAM, 262),
}
MACHINES = {"x86_64": (0xC000003E, 41, 60, 312), "aarch64": (0xC00000B7, 198, 93, 272)}
"""AUDIT_ARCH, and the numbers of the system calls socket, exit and kcmp."""
EMPTY_FOLDERS = (
    "/run", "/var/lib", "/var/log", "/var/cache", "/var/spool", "/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/lib/sysctl.d",
    "/usr/lib/systemd/system", "/lib/systemd/system", "/usr/local/lib/systemd/system",
)  # fmt: skip
"""What the made host does not share with the machine it is made on: anything may be there."""
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nweb:x:20001:20001::/:/bin/false\n"
OWN: list[str] = []
"""The folders that are this host's alone: only there anything is written."""
MACHINE_ID = "0123456789abcdef0123456789abcdef"


def called(result: int) -> int:
    """What a C function returned; OSError where it is -1."""
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def mount(source: str, target: str, kind: str, options: str = "", flags: int = 0) -> None:
    called(LIBC.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()))


def lay_over(folder: str, options: str = "mode=0755") -> None:
    """An empty file system over a folder, seen in this host only."""
    mount("tmpfs", folder, "tmpfs", options)
    OWN.append(folder + "/")


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING


def prepare(order: dict[str, Any]) -> dict[str, Any]:
    """Make this namespace a host of its own: /proc, loopback, a name, users, and none of the machine's own configuration."""
    seen_from_outside = os.readlink("/proc/self")
    with open("/proc/self/mountinfo") as mounts:
        for point in [line.split(" ")[4] for line in mounts if " - nsfs " in line]:
            LIBC.umount2(point.encode(), MNT_DETACH)
    mount("proc", "/proc", "proc")
    stage = order["stage"]
    lay_over(stage)
    for name, source in order["bind"].items():
        os.mkdir(f"{stage}/{name}")
        mount(source, f"{stage}/{name}", "", flags=MS_BIND)
    try:
        with open("/etc/ld.so.cache", "rb") as file:
            libraries = file.read()
    except FileNotFoundError:
        libraries = b""
    for folder in (*EMPTY_FOLDERS, "/etc"):
        if os.path.isdir(folder):
            lay_over(folder)
    for name, text in (("passwd", PASSWD.encode()), ("machine-id", f"{MACHINE_ID}\n".encode()), ("ld.so.cache", libraries)):
        with open(f"/etc/{name}", "wb") as new:
            new.write(text)
    for folder in ("/etc/sysctl.d", "/etc/systemd/system", "/run/sysctl.d", "/run/netns"):
        os.makedirs(folder)
    socket.sethostname("made-host")
    raise_loopback()
    return {"pid": int(seen_from_outside), "python": os.readlink("/proc/self/exe")}


def opened(want: dict[str, Any]) -> socket.socket:
    """A socket as ordered: protocol, address, port, and where given v6only, device, reuse, listen, scope."""
    kind, number = TRANSPORTS[want["protocol"]]
    six = ":" in want["address"]
    one = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind, number)
    if want.get("reuse"):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if "v6only" in want:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(want["v6only"]))
    if "device" in want:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, want["device"].encode())
    scope = socket.if_nametoindex(want["scope"]) if "scope" in want else 0
    one.bind((want["address"], want["port"], 0, scope) if six else (want["address"], want["port"]))
    if kind == socket.SOCK_STREAM and want.get("listen", True):
        one.listen(16)
    return one


def rest() -> None:
    while True:
        signal.pause()


class Starter:
    """A process that holds sockets, from its fork to its rest. What it reports is a line through a pipe, which exec closes."""

    def __init__(self, order: dict[str, Any], pipe: int) -> None:
        self.order = order
        self.pipe = pipe
        self.report: dict[str, Any] = {"pid": os.getpid(), "pids": [os.getpid()]}
        self.held: list[socket.socket] = []

    def run(self) -> None:
        order = self.order
        if order.get("cgroup"):
            with open(f"{order['cgroup']}/cgroup.procs", "w") as group:
                group.write("0")
        if "container" in order:
            self.contained(order["container"])
        if order.get("namespace"):
            called(LIBC.unshare(CLONE_NEWNET))
            raise_loopback()
        for name, value in order.get("sysctls", {}).items():
            write_sysctl(name, value)
        {"plain": self.plain, "own-table": self.thread_with_own_table, "own-namespace": self.thread_with_own_namespace,
         "own-table-and-child": self.thread_with_own_table_and_child, "zombie-leader": self.zombie_leader, "in-flight": self.in_flight,
         "passed": self.passed}[order.get("how", "plain")]()  # fmt: skip

    def contained(self, container: dict[str, Any]) -> None:
        """Go on as process 1 of namespaces of its own, with a folder of programs that nobody outside has."""
        called(LIBC.unshare(CONTAINED))
        reader, writer = os.pipe()
        if child := os.fork():
            os.write(writer, b"%d" % child)
            os._exit(0)
        self.report["pid"] = int(os.read(reader, 16))
        self.report["pids"] = [self.report["pid"]]
        mount("proc", "/proc", "proc")
        socket.sethostname(container["hostname"])
        lay_over("/srv")
        shutil.copy(container["program"], container["path"])
        raise_loopback()

    def open(self) -> None:
        self.held += [opened(want) for want in self.order.get("sockets", [])]
        self.report["ports"] = [one.getsockname()[1] for one in self.held]

    def drop(self, user: int | None) -> None:
        if user is not None:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)

    def named(self) -> None:
        if "name" in self.order:
            LIBC.prctl(PR_SET_NAME, bytes.fromhex(self.order["name"]), 0, 0, 0)

    def done(self) -> None:
        os.write(self.pipe, json.dumps(self.report).encode() + b"\n")

    def plain(self) -> None:
        """Opens, shares with as many more processes as ordered (each as its own user, where `users` says so), drops its rights."""
        user_first = self.order.get("user_first", False)
        if user_first:
            self.drop(self.order.get("user"))
        self.open()
        users = self.order.get("users", [self.order.get("user")])
        for user in users[1:]:
            child = os.fork()
            if not child:
                os.close(self.pipe)
                self.drop(user)
                self.named()
                rest()
            self.report["pids"].append(child)
        if not user_first:
            self.drop(users[0])
        self.named()
        self.done()
        if "run" in self.order:
            for one in self.held:
                os.set_inheritable(one.fileno(), True)
            os.execve(self.order["run"][0], self.order["run"][1], self.order["environment"])
        rest()

    def _thread(self, first: Callable[[], object], then: Callable[[], object] = lambda: None) -> None:
        failure: list[BaseException] = []
        ready = threading.Event()

        def work() -> None:
            try:
                first()
                self.report["tid"] = threading.get_native_id()
                self.open()
                then()
            except BaseException as error:
                failure.append(error)
            ready.set()
            while True:
                threading.Event().wait(3600)

        threading.Thread(target=work, daemon=True).start()
        ready.wait()
        if failure:
            raise failure[0]

    def thread_with_own_table(self) -> None:
        self._thread(lambda: called(LIBC.unshare(CLONE_FILES)))
        self.done()
        rest()

    def thread_with_own_table_and_child(self) -> None:
        """A child has a copy of the thread's table; the first thread's has nothing."""

        def share() -> None:
            child = os.fork()
            if not child:
                rest()
            self.report["pids"].append(child)

        self._thread(lambda: called(LIBC.unshare(CLONE_FILES)), share)
        self.done()
        rest()

    def thread_with_own_namespace(self) -> None:
        """Among as many more threads as ordered."""
        threading.stack_size(64 << 10)
        for _ in range(self.order.get("threads", 0)):
            threading.Thread(target=threading.Event().wait, daemon=True).start()

        def leave() -> None:
            called(LIBC.unshare(CLONE_NEWNET))
            raise_loopback()
            for name, value in self.order.get("thread_sysctls", {}).items():
                write_sysctl(name, value)

        self._thread(leave)
        self.done()
        rest()

    def zombie_leader(self) -> None:
        """The first thread ends; another one goes on and holds the listener."""
        self._thread(lambda: None)
        self.done()
        LIBC.syscall(MACHINES[platform.machine()][2], 0)

    def in_flight(self) -> None:
        """The descriptor lies in a Unix socket's queue; no process has it in its table."""
        self.open()
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        socket.send_fds(left, [b"x"], [one.fileno() for one in self.held])
        for one in self.held:
            one.close()
        self.done()
        self.held = [left, right]
        rest()

    def passed(self) -> None:
        """A second process is given the listener over a Unix socket; both keep it."""
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        child = os.fork()
        if not child:
            left.close()
            _, descriptors, _, _ = socket.recv_fds(right, 1, 4)
            right.send(b"%d" % len(descriptors))
            os.close(self.pipe)
            rest()
        self.open()
        socket.send_fds(left, [b"x"], [one.fileno() for one in self.held])
        left.recv(8)
        self.report["pids"].append(child)
        self.done()
        rest()


def write_sysctl(name: str, value: str) -> None:
    with open("/proc/sys/" + name.replace(".", "/"), "w") as file:
        file.write(value)


def start(order: dict[str, Any]) -> dict[str, Any]:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            if "log" in order:
                log = os.open(own(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                os.dup2(log, 1)
                os.dup2(log, 2)
            Starter(order, writer).run()
        except BaseException as error:
            os.write(writer, json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.readline()
        if "run" in order:
            pipe.read()
    return json.loads(said or b'{"failed": "it ended without a word"}')


def stop(order: dict[str, Any]) -> dict[str, Any]:
    for pid in order["pids"]:  # the first one is the parent of the others, which are ours when it is gone
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return {}


def end(order: dict[str, Any]) -> dict[str, Any]:
    """Ask a child to end, with all that it started, and wait until it has."""
    os.kill(order["pid"], order["signal"])
    until = time.monotonic() + order["patience"]
    while not os.waitpid(order["pid"], os.WNOHANG)[0]:
        if time.monotonic() > until:
            raise TimeoutError(f"process {order['pid']} does not end")
        time.sleep(0.01)
    return {}


def hold(order: dict[str, Any]) -> dict[str, Any]:
    """Sockets that process 1 itself holds, as systemd does for its socket units."""
    for want in order["sockets"]:
        HELD.append(opened(want))
    return {}


def storm(order: dict[str, Any]) -> dict[str, Any]:
    """Processes that come and go: each opens a listener, calls itself after the port, and ends, after one to sixteen times `each`."""
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        while True:
            if not os.fork():
                one = opened({"protocol": "tcp", "address": "127.0.0.1", "port": 0})
                port = one.getsockname()[1]
                LIBC.prctl(PR_SET_NAME, b"port%d" % port, 0, 0, 0)
                time.sleep(order["each"] * (1 + port % 16))
                os._exit(0)
            time.sleep(order["every"])
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    return {"pid": child}


def own(path: str) -> str:
    """The path, if writing there leaves the machine as it is."""
    if not path.startswith(tuple(OWN)):
        raise PermissionError(f"{path} is the machine's own")
    return path


def write(order: dict[str, Any]) -> dict[str, Any]:
    """A file or a symbolic link of this host."""
    path = own(order["path"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if "link" in order:
        os.symlink(order["link"], path)
    else:
        with open(path, "wb") as file:
            file.write(bytes.fromhex(order["content"]))
        os.chmod(path, order["mode"])
    return {}


def own_namespace_mounted(order: dict[str, Any]) -> dict[str, Any]:
    """A network namespace that a mount keeps, as `ip netns add` makes them; no process is in it."""
    point = f"/run/netns/{order['name']}"
    open(point, "w").close()
    child = os.fork()
    if not child:
        status = 1
        try:
            called(LIBC.unshare(CLONE_NEWNET))
            raise_loopback()
            for name, value in order["sysctls"].items():
                write_sysctl(name, value)
            mount("/proc/self/ns/net", point, "", flags=MS_BIND)
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the namespace could not be made")
    return {}


def mounted(order: dict[str, Any]) -> dict[str, Any]:
    os.makedirs(own(order["path"]), exist_ok=True)
    lay_over(order["path"], order["options"])
    return {}


def device(order: dict[str, Any]) -> dict[str, Any]:
    os.mknod(own(order["path"]), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    return {}


HELD: list[socket.socket] = []
ORDERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "prepare": prepare, "start": start, "stop": stop, "end": end, "hold": hold, "storm": storm, "write": write, "mount": mounted,
    "null device": device, "mounted namespace": own_namespace_mounted,
}  # fmt: skip


def without_netlink(argv: list[str]) -> None:
    """Become `argv`, to which the kernel refuses sockets of the family AF_NETLINK, as some container runtimes' seccomp filters do."""
    architecture, socket_call, _, _ = MACHINES[platform.machine()]
    become_without([
        (LOAD, 0, 0, 4), (EQUAL, 0, 5, architecture),
        (LOAD, 0, 0, 0), (EQUAL, 0, 3, socket_call),
        (LOAD, 0, 0, 16), (EQUAL, 0, 1, socket.AF_NETLINK),
    ], argv)  # fmt: skip


def without_kcmp(argv: list[str]) -> None:
    """Become `argv`, to which the kernel does not tell what two threads share."""
    architecture, _, _, kcmp = MACHINES[platform.machine()]
    become_without([(LOAD, 0, 0, 4), (EQUAL, 0, 3, architecture), (LOAD, 0, 0, 0), (EQUAL, 0, 1, kcmp)], argv)


LOAD, EQUAL, GIVE = 0x20, 0x15, 0x06
"""Instructions of a seccomp filter."""


def become_without(program: list[tuple[int, int, int, int]], argv: list[str]) -> None:
    """Become `argv`, refused what `program` finds equal."""
    allow, refuse = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM
    program = [*program, (GIVE, 0, 0, refuse), (GIVE, 0, 0, allow)]
    code = b"".join(struct.pack("=HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    filtering = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(buffer)))
    called(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    called(LIBC.prctl(PR_SET_SECCOMP, 2, ctypes.byref(filtering), 0, 0))
    os.execv(argv[0], argv)


def main() -> None:
    if sys.argv[1:2] == ["without-netlink"]:
        without_netlink(sys.argv[2:])
    if sys.argv[1:2] == ["without-kcmp"]:
        without_kcmp(sys.argv[2:])
    for line in sys.stdin:
        order = json.loads(line)
        try:
            said = ORDERS[order["do"]](order)
        except Exception as error:
            said = {"failed": f"{order['do']}: {type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
