"""ss of iproute2 (misc/ss.c), of every age: a row for each socket of the kernel, whether a process holds it or not.

    Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
    tcp   LISTEN 0      511          0.0.0.0:80         0.0.0.0:*    users:(("nginx",pid=612,fd=6)) ino:2041 sk:1 cgroup:/web.slice <->

Netid is left out where one kind of socket was asked for, State where one state was, the header with -H; -e adds uid: (left out where it
is 0), ino:, sk:, cgroup: and, of IPv6 sockets, v6only:. Since 4.15 `*:80` is an IPv6 socket that takes IPv4 as well, `[::]:80` one that
does not and `0.0.0.0:80` an IPv4 one; before, `*:80` was the IPv4 one and `:::80` (in 4.14 `[::]:80`) the IPv6 one. What tells the age is
looked for in the whole output; where nothing does, the family of `*` is unknown. A name is the process's own and cut at 15 characters.
Bound TCP sockets that do not listen are shown with -B only.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Any

from auditor.command import SS_TAKING, Command
from auditor.parsers.endpoints import WILDCARDS, Endpoint, coloned
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.long_options import LongOptions
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading, Seen

_LONG = {
    "tcp": "t", "udp": "u", "sctp": "S", "mptcp": "M", "dccp": "d", "raw": "w", "unix": "x", "packet": "0", "vsock": "v", "tipc": "v",
    "xdp": "v", "listening": "l", "all": "a", "bound-inactive": "B", "ipv4": "4", "ipv6": "6", "family": "f", "query": "A", "socket": "A",
    "processes": "p", "threads": "T", "context": "Z", "contexts": "z", "no-header": "H", "oneline": "O", "net": "N", "summary": "s",
    "events": "E", "diag": "D", "filter": "F", "extended": "e", "numeric": "n", "resolve": "r", "memory": "m", "info": "i", "options": "o",
    "bpf": "b", "kill": "K", "tos": "o", "cgroup": "o", "tipcinfo": "o", "inet-sockopt": "o",
}  # fmt: skip
"""Long options and their letters; those of `o` have none of their own, and add to a row like it."""
_PROTOCOL_LETTERS = {"t": "tcp", "u": "udp", "S": "sctp", "M": "mptcp"}
_OTHER_LETTERS = "dwx0v"
_NOT_QUERIED = "!"
"""What takes a word of -A away: `inet,!tcp`."""
_QUERIES = {"all": "tcp udp sctp mptcp", "inet": "tcp udp sctp mptcp", "tcp": "tcp", "udp": "udp", "sctp": "sctp", "mptcp": "mptcp"}
_FAMILY_WORDS = {"inet": "ipv4", "inet6": "ipv6"}
_STATES = {
    "all": "listening unconnected connected", "connected": "connected", "big": "listening unconnected connected", "listening": "listening",
    "listen": "listening", "unconnected": "unconnected", "close": "unconnected", "closed": "unconnected",
}  # fmt: skip
"""What a word of `state` stands for; words that are not here stand for connections."""
_LISTED = {"udpl": "udplite", "UDPLITE": "udplite", "tcp": "tcp", "udp": "udp", "sctp": "sctp", "mptcp": "mptcp"}
_NETIDS = r"tcp|udp|udpl|UDPLITE|sctp|mptcp"
_OTHER = re.compile(r"(?:u_str|u_dgr|u_seq|nl|raw|p_raw|p_dgr|ptype|dccp|icmp6?|v_str|v_dgr|xdp|ti_st|ti_dg|ti_rd|ti_sq|tipc|\?\?\?)\s")
_HEADER = re.compile(
    r"(?:Netid\s+)?(?:State\s+)?Recv-Q\s+Send-Q\s+Local Address:Port\s+Peer Address:Port\s*(?P<process>Process)?(?:\s+\w+)*\s*"
)
_ROW = re.compile(
    rf"(?:(?P<netid>{_NETIDS})\s+)?(?:(?P<state>(?:`- ?)?[A-Z][A-Z0-9-]+)\s+)?\d+\s+\d+\s+"
    r"(?P<local>\S{1,300}:\S{1,40})\s+(?P<peer>\S{1,300}:\S{1,40})(?P<rest>(?:\s.*)?)"
)
_DETAILS = re.compile(r"\s*(?:users:\(\(|timer:\(|uid:\d|ino:\d|sk:[0-9a-f]|cgroup:|v6only:[01]|fwmark:|skmem:\()")
_MORE_DETAILS = re.compile(rf"\s+(?!(?:{_NETIDS})\b)[a-z][a-z0-9_]*(?:[\s:(].*)?")
_SUMMARY = re.compile(
    r"(?:Total: \d|TCP:\s+\d+ \(|Transport\s+Total\s+IP\s+IPv6|(?:\*|RAW|UDP|TCP|INET|FRAG)\s+\d+\s+[-\d]+\s+[-\d]+\s*\Z)"
)
_NAME_MOST = 15
"""Characters of a process's name (TASK_COMM_LEN)."""
_AFTER_NAME = re.compile(
    r"\",(?P<label>pid=)?(?P<pid>\d{1,10})(?:,tid=(?P<tid>\d{1,10}))?(?:,proc_ctx=[^\"()=\s]*)?,(?:fd=)?\d{1,10}(?:,sock_ctx=[^\"()=\s]*)?\)"
    r"(?=,\(\"|\)(?:\s|\Z))"
)
"""What ends one process of users:((...)), which is followed by another or by the end of all. A name may hold the like of it."""
_UID, _INODE, _V6ONLY = (
    re.compile(r"(?:^|\s)uid:(\d{1,10})\b"),
    re.compile(r"(?:^|\s)ino:(\d{1,20})\b"),
    re.compile(r"\sv6only:([01])(?=\s|$)"),
)
_CGROUP = re.compile(r"\scgroup:(/.*?)(?=\sv6only:[01]|\s[<-]-[>-]|$)")


