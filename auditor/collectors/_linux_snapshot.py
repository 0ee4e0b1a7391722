"""A Linux host's evidence put together: stacks, settings, sockets, what could be seen and what this method never shows."""

from __future__ import annotations

from typing import Any

from auditor.collectors import _linux_endpoints as endpoints
from auditor.collectors import _linux_security_modules as security_modules
from auditor.collectors import _linux_settings as settings
from auditor.collectors import _linux_sockets as sockets
from auditor.collectors import _translations
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_grants import grants
from auditor.collectors._linux_measured import limits as tried_limits
from auditor.collectors._linux_measured import measured
from auditor.collectors._linux_owners import CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN, CAP_SYS_PTRACE, Owners, container_images, container_names
from auditor.collectors._linux_question import Question
from auditor.collectors._linux_script import ScriptEvidence, taken_by_script
from auditor.collectors._linux_stacks import Namespace, namespaces
from auditor.collectors._linux_units import SocketUnit, declared, socket_units
from auditor.collectors._service_names import service_names
from auditor.evidence import Evidence
from auditor.facts import Facts, Gap
from auditor.model import Snapshot, Stack, Witnessed
from auditor.parsers import rows, services, witness
from auditor.parsers.services import Services
from auditor.reading import Output
from auditor.tables import Tables

LIMITS = (
    "A network namespace that only an open descriptor or a socket keeps alive, with no process or mount in it, is not found.",
    "A process may give itself any name, and any user may run a program and fill it with other code: only user and control group tell who.",
    "The host firewall and the network path were not examined.",
    "This is one moment: what listened before or after is not in it.",
)
_BOUND_ONLY_SINCE = (6, 8)
_OLD_KERNEL = "Before Linux 6.8 the kernel does not list TCP sockets that are bound but do not listen; they block their ports all the same."
_PROC_NET = "Where the sockets of a stack came from /proc/net: bound-only TCP, v6only, the device, SCTP and MPTCP are not shown there."


def snapshot(evidence: Evidence, tables: Tables) -> Snapshot:
    """Total: whatever the bundle holds, there is a Snapshot, and what it does not show is unknown in it."""
    linux = ScriptEvidence(evidence) if taken_by_script(evidence) else LinuxEvidence(evidence)
    containers, container_gaps = container_names(linux)
    owners = Owners(linux, containers, container_images(linux))
    units, unit_gaps = socket_units(linux)
    groups = {number: path for number, path in linux.table("cgroups", "cgroup path", "builtin:cgroups")[0] if number and path}
    found, namespace_gaps = namespaces(linux, containers)
    limits: list[str] = []
    stacks = [_stack(linux, tables, namespace, owners, units, groups, limits) for namespace in found]
    not_entered = [stack.name for stack, one in zip(stacks, found, strict=True) if linux.not_entered(one.label) or not _looked_into(stack)]
    if owners.rights.get("hidepid") != "0" and not owners.holds(CAP_SYS_PTRACE):
        namespace_gaps.append(Gap("/proc may hide processes (hidepid): so may their network namespaces be"))
    head = linux.head
    shown: dict[str, Any] = {
        "system": head.get("system", "Linux"),
        "stacks": Facts(stacks, "/proc/PID/ns/net, nsfs mounts", namespace_gaps + linux.whole),
        "settings": {one.name: one.value for one in stacks[0].settings.seen},
        "visibility": _visibility(owners, stacks, not_entered, namespace_gaps, unit_gaps + container_gaps)
        | ({"never_looked_for": list(linux.never_looked_for)} if linux.never_looked_for else {}),
        "limits": [*_limits(head.get("release", ""), stacks, linux), *dict.fromkeys(limits)],
    }
    for key, name in (("host", "host"), ("machine_id", "machine-id"), ("boot_id", "boot-id"), ("release", "release"), ("taken", "taken")):
        if name in head:
            shown[key] = head[name]
    return Snapshot(**shown)


