"""The policy language as JSON Schema (2020-12), for editors: made from the same keys by which a policy is read.

It says less than `policy check`: an editor's YAML reader types scalars before the schema sees them (`22` a number, `off` perhaps a
boolean), so that a text may be any of them here; what a value means, and whether the parts fit together, the program alone says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.model import FACTS, SEVERITIES
from auditor.policy import EPHEMERAL_KEYS, LISTENING_KEYS, PRIVILEGED_KEYS, top_keys
from auditor.policy_csv import DELIMITERS, SOURCE_KEYS
from auditor.policy_entries import APPROVED_KEYS, CRITERIA_KEYS, DEFAULT_KEYS, FORBIDDEN_KEYS, OWNER_KEYS, WORD_KEYS
from auditor.policy_rules import Rules, rule_name
from auditor.policy_scope import APPLIES_TO_KEYS, INVENTORY, JUDGE, scope_keys
from auditor.policy_shown import REPORT_KEYS
from auditor.policy_waivers import GAP_KEYS, waivable, waiver_keys
from auditor.port_range import PORT_MAX, PortRange

ID = "https://json-schema.org/draft/2020-12/schema"
_RANGE = r"^[0-9]{1,5}(-[0-9]{1,5})?$"
Shape = dict[str, Any]

_TEXT: Shape = {"type": ["string", "number", "boolean"]}
_WORDS: Shape = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_NUMBER: Shape = {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$"}
_DATE: Shape = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_PORTS: Shape = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": PORT_MAX}, {"type": "string", "pattern": _RANGE}]}


def _one_of(words: Iterable[str]) -> Shape:
    return {"enum": list(words)}


def _some(one: Shape) -> Shape:
    """One of it, or a list of them that is not empty."""
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _any(*shapes: Shape) -> Shape:
    return {"anyOf": list(shapes)}


def _list(one: Shape) -> Shape:
    return {"type": "array", "items": one}


def _object(keys: Iterable[str], shapes: Mapping[str, Shape], required: Iterable[str] = ()) -> Shape:
    """A mapping of just these keys. KeyError for one that has no shape."""
    return {"type": "object", "properties": {key: shapes[key] for key in keys}, "additionalProperties": False, "required": list(required)}


_ENTRY: dict[str, Shape] = {
    **dict.fromkeys(WORD_KEYS, _TEXT),
    "review_by": _DATE,
    "at_most": _NUMBER,
    "why": _TEXT,
    "protocol": _some(_one_of(("tcp", "udp", "sctp", "udplite", "dccp", "any"))),
    "port": _some(_any(_PORTS, _one_of(("any", "kernel-given")))),
    "family": _one_of(("ipv4", "ipv6")),
    "reach": _some(_one_of(("loopback", "link", "private", "public", "container"))),
    "address": _WORDS,
    "interface": _WORDS,
    "stack": _WORDS,
    "process": _WORDS,
    "executable": _WORDS,
    "user": _any(_WORDS, _object(("not",), {"not": _WORDS}, ("not",))),
    "unit": _WORDS,
    "container": _any(_WORDS, _object(("name", "image"), {"name": _WORDS, "image": _WORDS})),
}
_ENTRY["except"] = _some(_object(CRITERIA_KEYS, _ENTRY))
_SOURCE: dict[str, Shape] = {
    "file": _TEXT,
    "columns": _object(APPROVED_KEYS, dict.fromkeys(APPROVED_KEYS, _TEXT), ("port",)),
    "delimiter": _one_of(DELIMITERS),
}
_ACCEPTANCE: dict[str, Shape] = {
    **dict.fromkeys(("id", "reason", "owner", "approved_by", "ticket", "compensated_by"), _TEXT),
    **dict.fromkeys(("hosts", "stack", "subject", "executable"), _WORDS),
    "user": _ENTRY["user"],
    "expires": _DATE,
    "fact": _some(_one_of(FACTS)),
}
_EXPECTED: dict[str, Shape] = {
    "privileged": _any({"type": "string", "pattern": "^[0-9]{1,5}-[0-9]{1,5}$"}, _one_of(("vendor-default", "none"))),
    "ephemeral": _any(_some(_PORTS), {"type": "string", "pattern": "^[A-Za-z]"}),
}
_PARAMETERS: dict[type, Shape] = {
    int: _NUMBER, bool: {"type": ["boolean", "string"]}, str: _TEXT, list: {"type": "array", "items": _TEXT}, PortRange: _PORTS,
}  # fmt: skip


def schema(rules: Rules, frameworks: Iterable[str]) -> Shape:
    """The schema for these rules and their parameters, and these frameworks of controls."""
    names = _one_of(rules)
    judged = _any(_one_of((JUDGE, INVENTORY)), _some(names))
    acceptance = {**_ACCEPTANCE, "rule": _one_of(filter(waivable, rules))}
    accepted = ("reason", "owner", "expires")
    written_out = _object(APPROVED_KEYS, _ENTRY, ("port",))
    listening = {
        "approved": _list(_object(APPROVED_KEYS, _ENTRY, ("name", "port"))),
        "approved_from": _some(_any(_TEXT, _object(SOURCE_KEYS, _SOURCE, ("file",)))),
        "required": _list(_any({"type": "string"}, written_out)),
        "forbidden": _list(_object(FORBIDDEN_KEYS, _ENTRY)),
    }
    scope = {"must_see": _some(_one_of(FACTS)), "loopback": judged, "containers": judged}
    privileged = {"expect": _by_system("privileged"), "granted_to": _list(_object(OWNER_KEYS, _ENTRY))}
    ephemeral = {"expect": _by_system("ephemeral"), "reserved_must_include": _some(_PORTS)}
    top = {
        "policy": {"enum": [1, "1"]},
        "extends": _WORDS,
        "report": _object(REPORT_KEYS, dict.fromkeys(REPORT_KEYS, _TEXT)),
        "applies_to": _object(APPLIES_TO_KEYS, dict.fromkeys(APPLIES_TO_KEYS, _WORDS)),
        "controls": _some(_one_of(frameworks)),
        "defaults": _object(DEFAULT_KEYS, _ENTRY),
        "must_have": _some(_one_of(WORD_KEYS)),
        "scope": _object(scope_keys(rule_name(rules)), scope),
        "privileged": _object(PRIVILEGED_KEYS, privileged),
        "ephemeral": _object(EPHEMERAL_KEYS, ephemeral),
        "listening": _object(LISTENING_KEYS, listening),
        "rules": _object(rules, {name: _setting(rules[name]) for name in rules}),
        "gaps": _list(_object(GAP_KEYS, acceptance, ("fact", *accepted))),
        "waivers": _list(_object(waiver_keys(rule_name(rules)), acceptance, ("rule", *accepted))),
    }
    return {"$schema": ID, "title": "port-auditor policy", **_object(top_keys(rules), top, ("policy",))}


def _by_system(part: str) -> Shape:
    one = _EXPECTED[part]
    return _any(one, {"type": "object", "additionalProperties": one, "minProperties": 1})


def _setting(parameters: Mapping[str, type]) -> Shape:
    """A rule is on or off (which a YAML reader may take for a boolean), of a severity, or has parameters."""
    shapes = {name: _PARAMETERS[kind] for name, kind in parameters.items()}
    severity = _one_of(SEVERITIES)
    return _any({"type": "boolean"}, _one_of(("on", "off", *SEVERITIES)), _object(("severity", *shapes), {"severity": severity, **shapes}))
