"""For a terminal: the verdict and what qualifies it on one screen, then the findings."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any, TextIO

from auditor.bind_view import summary
from auditor.display import harmless, holders
from auditor.facts import Facts
from auditor.model import Finding, Range, Socket, Stack
from auditor.port_range import PortRange
from auditor.port_scopes import scope_in_words
from auditor.report import HostReport, Report
from auditor.reporter import Reporter
from auditor.who_may_bind import ways

_WIDTH = 100
_LISTENERS = 40
_WAYS = 12
_LONGEST = 600
_STATES = {"bound": "bound only"}


def render(report: Report, stream: TextIO) -> None:
    """Summary, findings that are open, waived or unknown, and each host's ranges and listeners."""
    for line in _lines(report):
        stream.write(line.rstrip() + "\n")


def _lines(report: Report) -> Iterator[str]:
    yield from _wrapped(report.headline + ": ", harmless("; ".join(report.qualifications())) + ".")
    yield ""
    for host in report.hosts:
        yield from _host(host, len(report.hosts) > 1)
    if report.missing_hosts:
        yield from _wrapped("no evidence of: ", harmless(_shortened(", ".join(report.missing_hosts))))
    for source, why in report.bad_sources:
        yield from _wrapped("could not be read: ", harmless(why if source in why else f"{source}: {why}"))
    yield from _findings(report, "Open", report.open)
    yield from _findings(report, "Our errors", [f for f in report.findings if f.outcome == "error"])
    yield from _unknown(report, [f for f in report.findings if f.outcome == "unknown"])
    yield from _findings(report, "Waived", [f for f in report.findings if f.outcome == "waived"])
    yield from _findings(report, "Inventory", report.inventory)
    yield from _controls(report)
    yield from _not_checked(report)
    yield from _limits(report)
    yield from _counts(report)


def _wrapped(lead: str, text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent=lead, subsequent_indent="  ", break_on_hyphens=False) or [lead]


