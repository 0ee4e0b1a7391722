"""Solaris' and illumos' `zoneadm list -cp` (usr/src/cmd/zoneadm/zoneadm.c): a line for each zone, its fields parted by colons.

    0:global:running:/::ipkg:shared
    3:web:running:/zones/web:5b2c1f0e-0000-4000-8000-000000000003:ipkg:excl
    -:spare:installed:/zones/spare::ipkg:shared

A colon in a field has a backslash before it. The seventh field is `excl` where the zone has a network stack of its own, `shared` where it
uses the global zone's; Solaris before 10 8/07 had no such field, and no such zones. There is no header; the global zone is always listed,
inside a zone that zone alone. `zonename` prints one name.
"""

from __future__ import annotations

import re

from auditor.reading import Output, Read

_FIELDS = ("id", "name", "state", "path", "uuid", "brand", "ip")
_LEAST = 4
_ID = re.compile(r"\d+|-")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Zones(Read):
    """The fields of each zone that was listed."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []


class OwnZone(Read):
    """The zone in which the commands ran; None where the output does not say."""

    __slots__ = ("name",)

    def __init__(self) -> None:
        super().__init__()
        self.name: str | None = None


def parse(output: Output) -> Zones:
    """A line that is no zone is a gap; so is an output without one."""
    zones = Zones()
    for line in output.lines():
        fields = [part.replace("\\:", ":") for part in re.split(r"(?<!\\):", line.strip())]
        if len(fields) >= _LEAST and _ID.fullmatch(fields[0]) and _NAME.fullmatch(fields[1]):
            zones.found.append(dict(zip(_FIELDS, fields, strict=False)))
            zones.taken.append(line)
        else:
            zones.gap("a line of zoneadm cannot be read (zoneadm list -cp)", line)
    if not zones.taken and not zones.gaps:
        zones.gap("zoneadm lists no zone, not even the one it ran in")
    return zones


def parse_zonename(output: Output) -> OwnZone:
    """One line with one name."""
    zone = OwnZone()
    for line in output.lines():
        if zone.name is None and _NAME.fullmatch(line.strip()):
            zone.name = line.strip()
            zone.taken.append(line)
        else:
            zone.gap("a line of zonename cannot be read", line)
    return zone
