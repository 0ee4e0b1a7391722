"""From IANA's CSV to the shipped table, and that table safely onto disk.

How rows become lines, where the registry leaves it open:

* A row without a port registers a service name alone (for DNS-SD and SRV): it is left out, and counted in the head.
* A row without a transport speaks of all of them: `any`. A row for one transport goes before it.
* A row with a name is assigned, unless its description is "De-registered": then it is reserved, and the name is no longer the port's.
* A row without a name is unassigned where its description begins so ("Unassigned [was netstat]", "(unassigned) ..."). Every other one is
  reserved: "Reserved", "any private ...", and what was de-registered or removed, which RFC 6335 section 8.2 keeps from reassignment.
* Of several rows for one port and transport the names are kept in order, and assigned goes before reserved before unassigned.
* "Unauthorized Use Reported" of a row for a range that names ports of that range is about those ports, otherwise about all of the row.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping
from typing import NoReturn

from auditor.errors import OutputError, TableError
from auditor.iana_registry import PROTOCOLS, STATUSES, IanaEntry
from auditor.port_range import PortRange

SOURCE = "https://www.iana.org/assignments/service-names-port-numbers/service-names-port-numbers.csv"
ADVICE = f"Download the whole file again from {SOURCE} and import that."
NAME, PORT, PROTOCOL, DESCRIPTION, UNAUTHORISED = (
    "Service Name", "Port Number", "Transport Protocol", "Description", "Unauthorized Use Reported")  # fmt: skip
DATES = ("Registration Date", "Modification Date")
UNASSIGNED = re.compile(r"\W*unassigned\b", re.IGNORECASE)
DEREGISTERED = re.compile(r"de-?registered\W*", re.IGNORECASE)
DATE = re.compile(r"\d{4}-\d\d(-\d\d)?", re.ASCII)


class _Cell:
    """What the rows read so far say of one port and transport."""

    __slots__ = ("names", "status", "unauthorised")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.status = "unassigned"
        self.unauthorised = False


class _Csv:
    """The rows of the CSV with the line each ends on; anything that is not IANA's file is a TableError with file:line."""

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            self.fail(content.count(b"\n", 0, problem.start) + 1, "not UTF-8")
        self.whole = text.endswith("\n")
        self.reader = csv.reader(io.StringIO(text, newline=""), strict=True)

    def fail(self, line: int, why: str) -> NoReturn:
        raise TableError(f"{self.name}:{line}: {why}", ADVICE)

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        columns: list[str] | None = None
        try:
            for row in self.reader:
                line = self.reader.line_num
                if columns is None:
                    columns = row
                    if missing := [name for name in (NAME, PORT, PROTOCOL, DESCRIPTION, UNAUTHORISED, *DATES) if name not in row]:
                        self.fail(line, f"no column {', '.join(missing)}: not IANA's service name and port number registry")
                elif len(row) != len(columns):
                    self.fail(line, f"{len(row)} columns where its first line has {len(columns)}: the file is cut or damaged")
                else:
                    yield line, dict(zip(columns, row, strict=True))
        except csv.Error as problem:
            self.fail(self.reader.line_num, f"{problem}: the file is cut or damaged")
        if columns is None:
            self.fail(1, "the file is empty")
        if not self.whole:
            self.fail(self.reader.line_num, "the last line has no end: the file is cut")


def compact(content: bytes, name: str, ranges: Mapping[str, PortRange]) -> str:
    """The table, as text, from the bytes of IANA's CSV. The same bytes give the same text.

    `name` is the file's, for messages; `ranges` are RFC 6335's, by name. TableError (file:line) where the CSV is malformed, cut or empty.
    """
    from hashlib import sha256

    source = _Csv(content, name)
    cells: dict[int, dict[str, _Cell]] = {}
    newest, without_port, line = "", 0, 1
    for line, row in source.rows():
        newest = max(newest, *(row[column] for column in DATES if DATE.fullmatch(row[column])), "")
        if not row[PORT]:
            without_port += 1
            if not row[NAME]:
                source.fail(line, "neither a port nor a service name")
            continue
        _add(source, line, row, cells, ranges["dynamic"])
    if max(cells, default=-1) < ranges["user"].last:
        source.fail(line, f"its last port is {max(cells, default='none')}, not {ranges['user'].last}: the file is cut")
    if not newest:
        source.fail(line, "no row has a date")
    lines = [entry.line() for entry in [*_entries(cells), IanaEntry(ranges["dynamic"], ("any",), "dynamic", False, ())]]
    head = {"source": SOURCE, "date": newest, "csv-sha256": sha256(content).hexdigest(), "csv-rows-without-port": without_port,
            "lines": len(lines)}  # fmt: skip
    return "".join([
        "# IANA service name and transport protocol port number registry, facts only. Made by `port-auditor tables import`: do not edit.\n",
        *(f"# {key}: {value}\n" for key, value in head.items()),
        "# ports\tprotocols\tstatus\tunauthorised use\tservice names\n",
        *(line + "\n" for line in lines),
    ])  # fmt: skip


