"""Files with capabilities as the shell script shows them: the word of getcap(8) of files that it was asked for one by one."""

from __future__ import annotations

import re
from stat import S_IRWXG

from auditor.collectors._linux_evidence import Rows
from auditor.collectors._linux_file_search import MISSED_COLUMNS, SEARCHED_COLUMNS
from auditor.collectors._linux_granted_by_files import FILE_COLUMNS
from auditor.collectors._linux_proc_text import Text
from auditor.collectors._linux_script_executables import rights
from auditor.collectors._linux_script_mounts import mount_options
from auditor.facts import Gap

_NO_GETCAP = (
    "files with capabilities were not searched for: getcap is not installed (libcap2-bin of Debian and Ubuntu, libcap of Fedora and RHEL, "
    "libcap-progs of SUSE, libcap-getcap of Alpine)"
)
_NOT_COMPARED = "files with capabilities: the programs that processes run were not looked at, for want of a test that compares files (-ef)"
_HARMLESS = ("(No such file or directory)", "(Operation not supported)", "(No data available)")
"""What getcap says of files that were gone, and of file systems that keep no capabilities."""
_LINKS = re.compile(r"-\S+ +([0-9]{1,10}) ")
_SECTION = "in "
_EXAMPLES = 3
_REFUSED = "Permission denied"


class GrantingFiles:
    """The tables of auditor.live.granting_files: `files`, `searched` and `missed`, and `gaps` beside what was missed. `unreadable` are the
    processes whose program was not shown."""

    def __init__(self, text: Text, unreadable: list[int]) -> None:
        self.files: Rows = []
        self.searched: Rows = []
        self.missed: Rows = []
        self.gaps = list(text.gaps)
        self.gaps += [_gap("something went wrong", line) for line in text.errors if not line.endswith(_HARMLESS)]
        if text.has("no getcap"):
            self.gaps.append(Gap(_NO_GETCAP))
        how, *lines = text.lines() or [""]
        self._marks = how.endswith("b")
        self._mounts = mount_options([line for name in text.names() for line in text.lines(name)])
        for line in lines:
            self._miss(None, line)
        for name in text.names():
            if name.startswith(_SECTION):
                self._section(name.removeprefix(_SECTION), text.lines(name))
        if unreadable and text.has("in process"):
            examples = [f"/proc/{pid}/exe" for pid in unreadable[:_EXAMPLES]]
            self.missed += [("process", None, "unreadable", _REFUSED, str(len(unreadable)), path) for path in examples]
        paths = [row[0] for row in self.files]
        self.gaps += [_gap("getcap names it twice", path or "") for path in dict.fromkeys(paths) if paths.count(path) > 1]

    def tables(self) -> list[tuple[str, str, tuple[Rows, list[Gap]]]]:
        """Commands, columns, and rows with gaps."""
        return [
            ("builtin:granting-files", FILE_COLUMNS, (self.files, self.gaps)),
            ("builtin:searched", SEARCHED_COLUMNS, (self.searched, [])),
            ("builtin:not-searched", MISSED_COLUMNS, (self.missed, [])),
        ]

    def _section(self, where: str, lines: list[str]) -> None:
        """A place that was searched: files, each with what is said of it, and what could not be looked at."""
        self.searched.append((*_place(where), ""))
        blocks: list[list[str]] = []
        for line in lines:
            if line.startswith("file /"):
                blocks.append([line.removeprefix("file ")])
            elif line.startswith(("has ", "same /", "-", "d", "mount ", "/proc/self/mountinfo:")) or line == "compared":
                if blocks:
                    blocks[-1].append(line)
            else:
                self._miss(where, line)
        self.files += [_file(path, said, self._marks, self._mounts.get(path)) for path, *said in blocks]

    def _miss(self, where: str | None, line: str) -> None:
        """A line about what was not looked at."""
        word, _, rest = line.partition(" ")
        first, _, more = rest.partition(" ")
        found = _place(where or first)
        if word == "remote":
            kind, _, mount = more.partition(" ")
            self.missed.append((*found, "remote", kind, "1", mount))
        elif word == "unresolved":
            self.missed.append((*found, "unresolved", "", "1", more))
        elif word == "unread":
            self.missed.append((*found, "unreadable", _REFUSED, "1", more or first))
        elif line == "not compared":
            self.gaps.append(Gap(_NOT_COMPARED))
        else:
            self.gaps.append(_gap("what getcap says cannot be read", line))


def _gap(why: str, line: str) -> Gap:
    return Gap(f"files with capabilities: {why}", line[:200])


def _place(where: str) -> tuple[str, str | None]:
    return ("path", where) if where.startswith("/") else (where, None)


def _file(path: str, said: list[str], marks: bool, mount: list[str] | None) -> tuple[str | None, ...]:
    """A row of FILE_COLUMNS, of which nothing is told that was not shown."""
    listed = rights(said, marks, S_IRWXG)
    above = path.split("/")[:-1]
    folders = [listed.get("/".join(above[:end]) or "/", "") for end in range(len(above), 0, -1)]
    links = next((of[1] for line in said if (of := _LINKS.match(line))), "")
    same = [line.removeprefix("same ") for line in said if line.startswith("same /")]
    return (
        path, next((line.removeprefix("has ").strip() for line in said if line.startswith("has ")), ""), listed.get(path, ""),
        " ".join(folders) if all(folders) else "", links, "" if mount is None else " ".join(mount) or None,
        "/".join(same) or (None if "compared" in said else ""),
    )  # fmt: skip
