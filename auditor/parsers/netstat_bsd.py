"""netstat of FreeBSD, DragonFly, OpenBSD and NetBSD (usr.bin/netstat/inet.c and inet6.c): tables of sockets, each under a header that is
printed only where there is a socket to list.

    Active Internet connections (including servers)
    Proto Recv-Q Send-Q Local Address          Foreign Address        (state)
    tcp46      0      0 *.7070                 *.*                    LISTEN
    udp4       0      0 10.9.8.7.5353          *.*

Address and port are parted by the last dot; `*` is the wildcard address, or no port. FreeBSD and DragonFly say tcp46 of a socket that takes
both families, so that their tcp6 takes IPv6 alone; OpenBSD has no socket for both; NetBSD does not tell. Their bare `tcp` is IPv4. A TCP
row in CLOSED is bound and does not listen. -A puts the control block before the protocol; options of FreeBSD put columns after the peer.

A text that is too long is cut, with no sign of it: an IPv6 address or a host's name to 16 characters (12 with -A), a service's name to 8 or
15, and the whole column where address and port overflow it, even inside the port's digits. -W (FreeBSD, DragonFly) and -v (OpenBSD, NetBSD,
IPv6 only) leave them whole. Nothing tells who holds a socket.

FreeBSD's -T, -x and -R take the state away; its -L is a table of the sockets that listen, with their queues in place of the peer. NetBSD's
-p prints statistics. Without -a what listens is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from auditor.parsers.endpoints import WILDCARDS, Endpoint, dotted
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading

_TITLE = re.compile(r"Active Internet6? connections.*|Current listen queue sizes.*|Active SCTP associations.*")
_INTERNET_TITLE, _INCLUDING = "Active Internet", "including servers"
_OTHER_TITLE = re.compile(r"(?:Active|Netgraph) [A-Za-z].*")
_HEADER = re.compile(r"(?>(?P<before>.*?)\bProto\s+)(?P<columns>.*?)Local Address(?P<gap>\s*)(?:Foreign Address)?(?P<after>.*)")
_CONTROL_BLOCK = r"(?:0x)?[0-9a-f]{1,16}"
_BEFORE = rf"(?:(?P<block>{_CONTROL_BLOCK})\s+)?(?:(?:\d+|max|-)\s+(?:\d+|-)\s+(?:[\d.]+|-)\s+)?"
"""The control block of -A, and the window, the unacknowledged bytes and the round-trip time of DragonFly's -P."""
_ROW = re.compile(rf"\s*{_BEFORE}(?P<name>tcp|toe|udp)(?P<version>46|4|6)?\s+(?P<rest>.*)")
_SCTP_ROW = re.compile(r"\s*sctp(?P<version>46|4|6)?\s+(?:1to1|1toN)\s+(?P<rest>.*)")
_OTHER_ROW = re.compile(
    rf"\s*{_BEFORE}(?:icm|icmp|icmp6|igm|igmp|ip|ip6|ipv6|div|divert|divert6|raw|rip6|sdp|pim|pim6|esp|ah|gre|carp|ddp|unix)\s?(?:46|4|6)?\s+\d.*"
)
_CHANGED = re.compile(r"Some (?P<protocol>\w+) sockets may have been (?P<how>created or deleted|created|deleted)\.?(?P<rest>.*)")
_NAMED = re.compile(rf"\s*(?:{_CONTROL_BLOCK}\s+)?(?P<name>tcp|toe|udp|sctp)(?P<version>46|4|6)?\b")
_KIND = re.compile(r"(?<!\S)[a-z]{2,8}\d?(?=\s+\d)")
_QUEUES = re.compile(r"\d+/\d+/\d+")
_STATES = {"LISTEN": "listening", "CLOSED": "bound"}
_OF_A_CONNECTION = frozenset((
    "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING", "LAST_ACK", "FIN_WAIT_2", "TIME_WAIT",
    "SYNSEN", "SYSRCV", "ESTABL", "CLWAIT", "FWAIT1", "CLOSNG", "LASTAK", "FWAIT2", "TMWAIT",
))  # fmt: skip
"""tcp_fsm.h, and NetBSD's short forms of -An."""
_NOWHERE = "*.*"
_PASSED = "a connection"
_FAMILY = {"4": "ipv4", "6": "ipv6", "46": "ipv6"}
_ADDRESS, _ADDRESS_WITH_A, _ADDRESS_WIDE = 16, 12, 39
_COLUMN, _COLUMN_WITH_A, _COLUMN_WIDE, _NARROWEST = 22, 17, 45, 17
"""Widths of the address column where the header does not tell, and the narrowest there is (DragonFly, -A). DragonFly's header does not tell
of -W either."""
_PORT_DIGITS = 5
_TABLES = {
    "r": "routes", "i": "interfaces", "I": "interfaces", "w": "interfaces", "s": "statistics", "m": "memory", "g": "multicast groups",
    "u": "local sockets", "B": "packet filters", "Q": "queues", "q": "queues", "o": "next hops", "O": "next hops", "P": "one control block",
    "p": "statistics", "W": "a wireless interface", "R": "routing domains",
}  # fmt: skip
"""What an option of one letter asks for in place of sockets, on the systems whose `tables` name it."""


