"""What the shell script took of a Linux host, as the answers that the built-in probes would have given: raw text in, rows out.

The script keeps the kernel's text as it is and decides nothing; what it cannot tell stays unknown.
"""

from __future__ import annotations

import json
import re
from typing import Any

from auditor.collectors._linux_evidence import LinuxEvidence, Rows
from auditor.collectors._linux_proc_text import Processes, Row, Text, by_path, targets
from auditor.collectors._linux_script_executables import Files
from auditor.collectors._linux_script_files import accounts, container_names, socket_units, sysctl_files, unit_links
from auditor.collectors._linux_script_sockets import Tables, details
from auditor.evidence import Answer, Evidence
from auditor.facts import Gap

SCRIPT = "builtin:sh-"
PROC = "builtin:sh-proc"
LIMITS = (
    "Taken by the shell script: TCP sockets that are bound but do not listen, and which listeners speak MPTCP, are not shown; v6only and "
    "the device of a socket are where ss is installed.",
    "Taken by the shell script: a thread that keeps descriptors of its own is looked into only where a socket has no other holder.",
    "Taken by the shell script: of the folders above a program nothing is shown where their path has more than letters, digits and "
    "._+@:,%=-.",
    "Taken by the shell script: containers have the names that docker keeps; those of other runtimes are shown by their ids.",
)
_SETTINGS = re.compile(r"/proc/sys/net/ipv4/(\w+)")
_TABLE_OF = re.compile(r"(self|[0-9]{1,10}(?:/task/[0-9]{1,10})?) ([0-9]{1,20})")
_NOT_HERE = "No such file or directory"
_INODE = re.compile(r"(?:net|pid):\[([0-9]{1,20})\]")


def taken_by_script(evidence: Evidence) -> bool:
    """Whether a bundle is the shell script's."""
    return any(answer.command.startswith(SCRIPT) for answer in evidence.answers)


