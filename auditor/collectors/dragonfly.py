"""DragonFly: sysctl, sockstat and netstat, with ps for who a process is. psutil does not run there."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

RANGES = tuple(f"net.inet.ip.portrange.{name}" for name in ("first", "last", "hifirst", "hilast", "lowfirst", "lowlast"))


COLLECTOR = Collector(
    systems=("DragonFly",),
    probes=(
        *(Probe("settings", part="ports", argv=("sysctl", name)) for name in RANGES),
        Probe("sockets", part="ports", argv=("sockstat", "-46l")),
        Probe("netstat", part="ports", argv=("netstat", "-anW", "-f", "inet")),
        Probe("netstat", part="ports", argv=("netstat", "-anW", "-f", "inet6")),
        Probe("processes", part="ports", argv=("ps", "-axwwo", "pid,uid,user,comm")),
        Probe("addresses", part="ports", argv=("ifconfig", "-a")),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
        Probe("persisted", part="persisted", argv=("cat", "/etc/sysctl.conf"), optional=True),
    ),
    interpret=saved_by("dragonfly"),
    reads=(
        Reads("privileged and ephemeral ports", "settings"),
        Reads("listening sockets", "sockets", "netstat"),
        Reads("who holds them", "sockets", "processes", root="all of them for certain"),
        Reads("who may bind", by="the kernel's rule: root alone"),
        Reads("how far they reach", "addresses"),
        Reads("names of ports", "services"),
        Reads("settings of the next boot", "persisted"),
    ),
)
