"""The raw text of a Linux host that the shell script took (`linux.sh`): its sections, and its lines about processes."""

from __future__ import annotations

import re

from auditor.evidence import Answer
from auditor.facts import Gap
from auditor.owner import ELSEWHERE, FORGEABLE
from auditor.parsers import rows

Row = tuple[str | None, ...]

SECTIONS = ("began", "namespaces", "tables of", "tables", "details", "settings", "addresses", "descriptors", "tables again",
            "status", "groups", "began again", "namespaces again")  # fmt: skip
"""Those that the script always has, whatever a host lacks."""
_MARK = "= "
_OWN_USERS = "/proc/self/ns/user"
_PATH = re.compile(r"/proc/(self|[0-9]+)(?:/task/([0-9]+))?/([a-z0-9/]+)")
_MOST_SAID = 20
_IN_MEMORY = re.compile(r"/memfd:.* \(deleted\)", re.DOTALL)
_GONE = ("No such file or directory", "No such process")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", " ": " ", '"': '"', "?": "?"}
_STARTED_FIELD = 19
"""Of what follows the closing bracket in /proc/PID/stat: field 22 of all."""


class Text:
    """An answer in sections, each of which begins with a line `= NAME` and is whole where another one follows."""

    def __init__(self, answers: list[Answer], what: str) -> None:
        self.gaps: list[Gap] = []
        self.errors: list[str] = []
        self._sections: dict[str, list[str]] = {"": []}
        if len(answers) != 1:
            self.gaps.append(Gap(f"{what} was not asked" if not answers else f"{what} was asked more than once"))
            return
        self.errors = answers[0].stderr.decode("utf-8", "backslashreplace").split("\n")[:-1]
        name = ""
        for line in answers[0].text.removesuffix("\n").split("\n"):
            if name == "end":
                self.gaps.append(Gap(f"{what}: there is text after its last line", line[:200]))
                break
            if line.startswith(_MARK):
                name = line[len(_MARK) :]
                self._sections.setdefault(name, [])
            elif line:
                self._sections[name].append(line)
        if name != "end":
            self.gaps.append(Gap(f"{what}: its last line is missing, it was cut"))
            del self._sections[name]
        if answers[0].status != "0":
            self.gaps.append(Gap(answers[0].trouble or what))

    def has(self, name: str) -> bool:
        """Whether it has the section, whole."""
        return name in self._sections

    def lines(self, name: str = "") -> list[str]:
        """The lines of a section."""
        return self._sections.get(name, [])

    def names(self) -> list[str]:
        """The sections, in their order."""
        return list(self._sections)

    def starting(self, name: str) -> tuple[str, list[str]]:
        """The section whose name begins so: the rest of its name, and its lines."""
        for known, lines in self._sections.items():
            if known.startswith(name):
                return known[len(name) :], lines
        return "", []


def by_path(lines: list[str]) -> dict[str, list[str]]:
    """What `grep` found, by file; a line is `FILE:TEXT`, and no file under /proc has a colon in its path."""
    found: dict[str, list[str]] = {}
    for line in lines:
        path, colon, text = line.partition(":")
        if colon:
            found.setdefault(path, []).append(text)
    return found


def targets(lines: list[str]) -> dict[str, str | None]:
    """Links and where they lead; None where that was not shown."""
    found: dict[str, str | None] = {}
    for line in lines:
        path, blank, target = line.partition(" ")
        found[path] = target if blank else None
    return found


def unescaped(text: str, exact: bool) -> str | None:
    """A path as ls prints it; None where it is not known. `ls -b` escapes exactly, otherwise `?` stands for what cannot be printed."""
    if not exact:
        return None if "?" in text else text
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode("utf-8")
            at += 1
        elif re.fullmatch("[0-3][0-7][0-7]", text[at + 1 : at + 4]):
            out.append(int(text[at + 1 : at + 4], 8))
            at += 4
        elif text[at + 1 : at + 2] in _ESCAPES:
            out += _ESCAPES[text[at + 1]].encode()
            at += 2
        else:
            return None
    return out.decode("utf-8", "backslashreplace")


