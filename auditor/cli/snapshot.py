"""`port-auditor snapshot`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from auditor.cli.notices import say

HELP = "Print what evidence means, as JSON (port-auditor/snapshot/1), a line for each host."
EXAMPLE = 'example: port-auditor snapshot web1.evidence | jq ".stacks.seen[].name"'


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help="a bundle, a snapshot, a folder of them, - for stdin (default: this host)"
    )


def run(parsed: Namespace) -> int:
    from auditor.errors import SourceError
    from auditor.sources import Source, from_path, this_host
    from auditor.tables import Tables

    tables = Tables()
    code = 0
    seen = 0
    for source in from_path(parsed.source, tables) if parsed.source is not None else [this_host(tables)]:
        if not isinstance(source, Source):
            say(f"port-auditor: {source[1]}")
            code = 3
            continue
        seen += 1
        plain = source.snapshot.to_json()
        sys.stdout.write(json.dumps(plain, ensure_ascii=True) + "\n")
        if _has_gaps(plain["stacks"]):
            code = 3
    if not seen:
        raise SourceError("no source could be read", "give a bundle made by `port-auditor collect`")
    return code


def _has_gaps(facts: dict[str, object]) -> bool:
    """Whether any FACTS, at any depth, has a gap."""
    if facts.get("gaps"):
        return True
    seen = facts.get("seen")
    things = seen if isinstance(seen, list) else []
    return any(
        isinstance(part, dict) and "seen" in part and _has_gaps(part)
        for thing in things
        if isinstance(thing, dict)
        for part in thing.values()
    )
