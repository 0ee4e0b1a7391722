"""`port-auditor script`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HELP = """Print a POSIX sh script that takes an evidence bundle on a Unix host without Python.

The script needs nothing but a shell, changes nothing and writes no file; a command that the host lacks is a gap in its bundle."""
EXAMPLE = """example: port-auditor script > collect.sh
         ssh web1 sudo sh -s < collect.sh > web1.evidence; port-auditor audit web1.evidence
Solaris 10: ssh sun1 /usr/xpg4/bin/sh -s < collect.sh > sun1.evidence"""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="where to (default: stdout)")
    parser.add_argument("--only", metavar="PART,...", help="let it ask about these parts only: ports, grants, units, persisted")


def run(parsed: Namespace) -> int:
    from auditor.plugins import collectors
    from auditor.script import script

    only = frozenset(part for part in parsed.only.split(",") if part) if parsed.only else None
    text = script(collectors().values(), only)
    if parsed.output == "-":
        sys.stdout.write(text)
    else:
        from auditor.output import write

        write(parsed.output, [text.encode()])
    return 0
