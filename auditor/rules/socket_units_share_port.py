"""Two socket units that are enabled declare one port.

Why it matters
--------------
Only one of them can have it. Which one that is, is decided anew at each boot, by which is started first: the other one fails with
"address already in use" (of two on a UDP port the last one gets the datagrams), and a service that was reviewed on this port is
another one after a reboot. Units enabled are those that a link in a .wants, .requires or .upholds folder has started; one that only a
service's own Requires= pulls in is not counted.

Remedy
------
Keep one of them for the port, and give the other one another port or turn it off.

Linux: `systemctl disable --now UNIT.socket`; or another port, after `systemctl edit UNIT.socket`, in the section [Socket], where an empty
`ListenStream=` takes back what the unit declares and `ListenStream=127.0.0.1:8081` declares anew. `systemctl list-sockets --all` shows
what each of them has.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from auditor.facts import UnknownFact
from auditor.model import DeclaredUnit
from auditor.rule import Breach, Case, Rule


def check(case: Case, one: DeclaredUnit) -> Iterator[Breach]:
    if not one.enabled:
        return
    for other in case.stack.socket_units:
        if other is one:  # a pair is judged once, for the later one
            return
        if other.enabled and other.unit != one.unit and _clash(one, other):
            told = [f"{unit.unit} on {unit.address} ({unit.file}:{unit.line})" for unit in (other, one)]
            yield Breach(
                f"{other.unit} and {one.unit} are both enabled and both declare {one.protocol} port {one.port}{_proviso(one, other)}",
                observed=" and ".join(told),
                expected="one enabled socket unit for a port",
                source=f"{other.file}:{other.line}, {one.file}:{one.line}",
            )


def _clash(one: DeclaredUnit, other: DeclaredUnit) -> bool:
    """Whether not both can have what they declare: a wildcard is on every address, one of IPv6 on those of IPv4 as well."""
    if (one.protocol, one.port) != (other.protocol, other.port) or (one.reuse_port and other.reuse_port):
        return False
    if one.device and other.device and one.device != other.device:
        return False
    lower, higher = sorted((one, other), key=lambda unit: _ip(unit).version)
    if _ip(lower).version == _ip(higher).version:
        return _ip(lower) == _ip(higher) or _ip(lower).is_unspecified or _ip(higher).is_unspecified
    return _ip(higher).is_unspecified and not higher.shown.get("v6only")


def _proviso(one: DeclaredUnit, other: DeclaredUnit) -> str:
    """Whether an IPv6 wildcard takes IPv4 too is a setting where its unit does not say."""
    versions = {_ip(unit).version: "v6only" in unit.shown for unit in (one, other)}
    return "" if len(versions) == 1 or versions[6] else ", unless net.ipv6.bindv6only, which is 0 by default, is 1"


def _ip(unit: DeclaredUnit) -> IPv4Address | IPv6Address:
    try:
        return ip_address(unit.address)
    except ValueError:
        raise UnknownFact(f"{unit.file}:{unit.line}: {unit.address} is no address") from None


RULE = Rule(each="socket_unit", severity="medium", systems=("Linux",), stacks="host", check=check)
