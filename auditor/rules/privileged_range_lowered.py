"""Fewer ports are privileged than the vendor or the policy keeps for the privileged.

Why it matters
--------------
A port that needs a privilege can only be taken by a service that an administrator started. Where the threshold is lowered, any
local user can listen on it: on port 80 or 443 when the real service is down, on 514 or 636 to collect what others send. On the
host's own stack this is grave. In a container whose network is its own it changes little, and is every runtime's default.

Remedy
------
Raise the threshold to what the services need, best to the default, and take the line that lowers it out of the files of the next boot.

Linux: `sysctl -w net.ipv4.ip_unprivileged_port_start=1024`; this finds the line:
`grep -rs ip_unprivileged_port_start /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d`. To let one program bind a low port,
give its unit `AmbientCapabilities=CAP_NET_BIND_SERVICE`, or a systemd socket. A container on a routed network is started with
`--sysctl net.ipv4.ip_unprivileged_port_start=1024`.

FreeBSD: `sysctl net.inet.ip.portrange.reservedlow=0 net.inet.ip.portrange.reservedhigh=1023`; this finds the line:
`grep reserved /etc/sysctl.conf`. Above securelevel 0 it takes a restart.

OpenBSD: Only the ports above 1023 can be taken off the list: `sysctl net.inet.tcp.rootonly=+2049 net.inet.udp.rootonly=+2049`; this finds
the line: `grep rootonly /etc/sysctl.conf`

NetBSD: The kernel was built with `options IPNOPRIVPORTS`: boot one without. `sysctl net.inet.ip.lowportmax` answers where the limit is in
force.

SunOS: `ipadm set-prop -p smallest_nonpriv_port=1024 tcp`, and so for udp and sctp; up to Solaris 10
`ndd -set /dev/tcp tcp_smallest_nonpriv_port 1024`. A port of the extra list: `ndd -set /dev/tcp tcp_extra_priv_ports_add 2049`

HP-UX: `ndd -set /dev/tcp tcp_smallest_nonpriv_port 1024`, and so for udp; this finds the line: `grep nonpriv /etc/rc.config.d/nddconf`

FTX: From 3.4 on, `ndd -set /dev/tcp tcp_smallest_nonpriv_port 1024`
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Range, Stack
from auditor.port_range import PortRange
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
        missing = [part for ports in expected for part in ports.minus([PortRange(0, 0), *kept])]
        lacking[protocol, family] = ", ".join(map(str, missing))
    if any(lacking.values()):
        yield Breach(
            f"any user may bind {_in_words(lacking)}",
            observed=f"privileged: {_have(stack)}",
            expected=f"privileged: {', '.join(map(str, expected)) or 'none'}",
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


def _expected(case: Case) -> tuple[list[PortRange], str]:
    """The ports that are to be privileged, and who says so. A policy that names ranges is asked first."""
    system = case.snapshot.system
    expectation = case.policy.privileged.of(system) if case.policy.privileged else None
    if expectation and expectation.ranges is not None:
        return list(expectation.ranges), f"policy {expectation.origin}"
    record = case.tables.vendor(system, case.snapshot.release)
    if record is None or not record.knows("privileged"):
        raise NotChecked(f"no vendor row says which ports {system} {case.snapshot.release} keeps privileged")
    if record.privileged is None:
        raise NotChecked(f"{system} keeps no ports for the privileged ({record.id})")
    if case.stack.privileged.basis == "documented":
        raise NotChecked("the privileged ports are the vendor table's word themselves")
    return [record.privileged], f"vendor table, {record.id}"


RULE = Rule(each="privileged", severity="high", check=check)
