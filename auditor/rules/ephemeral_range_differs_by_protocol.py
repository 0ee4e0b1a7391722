"""TCP and UDP, or IPv4 and IPv6, are given different ephemeral ports.

Why it matters
--------------
A firewall rule, a reserved list or a choice of service ports that was made for one of them does not hold for the other. Where the two are
set apart, somebody mostly changed one and forgot the other.

Remedy
------
Set both alike, or write down why they differ.

NetBSD: `sysctl -w net.inet6.ip6.anonportmin=49152 net.inet6.ip6.anonportmax=65535`, as net.inet.ip has them.

SunOS: `ipadm set-prop -p smallest_anon_port=32768 udp`, as tcp has it; up to Solaris 10
`ndd -set /dev/udp udp_smallest_anon_port 32768`.

HP-UX, FTX: `ndd -set /dev/udp udp_smallest_anon_port 49152`, as tcp has it.

AIX: `no -p -o udp_ephemeral_low=32768 -o udp_ephemeral_high=65535`, as tcp has them.

Windows: `netsh int ipv6 set dynamicport udp start=49152 num=16384`, as the others have it; `netsh int ipv4 show dynamicport tcp` shows it.
"""

from collections.abc import Iterator
from functools import partial

from auditor.facts import UnknownFact
from auditor.model import Stack
from auditor.port_range import PortRange
from auditor.port_scopes import EVERY_PAIR, by_scope, ports_in_words
from auditor.rule import Breach, Case, Rule

_ROLES = {"default": "ephemeral ports", "high": "ephemeral ports of the high range"}


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    """What only the privileged ask for (role low) is not compared."""
    why: UnknownFact | None = None
    for role, words in _ROLES.items():
        first: tuple[str, list[PortRange]] | None = None
        try:
            for scope, ports in by_scope(EVERY_PAIR, partial(_given, stack, role)):
                if first is not None:
                    yield Breach(
                        f"{first[0]} and {scope} are given different {words}",
                        observed=f"{first[0]}: {ports_in_words(first[1])}; {scope}: {ports_in_words(ports)}",
                        expected="the same of each protocol and family",
                        source=stack.ephemeral.source,
                    )
                first = first or (scope, ports)
        except UnknownFact as unknown:
            why = why or unknown
    if why is not None:
        raise why


def _given(stack: Stack, role: str, protocol: str, family: str) -> list[PortRange]:
    ranges = stack.ephemeral.about(protocol, family)
    return [one.ports for one in ranges if one.role == role and one.speaks_of(protocol, family)]


RULE = Rule(each="stack", severity="low", check=check)
