"""A user holds one address of a port that another user serves on every address.

Why it matters
--------------
A socket that is bound to an address goes before one that is bound to all of them. So whatever arrives for that address reaches the second
user's program, while everybody believes to speak with the first one's: passwords can be taken, answers forged.

Remedy
------
Find out which program the address is meant for. Stop the other one, or bind the first to its addresses too, so that nothing can come before
it.

Linux: `ss -Htulpne 'sport = :PORT'` lists the sockets with their processes and creators.

FreeBSD: `sockstat -l -p PORT`

Darwin: `sudo lsof -nP -i :PORT`
"""

from collections.abc import Iterator

from auditor.model import WILDCARDS, Socket
from auditor.rule import Breach, Case, Rule, who_and_creator


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    if socket.address in WILDCARDS or socket.state == "bound" or _goes_to_all(socket.address):
        return
    for wildcard in case.of_other_users(socket, WILDCARDS, _shadows):
        yield Breach(
            f"{socket}, held by {who_and_creator(socket)}, takes what arrives for its address from {wildcard}, "
            f"held by {who_and_creator(wildcard)}",
            observed=f"{socket} beside {wildcard}",
            expected="one user for both",
        )


def _goes_to_all(address: str) -> bool:
    """Whether each socket that is bound to a multicast or broadcast address, or to all, gets its own copy."""
    from ipaddress import ip_address

    try:
        return address == "255.255.255.255" or ip_address(address).is_multicast
    except ValueError:
        return False


def _shadows(socket: Socket, wildcard: Socket) -> bool:
    devices = {device for one in (socket, wildcard) if (device := one.shown.get("device"))}
    if wildcard.state == "bound" or len(devices) > 1:
        return False
    return not set(socket.families).isdisjoint(wildcard.families)


RULE = Rule(each="socket", severity="high", check=check)