@dataclass(frozen=True)
class _System:
    """What differs. `taking`: letters with a value; `flags`: those without. `tables`: letters that ask for another table. `whole`: letters
    that leave addresses whole, for IPv6 only where `whole_ipv6`. `stateless`: letters that take the state away. `names`: where service
    names are cut, by family. `v6only` of a wildcard, by version; `bare`: the family of a protocol without a version. `tables_by_kind`: a
    table for each protocol and family, not one under each title."""

    taking: str
    flags: str
    tables: str
    whole: str
    whole_ipv6: bool
    names: Mapping[str, int]
    v6only: Mapping[str | None, bool]
    bare: str | None
    stateless: str = ""
    queues: str = ""
    unsure: str = ""
    tables_by_kind: bool = False


_FREEBSD = _System(
    taking="FfIMNpqw", flags="46AaBbCcdghiLlmnOoPQRrSsTtuWxz", tables="riIwsmguBQoO", whole="Wl", whole_ipv6=False,
    names={"ipv4": 15, "ipv6": 15}, v6only={"46": False, "6": True}, bare=None, stateless="TxR", queues="L",
)  # fmt: skip
_DRAGONFLY = _System(
    taking="cfIMNpw", flags="AaBbdghiLlmnPrSstuWz", tables="riIwsmgu", whole="Wl", whole_ipv6=False, names={"ipv4": 15, "ipv6": 8},
    v6only={"46": False, "6": True}, bare=None, queues="L",
)  # fmt: skip
OPENBSD_TAKING = "cfIMNPpTWw"
_OPENBSD = _System(
    taking=OPENBSD_TAKING, flags="AaBbdeFghilmnqRrstuv", tables="riIwsmguPWR", whole="v", whole_ipv6=True, names={"ipv4": 8, "ipv6": 8},
    v6only={"6": True}, bare="ipv4", unsure="l", tables_by_kind=True,
)  # fmt: skip
_NETBSD = _System(
    taking="fIMNPpw", flags="AaBbdghiLlmnqrSsTtuVvX", tables="riIwsmguBPpq", whole="v", whole_ipv6=True, names={}, v6only={}, bare="ipv4",
)  # fmt: skip


def parse_freebsd(output: Output) -> Reading:
    """Sockets as FreeBSD prints them."""
    return _parse(output, _FREEBSD)


def parse_dragonfly(output: Output) -> Reading:
    """Sockets as DragonFly prints them."""
    return _parse(output, _DRAGONFLY)


def parse_openbsd(output: Output) -> Reading:
    """Sockets as OpenBSD prints them, of the routing domain that -T names."""
    return _parse(output, _OPENBSD)


def parse_netbsd(output: Output) -> Reading:
    """Sockets as NetBSD prints them."""
    return _parse(output, _NETBSD)


def _parse(output: Output, system: _System) -> Reading:
    given = output.command.given(system.taking)
    lines = output.lines()
    values = [value for found in given.values() for value in found]
    interval = any(word.isdigit() and word not in values for word in output.command.arguments)
    table = "interfaces" if interval else next((_TABLES[letter] for letter in system.tables if letter in given), None)
    if table:
        reading = Reading(protocols=())
        for line in lines:
            reading.pass_over(line, f"a table of {table} was asked for")
        return reading
    reading = _asked(given, system)
    uncover_unknown(reading, output.command, given, system.flags + system.taking)
    listing = _Listing(reading, given, system)
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        listing.read(line, following)
    if "netstat:" in output.stderr:
        reading.uncover(f"netstat said: {output.stderr.strip()[:200]}")
    if lines and not listing.headed:
        reading.uncover("its header line is missing")
    elif not lines and output.status != "0":
        reading.uncover("it printed nothing, and whether it ended well is not known")
    return reading


