"""The table of lsof: a row for each descriptor of an open file."""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.lsof_sockets import DEVICE, PROTOCOLS, REPETITION, TYPES, is_not_seen, note, socket, unescaped
from auditor.parsers.rows import number
from auditor.reading import Output, Reading

_THREAD_COLUMNS = ("TID", "TASKCMD")
_DESCRIPTOR = re.compile(r"[*\d]\d*[a-zA-Z-]{0,2}|cwd|rtd|twd|txt|mem|mmap|DEL|NOFD|ltx|err|jld|pd|tr|v86|fp\.|[LMmp]\w\w")
_WORDS_BEFORE_NAME = 12
"""More than any layout has before TYPE, threads, groups and contexts included."""


def read(reading: Reading, output: Output) -> None:
    """Take the sockets of all rows; rows of other files are passed over."""
    header: list[str] | None = None
    if not any(_is_header(line) for line in output.lines()):
        reading.uncover("its header line is missing")
    repetition = 0
    for line in output.lines():
        repetition += REPETITION.fullmatch(line.strip()) is not None
        if _is_header(line):
            header = line.split()
            reading.header(line, repetition)
        else:
            _row(reading, line, header)


def _is_header(line: str) -> bool:
    words = line.split() if line.startswith("COMMAND") else []
    return words[:2] == ["COMMAND", "PID"] and words[-1] == "NAME" and ["USER", "FD", "TYPE"] in [words[at : at + 3] for at in range(2, 5)]


def _between(header: list[str] | None) -> list[int]:
    """How many words may stand between PID and USER: a process itself has nothing in the columns of threads."""
    if header is None:
        return [0, 1, 2]
    names = header[header.index("PID") + 1 : header.index("USER")]
    threads = sum(name in _THREAD_COLUMNS for name in names)
    return sorted({len(names), len(names) - threads})


def _row(reading: Reading, line: str, header: list[str] | None) -> None:
    words = line.split()
    pid = number(words[1]) if len(words) > 1 else None
    places = [2 + count for count in _between(header) if len(words) > 3 + count and _DESCRIPTOR.fullmatch(words[3 + count])]
    if header is None:
        places = [at for at in places if all(word.isdigit() for word in words[2 : min(at, 3)])]
    if pid is None or not places:
        if not note(reading, line):
            reading.gap("a line of lsof cannot be read", line)
        return
    if is_not_seen(line):
        reading.uncover("the descriptors of some processes could not be read")
        reading.pass_over(line, "descriptors that could not be read")
        return
    internet = [at for at in places if len(words) > at + 2 and words[at + 2] in TYPES]
    if not internet and TYPES.keys() & set(words[:_WORDS_BEFORE_NAME]):
        reading.gap("a line of lsof cannot be read", line)
        return
    if not internet:
        reading.pass_over(line, "not an Internet socket")
        return
    at = internet[0]
    family, after = TYPES[words[at + 2]], words[at + 3 :]
    known = next((place for place, word in enumerate(after) if word.upper() in PROTOCOLS), None)
    if known is None:
        reading.pass_over(line, "another protocol, or no socket of this stack")
        return
    owner: dict[str, Any] = {"pid": pid, "process": unescaped(words[0])}
    owner |= {"uid": int(words[at])} if number(words[at]) is not None else {"user": words[at]}
    device = after[0] if header and header[header.index("TYPE") + 1] == "DEVICE" and DEVICE.fullmatch(after[0]) else None
    name = " ".join(after[known + 1 :])
    socket(reading, line, PROTOCOLS[after[known].upper()], family, name, owner, device)
