"""`systemctl show`: lines of PROPERTY=VALUE, a block for each unit, parted by empty lines (systemctl(1))."""

from __future__ import annotations

import re

from auditor.reading import Output, Read

NEEDED = ("Id", "LoadState", "User", "DynamicUser", "AmbientCapabilities", "CapabilityBoundingSet", "NoNewPrivileges")
"""What systemd has printed of every service since version 235, be it empty."""
_LISTS = ("SocketBindAllow", "SocketBindDeny")
"""Properties that are printed once for each rule, and not at all where there is none."""
_LINE = re.compile("([A-Za-z][A-Za-z0-9]*)=(.*)")
Properties = dict[str, list[str]]


class Shown(Read):
    """`units` by name, each with its properties, whose values are several where the property stands several times."""

    __slots__ = ("units",)

    def __init__(self) -> None:
        super().__init__()
        self.units: dict[str, Properties] = {}


def parse(output: Output) -> Shown:
    """What is shown of services. A block that is not whole is a gap."""
    read = Shown()
    blocks: list[list[str]] = [[]]
    for line in output.text.split("\n"):
        if line.strip():
            blocks[-1].append(line.removesuffix("\r"))
        elif blocks[-1]:
            blocks.append([])
    cut = bool(output.text) and not output.text.endswith("\n")
    whole = [block for block in blocks if block]
    for at, block in enumerate(whole):
        _take(read, block, "its last line was cut" if cut and at == len(whole) - 1 else None)
    return read


def _take(read: Shown, block: list[str], why: str | None) -> None:
    properties, odd = _properties(block)
    (name,) = properties.get("Id", [""])[:1]
    missing = [key for key in NEEDED if key not in properties]
    twice = [key for key, values in properties.items() if len(values) > 1 and key not in _LISTS]
    if odd or missing or twice:
        why = f"no property: {odd[0]!r}"[:200] if odd else f"it shows no {missing[0]}" if missing else f"it shows {twice[0]} twice"
    elif name in read.units and read.units[name] != properties:
        why = "it is shown twice, and not the same"
        del read.units[name]
    if why is None:
        read.units[name] = properties
        read.taken += block
        return
    read.gap(f"a unit of systemctl show cannot be read{f' ({name})' if name else ''}: {why}", block[0])
    for line in block[1:]:
        read.pass_over(line, "of a unit that cannot be read")


def _properties(block: list[str]) -> tuple[Properties, list[str]]:
    """The properties of a block, and lines that are none."""
    found: Properties = {}
    odd = []
    for line in block:
        said = _LINE.fullmatch(line)
        if said is None:
            odd.append(line)
        else:
            found.setdefault(said[1], []).append(said[2])
    return found, odd


def features(output: Output) -> dict[str, bool]:
    """What `systemctl show --property=Features` says that the manager was built with (`+NAME`) and without (`-NAME`)."""
    for line in output.lines():
        name, equals, value = line.partition("=")
        if name == "Features" and equals:
            return {word[1:]: word[0] == "+" for word in value.split() if word[:1] in ("+", "-")}
    return {}
