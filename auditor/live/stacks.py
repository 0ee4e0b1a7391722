"""One visit to each network namespace: its sockets, its addresses, its settings, all read from inside it."""

from __future__ import annotations

from auditor.evidence import Answer, quoted
from auditor.live import addresses, files, rows, sockets
from auditor.live.entering import from_inside
from auditor.live.namespaces import Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from auditor.live.endpoints import Endpoints

SETTINGS = (
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_local_reserved_ports",
    "net/ipv4/ip_autobind_reuse",
)
_PROC_NET = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07", "udplite": "07", "udplite6": "07"}


class Visit:
    """What a visit to one namespace gave: answers for the bundle, the inodes and cgroup ids that its sockets have, and the inodes of its
    `endpoints`."""

    __slots__ = ("answers", "cgroups", "endpoints", "inodes")

    def __init__(self, answers: list[Answer], inodes: set[bytes], cgroups: set[bytes], endpoints: set[bytes] | None = None) -> None:
        self.answers = answers
        self.inodes = inodes
        self.cgroups = cgroups
        self.endpoints = endpoints or set()


def visit(namespaces: list[Namespace], protocols: list[str], endpoints: bool = False) -> list[Visit]:
    """Visit each: the one this process is in directly, the others from one child that moves from one to the next. `endpoints` are asked
    about only where that is said."""
    looking = _Looking(protocols, endpoints)
    visits = [_here(namespace, looking) for namespace in namespaces if namespace.own]
    if others := [namespace for namespace in namespaces if not namespace.own]:
        for namespace, seen, why in from_inside(others, lambda one: _plain(_here(one, looking))):
            visits.append(_from_outside(namespace, why, looking) if seen is None else _visit(seen))
    return visits


def _plain(visit: Visit) -> tuple[Any, ...]:
    """As marshal can write it; `_visit` makes it a visit again."""
    answers = [(a.probe, a.command, a.stdout, a.status, a.stderr, a.stack) for a in visit.answers]
    return answers, visit.inodes, visit.cgroups, visit.endpoints


def _visit(plain: tuple[Any, ...]) -> Visit:
    answers, *sets = plain
    return Visit(
        [Answer(probe, command, out, status, stderr=err, stack=stack) for probe, command, out, status, err, stack in answers], *sets
    )


class _Looking:
    """What is looked for in each namespace, and the `seconds` that went on the files of endpoints."""

    __slots__ = ("endpoints", "protocols", "seconds")

    def __init__(self, protocols: list[str], endpoints: bool) -> None:
        self.protocols = protocols
        self.endpoints = endpoints
        self.seconds = 0.0


def _here(namespace: Namespace, looking: _Looking) -> Visit:
    label, protocols = namespace.label, looking.protocols
    dump = sockets.dump(protocols)
    refused = "".join(f"{protocol}\t{family}\t{why}\n" for protocol, family, why in dump.refused).encode()
    answers = [
        Answer("sockets", "builtin:sock_diag " + ",".join(protocols), dump.table(), "1" if refused else "0", stderr=refused, stack=label)
    ]
    if refused:
        answers += _proc_net(label, "/proc/thread-self/net")
    try:
        answers.append(Answer("addresses", "builtin:rtnetlink", addresses.table(), stack=label))
    except OSError as error:
        answers.append(Answer("addresses", "builtin:rtnetlink", b"", "1", stderr=f"{error.strerror or error}\n".encode(), stack=label))
    answers += [files.answer("settings", f"/proc/sys/{name}", label) for name in SETTINGS]
    visited = Visit(answers, dump.inodes | _inodes(answers), dump.cgroups)
    if looking.endpoints:
        from auditor.live import endpoints

        found = endpoints.here(label, looking.seconds)
        looking.seconds += found.seconds
        _add(visited, found)
    return visited


def _add(visited: Visit, found: Endpoints) -> None:
    visited.answers += found.answers
    visited.endpoints |= found.inodes


def _from_outside(namespace: Namespace, why: str, looking: _Looking) -> Visit:
    """What anyone may read of a namespace that was not looked at from inside, and `why` it was not."""
    told = f"{why}\n".encode("utf-8", "backslashreplace")
    answers = [Answer("entering", "builtin:setns", b"", "1", stderr=told, stack=namespace.label)]
    for folder in namespace.outside:
        proc_net = _proc_net(namespace.label, folder)
        if any(answer.status == "0" for answer in proc_net):
            answers += proc_net
            break
    visited = Visit(answers, _inodes(answers), set())
    if looking.endpoints:
        _add_from_outside(visited, namespace)
    return visited


def _add_from_outside(visited: Visit, namespace: Namespace) -> None:
    from auditor.live import endpoints

    for folder in namespace.outside:
        found = endpoints.from_outside(namespace.label, folder)
        if not any(answer.trouble and answer.status != "absent" for answer in found.answers):
            _add(visited, found)
            return


def _proc_net(label: str, folder: str) -> list[Answer]:
    """/proc/PID/net/*: the kernel's lines of listening TCP and unconnected UDP sockets, without those of connections."""
    answers = []
    for name, state in _PROC_NET.items():
        path = f"{folder}/{name}"
        command = f"builtin:proc-net-listening {quoted(path)}"
        try:
            with open(path, "rb") as file:
                header = next(file, b"").rstrip(b" \n")
                lines = [line.rstrip(b" \n") for line in file if line.split(None, 4)[3:4] in ([state.encode()], [])]
        except FileNotFoundError:
            continue
        except OSError as error:
            answers.append(Answer("proc-net", command, b"", "1", stderr=f"{path}: {error.strerror}\n".encode(), stack=label))
            continue
        answers.append(Answer("proc-net", command, b"\n".join((header, *lines, rows.ending(len(lines)))), stack=label))
    return answers


def _inodes(answers: list[Answer]) -> set[bytes]:
    """The inodes in /proc/net lines: their tenth field."""
    found: set[bytes] = set()
    for answer in answers:
        if answer.probe == "proc-net":
            found.update(fields[9] for line in answer.stdout.split(b"\n")[1:] if len(fields := line.split()) > 9)
    return found
