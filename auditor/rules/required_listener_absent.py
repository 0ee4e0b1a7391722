"""A listener that the policy requires is not there.

Why it matters
--------------
The service that should answer does not: it crashed, was disabled, listens elsewhere, or another program runs in its place. A log
forwarder or an agent that is gone is a blind spot in other controls.

Remedy
------
Look why it does not run. Where it is no longer needed, take it out of `listening: required`.

Linux: `systemctl status UNIT`, `journalctl -eu UNIT`

Darwin: `launchctl print system/LABEL`

FreeBSD: `service NAME status`, `sysrc NAME_enable`

OpenBSD: `rcctl check NAME`, `rcctl get NAME`

NetBSD, DragonFly: `/etc/rc.d/NAME status`, `grep NAME /etc/rc.conf`

SunOS: `svcs -xv FMRI`

HP-UX: `ps -ef | grep NAME`, `tail /var/adm/syslog/syslog.log`

AIX: `lssrc -s SUBSYSTEM`, `errpt | head`

Windows: `sc.exe query NAME`, `sc.exe qc NAME`
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Stack
from auditor.policy_entries import Entry
from auditor.rule import Breach, Case, Rule


def check(case: Case, entry: Entry) -> Iterator[Breach]:
    unsure: UnknownFact | None = None
    for stack in case.snapshot.stacks if "stack" in entry.wanted else [case.stack]:
        try:
            if _listens(entry, stack):
                return
        except UnknownFact as reason:
            unsure = unsure or reason
    if unsure is not None:
        raise unsure
    yield Breach(
        f"'{entry}' is required and nothing that listens is it",
        observed="no listener matches",
        expected=str(entry),
        source=f"policy {entry.origin}",
    )


def _listens(entry: Entry, stack: Stack) -> bool:
    """Whether one of the stack's listeners is it; raises where that cannot be told."""
    unsure: UnknownFact | None = None
    for socket in stack.listening:
        try:
            if socket.state != "bound" and entry.matches(socket, stack):
                return True
        except UnknownFact as reason:
            unsure = unsure or reason
    if unsure is not None:
        raise unsure
    return False


RULE = Rule(each="required", severity="medium", needs=("required",), stacks="host", check=check)
