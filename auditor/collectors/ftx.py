"""Stratus FTX: like VOS it is not asked; settings that ndd printed count before its vendor's word."""

from __future__ import annotations

from auditor.collector import Collector, Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from auditor.evidence import Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables


def interpret(evidence: Evidence, tables: Tables) -> Snapshot:
    """What an FTX host's evidence means; total."""
    from auditor.collectors._ftx import SYSTEM
    from auditor.collectors._saved import snapshot

    return snapshot(evidence, tables, SYSTEM)


COLLECTOR = Collector(
    systems=("FTX",),
    probes=(),
    interpret=interpret,
    reads=(
        Reads("ephemeral and privileged ports", by="the vendor table, by release; `ndd -get /dev/tcp NAME` from 3.4 on"),
        Reads("listening sockets", by="`netstat -an`"),
    ),
)
