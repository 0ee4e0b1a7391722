"""The ephemeral range is not the Dynamic Ports that IANA keeps for it.

Why it matters
--------------
RFC 6335 section 6 keeps 49152-65535 for ports that nobody is assigned. A kernel that hands out lower ones can give a connection the port
that IANA assigned to a service, and one that leaves some out has fewer to choose from. Most systems ship another range, every Linux
among them: a site that wants IANA's turns this rule on.

Remedy
------
Set the range to the Dynamic Ports, where 16384 ports are enough for the connections of the host; then look for services that listen there.

Linux: `sysctl -w net.ipv4.ip_local_port_range="49152 65535"`, and the same line in a file of /etc/sysctl.d.

Darwin: `sysctl -w net.inet.ip.portrange.first=49152 net.inet.ip.portrange.last=65535`.

FreeBSD, DragonFly: `sysctl net.inet.ip.portrange.first=49152 net.inet.ip.portrange.last=65535`, and the same in /etc/sysctl.conf.

OpenBSD: `sysctl net.inet.ip.portfirst=49152 net.inet.ip.portlast=65535`, and the same in /etc/sysctl.conf.

NetBSD: `sysctl -w net.inet.ip.anonportmin=49152 net.inet.ip.anonportmax=65535`, and the same for net.inet6.ip6.

SunOS: `ipadm set-prop -p smallest_anon_port=49152 tcp`, and the same for udp; up to Solaris 10
`ndd -set /dev/tcp tcp_smallest_anon_port 49152`.

HP-UX: `ndd -set /dev/tcp tcp_smallest_anon_port 49152`, the same for udp, and both in /etc/rc.config.d/nddconf.

AIX: `no -p -o tcp_ephemeral_low=49152 -o udp_ephemeral_low=49152`.

Windows: `netsh int ipv4 set dynamicport tcp start=49152 num=16384`, and the same for udp and for ipv6.
"""

from collections.abc import Iterator

from auditor.model import Range
from auditor.port_scopes import ports_in_words
from auditor.rule import Breach, Case, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    if ports.role == "low":
        return  # handed out to the privileged alone, who ask for it
    dynamic = case.tables.iana_ranges["dynamic"]
    others, missing = ports.ports.minus([dynamic]), dynamic.minus([ports.ports])
    said = [f"hands out {ports_in_words(others)} outside the Dynamic Ports"] if others else []
    said += [f"leaves out {ports_in_words(missing)} of {'them' if others else 'the Dynamic Ports'}"] if missing else []
    if said:
        yield Breach(
            f"the kernel {', and '.join(said)}",
            observed=ports_in_words([ports.ports]),
            expected=ports_in_words([dynamic]),
            source="IANA Dynamic Ports, RFC 6335 section 6",
        )


RULE = Rule(each="range", severity="low", check=check)
