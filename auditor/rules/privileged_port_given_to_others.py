"""Somebody may take privileged ports whom the policy does not name.

Why it matters
--------------
The policy names who may hold a privileged port (`privileged: granted_to`). Whoever else has a way to take one (a capability in a running
process, a service that is started with it, authbind, a socket that systemd opens, a user namespace that owns the stack) can stand where an
administrator's service is believed to be, as soon as that port is free. Who holds one already is the rule privileged-port-held-by-others;
files that give the right to whoever runs them, port-granting-file-not-approved; a lowered threshold, privileged-range-lowered.

Remedy
------
Take the way away, or name who uses it in `privileged: granted_to`, by executable, user or unit. An entry that asks for an executable names
no way that any program of a user can go.

Linux: `systemctl edit UNIT` takes `AmbientCapabilities=` from a service; `rm /etc/authbind/byport/PORT` a port from authbind's users;
`port-auditor port PORT` lists each way with its reasons.

FreeBSD: `sysctl security.mac.portacl.rules` shows who was granted a port.

SunOS: `usermod -K defaultpriv=basic USER` takes net_privaddr away.
"""

from collections.abc import Iterator
from functools import partial

from auditor.binding import Grant
from auditor.model import Socket
from auditor.owner import Owner
from auditor.policy_wants import any_of
from auditor.rule import Breach, Case, Rule


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    if grant.root or grant.shown.get("ports") == []:
        return
    entries = case.policy.granted_to or ()
    taken = Socket(owner_state="known", owners_seen=[_taker(grant)])
    if not grant.everyone and any_of(partial(entry.matches, taken, case.stack) for entry in entries):
        return
    ports = ", ".join(map(str, grant.ports)) if "ports" in grant.shown else "privileged ports"
    yield Breach(
        f"{grant.scope} may take {ports}, and the policy names no such holder",
        observed="; ".join(grant.via),
        expected=f"one of the {len(entries)} holders that the policy names" if len(entries) != 1 else "the holder that the policy names",
        source=f"policy {case.policy.origin('privileged', 'granted_to')}",
    )


def _taker(grant: Grant) -> Owner:
    """Who would hold the port: of a way that any program may go, no executable, and so of units and containers."""
    known = {key: grant.shown.get(key) for key in ("executable", "unit", "container")}
    return Owner(**known, **{key: grant.shown[key] for key in ("uid", "user") if grant.shown.get(key) is not None})


RULE = Rule(
    each="grant", severity="medium", needs=("granted_to",),
    paths=("process", "unit", "socket-unit", "authbind", "namespace-owner", "portacl", "privilege"), check=check,
)  # fmt: skip
