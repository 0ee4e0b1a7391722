"""Hosts as they were found: what could be seen of each, its ranges, who may bind, and what listens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from auditor.bind_view import summary
from auditor.display import holders
from auditor.facts import Facts
from auditor.host_report import HostReport
from auditor.model import Range, Socket, Stack
from auditor.port_range import PortRange
from auditor.port_scopes import scope_in_words
from auditor.report import Report
from auditor.terminal.layout import WHOLE, Layout, shortened
from auditor.who_may_bind import ways

_LISTENERS = 40
_WAYS = 12
_STATES = {"bound": "bound only"}
FEW = 3
"""Up to how many hosts each is shown with its stacks."""


def hosts(layout: Layout, report: Report) -> Iterator[str]:
    """Each whole where there are few, else in a line."""
    told = report.hosts
    if not told:
        return
    yield from layout.heading("Hosts", len(told))
    if len(told) > FEW:
        yield from layout.columns([(*_identity(host), f"{_counts(host, report)}  {_judged_by(host)}") for host in told], "  ")
        yield from layout.prose(f"how each was seen, its ranges, who may bind and what listens: {WHOLE}", "  ", "  ")
    for host in told if len(told) <= FEW else ():
        yield from _host(layout, host)
    yield ""


def _identity(host: HostReport) -> tuple[str, str, str]:
    shown = host.snapshot.shown
    system = " ".join(str(shown.get(key, "unknown")) for key in ("system", "release"))
    return host.name, system, f"taken {shown.get('taken', 'unknown')}"


def _counts(host: HostReport, report: Report) -> str:
    states = Counter(map(report.state, host.findings))
    errors = f", {states['error']} errors of ours" if states["error"] else ""
    return f"{states['open']} open, {states['unknown']} unknown{errors}"


def _judged_by(host: HostReport) -> str:
    judged = f"judged by {host.policy.name}@{host.policy.sha256[:8]}"
    one = host.assignment
    return f"{judged}, role {', '.join(one.roles) or 'none'}, {one.identified}" if one else judged


def _host(layout: Layout, host: HostReport) -> Iterator[str]:
    yield from layout.record("  ".join(_identity(host)), "  ", "    ")
    yield from layout.prose(_judged_by(host), "    ", "      ")
    yield from _visibility(layout, host)
    if host.approvals is not None:
        yield from layout.prose(host.approvals.statement, "    listeners approved: ", "      ")
    for stack in host.snapshot.facts("stacks").seen:
        yield from _stack(layout, stack)


def _visibility(layout: Layout, host: HostReport) -> Iterator[str]:
    seen = _mapping(host.snapshot.shown.get("visibility"))
    if not seen:
        return
    owners, processes, held = (_mapping(seen.get(name)) for name in ("owners", "processes", "rights"))
    rights = [f"uid {held.get('uid', 'unknown')}"]
    rights += [str(name) if held[name] else f"no {name}" for name in held if name != "uid"]
    told = [", ".join(rights)]
    if processes:
        told.append(f"{processes.get('looked_at', 0)} processes looked at, {processes.get('unreadable', 0)} unreadable")
    told.append(
        "owners " + ", ".join(f"{count} {state}" for state, count in owners.items() if count)
        if any(owners.values())
        else "no listeners seen"
    )
    if "races_retried" in seen:
        told.append(f"{seen['races_retried']} races retried")
    yield from layout.prose("; ".join(told), "    seen with: ", "      ")
    for lead, hidden in (("not entered", _mapping(seen.get("namespaces")).get("not_entered")), ("not read", seen.get("not_read"))):
        if isinstance(hidden, list) and hidden:
            yield from layout.prose(shortened(", ".join(map(str, hidden))), f"    {lead}: ", "      ")


def _mapping(value: object) -> dict[str, Any]:
    """A snapshot from elsewhere may hold anything under `visibility`."""
    return value if isinstance(value, dict) else {}


def _stack(layout: Layout, stack: Stack) -> Iterator[str]:
    ranges = [f"{name} {_ranges(stack.shown.get(name))}" for name in ("privileged", "ephemeral", "reserved")]
    yield from layout.prose(f"{stack.name}: {', '.join(ranges)}", "    ", "      ")
    yield from _may_bind(layout, stack)
    sockets = sorted(stack.facts("listening").seen, key=lambda socket: socket.place)
    yield from layout.columns([_listener(socket) for socket in sockets[:_LISTENERS]], "      ")
    if len(sockets) > _LISTENERS:
        yield from layout.prose(f"... and {len(sockets) - _LISTENERS} more; {WHOLE}", "      ", " " * 8)


def _may_bind(layout: Layout, stack: Stack) -> Iterator[str]:
    """Who may take privileged ports, a line each: the html and json reports have the reasons."""
    found, gaps = ways(stack)
    for way in found[:_WAYS]:
        ports = f"port{'s' * (not way.ports.isdigit())} {way.ports}"
        yield from layout.prose(f"{way.who}, {ports} ({way.by}{': ' * bool(way.subject)}{way.subject})", "      may bind: ", " " * 8)
    if len(found) > _WAYS:
        yield from layout.prose(f"... and {len(found) - _WAYS} more; {WHOLE}", "      may bind: ", " " * 8)
    for why in gaps:
        yield from layout.prose(f"perhaps others: {why}", "      may bind: ", " " * 8)
    for line in summary(stack):
        yield from layout.prose(line, "      bind test: ", " " * 8)


def _listener(socket: Socket) -> tuple[str, str, str]:
    shown = socket.shown
    state = "" if shown.get("state") == "listening" else f"  ({_STATES.get(str(shown.get('state')), 'state unknown')})"
    state += "  (address cut)" if shown.get("address_cut") else ""
    return socket.numbered_subject, str(shown.get("reach", "unknown")), shortened(holders(socket)) + state


def _ranges(facts: Facts[Range] | None) -> str:
    """Ranges with what they are of, where that is not all; those that touch as one."""
    scopes: dict[tuple[PortRange, str], set[tuple[str, str]]] = {}
    for one in facts.seen if facts is not None else ():
        if "first" in one.shown and "last" in one.shown:
            scopes.setdefault((one.ports, one.shown.get("role", "default")), set()).update(_pairs(one))
    alike: dict[tuple[str, frozenset[tuple[str, str]]], list[PortRange]] = {}
    for (ports, role), pairs in scopes.items():
        alike.setdefault((role, frozenset(pairs)), []).append(ports)
    seen = [
        f"{ports}{'' if role == 'default' else f' {role}'}{_scope(pairs)}"
        for (role, pairs), parts in alike.items()
        for ports in PortRange.joined(parts)
    ]
    if facts is None or facts.gaps:
        seen.append("unknown" if not seen else "and maybe more")
    return ", ".join(seen) or "none"


def _pairs(ports: Range) -> list[tuple[str, str]]:
    """The protocols and families of a range; those of a snapshot from elsewhere may not be shown, and are taken for all."""
    return Range(protocol=ports.shown.get("protocol", "any"), family=ports.shown.get("family", "any")).pairs


def _scope(pairs: frozenset[tuple[str, str]]) -> str:
    words = scope_in_words(pairs)
    return f" ({words})" if words else ""


def limits(layout: Layout, told: list[HostReport]) -> Iterator[str]:
    """What the method can never show, once for all hosts."""
    said = dict.fromkeys(str(limit) for host in told for limit in host.snapshot.shown.get("limits", []))
    if said:
        yield from layout.heading("Never shown by this method")
        for limit in said:
            yield from layout.prose(limit, "  ", "    ")
        yield ""
