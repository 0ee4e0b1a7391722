"""A port whose usual service asks for no password is reachable from other hosts.

Why it matters
--------------
Such services (the Docker API, Redis, memcached, MongoDB and others as shipped) do what anybody asks who can connect; several of them
hand over the whole host. They are found by scanners within hours. The rule goes by the port number and names the process; a password
that was set since cannot be seen.

Remedy
------
Bind the service to 127.0.0.1 or a Unix socket, or turn its authentication on and say so in a waiver with an end. A firewall alone is one
rule away from exposure. Until that is done, stop it.

Linux: `systemctl stop UNIT`; then `bind 127.0.0.1` (Redis), `-l 127.0.0.1` (memcached), `bindIp: 127.0.0.1` (MongoDB),
`network.host: 127.0.0.1` (Elasticsearch), no `-H tcp://` (Docker).
Where it was started by hand (its unit is session-N.scope or another .scope, or it has none), `ps -o lstart,ppid,user -p PID` and
`loginctl session-status N` tell by whom; `kill PID` ends it.

Darwin: `launchctl bootout system/LABEL`

FreeBSD: `service NAME stop`

OpenBSD: `rcctl stop NAME`

NetBSD, DragonFly: `/etc/rc.d/NAME stop`

SunOS: `svcadm disable -t FMRI`

HP-UX: `/sbin/init.d/NAME stop`

AIX: `stopsrc -s SUBSYSTEM`

Windows: `sc.exe stop NAME`
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    for notable in case.tables.notable("unauthenticated"):
        if notable.tier == "always" and notable.protocol == socket.protocol and socket.port in notable.ports:
            if socket.state != "bound" and socket.exposed:
                yield Breach(
                    f"port {socket.port}, {notable.service} by number, is reachable from other hosts: {notable.why}",
                    observed=f"reach {socket.reach}, held by {who(socket)}",
                    expected="loopback only",
                    source=notable.source,
                )
            return


RULE = Rule(each="socket", severity="high", stacks="host", check=check)
