"""netstat of net-tools (netstat.c) and of busybox (networking/netstat.c), which read /proc/net.

    Active Internet connections (only servers)
    Proto Recv-Q Send-Q Local Address           Foreign Address         State       User       Inode      PID/Program name    Timer
    tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      0          20480      711/sshd: /usr/sbin off (0.00/0/0)
    udp6       0      0 :::123                  :::*                                0          20511      640/ntpd            off (0.00/0/0)

-e adds User (who created the socket) and Inode, -p the program, -Z a security context, -o the timer; UDP has no state. net-tools cuts an
address so that it and its port have 22 characters together, unless -W is given; busybox did so once. The program is one process of those
that hold the socket, its name the first words of its argv, cut at 19 characters with the pid, and `-` where none was found or visible.
Titles, headers and states are translated; the states only in the languages of `_LISTENING`. net-tools writes v4-mapped addresses of tcp6
like IPv4; busybox says tcp and udp of both families. v6only, zones and bound TCP sockets are not shown.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.command import Command
from auditor.parsers.endpoints import WILDCARDS, Endpoint, coloned
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.long_options import LongOptions
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading

_LONG = {
    "tcp": "t", "udp": "u", "udplite": "U", "sctp": "S", "raw": "w", "unix": "x", "listening": "l", "all": "a", "inet": "4", "ip": "4",
    "inet6": "6", "ipv6": "6", "protocol": "A", "extend": "e", "programs": "p", "timers": "o", "context": "Z", "wide": "W", "notrim": "T",
    "route": "r", "interfaces": "i", "statistics": "s", "masquerade": "M", "groups": "g", "numeric": "n", "numeric-hosts": "!",
    "numeric-ports": "@", "numeric-users": "#", "continuous": "c", "verbose": "v", "symbolic": "N",
}  # fmt: skip
_OTHER_TABLES = {"r": "routes", "i": "interfaces", "s": "statistics", "M": "masqueraded connections", "g": "multicast groups"}
_FAMILY_WORDS = {"inet": "ipv4", "ip": "ipv4", "inet6": "ipv6", "ipv6": "ipv6"}
_TABLES = {"t": "tcp", "u": "udp", "U": "udplite", "S": "sctp", "w": "raw"}
_LISTENING = ("LISTEN", "OUÇA", "NASLOUCHÁ")
"""LISTEN as net-tools' message catalogues have it; all but pt_BR and cs leave it as it is."""
_CONNECTED = re.compile(r"ESTABLISHED|SYN_SENT|SYN_RECV|FIN_WAIT[12]|TIME_WAIT|CLOSE|CLOSE_WAIT|LAST_ACK|CLOSING")
_CUT = 22
"""Characters that an address and its port have together, without the colon, where netstat cuts the address (addr_do_one)."""
_PORT_CUT = 18
"""Characters of a port's name, where netstat cuts that."""
_HEADER = re.compile(r"Proto\s+(?:\S+-[QF]\s+\S+-[QF]|VvJrk\s+SaatJrk)\s.*")
"""`Proto Recv-Q Send-Q` in every language of net-tools."""
_OTHER_HEADER = re.compile(r"Proto\s+\S.*")
_TITLE = re.compile(r".*(?:Internet|internet|UNIX|Bluetooth|IPX|AX\.25|X\.25|NET/ROM).*")
_ENGLISH, _SERVERS = "Active Internet connections", ("(only servers)", "(servers and established)")
_WITHOUT_SERVERS = re.compile(r"\((?:w/o|(?:ohne|ilma|sans|utan) )[^()]*\)\Z")
"""What a title ends with without -a and -l, as net-tools' message catalogues have it; pt_BR says the same with -l."""
_ROW = re.compile(
    r"(?P<protocol>tcp|udplite|udpl|udp|sctp)(?P<six>6?)\s+\d+\s+\d+\s+(?P<local>\S{1,300}:\S{1,40})\s+(?P<foreign>\S{1,300}:\S{1,40})(?:\s+(?P<rest>\S.*))?"
)
_OTHER_ROW = re.compile(r"(?:raw6?|icmp6?|igmp6?)\s+\d+\s+\d+\s+\S|(?:unix|\?\?)\s+\d+\s+\[|(?:l2cap|rfcomm)\s+[0-9A-F*]")
_TIMER = r"(?:\s++(?P<timer>\S++(?: \d+)? \(+\d+\.\d+/\d+(?:/-?\d+)?\)))?"
_COLUMNS = r"(?:(?P<user>\S{1,80}(?: \S{1,80}){0,4}?)\s++(?P<inode>\d{1,20}))?(?:\s*+(?P<program>-|\d{1,10}/.{0,300}?(?<!\s)))?"
_REST = re.compile(_COLUMNS)
_REST_WITH_TIMER = re.compile(_COLUMNS + _TIMER)
_BOGUS = re.compile(r"got bogus (tcp|udp)|(tcp|udp).*inválida")


