"""FreeBSD's `jls -n jid name vnet ...` (usr.sbin/jls/jls.c): a line for each jail in view, its parameters as NAME=VALUE.

    jid=3 name=web vnet=new allow.reserved_ports=true

`vnet` is `new` for a jail with a network stack of its own, `inherit` for one that uses the host's. There is no header; no jails, no lines.
"""

from __future__ import annotations

import re

from auditor.reading import Output, Read

_PARAMETER = re.compile(r"([A-Za-z][\w.]*)=(\"(?:[^\"\\]|\\.)*\"|\S*)(?:\s+|$)")


class Jails(Read):
    """The parameters of each jail, in the order of the lines."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []


def parse(output: Output) -> Jails:
    """A line that is not all parameters, or names no jail, is a gap."""
    jails = Jails()
    for line in output.lines():
        text = line.strip()
        parts = _parameters(text)
        if {"jid", "name"} <= {part[1] for part in parts}:
            jails.found.append({part[1]: part[2].strip('"') for part in parts})
            jails.taken.append(line)
        else:
            jails.gap("a line of jls cannot be read", line)
    return jails


def _parameters(text: str) -> list[re.Match[str]]:
    """The parameters of a line; none where anything in it is no parameter."""
    parts: list[re.Match[str]] = []
    at = 0
    while part := _PARAMETER.match(text, at):
        parts.append(part)
        at = part.end()
    return parts if at == len(text) else []
