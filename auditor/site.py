"""A site: which hosts there are, which role each has, by which policy a role is judged, and which host a piece of evidence is of.

Who a host is, its inventory and the place of its evidence say, never its own bundle: an owned host may give itself any name.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from itertools import islice
from typing import Any

from auditor import inventory_ansible, inventory_csv
from auditor.errors import PolicyError
from auditor.identity import first_label, fits_any, folded, machine, names_in_path
from auditor.inventory import Inventory, Listed
from auditor.policy import Policy
from auditor.policy import load as load_policy
from auditor.policy_keys import Glob, Reader, as_mapping, glob, mapping, nearest, one_or_more, raise_all, text, version_1, word
from auditor.policy_rules import Rules
from auditor.yaml_nodes import Node, Scalar, content_of, parse, printable, quoted, text_of
from auditor.yaml_nodes import load as load_yaml

SITE = "site"
"""The key by which a site file is known."""
_ADVICE = "list several files: `inventory: [north.ini, south.ini]`"


class Assignment:
    """Which host of a site one piece of evidence is of, and what the inventory says of that host.

    `host` is None where nothing tells; `identified` says how it was told, or why it is not. `rivals` are other hosts that the path may
    mean as well. `origin` is the inventory's line. `place` is where the evidence lies. `clones` are hosts of the same audit whose
    evidence shows this one's machine-id, `strangers` evidence of this host that shows another; each with its place.
    """

    __slots__ = ("clones", "groups", "host", "identified", "machine_id", "origin", "place", "rivals", "roles", "strangers")

    def __init__(
        self, *, identified: str, place: str, host: str | None = None, groups: frozenset[str] = frozenset(), roles: tuple[str, ...] = (),
        machine_id: str | None = None, origin: str = "", rivals: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.host = host
        self.groups = groups
        self.roles = roles
        self.machine_id = machine_id
        self.origin = origin
        self.place = place
        self.identified = identified
        self.rivals = rivals
        self.clones: tuple[str, ...] = ()
        self.strangers: tuple[str, ...] = ()

    def called(self, claimed: str | None) -> str:
        """What a report calls the host: by the inventory. One of which nothing tells is never called by the name alone that it claims."""
        return self.host or f"unidentified {claimed or 'host'} ({self.place})"


class Role:
    """Hosts that are alike: by which policy they are judged, and which they are, by `groups` and by name."""

    __slots__ = ("groups", "hosts", "name", "place", "policy")

    def __init__(self, name: str, place: Scalar, values: MappingOf[str, Any]) -> None:
        self.name = name
        self.place = place
        self.policy: Scalar = values["policy"]
        self.groups: tuple[Scalar, ...] = values.get("groups", ())
        self.hosts: tuple[Glob, ...] = values.get("hosts", ())

    def fits(self, host: Listed) -> bool:
        """Whether a host has this role; by its name, in which case does not count, by a group, or because a CSV says so."""
        return host.role == self.name or any(group.text in host.groups for group in self.groups) or fits_any(self.hosts, host.name)


class Site:
    """A site as its file and inventories say. `files` are all of these as they may be shown, `sha256` is over their bytes in that order."""

    __slots__ = ("by_label", "files", "hosts", "name", "path", "roles", "roles_of", "sha256")

    def __init__(self, path: str, name: str, roles: dict[str, Role], hosts: dict[str, Listed], files: list[str], sha256: str) -> None:
        self.path = path
        self.name = name
        self.roles = roles
        self.hosts = hosts
        self.files = files
        self.sha256 = sha256
        self.roles_of = {key: tuple(role.name for role in roles.values() if role.fits(host)) for key, host in hosts.items()}
        self.by_label: dict[str, list[Listed]] = {}
        for host in hosts.values():
            self.by_label.setdefault(first_label(folded(host.name)), []).append(host)

    def policies(self, rules: Rules) -> dict[str, Policy]:
        """The policy of each role, read once for all that share it. PolicyError with everything that is wrong in any of them."""
        errors: list[PolicyError] = []
        read: dict[str, Policy] = {}
        for role in self.roles.values():
            where = _beside(self.path, role.policy.text)
            if where in read:
                continue
            try:
                read[where] = load_policy(where, rules)
            except PolicyError as error:
                advice = error.advice
                errors.append(PolicyError(f"role {quoted(role.name)}, {role.policy.origin}: {error}", advice))
        raise_all(errors)
        return {role.name: read[_beside(self.path, role.policy.text)] for role in self.roles.values()}

    def assign(self, path: str | None, given: str) -> Assignment:
        """The host of which the evidence at `path` is, by the path alone. `path` is None where several lie in one file, or came by stdin;
        `given` is what the source is called."""
        if path is None:
            return Assignment(
                identified="its source has no path of its own: put the evidence of each host in a file of its own", place=given
            )
        words = [found for names in names_in_path(path) if (found := self._called(names))]
        return self._assigned(words, f"the path {path}", given)

    def assign_itself(self, nodename: str, given: str) -> Assignment:
        """The host on which this program runs, by its kernel's word."""
        found = self._called((nodename,))
        return self._assigned([found] if found else [], f"its own name {nodename}", given)

    def _called(self, names: Iterable[str]) -> list[Listed]:
        """The hosts that one of `names` calls: exactly, else by a first label, of which there may be several."""
        for name in names:
            if (host := self.hosts.get(folded(name))) is not None:
                return [host]
        for name in map(folded, names):
            label = first_label(name)
            found = [host for host in self.by_label.get(label, ()) if label in (name, folded(host.name))]
            if found:
                return found
        return []

    def _assigned(self, words: list[list[Listed]], by: str, given: str) -> Assignment:
        """The host that the innermost word calls which calls only one; what other words call beside it are rivals."""
        host = next((found[0] for found in words if len(found) == 1), None)
        rivals = {other.name: None for found in words if host not in found for other in found}
        if host is None:
            why = f"{by} may mean {len(rivals)} hosts of the inventory" if rivals else f"{by} names no host of the inventory"
            return Assignment(identified=why, place=given, rivals=tuple(rivals))
        return Assignment(
            identified=f"from {by}", place=given, host=host.name, groups=frozenset(host.groups), roles=self.roles_of[folded(host.name)],
            machine_id=host.machine_id, origin=host.place.origin, rivals=tuple(rivals),
        )  # fmt: skip

    def expected(self, patterns: tuple[Glob, ...] | None) -> list[str]:
        """The names of the hosts of the inventory, or of those that one of `patterns` fits, in the order of the inventory."""
        return [host.name for host in self.hosts.values() if patterns is None or fits_any(patterns, host.name)]


