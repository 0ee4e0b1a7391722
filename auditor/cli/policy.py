"""`port-auditor policy`: check a policy, show it as merged."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from auditor.cli.yardsticks import check_tables
from auditor.errors import PolicyError
from auditor.policy import Policy, RuleSetting, load
from auditor.policy_keys import raise_all
from auditor.tables import Tables
from auditor.yaml_nodes import Mapping, flow, printable, scalar

HELP = "Check a policy, or show it as merged."
EXAMPLE = """\
examples:
  port-auditor policy check web.yaml          everything that is wrong with it, as file:line:column
  port-auditor policy show web.yaml           what it says, merged with what it extends"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    commands = parser.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)
    for name, says in (("check", "say all that is wrong with a policy"), ("show", "print a policy as merged, and where each part stands")):
        command = commands.add_parser(name, help=says, description=says, epilog=f"example: port-auditor policy {name} web.yaml")
        policy = "a shipped policy's name, or a file: a slash or a suffix makes it one (default: baseline)"
        command.add_argument("-p", "--policy", metavar="NAME|FILE", action="append", default=[], help="the same, as for audit")
        command.add_argument("files", metavar="NAME|FILE", nargs="*", help=policy)
        command.add_argument("-q", "--quiet", action="store_true", help="check: print nothing when nothing is wrong")


def run(arguments: argparse.Namespace) -> int:
    """Do it: 0, or PolicyError with everything that is wrong."""
    from auditor.plugins import rule_parameters

    rules = rule_parameters()
    tables = Tables()
    errors: list[PolicyError] = []
    for given in [*arguments.policy, *arguments.files] or ["baseline"]:
        try:
            policy = load(given, rules)
            check_tables(policy, tables)
        except PolicyError as error:
            errors.append(error)
            continue
        if arguments.policy_command == "show":
            print("\n".join(lines(policy)))
        elif not arguments.quiet:
            print(f"{printable(given)}: valid: {summary(policy)}")
    raise_all(errors)
    return 0


def summary(policy: Policy) -> str:
    """What is in it, counted."""
    counts = [f"{len(policy.approved)} approved"] if policy.approved_given else ["no approved list"]
    counts += [f"{len(policy.required)} required", f"{len(policy.forbidden)} forbidden"]
    counts += [f"{len(policy.rules)} {'rule' if len(policy.rules) == 1 else 'rules'} set"]
    return ", ".join([*counts, f"{len(policy.waivers)} {'waiver' if len(policy.waivers) == 1 else 'waivers'}"])


def lines(policy: Policy) -> Iterator[str]:
    """The merged policy as YAML that can be loaded again; each part says in a comment where it stands."""
    yield f"# {policy.name}, merged from {', '.join(policy.files)}; sha256 {policy.sha256}"
    yield "policy: 1"
    if policy.privileged is not None:
        yield f"privileged: {{expect: {policy.privileged}}}  # {policy.origins['privileged']}"
    if policy.ephemeral is not None:
        expected = scalar(policy.ephemeral.text) if policy.ephemeral.ranges is None else f"[{policy.ephemeral.text}]"
        yield f"ephemeral: {{expect: {expected}}}  # {policy.origins['ephemeral']}"
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
    if policy.waivers:
        yield "waivers:"
    for waiver in policy.waivers:
        yield from _item(waiver.written, waiver.origin, "  ")


def _item(written: Mapping, origin: str, indent: str) -> Iterator[str]:
    dash, comment = "- ", f"  # {origin}"
    for key, value in written.items.values():
        yield f"{indent}{dash}{scalar(key.text)}: {flow(value)}{comment}"
        dash, comment = "  ", ""


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
