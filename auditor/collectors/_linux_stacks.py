"""Which network namespaces there are, and a name for each that outlives a reboot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import container_of, unit_of
from auditor.facts import Gap
from auditor.owner import DELETED, without_unproven

COLUMNS = "stack self init processes pid process executable cgroup mounted procnet?"
_NUMBERED = re.compile(r"(?:netns|procnet):[0-9]+")
_ODD = re.compile(r"[^A-Za-z0-9_.+-]")


class Namespace:
    """`label` as the bundle has it, `name` as the report has it, `kind` host or netns, `own` where the probes ran in it. `doubt` is a gap
    where the listing does not say which one it is: it may be the host's own. `identities` are what else it is known by."""

    __slots__ = ("doubt", "identities", "kind", "label", "name", "own")

    def __init__(self, label: str, name: str, kind: str, own: bool, told: bool) -> None:
        self.label = label
        self.name = name
        self.kind = kind
        self.own = own
        self.doubt = [] if told else [Gap("which network namespace it is, is not shown")]
        self.identities: list[str] = []


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
    names, taken = {host: "host"}, {"host"}
    given = {label: name for label, own_rows in by_label.items() if label != host and (name := _given(own_rows, containers))}
    for label, name in given.items():
        names[label] = _untaken(name, taken)
    for label, own_rows in by_label.items():
        if label not in names:
            names[label] = _untaken(_after_process(label, own_rows), taken)
    for label, own_rows in by_label.items():
        if label != host:
            found.append(Namespace(label, names[label], "netns", _is(own_rows, 1), told=bool(own_rows) and not gaps))
    for one in found:
        one.identities = list(_identities(one.label, by_label[one.label]))
    return found, gaps


def _identities(label: str, rows: list[tuple[str | None, ...]]) -> Iterator[str]:
    numbered = {label, *(f"procnet:{row[9]}" for row in rows)}
    yield from sorted(filter(_NUMBERED.fullmatch, numbered))
    yield from sorted({f"container:{one}" for row in rows if (one := container_of(row[7] or ""))})


def _is(rows: list[tuple[str | None, ...]], column: int) -> bool:
    return any(row[column] == "1" for row in rows)


def _host(by_label: dict[str, list[tuple[str | None, ...]]]) -> str | None:
    """The one that process 1 is in; where that is not shown for any, the one that the probes ran in."""
    for column in (2, 1):
        for label, rows in by_label.items():
            if _is(rows, column):
                return label
    return None


def _given(rows: list[tuple[str | None, ...]], containers: dict[str, str]) -> str | None:
    """The name that its container, its mount or its unit gives it: none of them is at an ordinary user's will."""
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
    return None


def _after_process(label: str, rows: list[tuple[str | None, ...]]) -> str:
    """A name after what runs in it, which anybody can call anything: it begins so that it is none that `_given` gives, nor the host's."""
    for row in rows:
        if row[6] or row[5]:
            path = row[6] or row[5] or ""
            bare = without_unproven(path).removesuffix(DELETED)
            marks = path[len(bare) :]
            name = bare.rpartition("/")[2]
            return "process:" + _ODD.sub("_", name) + marks
    return "namespace without a visible process" if rows else label


def _untaken(name: str, taken: set[str]) -> str:
    """The name, or where another stack has it already the name and a number."""
    choice, number = name, 1
    while choice in taken:
        number += 1
        choice = f"{name} ({number})"
    taken.add(choice)
    return choice
