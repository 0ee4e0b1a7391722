"""A local or foreign address as commands print it: `*.22`, `127.0.0.1:25`, `[fe80::1%lo0]:53`, `0.0.0.0%virbr0:67`, `fe80:1::1.5000`."""

from __future__ import annotations

import re
import socket

from auditor.port_range import PORT_MAX

WILDCARDS = {"ipv4": "0.0.0.0", "ipv6": "::"}  # noqa: S104 - compared and reported, never bound
_NAME = re.compile(r"(?![0-9.]*\Z)[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_DIGITS = 5
_SCOPED = re.compile(r"(fe[89ab][0-9a-f]|ff[0-9a-f]2):([1-9a-f][0-9a-f]{0,3})::?", re.IGNORECASE)
"""KAME writes a link-local address's interface number into its second group."""


class Endpoint:
    """`address` normalised, or "*" for a wildcard whose family the text does not tell, or a host's name (`is_name`); `zone` what followed
    %; `port` a number, None where `port_name` stands for it; `unbound` where there is no port (`*`, 0)."""

    __slots__ = ("address", "family", "is_name", "port", "port_name", "zone")

    def __init__(self, address: str, family: str | None, zone: str | None, port: int | None, port_name: str | None, is_name: bool) -> None:
        self.address = address
        self.family = family
        self.zone = zone
        self.port = port
        self.port_name = port_name
        self.is_name = is_name

    @property
    def unbound(self) -> bool:
        """No port: `*.*`, `*:0`."""
        return self.port in (None, 0) and self.port_name is None

    @property
    def anywhere(self) -> bool:
        """Neither address nor port: what stands for the peer of a socket that has none."""
        return self.unbound and self.address in ("*", *WILDCARDS.values())


def dotted(text: str, family: str | None = None) -> Endpoint | None:
    """`ADDRESS.PORT`, as BSD, macOS, Solaris, HP-UX and AIX print it; None where it is none. `family` is what another column says."""
    address, dot, port = text.rpartition(".")
    return _endpoint(address, port, family) if dot else None


def coloned(text: str, family: str | None = None) -> Endpoint | None:
    """`ADDRESS:PORT`, with or without brackets, as ss, sockstat, lsof, fstat and Windows print it; None where it is none."""
    address, colon, port = text.rpartition(":")
    return _endpoint(address, port, family) if colon else None


def _endpoint(address: str, port: str, family: str | None) -> Endpoint | None:
    number, name = _port(port)
    if number is None and name is None and port != "*":
        return None
    inner = address
    if address.startswith("["):
        inner, bracket, after = address[1:].partition("]")
        if not bracket or (after and not after.startswith("%")):
            return None
        inner += after
        if family == "ipv4":
            return None
        family = "ipv6"
    inner, percent, zone = inner.partition("%")
    if percent and not zone:
        return None
    if inner == "*":
        return Endpoint(WILDCARDS[family] if family else "*", family, zone or None, number, name, is_name=False)
    packed = packed_address(inner)
    if packed is None:
        if not _NAME.match(inner) or len(inner) > 255:
            return None
        return Endpoint(inner, family, zone or None, number, name, is_name=True)
    told = "ipv4" if len(packed) == 4 else "ipv6"
    if told == "ipv6" and family == "ipv4":
        return None
    if not zone and (scoped := _SCOPED.match(inner)):
        zone = str(int(scoped[2], 16))
        packed = packed[:2] + b"\0\0" + packed[4:]
    text = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
    return Endpoint(text, family or told, zone or None, number, name, is_name=False)


def packed_address(text: str) -> bytes | None:
    """An address in its 4 or 16 bytes; None where the text is none. Short forms (`127.1`) are none."""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None


def _port(text: str) -> tuple[int | None, str | None]:
    if text.isascii() and text.isdigit():
        return (int(text), None) if len(text) <= _DIGITS and int(text) <= PORT_MAX else (None, None)
    return None, text if _NAME.match(text) else None
