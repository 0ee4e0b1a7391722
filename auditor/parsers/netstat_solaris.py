"""netstat of Solaris 10 and 11 and of illumos (usr/src/cmd/cmd-inet/usr.bin/netstat/netstat.c): a table for each protocol and family.

    TCP: IPv4
       Local Address        Remote Address     Swind  Send-Q  Rwind  Recv-Q    State
    -------------------- -------------------- ------- ------ ------- ------ -----------
          *.8443               *.*                  0      0  128000      0 LISTEN

Only the title tells protocol and family; `TCP` and `UDP` alone are IPv4 where /etc/default/inet_type has IPv6 left out. A wildcard is
indented. A title is printed only where a row follows, so a table that is not there may be empty or lost: its pair is not known to be
complete. UDP is Unbound (no port), Idle (bound, no peer: it receives) or Connected; its remote column is blank unless connected. TCP is
IDLE or BOUND where it does not listen. SCTP rows tell their family by the remote address (0.0.0.0, ::), and all addresses of a socket only
with -v. -v splits a TCP row into two lines. `If` is the zone of a link-local address.

-u adds User (cut to 8 characters: a name as long as that is left out here), Pid and Command (cut to 14; with -v the arguments, which are
left out), a row for each process. Addresses are not cut. Whether an IPv6 wildcard takes IPv4 too is not shown.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.endpoints import WILDCARDS, Endpoint, dotted
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import pass_over_echo, typed
from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading

_TITLE = re.compile(r"(?P<protocol>UDP|TCP)(?:: (?P<family>IPv[46]))?|(?P<sctp>SCTP):")
_OTHER_TITLE = re.compile(r"[A-Z][A-Z0-9-]*(?::(?: IPv[46])?)|Active .*")
_UNIX = "Active UNIX domain sockets"
_UNKNOWN = "a table of unknown kind"
_PORTLESS = "a table of sockets without ports"
_HEAD = re.compile(r"(?:Local Address|Local/Remote Address)\s.*")
_RULE = re.compile(r"-{5,}(?: -+)*")
_LETTERS_WITH_VALUE = "fPIT"
_OTHER_TABLES = "DMgimprs"
"""Letters that make netstat print something else than sockets."""
_FLAGS = "Radnuvx"
_USER_WIDTH = 8
_IF_WIDTH = 5
_UDP_STATE_WIDTH = 10

_OWNER = r"(?P<user>\S+)\s+(?P<pid>\d{1,10})"
_MLP = r"(?: [PS])*"
"""-R: a multilevel port, private or shared."""
_UDP = rf"(?P<state>Idle|Unbound|Connected){_MLP}(?P<rest>(?:\s.*)?)"
_TCP = rf"(?P<state>[A-Z][A-Z0-9_]+){_MLP}(?P<rest>(?:\s.*)?)"
_FOUR = r"\d+\s+-?\d+\s+-?\d+\s+-?\d+"
_ROWS = {
    ("udp", False, False): re.compile(rf"(?P<local>\S+)(?:\s+(?P<remote>\S+))??\s+{_UDP}"),
    ("udp", True, False): re.compile(rf"(?P<local>\S+)(?:\s+(?P<remote>\S+))??\s+{_OWNER}\s+(?P<process>\S.*?)\s+{_UDP}"),
    ("udp", True, True): re.compile(rf"(?P<local>\S+)(?:\s+(?P<remote>\S+))??\s+{_OWNER}\s+{_UDP}"),
    ("tcp", False, False): re.compile(rf"(?P<local>\S+)\s+(?P<remote>\S+)\s+{_FOUR}\s+{_TCP}"),
    ("tcp", True, False): re.compile(rf"(?P<local>\S+)\s+(?P<remote>\S+)\s+{_OWNER}\s+(?P<process>\S.*?)\s+{_FOUR}\s+{_TCP}"),
    ("sctp", False, False): re.compile(rf"(?P<local>\S+)\s+(?P<remote>\S+)\s+{_FOUR}\s+\d+/\d+\s+{_TCP}"),
    ("sctp", True, False): re.compile(rf"(?P<local>\S+)\s+(?P<remote>\S+)\s+{_FOUR}\s+\d+/\d+\s+{_OWNER}\s+(?P<process>\S.*?)\s+{_TCP}"),
    ("sctp", True, True): re.compile(rf"(?P<local>\S+)\s+(?P<remote>\S+)\s+{_FOUR}\s+\d+/\d+\s+{_OWNER}\s+{_TCP}"),
}  # fmt: skip
"""By protocol, whether owners are shown, and whether verbosely: that puts the command last."""
_SECOND_LINE = re.compile(
    r"(?P<remote>\S+)\s+\d+\s+[0-9a-f]{8}\s+[0-9a-f]{8}\s+\d+\s+[0-9a-f]{8}\s+[0-9a-f]{8}\s+\d+\s+\d+\s+(?P<state>[A-Z][A-Z0-9_]+)"
    rf"{_MLP}(?P<rest>(?:\s.*)?)"
)
_SECOND_LINE_OWNER = re.compile(rf"\s+(?:(?P<interface>[A-Za-z]\S*)\s+)??{_OWNER}\s.*")
_FURTHER = re.compile(r"<(?P<which>Remote|Local): .*>")
_NO_PEER = {address: family for family, address in WILDCARDS.items()}
"""As sctp rows print it."""
_STATES = {"LISTEN": "listening", "BOUND": "bound", "IDLE": "bound", "CLOSED": "bound"}
"""What a TCP or SCTP row without peer that has a port is."""


def parse(output: Output) -> Reading:
    """Sockets without a peer that hold a port."""
    given = output.command.given(_LETTERS_WITH_VALUE)
    reading = Reading(protocols=_protocols(given), families=_families(given), per_descriptor="u" in given, shows_owners="u" in given)
    tables = _Tables(reading, verbose="v" in given)
    for line in output.lines():
        tables.line(line)
    tables.end()
    if "a" not in given:
        reading.uncover("listening sockets were not asked for (-a)")
    if other := [letter for letter in _OTHER_TABLES if letter in given]:
        reading.uncover(f"something else than sockets was asked for (-{other[0]})")
    uncover_unknown(reading, output.command, given, _FLAGS + _OTHER_TABLES + _LETTERS_WITH_VALUE)
    for protocol, family in reading.covers:
        if (protocol, family) not in tables.titles:
            reading.uncover("it has no table of them", protocol=protocol, family=family)
    return reading


def _protocols(given: dict[str, list[str]]) -> tuple[str, ...]:
    asked = given.get("P")
    return PROTOCOLS if not asked else tuple(name for name in (*PROTOCOLS, "sctp") if name == asked[-1])


def _families(given: dict[str, list[str]]) -> tuple[str, ...]:
    asked = {{"inet": "ipv4", "inet6": "ipv6"}.get(name, name) for name in given.get("f", ())}
    return tuple(family for family in FAMILIES if not asked or family in asked)


class _Tables:
    """The table that the lines are in: its protocol (or one of _UNKNOWN, _PORTLESS), its family, and what its head says."""

    def __init__(self, reading: Reading, *, verbose: bool) -> None:
        self.reading = reading
        self.verbose = verbose
        self.titles: set[tuple[str, str]] = set()
        self.protocol = _UNKNOWN
        self.family: str | None = None
        self.owners = self.last = self.split = False
        self.first: tuple[str, Endpoint | None] | None = None
        self.above: Endpoint | None = None

    def line(self, line: str) -> None:
        text = line.strip()
        title = _TITLE.fullmatch(text)
        if title or _OTHER_TITLE.fullmatch(text):
            self.end()
            self._title(line, title)
        elif self.protocol == _PORTLESS:
            self.reading.pass_over(line, _PORTLESS)
        elif _HEAD.fullmatch(text):
            self.owners = re.search(r"\bUser\b", text) is not None
            self.last = self.owners and re.search(r"\bState\b.*\bCommand\b", text) is not None
            self.split = text.startswith("Local/Remote")
            self.reading.pass_over(line, "the header")
        elif _RULE.fullmatch(text):
            self.reading.pass_over(line, "the rule below the header")
        elif typed(line, "netstat") is not None:
            pass_over_echo(self.reading, line)
        elif self.protocol == _UNKNOWN:
            self.reading.gap("no title says which protocol this line is of", text)
        elif self.split:
            self._half(line)
        elif self.protocol == "sctp" and (further := _FURTHER.fullmatch(text)):
            self._further(line, further)
        else:
            self._row(line)

    def end(self) -> None:
        """A first half without its second."""
        if self.first:
            self._gap("the second line of this row is missing", self.first[0])
            self.first = None

    def _title(self, line: str, title: re.Match[str] | None) -> None:
        self.owners = self.last = self.split = False
        self.above = None
        if title is None:
            self.protocol = _PORTLESS if line.strip().startswith(_UNIX) else _UNKNOWN
            if self.protocol == _UNKNOWN:
                self.reading.gap("a table of a kind that is not known", line.strip())
                return
        elif title["sctp"]:
            self.protocol, self.family = "sctp", None
            self.titles |= {("sctp", family) for family in FAMILIES}
        else:
            self.protocol, self.family = title["protocol"].lower(), (title["family"] or "IPv4").lower()
            self.titles.add((self.protocol, self.family))
        self.reading.header(line, (self.protocol, self.family))

    def _gap(self, why: str, line: str) -> None:
        self.reading.gap(why, line.strip(), protocol=self.protocol, family=self.family)

    def _row(self, line: str) -> None:
        self.above = None
        pattern = _ROWS.get((self.protocol, self.owners, self.last))
        row = pattern.fullmatch(line.strip()) if pattern else None
        local = dotted(row["local"], self._family(row)) if row else None
        bare = row is not None and self.protocol == "sctp" and row["local"] in _NO_PEER
        if row is None or (local is None and not bare):
            self._gap("a line of netstat cannot be read", line)
        else:
            self._socket(line, row, local, _owner(row, self.last) if self.owners else [])

    def _family(self, row: re.Match[str]) -> str | None:
        return _NO_PEER.get(row["remote"]) if self.protocol == "sctp" else self.family

    def _half(self, line: str) -> None:
        """-v prints a TCP row on two lines: the local address alone, then the rest."""
        if self.first is None:
            local = dotted(line.strip(), self.family)
            if local is None:
                self._gap("a line of netstat cannot be read", line)
            else:
                self.first = (line, local)
            return
        (above, local), self.first = self.first, None
        row = _SECOND_LINE.fullmatch(line.strip())
        if row is None:
            self._gap("the second line of this row cannot be read", above)
            self._gap("a line of netstat cannot be read", line)
            return
        owner = _SECOND_LINE_OWNER.fullmatch(row["rest"])
        if self._socket(line, row, local, _owner(owner, True) if self.owners and owner else []):
            self.reading.taken.append(above)
        else:
            self.reading.pass_over(above, "the first half of the line below, which says why")

    def _socket(self, line: str, row: re.Match[str], local: Endpoint | None, owners: list[dict[str, Any]]) -> bool:
        """Whether the row gave a socket."""
        state, remote = row["state"], row["remote"]
        peer = remote is not None and remote not in _NO_PEER and not ((end := dotted(remote)) and end.anywhere)
        if state in ("Connected", "ESTABLISHED") or (peer and state != "LISTEN"):
            self.reading.pass_over(line, "it has a peer: a connection")
        elif local is None or local.unbound:
            self.reading.pass_over(line, "it has no port")
        elif self.protocol == "udp" and state == "Idle":
            return self._seen(line, local, "listening", owners, self._zone(row))
        elif peer or state not in _STATES:
            self._gap("a listening socket has a peer" if peer else "a socket that has no peer is in a state that it cannot be in", line)
        else:
            return self._seen(line, local, _STATES[state], owners, self._zone(row))
        return False

    def _seen(self, line: str, local: Endpoint, state: str, owners: list[dict[str, Any]], zone: str | None) -> bool:
        shown = _place(local)
        if zone and shown["family"] == "ipv6":
            shown["zone"] = zone
        self.reading.socket(line, owners=owners, port_name=local.port_name, protocol=self.protocol, state=state, **shown)
        self.above = local
        if self.protocol == "sctp" and not self.verbose and local.address not in _NO_PEER:
            self.reading.gap("further addresses of an SCTP socket are shown only with -v", protocol="sctp", family=shown["family"])
        return True

    def _zone(self, row: re.Match[str]) -> str | None:
        """The interface that follows the state."""
        rest: str = row["rest"]
        words = rest.split()
        if self.family != "ipv6" or not words or words[0].isdigit():
            return None
        if not self.owners or not (self.last or self.split):
            return words[0]
        if self.split:
            owner = _SECOND_LINE_OWNER.fullmatch(rest)
            name: str | None = owner["interface"] if owner else None
        else:
            blanks = len(rest) - len(rest.lstrip())
            name = words[0] if blanks <= _UDP_STATE_WIDTH - len(row["state"]) + 1 else None
        return None if name is None or len(name) >= _IF_WIDTH else name

    def _further(self, line: str, further: re.Match[str]) -> None:
        if further["which"] == "Local" and self.above is not None:
            self._gap("further local addresses of the socket above are not read", line)
        else:
            self.reading.pass_over(line, "further addresses of the association above")


def _place(local: Endpoint) -> dict[str, Any]:
    shown: dict[str, Any] = {"address": local.address, "family": local.family or "unknown"}
    if local.port is not None:
        shown["port"] = local.port
    if local.zone:
        shown["zone"] = local.zone
    return shown


def _owner(row: re.Match[str], last: bool) -> list[dict[str, Any]]:
    owner: dict[str, Any] = {"pid": int(row["pid"])}
    if not last:
        owner["process"] = row["process"]
    if (uid := number(row["user"])) is not None:
        owner["uid"] = uid
    elif len(row["user"]) < _USER_WIDTH:
        owner["user"] = row["user"]
    return [owner]
