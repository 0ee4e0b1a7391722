"""Two sources do not name the same listeners.

Why it matters
--------------
The kernel was asked twice, by different ways (sock_diag, and psutil over /proc/net). Where they differ, one of them does not see, or is
made not to see: a defect, a race, or something that hides a port.

Remedy
------
Repeat the audit with `--cross-check`: what comes and goes disappears. A difference that stays needs a look from outside the host (a port
scan), and a report to the authors of this tool.
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
    for protocol, address, port in sorted(ours - theirs):
        yield Breach(f"only {stack.listening.source} sees {protocol} {address} port {port}", source=stack.witnessed.source)
    for protocol, address, port in sorted(theirs - ours):
        yield Breach(f"only {stack.witnessed.source} sees {protocol} {address} port {port}", source=stack.listening.source)


RULE = Rule(each="stack", severity="medium", needs=("witnessed",), check=check)
