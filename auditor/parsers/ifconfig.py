"""ifconfig -a of the BSDs, macOS and Solaris: the addresses of each interface.

    em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
            inet 10.9.8.7 netmask 0xffffff00 broadcast 10.9.8.255
            inet6 fe80::5%em0 prefixlen 64 scopeid 0x1
    net0:1: flags=1000843<UP,BROADCAST,RUNNING,MULTICAST,IPv4> mtu 1500 index 2
            inet 10.9.8.8 netmask ffffff00 broadcast 10.9.8.255

The prefix is a mask (hexadecimal with or without 0x, or dotted), `prefixlen` or `/24`; a mask with holes has none. A zone repeats the
interface.
Solaris numbers the further addresses of an interface, and prints 0.0.0.0 or :: where it has none. OpenBSD names the routing domain of an
interface that is not the host's own; its addresses are none of the host's.
"""

from __future__ import annotations

import re
import socket

from auditor.parsers.endpoints import WILDCARDS, packed_address
from auditor.parsers.typed_lines import is_echo
from auditor.reading import Interfaces, Output

_DEVICE = re.compile(r"(?P<device>[A-Za-z][\w.-]{0,31})(?::\d+)?:\s+flags=.*")
_RDOMAIN = re.compile(r"\brdomain (?P<number>\d{1,10})\b")
_ADDRESS = re.compile(r"\s+(?:inet|inet6)\s+(?:alias\s+)?(?P<address>[^\s/%]+)(?:%[^\s/]+)?(?:/(?P<prefix>\d{1,3}))?(?P<rest>(?:\s.*)?)")
_MAY_BE_AN_ADDRESS = re.compile(r"\s+inet6?\b")
_MASK = re.compile(r"\snetmask (?P<mask>\S+)")
_PREFIX = re.compile(r"\sprefixlen (?P<prefix>\d{1,3})\b")
_LETTERS_WITH_VALUE = "fgG"
_LIMITS = {"l": "only the names of interfaces were asked for (-l)", "u": "only interfaces that are up were asked for (-u)",
           "d": "only interfaces that are down were asked for (-d)", "g": "only one group was asked for (-g)"}  # fmt: skip
_BITS = {"ipv4": 32, "ipv6": 128}


def parse(output: Output) -> Interfaces:
    """Every address with its interface and the length of its prefix, None where that is not shown."""
    read = Interfaces()
    _limit(read, output)
    device: str | None = None
    rdomain: str | None = None
    for line in output.lines():
        if header := _DEVICE.fullmatch(line.strip()) if not line[0].isspace() else None:
            device = header["device"]
            named = _RDOMAIN.search(line)
            rdomain = named["number"] if named and int(named["number"]) else None
            read.pass_over(line, "an interface")
        elif _MAY_BE_AN_ADDRESS.match(line):
            _address(read, line, device, rdomain)
        elif line[0].isspace() and device:
            read.pass_over(line, "not an address")
        elif is_echo(line, "ifconfig"):
            read.pass_over(line, "a prompt or the command itself")
        else:
            read.gap("a line of ifconfig cannot be read", line)
            device = None
    if device is None and not read.gaps:
        read.gap("it names no interface")
    return read


def _limit(read: Interfaces, output: Output) -> None:
    given = output.command.given(_LETTERS_WITH_VALUE)
    values = [value for found in given.values() for value in found]
    for letter, why in _LIMITS.items():
        if letter in given:
            read.gap(why)
    words = [word for word in output.command.arguments if not word.startswith("-") and word not in values]
    if words:
        read.gap(f"only {' '.join(words)} was asked for")


def _address(read: Interfaces, line: str, device: str | None, rdomain: str | None) -> None:
    found = _ADDRESS.fullmatch(line)
    packed = packed_address(found["address"]) if found else None
    if found is None or packed is None or device is None:
        read.gap("an address of an interface cannot be read", line)
        return
    family = "ipv4" if len(packed) == len(b"\0\0\0\0") else "ipv6"
    address = socket.inet_ntop(socket.AF_INET if family == "ipv4" else socket.AF_INET6, packed)
    if address in WILDCARDS.values():
        read.pass_over(line, "it has no address")
    elif rdomain:
        read.pass_over(line, f"an address of routing domain {rdomain}")
    else:
        read.taken.append(line)
        read.found.append((device, address, _prefix(found, _BITS[family])))


def _prefix(found: re.Match[str], bits: int) -> int | None:
    number = found["prefix"]
    if shown := _PREFIX.search(found["rest"]):
        number = shown["prefix"]
    if number is not None:
        return int(number) if int(number) <= bits else None
    mask = _MASK.search(found["rest"])
    return _ones(mask["mask"]) if mask else None


def _ones(mask: str) -> int | None:
    """How many bits of an IPv4 mask are set, which must be the first ones."""
    packed = packed_address(mask)
    if packed is not None:
        number = int.from_bytes(packed, "big")
    elif re.fullmatch(r"(?:0x)?[0-9a-f]{1,8}", mask):
        number = int(mask, 16)
    else:
        return None
    ones = number.bit_count()
    return ones if number == (1 << 32) - (1 << (32 - ones)) else None
