"""A port of this host is published by address translation, and no socket of the host is on it.

Why it matters
--------------
Packets to the port are sent on to a container, another machine or another port, before any socket is looked for: the port answers, and no
list of listeners shows it, so that nobody approved it. What IPVS or a BPF program sends on is not seen by this rule, and conditions on
who may send (an interface, a source) are not judged: the firewall may let nobody through.

Remedy
------
Find out who made the rule, which the finding names, and have the port approved or the rule removed where it came from: a container
runtime or an orchestrator makes it again.

Linux: `nft -a list ruleset` and `iptables-save -t nat` show the rules; `docker ps --format "{{.Names}} {{.Ports}}"` which container
publishes the port, and `-p 127.0.0.1:8080:80` keeps it to the host itself.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from auditor.facts import UnknownFact
from auditor.model import Socket, Translation
from auditor.port_range import PortRange
from auditor.rule import Breach, Case, Rule

_ELSEWHERE = "translated for addresses that are not this host's"


def check(case: Case, one: Translation) -> Iterator[Breach]:
    ports = PortRange.joined(_without_socket(case, one))
    if not ports or (one.destination is not None and _is_loopback(one.destination)):
        return
    if one.destination is None or any(_among(one.destination, _ip(own.address)) for own in case.stack.addresses):
        yield Breach(
            f"{one.protocol}/{','.join(map(str, ports))} is translated to {one.to}, and no socket of this host is on it: it may answer "
            "all the same",
            observed=f"{one} to {one.to}",
            expected="a socket on the port, which a list of listeners shows",
            source=one.rule,
        )
    else:
        yield Breach(
            "packets for addresses that are not this host's are translated",
            observed=f"{one} to {one.to}",
            source=one.rule,
            severity="info",
            fold=_ELSEWHERE,
        )


def _without_socket(case: Case, one: Translation) -> Iterator[PortRange]:
    """Its ports that no socket holds, for each protocol and family that it translates."""
    only = one.first if one.first == one.last else None
    for protocol in ("tcp", "udp") if one.protocol == "any" else (one.protocol,):
        for family in ("ipv4", "ipv6") if one.family == "any" else (one.family,):
            holding = case.stack.listening.about(protocol, family, only)
            near = [socket for socket in holding if socket.protocol == protocol and socket.port in one.ports]
            yield from one.ports.minus(PortRange(socket.port, socket.port) for socket in near if _serves(socket, family))


def _serves(socket: Socket, family: str) -> bool:
    """Whether it takes packets of the family that come from elsewhere."""
    if socket.address in ("*", "::"):
        return family == "ipv6" or socket.shown.get("v6only") is not True
    ip = _ip(socket.address)
    return not ip.is_loopback and family == f"ipv{ip.version}"


def _is_loopback(destination: str) -> bool:
    """Of such packets none comes from elsewhere."""
    return all(_ip(end.partition("/")[0]).is_loopback for end in destination.split("-"))


def _among(destination: str, address: IPv4Address | IPv6Address) -> bool:
    first, dash, last = destination.partition("-")
    if dash:
        return _ip(first).version == address.version and int(_ip(first)) <= int(address) <= int(_ip(last))
    try:
        return address in ip_network(destination, strict=False)
    except ValueError:
        raise UnknownFact(f"{destination} is no address, prefix or range") from None


def _ip(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        raise UnknownFact(f"{text} is not a whole address") from None


RULE = Rule(each="translation", severity="low", needs=("nat",), systems=("Linux",), stacks="host", check=check)
