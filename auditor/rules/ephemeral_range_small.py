r"""The kernel has few ports to hand out.

Why it matters
--------------
Each outgoing connection to one destination takes a port of its own. With few of them a busy client or proxy runs out, and connections
fail with EADDRNOTAVAIL; and a port that is one of few is easy to guess (RFC 6056 asks for as large a range as possible).

Remedy
------
Widen the range, away from service ports, and write it where the next boot reads it; or keep fewer ports reserved. The parameter
`at_least` says how many ports are enough.

Linux: `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`, then
`sysctl net.ipv4.ip_local_port_range > /etc/sysctl.d/60-ephemeral-ports.conf` for the next boot.

Darwin: `sysctl -w net.inet.ip.portrange.first=49152 net.inet.ip.portrange.last=65535`; a launch daemon with this line sets it at each
start.

FreeBSD: `sysctl net.inet.ip.portrange.first=10000 net.inet.ip.portrange.last=65535`, and the same, a line each, in /etc/sysctl.conf.

OpenBSD: `sysctl net.inet.ip.portfirst=1024 net.inet.ip.portlast=49151`, and the same, a line each, in /etc/sysctl.conf.

NetBSD: `sysctl -w net.inet.ip.anonportmin=49152 net.inet.ip.anonportmax=65535`, and the same, a line each, in /etc/sysctl.conf; IPv6 has
net.inet6.ip6.anonportmin and anonportmax.

DragonFly: As shipped it is 1024-5000: `sysctl net.inet.ip.portrange.first=49152 net.inet.ip.portrange.last=65535`, and the same, a line
each, in /etc/sysctl.conf.

SunOS: `ipadm set-prop -p smallest_anon_port=32768 tcp && ipadm set-prop -p largest_anon_port=65535 tcp`, and so for udp and sctp.

HP-UX: `ndd -set /dev/tcp tcp_smallest_anon_port 49152 && ndd -set /dev/tcp tcp_largest_anon_port 65535`, and so for udp; for the next
boot in /etc/rc.config.d/nddconf.

AIX: `no -p -o tcp_ephemeral_low=32768 -o tcp_ephemeral_high=65535`, and so for udp.

Windows: `netsh int ipv4 set dynamicport tcp start=49152 num=16384`, and so for udp and ipv6; before Vista and Server 2008
`reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v MaxUserPort /t REG_DWORD /d 65534` and a restart.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Range
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    least = case.parameters.get("at_least")
    if least is None:
        raise NotChecked("the policy gives no `at_least` for it")
    if ports.role == "low":
        return  # small everywhere: handed out to the privileged alone, who ask for it
    left = min(_left(case, ports, protocol, family) for protocol, family in ports.pairs)
    if left < least:
        if left + max(case.stack.ephemeral.ports_in_doubt(*pair) for pair in ports.pairs) >= least:
            raise UnknownFact(f"only {left} ports are handed out for certain; whether others are is not known")
        yield Breach(
            f"only {left} ports can be handed out",
            observed=f"{ports.ports} ({len(ports.ports)} ports) minus {len(ports.ports) - left} reserved = {left}",
            expected=f"at least {least}",
            source="policy, rules: ephemeral-range-small",
        )


def _left(case: Case, ports: Range, protocol: str, family: str) -> int:
    """How many ports of the range can be handed out for one protocol and family."""
    reserved = [one.ports for one in case.stack.reserved.about(protocol, family) if one.speaks_of(protocol, family)]
    return sum(len(part) for part in ports.ports.minus(reserved))


RULE = Rule(each="range", severity="low", parameters={"at_least": int}, check=check)
