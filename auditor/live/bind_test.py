"""What binding really gives an unprivileged user: a child becomes that user, for good, and tries (`bind_attempts`).

Left out is every port that is in use in the stack, that an earlier answer of this run shows as held there, that a policy names, or that a
unit file names. A child that would still have a capability tries nothing.
"""

from __future__ import annotations

import json
import os
import re
import time

from auditor.child import CHILD_ENVIRONMENT
from auditor.evidence import Answer, quoted
from auditor.live import addresses, bind_attempts, files, namespaces, rows, socket_units, sockets, user_namespaces
from auditor.live.drop import Unable, User, may_become, run_as
from auditor.live.entering import from_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.live.namespaces import Namespace

DEFAULT_USER = "nobody"
AUTOMATIC = 48
SECONDS, SECONDS_STARTED = 30, 120
"""How long all of it may take, whatever that user's other processes do to it; and where a program is started: a launcher may start one
more for each port that is tried."""
COLUMNS = "name value"
_ADDRESSES = addresses.COLUMNS.split(" ")
_LISTEN = (b"ListenStream", b"ListenDatagram", b"ListenSequentialPacket")
_PORT = re.compile(rb"(?:^|:)([0-9]{1,5})(?:%[^%]*)?$")
_INSTANCE = re.compile(rb"@([0-9]{1,5})\.socket$")
_AUTHBIND = "/etc/authbind"
_AUTHBIND_PORTS = re.compile(r"[:,]([0-9]+)(?:[-,]([0-9]+))?\s*$")


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Of each stack two answers: rows of name and value (who tried, what was left out), and rows of bind_attempts.COLUMNS. `bind-test` in
    the notebook may have: `user` (name or uid:gid), `avoid` (first and last of ports that a policy names), `launcher` (words), `python` (a
    path), `every` (bool), `stacks` (labels; all where it is not there)."""
    given = notebook.get("bind-test")
    options = given if isinstance(given, dict) else {}
    known = notebook.get("namespaces")
    found = known if isinstance(known, namespaces.Found) else namespaces.find()
    wanted = [one for one in found.namespaces if options.get("stacks") is None or one.label in options["stacks"]]
    try:
        test = _Test(options, notebook.get("sockets"))
    except Unable as why:
        yield from (_refusal(one, str(why)) for one in wanted)
        return
    for one in wanted:
        if one.own:
            yield from test.in_stack(one)
    others = [one for one in wanted if not one.own]
    if others:
        yield from _elsewhere(test, others)


class _Test:
    """What is the same in every stack."""

    def __init__(self, options: dict[str, object], held: object) -> None:
        launcher, python = options.get("launcher") or [], options.get("python")
        self._user = may_become(User.named(str(options["user"])) if options.get("user") else None, DEFAULT_USER)
        self._every = bool(options.get("every"))
        self._launcher: list[str] = [str(word) for word in launcher] if isinstance(launcher, list) else []
        self._program = [*self._launcher, str(python or os.path.realpath("/proc/self/exe"))] if launcher or python else []
        self._policy = _numbers(options.get("avoid"))
        self._units = named_in_units()
        self._held = held if isinstance(held, dict) else {}
        self._protocols = sockets.known_protocols()
        self._deadline = time.monotonic() + (SECONDS_STARTED if self._program else SECONDS)

    def in_stack(self, namespace: Namespace) -> Iterator[Answer]:
        """The answers of the stack this process is in."""
        if time.monotonic() >= self._deadline:
            yield _refusal(namespace, "the time for the test is over")
            return
        try:
            used = sockets.ports_in_use(self._protocols) | _held_ports(self._held.get(namespace.label, b""))
        except OSError as error:
            yield _refusal(namespace, f"nothing was tried: {error.strerror}")
            return
        places = _places()
        plan = {
            "places": places, "avoid": _ranges(used | self._policy | self._units), "spots": self._spots(), "every": self._every,
            "automatic": AUTOMATIC,
        }  # fmt: skip
        with open(bind_attempts.__file__, encoding="utf-8") as file:
            argv = [*self._program, "-I", "-c", file.read()] if self._program else None
        said = run_as(self._user, argv, bind_attempts.main, json.dumps(plan).encode(), self._deadline - time.monotonic(), CHILD_ENVIRONMENT)
        opening = bind_attempts.table(bind_attempts.ABOUT, []).split("\n")[0].encode() + b"\n"
        _, mark, tables = said.stdout.partition(opening)
        about, more, attempts = tables.partition(b"\n" + bind_attempts.COLUMNS.replace(" ", "\t").encode() + b"\n")
        if not mark or not more or said.status != "0":
            yield _refusal(namespace, f"trying as {self._user} failed ({said.status}): {said.why}")
            return
        head = [line for line in about.split(b"\n")[:-1] if line]
        head += [b"%s\t%s" % (name, value) for name, value in self._own_words(namespace, used)]
        yield Answer("bind-test", "builtin:bind-test", rows.table(COLUMNS, head), stack=namespace.label)
        yield Answer("bind-test", "builtin:bind-attempts", more[1:] + attempts, stack=namespace.label)

    def _own_words(self, namespace: Namespace, used: set[int]) -> Iterator[tuple[bytes, bytes]]:
        """Rows that only we know: `executed`, 1 where the program was started anew and so got what its file grants."""
        yield b"executed", b"%d" % bool(self._program)
        yield b"launcher", rows.field(os.fsencode(" ".join(map(quoted, self._launcher)))) if self._launcher else b"-"
        if self._launcher:
            import shutil

            path = shutil.which(self._launcher[0], path=CHILD_ENVIRONMENT["PATH"])
            yield b"launcher_program", rows.field(os.fsencode(os.path.realpath(path))) if path else b"-"
        owner = _owner(namespace)
        yield b"namespace_owner", b"-" if owner is None else owner
        try:
            yield b"selinux", files.content("/sys/fs/selinux/enforce").strip()
        except OSError:
            yield b"selinux", b"-"
        for name, ports in ((b"in_use", used), (b"in_policy", self._policy), (b"in_units", self._units)):
            yield name, ",".join(f"{first}-{last}" if first != last else str(first) for first, last in _ranges(ports)).encode() or b"-"

    def _spots(self) -> list[int]:
        """Ports that authbind's files speak of, where it is used."""
        if not any(word.rpartition("/")[2] == "authbind" for word in self._launcher):
            return []
        found: set[int] = set()
        for folder in ("byport", "byaddr"):
            found |= {int(name) for one in _listed(f"{_AUTHBIND}/{folder}") if (name := re.split("[,:]", one)[-1].lstrip("!")).isdigit()}
        for name in (str(self._user.uid), f"!{self._user.uid}"):
            try:
                lines = files.content(f"{_AUTHBIND}/byuid/{name}").decode("ascii", "replace").split("\n")
            except OSError:
                continue
            found |= {int(end) for line in lines if (said := _AUTHBIND_PORTS.search(line)) for end in said.groups() if end}
        return sorted(near for port in found for near in (port - 1, port, port + 1) if 0 < near <= bind_attempts.PORT_MAX)


