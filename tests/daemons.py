"""Daemons of Debian's packages, run for real on hosts that tests make.

Each has a configuration much as shipped, in folders of the host's own, runs in the foreground as a child of the host's process 1 in the
control group of its unit, and ends with the host.
"""

from __future__ import annotations

import glob
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import NEEDED, Host, Process, listener
from tests.inhabitants import PASSWD

WWW_DATA, POSTGRES, RPC, AVAHI, SSHD, LP, STATD = 33, 20101, 20102, 20103, 20104, 7, 20105
"""Users of a made host that has daemons, beside those of every made host."""
_ACCOUNTS = {"www-data": WWW_DATA, "postgres": POSTGRES, "_rpc": RPC, "avahi": AVAHI, "sshd": SSHD, "lp": LP, "statd": STATD}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PATIENCE = 60.0
_CART_ID = "7d0c" * 16

PROGRAMS = {
    "sshd": ("/usr/sbin/sshd", "openssh-server"),
    "nginx": ("/usr/sbin/nginx", "nginx-light"),
    "postgres": ("/usr/lib/postgresql/*/bin/postgres", "postgresql"),
    "rpcbind": ("/usr/sbin/rpcbind", "rpcbind"),
    "rpc.statd": ("/usr/sbin/rpc.statd", "nfs-common"),
    "avahi-daemon": ("/usr/sbin/avahi-daemon", "avahi-daemon"),
    "cupsd": ("/usr/sbin/cupsd", "cups-daemon"),
}
"""Where each program is, and the package that has it."""


