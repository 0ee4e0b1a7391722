"""Solaris and illumos: ndd (to Solaris 10) or ipadm (from 11 on), netstat, and zoneadm for the zones that have a stack of their own."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

PROTOCOLS = ("tcp", "udp", "sctp")
PROPERTIES = ("smallest_anon_port", "largest_anon_port", "smallest_nonpriv_port", "extra_priv_ports")


COLLECTOR = Collector(
    systems=("SunOS",),
    probes=(
        *(Probe("settings", part="ports", argv=("ndd", "-get", f"/dev/{protocol}", f"{protocol}_{name}"), optional=True)
          for protocol in PROTOCOLS for name in PROPERTIES),
        *(Probe("settings", part="ports", argv=("ipadm", "show-prop", "-p", ",".join(PROPERTIES), protocol), optional=True)
          for protocol in PROTOCOLS),
        Probe("sockets", part="ports", argv=("netstat", "-an", "-f", "inet", "-f", "inet6")),
        Probe("owners", part="ports", argv=("netstat", "-anu", "-f", "inet", "-f", "inet6"), optional=True),
        Probe("processes", part="ports", argv=("ps", "-eo", "pid,uid,user,comm")),
        Probe("addresses", part="ports", argv=("ifconfig", "-a")),
        Probe("zone", part="ports", argv=("zonename",), optional=True),
        Probe("zones", part="ports", argv=("zoneadm", "list", "-cp"), optional=True),
        Probe("privileges", part="ports", argv=("cat", "/etc/user_attr"), optional=True),
        Probe("privileges", part="ports", argv=("cat", "/etc/security/policy.conf"), optional=True),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
    ),
    interpret=saved_by("sunos"),
    reads=(
        Reads("privileged, ephemeral and reserved ports", "settings"),
        Reads("listening sockets", "sockets"),
        Reads("who holds them", "owners", "processes", by="`lsof -nP -i`", root="other users' processes"),
        Reads("who may bind", "settings", "privileges"),
        Reads("how far they reach", "addresses"),
        Reads("other network stacks", "zone", "zones", by="`zlogin ZONE ...` for what is in them", root="entering a zone"),
        Reads("names of ports", "services"),
    ),
)  # fmt: skip
