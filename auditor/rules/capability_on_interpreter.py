"""A program that does what its caller tells it has the capability to take privileged ports.

Why it matters
--------------
A capability on a file is given to whoever runs it. An interpreter, a shell or a debugger runs its caller's own code with it, a relay such
as socat or nc hands on what arrives at any port: with either, whoever may run the file takes any port that an administrator is believed to
have opened, and the ports of a service while that restarts. A file counts as one by its name, or where its bytes are those of one in the
search path: another name, as of a copy that was made for one application, does not hide it. A copy of another version, or built elsewhere,
under another name is not recognised.

Remedy
------
Take the capability from the file. Let the service manager open the port, or give the right to the one service that needs it; where a copy
must have it, let no others run it.

Linux: `setcap -r FILE` takes it away, `getcap -r / 2>/dev/null` lists what is left. In a unit: `AmbientCapabilities=CAP_NET_BIND_SERVICE`
with `User=`, or a socket unit with `ListenStream=`. For a copy: `chown root:GROUP FILE && chmod 750 FILE`, then `setcap` again, since a
change of owner takes the capability away.
"""

from collections.abc import Iterator

from auditor.binding import Grant
from auditor.rule import Breach, Case, Rule


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    if grant.shown.get("ports") == [] or grant.root or grant.interpreter is None:
        return
    yield Breach(
        f"{grant.scope} can take privileged ports by {grant.executable}, which is {grant.interpreter} and does what it is told",
        observed="; ".join(grant.via),
        expected="no interpreter, shell or relay with CAP_NET_BIND_SERVICE",
        source=grant.source,
    )


RULE = Rule(each="grant", paths=("file-capability",), severity="high", stacks="host", systems=("Linux",), check=check)
