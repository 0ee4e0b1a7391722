"""`port-auditor policy`: check a policy, show it as merged, draft one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import groupby

from auditor import controls
from auditor.cli import policy_check, policy_init
from auditor.cli.site_audit import check_site
from auditor.cli.yardsticks import check_tables
from auditor.errors import PolicyError
from auditor.policy import SECTIONS, Policy, RuleSetting, load
from auditor.policy_keys import raise_all
from auditor.policy_schema import schema
from auditor.site import is_site
from auditor.tables import Tables
from auditor.yaml_nodes import Mapping, flow, joined, scalar

HELP = "Check a policy, show it as merged, draft one from what listens, or print its schema."
EXAMPLE = """\
examples:
  port-auditor policy check web.yaml              all that is wrong with it, and what is odd in it, as file:line
  port-auditor policy check site.yaml             a site file, its inventory, and every role's policy
  port-auditor policy show web.yaml               what it says, merged with what it extends
  port-auditor policy init fetched/ -o web.yaml   a policy of what those hosts have in common, for review"""

SCHEMA_EXAMPLE = """\
example: port-auditor policy schema > policy.schema.json
and as the first line of a policy:
# yaml-language-server: $schema=policy.schema.json"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    commands = parser.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)
    for name, says, epilog in (
        ("check", policy_check.HELP, policy_check.EXAMPLE),
        ("show", "Print a policy as merged, and where each part stands.", "example: port-auditor policy show web.yaml"),
        ("init", policy_init.HELP, policy_init.EXAMPLE),
        ("schema", "Print the JSON Schema of policies, for an editor.", SCHEMA_EXAMPLE),
    ):
        first = says.partition("\n")[0]
        kind = argparse.RawDescriptionHelpFormatter
        command = commands.add_parser(name, help=first, description=says, epilog=epilog, formatter_class=kind)
        if name == "init":
            policy_init.arguments(command)
        if name in ("init", "schema"):
            continue
        policy = "a shipped policy's name, or a file: a slash or a suffix makes it one (default: baseline)"
        command.add_argument("-p", "--policy", metavar="NAME|FILE", action="append", default=[], help="the same, as for audit")
        command.add_argument("files", metavar="NAME|FILE", nargs="*", help=policy)
        if name == "check":
            policy_check.arguments(command)


def run(arguments: argparse.Namespace) -> int:
    """Do it: 0, 1 where a host of a site has no role or several, or PolicyError with everything that is wrong."""
    if arguments.policy_command == "init":
        return policy_init.run(arguments)
    from auditor.plugins import rule_parameters

    rules = rule_parameters()
    if arguments.policy_command == "schema":
        print(json.dumps(schema(rules, [framework.key for framework in controls.load()]), indent=1))
        return 0
    tables = Tables()
    errors: list[PolicyError] = []
    astray = False
    for given in [*arguments.policy, *arguments.files] or ["baseline"]:
        try:
            if arguments.policy_command == "check" and is_site(given):
                astray |= check_site(given, rules, tables, arguments.quiet)
            elif arguments.policy_command == "check":
                policy_check.check(given, rules, tables, arguments)
            else:
                policy = load(given, rules)
                check_tables(policy, tables)
                print("\n".join(lines(policy)))
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return int(astray)


def lines(policy: Policy) -> Iterator[str]:
    """The merged policy as YAML that can be loaded again; each part says in a comment where it stands."""
    yield f"# {policy.name}, merged from {', '.join(policy.files)}; sha256 {policy.sha256}"
    yield "policy: 1"
    yield from _parts(policy)
    if policy.approved_given or policy.required or policy.forbidden:
        yield "listening:"
    if policy.approved_given:
        yield "  approved:" if policy.approved else "  approved: []"
    for entry in policy.approved:
        yield from _item(entry.written, entry.origin, "    ")
    if policy.required:
        yield "  required:"
    names = {entry.name for entry in policy.approved}
    for entry in policy.required:
        if entry.name in names:
            yield f"    - {scalar(str(entry.name))}  # {entry.origin}"
        else:
            yield from _item(entry.written, entry.origin, "    ")
    if policy.forbidden:
        yield "  forbidden:"
    for entry in policy.forbidden:
        yield from _item(entry.written, entry.origin, "    ")
    if policy.rules:
        yield "rules:"
    for name, setting in policy.rules.items():
        yield f"  {name}: {_setting(setting)}  # {setting.origin}"
    for name, accepted in (("gaps", policy.gaps), ("waivers", policy.waivers)):
        if accepted:
            yield f"{name}:"
        for one in accepted:
            yield from _item(one.written, one.origin, "  ")


def _parts(policy: Policy) -> Iterator[str]:
    """The small parts, each with the places that it comes from."""
    for section, parts in groupby(sorted(policy.parts.items(), key=lambda part: SECTIONS.index(part[0][0])), key=lambda part: part[0][0]):
        for at, ((_, key), nodes) in enumerate(parts):
            if key and at == 0:
                yield f"{section}:"
            yield f"{f'  {key}' if key else section}: {flow(joined(nodes))}  # {policy.origin(section, key)}"


def _item(written: Mapping, origin: str, indent: str) -> Iterator[str]:
    """An entry's lines; one that stands elsewhere than the line before it says where."""
    dash, place = "- ", ""
    for key, value in written.items.values():
        here = key.origin if place else origin
        yield f"{indent}{dash}{scalar(key.text)}: {flow(value)}" + (f"  # {here}" if here != place else "")
        dash, place = "  ", here


def _setting(setting: RuleSetting) -> str:
    if setting.off:
        return "off"
    if not setting.parameters:
        return setting.severity or "on"
    parts = [f"severity: {setting.severity}"] if setting.severity else []
    for name, value in setting.parameters.items():
        words = f"[{', '.join(scalar(word) for word in value)}]" if isinstance(value, list) else scalar(_plain(value))
        parts.append(f"{name}: {words}")
    return "{" + ", ".join(parts) + "}"


def _plain(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
