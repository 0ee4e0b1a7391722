"""lsof (print.c) of macOS, Linux, FreeBSD and others: a row for each descriptor of an open file.

    COMMAND     PID   TID TASKCMD   USER   FD   TYPE             DEVICE SIZE/OFF NODE NAME
    heron\\x20d  411                  ann    7u  IPv4 0x81c5a1f0b2d3e4f5      0t0  TCP 127.0.0.1:8443 (LISTEN)

or with -F a line for each field, a letter before its value: p pid, c command, u uid, L login and then, for each file, f descriptor,
t type, P protocol, n name, T `ST=` state; with -F0 a line for each process and file, whose fields end in NUL.

COMMAND is cut to 9 characters (+c 0: not at all) and comes from the process, with \\x20 for a blank. TYPE IPv6 with `*` may take IPv4 too:
v6only is not shown, nor is the zone. An IPv4 address in a row of TYPE IPv6 is mapped. A UDP socket has no state. -sTCP:LISTEN leaves UDP
out. DEVICE is the inode on Linux and the address of the protocol's control block elsewhere.

Run by another user than root it leaves out the sockets of others without a word, and it knows only sockets that a process has a
descriptor of: the caller must know who ran it. It also prints nothing at all where it finds nothing, so that this is no proof of it.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from auditor.command import Command
from auditor.parsers.endpoints import coloned
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading

_TAKING = "AcdDeFgikKmoprsSTuxzZ"
_TAKING_GLUED = "fL"
"""Letters whose value stands in the same word, if anywhere."""
_FLAGS = "abEHKlMnNOPQRtUVwX"
"""Letters without a value after a minus sign (lsof -h), of every system."""
_AFTER_PLUS = ("+c", "+d", "+D", "+E", "+e", "+f", "+L", "+m", "+M", "+r", "+w")
_SELECTING = {
    "-p": "some processes", "-c": "some commands", "-u": "some users", "-g": "some process groups", "-d": "some descriptors",
    "-U": "local (unix) sockets", "-N": "NFS files", "+d": "a directory", "+D": "a directory",
    "+L": "files with few links",
}  # fmt: skip
_INTERNET = re.compile(r"(?P<version>[46])?(?P<protocol>[A-Za-z]+)?(?P<only>[@:].*)?")
_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "UDPLITE": "udplite", "SCTP": "sctp"}
_TYPES = {"IPv4": "ipv4", "IPv6": "ipv6"}
_THREAD_COLUMNS = ("TID", "TASKCMD")
_DESCRIPTOR = re.compile(r"[*\d]\d*[a-zA-Z-]{0,2}|cwd|rtd|twd|txt|mem|mmap|DEL|NOFD|ltx|err|jld|pd|tr|v86|fp\.|[LMmp]\w\w")
_WORDS_BEFORE_NAME = 12
"""More than any layout has before TYPE, threads, groups and contexts included."""
_DEVICE = re.compile(r"0x[0-9a-f]{1,16}|\d{1,20}")
_NAME = re.compile(r"(?P<name>\S+)?(?:\s*\((?P<said>[^()]*)\))?\s*")
_REGISTERED = re.compile(r"(?<=[\w*])\[[^\[\]]*\]$")
"""What +M puts after a port: the name it has with the portmapper."""
_NOT_SEEN = re.compile(r"/fd(?:/\d+)? \((?:opendir|readlink|stat): ")
_HARMLESS_NOTE = re.compile(
    r"lsof: WARNING: can't stat\(\) .*|\s+Output information may be incomplete\.|\s+assuming \"dev=.*|lsof: no pwd entry for UID \d+"
)
_REPETITION = re.compile(r"=+|m.*=")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([\\bfnrt]))")
_CONTROLS = {"\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BOUND = frozenset(("CLOSED", "CLOSE", "BOUND", "IDLE"))
_CONNECTED = frozenset(
    (
        "ESTABLISHED", "SYN_SENT", "SYN_RECV", "SYN_RCVD", "SYN_RCDV", "FIN_WAIT1", "FIN_WAIT2", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT",
        "CLOSE_WAIT", "CLOSING", "LAST_ACK", "NEW_SYN_RECV",
    )
)  # fmt: skip
_PROCESS_FIELDS = "pgRcuLKMzZ"
_FIELD_ORDER = "faltGFCNdDrsoikPSnT"
"""The order in which print.c prints the fields of a file."""


class _Asked:
    """What the command line asks for. `pairs` are (protocol, family), each with why not all its sockets are listed, or None."""

    def __init__(self, command: Command) -> None:
        given, names = _options(command)
        self.fields = any(option == "-F" for option, _ in given)
        self.only_pids = any(option == "-t" for option, _ in given)
        self.options = {option.removeprefix("-") for option, _ in given if option != "--" and option not in _AFTER_PLUS}
        self.options |= {word for word in command.arguments if word.startswith("--") and word != "--"}
        self.internet = [value for option, value in given if option == "-i"]
        selecting = [(option, value) for option, value in given if option in _SELECTING and (value or option in ("-U", "-N"))]
        selecting += [("name", name) for name in names]
        every = {(protocol, family): None for protocol in PROTOCOLS for family in FAMILIES}
        self.pairs: dict[tuple[str, str], str | None] = {}
        if self.internet:
            for value in self.internet:
                self._add(value)
        else:
            self.pairs |= every
        self.protocols = {protocol for protocol, _ in self.pairs}
        self.families = {family for _, family in self.pairs}
        self.narrow = bool(self.internet) and (not selecting or ("-a", "") in given)
        if self.only_pids:
            self._limit("only process ids were asked for (-t)")
        for option, value in selecting:
            if "^" in value:
                self._limit(f"some were left out ({option} {value:.40})")
            elif ("-a", "") in given or not self.internet:
                self._limit(f"only {_SELECTING.get(option, 'named files')} were asked for ({option} {value:.40})".replace(" )", ")"))
        if ("-X", "") in given:
            self._limit("the kernel's tables of sockets were not read (-X)")
        for option, value in given:
            if option == "-s" and ":" in value:
                self._states(value)

    def _add(self, value: str) -> None:
        """One -i: [46][protocol][@host][:port]."""
        told = _INTERNET.fullmatch(value)
        protocol = (told["protocol"] or "").lower() if told else ""
        for pair in ((p, f) for p in PROTOCOLS for f in FAMILIES):
            if told is None:
                self.pairs.setdefault(pair, f"what -i {value:.40} asks for is not known")
            elif protocol in ("", pair[0]) and told["version"] in (None, pair[1][-1]):
                why = f"only some addresses or ports were asked for (-i {value:.40})" if told["only"] else None
                self.pairs[pair] = why if self.pairs.get(pair, why) is not None else None

    def _limit(self, why: str, protocol: str | None = None) -> None:
        for pair, known in self.pairs.items():
            if known is None and protocol in (None, pair[0]):
                self.pairs[pair] = why

    def _states(self, value: str) -> None:
        """-s PROTOCOL:STATES: with a state to list, sockets of the other protocol are left out as well."""
        protocol, _, listed = value.lower().partition(":")
        states = listed.split(",")
        wanted = [state for state in states if not state.startswith("^")]
        if protocol == "udp" or (wanted and "listen" not in wanted) or "^listen" in states:
            self._limit(f"only some states were asked for (-s {value:.40})", protocol)
        if wanted:
            for other in PROTOCOLS:
                if other != protocol:
                    self._limit(f"-s {value:.40} leaves them out", other)


def _options(command: Command) -> tuple[list[tuple[str, str]], list[str]]:
    """Each option with its sign and its value, and the names after them. A value that could follow is none if it begins like an option."""
    found: list[tuple[str, str]] = []
    rest = deque(command.arguments)
    while rest and len(rest[0]) > 1 and rest[0][0] in "-+":
        word = rest.popleft()
        if word == "--":
            break
        for at, letter in enumerate(word[1:], 2):
            if letter in _TAKING_GLUED:
                found.append((word[0] + letter, word[at:]))
                break
            if letter in _TAKING:
                value = word[at:]
                if not value and rest and rest[0][:1] not in ("-", "+"):
                    value = rest.popleft()
                found.append((word[0] + letter, value))
                break
            found.append((word[0] + letter, ""))
    return found, list(rest)


def parse(output: Output) -> Reading:
    """Internet sockets without a peer: listening or bound TCP, and UDP."""
    asked = _Asked(output.command)
    reading = Reading(per_descriptor=True, shows_owners=True)
    reading.covers = dict(asked.pairs)
    uncover_unknown(reading, output.command, asked.options, _FLAGS + _TAKING + _TAKING_GLUED)
    if not output.lines():
        reading.uncover("it printed nothing")
    elif asked.only_pids:
        _only_pids(reading, output)
    elif asked.fields:
        _Fields(reading, asked).read(output)
    else:
        _table(reading, output)
    return reading


def _only_pids(reading: Reading, output: Output) -> None:
    for line in output.lines():
        if line.strip().isdigit():
            reading.pass_over(line, "a process id and nothing else")
        elif not _note(reading, line):
            reading.gap("a line of lsof cannot be read", line)


def _note(reading: Reading, line: str) -> bool:
    """Pass over what is surely no row."""
    if _HARMLESS_NOTE.fullmatch(line):
        reading.pass_over(line, "a note on files or accounts")
    elif _REPETITION.fullmatch(line.strip()):
        reading.pass_over(line, "a mark between repetitions (-r)")
    elif is_echo(line, "lsof"):
        pass_over_echo(reading, line)
    else:
        return False
    return True


def _table(reading: Reading, output: Output) -> None:
    header: list[str] | None = None
    if not any(_is_header(line) for line in output.lines()):
        reading.uncover("its header line is missing")
    repetition = 0
    for line in output.lines():
        repetition += _REPETITION.fullmatch(line.strip()) is not None
        if _is_header(line):
            header = line.split()
            reading.header(line, repetition)
        else:
            _row(reading, line, header)


def _is_header(line: str) -> bool:
    words = line.split() if line.startswith("COMMAND") else []
    return words[:2] == ["COMMAND", "PID"] and words[-1] == "NAME" and ["USER", "FD", "TYPE"] in [words[at : at + 3] for at in range(2, 5)]


def _is_not_seen(text: str) -> bool:
    """`/proc/PID/fd (opendir: Permission denied)` in place of what a process has open."""
    found = _NOT_SEEN.search(text)
    return found is not None and text.rstrip().endswith(")")


def _between(header: list[str] | None) -> list[int]:
    """How many words may stand between PID and USER: a process itself has nothing in the columns of threads."""
    if header is None:
        return [0, 1, 2]
    names = header[header.index("PID") + 1 : header.index("USER")]
    threads = sum(name in _THREAD_COLUMNS for name in names)
    return sorted({len(names), len(names) - threads})


def _row(reading: Reading, line: str, header: list[str] | None) -> None:
    words = line.split()
    pid = number(words[1]) if len(words) > 1 else None
    places = [2 + count for count in _between(header) if len(words) > 3 + count and _DESCRIPTOR.fullmatch(words[3 + count])]
    if header is None:
        places = [at for at in places if all(word.isdigit() for word in words[2 : min(at, 3)])]
    if pid is None or not places:
        if not _note(reading, line):
            reading.gap("a line of lsof cannot be read", line)
        return
    if _is_not_seen(line):
        reading.uncover("the descriptors of some processes could not be read")
        reading.pass_over(line, "descriptors that could not be read")
        return
    internet = [at for at in places if len(words) > at + 2 and words[at + 2] in _TYPES]
    if not internet and _TYPES.keys() & set(words[:_WORDS_BEFORE_NAME]):
        reading.gap("a line of lsof cannot be read", line)
        return
    if not internet:
        reading.pass_over(line, "not an Internet socket")
        return
    at = internet[0]
    family, after = _TYPES[words[at + 2]], words[at + 3 :]
    known = next((place for place, word in enumerate(after) if word.upper() in _PROTOCOLS), None)
    if known is None:
        reading.pass_over(line, "another protocol, or no socket of this stack")
        return
    owner: dict[str, Any] = {"pid": pid, "process": _unescaped(words[0])}
    owner |= {"uid": int(words[at])} if number(words[at]) is not None else {"user": words[at]}
    device = after[0] if header and header[header.index("TYPE") + 1] == "DEVICE" and _DEVICE.fullmatch(after[0]) else None
    name = " ".join(after[known + 1 :])
    _socket(reading, line, _PROTOCOLS[after[known].upper()], family, name, owner, device)


def _socket(
    reading: Reading, line: str, protocol: str, family: str | None, text: str, owner: dict[str, Any], identity: str | None,
    state: str | None = None,
) -> bool:  # fmt: skip
    """Take one socket, `text` being its name: LOCAL[->PEER] [(STATE ...)]. False where it holds no port or cannot be read."""
    parts = _NAME.fullmatch(text)
    name = parts["name"] if parts else None
    for word in (parts["said"] or "").split()[:1] if parts else ():
        state = state if "=" in word else word
    if text.startswith("no PCB"):
        reading.pass_over(line, "it is shut down: it has no address")
    elif name is None:
        reading.gap("its address is not shown" if not text else "its address cannot be read", line, protocol=protocol, family=family)
    elif "->" in name:
        reading.pass_over(line, "it has a peer: a connection")
    elif (end := coloned(_REGISTERED.sub("", name), family)) is None:
        reading.gap("its address cannot be read", line, protocol=protocol, family=family)
    elif end.unbound:
        reading.pass_over(line, "it has no port")
    elif state in _CONNECTED:
        reading.pass_over(line, f"{state}: a connection")
    elif protocol in ("udp", "udplite") and state == "Unbound":
        reading.pass_over(line, "it has no port")
    elif (meaning := _meaning(protocol, state)) is None:
        reading.gap("its state is not known", line, protocol=protocol, family=family)
    else:
        shown: dict[str, Any] = {"protocol": protocol, "state": meaning, "family": end.family or "unknown", "address": end.address}
        if end.family == "ipv6" and not end.is_name and ":" not in end.address:
            shown["address"] = f"::ffff:{end.address}"
        if end.is_name and family is None:
            shown["family"] = "unknown"
        if end.port is not None:
            shown["port"] = end.port
        if end.zone:
            shown["zone"] = end.zone
        reading.socket(line, owners=[owner] if owner else [], port_name=end.port_name, identity=identity, **shown)
        return True
    return False


def _meaning(protocol: str, state: str | None) -> str | None:
    """What the state of a socket without a peer says; None where it is none that is known."""
    if protocol in ("udp", "udplite"):
        return "listening" if state in (None, "Idle") else None
    if state is None:
        return "unknown"
    return "listening" if state == "LISTEN" else "bound" if state in _BOUND else None


def _unescaped(text: str) -> str:
    r"""The name behind `\x20` and the like; as printed where that is no text."""
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _CONTROLS[found[2]], text)
    if plain == text or not re.search(r"\\x[89a-f]", text):
        return plain
    try:
        return plain.encode("latin-1").decode()
    except UnicodeError:
        return text


class _Fields:
    """Reads -F: a process and then its files, each a set of fields that ends where their order begins anew (-F0: at its line's end)."""

    def __init__(self, reading: Reading, asked: _Asked) -> None:
        self.reading = reading
        self.asked = asked
        self.owner: dict[str, Any] = {}
        self.fields: dict[str, str] = {}
        self.lines: list[str] = []
        self.main: str | None = None
        self.last = -1

    def read(self, output: Output) -> None:
        nul = "\0" in output.text
        for line in output.lines():
            parts = [part for part in line.split("\0") if part] if nul else [line]
            letters = {part[0] for part in parts}
            if parts and letters <= set(_PROCESS_FIELDS) and self._process(parts):
                self.reading.pass_over(line, "a field of a process")
            elif parts and letters <= set(_FIELD_ORDER) and self.owner and not line.startswith("lsof: "):
                self._file(line, parts, whole=nul)
            elif not _note(self.reading, line):
                self.reading.gap("a field of lsof cannot be read", line)
        self._end()

    def _file(self, line: str, parts: list[str], *, whole: bool) -> None:
        rank = _FIELD_ORDER.index(parts[0][0])
        if whole or rank < self.last or (rank == self.last and parts[0][0] != "T"):
            self._end()
        self.last = rank
        self.lines.append(line)
        for part in parts:
            letter, value = part[0], part[1:]
            if letter == "n":
                self.main = line
            if letter != "T":
                self.fields[letter] = value
            elif value.startswith("ST="):
                self.fields["T"] = value.removeprefix("ST=")

    def _process(self, parts: list[str]) -> bool:
        """Take the fields of a process; False where they are none."""
        values = {part[0]: part[1:] for part in parts}
        if "p" in values:
            self._end()
            pid = number(values["p"])
            self.owner = {} if pid is None else {"pid": pid}
        if not self.owner:
            return False
        if "c" in values:
            self.owner["process"] = _unescaped(values["c"])
        if (uid := number(values.get("u"))) is not None:
            self.owner["uid"] = uid
        if values.get("L"):
            self.owner["user"] = values["L"]
        return True

    def _end(self) -> None:
        """Judge the file whose fields are complete: by its name's line, with which the others go."""
        fields, lines, main = self.fields, self.lines, self.main
        self.fields, self.lines, self.main, self.last = {}, [], None, -1
        if not lines:
            return
        judged = main if main is not None else lines[0]
        lines.remove(judged)
        if self._judge(judged, fields):
            self.reading.taken += lines
        else:
            for line in lines:
                self.reading.pass_over(line, "a field of the same file")

    def _judge(self, line: str, fields: dict[str, str]) -> bool:
        family = _TYPES.get(fields.get("t", ""))
        name, said, state = fields.get("n"), fields.get("P"), fields.get("T")
        protocol = _PROTOCOLS.get(said or "")
        if name is not None and _is_not_seen(name):
            self.reading.uncover("the descriptors of some processes could not be read")
            self.reading.pass_over(line, "descriptors that could not be read")
        elif ("t" in fields and family is None) or (said is not None and protocol is None):
            self.reading.pass_over(line, "not an Internet socket with a port")
        elif family is None and protocol is None and not self.asked.narrow and (name is None or ":" not in name or name.startswith("/")):
            self.reading.pass_over(line, "not an Internet socket")
        elif name is None:
            self.reading.gap("its address was not asked for (n)", line, protocol=protocol, family=family)
        else:
            if self.asked.narrow and family is None and len(self.asked.families) == 1:
                family = next(iter(self.asked.families))
            if protocol is None and state == "LISTEN":
                protocol = "tcp"
            elif protocol is None and self.asked.narrow and len(self.asked.protocols) == 1:
                protocol = next(iter(self.asked.protocols))
            if protocol is not None:
                device = fields.get("d") if _DEVICE.fullmatch(fields.get("d", "")) else None
                return _socket(self.reading, line, protocol, family, name, dict(self.owner), device, state)
            if "->" in name or name == "*:*":
                self.reading.pass_over(line, "it has a peer, or no port")
            else:
                self.reading.gap("its protocol was not asked for (P)", line, family=family)
        return False
