"""The policy: what a site expects of its hosts, read from YAML, checked, and merged along `extends`.

Merging, in the order in which files are named, the extending file last: lists are joined; a single value replaces an earlier one; a
rule's severity and parameters replace earlier ones one by one. A file that is named twice, by two packs, is taken once, where it
came first. Each part remembers its `origin` as `file:line`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from auditor.errors import PolicyError
from auditor.model import Socket
from auditor.places import shipped, shipped_names
from auditor.policy_csv import Source as CsvSource
from auditor.policy_csv import sheet as csv_sheet
from auditor.policy_csv import sources as csv_sources
from auditor.policy_entries import DEFAULT_KEYS, WORD_KEYS, Entry, approved, forbidden, give_defaults, holder, refuse_twins, required
from auditor.policy_expected import Expected, ephemeral, expected, privileged
from auditor.policy_index import EntriesByPort
from auditor.policy_keys import (
    PolicyErrors,
    Reader,
    list_of,
    mapping,
    nearest,
    one_of,
    one_or_more,
    port_range,
    raise_all,
    text,
    version_1,
    word,
)
from auditor.policy_rules import Rules, RuleSetting, rule_name, rule_settings
from auditor.policy_scope import APPLIES_TO_KEYS, AppliesTo, Scope, scope_keys
from auditor.policy_shown import REPORT_KEYS, Shown
from auditor.policy_waivers import AcceptedGap, Waiver, accepted_gap, waiver
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node, Scalar, printable, quoted
from auditor.yaml_nodes import load as load_yaml

FILES_MAX = 32
SECTIONS = ("report", "applies_to", "controls", "must_have", "scope", "privileged", "ephemeral")
"""The small parts: each is a list, or keys of a value or a list each."""
JOINED = (("controls", ""), ("must_have", ""), ("privileged", "granted_to"), ("ephemeral", "reserved_must_include"))
"""Those whose lists are joined; of the others a later file's word replaces an earlier one's."""


class _Named:
    """A name in `required`, until all approved entries are known."""

    __slots__ = ("node",)

    def __init__(self, node: Scalar) -> None:
        self.node = node


class Policy:
    """A policy as merged. `name` is the shipped policy's name or the file's without suffix; `files` are its files in the order of merging,
    as they may be shown; `sha256` is over their bytes in that order. `privileged` and `ephemeral` are None where nothing is expected.

    `approved`, `required` and `forbidden` are entries; `approved_given` says whether any file has the list at all: without it, approval
    is not assessed; with an empty one, nothing is approved. `granted_to` says who may hold a privileged port (None: anybody),
    `reserved_must_include` what must be kept from ephemeral use, `must_have` what an approved entry must say. `rules`, `waivers` and
    `gaps` as written. `shown` is what reports say of themselves, `controls` the frameworks that they show (empty: any). `parts` are the
    small parts as written, by section and key ("" for a section that is one list).
    """

    __slots__ = ("_index", "applies_to", "approved", "approved_given", "controls", "ephemeral", "files", "forbidden", "gaps", "granted_to",
                 "must_have", "name", "parts", "privileged", "required", "reserved_must_include", "rules", "scope", "sha256",
                 "shown", "waivers")  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.sha256 = ""
        self.files: list[str] = []
        self.applies_to = AppliesTo()
        self.scope = Scope()
        self.shown = Shown()
        self.controls: tuple[str, ...] = ()
        self.must_have: tuple[str, ...] = ()
        self.privileged: Expected | None = None
        self.granted_to: tuple[Entry, ...] | None = None
        self.ephemeral: Expected | None = None
        self.reserved_must_include: tuple[PortRange, ...] = ()
        self.approved: tuple[Entry, ...] = ()
        self.approved_given = False
        self.required: tuple[Entry, ...] = ()
        self.forbidden: tuple[Entry, ...] = ()
        self.rules: dict[str, RuleSetting] = {}
        self.waivers: tuple[Waiver, ...] = ()
        self.gaps: tuple[AcceptedGap, ...] = ()
        self.parts: dict[tuple[str, str], list[Node]] = {}
        self._index: tuple[tuple[Entry, ...], tuple[Entry, ...], EntriesByPort] | None = None

    @property
    def approving(self) -> EntriesByPort:
        """All that approves a listener: what is approved, then what is required and written out there, by port."""
        known = self._index
        if known is None or known[0] is not self.approved or known[1] is not self.required:
            listed = {entry.written for entry in self.approved}
            own = [entry for entry in self.required if entry.written not in listed]
            known = self._index = (self.approved, self.required, EntriesByPort((*self.approved, *own)))
        return known[2]

    def approved_for(self, socket: Socket) -> Sequence[Entry]:
        """The entries that may approve a socket, in their order; no other matches it."""
        return self.approving.of(socket.shown.get("port"))

    def origin(self, section: str, key: str = "") -> str:
        """Where a small part stands, as `file:line`; several places where files were joined."""
        return ", ".join(dict.fromkeys(node.origin for node in self.parts[section, key]))


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
    if name_or_path.lower().endswith(".csv"):
        advice = "name it in one: `listening: {approved_from: {file: ...}}`; `port-auditor policy check FILE.csv` says what is wrong in it"
        raise PolicyError(f"{printable(name_or_path)}: a CSV file is part of a policy, and none by itself", advice)
    if _is_name(name_or_path):
        file = _shipped(name_or_path)
        if file is None:
            advice = f"{_nearest_shipped(name_or_path)}; a file needs a slash or a suffix"
            raise PolicyError(f"no policy {quoted(name_or_path)} ships with this program", advice)
        name = name_or_path
    else:
        file = _File(name_or_path, name_or_path)
        name = printable(os.path.splitext(os.path.basename(name_or_path))[0])
    with _no_garbage():
        return _Loading(name, rules).load(file)


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Nothing that is made in the meantime is looked at for garbage: of a policy's many small parts none is, and looking takes a fifth of
    the time."""
    import gc

    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _is_name(word: str) -> bool:
    return bool(word) and "/" not in word and os.sep not in word and "." not in word


