"""The ephemeral port range is not the one the vendor ships.

Why it matters
--------------
Somebody changed it, for a reason that is seldom written down: load, a firewall, an old tuning guide. Service ports that were safe by
default may now be handed out, or the other way round. This is inventory: it says that the host differs, not that it is wrong.

Remedy
------
Find who set it, and either go back to what the vendor ships (the finding names it), or state the range in the policy
(`ephemeral: {expect: 20000-60999}`), with the reason in a comment.

Linux: `grep -rs ip_local_port_range /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d` finds it;
`sysctl -w net.ipv4.ip_local_port_range="32768 60999"` goes back (60999 since 4.2, 61000 before).

Darwin: `grep portrange /etc/sysctl.conf` finds it; `sysctl -w net.inet.ip.portrange.first=49152 net.inet.ip.portrange.last=65535` goes
back.

FreeBSD: `grep portrange /etc/sysctl.conf` finds it; `sysctl net.inet.ip.portrange.first=10000 net.inet.ip.portrange.last=65535` goes back
(since 8.0).

OpenBSD: `grep net.inet.ip.port /etc/sysctl.conf` finds it; `sysctl net.inet.ip.portfirst=1024 net.inet.ip.portlast=49151` goes back.

NetBSD: `grep anonport /etc/sysctl.conf` finds it; `sysctl -w net.inet.ip.anonportmin=49152 net.inet.ip.anonportmax=65535` goes back.

DragonFly: `grep portrange /etc/sysctl.conf` finds it; `sysctl net.inet.ip.portrange.first=1024 net.inet.ip.portrange.last=5000` goes
back.

SunOS: `ipadm reset-prop -p smallest_anon_port tcp && ipadm reset-prop -p largest_anon_port tcp` goes back; and so for udp and sctp.

HP-UX: `grep anon_port /etc/rc.config.d/nddconf` finds it; `ndd -set /dev/tcp tcp_smallest_anon_port 49152` goes back; and so for udp.

AIX: `no -p -o tcp_ephemeral_low=32768 -o tcp_ephemeral_high=65535` goes back; and so for udp.

Windows: `netsh int ipv4 set dynamicport tcp start=49152 num=16384` goes back (since Vista and Server 2008); and so for udp and ipv6.
"""

from collections.abc import Iterator

from auditor.model import Range
from auditor.rule import Breach, Case, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    record, shipped = case.shipped_ephemeral(ports)
    if ports.ports not in shipped:
        yield Breach(
            "the ephemeral range is not the vendor's default",
            observed=f"{ports.ports} ({len(ports.ports)} ports)",
            expected=" or ".join(f"{one} ({len(one)} ports)" for one in shipped),
            source=f"vendor table, {record}",
        )


RULE = Rule(each="range", severity="info", check=check)
