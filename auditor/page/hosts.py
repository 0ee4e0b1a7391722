"""A host and its network stacks: how it was seen, what could not be, and what is there."""

from __future__ import annotations

from typing import Any

from auditor.bind_view import Row, compared, left_out, who
from auditor.facts import Facts, Gap
from auditor.host_report import HostReport
from auditor.listener_outcomes import WORDS, ListenerOutcomes
from auditor.model import HOST_STACK, SEVERITIES, Snapshot, Socket, Stack
from auditor.page.approvals import ApprovedAs
from auditor.page.findings import Marks
from auditor.page.ranges import KINDS, NOT_SHOWN, of_iana, of_stack, of_vendor
from auditor.page.sockets import Reasons, by_port, endpoint, listener
from auditor.port_map import port_maps
from auditor.report import Report
from auditor.totals import Totals
from auditor.who_may_bind import ways

_FACTS = (*KINDS, "listening", "addresses", "settings", "persisted", "grants")
_ABSENT = (Gap(NOT_SHOWN),)
_FOLDED_FROM = {"listeners": 60, "ways": 40, "endpoints": 30}
"""From how many on they are folded: complete all the same, and printed unfolded."""
_VISIBILITY = ("rights", "processes", "owners", "owners_reason", "namespaces", "races_retried", "not_read")
"""What a collector says of its own sight, in a reader's order; whatever else it says follows."""
_KINDS_OF_STACKS = {"host": "the host's own", "netns": "network namespace", "vnet": "vnet jail", "rdomain": "routing domain"}


def host_rows(host: HostReport, anchor: str, report: Report, marks: Marks, approved: ApprovedAs) -> dict[str, Any]:
    """`anchor` is where it stands on the page."""
    shown = host.snapshot.shown
    outcomes = ListenerOutcomes(host, report.state)
    stacks = host.snapshot.stacks.seen
    maps = zip(stacks, port_maps(host, report.iana_ranges, outcomes), strict=True)
    return {
        "anchor": anchor,
        "name": host.name,
        "report": host,
        **{key: shown.get(key, "unknown") for key in ("system", "release", "taken", "machine_id", "boot_id")},
        "visibility": _visibility(host.snapshot),
        "gaps": _gaps(host.snapshot),
        "counts": _counts(host, report),
        "settings": {} if stacks else shown.get("settings", {}),
        "yardsticks": [of_vendor(host.vendor, shown), of_iana(report)],
        "stacks": [
            {**_stack(stack, host, report, outcomes, marks, approved), "anchor": f"{anchor}-stack-{number}", "map": drawn}
            for number, (stack, drawn) in enumerate(maps, 1)
        ],
    }


def _counts(host: HostReport, report: Report) -> dict[str, Any]:
    """What its findings count as, in the report's own way of counting."""
    totals = Totals(report.fail_on)
    totals.add(host)
    by_severity = [f"{totals.open[severity]} {severity}" for severity in reversed(SEVERITIES) if totals.open[severity]]
    return {"by_severity": by_severity, **{state: totals.states[state] for state in ("open", "unknown", "waived", "error")}}


