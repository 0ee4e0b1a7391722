"""netstat -an of HP-UX 11 (netstat(1)): a table of IPv4 sockets and one of IPv6 sockets, each under its title.

    Active Internet connections (including servers)
    Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
    tcp        0      0  *.8443                 *.*                    LISTEN
    udp        0      0  127.0.0.1.50021        127.0.0.1.50021

The IPv6 table's title says `(IPv6, including servers)` and its rows tcp6 and udp6. A UDP socket with a peer, be it itself, is connected.
There is no owner, and no sign of whether an IPv6 wildcard takes IPv4 too. How addresses are cut: `netstat_dots`.
"""

from __future__ import annotations

import re

from auditor.command import Command
from auditor.parsers import netstat_dots
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.typed_lines import pass_over_echo, typed
from auditor.reading import FAMILIES, Output, Reading

_TITLE = re.compile(r"Active Internet connections(?: \((?P<what>[^)]*)\))?")
_ALL = "including servers"
_UNIX = "Active UNIX domain sockets"
_ROW = re.compile(r"(?P<protocol>tcp|udp)(?P<six>6?)\s+\d+\s+\d+\s+(?P<local>\S+)\s+(?P<foreign>\S+)(?:\s+(?P<state>[A-Z][A-Z0-9_]+))?")
_OURS = ("tcp", "udp", "sctp")
_OTHER_ROW = re.compile(r"(?P<protocol>[a-z]\w*)\s+\d+\s+\d+\s+\S+\s+\S+.*")
_LETTERS_WITH_VALUE = "fIp"
_OTHER_TABLES = "Mgimprs"
_FLAGS = "Aanv"


def parse(output: Output) -> Reading:
    """Sockets without a peer that hold a port."""
    given = output.command.given(_LETTERS_WITH_VALUE)
    asked = {{"inet": "ipv4", "inet6": "ipv6"}.get(name, name) for name in given.get("f", ())}
    reading = Reading(families=[family for family in FAMILIES if not asked or family in asked])
    titles: set[str] = set()
    column = 0
    ports = True
    for line in output.lines():
        text = line.strip()
        if title := _TITLE.fullmatch(text):
            what = title["what"] or ""
            family = "ipv6" if "IPv6" in what else "ipv4"
            titles.add(family)
            ports = True
            reading.header(line, family)
            if _ALL not in what:
                reading.uncover("its title does not say that servers are included (-a)", family=family)
        elif text.startswith(_UNIX):
            ports = False
            reading.pass_over(line, "a title")
        elif not ports:
            reading.pass_over(line, "a table of sockets without ports")
        elif netstat_dots.HEADER.fullmatch(text):
            column = netstat_dots.width(text)
            reading.pass_over(line, "the header")
        elif typed(line, "netstat") is not None:
            pass_over_echo(reading, line)
        else:
            _row(reading, line, column or netstat_dots.width(""))
    _limit(reading, output.command, given, titles, headed=column > 0)
    return reading


def _limit(reading: Reading, command: Command, given: dict[str, list[str]], titles: set[str], *, headed: bool) -> None:
    if not headed:
        reading.uncover("its header line is missing")
    if "a" not in given:
        reading.uncover("listening sockets were not asked for (-a)")
    if other := [letter for letter in _OTHER_TABLES if letter in given]:
        reading.uncover(f"something else than sockets was asked for (-{other[0]})")
    uncover_unknown(reading, command, given, _FLAGS + _OTHER_TABLES + _LETTERS_WITH_VALUE)
    for family in FAMILIES:
        if family not in titles:
            reading.uncover("it has no table of them", family=family)


def _row(reading: Reading, line: str, column: int) -> None:
    text = line.strip()
    if row := _ROW.fullmatch(text):
        family = "ipv6" if row["six"] else "ipv4"
        netstat_dots.socket_row(
            reading, line, row["protocol"], family, row["local"], row["foreign"], row["state"] or "", column=column
        )  # fmt: skip
    elif (other := _OTHER_ROW.fullmatch(text)) and not other["protocol"].startswith(_OURS):
        reading.pass_over(line, f"{other['protocol']}: not a protocol with ports of ours")
    else:
        reading.gap("a line of netstat cannot be read", text)