class _Asked:
    """What the command line asked for: `protocols` and `families`, `states` (listening, unconnected, connected), the filter's `words`."""

    def __init__(self, command: Command) -> None:
        given = LongOptions(command.arguments, SS_TAKING, _LONG)
        letters = given.letters
        self.letters = letters
        self.unknown = given.unknown
        self.families = tuple(f for f, letter in zip(FAMILIES, "46", strict=True) if letter in letters)
        words = given.values.get("f", [])
        self.families += tuple(_FAMILY_WORDS[word] for word in words if word in _FAMILY_WORDS)
        self.protocols = {protocol for letter, protocol in _PROTOCOL_LETTERS.items() if letter in letters}
        if "A" in letters:
            self.protocols = _queried(given.values["A"])
        other = bool(letters & set(_OTHER_LETTERS)) or any(word not in _FAMILY_WORDS for word in words)
        if not self.protocols and "A" not in letters and (self.families or not other):
            self.protocols = set(_PROTOCOL_LETTERS.values())
        self.one_kind = len(self.protocols) == 1 and not other
        self.families = self.families or FAMILIES
        self.states = {"listening", "unconnected"} if "l" in letters else {"connected"}
        if "a" in letters:
            self.states = set(_STATES["all"].split())
        self.filter = self._states(given.words)
        if ("s" in letters and not (letters - {"s", "n"}) and not given.words) or "D" in letters:
            self.protocols = set()

    def _states(self, words: list[str]) -> str:
        """Reads `state` and `exclude` off the front of the filter; what is left of it."""
        saw = False
        while len(words) > 1 and words[0].lower() in ("state", "exclude", "excl"):
            stands_for = set(_STATES.get(words[1].lower(), "connected").split())
            if words[0].lower() == "state":
                self.states = self.states | stands_for if saw else stands_for
            else:
                self.states = (self.states if saw else set(_STATES["all"].split())) - stands_for
            saw = True
            words = words[2:]
        return " ".join(words)


def _queried(queries: list[str]) -> set[str]:
    """The protocols that are listed for sure: the first -A takes back what letters before it asked for, and a letter after it is not told
    from those; a word after `!` is left out, whatever else asks for it."""
    words = [word for query in queries for word in query.split(",")]
    asked = {protocol for word in words for protocol in _QUERIES.get(word, "").split()}
    return asked - {protocol for word in words if word.startswith(_NOT_QUERIED) for protocol in _QUERIES.get(word[1:], "").split()}


def parse(output: Output) -> Reading:
    """Rows of TCP in LISTEN and of UDP without a peer, with v6only, device, creator (uid:) and control group where they are shown."""
    asked = _Asked(output.command)
    lists = {"tcp": "listening", "udp": "unconnected"}
    protocols = [p for p in PROTOCOLS if p in asked.protocols and lists[p] in asked.states]
    reading = Reading(protocols=protocols, families=[f for f in FAMILIES if f in asked.families])
    if asked.filter or "F" in asked.letters:
        reading.uncover(f"only some sockets were asked for: {asked.filter or 'a filter of a file'}")
    if asked.letters & {"E", "K"}:
        reading.uncover("sockets were listed as they were destroyed")
    uncover_unknown(reading, output.command, asked.letters | asked.unknown, "".join(_LONG.values()))
    lines = output.lines()
    if "H" not in asked.letters and not any(_HEADER.fullmatch(line.strip()) for line in lines):
        reading.uncover("its header line is missing")
    _Rows(reading, asked, _age(lines, asked)).read(lines)
    return reading


