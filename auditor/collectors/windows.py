"""Windows, also on Stratus' ftServer: netsh, netstat or PowerShell, tasklist and the registry, from saved output alone."""

from __future__ import annotations

from auditor.collector import Collector, Reads
from auditor.collectors._saved_by import saved_by

COLLECTOR = Collector(
    systems=("Windows", "ftServer"),
    probes=(),
    interpret=saved_by("windows"),
    reads=(
        Reads("ephemeral ports", by="`netsh int ipv4|ipv6 show dynamicport tcp|udp`; before NT 6.0 `reg query ... /v MaxUserPort`"),
        Reads("reserved ports", by="`netsh int ipv4|ipv6 show excludedportrange protocol=tcp|udp`"),
        Reads("privileged ports", by="the vendor table: none"),
        Reads("who may bind", by="the vendor table: everybody"),
        Reads("listening sockets", by="`netstat -ano`, `Get-NetTCPConnection`, `Get-NetUDPEndpoint`"),
        Reads("who holds them", by="`netstat -anob`, `tasklist /FO CSV`", root="`-b`"),
    ),
)
