"""Lists of ports as kernels print them: "22000-22010,23000", or "32768<TAB>60999" for one range."""

from __future__ import annotations

from auditor.port_range import PortRange


def comma_list(text: str) -> list[PortRange]:
    """net.ipv4.ip_local_reserved_ports: nothing at all where there is none. ValueError where it is anything else."""
    return [PortRange.parse(part) for part in text.strip().split(",")] if text.strip() else []


def pair(text: str) -> PortRange:
    """net.ipv4.ip_local_port_range: first and last, parted by blanks. ValueError where it is anything else."""
    first, last = text.split()
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise ValueError(f"not two ports: {text!r}")
    return PortRange(int(first), int(last))
