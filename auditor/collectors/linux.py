"""Linux: the kernel itself is asked, through netlink and /proc; no other tool's text is parsed."""

from __future__ import annotations

from auditor.collector import Collector, Probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from auditor.evidence import Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables


def interpret(evidence: Evidence, tables: Tables) -> Snapshot:
    """What a Linux host's evidence means; total."""
    from auditor.collectors._linux_snapshot import snapshot

    return snapshot(evidence, tables)


COLLECTOR = Collector(
    systems=("Linux",),
    probes=(
        Probe("rights", part="ports", ask="auditor.live.rights:ask"),
        Probe("ports", part="ports", ask="auditor.live.ports:ask"),
        Probe("accounts", part="ports", ask="auditor.live.accounts:ask"),
        Probe("containers", part="ports", ask="auditor.live.containers:ask"),
        Probe("socket-units", part="units", ask="auditor.live.socket_units:ask"),
        Probe("persisted", part="persisted", ask="auditor.live.sysctl_files:ask"),
        Probe("psutil", part="cross-check", ask="auditor.live.witness:ask", opt_in=True),
    ),
    interpret=interpret,
)
