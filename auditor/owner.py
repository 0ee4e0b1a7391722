"""Who holds a thing: users, the files that they run, processes. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from stat import S_ISVTX, S_IWGRP, S_IWOTH
from typing import Any

from auditor.facts import Facts, Gap, Key, Record, UnknownFact, list_of, mapping

DELETED, ELSEWHERE = " (deleted)", " (in another mount namespace)"
"""Marks behind the path of an executable that is not the file at that path."""
FORGEABLE = " (in another user namespace)"
"""The mark behind a path that its process may have chosen: prctl(2), PR_SET_MM_MAP, asks for no right but one that any user has in a user
namespace of its own. A process whose memory another one shares can be named so by that one, and has no mark: an executable alone never
says who runs it."""
UNPROVEN = (ELSEWHERE, FORGEABLE)
"""With one of these a path approves nothing, and is never followed by another mark."""


def without_unproven(path: str) -> str:
    """The path without such a mark."""
    return next((path.removesuffix(mark) for mark in UNPROVEN if path.endswith(mark)), path)


IN_MEMORY = "/memfd:"
"""So the kernel names a file of memfd_create(2), in no file system. It can be made elsewhere too, but is the path of no program."""


class Identity(Record):
    """A user and a group, by number, in the reader's user namespace."""

    __slots__ = ()
    uid: Key[int] = Key(int)
    gid: Key[int] = Key(int)

    def fact_of(self, key: str) -> str:
        return "owners"


class Folder(Identity):
    """A folder above a program, as stat shows it: whose it is, and `mode`, the permission bits in octal digits, as "0755". `access_list`
    says whether it has an access control list that may let others write: the group bits show write and are its mask then."""

    __slots__ = ()
    path: Key[str] = Key(str)
    mode: Key[str] = Key(str)
    access_list: Key[bool] = Key(bool)

    @property
    def permissions(self) -> int:
        """`mode` as a number. Raises UnknownFact where it is none."""
        try:
            return int(self.mode, 8)
        except ValueError:
            raise UnknownFact("the evidence gives permission bits that are none", "owners") from None

    def open_to(self, owner: Owner) -> Iterator[str]:
        """Who may change it beside root and the user of the process, in words. A sticky folder lets nobody change what is another's. Raises
        UnknownFact where it depends on what is not shown, and behind all others where it depends on an access control list."""
        closed = self.permissions & S_ISVTX and not isinstance(self, File)
        listed = self.permissions & S_IWGRP and not closed
        if self.permissions & S_IWOTH and not closed:
            yield "every user"
        if listed and self.shown.get("access_list") is False and self.gid != 0 and not (owner.root and owner.root.gid == self.gid):
            yield f"group {self.gid}"
        if self.uid not in (0, owner.uid) and not (owner.root and owner.root.uid == self.uid):
            yield f"user {self.uid}"
        if listed and self.access_list:
            raise UnknownFact("an access control list decides who else may write; it was not read", "owners")


class File(Folder):
    """The file that a process runs, by stat of that very file, at whatever path. `at_path` says which file is at its path here: `itself`,
    `another` or `none`; where it is itself, `folders` are those above it, the innermost first."""

    __slots__ = ()
    at_path: Key[str] = Key(str)
    folders: Key[list[Folder]] = Key(list_of(Folder))


class Owner(Record):
    """A process that holds a socket. `process` is the name it gave itself and proves nothing. `executable` is the path that the kernel has,
    with the marks above: which program it is, not who runs it, and any user may run one with other code in it. `unit` and `container` come
    from its control group. `uid` is its effective user id, in the reader's user namespace; `root` is who root of its own user namespace is:
    0 everywhere but in containers that have one, null where it has no root."""

    __slots__ = ()
    pid: Key[int] = Key(int)
    process: Key[str] = Key(str)
    executable: Key[str | None] = Key(str, null=True)
    executable_file: Key[File | None] = Key(File.from_json, null=True)
    user: Key[str] = Key(str)
    uid: Key[int] = Key(int)
    unit: Key[str | None] = Key(str, null=True)
    container: Key[str | None] = Key(str, null=True)
    image: Key[str | None] = Key(str, null=True)
    """What the container was made of, as its runtime's files name it."""
    started: Key[str] = Key(str)
    root: Key[Identity | None] = Key(Identity.from_json, null=True)

    @property
    def executable_path(self) -> str | None:
        """`executable` without the marks."""
        path = self.executable
        return None if path is None else without_unproven(path).removesuffix(DELETED)

    def fact_of(self, key: str) -> str:
        return "owners"

    def __str__(self) -> str:
        return f"process {self.shown.get('pid', '?')}"


class Held(Record):
    """What processes hold: `owner_state` is `known` where every process was looked at and one was found, `owner_reason` why not, and
    `owners_seen` are those that were found. They are `owners` in JSON."""

    __slots__ = ()

    @property
    def owners(self) -> Facts[Owner]:
        """All holders; unless every process was looked at and one was found, there is a gap."""
        seen = self.shown.get("owners_seen", [])
        if self.shown.get("owner_state") == "known":
            return Facts(seen, self.shown.get("source", ""))
        why = self.shown.get("owner_reason", "the evidence does not show who holds it")
        return Facts(seen, self.shown.get("source", ""), [Gap(why)], fact="owners")

    def to_json(self) -> dict[str, Any]:
        plain = super().to_json()
        if "owners_seen" in plain:
            plain["owners"] = plain.pop("owners_seen")
        return plain

    @classmethod
    def from_json(cls, value: Any, where: str) -> Any:
        given = {key: item for key, item in mapping(value, where).items() if key != "owners_seen"}
        if "owners" in given:
            given["owners_seen"] = given.pop("owners")
        return super().from_json(given, where)
