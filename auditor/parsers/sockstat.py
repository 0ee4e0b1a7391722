"""sockstat of FreeBSD and DragonFly (usr.bin/sockstat/sockstat.c, from 15 main.c) and of NetBSD: a row for each descriptor of a socket.

    USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS
    daemon   pigeond    417   6  tcp46  *:7070                *:*

FreeBSD and DragonFly part address and port by a colon and say tcp4, tcp6, tcp46 (`tcp4 6` in old releases); NetBSD parts them by a dot
and says tcp (IPv4 only) and tcp6, of which it does not tell whether it takes IPv4 too. A field that is too long runs into the next one, so
rows are read by shape, not by column; from FreeBSD 15 on the addresses are cut to 21 characters instead, port and all, unless -w is given.
`?` in place of the owner: no process has a descriptor of it.

FreeBSD lists with -l every socket without a peer, bound or listening: only the column of -s tells them apart. NetBSD's -l means LISTEN.
NetBSD and DragonFly list no socket that no process holds (an NFS server in the kernel): the caller must ask netstat too. Releases before
15 print `*` for an IPv4 address whose host part by class is zero, 10.0.0.0. COMMAND is cut to 10 characters.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.command import Command
from auditor.parsers.endpoints import WILDCARDS, Endpoint, coloned, dotted
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import PROTOCOLS, Output, Reading

_HEADER = re.compile(r"USER\s+COMMAND\s+PID\s+FD\s+PROTO\s+LOCAL ADDRESS\s+FOREIGN ADDRESS\b")
_HEADER_BEFORE_15 = re.compile(r"USER {5}COMMAND {4}PID {3}FD {1,2}PROTO {2}LOCAL")
_MIDDLE = re.compile(
    r"(?P<pid>\d{1,10}|\?{1,2})\s+(?P<fd>\d{1,10}|\?{1,2})\s+"
    r"(?P<proto>(?P<name>tcp|toe|udp|udplite|sctp|div|divert)(?P<family>4 6|46|4|6)?|\d+/\d+(?:/\d+)?"
    r"|raw6?|stream|dgram|seqpac(?:ket)?|seq|rdm|vsock)(?:\s+|\Z)"
)
_CONTINUED = re.compile(r"(?:\s{20,}|(?:\?\?\s+){4,5})(?P<rest>\S.*)")
_ENDPOINT = re.compile(r"\S+[:.](?:\d{1,5}|\*|[A-Za-z][\w-]*)")
_COLONED = re.compile(r".+:(?:\d{1,5}|\*)")
_GLUED = re.compile(r"(?P<local>\S+?:(?:\d{1,5}|\*))(?P<foreign>(?:\d{1,3}(?:\.\d{1,3}){3}|\*):(?:\d{1,5}|\*))")
_PROTOCOLS = {"tcp": "tcp", "toe": "tcp", "udp": "udp", "udplite": "udplite", "sctp": "sctp"}
_STATES = {"LISTEN": "listening", "CLOSED": "bound", "BOUND": "bound"}
_OTHER_FAMILIES = ("local", "unix")
_LETTERS_WITH_VALUE = "jpPF"
_FAMILY = re.compile(r"-\w*f(?:inet6?|local|unix)")
"""NetBSD's -f with its value in the same word; FreeBSD's -f has none."""
_FLAGS = "46AbCcfIiLlnqSsUuVvw"
"""Letters without a value of the three systems' sockstat."""
_COMMAND_COLUMN = 20
"""Where the PID begins in releases before 15: user and command reach it only when they overflow."""
_COMMAND_WIDTH = 10
_ADDRESS_WIDTH = 21
"""FreeBSD 15, main.c: `local_addr = opt_w ? ... : 21`, printed as `%-*.*s`."""


