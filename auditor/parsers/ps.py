"""ps of any system: the user and, where only a name was asked for, the name of each process.

      PID   UID USER             COMM
      411  1004 ann              /Applications/Heron.app/Contents/MacOS/Heron

Columns are those of -o (`-axo pid,uid,user,comm`, also with headers of one's own, `pid=`) or else those of the header (`ps aux`, `ps -ef`).

Arguments are never kept: they may hold secrets. A column of them (args, command, cmd; the last of `ps aux` and `ps -ef`) is dropped, and
where there may be one no list of this module has more of a line than its first two words, or less where those may be arguments.

`comm` is a name the process may choose: on Linux it is 15 characters of what it calls itself, on macOS the first word with which it was
started, most often its path, or `(name)` where that cannot be read. It proves nothing, so that no executable is told from it.
USER of more than 8 characters is cut on Linux (`+` at its end: not kept), or is a number; UID is a name with -f of most systems.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.command import Command
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import is_echo
from auditor.reading import Output, Processes

_KEYWORDS = {
    "pid": "PID", "tgid": "PID", "uid": "UID", "euid": "UID", "user": "USER", "euser": "USER", "uname": "USER",
    "comm": "NAME", "ucomm": "NAME", "ucmd": "NAME", "fname": "NAME",
}  # fmt: skip
_HEADERS = {"PID": "PID", "UID": "UID", "EUID": "UID", "USER": "USER", "EUSER": "USER"}
_ONE_WORD = frozenset(
    (
        "PPID", "PGID", "PGRP", "SID", "SESS", "JOBC", "GID", "EGID", "RUID", "SVUID", "RGID", "RUSER", "SUSER", "GROUP", "RGROUP", "TT",
        "TTY", "S", "STAT", "STATE", "F", "C", "CPU", "%CPU", "PCPU", "%MEM", "PMEM", "PRI", "NI", "NICE", "VSZ", "VSIZE", "RSS", "SZ",
        "TIME", "ETIME", "ELAPSED", "JID", "NLWP", "LWP", "TID",
    )
)  # fmt: skip
"""Columns whose cells are surely one word."""
_ARGUMENTS = "arguments"
_WORDS_KEPT = 2
_NOTHING_KEPT = "..."
_NAME_WIDTH = 16
"""The width of macOS' comm where it is not the last column: longer ones are cut (keyword.c)."""
_VALUES = "pUGgtCsqNM"
"""Letters of options that take a value, after which no `o` is an option."""


class _Columns:
    """The columns of the table: PID, UID, USER, NAME, a header of one word, or `arguments` for what may be anything."""

    def __init__(self, names: list[str], *, headed: bool) -> None:
        self.names = names
        self.headed = headed
        self.free = [at for at, name in enumerate(names) if name == _ARGUMENTS or name == "NAME"]
        self.secret = _ARGUMENTS in names or not names

    def kept(self, line: str) -> str:
        """What is kept of a line: all of it only where no column may hold arguments."""
        if not self.secret:
            return line
        before = self.free[0] if self.free else 0
        return " ".join(line.split()[: min(before, _WORDS_KEPT)]) or _NOTHING_KEPT

    def cells(self, line: str) -> dict[str, str] | None:
        """The cells that are wanted; None where they cannot be told apart: more than one column may hold blanks before the last one."""
        first = self.free[0] if self.free else len(self.names)
        words = line.split(None, first)
        if len(words) < min(first + 1, len(self.names)):
            return None
        found = dict(zip(self.names[:first], words, strict=False))
        if len(self.free) == 1:
            after = self.names[first + 1 :]
            parts = words[first].rsplit(None, len(after)) if after else [words[first]]
            if len(parts) != len(after) + 1:
                return None
            found |= dict(zip(self.names[first:], parts, strict=True))
        elif not self.free and len(words) != len(self.names):
            return None
        return found if "PID" in found else None


