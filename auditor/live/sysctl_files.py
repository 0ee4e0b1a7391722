"""The files that set kernel settings at boot: sysctl.d as systemd reads it, sysctl.conf, and bindresvport.blacklist.

Order (sysctl.d(5)): by file name over all folders; of two of one name the folder named first here wins and masks the other.
"""

from __future__ import annotations

import os

from auditor.evidence import Answer
from auditor.live import files, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
COLUMNS = "path real state"
HOST_SETTINGS = ("/proc/sys/sunrpc/min_resvport", "/proc/sys/sunrpc/max_resvport")


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """A listing of the files in the order in which they are applied, with what each path leads to, then each file."""
    lines: list[bytes] = []
    wanted: list[str] = []
    chosen: dict[str, str] = {}
    looked: set[tuple[int, int]] = set()
    for folder in FOLDERS:
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in looked:
                continue
            looked.add((status.st_dev, status.st_ino))
            names = os.listdir(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            lines.append(b"%s\t-\t%s" % (rows.field(os.fsencode(folder)), rows.field((error.strerror or "refused").encode())))
            continue
        for name in names:
            if name.endswith(".conf"):
                chosen.setdefault(name, f"{folder}/{name}")
    for _, path in sorted(chosen.items()):
        real = os.path.realpath(path)
        masked = real == "/dev/null"
        lines.append(b"\t".join((rows.field(os.fsencode(path)), rows.field(os.fsencode(real)), b"masked" if masked else b"read")))
        if not masked:
            wanted.append(path)
    systemd = os.path.isdir("/run/systemd/system")
    if not any(os.path.realpath(path) == "/etc/sysctl.conf" for path in wanted) and os.path.exists("/etc/sysctl.conf"):
        lines.append(b"/etc/sysctl.conf\t/etc/sysctl.conf\t" + (b"ignored by systemd" if systemd else b"read"))
        if not systemd:
            wanted.append("/etc/sysctl.conf")
    yield Answer("persisted", "builtin:sysctl-files", rows.table(COLUMNS, lines))
    for path in wanted:
        yield files.answer("persisted", path)
    yield files.answer("bindresvport", "/etc/bindresvport.blacklist")
    for path in HOST_SETTINGS:
        yield files.answer("host-settings", path)
