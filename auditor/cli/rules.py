"""`port-auditor rules`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

HELP = "List the rules, or print one rule's document."
EXAMPLE = "example: port-auditor rules listener-in-ephemeral-range"
_INDENT = " " * 10


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a rule's name")


def _below(title: str) -> str:
    """A title under the name of its rule, whole, on as many lines as a terminal of 80 columns needs."""
    from textwrap import fill

    return fill(title, 80, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)


def run(parsed: Namespace) -> int:
    from auditor.errors import AuditorError
    from auditor.plugins import rules

    known = rules()
    if parsed.name is None:
        for name, rule in known.items():
            sys.stdout.write(f"{rule.severity:8}  {name}\n{_below(rule.title)}\n")
        return 0
    if parsed.name not in known:
        from difflib import get_close_matches

        near = get_close_matches(parsed.name, known, 1)
        raise AuditorError(f"there is no rule {parsed.name!r}", f"did you mean '{near[0]}'?" if near else "`port-auditor rules` lists them")
    rule = known[parsed.name]
    sys.stdout.write(f"{rule.name} (severity {rule.severity}, asked for each {rule.each})\n\n{rule.doc}\n")
    if rule.parameters:
        sys.stdout.write("\nParameters\n----------\n" + "".join(f"{name}: {kind.__name__}\n" for name, kind in rule.parameters.items()))
    if controls := _controls(parsed.name):
        sys.stdout.write("\nControls\n--------\n" + "".join(controls))
    return 0


def _controls(rule: str) -> list[str]:
    """What the rule's answer is worth to which controls, and why: a line for those of a framework that have one reason."""
    from auditor.controls import load

    alike: dict[tuple[str, str, str], list[str]] = {}
    for framework in load():
        for control in framework.controls:
            for one in control.maps:
                if rule in one.rules:
                    alike.setdefault((framework.title, one.relation, one.reason), []).append(control.id)
    return [f"{relation} {title} {', '.join(ids)}: {reason}\n" for (title, relation, reason), ids in alike.items()]
