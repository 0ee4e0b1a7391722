"""What the shell script took of a Linux host, as the answers that the built-in probes would have given: raw text in, rows out.

The script keeps the kernel's text as it is and decides nothing; what it cannot tell stays unknown.
"""

from __future__ import annotations

import json
import re
from typing import Any

from auditor.collectors._linux_evidence import LinuxEvidence, Rows
from auditor.collectors._linux_granted_by_processes import COLUMNS as CAPABILITY_COLUMNS
from auditor.collectors._linux_owners import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_SYS_PTRACE, PROCESS_COLUMNS
from auditor.collectors._linux_proc_text import Processes, Row, Text, by_path, targets
from auditor.collectors._linux_script_authbind import authbind
from auditor.collectors._linux_script_capabilities import LIMITS as CAPABILITY_LIMITS
from auditor.collectors._linux_script_capabilities import Capabilities
from auditor.collectors._linux_script_executables import Files
from auditor.collectors._linux_script_files import accounts, container_names, sysctl_files
from auditor.collectors._linux_script_granting_files import GrantingFiles
from auditor.collectors._linux_script_places import Places, inode_of
from auditor.collectors._linux_script_sockets import Tables, details
from auditor.collectors._linux_script_units import service_units, socket_units, unit_links, unread_links
from auditor.collectors._linux_stacks import COLUMNS as NAMESPACE_COLUMNS
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
_NO_HOOKS: Rows = [("asked", "0"), ("left", None), ("systemd", None), ("why", "a shell script cannot call bpf(2)")]
"""What it says of BPF programs, as the built-in says why it asked for none."""
_UNIT_COLUMNS = "unit file line directive value"
_SETTINGS = re.compile(r"/proc/sys/net/ipv4/(\w+)")
_NOT_HERE = "No such file or directory"
_NOT_READ = "its ns/net may not be read"
_CAPABILITIES = re.compile("[0-9a-f]{1,16}")
_BITS = {
    "CAP_SYS_PTRACE": 1 << CAP_SYS_PTRACE, "CAP_SYS_ADMIN": 1 << CAP_SYS_ADMIN,
    "CAP_DAC_READ_SEARCH": 1 << CAP_DAC_READ_SEARCH | 1 << CAP_DAC_OVERRIDE,
}  # fmt: skip
"""By which bits each is had, or one that is as good."""


def taken_by_script(evidence: Evidence) -> bool:
    """Whether a bundle is the shell script's."""
    return any(answer.command.startswith(SCRIPT) for answer in evidence.answers)


