"""A setting that was changed would not survive a reboot as it is, or not for a reason that was found.

Why it matters
--------------
After the next boot the host behaves differently from what was reviewed: a lowered threshold is back, a reserved port is free again.
Where no file sets the running value, nobody can say who wanted it.

Remedy
------
Write the value that is meant where the next boot reads it; NAME is in the finding. Where another program sets it (tuned, a unit's
ExecStart, a launch daemon), leave a comment there saying so, and waive this finding.

Linux: `echo 'NAME = VALUE' >> /etc/sysctl.d/60-ports.conf && sysctl --system`

Darwin: `echo NAME=VALUE >> /etc/sysctl.conf && sysctl -w NAME=VALUE`; where the release does not read that file, a launch daemon sets it.

FreeBSD, DragonFly, OpenBSD: `echo NAME=VALUE >> /etc/sysctl.conf && sysctl NAME=VALUE`

NetBSD: `echo NAME=VALUE >> /etc/sysctl.conf && sysctl -w NAME=VALUE`
"""

from collections.abc import Iterator

from auditor.model import Setting
from auditor.port_range import PORT_MAX, PortRange
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, setting: Setting) -> Iterator[Breach]:
    defaults = _defaults(case)
    said = None
    for line in case.stack.persisted:
        if line.name == setting.name:
            said = line
    if said is None and (setting.name not in defaults or _same(setting.value, defaults[setting.name])):
        return
    if said is None:
        yield Breach(
            f"{setting.name} is not the kernel's default, and no file sets it: it was set by something not read",
            observed=setting.value,
            expected=f"a line in {case.stack.persisted.source}, or the default {defaults[setting.name] or 'none'}",
            source=case.stack.persisted.source,
        )
    elif not _same(setting.value, said.value):
        yield Breach(
            f"{setting.name} runs as {setting.value}, and after a reboot it will be {said.value}",
            observed=setting.value,
            expected=said.value,
            source=f"{said.file}:{said.line}",
        )


def _defaults(case: Case) -> dict[str, str]:
    record = case.tables.vendor(case.snapshot.system, case.snapshot.release)
    if record is None:
        raise NotChecked(f"no vendor row says what {case.snapshot.system} {case.snapshot.release} runs with by default")
    defaults: dict[str, str] = record.defaults(case.snapshot.release)
    return defaults


def _same(one: str, other: str) -> bool:
    """Whether two values mean the same: lists of ports by the ports in them, whatever their order and blanks."""
    return one.split() == other.split() or _ports(one) == _ports(other) is not None


def _ports(value: str) -> list[PortRange] | None:
    """The ports that a list leaves out, which are the same however it is written; None where it is no list of ports."""
    try:
        return PortRange(0, PORT_MAX).minus(PortRange.parse(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        return None


RULE = Rule(each="setting", severity="low", stacks="host", check=check)
