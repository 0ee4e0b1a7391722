"""Who may bind, what asks for no port, and what binding really gave. No I/O, no operating system."""

from __future__ import annotations

import re
from stat import S_IWGRP, S_IWOTH, S_IXGRP, S_IXOTH
from typing import Any

from auditor.facts import Key, Malformed, Record, UnknownFact, list_of, port, texts, typed
from auditor.owner import File, Held, Owner
from auditor.port_range import PortRange

GRANT_PATHS = ("root", "process", "file-capability", "setuid", "unit", "socket-unit", "authbind", "threshold", "namespace-owner", "program",
               "wildcard", "portacl", "jail", "privilege")  # fmt: skip
"""How a privileged port can be had: what the evidence speaks of, whoever made it so."""


def _ranges(value: Any, where: str) -> list[PortRange]:
    """A JSON array of [first, last]."""
    found = []
    for at, pair in enumerate(typed(value, list, where)):
        numbers = [port(number, f"{where}[{at}]") for number in typed(pair, list, f"{where}[{at}]")]
        if len(numbers) != 2 or numbers[0] > numbers[1]:
            raise Malformed(f"{where}[{at}] is not a first and a last port")
        found.append(PortRange(*numbers))
    return found


def _ports(value: Any, where: str) -> list[int]:
    """A JSON array of ports."""
    return [port(number, f"{where}[{at}]") for at, number in enumerate(typed(value, list, where))]


def _id(value: Any, where: str) -> int:
    """The number of a user or a group."""
    number: int = typed(value, int, where)
    if number < 0:
        raise Malformed(f"{where} is no number of a user or a group: {number}")
    return number


def _ids(value: Any, where: str) -> list[int]:
    """A JSON array of such numbers."""
    return [_id(number, f"{where}[{at}]") for at, number in enumerate(typed(value, list, where))]


class Grant(Record):
    """A way to take privileged ports in a stack. `path` is one of GRANT_PATHS, `subject` what has it, told so that it outlives restarts,
    `scope` who can use it, in words; `via` is the reasoning, a step each. `everyone` and `root` say whether that is any user, or
    only who is root already. `file` is the file with the capability, `interpreter` the one that it is (null: none that is known), `bound`
    the sockets on privileged ports that its processes hold already, `processes` how many have it now."""

    __slots__ = ()
    path: Key[str] = Key(str)
    subject: Key[str] = Key(str)
    ports: Key[list[PortRange]] = Key(_ranges)
    protocol: Key[str] = Key(str)
    via: Key[list[str]] = Key(texts)
    scope: Key[str] = Key(str)
    everyone: Key[bool] = Key(bool)
    root: Key[bool] = Key(bool)
    uid: Key[int | None] = Key(int, null=True)
    user: Key[str | None] = Key(str, null=True)
    unit: Key[str | None] = Key(str, null=True)
    container: Key[str | None] = Key(str, null=True)
    executable: Key[str | None] = Key(str, null=True)
    file: Key[File | None] = Key(File.from_json, null=True)
    interpreter: Key[str | None] = Key(str, null=True)
    processes: Key[int] = Key(int)
    bound: Key[list[str]] = Key(texts)
    source: Key[str] = Key(str)

    def why_unknown(self, key: str) -> str:
        if key == "bound":
            return "whether who has the capability holds a privileged port already was not seen"
        return super().why_unknown(key)

    def allows(self, protocol: str, number: int) -> bool:
        """Whether it gives this port."""
        return self.protocol in ("any", protocol) and any(number in ports for ports in self.ports)

    def fact_of(self, key: str) -> str:
        return "grants"

    def to_json(self) -> dict[str, Any]:
        plain = super().to_json()
        if "ports" in self.shown:
            plain["ports"] = [[ports.first, ports.last] for ports in self.ports]
        return plain

    def __str__(self) -> str:
        return f"{self.shown.get('path', '?')} {self.shown.get('subject', '?')}"


def _file_at_path(value: Any, where: str) -> File:
    """A JSON object of a file that says where it is."""
    file: File = File.from_json(value, where)
    if "path" not in file.shown:
        raise Malformed(f"{where} has no path")
    return file


