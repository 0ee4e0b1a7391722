"""Which hosts an audit was to be of, and which it was: of a site, and of a baseline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from auditor.in_words import counted, few

if TYPE_CHECKING:
    from auditor.host_report import HostReport


class Drift:
    """How an audit with a baseline went: the stamps of the snapshots that hosts were `compared` with, the hosts `without` one, and those of
    the baseline of which there is no evidence now, which are `missing`."""

    __slots__ = ("compared", "missing", "without")

    def __init__(self, compared: Iterable[str] = (), without: Iterable[str] = (), missing: Iterable[str] = ()) -> None:
        self.compared = list(compared)
        self.without = list(without)
        self.missing = list(missing)

    @classmethod
    def of(cls, hosts: Iterable[HostReport]) -> Drift:
        drift = cls()
        for host in hosts:
            drift.add(host)
        return drift

    def add(self, host: HostReport) -> None:
        if host.baseline is not None:
            self.compared.append(host.baseline.shown.get("taken", "an unknown time"))
        else:
            self.without.append(host.name)

    @property
    def words(self) -> list[str]:
        said = []
        if self.compared:
            first, last = min(self.compared), max(self.compared)
            when = first if first == last else f"{first} to {last}"
            said.append(f"{counted(len(self.compared), 'host')} compared with a baseline of {when}")
        if self.without:
            said.append(f"the baseline has nothing of {few(self.without)}")
        if self.missing:
            said.append(f"NO EVIDENCE of {few(self.missing)}, which the baseline has")
        return said

    def to_json(self) -> dict[str, Any]:
        return {"compared": len(self.compared), "without": self.without, "missing": self.missing}


class SiteCoverage:
    """A site that an audit was of: its `name`, `files` and their sha256, how many `hosts` of it were asked for and how many audited, and
    those of which evidence is `missing`."""

    __slots__ = ("audited", "files", "hosts", "missing", "name", "sha256")

    def __init__(self, name: str, files: list[str], sha256: str, *, hosts: int, audited: int, missing: list[str]) -> None:
        self.name = name
        self.files = files
        self.sha256 = sha256
        self.hosts = hosts
        self.audited = audited
        self.missing = missing

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("name", "sha256", "files", "hosts", "audited", "missing")}

    def __str__(self) -> str:
        audited = f"{self.audited} of {counted(self.hosts, 'host')} of {self.name}'s inventory audited"
        return audited + (f"; NO EVIDENCE of {few(self.missing)}" if self.missing else "")
