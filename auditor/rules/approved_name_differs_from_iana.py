"""An approved listener bears the IANA name of another port.

Why it matters
--------------
An entry of `approved` that is called by an IANA name and has another port than that name's is either a service on an unusual port, which
firewalls and monitors that go by names will miss, or a slip of the pen in what somebody signed. A name that IANA does not know is the
site's own and is left alone.

Remedy
------
Put the port right, or give the entry a name of the site's own, as `https-shop` for a second https.
"""

from collections.abc import Iterator

from auditor.policy_entries import Entry
from auditor.rule import Breach, Case, Rule

_PROTOCOLS = ("tcp", "udp")


def check(case: Case, entry: Entry) -> Iterator[Breach]:
    if entry.name is None or not entry.ports:
        return
    named = {
        protocol: ports
        for protocol in sorted(entry.wanted.get("protocol", _PROTOCOLS))
        if (ports := case.tables.named(entry.name, protocol))
    }
    if named and not any(port in ports for numbers in named.values() for port in numbers for ports in entry.ports):
        yield Breach(
            f"the entry '{entry}' has port {', '.join(map(str, entry.ports))}; IANA has that name for "
            + ", ".join(f"{_few(ports)}/{protocol}" for protocol, ports in named.items()),
            observed=", ".join(map(str, entry.ports)),
            expected=", ".join(f"{_few(ports)}/{protocol}" for protocol, ports in named.items()),
            source=f"policy {entry.origin}",
        )


def _few(ports: tuple[int, ...]) -> str:
    return str(ports[0]) if len(ports) == 1 else f"{ports[0]} and {len(ports) - 1} more"


RULE = Rule(each="approved", severity="low", stacks="host", needs=("approved",), check=check)
