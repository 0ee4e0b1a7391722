"""Every user of the host may take a privileged port by authbind.

Why it matters
--------------
authbind lets whoever may execute a file in /etc/authbind bind its port, through a helper that runs as root. Advice that is often copied
(`chmod 777 byport/80`) gives that to every local user, and so to every service that is broken into: on port 80 or 443 when the real
service is down, or on 25 or 514 to collect what others send. One user or one group is enough. Where everybody may write to a folder of
/etc/authbind, everybody may take any port.

Remedy
------
Give the file to the one user who needs the port, or to a group, and take the right to execute from everybody else.

Linux: `chown root:GROUP /etc/authbind/byport/80 && chmod 0710 /etc/authbind/byport/80`; of a folder,
`chown -R root:root /etc/authbind && chmod go-w /etc/authbind /etc/authbind/by*`. A systemd unit needs no authbind:
`AmbientCapabilities=CAP_NET_BIND_SERVICE`
"""

from collections.abc import Iterator

from auditor.binding import Grant
from auditor.port_range import PortRange
from auditor.rule import Breach, Case, Rule


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    if not grant.everyone:
        return
    ports = [part for one in case.stack.privileged for ports in grant.ports if (part := ports.overlap(one.ports))]
    if not ports:
        return
    fact, *_ = grant.via
    yield Breach(
        f"{grant.scope} may bind {', '.join(map(str, PortRange.joined(ports)))} through authbind",
        observed=fact,
        expected="for one user or one group",
        source=grant.source,
    )


RULE = Rule(each="grant", paths=("authbind",), severity="high", systems=("Linux",), check=check)