class ScriptEvidence(LinuxEvidence):
    """The script's bundle, read as `LinuxEvidence` is."""

    limits = LIMITS

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(evidence)
        self._tables: dict[tuple[str, str | None], tuple[Rows, list[Gap]]] = {}
        self._details: dict[str, dict[tuple[str, str, int], dict[str, Any]]] = {}
        self._why_not: dict[str, str] = {}
        self._add("builtin:rights", self._rights())
        self._add("builtin:accounts", accounts(self._text("accounts", "accounts")))
        self._add("builtin:containers", container_names(self._text("containers", "containers")))
        self._add("builtin:socket-units", socket_units(self._text("socket-units", "socket-units")))
        self._add("builtin:unit-links", unit_links(self._text("socket-units", "socket-units")))
        self._add("builtin:sysctl-files", sysctl_files(self._text("persisted", "sysctl-files")))
        self._add("builtin:cgroups", ([], []))
        text = Text([a for a in self.answers("proc") if a.command == PROC], PROC)
        processes = Processes(text)
        places = _Places(text, processes)
        self._namespaces(text, processes, places)
        self._sockets(text, processes, places)
        self._settings_and_addresses(text, places)

    def table(self, probe: str, columns: str, command: str, stack: str | None = None) -> tuple[Rows, list[Gap]]:
        if (command, stack) in self._tables:
            found, gaps = self._tables[command, stack]
            return list(found), list(gaps)
        return super().table(probe, columns, command, stack)

    def not_entered(self, stack: str) -> str | None:
        return self._why_not.get(stack)

    def socket_details(self, stack: str) -> dict[tuple[str, str, int], dict[str, Any]]:
        return self._details.get(stack, {})

    def _text(self, probe: str, name: str) -> Text:
        command = SCRIPT + name
        return Text([a for a in self.answers(probe) if a.command == command], command)

    def _add(self, command: str, table: tuple[Rows, list[Gap]], stack: str | None = None) -> None:
        self._tables[command, stack] = table

    def _give(self, answer: Answer) -> None:
        self._answers.setdefault(answer.probe, []).append(answer)

    def _rights(self) -> tuple[Rows, list[Gap]]:
        """As the built-in has them; hidepid is only known where the text is whole."""
        text = self._text("rights", "rights")
        lines = text.lines()
        found = by_path(lines)
        known = dict(line.split(":\t", 1) for line in found.get("/proc/self/status", []) if ":\t" in line)
        named = {
            "uid": known.get("Uid", "").split("\t")[1:2], "capabilities": [known["CapEff"]] if "CapEff" in known else [],
            "boot_time": [line[6:] for line in found.get("/proc/stat", []) if line.startswith("btime ")],
            "ticks": [line[6:] for line in lines if line.startswith("ticks ")],
            "pid_namespace": [inode for target in targets(lines).values() if (inode := _inode(target or "", "pid"))],
        }  # fmt: skip
        if found.get("/proc/self/mountinfo") and not text.gaps:
            named["hidepid"] = [_hidepid(found["/proc/self/mountinfo"])]
        return [(name, values[0]) for name, values in named.items() if values], text.gaps

    def _namespaces(self, text: Text, processes: Processes, places: _Places) -> None:
        found: Rows = []
        for place in places.all:
            pids = sorted(place.pids)
            row: Row = processes.row(pids[0]) if pids else (None, "", "", None, None, None)
            init = "" if places.init is None else str(int(places.init is place))
            told = (place.label, str(int(place.own)), init, str(place.processes), row[0], row[3], row[4], row[5])
            found += [(*told, mount) for mount in (place.mounts or (None,))]
        self._add("builtin:namespaces", (found, processes.gaps + places.gaps))

    def _sockets(self, text: Text, processes: Processes, places: _Places) -> None:
        held = set().union(*processes.holders.values()) if processes.holders else set()
        tables = Tables(text, held)
        self.late = frozenset(tables.late | (processes.lost - held))
        order = self.head.get("byteorder") in ("little", "big")
        for place in places.all:
            if place.why_not:
                self._why_not[place.label] = place.why_not
                continue
            for answer in tables.answers(place.where, place.label):
                if not order:
                    answer.status, answer.stderr = "unknown", b"the byte order of the host is not known"
                self._give(answer)
            self._details[place.label] = details(text.lines("details"), place.where)
        interesting = tables.inodes
        files = Files(text)
        rows_of = [
            (*row, *files.of(pid, row[4]))
            for pid, inodes in sorted(processes.holders.items()) if inodes & interesting
            for row in (processes.row(pid),)
        ]  # fmt: skip
        holders: Rows = [
            (str(pid), " ".join(sorted(inodes & interesting))) for pid, inodes in sorted(processes.holders.items()) if inodes & interesting
        ]
        self._add("builtin:processes", (rows_of, processes.gaps))
        self._add("builtin:holders", (holders, []))
        unreadable = processes.unreadable
        many = "1 process" if len(unreadable) == 1 else f"{len(unreadable)} processes"
        why = f"the descriptors of {many} may not be read by this run (others' need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH)"
        walk: Rows = [
            ("looked", str(len(processes.looked_at))), ("vanished", str(processes.gone)), ("retries", "0"),
            ("unreadable", " ".join(map(str, unreadable))),
        ]  # fmt: skip
        self._add("builtin:walk", (walk, [Gap(why)] if unreadable else []))

    def _settings_and_addresses(self, text: Text, places: _Places) -> None:
        settings, addresses = _by_place(text.lines("settings")), _by_place(text.lines("addresses"))
        self.addresses_source = "/proc/net/fib_trie, if_inet6" if text.has("addresses in files") else "ip -j -d addr"
        for place in places.all:
            if place.why_not:
                continue
            said = settings.get(place.where, [])
            values = {path: parts for path, parts in by_path(said).items() if _SETTINGS.fullmatch(path)}
            others = [line for line in said if line.partition(":")[0] not in values and not line.startswith("status ")]
            if not values:
                self._why_not[place.label] = f"the namespace could not be entered: {' '.join(others) or 'nothing was said of it'}"
            for path, parts in values.items():
                self._give(Answer("settings", f"builtin:read {path}", ("\n".join(parts) + "\n").encode(), stack=place.label))
            for line in others:
                if (of := _SETTINGS.search(line)) and line.endswith(_NOT_HERE):
                    self._give(Answer("settings", f"builtin:read {of[0]}", b"", "absent", stack=place.label))
            self._add("builtin:rtnetlink", _addresses(addresses.get(place.where, []), text, place.own), place.label)


class _Place:
    """A network namespace: `where` it was looked into from, `pids` processes in it, `why_not` the reason where what was read there may be
    another's."""

    def __init__(self, label: str, where: str) -> None:
        self.label = label
        self.where = where
        self.own = where == "self"
        self.pids: list[int] = []
        self.processes = 0
        self.mounts: list[str] = []
        self.why_not: str | None = None


