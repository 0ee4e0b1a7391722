"""/proc/net/{tcp,udp,udplite}[6] as a command printed them: one table or several, one after the other.

      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   112        0 20771 1 0000000000000000 100 0 0 10 0

A table does not name itself. Its header says `remote_address` where it is of IPv6, and `ref pointer drops` where it is of datagrams; which
one it is follows from that and from the files that the command was given, and where they do not tell it is a gap. How rows are read, and
what they do not show, is in `proc_net`.
"""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from auditor.parsers import proc_net
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.printed_files import printed_files
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import PROTOCOLS, Output, Reading, Seen

_TABLES = {
    "tcp": ("tcp", "ipv4"), "tcp6": ("tcp", "ipv6"), "udp": ("udp", "ipv4"), "udp6": ("udp", "ipv6"),
    "udplite": ("udplite", "ipv4"), "udplite6": ("udplite", "ipv6"),
}  # fmt: skip
_PATH = re.compile(r"/proc/(?:(?:self|thread-self|(?P<pid>\d+))(?:/task/\d+)?/)?net/(?P<name>[\w*?\[\]]{1,80})")
_NAMED = re.compile(r"==> (?P<path>/\S+) <==")
_WHOLE = ("cat", "more", "less")
"""Programs that print every line of a file."""
_FLAGS_OF_CAT = "AbEenstTuv"
"""cat(1) of GNU; busybox has some of them."""
_ENTRY = re.compile(r"(?<!\S)\d{1,10}: [0-9A-Fa-f]{8,32}:[0-9A-Fa-f]{4} ")
_V6_DIGITS = 32

Table = tuple[str, str]


def parse(output: Output, little_endian: bool = True) -> Reading:
    """The sockets of the tables that the command was asked to print; `little_endian` is the byte order of the host."""
    command = output.command
    paths = [path for word in printed_files(command) if (path := _PATH.fullmatch(word))]
    tables = [table for path in paths for table in _table(path[0])]
    reading = Reading(protocols=())
    reading.covers = dict.fromkeys(table for table in tables if table[0] in PROTOCOLS)
    sections = _sections(output.lines())
    one_stack = len({path["pid"] for path in paths}) <= 1
    printed = [_table(path[0]) for path in paths if not _is_missing(path[0], output.stderr)]
    texts = _Texts(reading, little_endian, _named(sections, printed) if one_stack else {}, Counter(tables))
    if command.program == "cat":
        uncover_unknown(reading, command, command.given(""), _FLAGS_OF_CAT)
    for section in sections:
        texts.take(section)
    _uncover(reading, output, texts)
    return reading


def _table(path: str) -> list[Table]:
    """The tables that a path names; several where it is a pattern."""
    named = _PATH.fullmatch(path)
    return [table for name, table in sorted(_TABLES.items()) if named and fnmatchcase(name, named["name"])]


class _Section:
    """A header and the lines after it; `path` is what `head` and `tail` write before the text of each of several files."""

    def __init__(self, header: str | None, path: str | None) -> None:
        self.header = header
        self.path = path
        self.lines: list[str] = []

    @property
    def of_datagrams(self) -> bool:
        return self.header is not None and "drops" in self.header.split()

    def may_be(self, table: Table, told: bool) -> bool:
        """Whether the header, or else the rows, could be of this table. `told`: this kernel's headers tell datagrams (old ones do not)."""
        if self.header is None:
            rows = [line for line in self.lines if _ENTRY.match(line.strip())]
            widths = {len(line.split()[1].partition(":")[0]) == _V6_DIGITS for line in rows}
            return not widths or widths == {table[1] == "ipv6"}
        if ("remote_address" in self.header) != (table[1] == "ipv6"):
            return False
        return self.of_datagrams == (table[0] != "tcp") if told else True


def _sections(lines: list[str]) -> list[_Section]:
    """What stands before the first header is a section without one; empty ones of that kind are left out."""
    sections = [_Section(None, None)]
    path = None
    for line in lines:
        if named := _NAMED.fullmatch(line.strip()):
            path = named["path"]
        if proc_net.is_header(line):
            sections.append(_Section(line, path))
        sections[-1].lines.append(line)
    return sections if sections[0].lines else sections[1:]


def _is_missing(path: str, stderr: str) -> bool:
    """Whether the command said that it could not print this file."""
    return re.search(rf"{re.escape(path)}'?: ", stderr) is not None


