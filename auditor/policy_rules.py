"""What a policy says of the rules themselves: which are off, how severe, with which parameters."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Any

from auditor.errors import PolicyError
from auditor.model import SEVERITIES
from auditor.policy_keys import Reader, as_mapping, each, mapping, nearest, number, one_of, port_range, raise_all, text, yes_or_no
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node, quoted

Rules = MappingOf[str, MappingOf[str, type]]
"""The rules there are, and the type of each parameter of each: int, bool, str, list (of texts) or PortRange."""


class RuleSetting:
    """What a policy says of one rule. `severity` None leaves the rule its own; `parameters` are typed as the rule declares them."""

    __slots__ = ("off", "origin", "parameters", "severity")

    def __init__(self, off: bool, severity: str | None, parameters: dict[str, Any], origin: str) -> None:
        self.off = off
        self.severity = severity
        self.parameters = parameters
        self.origin = origin

    def over(self, earlier: RuleSetting | None) -> RuleSetting:
        """This setting on top of an earlier one: whatever is set here counts, and anything but `off` turns the rule on."""
        if earlier is None:
            return self
        return RuleSetting(self.off, self.severity or earlier.severity, {**earlier.parameters, **self.parameters}, self.origin)


def rule_name(rules: Rules) -> Reader[str]:
    """A reader of the name of a rule that there is."""

    def read(node: Node) -> str:
        name = text(node)
        if name not in rules:
            raise node.error(f"unknown rule {quoted(name)}", _nearest_rule(name, rules))
        return name

    return read


def _nearest_rule(name: str, rules: Rules) -> str:
    return nearest(name, rules).partition("allowed here")[0] + "`port-auditor rules` lists them"


def rule_settings(node: Node, rules: Rules) -> dict[str, RuleSetting]:
    """Read `rules`: for each name off, on, a severity, or a mapping of severity and the rule's parameters. Raises PolicyError."""
    node = as_mapping(node, "names of rules, each with off, on or a severity")
    errors: list[PolicyError] = []
    settings: dict[str, RuleSetting] = {}
    for key, value in node.items.values():
        try:
            known = rule_name(rules)(key)
            settings[known] = _setting(value, key.origin, rules[known])
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    return settings


def _setting(node: Node, origin: str, kinds: MappingOf[str, type]) -> RuleSetting:
    if not isinstance(node, Mapping):
        word = one_of("off", "on", *SEVERITIES)(node)
        return RuleSetting(word == "off", word if word in SEVERITIES else None, {}, origin)
    parameters = mapping(node, {"severity": one_of(*SEVERITIES), **{name: _parameter(kind) for name, kind in kinds.items()}})
    return RuleSetting(False, parameters.pop("severity", None), parameters, origin)


def _words(node: Node) -> list[str]:
    return list(each(node, text, "words"))


_KINDS: dict[type, Reader[Any]] = {int: number, bool: yes_or_no, str: text, list: _words, PortRange: port_range}


def _parameter(kind: type) -> Reader[Any]:
    return _KINDS[kind]
