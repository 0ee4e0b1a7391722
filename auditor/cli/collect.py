"""`port-auditor collect`."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HELP = "Write this host's evidence bundle: what was asked, and the answers word for word."
EXAMPLE = "example: sudo port-auditor collect -o web1.evidence; port-auditor audit web1.evidence"
_TOLD = 5


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="where to (default: stdout)")
    parser.add_argument("--only", metavar="PART,...", help="ask about these only: ports, units, persisted, cross-check, services, nat")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing on stderr")


def run(parsed: Namespace) -> int:
    from auditor.collect import bundle
    from auditor.plugins import collector_for

    collector = collector_for(os.uname().sysname)
    only = frozenset(part for part in parsed.only.split(",") if part) if parsed.only else None
    trouble: list[str] = []
    pieces = bundle(collector, only, trouble=trouble)
    if parsed.output == "-":
        out = sys.stdout.buffer
        for piece in pieces:
            out.write(piece)
        out.flush()
    else:
        from auditor.output import write

        write(parsed.output, pieces)
    if trouble and not parsed.quiet:
        from auditor.display import harmless

        sys.stderr.write("".join(f"port-auditor: not seen: {harmless(why)}\n" for why in trouble[:_TOLD]))
        if len(trouble) > _TOLD:
            sys.stderr.write(f"port-auditor: and {len(trouble) - _TOLD} more; they are in the bundle\n")
    return 3 if trouble else 0
