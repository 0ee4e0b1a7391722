"""`port-auditor rules`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

HELP = "List the rules, or print one rule's document."
EXAMPLE = "example: port-auditor rules listener-in-ephemeral-range"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a rule's name")


def run(parsed: Namespace) -> int:
    from auditor.errors import AuditorError
    from auditor.plugins import rules

    known = rules()
    if parsed.name is None:
        width = max(map(len, known))
        for name, rule in known.items():
            sys.stdout.write(f"{name:{width}}  {rule.severity:8}  {rule.title}\n")
        return 0
    if parsed.name not in known:
        from difflib import get_close_matches

        near = get_close_matches(parsed.name, known, 1)
        raise AuditorError(f"there is no rule {parsed.name!r}", f"did you mean '{near[0]}'?" if near else "`port-auditor rules` lists them")
    rule = known[parsed.name]
    sys.stdout.write(f"{rule.name} (severity {rule.severity}, asked for each {rule.each})\n\n{rule.doc}\n")
    if rule.parameters:
        sys.stdout.write("\nParameters\n----------\n" + "".join(f"{name}: {kind.__name__}\n" for name, kind in rule.parameters.items()))
    return 0
