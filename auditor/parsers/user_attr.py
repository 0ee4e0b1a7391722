"""Which privileges users of Solaris and illumos begin with: /etc/user_attr (user_attr(5)) and /etc/security/policy.conf (policy.conf(5)).

    webservd::::type=normal;defaultpriv=basic,net_privaddr;limitpriv=all
    PRIV_DEFAULT=basic

An entry has five fields parted by colons, of which the last holds attributes parted by semicolons; a backslash at the end of a line goes on
with the next one. Where a user has several entries the first counts. What a user has none of comes from policy.conf. Of other attributes
nothing is kept.
"""

from __future__ import annotations

import re

from auditor.parsers.typed_lines import is_echo
from auditor.reading import Output, Read

_FIELDS = 5
_NAME = re.compile(r"[A-Za-z0-9_.*][^\s:]*")
_ATTRIBUTE = re.compile(r"[A-Za-z_]+=.*|\s*")
_KEY = re.compile(r"[A-Z][A-Z0-9_.]*")
DEFAULT, LIMIT = "default", "limit"
_KEYS = {"defaultpriv": DEFAULT, "limitpriv": LIMIT, "PRIV_DEFAULT": DEFAULT, "PRIV_LIMIT": LIMIT}


class UserAttributes(Read):
    """`by_user`: the sets of privileges (DEFAULT, LIMIT) that each entry states, as it stands, {} where it states none."""

    __slots__ = ("by_user",)

    def __init__(self) -> None:
        super().__init__()
        self.by_user: dict[str, dict[str, str]] = {}


class PolicyConf(Read):
    """`sets`: the sets of privileges (DEFAULT, LIMIT) that every user has who has none of their own."""

    __slots__ = ("sets",)

    def __init__(self) -> None:
        super().__init__()
        self.sets: dict[str, str] = {}


def parse(output: Output) -> UserAttributes:
    """A line that is no entry is a gap, and so is one that sends the reader to a directory service (`+`)."""
    read = UserAttributes()
    entry: list[str] = []
    for line in output.lines():
        entry.append(line)
        if line.endswith("\\"):
            continue
        _entry(read, entry)
        entry = []
    if entry:
        for line in entry:
            read.gap("an entry of user_attr goes on, and nothing follows", line)
    return read


def _entry(read: UserAttributes, lines: list[str]) -> None:
    fields = "".join(line.removesuffix("\\").strip() for line in lines).split(":", _FIELDS - 1)
    attributes = fields[-1].split(";")
    if lines[0].startswith("#") or is_echo(lines[0], "cat"):
        for line in lines:
            read.pass_over(line, "a remark, a prompt or the command itself")
    elif len(fields) == _FIELDS and _NAME.fullmatch(fields[0]) and all(map(_ATTRIBUTE.fullmatch, attributes)):
        named = (attribute.strip().partition("=") for attribute in attributes)
        read.by_user.setdefault(fields[0], {_KEYS[key]: value for key, _, value in named if key in _KEYS})
        read.taken += lines
    else:
        for line in lines:
            read.gap("a line of user_attr cannot be read", line)


def parse_policy(output: Output) -> PolicyConf:
    """Its assignments; a key that is given twice and not alike is a gap."""
    read = PolicyConf()
    for line in output.lines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if equals and key in _KEYS:
            if read.sets.setdefault(_KEYS[key], value) == value:
                read.taken.append(line)
            else:
                read.gap(f"{key} is given twice, and not alike", line)
        elif (equals and _KEY.fullmatch(key)) or line.lstrip().startswith("#") or is_echo(line, "cat"):
            read.pass_over(line, "another key, a remark, a prompt or the command itself")
        else:
            read.gap("a line of policy.conf cannot be read", line)
    return read
