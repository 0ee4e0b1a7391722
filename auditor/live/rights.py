"""What this run may see: its user, its capabilities, its namespaces, and what hides processes from it."""

from __future__ import annotations

import os

from auditor.evidence import Answer
from auditor.live import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = "name value"
_BITS = {"CAP_DAC_READ_SEARCH": 1 << 2 | 1 << 1, "CAP_SYS_PTRACE": 1 << 19, "CAP_SYS_ADMIN": 1 << 21}
"""Of include/uapi/linux/capability.h, with CAP_DAC_OVERRIDE, which is as good for folders (generic_permission, fs/namei.c)."""


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Rows of name and value: uid, capabilities (CapEff, hexadecimal), pid_namespace (its inode), hidepid, processes, boot_time and
    ticks (seconds since 1970, clock ticks a second: what `started` is reckoned from)."""
    known: dict[str, bytes] = {"uid": b"%d" % os.geteuid(), "ticks": b"%d" % os.sysconf("SC_CLK_TCK")}
    try:
        known["capabilities"] = _effective()
        known["pid_namespace"] = os.fsencode(os.readlink("/proc/self/ns/pid"))[5:-1]
        with open("/proc/stat", "rb") as file:
            known["boot_time"] = file.read().partition(b"\nbtime ")[2].split(b"\n", 1)[0]
        known["hidepid"] = _hidepid()
    except OSError:
        pass
    yield Answer("rights", "builtin:rights", rows.table(COLUMNS, [k.encode() + b"\t" + rows.field(v) for k, v in known.items()]))


def _effective() -> bytes:
    """The effective capabilities of this run, in hexadecimal digits. OSError where they are not shown."""
    with open("/proc/self/status", "rb") as file:
        return file.read().partition(b"\nCapEff:\t")[2].split(b"\n", 1)[0]


def why_refused(*needed: str) -> str:
    """What may be the cause where this run was refused what others' processes need these capabilities for, by which of them it has: lack of
    one, or something that refuses all the same."""
    try:
        held = int(_effective(), 16)
    except (OSError, ValueError):
        return f"that needs {' and '.join(needed)}, which this run may not have, or a security module refused"
    if lacking := [name for name in needed if not held & _BITS[name]]:
        return f"this run lacks {' and '.join(lacking)}, which may be why, or a security module refused"
    return f"this run has {' and '.join(needed)}, so a security module refused, or they do not count in the user namespace there"


def _hidepid() -> bytes:
    """Of what is mounted at /proc last: that is what lies on top."""
    found = b"0"
    with open("/proc/self/mountinfo", "rb") as mounts:
        for line in mounts:
            fields = line.split(b" ")
            if fields[4] == b"/proc":
                options = fields[-1].strip().split(b",")
                found = next((option[8:] for option in options if option.startswith(b"hidepid=")), b"0")
    return found
