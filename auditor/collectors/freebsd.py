"""FreeBSD: sysctl, sockstat and netstat, with procstat and ps for who a process is and jls for the jails that have a stack of their own."""

from __future__ import annotations

from auditor.collector import Collector, Probe, Reads
from auditor.collectors._saved_by import saved_by

RANGES = tuple(
    f"net.inet.ip.portrange.{name}"
    for name in ("first", "last", "hifirst", "hilast", "lowfirst", "lowlast", "reservedlow", "reservedhigh", "randomized")
)
PORTACL = tuple(f"security.mac.portacl.{name}" for name in ("enabled", "port_high", "suser_exempt", "autoport_exempt", "rules"))
NTPD = ("security.mac.ntpd.enabled", "security.mac.ntpd.uid")
VIEW = ("security.bsd.see_other_uids", "security.bsd.see_other_gids", "security.bsd.see_jail_proc",
        "security.jail.jailed", "security.jail.vnet")  # fmt: skip


COLLECTOR = Collector(
    systems=("FreeBSD",),
    probes=(
        *(Probe("settings", part="ports", argv=("sysctl", name)) for name in (*RANGES, *VIEW)),
        *(Probe("settings", part="ports", argv=("sysctl", name), optional=True) for name in (*PORTACL, *NTPD)),
        Probe("sockets", part="ports", argv=("sockstat", "-46l")),
        Probe("netstat", part="ports", argv=("netstat", "-anW", "-f", "inet")),
        Probe("netstat", part="ports", argv=("netstat", "-anW", "-f", "inet6")),
        Probe("processes", part="ports", argv=("ps", "-axwwo", "pid,uid,user,comm")),
        Probe("executables", part="ports", argv=("procstat", "-ab")),
        Probe("addresses", part="ports", argv=("ifconfig", "-a")),
        Probe("jails", part="ports", argv=("jls", "-n", "jid", "name", "vnet")),
        Probe("jails-may-bind", part="ports", argv=("jls", "-n", "jid", "name", "allow.reserved_ports"), optional=True),
        Probe("services", part="ports", argv=("cat", "/etc/services")),
        Probe("persisted", part="persisted", argv=("cat", "/etc/sysctl.conf"), optional=True),
        Probe("persisted", part="persisted", argv=("cat", "/etc/sysctl.conf.local"), optional=True),
        Probe("psutil", part="cross-check", ask="auditor.live.witness:ask", opt_in=True),
    ),
    interpret=saved_by("freebsd"),
    reads=(
        Reads("privileged, ephemeral and reserved ports", "settings"),
        Reads("listening sockets", "sockets", "netstat", root="those of other users, where security.bsd.see_other_uids is 0"),
        Reads("who holds them", "sockets", "processes", "executables", root="the executables of other users' processes"),
        Reads("who may bind", "settings", "jails", "jails-may-bind"),
        Reads("how far they reach", "addresses"),
        Reads("other network stacks", "jails", by="`jexec JAIL ...` for what is in them", root="entering a jail"),
        Reads("names of ports", "services"),
        Reads("settings of the next boot", "persisted"),
        Reads("a second witness", "psutil", by="psutil"),
    ),
)
