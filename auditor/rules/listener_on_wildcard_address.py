"""A listener accepts connections on every address of its host.

Why it matters
--------------
Whatever interface is added later (a VPN, a management network, a container bridge) the service is on it too, without anybody having
decided so. Most servers do this on purpose; the rule is off in the baseline policy.

Remedy
------
Bind the service to the addresses it is meant for (`ListenAddress`, `bind`, `listen 10.0.0.5:443`), or to 127.0.0.1 where only this host
uses it.
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule

_WILDCARDS = ("0.0.0.0", "::", "::ffff:0.0.0.0", "*")  # noqa: S104 - names them, binds nothing


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    if socket.address not in _WILDCARDS or socket.state == "bound":
        return
    if not socket.shown.get("kernel_given") and not socket.shown.get("device"):
        yield Breach(
            f"{socket} accepts whatever address it is reached by",
            observed=f"bound to {socket.address}, reach {socket.shown.get('reach', 'unknown')}",
            expected="bound to the addresses it is meant for",
        )


RULE = Rule(each="socket", severity="low", check=check)