class _Asked:
    """What the command line asked for: `protocols` and `families`; `servers` says whether sockets without a peer are shown."""

    def __init__(self, command: Command) -> None:
        given = LongOptions(command.arguments, "A", _LONG)
        letters = given.letters
        self.letters = letters
        self.unknown = given.unknown
        words = [word for value in given.values.get("A", []) for word in value.split(",")]
        self.families = tuple(f for f, letter in zip(FAMILIES, "46", strict=True) if letter in letters)
        self.families += tuple(_FAMILY_WORDS[word] for word in words if word in _FAMILY_WORDS)
        self.protocols = {protocol for letter, protocol in _TABLES.items() if letter in letters}
        if not self.protocols and (self.families or ("x" not in letters and not words)):
            self.protocols = set(_TABLES.values())
        self.families = self.families or FAMILIES
        self.servers = bool(letters & {"a", "l"})
        self.other_table = next((table for letter, table in _OTHER_TABLES.items() if letter in letters), None)
        self.busybox = "busybox" in command.text


def parse(output: Output) -> Reading:
    """TCP rows in LISTEN and UDP rows without a peer."""
    asked = _Asked(output.command)
    if asked.other_table:
        return _nothing_of_ours(output, asked.other_table)
    reading = Reading(
        protocols=[p for p in PROTOCOLS if asked.servers and p in asked.protocols],
        families=[f for f in FAMILIES if f in asked.families],
    )
    uncover_unknown(reading, output.command, asked.letters | asked.unknown, "".join(_LONG.values()))
    lines = output.lines()
    if not any(_HEADER.fullmatch(line.strip()) for line in lines):
        reading.uncover("its header line is missing")
    for line in output.stderr.splitlines():
        if bogus := _BOGUS.search(line):
            reading.uncover(f"netstat could not read a line of the kernel's table: {line.strip():.100}", protocol=bogus[1] or bogus[2])
    rows = _Rows(reading, asked, lines)
    for at, line in enumerate(lines):
        rows.take(line, lines[at + 1] if at + 1 < len(lines) else "")
    return reading


def _nothing_of_ours(output: Output, table: str) -> Reading:
    reading = Reading(protocols=())
    for line in output.lines():
        reading.pass_over(line, f"a table of {table}")
    return reading


