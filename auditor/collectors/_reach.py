"""How far an address reaches, and which sockets the kernel itself gave their port: the same for every system."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from auditor.port_range import PortRange

WIDEST = ("public", "private", "link", "loopback")


@lru_cache(maxsize=4096)
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


@lru_cache(maxsize=4096)
def family_reached(address: str, v6only: bool | None) -> str:
    """The family of the addresses that a wildcard or multicast address stands for; `any` where it is, or may be, both."""
    from ipaddress import IPv4Address, ip_address

    try:
        ip = ip_address(address)
    except ValueError:
        return "any"
    if isinstance(ip, IPv4Address) or ip.ipv4_mapped:
        return "ipv4"
    return "ipv6" if v6only or not ip.is_unspecified else "any"


def widest(addresses: Iterable[str], family: str) -> str:
    """How far a wildcard of that family reaches, or of `any`, on a stack that has these addresses."""
    reaches = {reach(address) for address in addresses if family in ("any", family_reached(address, True))}
    return next((scope for scope in WIDEST if scope in reaches), "loopback")


def mark_kernel_given(shown: dict[str, Any], ephemeral: Iterable[PortRange], reserved: Iterable[PortRange]) -> None:
    """A UDP socket without a peer, on a port that the kernel hands out and no unit declares, is most likely a client's."""
    if shown["protocol"] == "udp" and not shown.get("socket_unit"):
        port = shown["port"]
        shown["kernel_given"] = any(port in r for r in ephemeral) and not any(port in r for r in reserved)
