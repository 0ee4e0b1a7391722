"""The tables of /proc/net as the shell script took them, before and after it looked through the processes, and what `ss` adds to them."""

from __future__ import annotations

import re
from typing import Any

from auditor.collectors._linux_proc_text import Text
from auditor.evidence import Answer, quoted
from auditor.parsers import rows
from auditor.port_range import PORT_MAX

_NAMES = {"tcp": "tcp", "tcp6": "tcp", "udp": "udp", "udp6": "udp", "udplite": "udplite", "udplite6": "udplite"}
_LINE = re.compile(r"/proc/(self|[0-9]+(?:/task/[0-9]+)?)/net/([a-z]+6?):(.*)")
_NOT_THERE = re.compile(
    r"- /proc/(self|[0-9]+(?:/task/[0-9]+)?)/net/([a-z]+6?)|grep: /proc/(self)/net/([a-z]+6?): No such file or directory"
)
_HEADER = "  sl  local_address"
_LOCAL_FIELD, _INODE_FIELD = 1, 9
_ALSO = re.compile(r"/proc/net/protocols:(SCTP|DCCP)(?:v6)? ")

Key = tuple[str, str]


class _Reading:
    """The tables as they were at one moment, by where they were read and name; `missing` are those that there are not."""

    def __init__(self, lines: list[str]) -> None:
        self.tables: dict[Key, list[str]] = {}
        self.missing: set[Key] = set()
        mount = None
        for line in lines:
            if line.startswith("in "):
                mount = line[3:]
            elif of := _LINE.fullmatch(line):
                self.tables.setdefault((mount or of[1], of[2]), []).append(of[3])
            elif gone := _NOT_THERE.fullmatch(line):
                self.missing.add((mount or gone[1] or gone[3], gone[2] or gone[4]))


class Tables:
    """What holds a port, by namespace. A socket that was gone again when the processes had been looked through, and of which no holder was
    found, was closed meanwhile: it is left out, and what took its address is taken in. `inodes` are those of the sockets that stay,
    `late` those that came in its place and of which no holder was found: theirs may have been looked at before."""

    def __init__(self, text: Text, held: set[str]) -> None:
        first, last = _Reading(text.lines("tables")), _Reading(text.lines("tables again"))
        self._first = first
        self._also = sorted({of[1].lower() for line in text.lines("tables") if (of := _ALSO.match(line))})
        self.inodes: set[str] = set()
        self.late: set[str] = set()
        self._kept: dict[Key, list[str]] = {}
        for key, lines in first.tables.items():
            later = {_field(line, _INODE_FIELD): line for line in last.tables.get(key, [])} if text.has("tables again") else None
            kept, freed = [], set()
            for line in lines:
                inode = _field(line, _INODE_FIELD)
                if inode is None or later is None or inode in held or inode in later or inode == "0":
                    kept.append(line)
                else:
                    freed.add(_field(line, _LOCAL_FIELD))
            known = {_field(line, _INODE_FIELD) for line in lines}
            for inode, line in (later or {}).items():
                if inode and inode not in known and _field(line, _LOCAL_FIELD) in freed:
                    kept.append(line)
                    self.late |= {inode} - held
            self._kept[key] = kept
            self.inodes |= {inode for line in kept if (inode := _field(line, _INODE_FIELD))}

    def answers(self, where: str, label: str) -> list[Answer]:
        """The tables of one namespace as the built-in gives them. Without IPv6 in the kernel there is no file, and no such socket."""
        found = []
        for name, protocol in _NAMES.items():
            lines = self._kept.get((where, name))
            if lines is None and (where, name) in self._first.missing and (where, protocol) in self._kept and protocol != name:
                lines = [_HEADER]
            if lines is not None:
                text = "\n".join([*lines, f"end\t{len(lines) - 1}", ""])
                command = f"builtin:proc-net-listening {quoted(f'/proc/{where}/net/{name}')}"
                found.append(Answer("proc-net", command, text.encode("utf-8", "surrogateescape"), stack=label))
        for protocol in self._also:
            why = f"{protocol.upper()} is in this kernel, and the script does not ask for its sockets".encode()
            for name in (protocol, protocol + "6"):
                found.append(Answer("proc-net", f"builtin:proc-net-listening /proc/net/{name}", b"", "unknown", stderr=why, stack=label))
        return found


def _field(line: str, number: int) -> str | None:
    fields = line.split()
    return fields[number] if len(fields) > number and fields[0] != "sl" else None


_SS = re.compile(
    r"(?P<protocol>tcp|udp)\s+\S+\s+\d+\s+\d+\s+(?P<host>\S+?)(?:%(?P<device>[^%\s:]+))?:(?P<port>\d+)\s+\S+ .*?"
    r"\bino:(?P<inode>\d+) (?P<rest>.*)"
)
_V6ONLY = re.compile(r".*\bv6only:([01])(?: |$)")
_CGROUP = re.compile(r".*?\bcgroup:(/\S*)(?: v6only:[01])?(?: <->)?\s*")


def details(lines: list[str], where: str) -> dict[tuple[str, str, int], dict[str, Any]]:
    """By protocol, inode and port: v6only, the device and the control group, which /proc/net does not show, from `ss -Htulne`. The path
    of a control group may hold blanks; what stands after it is the kernel's again, so the last word counts."""
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    here = False
    for line in lines:
        if line.startswith("in "):
            here = line[3:] == where
        elif here and (row := _SS.fullmatch(line)):
            port = rows.number(row["port"], PORT_MAX)
            shown: dict[str, Any] = {"device": row["device"]}
            if row["host"].startswith(("[", "*")) and (v6only := _V6ONLY.match(row["rest"])):
                shown["v6only"] = v6only[1] == "1"
            if cgroup := _CGROUP.fullmatch(row["rest"]):
                shown["cgroup"] = cgroup[1]
            if port is not None:
                found[row["protocol"], row["inode"], port] = shown
    return found
