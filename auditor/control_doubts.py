"""What an audit could not see or judge of its hosts, in words: it lowers what every rule is worth to a control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.in_words import few

if TYPE_CHECKING:
    from auditor.host_report import HostReport


class Doubts:
    """The names of the hosts of which something is unknown, with the kinds of facts, and of those where a check broke off."""

    __slots__ = ("_broken", "_facts", "_unseen")

    def __init__(self) -> None:
        self._unseen: list[str] = []
        self._facts: set[str] = set()
        self._broken: list[str] = []

    def add(self, host: HostReport) -> None:
        unknown = [finding for finding in host.findings if finding.outcome == "unknown"]
        where = host.name if host.baseline is None else f"{host.name} or in its baseline"
        self._unseen += [where] if unknown else []
        self._facts.update(fact.replace("_", " ") for finding in unknown for fact in finding.facts)
        self._broken += [host.name] if any(finding.outcome == "error" for finding in host.findings) else []

    @property
    def clauses(self) -> list[str]:
        what = ", ".join(sorted(self._facts)) or "something"
        said = [f"{what} not known, or not in full, on {few(self._unseen)}"] if self._unseen else []
        return said + ([f"checks broke off by our error on {few(self._broken)}"] if self._broken else [])
