"""Whether the tables are what they claim: the promises that loading one entry does not check."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from auditor.errors import TableError
from auditor.port_range import PORT_MAX, PortRange
from auditor.tables import KINDS, Tables
from auditor.vendor_ranges import VendorRecord

CHECKED = {
    "iana-ranges": "system, user and dynamic ports follow each other and cover every port",
    "iana-services": "as many lines as its head states, in order, none twice for a port and protocol, every port covered",
    "interpreters": "every entry has name, kind, file names and source; no name twice",
    "notable-ports": "every entry has kind, tier, service, reason and source; none twice",
    "vendor-ranges": "ids are unique, sources named, releases compare, a plain host has one record, a port has two classes only by a quirk",
}
"""What is checked of each table, for a reader."""


def problems(tables: Tables) -> list[str]:
    """Everything wrong with the tables, each as `FILE: what`; empty where nothing is."""
    found = []
    checks = {"iana-ranges": _ranges, "iana-services": _services, "interpreters": _interpreters, "notable-ports": _notable,
              "vendor-ranges": _vendor}  # fmt: skip
    for name, check in checks.items():
        path = tables.files[name].path
        try:
            tables.files[name].provenance  # noqa: B018 - source and date are stated
            found += [f"{path}: {what}" for what in check(tables)]
        except TableError as problem:
            found.append(str(problem))
    return found


def _ranges(tables: Tables) -> Iterator[str]:
    if left := PortRange(0, PORT_MAX).minus(tables.iana_ranges.values()):
        yield f"no range has ports {', '.join(map(str, left))}"
    parts = sorted(tables.iana_ranges.values())
    for one, other in pairwise(parts):
        if one.overlap(other):
            yield f"{one} and {other} overlap"


def _services(tables: Tables) -> Iterator[str]:
    said: set[tuple[PortRange, str]] = set()
    last = PortRange(0, 0)
    runs: list[PortRange] = []
    for entry in tables.registry.entries():
        if entry.ports != last and runs:
            if entry.ports < last:
                yield f"{entry.ports} stands after {last}"
            elif entry.ports.overlap(last):
                yield f"{entry.ports} overlaps {last}"
        for protocol in entry.protocols:
            if (entry.ports, protocol) in said:
                yield f"{entry.ports}/{protocol} stands twice"
            said.add((entry.ports, protocol))
        if (entry.status == "assigned") != bool(entry.names):
            yield f"{entry.ports} is {entry.status} and has {len(entry.names)} names"
        if entry.status == "dynamic" and entry.ports != tables.iana_ranges["dynamic"]:
            yield f"{entry.ports} is not the dynamic range {tables.iana_ranges['dynamic']}"
        last = entry.ports
        runs.append(last)
    if left := PortRange(0, PORT_MAX).minus(runs):
        yield f"nothing is said of ports {', '.join(map(str, left))}"


def _interpreters(tables: Tables) -> Iterator[str]:
    seen = set()
    for one in tables.interpreters:
        for name in one.names:
            if name in seen:
                yield f"{name} stands twice"
            seen.add(name)


def _notable(tables: Tables) -> Iterator[str]:
    seen = set()
    for port in (port for kind in KINDS for port in tables.notable(kind)):
        key = (port.kind, port.ports, port.protocol, port.service)
        if key in seen:
            yield f"{port.kind} {port.ports}/{port.protocol} {port.service} stands twice"
        seen.add(key)


def _vendor(tables: Tables) -> Iterator[str]:
    text = tables.files["vendor-ranges"].text
    whole = tables.files["vendor-ranges"].mapping("records")
    records = tables.vendor_records
    if [item.get("id") if isinstance(item, dict) else None for item in whole] != [record.id for record in records]:
        yield "read as a whole it has other records than read one by one: an id stands twice or a record does not start with `- id: `"
    if text.count("\n- id: ") != len(records):
        yield "an id stands twice"
    for record in records:
        yield from (f"{record.id}: {what}" for what in _record(record))
    yield from _one_for_a_host(records)


def _record(record: VendorRecord) -> Iterator[str]:
    if not record.sources or not all(source.get("ref") for source in record.sources):
        yield "a source without `ref`, or none"
    for span in record.applies:
        if span.first and span.before and not span.covers(span.system, span.first):
            yield f"applies to no release: {span}"
    record.defaults("0")  # reading them checks them
    classes: list[tuple[str, PortRange]] = []
    for key in ("well_known", "registered", "privileged"):
        if record.knows(key) and (ports := getattr(record, key)) is not None:
            classes.append((key, ports))
    if record.knows("ephemeral"):
        classes += [("ephemeral", part.ports) for part in record.ephemeral if part.role == "default"]
    if record.quirk:
        return
    for index, (key, ports) in enumerate(classes):
        for other_key, other in classes[index + 1 :]:
            if {key, other_key} != {"well_known", "privileged"} and (both := ports.overlap(other)):
                yield f"{both} is {key} and {other_key}, and no quirk says why"


def _one_for_a_host(records: tuple[VendorRecord, ...]) -> Iterator[str]:
    plain = [(record, span) for record in records if record.context is None for span in record.applies]
    for index, (record, span) in enumerate(plain):
        for other, beside in plain[index + 1 :]:
            bounds = [release for release in (span.first, beside.first) if release is not None]
            if span.system == beside.system and (
                any(span.covers(span.system, release) and beside.covers(span.system, release) for release in bounds)
                or (span.first is None and beside.first is None)
            ):
                yield f"{record.id} and {other.id} are both for {span}"
