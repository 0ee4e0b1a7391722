"""A listener on a port whose protocol sends passwords or sessions readable.

Why it matters
--------------
Whoever sits on the network path reads and changes what passes. The rule goes by the port number, which is the usual service's; what
really runs there, the process in the finding tells. Ports whose protocols may speak STARTTLS are of the tier `usual`, which the
baseline leaves out, because that cannot be seen from outside.

Remedy
------
Replace the service by its encrypted successor (SSH for telnet and rsh, SFTP or FTPS for FTP), or bind it to 127.0.0.1. The parameter
`tiers` says which ports count. Where inetd holds the port, take the service out of /etc/inetd.conf and let inetd read it anew.

Linux: `systemctl disable --now UNIT`, a socket unit as well (telnet.socket); of inetd, `systemctl reload inetd`.
Where it was started by hand (its unit is session-N.scope or another .scope, or it has none), `ps -o lstart,ppid,user -p PID` and
`loginctl session-status N` tell by whom; `kill PID` ends it.

Darwin: `launchctl disable system/LABEL && launchctl bootout system/LABEL`

FreeBSD: `service NAME stop && sysrc NAME_enable=NO`; of inetd, `service inetd reload`.

OpenBSD: `rcctl stop NAME && rcctl disable NAME`; of inetd, `rcctl reload inetd`.

NetBSD: `/etc/rc.d/NAME stop && echo NAME=NO >> /etc/rc.conf`; of inetd, `/etc/rc.d/inetd reload`.

DragonFly: `/etc/rc.d/NAME stop && echo NAME_enable=NO >> /etc/rc.conf`; of inetd, `/etc/rc.d/inetd reload`.

SunOS: `svcadm disable FMRI`, as svc:/network/telnet:default; inetd's are among them.

HP-UX: `/sbin/init.d/NAME stop`, and its variable in /etc/rc.config.d to 0: `ch_rc -a -p VARIABLE=0`; of inetd, `inetd -c`.

AIX: Of inetd, `chsubserver -d -v telnet -p tcp6 -r inetd`; else `stopsrc -s SUBSYSTEM`, and its line out of /etc/rc.tcpip.

Windows: `sc.exe stop NAME`, then `sc.exe config NAME start= disabled`
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    tiers = case.parameters.get("tiers", ["always"])
    for notable in case.tables.notable("cleartext"):
        if notable.protocol != socket.protocol or socket.port not in notable.ports or notable.tier not in tiers:
            continue
        if socket.state == "bound" or not socket.exposed:
            return
        if notable.unless_executable and _held_by(socket, notable.unless_executable):
            return
        yield Breach(
            f"port {socket.port} is {notable.service} by number: {notable.why}",
            observed=f"reach {socket.reach}, held by {who(socket)}",
            expected="an encrypted service, or loopback only",
            source=notable.source,
        )
        return


def _held_by(socket: Socket, programs: tuple[str, ...]) -> bool:
    """Whether it has holders and each is one of `programs`, be it one whose file an upgrade replaced."""
    held = False
    for owner in socket.owners:
        if (owner.executable or "").removesuffix(" (deleted)") not in programs:
            return False
        held = True
    return held


RULE = Rule(each="socket", severity="medium", parameters={"tiers": list}, check=check)
