"""A BPF program sits at a bind hook, and nothing says what it does.

Why it matters
--------------
A program at the hooks bind4 and bind6 of a control group may waive the test of CAP_NET_BIND_SERVICE: what runs in that group then takes
privileged ports whatever the threshold, the capabilities and the files say. It may refuse binds or move them to another address just as
well. The kernel does not tell which. Those of systemd are not meant, where systemd says that a unit has SocketBindAllow= or
SocketBindDeny=; a name alone proves nothing, since whoever loads a program names it.

Remedy
------
Find out who attached it and what for: container runtimes, network plug-ins and security agents do. Where nobody can say, take it away.

Linux: `bpftool cgroup tree` shows each program with its id, and `bpftool prog dump xlated id ID` its instructions: one that can return 2
or 3 waives the capability. `bpftool cgroup detach /sys/fs/cgroup/GROUP cgroup_inet4_bind id ID` takes it away.
"""

from collections.abc import Iterator

from auditor.binding import Grant
from auditor.rule import Breach, Case, Rule


def check(case: Case, grant: Grant) -> Iterator[Breach]:
    fact, *_ = grant.via
    yield Breach(
        "what runs in a control group may perhaps take privileged ports by a BPF program",
        observed=fact,
        expected="no program at a bind hook but those of systemd's SocketBindAllow= and SocketBindDeny=",
        source=grant.source,
    )


RULE = Rule(each="grant", paths=("program",), needs=("bind-programs",), severity="medium", systems=("Linux",), check=check)
