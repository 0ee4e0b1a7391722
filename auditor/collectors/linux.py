"""Linux: the kernel itself is asked, through netlink and /proc; no other tool's text is parsed. Without Python, `linux.sh` reads /proc."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from auditor.evidence import Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables


def interpret(evidence: Evidence, tables: Tables) -> Snapshot:
    """What a Linux host's evidence means, be it our own probes' or the saved output of ordinary commands; total."""
    if "collector" not in evidence.head and not any(answer.command.startswith("builtin:") for answer in evidence.answers):
        from auditor.collectors import _saved
        from auditor.collectors._linux_saved import SYSTEM

        return _saved.snapshot(evidence, tables, SYSTEM)
    from auditor.collectors._linux_snapshot import snapshot

    return snapshot(evidence, tables)


COLLECTOR = Collector(
    systems=("Linux",),
    probes=(
        Probe("rights", part="ports", ask="auditor.live.rights:ask", sh="rights"),
        Probe("ports", part="ports", ask="auditor.live.ports:ask", sh="ports"),
        Probe("accounts", part="ports", ask="auditor.live.accounts:ask", sh="accounts"),
        Probe("containers", part="ports", ask="auditor.live.containers:ask", sh="containers"),
        Probe("socket-units", part="units", ask="auditor.live.socket_units:ask", sh="socket_units"),
        Probe("persisted", part="persisted", ask="auditor.live.sysctl_files:ask", sh="persisted"),
        Probe("psutil", part="cross-check", ask="auditor.live.witness:ask", opt_in=True),
        Probe("services", part="services", argv=("cat", "/etc/services"), opt_in=True, optional=True),
        Probe("nat", part="nat", ask="auditor.live.nat:ask", opt_in=True),
    ),
    interpret=interpret,
    reads=(
        Reads("privileged, ephemeral and reserved ports", "ports", by="/proc/sys; `sysctl`", root="those of other network namespaces"),
        Reads("listening sockets", "ports", by="sock_diag, else /proc/net; `ss`, `netstat`, `cat /proc/net/tcp`, `lsof`"),
        Reads(
            "who holds them",
            "ports",
            "rights",
            "accounts",
            by="/proc/PID, stat of executables and the folders above; `ss -p`, `lsof`",
            root="other users' processes",
        ),
        Reads("units and containers that declare them", "socket-units", "containers", by="systemd's and the runtimes' files"),
        Reads("how far they reach", "ports", by="rtnetlink"),
        Reads("other network stacks", "ports", by="/proc/PID/ns/net, nsfs mounts", root="entering them"),
        Reads("settings of the next boot", "persisted", by="sysctl.d, sysctl.conf"),
        Reads("a second witness", "psutil", by="psutil"),
        Reads("names of ports", "services"),
        Reads("ports published by address translation", "nat", by="`nft -j list ruleset`, `iptables-save -t nat`", root="all of it"),
    ),
    sh_file=__file__.removesuffix(".py") + ".sh",
)
