"""The mounts that the shell script says files are on, by mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re

from auditor.collectors._linux_proc_text import by_path

_MOUNT = re.compile(r"mount ([0-9]{1,10}) (/.*)")
_OPTIONS_FIELD = 5


def mount_options(lines: list[str]) -> dict[str, list[str]]:
    """Which of nosuid and noexec hold of files, by path; none of a file whose mount was not told."""
    options = {}
    for line in by_path(lines).get("/proc/self/mountinfo", []):
        fields = line.split(" ")
        if len(fields) > _OPTIONS_FIELD:
            options[fields[0]] = [word for word in fields[_OPTIONS_FIELD].split(",") if word in ("nosuid", "noexec")]
    found = [of for line in lines if (of := _MOUNT.fullmatch(line))]
    return {of[2]: options[of[1]] for of in found if of[1] in options}
