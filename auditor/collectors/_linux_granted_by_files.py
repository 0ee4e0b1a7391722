"""Files that give whoever runs them CAP_NET_BIND_SERVICE (capabilities(7), "File capabilities"), as they were searched for on the host."""

from __future__ import annotations

from stat import S_IXGRP, S_IXOTH, S_IXUSR
from typing import Any

from auditor.binding import Grant
from auditor.collectors import _linux_privileged_ports as privileged_ports
from auditor.collectors._linux_file_search import gaps, limits
from auditor.collectors._linux_question import Granted, Question
from auditor.facts import Gap, UnknownFact
from auditor.owner import File, Folder
from auditor.parsers import file_capability, getcap, rows
from auditor.parsers.file_capability import FileCapability

FILE_COLUMNS = "path capability file folders links mount same"
_ELSEWHERE = (
    "Of network namespaces beside the host's own it is told who has the capability there, not which files would give it: neither those of "
    "containers nor the host's own, where programs in such a namespace can run them."
)
_NO_GRANT_ON = {"nosuid": "the kernel takes no capability from a file there", "noexec": "the kernel runs no file there"}
"""execve(2) and mount(8) of these options of a mount."""


def granted(question: Question) -> Granted:
    """A grant in the host's own stack for each such file. One that gives nothing, as on a mount with nosuid, is a grant of no ports that
    says why; one that has other capabilities alone is none."""
    if question.namespace.kind != "host":
        return Granted(gaps=question.namespace.doubt, limits=(_ELSEWHERE,))
    linux = question.linux
    found, unread = linux.table("granting-files", FILE_COLUMNS, "builtin:granting-files")
    said = Granted(gaps=[*unread, *gaps(linux)], limits=[*limits(linux), _ELSEWHERE])
    if privileged_ports.none_needed(question):
        return said
    for row in found:
        path, capability = row[0], file_capability.decode(row[1]) or _of_getcap(row[1])
        if not path or capability is None:
            said.gaps.append(Gap(f"the capabilities of {path or 'a file'} cannot be read", "\t".join(word or "-" for word in row)[:200]))
        elif flags := capability.has(file_capability.NET_BIND_SERVICE):
            said.grants.append(_grant(question, path, capability, flags, row))
    return said


def _grant(question: Question, path: str, capability: FileCapability, flags: str, row: tuple[str | None, ...]) -> Grant:
    _, _, rights, folders, links, mount, same = row
    owner = question.owners.described(0, (None, "", "", "", path, "", rights, "itself", folders, ""))
    file = owner.shown.get("executable_file")
    nobodys = dict.fromkeys(("uid", "user", "unit", "container"))
    shown: dict[str, Any] = {**nobodys, "executable": path, **privileged_ports.given(question)}
    revision = "" if capability.revision is None else f"revision {capability.revision}, "
    via = [f"{path} has the extended attribute security.capability: {revision}cap_net_bind_service={flags}"]
    if why := _gives_nothing(capability, flags, mount):
        shown["ports"] = []
        via += [why, "so it gives no port"]
    else:
        via.append(_in_force(flags))
        if mount == "":
            shown.pop("ports", None)
            via.append("whether the mount that it lies on has nosuid or noexec, by which it gives nothing, is not shown")
    said, interpreter = _interpreter(question, path, same)
    shown |= interpreter
    via += said
    if (names := rows.number(links)) is not None and names > 1:
        via.append(f"the file has {names} names (hard links): each gives the same")
    who = _who(question, file, path)
    shown |= {"scope": who.words, "root": who.root, **({} if who.everyone is None else {"everyone": who.everyone})}
    if file is not None:
        shown["file"] = file
        via.append(f"it is mode {file.mode}, owner {file.uid}, group {file.gid}: {who.words} may run it")
    if not why:
        via.append(f"so {who.words} may bind {privileged_ports.in_words(question)} by it")
    return Grant(path="file-capability", subject=path, via=via, source=f"security.capability of {path}", **shown)


