"""Earlier snapshots of hosts, and which of them is of a given host."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.errors import SourceError
from auditor.model import Snapshot


class Earlier:
    """An earlier snapshot of the host called `name`, which is loaded when it is asked for: those of thousands of hosts need no memory."""

    __slots__ = ("load", "machine_id", "name")

    def __init__(self, name: str, machine_id: str | None, load: Callable[[], Snapshot]) -> None:
        self.name = name
        self.machine_id = machine_id
        self.load = load


class Baseline:
    """The snapshots that hosts are compared with, by the name that each host has (by its site, or else by what it says) and by machine id.
    `unmet` are the names of those that no host has asked for yet.

    Raises SourceError where two are of one host: which of them would be meant cannot be told.
    """

    def __init__(self, snapshots: Iterable[Earlier]) -> None:
        self.unmet: set[str] = set()
        self._by_name: dict[str, Earlier] = {}
        self._by_machine: dict[str, list[Earlier]] = {}
        for one in snapshots:
            if one.name in self._by_name:
                raise SourceError(f"the baseline has two snapshots of {one.name!r}", "give one of each host")
            self._by_name[one.name] = one
            self.unmet.add(one.name)
            if one.machine_id is not None:
                self._by_machine.setdefault(one.machine_id, []).append(one)

    def of(self, name: str, snapshot: Snapshot) -> Snapshot | None:
        """The earlier snapshot of a host: by its name, else by its machine id where one alone has that, so that a host which was renamed
        is found again; None where there is none."""
        found = self._by_name.get(name)
        if found is None and (alike := self._by_machine.get(snapshot.shown.get("machine_id", ""), [])):
            found = alike[0] if len(alike) == 1 else None
        if found is None:
            return None
        self.unmet.discard(found.name)
        return found.load()
