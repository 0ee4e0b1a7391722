"""Which network namespaces there are, and a name for each that outlives a reboot."""

from __future__ import annotations

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import container_of, unit_of
from auditor.facts import Gap

COLUMNS = "stack self init processes pid process executable cgroup mounted"


class Namespace:
    """`label` as the bundle has it, `name` as the report has it, `kind` host or netns, `own` where the probes ran in it. `doubt` is a gap
    where the listing does not say which one it is: it may be the host's own."""

    __slots__ = ("doubt", "kind", "label", "name", "own")

    def __init__(self, label: str, name: str, kind: str, own: bool, told: bool) -> None:
        self.label = label
        self.name = name
        self.kind = kind
        self.own = own
        self.doubt = [] if told else [Gap("which network namespace it is, is not shown")]


def namespaces(evidence: LinuxEvidence, containers: dict[str, str]) -> tuple[list[Namespace], list[Gap]]:
    """The host's own first. A stack that answers speak of but the listing does not name keeps its label as its name."""
    rows, gaps = evidence.table("namespaces", COLUMNS, "builtin:namespaces")
    by_label: dict[str, list[tuple[str | None, ...]]] = {}
    for row in rows:
        by_label.setdefault(row[0] or "", []).append(row)
    for label in evidence.labels():
        if label not in by_label:
            by_label[label] = []
            gaps.append(Gap(f"the listing of namespaces does not name {label}", stack=label))
    host = _host(by_label)
    if host is None:
        host = "host"
        by_label = {host: [], **by_label}
        gaps.append(Gap("which network namespace is the host's own is not shown"))
    found = [Namespace(host, "host", "host", _is(by_label[host], 1), told=True)]
    taken = {"host"}
    for label, own_rows in by_label.items():
        if label != host:
            name = _untaken(_name(label, own_rows, containers), taken)
            found.append(Namespace(label, name, "netns", _is(own_rows, 1), told=bool(own_rows) and not gaps))
    return found, gaps


def _is(rows: list[tuple[str | None, ...]], column: int) -> bool:
    return any(row[column] == "1" for row in rows)


def _host(by_label: dict[str, list[tuple[str | None, ...]]]) -> str | None:
    """The one that process 1 is in; where that is not shown for any, the one that the probes ran in."""
    for column in (2, 1):
        for label, rows in by_label.items():
            if _is(rows, column):
                return label
    return None


def _name(label: str, rows: list[tuple[str | None, ...]], containers: dict[str, str]) -> str:
    for row in rows:
        identity = container_of(row[7] or "")
        if identity:
            return "container:" + containers.get(identity, identity[:12] if len(identity) == 64 else identity)
    for row in rows:
        if row[8]:
            return row[8].rpartition("/")[2]
    for row in rows:
        unit = unit_of(row[7] or "")
        if unit and not unit.endswith(".scope"):
            return unit
    for row in rows:
        if row[6] or row[5]:
            return (row[6] or row[5] or "").rpartition("/")[2]
    return "namespace without a visible process" if rows else label


def _untaken(name: str, taken: set[str]) -> str:
    """The name, or where another stack has it already the name and a number."""
    choice, number = name, 1
    while choice in taken:
        number += 1
        choice = f"{name} ({number})"
    taken.add(choice)
    return choice
