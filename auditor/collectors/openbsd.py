"""OpenBSD: sysctl, netstat for what listens, fstat for who holds it, netstat -R for the routing domains."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

RANGES = tuple(f"net.inet.ip.{name}" for name in ("portfirst", "portlast", "porthifirst", "porthilast"))
LISTS = tuple(f"net.inet.{protocol}.{name}" for protocol in ("tcp", "udp") for name in ("baddynamic", "rootonly"))


COLLECTOR = Collector(
    systems=("OpenBSD",),
    probes=(
        *(Probe("settings", part="ports", argv=("sysctl", name)) for name in RANGES),
        *(Probe("settings", part="ports", argv=("sysctl", name), optional=True) for name in LISTS),
        Probe("netstat", part="ports", argv=("netstat", "-an", "-f", "inet")),
        Probe("netstat", part="ports", argv=("netstat", "-anv", "-f", "inet6")),
        Probe("files", part="ports", argv=("fstat", "-n")),
        Probe("processes", part="ports", argv=("ps", "-axwwo", "pid,uid,user,comm")),
        Probe("addresses", part="ports", argv=("ifconfig", "-a")),
        Probe("rdomains", part="ports", argv=("netstat", "-R")),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
        Probe("persisted", part="persisted", argv=("cat", "/etc/sysctl.conf"), optional=True),
        Probe("psutil", part="cross-check", ask="auditor.live.witness:ask", opt_in=True),
    ),
    interpret=saved_by("openbsd"),
    reads=(
        Reads("privileged, ephemeral and reserved ports", "settings"),
        Reads("listening sockets", "netstat"),
        Reads("who holds them", "files", "processes"),
        Reads("who may bind", "settings", by="the kernel's rule: root alone"),
        Reads("how far they reach", "addresses"),
        Reads("other network stacks", "rdomains", by="`netstat -an -T N` for what is in them"),
        Reads("names of ports", "services"),
        Reads("settings of the next boot", "persisted"),
        Reads("a second witness", "psutil", by="psutil"),
    ),
)
