"""A daemon that is not root has its privileged ports already, and kept the right to take all others.

Why it matters
--------------
The capability is needed for the moment of the bind alone. Who takes such a daemon over can listen on any other privileged port of the
stack as well, whenever nobody holds it: on 25, 53 or 636, in the place of a service that is down. Root of a user namespace of its own is
not meant.

Remedy
------
Have somebody else open the sockets and hand them over, or give the capability back after the bind. Where a daemon opens its ports anew
each time that it is told to reload, it needs the right for good: accept that in the policy.

Linux: Let systemd open the ports (`systemctl edit --full --force NAME.socket`, with `ListenStream=80`) and take the right from the service:
`CapabilityBoundingSet=~CAP_NET_BIND_SERVICE` and no `AmbientCapabilities=`. A program that binds by itself drops the capability afterwards
with cap_set_proc(3) in each of its threads. This shows who has it: `grep -l 'CapPrm.*[4567c-f]..$' /proc/[0-9]*/status`
"""

from collections.abc import Iterator

from auditor.binding import Grant
from auditor.rule import Breach, Case, Rule


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    if grant.root or grant.uid == 0 or not grant.bound:
        return
    known = grant.shown.get("processes")
    many = "processes hold" if known is None else "1 process holds" if known == 1 else f"{known} processes hold"
    others = "any privileged port" if "ports" not in grant.shown else ", ".join(map(str, grant.ports))
    yield Breach(
        f"{grant.subject} holds {', '.join(grant.bound)} already, and may still bind {others}",
        observed=f"{many} CAP_NET_BIND_SERVICE: {'; '.join(grant.via)}",
        expected="the capability dropped after the bind, or sockets that are handed over",
        source=grant.source,
    )


RULE = Rule(each="grant", paths=("process",), severity="info", systems=("Linux",), check=check)
