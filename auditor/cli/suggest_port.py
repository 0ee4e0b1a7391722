"""`port-auditor suggest-port`: ports that nothing takes by itself on the chosen systems."""

from __future__ import annotations

import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from auditor.display import harmless
from auditor.errors import AuditorError, SourceError
from auditor.free_ports import PROTOCOLS, Claimant, FreePorts, free_ports, host_records, left_by, records_for, records_of, size
from auditor.in_words import counted
from auditor.model import Snapshot
from auditor.port_range import PORT_MAX, PortRange
from auditor.sources import Source, from_path
from auditor.tables import Tables
from auditor.vendor_ranges import VendorRecord

HELP = """\
Print ports that no chosen system hands out, keeps privileged or reserves, that IANA assigns to nobody, that are not known for a
dangerous service, and that nothing holds on the hosts given with --on.

SYSTEM is FreeBSD:14.1, a system (as `uname -s` prints it, or Windows, VOS, FTX) and its release; or Linux, every release of it;
or linux-4.2-plus, a record of the vendor table. Without --for it is the system of every host given with --on; without that,
every record of a host system (not those of containers, libraries, phones and articles).

Exit code 0 where there is a port to suggest, 1 where there is none or none can be promised, 2 for a usage error."""
EXAMPLE = """\
examples:
  port-auditor suggest-port --for FreeBSD:14.1 Linux:6.1 Windows:10.0
  port-auditor suggest-port --for VOS FTX:3.3 --protocol tcp --count 3
  port-auditor suggest-port --on fetched/"""
FOUND, NOTHING = 0, 1
COUNT, WIDTH = 5, 100
FREE_SHOWN, RANGES_SHOWN = 40, 16
"""How many ranges are listed, of those that are free and of those that one claim takes."""


def arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--for", dest="systems", nargs="+", action="extend", default=[], metavar="SYSTEM", help="a system the port is for")
    add("--on", nargs="+", action="extend", default=[], metavar="SOURCE", help="hosts: bundles, snapshots, folders of them, - for stdin")
    add("--protocol", choices=(*PROTOCOLS, "both"), default="both", help="free for which protocol (default: both)")
    add("--all", action="store_true", help=f"list every free range, not only the lowest {FREE_SHOWN}")
    add("--count", type=int, default=COUNT, metavar="N", help=f"how many to suggest (default: {COUNT})")


def run(parsed: Namespace) -> int:
    if not 1 <= parsed.count <= PORT_MAX:
        raise AuditorError(f"--count {parsed.count} is no number of ports", f"give one from 1 to {PORT_MAX}")
    tables = Tables()
    protocols = PROTOCOLS if parsed.protocol == "both" else (parsed.protocol,)
    hosts = [host for path in parsed.on for host in _hosts(path, tables)]
    free = free_ports(_records(parsed.systems, hosts, tables), hosts, protocols, tables)
    suggested = free.lowest(parsed.count) if free.promised else []
    by = f"{', '.join(_numbers(len(free.systems) - len(hosts), len(hosts)))}, IANA's registry and the notable ports"
    lines = [*_answer(free, f"{' and '.join(protocols)}, by {by}", suggested, parsed.all), "", "What takes the rest:"]
    for claimant in free.claimants:
        lines += _taken(claimant, free)
    if not hosts:
        lines += ["", "The systems' ranges are as shipped; --on SOURCE takes those of your hosts into account, and what listens there."]
    print("\n".join(map(harmless, lines)))
    return FOUND if suggested else NOTHING


def _hosts(path: str, tables: Tables) -> list[tuple[str, Snapshot]]:
    found = []
    for source in from_path(path, tables):
        if not isinstance(source, Source):
            raise SourceError(source[1], "every host counts: mend that one, or leave it out")
        found.append((source.given, source.snapshot))
    if not found:
        raise SourceError(f"{path}: no host could be read", "give a bundle made by `port-auditor collect`, or a folder of them")
    return found


def _records(systems: Sequence[str], hosts: Sequence[tuple[str, Snapshot]], tables: Tables) -> list[VendorRecord]:
    """The records asked for, each once, in the table's order."""
    if not systems and not hosts:
        return host_records(tables)
    found = [record for word in systems for record in records_for(word, tables)]
    if not systems:
        found = [record for _, snapshot in hosts for record in records_of(snapshot, tables)]
    ids = {record.id for record in found}
    return [tables.vendors.record(name) for name in tables.vendors.ids if name in ids]


def _numbers(systems: int, hosts: int) -> list[str]:
    return [counted(number, noun) for number, noun in ((systems, "system"), (hosts, "host")) if number]


def _answer(free: FreePorts, asked: str, suggested: list[int], every: bool) -> list[str]:
    doubts = [line for one in free.claimants for doubt in one.doubts for line in _filled(f"{one.name}: {doubt}")]
    if suggested:
        head = f"Free for {asked}: {counted(size(free.left), 'port')} in {counted(len(free.left), 'range')}"
        return [head, *_listed(free, every), f"Suggested: {', '.join(map(str, suggested))}"]
    if not free.left:
        also = ["Beside that it is not known what more these take:", *doubts] if doubts else []
        return [f"Nothing is free for {asked}", *_filled(_why_nothing(free)), *also]
    head = f"No port can be promised for {asked}, as it is not known what more these take:"
    return [head, *doubts, "Nothing that is known takes:", *_listed(free, every)]


def _listed(free: FreePorts, every: bool) -> list[str]:
    shown = free.left if every else free.left[:FREE_SHOWN]
    more = len(free.left) - len(shown)
    ranges = ", ".join(f"{ports} ({len(ports)})" for ports in shown)
    return _filled(f"{ranges} and {more} ranges more (--all)" if more else ranges)


def _why_nothing(free: FreePorts) -> str:
    claims, left = free.why_nothing()
    alone = [claimant.name for claimant in free.systems if not left_by([claimant, *free.registers])]
    said = f"What takes it: {', '.join(map(str, claims))}"
    if left:
        said += f"; the registry or the notable ports take the {counted(size(left), 'port')} that this leaves"
    return f"{said}. By itself already leaves nothing: {', '.join(alone) or 'none of them'}."


def _taken(claimant: Claimant, free: FreePorts) -> list[str]:
    """What one claims, kind by kind, and how many ports would be free without it."""
    lines = [f"  {claimant.name}: {claimant.about}"]
    kinds: dict[str, list[PortRange]] = {}
    for claim in claimant.claims:
        kinds.setdefault(claim.what, []).append(claim.ports)
    for what, ranges in kinds.items():
        lines += _filled(f"{what}: {_ranges(ranges)}", "    ")
    lines += [line for doubt in claimant.doubts for line in _filled(f"not known: {doubt}", "    ")]
    if not kinds and not claimant.doubts:
        lines.append("    takes nothing of this protocol")
    elif kinds:
        lines.append(f"    without it {counted(free.taken_alone(claimant), 'port')} more would be free")
    return [*lines, *_filled(f"source: {claimant.source}", "    ")]


def _ranges(ranges: list[PortRange]) -> str:
    joined = PortRange.joined(ranges)
    total = counted(size(joined), "port")
    if len(joined) > RANGES_SHOWN:
        return f"{total} in {len(joined)} ranges"
    return f"{', '.join(map(str, joined))} ({total})"


def _filled(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False
    )
