"""lsof (print.c) of macOS, Linux, FreeBSD and others: a row for each descriptor of an open file.

    COMMAND     PID   TID TASKCMD   USER   FD   TYPE             DEVICE SIZE/OFF NODE NAME
    heron\\x20d  411                  ann    7u  IPv4 0x81c5a1f0b2d3e4f5      0t0  TCP 127.0.0.1:8443 (LISTEN)

or with -F a line for each field, a letter before its value: p pid, c command, u uid, L login and then, for each file, f descriptor,
t type, P protocol, n name, T `ST=` state; with -F0 a line for each process and file, whose fields end in NUL.

COMMAND is cut to 9 characters (+c 0: not at all) and comes from the process, with \\x20 for a blank. TYPE IPv6 with `*` may take IPv4 too:
v6only is not shown, nor is the zone. An IPv4 address in a row of TYPE IPv6 is mapped. A UDP socket has no state. -sTCP:LISTEN leaves UDP
out. DEVICE is the inode on Linux and the address of the protocol's control block elsewhere.

Run by another user than root it leaves out the sockets of others without a word, and it knows only sockets that a process has a
descriptor of: the caller must know who ran it. It also prints nothing at all where it finds nothing, so that this is no proof of it.
"""

from __future__ import annotations

from auditor.parsers import lsof_table
from auditor.parsers.known_options import uncover_unknown
from auditor.parsers.lsof_fields import Fields
from auditor.parsers.lsof_options import KNOWN, Asked
from auditor.parsers.lsof_sockets import note
from auditor.reading import Output, Reading


def parse(output: Output) -> Reading:
    """Internet sockets without a peer: listening or bound TCP, and UDP."""
    asked = Asked(output.command)
    reading = Reading(per_descriptor=True, shows_owners=True)
    reading.covers = dict(asked.pairs)
    uncover_unknown(reading, output.command, asked.options, KNOWN)
    if not output.lines():
        reading.uncover("it printed nothing")
    elif asked.only_pids:
        _only_pids(reading, output)
    elif asked.fields:
        Fields(reading, asked).read(output)
    else:
        lsof_table.read(reading, output)
    return reading


def _only_pids(reading: Reading, output: Output) -> None:
    for line in output.lines():
        if line.strip().isdigit():
            reading.pass_over(line, "a process id and nothing else")
        elif not note(reading, line):
            reading.gap("a line of lsof cannot be read", line)
