"""A listener accepts connections on every address of its host.

Why it matters
--------------
Whatever interface is added later (a VPN, a management network, a container bridge) the service is on it too, without anybody having
decided so. Most servers do this on purpose; the rule is off in the baseline policy.

Remedy
------
Bind the service to the addresses it is meant for, or to 127.0.0.1 where only this host uses it: `ListenAddress 10.0.0.5` (sshd),
`listen 10.0.0.5:443 ssl;` (nginx), `bind 127.0.0.1` (Redis), `listen_addresses = 'localhost'` (PostgreSQL). Then restart it.

Linux: Of a socket unit, `systemctl edit UNIT.socket` with an empty `ListenStream=` and then `ListenStream=10.0.0.5:443`
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule

_WILDCARDS = ("0.0.0.0", "::", "::ffff:0.0.0.0", "*")  # noqa: S104 - names them, binds nothing


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    if socket.address not in _WILDCARDS or socket.state == "bound":
        return
    if not _chosen_by_the_kernel(socket) and not socket.device:
        yield Breach(
            f"{socket} accepts whatever address it is reached by",
            observed=f"bound to {socket.address}, reach {socket.shown.get('reach', 'unknown')}",
            expected="bound to the addresses it is meant for",
        )


def _chosen_by_the_kernel(socket: Socket) -> bool:
    """Only a datagram socket that no unit declares may be a client on a port that it did not ask for."""
    return socket.protocol == "udp" and not socket.shown.get("socket_unit") and socket.kernel_given


RULE = Rule(each="socket", severity="low", check=check)
