"""The policy: what a site expects of its hosts, read from YAML, checked, and merged along `extends`.

Merging, in the order in which files are named, the extending file last: lists are joined; a single value replaces an earlier one; a
rule's severity and parameters replace earlier ones one by one. A file that is named twice, by two packs, is taken once, where it
came first. Each part remembers its `origin` as `file:line`.
"""

from __future__ import annotations

import os
from typing import Any

from auditor.errors import PolicyError
from auditor.facts import PortRange
from auditor.places import shipped
from auditor.policy_entries import Entry, approved, forbidden, refuse_twins, required
from auditor.policy_keys import PolicyErrors, Reader, list_of, mapping, nearest, one_or_more, port_range, raise_all, text, wrong
from auditor.policy_rules import Rules, RuleSetting, rule_name, rule_settings
from auditor.policy_waivers import Waiver, waiver
from auditor.yaml_nodes import Mapping, Node, Scalar, printable, quoted
from auditor.yaml_nodes import load as load_yaml

FILES_MAX = 32
VENDOR_DEFAULT = "vendor-default"
_LATER = ("applies_to", "scope", "gaps", "defaults", "must_have")


class EphemeralExpectation:
    """The ephemeral range that is expected: `ranges`, or, where that is None, `table`: `vendor-default` or a table's name, which
    whoever has the tables resolves. `text` is what the policy says, for a reader."""

    __slots__ = ("origin", "ranges", "table", "text")

    def __init__(self, table: str | None, ranges: tuple[PortRange, ...] | None, origin: str) -> None:
        self.table = table
        self.ranges = ranges
        self.text: str = ", ".join(str(ports) for ports in ranges or ()) if table is None else table
        self.origin = origin


class _Named:
    """A name in `required`, until all approved entries are known."""

    __slots__ = ("node",)

    def __init__(self, node: Scalar) -> None:
        self.node = node


class Policy:
    """A policy as merged. `name` is the shipped policy's name or the file's without suffix; `files` are its files in the order of merging,
    as they may be shown; `sha256` is over their bytes in that order. `privileged` and `ephemeral` are None where nothing is expected.

    `approved`, `required` and `forbidden` are entries; `approved_given` says whether any file has the list at all: without it, approval
    is not assessed; with an empty one, nothing is approved. `rules` and `waivers` as written; `origins` of "privileged" and "ephemeral".
    """

    __slots__ = ("approved", "approved_given", "ephemeral", "files", "forbidden", "name", "origins", "privileged", "required", "rules",
                 "sha256", "waivers")  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.sha256 = ""
        self.files: list[str] = []
        self.privileged: PortRange | None = None
        self.ephemeral: EphemeralExpectation | None = None
        self.approved: tuple[Entry, ...] = ()
        self.approved_given = False
        self.required: tuple[Entry, ...] = ()
        self.forbidden: tuple[Entry, ...] = ()
        self.rules: dict[str, RuleSetting] = {}
        self.waivers: tuple[Waiver, ...] = ()
        self.origins: dict[str, str] = {}


class _File:
    """A policy file: how it is opened, and how it is shown."""

    __slots__ = ("path", "shown")

    def __init__(self, path: str, shown: str) -> None:
        self.path = path
        self.shown = shown


def load(name_or_path: str, rules: Rules) -> Policy:
    """The policy of that name (`baseline`) or in that file (a slash or a suffix makes it one), with all that it extends.

    `rules` are the rules there are, with their parameters. Raises PolicyError: one, or PolicyErrors with all that were found.
    """
    if _is_name(name_or_path):
        file = _shipped(name_or_path)
        if file is None:
            advice = f"{_nearest_shipped(name_or_path)}; a file needs a slash or a suffix"
            raise PolicyError(f"no policy {quoted(name_or_path)} ships with this program", advice)
        name = name_or_path
    else:
        file = _File(name_or_path, name_or_path)
        name = printable(os.path.splitext(os.path.basename(name_or_path))[0])
    return _Loading(name, rules).load(file)


def _is_name(word: str) -> bool:
    return bool(word) and "/" not in word and os.sep not in word and "." not in word


def _shipped(name: str) -> _File | None:
    path = shipped("policies", name + ".yaml")
    return _File(path, name + ".yaml") if "\0" not in name and os.path.isfile(path) else None


def _nearest_shipped(name: str) -> str:
    folder = shipped("policies")
    names = sorted(file.removesuffix(".yaml") for file in os.listdir(folder) if file.endswith(".yaml")) if os.path.isdir(folder) else []
    return nearest(name, names)


