"""Stratus FTX: like VOS it is not asked; settings that ndd printed count before its vendor's word."""

from __future__ import annotations

from auditor.collector import Collector, Reads
from auditor.collectors._saved_by import saved_by

COLLECTOR = Collector(
    systems=("FTX",),
    probes=(),
    interpret=saved_by("ftx"),
    reads=(
        Reads("ephemeral and privileged ports", by="the vendor table, by release; `ndd -get /dev/tcp NAME` from 3.4 on"),
        Reads("who may bind", by="the vendor table"),
        Reads("listening sockets", by="`netstat -an`"),
    ),
)