class _Rows:
    """The rows of one output. `cuts`: whether this netstat cuts addresses. `net_tools`: something shows that it is not busybox's."""

    def __init__(self, reading: Reading, asked: _Asked, lines: list[str]) -> None:
        self.reading = reading
        self.asked = asked
        rows = [row for line in lines if (row := _ROW.fullmatch(line.strip()))]
        headers = [line for line in lines if _HEADER.fullmatch(line.strip())]
        widths = [len(row[end]) for row in rows for end in ("local", "foreign")]
        self.cuts = not asked.letters & {"W", "T"} and max(widths, default=0) <= _CUT + 1
        english = all("Local Address" in header for header in headers)
        titled = any(line.startswith("Active Internet connections") for line in lines)
        six = any(row["six"] for row in rows)
        self.net_tools = not asked.busybox and (six or not english or not titled or any(" Inode" in header for header in headers))
        self.rest = _REST_WITH_TIMER if "o" in asked.letters or any(" Timer" in header for header in headers) else _REST
        self.context = "Z" in asked.letters
        self.tables = 0
        self.earlier: set[tuple[Any, ...]] = set()
        self.table: set[tuple[Any, ...]] = set()
        self.remark = False

    def take(self, line: str, following: str) -> None:
        """One line; the one that follows it tells a title."""
        text = line.strip()
        row = _ROW.fullmatch(text)
        if row:
            self._row(line, row)
        elif _HEADER.fullmatch(text):
            self.earlier |= self.table
            self.table = set()
            self.tables += 1
            self.reading.header(line, self.tables if "c" in self.asked.letters else None)
        elif _OTHER_HEADER.fullmatch(text):
            self.reading.pass_over(line, "the header of another table")
        elif _OTHER_ROW.match(text):
            self.reading.pass_over(line, f"{text.split(maxsplit=1)[0]}: not a protocol with ports of ours")
        elif self._is_title(text, following):
            self.reading.pass_over(line, "a title")
            if _WITHOUT_SERVERS.search(text) or (text.startswith(_ENGLISH) and not text.endswith(_SERVERS)):
                self.reading.uncover("its title does not say that servers are included (-a or -l)")
        elif self._is_remark(text):
            self.reading.pass_over(line, "a remark on the processes that netstat may not look at")
        elif is_echo(line, "netstat"):
            pass_over_echo(self.reading, line)
        else:
            self.reading.gap("a line of netstat cannot be read", line)

    def _is_title(self, text: str, following: str) -> bool:
        headed = _OTHER_HEADER.fullmatch(following.strip()) or _TITLE.fullmatch(following.strip())
        return bool((headed and not re.search(r":[\d*]|:\w+ ", text) and not _looks_like_row(text)) or self._is_known_title(text))

    @staticmethod
    def _is_known_title(text: str) -> bool:
        return bool(_TITLE.fullmatch(text)) and not _looks_like_row(text) and text.endswith(")") and "(" in text and ":" not in text

    def _is_remark(self, text: str) -> bool:
        """`(Not all processes could be identified, ...)`, which has two lines or three and is translated; it stands before the table."""
        opened, self.remark = self.remark or text.startswith("("), False
        if self.tables or not opened or re.search(r":[\d*]", text) or _looks_like_row(text):
            return False
        self.remark = not text.endswith(")")
        return True

    def _row(self, line: str, row: re.Match[str]) -> None:
        protocol = "udplite" if row["protocol"].startswith("udpl") else row["protocol"]
        family = "ipv6" if row["six"] else None
        local, foreign = _endpoint(row["local"]), _endpoint(row["foreign"])
        stateful = protocol in ("tcp", "sctp")
        state, _, rest = (row["rest"] or "").partition(" ") if stateful else ("", "", row["rest"] or "")
        if foreign is None or local is None:
            self._unreadable(line, row, protocol, family, state)
        elif stateful and state not in _LISTENING:
            if foreign.anywhere or not (foreign.port or foreign.port_name):
                self.reading.gap(f"a socket without a peer is in the state {state or 'blank'}", line, protocol=protocol, family=family)
            else:
                self.reading.pass_over(line, "it has a peer: a connection")
        elif not stateful and not foreign.anywhere:
            self.reading.pass_over(line, "it has a peer: a connection")
        elif local.unbound:
            self.reading.pass_over(line, "it has no port")
        elif self._name_cut(row["local"], local):
            self.reading.gap("the name of a port may be cut", line, protocol=protocol, family=family)
        else:
            self._socket(line, row, local, foreign, protocol, rest.strip())

    def _unreadable(self, line: str, row: re.Match[str], protocol: str, family: str | None, state: str) -> None:
        """A row one of whose addresses cannot be read: a gap, unless its state says that it is a connection."""
        if _CONNECTED.fullmatch(state):
            self.reading.pass_over(line, f"{state}: a connection")
        else:
            self.reading.gap("an address of this line cannot be read", line, protocol=protocol, family=family)

    def _name_cut(self, printed: str, local: Endpoint) -> bool:
        return self.cuts and len(local.port_name or "") >= _PORT_CUT and len(printed) > _CUT

    def _socket(self, line: str, row: re.Match[str], local: Endpoint, foreign: Endpoint, protocol: str, rest: str) -> None:
        if self.context:
            rest = _without_context(rest)
        columns = self.rest.fullmatch(rest)
        if columns is None:
            self.reading.gap("what follows the addresses cannot be read", line, protocol=protocol, family=local.family)
            return
        shown: dict[str, Any] = {"protocol": protocol, "state": "listening", **self._place(row, local, foreign)}
        inode, program = columns["inode"], columns["program"]
        if columns["user"] and columns["user"].isdecimal():
            shown["uid"] = int(columns["user"])
        self.reading.shows_owners |= program is not None
        known = (*sorted((key, str(value)) for key, value in shown.items()), local.port_name, inode, program)
        if known in self.earlier:
            self.reading.pass_over(line, "a socket of an earlier table of this output, again")
            return
        self.table.add(known)
        self.reading.socket(line, owners=_owners(program), port_name=local.port_name, identity=inode if inode != "0" else None, **shown)

    def _place(self, row: re.Match[str], local: Endpoint, foreign: Endpoint) -> dict[str, Any]:
        family = self._family(row, local, foreign)
        address = local.address
        if address == "*":
            address = WILDCARDS.get(family or "", "*")
        elif family == "ipv6" and local.family == "ipv4":
            address = f"::ffff:{address}"  # net-tools leaves the prefix of a v4-mapped address out
        shown: dict[str, Any] = {"address": address, "family": family or "unknown"}
        printed = row["local"]
        if self.cuts and len(printed) == _CUT + 1 and (local.family != "ipv4" or local.is_name):
            shown |= {"address": printed.rpartition(":")[0], "address_cut": True}
        if local.port is not None:
            shown["port"] = local.port
        return shown

    def _family(self, row: re.Match[str], local: Endpoint, foreign: Endpoint) -> str | None:
        """tcp6 is IPv6; a bare tcp is what the addresses are, as busybox has both families there."""
        told = local.family or (foreign.family if foreign.address in WILDCARDS.values() else None)
        if row["six"]:
            return "ipv6"
        return told or ("ipv4" if self.net_tools or self.asked.families == ("ipv4",) else None)


def _endpoint(printed: str) -> Endpoint | None:
    """An address and its port; where the address is cut so that it is none, it stands as it was printed."""
    found = coloned(printed)
    if found is None and len(printed) == _CUT + 1 and printed.count(":") > 1:
        address, _, port = printed.rpartition(":")
        whole = coloned(f"[::]:{port}")
        if whole and re.fullmatch(r"[0-9a-f:.]+", address):
            return Endpoint(address, "ipv6", None, whole.port, whole.port_name, is_name=False)
    return found


def _without_context(rest: str) -> str:
    """The columns before the security context (`u:r:t` or `-`), which is the last one."""
    before, *last = rest.rsplit(maxsplit=1) or [""]
    return before if last and (last[0] == "-" or last[0][1:-1].count(":") > 1) else rest


def _owners(program: str | None) -> list[dict[str, Any]]:
    if program in (None, "-"):
        return []
    pid, _, name = (program or "").partition("/")
    return [{"pid": int(pid), **({"process": name} if name else {})}]


def _looks_like_row(text: str) -> bool:
    return re.match(r"(?:tcp|udp|sctp|unix|raw)", text, re.IGNORECASE) is not None
