"""What a command line of lsof asks for, and so which sockets its output covers."""

from __future__ import annotations

import re
from collections import deque

from auditor.command import Command
from auditor.reading import FAMILIES, PROTOCOLS

_TAKING = "AcdDeFgikKmoprsSTuxzZ"
_TAKING_GLUED = "fL"
"""Letters whose value stands in the same word, if anywhere."""
_FLAGS = "abEHKlMnNOPQRtUVwX"
"""Letters without a value after a minus sign (lsof -h), of every system."""
KNOWN = _FLAGS + _TAKING + _TAKING_GLUED
"""Every letter that means something."""
_AFTER_PLUS = ("+c", "+d", "+D", "+E", "+e", "+f", "+L", "+m", "+M", "+r", "+w")
_SELECTING = {
    "-p": "some processes", "-c": "some commands", "-u": "some users", "-g": "some process groups", "-d": "some descriptors",
    "-U": "local (unix) sockets", "-N": "NFS files", "+d": "a directory", "+D": "a directory",
    "+L": "files with few links",
}  # fmt: skip
_INTERNET = re.compile(r"(?P<version>[46])?(?P<protocol>[A-Za-z]+)?(?P<only>[@:].*)?")


class Asked:
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
