"""systemd's services that may take privileged ports although they run as another user than root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.binding import Grant
from auditor.collectors import _linux_bind_rules as bind_rules
from auditor.collectors import _linux_privileged_ports as privileged_ports
from auditor.collectors._linux_capability_sets import NET_BIND_SERVICE
from auditor.collectors._linux_question import Granted, Question
from auditor.collectors._linux_service_unit import Command, ServiceUnit
from auditor.collectors._linux_service_units import ServiceUnits, services_of
from auditor.facts import Gap
from auditor.port_range import PortRange

LIMITS = (
    "Of systemd's services those of the host's own system manager were looked at: not those inside containers, nor those of users' own "
    "managers, which can give no right that their user has not.",
)
_PROTOCOLS = ("tcp", "udp")
_APART = {"PrivateNetwork": "PrivateNetwork=yes", "NetworkNamespacePath": "NetworkNamespacePath="}


class Right:
    """A way in which a service may take privileged ports: as which user, by which `steps`, which are the reasoning. `command` is the one
    whose prefix leaves it root, None where the whole service has the capability."""

    __slots__ = ("command", "steps", "unit", "user")

    def __init__(self, unit: ServiceUnit, user: str | None, steps: list[str], command: Command | None = None) -> None:
        self.unit = unit
        self.user = user
        self.steps = steps
        self.command = command


def granted(question: Question) -> Granted:
    """A grant for each service of this stack that has the capability as another user, or a command that stays root."""
    host = question.namespace.kind == "host"
    if privileged_ports.none_needed(question):
        return Granted(limits=LIMITS if host else ())
    services = services_of(question.linux)
    rights = [right for unit in services.units.values() for right in _rights(unit, services)]
    here = [right for right in rights if _is_here(question, right.unit)]
    found = Granted(gaps=services.gaps if host else question.namespace.doubt)
    for right in here:
        found.grants += _grants(question, services, right)
    found.gaps += [
        Gap(f"whether systemd enforces SocketBindDeny= of {name} is not shown, and so which ports it leaves")
        for name in sorted({right.unit.name for right in here if right.unit.deny and services.bind_rules is None})
    ]
    if host:
        found.limits = [*LIMITS, *_not_asked(services), *_elsewhere(right for right in rights if right.unit.apart)]
    return found


def _not_asked(services: ServiceUnits) -> list[str]:
    if services.unanswered:
        return [f"{services.unanswered}: services are told of as their files have them."]
    if services.bind_rules is None:
        return ["What systemd was built with is not shown, and so not whether it enforces SocketBindDeny=."]
    return []


def _elsewhere(rights: Iterator[Right]) -> list[str]:
    names = sorted({right.unit.name for right in rights})
    say = "has a network namespace of its own" if len(names) == 1 else "have network namespaces of their own"
    return [f"{', '.join(names)} {say}: what it may bind there is told of that stack, where a process is in it."] if names else []


def _is_here(question: Question, unit: ServiceUnit) -> bool:
    """Whether a service's processes are in this stack."""
    if not unit.apart:
        return question.namespace.kind == "host"
    if not unit.namespace_path:
        return question.namespace.name == unit.name
    mounted, _ = question.linux.table("namespaces", "stack mounted", "builtin:namespaces")
    path = "/run/" + unit.namespace_path.removeprefix("/var/run/").removeprefix("/run/")
    return any(label == question.namespace.label and mount in (path, unit.namespace_path) for label, mount in mounted)


def _rights(unit: ServiceUnit, services: ServiceUnits) -> Iterator[Right]:
    if services.is_root(unit):
        return
    user = unit.runs_as
    steps = [_set(unit, "DynamicUser", "DynamicUser=yes") if unit.dynamic and not unit.user else _set(unit, "User", f"User={unit.user}")]
    if unit.ambient_bind and not unit.private_users and any(not one.keeps_root for one in unit.commands or [Command("", "")]):
        steps.append(_set(unit, "AmbientCapabilities", "AmbientCapabilities= has CAP_NET_BIND_SERVICE: what it starts has it, root or not"))
        if "CapabilityBoundingSet" in unit.places:
            steps.append(_set(unit, "CapabilityBoundingSet", "CapabilityBoundingSet= leaves it"))
        if unit.no_new_privileges:
            steps.append(
                _set(unit, "NoNewPrivileges", "NoNewPrivileges=yes takes nothing from it: ambient capabilities stay (capabilities(7))")
            )
        yield Right(unit, user, steps)
    for command in unit.commands:
        if command.keeps_everything or (command.keeps_root and not unit.private_users and _bounded(unit)):
            mark = "+" if command.keeps_everything else "!"
            step = f"the prefix {mark} of ExecStart= keeps this command root: User= does not count for it ({command.place})"
            yield Right(unit, "root", [steps[0], step], command)


