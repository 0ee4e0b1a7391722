"""Who may take privileged ports on FreeBSD: sys/netinet/in_pcb.c (in_pcbbind_setup), sys/kern/kern_priv.c, kern_jail.c (prison_priv_check),
sys/security/mac_portacl, sys/security/mac_ntpd.

Two gates stand one behind the other. mac_portacl, where it is on, asks for a rule for each port up to port_high; then the ports from
reservedlow to reservedhigh ask for PRIV_NETINET_RESERVEDPORT, which uid 0 has, and the user of mac_ntpd. So a rule gives a user nothing
while its port is among the reserved ones. Root of a jail has the privilege by allow.reserved_ports; a kernel without that parameter always
gave it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.binding import Grant
from auditor.collectors._grants import granted, of_everyone, of_root, one, put_together
from auditor.collectors._portrange import PORTRANGE
from auditor.collectors._saved import HOST, Answers, Heard, Missing, Ranges
from auditor.collectors.freebsd import NTPD, PORTACL
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers import portacl
from auditor.parsers.jls import ON, Jails
from auditor.parsers.portacl import PortRule
from auditor.port_range import PORT_MAX, PortRange
from auditor.tables import Tables

PRIVILEGE = "PRIV_NETINET_RESERVEDPORT"
_ENABLED, _HIGH, _EXEMPT, _, _RULES = PORTACL
_NTPD_ENABLED, _NTPD_UID = NTPD
_LOW, _RESERVED_HIGH = f"{PORTRANGE}.reservedlow", f"{PORTRANGE}.reservedhigh"
_PERMISSION = "allow.reserved_ports"
_ASK = f"jls -n jid name {_PERMISSION}"
_UID_MAX = (1 << 32) - 1


class _Gates:
    """What the two gates ask for. Raises Missing where it is not known whether mac_portacl is on, or what it asks for."""

    def __init__(self, heard: Heard, ranges: Ranges) -> None:
        self.reserved = [ports.ports for ports in _privileged(ranges)]
        self.on = not heard.known_absent(_ENABLED) and heard.number(_ENABLED, 1) == 1
        self.high = heard.number(_HIGH, PORT_MAX) if self.on else 0
        self.exempt = not self.on or heard.number(_EXEMPT, 1) == 1

    def keeps(self, port: int) -> bool:
        """Whether a port asks for the privilege."""
        return any(port in ports for ports in self.reserved)

    @property
    def by_privilege(self) -> list[Range]:
        """The ports that the privilege opens."""
        acl = [PortRange(1, self.high)] if self.high else []
        ports = PortRange.joined([*self.reserved, *acl]) if self.exempt else PortRange.joined(self.reserved, acl)
        return [Range(first=part.first, last=part.last, protocol="any", family="any") for part in ports]

    @property
    def steps(self) -> list[str]:
        """What mac_portacl makes of the privilege."""
        if not self.on:
            return []
        word = "may pass all the same" if self.exempt else "does not pass without one either"
        return [
            f"mac_portacl is on and asks for a rule for each port up to {self.high} ({_HIGH})",
            f"{_EXEMPT} is {int(self.exempt)}: who has the privilege {word}",
        ]


def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges, jailed: bool) -> Facts[Grant]:
    """`jailed`: the commands ran inside a jail."""
    return put_together(ranges, (
        lambda: [] if jailed or heard.kind == "vnet" else _root(heard, ranges),
        lambda: _jails(heard, answers, ranges, jailed),
        lambda: _ntpd(heard, ranges),
        lambda: _rules(heard, ranges),
        lambda: _threshold(heard, tables, ranges),
    ))  # fmt: skip


def _privileged(ranges: Ranges) -> list[Range]:
    return [ports for ports in ranges.privileged.seen if ports.needs == PRIVILEGE]


def _by_privilege(heard: Heard, ranges: Ranges) -> tuple[list[Range], list[str]]:
    """The ports that the privilege opens, and what mac_portacl makes of it; where that is not known the ports are not all of them."""
    try:
        gates = _Gates(heard, ranges)
    except Missing:
        return _privileged(ranges), []
    return gates.by_privilege, gates.steps


def _root(heard: Heard, ranges: Ranges) -> list[Grant]:
    ports, steps = _by_privilege(heard, ranges)
    return of_root(ranges, ports, *steps, f"uid 0 has {PRIVILEGE} (sys/kern/kern_priv.c)")


def _jails(heard: Heard, answers: Answers, ranges: Ranges, jailed: bool) -> Iterator[Grant | Gap]:
    """Root of each jail that uses this stack, or of the one whose own stack it is."""
    told = [read for read in answers.host.others if isinstance(read, Jails)]
    if jailed:
        yield Gap(f"it was taken inside a jail: whether its root may take privileged ports ({_PERMISSION}) is not seen there")
    elif not told:
        yield Gap(f"whether root of a jail may take privileged ports was not asked ({_ASK})")
    else:
        for jail in _merged(told).values():
            if _is_in(jail, heard):
                yield from _of_jail(jail, heard, ranges, any(_PERMISSION in read.unknown for read in told))
        yield from (gap for read in told for gap in read.gaps if not read.unknown)


def _merged(told: list[Jails]) -> dict[tuple[str, str], dict[str, str]]:
    """What several answers say of each jail, by its number and name; a parameter that they tell in two ways is left out."""
    jails: dict[tuple[str, str], dict[str, str]] = {}
    for shown in (jail for read in told for jail in read.found):
        known = jails.setdefault((shown["jid"], shown["name"]), {})
        for name, value in shown.items():
            known[name] = value if known.get(name, value) == value else ""
    return jails


def _is_in(jail: dict[str, str], heard: Heard) -> bool:
    """Whether the stack is the jail's; one whose `vnet` is not known may use the host's."""
    if heard.name == HOST:
        return jail.get("vnet") != "new"
    return heard.name in (f"jail:{jail['jid']}", f"jail:{jail['name']}")


def _of_jail(jail: dict[str, str], heard: Heard, ranges: Ranges, always: bool) -> list[Grant | Gap]:
    may = ON if always else jail.get(_PERMISSION)
    subject, scope = f"root of jail {jail['name']}", f"root of jail {jail['name']}, on the jail's addresses"
    if may == ON:
        why = f"the kernel has no {_PERMISSION}: root of a jail has {PRIVILEGE}" if always else f"jail {jail['name']} has {_PERMISSION}"
        ports, steps = _by_privilege(heard, ranges)
        step = f"so its root has {PRIVILEGE} (sys/kern/kern_jail.c, prison_priv_check)"
        return [*granted("jail", subject, ports, *steps, why, step, known=not ranges.privileged.gaps, scope=scope,
                         source=_ASK, root=True, uid=0)]  # fmt: skip
    if may:
        step = f"jail {jail['name']} has allow.noreserved_ports: its root has no {PRIVILEGE}"
        return [one("jail", subject, [], step, scope=scope, source=_ASK, root=True, uid=0)]
    return [Gap(f"whether root of jail {jail['name']} may take privileged ports was not seen ({_ASK})")]


def _ntpd(heard: Heard, ranges: Ranges) -> list[Grant]:
    """mac_ntpd, which rc.d/ntpd loads, lets one user have the privilege: whatever that user runs."""
    if heard.known_absent(_NTPD_ENABLED) or heard.number(_NTPD_ENABLED, 1) == 0:
        return []
    uid = heard.number(_NTPD_UID, _UID_MAX)
    ports, steps = _by_privilege(heard, ranges)
    why = f"{_NTPD_ENABLED} is 1: mac_ntpd gives {PRIVILEGE} to user {uid} ({_NTPD_UID}), whatever program that user runs"
    return granted("privilege", f"mac_ntpd, user {uid}", ports, *steps, why, known=not ranges.privileged.gaps,
                   scope=f"user {uid}", source=f"{_NTPD_ENABLED}, {_NTPD_UID}", **_user(heard, uid))  # fmt: skip


def _user(heard: Heard, uid: int) -> dict[str, Any]:
    """The keys of a user; a name that no answer gives is not known."""
    return {"uid": uid, **({"user": heard.users[uid]} if uid in heard.users else {})}


def _rules(heard: Heard, ranges: Ranges) -> Iterator[Grant | Gap]:
    """A grant for each rule of mac_portacl, without ports where it gives none. One for port 0 is about ports that the kernel chooses."""
    if heard.known_absent(_ENABLED):
        return
    found, odd = portacl.rules(heard.value(_RULES))
    yield from (Gap("a rule of mac_portacl cannot be read", element) for element in odd)
    holders = _holders(heard)
    gates = _Gates(heard, ranges)
    for rule in found:
        if rule.port:
            yield _of_rule(heard, rule, gates, holders, known=not ranges.privileged.gaps)


def _holders(heard: Heard) -> set[int]:
    """The users who have the privilege."""
    ntpd = not heard.known_absent(_NTPD_ENABLED) and heard.number(_NTPD_ENABLED, 1) == 1
    return {0, heard.number(_NTPD_UID, _UID_MAX)} if ntpd else {0}


def _of_rule(heard: Heard, rule: PortRule, gates: _Gates, holders: set[int], known: bool) -> Grant:
    user = _user(heard, rule.id) if rule.kind == "uid" else {"uid": None, "user": None}
    shown = {"source": _RULES, "root": rule.kind == "uid" and rule.id == 0, **user}
    has = f"{_RULES} has {rule.text}"
    if not known:
        return one("portacl", rule.text, None, has, scope=rule.holder, **shown)
    why, scope = _dead(heard, rule, gates, holders), rule.holder
    if why is None and rule.kind == "gid" and gates.keeps(rule.port):
        scope, shown["root"] = f"root in {rule.holder}", True
    ports = [] if why else [PortRange(rule.port, rule.port)]
    step = why or f"port {rule.port} passes mac_portacl by this rule, and the kernel refuses it to {scope} by nothing else"
    return one("portacl", rule.text, ports, has, step, protocol=rule.protocol, scope=scope, **shown)


def _dead(heard: Heard, rule: PortRule, gates: _Gates, holders: set[int]) -> str | None:
    """Why a rule gives nothing; None where it gives its port."""
    if not gates.on:
        return f"{_ENABLED} is 0: mac_portacl decides nothing"
    if rule.port > gates.high:
        return f"mac_portacl asks for rules up to port {gates.high} ({_HIGH}): above it this one decides nothing"
    by_id = rule.kind == "uid" and rule.id in holders
    if not gates.keeps(rule.port) or by_id or (rule.kind == "gid" and not gates.exempt):
        return None
    low, high = heard.number(_LOW, PORT_MAX), heard.number(_RESERVED_HIGH, PORT_MAX)
    return (
        f"{_LOW} is {low} and {_RESERVED_HIGH} {high}: the kernel keeps {rule.protocol}/{rule.port} for {PRIVILEGE}, and mac_portacl can "
        f"only refuse, so {rule.holder} does not get it"
    )


def _threshold(heard: Heard, tables: Tables, ranges: Ranges) -> list[Grant]:
    low, high = heard.number(_LOW, PORT_MAX), heard.number(_RESERVED_HIGH, PORT_MAX)
    return of_everyone(ranges, tables, _RESERVED_HIGH, f"{_LOW} is {low} and {_RESERVED_HIGH} {high}", *_Gates(heard, ranges).steps)
