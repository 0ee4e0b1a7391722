"""Who may take privileged ports on a Linux host of which only ordinary commands' output was saved: little of that shows it.

A file with CAP_NET_BIND_SERVICE gives it to who may run it: capabilities(7). Which processes, units and files of authbind have or give it,
these commands do not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.binding import Grant
from auditor.collectors._grants import of_everyone, of_root, put_together
from auditor.collectors._linux_settings import THRESHOLD
from auditor.collectors._saved import HOST, Answers, Heard, Ranges
from auditor.facts import Facts, Gap
from auditor.parsers.getcap import FileCapabilities, FileCapability
from auditor.tables import Tables

_EVERYWHERE = ("/",)


def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Facts[Grant]:
    return put_together(ranges, (
        lambda: of_everyone(ranges, tables, THRESHOLD, f"{THRESHOLD} is {heard.values.get(THRESHOLD, '')}"),
        lambda: of_root(ranges, ranges.privileged.seen, "user 0 has CAP_NET_BIND_SERVICE unless it was taken from it (capabilities(7))"),
        lambda: _files(heard, answers, tables, ranges),
    ))  # fmt: skip


def _files(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Iterator[Grant | Gap]:
    if not ranges.privileged.gaps and not ranges.privileged.seen:
        return
    told = [read for read in answers.host.others if isinstance(read, FileCapabilities)] if heard.name == HOST else []
    for read in told:
        yield from (Gap(f"files with capabilities: {gap.why}", gap.line) for gap in read.gaps)
        yield from (_of_file(file, tables, ranges) for file in read.found)
    if any(read.searched == _EVERYWHERE for read in told):
        yield Gap("the pasted commands do not show which processes and units have CAP_NET_BIND_SERVICE")
    else:
        yield Gap("the pasted commands do not show who has CAP_NET_BIND_SERVICE (getcap -r / shows the files)")


def _of_file(file: FileCapability, tables: Tables, ranges: Ranges) -> Grant:
    """What a file gives whoever may run it; nothing, and why, where it does not count by itself. Its mode and mount are not shown."""
    steps = [f"{file.path} has cap_net_bind_service in the sets {''.join(letter for letter in 'eip' if letter in file.sets)} (getcap)"]
    shown: dict[str, Any] = dict.fromkeys(("uid", "user", "unit", "container"))
    if why := _gives_nothing(file):
        shown |= {"ports": [], "protocol": "any"}
        steps += [why, "so it gives no port"]
    else:
        shown |= {} if ranges.privileged.gaps else {"ports": [one.ports for one in ranges.privileged.seen], "protocol": "any"}
        steps += [] if "e" in file.sets else ["it is not in the effective set: the program itself has to raise it (capset(2))"]
    if one := tables.interpreter(file.path):
        shown["interpreter"] = one.name
        steps.append(f"by its name it is {one.name}, which {one.why}")
    if not why:
        steps.append("so whoever may run it has the capability, unless its file system is mounted nosuid or no_new_privs is set")
    return Grant(path="file-capability", subject=file.path, via=steps, scope=f"whoever may run {file.path}", source="getcap",
                 executable=file.path, root=False, **shown)  # fmt: skip


def _gives_nothing(file: FileCapability) -> str | None:
    if "p" not in file.sets:
        return "it is inheritable only: it gives nothing to who does not have it in the inheritable set already"
    if file.root:
        return f"it counts in user namespaces alone whose root is user {file.root}, not in the host's own"
    return None
