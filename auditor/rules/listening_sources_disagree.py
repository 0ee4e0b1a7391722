"""Two sources do not name the same listeners.

Why it matters
--------------
The kernel was asked twice, by different ways (sock_diag, and psutil over /proc/net). Where they differ, one of them does not see, or is
made not to see: a defect, a race, or something that hides a port.

Remedy
------
Repeat the audit: `port-auditor audit --cross-check`. What comes and goes disappears. A difference that stays needs a look from outside
the host, `nmap -Pn -p- HOST`, and a report to the authors of this tool.

Linux: Another way to ask: `ss -H -tulnpe`, of a copy brought along.

Darwin: Another way to ask: `sudo lsof -nP -iTCP -sTCP:LISTEN`

FreeBSD: Another way to ask: `netstat -anW -f inet && netstat -anW -f inet6`

OpenBSD: Another way to ask: `fstat -n | grep internet`

NetBSD: Another way to ask: `netstat -an -f inet && netstat -anv -f inet6`
"""

from collections.abc import Iterator

from auditor.model import Stack
from auditor.rule import Breach, Case, Rule

_PROTOCOLS = ("tcp", "udp")


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    ours = {
        (socket.protocol, socket.address, socket.port)
        for socket in stack.listening
        if socket.protocol in _PROTOCOLS and socket.state == "listening" and not socket.shown.get("kernel_given")
    }
    given = {(s.protocol, s.port) for s in stack.listening if s.shown.get("kernel_given")}
    theirs = {(one.protocol, one.address, one.port) for one in stack.witnessed if (one.protocol, one.port) not in given}
    hidden = [ports.ports for ports in stack.ephemeral]
    theirs = {one for one in theirs if one in ours or one[0] == "tcp" or not any(one[2] in ports for ports in hidden)}
    differing = {stack.listening.source: sorted(ours - theirs), stack.witnessed.source: sorted(theirs - ours)}
    if count := sum(map(len, differing.values())):
        yield Breach(
            f"{count} listener{'s are' if count > 1 else ' is'} seen by one source only",
            observed="; ".join(f"only {source}: {_listed(seen)}" for source, seen in differing.items() if seen),
            expected="the same listeners from both",
            source=" and ".join(differing),
        )


def _listed(sockets: list[tuple[str, str, int]]) -> str:
    return ", ".join(f"{protocol} {address} port {port}" for protocol, address, port in sockets)


RULE = Rule(each="stack", severity="medium", needs=("witnessed",), check=check)
