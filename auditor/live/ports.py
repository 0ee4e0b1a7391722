"""The ports of this host: every namespace visited, then every process looked through for who holds what was seen there."""

from __future__ import annotations

import os

from auditor.evidence import Answer
from auditor.live import control_groups, namespaces, owners, rows, sockets, stacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_RETRIES = 2
GROUP_COLUMNS = "cgroup path"
_CGROUP = owners.PROCESS_COLUMNS.split(" ").index("cgroup")


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Answers of the probes namespaces, sockets, addresses, settings, proc-net, entering, owners and cgroups, and of endpoints where that
    part is chosen. Leaves the `namespaces` and, by stack, the rows of `sockets`.

    Looking takes time and hosts do not stand still. Where a socket is left without a holder, it is seen to that it is still there; if
    not, all is done once more: what was closed meanwhile is no puzzle, what took its place is not missed. The rounds are counted. An
    endpoint without a holder is no reason for another one.
    """
    protocols = sockets.known_protocols()
    chosen = notebook.get("parts")
    with_endpoints = isinstance(chosen, (set, frozenset)) and "endpoints" in chosen
    walk = owners.Walk()
    unheld: set[bytes] = set()
    retries = 0
    while True:
        found = namespaces.find()
        visits = stacks.visit(found.namespaces, protocols, with_endpoints)
        inodes = _inodes(visits)
        sought = inodes.union(*(visit.endpoints for visit in visits)) - {b"0"}
        if wanted := sought - walk.found - unheld:
            walk.begin()
            looked_at = namespaces.pids()
            owners.walk(walk, wanted, looked_at)
            _newcomers(walk, sought, set(looked_at))
        unheld = inodes - walk.found
        if not unheld or retries == _RETRIES or unheld <= _present(found.namespaces, protocols):
            break
        retries += 1
    notebook["namespaces"] = found
    notebook["sockets"] = {answer.stack: answer.stdout for visit in visits for answer in visit.answers if answer.probe == "sockets"}
    yield Answer("namespaces", "builtin:namespaces", namespaces.table(found.namespaces))
    for visit in visits:
        yield from visit.answers
    yield Answer("owners", "builtin:processes", rows.table(owners.PROCESS_COLUMNS, walk.processes))
    yield Answer("owners", "builtin:holders", rows.table(owners.HOLDER_COLUMNS, walk.holders))
    why = walk.trouble or ""
    yield Answer("owners", "builtin:walk", walk.counts(retries), "1" if why else "0", stderr=f"{why}\n".encode() if why else b"")
    groups = set().union(*(visit.cgroups for visit in visits))
    yield Answer("cgroups", "builtin:cgroups", _cgroups(groups, walk.processes))


def _newcomers(walk: owners.Walk, inodes: set[bytes], looked_at: set[int]) -> None:
    """Look through the processes that began meanwhile, where a socket has no holder: a parent hands its sockets to a child and ends."""
    for _ in range(_RETRIES):
        if not (left := inodes - walk.found) or not (newcomers := [pid for pid in namespaces.pids() if pid not in looked_at]):
            return
        looked_at.update(newcomers)
        owners.walk(walk, left, newcomers)


def _inodes(visits: list[stacks.Visit]) -> set[bytes]:
    return set().union(*(visit.inodes for visit in visits)) - {b"0"}


def _present(found: list[namespaces.Namespace], protocols: list[str]) -> set[bytes]:
    """The inodes that are there now; where there is but one namespace, its sockets alone are asked for again."""
    return sockets.present(protocols) if len(found) == 1 else _inodes(stacks.visit(found, protocols))


def _cgroups(wanted: set[bytes], processes: list[bytes]) -> bytes:
    """The paths of control groups by their ids (the inode of their folder): those of the holders first, the rest by a walk."""
    mount = control_groups.mount()
    lines: list[bytes] = []
    left = {int(number) for number in wanted if number}
    if mount is not None:
        for path in {process.split(b"\t")[_CGROUP] for process in processes} | {b"/"}:
            try:
                number = os.stat(mount + path).st_ino
            except (OSError, ValueError):
                continue
            if number in left:
                left.discard(number)
                lines.append(b"%d\t%s" % (number, path))
        folders = [mount] if left else []
        while folders and left:
            folder = folders.pop()
            try:
                inside = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
            except OSError:
                continue
            for entry in inside:
                number = entry.inode()
                if number in left:
                    left.discard(number)
                    lines.append(b"%d\t%s" % (number, rows.field(entry.path[len(mount) :])))
                folders.append(entry.path)
    return rows.table(GROUP_COLUMNS, lines)
