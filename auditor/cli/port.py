"""`port-auditor port`: everything the tables know about a port."""

from __future__ import annotations

import argparse
import os
import textwrap

from auditor.collect import parts
from auditor.display import harmless, holders
from auditor.errors import AuditorError, SourceError
from auditor.iana_registry import PROTOCOLS, IanaEntry
from auditor.model import Stack
from auditor.plugins import collector_for
from auditor.port_range import PORT_MAX
from auditor.sources import this_host
from auditor.tables import KINDS, NotablePort, Tables
from auditor.who_may_bind import takers

HELP = "Print everything known of a port: IANA, what each system does with it, who listens here."
EXAMPLE = "example: port-auditor port 8080/tcp"
ASKED = ("tcp", "udp")
"""Protocols that are shown where none is named; the others then only if the registry assigns the port to them."""
CLASSES = {
    "privileged": "needs a privilege to bind",
    "ephemeral": "handed out by the system itself",
    "on request": "handed out to programs that ask for the high or low range",
    "disputed": "its sources contradict each other, or it depends on the host",
    "neither": "free for servers",
    "not stated": "the record does not say",
    "other protocol": "the record is about another protocol",
}
"""VendorRecord.class_of's words, in the order shown."""
_PARTS = frozenset({"ports", "units", "grants"})
WIDTH, LABEL = 100, 16
"""Columns of a line, and of the words before the records."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("port", metavar="PORT[/PROTOCOL]", help="as 8080, 8080/tcp, 53/udp, or an IANA service name as https")


def run(arguments: argparse.Namespace) -> int:
    tables = Tables()
    for number, protocols in asked(arguments.port, tables).items():
        print("\n".join([*_about(tables, number, protocols), "", *_here(tables, number, protocols)]))
    return 0


def _here(tables: Tables, port: int, protocols: list[str]) -> list[str]:
    """Who holds the port on this host, a line each, and what could not be seen."""
    try:
        snapshot = this_host(tables, only=_PARTS & parts(collector_for(os.uname().sysname)).keys()).snapshot
    except SourceError as error:
        return [f"On this host: not looked, {error}"]
    lines = ["On this host:"]
    gaps = False
    for stack in snapshot.stacks.seen:
        gaps = gaps or bool(stack.listening.gaps)
        for socket in stack.listening.seen:
            if socket.port == port and socket.protocol in protocols:
                lines.append(f"  {harmless(socket)} in {harmless(stack.name)}, {socket.shown.get('state')}: {holders(socket)}")
    if len(lines) == 1:
        lines.append("  nobody in view")
    for stack in snapshot.stacks.seen:
        lines += _who_may(stack, port, [protocol for protocol in protocols if protocol in ASKED] or protocols)
    if gaps or snapshot.stacks.gaps:
        lines.append("  not everything could be seen: `port-auditor audit` says what was missing")
    return lines


def _who_may(stack: Stack, port: int, protocols: list[str]) -> list[str]:
    """Who may take the port in a stack, and why."""
    lines = [f"Who may take it in {harmless(stack.name)}:"]
    found = {protocol: takers(stack, protocol, port) for protocol in protocols}
    told = {}
    for ways, _ in found.values():
        told.update({(way.who, way.by, way.subject): way for way in ways})
    for way in told.values():
        lines += _fill(harmless(f"{way.who}: {way.by}{', ' * bool(way.subject)}{way.subject}"), "    ", "  ")
        lines += [line for step in ([] if way.root else way.steps) for line in _fill(harmless(step), "      ", "    - ")]
    for why in dict.fromkeys(why for _, gaps in found.values() for why in gaps):
        lines += _fill(harmless(f"perhaps others: {why}"), "    ", "  ")
    if len(lines) == 1:
        lines.append(f"  {_nobody_or_all(stack, port, protocols)}")
    return lines


def _nobody_or_all(stack: Stack, port: int, protocols: list[str]) -> str:
    """What no grant says of a port: everyone may take one that is not privileged."""
    known = stack.facts("privileged")
    if known.gaps:
        return f"not known: {harmless(known.gaps[0].why)}"
    privileged = any(port in one.ports and one.protocol in ("any", *protocols) for one in known.seen)
    return "nobody that was found" if privileged else "every user: it is no privileged port there"


def asked(text: str, tables: Tables) -> dict[int, list[str]]:
    """{port: protocols} of `PORT`, `PORT/PROTOCOL` or an IANA service name; AuditorError for anything else."""
    port, slash, protocol = text.partition("/")
    if slash and protocol not in PROTOCOLS:
        raise _bad(text, f"{protocol!r} is not a protocol of the registry")
    if port.isascii() and port.isdigit():
        if len(port.lstrip("0")) > len(str(PORT_MAX)) or int(port) > PORT_MAX:
            raise _bad(text, f"ports end at {PORT_MAX}")
        number = int(port)
        return {number: [protocol] if slash else [p for p in PROTOCOLS if p in ASKED or tables.iana(number, p).status == "assigned"]}
    found: dict[int, list[str]] = {}
    for candidate in [protocol] if slash else PROTOCOLS:
        for number in tables.named(port, candidate) if port else ():
            found.setdefault(number, []).append(candidate)
    if not found:
        raise _bad(text, "no port, and no service name that IANA assigned a port to")
    return found


def _bad(text: str, why: str) -> AuditorError:
    advice = f"Give a number from 0 to {PORT_MAX} (8080), if you like with a protocol ({', '.join(PROTOCOLS)}: 53/udp), or a name as https."
    return AuditorError(f"not a port: {text!r:.60}: {why}", advice)


def _about(tables: Tables, port: int, protocols: list[str]) -> list[str]:
    division = next((f"{name} ports, {ports}" for name, ports in tables.iana_ranges.items() if port in ports), "in no range")
    lines = [f"{port}/{','.join(protocols)}", _line("RFC 6335", division)]
    entries = [(protocol, tables.iana(port, protocol)) for protocol in protocols]
    lines += [_line(f"IANA {protocol}", _registered(entry)) for protocol, entry in entries]
    for kind in KINDS:
        notable = [item for item in tables.notable(kind) if port in item.ports and item.protocol in protocols]
        for item in notable:
            lines += _wrapped(kind, _remark(item))
    lines.append("")
    return lines + _by_class(tables, port, protocols)


def _registered(entry: IanaEntry) -> str:
    names = f": {', '.join(entry.names)}" if entry.names else ""
    return f"{entry.status}{names}{'; unauthorised use reported' if entry.unauthorised else ''}"


def _remark(item: NotablePort) -> str:
    unless = f"; not where it is {', '.join(item.unless_executable)}" if item.unless_executable else ""
    often = "by its usual service" if item.tier == "always" else "often"
    return f"{often} ({item.ports}/{item.protocol} {item.service}): {item.why}{unless} [{item.source}]"


def _by_class(tables: Tables, port: int, protocols: list[str]) -> list[str]:
    """Every vendor record under what its stack does with the port; a protocol is named where it makes a difference."""
    found: dict[str, list[str]] = {}
    for record in tables.vendor_records:
        classes = {protocol: record.class_of(port, protocol) for protocol in protocols}
        for word in dict.fromkeys(classes.values()):
            of = [protocol for protocol in protocols if classes[protocol] == word]
            if word == "other protocol" and len(of) < len(protocols):
                continue
            found.setdefault(word, []).append(record.id if len(of) == len(protocols) else f"{record.id} ({','.join(of)})")
    lines = [f"What {tables.count('vendor-ranges')} systems and stacks do with {port} as shipped:"]
    for word, says in CLASSES.items():
        if word in found:
            lines += [f"  {word}: {says}", *_fill(", ".join(found[word]), "    ")]
    return lines


def _line(label: str, value: str) -> str:
    return f"  {label:<{LABEL}} {value}"


def _wrapped(label: str, value: str) -> list[str]:
    return _fill(value, " " * (LABEL + 3), _line(label, ""))


def _fill(text: str, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent if first is None else first, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
