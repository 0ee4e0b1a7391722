"""Ansible's inventories, in INI or YAML. Read here because Ansible itself is far too heavy a thing to ask for two small formats: groups,
their children and ranges of hosts mean what they mean to Ansible; of variables `machine_id` alone is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.errors import PolicyError
from auditor.inventory import HOSTS_MAX, MACHINE_ID, Inventory, Listed
from auditor.policy_keys import nearest
from auditor.yaml_nodes import Mapping, Node, Scalar, quoted

DEPTH_MAX = 32
"""Levels of groups in groups."""
ALL, UNGROUPED = "all", "ungrouped"
"""Ansible's own groups: every host, and those that are in no other."""
_DYNAMIC = "a dynamic inventory is saved first: ansible-inventory --list --yaml > hosts.yaml"
_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_GROUP = re.compile(r"([^:\]\s]+)\s*(?:#.*)?")
_PORT = re.compile(r"\[(?P<quoted>.+)\]:\d+|(?P<plain>(?:[^:\[\]]|\[[^\[\]]*\])+):\d+")
_SPAN = re.compile(r"\[([0-9]{0,9}|[A-Za-z]):([0-9]{1,9}|[A-Za-z])(?::([0-9]{1,9}))?\]")
_SPANS_MAX = 8
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def ini(text: str, file: str) -> Inventory:
    """The inventory that an INI file's text is. PolicyError with file and line for whatever is wrong."""
    tree = _Groups()
    _ini(text, file, tree)
    return tree.resolved()


def yaml(top: Mapping) -> Inventory:
    """The inventory that a YAML file's mapping is. PolicyError with file, line and column for whatever is wrong."""
    if "plugin" in top.items:
        raise top.items["plugin"][0].error("a plugin's settings, not an inventory", _DYNAMIC)
    tree = _Groups()
    for key, value in top.items.values():
        _yaml_group(key, value, tree)
    return tree.resolved()


class _Groups:
    """Ansible's groups while they are read: `children` of each by name, with the place that says so, and the hosts that each lists."""

    def __init__(self) -> None:
        self.inventory = Inventory()
        self.children: dict[str, dict[str, Node]] = {}
        self.members: dict[str, list[Listed]] = {}

    def declare(self, group: str) -> None:
        self.inventory.groups.add(group)

    def child(self, group: str, child: str, place: Node) -> None:
        self.declare(group)
        self.children.setdefault(group, {}).setdefault(child, place)

    def hosts(self, group: str, pattern: str, machine_id: str | None, place: Node) -> None:
        """The host or range of hosts that `pattern` means, as members of `group`."""
        names = list(expanded(pattern, place))
        if machine_id is not None and len(names) > 1:
            raise place.error(f"one {MACHINE_ID} for {len(names)} hosts", "give each its own line")
        for name in names:
            host = self.inventory.listed(name, place)
            self.members.setdefault(group, []).append(host)
            if machine_id is not None:
                host.identify(machine_id, place)

    def resolved(self) -> Inventory:
        """The inventory, in which each host has all groups that it is in by any way. PolicyError for a group that is its own child."""
        for group, children in self.children.items():
            for child, place in children.items():
                if child not in self.inventory.groups:
                    raise place.error(
                        f"{quoted(group)} has a child {quoted(child)}, which is no group", nearest(child, self.inventory.groups)
                    )
        within = self._within()
        for group, hosts in self.members.items():
            for host in hosts:
                host.groups |= within[group]
        for host in self.inventory.hosts.values():
            host.groups -= {ALL, UNGROUPED}
            host.groups |= {ALL} if host.groups else {ALL, UNGROUPED}
        self.inventory.groups |= {ALL, UNGROUPED}
        return self.inventory

    def _within(self) -> dict[str, set[str]]:
        """Each group with those around it, itself included. Does not recurse."""
        parents = dict.fromkeys([*self.inventory.groups, *self.members], 0)
        for children in self.children.values():
            for child in children:
                parents[child] += 1
        within = {group: {group} for group in parents}
        level, depth = [group for group, count in parents.items() if not count], 0
        while level:
            inner = []
            for group in level:
                for child, place in self.children.get(group, {}).items():
                    if depth == DEPTH_MAX:
                        raise place.error(
                            f"groups in groups, more than {DEPTH_MAX} levels deep", "no inventory needs this: make it flatter"
                        )
                    within[child] |= within[group]
                    parents[child] -= 1
                    if not parents[child]:
                        inner.append(child)
            level, depth = inner, depth + 1
        if around := {child: group for group, inner in self.children.items() for child in inner if parents[group] and parents[child]}:
            raise self._cycle(around)
        return within

    def _cycle(self, around: dict[str, str]) -> PolicyError:
        """The error of a group that is within itself; `around` has one that is left around each that is left."""
        child, seen = next(iter(around)), set()
        while child not in seen:
            seen.add(child)
            child = around[child]
        place = self.children[around[child]][child]
        return place.error(f"a cycle: {quoted(child)} is within itself, by {quoted(around[child])}", "remove one of the two")