def needed(*names: str) -> list[pytest.MarkDecorator]:
    """The marks of tests that run these daemons on made hosts."""
    missing = [f"{PROGRAMS[name][0]} (package {PROGRAMS[name][1]})" for name in names if not glob.glob(PROGRAMS[name][0])]
    return [NEEDED, pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")]


def program(name: str) -> str:
    """The path of a daemon's executable."""
    return sorted(glob.glob(PROGRAMS[name][0]))[-1]


def furnish(made: Host) -> None:
    """What daemons look for in /etc: accounts, names of this host, of services and of transports."""
    made.write("/etc/passwd", PASSWD + "".join(f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in _ACCOUNTS.items()))
    made.write("/etc/group", "root:x:0:\nnogroup:x:65534:\n" + "".join(f"{name}:x:{number}:\n" for name, number in _ACCOUNTS.items()))
    made.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 made-host\n")
    made.write("/etc/services", "ssh 22/tcp\nsunrpc 111/tcp portmapper\nsunrpc 111/udp portmapper\nipp 631/tcp\nmdns 5353/udp\n")
    made.write("/etc/protocols", "tcp 6 TCP\nudp 17 UDP\n")
    made.write("/etc/rpc", "portmapper 100000 rpcbind\nstatus 100024\n")
    kinds = (("udp", "clts", "inet"), ("tcp", "cots_ord", "inet"), ("udp6", "clts", "inet6"), ("tcp6", "cots_ord", "inet6"))
    lines = [f"{name} tpi_{kind} v {family} {name.removesuffix('6')} - -\n" for name, kind, family in kinds]
    made.write("/etc/netconfig", "".join([*lines, "local tpi_cots_ord - loopback - - -\n"]))


def interface(made: Host, name: str, *addresses: str) -> None:
    """An Ethernet interface with these addresses, whose other end nobody uses."""
    made.ip("link", "add", name, "type", "veth", "peer", "name", f"far-{name}")
    for address in addresses:
        made.ip("addr", "add", address, "dev", name)
    made.ip("link", "set", name, "up")
    made.ip("link", "set", f"far-{name}", "up")


class Daemon(Process):
    """A daemon that runs; `stop` asks it to end, as an administrator does, and waits until it has."""

    gently = signal.SIGTERM

    def stop(self) -> None:
        self.host.order("end", pid=self.pid, signal=int(self.gently), patience=_PATIENCE)


class _Postgres(Daemon):
    gently = signal.SIGINT  # "fast shutdown" of postgres(1)


def started(
    made: Host, argv: Sequence[str], unit: str, *ports: tuple[str, int], user: int | None = None, kind: type[Daemon] = Daemon,
    environment: Mapping[str, str] | None = None,
) -> Daemon:  # fmt: skip
    """Run a daemon in the foreground as `unit`, and wait until all of `ports` (protocol, port) are held."""
    log = f"/var/log/{unit}.log"
    order: dict[str, Any] = {"sockets": [], "run": [argv[0], list(argv)], "log": log, "environment": {"PATH": _PATH, **(environment or {})}}
    if user is not None:
        order["user"] = user
    if made.group is not None:
        order["cgroup"] = made.make_group(f"{made.group}/system.slice/{unit}")
    daemon = kind(made, made.order("start", **order))
    until = time.monotonic() + _PATIENCE
    while missing := [port for port in ports if port not in held(made)]:
        if time.monotonic() > until or not Path(f"/proc/{made.pid}/root/proc/{daemon.pid}/fd/0").exists():
            said = Path(f"/proc/{made.pid}/root{log}").read_text(errors="replace")
            raise RuntimeError(f"{argv[0]} does not hold {missing}: {said}")
        time.sleep(0.02)
    return daemon


def held(made: Host) -> set[tuple[str, int]]:
    """The protocol and port of each listening TCP and each unconnected UDP socket of the host's first stack."""
    found = set()
    for name, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/{made.pid}/net/{name}").read_text().split("\n")[1:-1]:
            fields = line.split()
            if fields[3] == state:
                found.add((name[:3], int(fields[1].rpartition(":")[2], 16)))
    return found


def sshd(made: Host, *addresses: str, unit: str = "ssh.service") -> Daemon:
    """OpenSSH on port 22 of these addresses; of all where none is given."""
    made.run("mkdir", "-p", "/run/sshd", "/etc/ssh", check=True)
    made.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/ssh_host_ed25519_key", check=True)
    listening = "".join(f"ListenAddress {address}\n" for address in addresses)
    made.write("/etc/ssh/sshd_config", f"HostKey /etc/ssh/ssh_host_ed25519_key\nPidFile none\n{listening}")
    return started(made, [program("sshd"), "-D", "-e", "-f", "/etc/ssh/sshd_config"], unit, ("tcp", 22))


def nginx(made: Host, *listening: str) -> Daemon:
    """nginx with these `listen` directives (`443`, `10.0.0.5:80`, `[::]:80`): a master, and a worker as www-data."""
    made.run("mkdir", "-p", "/var/log/nginx", "/var/lib/nginx", check=True)
    listen = "".join(f"listen {one};" for one in listening)
    made.write("/etc/nginx/nginx.conf", (
        "user www-data; worker_processes 1; daemon off; pid /run/nginx.pid; error_log /var/log/nginx/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; server {{ {listen} return 204; }} }}\n"
    ))  # fmt: skip
    ports = {("tcp", int(one.split()[0].rpartition(":")[2])) for one in listening}
    return started(made, [program("nginx"), "-c", "/etc/nginx/nginx.conf"], "nginx.service", *ports)


def postgresql(made: Host, listening: str = "localhost", port: int = 5432) -> Daemon:
    """PostgreSQL with a fresh cluster, as its own user."""
    folder = "/var/lib/postgresql/main"
    made.run("install", "-d", "-o", "postgres", "-g", "postgres", "/var/lib/postgresql", "/run/postgresql", check=True)
    initdb = os.path.join(os.path.dirname(program("postgres")), "initdb")
    made.run(initdb, "-D", folder, "--no-sync", "--no-locale", "-E", "UTF8", "-A", "peer", user=POSTGRES, check=True)
    settings = {
        "listen_addresses": listening, "port": port, "fsync": "off", "shared_buffers": "1MB", "max_connections": 10,
        "dynamic_shared_memory_type": "mmap", "unix_socket_directories": "/run/postgresql",
    }  # fmt: skip
    argv = [program("postgres"), "-D", folder, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]
    return started(made, argv, "postgresql@15-main.service", ("tcp", port), user=POSTGRES, kind=_Postgres)


def rpcbind(made: Host) -> Daemon:
    """rpcbind as shipped: on every address."""
    made.run("install", "-d", "-o", "_rpc", "-g", "root", "/run/rpcbind", check=True)
    return started(made, [program("rpcbind"), "-f", "-w"], "rpcbind.service", ("tcp", 111), ("udp", 111))


def statd(made: Host) -> Daemon:
    """The NFS status monitor, whose ports the kernel chooses; it needs rpcbind."""
    made.run("install", "-d", "-o", "statd", "-g", "root", "/var/lib/nfs", "/var/lib/nfs/sm", "/var/lib/nfs/sm.bak", check=True)
    before = held(made)
    daemon = started(made, [program("rpc.statd"), "--foreground", "--no-notify"], "rpc-statd.service")
    until = time.monotonic() + _PATIENCE
    while b"status" not in made.run("rpcinfo", "-p", "127.0.0.1").out:
        assert time.monotonic() < until, held(made) - before
        time.sleep(0.05)
    return daemon


def avahi(made: Host) -> Daemon:
    """The mDNS responder as shipped, but without D-Bus."""
    made.run("install", "-d", "-o", "avahi", "-g", "avahi", "/run/avahi-daemon", check=True)
    made.write("/etc/avahi/avahi-daemon.conf", (
        "[server]\nuse-ipv4=yes\nuse-ipv6=yes\nenable-dbus=no\n[wide-area]\nenable-wide-area=yes\n"
        "[publish]\npublish-hinfo=no\npublish-workstation=no\n"
    ))  # fmt: skip
    return started(made, [program("avahi-daemon"), "--no-chroot"], "avahi-daemon.service", ("udp", 5353))


def cupsd(made: Host) -> Daemon:
    """CUPS as shipped: the loopback addresses and a Unix socket."""
    made.run("mkdir", "-p", "/run/cups", "/var/spool/cups/tmp", "/var/cache/cups", "/var/log/cups", "/etc/cups/ppd", check=True)
    made.write("/etc/cups/cupsd.conf", "LogLevel warn\nListen localhost:631\nListen /run/cups/cups.sock\nWebInterface Yes\n")
    made.write("/etc/cups/cups-files.conf", "SystemGroup root\n")
    return started(made, [program("cupsd"), "-f", "-c", "/etc/cups/cupsd.conf"], "cups.service", ("tcp", 631))


def container(made: Host, *ports: int, name: str = "cart-1", image: str = "registry.bank/cart@sha256:0123", user: int = 10001) -> Process:
    """A container as Docker makes one: its own namespaces, a bridge of the host's, a control group after its id, a state file of the
    runtime's. It serves `ports` (TCP, all addresses) with an executable that only its mount namespace has."""
    state = {"ID": _CART_ID, "Name": f"/{name}", "Config": {"Image": image}}
    made.write(f"/var/lib/docker/containers/{_CART_ID}/config.v2.json", json.dumps(state))
    if made.group is None:
        pytest.skip("a container is known by its control group: needs cgroup2 that can be written")
    made.ip("link", "add", "docker0", "type", "bridge")
    made.ip("addr", "add", "172.17.0.1/16", "dev", "docker0")
    made.ip("link", "set", "docker0", "up")
    made.ip("link", "add", "veth7d0c", "type", "veth", "peer", "name", "cart0")
    made.ip("link", "set", "veth7d0c", "master", "docker0", "up")
    running = made.start(
        *(listener("tcp", "0.0.0.0", port) for port in ports), user=user, run=["/srv/cart"], group=f"system.slice/docker-{_CART_ID}.scope",
        container={"hostname": _CART_ID[:12], "program": made.python, "path": "/srv/cart"},
    )  # fmt: skip
    made.ip("link", "set", "cart0", "netns", str(running.pid))
    for words in ("link set cart0 name eth0", "addr add 172.17.0.2/16 dev eth0", "link set eth0 up"):
        made.run("nsenter", f"--target={running.pid}", "--net", "--", "ip", *words.split(), check=True)
    return running
