"""For a terminal: the verdict and what qualifies it on one screen, then the findings."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any, TextIO

from auditor.display import harmless, holders
from auditor.facts import PORT_MAX, Facts, PortRange
from auditor.model import Finding, Range
from auditor.report import HostReport, Report
from auditor.reporter import Reporter

_WIDTH = 100
_LISTENERS = 40
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
    for source, why in report.bad_sources:
        yield from _wrapped("could not be read: ", harmless(why if source in why else f"{source}: {why}"))
    yield from _findings("Open", report.open)
    yield from _findings("Our errors", [f for f in report.findings if f.outcome == "error"])
    yield from _unknown([f for f in report.findings if f.outcome == "unknown"])
    yield from _findings("Waived", [f for f in report.findings if f.outcome == "waived"])
    yield from _findings("Inventory", report.inventory)
    yield from _limits(report)
    yield from _counts(report)


def _wrapped(lead: str, text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent=lead, subsequent_indent="  ", break_on_hyphens=False) or [lead]


def _host(host: HostReport, many: bool) -> Iterator[str]:
    shown = host.snapshot.shown
    system = " ".join(harmless(shown.get(key, "unknown")) for key in ("system", "release"))
    yield f"{harmless(host.name)}  {system}  taken {harmless(shown.get('taken', 'unknown'))}"
    yield from _visibility(host)
    if many:
        return
    for stack in host.snapshot.stacks.seen:
        ranges = [f"{name} {_ranges(stack.shown.get(name))}" for name in ("privileged", "ephemeral", "reserved")]
        yield from wrap(f"{harmless(stack.name)}: {', '.join(ranges)}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
        sockets = stack.shown["listening"].seen if "listening" in stack.shown else ()
        for socket in sockets[:_LISTENERS]:
            state = "" if socket.shown.get("state") == "listening" else f"  ({_STATES.get(socket.shown.get('state'), 'state unknown')})"
            state += "  (address cut)" if socket.shown.get("address_cut") else ""
            yield f"    {harmless(socket.numbered_subject):34} {harmless(socket.shown.get('reach', 'unknown')):9} {holders(socket)}{state}"
        if len(sockets) > _LISTENERS:
            yield f"    ... and {len(sockets) - _LISTENERS} more; the html and json reports have all"
    yield ""


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
        f"{ports}{'' if role == 'default' else f' {role}'}{_scope(set(pairs))}"
        for (role, pairs), parts in alike.items()
        for ports in _joined(parts)
    ]
    if facts is None or facts.gaps:
        seen.append("unknown" if not seen else "and maybe more")
    return harmless(", ".join(seen)) or "none"


def _joined(parts: list[PortRange]) -> list[PortRange]:
    whole = PortRange(0, PORT_MAX)
    return whole.minus(whole.minus(parts))


def _pairs(ports: Range) -> list[tuple[str, str]]:
    """The protocols and families of a range; those of a snapshot from elsewhere may not be shown, and are taken for all."""
    return Range(protocol=ports.shown.get("protocol", "any"), family=ports.shown.get("family", "any")).pairs


def _scope(pairs: set[tuple[str, str]]) -> str:
    """The protocols and families that a range is of, where these are not all."""
    protocols, families = ({pair[at] for pair in pairs} for at in (0, 1))
    if len(protocols) * len(families) != len(pairs):
        return f" ({', '.join(sorted(' '.join(pair) for pair in pairs))})"
    words = [*(sorted(protocols) if len(protocols) == 1 else []), *(sorted(families) if len(families) == 1 else [])]
    return f" ({' '.join(words)})" if words else ""


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


def _findings(title: str, findings: list[Finding]) -> Iterator[str]:
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
                yield from wrap(harmless(f"{name}: {_shortened(value)}"), _WIDTH, initial_indent="      ", subsequent_indent="        ")
        if finding.waiver:
            told = finding.waiver
            yield f"      waived until {harmless(told.get('expires'))} by {harmless(told.get('owner'))}: {harmless(told.get('reason'))}"
    yield ""


def _shortened(value: str) -> str:
    """Hundreds of names folded into one finding would push everything else off the screen."""
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]} ... and more; the html and json reports have all"


def _unknown(findings: list[Finding]) -> Iterator[str]:
    """Grouped by reason: what could not be seen usually hides itself from many rules."""
    if not findings:
        return
    by_reason: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        by_reason.setdefault((finding.host, finding.message), []).append(finding)
    yield f"Unknown ({len(findings)})"
    for (host, reason), alike in by_reason.items():
        stacks = ", ".join(dict.fromkeys(f.stack for f in alike if f.stack))
        yield from _wrapped("  ", harmless(f"{host}{' ' * bool(stacks)}{stacks}: {reason}"))
        counts: dict[str, int] = {}
        for finding in alike:
            counts[finding.rule] = counts.get(finding.rule, 0) + finding.count
        rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(counts.items()))
        yield from wrap(f"not judged: {rules}", _WIDTH, initial_indent="      ", subsequent_indent="        ", break_on_hyphens=False)
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
    yield f"{told or 'no rule was asked'}; evaluated for {report.evaluated_on}"


REPORTER = Reporter(suffix="txt", media_type="text/plain", render=render)
