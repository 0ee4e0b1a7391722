"""Evidence bundles of Linux hosts, made from a few words: tests say what a host is, and get the bytes that `collect` would write.

The rows come from the real writers, so a test goes the way that every audit goes: a bundle in, findings out.
What a test does not mention is as on a quiet, well-kept host of which everything can be seen.
"""

from __future__ import annotations

import datetime
import socket
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from auditor import plugins
from auditor.evaluate import evaluate
from auditor.evidence import ENDING, Answer, load, opening, quoted
from auditor.facts import Facts
from auditor.live import (
    accounts,
    addresses,
    bind_attempts,
    bind_test,
    capabilities,
    containers,
    file_search,
    namespaces,
    nat,
    owners,
    ports,
    rights,
    rows,
    searched_places,
    sockets,
    sysctl_files,
    unit_files,
    user_namespaces,
    witness,
)
from auditor.model import Finding, Snapshot, Socket, Stack
from auditor.owner import DELETED, UNPROVEN
from auditor.policy import Policy
from auditor.policy import load as load_policy
from auditor.rule import Rule
from auditor.tables import Tables
from tests import made_endpoints
from tests.made_endpoints import Endpoint, Packet, Raw, Unix
from tests.made_gates import RICH_GATES, Gates
from tests.made_services import RICH_SERVICES, Services
from tests.saved_hosts import SAVED_HOSTS

TODAY = datetime.date(2026, 11, 20)
THRESHOLD = "net.ipv4.ip_unprivileged_port_start"
EPHEMERAL = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
AUTOBIND = "net.ipv4.ip_autobind_reuse"
SETTINGS = {THRESHOLD: "1024", EPHEMERAL: "32768\t60999", RESERVED: "", AUTOBIND: "0"}
RESVPORTS = ("sunrpc.min_resvport", "sunrpc.max_resvport")
ALL_RIGHTS = {"uid": "0", "ticks": "100", "capabilities": "000001ffffffffff", "pid_namespace": "4026531836", "boot_time": "1795000000",
              "hidepid": "0"}  # fmt: skip
NO_RIGHTS = {**ALL_RIGHTS, "uid": "1000", "capabilities": "0000000000000000"}
ON_A_LAN = (("lo", "loopback", "127.0.0.1", 8), ("lo", "loopback", "::1", 128), ("eth0", None, "10.0.0.5", 24))
ON_THE_INTERNET = (*ON_A_LAN[:2], ("eth0", None, "9.9.9.9", 24))
IN_A_CONTAINER = (("lo", "loopback", "127.0.0.1", 8), ("eth0", "veth", "172.17.0.2", 16))
ON_A_MACVLAN = (("lo", "loopback", "127.0.0.1", 8), ("eth0", "macvlan", "10.0.0.77", 24))
TABLES = Tables()


@dataclass(frozen=True)
class Process:
    """A process; `executable` None is a kernel thread's, "" one that may not be read. `file` and `root` as auditor.live.executables writes
    them, `folders` the rights of folders that are not root's alone, `at_path` what is at the path of a deleted executable."""

    pid: int
    executable: str | None
    uid: int = 0
    cgroup: str = "/"
    name: str = ""
    file: str = "0755:0:0"
    folders: tuple[tuple[str, str], ...] = ()
    at_path: str = "none"
    root: str | None = "0:0"

    def row(self) -> bytes:
        name = self.name or (self.executable or "").rpartition("/")[2]
        return _row(self.pid, 900, self.uid, name, self.executable, self.cgroup, *self.file_fields())

    def file_fields(self) -> tuple[str | None, ...]:
        if not self.executable:
            return (self.executable,) * 3 + ("",)
        if self.executable.endswith(UNPROVEN) or self.executable.startswith("/memfd:"):
            return self.file, "", "", self.root
        if self.executable.endswith(DELETED):
            return self.file, self.at_path, "", self.root
        above = [str(folder) for folder in PurePosixPath(self.executable).parents]
        return self.file, "itself", " ".join(dict(self.folders).get(folder, "0755:0:0") for folder in above), self.root


def service(pid: int, name: str, uid: int = 0, folder: str = "/usr/sbin") -> Process:
    """A daemon in a systemd unit of its name."""
    return Process(pid, f"{folder}/{name}", uid, f"/system.slice/{name}.service")


INIT = Process(1, "/usr/lib/systemd/systemd", 0, "/init.scope", "systemd")
SSHD = service(812, "sshd")
NGINX = service(900, "nginx", 33)