class _Loading:
    """One policy in the making."""

    def __init__(self, name: str, rules: Rules) -> None:
        from hashlib import sha256

        self.policy = Policy(name)
        self.digest = sha256()
        self.errors: list[PolicyError] = []
        self.required: list[Entry | _Named] = []
        self.done: set[str] = set()
        self.keys: dict[str, Reader[Any]] = {
            "policy": _version,
            "extends": one_or_more(_reference, "policies"),
            "privileged": lambda node: mapping(node, {"expect": port_range}, required=("expect",), later=("granted_to",)),
            "ephemeral": lambda node: mapping(node, {"expect": _expectation}, required=("expect",), later=("reserved_must_include",)),
            "listening": lambda node: mapping(node, _LISTENING),
            "rules": lambda node: rule_settings(node, rules),
            "waivers": list_of(waiver(rule_name(rules)), "waivers"),
        }

    def load(self, file: _File) -> Policy:
        self.take(file, ())
        raise_all(self.errors)
        self.resolve_required()
        self.policy.sha256 = self.digest.hexdigest()
        return self.policy

    def take(self, file: _File, chain: tuple[str, ...], place: Node | None = None) -> None:
        """Read one file, those that it extends first. `chain` are the files that led here, `place` the line that named this one."""
        identity = os.path.realpath(file.path) if "\0" not in file.path else file.path
        if place is not None and identity in chain:
            message = f"a cycle: {quoted(file.shown)} extends this file, itself or by others"
            self.errors.append(place.error(message, "remove one of the two 'extends'"))
            return
        if identity in self.done:
            return
        self.done.add(identity)
        if len(self.done) > FILES_MAX:
            raise PolicyError(f"{file.shown}: a policy of more than {FILES_MAX} files", "join some of them")
        try:
            top, content = load_yaml(file.path, file.shown)
        except PolicyError as error:
            self.errors.append(error)
            return
        if "extends" in top.items:
            self.extend(file, top.items["extends"][1], (*chain, identity))
        self.digest.update(content)
        self.policy.files.append(printable(file.shown))
        try:
            self.merge(top, mapping(top, self.keys, required=("policy",), later=_LATER))
        except PolicyError as error:
            self.errors.append(error)

    def extend(self, file: _File, node: Node, chain: tuple[str, ...]) -> None:
        try:
            references = one_or_more(_reference, "policies")(node)
        except PolicyError:
            return  # told when the whole file is read
        for reference in references:
            found = _extended(file, reference.text)
            if found is None:
                message = f"extends {quoted(reference.text)}, which is neither a shipped policy nor a file there"
                advice = f"{_nearest_shipped(reference.text)}; the path of a file begins where the extending file is"
                self.errors.append(reference.error(message, advice))
            else:
                self.take(found, chain, reference)

    def merge(self, top: Mapping, values: dict[str, Any]) -> None:
        """Put what one file says over what earlier ones said."""
        policy = self.policy
        if "privileged" in values:
            policy.privileged = values["privileged"]["expect"]
        if "ephemeral" in values:
            policy.ephemeral = values["ephemeral"]["expect"]
        for part in ("privileged", "ephemeral"):
            if part in values:
                policy.origins[part] = top.items[part][0].origin
        listening = values.get("listening", {})
        policy.approved += listening.get("approved", ())
        policy.approved_given |= "approved" in listening
        policy.forbidden += listening.get("forbidden", ())
        self.required += listening.get("required", ())
        policy.waivers += values.get("waivers", ())
        for name, setting in values.get("rules", {}).items():
            policy.rules[name] = setting.over(policy.rules.get(name))

    def resolve_required(self) -> None:
        """Names in `required` become the approved entries that they name, wherever those stand."""
        own = [item for item in self.required if isinstance(item, Entry)]
        refuse_twins([*self.policy.approved, *own])
        names = {entry.name: entry for entry in self.policy.approved if entry.name is not None}
        entries: list[Entry] = []
        for item in self.required:
            if isinstance(item, Entry):
                entries.append(item)
            elif item.node.text in names:
                entries.append(names[item.node.text].required_at(item.node.origin))
            else:
                advice = nearest(item.node.text, names) if names else "list an entry of that name in 'approved'"
                self.errors.append(item.node.error(f"requires {quoted(item.node.text)}, which no approved entry is called", advice))
        raise_all(self.errors)
        self.policy.required = tuple(entries)


def _extended(file: _File, reference: str) -> _File | None:
    """What `reference` in `file` means: a shipped policy, else NAME.yaml beside the file; or a path that begins at the file."""
    if "\0" in reference:
        return None
    if _is_name(reference):
        found = _shipped(reference)
        if found is not None:
            return found
        reference += ".yaml"
    path = os.path.join(os.path.dirname(file.path), reference)
    return _File(path, os.path.join(os.path.dirname(file.shown), reference)) if os.path.exists(path) else None


def _version(node: Node) -> str:
    if not isinstance(node, Scalar) or node.text != "1":
        raise wrong(node, "1", "this version of the program reads policies of version 1")
    return node.text


def _reference(node: Node) -> Scalar:
    text(node)
    if not isinstance(node, Scalar):
        raise wrong(node, "a name")
    return node


def _required(node: Node) -> Entry | _Named:
    return _Named(_reference(node)) if isinstance(node, Scalar) else required(node)


_LISTENING: dict[str, Reader[Any]] = {
    "approved": list_of(approved, "entries"),
    "required": list_of(_required, "entries or names"),
    "forbidden": list_of(forbidden, "entries"),
}


def _expectation(node: Node) -> EphemeralExpectation:
    if isinstance(node, Scalar) and node.text[:1].isalpha() and node.text.isprintable():
        return EphemeralExpectation(node.text, None, node.origin)
    if isinstance(node, (Scalar, Mapping)):
        try:
            return EphemeralExpectation(None, (port_range(node),), node.origin)
        except PolicyError:
            raise wrong(node, f"{VENDOR_DEFAULT}, the name of a table, or ranges as 49152-65535") from None
    return EphemeralExpectation(None, tuple(sorted(one_or_more(port_range, "ranges")(node))), node.origin)


__all__ = ["Entry", "EphemeralExpectation", "Policy", "PolicyErrors", "RuleSetting", "Rules", "Waiver", "load"]
