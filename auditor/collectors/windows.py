"""Windows, also on Stratus' ftServer: netsh, netstat or PowerShell, tasklist and the registry, from saved output alone."""

from __future__ import annotations

from auditor.collector import Collector, Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from auditor.evidence import Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables


def interpret(evidence: Evidence, tables: Tables) -> Snapshot:
    """What a Windows host's evidence means; total."""
    from auditor.collectors._saved import snapshot
    from auditor.collectors._windows import SYSTEM

    return snapshot(evidence, tables, SYSTEM)


COLLECTOR = Collector(
    systems=("Windows", "ftServer"),
    probes=(),
    interpret=interpret,
    reads=(
        Reads("ephemeral ports", by="`netsh int ipv4|ipv6 show dynamicport tcp|udp`; before NT 6.0 `reg query ... /v MaxUserPort`"),
        Reads("reserved ports", by="`netsh int ipv4|ipv6 show excludedportrange protocol=tcp|udp`"),
        Reads("privileged ports", by="the vendor table: none"),
        Reads("listening sockets", by="`netstat -ano`, `Get-NetTCPConnection`, `Get-NetUDPEndpoint`"),
        Reads("who holds them", by="`netstat -anob`, `tasklist /FO CSV`", root="`-b`"),
    ),
)
