"""What evidence says of authbind's files: which there are, who may do what with them, what its byuid files allow."""

from __future__ import annotations

import socket
from stat import S_ISUID

from auditor.collectors._linux_access import EXECUTE, Rights
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.facts import Gap
from auditor.owner import File
from auditor.parsers import authbind_byuid, rows
from auditor.parsers.authbind_byuid import Allowed
from auditor.port_range import PORT_MAX, PortRange

ROOT = "/etc/authbind"
FOLDERS = ("byport", "byaddr", "byuid")
LOW, HIGH = PortRange(1, 511), PortRange(512, PORT_MAX)
"""The helper's halves: from IPPORT_RESERVED/2 on, names begin with `!` (helper.c)."""
_COLUMNS = "path state kind rights folders mount link"
_RULE_COLUMNS = "path line rule"
_KINDS = ("file", "folder", "other")


class Entry:
    """One file or folder. `asked` is what a caller must be allowed to get there and execute it, or search it; None where a part of that is
    not known. `trouble` is why it was not looked at, listed or read."""

    __slots__ = ("asked", "kind", "link", "mount", "name", "path", "rights", "trouble")

    def __init__(self, row: tuple[str | None, ...]) -> None:
        path, state, kind, rights, folders, mount, link = row
        if not path or not path.startswith("/") or (kind not in _KINDS and kind != ""):
            raise ValueError(path)
        self.path = path
        self.name = path.removeprefix(ROOT + "/")
        self.kind = kind
        self.trouble = None if state == "there" else state or "it was not said whether it is there"
        self.link = link
        self.mount = None if mount == "" else (mount or "").split(",")
        self.rights = _rights(rights)
        above = [_rights(word) for word in folders.split(" ")] if folders else []
        parts = [self.rights, *above]
        self.asked = [(part, EXECUTE) for part in parts if part is not None] if None not in parts else None

    @property
    def executable(self) -> bool:
        """Whether executing counts: not of a file that is mounted noexec (access(2))."""
        return self.kind != "file" or "noexec" not in (self.mount or [])

    @property
    def seen(self) -> str:
        """Its rights, for a reader."""
        rights = self.rights
        if rights is None:
            return f"{self.path}, whose mode was not shown"
        leads = f" leads to {self.link}, which" if self.link else ""
        listed = ", with an access control list" if rights.entries else ""
        return f"{self.path}{leads} is mode {rights.mode:04o}, owner {rights.uid}, group {rights.gid}{listed}"

    @property
    def file(self) -> File | None:
        rights = self.rights
        if rights is None:
            return None
        return File(path=self.path, mode=f"{rights.mode:04o}", uid=rights.uid, gid=rights.gid, access_list=bool(rights.entries))


def _rights(said: str | None) -> Rights | None:
    try:
        return Rights(said or "")
    except ValueError:
        return None


class Authbind:
    """`helpers` are the set-user-id programs of root that do the work, `folders` and `entries` what is in /etc/authbind, `rules` what its
    byuid files allow, each with the number of the line. Where nothing is installed, all are empty. `broken` are gaps that leave open what
    else there is, `gaps` those beside it."""

    def __init__(self, linux: LinuxEvidence) -> None:
        listed, gaps = linux.table("authbind", _COLUMNS, "builtin:authbind")
        told, more = linux.table("authbind", _RULE_COLUMNS, "builtin:authbind-rules")
        self.broken = [*gaps, *more, *linux.whole]
        self.gaps: list[Gap] = []
        self.helpers: list[Entry] = []
        self.folders: dict[str, Entry] = {}
        self.entries: dict[str, Entry] = {}
        self.rules: dict[str, list[tuple[int, Allowed]]] = {}
        for row in listed:
            if row[1] != "none":
                self._read(row)
        for row in told:
            self._rule(row)
        if not self.broken and not {ROOT, *(f"{ROOT}/{name}" for name in FOLDERS)} <= {row[0] for row in listed}:
            self.broken.append(Gap("builtin:authbind: the answer does not say what is in /etc/authbind"))

    def _read(self, row: tuple[str | None, ...]) -> None:
        try:
            entry = Entry(row)
        except ValueError:
            self._odd("builtin:authbind", row)
            return
        if not entry.path.startswith(ROOT):
            if entry.trouble or entry.rights is None or entry.mount is None:
                self.gaps.append(Gap(f"{entry.path}: {entry.trouble or 'whose it is, and how it is mounted, was not shown'}"))
            elif (
                entry.kind == "file" and entry.rights.mode & S_ISUID and entry.rights.uid == 0 and not {"nosuid", "noexec"} & {*entry.mount}
            ):
                self.helpers.append(entry)
        elif entry.path == ROOT or entry.name in FOLDERS:
            self.folders[entry.path.removeprefix(ROOT).removeprefix("/")] = entry
        else:
            self.entries[entry.name] = entry

    def _rule(self, row: tuple[str | None, ...]) -> None:
        path, number, text = row[0], rows.number(row[1]), row[2]
        if not path or number is None or text is None:
            self._odd("builtin:authbind-rules", row)
            return
        try:
            allowed = authbind_byuid.parse(text)
        except ValueError as problem:
            half = HIGH if path.rpartition("/")[2].startswith("!") else LOW
            self.gaps.append(Gap(f"{path}:{number}: what it allows is not known: {problem}", text[:200], ports=half))
            return
        if allowed:
            self.rules.setdefault(path.removeprefix(ROOT + "/"), []).append((number, allowed))

    def _odd(self, what: str, row: tuple[str | None, ...]) -> None:
        self.broken.append(Gap(f"{what}: a row cannot be read", "\t".join(word or "" for word in row)[:200]))

    def decided_by_port(self) -> set[int]:
        """The ports of which byport alone decides."""
        return {port for name in self.entries if name.startswith("byport/") and (port := port_of(name.removeprefix("byport/"))) is not None}


def port_of(name: str) -> int | None:
    """The port of a file's name as the helper asks for it; None of a name that it never asks for."""
    digits = name.removeprefix("!")
    port = rows.number(digits, PORT_MAX)
    if not port or str(port) != digits or (port >= HIGH.first) != name.startswith("!"):
        return None
    return port


def address_and_port(name: str) -> tuple[str, int] | None:
    """Of the name of a byaddr file: an address as inet_ntop(3) writes it, and the port; None of a name that the helper never asks for."""
    bare = name.removeprefix("!")
    bang = name[: len(name) - len(bare)]
    comma = "," in bare
    address, _, digits = bare.rpartition("," if comma else ":")
    port = port_of(bang + digits)
    if port is None:
        return None
    for family, whole in ((socket.AF_INET, False), (socket.AF_INET6, True))[: 2 if comma else 1]:
        try:
            packed = socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        usual = socket.inet_ntop(family, packed)
        spelt = ":".join(f"{int.from_bytes(packed[at : at + 2]):x}" for at in range(0, len(packed), 2))
        return (usual, port) if address == usual or (whole and address == spelt) else None
    return None
