"""The files that processes run, as the shell script shows them: what `ls -ln` says of each, and of the folders above it."""

from __future__ import annotations

import re
from stat import S_IWGRP

from auditor.collectors._linux_proc_text import Row, Text, by_path, targets
from auditor.owner import DELETED, IN_MEMORY, UNPROVEN

_LISTED = re.compile(r"[-d]([r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-])([.+]?) +[0-9]+ +([0-9]+) +([0-9]+) (.*) (/[^ ]*)")
_TOYBOX = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2} ")
"""A moment as the ls of toybox prints it, which shows no access control list, as that of busybox does not, which knows no -b."""
_EXECUTABLE = re.compile(r"(/proc/[0-9]+)(?:/task/[0-9]+)?(/exe)")
_SPECIAL = ((0o4000, 2), (0o2000, 5), (0o1000, 8))
"""The bits that `ls` shows in the place of a right to execute."""
_OWN = "/proc/self/ns/user"
_ROOT = "0:0"


class Files:
    """Gives the fields that the built-in probe has beside an executable's path (see `auditor.live.executables`)."""

    def __init__(self, text: Text) -> None:
        self._shown = text.has("files") and text.has("folders")
        marks = text.starting("executables ")[0].endswith("b")
        self._files = {
            of[1] + of[2]: said
            for name in ("files", "thread files")
            for path, said in rights(text.lines(name), marks).items()
            if (of := _EXECUTABLE.fullmatch(path))
        }
        self._folders = rights(text.lines("folders"), marks)
        self._at_path = {
            of[1] + of[2]: word
            for link, word in targets(text.lines("at the paths of deleted ones")).items()
            if (of := _EXECUTABLE.fullmatch(link))
        }
        self._namespaces = targets(text.lines("user namespaces")) if text.has("user namespaces") else None
        self._maps = by_path(text.lines("maps of user namespaces"))

    def of(self, pid: int, executable: str | None) -> Row:
        """file, at_path, folders and root of a process that runs `executable`."""
        if not executable:
            return (executable,) * 3 + ("",) if self._shown else ("",) * 4
        link = f"/proc/{pid}/exe"
        file, at_path, folders = self._files.get(link, ""), "", ""
        if executable.endswith(DELETED):
            at_path = "" if executable.startswith(IN_MEMORY) else self._at_path.get(link) or ""
        elif self._shown and not executable.endswith(UNPROVEN):
            at_path = "itself"
        if at_path == "itself":
            above = executable.split("/")[:-1]
            said = [self._folders.get("/".join(above[:end]) or "/", "") for end in range(len(above), 0, -1)]
            folders = " ".join(said) if all(said) else ""
        return file, at_path, folders, self._root(pid)

    def _root(self, pid: int) -> str | None:
        """Who root of its user namespace is, as the built-in tells it."""
        if self._namespaces is None:
            return ""
        theirs = self._namespaces.get(f"/proc/{pid}/ns/user")
        if _OWN not in self._namespaces or theirs == self._namespaces[_OWN]:
            return _ROOT if theirs or _OWN not in self._namespaces else ""
        ids = []
        for name in ("uid_map", "gid_map"):
            lines = [line.split() for line in self._maps.get(f"/proc/{pid}/{name}", [])]
            if theirs is None or not lines:
                return ""
            ids.append(next((words[1] for words in lines if words[:1] == ["0"]), None))
        return None if None in ids else f"{ids[0]}:{ids[1]}"


def rights(lines: list[str], marks: bool, bits: int = S_IWGRP) -> dict[str, str]:
    """MODE:UID:GID of files and folders, by path, from `ls -ln`; `marks` where it is one that marks access control lists, which count where
    the group has one of `bits`."""
    listed = [of for line in lines if (of := _LISTED.fullmatch(line))]
    return {of[6]: f"{_mode(of[1]):04o}{_access_list(of, marks, bits)}:{of[3]}:{of[4]}" for of in listed}


def _access_list(of: re.Match[str], marks: bool, bits: int) -> str:
    """The mark of `auditor.live.executables`. GNU ls prints `+` behind the mode of what has an access control list, of a folder also where
    it is for what is made in it alone, and `.` or nothing behind others."""
    if not _mode(of[1]) & bits or of[2] == ".":
        return ""
    return of[2] or ("" if marks and not _TOYBOX.search(of[5]) else "?")


def _mode(letters: str) -> int:
    """Permission bits from rwxr-xr-x: a small s or t is a right to execute too."""
    mode = sum(1 << 8 - at for at, letter in enumerate(letters) if letter in "rwxst")
    return mode | sum(bit for bit, at in _SPECIAL if letters[at] in "sStT")
