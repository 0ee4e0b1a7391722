"""Earlier snapshots of hosts, and which of them is of a given host."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.errors import SourceError
from auditor.model import Snapshot


class Baseline:
    """The snapshots that hosts are compared with, by the name that each host has (by its site, or else by what it says) and by machine id.
    `unmet` are the names of those that no host has asked for yet.

    Raises SourceError where two are of one host: which of them would be meant cannot be told.
    """

    def __init__(self, snapshots: Iterable[tuple[str, Snapshot]]) -> None:
        self.unmet: dict[int, str] = {}
        self._by_name: dict[str, Snapshot] = {}
        self._by_machine: dict[str, list[Snapshot]] = {}
        for name, snapshot in snapshots:
            if name in self._by_name:
                raise SourceError(f"the baseline has two snapshots of {name!r}", "give one of each host")
            self._by_name[name] = snapshot
            self.unmet[id(snapshot)] = name
            if (machine := snapshot.shown.get("machine_id")) is not None:
                self._by_machine.setdefault(machine, []).append(snapshot)

    def of(self, name: str, snapshot: Snapshot) -> Snapshot | None:
        """The earlier snapshot of a host: by its name, else by its machine id where one alone has that, so that a host which was renamed
        is found again; None where there is none."""
        found = self._by_name.get(name)
        if found is None and (alike := self._by_machine.get(snapshot.shown.get("machine_id", ""), [])):
            found = alike[0] if len(alike) == 1 else None
        if found is not None:
            self.unmet.pop(id(found), None)
        return found
