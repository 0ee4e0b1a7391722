"""FreeBSD's `jls -n jid name vnet ...` (usr.sbin/jls/jls.c, print_jail): a line for each jail in view, its parameters as NAME=VALUE.

    jid=3 name=web vnet=new
    jid=3 name=web allow.reserved_ports

A parameter that is on or off stands by its name alone, `allow.noreserved_ports` where it is off. `vnet` is `new` for a jail with a network
stack of its own, `inherit` for one that uses the host's. There is no header; no jails, no lines. Where the kernel has no parameter that was
asked for, jls says `jls: unknown parameter: NAME` and lists nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.reading import Output, Read

_PARAMETER = re.compile(r"([A-Za-z][\w.]*)(?:=(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s\"']\S*|))?(?:\s+|$)")
_SWITCH = re.compile(r"(?P<where>(?:[\w]+\.)*)(?P<no>no)?(?P<name>\w+)")
_UNKNOWN = re.compile(r"jls: unknown parameter: (?P<name>[\w.]+)")
_TAKING = "j"
ON, OFF = "true", "false"


class Jails(Read):
    """The parameters of each jail, in the order of the lines; those that are on or off as ON or OFF. `asked` are the parameters that the
    command names, `unknown` those that the kernel has not."""

    __slots__ = ("asked", "found", "unknown")

    def __init__(self, asked: Iterable[str] = ()) -> None:
        super().__init__()
        self.asked = tuple(asked)
        self.found: list[dict[str, str]] = []
        self.unknown: list[str] = []

    def tells(self, parameter: str) -> bool:
        """Whether it was asked for a parameter; without names jls prints all."""
        return not self.asked or parameter in self.asked


def parse(output: Output) -> Jails:
    """A line that is not all parameters, or names no jail, is a gap."""
    given = output.command.given(_TAKING)
    values = [value for values in given.values() for value in values]
    jails = Jails(word for word in output.command.arguments if not word.startswith("-") and word not in values)
    jails.unknown = [found["name"] for line in output.stderr.splitlines() if (found := _UNKNOWN.fullmatch(line.strip()))]
    for line in output.lines():
        shown = dict(map(_shown, _parameters(line.strip())))
        if {"jid", "name"} <= shown.keys():
            jails.found.append(shown)
            jails.taken.append(line)
        elif unknown := _UNKNOWN.fullmatch(line.strip()):
            jails.unknown.append(unknown["name"])
            jails.taken.append(line)
        else:
            jails.gap("a line of jls cannot be read", line)
    return jails


def _shown(parameter: re.Match[str]) -> tuple[str, str]:
    name, value = parameter[1], parameter[2]
    if value is not None:
        return name, value[1:-1] if value[:1] in ("'", '"') else value
    switch = _SWITCH.fullmatch(name)
    return (switch["where"] + switch["name"], OFF if switch["no"] else ON) if switch else (name, ON)


def _parameters(line: str) -> list[re.Match[str]]:
    """The parameters of a line; none where anything in it is no parameter."""
    parts: list[re.Match[str]] = []
    at = 0
    while part := _PARAMETER.match(line, at):
        parts.append(part)
        at = part.end()
    return parts if at == len(line) else []
