"""Files of a Linux host as the shell script gives them: users, containers' names, socket units, the order of sysctl.d."""

from __future__ import annotations

import re

from auditor.collectors._linux_evidence import Rows
from auditor.collectors._linux_proc_text import Text
from auditor.collectors._linux_unit_links import DEPENDENCIES
from auditor.facts import Gap

_NAMED = re.compile(r"/var/lib/docker/containers/([0-9a-f]{64})/config\.v2\.json:\"Name\":\"/([^\"]+)\"")
_MASKED = "masked"


def accounts(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of uid and user."""
    return [(uid, user) for line in text.lines() for uid, colon, user in [line.partition(":")] if colon], _said(text)


def container_names(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of id and name; a file that has several such names tells none."""
    found: dict[str, set[str]] = {}
    for line in text.lines():
        if named := _NAMED.fullmatch(line):
            found.setdefault(named[1], set()).add(named[2])
    return [(identity, names.pop()) for identity, names in found.items() if len(names) == 1], _said(text)


def socket_units(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of unit, file, line, directive and value, as `auditor.live.socket_units` has them: of two files of one name the first counts."""
    files: dict[str, str] = {}
    said: dict[str, list[tuple[str, str, str]]] = {}
    gaps = _said(text)
    for line in text.lines():
        kind, blank, path = line.partition(" ")
        if blank and kind in ("file", _MASKED) and path.startswith("/"):
            files.setdefault(path, kind)
        elif not _directive(line, files, said):
            gaps.append(Gap("a line about socket units cannot be read", line[:200]))
    counting: dict[tuple[str, str], str] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        of = (name, "") if name.endswith(".socket") else (folder.rpartition("/")[2].removesuffix(".d"), name)
        counting.setdefault(of, path)
    found: Rows = []
    for (unit, _), path in counting.items():
        found.append((unit, path, "0", None, None))
        found += [(unit, path, number, directive, value) for number, directive, value in said.get(path, [])]
    return found, gaps


def unit_links(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of link and target; of the links that are unit files those alone that count, which are the first of their name."""
    if not text.has("links"):
        return [], [*text.gaps, Gap("the script did not ask which socket units are enabled")]
    gaps = _said(text)
    counting: dict[str, str] = {}
    for line in text.lines():
        path = line.partition(" ")[2]
        if line.startswith(("file /", "masked /")) and path.endswith(".socket"):
            counting.setdefault(path.rpartition("/")[2], path)
    found: Rows = []
    link: str | None = None
    for line in text.lines("links"):
        kind, _, path = line.partition(" ")
        if kind == "link" and link is None and path.startswith("/"):
            link = path
        elif kind == "to" and link is not None:
            folder, _, name = link.rpartition("/")
            if folder.endswith(DEPENDENCIES) or counting.get(name, link) == link:
                found.append((link, path))
            link = None
        elif kind == "unlinked" and link is None and path.startswith("/"):
            found.append((path, None))
        elif kind == "refused" and link is None:
            gaps.append(Gap(f"{path}: where it leads, or what links are in it, could not be read"))
        else:
            gaps.append(Gap("a line about links of socket units cannot be read", line[:200]))
    if link is not None:
        gaps.append(Gap("where a link of a socket unit leads is missing", link[:200]))
    return found, gaps


def _directive(line: str, files: dict[str, str], said: dict[str, list[tuple[str, str, str]]]) -> bool:
    """Take in `FILE:LINE:DIRECTIVE=VALUE`; False where it is of no file that was named."""
    at = line.find(":")
    while at > 0 and line[:at] not in files:
        at = line.find(":", at + 1)
    number, colon, text = line[at + 1 :].partition(":")
    name, equals, value = text.partition("=")
    if at <= 0 or not colon or not number.isdigit() or not equals:
        return False
    said.setdefault(line[:at], []).append((number, name.strip(), value.strip()))
    return True


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


def _said(text: Text) -> list[Gap]:
    """Its gaps, and what went wrong while the files were read."""
    return [*text.gaps, *(Gap(line[:200]) for line in text.errors)]
