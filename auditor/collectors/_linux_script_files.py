"""Files of a Linux host as the shell script gives them: users, containers' names, the order of sysctl.d."""

from __future__ import annotations

import re

from auditor.collectors._linux_evidence import Rows
from auditor.collectors._linux_proc_text import Text
from auditor.facts import Gap

_NAMED = re.compile(r"/var/lib/docker/containers/([0-9a-f]{64})/config\.v2\.json:\"Name\":\"/([^\"]+)\"")
_MASKED = "masked"


def accounts(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of uid and user."""
    return [(uid, user) for line in text.lines() for uid, colon, user in [line.partition(":")] if colon], said(text)


def container_names(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of id and name; a file that has several such names tells none."""
    found: dict[str, set[str]] = {}
    for line in text.lines():
        if named := _NAMED.fullmatch(line):
            found.setdefault(named[1], set()).add(named[2])
    return [(identity, names.pop()) for identity, names in found.items() if len(names) == 1], said(text)


def sysctl_files(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of path, real path and state, in the order in which systemd applies them: by name, of two of one name the first."""
    chosen: dict[str, tuple[str, str]] = {}
    looked: set[str] = set()
    found: Rows = []
    here = False
    for line in text.lines():
        kind, _, rest = line.partition(" ")
        if kind == "folder":
            real = rest.partition(" ")[2]
            here = real not in looked
            looked.add(real)
        elif kind == "refused":
            found.append((rest, None, "Permission denied"))
        elif here and kind in ("file", _MASKED, "sysctl.conf"):
            chosen.setdefault(rest.rpartition("/")[2], (rest, kind))
    found += [(path, path, _MASKED if kind == _MASKED else "read") for _, (path, kind) in sorted(chosen.items())]
    lines = text.lines()
    if "own /etc/sysctl.conf" in lines and not any(kind == "sysctl.conf" for _, kind in chosen.values()):
        found.append(("/etc/sysctl.conf", "/etc/sysctl.conf", "ignored by systemd" if "systemd" in lines else "read"))
    return found, text.gaps


def said(text: Text) -> list[Gap]:
    """Its gaps, and what went wrong while the files were read."""
    return [*text.gaps, *(Gap(line[:200]) for line in text.errors)]
