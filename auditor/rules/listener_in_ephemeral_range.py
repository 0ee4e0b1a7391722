"""A listener's port is one that the kernel may hand out to anybody.

Why it matters
--------------
While the service runs its port is safe. When it restarts, or before it starts at boot, the kernel may give the port to an outgoing
connection or to any program that asks for any port, and the service fails with "address already in use". Where the port is fixed (a
socket unit or the policy names it) that is a fault in waiting; where the kernel chose the port itself there is nothing to protect.

Remedy
------
Keep the port from being handed out, now and for the next boot, or move the service to a port outside the range.

Linux: The list of reserved ports is set as a whole; this adds one to it:
`old=$(cat /proc/sys/net/ipv4/ip_local_reserved_ports); sysctl -w net.ipv4.ip_local_reserved_ports="${old:+$old,}PORT"`. This keeps it for
the next boot: `sysctl net.ipv4.ip_local_reserved_ports > /etc/sysctl.d/60-reserved-ports.conf`

Darwin: There is no such list. Let the range begin above the port: `sysctl -w net.inet.ip.portrange.first=FIRST`

FreeBSD, DragonFly: There is no such list. Let the range begin above the port: `sysctl net.inet.ip.portrange.first=FIRST`, and the same in
/etc/sysctl.conf.

OpenBSD: `sysctl net.inet.tcp.baddynamic=+PORT`, and `echo net.inet.tcp.baddynamic=+PORT >> /etc/sysctl.conf`; of UDP
net.inet.udp.baddynamic.

NetBSD: `sysctl -w net.inet.ip.anonportalgo.reserve=PORT`, which sets the whole list: add to what is there. IPv6 has
net.inet6.ip6.anonportalgo.reserve.

SunOS: Let the range begin above the port: `ipadm set-prop -p smallest_anon_port=FIRST tcp`, and so for udp. A port of extra_priv_ports is
not handed out either, but then needs a privilege.

HP-UX: Let the range begin above the port: `ndd -set /dev/tcp tcp_smallest_anon_port FIRST`, and so for udp; for the next boot in
/etc/rc.config.d/nddconf.

AIX: Let the range begin above the port: `no -p -o tcp_ephemeral_low=FIRST`, and so for udp.

Windows: While the service is stopped,
`netsh int ipv4 add excludedportrange protocol=tcp startport=PORT numberofports=1 store=persistent`, and so for udp and ipv6.
"""

from collections.abc import Iterator

from auditor.model import Range, Socket
from auditor.rule import Breach, Case, Rule

_FOLD = "ports of the ephemeral range, not known to be fixed"


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    served = _served(socket)
    for ephemeral in case.stack.ephemeral.about(socket.protocol, served, socket.port):
        if ephemeral.role == "low" or not _speaks_of(ephemeral, socket):
            continue
        if any(_keeps(reserved, ephemeral, socket) for reserved in case.stack.reserved.about(socket.protocol, served)):
            continue
        fixed = _fixed_by(case, socket, ephemeral)
        if not fixed and _left_to_the_kernel(case, socket):
            return
        yield Breach(
            f"port {socket.port} is fixed by {fixed}, and the kernel may hand it out while the service is not running"
            if fixed
            else "the kernel may hand out these ports once their listeners are gone; it may have chosen them itself",
            observed=_arithmetic(case, socket, ephemeral) if fixed else None,
            expected=f"port {socket.port} outside {ephemeral.ports}, or reserved" if fixed else "fixed ports reserved",
            source=case.stack.ephemeral.source,
            severity="low" if fixed else "info",
            fold=None if fixed else _FOLD,
        )
        return


def _served(socket: Socket) -> str:
    """The family that the socket serves; `any` where it is, or may be, both."""
    dual = socket.address == "::" and socket.shown.get("v6only") is not True
    return "any" if dual or socket.family not in ("ipv4", "ipv6") else socket.family


def _speaks_of(ports: Range, socket: Socket) -> bool:
    """Whether the socket's port is in a range for its protocol and a family that it serves; a dual-stack one serves both."""
    if socket.port not in ports.ports or ports.protocol not in ("any", socket.protocol):
        return False
    if ports.family in ("any", socket.family) or socket.family not in ("ipv4", "ipv6"):
        return True
    return ports.family == "ipv4" and socket.address == "::" and not socket.v6only


def _keeps(reserved: Range, ephemeral: Range, socket: Socket) -> bool:
    """Whether a reserved range keeps the socket's port from being handed out of `ephemeral`, in each family that it serves."""
    if not _speaks_of(reserved, socket) or reserved.family in ("any", ephemeral.family):
        return _speaks_of(reserved, socket)
    return ephemeral.family == "any" and reserved.family == socket.family and (socket.address != "::" or socket.v6only)


def _fixed_by(case: Case, socket: Socket, ephemeral: Range) -> str | None:
    if socket.shown.get("socket_unit"):
        return str(socket.socket_unit)
    for entry in (*case.policy.approved, *case.policy.required):
        if socket.protocol in entry.wanted.get("protocol", (socket.protocol,)):
            for ports in entry.ports:
                if socket.port in ports and ephemeral.ports.minus([ports]):  # who names the whole range fixes no port
                    return f"the policy ({entry.origin})"
    return None


def _left_to_the_kernel(case: Case, socket: Socket) -> bool:
    """Whether the policy approves it on whatever port the kernel gives it."""
    return any(entry.kernel_given and entry.matches(socket, case.stack) for entry in case.policy.approved_for(socket))


def _arithmetic(case: Case, socket: Socket, ephemeral: Range) -> str:
    port, served = socket.port, _served(socket)
    family = served if ephemeral.family == "any" else ephemeral.family
    reserved = [ports.ports for ports in case.stack.reserved.about(socket.protocol, served) if ports.speaks_of(socket.protocol, family)]
    left = sum(len(part) for part in ephemeral.ports.minus(reserved))
    kept = len(ephemeral.ports) - left
    place = f"{ephemeral.first} <= {port} <= {ephemeral.last}"
    return f"{place}; {len(ephemeral.ports)} ports, {kept} of them reserved, {port} is not: one of {left} that may be handed out"


RULE = Rule(each="socket", severity="low", check=check)
