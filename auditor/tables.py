"""The yardsticks: what IANA assigns, what vendors ship, which ports are dangerous by what is usually on them.

A table is facts with a source and a date, in a file of its own under policies/tables; nothing is read before it is asked for.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

from auditor import interpreters as interpreter_table
from auditor import places
from auditor.errors import TableError
from auditor.iana_registry import IanaEntry, Registry
from auditor.port_range import PortRange
from auditor.table_files import MEND, TableFile, entry, known_keys, words
from auditor.vendor_ranges import VendorRecord, VendorTable

FILES = ("iana-ranges.yaml", "iana-services.tsv", "interpreters.yaml", "notable-ports.yaml", "vendor-ranges.yaml")
IANA_RANGES = ("system", "user", "dynamic")
"""RFC 6335 section 6's names, in order of ports."""
KINDS = ("unauthenticated", "cleartext", "amplifier")
TIERS = ("always", "usual")


class NotablePort:
    """A port whose usual service is dangerous by the way it is made.

    `kind` is one of KINDS, `tier` one of TIERS; `ports`, `protocol` (tcp, udp); `service`, `why` and `source` in words;
    `unless_executable` are paths of programs that are usually met on the port in place of the service.
    """

    __slots__ = ("kind", "ports", "protocol", "service", "source", "tier", "unless_executable", "why")

    def __init__(self, stated: Any, where: str) -> None:
        known_keys(stated, self.__slots__, where)
        self.kind = words(stated, "kind", where, KINDS)
        self.tier = words(stated, "tier", where, TIERS)
        self.protocol = words(stated, "protocol", where, ("tcp", "udp"))
        self.service = words(stated, "service", where)
        self.why = words(stated, "why", where)
        self.source = words(stated, "source", where)
        try:
            self.ports = PortRange.parse(str(entry(stated, "ports", where)))
        except ValueError as problem:
            raise TableError(f"{where}: {problem}", MEND) from problem
        paths = stated.get("unless_executable", [])
        if not isinstance(paths, list) or not all(isinstance(path, str) and path.startswith("/") for path in paths):
            raise TableError(f"{where}: `unless_executable` is not a list of whole paths", MEND)
        self.unless_executable: tuple[str, ...] = tuple(paths)

    def __repr__(self) -> str:
        return f"NotablePort({self.kind}, {self.ports}/{self.protocol}, {self.service})"