def _shipped(name: str) -> _File | None:
    path = shipped("policies", name + ".yaml")
    return _File(path, name + ".yaml") if os.path.isfile(path) else None


def _nearest_shipped(name: str) -> str:
    return nearest(name, shipped_names("policies"))


class _Loading:
    """One policy in the making."""

    def __init__(self, name: str, rules: Rules) -> None:
        from hashlib import sha256

        self.policy = Policy(name)
        self.digest = sha256()
        self.errors: list[PolicyError] = []
        self.required: list[Entry | _Named] = []
        self.done: set[str] = set()
        self.keys = top_keys(rules)

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
        if "site" in top.items and "policy" not in top.items:
            place, advice = top.items["site"][0], "give it with --site; a policy begins with the line 'policy: 1'"
            self.errors.append(place.error("this is a site file, and no policy", advice))
            return
        if "extends" in top.items:
            self.extend(file, top.items["extends"][1], (*chain, identity))
        self.digest.update(content)
        self.policy.files.append(printable(file.shown))
        try:
            _spread_defaults(top)
            values = mapping(top, self.keys, required=("policy",))
        except PolicyError as error:
            self.errors.append(error)
            return
        self.merge(top, values)
        for source in values.get("listening", {}).get("approved_from", ()):
            self.take_csv(file, source, top)

    def take_csv(self, file: _File, source: CsvSource, top: Mapping) -> None:
        """Put the rows of a CSV, whose path begins where `file` is, behind the approved entries."""
        path, shown = (os.path.join(os.path.dirname(one), source.file.text) for one in (file.path, file.shown))
        self.policy.approved_given = True
        try:
            sheet = csv_sheet(path, shown, source)
            self.digest.update(sheet.content)
            self.policy.files.append(printable(shown))
            if isinstance(defaults := top.items.get("defaults", (None, None))[1], Mapping):
                give_defaults(sheet.rows, defaults)
            self.policy.approved += sheet.entries()
        except PolicyError as error:
            self.errors.append(error)

    def extend(self, file: _File, node: Node, chain: tuple[str, ...]) -> None:
        try:
            references = one_or_more(word, "policies")(node)
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
        for section in SECTIONS:
            if section in values:
                self.part(section, top.items[section][1])
        policy.controls = tuple(dict.fromkeys((*policy.controls, *values.get("controls", ()))))
        policy.must_have = tuple(dict.fromkeys((*policy.must_have, *values.get("must_have", ()))))
        for section, part in (("report", policy.shown), ("applies_to", policy.applies_to), ("scope", policy.scope)):
            for key, value in values.get(section, {}).items():
                setattr(part, key, value)
        privileged, ephemeral = values.get("privileged", {}), values.get("ephemeral", {})
        policy.privileged = privileged.get("expect", policy.privileged)
        policy.ephemeral = ephemeral.get("expect", policy.ephemeral)
        if "granted_to" in privileged:
            policy.granted_to = (*(policy.granted_to or ()), *privileged["granted_to"])
        policy.reserved_must_include += ephemeral.get("reserved_must_include", ())
        listening = values.get("listening", {})
        policy.approved += listening.get("approved", ())
        policy.approved_given |= "approved" in listening
        policy.forbidden += listening.get("forbidden", ())
        self.required += listening.get("required", ())
        policy.waivers += values.get("waivers", ())
        policy.gaps += values.get("gaps", ())
        for name, setting in values.get("rules", {}).items():
            policy.rules[name] = setting.over(policy.rules.get(name))

    def part(self, section: str, node: Node) -> None:
        """Remember how a small part is written, and where."""
        for name, value in [(key.text, value) for key, value in node.items.values()] if isinstance(node, Mapping) else [("", node)]:
            earlier = self.policy.parts.get((section, name), []) if (section, name) in JOINED else []
            self.policy.parts[section, name] = [*earlier, value]

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
    if _is_name(reference):
        found = _shipped(reference)
        if found is not None:
            return found
        reference += ".yaml"
    path = os.path.join(os.path.dirname(file.path), reference)
    return _File(path, os.path.join(os.path.dirname(file.shown), reference)) if os.path.exists(path) else None


