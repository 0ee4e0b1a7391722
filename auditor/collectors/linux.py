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
        Probe("endpoints", part="endpoints", ask="auditor.live.endpoints:ask"),
        Probe("accounts", part="ports", ask="auditor.live.accounts:ask", sh="accounts"),
        Probe("containers", part="ports", ask="auditor.live.containers:ask", sh="containers"),
        Probe("capabilities", part="grants", ask="auditor.live.capabilities:ask"),
        Probe("granting-files", part="grants", ask="auditor.live.granting_files:ask", sh="granting_files"),
        Probe("authbind", part="grants", ask="auditor.live.authbind:ask", sh="authbind"),
        Probe("bind-programs", part="grants", ask="auditor.live.bind_programs:ask"),
        Probe("security-modules", part="grants", ask="auditor.live.security_modules:ask", sh="security_modules"),
        Probe("socket-units", part="units", ask="auditor.live.socket_units:ask", sh="socket_units"),
        Probe("service-units", part="grants", ask="auditor.live.service_units:ask", sh="service_units"),
        Probe("units-manager", part="grants", ask="auditor.live.loaded_units:ask", optional=True, sh="units_manager"),
        Probe("persisted", part="persisted", ask="auditor.live.sysctl_files:ask", sh="persisted"),
        Probe("psutil", part="cross-check", ask="auditor.live.witness:ask", opt_in=True),
        Probe("services", part="services", argv=("cat", "/etc/services"), opt_in=True, optional=True),
        Probe("nat", part="nat", ask="auditor.live.nat:ask", opt_in=True),
        Probe("bind-test", part="bind-test", ask="auditor.live.bind_test:ask", opt_in=True),
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
        Reads("packet, raw and Unix sockets", "endpoints", by="/proc/net, sock_diag, stat of paths", root="who else holds them"),
        Reads("processes with the capability", "capabilities", by="/proc/PID/status, ioctl_ns", root="other network namespaces"),
        Reads("files with capabilities", "granting-files", by="extended attributes, mountinfo, unit files", root="others' folders"),
        Reads("ports given by authbind", "authbind", by="/etc/authbind, its helper", root="folders that are closed to others"),
        Reads("BPF programs on bind", "bind-programs", by="bpf(2)", root="all of it"),
        Reads("security modules", "security-modules", by="/sys/kernel/security/lsm, /sys/fs/selinux, /sys/module/apparmor"),
        Reads("services with the capability", "service-units", "units-manager", by="systemd's files and manager, `systemctl show`"),
        Reads("units and containers that declare them", "socket-units", "containers", by="systemd's and the runtimes' files"),
        Reads("how far they reach", "ports", by="rtnetlink"),
        Reads("other network stacks", "ports", by="/proc/PID/ns/net, nsfs mounts", root="entering them"),
        Reads("settings of the next boot", "persisted", by="sysctl.d, sysctl.conf"),
        Reads("a second witness", "psutil", by="psutil"),
        Reads("names of ports", "services"),
        Reads("ports published by address translation", "nat", by="`nft -j list ruleset`, `iptables-save -t nat`", root="all of it"),
        Reads("what binding really gives", "bind-test", by="bind(2) in a child without privileges", root="other users and stacks"),
    ),
    sh_files=tuple(f"{__file__.removesuffix('.py')}{name}.sh" for name in ("", "_units", "_grants")),
)
