"""A line of authbind's /etc/authbind/byuid/UID, read as authbind's helper reads it: authbind(1) and, where that is silent, helper.c.

    addrmin[-addrmax],portmin[-portmax]
    addr[/length],portmin[-portmax]
    addr4/length:portmin,portmax

The helper reads numbers by sscanf(3), which takes blanks and a sign before each and lets what is too great wrap around.
"""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

from auditor.port_range import PORT_MAX, PortRange

_NUMBER = r"[ \t\n\v\f\r]*([+-]?[0-9]+)"
_BLANKS = r"[ \t\n\v\f\r]*"
_FOUR = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}\.{_NUMBER}/{_NUMBER}:{_NUMBER},{_NUMBER}{_BLANKS}")
_PORTS = re.compile(rf"{_NUMBER}(?:-{_NUMBER})?{_BLANKS}")
_LENGTH = re.compile(rf"{_NUMBER}{_BLANKS}")
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}
"""By the length of an address in bytes."""
_BYTE, _IPV4_BITS = 255, 32
_ENOUGH_DIGITS = 21
"""So many are more than 64 bits hold."""
_EVERY = {("0.0.0.0", "255.255.255.255"): "any IPv4 address", ("::", ":".join(["ffff"] * 8)): "any IPv6 address"}  # noqa: S104


class Allowed(NamedTuple):
    """What a line allows: addresses of one family from `first` to `last`, and `ports`."""

    first: str
    last: str
    ports: PortRange

    @property
    def addresses(self) -> str:
        """For a reader."""
        return _EVERY.get((self.first, self.last), self.first if self.first == self.last else f"{self.first}-{self.last}")


def parse(line: str) -> Allowed | None:
    """What a line allows; None where it allows nothing, as everything that is no rule. ValueError where it depends on the machine that the
    helper was compiled for (a length that wraps around below 0)."""
    if found := _FOUR.fullmatch(line):
        *address, length, first, last = (_unsigned(word) for word in found.groups())
        if length > _IPV4_BITS or max(first, last) > PORT_MAX or max(address) > _BYTE:
            return None
        return _in_network(bytes(address), length, first, last)
    addresses, comma, ports = line.partition(",")
    numbers = _PORTS.fullmatch(ports) if comma else None
    if numbers is None or ("/" in addresses and "-" in addresses):
        return None
    first = _unsigned(numbers[1])
    last = first if numbers[2] is None else _unsigned(numbers[2])
    if "/" in addresses:
        name, _, behind = addresses.partition("/")
        length_word = _LENGTH.fullmatch(behind)
        packed = _packed(name)
        if length_word is None or packed is None:
            return None
        length = _unsigned(length_word[1])
        if length >> 31:
            raise ValueError("a length below 0")
        return _in_network(packed, length, first, last)
    lowest, hyphen, highest = addresses.partition("-")
    low, high = _packed(lowest), _packed(highest if hyphen else lowest)
    if low is None or high is None or len(low) != len(high) or low > high:
        return None
    return _allowed(low, high, first, last)


def _unsigned(word: str) -> int:
    """What %u makes of it: strtoul(3), cut to 32 bits."""
    magnitude = int(word.lstrip("+-").lstrip("0")[:_ENOUGH_DIGITS] or "0")
    if magnitude >> 64:
        return 0xFFFFFFFF
    return (-magnitude if word.startswith("-") else magnitude) & 0xFFFFFFFF


def _packed(address: str) -> bytes | None:
    for family in _FAMILIES.values():
        try:
            return socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
    return None


def _in_network(address: bytes, length: int, first: int, last: int) -> Allowed | None:
    """An address with bits beyond the length matches nothing."""
    bits = 8 * len(address)
    number = int.from_bytes(address)
    host = (1 << bits - length) - 1 if length <= bits else -1
    return None if host < 0 or number & host else _allowed(address, (number | host).to_bytes(len(address)), first, last)


def _allowed(low: bytes, high: bytes, first: int, last: int) -> Allowed | None:
    family = _FAMILIES[len(low)]
    if first > last or first > PORT_MAX:
        return None
    return Allowed(socket.inet_ntop(family, low), socket.inet_ntop(family, high), PortRange(first, min(last, PORT_MAX)))