def _bounded(unit: ServiceUnit) -> bool:
    return NET_BIND_SERVICE in unit.bounding


def _set(unit: ServiceUnit, directive: str, words: str) -> str:
    """What a directive says, and where."""
    place = unit.places.get(directive)
    return f"{words} ({place})" if place else words


def _grants(question: Question, services: ServiceUnits, right: Right) -> list[Grant]:
    """One grant, or one for each protocol of which it has other ports."""
    unit = right.unit
    shown: dict[str, Any] = {"path": "unit", "unit": unit.name, "everyone": False, "root": right.command is not None, "container": None,
                             **services.who(right.user), **_program(right), **_bound(question, unit.name)}  # fmt: skip
    named = "a user that only systemd can resolve" if right.user is None else f"user {right.user}"
    shown["scope"] = f"{named}, as the service {unit.name}"
    subject = f"{unit.name} as {named}"
    if right.command is not None and right.command.program:
        subject = f"{right.command.program} as {named} in {unit.name}"
    shown["source"] = ", ".join(dict.fromkeys(place.rpartition(":")[0] for place in unit.places.values())) or "systemctl show"
    steps = [*right.steps, *_apart(unit), *unit.differs, *_rule_steps(unit, services.bind_rules), *_family_steps(unit)]
    steps.append(f"so {unit.name} may bind these ports" + ("" if right.command else f" as {named}"))
    known = privileged_ports.given(question)
    ports = _ports(known.get("ports"), unit, services.bind_rules)
    if unit.deny and services.bind_rules is None:
        known = {"protocol": "any"}
    if ports is None:
        return [Grant(**shown, **known, subject=subject, via=steps)]
    return [
        Grant(**shown, subject=subject if protocol == "any" else f"{subject}, {protocol}", protocol=protocol, ports=given,
              via=steps)
        for protocol, given in ports.items()
    ]  # fmt: skip


def _program(right: Right) -> dict[str, str]:
    """The program that is started; not shown where there are several."""
    program = right.command.program if right.command else right.unit.program
    return {"executable": program} if program else {}


def _bound(question: Question, unit: str) -> dict[str, list[str]]:
    owners = [owner for socket in question.listening.seen for owner in socket.shown.get("owners_seen", [])]
    return privileged_ports.bound(question, {owner.pid for owner in owners if owner.shown.get("unit") == unit})


def _apart(unit: ServiceUnit) -> list[str]:
    key = "NetworkNamespacePath" if unit.namespace_path else "PrivateNetwork"
    return (
        [_set(unit, key, f"{_APART[key]}{unit.namespace_path}: in this network namespace, and not in the host's own")] if unit.apart else []
    )


def _rule_steps(unit: ServiceUnit, enforced: bool | None) -> list[str]:
    if not unit.deny:
        return []
    said = [unit.places[key] for key in ("SocketBindDeny", "SocketBindAllow") if key in unit.places]
    rules = "SocketBindDeny= and SocketBindAllow=" if unit.allow else "SocketBindDeny="
    where = f" ({', '.join(said)})" if said else ""
    if enforced:
        return [f"{rules} leave it fewer ports{where}, of SCTP all: a BPF program at bind(2) does that, which SCTP does not ask"]
    if enforced is None:
        return [f"{rules}{where} would leave it fewer ports; whether systemd enforces that here is not shown"]
    return [f"{rules}{where} are ignored: this systemd was built without BPF_FRAMEWORK, which they need"]


def _family_steps(unit: ServiceUnit) -> list[str]:
    if len(unit.families) > 1:
        return []
    left = f"{', '.join(unit.families)} alone" if unit.families else "no sockets of IP"
    return [_set(unit, "RestrictAddressFamilies", f"RestrictAddressFamilies= leaves it {left}")]


def _ports(privileged: list[PortRange] | None, unit: ServiceUnit, enforced: bool | None) -> dict[str, list[PortRange]] | None:
    """By protocol the privileged ports that a service may take over one family or the other, under `any` where that is the same; None where
    nothing that is known makes them fewer."""
    narrowed = bool(enforced and unit.deny)
    if privileged is None or (unit.families and not narrowed):
        return None
    families = [family for family in bind_rules.FAMILIES if {"ipv4": "IPv4", "ipv6": "IPv6"}[family] in unit.families]
    allow, deny = (unit.allow, unit.deny) if narrowed else ([], [])
    by_protocol = {
        protocol: PortRange.joined(part for family in families for part in bind_rules.left(privileged, allow, deny, family, protocol))
        for protocol in _PROTOCOLS
    }
    same = by_protocol["tcp"] == by_protocol["udp"]
    return {"any": by_protocol["tcp"]} if same else {protocol: ports for protocol, ports in by_protocol.items() if ports}
