"""`ipadm show-prop` of Solaris 11 and illumos (usr/src/cmd/cmd-inet/usr.sbin/ipadm): the properties of a protocol.

    PROTO PROPERTY              PERM CURRENT      PERSISTENT   DEFAULT      POSSIBLE
    tcp   smallest-anon-port    rw   40000        --           32768        1024-65535

Values are what runs (CURRENT), by protocol and property with underscores (Solaris 11.3 prints dashes): `tcp.smallest_anon_port`. A list is
one value with commas; `--` is no value, for a list an empty one. With -c there is no header, and the fields are those of -o, parted by
colons. Cells hold no blanks.
"""

from __future__ import annotations

import re

from auditor.parsers.typed_lines import typed
from auditor.reading import Output, Values

_ABSENT = re.compile(r"unknown property", re.IGNORECASE)
_NEEDED = ("PROPERTY", "CURRENT")
_COLON = re.compile(r"(?<!\\):")
_LETTERS_WITH_VALUE = "po"


def parse(output: Output) -> Values:
    """Each property by its protocol; where no column tells that, the command does."""
    values = Values()
    given = output.command.given(_LETTERS_WITH_VALUE)
    protocol = _protocol(output.command.arguments, given)
    fields = [name.upper() for name in (given.get("o") or [""])[-1].split(",") if name]
    parsable = "c" in given
    names = fields if parsable else []
    for line in output.lines():
        cells = _COLON.split(line.strip()) if parsable else line.split()
        if not parsable and set(_NEEDED) <= set(cells):
            names = cells
            values.pass_over(line, "the header")
        elif typed(line, "ipadm") is not None:
            values.pass_over(line, "the command as it was typed")
        elif line.startswith("ipadm:"):
            _complaint(values, line, given, protocol)
        else:
            _property(values, line, dict(zip(names, cells, strict=False)) if len(cells) <= len(names) else {}, protocol)
    for line in output.stderr.split("\n"):
        _note_absent(values, line, given, protocol)
    return values


def _protocol(arguments: tuple[str, ...], given: dict[str, list[str]]) -> str | None:
    """The protocol is the last word, unless that is an option or its value."""
    last = arguments[-1] if arguments else "show-prop"
    taken = [value for values in given.values() for value in values]
    return None if last.startswith("-") or last in taken or last == "show-prop" else last


def _property(values: Values, line: str, cells: dict[str, str], protocol: str | None) -> None:
    name, current, protocol = cells.get("PROPERTY"), cells.get("CURRENT"), cells.get("PROTO") or protocol
    if not name or current is None or not protocol or not re.fullmatch(r"[\w-]+", name):
        values.gap("a line of ipadm cannot be read", line.strip())
    elif current == "?":
        values.gap(f"ipadm does not know the value of {protocol}.{name}", line.strip())
    else:
        values.set(f"{protocol}.{name.replace('-', '_')}", "" if current == "--" else current.replace("\\:", ":"), line)


def _complaint(values: Values, line: str, given: dict[str, list[str]], protocol: str | None) -> None:
    if _note_absent(values, line, given, protocol):
        values.taken.append(line)
    else:
        values.gap("ipadm complains", line.strip())


def _note_absent(values: Values, line: str, given: dict[str, list[str]], protocol: str | None) -> bool:
    """Whether a line says of a property that was asked for that there is none of that name."""
    if not _ABSENT.search(line) or protocol is None:
        return False
    asked = {name for names in given.get("p", ()) for name in names.split(",")}
    told = [name for name in asked if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line)]
    for name in told:
        values.absent[f"{protocol}.{name.replace('-', '_')}"] = line.strip()
    return bool(told)
