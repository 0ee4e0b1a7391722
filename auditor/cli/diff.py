"""`port-auditor diff`: what changed between two sources."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from itertools import groupby

from auditor.cli.notices import say
from auditor.differences import NOT_COMPARED, UNKNOWN, A, B, Change
from auditor.display import harmless
from auditor.errors import SourceError
from auditor.host_pairs import HostChanges, compare_hosts
from auditor.in_words import counted
from auditor.model import Snapshot
from auditor.sources import Source, from_path
from auditor.tables import Tables

SCHEMA = "port-auditor/diff/1"
SAME, DIFFERENT, TROUBLE = 0, 1, 2
HELP = """\
Print what changed between two sources, host by host and stack by stack.

  +  only B has it            -  only A has it
  ~  it differs               ?  it could not be compared, and why

Exit code 0 where everything is known to be the same, 1 where something differs or could not be compared, 2 where a source
could not be read. Process ids, start times and numbers of login sessions are not compared."""
EXAMPLE = """\
examples:
  port-auditor diff monday.evidence tuesday.evidence
  port-auditor diff fetched/monday fetched/tuesday --format json"""
SHOWN = 3
"""Subjects that are named where several could not be compared for one reason."""


def arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("before", metavar="A", help="a bundle, a snapshot, a folder of them, - for stdin")
    add("after", metavar="B", help="what it is compared with")
    add("-f", "--format", choices=("text", "json"), default="text", help=f"text, or one JSON document {SCHEMA} (default: text)")
    add("-q", "--quiet", action="store_true", help="print nothing where all is the same")


def run(parsed: Namespace) -> int:
    if parsed.before == parsed.after == "-":
        raise SourceError("A and B cannot both be stdin", "give one of them as a file")
    tables = Tables()
    counts, unread = {A: 0, B: 0}, {A: list[str](), B: list[str]()}

    def snapshots(side: str, path: str) -> Iterator[Snapshot]:
        for source in from_path(path, tables):
            if isinstance(source, Source):
                counts[side] += 1
                yield source.snapshot
            else:
                unread[side].append(source[1])
                say(f"port-auditor: {source[1]}")

    hosts = compare_hosts(snapshots(A, parsed.before), snapshots(B, parsed.after), unread)
    for side, path in ((A, parsed.before), (B, parsed.after)):
        if not counts[side]:
            raise SourceError(f"{path}: no host could be read", "give a bundle (`port-auditor collect`), a snapshot, or a folder of them")
    changes = [change for host in hosts for change in host.changes]
    if changes or unread[A] or unread[B] or not parsed.quiet:
        _print_json(hosts) if parsed.format == "json" else _print(hosts, len(unread[A]) + len(unread[B]))
    return TROUBLE if unread[A] or unread[B] else DIFFERENT if changes else SAME


def _print_json(hosts: list[HostChanges]) -> None:
    plain = {
        "schema": SCHEMA,
        "notes": [host.note for host in hosts if host.note],
        "changes": [change for host in hosts for change in host.to_json()],
    }
    sys.stdout.write(json.dumps(plain, indent=1, ensure_ascii=True) + "\n")


def _print(hosts: list[HostChanges], unread: int) -> None:
    lines = [_verdict(hosts, unread), *(f"note: {harmless(host.note)}" for host in hosts if host.note)]
    for host in hosts:
        for stack, changes in groupby(host.changes, key=lambda change: change.stack):
            named = harmless(host.name) if stack is None else f"{harmless(host.name)}, stack {harmless(stack)}"
            lines += ["", named, *map(harmless, _told(list(changes)))]
    sys.stdout.write("\n".join(lines) + "\n")


def _told(changes: list[Change]) -> Iterator[str]:
    """A line for each change; those of many sockets that could not be compared for one reason in one line."""
    alike: dict[tuple[str, str, str | None], list[Change]] = {}
    for change in changes:
        if change.sign == UNKNOWN and change.aspect:
            alike.setdefault((change.kind, change.aspect, change.why), []).append(change)
    for change in changes:
        group = alike.get((change.kind, change.aspect, change.why), []) if change.sign == UNKNOWN else []
        if len(group) <= SHOWN:
            yield str(change)
        elif change is group[0]:
            named = ", ".join(one.subject for one in group[:SHOWN])
            yield f"? {change.kind}, {change.aspect} of {len(group)}: {NOT_COMPARED}: {change.why}: {named} and {len(group) - SHOWN} more"


def _verdict(hosts: list[HostChanges], unread: int) -> str:
    changes = [change for host in hosts for change in host.changes]
    unknown = sum(change.sign == UNKNOWN for change in changes)
    certain = len(changes) - unknown
    untold = [f"{unknown} {NOT_COMPARED}"] if unknown else []
    untold += [f"{counted(unread, 'source')} could not be read"] if unread else []
    size = [counted(len(hosts), "host"), counted(sum(host.stacks for host in hosts), "stack"),
            counted(sum(host.sockets for host in hosts), "socket")]  # fmt: skip
    seen = f"{', '.join(size)} in view"
    if certain:
        return f"DIFFERENT: {', '.join([counted(certain, 'difference'), *untold])}; {seen}"
    return f"NOT KNOWN: no certain difference, but {', '.join(untold)}; {seen}" if untold else f"SAME: nothing differs; {seen}"
