"""AIX: no(1), netstat and lsof where it is installed. `rmsock`, which would name a socket's holder, removes sockets and is never run."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

SETTINGS = tuple(f"{protocol}_ephemeral_{end}" for protocol in ("tcp", "udp") for end in ("low", "high"))


COLLECTOR = Collector(
    systems=("AIX",),
    probes=(
        *(Probe("settings", part="ports", argv=("no", "-o", name)) for name in SETTINGS),
        Probe("sockets", part="ports", argv=("netstat", "-an")),
        Probe("sockets", part="ports", argv=("lsof", "-nP", "-i"), optional=True),
        Probe("processes", part="ports", argv=("ps", "-eo", "pid,uid,user,comm")),
        Probe("addresses", part="ports", argv=("ifconfig", "-a")),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
    ),
    interpret=saved_by("aix"),
    reads=(
        Reads("ephemeral ports", "settings"),
        Reads("privileged ports", by="the vendor table"),
        Reads("listening sockets", "sockets"),
        Reads("who holds them", "processes", by="`lsof -nP -i`, where it is installed", root="other users' processes"),
        Reads("who may bind", by="the vendor table"),
        Reads("how far they reach", "addresses"),
        Reads("names of ports", "services"),
    ),
)
