"""`port-auditor collect`."""

from __future__ import annotations

import os
import sys

from auditor.cli.notices import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HELP = "Write this host's evidence bundle: what was asked, and the answers word for word."
EXAMPLE = "example: sudo port-auditor collect -o web1.evidence; port-auditor audit web1.evidence"
_PARTS = "ports, units, persisted, grants, endpoints; and what is asked only when named: cross-check, services, nat, bind-test"
_TOLD = 5
_A_DAY = 24 * 60 * 60


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="where to (default: stdout)")
    parser.add_argument("--only", metavar="PART,...", help=f"ask about these only: {_PARTS}")
    search_arguments(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing on stderr")


def search_arguments(parser: ArgumentParser) -> None:
    """Where else to look for files with capabilities, and for how long."""
    parser.add_argument("--search", action="append", metavar="DIR", help="look for files with capabilities below DIR too; may be repeated")
    parser.add_argument("--search-seconds", type=int, metavar="N", help="end that search after so many seconds (default: 30)")


def search_options(parsed: Namespace) -> dict[str, object]:
    """What the probe that searches files is told; it says itself what is not there, since a look from here may hang on a dead server.
    AuditorError for a time that is none."""
    from auditor.errors import AuditorError

    roots = [os.path.abspath(folder) for folder in parsed.search or ()]
    if "" in (parsed.search or ()):
        raise AuditorError("--search names no folder", "write it as --search /srv")
    if parsed.search_seconds is not None and not 1 <= parsed.search_seconds <= _A_DAY:
        raise AuditorError(f"--search-seconds {parsed.search_seconds}: not a time to search in", f"give whole seconds, 1 to {_A_DAY}")
    told: dict[str, object] = {"roots": roots} if roots else {}
    if parsed.search_seconds is not None:
        told["seconds"] = parsed.search_seconds
    return {"search": told} if told else {}


def run(parsed: Namespace) -> int:
    from auditor.collect import bundle
    from auditor.plugins import collector_for

    collector = collector_for(os.uname().sysname)
    only = None if parsed.only is None else frozenset(part for part in parsed.only.split(",") if part)
    if only is not None and not only:
        from auditor.errors import AuditorError

        raise AuditorError("--only names no part", f"the parts are: {_PARTS}")
    trouble: list[str] = []
    pieces = bundle(collector, only, trouble=trouble, options=search_options(parsed))
    if parsed.output == "-":
        out = sys.stdout.buffer
        for piece in pieces:
            out.write(piece)
        out.flush()
    else:
        from auditor.output import write

        write(parsed.output, pieces)
    if trouble and not parsed.quiet:
        say(*(f"port-auditor: not seen: {why}" for why in trouble[:_TOLD]))
        if len(trouble) > _TOLD:
            say(f"port-auditor: and {len(trouble) - _TOLD} more; they are in the bundle")
    return 3 if trouble else 0
