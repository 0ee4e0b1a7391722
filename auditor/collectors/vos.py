"""Stratus VOS: it cannot be asked, so its ranges are its vendor's word for the release, and its listeners come from saved output."""

from __future__ import annotations

from auditor.collector import Collector, Reads
from auditor.collectors._saved_by import saved_by

COLLECTOR = Collector(
    systems=("VOS",),
    probes=(),
    interpret=saved_by("vos"),
    reads=(
        Reads("ephemeral ports", by="the vendor table, by release and stack"),
        Reads("privileged ports", by="the vendor table; `display_external_variable allow_unpriv_bind$`, `display_access_list`"),
        Reads("who may bind", by="the same"),
    ),
)