def _add(source: _Csv, line: int, row: Mapping[str, str], cells: dict[int, dict[str, _Cell]], dynamic: PortRange) -> None:
    try:
        ports = PortRange.parse(row[PORT])
    except ValueError:
        source.fail(line, f"not a port or range: {row[PORT]!r:.40}")
    name, protocol, description = row[NAME], row[PROTOCOL] or "any", row[DESCRIPTION].strip()
    if ports.overlap(dynamic):
        source.fail(line, f"port {ports} is in the dynamic range {dynamic}, which is never assigned")
    if protocol not in (*PROTOCOLS, "any"):
        source.fail(line, f"not a transport of the registry: {protocol!r:.40}")
    if name and not re.fullmatch(r"[!-~]+", name):
        source.fail(line, f"not a service name: {name!r:.40}")
    if not name and not description:
        source.fail(line, f"port {ports} has neither a service name nor a description")
    status = "unassigned" if UNASSIGNED.match(description) and not name else "reserved"
    if name and not DEREGISTERED.fullmatch(description):
        status = "assigned"
    reported = _reported(row[UNAUTHORISED], ports)
    for port in range(ports.first, ports.last + 1):
        cell = cells.setdefault(port, {}).setdefault(protocol, _Cell())
        cell.status = min(cell.status, status, key=STATUSES.index)
        cell.unauthorised = cell.unauthorised or any(port in part for part in reported)
        if status == "assigned" and name not in cell.names:
            cell.names.append(name)


def _reported(text: str, ports: PortRange) -> list[PortRange]:
    """The ports of a row that its "Unauthorized Use Reported" is about."""
    if not text.strip():
        return []
    named = []
    for first, last in re.findall(r"(?<!\d)(\d{1,5})(?:-(\d{1,5}))?(?!\d)", text, re.ASCII):
        try:
            part = PortRange(int(first), int(last or first)).overlap(ports)
        except ValueError:
            continue
        if part:
            named.append(part)
    return named or [ports]


def _entries(cells: Mapping[int, Mapping[str, _Cell]]) -> Iterator[IanaEntry]:
    """Runs of ports of which the same is said, a line for each group of transports of which the same is said."""
    first, last, said = 0, -1, None
    for port in sorted(cells):
        groups: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
        for protocol in (*PROTOCOLS, "any"):
            if cell := cells[port].get(protocol):
                groups.setdefault((cell.status, cell.unauthorised, tuple(cell.names)), []).append(protocol)
        here = tuple((tuple(protocols), *facts) for facts, protocols in groups.items())
        if here != said or port != last + 1:
            if said is not None:
                yield from (IanaEntry(PortRange(first, last), *group) for group in said)
            first, said = port, here
        last = port
    if said is not None:
        yield from (IanaEntry(PortRange(first, last), *group) for group in said)


def install(text: str, path: str) -> None:
    """Write the table to `path`, whole or not at all: a new file beside it takes its place. What is no ordinary file (a device, a pipe)
    is written to directly. OutputError where that fails."""
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    new = os.path.join(folder, f".{name}.{os.urandom(4).hex()}")
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            return
        try:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w", encoding="utf-8", newline="") as file:
                if os.path.exists(path):
                    os.fchmod(file.fileno(), os.stat(path).st_mode & 0o7777)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        finally:
            if os.path.exists(new):
                os.unlink(new)
    except OSError as problem:
        advice = "Name a file that you may write with -o FILE, or - for stdout."
        raise OutputError(f"{path}: {problem.strerror or problem}", advice) from problem
