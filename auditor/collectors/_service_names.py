"""The names that a host's own list of services (/etc/services) gives to ports: the same for every system."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.facts import Facts, Gap
from auditor.model import ServiceName
from auditor.parsers.services import Services


def service_names(lists: Sequence[Services], whole: Sequence[Gap]) -> dict[str, Facts[ServiceName]]:
    """What a stack shows of them: nothing where no such file was read."""
    if not lists:
        return {}
    seen = {(read.file, one.line, one.name): (read, one) for read in lists for one in read.entries}
    names = [
        ServiceName(name=one.name, port=one.port, protocol=one.protocol, alias=one.alias, file=read.file, line=one.line)
        for read, one in seen.values()
    ]
    gaps = [*(gap for read in lists for gap in read.gaps), *whole]
    return {"service_names": Facts(names, ", ".join(dict.fromkeys(read.file for read in lists)), gaps)}