def _named(sections: list[_Section], asked: list[list[Table]]) -> dict[int, Table]:
    """Which table each section is: by its path, by order where there are as many as files, else where only one of those asked for fits."""
    tables = [table for names in asked for table in names]
    told = any(section.of_datagrams for section in sections)
    headed = [at for at, section in enumerate(sections) if section.header is not None]
    in_order = [names[0] for names in asked if len(names) == 1]
    found: dict[int, Table] = {}
    if len(headed) == len(asked) == len(in_order) and all(sections[at].may_be(t, told) for at, t in zip(headed, in_order, strict=True)):
        found = dict(zip(headed, in_order, strict=True))
    for at, section in enumerate(sections):
        possible = _table(section.path) if section.path else list(dict.fromkeys(t for t in tables if section.may_be(t, told)))
        if at not in found and len(possible) == 1:
            found[at] = possible[0]
    return found


class _Texts:
    """Sections read into a reading. `headed`: how often a table's header was there; `asked`: how often it was to be printed."""

    def __init__(self, reading: Reading, little_endian: bool, named: dict[int, Table], asked: Counter[Table]) -> None:
        self.reading = reading
        self.little_endian = little_endian
        self.named = named
        self.asked = asked
        self.headed: Counter[Table] = Counter()
        self.unnamed = False
        self._known: set[tuple[object, ...]] = set()
        self._at = -1

    def take(self, section: _Section) -> None:
        """Every line of a section."""
        self._at += 1
        table = self.named.get(self._at)
        if table and _begins_again(section.lines):
            self.reading.gap("its rows begin again: the output of two commands, perhaps of two hosts", protocol=table[0], family=table[1])
        if table and section.header is not None:
            self.headed[table] += 1
        for line in section.lines:
            if line is section.header:
                self.reading.header(line, self._nth(table))
            elif _NAMED.fullmatch(line.strip()):
                self.reading.pass_over(line, "the name of a file")
            elif is_echo(line, "cat", "head", "tail", "more", "less"):
                pass_over_echo(self.reading, line)
            elif table is None:
                self.unnamed = True
                self.reading.gap("which of /proc/net's tables this line is of is not shown", line)
            else:
                self._line(line, table)

    def _nth(self, table: Table | None) -> object:
        """Which printing of which table begins here; that of an unknown table (its lines are gaps) is one of its own."""
        return (table, min(self.headed[table], self.asked[table])) if table else self._at

    def _line(self, line: str, table: Table) -> None:
        protocol, family = table
        try:
            rows = [proc_net.read_row(entry, protocol, family, self.little_endian) for entry in _entries(line)]
        except ValueError:
            self.reading.gap(proc_net.UNREADABLE, line, protocol=protocol, family=family)
            return
        found = [row for row in rows if row is not None]
        new = [row for row in found if (protocol, row.address, row.port, row.inode) not in self._known]
        if not new:
            self.reading.pass_over(line, "a socket of an earlier table, again" if found else "a connection, or a socket without a port")
        for at, row in enumerate(new):
            self._known.add((protocol, row.address, row.port, row.inode))
            shown: dict[str, Any] = {
                "protocol": protocol, "family": family, "address": row.address, "port": row.port, "uid": row.uid, "state": "listening",
            }  # fmt: skip
            inode = row.inode if row.inode != "0" else None
            if at == 0:
                self.reading.socket(line, identity=inode, **shown)
            else:
                self.reading.seen.append(Seen(line, shown, [], None, inode))


def _begins_again(lines: list[str]) -> bool:
    """Whether the rows' numbers, which the kernel prints in order, go back."""
    numbers = [int(found[0].partition(":")[0]) for line in lines for found in _ENTRY.finditer(line)]
    return any(one > next_one for one, next_one in pairwise(numbers))


def _entries(line: str) -> list[str]:
    """The rows of a line: one, or several where their line breaks were lost."""
    starts = [found.start() for found in _ENTRY.finditer(line)]
    if len(starts) < 2 or line[: starts[0]].strip():
        return [line]
    return [line[first:last] for first, last in zip(starts, [*starts[1:], len(line)], strict=True)]


def _uncover(reading: Reading, output: Output, texts: _Texts) -> None:
    """Tables that are not there, or not whole."""
    for table in list(reading.covers):
        if table not in texts.headed:
            said = next((line.strip() for line in output.stderr.splitlines() if re.search(rf"/{_name(table)}: ", line)), None)
            reading.uncover(said or "its table, with its header line, is not in the output", protocol=table[0], family=table[1])
    if texts.unnamed:
        reading.uncover("which table some lines are of is not shown")
    if output.command.program not in _WHOLE:
        reading.uncover(f"{output.command.program} may print part of a file only")


def _name(table: Table) -> str:
    return table[0] + ("6" if table[1] == "ipv6" else "")
