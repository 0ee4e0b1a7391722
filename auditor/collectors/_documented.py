"""Ranges that a host was not asked for, or cannot be asked for: the vendor table's word for its release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from auditor.facts import Gap
from auditor.port_range import PORT_MAX, PortRange
from auditor.tables import VendorRecord

_WHOLE = PortRange(0, PORT_MAX)
_HIGHEST = "999999999"
_NUMBERS = 3
"""A whole release of VOS has three numbers, and letters where patches are in it: 14.5.0at."""


def meant(release: str | None) -> tuple[str, str]:
    """The least and the greatest release that the text may mean: without patch letters it may be any that begins with its numbers."""
    found = re.search(r"(\d{1,9}(?:\.\d{1,9})*)([a-z]*)", (release or "").lower(), re.ASCII)
    if found is None:
        return "0", _HIGHEST
    if found[2]:
        return found[0], found[0]
    return found[1], f"{found[1]}.{_HIGHEST}" if found[1].count(".") + 1 < _NUMBERS else f"{found[1]}zzzz"


def agreed(possible: Iterable[Iterable[PortRange]]) -> tuple[list[PortRange], list[PortRange]]:
    """The ports that are in every one of several sets of ranges, and those that are in some of them alone."""
    sets = [list(one) for one in possible]
    some = [part for one in sets for part in one]
    inside = _WHOLE.minus(part for one in sets for part in _WHOLE.minus(one)) if sets else []
    return inside, _WHOLE.minus([*_WHOLE.minus(some), *inside])


def of_each(by_protocol: Mapping[str, list[PortRange]]) -> list[tuple[str, PortRange]]:
    """What is so of TCP and what of UDP, as (protocol, ports); `any` where it is so of both."""
    tcp, udp = by_protocol["tcp"], by_protocol["udp"]
    return [
        *(("any", ports) for ports in tcp if ports in udp),
        *(("tcp", ports) for ports in tcp if ports not in udp),
        *(("udp", ports) for ports in udp if ports not in tcp),
    ]


def handed_out_by(record: VendorRecord, protocol: str) -> list[PortRange]:
    """The ports that the row says are handed out to whoever does not ask for others."""
    if not record.knows("ephemeral"):
        return []
    return [part.ports for part in record.ephemeral if part.role == "default" and part.protocol in ("any", protocol)]


def disputed(record: VendorRecord) -> list[Gap]:
    """The ports about which the row's sources contradict each other; it states the range without them."""
    why = "the sources contradict each other whether it is handed out"
    return [
        Gap(
            f"{part.ports}: {why} (vendor table, {record.id})", protocol=None if part.protocol == "any" else part.protocol, ports=part.ports
        )
        for part in record.disputed
    ]


def remark(record: VendorRecord) -> list[str]:
    """What is wrong with the row's own sources, for the report's limits."""
    return [f"The source of {record.id} ({record.stack}): {' '.join(record.quirk.split())}"] if record.quirk else []
