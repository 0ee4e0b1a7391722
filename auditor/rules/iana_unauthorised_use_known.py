"""A listener's port is one of which IANA knows unauthorised use.

Why it matters
--------------
The registry notes where a port is used by somebody to whom it was not assigned: a second service can be met there, often one that spread
before anybody asked for a port. What listens may be either; a firewall rule by the IANA name lets both through.

Remedy
------
Look at which program it is, and move it to a port that nobody else takes: `port-auditor suggest-port` finds one.

Linux: `ss -Htulpne 'sport = :PORT'`
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    entry = case.tables.iana(socket.port, socket.protocol)
    if entry.unauthorised and not socket.shown.get("kernel_given"):
        yield Breach(
            f"IANA knows unauthorised use of port {socket.port}/{socket.protocol}, which is {entry.status}"
            + (f" to {entry.names[0]}" if entry.names else ""),
            observed=who(socket),
            expected="a port without reported unauthorised use",
            source=f"IANA registry of {case.tables.files['iana-services'].stated('date')}",
        )


RULE = Rule(each="socket", severity="low", check=check)
