"""tasklist.exe of Windows: processes, as a table or with /FO CSV.

    Image Name                     PID Session Name        Session#    Mem Usage
    ========================= ======== ================ =========== ============
    httpd.exe                     4120 Services                   0     18,204 K

    "httpd.exe","4120","Services","0","18,204 K"

The words of the header are translated, so columns go by their place: the name, then the PID; with /V the user is the seventh. The table's
widths are those of the rule of `=`, where a name is cut; CSV gives it whole. A user is taken where it is DOMAIN\\NAME; else it is a word
for "not known" in some language. /FO LIST is not read.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.rows import number
from auditor.parsers.typed_lines import typed
from auditor.reading import Output, Processes

_RULE = re.compile(r"=+(?: =+)+")
_PID_COLUMN = 1
_USER_COLUMN = 6
_PID_MAX = 0xFFFFFFFF
"""A PID is a DWORD."""


def parse(output: Output) -> Processes:
    """Names and, where they are shown, users by PID."""
    processes = Processes()
    verbose = any(word.lower() in ("/v", "-v") for word in output.command.arguments)
    lines = output.lines()
    rule = next((line for line in lines if _RULE.fullmatch(line.strip())), None)
    columns = [] if rule is None else [(part.start(), part.end()) for part in re.finditer("=+", rule)]
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if typed(line, "tasklist") is not None:
            processes.pass_over(line, "the command as it was typed")
        elif _RULE.fullmatch(line.strip()):
            processes.pass_over(line, "the rule below the header")
        elif _RULE.fullmatch(following.strip()):
            processes.pass_over(line, "the header")
        else:
            cells = _csv(line) if line.startswith('"') else [line[start:end].strip() for start, end in columns]
            _row(processes, line, cells, verbose=verbose)
    return processes


def _csv(line: str) -> list[str]:
    import csv

    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def _row(processes: Processes, line: str, cells: list[str], *, verbose: bool) -> None:
    pid = number(cells[_PID_COLUMN], _PID_MAX) if len(cells) > _PID_COLUMN else None
    if pid is None or not cells[0]:
        if not any(cells[: _PID_COLUMN + 1]) and len(cells) > _PID_COLUMN:
            processes.pass_over(line, "more services of the process above (/SVC)")
        elif len(cells) > _PID_COLUMN and cells[_PID_COLUMN] == "PID":
            processes.pass_over(line, "the header")
        else:
            processes.gap("a line of tasklist cannot be read", line.strip())
        return
    shown: dict[str, Any] = {"process": cells[0]}
    if verbose and len(cells) > _USER_COLUMN and "\\" in cells[_USER_COLUMN]:
        shown["user"] = cells[_USER_COLUMN]
    if processes.by_pid.setdefault(pid, shown) == shown:
        processes.taken.append(line)
    else:
        processes.gap(f"process {pid} is listed twice, and not alike", line.strip())
