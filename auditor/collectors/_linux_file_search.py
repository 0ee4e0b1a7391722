"""Where files with capabilities were searched for, and what of that could not be looked at."""

from __future__ import annotations

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.facts import Gap
from auditor.parsers import rows

SEARCHED_COLUMNS = "found place files"
MISSED_COLUMNS = "found place kind detail count path"
_PROGRAMS = {"unit": "the programs of systemd's services", "process": "the programs that processes run"}
_NO_LOSS = ("kernel", "nosuid", "unresolved", "namespaced")
"""The kinds of what was missed by which nothing is lost that a better run would find, as auditor.live.searched_places has them."""
_SPECIFIER = "A program that a systemd unit names by a specifier or an escape was not looked at: "


def limits(linux: LinuxEvidence) -> list[str]:
    """Where was searched, and which programs no search finds."""
    searched, _ = linux.table("granting-files", SEARCHED_COLUMNS, "builtin:searched")
    folders = [place for found, place, _ in searched if found == "path" and place]
    trees = [place for found, place, _ in searched if found == "search" and place]
    cut = {place for found, place, kind, *_ in _missed(linux)[0] if found == "search" and kind != "unresolved"}
    places = [*folders, *(words for key, words in _PROGRAMS.items() if any(found == key for found, *_ in searched)),
              *(f"{'a part' if tree in cut else 'all'} of {tree}" for tree in trees)]  # fmt: skip
    said = ["Files with capabilities were looked for in " + (", ".join(places) or "no place") + "; elsewhere none was looked for."]
    named = [path for _, _, kind, _, _, path in _missed(linux)[0] if kind == "unresolved" and path]
    return said + ([_SPECIFIER + ", ".join(named) + "."] if named else [])


def gaps(linux: LinuxEvidence) -> list[Gap]:
    """What was to be searched and was not."""
    searched, unread = linux.table("granting-files", SEARCHED_COLUMNS, "builtin:searched")
    missed, odd = _missed(linux)
    files = {(where, place): rows.number(many) for where, place, many in searched}
    told: dict[tuple[str | None, ...], list[str]] = {}
    for where, place, kind, detail, count, path in missed:
        if kind not in _NO_LOSS:
            told.setdefault((where, place, kind, detail, count), []).append(path or "-")
    accounted = [answer.trouble for answer in linux.answers("granting-files") if told and answer.command == "builtin:not-searched"]
    found = [*unread, *(gap for gap in odd if gap.why not in accounted)]
    for (where, place, kind, detail, count), paths in told.items():
        here = place or _PROGRAMS.get(where or "", "the search")
        found.append(Gap(f"files with capabilities: {_why(here, kind, detail, rows.number(count), files.get((where, place)), paths)}"))
    return found


def _missed(linux: LinuxEvidence) -> tuple[list[tuple[str | None, ...]], list[Gap]]:
    return linux.table("granting-files", MISSED_COLUMNS, "builtin:not-searched")


def _why(here: str, kind: str | None, detail: str | None, count: int | None, files: int | None, paths: list[str]) -> str:
    many = "some" if count is None else str(count)
    first = ", ".join(paths) + (" ..." if count is None or count > len(paths) else "")
    if kind == "time":
        return f"the time for the search was over in {here}, after {'an unknown number of' if files is None else f'{files:,}'} files there"
    if kind == "remote":
        return f"{here}: what is on file systems of kind {detail} is not searched: {first}"
    if kind == "unreadable":
        return f"{here}: {many} could not be looked at ({detail}): {first}"
    if kind == "deep":
        return f"{here}: {many} folders lie deeper than {detail} and were not looked into: {first}"
    if kind == "many":
        return f"{here}: {many} files more than the {detail} that are told have capabilities: {first}"
    if kind == "vanished":
        return f"{here}: {many} were renamed or replaced whenever they were listed, and could not be looked at: {first}"
    if kind in ("hung", "broken"):
        ended = "did not end in time and was ended" if kind == "hung" else "broke off"
        return f"the search {ended} in {here}: what came after was not looked at"
    return f"{here}: {many} were not looked at: {first}"