class _Rows:
    """The rows of one output, each with the lines that go on from it."""

    def __init__(self, reading: Reading, asked: _Asked, age: str | None) -> None:
        self.reading = reading
        self.asked = asked
        self.age = age
        self.tcp: dict[tuple[Any, ...], list[Seen]] = {}

    def read(self, lines: list[str]) -> None:
        """Take every line."""
        row: tuple[str, re.Match[str]] | None = None
        more = ""
        for line in lines:
            text = line.strip()
            found = None if _OTHER.match(text) else _ROW.fullmatch(text)
            if row and found is None and _DETAILS.match(line):
                more += " " + text
                self.reading.pass_over(line, "it goes on from the row above and was read with it")
                continue
            if row and found is None and _MORE_DETAILS.fullmatch(line) and not _OTHER.match(text):
                self.reading.pass_over(line, "the kernel's numbers of the socket above")
                continue
            if row:
                self._row(*row, more)
            row, more = ((line, found), "") if found else (None, "")
            if found is None:
                self._other(line, text)
        if row:
            self._row(*row, more)

    def _other(self, line: str, text: str) -> None:
        if _HEADER.fullmatch(text):
            self.reading.header(line)
        elif _OTHER.match(text):
            self.reading.pass_over(line, f"{text.split(maxsplit=1)[0]}: not a protocol with ports of ours")
        elif _SUMMARY.match(text):
            self.reading.pass_over(line, "a line of the summary")
        elif is_echo(line, "ss"):
            pass_over_echo(self.reading, line)
        elif not self.asked.protocols:
            self.reading.pass_over(line, "only sockets without ports were asked for")
        else:
            self.reading.gap("a line of ss cannot be read", line)

    def _row(self, line: str, row: re.Match[str], more: str) -> None:
        protocol = _LISTED[row["netid"]] if row["netid"] else next(iter(self.asked.protocols)) if self.asked.one_kind else None
        local, peer = coloned(row["local"]), coloned(row["peer"])
        if protocol is None:
            self.reading.gap("which protocol this row is of is not shown", line)
        elif local is None or peer is None:
            self.reading.gap("an address of this line cannot be read", line, protocol=_ours(protocol))
        elif row["state"] != "LISTEN" and not peer.anywhere:
            self.reading.pass_over(line, "it has a peer: a connection")
        elif local.unbound:
            self.reading.pass_over(line, "it has no port")
        elif state := self._state(row["state"], protocol):
            details, owners = _holders(row["rest"] + more)
            shown = {"protocol": _ours(protocol), "state": state, **self._place(local, peer, row["local"], details), **_details(details)}
            self._socket(line, protocol, shown, local.port_name, owners)
        else:
            self.reading.gap(f"{row['state']} is no state of a {protocol} socket without a peer", line, protocol=_ours(protocol))

    def _socket(self, line: str, protocol: str, shown: dict[str, Any], port_name: str | None, owners: list[dict[str, Any]] | None) -> None:
        identity = shown.pop("inode", None)
        self.reading.shows_owners |= owners is not None or bool(self.asked.letters & {"p", "T", "Z", "z"})
        place = shown["address"], shown.get("port"), shown["family"], port_name
        alike = self.tcp.get((*place, identity) if identity else place, [])
        if protocol == "mptcp" and (alike if identity else len(alike) == 1):
            for one in takewhile(lambda one: "mptcp" not in one.shown, reversed(alike)):
                one.shown["mptcp"] = True
            self.reading.pass_over(line, "the tcp socket of the same address and port, which is listed as well")
            return
        if protocol == "mptcp":
            shown["mptcp"] = True
        seen = self.reading.socket(line, owners=owners or [], port_name=port_name, identity=identity, **shown)
        if shown["protocol"] == "tcp":
            self.tcp.setdefault(place, []).append(seen)
            self.tcp.setdefault((*place, identity), []).append(seen)

    def _state(self, word: str | None, protocol: str) -> str | None:
        """`word` is None where the column is blank or left out: then the states that were asked for tell."""
        if word is None:
            return "listening" if "connected" not in self.asked.states else "unknown"
        if protocol in ("udp", "udplite"):
            return "listening" if word == "UNCONN" else None
        return {"LISTEN": "listening", "UNCONN": "bound", "CLOSE": "bound"}.get(word)

    def _place(self, local: Endpoint, peer: Endpoint, printed: str, details: str) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        family = local.family
        v6only = _V6ONLY.search(details)
        if local.is_name:
            family = peer.family or self._wildcard_family(v6only is not None)
            shown["address"] = local.address
        elif local.address == "*":
            family = self._wildcard_family(v6only is not None)
            shown["address"] = WILDCARDS.get(family or "", "*")
            if family == "ipv6":
                shown["v6only"] = False
        else:
            shown["address"] = local.address
        shown["family"] = family or "unknown"
        if v6only:
            shown["v6only"] = v6only[1] == "1"
        elif printed.startswith("[::]") and self.age == "new":
            shown["v6only"] = True
        if local.port is not None:
            shown["port"] = local.port
        if local.zone:
            shown["zone" if _is_link_local(local.address) else "device"] = local.zone
        elif self.age == "new":
            shown["device"] = None
        return shown

    def _wildcard_family(self, is_v6: bool) -> str | None:
        """The family of `*`."""
        if is_v6 or self.asked.families == ("ipv6",):
            return "ipv6"
        if self.asked.families == ("ipv4",):
            return "ipv4"
        return {"new": "ipv6", "old": "ipv4"}.get(self.age or "")


