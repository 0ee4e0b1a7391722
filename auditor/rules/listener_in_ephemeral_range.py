"""A listener's port is one that the kernel may hand out to anybody.

Why it matters
--------------
While the service runs its port is safe. When it restarts, or before it starts at boot, the kernel may give the port to an outgoing
connection or to any program that asks for any port, and the service fails with "address already in use". Where the port is fixed (a
socket unit or the policy names it) that is a fault in waiting; where the kernel chose the port itself there is nothing to protect.

Remedy
------
Keep the port from being handed out: `sysctl -w net.ipv4.ip_local_reserved_ports=PORT` (it replaces the whole list: add to what is
there), and the same line in a file of /etc/sysctl.d. Or move the service to a port outside the range.
"""

from collections.abc import Iterator

from auditor.model import PortRange, Range, Socket
from auditor.rule import Breach, Case, Rule

_FOLD = "ports of the ephemeral range, not known to be fixed"


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    for ephemeral in case.stack.ephemeral:
        if _same(ephemeral, socket) and socket.port in ephemeral.ports and not _reserved(case, socket):
            fixed = _fixed_by(case, socket)
            yield Breach(
                f"port {socket.port} is fixed by {fixed}, and the kernel may hand it out while the service is not running"
                if fixed
                else "the kernel may hand out these ports once their listeners are gone; it may have chosen them itself",
                observed=_arithmetic(case, socket.port, ephemeral) if fixed else None,
                expected=f"port {socket.port} outside {ephemeral.ports}, or reserved" if fixed else "fixed ports reserved",
                source=case.stack.ephemeral.source,
                severity="low" if fixed else "info",
                fold=None if fixed else _FOLD,
            )
            return


def _same(ports: Range, socket: Socket) -> bool:
    return ports.protocol in ("any", socket.protocol) and ports.family in ("any", socket.family)


def _reserved(case: Case, socket: Socket) -> bool:
    """Whether it is reserved; a gap in the reserved ports raises unless the port was seen among them."""
    return any(_same(ports, socket) and socket.port in ports.ports for ports in case.stack.reserved)


def _fixed_by(case: Case, socket: Socket) -> str | None:
    if socket.shown.get("socket_unit"):
        return str(socket.socket_unit)
    for entry in (*case.policy.approved, *case.policy.required):
        if any(socket.port in ports and ports != PortRange(0, ports.last) for ports in entry.ports):
            return f"the policy ({entry.origin})"
    return None


def _arithmetic(case: Case, port: int, ephemeral: Range) -> str:
    reserved = [ports.ports for ports in case.stack.reserved]
    left = sum(len(part) for part in ephemeral.ports.minus(reserved))
    kept = len(ephemeral.ports) - left
    place = f"{ephemeral.first} <= {port} <= {ephemeral.last}"
    return f"{place}; {len(ephemeral.ports)} ports, {kept} of them reserved, {port} is not: one of {left} that may be handed out"


RULE = Rule(each="socket", severity="low", check=check)