def _ini(text: str, file: str, tree: _Groups) -> None:
    group, kind = UNGROUPED, "hosts"
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line, place = line.strip(), Node(file, number, 1)
        if not line or line[0] in "#;":
            continue
        if section := _SECTION.fullmatch(line):
            group, kind = section[1], section[2] or "hosts"
            if kind not in ("hosts", "children", "vars"):
                raise place.error(f"a section of kind {quoted(kind)}", f"[{group}], [{group}:children] or [{group}:vars]")
            if kind != "vars":
                tree.declare(group)
        elif kind == "children":
            if (child := _GROUP.fullmatch(line)) is None:
                raise place.error(f"expected the name of a group that is a child of {quoted(group)}", "write one in a line")
            tree.child(group, child[1], place)
        elif kind == "hosts":
            pattern, machine_id = _host_line(line, place)
            tree.hosts(group, pattern, machine_id, place)


def _host_line(line: str, place: Node) -> tuple[str, str | None]:
    """A host's pattern and machine-id, where the line has one."""
    words = line.split()
    if re.search(r"[#'\"\\]", line):
        import shlex

        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            raise place.error("a quotation that does not end", "close it, or remove the quote") from None
    pattern, *variables = words or [""]
    machine_id = None
    for variable in variables:
        name, equals, value = variable.partition("=")
        if not equals or not name:
            raise place.error("expected NAME=VALUE behind the host's name", "write no blanks around the =, and quote a value that has any")
        if name == MACHINE_ID:
            machine_id = value
    return pattern, machine_id


def expanded(pattern: str, place: Node) -> Iterator[str]:
    """The hosts that Ansible means: `web[01:20].bank`, `db-[a:c]`, `n[1:9:2]`; `host:2222` without its port."""
    if ported := _PORT.fullmatch(pattern):
        pattern = ported["quoted"] or ported["plain"]
    if pattern.count("[") > _SPANS_MAX:
        raise place.error(f"more than {_SPANS_MAX} ranges in one name", "write several lines")
    found = _SPAN.search(pattern)
    if found is None:
        yield pattern
        return
    before, after = pattern[: found.start()], pattern[found.end() :]
    middles = list(_span(found[1] or "0", found[2], int(found[3] or "1"), place))
    rests = list(expanded(after, place)) if after else [""]
    if len(middles) * len(rests) > HOSTS_MAX:
        raise place.error(f"a range of more than {HOSTS_MAX} hosts", "write the last number smaller")
    yield from (before + middle + rest for middle in middles for rest in rests)


def _span(first: str, last: str, step: int, place: Node) -> Iterator[str]:
    """`first` to `last`, both included, with leading zeros kept."""
    if first.isdigit() != last.isdigit() or (first.startswith("0") and len(first) > 1 and len(first) != len(last)):
        raise place.error("a range whose ends are not alike", "write both as numbers of the same length, as [01:20], or as letters")
    of = _LETTERS.index if first.isalpha() else int
    start, end = of(first), of(last)
    if start > end or not step or (end - start) // step >= HOSTS_MAX:
        raise place.error(f"a range that is none, or of more than {HOSTS_MAX} hosts", "write the lower end first, as [01:20]")
    width = len(first) if first.startswith("0") else 0
    yield from (_LETTERS[at] if first.isalpha() else f"{at:0{width}d}" for at in range(start, end + 1, step))


def _yaml_group(group: Scalar, node: Node, tree: _Groups) -> None:
    """A group, with the groups in it. Depth is what auditor.yaml_nodes allows."""
    tree.declare(group.text)
    for section, value in _items(node, "hosts, children and vars"):
        if section.text == "hosts":
            for host, variables in _items(value, "names of hosts, each with a colon"):
                given = variables.items.get(MACHINE_ID) if isinstance(variables, Mapping) else None
                if given is not None and not isinstance(given[1], Scalar):
                    raise given[0].error(f"expected a text as {MACHINE_ID}", "write it as the evidence has it")
                tree.hosts(group.text, host.text, given[1].text if given and isinstance(given[1], Scalar) else None, host)
        elif section.text == "children":
            for child, inner in _items(value, "names of groups, each with a colon"):
                tree.child(group.text, child.text, child)
                _yaml_group(child, inner, tree)
        elif section.text != "vars":
            advice = nearest(section.text, ("hosts", "children", "vars"))
            raise section.error(f"unknown key {quoted(section.text)} in the group {quoted(group.text)}", advice)


def _items(node: Node, what: str) -> list[tuple[Scalar, Node]]:
    """The keys and values of a mapping; one word stands for a key alone, as it does for Ansible."""
    if isinstance(node, Mapping):
        return list(node.items.values())
    if isinstance(node, Scalar):
        return [(node, Scalar("", node.file, node.line, node.column))] if node.text else []
    raise PolicyError(f"{node.where}: expected {what}, found {node.found}", _DYNAMIC)
