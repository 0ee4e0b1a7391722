r"""`reg query KEY /v NAME` of Windows: values of the registry, below the key that they belong to.

    HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters
        MaxUserPort    REG_DWORD    0xea60

Read are the values of this key itself, by their own names: a REG_DWORD as a decimal number, a REG_MULTI_SZ with commas in place
of `\0` (ReservedPorts), others as text. That a value is not there, Windows says in its language: only the English words are sure.
"""

from __future__ import annotations

import re

from auditor.parsers.typed_lines import typed
from auditor.reading import Output, Values

_KEY = re.compile(r"HKEY_[A-Z_]+(?:\\.*)?")
_OURS = re.compile(r"(?:HKEY_LOCAL_MACHINE|HKLM)\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\?", re.IGNORECASE)
_VALUE = re.compile(r"(?P<name>\S++(?:\s++\S++)*?)(?! \S)[\t ]++(?P<type>REG_[A-Z_]++)(?:(?! \S)[\t ]++(?P<data>.*))?")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,16}")
_NUMBERS = ("REG_DWORD", "REG_QWORD")
_VERSION = re.compile(r"! REG\.EXE VERSION .*")
_NOT_THERE = re.compile(r"(?:ERROR|Error): +The system was unable to find the specified registry key or value\.?")


def parse(output: Output) -> Values:
    """The values below the key; one that was asked for by name and is not there is absent, where Windows says so in English."""
    values = Values()
    asked = _asked(output.command.arguments)
    key: str | None = None
    for line in output.lines():
        text = line.strip()
        if _KEY.fullmatch(text):
            key = text
            values.pass_over(line, "a key")
        elif typed(line, "reg") is not None or _VERSION.fullmatch(text):
            values.pass_over(line, "not a value")
        elif _NOT_THERE.fullmatch(text) and asked:
            values.absent[asked] = text
            values.taken.append(line)
        elif value := _VALUE.fullmatch(text):
            _value(values, line, key, value)
        else:
            values.gap("a line of reg cannot be read", text)
    if asked and asked not in values.values and _NOT_THERE.search(output.stderr):
        values.absent[asked] = output.stderr.strip()
    return values


def _asked(arguments: tuple[str, ...]) -> str | None:
    """The name after /v, where it is one of this key's."""
    small = [word.lower() for word in arguments]
    if not any(_OURS.fullmatch(word) for word in arguments):
        return None
    return arguments[small.index("/v") + 1] if "/v" in small[:-1] else None


def _value(values: Values, line: str, key: str | None, value: re.Match[str]) -> None:
    name, kind, data = value["name"], value["type"], (value["data"] or "").strip()
    if key is None:
        values.gap("no key says whose value this is", line.strip())
    elif not _OURS.fullmatch(key):
        values.pass_over(line, "a value of another key")
    elif kind in _NUMBERS and not _HEXADECIMAL.fullmatch(data):
        values.gap(f"{name} is no number", line.strip())
    elif kind in _NUMBERS:
        values.set(name, str(int(data, 16)), line)
    else:
        values.set(name, data.replace("\\0", ",").strip(",") if kind == "REG_MULTI_SZ" else data, line)