class Endpoint(Held):
    """A socket that is no port but is asked about in reviews. `kind`: `packet` (AF_PACKET: `protocol` is what it is told of, `device` the
    interface, null for each), `raw` (`protocol` is IP's), `unix` (a listener of AF_UNIX: `protocol` is stream, dgram or seqpacket; `path`
    as it was bound, `@` and the name where it is `abstract`; `file` is who may use it through that path, `file.path` the path without
    links; null where no file that the auditor sees there is this socket). `socket_unit` is the systemd unit that declares it, null where
    none does or another one than process 1 holds it."""

    __slots__ = ()
    kind: Key[str] = Key(str)
    protocol: Key[str] = Key(str)
    family: Key[str] = Key(str)
    address: Key[str] = Key(str)
    device: Key[str | None] = Key(str, null=True)
    path: Key[str | None] = Key(str, null=True)
    abstract: Key[bool] = Key(bool)
    file: Key[File | None] = Key(_file_at_path, null=True)
    socket_unit: Key[str | None] = Key(str, null=True)
    uid: Key[int] = Key(int)
    owner_state: Key[str] = Key(str)
    owner_reason: Key[str] = Key(str)
    owners_seen: Key[list[Owner]] = Key(list_of(Owner))
    source: Key[str] = Key(str)

    def fact_of(self, key: str) -> str:
        return "owners" if key.startswith("owner") else "endpoints"

    @property
    def subject(self) -> str:
        """What it is, told so that it outlives restarts: a path, or what it takes and the programs of those who hold it."""
        shown, path = self.shown, self.shown.get("path")
        protocol = shown.get("protocol", "?")
        if shown.get("kind") == "packet":
            return f"{shown.get('device', 'an interface that is not shown') or 'every interface'} ({protocol}) by {self._holders}"
        if path is None:
            return f"{shown.get('family', '?')} {protocol} by {self._holders}"
        if shown.get("abstract"):
            return f"@ and what the kernel chose by {self._holders}" if _KERNEL_GIVEN.fullmatch(path) else path
        file = shown.get("file")
        return path if path.startswith("/") else (file and file.shown.get("path")) or f"./{path}"

    @property
    def _holders(self) -> str:
        programs = {owner.shown.get("executable") or owner.shown.get("unit") or "?" for owner in self.shown.get("owners_seen", [])}
        return ", ".join(sorted(programs)) or "nobody in view"

    @property
    def open_to_all(self) -> bool:
        """Whether every user may use it through its path: connect to it, or send to it. Raises UnknownFact where that is not shown."""
        return self._open_to(S_IXOTH, S_IWOTH)

    @property
    def open_to_others(self) -> bool:
        """Whether users beside its owner and root may, every one or some. Raises UnknownFact where that is not shown."""
        return self._open_to(S_IXGRP | S_IXOTH, S_IWGRP | S_IWOTH)

    def _open_to(self, search: int, write: int) -> bool:
        """Whether one of the bits `write` is set of it, and one of the bits `search` of each folder above: unix(7), "Pathname socket
        ownership and permissions"."""
        file, why = self.file, None
        for bits, part in [(search, folder) for folder in file.folders] + [(write, file)] if file else []:
            try:
                if not part.permissions & bits:
                    return False
            except UnknownFact as unknown:
                why = why or UnknownFact(str(unknown), self.fact_of("file"))
        if why is not None:
            raise why
        return file is not None

    def __str__(self) -> str:
        return f"{self.shown.get('kind', '?')} {self.subject}"


_KERNEL_GIVEN = re.compile("@[0-9a-f]{5}")
"""A name of the abstract space that the kernel chose (unix(7), autobind), or one that looks so."""


class Attempt(Record):
    """A bind that was tried: `result` is `ok`, `moved` where another port or address was given, or the name of the errno. Port 0 is one
    that was left to the kernel, which then gave none."""

    __slots__ = ()
    port: Key[int] = Key(port)
    result: Key[str] = Key(str)


class Measured(Record):
    """What binding really gave, of one protocol, family and address, to a user: `gids` are its groups, `through` the words of the launcher,
    null without one, `launcher` the path of its program, `python` the program that tried. `executed`: it was started anew, and so has what
    its file grants; else it is a fork of ours without any capability. `capable`: it had the one to take privileged ports. `under` is what
    else held for it, as the kernel says. `namespace_owner` is the user who owns the stack's user namespace from the one in which it was
    tried, null where none does. `left_out` are the ports that were not tried, a reason each. `automatic` are the ports that bind(0) gave,
    in their order."""

    __slots__ = ()
    protocol: Key[str] = Key(str)
    family: Key[str] = Key(str)
    address: Key[str] = Key(str)
    uid: Key[int] = Key(int)
    gids: Key[list[int]] = Key(_ids)
    through: Key[str | None] = Key(str, null=True)
    launcher: Key[str | None] = Key(str, null=True)
    python: Key[str] = Key(str)
    executed: Key[bool] = Key(bool)
    capable: Key[bool] = Key(bool)
    under: Key[list[str]] = Key(texts)
    namespace_owner: Key[int | None] = Key(_id, null=True)
    left_out: Key[list[str]] = Key(texts)
    attempts: Key[list[Attempt]] = Key(list_of(Attempt))
    automatic: Key[list[int]] = Key(_ports)
    source: Key[str] = Key(str)

    @property
    def lowest(self) -> int | None:
        """The lowest port that could be taken; None where none of those that were tried."""
        return min((one.port for one in self.attempts if one.result == "ok"), default=None)

    def fact_of(self, key: str) -> str:
        return "measured"

    def __str__(self) -> str:
        address = self.shown.get("address", "?")
        shown = f"[{address}]" if ":" in address else address
        through = self.shown.get("through")
        return f"bind {self.shown.get('protocol', '?')}/{shown}" + (f" through {through}" if through else "")