class Processes:
    """Who the processes are and what they hold. `alive` are those that were there from before they were looked at until after, by id;
    `holders` the inodes of the sockets of each, `unreadable` whose descriptors were not all shown, `gone` how many ended meanwhile,
    `lost` the inodes that those held."""

    def __init__(self, text: Text) -> None:
        missing = [name for name in SECTIONS if not text.has(name)]
        self.gaps = text.gaps + [Gap(f"builtin:sh-proc: the section '{name}' is missing") for name in missing[:1]]
        self._text = text
        self._denied, self._absent = self._errors()
        before, after = _began(text.lines("began")), _began(text.lines("began again"))
        self.alive = {pid: began for pid, began in before.items() if after.get(pid) == began}
        self.gone = len(before) - len(self.alive)
        if not self.alive or not text.has("began again"):
            self.gaps.append(Gap("builtin:sh-proc: no process was looked at from before until after"))
        headed = self._held(text.lines("descriptors"))
        self.looked_at = [pid for pid in self.alive if pid in headed and (pid, "fd") not in self._denied]
        self.unreadable = sorted(self.alive.keys() - set(self.looked_at))
        self.holders = {pid: inodes for pid, inodes in headed.items() if pid in self.alive}
        self.lost = set().union(*(inodes for pid, inodes in headed.items() if pid not in self.alive))
        for pid, inodes in self._held(text.lines("descriptors of threads"), of_threads=True).items():
            if pid in self.alive:
                self.holders.setdefault(pid, set()).update(inodes)
        if text.has("not searched"):
            self.gaps.append(Gap("the descriptors of threads were not looked through, for want of sed, sort or uniq"))
        self._status = by_path(text.lines("status"))
        self._groups = by_path(text.lines("groups"))
        self._same = None
        if text.has("the files at their paths"):
            self._same = {f"/proc/{of[1]}/exe" for line in text.lines("the files at their paths") if (of := _PATH.fullmatch(line))}
        how, lines = text.starting("executables ")
        self._exact = how.endswith("b")
        self._executables = targets(lines)
        _add_from_threads(self._executables, text.starting("thread executables ")[1])
        self._users = targets(text.lines("user namespaces"))

    def row(self, pid: int) -> Row:
        """pid, started, uid, process, executable, cgroup, as the built-in probe has them."""
        status = dict(line.split(":\t", 1) for line in self._status.get(f"/proc/{pid}/status", []) if ":\t" in line)
        name = status.get("Name")
        return (
            str(pid), self.alive.get(pid, ""), status.get("Uid", "").split("\t")[0],
            "" if name is None else name.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\"),
            self._executable(pid), self._group(pid),
        )  # fmt: skip

    def refused(self, pid: int, what: str) -> bool:
        """Whether something of a process could not be read that is there."""
        return (pid, what) in self._denied

    def _errors(self) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
        """(process, what) that was denied, and that was not there, from what ls and grep said of paths that no process chooses. Whatever
        else was said may be why anything is missing."""
        denied: set[tuple[int, str]] = set()
        absent: set[tuple[int, str]] = set()
        for line in self._text.errors:
            of = _PATH.search(line)
            if of and of[1] != "self" and not of[2]:
                what = (int(of[1]), "fd" if of[3].startswith("fd") else of[3])
                (absent if line.endswith(_GONE) else denied).add(what)
            elif not line.endswith(_GONE if of else ()):
                if of and of[2] and of[3].startswith("fd"):
                    denied.add((int(of[1]), "fd"))
                elif not (of and of[2]) and len(self.gaps) < _MOST_SAID:
                    self.gaps.append(Gap("builtin:sh-proc: something went wrong", line[:200]))
        return denied, absent

    def _held(self, lines: list[str], of_threads: bool = False) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        inodes: set[str] = set()
        for line in lines:
            if heading := re.fullmatch(r"([0-9]{1,10})(?:/task/[0-9]+)?:", line):
                pid = int(heading[1])
                if pid in found and not of_threads:
                    self.gaps.append(Gap("builtin:sh-proc: a process is listed twice", line))
                inodes = found.setdefault(pid, set())
            elif rows.number(line) is not None and found:
                inodes.add(line)
            else:
                self.gaps.append(Gap("builtin:sh-proc: a line about descriptors cannot be read", line[:200]))
        return found

    def _executable(self, pid: int) -> str | None:
        link = f"/proc/{pid}/exe"
        target = self._executables.get(link)
        if target is None:
            return None if link in self._executables and (pid, "exe") in self._absent else ""
        path = unescaped(target, self._exact)
        if path is None or self._same is None:
            return ""
        if _IN_MEMORY.fullmatch(path):
            return path
        return path + ELSEWHERE if link not in self._same else self._unless_forgeable(pid, path)

    def _unless_forgeable(self, pid: int, path: str) -> str:
        """In a user namespace of its own a process may choose the path (see `auditor.live.executables`); not shown where that is not."""
        ours = self._users.get(_OWN_USERS)  # none where the kernel has no such namespaces, or the script did not ask
        theirs = self._users.get(f"/proc/{pid}/ns/user")
        if ours is None or theirs == ours:
            return path
        return "" if theirs is None else path + FORGEABLE

    def _group(self, pid: int) -> str | None:
        """The path in the unified hierarchy, or in systemd's own where the first is only the root; None where there is neither."""
        if (pid, "cgroup") in self._denied | self._absent or not self._text.has("groups"):
            return ""
        paths = dict(line.split(":", 2)[1:] for line in self._groups.get(f"/proc/{pid}/cgroup", []) if line.count(":") > 1)
        unified, systemd = paths.get(""), paths.get("name=systemd")
        return systemd if unified in (None, "/") and systemd else unified


def _add_from_threads(links: dict[str, str | None], lines: list[str]) -> None:
    """What threads show of a process whose first one ended."""
    for path, target in targets(lines).items():
        if target is not None and (of := _PATH.fullmatch(path)):
            links[f"/proc/{of[1]}/{of[3]}"] = target


def _began(lines: list[str]) -> dict[int, str]:
    """When processes began, in ticks since boot, from /proc/PID/stat: what stands in its brackets may hold anything, line breaks too."""
    found = {}
    for path, parts in by_path(lines).items():
        of = _PATH.fullmatch(path)
        fields = "\n".join(parts).rpartition(")")[2].split()
        if of and of[1] != "self" and len(fields) > _STARTED_FIELD and rows.number(fields[_STARTED_FIELD]) is not None:
            found[int(of[1])] = fields[_STARTED_FIELD]
    return found
