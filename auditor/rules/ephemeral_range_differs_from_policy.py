"""The kernel hands out ports that the policy does not allow for that.

Why it matters
--------------
Firewalls, service ports and reserved lists are planned around the range that the policy names. A kernel that hands out other ports
can take a service's port before the service starts, or send from ports that a firewall drops.

Remedy
------
Set the range that the policy names, FIRST to LAST, now and for the next boot. Where the host is right, change `ephemeral: expect` in the
policy.

Linux: `sysctl -w net.ipv4.ip_local_port_range="FIRST LAST"`, then
`sysctl net.ipv4.ip_local_port_range > /etc/sysctl.d/60-ephemeral-ports.conf` for the next boot.

Darwin: `sysctl -w net.inet.ip.portrange.first=FIRST net.inet.ip.portrange.last=LAST`, of the high range hifirst and hilast; a launch
daemon with this line sets it at each start.

FreeBSD, DragonFly: `sysctl net.inet.ip.portrange.first=FIRST net.inet.ip.portrange.last=LAST`, of the high range hifirst and hilast; and
the same, a line each, in /etc/sysctl.conf.

OpenBSD: `sysctl net.inet.ip.portfirst=FIRST net.inet.ip.portlast=LAST`, of the high range porthifirst and porthilast; and the same, a
line each, in /etc/sysctl.conf.

NetBSD: `sysctl -w net.inet.ip.anonportmin=FIRST net.inet.ip.anonportmax=LAST`, of IPv6 net.inet6.ip6.anonportmin and anonportmax; and the
same, a line each, in /etc/sysctl.conf.

SunOS: `ipadm set-prop -p smallest_anon_port=FIRST tcp && ipadm set-prop -p largest_anon_port=LAST tcp`, and so for udp and sctp. Up to
Solaris 10, `ndd -set /dev/tcp tcp_smallest_anon_port FIRST` in a script of the boot.

HP-UX: `ndd -set /dev/tcp tcp_smallest_anon_port FIRST && ndd -set /dev/tcp tcp_largest_anon_port LAST`, and so for udp; for the next boot
as TRANSPORT_NAME, NDD_NAME and NDD_VALUE in /etc/rc.config.d/nddconf.

AIX: `no -p -o tcp_ephemeral_low=FIRST -o tcp_ephemeral_high=LAST`, and so for udp; -p keeps it at the next boot.

Windows: `netsh int ipv4 set dynamicport tcp start=FIRST num=COUNT`, where COUNT is LAST - FIRST + 1; and so for udp and ipv6. It is kept.

FTX: From 3.4 on, `ndd -set /dev/tcp tcp_smallest_anon_port FIRST`, and tcp_largest_anon_port.
"""

from collections.abc import Iterator

from auditor.model import Range
from auditor.policy_expected import VENDOR_DEFAULT, Expectation
from auditor.port_range import PortRange
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    expectation = case.policy.ephemeral.of(case.snapshot.system) if case.policy.ephemeral else None
    if expectation is None:
        raise NotChecked(f"the policy expects no ephemeral range of {case.snapshot.system}")
    allowed = _allowed(case, ports, expectation)
    if outside := ports.ports.minus(allowed):
        yield Breach(
            f"the kernel hands out {', '.join(map(str, outside))}, which the policy does not allow",
            observed=str(ports.ports),
            expected=", ".join(map(str, allowed)),
            source=f"policy {expectation.origin}",
        )


def _allowed(case: Case, ports: Range, expectation: Expectation) -> list[PortRange]:
    if expectation.ranges is not None:
        return list(expectation.ranges)
    if expectation.table and expectation.table != VENDOR_DEFAULT:
        return case.tables.range_named(expectation.table)
    return case.shipped_ephemeral(ports)[1]


RULE = Rule(each="range", severity="medium", needs=("ephemeral",), check=check)
