"""net.inet.ip.portrange, the same sysctl tree on FreeBSD, DragonFly and macOS: what a port is picked from, by what the program asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from auditor.collectors._saved import Heard, handed_out
from auditor.model import Range

PORTRANGE = "net.inet.ip.portrange"
_ROLES = (("default", ""), ("high", "hi"), ("low", "low"))
"""IP_PORTRANGE_DEFAULT, _HIGH and _LOW of ip(4), and how their settings begin."""


def picked(heard: Heard) -> list[Callable[[], list[Range]]]:
    """The ranges, one by one. Where the first is set above the last (lowfirst and lowlast are), ports are tried downwards."""
    return [partial(_picked, heard, role, prefix) for role, prefix in _ROLES]


def _picked(heard: Heard, role: str, prefix: str) -> list[Range]:
    first, last = f"{PORTRANGE}.{prefix}first", f"{PORTRANGE}.{prefix}last"
    return [handed_out(heard.range(first, last), role, descending=heard.descends(first, last))]