@dataclass(frozen=True)
class Port:
    """A socket that holds a port, written as a report's subject: tcp/0.0.0.0:22, tcp/*:80 (dual-stack), udp/0.0.0.0%virbr0:67."""

    at: str
    by: tuple[Process, ...] = ()
    state: str = "listening"
    uid: int = 0
    inode: int | None = None

    @property
    def protocol(self) -> str:
        return self.at.partition("/")[0]

    @property
    def place(self) -> tuple[str, str, int, bool]:
        """Address, device, port, and whether it is dual-stack."""
        where, _, port = self.at.partition("/")[2].rpartition(":")
        address, _, device = where.strip("[]").partition("%")
        return "::" if address == "*" else address, device, int(port), address == "*"

    @property
    def family(self) -> str:
        return "ipv6" if ":" in self.place[0] else "ipv4"


BOUND = {"uid": "65534", "gids": "65534", "program": "/usr/bin/python3.12", "capabilities": "0000000000000000", "no_new_privs": "0",
         "seccomp": "0", "label": "unconfined", "executed": "0", "launcher": None, "namespace_owner": None, "selinux": None, "in_use": "22",
         "in_policy": None, "in_units": None}  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """A bind test in a namespace: `tries` as "tcp/0.0.0.0:80 EACCES", "tcp/[::]:8080 ok", "tcp/0.0.0.0:0 40001" (which bind(0) gave) or
    "tcp/0.0.0.0:80 moved 8080"; `about` on top of a user without any right; `failed` is why nothing was tried."""

    tries: Sequence[str] = ()
    about: Mapping[str, str | None] = field(default_factory=dict)
    failed: str | None = None

    def answers(self, label: str) -> list[Answer]:
        if self.failed is not None:
            return [Answer("bind-test", "builtin:bind-test", b"", "1", stderr=f"{self.failed}\n".encode(), stack=label)]
        lines = [self._row(number, one) for number, one in enumerate(self.tries, 1)]
        return [
            Answer("bind-test", "builtin:bind-test", _table(bind_test.COLUMNS, {**BOUND, **self.about}.items()), stack=label),
            Answer("bind-test", "builtin:bind-attempts", _table(bind_attempts.COLUMNS, lines), stack=label),
        ]

    def _row(self, number: int, one: str) -> tuple[object, ...]:
        at, result, *moved = one.split(" ")
        protocol, _, where = at.partition("/")
        address, _, asked = where.rpartition(":")
        family = "ipv6" if ":" in address else "ipv4"
        given = moved[0] if moved else asked if result == "ok" else result if result.isdigit() else None
        return number, protocol, family, address.strip("[]"), asked, given, "ok" if result.isdigit() else result


def port(at: str, *by: Process, **more: Any) -> Port:
    return Port(at, by, **more)


@dataclass(frozen=True)
class Net:
    """A network namespace. `settings` on top of the defaults, None where the file is absent; `refused` is what sock_diag would not
    tell, as (protocol, family, why), and /proc/net then does; `outside` is why it could not be entered, `procnet` the inode of its
    /proc/PID/net/tcp."""

    ports: Sequence[Port] = ()
    settings: Mapping[str, str | None] = field(default_factory=dict)
    addresses: Sequence[tuple[str, str | None, str, int]] = ON_A_LAN
    holder: Process = INIT
    mounted: str | None = None
    procnet: str = ""
    refused: Sequence[tuple[str, str, str]] = ()
    outside: str | None = None
    owned_by: int | None = user_namespaces.INITIAL
    endpoints: Sequence[Endpoint] = ()


@dataclass(frozen=True)
class Capable:
    """Processes that are like `process` (itself, and those of `more` ids) and have CAP_NET_BIND_SERVICE in `sets`, in the network namespace
    of that number (the host's own is 1). `user_namespace` None: it may not be read, and `uid_map` is the map of its users."""

    process: Process
    sets: str = "effective permitted"
    namespace: int = 1
    user_namespace: int | None = user_namespaces.INITIAL
    uid_map: str = ""
    more: tuple[int, ...] = ()
    threads: str = "all"
    no_new_privs: int = 0
    seccomp: int = 0

    def row(self) -> bytes:
        sets = [f"{1 << 10 if name in self.sets.split() else 0:016x}" for name in ("effective", "permitted", "inheritable", "ambient")]
        return _row(
            " ".join(map(str, (self.process.pid, *self.more))), self.threads, self.process.uid, self.process.executable,
            self.process.cgroup, *self.process.file_fields(), *sets, "000001ffffffffff", self.no_new_privs, self.seccomp,
            f"netns:{self.namespace}", "" if self.user_namespace is None else self.user_namespace, self.uid_map,
        )  # fmt: skip


BINDS = "0100000200040000000000000000000000000000"
"""security.capability as `setcap cap_net_bind_service=ep` writes it."""


