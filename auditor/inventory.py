"""Hosts as a site's inventories list them, whatever their format. Of all that is said of a host only what is needed is kept: variables may
be secrets, so no error quotes one."""

from __future__ import annotations

import re

from auditor.identity import folded, same_machine
from auditor.yaml_nodes import Node, quoted

HOSTS_MAX = 100_000
MACHINE_ID = "machine_id"
_NOT_IN_NAMES = re.compile(r"[\s=/\\\"'\[\]]")


class Listed:
    """A host as an inventory lists it: its `name`, the groups it is in, and, where they are given, its machine-id and role."""

    __slots__ = ("groups", "machine_id", "name", "place", "role", "role_place")

    def __init__(self, name: str, place: Node) -> None:
        self.name = name
        self.place = place
        self.groups: set[str] = set()
        self.machine_id: str | None = None
        self.role: str | None = None
        self.role_place = place

    def identify(self, machine_id: str, place: Node) -> None:
        """Its machine-id; PolicyError where it has another one already."""
        if not machine_id.strip().isprintable() or not machine_id.strip():
            raise place.error(f"the {MACHINE_ID} of {quoted(self.name)} is not a text of one line", "write it as the evidence has it")
        if self.machine_id is not None and not same_machine(self.machine_id, machine_id):
            raise place.error(f"another {MACHINE_ID} for {quoted(self.name)}, first listed at {self.place.origin}", "keep the right one")
        self.machine_id = machine_id.strip()


class Inventory:
    """Hosts by their folded names, and every group that is declared, be it empty; of one file or of several."""

    __slots__ = ("groups", "hosts")

    def __init__(self) -> None:
        self.hosts: dict[str, Listed] = {}
        self.groups: set[str] = set()

    def listed(self, name: str, place: Node) -> Listed:
        """The host of that name, new or known."""
        if not name or not name.isprintable() or _NOT_IN_NAMES.search(name):
            advice = "variables stand behind a host's name or under [GROUP:vars]; a range is written web[01:20]"
            raise place.error("expected the name of a host", advice)
        if len(self.hosts) >= HOSTS_MAX:
            raise place.error(f"more than {HOSTS_MAX} hosts", "make several sites of it")
        return self.hosts.setdefault(folded(name), Listed(name, place))

    def join(self, other: Inventory) -> None:
        """Take the hosts and groups of another inventory as well. PolicyError where the two contradict each other."""
        self.groups |= other.groups
        for key, host in other.hosts.items():
            known = self.hosts.setdefault(key, host)
            known.groups |= host.groups
            if host.machine_id is not None:
                known.identify(host.machine_id, host.place)
            if host.role is not None and known.role not in (None, host.role):
                raise host.place.error(f"another role for {quoted(host.name)}, first listed at {known.place.origin}", "keep the right one")
            if host.role is not None:
                known.role, known.role_place = host.role, host.place
