"""Stratus VOS: it cannot be asked, so its ranges are its vendor's word for the release, and its listeners come from saved output."""

from __future__ import annotations

from auditor.collector import Collector, Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from auditor.evidence import Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables


def interpret(evidence: Evidence, tables: Tables) -> Snapshot:
    """What a VOS module's evidence means; total."""
    from auditor.collectors._saved import snapshot
    from auditor.collectors._vos import SYSTEM

    return snapshot(evidence, tables, SYSTEM)


COLLECTOR = Collector(
    systems=("VOS",),
    probes=(),
    interpret=interpret,
    reads=(
        Reads("ephemeral ports", by="the vendor table, by release and stack"),
        Reads("privileged ports", by="the vendor table; `display_external_variable allow_unpriv_bind$`, `display_access_list`"),
    ),
)