def _ours(protocol: str) -> str:
    return "tcp" if protocol == "mptcp" else protocol


def _is_link_local(address: str) -> bool:
    return re.match(r"fe[89ab]|ff.2:", address) is not None


def _age(lines: list[str], asked: _Asked) -> str | None:
    """Whether `*` is IPv6 ("new") or IPv4 ("old"); None where nothing tells, or signs of both are there."""
    signs = {"new"} if asked.letters & {"O", "M", "B", "T"} else set()
    for line in lines:
        text = line.strip()
        if (header := _HEADER.fullmatch(text)) and header["process"]:
            signs.add("new")
        row = _ROW.fullmatch(text)
        if row is None or _OTHER.match(text):
            continue
        local, peer = coloned(row["local"]), coloned(row["peer"])
        if local and peer:
            signs |= _signs(local, peer, row)
    return signs.pop() if len(signs) == 1 else None


def _signs(local: Endpoint, peer: Endpoint, row: re.Match[str]) -> set[str]:
    signs = set()
    for end, printed in ((local, row["local"]), (peer, row["peer"])):
        if end.address == WILDCARDS["ipv4"]:
            signs.add("new")
        elif end.family == "ipv6" and not printed.startswith("["):
            signs.add("old")
    nowhere = peer.address == "*" and peer.unbound
    details, entries = _users(row["rest"])
    if " cgroup:" in details or (nowhere and (row["local"].startswith("[") or (local.address == "*" and _V6ONLY.search(details)))):
        signs.add("new")
    if (nowhere and local.family == "ipv4") or any(entry and not entry["label"] for _, entry in entries or ()):
        signs.add("old")
    return signs


def _holders(rest: str) -> tuple[str, list[dict[str, Any]] | None]:
    """The rest of a row without `users:((...))`, and the processes in it; None where it has no such part. A process is named once, by its
    main thread. What cannot be read of it, or in more than one way, is an owner of whom nothing is known."""
    details, entries = _users(rest)
    if entries is None:
        return rest, None
    owners: dict[int | None, dict[str, Any]] = {}
    for name, entry in entries:
        if entry is None:
            owners[None] = {}
            continue
        owner = owners.setdefault(int(entry["pid"]), {"pid": int(entry["pid"])})
        if entry["tid"] in (None, entry["pid"]):
            owner.setdefault("process", name)
    return details, list(owners.values())


def _users(rest: str) -> tuple[str, list[tuple[str, re.Match[str] | None]] | None]:
    """The rest of a row without `users:((...))`, and each process in it by its name; None for what can be read in no way or in several. A
    path of a control group comes after it and may look like it."""
    before, users, inner = rest.partition("users:(")
    if not users or "cgroup:" in before:
        return rest, None
    entries: list[tuple[str, re.Match[str] | None]] = []
    at = 0
    while True:
        start = at + len('("')
        quotes = [start + place for place, character in enumerate(inner[start : start + _NAME_MOST + 1]) if character == '"']
        ways = [way for quote in quotes if inner.startswith('("', at) and (way := _AFTER_NAME.match(inner, quote))]
        if len(ways) != 1:
            return before, [*entries, ("", None)]
        entries.append((inner[start : ways[0].start()], ways[0]))
        at = ways[0].end() + 1
        if inner[at - 1] == ")":
            return before + inner[at:], entries


def _details(details: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if inode := _INODE.search(details):
        shown["inode"] = inode[1] if inode[1] != "0" else None
        uid = _UID.search(details)
        shown["uid"] = int(uid[1]) if uid else 0  # uid: is left out where it is 0
    if cgroup := _CGROUP.search(details):
        shown["cgroup"] = cgroup[1].rstrip()
    return shown
