"""macOS: sysctl, netstat, which shows every socket to anybody, and lsof and ps for who holds them."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

RANGES = tuple(f"net.inet.ip.portrange.{name}" for name in ("first", "last", "hifirst", "hilast", "lowfirst", "lowlast"))
RESTRICTED = "net.restricted_port.enforced"
ORDER = ("net.inet.tcp.randomize_ports", "net.inet.udp.randomize_ports")


COLLECTOR = Collector(
    systems=("Darwin",),
    probes=(
        *(Probe("settings", part="ports", argv=("sysctl", name)) for name in RANGES),
        *(Probe("settings", part="ports", argv=("sysctl", name), optional=True) for name in (RESTRICTED, *ORDER)),
        Probe("netstat", part="ports", argv=("netstat", "-anvl", "-p", "tcp")),
        Probe("netstat", part="ports", argv=("netstat", "-anvl", "-p", "udp")),
        Probe("files", part="ports", argv=("lsof", "-nP", "+c", "0", "-iTCP", "-sTCP:LISTEN"), optional=True),
        Probe("files", part="ports", argv=("lsof", "-nP", "+c", "0", "-iUDP"), optional=True),
        Probe("processes", part="ports", argv=("ps", "-axwwo", "pid,uid,user,comm")),
        Probe("addresses", part="ports", argv=("ifconfig", "-a")),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
        Probe("persisted", part="persisted", argv=("cat", "/etc/sysctl.conf"), optional=True),
        Probe("psutil", part="cross-check", ask="auditor.live.witness:ask", opt_in=True),
    ),
    interpret=saved_by("darwin"),
    reads=(
        Reads("ephemeral and reserved ports", "settings"),
        Reads("privileged ports", by="the vendor table, by release"),
        Reads("listening sockets", "netstat"),
        Reads("who holds them", "netstat", "files", "processes", root="all holders; without it the process that used a socket last"),
        Reads("who may bind", "settings", by="the vendor table, by release"),
        Reads("how far they reach", "addresses"),
        Reads("names of ports", "services"),
        Reads("settings of the next boot", "persisted"),
        Reads("a second witness", "psutil", by="psutil", root="all of it"),
    ),
)
