"""/etc/services (services(5)): the ports that names stand for.

    heron        8443/tcp    heron-web     # a remark

Port and protocol are parted by a slash, in old files by a comma. Commands print a port's first name, never an alias, so that a name is
what it is the name of before what it is an alias of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.parsers.rows import number
from auditor.parsers.typed_lines import is_echo
from auditor.port_range import PORT_MAX
from auditor.reading import Output, Read

AMBIGUOUS = 0
"""In place of a port: the file gives this name to several, so that a printed name does not tell which."""
_ENTRY = re.compile(r"(?P<name>[^\s#+]\S*)\s+(?P<port>\d+)[/,](?P<protocol>[a-z][\w-]*)(?P<aliases>(?:\s+\S+)*)", re.IGNORECASE)


class Entry:
    """A name as one line of the file has it; `alias`: not the line's first one."""

    __slots__ = ("alias", "line", "name", "port", "protocol")

    def __init__(self, name: str, port: int, protocol: str, alias: bool, line: int) -> None:
        self.name = name
        self.port = port
        self.protocol = protocol
        self.alias = alias
        self.line = line


class Services(Read):
    """`entries` in the order of the `file`; `ports` by (name, protocol), aliases included; AMBIGUOUS where a name has several."""

    __slots__ = ("entries", "file", "ports")

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file
        self.entries: list[Entry] = []
        self.ports: dict[tuple[str, str], int] = {}


def parse(output: Output) -> Services:
    """A line that is no entry is a gap."""
    read = Services(next((word for word in output.command.arguments if not word.startswith("-")), "/etc/services"))
    echoed = 0
    lines = output.text.split("\n")
    cut = output.status not in ("0", "unknown")
    for number_of_line, whole in enumerate(lines, 1):
        line = whole.removesuffix("\r")
        text = line.partition("#")[0].strip()
        if cut and number_of_line == len(lines) and text:
            read.gap("a line that was cut", line)
            continue
        entry = _ENTRY.fullmatch(text)
        port = number(entry["port"], PORT_MAX) if entry else None
        if not line.strip():
            continue
        if not text:
            read.pass_over(line, "a remark")
        elif entry and port:
            names = (entry["name"], *entry["aliases"].split())
            protocol, at = entry["protocol"].lower(), number_of_line - echoed
            read.entries += [Entry(name, port, protocol, nth > 0, at) for nth, name in enumerate(names)]
            read.taken.append(line)
        elif is_echo(line, "cat"):
            echoed += 1
            read.pass_over(line, "a prompt or the command itself")
        else:
            read.gap("a line of /etc/services cannot be read", line)
    read.ports = {**_ports(one for one in read.entries if one.alias), **_ports(one for one in read.entries if not one.alias)}
    return read


def _ports(entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    ports: dict[tuple[str, str], int] = {}
    for one in entries:
        if ports.setdefault((one.name, one.protocol), one.port) != one.port:
            ports[one.name, one.protocol] = AMBIGUOUS
    return ports