def note_doubles(seen: Iterable[tuple[Assignment, str | None]]) -> None:
    """Tell assignments of one audit about each other, by the machine-ids that the evidence shows: one machine-id on several hosts is a
    cloned machine, or evidence that was copied; several on one host are several machines."""
    by_machine: dict[str, list[Assignment]] = {}
    by_host: dict[str, dict[str, list[Assignment]]] = {}
    for one, shown in seen:
        if one.host is not None and shown is not None and machine(shown):
            by_machine.setdefault(machine(shown), []).append(one)
            by_host.setdefault(one.host, {}).setdefault(machine(shown), []).append(one)
    for alike in by_machine.values():
        counts = Counter(one.host for one in alike)
        for one in alike if len(counts) > 1 else ():
            one.clones = _places((other for other in alike if other.host != one.host), len(alike) - counts[one.host])
    for machines in by_host.values():
        seen_of_it = sum(map(len, machines.values()))
        for key, alike in machines.items() if len(machines) > 1 else ():
            for one in alike:
                others = (other for name, those in machines.items() if name != key for other in those)
                one.strangers = _places(others, seen_of_it - len(alike))


_NAMED = 3


def _places(others: Iterator[Assignment], count: int) -> tuple[str, ...]:
    """The first few, and how many more; a thousand clones need not each name all others."""
    first = [f"{other.host} ({other.place})" for other in islice(others, _NAMED)]
    return (*first[:-1], first[-1] + _more(count - len(first)))


def _more(count: int) -> str:
    return f" and {count} more" if count else ""


def is_site(path: str) -> bool:
    """Whether a file is a site's, and no policy. What cannot be read is not, and whoever reads it as a policy says why."""
    try:
        return re.search(rb"(?m)^site[ \t]*:", content_of(path, path)) is not None
    except PolicyError:
        return False


