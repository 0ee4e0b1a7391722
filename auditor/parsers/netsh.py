"""`netsh int ipv4|ipv6 show dynamicport|excludedportrange` of Windows, in whatever language; the command tells family and protocol.

    Protocol tcp Dynamic Port Range                  Protocol tcp Port Exclusion Ranges
    ---------------------------------
    Start Port      : 20000                          Start Port    End Port
    Number of Ports : 5000                           ----------    --------
                                                          5985        5985
                                                         50000       50059     *

                                                     * - Administered port exclusions.

A dynamic range is a start and a COUNT; it is given as its first and last port, `dynamicport.ipv4.tcp` = "20000-24999". Exclusions are a
list, `excludedportrange.ipv4.tcp` = "5985,50000-50059", and those with `*` are also in `excludedportrange.ipv4.tcp.administered`. What
store=persistent shows is what the next boot begins with: `excludedportrange.ipv4.tcp.persistent`. The sentence about `*` is the last line
of every list: one without it may be cut, and one that cannot be read whole is not given at all.
"""

from __future__ import annotations

import re
from itertools import pairwise

from auditor.parsers.typed_lines import typed
from auditor.port_range import PortRange
from auditor.reading import Output, Values

_CONTEXTS = {"ipv4": "ipv4", "ip": "ipv4", "ipv6": "ipv6"}
_PROTOCOLS = ("tcp", "udp")
_SHOW = ("show", "sho", "sh")
_LABELLED = re.compile(r"[^:\N{FULLWIDTH COLON}]+[:\N{FULLWIDTH COLON}]\s*(?P<number>\d{1,5})")
_RULE = re.compile(r"-{5,}(?:\s+-{5,})?")
_EXCLUDED = re.compile(r"(?P<first>\d{1,5})\s+(?P<last>\d{1,5})(?P<administered>\s+\*)?")
_LAST = re.compile(r"\* ?- ?\S.*")


class _Asked:
    """What a command asks for: `kind` dynamicport or excludedportrange, None where it is neither, or does not say of what."""

    def __init__(self, words: list[str]) -> None:
        words = [word.lower() for word in words]
        values = [word.partition("=")[2] or word for word in words]
        family = next((_CONTEXTS[word] for word in words if word in _CONTEXTS), None)
        protocol = next((value for value in values if value in _PROTOCOLS), None)
        what = next((after for word, after in pairwise(words) if word in _SHOW), "")
        kind = "dynamicport" if what.startswith("dyn") else "excludedportrange" if what.startswith("exc") else None
        self.protocol = protocol
        self.kind = kind if family and protocol else None
        self.name = f"{kind}.{family}.{protocol}"
        self.store = ".persistent" if "persistent" in values else ""


def parse(output: Output) -> Values:
    """The range or the list below each command: the one that was run, or those echoed in pasted text."""
    values = Values()
    told: list[tuple[list[str], list[str]]] = [(list(output.command.arguments) if output.command.program == "netsh" else [], [])]
    for line in output.lines():
        command = typed(line, "netsh")
        if command is None:
            told[-1][1].append(line)
        else:
            told.append((command.split(), []))
            values.pass_over(line, "the command as it was typed")
    for at, (words, below) in enumerate(told):
        if below or at or len(told) == 1:
            _take(values, _Asked(words), below)
    return values


def _take(values: Values, asked: _Asked, lines: list[str]) -> None:
    rule = next((at for at, line in enumerate(lines) if _RULE.fullmatch(line.strip())), None)
    if asked.kind is None or rule is None:
        for line in lines:
            values.gap("which range this is of is not told" if asked.kind is None else "a line of netsh cannot be read", line.strip())
        if asked.kind:
            values.gap(f"{asked.name}: there is no table in this answer")
        return
    for line in lines[: rule + 1]:
        other = [name for name in _PROTOCOLS if name != asked.protocol and re.search(rf"(?i)\b{name}\b", line)]
        if other:
            values.gap(f"{asked.protocol} was asked for, and this speaks of {other[0]}", line.strip())
            for rest in [one for one in lines if one is not line]:
                values.gap("a line of netsh cannot be read", rest.strip())
            return
    for line in lines[: rule + 1]:
        values.pass_over(line, "a title")
    (_dynamic if asked.kind == "dynamicport" else _excluded)(values, asked, lines[rule + 1 :])


def _dynamic(values: Values, asked: _Asked, lines: list[str]) -> None:
    """The start and the count, in this order."""
    numbers = [label for line in lines if (label := _LABELLED.fullmatch(line.strip()))]
    ports = _range(int(numbers[0]["number"]), int(numbers[0]["number"]) + int(numbers[1]["number"]) - 1) if len(numbers) == 2 else None
    if ports is None or len(lines) != len(numbers):
        for line in lines:
            values.gap("a line of netsh cannot be read", line.strip())
        values.gap(f"{asked.name} is no start and count of ports")
        return
    values.set(asked.name + asked.store, f"{ports.first}-{ports.last}", lines[0])
    values.taken.append(lines[1])


def _excluded(values: Values, asked: _Asked, lines: list[str]) -> None:
    rows = [row for line in lines if (row := _EXCLUDED.fullmatch(line.strip()))]
    every = [_range(int(row["first"]), int(row["last"])) for row in rows]
    whole = bool(lines) and len(rows) == len(lines) - 1 and _LAST.fullmatch(lines[-1].strip()) is not None and None not in every
    if not whole:
        for line in lines:
            if _EXCLUDED.fullmatch(line.strip()) or _LAST.fullmatch(line.strip()):
                values.pass_over(line, "of a list that cannot be read whole")
            else:
                values.gap("a line of netsh cannot be read", line.strip())
        values.gap(f"{asked.name}: the list cannot be read whole, or its last line is missing")
        return
    administered = [ports for row, ports in zip(rows, every, strict=True) if row["administered"]]
    values.set(asked.name + asked.store, ",".join(map(str, every)), lines[-1])
    values.values.setdefault(f"{asked.name}{asked.store}.administered", ",".join(map(str, administered)))
    values.taken += lines[:-1]


def _range(first: int, last: int) -> PortRange | None:
    try:
        return PortRange(first, last)
    except ValueError:
        return None
