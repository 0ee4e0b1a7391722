"""Where this host's control groups are."""

from __future__ import annotations


def mount() -> bytes | None:
    """Where the unified hierarchy is mounted; None where it is not, or where that cannot be read."""
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            for line in mounts:
                if b" - cgroup2 " in line:
                    return line.split(b" ")[4]
    except OSError:
        pass
    return None
