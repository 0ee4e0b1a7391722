"""/etc/services (services(5)): the ports that names stand for.

    heron        8443/tcp    heron-web     # a remark

Port and protocol are parted by a slash, in old files by a comma. Commands print a port's first name, never an alias, so that a name is
what it is the name of before what it is an alias of.
"""

from __future__ import annotations

import re

from auditor.facts import PORT_MAX
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import is_echo
from auditor.reading import Output, Read

AMBIGUOUS = 0
"""In place of a port: the file gives this name to several, so that a printed name does not tell which."""
_ENTRY = re.compile(r"(?P<name>[^\s#+]\S*)\s+(?P<port>\d+)[/,](?P<protocol>[a-z][\w-]*)(?P<aliases>(?:\s+\S+)*)", re.IGNORECASE)


class Services(Read):
    """`ports` by (name, protocol), aliases included; AMBIGUOUS where a name has several."""

    __slots__ = ("ports",)

    def __init__(self) -> None:
        super().__init__()
        self.ports: dict[tuple[str, str], int] = {}


def parse(output: Output) -> Services:
    """A line that is no entry is a gap."""
    read = Services()
    aliases: dict[tuple[str, str], int] = {}
    for line in output.lines():
        text = line.partition("#")[0].strip()
        entry = _ENTRY.fullmatch(text)
        port = number(entry["port"], PORT_MAX) if entry else None
        if not text:
            read.pass_over(line, "a remark")
        elif entry and port:
            protocol = entry["protocol"].lower()
            _add(read.ports, (entry["name"], protocol), port)
            for alias in entry["aliases"].split():
                _add(aliases, (alias, protocol), port)
            read.taken.append(line)
        elif is_echo(line, "cat"):
            read.pass_over(line, "a prompt or the command itself")
        else:
            read.gap("a line of /etc/services cannot be read", line)
    read.ports = {**aliases, **read.ports}
    return read


def _add(ports: dict[tuple[str, str], int], name: tuple[str, str], port: int) -> None:
    if ports.setdefault(name, port) != port:
        ports[name] = AMBIGUOUS
