"""What frameworks ask for, and which rules say something about it: policies/controls/, one file a framework.

A file holds identifiers and our own words, never a framework's text. Each map says with one word how much a rule's answer is worth to
the control, and why; what no machine can see stands under `attest`.
"""

from __future__ import annotations

import os
from typing import Any

from auditor.errors import PolicyError, TableError
from auditor.places import shipped
from auditor.policy_keys import Reader, as_mapping, date, list_of, mapping, one_of, one_or_more, port_range, prose, text, version_1
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node
from auditor.yaml_nodes import load as load_yaml

RELATIONS = ("evidences", "supports", "informs")
"""How much a rule's answer is worth: the control asks for just this fact; it is one input among others; it is context."""


class Map:
    """`rules` that say something about a control: how much (one of RELATIONS), and why.

    `ports`: only findings on these ports count. `forbids`: the same, and only where the policy forbids one of them. `expects`: they
    count only where the policy expects that ephemeral range. Empty or None where there is no such condition.
    """

    __slots__ = ("expects", "forbids", "ports", "reason", "relation", "rules")

    def __init__(self, values: dict[str, Any]) -> None:
        self.relation: str = values["relation"]
        self.rules: tuple[str, ...] = values["rules"]
        self.reason: str = values["reason"]
        self.forbids: tuple[PortRange, ...] = values.get("forbids", ())
        self.ports: tuple[PortRange, ...] = values.get("ports", ()) or self.forbids
        self.expects: PortRange | None = values.get("expects")


class Control:
    """One control or item. `releases` are those of the benchmark or guide in which it has this id (empty: there is but one), `systems`
    those it is for, as `uname -s` prints them (empty: any). `attest` is what a person must say, and who. `same_as` is the id of the control
    that this is under the number of another release."""

    __slots__ = ("attest", "id", "maps", "origin", "releases", "same_as", "source", "systems", "words")

    def __init__(self, values: dict[str, Any], origin: str) -> None:
        self.id: str = values["id"]
        self.words: str = values["words"]
        self.maps: tuple[Map, ...] = values["maps"]
        self.attest: str = values["attest"]
        self.systems: tuple[str, ...] = values.get("systems", ())
        self.releases: tuple[str, ...] = values.get("for", ())
        self.source: str | None = values.get("source")
        self.same_as: str | None = values.get("same_as")
        self.origin = origin

    @property
    def number(self) -> str:
        """As `CM-7` or `2.1.23 (Debian 13 v1.0.0)`."""
        return self.id + (f" ({', '.join(self.releases)})" if self.releases else "")

    def named(self, framework: Framework) -> str:
        """As `NIST SP 800-53 r5 CM-7` or `CIS Benchmarks 2.1.23 (Debian 13 v1.0.0)`."""
        return f"{framework.title} {self.number}"


class Framework:
    """A framework's controls. `key` is its file's name, by which a policy chooses it; `title` as people call it; `source` is where the
    identifiers were read, with the revision, on `date` (YYYY-MM-DD)."""

    __slots__ = ("controls", "date", "key", "source", "title", "version")

    def __init__(self, key: str, values: dict[str, Any]) -> None:
        self.key = key
        self.title: str = values["framework"]
        self.version: str = values["version"]
        self.source: str = values["source"]
        self.date: str = values["date"].isoformat()
        self.controls: tuple[Control, ...] = values["entries"]


def load(folder: str | None = None) -> tuple[Framework, ...]:
    """Every framework of a folder, those shipped with the program by default. Raises TableError with file:line."""
    folder = shipped("policies", "controls") if folder is None else folder
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".yaml"))
    except OSError as problem:
        raise TableError(f"{folder}: {problem.strerror or problem}", "restore the folder from the package") from problem
    return tuple(_framework(os.path.join(folder, name), name) for name in names)


def _framework(path: str, name: str) -> Framework:
    try:
        top, _ = load_yaml(path, f"controls/{name}")
        return Framework(name.removesuffix(".yaml"), mapping(top, _KEYS, required=tuple(_KEYS)))
    except PolicyError as error:
        raise TableError(str(error), error.advice) from error


def _map(node: Node) -> Map:
    return Map(mapping(node, _MAP_KEYS, required=("relation", "rules", "reason"), what="a map"))


def _entries(node: Node) -> tuple[Control, ...]:
    """Read `entries`; one that is `like` an earlier one takes from it what it does not say itself."""
    earlier: dict[str, dict[str, Any]] = {}
    taken: dict[tuple[str, str], Control] = {}

    def entry(item: Node) -> Control:
        written = as_mapping(item, "a control")
        values = mapping(written, _CONTROL_KEYS, required=("id",))
        if "like" in values:
            same = {} if "maps" in values else {"same_as": values["like"]}
            values = {**_alike(written, values, earlier), **same, **values}
        missing = [key for key in ("words", "maps", "attest") if key not in values]
        if missing:
            raise written.error(f"{missing[0]!r} is missing", f"add a line '{missing[0]}: ...', or 'like: ID' of an entry above")
        control = Control(values, written.origin)
        rules = [rule for one in control.maps for rule in one.rules]
        if twice := [rule for rule in rules if rules.count(rule) > 1]:
            raise written.error(f"{twice[0]!r} stands twice", "its findings would count twice: keep one of the two")
        for release in control.releases or ("",):
            first = taken.setdefault((control.id, release), control)
            if first is not control:
                raise written.error(f"the id {control.id!r} is taken", f"it stands at {first.origin} already: join the two")
        earlier.setdefault(control.id, {key: value for key, value in values.items() if key in ("words", "maps", "attest", "systems")})
        return control

    return list_of(entry, "controls")(node)


def _alike(written: Mapping, values: dict[str, Any], earlier: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if values["like"] not in earlier:
        raise written.error(f"there is no {values['like']!r} above", "name the id of an earlier entry of this file")
    return earlier[values["like"]]


def _not_empty(reader: Reader[tuple[Any, ...]], what: str) -> Reader[tuple[Any, ...]]:
    def read(node: Node) -> tuple[Any, ...]:
        values = reader(node)
        if not values:
            raise node.error(f"an empty list of {what}", "remove what nothing speaks of")
        return values

    return read


_MAP_KEYS: dict[str, Reader[Any]] = {
    "relation": one_of(*RELATIONS),
    "rules": one_or_more(text, "rules"),
    "reason": prose,
    "ports": one_or_more(port_range, "ports"),
    "forbids": one_or_more(port_range, "ports"),
    "expects": port_range,
}
_CONTROL_KEYS: dict[str, Reader[Any]] = {
    "id": text,
    "for": one_or_more(text, "releases"),
    "words": prose,
    "maps": _not_empty(list_of(_map, "maps"), "maps"),
    "attest": prose,
    "systems": one_or_more(text, "systems"),
    "source": prose,
    "like": text,
}
_KEYS: dict[str, Reader[Any]] = {
    "controls": version_1("controls"),
    "framework": text,
    "version": text,
    "source": prose,
    "date": date,
    "entries": _not_empty(_entries, "controls"),
}
