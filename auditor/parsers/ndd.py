"""ndd of Solaris 10, HP-UX and FTX: `ndd -get /dev/tcp NAME [NAME...]` prints bare values in the order asked, a blank line between two.

    # ndd -get /dev/tcp tcp_smallest_anon_port tcp_largest_anon_port
    49152

    65535

tcp_extra_priv_ports is several lines, given here as one list with commas. Which value is whose, only the command tells: the one that was
run, or in pasted text the one echoed above its values. Values are named as ndd names them; the name begins with its device's (tcp_, udp_).
"""

from __future__ import annotations

import re

from auditor.parsers.typed_lines import typed
from auditor.reading import Output, Values

_VALUE = re.compile(r"\d{1,20}")
_LISTED = re.compile(r"(?P<name>\S+)\s+\((?:read|write|read and write|read only|write only|no read or write)\)")
_NOT_THERE = re.compile(r"name is non-existent for this module|for a list of valid names, use name '\?'")
_SEVERAL = "_extra_priv_ports"
"""The end of the names of the parameters that are lists."""


def parse(output: Output) -> Values:
    """Each name with its value; values that cannot be told apart are gaps, each line of them."""
    values = Values()
    names = _names(output.command.program, list(output.command.arguments))
    blocks: list[list[str]] = [[]]
    for line in output.text.split("\n"):
        line = line.removesuffix("\r")
        command = typed(line, "ndd") if line.strip() else None
        if command is not None:
            _take(values, names, blocks)
            words = command.split()
            names, blocks = _names("ndd", words[1:]) if words else [], [[]]
            values.pass_over(line, "the command as it was typed")
        elif line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    _take(values, names, blocks)
    if len(names) == 1 and _NOT_THERE.search(output.stderr):
        values.absent[names[0]] = output.stderr.strip().split("\n")[0]
    return values


def _names(program: str, words: list[str]) -> list[str]:
    """What a command asks for; nothing where it sets a value or is another one."""
    if program != "ndd" or "-set" in words or "-h" in words:
        return []
    asked = [word for word in words if not word.startswith("-")]
    return asked[1:] if asked and asked[0].startswith("/dev/") else []


def _take(values: Values, names: list[str], blocks: list[list[str]]) -> None:
    """The values below one command."""
    blocks = [block for block in blocks if block]
    if len(names) == 1 and all(_VALUE.fullmatch(line.strip()) for block in blocks for line in block):
        blocks = [[line for block in blocks for line in block]] if blocks else []
    elif len(blocks) == 1 and len(blocks[0]) == len(names) and not any(name.endswith(_SEVERAL) for name in names):
        blocks = [[line] for line in blocks[0]]
    for at, block in enumerate(blocks):
        if len(blocks) == len(names):
            _value(values, names[at], block)
        else:
            for line in block:
                _other(values, line, names)


def _value(values: Values, name: str, block: list[str]) -> None:
    if not all(_VALUE.fullmatch(line.strip()) for line in block) or (len(block) > 1 and not name.endswith(_SEVERAL)):
        for line in block:
            _other(values, line, [name])
        return
    values.set(name, ",".join(line.strip() for line in block), block[0])
    values.taken += block[1:]


def _other(values: Values, line: str, names: list[str]) -> None:
    text = line.strip()
    if len(names) == 1 and _NOT_THERE.fullmatch(text):
        values.absent.setdefault(names[0], text)
        values.taken.append(line)
    elif _LISTED.fullmatch(text):
        values.pass_over(line, "a name without its value")
    else:
        values.gap("which parameter this is the value of cannot be told", text)