def _visibility(snapshot: Snapshot) -> list[tuple[str, list[str]]]:
    """What the evidence says of how it was taken: a key and its lines each, and nothing left out, whatever a snapshot from
    elsewhere holds there."""
    told = snapshot.shown.get("visibility")
    if not isinstance(told, dict):
        told = {}
    rows = []
    for key in (*_VISIBILITY, *(key for key in told if key not in _VISIBILITY)):
        value = told.get(key, "not known")
        lines = (
            [f"{str(name).replace('_', ' ') if key != 'rights' else name}: {_words(one)}" for name, one in value.items()]
            if isinstance(value, dict)
            else [_words(value)]
        )
        rows.append((key, lines))
    return rows


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "held" if value else "not held"
    return (", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)) or "none"


def _gaps(snapshot: Snapshot) -> list[dict[str, Any]]:
    """What could not be seen: one row for each stack and reason, with all that it hides."""
    gaps = [("", "stacks", gap) for gap in snapshot.stacks.gaps]
    for stack in snapshot.stacks.seen:
        for name in _FACTS:
            known = stack.shown.get(name)
            gaps += [(stack.name, name, gap) for gap in (_ABSENT if known is None else known.gaps)]
    rows: dict[tuple[str, ...], list[str]] = {}
    for place, name, gap in gaps:
        scope = ", ".join(str(word) for word in (gap.protocol, gap.family, gap.ports, gap.stack) if word)
        rows.setdefault((place, gap.why, scope, gap.line or ""), []).append(name)
    return [
        {**dict(zip(("stack", "why", "scope", "line"), key, strict=True)), "hidden": list(dict.fromkeys(hidden))}
        for key, hidden in rows.items()
    ]


def _stack(
    stack: Stack, host: HostReport, report: Report, outcomes: ListenerOutcomes, marks: Marks, approved: ApprovedAs
) -> dict[str, Any]:  # fmt: skip
    known: Facts[Socket] | None = stack.shown.get("listening")
    sockets = sorted(known.seen if known is not None else (), key=by_port)
    reasons: Reasons = {}
    may_bind, may_bind_gaps = ways(stack)
    place = (host.name, stack.name)
    return {
        "name": stack.name,
        "elsewhere": None if stack.name == HOST_STACK else stack.name,
        "kind": _KINDS_OF_STACKS.get(stack.kind, stack.kind),
        "row": of_stack(stack),
        "addresses": [_address(one.shown) for one in _seen(stack, "addresses")],
        "listeners": [
            listener(
                socket,
                report,
                WORDS[outcomes.of(stack, socket)],
                marks.get((*place, socket.subject), []),
                outcomes.found(stack, socket, "unknown"),
                reasons,
            )
            | {"approved": approved.get((stack.name, socket.subject), [])}
            for socket in sockets
        ],
        "reasons": reasons,
        "listeners_known": known is not None,
        "listeners_gaps": [gap.why for gap in known.gaps] if known is not None else [],
        "unfold": len(sockets) < _FOLDED_FROM["listeners"],
        "endpoints": _endpoints(stack, place, marks),
        "may_bind": may_bind,
        "may_bind_gaps": may_bind_gaps,
        "tried": _tried(stack) if "measured" in stack.shown else None,
        "unfold_may_bind": len(may_bind) < _FOLDED_FROM["ways"],
        "settings": [one.shown for one in _seen(stack, "settings")],
        "persisted": [one.shown for one in _seen(stack, "persisted")],
    }


def _endpoints(stack: Stack, place: tuple[str, str], marks: Marks) -> dict[str, Any] | None:
    """None where they were not asked for."""
    if "endpoints" not in stack.shown:
        return None
    reasons: Reasons = {}
    seen = sorted(stack.endpoints.seen, key=str)
    rows = [endpoint(one, marks.get((*place, str(one)), []), reasons) for one in seen]
    gaps = list(dict.fromkeys(gap.why for gap in stack.endpoints.gaps))
    return {"rows": rows, "reasons": reasons, "gaps": gaps, "unfold": len(rows) < _FOLDED_FROM["endpoints"]}


def _tried(stack: Stack) -> dict[str, Any]:
    """What a bind test gave, beside what was promised."""
    found = compared(stack)
    first = found[0].measured if found else None
    return {"who": who(first) if first else "", "rows": [Row(one) for one in found], "left_out": left_out(first) if first else [],
            "gaps": list(dict.fromkeys(gap.why for gap in stack.measured.gaps))}  # fmt: skip


def _seen(stack: Stack, name: str) -> tuple[Any, ...]:
    return stack.shown[name].seen if name in stack.shown else ()


def _address(shown: dict[str, Any]) -> str:
    return f"{shown.get('address', '?')}/{shown.get('prefix', '?')} on {shown.get('device', '?')}"
