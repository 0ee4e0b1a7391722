"""HP-UX: ndd and netstat. It shows no holders of sockets by itself; lsof does, where it is installed."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

SETTINGS = tuple(
    (protocol, f"{protocol}_{name}")
    for protocol in ("tcp", "udp")
    for name in ("smallest_anon_port", "largest_anon_port", "smallest_nonpriv_port")
)


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
    interpret=saved_by("hpux"),
    reads=(
        Reads("privileged and ephemeral ports", "settings"),
        Reads("listening sockets", "sockets"),
        Reads("who holds them", "processes", by="`lsof -nP -i`, where it is installed", root="other users' processes"),
        Reads("who may bind", "settings"),
        Reads("names of ports", "services"),
    ),
)
