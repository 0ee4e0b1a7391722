"""Fewer ports are privileged than the vendor or the policy keeps for the privileged.

Why it matters
--------------
A port that needs a privilege can only be taken by a service that an administrator started. Where the threshold is lowered, any
local user can listen on it: on port 80 or 443 when the real service is down, on 514 or 636 to collect what others send. On the
host's own stack this is grave. In a container whose network is its own it changes little, and is every runtime's default.

Remedy
------
Raise the threshold to what the services need, best to the default: `sysctl -w net.ipv4.ip_unprivileged_port_start=1024`, and remove
the line that lowers it from sysctl.d. To let one program bind a low port, give its unit `AmbientCapabilities=CAP_NET_BIND_SERVICE`, or
a systemd socket. For a container on a routed network: `--sysctl net.ipv4.ip_unprivileged_port_start=1024`.
"""

from collections.abc import Iterator

from auditor.facts import PortRange, UnknownFact
from auditor.model import Range, Stack
from auditor.rule import Breach, Case, NotChecked, Rule

_SEVERITIES = {"host": "high", "routed": "medium", "private": "info"}
_UNSEEN = "medium"


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    """TCP and UDP, IPv4 and IPv6 each: one that is kept does not stand in for another that is not, or that was not seen."""
    expected, source = _expected(case)
    lacking: dict[tuple[str, str], str] = {}
    unseen = None
    for protocol, family in Range(protocol="any", family="any").pairs:
        try:
            kept = [one.ports for one in stack.privileged.about(protocol, family) if one.speaks_of(protocol, family)]
        except UnknownFact as reason:
            unseen = unseen or reason
            continue
        missing = [part for ports in expected.minus([PortRange(0, 0)]) for part in ports.minus(kept)]
        lacking[protocol, family] = ", ".join(map(str, missing))
    if any(lacking.values()):
        yield Breach(
            f"any user may bind {_in_words(lacking)}",
            observed=f"privileged: {_have(stack)}",
            expected=f"privileged: {expected}",
            source=source,
            severity=_severity(stack),
        )
    if unseen is not None:
        raise unseen


def _in_words(lacking: dict[tuple[str, str], str]) -> str:
    """The ports, and whose they are where that is not all the same."""
    scopes: dict[str, list[tuple[str, str]]] = {}
    for pair, ports in lacking.items():
        scopes.setdefault(ports, []).append(pair)
    if len(scopes) == 1 and len(lacking) == len(Range(protocol="any", family="any").pairs):
        return next(iter(scopes))
    return "; ".join(f"{ports} ({', '.join(_scopes(pairs, list(lacking)))})" for ports, pairs in scopes.items() if ports)


def _scopes(pairs: list[tuple[str, str]], known: list[tuple[str, str]]) -> list[str]:
    """As "tcp", where that is so of every family that is known of, else as "tcp over ipv4"."""
    words = []
    for protocol, family in pairs:
        whole = [pair for pair in known if pair[0] == protocol]
        words.append(protocol if set(whole) <= set(pairs) and len(whole) > 1 else f"{protocol} over {family}")
    return list(dict.fromkeys(words))


def _have(stack: Stack) -> str:
    """The privileged ports that were seen, with a word for those of one protocol or family alone."""
    words = []
    try:
        for one in stack.privileged:
            scope = ", ".join(word for word in (one.protocol, one.family) if word != "any")
            words.append(f"{one} ({scope})" if scope else str(one))
    except UnknownFact:
        words.append("more that was not seen")
    return ", ".join(words) or "none"


def _severity(stack: Stack) -> str:
    """A namespace whose interfaces were not seen may well be on the network."""
    try:
        return _SEVERITIES[stack.exposure]
    except UnknownFact:
        return _UNSEEN


def _expected(case: Case) -> tuple[PortRange, str]:
    if case.policy.privileged is not None:
        return case.policy.privileged, f"policy {case.policy.origins['privileged']}"
    record = case.tables.vendor(case.snapshot.system, case.snapshot.release)
    if record is None or not record.knows("privileged"):
        raise NotChecked(f"no vendor row says which ports {case.snapshot.system} {case.snapshot.release} keeps privileged")
    if record.privileged is None:
        raise NotChecked(f"{case.snapshot.system} keeps no ports for the privileged ({record.id})")
    if case.stack.privileged.basis == "documented":
        raise NotChecked("the privileged ports are the vendor table's word themselves")
    return record.privileged, f"vendor table, {record.id}"


RULE = Rule(each="privileged", severity="high", check=check)
