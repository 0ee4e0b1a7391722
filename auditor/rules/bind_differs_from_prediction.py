"""Binding gives an unprivileged user something else than the facts of the host promise.

Why it matters
--------------
Whoever trusts the threshold, the capabilities and the files of a host reasons about a kernel that does as they say. Where it does not,
something else decides: a BPF program on the bind hooks, a security module, a seccomp filter, a patch. A port below the threshold that
anybody can take is the graver case: no audit of capabilities and files would have found it. One that is refused although it is promised
will stop a service some day.

Remedy
------
Find what decides. The message names what is in sight of it: that it is there, not that it was it.

Linux: `bpftool cgroup tree` lists the programs on the hooks bind4, bind6, post_bind4 and post_bind6; `cat /sys/kernel/security/lsm` the
security modules; `grep Seccomp /proc/PID/status` tells of a filter. `port-auditor bind-test --every` tries every port up to 1024.
"""

from collections.abc import Iterator

from auditor.bind_prediction import Comparison
from auditor.binding import Measured
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, measured: Measured) -> Iterator[Breach]:
    compared = Comparison(case.stack, measured)
    if compared.absent is not None:
        raise NotChecked(f"nothing can be bound there: bind(2) of port 0 gives {compared.absent}")
    if compared.differs:
        severity = None if compared.taken or compared.moved else "medium"
        yield Breach(
            compared.message, observed=compared.observed, expected=compared.expected, source=measured.shown.get("source"), severity=severity
        )
    if compared.doubt is not None:
        raise compared.doubt


RULE = Rule(each="measured", severity="high", needs=("measured",), systems=("Linux",), check=check)
