"""`no -a` and `no -o NAME` of AIX: the network tunables as they run, `name = value`, the names set to the right.

              tcp_ephemeral_low = 40000

`n/a` stands for a tunable that this kernel does not have.
"""

from __future__ import annotations

import re

from auditor.parsers.typed_lines import typed
from auditor.reading import Output, Values

_TUNABLE = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>\S.*)?")
_RESTRICTED = re.compile(r"##\s*Restricted tunables\b.*", re.IGNORECASE)
_NOT_THERE = "n/a"


def _echoed(line: str) -> bool:
    """Whether a line is the command as it was typed; "no such ..." is a complaint."""
    command = typed(line, "no")
    return command is not None and (not command or re.search(r"\bno\s+-", command) is not None)


def parse(output: Output) -> Values:
    """Each tunable by its name."""
    values = Values()
    for line in output.lines():
        text = line.strip()
        if _echoed(line):
            values.pass_over(line, "the command as it was typed")
        elif not (tunable := _TUNABLE.fullmatch(text)):
            if _RESTRICTED.fullmatch(text):
                values.pass_over(line, "a title")
            else:
                values.gap("a line of no cannot be read", text)
        elif (tunable["value"] or "").strip() == _NOT_THERE:
            values.absent[tunable["name"]] = text
            values.taken.append(line)
        else:
            values.set(tunable["name"], (tunable["value"] or "").strip(), line)
    return values