def _asked(given: Mapping[str, list[str]], system: _System) -> Reading:
    """The reading with what the options ask for."""
    families = {"inet": ("ipv4",), "inet6": ("ipv6",)}.get(given["f"][-1], ()) if given.get("f") else FAMILIES
    if numbered := [letter for letter in given if letter in "46"]:
        families = (f"ipv{numbered[-1]}",)
    protocols = [protocol for protocol in PROTOCOLS if "p" not in given or protocol in given["p"][-1:]]
    if system.queues and system.queues in given:
        protocols = [protocol for protocol in protocols if protocol == "tcp"]
    reading = Reading(protocols=protocols, families=families)
    if "a" not in given:
        reading.uncover("without -a what listens is left out")
    for letter in system.stateless:
        if letter in given:
            reading.uncover(f"with -{letter} it does not show the state of TCP sockets", protocol="tcp")
    for letter in system.unsure:
        if letter in given:
            reading.uncover(f"what -{letter} leaves out is not known")
    return reading


class _Listing:
    """Reads the lines one by one; the header above a row tells how wide its columns are."""

    def __init__(self, reading: Reading, given: Mapping[str, list[str]], system: _System) -> None:
        self.reading = reading
        self.given = given
        self.system = system
        self.headed = False
        self.elsewhere = False
        self.in_sctp = False
        self.title = ""
        self.column = _COLUMN_WITH_A if "A" in given else _COLUMN
        self.queues = bool(system.queues) and system.queues in given

    def read(self, line: str, following: str) -> None:
        """One line; the one that `following` it tells which table a header is of."""
        if header := _HEADER.fullmatch(line.strip()):
            self._header(line, header, following)
        elif _TITLE.fullmatch(line.strip()) or _OTHER_TITLE.fullmatch(line.strip()):
            self._title(line, line.strip())
        elif changed := _CHANGED.fullmatch(line.strip()):
            self._changed(line, changed)
        elif row := _ROW.fullmatch(line):
            self._row(line, row)
        elif sctp := _SCTP_ROW.fullmatch(line):
            self._sctp(line, sctp)
        elif self.elsewhere and not _NAMED.match(line):
            self.reading.pass_over(line, "not an Internet socket")
        elif _OTHER_ROW.fullmatch(line):
            self.reading.pass_over(line, "another protocol")
        elif is_echo(line, "netstat"):
            pass_over_echo(self.reading, line)
        else:
            self._unreadable(line)

    def _unreadable(self, line: str) -> None:
        named = _NAMED.match(line)
        protocol = "sctp" if self.in_sctp else None
        family = None
        if named:
            protocol = "tcp" if named["name"] == "toe" else named["name"]
            family = _FAMILY.get(named["version"] or "") if named["version"] != "46" else None
        self.reading.gap("a line of netstat cannot be read", line, protocol=protocol, family=family)

    def _header(self, line: str, header: re.Match[str], following: str) -> None:
        kind = _KIND.search(following) if self.system.tables_by_kind else None
        self.reading.header(line, (self.title, kind and kind[0]))
        self.headed = self.headed or not self.in_sctp
        self.elsewhere = False
        width = len("Local Address") + len(header["gap"]) - 1
        if width >= _NARROWEST:
            self.column = width

    def _title(self, line: str, text: str) -> None:
        self.reading.pass_over(line, "a title")
        self.elsewhere = not _TITLE.fullmatch(text)
        self.in_sctp = "SCTP" in text
        self.title = text.partition(" connections")[0]
        if text.startswith(_INTERNET_TITLE) and _INCLUDING not in text:
            self.reading.uncover("its title does not say that servers are included (-a)")

    def _changed(self, line: str, changed: re.Match[str]) -> None:
        """Old releases print no line feed after it, so that a title may be glued to it."""
        protocol, rest = changed["protocol"], changed["rest"].strip()
        if changed["how"] != "deleted":
            self.reading.uncover("sockets were created while it listed them", protocol=protocol)
        if rest and not _TITLE.fullmatch(rest) and not _OTHER_TITLE.fullmatch(rest):
            self.reading.gap("a line of netstat is glued to a note", line)
        elif rest:
            self._title(line, rest)
        else:
            self.reading.pass_over(line, "a note that sockets came or went")

    def _row(self, line: str, row: re.Match[str]) -> None:
        protocol = "udp" if row["name"] == "udp" else "tcp"
        family = _FAMILY[row["version"]] if row["version"] else self.system.bare
        scope = None if row["version"] == "46" else family
        words = row["rest"].split()
        while words and (words[0].isdigit() or _QUEUES.fullmatch(words[0])):
            words.pop(0)
        local = words[0] if words else ""
        foreign = _NOWHERE if self.queues else words[1] if len(words) > 1 else ""
        state, why = self._state(protocol, foreign, words[2:])
        if why == _PASSED:
            self.reading.pass_over(line, _PASSED)
        elif local.endswith(".*"):
            self.reading.pass_over(line, "it has no port")
        elif why:
            self.reading.gap(why, line, protocol=protocol, family=scope)
        else:
            block = row["block"] if row["block"] and int(row["block"], 16) else None
            self._socket(line, local, row["version"], family, protocol=protocol, state=state, identity=block)

    def _state(self, protocol: str, foreign: str, after: list[str]) -> tuple[str, str]:
        """The state of a row and "", or why there is none."""
        word = after[0].rstrip("*") if after else ""
        if foreign != _NOWHERE:
            return "", _PASSED if "." in foreign and word != "LISTEN" else "its peer cannot be read"
        if self.queues or protocol == "udp":
            return "listening", ""
        if word in _STATES:
            return _STATES[word], ""
        return "", _PASSED if word in _OF_A_CONNECTION else "its state is not shown, or not known"

    def _socket(
        self, line: str, local: str, version: str | None, family: str | None, *, protocol: str, state: str, identity: str | None
    ) -> None:
        scope = None if version == "46" else family
        if self.system is _OPENBSD and "n" not in self.given:
            local = local.partition("[")[0]  # the RPC program that is registered for the port
        address, _, port = local.rpartition(".")
        why = self._cut_port(local, port, family)
        cut = not why and self._cut_address(address, family)
        end = dotted(f"*.{port}" if cut else local, family)
        if why or end is None or end.unbound or ("n" in self.given and (end.is_name or end.port_name)):
            self.reading.gap(why or "its address cannot be read", line, protocol=protocol, family=scope)
            return
        place = self._place(end, family, version)
        if cut:
            place |= {"address": address, "address_cut": True}
            place.pop("v6only", None)
        self.reading.socket(line, port_name=end.port_name, identity=identity, protocol=protocol, state=state, **place)

    def _place(self, end: Endpoint, family: str | None, version: str | None) -> dict[str, Any]:
        place: dict[str, Any] = {"address": end.address, "family": family or end.family or "unknown"}
        if family == "ipv6" and not end.is_name and ":" not in end.address:
            place["address"] = f"::ffff:{end.address}"
        if end.address == WILDCARDS["ipv6"] and version in self.system.v6only:
            place["v6only"] = self.system.v6only[version]
        if end.port is not None:
            place["port"] = end.port
        if end.zone:
            place["zone"] = end.zone
        return place

    def _is_whole(self, family: str | None) -> bool:
        return (family == "ipv6" or not self.system.whole_ipv6) and any(letter in self.given for letter in self.system.whole)

    def _cut_port(self, local: str, port: str, family: str | None) -> str:
        """Why the port may not be all there is of it, "" where it is."""
        name_width = self.system.names.get(family or "ipv4")
        if not port.isdigit() and name_width is not None and len(port) >= name_width:
            return "the port's name may be cut"
        column = self.column
        if self._is_whole(family):
            column = _COLUMN_WIDE if family == "ipv6" and not self.system.whole_ipv6 else len(local) + 1
        if len(local) >= column and not (port.isdigit() and len(port) >= _PORT_DIGITS):
            return "the column is full and its port may be cut"
        return ""

    def _cut_address(self, address: str, family: str | None) -> bool:
        """Whether the address, or the host's name in its place, is as long as they are cut to."""
        if self._is_whole(family):
            return family == "ipv6" and not self.system.whole_ipv6 and len(address) == _ADDRESS_WIDE and "%" in address
        widths = {_ADDRESS}
        if "A" in self.given and ("n" not in self.given or family == "ipv6"):
            widths.add(_ADDRESS_WITH_A)
        return len(address) in widths

    def _sctp(self, line: str, row: re.Match[str]) -> None:
        """FreeBSD's table of SCTP has no peer for a socket that listens; further addresses of it stand in lines of their own, as gaps."""
        words = row["rest"].split()
        if words[1:] == ["LISTEN"]:
            family = _FAMILY.get(row["version"] or "")
            self._socket(line, words[0], None, family, protocol="sctp", state="listening", identity=None)
        elif len(words) > 1 and all("." in word for word in words[:2]):
            self.reading.pass_over(line, _PASSED)
        else:
            self.reading.gap("a line of netstat cannot be read", line, protocol="sctp")
