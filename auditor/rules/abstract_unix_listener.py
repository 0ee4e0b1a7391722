"""A Unix socket with an abstract name takes whoever comes.

Why it matters
--------------
An abstract name lies in no file system: no file mode and no folder keeps anybody from it. Every process in the same network namespace may
connect or send to it, those of containers that share it among them, and whoever is first has the name. The program itself has to ask who
is calling (SO_PEERCRED), which few do. Kernel-given names are mostly those of clients.

Remedy
------
Have the program listen at a path in a folder that only those may enter who need it, and give containers network namespaces of their own.

Linux: `ss -xlp | grep ' @'` lists them with their processes; in a socket unit `ListenStream=/run/NAME.sock` with `SocketMode=0660` and
`SocketGroup=GROUP` in place of `ListenStream=@NAME`
"""

from collections.abc import Iterator

from auditor.binding import Endpoint
from auditor.rule import Breach, Case, Rule, who

_USES = {"dgram": "send to"}


def check(case: Case, endpoint: Endpoint) -> Iterator[Breach]:
    if endpoint.kind == "unix" and endpoint.abstract:
        use = _USES.get(endpoint.protocol, "connect to")
        yield Breach(
            f"every process in this network namespace may {use} {endpoint.path} ({endpoint.protocol}): no file guards an abstract name",
            observed=who(endpoint),
            expected="a path that file modes guard",
            source=endpoint.source,
        )


RULE = Rule(each="endpoint", severity="info", systems=("Linux",), needs=("endpoints",), check=check)
