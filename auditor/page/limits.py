"""What the method can never show, each limit once for all the hosts that it is of."""

from __future__ import annotations

from auditor.report import Report


def limits(report: Report) -> list[tuple[list[str], list[str]]]:
    """The hosts and their limits, those of most hosts first. Hosts whose evidence states no limits stand with none."""
    hosts: dict[str | None, dict[int, str]] = {}
    for number, host in enumerate(report.hosts):
        for limit in host.snapshot.shown.get("limits") or [None]:
            hosts.setdefault(limit, {})[number] = host.name
    groups: dict[tuple[int, ...], tuple[list[str], list[str]]] = {}
    for limit, names in hosts.items():
        _, said = groups.setdefault(tuple(names), (list(names.values()), []))
        said += [] if limit is None else [limit]
    return sorted(groups.values(), key=lambda group: -len(group[0]))
