"""A policy's entries by port, so that ten thousand listeners are not each held against two thousand entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.policy_entries import Entry

_LISTED_MAX = 64
"""An entry of more ports than these is looked at by its ranges."""


class EntriesByPort:
    """Entries in their order, and for a port those that may speak of it: the ones that name it, and the ones that name none or leave it to
    the kernel."""

    __slots__ = ("_anywhere", "_listed", "_ranged", "entries")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._anywhere: list[int] = []
        self._listed: dict[int, list[int]] = {}
        self._ranged: list[int] = []
        for at, entry in enumerate(self.entries):
            if "port" not in entry.wanted or entry.kernel_given:
                self._anywhere.append(at)
            elif sum(map(len, entry.ports)) > _LISTED_MAX:
                self._ranged.append(at)
            else:
                for port in {port for ports in entry.ports for port in range(ports.first, ports.last + 1)}:
                    self._listed.setdefault(port, []).append(at)

    def of(self, port: int | None) -> Sequence[Entry]:
        """The entries that may speak of a socket on `port`, in their order; all of them where the port is not known (None)."""
        if port is None:
            return self.entries
        ranged = [at for at in self._ranged if any(port in ports for ports in self.entries[at].ports)]
        return [self.entries[at] for at in sorted((*self._listed.get(port, ()), *ranged, *self._anywhere))]
