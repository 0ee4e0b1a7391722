"""fstat of OpenBSD and NetBSD (usr.bin/fstat/fstat.c): a row for each open file, of which sockets of the Internet are read.

    USER     CMD          PID   FD MOUNT        INUM  MODE         R/W    SZ|DV
    _owl     owld        2203    4* internet stream tcp 0x0 *:515
    _owl     owld        2203    5* internet6 dgram udp [fe80::5%em0]:547
    _owl     owld        2203    6* internet dgram udp 10.9.8.7:5555 <-> 10.9.8.1:53
    _owl     owld        2203    7* internet stream tcp 0x0 10.9.8.7:515 <-- 10.9.8.1:40112 rtable 5

A row with `-->`, `<--` or `<->` has a peer (NetBSD prints it first); no port is 0, or on NetBSD no address at all. The state of TCP is not
shown: what has a port may listen or be bound only. The control block is 0x0 for all but root. OpenBSD writes an IPv6 wildcard `*` (its
sockets are never for both families), NetBSD `[*]`. OpenBSD names a routing table that is not the host's own: `netstat -T` lists these.

USER is cut to 8 characters. A socket that no process holds is not listed: the caller must ask netstat too. FreeBSD's and DragonFly's
fstat print no addresses, so that nothing is covered by it.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.endpoints import WILDCARDS, Endpoint, coloned
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import Output, Reading

_HEADER = re.compile(r"USER\s+CMD\s+PID\s+FD\s+(?:MOUNT|DEV)\s+INUM\s+MODE\s.*")
_DESCRIPTOR = r"(?:\d++|wd|root|text|tr|mmap|jail|ctty)"
_SOCKET = re.compile(
    r"(?P<user>\S++)\s++(?P<process>\S++(?:\s++\S++)*?)\s++(?P<pid>\d{1,10})\s++\d++\*\s++(?P<domain>internet6?)\s++\S++\s++"
    r"(?P<protocol>[\w-]++)(?:\s++(?P<rest>.*))?"
)
_DOUBTFUL = r"(?:internet|error|unused|stream|dgram|raw|rdm|seqpak)"
"""What stands in a socket's row in place of a domain that could not be read, or for a row of ours that is not as it should be."""
_OTHER_FILE = re.compile(rf"\S++\s++\S++(?:\s++\S++)*?\s++\d{{1,10}}\s++{_DESCRIPTOR}(?:\s++\S.*|\*\s++(?!{_DOUBTFUL})\S.*)")
_BLOCK = re.compile(r"(?:0x)?[0-9a-f]{1,16}")
_PEERS = ("-->", "<--", "<->")
_FAMILIES = {"internet": "ipv4", "internet6": "ipv6"}
_LETTERS_WITH_VALUE = "MNpu"
_FLAGS = "Afmnosv"


def parse(output: Output) -> Reading:
    """Sockets of the Internet that have a port and no peer."""
    reading = Reading(per_descriptor=True, shows_owners=True)
    _limit(reading, output)
    lines = output.lines()
    if not any(_HEADER.fullmatch(line.strip()) for line in lines):
        reading.uncover("its header line is missing")
    shows = {True: False, False: False}
    for line in lines:
        text = line.strip()
        if _HEADER.fullmatch(text):
            reading.header(line)
        elif row := _SOCKET.fullmatch(text):
            shows[_socket(reading, line, row)] = True
        elif is_echo(line, "fstat"):
            pass_over_echo(reading, line)
        elif _OTHER_FILE.fullmatch(text):
            reading.pass_over(line, "not a socket of the Internet")
        else:
            reading.gap("a line of fstat cannot be read", line)
    if shows[False] and not shows[True]:
        reading.uncover("it shows no addresses")
    return reading


def _limit(reading: Reading, output: Output) -> None:
    given = output.command.given(_LETTERS_WITH_VALUE)
    values = [value for found in given.values() for value in found]
    for letter, why in (("p", "only one process was asked for (-p)"), ("u", "only one user's files were asked for (-u)"),
                        ("f", "only the files of a file system were asked for (-f)")):  # fmt: skip
        if letter in given:
            reading.uncover(why)
    if any(not word.startswith("-") and word not in values for word in output.command.arguments):
        reading.uncover("only some files were asked for")
    uncover_unknown(reading, output.command, given, _FLAGS + _LETTERS_WITH_VALUE)


def _socket(reading: Reading, line: str, row: re.Match[str]) -> bool:
    """Read a row; False where it shows no address."""
    protocol, family = row["protocol"], _FAMILIES[row["domain"]]
    words = (row["rest"] or "").split()
    if protocol not in ("tcp", "udp"):
        reading.pass_over(line, f"{protocol}: another protocol")
        return True
    block = words.pop(0) if words and _BLOCK.fullmatch(words[0]) else None
    if not words:
        reading.pass_over(line, "it shows no address")
        return False
    local = coloned(words[0], family)
    if len(words) > 1 and words[1] in _PEERS:
        reading.pass_over(line, "it has a peer: a connection")
    elif len(words) > 2 and words[1] == "rtable":
        reading.pass_over(line, f"it is of routing table {words[2]}")
    elif local is None or local.is_name or local.port_name:
        reading.gap("the address of this line cannot be read", line, protocol=protocol, family=family)
    elif local.unbound:
        reading.pass_over(line, "it has no port")
    else:
        owner: dict[str, Any] = {"pid": int(row["pid"]), "process": row["process"]}
        uid = number(row["user"])
        owner |= {"user": row["user"]} if uid is None else {"uid": uid}
        state = "unknown" if protocol == "tcp" else "listening"
        identity = block if block and int(block, 16) else None
        reading.socket(line, owners=[owner], identity=identity, protocol=protocol, state=state, **_place(local, family, words[0]))
    return True


def _place(local: Endpoint, family: str, text: str) -> dict[str, Any]:
    place: dict[str, Any] = {"address": local.address, "family": family, "port": local.port}
    if family == "ipv6" and ":" not in local.address:
        place["address"] = f"::ffff:{local.address}"
    elif local.address == WILDCARDS["ipv6"] and text.startswith("*"):
        place["v6only"] = True
    if local.zone:
        place["zone"] = local.zone
    return place