def parse(output: Output) -> Processes:
    """`user` or `uid`, and `process`, by pid."""
    read = Processes()
    lines = output.lines()
    header = next((line.split() for line in lines if "PID" in line.split()), [])
    columns = _asked(output.command) or _headed(header)
    another = header and columns.headed and not {"PID", "UID"}.intersection(columns.names) <= set(header)
    if another:
        read.gap("the header is not that of the columns which were asked for")
    mac = "COMM" in header
    wide = _widest(output.command, lines)
    if not columns.names:
        read.gap("the columns of ps are not known: there is no header")
    for line in lines:
        shown = columns.kept(line)
        words = line.split()
        cells = columns.cells(line) if columns.names and not another else None
        if columns.headed and "PID" in words and not any(word.isdigit() for word in words):
            read.pass_over(shown, "the header")
        elif cells is not None and (pid := number(cells["PID"])) is not None:
            cut = len(line.encode("utf-8", "replace")) >= wide
            _add(read, shown, pid, _owner(cells, columns, cut=cut, mac=mac))
        elif is_echo(line, "ps"):
            read.pass_over(shown, "a prompt or the command itself")
        else:
            read.gap("a line of ps cannot be read", shown)
    return read


def _add(read: Processes, line: str, pid: int, owner: dict[str, Any]) -> None:
    if read.by_pid.setdefault(pid, owner) == owner:
        read.taken.append(line)
    else:
        read.gap(f"process {pid} is given twice, and not alike", line)


def _widest(command: Command, lines: list[str]) -> float:
    """The length of a line from which on it may be cut: that of the longest, unless -ww says that none is."""
    if sum(word.count("w") for word in command.arguments[:1] + tuple(word for word in command.arguments[1:] if word[:1] == "-")) > 1:
        return float("inf")
    return max((len(line.encode("utf-8", "replace")) for line in lines), default=0)


def _asked(command: Command) -> _Columns | None:
    """The columns of -o, as in `-axo pid,user`, `axo pid,user`, `-o pid= -o user=`; None without it."""
    formats = []
    words = list(command.arguments)
    for at, word in enumerate(words):
        value = _format(word, words[at + 1 : at + 2], first=at == 0)
        if value is not None:
            formats.append(value)
    if not formats:
        return None
    names, titles = [], []
    for item in re.split(r"[\s,]+", ",".join(formats).strip()):
        keyword, equals, title = item.partition("=")
        keyword = keyword.partition(":")[0].upper()  # procps: user:20 is a width
        names.append(_KEYWORDS.get(keyword.lower()) or (keyword if keyword in _ONE_WORD else _ARGUMENTS))
        titles.append(bool(title) if equals else True)
    return _Columns(names, headed=any(titles))


def _format(word: str, following: list[str], *, first: bool) -> str | None:
    if word.startswith("--") or not (word.startswith("-") or (first and word.isalpha())):
        return None
    for at, letter in enumerate(word):
        if letter == "o":
            return word[at + 1 :] or "".join(following)
        if letter in _VALUES:
            return None
    return None


def _headed(header: list[str]) -> _Columns:
    """The columns of a header. What stands after the last column that is surely one word is left aside, arguments and all."""
    names = [_HEADERS.get(word, word if word in _ONE_WORD else _ARGUMENTS) for word in header]
    return _Columns(names, headed=True)


def _owner(cells: dict[str, str], columns: _Columns, *, cut: bool, mac: bool) -> dict[str, Any]:
    owner: dict[str, Any] = {}
    for column in ("USER", "UID"):
        cell = cells.get(column, "+")
        uid = number(cell)
        if uid is not None:
            owner["uid"] = uid
        elif not cell.endswith("+"):
            owner.setdefault("user", cell)
    if "NAME" in cells and not columns.secret:
        last = columns.names[-1] == "NAME"
        name = _process(cells["NAME"].strip(), mac=mac, cut=cut if last else len(cells["NAME"]) >= _NAME_WIDTH)
        if name:
            owner["process"] = name
    return owner


def _process(name: str, *, mac: bool, cut: bool) -> str:
    """The name of a process; of macOS' path the last part, where it is surely that. What looks like arguments is not kept."""
    if not mac:
        return name
    if re.search(r"\s[-/]", name):
        return ""
    if name.startswith("/") and not cut:
        return name.rpartition("/")[2] or name
    inner = re.fullmatch(r"\((.+)\)", name)
    return inner[1] if inner else name