@dataclass(frozen=True)
class Granting:
    """A file with capabilities; `file` and `folders` as auditor.live.executables writes them, `same` are files with the same bytes as it
    writes them (None: there is none, "": not compared)."""

    path: str
    capability: str = BINDS
    file: str = "0755:0:0"
    folders: tuple[tuple[str, str], ...] = ()
    links: int = 1
    mount: str | None = None
    same: str | None = None

    def row(self) -> bytes:
        above = [str(folder) for folder in PurePosixPath(self.path).parents]
        folders = " ".join(dict(self.folders).get(folder, "0755:0:0") for folder in above)
        return _row(self.path, self.capability, self.file, folders, self.links, self.mount, self.same)


@dataclass(frozen=True)
class Host:
    """A host: its own namespace (`net`) and others, what its files say, and what could be seen of it. `links` are those of systemd's units
    with their targets, `services` the text of /etc/services, `nat` what commands print of address translation; None: not asked for.
    `bind_tests` are those of `net` and of `others`, in their order.
    `capable` may take privileged ports, `user_namespaces` are the parents and owners of others than the initial one. `granting` are the
    files that give capabilities, `searched` and `not_searched` where these were looked for, as auditor.live.searched_places writes it."""

    net: Net = Net()
    others: Sequence[Net] = ()
    name: str = "web1"
    system: str = "Linux"
    release: str | None = "6.12.1"
    taken: str = "2026-11-20T23:00:00Z"
    machine_id: str = "0123456789abcdef0123456789abcdef"
    files: Mapping[str, str] = field(default_factory=dict)
    units: Sequence[tuple[str, str, str]] = ()
    links: Sequence[tuple[str, str | None]] = ()
    users: Mapping[int, str] = field(default_factory=lambda: {0: "root", 33: "www-data", 1000: "ann"})
    containers: Mapping[str, str] = field(default_factory=dict)
    rights: Mapping[str, str] = field(default_factory=lambda: ALL_RIGHTS)
    unreadable: Sequence[int] = ()
    resvports: Sequence[str] = ()
    blacklist: str | None = None
    witnessed: Sequence[tuple[str, str, int]] | None = None
    services: str | None = None
    nat: Mapping[str, str] | None = None
    bind_tests: Sequence[Tried] | None = None
    capable: Sequence[Capable] = (Capable(INIT, more=(812,)),)
    user_namespaces: Mapping[int, tuple[int | None, int | None]] = field(default_factory=dict)
    granting: Sequence[Granting] = ()
    gates: Gates = field(default_factory=Gates)
    service_units: Services = field(default_factory=Services)
    searched: Sequence[tuple[str, str | None, int]] = (("path", "/usr/sbin", 250), ("path", "/usr/bin", 1200), ("unit", None, 70),
                                                       ("process", None, 30))  # fmt: skip
    not_searched: Sequence[tuple[str, str | None, str, str, int, str | None]] = ()

    def head(self) -> dict[str, str]:
        head = {"system": self.system, "host": self.name, "taken": self.taken, "uid": self.rights.get("uid", "0")}
        if self.release is not None:
            head["release"] = self.release
        opt_in = {"cross-check": self.witnessed, "services": self.services, "nat": self.nat, "bind-test": self.bind_tests}
        parts = sorted({"endpoints", "grants", "persisted", "ports", "units", *(part for part, told in opt_in.items() if told is not None)})
        return {**head, "machine-id": self.machine_id, "boot-id": "b-1", "asked": ",".join(parts)}

    def answers(self) -> list[Answer]:
        nets = [self.net, *self.others]
        inodes = {(at, n): p.inode or 1000 * at + n + 100 for at, net in enumerate(nets) for n, p in enumerate(net.ports)}
        found = [Answer("rights", "builtin:rights", _table(rights.COLUMNS, self.rights.items()))]
        found.append(Answer("namespaces", "builtin:namespaces", _table(namespaces.COLUMNS, [_listed(n, at) for at, n in enumerate(nets)])))
        for at, net in enumerate(nets):
            found += _visited(net, f"netns:{at + 1}", [inodes[at, n] for n in range(len(net.ports))])
            numbers = [_endpoint_inode(at, n) for n in range(len(net.endpoints))]
            found += made_endpoints.answers(net.endpoints, numbers, f"netns:{at + 1}", net.outside is not None)
        found += self._held(nets, inodes)
        found.append(Answer("cgroups", "builtin:cgroups", _table(ports.GROUP_COLUMNS, [(77, "/system.slice")])))
        found.append(Answer("accounts", "builtin:accounts", _table(accounts.COLUMNS, self.users.items())))
        named = [(identity, "docker", name, "image:1") for identity, name in self.containers.items()]
        found.append(Answer("containers", "builtin:containers", _table(containers.COLUMNS, named)))
        units = [(unit, f"/etc/systemd/system/{unit}", n, key, value) for n, (unit, key, value) in enumerate(self.units, 1)]
        found.append(Answer("socket-units", "builtin:socket-units", _table(unit_files.COLUMNS, units)))
        found.append(Answer("socket-units", "builtin:unit-links", _table(unit_files.LINK_COLUMNS, self.links)))
        found += self._files()
        found += self._capabilities(nets)
        found += self._granting()
        found += self.gates.answers()
        found += self.service_units.answers()
        if self.services is not None:
            found.append(Answer("services", "cat /etc/services", self.services.encode()))
        if self.nat is not None:
            found += _nat(self.nat)
        for at, tried in enumerate(self.bind_tests or ()):
            found += tried.answers(f"netns:{at + 1}")
        if self.witnessed is not None:
            found.append(Answer("psutil", "builtin:psutil", _table(witness.COLUMNS, self.witnessed)))
        return found

    def _held(self, nets: list[Net], inodes: dict[tuple[int, int], int]) -> list[Answer]:
        holders: dict[Process, list[int]] = {}
        for (at, n), inode in inodes.items():
            for process in nets[at].ports[n].by:
                if inode not in holders.setdefault(process, []):
                    holders[process].append(inode)
        for at, net in enumerate(nets):
            for n, one in enumerate(net.endpoints):
                for process in one.by:
                    holders.setdefault(process, []).append(_endpoint_inode(at, n))
        why = b"some processes may not be read\n" if self.unreadable else b""
        counts = {"looked": 120, "vanished": 0, "retries": 0, "unreadable": " ".join(map(str, self.unreadable))}
        return [
            Answer("owners", "builtin:processes", rows.table(owners.PROCESS_COLUMNS, [process.row() for process in holders])),
            Answer("owners", "builtin:holders",
                   _table(owners.HOLDER_COLUMNS, [(p.pid, " ".join(map(str, held))) for p, held in holders.items()])),
            Answer("owners", "builtin:walk", _table(owners.WALK_COLUMNS, counts.items()), "1" if why else "0", stderr=why),
        ]  # fmt: skip

    def _files(self) -> list[Answer]:
        listing = [(path, path, "read") for path in self.files]
        found = [Answer("persisted", "builtin:sysctl-files", _table(sysctl_files.COLUMNS, listing))]
        found += [_read("persisted", path, text) for path, text in self.files.items()]
        found.append(_read("bindresvport", "/etc/bindresvport.blacklist", self.blacklist))
        values = self.resvports or (None, None)
        found += [_read("host-settings", path, text) for path, text in zip(sysctl_files.HOST_SETTINGS, values, strict=True)]
        return found

    def _capabilities(self, nets: list[Net]) -> list[Answer]:
        owned = [(f"netns:{at}", net.owned_by) for at, net in enumerate(nets, 1) if net.owned_by is not None]
        told = [(user_namespaces.INITIAL, 1, None, 0, "0 0 4294967295")]
        others = [(inode, 0, "" if parent is None else parent, "" if owner is None else owner, "")
                  for inode, (parent, owner) in self.user_namespaces.items()]  # fmt: skip
        return [
            Answer("capabilities", "builtin:capabilities", rows.table(capabilities.COLUMNS, [one.row() for one in self.capable])),
            Answer("capabilities", "builtin:namespace-owners", _table(user_namespaces.OWNER_COLUMNS, owned)),
            Answer("capabilities", "builtin:user-namespaces", _table(user_namespaces.COLUMNS, [*told, *others])),
        ]

    def _granting(self) -> list[Answer]:
        tables = {
            "granting-files": rows.table(file_search.FILE_COLUMNS, [one.row() for one in self.granting]),
            "searched": _table(searched_places.SEARCHED_COLUMNS, self.searched),
            "not-searched": _table(searched_places.MISSED_COLUMNS, self.not_searched),
        }
        return [Answer("granting-files", f"builtin:{name}", table) for name, table in tables.items()]

    def bundle(self) -> bytes:
        return bundle(self.answers(), self.head())

    def snapshot(self) -> Snapshot:
        return interpreted(self.bundle())


