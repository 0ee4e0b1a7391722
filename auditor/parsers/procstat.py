"""FreeBSD's `procstat -ab` or `procstat -a binary` (usr.bin/procstat/procstat_bin.c): the file each process runs, as the kernel has it.

      PID COMM                OSREL PATH
      417 pigeond           1401000 /usr/local/sbin/pigeond

COMM is the name of the file that was executed. PATH is `-` where the kernel gives none: a process of its own, most often. -h leaves the
header out. A process whose path cannot be found has no row. The path is seen from the root directory of whoever ran procstat.
"""

from __future__ import annotations

import re

from auditor.parsers.typed_lines import is_echo
from auditor.reading import Output, Processes

_HEADER = re.compile(r"PID\s+COMM\s+OSREL\s+PATH")
_ROW = re.compile(r"\s*+(?P<pid>\d{1,10})\s++(?P<process>\S++(?:\s++\S++)*?)\s++-?\d{1,10}\s++(?P<path>/.*|-)")
"""A file's name holds no slash, so that PATH begins with the first one there is."""


def parse(output: Output) -> Processes:
    """`process` and, where there is a path, `executable` by pid."""
    read = Processes()
    if "b" not in output.command.given("MNw") and not {"binary", "bin"} & set(output.command.arguments):
        for line in output.lines():
            read.pass_over(line, "another table of procstat was asked for")
        read.gap("procstat was not asked for executables (-b)")
        return read
    for line in output.lines():
        row = _ROW.fullmatch(line)
        if row:
            _row(read, line, row)
        elif _HEADER.fullmatch(line.strip()):
            read.pass_over(line, "the header")
        elif is_echo(line, "procstat"):
            read.pass_over(line, "a prompt or the command itself")
        else:
            read.gap("a line of procstat cannot be read", line)
    return read


def _row(read: Processes, line: str, row: re.Match[str]) -> None:
    shown = {"process": row["process"]}
    if row["path"] != "-":
        shown["executable"] = row["path"]
    if read.by_pid.setdefault(int(row["pid"]), shown) == shown:
        read.taken.append(line)
    else:
        read.gap("this process is given twice, and not alike", line)