class _Places:
    """Every namespace that was found: by the inode of /proc/PID/net/tcp, which is one per namespace, and by mounts."""

    def __init__(self, text: Text, processes: Processes) -> None:
        self.gaps: list[Gap] = []
        self.init: _Place | None = None
        links = targets(text.lines("namespaces"))
        again = targets(text.lines("namespaces again"))
        read = {of[1] for line in text.lines("tables") if (of := re.match(r"(?:- )?/proc/(self|[0-9/task]+)/net/", line))}
        by_table: dict[str, list[str]] = {}
        for line in text.lines("tables of"):
            if of := _TABLE_OF.fullmatch(line):
                by_table.setdefault(of[2], []).append(of[1])
            else:
                self.gaps.append(Gap("a line about namespaces cannot be read", line[:200]))
        self.all: list[_Place] = []
        for inode, wheres in by_table.items():
            where = next((w for w in wheres if w in read), wheres[0])
            number = next((n for w in (where, *wheres) if (n := _inode(links.get(f"/proc/{w}/ns/net") or "", "net"))), None)
            place = _Place(f"netns:{number}" if number else f"procnet:{inode}", where)
            tasks = [w for w in wheres if w != "self"]
            place.pids = [pid for w in tasks if "/" not in w and (pid := int(w)) in processes.alive]
            place.processes = len(place.pids)
            place.pids = place.pids or [pid for w in tasks if "/" in w and (pid := int(w.partition("/")[0])) in processes.alive]
            if not place.own:
                path = f"/proc/{where}/ns/net"
                steady = int(where.partition("/")[0]) in processes.alive and links.get(path) == again.get(path)
                place.why_not = None if steady else "the process by which it was looked into ended or moved meanwhile"
            if "1" in wheres:
                self.init = place
            self.all.append(place)
        self.all.sort(key=lambda place: not place.own)
        if not any(place.own for place in self.all):
            self.gaps.append(Gap("which network namespaces there are is not shown"))
            self.all.insert(0, _Place("self", "self"))
        self._mounts(text)

    def _mounts(self, text: Text) -> None:
        """Mounted namespaces: nsfs lines of mountinfo (proc_pid_mountinfo(5)), whose paths have blanks and such as octal numbers."""
        known = {place.label: place for place in self.all}
        for line in by_path(text.lines("namespaces")).get("/proc/self/mountinfo", []):
            fields = line.split(" ")
            number = _inode(fields[3], "net") if " - nsfs " in line and len(fields) > 4 else None
            if number is None:
                continue
            path = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
            place = known.get(f"netns:{number}")
            if place is None:
                place = known[f"netns:{number}"] = _Place(f"netns:{number}", fields[4])
                self.all.append(place)
            place.mounts.append(path)


def _inode(target: str, kind: str) -> str | None:
    of = _INODE.fullmatch(target)
    return of[1] if of and target.startswith(kind) else None


def _hidepid(mounts: list[str]) -> str:
    """Of what is mounted at /proc last: that is what lies on top."""
    found = "0"
    for line in mounts:
        fields = line.split(" ")
        if len(fields) > 4 and fields[4] == "/proc":
            found = next((option[8:] for option in fields[-1].split(",") if option.startswith("hidepid=")), "0")
    return found


def _by_place(lines: list[str]) -> dict[str, list[str]]:
    """The lines after each `in WHERE`."""
    found: dict[str, list[str]] = {}
    here: list[str] = []
    for line in lines:
        if line.startswith("in "):
            here = found.setdefault(line[3:], [])
        else:
            here.append(line)
    return found


def _addresses(lines: list[str], text: Text, own: bool) -> tuple[Rows, list[Gap]]:
    """From `ip -j -d addr`; where that did not work, from the files of the namespace that the script ran in."""
    if lines[-1:] == ["status 0"]:
        try:
            return _from_ip(json.loads("".join(lines[:-1]))), []
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return [], [Gap("what ip said of the addresses cannot be read", "".join(lines)[:200])]
    if own and text.lines("addresses in files")[-1:] == ["files read"]:
        return _from_files(text.lines("addresses in files"))
    return [], [Gap(f"its addresses were not read: {' '.join(lines[:-1])[:200] or 'ip was not asked'}")]


def _from_ip(said: list[dict[str, Any]]) -> Rows:
    found: Rows = []
    for link in said:
        if not link:
            continue
        kind = link.get("linkinfo", {}).get("info_kind") or ("loopback" if link["link_type"] == "loopback" else None)
        device = (str(link["ifindex"]), str(link["ifname"]), None if kind is None else str(kind))
        addresses = [one for one in link["addr_info"] if one]
        found += [(*device, str(one["local"]), str(one["prefixlen"])) for one in addresses]
        if not addresses:
            found.append((*device, None, None))
    return found


def _from_files(lines: list[str]) -> tuple[Rows, list[Gap]]:
    """fib_trie has the addresses that this namespace takes for its own, and neither their interface nor their prefix; if_inet6 has all but
    the kind of the interface."""
    import socket

    found: Rows = [("", "", "", line[6:], "") for line in lines if line.startswith("local ")]
    gaps: list[Gap] = []
    for line in by_path(lines).get("/proc/net/if_inet6", []):
        fields = line.split()
        try:
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(fields[0]))
            index, prefix, device = int(fields[1], 16), int(fields[2], 16), fields[5]
        except (ValueError, IndexError):
            gaps.append(Gap("a line of /proc/net/if_inet6 cannot be read", line[:200]))
            continue
        found.append((str(index), device, "", address, str(prefix)))
    return list(dict.fromkeys(found)), gaps if found else [*gaps, Gap("/proc/net shows no address")]