def _endpoint_inode(at: int, number: int) -> int:
    return 500_000 + 1000 * at + number


def _nat(said: Mapping[str, str]) -> list[Answer]:
    """What these commands print, and that the kernel has what they ask for and nothing else."""
    programs = [command.split()[0] for command in said]
    there = [("nf_tables", "nft"), ("ip_tables", "iptables-legacy-save"), ("ip6_tables", "ip6tables-legacy-save")]
    found = Answer("nat", "builtin:nat", _table(nat.COLUMNS, [(backend, int(program in programs)) for backend, program in there]))
    return [found, *(Answer("nat", command, text.encode()) for command, text in said.items())]


def bundle(answers: Iterable[Answer], head: Mapping[str, str]) -> bytes:
    return opening(dict(head)) + b"".join(answer.to_bytes() for answer in answers) + ENDING


def without_files(of: Host) -> Snapshot:
    """A host as a bundle shows it that is older than what is told of the files that processes run."""
    older = []
    for answer in of.answers():
        if answer.command == "builtin:processes":
            lines = [b"\t".join(line.split(b"\t")[: owners.PROCESS_COLUMNS.split().index("file")]) for line in answer.stdout.split(b"\n")]
            answer = Answer(answer.probe, answer.command, b"\n".join(lines), answer.status)
        older.append(answer)
    return interpreted(bundle(older, of.head()))


