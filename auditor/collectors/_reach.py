"""How far an address reaches, and which sockets the kernel itself gave their port: the same for every system."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.facts import PortRange

WIDEST = ("public", "private", "link", "loopback")


def reach(address: str) -> str:
    """`wildcard`, or the scope of one address by the IANA special-purpose registries (as Python's ipaddress has them): loopback,
    link, private or public; `unknown` for a host's name. Multicast and broadcast addresses are heard wherever the wildcard is."""
    from ipaddress import IPv6Address, ip_address

    if address == "*":
        return "wildcard"
    try:
        ip = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.is_unspecified or ip.is_multicast or str(ip) == "255.255.255.255":
        return "wildcard"
    if ip.is_loopback:
        return "loopback"
    if ip.is_link_local:
        return "link"
    return "public" if ip.is_global else "private"


def mark_kernel_given(shown: dict[str, Any], ephemeral: Iterable[PortRange], reserved: Iterable[PortRange]) -> None:
    """A UDP socket without a peer, on a port that the kernel hands out and no unit declares, is most likely a client's."""
    if shown["protocol"] == "udp" and not shown.get("socket_unit"):
        port = shown["port"]
        shown["kernel_given"] = any(port in r for r in ephemeral) and not any(port in r for r in reserved)
