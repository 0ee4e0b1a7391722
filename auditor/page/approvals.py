"""The register of what a policy approves: every entry of it, what that asks, who answers for it, and what it approves on which host."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from auditor.days import left, until
from auditor.host_report import HostReport
from auditor.model import Finding
from auditor.page.links import by_rule, links
from auditor.report import Report

if TYPE_CHECKING:
    from auditor.approvals import Approval

ApprovedAs = dict[tuple[str, str], list[dict[str, str]]]
"""The entries that approve a listener, by its stack and subject."""


class Register:
    """A table for each policy that lists approved listeners, with a row for each of its entries, whether it approves something or not."""

    def __init__(self, report: Report, anchors: dict[Finding, str]) -> None:
        self._report = report
        self._tables: dict[tuple[str, ...], dict[str, Any]] = {}
        for host in report.hosts:
            if host.approvals is not None:
                self._add(host, host.approvals.entries, host.approvals.statement, anchors)

    @property
    def tables(self) -> list[dict[str, Any]]:
        return [{**table, "rows": list(map(_told, table["rows"]))} for table in self._tables.values()]

    def _add(self, host: HostReport, entries: list[Approval], statement: str, anchors: dict[Finding, str]) -> None:
        number = len(self._tables) + 1
        rows = [self._row(one, f"approval-{number}-{place}") for place, one in enumerate(entries, 1)]
        table = self._tables.setdefault(_key(host, entries), {"policy": host.policy.name, "hosts": [], "rows": rows})
        table["hosts"].append((host.name, statement))
        about = _about(host, entries, anchors)
        for row, one in zip(table["rows"], entries, strict=True):
            for place in one.matched:
                row["approves"].setdefault(place, []).append(host.name)
            row["perhaps"] += [(host.name, one.unknown)] if one.unknown else []
            row["marks"] += [(anchors[finding], finding) for finding in about.get(str(one.entry), ())]

    def _row(self, one: Approval, anchor: str) -> dict[str, Any]:
        entry = one.entry
        review_by = None if entry.review_by is None else entry.review_by.isoformat()
        days = until(review_by or "", self._report.evaluated_on)
        return {
            **{key: getattr(entry, key) or "not stated" for key in ("purpose", "owner", "approved_by", "ticket")},
            "anchor": anchor, "name": str(entry), "origin": entry.origin, "asks": list(one.asks.items()), "bound": one.bound,
            "review_by": review_by or "not stated", "days": days, "left": left(days, "overdue by {}") if review_by else "",
            "approves": {}, "perhaps": [], "marks": [],
        }  # fmt: skip

    def approved_as(self, host: HostReport) -> ApprovedAs:
        """What approves each listener of a host. Where several bear one name and an entry approves but some of them, it says how many."""
        if host.approvals is None:
            return {}
        listening = Counter((stack.name, socket.subject) for stack in host.snapshot.stacks.seen for socket in stack.facts("listening").seen)
        found: ApprovedAs = {}
        entries = host.approvals.entries
        for row, one in zip(self._tables[_key(host, entries)]["rows"], entries, strict=True):
            for place, count in Counter(one.matched).items():
                some = f"{count} of the {listening[place]} of this name" if count < listening[place] else ""
                note = ", ".join(filter(None, (one.weakness, some)))
                found.setdefault(place, []).append({"anchor": row["anchor"], "name": row["name"], "note": note})
        return found


def _key(host: HostReport, entries: list[Approval]) -> tuple[str, ...]:
    """Hosts of one table are judged by the same entries of the same policy."""
    return (host.policy.name, host.policy.sha256, *(f"{one.entry.origin} {one.entry}" for one in entries))


def _about(host: HostReport, entries: list[Approval], anchors: dict[Finding, str]) -> dict[str, list[Finding]]:
    """What was found of an entry itself, by its name: as it is written under `approved`, or where it is required."""
    places = {(str(one), f"policy {one.origin}") for one in (*host.policy.required, *(approval.entry for approval in entries))}
    about: dict[str, list[Finding]] = {}
    for finding in host.findings:
        if finding in anchors and (finding.subject, finding.source) in places:
            about.setdefault(finding.subject, []).append(finding)
    return about


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the hosts of all that it approves, its links, and the words that a reader may filter by."""
    kinds = ["approves a listener" if row["approves"] else "may approve a listener" if row["perhaps"] else "approves nothing here"]
    kinds += ["review overdue"] if row["days"] is not None and row["days"] < 0 else []
    return {**row, "approves": list(row["approves"].items()), "marks": links(row["marks"], by_rule), "kinds": kinds}
