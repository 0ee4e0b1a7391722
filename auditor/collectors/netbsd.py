"""NetBSD: sysctl, sockstat and netstat, with ps for who a process is."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

RANGES = tuple(
    f"net.{family}.{name}" for family in ("inet.ip", "inet6.ip6") for name in ("anonportmin", "anonportmax", "lowportmin", "lowportmax")
)
ALGORITHM = tuple(f"net.{family}.anonportalgo.{name}" for family in ("inet.ip", "inet6.ip6") for name in ("selected", "reserve"))
CURTAIN = ("security.curtain", "security.models.bsd44.curtain")


COLLECTOR = Collector(
    systems=("NetBSD",),
    probes=(
        *(Probe("settings", part="ports", argv=("sysctl", name), optional=True) for name in (*RANGES, *ALGORITHM, *CURTAIN)),
        Probe("sockets", part="ports", argv=("sockstat", "-46ln")),
        Probe("netstat", part="ports", argv=("netstat", "-an", "-f", "inet")),
        Probe("netstat", part="ports", argv=("netstat", "-anv", "-f", "inet6")),
        Probe("processes", part="ports", argv=("ps", "-axwwo", "pid,uid,user,comm")),
        Probe("addresses", part="ports", argv=("ifconfig", "-a")),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
        Probe("persisted", part="persisted", argv=("cat", "/etc/sysctl.conf"), optional=True),
        Probe("psutil", part="cross-check", ask="auditor.live.witness:ask", opt_in=True),
    ),
    interpret=saved_by("netbsd"),
    reads=(
        Reads("privileged, ephemeral and reserved ports", "settings"),
        Reads("listening sockets", "sockets", "netstat", root="those of other users, where security.curtain is 1"),
        Reads("who holds them", "sockets", "processes", root="the same"),
        Reads("who may bind", "settings", by="the kernel's rule: root alone"),
        Reads("how far they reach", "addresses"),
        Reads("names of ports", "services"),
        Reads("settings of the next boot", "persisted"),
        Reads("a second witness", "psutil", by="psutil"),
    ),
)
