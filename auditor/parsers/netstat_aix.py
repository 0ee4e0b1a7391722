"""netstat -an and -Aan of AIX (netstat command): one table of Internet sockets, then one of UNIX domain sockets.

    Active Internet connections (including servers)
    PCB/ADDR         Proto Recv-Q Send-Q  Local Address      Foreign Address    (state)
    f1000e00001a2bb8 tcp4       0      0  *.8443             *.*                LISTEN
    f1000e00001c4bb8 tcp        0      0  *.1521             *.*                LISTEN

-A puts the address of the PCB first, and the columns of addresses are then 18 wide in place of 22: how they are cut says `netstat_dots`.
tcp4 and tcp6 tell the family; tcp and udp alone are sockets of no single family, so a wildcard of theirs is `*`, family unknown, and a row
without a family may be of either. A TCP socket that is bound only is CLOSED.

There is no owner. Where a site pasted what rmsock said of a PCB, that process is one owner (rmsock names one, and removes a socket that has
none, so this tool never runs it):

    # rmsock f1000e00001a2bb8 tcpcb
    The socket 0xf1000e00001a2808 is being held by proccess 6160552 (httpd).
"""

from __future__ import annotations

import re

from auditor.parsers import netstat_dots
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.typed_lines import pass_over_echo, typed
from auditor.reading import FAMILIES, Output, Reading, Seen

_TITLE = re.compile(r"Active Internet connections(?: \((?P<what>[^)]*)\))?")
_ALL = "including servers"
_OTHER_TITLE = "Active "
_ROW = re.compile(
    r"(?:(?P<pcb>[0-9a-f]{8,16})\s+)?(?P<protocol>tcp|udp)(?P<family>[46]?)\s+\d+\s+\d+\s+(?P<local>\S+)\s+(?P<foreign>\S+)"
    r"(?:\s+(?P<state>[A-Z][A-Z0-9_]+))?"
)
_OURS = ("tcp", "udp", "sctp")
_OTHER_ROW = re.compile(r"(?:[0-9a-f]{8,16}\s+)?(?P<protocol>[a-z]\w*)\s+\d+\s+\d+\s+\S+\s+\S+.*")
_FAMILIES = {"4": "ipv4", "6": "ipv6", "": None}
_HELD = re.compile(r"The socket (?:0x)?[0-9a-f]+ is being held by proc{1,2}ess (?P<pid>\d{1,10}) \((?P<process>.*)\)\.?")
_NOT_HELD = re.compile(r"The socket (?:0x)?[0-9a-f]+ is being held by Kernel/Kernel Extension\.?|socket (?:0x)?[0-9a-f]+ is removed\.?")
_LETTERS_WITH_VALUE = "fIp"
_OTHER_TABLES = "CDPcgimoprsv"
_FLAGS = "Aan"


def parse(output: Output) -> Reading:
    """Sockets without a peer that hold a port."""
    given = output.command.given(_LETTERS_WITH_VALUE)
    asked = {{"inet": "ipv4", "inet6": "ipv6"}.get(name, name) for name in given.get("f", ())}
    reading = Reading(families=[family for family in FAMILIES if not asked or family in asked])
    table = _Table(reading)
    for line in output.lines():
        table.line(line)
    table.end()
    if table.column is None:
        reading.uncover("its header line is missing")
    if "a" not in given:
        reading.uncover("listening sockets were not asked for (-a)")
    if other := [letter for letter in _OTHER_TABLES if letter in given]:
        reading.uncover(f"something else than sockets was asked for (-{other[0]})")
    uncover_unknown(reading, output.command, given, _FLAGS + _OTHER_TABLES + _LETTERS_WITH_VALUE)
    return reading


class _Table:
    """Where the lines are, the sockets by PCB, and what rmsock said of which PCB."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.column: int | None = None
        self.ports = True
        self.by_pcb: dict[str, Seen] = {}
        self.asked: str | None = None
        self.held: list[tuple[str, str | None, re.Match[str]]] = []

    def line(self, line: str) -> None:
        text = line.strip()
        command = typed(line, "netstat", "rmsock")
        if held := _HELD.fullmatch(text):
            self.held.append((line, self.asked, held))
            self.asked = None
        elif _NOT_HELD.fullmatch(text):
            self.asked = None
            self.reading.pass_over(line, "rmsock names no process")
        elif command is not None:
            words = command.split()
            self.asked = words[1].removeprefix("0x") if len(words) > 1 and words[0].endswith("rmsock") else None
            pass_over_echo(self.reading, line)
        elif title := _TITLE.fullmatch(text):
            self.ports = True
            self.reading.pass_over(line, "a title")
            if _ALL not in (title["what"] or ""):
                self.reading.uncover("its title does not say that servers are included (-a)")
        elif text.startswith(_OTHER_TITLE):
            self.ports = False
            self.reading.pass_over(line, "a title")
        elif not self.ports:
            self.reading.pass_over(line, "a table of sockets without ports")
        elif netstat_dots.HEADER.fullmatch(text):
            self.column = netstat_dots.width(text)
            self.reading.header(line)
        else:
            self._row(line)

    def end(self) -> None:
        """Give the sockets the owners that rmsock named."""
        for line, pcb, held in self.held:
            if pcb in self.by_pcb:
                self.by_pcb[pcb].owners.append({"pid": int(held["pid"]), "process": held["process"]})
                self.reading.taken.append(line)
            else:
                self.reading.pass_over(line, "rmsock speaks of no socket that is listed above")

    def _row(self, line: str) -> None:
        text = line.strip()
        if row := _ROW.fullmatch(text):
            column = self.column or netstat_dots.width("")
            seen = netstat_dots.socket_row(
                self.reading, line, row["protocol"], _FAMILIES[row["family"]], row["local"], row["foreign"], row["state"] or "",
                column=column, identity=row["pcb"],
            )  # fmt: skip
            if seen and row["pcb"]:
                self.by_pcb[row["pcb"]] = seen
        elif (other := _OTHER_ROW.fullmatch(text)) and not other["protocol"].startswith(_OURS):
            self.reading.pass_over(line, f"{other['protocol']}: not a protocol with ports of ours")
        else:
            self.reading.gap("a line of netstat cannot be read", text)