def _host(host: HostReport, many: bool) -> Iterator[str]:
    shown = host.snapshot.shown
    system = " ".join(harmless(shown.get(key, "unknown")) for key in ("system", "release"))
    yield f"{harmless(host.name)}  {system}  taken {harmless(shown.get('taken', 'unknown'))}"
    if host.assignment:
        roles = ", ".join(host.assignment.roles) or "none"
        yield from _wrapped(
            "  judged by: ", harmless(f"{host.policy.name}@{host.policy.sha256[:8]}, role {roles}, {host.assignment.identified}")
        )
    yield from _visibility(host)
    if host.approvals is not None:
        yield from _wrapped("  listeners approved: ", harmless(host.approvals.statement))
    if many:
        return
    for stack in host.snapshot.stacks.seen:
        ranges = [f"{name} {_ranges(stack.shown.get(name))}" for name in ("privileged", "ephemeral", "reserved")]
        yield from wrap(f"{harmless(stack.name)}: {', '.join(ranges)}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
        yield from _may_bind(stack)
        sockets = sorted(stack.facts("listening").seen, key=_place)
        for socket in sockets[:_LISTENERS]:
            state = "" if socket.shown.get("state") == "listening" else f"  ({_STATES.get(socket.shown.get('state'), 'state unknown')})"
            state += "  (address cut)" if socket.shown.get("address_cut") else ""
            yield f"    {harmless(socket.numbered_subject):34} {harmless(socket.shown.get('reach', 'unknown')):9} {holders(socket)}{state}"
        if len(sockets) > _LISTENERS:
            yield f"    ... and {len(sockets) - _LISTENERS} more; the html and json reports have all"
    yield ""


def _may_bind(stack: Stack) -> Iterator[str]:
    """Who may take privileged ports, a line each: the html and json reports have the reasons."""
    found, gaps = ways(stack)
    for way in found[:_WAYS]:
        ports = f"port{'s' * (not way.ports.isdigit())} {way.ports}"
        yield from _wrapped("    may bind: ", harmless(f"{way.who}, {ports} ({way.by}{': ' * bool(way.subject)}{way.subject})"))
    if len(found) > _WAYS:
        yield f"    may bind: ... and {len(found) - _WAYS} more; the html and json reports have all"
    for why in gaps:
        yield from _wrapped("    may bind: ", harmless(f"perhaps others: {why}"))
    for line in summary(stack):
        yield from _wrapped("    bind test: ", harmless(line))


def _place(socket: Socket) -> tuple[str, int, str]:
    """By protocol and port, whatever order the kernel has them in."""
    return socket.shown.get("protocol", ""), socket.shown.get("port", -1), socket.numbered_subject


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
    return harmless(", ".join(seen)) or "none"


def _pairs(ports: Range) -> list[tuple[str, str]]:
    """The protocols and families of a range; those of a snapshot from elsewhere may not be shown, and are taken for all."""
    return Range(protocol=ports.shown.get("protocol", "any"), family=ports.shown.get("family", "any")).pairs


def _scope(pairs: frozenset[tuple[str, str]]) -> str:
    words = scope_in_words(pairs)
    return f" ({words})" if words else ""


def _visibility(host: HostReport) -> Iterator[str]:
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
    yield from _wrapped("  seen with: ", harmless("; ".join(told)))
    for lead, hidden in (("not entered", _mapping(seen.get("namespaces")).get("not_entered")), ("not read", seen.get("not_read"))):
        if isinstance(hidden, list) and hidden:
            yield from _wrapped(f"  {lead}: ", harmless(", ".join(map(str, hidden))))


def _mapping(value: object) -> dict[str, Any]:
    """A snapshot from elsewhere may hold anything under `visibility`."""
    return value if isinstance(value, dict) else {}


def _findings(report: Report, title: str, findings: list[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield f"{title} ({len(findings)})"
    for finding in findings:
        where = f"{finding.host} {finding.stack}" if finding.stack else finding.host
        count = f" ({finding.count})" if finding.count > 1 else ""
        yield from _wrapped(f"  {finding.severity.upper():8} ", harmless(f"{finding.rule}  {finding.subject}{count}  on {where}"))
        yield from wrap(harmless(finding.message), _WIDTH, initial_indent="    ", subsequent_indent="    ")
        for name in ("observed", "expected", "source"):
            value = getattr(finding, name)
            if value:
                yield from _beneath(f"{name}: {_shortened(value)}")
        if standing := report.standing(finding):
            yield from _beneath(standing)
    yield ""


def _beneath(text: str) -> list[str]:
    """Lines that belong to a finding; addresses of pages stay whole."""
    return wrap(harmless(text), _WIDTH, initial_indent="      ", subsequent_indent="        ", break_on_hyphens=False)


def _shortened(value: str) -> str:
    """Hundreds of names folded into one finding would push everything else off the screen."""
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]} ... and more; the html and json reports have all"


def _unknown(report: Report, findings: list[Finding]) -> Iterator[str]:
    """Grouped by reason: what could not be seen usually hides itself from many rules."""
    if not findings:
        return
    by_reason: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in findings:
        by_reason.setdefault((finding.host, finding.message, report.standing(finding)), []).append(finding)
    yield f"Unknown ({len(findings)})"
    for (host, reason, standing), alike in by_reason.items():
        stacks = ", ".join(dict.fromkeys(f.stack for f in alike if f.stack))
        yield from _wrapped("  ", harmless(f"{host}{' ' * bool(stacks)}{stacks}: {reason}"))
        counts: dict[str, int] = {}
        for finding in alike:
            counts[finding.rule] = counts.get(finding.rule, 0) + finding.count
        rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(counts.items()))
        if standing is not None:
            yield from _beneath(standing)
        yield from _beneath(f"not judged: {rules}")
    yield ""


def _controls(report: Report) -> Iterator[str]:
    """One line for each framework, where a policy chose any: the html and json reports have the controls."""
    if not any(host.policy.controls for host in report.hosts):
        return
    yield "Controls"
    for view in report.controls:
        lowered = " Not everything was seen: each rule counts a step less than mapped." if view.lowered else ""
        yield from _wrapped("  ", harmless(f"{view.framework.title}: {view.summary}.{lowered} {view.disclaimer}"))
    yield ""


def _not_checked(report: Report) -> Iterator[str]:
    """What there was nothing to compare with, by what is missing."""
    by_reason: dict[str, dict[str, None]] = {}
    for finding in report.findings:
        if finding.outcome == "notchecked":
            by_reason.setdefault(finding.message, {})[finding.rule] = None
    off = sorted({finding.rule for finding in report.findings if finding.outcome == "notselected"})
    if by_reason:
        yield f"Not checked, for want of a yardstick (rules: {len({rule for rules in by_reason.values() for rule in rules})})"
        for reason, rules in by_reason.items():
            yield from _wrapped("  ", harmless(f"{reason}: {', '.join(sorted(rules))}"))
        yield ""
    if off:
        yield f"Off in the policy (rules: {len(off)})"
        yield from _wrapped("  ", ", ".join(off))
        yield ""


def _limits(report: Report) -> Iterator[str]:
    """What the method can never show, once for all hosts."""
    limits = dict.fromkeys(str(limit) for host in report.hosts for limit in host.snapshot.shown.get("limits", []))
    if limits:
        yield "Never shown by this method"
        for limit in limits:
            yield from wrap(harmless(limit), _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        yield ""


def _counts(report: Report) -> Iterator[str]:
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.counts.items()))
    yield f"answers: {told or 'none'}; evaluated for {report.evaluated_on}"


REPORTER = Reporter(suffix="txt", media_type="text/plain", render=render)
