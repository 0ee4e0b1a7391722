"""A UDP service that is known to amplify forged traffic listens on a public address.

Why it matters
--------------
Such a service answers a small question with a large answer, and cannot see that the sender's address is forged: whoever is named there is
flooded by this host. Addresses of such hosts are traded, and found by scanners within hours. The rule goes by the port number, which is
the usual service's; whether it limits its answers cannot be seen from outside.

Remedy
------
Bind the service to the addresses that need it, or let the firewall admit its clients alone. What must be public is to answer nobody's
questions but its own clients' and to limit its rate (DNS: no recursion for others, response rate limiting; NTP: no monitor queries).
The parameter `tiers` says which ports count: `usual` adds those that amplify only by their set-up, as DNS and NTP.

Linux: `ss -Hulpne 'sport = :PORT'` tells which program it is; `systemctl disable --now UNIT` where nobody needs it.
Where it was started by hand (its unit is session-N.scope or another .scope, or it has none), `ps -o lstart,ppid,user -p PID` and
`loginctl session-status N` tell by whom; `kill PID` ends it.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.rule import Breach, Case, Rule, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    tiers = case.parameters.get("tiers", ["always"])
    for notable in case.tables.notable("amplifier"):
        if notable.protocol != socket.protocol or socket.port not in notable.ports or notable.tier not in tiers:
            continue
        if socket.state == "bound":
            return
        if socket.reach == "unknown":
            raise UnknownFact("how far it reaches is not known: the addresses of its stack were not seen", "addresses")
        if socket.reach == "public" and not socket.kernel_given:
            yield Breach(
                f"port {socket.port} is {notable.service} by number, and amplifies: {notable.why}",
                observed=f"reach {socket.reach}, held by {who(socket)}",
                expected="not on a public address",
                source=notable.source,
            )
        return


RULE = Rule(each="socket", severity="medium", parameters={"tiers": list}, check=check)
