"""A listener on a port whose protocol sends passwords or sessions readable.

Why it matters
--------------
Whoever sits on the network path reads and changes what passes. The rule goes by the port number, which is the usual service's; what
really runs there, the process in the finding tells. Ports whose protocols may speak STARTTLS are of the tier `usual`, which the
baseline leaves out, because that cannot be seen from outside.

Remedy
------
Replace the service by its encrypted successor (SSH for telnet and rsh, SFTP or FTPS for FTP), or bind it to 127.0.0.1. The parameter
`tiers` says which ports count.
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    tiers = case.parameters.get("tiers", ["always"])
    for notable in case.tables.notable("cleartext"):
        if notable.protocol != socket.protocol or socket.port not in notable.ports or notable.tier not in tiers:
            continue
        if socket.state == "bound" or not socket.exposed:
            return
        if notable.unless_executable and _held_by(socket, notable.unless_executable):
            return
        yield Breach(
            f"port {socket.port} is {notable.service} by number: {notable.why}",
            observed=f"reach {socket.reach}, held by {who(socket)}",
            expected="an encrypted service, or loopback only",
            source=notable.source,
        )
        return


def _held_by(socket: Socket, programs: tuple[str, ...]) -> bool:
    """Whether it has holders and each is one of `programs`, be it one whose file an upgrade replaced."""
    held = False
    for owner in socket.owners:
        if (owner.executable or "").removesuffix(" (deleted)") not in programs:
            return False
        held = True
    return held


RULE = Rule(each="socket", severity="medium", parameters={"tiers": list}, check=check)
