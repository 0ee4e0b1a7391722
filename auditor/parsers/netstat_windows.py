"""netstat.exe of Windows: one table of TCP and UDP, of both families, in the language of the system.

      Proto  Local Address          Foreign Address        State           PID
      TCP    0.0.0.0:8443           0.0.0.0:0              LISTENING       4120
     [httpd.exe]
      UDP    [fe80::1%7]:1900       *:*                                    3316
      SSDPSRV
     [svchost.exe]

Title, header and states are translated; TCP, UDP and PID are not. A TCP row whose peer has port 0 has no peer. Without -q such a socket
listens, whatever word stands there: Windows lists those that are only bound (BOUND) for -q alone. With -q a word of another language may be
either, and the state is unknown. UDP rows have no state and never show a peer, so each is taken as receiving.

-o adds the PID; -b puts the owner on the lines below its row, a component or service (passed over) and then `[program]`, or a sentence
that there is no knowing. Without -n a name may stand for any address of the host, the wildcard too, and tells no family. Select-String puts
`>` before a row. Whether a row of [::] takes IPv4 too is not shown.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.endpoints import Endpoint, coloned
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.typed_lines import pass_over_echo, typed
from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading, Seen

_ROW = re.compile(r"(?P<protocol>TCP|UDP)\s+(?P<local>\S+)\s+(?P<foreign>\S+)(?P<rest>(?:\s.*)?)")
_ANY_ROW = re.compile(r"(?:TCP|UDP)(?:\s.*)?")
_GAP = re.compile(r"\s{2,}")
_PROGRAM = re.compile(r"\[(?P<process>.+)\]")
_PID = re.compile(r"\d{1,10}")
_COLUMNS = 4
_NO_PEER = "*:*"
_CONNECTED = (
    "ESTABLISHED", "SYN_SENT", "SYN_RECEIVED", "CLOSE_WAIT", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSING", "LAST_ACK", "TIME_WAIT", "DELETE_TCB",
)  # fmt: skip
_STATES = {"LISTENING": "listening", "BOUND": "bound", "CLOSED": "bound"}
_OTHER_TABLES = "erx"
_LETTERS = "abefinopqrstxy"
"""Of `netstat /?`; -c (processes by their number of ports) and -d (DSCP) of late releases are left out: what they print is not known."""
_P = {"tcp": ("tcp", "ipv4"), "udp": ("udp", "ipv4"), "tcpv6": ("tcp", "ipv6"), "udpv6": ("udp", "ipv6")}
"""What -p can name; anything else (IP, ICMP) has no ports."""


def parse(output: Output) -> Reading:
    """Sockets without a peer that hold a port."""
    letters, protocols = _options(output.command.arguments)
    covered = [(protocol, family) for protocol in PROTOCOLS for family in FAMILIES]
    if protocols:
        covered = [pair for pair in covered if pair == _P.get(protocols[-1])]
    reading = Reading(shows_owners=bool(letters & {"o", "b"}))
    reading.covers = dict.fromkeys(covered)
    lines = output.lines()
    first = next((at for at, line in enumerate(lines) if _ANY_ROW.fullmatch(_unmarked(line))), len(lines))
    head, columns = _header(lines[:first])
    if head is None:
        reading.uncover("its header line is missing")
    elif first == len(lines):
        reading.uncover("it has a header and no row, which no Windows host has")
    if not letters & {"a", "q"}:
        reading.uncover("listening sockets were not asked for (-a)")
    if other := sorted(letters & set(_OTHER_TABLES)):
        reading.uncover(f"something else than sockets was asked for (-{other[0]})")
    uncover_unknown(reading, output.command, letters, _LETTERS)
    if not any(_unmarked(line).startswith("UDP") for line in lines):
        reading.uncover("it has no row of UDP, which no Windows host has: it may be cut", protocol="udp")
    rows = _Rows(reading, letters, numbered=columns > _COLUMNS and "o" in letters)
    for at, line in enumerate(lines):
        if typed(line, "netstat") is not None:
            pass_over_echo(reading, line)
        elif head is not None and _is_header(line):
            reading.header(line)
        elif head is not None and at == head - 1 and not _GAP.search(line.strip()):
            reading.pass_over(line, "the title")
        else:
            rows.line(line)
    return reading


def _options(arguments: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """The letters of the options, in small, and the values of -p. Windows takes `/` for `-`."""
    letters: set[str] = set()
    protocols: list[str] = []
    words = iter(arguments)
    for word in words:
        if word[:1] in ("-", "/") and len(word) > 1:
            letters |= set(word[1:].lower())
            if word[-1] in "pP":
                protocols.append(next(words, "").lower())
    return letters, protocols


def _unmarked(line: str) -> str:
    return line.strip().removeprefix(">").strip()


def _header(above: list[str]) -> tuple[int | None, int]:
    """Which of the lines above the first row is the header, by its columns, and how many these are: its words depend on the language."""
    for at in range(len(above) - 1, -1, -1):
        if _is_header(above[at]):
            return at, len(_GAP.split(above[at].strip()))
    return None, 0


def _is_header(line: str) -> bool:
    return len(_GAP.split(line.strip())) >= _COLUMNS and not _ANY_ROW.fullmatch(_unmarked(line)) and typed(line, "netstat") is None


class _Rows:
    """The row that owner lines belong to: its socket (None: it was passed over or is a gap)."""

    def __init__(self, reading: Reading, letters: set[str], *, numbered: bool) -> None:
        self.reading = reading
        self.letters = letters
        self.numbered = numbered
        self.below_row = False
        self.seen: Seen | None = None

    def line(self, line: str) -> None:
        text = _unmarked(line)
        if row := _ROW.fullmatch(text):
            self.below_row = True
            self.seen = self._row(line, row)
        elif _ANY_ROW.fullmatch(text) or not (self.below_row and "b" in self.letters):
            self.seen = None
            self.reading.gap("a line of netstat cannot be read", line.strip())
        elif (program := _PROGRAM.fullmatch(text)) and self.seen:
            self._owned(line, program["process"])
        else:
            self.reading.pass_over(line, "of the row above: a component, or that its owner is not known, or whose row is passed over")

    def _owned(self, line: str, process: str) -> None:
        owners = self.seen.owners if self.seen else []
        if not owners:
            owners.append({})
        if owners[0].setdefault("process", process) == process:
            self.reading.taken.append(line)
        else:
            self.reading.gap("a second program for the row above", line.strip())

    def _row(self, line: str, row: re.Match[str]) -> Seen | None:
        protocol = row["protocol"].lower()
        words = row["rest"].split()
        at = next((at for at, word in enumerate(words) if _PID.fullmatch(word)), None)
        state = " ".join(words[:at])
        local, foreign = coloned(row["local"]), coloned(row["foreign"])
        family = None if local is None or local.is_name else local.family
        if state in _CONNECTED and protocol == "tcp":
            self.reading.pass_over(line, "a connection")
        elif local is None or foreign is None or (self.numbered and at is None):
            self.reading.gap("a line of netstat cannot be read", line.strip(), protocol=protocol, family=family)
        elif protocol == "tcp" and not foreign.unbound:
            if state in _STATES:
                self.reading.gap(f"it has a peer and is {state}", line.strip(), protocol=protocol, family=family)
            else:
                self.reading.pass_over(line, "it has a peer: a connection")
        elif not (foreign.anywhere or foreign.is_name) or (protocol == "udp" and row["foreign"] != _NO_PEER):
            self.reading.gap("its peer is neither one nor none", line.strip(), protocol=protocol, family=family)
        elif local.unbound:
            self.reading.pass_over(line, "it has no port")
        elif not state and protocol == "tcp":
            self.reading.gap("its state is missing", line.strip(), protocol=protocol, family=family)
        else:
            owners = [] if at is None else [{"pid": int(words[at])}]
            return self.reading.socket(
                line, owners=owners, port_name=local.port_name, protocol=protocol,
                state=self._state(state) if protocol == "tcp" else "listening", **_place(local),
            )  # fmt: skip
        return None

    def _state(self, word: str) -> str:
        """The state of a TCP socket that has no peer, in whatever language."""
        return _STATES.get(word) or ("unknown" if "q" in self.letters else "listening")


def _place(local: Endpoint) -> dict[str, Any]:
    shown: dict[str, Any] = {"address": local.address, "family": "unknown" if local.is_name else local.family or "unknown"}
    if local.port is not None:
        shown["port"] = local.port
    if local.zone:
        shown["zone"] = local.zone
    return shown
