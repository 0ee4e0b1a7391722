"""What vendors ship: one record a system and span of releases, of the ports that need a privilege and those a stack hands out by itself.

The table's own head (policies/tables/vendor-ranges.yaml) says what each key means. A record is parsed when it is asked for: the
whole file costs tens of milliseconds, one system's records two or three.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from auditor.errors import TableError
from auditor.facts import UnknownFact
from auditor.port_range import PortRange
from auditor.table_files import MEND, TableFile, entry, from_yaml, known_keys, words

PROTOCOLS = ("tcp", "udp", "any")
ROLES = ("default", "high", "low")
CONFIDENCES = ("high", "medium", "low")
CONTEXTS = ("registry", "container", "user-namespace", "android", "embedded", "vos-tcp-os", "vos-stcp", "library", "article")
KEYS = (
    "id", "applies", "context", "os", "stack", "releases", "confidence", "protocol", "well_known", "registered", "privileged",
    "wildcard_exempt", "privilege", "privileged_also", "ephemeral", "reserved", "disputed", "defaults", "others", "settings", "sources",
    "quirk", "notes",
)  # fmt: skip

Release = tuple[tuple[int, ...], int, str]


def release_key(text: str) -> Release | None:
    """A release as something that compares: the first run of numbers in it and the letters that touch it.

    "6.18.44-fc-v657" is 6.18.44, "14.1-RELEASE" 14.1, "B.11.31" 11.31; "14.5.0at" (VOS) comes after "14.5.0aj", that after
    "14.5.0", and "4.2.0" equals "4.2". None where there is no number.
    """
    found = re.search(r"(\d{1,9}(?:\.\d{1,9})*)([a-z]*)", text, re.ASCII)
    if not found:
        return None
    numbers = [int(part) for part in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), len(found[2]), found[2]


class VendorSpan:
    """Hosts a record is for: a system, and its releases from `first` (included) up to `before` (not included); None is no bound."""

    __slots__ = ("before", "first", "system")

    def __init__(self, system: str, first: str | None, before: str | None) -> None:
        self.system = system
        self.first = first
        self.before = before

    def covers(self, system: str, release: str | None) -> bool:
        """Whether a host is meant. A release that is not known, or has no number, is covered only where there are no bounds."""
        if system.casefold() != self.system.casefold():
            return False
        key = release_key(release or "")
        if key is None:
            return self.first is None and self.before is None
        return _reached(key, self.first) and not (self.before is not None and _reached(key, self.before))

    def __str__(self) -> str:
        since = f" from {self.first}" if self.first is not None else ""
        return f"{self.system}{since}{f' before {self.before}' if self.before is not None else ''}"


def _reached(key: Release, bound: str | None) -> bool:
    least = release_key(bound) if bound is not None else None
    return least is None or key >= least


class VendorRange:
    """Ports of a record: `ports`, `protocol` (tcp, udp, any), `role` (default, high, low) of an ephemeral range, and `note`."""

    __slots__ = ("note", "ports", "protocol", "role", "since")

    def __init__(self, ports: PortRange, protocol: str, role: str, note: str, since: str | None) -> None:
        self.ports = ports
        self.protocol = protocol
        self.role = role
        self.note = note
        self.since = since

    def covers(self, port: int, protocol: str) -> bool:
        """Whether a port is one of them; protocol `any` asks about all."""
        return port in self.ports and (self.protocol == protocol or "any" in (self.protocol, protocol))

    def __repr__(self) -> str:
        return f"VendorRange({self.ports}, {self.protocol}, {self.role})"


class VendorRecord:
    """One record. What it does not state is not known: `knows(key)` says so, and reading `privileged`, `ephemeral`, `well_known` or
    `registered` then raises UnknownFact; None there means that there is none. Made only from the table; TableError where it is broken."""

    __slots__ = ("applies", "confidence", "context", "disputed", "id", "notes", "os", "others", "privilege", "privileged_also", "protocol",
                 "quirk", "releases", "reserved", "settings", "sources", "stack", "stated", "where", "wildcard_exempt")  # fmt: skip

    def __init__(self, stated: dict[str, Any], where: str) -> None:
        self.where = where
        known_keys(stated, KEYS, where)
        self.stated = stated
        self.id = words(stated, "id", where)
        self.os = words(stated, "os", where)
        self.stack = words(stated, "stack", where)
        self.confidence = words(stated, "confidence", where, CONFIDENCES)
        self.protocol = words(stated, "protocol", where, PROTOCOLS)
        self.context = words(stated, "context", where, CONTEXTS) if "context" in stated else None
        self.applies = tuple(self._span(span) for span in self._list("applies", required=True))
        self.releases: dict[str, str | None] = stated.get("releases") or {}
        self.privilege: str = stated.get("privilege") or ""
        self.wildcard_exempt: bool = stated.get("wildcard_exempt", False) is True
        self.privileged_also = self._ranges("privileged_also", "why")
        self.reserved = self._ranges("reserved")
        self.disputed = self._ranges("disputed")
        self.others: tuple[dict[str, Any], ...] = tuple(self._list("others"))
        self.settings: tuple[dict[str, str], ...] = tuple(self._list("settings"))
        self.sources: tuple[dict[str, str], ...] = tuple(self._list("sources", required=True))
        self.quirk: str = stated.get("quirk") or ""
        self.notes: str = stated.get("notes") or ""

    def __repr__(self) -> str:
        return f"VendorRecord({self.id})"

    def knows(self, key: str) -> bool:
        """Whether the record states `key`, be it that there is none."""
        return key in self.stated

    @property
    def privileged(self) -> PortRange | None:
        """The ports that need a privilege to bind; None where there are none."""
        return self._one("privileged")

    @property
    def well_known(self) -> PortRange | None:
        return self._one("well_known")

    @property
    def registered(self) -> PortRange | None:
        return self._one("registered")

    @property
    def ephemeral(self) -> tuple[VendorRange, ...]:
        """The ranges that the stack hands out by itself, of every role."""
        self._need("ephemeral")
        return self._ranges("ephemeral")

    def defaults(self, release: str | None = None) -> dict[str, str]:
        """{setting: value} of a stock kernel of that release, as the setting reads; without the release, what holds for the whole span."""
        key, held = release_key(release or ""), {}
        for name, value in (self.stated.get("defaults") or {}).items():
            if isinstance(value, str):
                held[name] = value
            elif key is not None and _reached(key, words(value, "from", f"{self.where}: {name}")):
                held[name] = str(entry(value, "value", f"{self.where}: {name}"))
        return held

    def class_of(self, port: int, protocol: str = "any") -> str:
        """What this stack does with a port: `privileged`, `ephemeral`, `on request` (handed out to a program that asks for the high or low
        range), `disputed`, `neither`, `not stated`, or `other protocol` where the record is about another one."""
        if protocol not in (self.protocol, "any") and self.protocol != "any":
            return "other protocol"
        if any(part.covers(port, protocol) for part in self.disputed):
            return "disputed"
        limit = self.privileged if self.knows("privileged") else None
        if (limit is not None and port in limit) or any(part.covers(port, protocol) for part in self.privileged_also):
            return "privileged"
        roles = {part.role for part in self._ranges("ephemeral") if part.covers(port, protocol)}
        if roles:
            return "ephemeral" if "default" in roles else "on request"
        return "neither" if self.knows("privileged") and self.knows("ephemeral") else "not stated"

    def _need(self, key: str) -> None:
        if key not in self.stated:
            raise UnknownFact(f"the vendor table does not state {key} of {self.id}")

    def _one(self, key: str) -> PortRange | None:
        self._need(key)
        return None if self.stated[key] is None else self._ports(self.stated[key], key)

    def _ports(self, value: Any, key: str) -> PortRange:
        first, last = entry(value, "first", f"{self.where}: {key}"), entry(value, "last", f"{self.where}: {key}")
        try:
            return PortRange(first, last)
        except (TypeError, ValueError):
            self._fail(f"{key} is not a port range: {first!r:.20}-{last!r:.20}")

    def _list(self, key: str, required: bool = False) -> list[Any]:
        value = self.stated.get(key, None if required else [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._fail(f"{key} is not a list of mappings")
        return value

    def _ranges(self, key: str, note: str = "note") -> tuple[VendorRange, ...]:
        where = f"{self.where}: {key}"
        return tuple(
            VendorRange(self._ports(item, key), words(item, "protocol", where, PROTOCOLS),
                        words(item, "role", where, ROLES) if key == "ephemeral" else "default", item.get(note) or "", item.get("from"))
            for item in self._list(key)
        )  # fmt: skip

    def _span(self, span: dict[str, Any]) -> VendorSpan:
        where = f"{self.where}: applies"
        known_keys(span, ("system", "from", "before"), where)
        bounds = [entry(span, key, where) for key in ("from", "before")]
        if any(bound is not None and (not isinstance(bound, str) or release_key(bound) is None) for bound in bounds):
            self._fail(f"a release that does not compare: {bounds}")
        return VendorSpan(words(span, "system", where), *bounds)

    def _fail(self, why: str) -> NoReturn:
        raise TableError(f"{self.where}: {why}", MEND)


class VendorTable:
    """The records of the table's file, parsed one by one."""

    def __init__(self, file: TableFile) -> None:
        self.file = file
        head, *parts = file.text.split("\n- id: ")
        self._parts: dict[str, tuple[int, str]] = {}
        line = head.count("\n") + 2
        for part in parts:
            if not part.partition("\n")[2].startswith("  applies: ["):
                raise TableError(f"{file.path}:{line}: the record's second line is not `applies: [...]`", MEND)
            self._parts[part.partition("\n")[0].strip()] = (line, "- id: " + part)
            line += part.count("\n") + 1
        self._records: dict[str, VendorRecord] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._parts)

    def record(self, name: str) -> VendorRecord:
        """The record of that id; KeyError where there is none."""
        if name not in self._records:
            line, part = self._parts[name]
            parsed = from_yaml(part, self.file.path, line)
            self._records[name] = VendorRecord(parsed[0], f"{self.file.path}:{line}: {name}")
        return self._records[name]

    def records(self) -> tuple[VendorRecord, ...]:
        return tuple(self.record(name) for name in self._parts)

    def covering(self, system: str, release: str | None, plain: bool) -> tuple[VendorRecord, ...]:
        """The records for a host, in the table's order; `plain` leaves out those with a context."""
        wanted, found = f"system: {system},".casefold(), []
        for name, (_, part) in self._parts.items():
            applies, _, rest = part.partition("\n")[2].partition("\n")
            if wanted in applies.casefold() and not (plain and rest.startswith("  context:")):
                record = self.record(name)
                if any(span.covers(system, release) for span in record.applies):
                    found.append(record)
        return tuple(found)
