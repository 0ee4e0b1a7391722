"""A rule of mac_portacl gives nobody its port.

Why it matters
--------------
mac_portacl can only refuse what the kernel would allow. While net.inet.ip.portrange.reservedhigh covers a port, only root may take it, and
a rule for a user does nothing: the service does not start without root, or runs as root because "the rule did not work". A rule for a port
above security.mac.portacl.port_high decides nothing either, and neither does any while the module is switched off. Who reads the list
believes in a grant, or a protection, that is not there.

Remedy
------
Take the rule out of security.mac.portacl.rules, or let it count.

FreeBSD: To let users have ports by rules, hand the reserved ports over to mac_portacl, which then keeps them, in this order:
`sysctl security.mac.portacl.enabled=1 security.mac.portacl.suser_exempt=1 security.mac.portacl.port_high=1023`, then
`sysctl net.inet.ip.portrange.reservedhigh=0`, and the same lines in /etc/sysctl.conf. mac_portacl must be there first (kldstat -m
mac_portacl): without it every user may take every low port.
"""

from collections.abc import Iterator

from auditor.binding import Grant
from auditor.rule import Breach, Case, Rule


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    if not grant.ports:
        has, *_, why = grant.via
        said = f"the rule {grant.subject} gives nobody a port: {why}"
        yield Breach(said, observed=has, expected="rules that decide something", source=grant.source)


RULE = Rule(each="grant", paths=("portacl",), severity="low", systems=("FreeBSD",), check=check)