def host(*ports: Port, **more: Any) -> Host:
    """A host with these ports in its own namespace. What a namespace has (settings, addresses, refused ...) is its own namespace's."""
    own = {name: more.pop(name) for name in Net.__dataclass_fields__ if name in more}
    return Host(Net(ports, **own), **more)


def container(identity: str, *ports: Port, **more: Any) -> Net:
    """A container's namespace; `identity` is its id, 64 hexadecimal digits."""
    holder = Process(4000, "/usr/bin/app", 0, f"/system.slice/docker-{identity}.scope")
    return Net(ports, holder=holder, **{"addresses": IN_A_CONTAINER, **more})


def _row(*fields: object) -> bytes:
    """A row; None is `-` (looked for, and there is none)."""
    return b"\t".join(b"-" if f is None else rows.field(str(f).encode("utf-8", "surrogateescape")) for f in fields)


def _table(columns: str, found: Iterable[Iterable[object]]) -> bytes:
    return rows.table(columns, [_row(*fields) for fields in found])


def _read(probe: str, path: str, text: str | None, stack: str | None = None) -> Answer:
    if text is None:
        return Answer(probe, f"builtin:read {quoted(path)}", b"", "absent", stack=stack)
    return Answer(probe, f"builtin:read {quoted(path)}", text.encode(), stack=stack)


def _listed(net: Net, at: int) -> tuple[object, ...]:
    process = net.holder
    name = process.name or (process.executable or "").rpartition("/")[2]
    return (f"netns:{at + 1}", int(not at), int(not at), 3, process.pid, name, process.executable, process.cgroup, net.mounted, net.procnet)


def _visited(net: Net, label: str, inodes: list[int]) -> list[Answer]:
    if net.outside is not None:
        why = f"{label} could not be entered: {net.outside}\n".encode()
        return [Answer("entering", "builtin:setns", b"", "1", stderr=why, stack=label), *_proc_net(net, label, inodes)]
    devices = {device: n for n, device in enumerate(dict.fromkeys(device for device, *_ in net.addresses), 1)}
    lines = []
    for one, inode in zip(net.ports, inodes, strict=True):
        address, device, number, dual = one.place
        v6only = "" if one.family == "ipv4" else int(not dual)
        index = devices.setdefault(device, len(devices) + 1) if device else 0
        if (one.protocol, one.family) not in [refused[:2] for refused in net.refused]:
            lines.append((one.protocol, one.state, one.family, address, number, v6only, index, one.uid, inode, 1, 77))
    told = "".join("\t".join(refused) + "\n" for refused in net.refused).encode()
    found = [Answer("sockets", "builtin:sock_diag tcp,udp", _table(sockets.COLUMNS, lines), "1" if told else "0", stderr=told, stack=label)]
    if told:
        found += _proc_net(net, label, inodes)
    interfaces = [(devices[device], device, kind, address, prefix) for device, kind, address, prefix in net.addresses]
    interfaces += [(n, device, "bridge", None, None) for device, n in devices.items() if device not in {d for d, *_ in net.addresses}]
    found.append(Answer("addresses", "builtin:rtnetlink", _table(addresses.COLUMNS, interfaces), stack=label))
    for name, value in {**SETTINGS, **net.settings}.items():
        found.append(_read("settings", "/proc/sys/" + name.replace(".", "/"), None if value is None else value + "\n", label))
    return found


PROC_NET_HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"


def proc_net_line(one: Port, inode: int) -> str:
    """A socket as the kernel of a little-endian machine prints it in /proc/net."""
    address, _, number, _ = one.place
    packed = socket.inet_pton(socket.AF_INET6 if one.family == "ipv6" else socket.AF_INET, address)
    words = b"".join(packed[n : n + 4][::-1] for n in range(0, len(packed), 4)).hex().upper()
    state = "0A" if one.protocol == "tcp" else "07"
    return f"   0: {words}:{number:04X} {'0' * len(words)}:0000 {state} 00000000:00000000 00:00000000 00000000 {one.uid:5} 0 {inode} 1 f 0"