def _refusal(namespace: Namespace, why: str) -> Answer:
    return Answer("bind-test", "builtin:bind-test", b"", "1", stderr=f"{why}\n".encode("utf-8", "backslashreplace"), stack=namespace.label)


def _elsewhere(test: _Test, others: list[Namespace]) -> Iterator[Answer]:
    def plain(namespace: Namespace) -> list[tuple[str, bytes, str, bytes]]:
        return [(answer.command, answer.stdout, answer.status, answer.stderr) for answer in test.in_stack(namespace)]

    for namespace, seen, why in from_inside(others, plain):
        if seen is None:
            yield _refusal(namespace, why)
            continue
        for command, stdout, status, stderr in seen:
            yield Answer("bind-test", command, stdout, status, stderr=stderr, stack=namespace.label)


def _places() -> list[tuple[str, str, str, int]]:
    """Protocol, family, address and scope: wildcard, loopback, and of each family an address of this stack, of one that is not link-local
    where there is one."""
    found: dict[str, tuple[str, int]] = {}
    for line in addresses.table().decode("utf-8", "backslashreplace").split("\n")[1:-2]:
        told = dict(zip(_ADDRESSES, line.split("\t"), strict=True))
        address = told["address"]
        if address != "-" and told["kind"] != "loopback" and not address.startswith("127."):
            family = "ipv6" if ":" in address else "ipv4"
            local = address.startswith("fe80:")
            if family not in found or (not local and found[family][1]):
                found[family] = (address, int(told["ifindex"]) if local else 0)
    of = {"ipv4": [("0.0.0.0", 0), ("127.0.0.1", 0)], "ipv6": [("::", 0), ("::1", 0)]}  # noqa: S104 - bound by a child, never listened on
    return [
        (protocol, family, address, scope)
        for protocol in ("tcp", "udp")
        for family, known in of.items()
        for address, scope in [*known, *([found[family]] if family in found else [])]
    ]


def _owner(namespace: Namespace) -> bytes | None:
    """The user, by number, who has every capability in the user namespace that owns the stack although it is in our own: who made that one,
    or the one above it that is a child of ours (cap_capable, security/commoncap.c). None where our own owns it, or one above or beside."""
    known = user_namespaces.Owners([namespace])
    at, ours = known.of.get(namespace.label), user_namespaces.own()
    lines = [line.split(b"\t") for line in known.tables()[1].split(b"\n")[1:-2]]
    above = {int(line[0]): (line[2], line[3]) for line in lines}
    while at is not None and at != ours:
        parent, owner = above.get(at, (b"", b""))
        if not parent.isdigit():
            return b""
        if int(parent) == ours:
            return owner
        at = int(parent)
    return None


def named_in_units() -> set[int]:
    """The ports in what .socket units listen on, and in the names of their instances."""
    told = {answer.command: answer.stdout.split(b"\n")[1:-2] for answer in socket_units.ask({})}
    found: set[int] = set()
    for line in told["builtin:socket-units"]:
        unit, _, _, directive, value = line.split(b"\t")
        found |= _ports_in(_INSTANCE, unit)
        if directive in _LISTEN:
            found |= _ports_in(_PORT, value)
    for line in told["builtin:unit-links"]:
        found |= _ports_in(_INSTANCE, line.split(b"\t")[0])
    return found


def _ports_in(pattern: re.Pattern[bytes], text: bytes) -> set[int]:
    found = pattern.search(text)
    return {int(found[1])} if found and 0 < int(found[1]) <= bind_attempts.PORT_MAX else set()


def _held_ports(table: bytes) -> set[int]:
    """The ports in rows of `auditor.live.sockets`."""
    column = sockets.COLUMNS.split(" ").index("port")
    fields = [line.split(b"\t") for line in table.split(b"\n")[1:]]
    return {int(row[column]) for row in fields if len(row) > column and row[column].isdigit()}


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _numbers(ranges: object) -> set[int]:
    pairs: Iterable[tuple[int, int]] = ranges if isinstance(ranges, list) else ()
    return {port for first, last in pairs for port in range(first, last + 1) if port}


def _ranges(ports: set[int]) -> list[tuple[int, int]]:
    """First and last of each run."""
    found: list[tuple[int, int]] = []
    for port in sorted(ports - {0}):
        if found and found[-1][1] == port - 1:
            found[-1] = (found[-1][0], port)
        else:
            found.append((port, port))
    return found
