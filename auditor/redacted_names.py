"""Names and what they become: the same other name wherever one stands, and never the other name of another one.

A name that tells of somebody is found as a whole word in whatever a report says. One that does not, as it is a number or a word of ours, is
replaced by those who know that it is a name, where they know it.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from itertools import combinations
from typing import Any

from auditor.display import harmless, quoted
from auditor.redaction_words import tells

USER, PERSON, HOST, MACHINE, ADDRESS, DOMAIN, SOURCE = "user", "person", "host", "machine", "address", "domain", "source"
_TOKEN = re.compile(r"[^\W_]+|[\W_]")
_OTHER_NAME = re.compile(rf"(?:{'|'.join((USER, PERSON, HOST, MACHINE, ADDRESS, DOMAIN, SOURCE))})-\d+")
_MAPPED = re.compile("^::ffff:(?=[0-9.]+(?:%|$))", re.IGNORECASE)
_HOME = r"/(?:home|Users)/(?P<first>[^/\s,;:\"'()\[\]]++)(?:/(?P<second>[^/\s,;:\"'()\[\]]++)(?P<deeper>/)?)?"
_IPV4 = r"(?<![^\W_])(?<!\d\.)(?:\d{1,3}\.){3}\d{1,3}(?![^\W_]|\.\d)"
_IPV6 = r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]{2,45}(?![\w:])"
_DOTTED = r"(?<![\w.-])[^\W_][\w-]*+(?:\.[\w-]++)+"
_IN_USERS, _IN_HOSTS = _HOME, f"(?P<address>{_IPV4}|{_IPV6})|(?P<dotted>{_DOTTED})"
_HOME_AT_THE_START = re.compile(r"(?:/(?:export|usr|var))?/(?:home|Users)/(?P<first>[^/]+)(?:/(?P<second>[^/]+))?")
_DOMAIN_OF_WINDOWS = re.compile(r"[A-Z][A-Z0-9-]*")
_ACCOUNT = re.compile(r"[\w.@+$-]+")
_NAME_MAX, _PATH_MAX, _LABELS_MAX = 255, 4096, 16
_END = ""


class Names:
    """What was met, by its words. All are met before the first is replaced, so that no name becomes what another one is already."""

    def __init__(self, *, users: bool, hosts: bool) -> None:
        shapes = "|".join([_IN_USERS] * users + [_IN_HOSTS] * hosts)
        self._shapes = re.compile(shapes) if shapes else None
        self._tree: dict[str, Any] = {}
        self._domains: set[str] = set()
        self._accounts: set[str] = set()
        self._kinds: dict[str, str] = {}
        self._spelled: dict[str, dict[str, str]] = {}
        self._counts: dict[str, int] = {}
        self._taken: set[str] = set()
        self.text = lru_cache(4096)(self._text)

    def meet_text(self, text: str) -> None:
        """What stands there already is no other name of anything."""
        if "-" in text:
            self._taken.update(_OTHER_NAME.findall(text.casefold()))

    def meet(self, kind: str, name: str) -> None:
        """A name. One that tells of nobody is remembered as such, and no more."""
        if name:
            self._kinds.setdefault(name.casefold(), kind)
        if tells(name) and len(name) <= (_PATH_MAX if kind == SOURCE else _NAME_MAX):
            self._grow(name, (None, "", ""))
            for form in _forms(name):
                self._grow(form, (name, "", ""))
            if kind == DOMAIN:
                self._domains.add(name.casefold())

    def meet_here(self, name: str, before: str, after: str = "") -> None:
        """One that tells of nobody is a name between these words."""
        self._kinds.setdefault(name.casefold(), USER)
        for form in {name, quoted(name), *_forms(name), *_forms(quoted(name))}:
            self._grow(f"{before}{form}{after}", (name, before, after))

    def meet_address(self, address: str) -> None:
        """An address, written with dashes too."""
        if _identifies(address):
            plain = _MAPPED.sub("", address).partition("%")[0]
            self._kinds.setdefault(plain.casefold(), ADDRESS)
            for form in {plain, plain.replace(".", "-")}:
                self._grow(form, (plain, "", ""))

    def meet_account(self, name: str) -> None:
        """An account of this host, whoever has it: its home has no home below."""
        self._accounts.add(name)

    def is_met(self, name: str) -> bool:
        return name.casefold() in self._kinds

    def meet_homes(self, path: str) -> None:
        """Whose home it is in which a path begins; a domain of Windows has homes of its own below its name."""
        home = _HOME_AT_THE_START.match(path)
        if home is None:
            return
        named = ["first"]
        if home["second"] and _DOMAIN_OF_WINDOWS.fullmatch(home["first"]) and home["first"] not in self._accounts:
            named.append("second")
        for at in named:
            if _ACCOUNT.fullmatch(home[at]):
                self.meet(USER, home[at])
            else:
                self.meet_here(home[at], path[: home.start(at)])

    def other(self, kind: str, name: str) -> str:
        """The other name of a name, whatever it tells. What is spelled otherwise is told apart: user-1 and user-1.2."""
        folded = name.casefold()
        spelled = self._spelled.setdefault(folded, {})
        if name not in spelled:
            first = next(iter(spelled.values()), None) or self._new(self._kinds.setdefault(folded, kind))
            spelled[name] = f"{first}.{len(spelled) + 1}" if spelled else first
        return spelled[name]

    def address(self, address: str) -> str:
        """The other name of an address, where it is one that not every host has; `::ffff:` and a zone stay."""
        if not _identifies(address):
            return self.text(address)
        mapped = "".join(_MAPPED.findall(address))
        plain, percent, zone = address[len(mapped) :].partition("%")
        return f"{mapped}{self.other(ADDRESS, plain)}{percent}{self.text(zone)}"

    def _new(self, kind: str) -> str:
        while True:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            other = f"{kind}-{self._counts[kind]}"
            if other not in self._taken:
                return other

    def _grow(self, form: str, leaf: tuple[str | None, str, str]) -> None:
        node = self._tree
        for token in _TOKEN.findall(form):
            node = node.setdefault(token.casefold(), {})
        node.setdefault(_END, leaf)

    def _text(self, text: str) -> str:
        """`text` with the other names in it: at each word the longest name that begins there, else what has the shape of one."""
        tokens = _TOKEN.findall(text)
        shapes = {found.start(): found for found in self._shapes.finditer(text)} if self._shapes else {}
        said: list[str] = []
        at = offset = 0
        while at < len(tokens):
            length, other = self._longest(tokens, at)
            if not length and offset in shapes:
                length, other = self._of_shape(shapes[offset])
            if not length:
                length, other = len(tokens[at]), tokens[at]
            said.append(other)
            offset += length
            while length > 0:
                length -= len(tokens[at])
                at += 1
        return "".join(said)

    def _longest(self, tokens: list[str], at: int) -> tuple[int, str]:
        """The longest name that begins `at`: how many characters it has, and what it becomes."""
        node, end, leaf = self._tree, at, (None, "", "")
        for n in range(at, len(tokens)):
            node = node.get(tokens[n].casefold(), {})
            if not node:
                break
            if _END in node:
                end, leaf = n + 1, node[_END]
        if end == at:
            return 0, ""
        written = "".join(tokens[at:end])
        name, before, after = leaf
        return len(written), f"{self.text(before)}{self.other(USER, name or written)}{after}"

    def _of_shape(self, found: re.Match[str]) -> tuple[int, str]:
        """What has the shape of an address, of a name in a domain that was met or of a path into a home, in the same way."""
        shape, text = found.lastgroup, found[0]
        if shape == "address":
            plain = text if _identifies(text) else text.rstrip(".:")
            return (len(plain), self.address(plain)) if _identifies(plain) else (0, "")
        if shape == "dotted":
            labels = text.split(".")[:_LABELS_MAX]
            for begin, end in combinations(range(1, len(labels) + 1), 2):
                if ".".join(labels[begin:end]).casefold() in self._domains:
                    name = ".".join(labels[:end])
                    return len(name), self.other(HOST, name)
            return 0, ""
        first, second = found["first"], found["second"]
        if not second:
            first = first.rstrip(".") or first
        end = found.start("first") - found.start() + len(first)
        said = text[: end - len(first)] + self.other(USER, first)
        domain = "." in first or _DOMAIN_OF_WINDOWS.fullmatch(first)
        if second and first not in self._accounts and (domain or (found["deeper"] and tells(second))):
            return end + 1 + len(second), f"{said}/{self.other(USER, second)}"
        return end, said


def _forms(name: str) -> set[str]:
    """How else a name is written: in a unit, for people's eyes, and in quotes."""
    units = {name, name.replace("-", "\\x2d")}
    shown = {form.replace("\\", "\\\\").replace('"', '\\"') for form in units} | units
    return {harmless(form) for form in shown} | shown - {name}


def _identifies(address: str) -> bool:
    """Whether it is an address that not every host has."""
    try:
        parsed = ipaddress.ip_address(_MAPPED.sub("", address).partition("%")[0])
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast)