def parse(output: Output) -> Reading:
    """Sockets without a peer hold a port."""
    reading = Reading(per_descriptor=True, shows_owners=True)
    of_netbsd = any(_FAMILY.fullmatch(word) for word in output.command.arguments)
    given = output.command.given(_LETTERS_WITH_VALUE + "f" * of_netbsd)
    _limit(reading, output.command, given)
    lines = output.lines()
    header = next((line.strip() for line in lines if _HEADER.match(line.strip())), None)
    if header is None and "q" not in given:
        reading.uncover("its header line is missing")
    if "sockstat:" in output.stderr:
        reading.uncover(f"sockstat said: {output.stderr.strip()[:200]}")
    rows = _Rows(reading, given, cuts="w" not in given and (header is None or not _HEADER_BEFORE_15.match(header)))
    for line in lines:
        if _HEADER.match(line.strip()):
            reading.header(line)
        elif is_echo(line, "sockstat"):
            pass_over_echo(reading, line)
        else:
            rows.read(line)
    return reading


def _limit(reading: Reading, command: Command, given: dict[str, list[str]]) -> None:
    """Take from `covers` what the options leave out. FreeBSD's -f is a flag; NetBSD's takes a family."""
    words = {word.rpartition("f")[2] for word in command.arguments}
    families = {f"ipv{letter}" for letter in ("4", "6") if letter in given}
    families |= {family for word, family in (("inet", "ipv4"), ("inet6", "ipv6")) if word in words}
    protocols = set(",".join(given["P"]).split(",")) if "P" in given else set(PROTOCOLS)
    if not families and "P" not in given and ("u" in given or "V" in given or words.intersection(_OTHER_FAMILIES)):
        protocols = set()
    if "c" in given and "l" not in given:
        protocols = set()
    for pair in list(reading.covers):
        if pair[0] not in protocols or (families and pair[1] not in families):
            del reading.covers[pair]
    for letter, why in (("p", "only some ports were asked for (-p)"), ("j", "only one jail was asked for (-j)"),
                        ("L", "sockets on loopback were left out (-L)"), ("F", "only one user's sockets were asked for (-F)")):  # fmt: skip
        if letter in given:
            reading.uncover(why)
    uncover_unknown(reading, command, given, _FLAGS + _LETTERS_WITH_VALUE)


class _Rows:
    """Reads the rows one by one; an SCTP socket with several addresses has a row for each, of which only the first shows the owner."""

    def __init__(self, reading: Reading, given: dict[str, list[str]], *, cuts: bool) -> None:
        self.reading = reading
        self.given = given
        self.cuts = cuts
        self.above: _Row | None = None

    def read(self, line: str) -> None:
        continued = _CONTINUED.fullmatch(line)
        if continued and self.above:
            row: _Row | None = _Row(self.above.middle, self.above.owners, continued["rest"])
        else:
            row = _row(line)
        self.above = row if row and row.protocol == "sctp" else None
        if row is None:
            self.reading.gap("a line of sockstat cannot be read", line)
        elif row.protocol is None:
            self.reading.pass_over(line, f"{row.middle['proto']}: a socket without a port")
        elif self.cuts and row.family == "ipv6" and len(row.local) == _ADDRESS_WIDTH:
            why = "the address is as wide as its column and may be cut, and the port with it"
            self.reading.gap(why, line, protocol=row.protocol, family=row.family)
        else:
            self._inet(line, row, row.protocol)

    def _inet(self, line: str, row: _Row, protocol: str) -> None:
        numeric = "n" in self.given
        here, peer = row.endpoint(row.local, numeric), row.endpoint(row.foreign, numeric)
        no_peer = peer.anywhere if peer else protocol == "sctp" and row.foreign in ("", "??")
        if peer and not peer.unbound:
            self.reading.pass_over(line, "it has a peer: a connection")
        elif here is None or not no_peer or (protocol == "sctp" and any(_COLONED.fullmatch(word) for word in row.extras)):
            self.reading.gap("an address of this line cannot be read", line, protocol=protocol, family=None if row.dual else row.family)
        elif here.unbound:
            self.reading.pass_over(line, "it has no port")
        else:
            state = self._state(row, protocol)
            self.reading.socket(line, owners=row.owners, port_name=here.port_name, protocol=protocol, state=state, **_place(here, row))

    def _state(self, row: _Row, protocol: str) -> str:
        if protocol in ("udp", "udplite"):
            return "listening"
        if "s" in self.given:
            return next((_STATES[word] for word in row.extras if word in _STATES), "unknown")
        return "listening" if not row.colons and "l" in self.given and "c" not in self.given else "unknown"