def _stack(
    linux: LinuxEvidence, tables: Tables, namespace: Namespace, owners: Owners, units: list[SocketUnit] | None, groups: dict[str, str],
    limits: list[str],
) -> Stack:  # fmt: skip
    """One network stack; `limits` gets those of how its grants and endpoints were found."""
    host = namespace.kind == "host"
    known = settings.Settings(linux, namespace)
    interfaces = sockets.Interfaces(linux, namespace)
    ephemeral, reserved = known.ephemeral(), known.reserved()
    listening = sockets.listening(
        linux, namespace.label, owners, units if host else None if namespace.doubt else [], interfaces, groups,
        ephemeral, reserved)  # fmt: skip
    facts = known.facts()
    if host:
        blacklist, gaps = settings.bindresvport_blacklist(linux)
        modules = security_modules.modules(linux)
        facts = Facts([*facts.seen, *blacklist, *modules.seen], facts.source, [*facts.gaps, *gaps, *modules.gaps])
    privileged = known.privileged(linux.head.get("release", ""))
    shown: dict[str, Any] = {
        "name": namespace.name, "kind": namespace.kind, "identities": namespace.identities, "privileged": privileged,
        "ephemeral": ephemeral, "reserved": reserved, "listening": listening, "addresses": interfaces.facts, "settings": facts,
        "persisted": settings.persisted(linux, namespace),
        "socket_units": declared(linux) if host else Facts([], "a host's units open their sockets in its own stack", namespace.doubt),
    }  # fmt: skip
    if "grants" in linux.asked:
        question = Question(linux, tables, namespace, owners, privileged, listening)
        shown["grants"], beyond = grants(question)
        limits += beyond
    if "endpoints" in linux.asked:
        own_units = units if host else None if namespace.doubt else []
        shown["endpoints"] = endpoints.endpoints(linux, namespace, owners, own_units, interfaces.devices)
        limits += endpoints.LIMITS
    if "bind-test" in linux.asked:
        shown["measured"] = tried = measured(linux, namespace)
        limits += tried_limits(tried)
    if namespace.own and "cross-check" in linux.asked:
        shown["witnessed"] = _witnessed(linux)
    if host and "services" in linux.asked:
        shown |= service_names(_lists_of_services(linux), linux.whole)
    if namespace.own and "nat" in linux.asked:
        shown["translations"] = _translations.asked(linux)
    return Stack(**shown)


def _lists_of_services(linux: LinuxEvidence) -> list[Services]:
    """The host's own list; a host without one names no port."""
    answers = linux.answers("services")
    lists = [services.parse(Output(answer.command, answer.text, status=answer.status)) for answer in answers]
    for read, answer in zip(lists, answers, strict=True):
        if answer.trouble and b"No such file" not in answer.stderr:
            read.gap(answer.trouble)
    if not lists:
        lists = [Services("/etc/services")]
        lists[0].gap("cat /etc/services was not asked")
    return lists


def _witnessed(linux: LinuxEvidence) -> Facts[Witnessed]:
    seen: dict[tuple[str, str, int], Witnessed] = {}
    gaps = [] if linux.answers("psutil") else [Gap("psutil was not asked")]
    for answer in linux.answers("psutil"):
        told = witness.parse(Output(answer.command, answer.text))
        gaps += [*told.gaps, *([Gap(answer.trouble)] if answer.trouble else [])]
        seen |= {found: Witnessed(protocol=found[0], address=found[1], port=found[2]) for found in told.found}
    return Facts(seen.values(), "psutil", gaps + linux.whole)


def _visibility(owners: Owners, stacks: list[Stack], not_entered: list[str], namespaces: list[Gap], others: list[Gap]) -> dict[str, Any]:
    states = [one.shown.get("owner_state") for stack in stacks for one in stack.listening.seen]
    rights = {"uid": owners.rights.get("uid"), "CAP_SYS_PTRACE": owners.holds(CAP_SYS_PTRACE),
              "CAP_DAC_READ_SEARCH": owners.holds(CAP_DAC_READ_SEARCH), "CAP_SYS_ADMIN": owners.holds(CAP_SYS_ADMIN)}  # fmt: skip
    return {
        "rights": {name: value for name, value in rights.items() if value is not None},
        "processes": {"looked_at": owners.counts.get("looked", 0), "unreadable": len(owners.unreadable),
                      "unreadable_pids": [pid for word in owners.unreadable[:20] if (pid := rows.number(word))],
                      "gone_meanwhile": owners.counts.get("vanished", 0)},
        "owners": {state: states.count(state) for state in ("known", "partial", "unreadable", "none")},
        "owners_reason": owners.why_partial,
        "namespaces": {"seen": len(stacks), "not_entered": not_entered,
                       "gaps": [gap.why for gap in namespaces]},
        "races_retried": owners.counts.get("retries", 0),
        "not_read": [gap.why for gap in others],
    }  # fmt: skip


def _looked_into(stack: Stack) -> bool:
    return bool(stack.listening.seen or not stack.listening.gaps)


def _limits(release: str, stacks: list[Stack], linux: LinuxEvidence) -> list[str]:
    found = [*linux.limits, *LIMITS, *security_modules.limits(linux)]
    if linux.limits:
        return found
    if (settings.version(release) or (0, 0)) < _BOUND_ONLY_SINCE:
        found.insert(0, _OLD_KERNEL)
    if any(one.shown.get("source") == "/proc/net" for stack in stacks for one in stack.listening.seen) or any(
        stack.listening.source == "/proc/net" for stack in stacks
    ):
        found.insert(0, _PROC_NET)
    return found