def _of_getcap(said: str | None) -> FileCapability | None:
    """The same from the words of getcap(8), which does not tell the revision, and of one capability alone."""
    told = getcap.of_net_bind_service(said or "")
    if told is None:
        return None
    sets, root = told
    permitted, inheritable = (int(letter in sets) << file_capability.NET_BIND_SERVICE for letter in "pi")
    return FileCapability(None, "e" in sets, permitted, inheritable, root)


def _gives_nothing(capability: FileCapability, flags: str, mount: str | None) -> str | None:
    """Why it gives whoever runs it nothing; None where it does."""
    if "p" not in flags:
        return "it is inheritable only: it gives nothing to who does not have it in the inheritable set already, as by pam_cap(8)"
    if capability.root_id:
        return f"it counts in user namespaces alone whose root is user {capability.root_id}, not in the host's own"
    for option in (mount or "").split(" "):
        if option in _NO_GRANT_ON:
            return f"it lies on a mount with {option}: {_NO_GRANT_ON[option]}"
    return None


def _in_force(flags: str) -> str:
    if "e" in flags:
        return "the effective flag is set: who runs it has the capability in force at once"
    return "the effective flag is not set: the program itself has to raise the capability (capset(2))"


def _interpreter(question: Question, path: str, same: str | None) -> tuple[list[str], dict[str, str | None]]:
    """What says that it is an interpreter, by its name or its bytes, in words and as a grant's key; no key where that is not known."""
    twins = [f"/{other.removeprefix('/')}" for other in same.split("//")] if same else []
    for of, says in ((path, "by its name"), *((twin, f"its bytes are those of {twin}:") for twin in twins)):
        if one := question.tables.interpreter(of):
            return [f"{says} it is {one.name}, which {one.why}"], {"interpreter": one.name}
    return [], {} if same == "" else {"interpreter": None}


class _Who:
    """Who may run a file, in `words`; `everyone` is None where that is not known, `root` whether only who is root already."""

    __slots__ = ("everyone", "root", "words")

    def __init__(self, words: str, everyone: bool | None, root: bool = False) -> None:
        self.words = words
        self.everyone = everyone
        self.root = root


def _who(question: Question, file: File | None, path: str) -> _Who:
    """By the modes of the file and of the folders above it: who has to pass the narrowest of them. Whom an access control list lets through
    is not known, but nobody passes what has none and lets root alone through."""
    try:
        gates = [] if file is None else [gate for gate in (file, *file.shown.get("folders", ())) if not gate.permissions & S_IXOTH]
    except UnknownFact:
        file, gates = None, []
    listed = next((gate for gate in gates if _by_access_list(gate)), None)
    admitted = min((_admitted(question, gate) for gate in gates if not _by_access_list(gate)), key=len, default=None)
    if listed is not None and admitted != []:
        return _Who(_listed(listed, file) if listed.shown.get("access_list") else f"whoever may run {path}", None)
    if admitted is not None:
        return _Who(" and ".join(admitted) or "root", False, not admitted)
    if file is None or "folders" not in file.shown:
        return _Who(f"whoever may run {path}", None)
    return _Who("everyone", True)


def _by_access_list(gate: Folder) -> bool:
    """Whether an access control list lets others through, or may: the group bits are its mask then (acl(5))."""
    return bool(gate.permissions & S_IXGRP) and gate.shown.get("access_list") is not False


def _listed(gate: Folder, file: File | None) -> str:
    return f"whoever {'its access list' if gate is file else f'the access list of {gate.path}'} lets"


def _admitted(question: Question, gate: Folder) -> list[str]:
    """Who is let through by a file or folder that is not open to others, beside root."""
    mode = gate.permissions
    user = [f"user {question.owners.user(gate.uid) or gate.uid}"] if mode & S_IXUSR and gate.uid else []
    return user + ([f"group {gate.gid}"] if mode & S_IXGRP and gate.gid else [])