def _framework(node: Node) -> str:
    """The key of a framework: its file's name in policies/controls."""
    key, known = text(node), shipped_names("policies", "controls")
    if key not in known:
        raise node.error(f"no controls of {quoted(key)} ship with this program", nearest(key, known))
    return key


def _required(node: Node) -> Entry | _Named:
    return _Named(word(node)) if isinstance(node, Scalar) else required(node)


LISTENING_KEYS: dict[str, Reader[Any]] = {
    "approved": list_of(approved, "entries"),
    "approved_from": csv_sources,
    "required": list_of(_required, "entries or names"),
    "forbidden": list_of(forbidden, "entries"),
}


PRIVILEGED_KEYS: dict[str, Reader[Any]] = {
    "expect": lambda node: expected(privileged, node),
    "granted_to": list_of(holder, "holders"),
}
EPHEMERAL_KEYS: dict[str, Reader[Any]] = {
    "expect": lambda node: expected(ephemeral, node),
    "reserved_must_include": one_or_more(port_range, "ranges"),
}


def top_keys(rules: Rules) -> dict[str, Reader[Any]]:
    """The keys of a policy, where these are the rules."""
    rule = rule_name(rules)
    scope = scope_keys(rule)
    return {
        "policy": version_1("policies"),
        "extends": one_or_more(word, "policies", "name one, or leave the key out"),
        "report": lambda node: _some(node, REPORT_KEYS),
        "applies_to": lambda node: mapping(node, APPLIES_TO_KEYS),
        "controls": one_or_more(_framework, "frameworks"),
        "defaults": lambda node: mapping(node, {key: WORD_KEYS[key] for key in DEFAULT_KEYS}),
        "must_have": one_or_more(one_of(*WORD_KEYS), "keys"),
        "scope": lambda node: mapping(node, scope),
        "privileged": lambda node: _some(node, PRIVILEGED_KEYS),
        "ephemeral": lambda node: _some(node, EPHEMERAL_KEYS),
        "listening": lambda node: mapping(node, LISTENING_KEYS),
        "rules": lambda node: rule_settings(node, rules),
        "gaps": list_of(accepted_gap, "gaps"),
        "waivers": list_of(waiver(rule), "waivers"),
    }


def _some(node: Node, keys: dict[str, Reader[Any]]) -> dict[str, Any]:
    """A mapping that has at least one of its keys."""
    values = mapping(node, keys)
    if not values:
        raise node.error("says nothing", f"write at least one of {', '.join(keys)}")
    return values


def _spread_defaults(top: Mapping) -> None:
    """Give a file's `defaults` to its entries, before they are read."""
    defaults = top.items["defaults"][1] if "defaults" in top.items else None
    listening = top.items["listening"][1] if "listening" in top.items else None
    if isinstance(defaults, Mapping) and isinstance(listening, Mapping):
        for key in ("approved", "required"):
            if key in listening.items:
                give_defaults(listening.items[key][1], defaults)


__all__ = ["Entry", "Policy", "PolicyErrors", "RuleSetting", "Rules", "Waiver", "load"]