def load(path: str) -> Site:
    """The site in a file, with its inventories, but without its policies. PolicyError, or PolicyErrors with all that were found."""
    from hashlib import sha256

    top, content = load_yaml(path)
    if "policy" in top.items and SITE not in top.items:
        advice = "give it with -p; a site file begins with the line 'site: 1'"
        raise top.items["policy"][0].error("this is a policy, and no site file", advice)
    values = mapping(top, _KEYS, required=(SITE, "inventory", "roles"), what="a site")
    columns = values.get("columns", {})
    files, digest = [printable(path)], sha256(content)
    whole = Inventory()
    errors: list[PolicyError] = []
    for reference in values["inventory"]:
        try:
            inventory, bytes_read = _inventory(reference, path, columns)
            digest.update(bytes_read)
            files.append(printable(_beside(path, reference.text)))
            whole.join(inventory)
        except PolicyError as error:
            errors.append(error)
    if columns and not any(_is_csv(reference.text) for reference in values["inventory"]):
        errors.append(top.items["columns"][0].error("no inventory is a CSV", "remove it, or name a file that ends in .csv"))
    raise_all(errors)
    roles = {key.text: Role(key.text, key, value) for key, value in values["roles"]}
    raise_all(_astray(roles, whole))
    name = values.get("name") or printable(os.path.splitext(os.path.basename(path))[0])
    return Site(path, name, roles, whole.hosts, files, digest.hexdigest())


def _beside(path: str, reference: str) -> str:
    """What a path that begins at the site file means; a shipped policy's name stays what it is."""
    return reference if "/" not in reference and "." not in reference else os.path.join(os.path.dirname(path), reference)


def _is_csv(path: str) -> bool:
    return path.lower().endswith(".csv")


def _inventory(reference: Scalar, site: str, columns: MappingOf[str, str]) -> tuple[Inventory, bytes]:
    """An inventory, by its suffix CSV, YAML or else INI, and its bytes."""
    path = os.path.join(os.path.dirname(site), reference.text)
    shown = printable(path)
    try:
        content = content_of(path, shown, "CSV, INI or YAML")
    except PolicyError as error:
        raise reference.error(str(error), "the path of an inventory begins where the site file is") from None
    if _is_csv(path):
        return inventory_csv.rows(text_of(content, shown, _ADVICE), shown, columns), content
    if path.lower().endswith((".yaml", ".yml")):
        return inventory_ansible.yaml(parse(content, shown)), content
    return inventory_ansible.ini(text_of(content, shown, _ADVICE), shown), content


def _astray(roles: dict[str, Role], inventory: Inventory) -> Iterator[PolicyError]:
    """Roles and inventories that do not know each other: a group misspelt would leave a host with one role too few, unnoticed."""
    for role in roles.values():
        for group in role.groups:
            if group.text not in inventory.groups:
                yield group.error(f"no inventory has a group {quoted(group.text)}", _few_near(group.text, inventory.groups))
        if not role.groups and not role.hosts and not any(host.role == role.name for host in inventory.hosts.values()):
            yield role.place.error(f"the role {quoted(role.name)} fits no host", "give it groups or hosts")
    for host in inventory.hosts.values():
        if host.role is not None and host.role not in roles:
            yield host.role_place.error(
                f"{quoted(host.name)} has the role {quoted(host.role)}, which the site does not have", _few_near(host.role, roles)
            )


def _few_near(word: str, words: Collection[str]) -> str:
    """Advice for a word that is none of `words`, of which there may be thousands."""
    from difflib import get_close_matches

    near = get_close_matches(word, words, _NAMED) or sorted(words)[:_NAMED]
    return nearest(word, near) + _more(len(words) - len(near))


def _roles(node: Node) -> list[tuple[Scalar, dict[str, Any]]]:
    keys: dict[str, Reader[Any]] = {"policy": word, "groups": one_or_more(word, "groups"), "hosts": one_or_more(glob, "hosts")}
    errors: list[PolicyError] = []
    found = []
    for key, value in as_mapping(node, "names of roles, each with its policy").items.values():
        try:
            text(key)
            found.append((key, mapping(value, keys, required=("policy",), what="a role")))
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    if not found:
        raise node.error("a site without a role", "write 'web: {policy: web.yaml, groups: [web]}'")
    return found


_COLUMNS: Callable[[Node], dict[str, str]] = lambda node: mapping(node, dict.fromkeys(inventory_csv.COLUMNS, text))  # noqa: E731
_KEYS: dict[str, Reader[Any]] = {
    SITE: version_1("sites"),
    "name": text,
    "inventory": one_or_more(word, "inventories"),
    "columns": _COLUMNS,
    "roles": _roles,
}
