"""PowerShell's Get-NetTCPConnection and Get-NetUDPEndpoint, as the tables that Format-Table makes of them.

    LocalAddress       LocalPort RemoteAddress   RemotePort State       AppliedSetting OwningProcess
    ------------       --------- -------------   ---------- -----       -------------- -------------
    ::                 8443      ::              0          Listen                     4120

Columns are found by their names, which like the states are in English everywhere. AppliedSetting is blank for a listener. A cell that is
too long for the screen ends in `...` or an ellipsis: such an address is marked as cut. Bound is a socket that does not listen. Each cmdlet
speaks of one protocol and of both families; whether a row of `::` takes IPv4 too is not shown. Lists and CSV are not read.
"""

from __future__ import annotations

import re
import socket
from typing import Any

from auditor.parsers.endpoints import WILDCARDS, packed_address
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import pass_over_echo, typed
from auditor.port_range import PORT_MAX
from auditor.reading import Output, Reading

_PROTOCOLS = {"get-nettcpconnection": "tcp", "get-netudpendpoint": "udp"}
_STATES = {"Listen": "listening", "Bound": "bound"}
_MAY_BE_BLANK = "AppliedSetting"
_RULE = re.compile(r"-{3,}(?:\s+-+)*")
_CUT = ("...", "\N{HORIZONTAL ELLIPSIS}")
_HARMLESS = ("-state", "-cimsession", "-throttlelimit", "-asjob")


def parse(output: Output) -> Reading:
    """Sockets without a peer that hold a port; a table without states is of listeners where -State Listen was asked for."""
    cmdlet, words = _asked(output.command.text)
    protocol = _PROTOCOLS.get(cmdlet)
    reading = Reading(protocols=[protocol] if protocol else [], shows_owners=True)
    state = _asked_state(words)
    names: list[str] | None = None
    for line in output.lines():
        cells = line.split()
        if "LocalAddress" in cells and "LocalPort" in cells:
            names = cells
            reading.shows_owners = "OwningProcess" in cells
            reading.header(line)
        elif _RULE.fullmatch(line.strip()):
            reading.pass_over(line, "the rule below the header")
        elif typed(line, *_PROTOCOLS) is not None:
            pass_over_echo(reading, line)
        elif names is None or protocol is None:
            reading.gap("neither header nor cmdlet says what this line holds", line.strip(), protocol=protocol)
        else:
            _row(reading, line, protocol, _by_name(names, cells), state=state)
    if names is None:
        reading.uncover("its header line is missing")
    if state not in (None, "listen"):
        reading.uncover(f"only sockets in the state {state} were asked for (-State)")
    if narrow := [word for word in words if word.startswith("-") and word not in _HARMLESS]:
        reading.uncover(f"only some sockets were asked for ({narrow[0]})")
    return reading


def _asked(text: str) -> tuple[str, list[str]]:
    """The cmdlet, in small letters ("" for another one), and the words after it; it may be in quotes, as an argument of powershell.exe."""
    asked = text.lower()
    cmdlet = next((name for name in _PROTOCOLS if name in asked), "")
    return cmdlet, [word.strip("\"'()") for word in asked.partition(cmdlet)[2].partition("|")[0].split()] if cmdlet else []


def _asked_state(words: list[str]) -> str | None:
    return words[words.index("-state") + 1] if "-state" in words[:-1] else None


def _by_name(names: list[str], cells: list[str]) -> dict[str, str] | None:
    """The cells by column; None where they do not fit."""
    if len(cells) == len(names) - 1:
        names = [name for name in names if name != _MAY_BE_BLANK]
    return dict(zip(names, cells, strict=True)) if len(cells) == len(names) else None


def _row(reading: Reading, line: str, protocol: str, cells: dict[str, str] | None, *, state: str | None) -> None:
    text = line.strip()
    port = number(cells["LocalPort"], PORT_MAX) if cells else None
    if cells is None or port is None:
        reading.gap("a line of this table cannot be read", text, protocol=protocol)
        return
    printed = cells["LocalAddress"]
    address = next((printed.removesuffix(end) for end in _CUT if printed.endswith(end)), printed)
    cut = address != printed
    host, _, zone = address.partition("%")
    family = "ipv6" if ":" in host else "ipv4"
    known = cells.get("State") or ("Listen" if state == "listen" else None)
    if not cut and packed_address(host) is None:
        reading.gap("a line of this table cannot be read", text, protocol=protocol)
    elif _has_peer(cells):
        reading.pass_over(line, "it has a peer: a connection")
    elif port == 0:
        reading.pass_over(line, "it has no port")
    elif protocol == "tcp" and known not in _STATES:
        reading.gap(f"whether it listens is not shown ({known or 'no state'})", text, protocol=protocol, family=family)
    else:
        shown: dict[str, Any] = {"address": _canonical(host), "family": family, "port": port}
        if cut:
            shown["address_cut"] = True
        if zone:
            shown["zone"] = zone
        shown["state"] = _STATES[known] if protocol == "tcp" and known else "listening"
        reading.socket(line, owners=_owner(cells), protocol=protocol, **shown)


def _has_peer(cells: dict[str, str]) -> bool:
    return cells.get("RemotePort", "0") != "0" or cells.get("RemoteAddress", "::") not in WILDCARDS.values()


def _canonical(host: str) -> str:
    packed = packed_address(host)
    return host if packed is None else socket.inet_ntop(socket.AF_INET6 if ":" in host else socket.AF_INET, packed)


def _owner(cells: dict[str, str]) -> list[dict[str, int]]:
    pid = number(cells.get("OwningProcess"))
    return [] if pid is None else [{"pid": pid}]
