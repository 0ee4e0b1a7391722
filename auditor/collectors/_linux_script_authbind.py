"""authbind's files as the shell script shows them."""

from __future__ import annotations

import re

from auditor.collectors._linux_authbind import ROOT
from auditor.collectors._linux_evidence import Rows
from auditor.collectors._linux_proc_text import Text
from auditor.collectors._linux_script_executables import rights
from auditor.collectors._linux_script_files import said
from auditor.collectors._linux_script_mounts import mount_options
from auditor.facts import Gap

Table = tuple[str, str, tuple[Rows, list[Gap]]]
_GROUP = 0o070
_LINK = "it is a link, which the script does not follow"
_LISTED = re.compile("[-a-zD][r-][w-]")
"""So begins a line of ls -l, of whatever kind of file."""
_STATES = ("none", "link", "unread")


def authbind(text: Text) -> list[Table]:
    """The tables of auditor.live.authbind: commands, columns, and rows with gaps."""
    gaps = said(text)
    lines = text.lines()
    marks = bool(lines) and lines[0].startswith("ls ") and lines[0].endswith("b")
    listed = rights(lines, marks, _GROUP)
    folders = {line.rpartition(" ")[2] for line in lines if line.startswith("d")}
    mounts = mount_options(lines)
    states: dict[str, tuple[str, str]] = dict.fromkeys(mounts, ("mount", ""))
    rules: Rows = []
    for line in lines:
        word, _, rest = line.partition(" ")
        path, _, why = rest.partition(" ")
        if word in _STATES and path.startswith("/"):
            states[path] = word, why
        elif word == "rule" and len(parts := rest.split(" ", 2)) > 2:
            rules.append((parts[1], parts[0], parts[2]))
        elif word not in ("ls", "mount") and not _LISTED.match(line) and not line.startswith("/proc/self/mountinfo:"):
            gaps.append(Gap("a line about authbind cannot be read", line[:200]))
    known = {path for path in {*states, *listed} if path.startswith(ROOT) or path.endswith("/helper")}
    rows = [_row(path, states.get(path, ("", "")), listed.get(path), path in folders, mounts, listed) for path in sorted(known)]
    return [
        ("builtin:authbind", "path state kind rights folders mount link", (rows, gaps)),
        ("builtin:authbind-rules", "path line rule", (rules, [])),
    ]


def _row(
    path: str, state: tuple[str, str], own: str | None, folder: bool, mounts: dict[str, list[str]], listed: dict[str, str]
) -> tuple[str | None, ...]:  # fmt: skip
    word, why = state
    if word == "none":
        return (path, "none", None, None, None, None, None)
    if word == "link":
        return (path, _LINK, "", "", "", "", "")
    above = None if path.startswith(ROOT) else " ".join(_of_authbind(listed.get(one)) for one in _above(path))
    mount = mounts.get(path)
    options = "" if mount is None else ",".join(mount) or None
    told = "there" if word != "unread" else why
    return (path, told, "folder" if folder else "file", _of_authbind(own), above, options, None)


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:end]) or "/" for end in range(len(parts), 0, -1)]


def _of_authbind(said: str | None) -> str:
    """As auditor.live.authbind has the rights of a file; an access control list is not told by the script."""
    mode, _, ids = (said or "").partition(":")
    if not said:
        return "?"
    return f"{mode[:4]}:{ids}" + ("?" if len(mode) > 4 else "")
