"""An approved listener is on a port that IANA assigned under another name.

Why it matters
--------------
Who reads a firewall rule, a scan or a log by the IANA name takes this listener for something else. The registry's name says nothing of what
listens: many well-known programs use a port that was assigned to another one (IANA calls 9100 pdl-datastream).

Remedy
------
Move the service to a port that nobody was assigned (`port-auditor suggest-port`), or call the entry of `approved` by the IANA name
where it is just that.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.policy_entries import Entry
from auditor.rule import Breach, Case, Rule, those


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    entry = case.tables.iana(socket.port, socket.protocol)
    if entry.status != "assigned" or socket.shown.get("kernel_given"):
        return
    named: list[Entry] = []
    unsure: UnknownFact | None = None
    try:
        named.extend(one for one in those(case.policy.approved_for(socket), lambda one: one.matches(socket, case.stack)) if one.name)
    except UnknownFact as reason:
        unsure = reason
    if {one.name.lower() for one in named if one.name} & {name.lower() for name in entry.names}:
        return
    if unsure is not None:
        raise unsure
    if named:
        yield Breach(
            f"IANA calls {socket.port}/{socket.protocol} {', '.join(entry.names)}; the policy calls it {', '.join(map(str, named))}",
            observed=f"approved as {', '.join(f'{one} ({one.origin})' for one in named)}",
            expected=f"IANA name {', '.join(entry.names)}",
            source=f"IANA registry of {case.tables.files['iana-services'].stated('date')}",
        )


RULE = Rule(each="socket", severity="low", needs=("approved",), check=check)