class ScriptEvidence(LinuxEvidence):
    """The script's bundle, read as `LinuxEvidence` is."""

    limits: tuple[str, ...] = LIMITS
    never_looked_for = ("program",)

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(evidence)
        self._tables: dict[tuple[str, str | None], tuple[list[str], Rows, list[Gap]]] = {}
        self._details: dict[str, dict[tuple[str, str, int], dict[str, Any]]] = {}
        self._why_not: dict[str, str] = {}
        self._add("builtin:rights", "name value", self._rights())
        self._add("builtin:accounts", "uid user", accounts(self._text("accounts", "accounts")))
        self._add("builtin:containers", "id name", container_names(self._text("containers", "containers")))
        units = self._text("socket-units", "socket-units")
        self._add("builtin:socket-units", _UNIT_COLUMNS, socket_units(units))
        self._add("builtin:unit-links", "link target", unit_links(units, "socket"))
        self._add("builtin:sysctl-files", "path real state", sysctl_files(self._text("persisted", "sysctl-files")))
        self._add("builtin:cgroups", "cgroup path", ([], []))
        text = Text([a for a in self.answers("proc") if a.command == PROC], PROC)
        processes = Processes(text)
        places = Places(text, processes)
        self._namespaces(text, processes, places)
        self._sockets(text, processes, places)
        self._settings_and_addresses(text, places)
        if "grants" in self.asked:
            self.limits = LIMITS + CAPABILITY_LIMITS
            self._grants(text, processes, places)

    def table(self, probe: str, columns: str, command: str, stack: str | None = None) -> tuple[Rows, list[Gap]]:
        if (command, stack) not in self._tables:
            return super().table(probe, columns, command, stack)
        named, found, gaps = self._tables[command, stack]
        wanted = [column.removesuffix("?") for column in columns.split(" ")]
        if missing := [column for column in wanted if column not in named]:
            return [], [*gaps, Gap(f"{command}: the script does not tell the {missing[0]}")]
        places = [named.index(column) for column in wanted]
        return [tuple(row[place] for place in places) for row in found], list(gaps)

    def not_entered(self, stack: str) -> str | None:
        return self._why_not.get(stack)

    def socket_details(self, stack: str) -> dict[tuple[str, str, int], dict[str, Any]]:
        return self._details.get(stack, {})

    def _text(self, probe: str, name: str) -> Text:
        command = SCRIPT + name
        return Text([a for a in self.answers(probe) if a.command == command], command)

    def _add(self, command: str, columns: str, table: tuple[Rows, list[Gap]], stack: str | None = None) -> None:
        self._tables[command, stack] = ([column.removesuffix("?") for column in columns.split(" ")], *table)

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
            "pid_namespace": [inode for target in targets(lines).values() if (inode := inode_of(target or "", "pid"))],
        }  # fmt: skip
        if found.get("/proc/self/mountinfo") and not text.gaps:
            named["hidepid"] = [_hidepid(found["/proc/self/mountinfo"])]
        return [(name, values[0]) for name, values in named.items() if values], text.gaps

    def _namespaces(self, text: Text, processes: Processes, places: Places) -> None:
        found: Rows = []
        for place in places.all:
            pids = sorted(place.pids)
            row: Row = processes.row(pids[0]) if pids else (None, "", "", None, None, None)
            init = "" if places.init is None else str(int(places.init is place))
            told = (place.label, str(int(place.own)), init, str(place.processes), row[0], row[3], row[4], row[5])
            found += [(*told, mount, place.table) for mount in (place.mounts or (None,))]
        self._add("builtin:namespaces", NAMESPACE_COLUMNS, (found, processes.gaps + places.gaps))

    def _sockets(self, text: Text, processes: Processes, places: Places) -> None:
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
        self._add("builtin:processes", PROCESS_COLUMNS, (rows_of, processes.gaps))
        self._add("builtin:holders", "pid inodes", (holders, []))
        unreadable = processes.unreadable
        many = "1 process" if len(unreadable) == 1 else f"{len(unreadable)} processes"
        why = f"the descriptors of {many} may not be read: {self._why_refused('CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH')}"
        walk: Rows = [
            ("looked", str(len(processes.looked_at))), ("vanished", str(processes.gone)), ("retries", "0"),
            ("unreadable", " ".join(map(str, unreadable))),
        ]  # fmt: skip
        self._add("builtin:walk", "name value", (walk, [Gap(why)] if unreadable else []))

    def _why_refused(self, *needed: str) -> str:
        """As auditor.live.rights says it, by the capabilities that the script's run had."""
        rights = {row[0]: row[1] for row in self.table("rights", "name value", "builtin:rights")[0]}
        told = rights.get("capabilities") or ""
        if not _CAPABILITIES.fullmatch(told):
            return f"that needs {' and '.join(needed)}, which this run may not have, or a security module refused"
        if lacking := [name for name in needed if not int(told, 16) & _BITS[name]]:
            return f"this run lacks {' and '.join(lacking)}, which may be why, or a security module refused"
        return f"this run has {' and '.join(needed)}, so a security module refused, or they do not count in the user namespace there"

    def _settings_and_addresses(self, text: Text, places: Places) -> None:
        settings, addresses = _by_place(text.lines("settings")), _by_place(text.lines("addresses"))
        self.addresses_source = "/proc/net/fib_trie, if_inet6" if text.has("addresses in files") else "ip -j -d addr"
        for place in places.all:
            if place.why_not:
                continue
            said = settings.get(place.where, [])
            values = {path: parts for path, parts in by_path(said).items() if _SETTINGS.fullmatch(path)}
            others = [line for line in said if line.partition(":")[0] not in values and not line.startswith("status ")]
            if not values:
                why = " ".join(others) or "nothing was said of it"
                why += f": {self._why_refused('CAP_SYS_PTRACE', 'CAP_SYS_ADMIN')}" if why == _NOT_READ else ""
                self._why_not[place.label] = f"the namespace could not be entered: {why}"
            for path, parts in values.items():
                self._give(Answer("settings", f"builtin:read {path}", ("\n".join(parts) + "\n").encode(), stack=place.label))
            for line in others:
                if (of := _SETTINGS.search(line)) and line.endswith(_NOT_HERE):
                    self._give(Answer("settings", f"builtin:read {of[0]}", b"", "absent", stack=place.label))
            told = _addresses(addresses.get(place.where, []), text, place.own)
            self._add("builtin:rtnetlink", "ifindex device kind address prefix", told, place.label)

    def _grants(self, text: Text, processes: Processes, places: Places) -> None:
        known = Capabilities(text, processes, Files(text), places.labels)
        units = self._text("service-units", "service-units")
        for command, columns, table in (
            ("builtin:capabilities", CAPABILITY_COLUMNS, known.table()),
            ("builtin:namespace-owners", "stack user_namespace", known.owners()),
            ("builtin:user-namespaces", "user_namespace self parent owner uid_map", known.user_namespaces()),
            ("builtin:service-units", _UNIT_COLUMNS, service_units(units)),
            ("builtin:service-links", "link target", unit_links(units, "service")),
            *authbind(self._text("authbind", "authbind")),
            *GrantingFiles(self._text("granting-files", "granting-files"), known.without_program()).tables(),
            ("builtin:bind-programs", "cgroup hook flags name tag uid", ([], [])),
            ("builtin:bind-hooks", "name value", (_NO_HOOKS, [])),
        ):
            self._add(command, columns, table)
        if (unread := unread_links(units, "service")) is not None:
            self._give(unread)


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