class Tables:
    """The tables of a folder, those shipped with the program by default. Whatever is broken is a TableError when it is first read."""

    def __init__(self, folder: str | None = None) -> None:
        self.folder = places.shipped("policies", "tables") if folder is None else folder
        self.files: dict[str, TableFile] = {file.name: file for file in (TableFile(os.path.join(self.folder, name)) for name in FILES)}

    @cached_property
    def iana_ranges(self) -> dict[str, PortRange]:
        """`system`, `user` and `dynamic` of RFC 6335 section 6."""
        file = self.files["iana-ranges"]
        stated = file.mapping("ranges")
        known_keys(stated, IANA_RANGES, file.path)
        ranges = {}
        for name in IANA_RANGES:
            where = f"{file.path}: {name}"
            item = entry(stated, name, where)
            try:
                ranges[name] = PortRange(entry(item, "first", where), entry(item, "last", where))
            except (TypeError, ValueError) as problem:
                raise TableError(f"{where}: {problem}", MEND) from problem
        return ranges

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.files["iana-services"])

    def iana(self, port: int, protocol: str) -> IanaEntry:
        """What the registry says of a port (0-65535, else ValueError) and protocol (tcp, udp, sctp, dccp, udplite, mptcp)."""
        return self.registry.entry(port, protocol)

    def named(self, service: str, protocol: str) -> tuple[int, ...]:
        """The ports that IANA assigned to a service name, for a protocol; empty where there is no such name."""
        return self.registry.named(service, protocol)

    @cached_property
    def vendors(self) -> VendorTable:
        return VendorTable(self.files["vendor-ranges"])

    @property
    def vendor_records(self) -> tuple[VendorRecord, ...]:
        """Every record, in the table's order. Parses the whole file: tens of milliseconds."""
        return self.vendors.records()

    def vendor(self, system: str, release: str | None) -> VendorRecord | None:
        """The record for a plain host of that system (as `uname -s` prints it, case ignored) and release; None where no record is for
        it, the release is not known to be in a record's span, or more than one would be (then the table cannot tell)."""
        found = self.vendors.covering(system, release, plain=True)
        return found[0] if len(found) == 1 else None

    def vendor_all(self, system: str, release: str | None) -> tuple[VendorRecord, ...]:
        """Every record for that system and release, those with a `context` (a container, one of VOS' stacks, a library) included."""
        return self.vendors.covering(system, release, plain=False)

    @cached_property
    def _notable(self) -> tuple[NotablePort, ...]:
        file = self.files["notable-ports"]
        stated = file.mapping("notable")
        if not isinstance(stated, list):
            raise TableError(f"{file.path}: `notable` is not a list", MEND)
        return tuple(NotablePort(item, f"{file.path}: entry {i}") for i, item in enumerate(stated, 1))

    def notable(self, kind: str) -> tuple[NotablePort, ...]:
        """The notable ports of a kind (one of KINDS, else KeyError), in the table's order."""
        if kind not in KINDS:
            raise KeyError(kind)
        return tuple(port for port in self._notable if port.kind == kind)

    @cached_property
    def interpreters(self) -> tuple[interpreter_table.Interpreter, ...]:
        """Programs that do what their caller tells them, in the table's order."""
        return interpreter_table.read(self.files["interpreters"])

    def interpreter(self, path: str) -> interpreter_table.Interpreter | None:
        """Which of them a file is by its name; None where it is none."""
        return interpreter_table.of_path(path, self.interpreters)

    def range_names(self) -> tuple[str, ...]:
        """The names that `range_named` knows."""
        return (*(f"iana-{name}" for name in IANA_RANGES), *(f"vendor:{name}" for name in self.vendors.ids))

    def range_named(self, name: str) -> list[PortRange]:
        """The ports that a policy names by a table: `iana-system`, `iana-user`, `iana-dynamic` (RFC 6335), or `vendor:ID`, the ephemeral
        range that this record's stack hands out by default. TableError for any other name, with the nearest one."""
        table, _, rest = name.partition("-")
        if table == "iana" and rest in IANA_RANGES:
            return [self.iana_ranges[rest]]
        prefix, _, rest = name.partition(":")
        if prefix != "vendor" or rest not in self.vendors.ids:
            raise TableError(f"no table has a range named {name!r:.60}", self._nearest(name))
        record = self.vendors.record(rest)
        handed_out = [part.ports for part in record.ephemeral if part.role == "default"] if record.knows("ephemeral") else []
        if not handed_out:
            raise TableError(f"the vendor table states no ephemeral range for {rest}", f"Name another id of {self.vendors.file.path}.")
        return sorted(set(handed_out))

    def _nearest(self, name: str) -> str:
        from difflib import get_close_matches

        names = self.range_names()
        near = [known for known in names if name and known.startswith(name)] or get_close_matches(name, names, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        return f"{hint}Known are iana-system, iana-user, iana-dynamic and vendor:ID with an id of {self.vendors.file.path}."

    def provenance(self) -> dict[str, dict[str, str]]:
        """{table: {"source", "date", "sha256"}}; the sha256 is of the file's bytes."""
        return {name: file.provenance for name, file in self.files.items()}

    def count(self, name: str) -> int:
        """How many records a table has."""
        counts = {"iana-ranges": lambda: len(self.iana_ranges), "iana-services": lambda: len(self.registry.lines),
                  "interpreters": lambda: len(self.interpreters),
                  "notable-ports": lambda: len(self._notable), "vendor-ranges": lambda: len(self.vendors.ids)}  # fmt: skip
        return counts[name]()


__all__ = ["KINDS", "TIERS", "IanaEntry", "NotablePort", "Tables", "VendorRecord"]
