"""Every user may use a Unix socket.

Why it matters
--------------
Where a socket's file may be written by everybody, and every folder above it be searched, every user and every program that was broken into
may talk to the service behind it. Some are meant so and ask who is calling, as D-Bus and the journal do; behind others (container
runtimes, databases, agents) stands a program that does as root whatever it is told.

Remedy
------
Find out whether the service asks who is calling. Where it does not, let only the group that needs it write to the socket, or search the
folder that it lies in.

Linux: `ls -l PATH` and `ss -xlp src PATH` tell whose it is; where a unit opens it, `systemctl edit UNIT.socket` and `SocketMode=0660`
with `SocketGroup=GROUP` below `[Socket]`
"""

from collections.abc import Iterator

from auditor.binding import Endpoint
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, endpoint: Endpoint) -> Iterator[Breach]:
    if endpoint.kind == "unix" and not endpoint.abstract and endpoint.open_to_all:
        mode = endpoint.file.mode if endpoint.file else "?"
        unit = endpoint.shown.get("socket_unit")
        yield Breach(
            f"every user may write to {endpoint.path} (mode {mode}) and search every folder above it",
            observed=who(endpoint) + (f"; declared by {unit}" if unit else ""),
            expected="a socket that only those may use who need it",
            source=endpoint.source,
        )


RULE = Rule(each="endpoint", severity="info", systems=("Linux",), needs=("endpoints",), check=check)
