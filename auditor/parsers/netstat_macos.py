"""netstat of macOS (network_cmds, netstat.tproj/inet.c and inet6.c): one table of TCP and UDP sockets of both families.

    Active Internet connections (including servers)
    Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)      rhiwat  shiwat    pid   epid
    tcp46      0      0  *.8443                 *.*                    LISTEN       131072  131072    411      0
    udp6       0      0  *.5353                 *.*                                 786896    9216    302      0

Address and port are parted by the last dot; `*` is the wildcard address, or no port. `tcp46` takes both families; `tcp6` next to it is
IPv6 alone. The state of UDP is blank. What -v adds differs by release:

    rhiwat shiwat pid epid [state options [gencnt flags flags1 usecnt rtncnt fltrs]]             rxbytes and txbytes may stand before
    rxbytes txbytes rhiwat shiwat process:pid state options gencnt flags flags1 usecnt rtncnt fltrs                    (macOS 26)

The process is the last one that used the socket (so_last_pid), which need not be one that holds it; 0 is none known. Its name may hold
blanks and colons. There is no user and no other holder.

An IPv6 address is cut to 16 characters (39 with -l), with no sign of it, and a host's name likewise; a port is whole, unless the column is
full. Without -a listening TCP sockets are left out. -L is another table, of TCP's listening sockets, without protocol and family:

    Current listen queue sizes (qlen/incqlen/maxqlen)
    Listen         Local Address
    0/0/128        *.8443
"""

from __future__ import annotations

import re
from typing import Any

from auditor.command import Command
from auditor.parsers.endpoints import Endpoint, dotted, packed_address
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading

