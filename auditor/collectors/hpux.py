"""HP-UX: ndd and netstat. It shows no holders of sockets by itself; lsof does, where it is installed."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from auditor.evidence import Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables

SETTINGS = tuple(
    (protocol, f"{protocol}_{name}")
    for protocol in ("tcp", "udp")
    for name in ("smallest_anon_port", "largest_anon_port", "smallest_nonpriv_port")
)


def interpret(evidence: Evidence, tables: Tables) -> Snapshot:
    """What an HP-UX host's evidence means; total."""
    from auditor.collectors._hpux import SYSTEM
    from auditor.collectors._saved import snapshot

    return snapshot(evidence, tables, SYSTEM)


COLLECTOR = Collector(
    systems=("HP-UX",),
    probes=(
        *(Probe("settings", part="ports", argv=("ndd", "-get", f"/dev/{device}", name)) for device, name in SETTINGS),
        Probe("sockets", part="ports", argv=("netstat", "-an", "-f", "inet")),
        Probe("sockets", part="ports", argv=("netstat", "-an", "-f", "inet6"), optional=True),
        Probe("sockets", part="ports", argv=("lsof", "-nP", "-i"), optional=True),
        Probe("processes", part="ports", argv=("env", "UNIX95=1", "ps", "-eo", "pid,uid,user,comm"), optional=True),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
    ),
    interpret=interpret,
    reads=(
        Reads("privileged and ephemeral ports", "settings"),
        Reads("listening sockets", "sockets"),
        Reads("who holds them", "processes", by="`lsof -nP -i`, where it is installed", root="other users' processes"),
        Reads("names of ports", "services"),
    ),
)
