"""/etc/passwd (passwd(5)), and BSD's /etc/master.passwd: the names of user ids.

    ann:x:1004:1004:Ann:/home/ann:/bin/sh

Of a line nothing but the name and the id is kept, in gaps too: other fields may hold a password's hash. Users of a directory service
(NIS, LDAP, Open Directory) are not in the file.
"""

from __future__ import annotations

import re

from auditor.parsers.rows import number
from auditor.parsers.typed_lines import is_echo
from auditor.reading import Output, Read

_FIELDS = (7, 10)
"""passwd(5) and master.passwd(5)."""
_NAME = re.compile(r"[A-Za-z0-9_.][^\s:]*")
_UID_MAX = (1 << 32) - 1


class Accounts(Read):
    """`names` by user id: the first entry of an id, which is the one that getpwuid(3) finds."""

    __slots__ = ("names",)

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[int, str] = {}


def parse(output: Output) -> Accounts:
    """A line that is no entry is a gap, and so is one that sends the reader to a directory service (`+`)."""
    read = Accounts()
    for line in output.lines():
        fields = line.split(":")
        uid = number(fields[2], _UID_MAX) if len(fields) in _FIELDS else None
        if uid is not None and _NAME.fullmatch(fields[0]):
            read.names.setdefault(uid, fields[0])
            read.taken.append(kept(line))
        elif line.startswith("#") or is_echo(line, "cat"):
            read.pass_over(kept(line), "a remark, a prompt or the command itself")
        elif line.startswith(("+", "-")):
            read.gap("more accounts are in a directory service", kept(line))
        else:
            read.gap("a line of /etc/passwd cannot be read", kept(line))
    return read


def kept(line: str) -> str:
    """What is kept of a line: its first field."""
    return line.partition(":")[0] or ":"