class _Row:
    """A row's parts. `protocol` is None where it has no ports; `colons`: parted as FreeBSD does; `dual`: for IPv4 as well as IPv6."""

    __slots__ = ("colons", "dual", "extras", "family", "foreign", "local", "middle", "owners", "protocol")

    def __init__(self, middle: re.Match[str], owners: list[dict[str, Any]], rest: str) -> None:
        self.middle = middle
        self.owners = owners
        self.protocol = _PROTOCOLS.get(middle["name"] or "")
        self.family = "ipv4" if middle["family"] in (None, "4") else "ipv6"
        self.dual = middle["family"] in ("46", "4 6")
        self.local, self.foreign, self.extras = _addresses(rest)
        self.colons = _COLONED.fullmatch(self.local) is not None

    def endpoint(self, text: str, numeric: bool) -> Endpoint | None:
        """An address of the row; FreeBSD prints no names, NetBSD none with -n. Which of them it is, PROTO tells, but for tcp6."""
        if self.colons and self.middle["family"]:
            found = coloned(text, None if self.dual and not text.startswith("*") else self.family)
        elif not self.colons and self.middle["family"] in (None, "6"):
            found = dotted(text, self.family)
        else:
            return None
        return None if found and (self.colons or numeric) and (found.is_name or found.port_name) else found


def _row(line: str) -> _Row | None:
    """The row parted at its PID, FD and PROTO. A process may be named like those three, but no address follows there."""
    for middle in _MIDDLE.finditer(line):
        rest = line[middle.end() :]
        word = rest.split(None, 1)[0] if rest.strip() else ""
        if (middle["name"] or "") in _PROTOCOLS and not _ENDPOINT.match(word):
            continue
        owners = _owners(line[: middle.start()], middle["pid"])
        if owners is not None:
            return _Row(middle, owners, rest)
    return None


def _owners(head: str, pid: str) -> list[dict[str, Any]] | None:
    """Who holds it, from what stands before the PID; None where the line is no row. Where a command that is not cut runs into the PID it
    may end in a digit itself, and neither is known."""
    user, _, process = head.strip().partition(" ")
    process = process.lstrip()
    if not user:
        return None
    if pid.startswith("?"):
        return [] if user.startswith("?") else None
    uid = number(user)
    owner: dict[str, Any] = {"user": user} if uid is None else {"uid": uid}
    if not head[-1].isspace() and len(process) != _COMMAND_WIDTH:
        return [owner] if len(user) + 1 + len(process) >= _COMMAND_COLUMN else None
    owner["pid"] = int(pid)
    if process and not process.startswith("?"):
        owner["process"] = process
    return [owner]


def _addresses(rest: str) -> tuple[str, str, list[str]]:
    """The local and the foreign address and the columns after them, without a remark."""
    words = rest.split()
    words = words[: next((at for at, word in enumerate(words) if word.startswith("#")), len(words))]
    if words and (glued := _GLUED.fullmatch(words[0])):
        words[:1] = [glued["local"], glued["foreign"]]
    return words[0] if words else "", words[1] if len(words) > 1 else "", words[2:]


def _place(local: Endpoint, row: _Row) -> dict[str, Any]:
    """Keys of the place. FreeBSD says tcp46 of a wildcard that takes IPv4 too and tcp6 of one that does not, but sctp46 of both."""
    shown: dict[str, Any] = {"address": local.address, "family": row.family}
    if row.family == "ipv6" and local.family == "ipv4":
        shown["address"] = f"::ffff:{local.address}"
    elif local.address == WILDCARDS["ipv6"] and row.colons and row.protocol != "sctp":
        shown["v6only"] = not row.dual
    if local.port is not None:
        shown["port"] = local.port
    if local.zone:
        shown["zone"] = local.zone
    return shown
