"""Sockets on privileged ports that systemd opens, as root, for services that run as another user."""

from __future__ import annotations

from auditor.binding import Grant
from auditor.collectors import _linux_privileged_ports as privileged_ports
from auditor.collectors._linux_question import Granted, Question
from auditor.collectors._linux_service_unit import ServiceUnit
from auditor.collectors._linux_service_units import ServiceUnits, services_of
from auditor.collectors._linux_units import Listen, SocketUnit, effective
from auditor.facts import Gap
from auditor.port_range import PortRange


def granted(question: Question) -> Granted:
    """A grant for each such socket, in the host's own stack."""
    if question.namespace.kind != "host":
        return Granted(gaps=question.namespace.doubt)
    if privileged_ports.none_needed(question):
        return Granted()
    units, enabled, gaps = effective(question.linux)
    services = services_of(question.linux)
    found = Granted(gaps=[Gap(f"which sockets systemd opens for services: {gap.why}", gap.line) for gap in gaps])
    for unit in units:
        service = services.of(unit.service)
        if unit.apart or service is None or services.is_root(service):
            continue
        listens = [one for one in unit.listens if any(one.port in ports.ports for ports in question.privileged.seen)]
        found.grants += [_grant(services, service, unit, one, unit.name in enabled) for one in listens]
    return found


def _grant(services: ServiceUnits, service: ServiceUnit, unit: SocketUnit, one: Listen, enabled: bool) -> Grant:
    place = f"[{one.address}]" if ":" in one.address else one.address
    socket = f"{one.protocol}/{place}:{one.port}"
    user = "a user that only systemd can resolve" if service.runs_as is None else f"user {service.runs_as}"
    said = service.places.get("User") or service.places.get("DynamicUser")
    via = [
        f"{unit.name} has process 1, which is root, open {socket} ({one.file}:{one.line})",
        *([] if enabled else [f"{unit.name} is not enabled: it does so once something starts it"]),
        f"{unit.service} gets that socket, and runs as {user}" + (f" ({said})" if said else ""),
        *service.differs,
        f"so {user} serves {socket} without a right to bind it",
    ]
    program = service.program
    return Grant(
        path="socket-unit", subject=f"{socket} of {unit.name} for {unit.service} as {user}", ports=[PortRange(one.port, one.port)],
        protocol=one.protocol, via=via, scope=f"{user}, as the service {unit.service}, by a socket that process 1 opened",
        source=f"{one.file}:{one.line}", unit=unit.service, container=None, everyone=False, root=False, **services.who(service.runs_as),
        **({"executable": program} if program else {}),
    )  # fmt: skip
