"""The kernel hands out ephemeral ports one after the other.

Why it matters
--------------
Who sees one connection knows the port of the next, and can forge a reset, an answer or a name server's reply for it without seeing it.
RFC 6056 asks for ports that cannot be guessed. macOS (for TCP) and NetBSD count by default, so this rule is off until a site wants it.

Remedy
------
Let the kernel pick at random.

Darwin: `sysctl -w net.inet.tcp.randomize_ports=1 net.inet.udp.randomize_ports=1`.

FreeBSD: `sysctl net.inet.ip.portrange.randomized=1`, and the same line in /etc/sysctl.conf.

NetBSD: `sysctl -w net.inet.ip.anonportalgo.selected=random_start net.inet6.ip6.anonportalgo.selected=random_start`, and the same lines in
/etc/sysctl.conf.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Stack
from auditor.rule import Breach, Case, NotChecked, Rule

_SWITCH = {"0": True, "1": False}
_ALGORITHM = {"bsd": True, **dict.fromkeys(("random_start", "random_pick", "hash", "doublehash", "randinc"), False)}
_SETTINGS = {
    "Darwin": (("net.inet.tcp.randomize_ports", None, _SWITCH), ("net.inet.udp.randomize_ports", None, _SWITCH)),
    "FreeBSD": (("net.inet.ip.portrange.randomized", None, _SWITCH),),
    "NetBSD": (("net.inet.ip.anonportalgo.selected", "ipv4", _ALGORITHM), ("net.inet6.ip6.anonportalgo.selected", "ipv6", _ALGORITHM)),
    "DragonFly": (),
}
"""The settings of each system, the family that one is of alone, and which of their values make the kernel count: xnu's bsd/netinet/in_pcb.c
(tcp_use_randomport, udp_use_randomport), FreeBSD's sys/netinet/in_pcb.c (V_ipport_randomized), NetBSD's sys/netinet/portalgo.c (algos:
`bsd` counts down, the others are those of RFC 6056). DragonFly's in_pcb.c (in_pcbsetlport) has none and counts."""


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    if not _SETTINGS[case.snapshot.system]:
        raise NotChecked(f"{case.snapshot.system} has no setting for it: the sources that were read count, whatever is set")
    why: UnknownFact | None = None
    for name, family, meanings in _SETTINGS[case.snapshot.system]:
        try:
            if family is not None and not _has(stack, family):
                continue
            value = _value(stack, name)
            if value not in meanings:
                raise UnknownFact(f"{name} is {value!r:.60}, and what that means is not known", "settings")
        except UnknownFact as unknown:
            why = why or unknown
            continue
        if meanings[value]:
            yield Breach(
                f"{name} is {value}: each port that is handed out follows from the one before it",
                observed=f"{name} = {value}",
                expected=" or ".join(word for word, counts in meanings.items() if not counts),
                source="RFC 6056 section 3",
            )
    if why is not None:
        raise why


def _has(stack: Stack, family: str) -> bool:
    """Whether ports of a family are handed out at all: a kernel without IPv6 has no setting for it."""
    return any(one.family in ("any", family) for one in stack.ephemeral)


def _value(stack: Stack, name: str) -> str:
    for one in stack.settings:
        if one.name == name:
            return one.value
    raise UnknownFact(f"the evidence does not show {name}", "settings")


RULE = Rule(each="stack", severity="low", systems=tuple(_SETTINGS), check=check)
