"""Who may take privileged ports in a stack: the sources of grants put together, each in a module of its own."""

from __future__ import annotations

from collections.abc import Callable

from auditor.binding import Grant
from auditor.collectors import (
    _linux_granted_by_authbind,
    _linux_granted_by_files,
    _linux_granted_by_processes,
    _linux_granted_by_programs,
    _linux_granted_by_setuid,
    _linux_granted_by_socket_units,
    _linux_granted_by_threshold,
    _linux_granted_by_units,
    _linux_granted_to_namespace_owners,
)
from auditor.collectors._linux_question import Granted, Question
from auditor.facts import Facts, Gap

SOURCES: dict[str, Callable[[Question], Granted]] = {
    "threshold": _linux_granted_by_threshold.granted,
    "process": _linux_granted_by_processes.granted,
    "namespace-owner": _linux_granted_to_namespace_owners.granted,
    "setuid": _linux_granted_by_setuid.granted,
    "unit": _linux_granted_by_units.granted,
    "socket-unit": _linux_granted_by_socket_units.granted,
    "file-capability": _linux_granted_by_files.granted,
    "authbind": _linux_granted_by_authbind.granted,
    "program": _linux_granted_by_programs.granted,
}
"""Each by the kind of grants that may be missing where it could not see all; root's are with those of processes. Where the threshold is
not known, nothing is told of any kind."""


def grants(question: Question) -> tuple[Facts[Grant], list[str]]:
    """The grants of a stack, and the limits of how they were found."""
    said = {path: source(question) for path, source in SOURCES.items()}
    seen = [grant for one in said.values() for grant in one.grants]
    gaps = [told for path, one in said.items() for gap in one.gaps for told in _of(path, gap)]
    limits = list(dict.fromkeys(limit for one in said.values() for limit in one.limits))
    return Facts(seen, "capabilities, files and units of this host", gaps + question.linux.whole), limits


def _of(path: str, gap: Gap) -> list[Gap]:
    """A gap of the kinds of grants that a source tells of alone, once for each."""
    if path == "threshold":
        return [gap]
    kinds = ("process", "root") if path == "process" else (path,)
    return [Gap(gap.why, gap.line, protocol=gap.protocol, family=gap.family, stack=gap.stack, ports=gap.ports, path=kind) for kind in kinds]