_TAKING = "cfIPpw"
_FLAGS = "AabdFgikLlmnqQrRsStuvWxz"
"""getopt(3) in main.c; -B (packet filters) is left out, as it prints no sockets."""
_OTHER_TABLES = {
    "i": "interfaces", "I": "interfaces", "w": "interfaces", "r": "routes", "s": "statistics", "m": "memory", "g": "multicast groups",
    "q": "queues", "Q": "polling", "S": "link status",
}  # fmt: skip
_FAMILIES_ASKED = {"inet": ("ipv4",), "inet6": ("ipv6",)}
_HEADER = re.compile(r"(?:Socket\s+(?:Flowhash\s+)?)?Proto\s+Recv-Q\s+Send-Q\s+Local Address\s+Foreign Address\s+\(state\)(?P<more>.*)")
_QUEUES_HEADER = re.compile(r"(?:Socket\s+(?:Flowhash\s+)?)?Listen\s+Local Address\s*")
_MULTIPATH_HEADER = re.compile(r"Proto/ID\s+Flags\s+Local Address\s+Foreign Address\s+\(state\).*")
_TITLE = re.compile(r"Active (?:Multipath )?Internet connections.*|Current listen queue sizes.*")
_INTERNET_TITLE, _INCLUDING = "Active Internet", "including servers"
_OTHER_TITLE = re.compile(r"Active [A-Za-z].*|Registered [a-z].*")
_CHANGED = re.compile(r"Some (?P<protocol>\w+) sockets may have been (?P<how>created or deleted|created|deleted)\.?(?P<rest>.*)")
_CONTROL_BLOCK = r"(?:[0-9a-f]{1,16}\s+(?:[0-9a-f]{1,8}\s+)?)?"
_ROW = re.compile(
    rf"\s*{_CONTROL_BLOCK}(?P<typed>[A-Za-z]*?)(?P<protocol>tcp|udp)(?P<version>46|4|6)\s+\d+\s+\d+\s+(?P<local>\S+)\s+(?P<foreign>\S+)(?P<rest>.*)"
)
_STATE = re.compile(r"\s+(?P<state>[A-Z][A-Z0-9_]*|\d+)(?P<tail>.*)")
_QUEUES_ROW = re.compile(rf"\s*{_CONTROL_BLOCK}\d+/\d+/\d+\s+(?P<local>\S+)\s*")
_MAY_HOLD_A_PORT = re.compile(rf"\s*{_CONTROL_BLOCK}(?:tcp|udp)(?!\w*/)", re.IGNORECASE)
_OTHER_ROW = re.compile(
    rf"{_CONTROL_BLOCK}(?:mptcp/.*|\s*tcp[46]/.*|\s*\[.*\]\s*|(?:ip|icm|igm|div|raw)\s?(?:46|4|6)?\s+\d+\s+\d+\s+\S+\s+\S+.*)"
)
_CONNECTED = frozenset(
    ("SYN_SENT", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING", "LAST_ACK", "FIN_WAIT_2", "TIME_WAIT", "CLOSED")
)
_NOWHERE = "*.*"
_FAMILY_OF = {"4": "ipv4", "6": "ipv6", "46": "ipv6"}
_NUMBER = r"(?:0|[1-9]\d*)"
_SEPARATE = re.compile(
    rf"(?:\d+\s+\d+\s+)?{_NUMBER}\s+{_NUMBER}\s+(?P<pid>0|[1-9]\d{{0,9}})\s+(?:0|[1-9]\d{{0,5}})"
    r"(?:\s+(?:0x)?[0-9a-f]{4,8}\s+(?:0x)?[0-9a-f]{8}(?:\s+[0-9a-f]+){0,6})?"
)
"""The pid in a column of its own. Only the pids before `state` and `options` have no leading zeros, which tells the layouts apart."""
_MERGED_AFTER = 8
"""Columns after process:pid: state options gencnt flags flags1 usecnt rtncnt fltrs."""
_V6_CUT, _V6_CUT_LONG, _NAME_CUT_WITH_A = 16, 39, 12
_COLUMN, _COLUMN_LONG, _COLUMN_WITH_A = 22, 45, 18
_PORT_DIGITS = 5


class _Layout:
    """How wide this command prints a local address, and which columns follow the state (None: no header tells)."""

    def __init__(self, command: Command) -> None:
        given = command.given(_TAKING)
        self.letters = frozenset(given)
        self.very_verbose = sum(word.count("v") for word in command.arguments if word[:1] == "-" and word[1:2] != "-") > 1
        self.columns: list[str] | None = None
        self.queues = "L" in given
        self.families: tuple[str, ...] = () if "u" in given else _FAMILIES_ASKED.get(given["f"][-1], ()) if "f" in given else FAMILIES
        asked = given["p"][-1:] if "p" in given else PROTOCOLS
        self.protocols = tuple(protocol for protocol in PROTOCOLS if protocol in asked and (protocol == "tcp" or not self.queues))
        self.other_table = next((table for letter, table in _OTHER_TABLES.items() if letter in given), None)
        if any(word.isdigit() for word in command.arguments[-1:]) and not given.keys() & set(_TAKING):
            self.other_table = "interfaces"  # a bare number at the end is an interval

    def address_widths(self, family: str | None) -> tuple[int, ...]:
        """The widths at which an address, or a host's name in its place, is cut."""
        if family != "ipv6" and "W" in self.letters:
            return ()
        if family == "ipv6" and "l" in self.letters:
            return (_V6_CUT_LONG,)
        return (_NAME_CUT_WITH_A, _V6_CUT) if "A" in self.letters and "n" not in self.letters else (_V6_CUT,)

    def column_width(self, family: str | None) -> int | None:
        """The width at which address and port together are cut."""
        if family != "ipv6" and "W" in self.letters:
            return None
        return _COLUMN_LONG if "l" in self.letters else _COLUMN_WITH_A if "A" in self.letters else _COLUMN


def parse(output: Output) -> Reading:
    """Sockets without a peer: listening TCP, TCP that is bound only (CLOSED), and UDP."""
    layout = _Layout(output.command)
    if layout.other_table:
        return _nothing_of_ours(output, layout.other_table)
    reading = Reading(protocols=layout.protocols, families=layout.families)
    if "a" not in layout.letters:
        reading.uncover("without -a listening sockets are left out", protocol="tcp")
    uncover_unknown(reading, output.command, layout.letters, _FLAGS + _TAKING)
    headed = elsewhere = False
    for line in output.lines():
        if header := _HEADER.fullmatch(line.strip()):
            layout.columns = header["more"].split()
            reading.shows_owners |= "pid" in layout.columns or "process:pid" in layout.columns
            reading.header(line)
            headed, elsewhere = True, False
        elif _QUEUES_HEADER.fullmatch(line):
            reading.header(line)
            headed, elsewhere = True, False
        elif _MULTIPATH_HEADER.fullmatch(line):
            reading.pass_over(line, "the header of multipath connections")
        elif _TITLE.fullmatch(line) or _OTHER_TITLE.fullmatch(line):
            reading.pass_over(line, "a title")
            elsewhere = not _TITLE.fullmatch(line)
            _title(reading, line, layout)
        elif elsewhere and not _MAY_HOLD_A_PORT.match(line) and not _CHANGED.match(line):
            reading.pass_over(line, "not an Internet socket")
        else:
            _line(reading, line, layout)
    if not headed and (output.lines() or output.status != "0"):  # no sockets: it prints nothing at all
        reading.uncover("its header line is missing" if output.lines() else "it printed nothing, and whether it ended well is not known")
    return reading


def _title(reading: Reading, title: str, layout: _Layout) -> None:
    if "a" in layout.letters and title.startswith(_INTERNET_TITLE) and _INCLUDING not in title:
        reading.uncover("its title does not say that servers are included (-a)")


def _nothing_of_ours(output: Output, table: str) -> Reading:
    reading = Reading(protocols=())
    for line in output.lines():
        reading.pass_over(line, f"a table of {table} was asked for")
    return reading


def _line(reading: Reading, line: str, layout: _Layout) -> None:
    text = line
    if changed := _CHANGED.fullmatch(line.strip()):
        text = changed["rest"]  # "created or deleted" has no line feed: what follows is glued to it
        if changed["how"] != "deleted":
            reading.uncover("sockets were created while it listed them", protocol=changed["protocol"])
        if not text or _TITLE.fullmatch(text) or _OTHER_TITLE.fullmatch(text):
            _title(reading, text, layout)
            reading.pass_over(line, "a note that sockets came or went")
            return
    if row := _ROW.fullmatch(text):
        _row(reading, line, row, layout)
    elif queue := _QUEUES_ROW.fullmatch(text):
        _queue(reading, line, queue["local"], layout)
    elif _OTHER_ROW.fullmatch(text):
        reading.pass_over(line, "another protocol, or a part of a multipath connection")
    elif is_echo(text, "netstat"):
        pass_over_echo(reading, line)
    else:
        shown = re.match(rf"\s*{_CONTROL_BLOCK}(tcp|udp)(4|6|46)?\b", text)
        family = _FAMILY_OF.get(shown[2]) if shown and shown[2] else None
        reading.gap("a line of netstat cannot be read", line, protocol=shown[1] if shown else None, family=family)


def _row(reading: Reading, line: str, row: re.Match[str], layout: _Layout) -> None:
    protocol, version = row["protocol"], row["version"]
    family = _FAMILY_OF[version]
    state, tail = None, row["rest"]
    if protocol == "tcp":
        shown = _STATE.fullmatch(row["rest"])
        if shown is None:
            reading.gap("a TCP row without a state", line, protocol=protocol, family=family)
            return
        state, tail = shown["state"], shown["tail"]
    if row["foreign"] != _NOWHERE:
        if "." in row["foreign"] and state != "LISTEN":
            reading.pass_over(line, "it has a peer: a connection")
        else:
            reading.gap("its peer cannot be read", line, protocol=protocol, family=family)
        return
    if row["local"] == _NOWHERE:
        reading.pass_over(line, "it has no port")
        return
    if state not in ("LISTEN", "CLOSED", None):
        if state in _CONNECTED:
            reading.pass_over(line, f"{state}: a connection")
        else:
            reading.gap("its state is not known", line, protocol=protocol, family=family)
        return
    place, port_name, trouble = _place(row["local"], family, layout)
    if trouble:
        reading.gap(trouble, line, protocol=protocol, family=family)
        return
    if version == "46":
        place["v6only"] = False
    elif version == "6" and place["address"] == "::":
        place["v6only"] = True
    owners = _owners(tail, layout)
    reading.shows_owners |= bool(owners)
    reading.socket(
        line, owners=owners, port_name=port_name, protocol=protocol, state="bound" if state == "CLOSED" else "listening", **place
    )  # fmt: skip


def _queue(reading: Reading, line: str, local: str, layout: _Layout) -> None:
    """A row of -L: only sockets that listen are in it, and only TCP listens."""
    if not layout.queues:
        reading.gap("a row of listen queues, which were not asked for", line, protocol="tcp")
        return
    family = "ipv6" if ":" in local or layout.families == ("ipv6",) else "ipv4" if packed_address(local.rpartition(".")[0]) else None
    place, port_name, trouble = _place(local, family, layout)
    if trouble or local == _NOWHERE:
        reading.gap(trouble or "a listening socket without a port", line, protocol="tcp", family=family)
    else:
        reading.socket(line, port_name=port_name, protocol="tcp", state="listening", **place)


def _place(local: str, family: str | None, layout: _Layout) -> tuple[dict[str, Any], str | None, str]:
    """The keys of a local address, its port's name, and why it cannot be read ("" where it can)."""
    address, _, port = local.rpartition(".")
    width = layout.column_width(family)
    if (
        width is not None
        and len(local) >= width
        and not (port.isdigit() and (len(port) == _PORT_DIGITS or len(address) + 1 + _PORT_DIGITS <= width))
    ):
        return {}, None, "its port may be cut: the column is full"
    cut = len(address) in layout.address_widths(family)
    whole, percent, _ = address.partition("%")
    if cut and percent:
        address, cut = whole, False  # it is the zone that may be cut
    elif cut and family == "ipv6" and len(address) == _V6_CUT_LONG:
        cut = False  # the longest IPv6 address there is
    end = _cut_endpoint(address, port, family) if cut else dotted(f"{address}.{port}", family)
    if end is None or end.unbound:
        return {}, None, "its address cannot be read"
    shown: dict[str, Any] = {"family": end.family or "unknown", "address": end.address}
    if end.is_name and family is None:
        shown["family"] = "unknown"
    if end.family == "ipv6" and not cut and not end.is_name and ":" not in end.address:
        shown["address"] = f"::ffff:{end.address}"
    if end.port is not None:
        shown["port"] = end.port
    if end.zone:
        shown["zone"] = end.zone
    if cut:
        shown["address_cut"] = True
    return shown, end.port_name, ""


def _cut_endpoint(address: str, port: str, family: str | None) -> Endpoint | None:
    """A cut address stands as it was printed: it may look like another, valid one."""
    known = dotted(f"*.{port}", family)
    if known is None or not re.fullmatch(r"[\w.:-]+", address):
        return None
    return Endpoint(address, family, None, known.port, known.port_name, is_name=False)


def _owners(tail: str, layout: _Layout) -> list[dict[str, Any]]:
    """The last process that used the socket, from what stands after the state; none where no column shows it or it is 0."""
    columns = layout.columns
    text = tail.strip()
    if not text or (columns is not None and not {"pid", "process:pid"} & set(columns)):
        return []
    found = _SEPARATE.fullmatch(text) if columns is None or "pid" in columns else None
    if found is None and (columns is None or "process:pid" in columns):
        found = _merged(layout).fullmatch(text)
    if found is None or not int(found["pid"]):
        return []
    owner: dict[str, Any] = {"pid": int(found["pid"])}
    if process := found.groupdict().get("process", "").strip():
        owner["process"] = process
    return [owner]


def _merged(layout: _Layout) -> re.Pattern[str]:
    """process:pid, found by the number of columns on either side of it; -vv puts eprocess:epid after it."""
    columns = layout.columns
    after = _MERGED_AFTER
    effective = layout.very_verbose
    if columns is not None:
        effective = "eprocess:epid" in columns
        after = len(columns) - columns.index("process:pid") - 1 - effective
    epid = r"\s+.*?:\d{1,10}" if effective else ""
    return re.compile(rf"(?:\d+(?:/\d+)?\s+){{4}}(?P<process>.*?):(?P<pid>\d{{1,10}}){epid}(?:\s+(?:0x)?[0-9a-f]+){{{after}}}")
