"""What a site of Stratus VOS may paste: who has which access to the STCP device, and whether TCP_OS lets everybody bind low ports.

    w  *.SysAdmin
    r  *.*

    allow_unpriv_bind$ = 1

An access list (of the file in >system>acl that the device's definition names as access_list_name) is taken as entries of an access, as a
letter or a word, and a PERSON.GROUP with stars: `access_list_name` = "write *.SysAdmin,read *.*". A list of which a line cannot be read is
not given at all. `allow_unpriv_bind$` is given as the number it has. The commands' own layout is not documented where this was written, so
nothing more is read; VOS' netstat is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from auditor.parsers.typed_lines import typed
from auditor.reading import Output, Values

_ACCESS = {"n": "null", "e": "execute", "r": "read", "w": "write"}
_ENTRY = re.compile(r"(?P<access>[a-z]+)\s+(?P<who>[\w$*-]+\.[\w$*-]+|\*)")
_PATH = re.compile(r"[%>]\S*>\S+")
_READY = re.compile(r"ready(?:\s+\d[\d:.\s]*)?")
_VARIABLE = re.compile(r"allow_unpriv_bind\$(?:\s*[=:]\s*|\s+)(?P<value>\d{1,10})")
_LISTS = ("display_access_list", "display_acl")
_VARIABLES = ("display_external_variable", "set_external_variable")


def access_list(output: Output) -> Values:
    """The entries of one access list."""
    values = Values()
    entries: list[tuple[str, str]] = []
    for line in output.lines():
        entry = _ENTRY.fullmatch(line.strip())
        access = _word(entry["access"]) if entry else None
        if entry and access:
            entries.append((line, f"{access} {entry['who']}"))
        elif _beside(line, *_LISTS) or _PATH.fullmatch(line.strip()):
            values.pass_over(line, "no entry")
        else:
            values.gap("a line of this access list cannot be read", line.strip())
    if entries and not values.gaps:
        values.set("access_list_name", ",".join(entry for _, entry in entries), entries[0][0])
        values.taken += [line for line, _ in entries[1:]]
    else:
        for line, _ in entries:
            values.pass_over(line, "of a list that cannot be read whole")
    return values


def variable(output: Output) -> Values:
    """allow_unpriv_bind$, where a line states it."""
    values = Values()
    for line in output.lines():
        if stated := _VARIABLE.fullmatch(line.strip()):
            values.set("allow_unpriv_bind$", str(int(stated["value"])), line)
        elif _beside(line, *_VARIABLES):
            values.pass_over(line, "not a variable")
        else:
            values.gap("a line of this answer cannot be read", line.strip())
    return values


def _word(access: str) -> str | None:
    return _ACCESS.get(access) or (access if access in _ACCESS.values() else None)


def _beside(line: str, *programs: str) -> bool:
    """VOS' prompt, or the command as it was typed."""
    return _READY.fullmatch(line.strip()) is not None or typed(line, *programs) is not None


PARSERS: dict[str, Callable[[Output], Values]] = {**dict.fromkeys(_LISTS, access_list), **dict.fromkeys(_VARIABLES, variable)}
