"""The network namespaces that the shell script found."""

from __future__ import annotations

import re

from auditor.collectors._linux_proc_text import Processes, Text, by_path, targets
from auditor.facts import Gap

_TABLE_OF = re.compile(r"(self|[0-9]{1,10}(?:/task/[0-9]{1,10})?) ([0-9]{1,20})")
_INODE = re.compile(r"(?:net|pid):\[([0-9]{1,20})\]")


class Place:
    """A network namespace: `where` it was looked into from, `pids` processes in it, `why_not` the reason where what was read there may be
    another's, `table` the inode of its /proc/PID/net/tcp."""

    def __init__(self, label: str, where: str, table: str = "") -> None:
        self.label = label
        self.table = table
        self.where = where
        self.own = where == "self"
        self.pids: list[int] = []
        self.processes = 0
        self.mounts: list[str] = []
        self.why_not: str | None = None


class Places:
    """Every namespace that was found: by the inode of /proc/PID/net/tcp, which is one per namespace, and by mounts. `labels` are those
    of the processes and threads that are in them."""

    def __init__(self, text: Text, processes: Processes) -> None:
        self.gaps: list[Gap] = []
        self.init: Place | None = None
        self.labels: dict[str, str] = {}
        links = targets(text.lines("namespaces"))
        again = targets(text.lines("namespaces again"))
        read = {of[1] for line in text.lines("tables") if (of := re.match(r"(?:- )?/proc/(self|[0-9/task]+)/net/", line))}
        by_table: dict[str, list[str]] = {}
        for line in text.lines("tables of"):
            if of := _TABLE_OF.fullmatch(line):
                by_table.setdefault(of[2], []).append(of[1])
            else:
                self.gaps.append(Gap("a line about namespaces cannot be read", line[:200]))
        self.all: list[Place] = []
        for inode, wheres in by_table.items():
            where = next((w for w in wheres if w in read), wheres[0])
            number = next((n for w in (where, *wheres) if (n := inode_of(links.get(f"/proc/{w}/ns/net") or "", "net"))), None)
            place = Place(f"netns:{number}" if number else f"procnet:{inode}", where, inode)
            tasks = [w for w in wheres if w != "self"]
            self.labels |= dict.fromkeys(tasks, place.label)
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
            self.all.insert(0, Place("self", "self"))
        self._mounts(text)

    def _mounts(self, text: Text) -> None:
        """Mounted namespaces: nsfs lines of mountinfo (proc_pid_mountinfo(5)), whose paths have blanks and such as octal numbers."""
        known = {place.label: place for place in self.all}
        for line in by_path(text.lines("namespaces")).get("/proc/self/mountinfo", []):
            fields = line.split(" ")
            number = inode_of(fields[3], "net") if " - nsfs " in line and len(fields) > 4 else None
            if number is None:
                continue
            path = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
            place = known.get(f"netns:{number}")
            if place is None:
                place = known[f"netns:{number}"] = Place(f"netns:{number}", fields[4])
                self.all.append(place)
            place.mounts.append(path)


def inode_of(target: str, kind: str) -> str | None:
    """The inode of a namespace of a kind, from where its link leads."""
    of = _INODE.fullmatch(target)
    return of[1] if of and target.startswith(kind) else None