def _proc_net(net: Net, label: str, inodes: list[int]) -> list[Answer]:
    found = []
    for name in ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6"):
        wanted = (name.removesuffix("6"), "ipv6" if name.endswith("6") else "ipv4")
        lines = [proc_net_line(p, i).encode() for p, i in zip(net.ports, inodes, strict=True)
                 if (p.protocol, p.family) == wanted and p.state == "listening"]  # fmt: skip
        text = b"\n".join((PROC_NET_HEADER.encode(), *lines, rows.ending(len(lines))))
        found.append(Answer("proc-net", f"builtin:proc-net-listening /proc/{net.holder.pid}/net/{name}", text, stack=label))
    return found


def interpreted(evidence: bytes) -> Snapshot:
    """What a bundle means, by the collector of its system."""
    read = load(evidence)
    return plugins.collector_for(read.head.get("system", "Linux")).interpret(read, TABLES)


@cache
def rules() -> dict[str, Rule]:
    return plugins.rules()


@cache
def policy(text: str = "") -> Policy:
    """The policy that says `policy: 1` and `text`; its file is called site.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "site.yaml")
        path.write_text("policy: 1\n" + text)
        return load_policy(str(path), plugins.rule_parameters())


def judged(
    of: Host | Snapshot, by: str = "", *names: str, today: datetime.date = TODAY, only_stack: str | None = None, these: Iterable[Rule] = (),
    **known: Any,
) -> list[Finding]:  # fmt: skip
    """The findings by policy `by` of the rules called `names`, of `these`, or of all; `known` are a baseline and an assignment."""
    snapshot = of.snapshot() if isinstance(of, Host) else of
    chosen = list(these) or [rules()[name] for name in names or rules()]
    return evaluate(snapshot, policy(by), TABLES, chosen, today, only_stack, **known)


def outcomes(findings: Iterable[Finding]) -> list[str]:
    """Each finding in one line: "fail high stack tcp/0.0.0.0:80", for comparing all of them at once."""
    return sorted(
        f"{f.outcome} {f.severity} {f.stack or '-'} {f.subject}" if f.outcome == "fail" else f"{f.outcome} {f.stack or '-'}"
        for f in findings
    )


def stack_of(of: Host | Snapshot, name: str = "host") -> Stack:
    snapshot = of.snapshot() if isinstance(of, Host) else of
    (found,) = [stack for stack in snapshot.stacks.seen if stack.name == name]
    return found


def changed(of: Host | Snapshot, **facts: Facts[Any]) -> Snapshot:
    """A host's snapshot with other facts in the host's own stack, for what no Linux collector gives."""
    snapshot = of.snapshot() if isinstance(of, Host) else of
    own = stack_of(snapshot)
    stacks = [Stack(**{**own.shown, **facts}) if stack is own else stack for stack in snapshot.stacks.seen]
    return Snapshot(**{**snapshot.shown, "stacks": Facts(stacks, snapshot.stacks.source, snapshot.stacks.gaps)})


def with_sockets(of: Host | Snapshot, **keys: Any) -> Snapshot:
    """A host's snapshot in which the host's own sockets show other `keys`; ... takes a key away."""
    own = stack_of(of).listening
    seen = [Socket(**{k: v for k, v in {**one.shown, **keys}.items() if v is not ...}) for one in own.seen]
    return changed(of, listening=Facts(seen, own.source, own.gaps))


WEB_CONTAINER = "ab" * 32
RULESET = """{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
{"table": {"family": "inet", "name": "mill", "handle": 3}},
{"chain": {"family": "inet", "table": "mill", "name": "pre", "handle": 1, "type": "nat", "hook": "prerouting", "prio": -100,\
 "policy": "accept"}},
{"rule": {"family": "inet", "table": "mill", "chain": "pre", "handle": 2, "expr": [{"match": {"op": "==",\
 "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8443}},\
 {"dnat": {"family": "ip", "addr": "10.0.0.9", "port": 443}}]}}]}
"""
LEGACY_RULES = """\
# Generated by iptables-save v1.8.9 on Sat Nov 21 10:16:59 2026
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080
-A PREROUTING -d 10.0.0.5/32 -p udp -m udp --dport 5300:5301 -j DNAT --to-destination 10.0.0.9
COMMIT
# Completed on Sat Nov 21 10:16:59 2026
"""
AGENT = service(555, "agent")
RICH_ENDPOINTS = (
    Packet((AGENT,)),
    Packet((SSHD,), 0x0806, 2),
    Raw((AGENT,), 58, "::"),
    Unix("/run/dbus/system_bus_socket", (INIT, AGENT)),
    Unix("/run/systemd/journal.mill/socket", (INIT,), "dgram"),
    Unix("/tmp/agent.sock", (AGENT,), folders=(("/tmp", "1777:0:0"),)),  # noqa: S108
    Unix("/run/agent/control", (AGENT,), file="0660:0:33", folders=(("/run/agent", "0750:0:33"),)),
    Unix("/run/replaced.sock", (AGENT,), file=None),
    Unix("@agent\n\x1b[2J", (AGENT,), "seqpacket"),
    Unix("@0001f", (AGENT, SSHD), "dgram"),
)


def rich() -> Host:
    """Something of everything that a Linux bundle can hold, and something for each rule to find."""
    app = Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{WEB_CONTAINER}.scope")
    php = service(6000, "php-fpm", 33)
    named = Process(1303, "/tmp/named (deleted)", 110)  # noqa: S108
    boxed_app = Process(8000, "/usr/bin/shed (in another user namespace)", 1000, "/user.slice/user-1000.slice/session-3.scope")
    own = (
        port("tcp/0.0.0.0:22", SSHD),
        port("tcp/[::]:22", SSHD),
        port("tcp/*:80", NGINX, service(901, "nginx", 33)),
        port("tcp/10.0.0.5:6379", service(950, "redis-server", 110, "/usr/bin"), uid=110),
        port("tcp/0.0.0.0:23", INIT),
        port("tcp/0.0.0.0:40000", INIT),
        port("udp/0.0.0.0:45000", service(700, "avahi-daemon", 108), uid=108),
        port("udp/0.0.0.0%virbr0:67", service(1200, "dnsmasq")),
        port("tcp/[fe80::1%eth0]:8080", NGINX, AGENT),
        port("tcp/127.0.0.1:5000", AGENT, state="bound"),
        port("tcp/0.0.0.0:2049"),
        port("tcp/127.0.0.1:41000", AGENT),
        port("udp/0.0.0.0:53", Process(1301, "/opt/dns/resolver", 0, file="0777:0:0")),
        port("udp/*:53", Process(1302, "/memfd:dns (deleted)", 33), uid=33),
        port("udp/9.9.9.9:53", named, uid=110),
        port("tcp/127.0.0.1:8888", AGENT),
    )
    boxed = (port("tcp/0.0.0.0:80", app), port("tcp/172.17.0.2:81", app), port("udp/[::]:514", AGENT))
    refused = (("udp", "ipv6", "sock_diag: Operation not supported"),)
    apart = (port("tcp/127.0.0.1:9000", php), port("udp/0.0.0.0:53"))
    return Host(
        net=Net(own, settings={THRESHOLD: "80", RESERVED: "8080,9100-9102,39000", EPHEMERAL: "32000\t46000"}, endpoints=RICH_ENDPOINTS),
        gates=RICH_GATES,
        others=(
            container(WEB_CONTAINER, *boxed, settings={THRESHOLD: "0"}, refused=refused, endpoints=(Packet((app,)), Unix("@box", (app,)))),
            Net(apart, holder=php, outside="Operation not permitted", endpoints=(Raw((php,)),)),
            Net((), mounted="/run/netns/blue", holder=Process(7000, "/usr/bin/sleep"), addresses=ON_A_MACVLAN, settings={THRESHOLD: "1"}),
            Net((port("tcp/0.0.0.0:83", boxed_app),), holder=boxed_app, owned_by=4026532500),
        ),
        files={
            "/etc/sysctl.d/10-ports.conf": f"# ports\n{RESERVED} = 8080\nnet.ipv4.ip_local_port* = 1\n{EPHEMERAL} = 20000 60999\n",
            "/usr/lib/sysctl.d/50-default.conf": "kernel.sysrq = 16\n-net/ipv4/ip_autobind_reuse = 0\n",
        },
        units=(
            ("old.socket", "ListenStream", "23"),
            ("fixed.socket", "ListenStream", "40000"),
            ("fixed.socket", "Service", "fixed-main.service"),
            ("echo.socket", "ListenStream", "7"),
            ("twin.socket", "ListenStream", "127.0.0.1:7"),
            ("other-name.socket", "ListenStream", "7"),
            ("off.socket", "ListenStream", "7"),
            ("dbus.socket", "ListenStream", "/var/run/dbus/system_bus_socket"),
            ("journal@.socket", "ListenDatagram", "%t/systemd/journal.%i/socket"),
        ),
        links=(
            ("/etc/systemd/system/sockets.target.wants/echo.socket", "/etc/systemd/system/echo.socket"),
            ("/etc/systemd/system/sockets.target.wants/off.socket", "/dev/null"),
            ("/etc/systemd/system/x.service.requires/twin.socket", "/etc/systemd/system/twin.socket"),
            ("/usr/lib/systemd/system/sockets.target.wants/off.socket", "/etc/systemd/system/off.socket"),
            ("/etc/systemd/system/other-name.socket", "/etc/systemd/system/echo.socket"),
        ),
        services="# names\nssh 22/tcp\nhttp 8081/tcp www # moved\nmill 46001/tcp\n",
        nat={"nft -j list ruleset": RULESET, "iptables-legacy-save -t nat": LEGACY_RULES},
        bind_tests=(
            Tried(("tcp/0.0.0.0:0 40001", "tcp/0.0.0.0:0 50001", "tcp/0.0.0.0:21 EACCES", "tcp/0.0.0.0:79 ok", "tcp/0.0.0.0:81 ok")),
            Tried(("udp/[::]:0 33000", "udp/[::]:1 ok"), {"in_use": None, "in_units": "7,23,40000"}),
            Tried(failed="the namespace could not be entered: Operation not permitted"),
            Tried(("tcp/127.0.0.1:0 EADDRNOTAVAIL", "tcp/[::]:0 33001", "tcp/[::]:1024 ok"), {"seccomp": "2", "namespace_owner": "1000"}),
        ),
        containers={WEB_CONTAINER: "web"},
        capable=(
            Capable(INIT, more=(812,)),
            Capable(named, "effective permitted ambient"),
            Capable(php, namespace=3),
            Capable(boxed_app, "permitted", 5, 4026532500, threads="some"),
        ),
        user_namespaces={4026532500: (user_namespaces.INITIAL, 1000)},
        resvports=("665\n", "1023\n"),
        blacklist="# kept\n631 # cups\n993\n",
        granting=(
            Granting("/opt/webapp", same="/usr/bin/python3.11"),
            Granting("/srv/proxy", file="0777:0:0", mount="nosuid"),
            Granting("/srv/relay", "0100000300040000000000000000000000000000e8030000", same=""),
            Granting("/srv/web", file="0775:33:33", folders=(("/srv", "0710:0:33"),), links=2),
        ),
        searched=(("path", "/usr/bin", 1200), ("unit", None, 70), ("search", "/srv", 12)),
        service_units=RICH_SERVICES,
        not_searched=(("search", "/srv", "nosuid", "nfs4", 1, "/srv/nfs"),),
        taken="2026-11-01T23:00:00Z",
        witnessed=(("tcp", "0.0.0.0", 22), ("tcp", "::", 22), ("tcp", "::", 80), ("tcp", "10.0.0.5", 31337), ("udp", "0.0.0.0", 45000)),
    )


STRICT = """\
privileged: {expect: 0-1023, granted_to: [{executable: /usr/sbin/sshd}]}
ephemeral: {expect: 49152-65535, reserved_must_include: [39000-39009]}
listening:
  approved:
    - {name: ssh, port: 22, protocol: tcp, executable: /usr/sbin/sshd, purpose: administration, at_most: 1}
    - {name: web, port: 80, protocol: tcp, executable: /usr/sbin/nginx, user: www-data, purpose: the shop}
    - {name: own, port: 41000, protocol: tcp, purpose: the agent, review_by: 2026-06-30}
    - {name: rsync, port: 873, protocol: tcp, purpose: copies}
    - {name: https, port: 8443, protocol: tcp, purpose: another shop}
    - {name: dns, port: 53, protocol: udp, family: ipv4, purpose: names}
  required: [ssh, {port: 9999, protocol: tcp, name: gone}]
  forbidden:
    - {port: 23, protocol: tcp, why: cleartext}
rules:
  ephemeral-range-small: {at_least: 20000}
  evidence-stale: {at_most_days: 7}
  waiver-too-long: {at_most_days: 60}
  udp-amplifier-exposed: {tiers: [always, usual]}
  nodeport-range-in-ephemeral-range: {range: 40000-40009}
  bindresvport-may-take-approved-port: {library_window: 600-1023}
  executable-in-writable-folder: {folders: [/tmp, /dev/shm]}
  unix-listener-in-unexpected-place: {folders: [/tmp]}
waivers:
  - {id: EXC-1, rule: listener-not-approved, subject: "udp/0.0.0.0%virbr0:67", reason: libvirt, owner: ops, expires: 2027-01-31}
  - {id: EXC-2, rule: listener-not-approved, subject: "tcp/0.0.0.0:1", reason: gone, owner: ops, expires: 2027-01-31}
  - {id: EXC-3, rule: cleartext-listener, subject: "tcp/0.0.0.0:23", reason: old, owner: ops, expires: 2026-01-31}
"""
"""A policy by which `rich` breaks every rule that there is, beside what `earlier` shows changed."""


@cache
def earlier() -> Snapshot:
    """What `rich` was when its baseline was taken."""
    return host(port("tcp/0.0.0.0:22", NGINX), port("tcp/0.0.0.0:21", INIT)).snapshot()


RICH = {"linux": rich, **{name: lambda host=host: host for name, host in SAVED_HOSTS.items()}}
"""A rich host of each collector, for tests/test_contract.py."""
