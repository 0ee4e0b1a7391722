"""For people who read, print and file it: one page that needs no script and asks nothing of any network.

The templates only lay out what stands here as plain values. Whatever a host said passes `harmless` as the environment's `finalize`
and is then escaped, so that no template can forget it; Markup is the only thing that passes by, and no host's string ever is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import groupby
from typing import Any, TextIO

from auditor import __version__
from auditor.bind_view import Row, compared, left_out, who
from auditor.control_view import ControlView, FrameworkView
from auditor.display import harmless
from auditor.facts import Facts, Gap
from auditor.model import SEVERITIES, Finding, Range, Snapshot, Socket, Stack
from auditor.owner import Owner
from auditor.places import shipped
from auditor.port_range import PORT_MAX, PortRange
from auditor.report import SCHEMA, HostReport, Report, VendorDefault
from auditor.reporter import Reporter
from auditor.who_may_bind import ways

_KINDS = ("privileged", "ephemeral", "reserved")
_FACTS = (*_KINDS, "listening", "addresses", "settings", "persisted", "grants")
_ABSENT = (Gap("the evidence does not show it"),)
_FOLDED_FROM = {"listeners": 60, "ways": 40, "stacks": 8, "hosts": 4}
"""From how many on they are folded: complete all the same, and printed unfolded."""
_VISIBILITY = ("rights", "processes", "owners", "owners_reason", "namespaces", "races_retried", "not_read")
"""What a collector says of its own sight, in a reader's order; whatever else it says follows."""
_REASONED = ("pass", "notchecked", "notapplicable", "notselected")
"""Outcomes whose message says what was judged or why not, and is shown in the table of all outcomes."""
_TICK = 256
"""Listeners are drawn as ticks on the axis of ports: one for so many ports, closer ones could not be told apart."""


def render(report: Report, stream: TextIO) -> None:
    """The whole report as one HTML document. jinja2 is loaded here: other formats do not need it."""
    from hashlib import sha256

    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def made_harmless(value: object) -> object:
        return value if isinstance(value, Markup) else harmless(value)

    loader = FileSystemLoader(shipped("reports", "templates"))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=made_harmless, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["systems"] = partial(_systems, report)
    style = "\n" + loader.get_source(environment, "report.css")[0]
    template = environment.get_template("report.html")
    stream.writelines(template.generate(**_page(report), style=Markup(style), style_hash=_base64(sha256(style.encode()).digest())))  # noqa: S704 - ours
    stream.write("\n")


def _systems(report: Report, findings: list[Finding]) -> set[str | None]:
    """The systems of the hosts that findings are on; None for one that is not known."""
    names = {finding.host for finding in findings}
    return {host.snapshot.shown.get("system") for host in report.hosts if host.name in names}


def _base64(digest: bytes) -> str:
    from base64 import b64encode

    return b64encode(digest).decode("ascii")


def _page(report: Report) -> dict[str, Any]:
    """Everything that the templates ask for."""
    anchors = {finding: f"finding-{number}" for number, finding in enumerate(report.findings, 1)}
    by_outcome = {outcome: [f for f in report.findings if f.outcome == outcome] for outcome in ("error", "unknown", "waived")}
    stacks = sum(len(host.snapshot.stacks.seen) for host in report.hosts)
    marks = _marks(report.open + by_outcome["waived"], anchors)
    return {
        "report": report,
        "schema": SCHEMA,
        "version": __version__,
        "subject": report.hosts[0].name if len(report.hosts) == 1 else f"{len(report.hosts)} hosts",
        "clauses": report.qualifications(),
        "severities": tuple(reversed(SEVERITIES)),
        "anchors": anchors,
        "open": [(severity, _by_rule(findings)) for severity, findings in _grouped(report.open, lambda f: f.severity)],
        "open_counts": {severity: sum(f.severity == severity for f in report.open) for severity in SEVERITIES},
        "inventory": _by_rule(report.inventory),
        "errors": _by_rule(by_outcome["error"]),
        "unknown": _by_reason(report, by_outcome["unknown"]),
        "waived": _by_rule(by_outcome["waived"]),
        "notchecked": sorted({(f.rule, f.message) for f in report.findings if f.outcome == "notchecked"}),
        "outcomes": _outcomes(report.findings),
        "hosts": [_host(host, f"host-{number}", report, marks) for number, host in enumerate(report.hosts, 1)],
        "unfold_hosts": len(report.hosts) < _FOLDED_FROM["hosts"],
        "unfold_stacks": stacks < _FOLDED_FROM["stacks"],
        "approvals": any(host.approvals for host in report.hosts),
        "controls": [(view, _controls(view)) for view in report.controls],
        "statements": report.approval_statements if report.controls else [],
        "paragraphs": _paragraphs,
    }


def _grouped(findings: Iterable[Finding], key: Any) -> list[tuple[str, list[Finding]]]:
    return [(name, list(alike)) for name, alike in groupby(findings, key)]


def _by_rule(findings: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """In the report's order: a rule's findings stand together within a severity, whose heading or badge comes first."""
    return _grouped(findings, lambda finding: finding.rule)


def _by_reason(report: Report, findings: list[Finding]) -> list[dict[str, Any]]:
    """What could not be seen usually hides itself from many rules: one row a reason. What counts comes first."""
    reasons: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: not finding.leaves_open):
        reasons.setdefault((finding.message, report.standing(finding)), []).append(finding)
    return [
        {
            "reason": reason,
            "standing": standing,
            "places": list(dict.fromkeys(_place(f) for f in alike)),
            "rules": [(rule, sum(f.count for f in of_rule)) for rule, of_rule in _by_rule(sorted(alike, key=lambda f: f.rule))],
            "examples": list(dict.fromkeys(name for f in alike for name in (f.examples or (f.subject,)) if name != "stack")),
        }
        for (reason, standing), alike in reasons.items()
    ]


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


def _place(finding: Finding) -> str:
    return finding.host if finding.stack is None else f"{finding.host}, stack {finding.stack}"


def _outcomes(findings: list[Finding]) -> list[dict[str, Any]]:
    """One row for each rule, stack and outcome, and for each reason where the outcome has one: together they are all findings."""
    rows: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        reason = finding.message if finding.outcome in _REASONED else ""
        rows.setdefault((finding.rule, finding.host, finding.stack or "", finding.outcome, reason), []).append(finding)
    keys = ("rule", "host", "stack", "outcome", "reason")
    return [{**dict(zip(keys, key, strict=True)), "count": len(rows[key])} for key in sorted(rows)]


def _marks(findings: list[Finding], anchors: dict[Finding, str]) -> dict[tuple[str, ...], list[tuple[str, Finding]]]:
    """(anchor, finding) by what they were found on, for links from a listener to what was found on it."""
    marks: dict[tuple[str, ...], list[tuple[str, Finding]]] = {}
    for finding in findings:
        marks.setdefault((finding.host, finding.stack or "", finding.subject), []).append((anchors[finding], finding))
    return marks


def _host(host: HostReport, anchor: str, report: Report, marks: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    shown = host.snapshot.shown
    stacks = host.snapshot.stacks.seen
    return {
        "anchor": anchor,
        "name": host.name,
        "report": host,
        **{key: shown.get(key, "unknown") for key in ("system", "release", "taken", "machine_id", "boot_id")},
        "visibility": _visibility(host.snapshot),
        "gaps": _gaps(host.snapshot),
        "limits": shown.get("limits", []),
        "settings": {} if stacks else shown.get("settings", {}),
        "yardsticks": [_vendor_row(host.vendor, shown), _iana_row(report)],
        "stacks": [_stack(stack, f"{anchor}-stack-{n}", host.name, report, marks) for n, stack in enumerate(stacks, 1)],
    }


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


def _controls(view: FrameworkView) -> list[dict[str, Any]]:
    """The rows of a framework: one that has a number for each release is one row with all of them."""
    rows = {one.control.id: _control(one) for one in view.controls if one.control.same_as is None}
    for one in view.controls:
        if one.control.same_as in rows:
            rows[one.control.same_as]["numbers"].append((one.control.id, one.control.releases))
    return list(rows.values())


def _control(view: ControlView) -> dict[str, Any]:
    """One row of the controls; rules that are mapped for one reason stand together."""
    control = view.control
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for rule in view.rules:
        worth = rule.worth if rule.worth == rule.relation else f"{rule.worth} (mapped as {rule.relation})"
        counts = [f"{count} {word}" for count, word in ((rule.open, "open"), (rule.accepted, "accepted")) if count]
        groups.setdefault((worth, rule.reason), []).append((rule.rule, ", ".join([rule.state, *counts])))
    tone = "error" if view.open else {"none": "notchecked"}.get(view.evidence, "")
    return {
        "numbers": [(control.id, control.releases)], "words": control.words, "result": view.result, "evidence": view.evidence,
        "attest": control.attest, "source": control.source, "tone": tone,
        "groups": [{"relation": relation, "reason": reason, "rules": rules} for (relation, reason), rules in groups.items()],
    }  # fmt: skip


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


def _stack(stack: Stack, anchor: str, host: str, report: Report, marks: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    known: Facts[Socket] | None = stack.shown.get("listening")
    sockets = sorted(known.seen if known is not None else (), key=_by_port)
    reasons: dict[str, int] = {}
    ranges = {name: _host_cell(stack.shown.get(name)) for name in _KINDS}
    may_bind, may_bind_gaps = ways(stack)
    tried = _tried(stack) if "measured" in stack.shown else None
    ticks = sorted({port // _TICK * _TICK for socket in sockets if isinstance(port := socket.shown.get("port"), int)})
    return {
        "anchor": anchor,
        "name": stack.name,
        "kind": stack.kind,
        "row": {"who": "This stack", "by": "", "across": None, "cells": ranges, "ticks": ticks},
        "addresses": [_address(one.shown) for one in _seen(stack, "addresses")],
        "listeners": [_listener(socket, report, marks.get((host, stack.name, socket.subject), []), reasons) for socket in sockets],
        "reasons": reasons,
        "listeners_known": known is not None,
        "listeners_gaps": [gap.why for gap in known.gaps] if known is not None else [],
        "unfold": len(sockets) < _FOLDED_FROM["listeners"],
        "may_bind": may_bind,
        "may_bind_gaps": may_bind_gaps,
        "tried": tried,
        "unfold_may_bind": len(may_bind) < _FOLDED_FROM["ways"],
        "settings": [one.shown for one in _seen(stack, "settings")],
        "persisted": [one.shown for one in _seen(stack, "persisted")],
    }


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


def _by_port(socket: Socket) -> tuple[Any, ...]:
    return (socket.shown.get("port", -1), socket.shown.get("protocol", ""), socket.numbered_subject)


def _cell(lines: list[str], source: str, ports: list[PortRange]) -> dict[str, Any]:
    """What stands in the table of ranges, and what is drawn: (first, width) of each."""
    return {"lines": lines, "source": source, "drawn": [(one.first, len(one)) for one in ports]}


def _host_cell(known: Facts[Range] | None) -> dict[str, Any]:
    if known is None:
        return _cell([f"unknown: {_ABSENT[0].why}"], "", [])
    ports = [found for one in known.seen if (found := _ports(one)) is not None]
    lines = [_range_words(one) for one in known.seen] + [f"unknown{' whether more' * bool(known.seen)}: {gap.why}" for gap in known.gaps]
    return _cell(lines or ["none"], f"{known.source} ({known.basis})", ports)


def _ports(one: Range) -> PortRange | None:
    shown = one.shown
    return PortRange(shown["first"], shown["last"]) if 0 <= shown.get("first", -1) <= shown.get("last", -1) <= PORT_MAX else None


def _range_words(one: Range) -> str:
    shown, ports = one.shown, _ports(one)
    said = [shown[key] for key in ("protocol", "family") if shown.get(key, "any") != "any"]
    said += [shown["role"]] if shown.get("role", "default") != "default" else []
    said += [word for key, word in (("descending", "descending"), ("wildcard_exempt", "not for the wildcard address")) if shown.get(key)]
    return _counted(ports, ", ".join(said)) if ports else f"{one}, which is no range"


def _counted(ports: PortRange, narrowed: str = "") -> str:
    count = f"{len(ports)} port{'s' * (len(ports) != 1)}"
    return f"{ports} ({count}{', ' * bool(narrowed)}{narrowed})"


def _iana_row(report: Report) -> dict[str, Any]:
    """The registry's own three names, which are not a host's: they stand across the table, and are drawn where they are alike."""
    ranges = report.iana_ranges
    date = report.tables.get("iana-ranges", {}).get("date", "")
    drawn = {"privileged": "system", "ephemeral": "dynamic"}
    return {
        "who": "IANA registry", "by": f"RFC 6335 section 6{', ' * bool(date)}{date}", "ticks": [],
        "across": [f"{name.capitalize()} Ports {_counted(ports)}" for name, ports in ranges.items()] or ["no table was given"],
        "cells": {name: _cell([], "", [ranges[drawn[name]]] if drawn.get(name) in ranges else []) for name in _KINDS},
    }  # fmt: skip


def _vendor_row(vendor: VendorDefault | None, shown: dict[str, Any]) -> dict[str, Any]:
    if vendor is None:
        why = f"no row of the vendor table is for {shown.get('system', 'an unknown system')} {shown.get('release', 'of unknown release')}"
        cells = {name: _cell([], "", []) for name in _KINDS}
        return {"who": "As the vendor ships it", "by": "", "across": [why], "cells": cells, "ticks": []}
    cells = {}
    stated = {"privileged": vendor.privileged, "ephemeral": vendor.ephemeral, "reserved": vendor.reserved}
    for name, ranges in stated.items():
        lines = ["not stated"] if ranges is None else [_counted(*one) for one in ranges] or ["none"]
        cells[name] = _cell(lines, "", [ports for ports, _ in ranges or ()])
    by = f"vendor table, {vendor.record}; confidence {vendor.confidence}"
    return {"who": f"{vendor.system} as shipped", "by": by, "across": None, "cells": cells, "ticks": []}


def _listener(socket: Socket, report: Report, marks: list[tuple[str, Finding]], reasons: dict[str, int]) -> dict[str, Any]:
    """One row of the listeners. Why not all its owners are known is said once a stack: `reasons` are numbered."""
    shown = socket.shown
    state, unseen = shown.get("owner_state", "none"), ""
    if state != "known":
        reason = shown.get("owner_reason", "the evidence does not say why")
        unseen = f"{_NOT_ALL_OWNERS.get(state, state)}: see note {reasons.setdefault(reason, len(reasons) + 1)}"
    holder = f"{shown['socket_unit']} activates {shown.get('activates') or 'an unknown unit'}" if shown.get("socket_unit") else ""
    creator = f"created by uid {shown['uid']}" if "uid" in shown and not shown.get("owners_seen") else ""
    return {
        **{key: shown.get(key, "unknown") for key in ("protocol", "address", "port", "reach")},
        "state": "bound only" if shown.get("state") == "bound" else shown.get("state", "unknown"),
        "iana": report.iana_names.get((shown.get("protocol", ""), shown.get("port", -1)), ""),
        "address_notes": _address_notes(shown),
        "port_notes": [words for key, words in _PORT_NOTES.items() if shown.get(key)],
        "owners": _holders(shown.get("owners_seen", [])),
        "owner_notes": [words for words in (holder, unseen, creator) if words],
        "marks": marks,
    }


_NOT_ALL_OWNERS = {"partial": "there may be more", "unreadable": "not visible", "none": "none visible"}
_PORT_NOTES = {
    "kernel_given": "most likely chosen by the kernel",
    "address_cut": "the address is cut",
    "port_from_name": "resolved from a name",
}


def _address_notes(shown: dict[str, Any]) -> list[str]:
    notes = [f"{word} {shown[key]}" for key, word in (("device", "only on device"), ("zone", "zone")) if shown.get(key)]
    if shown.get("family") == "ipv6" and "v6only" in shown:
        notes.append("IPv6 only" if shown["v6only"] else "IPv4 as well (dual-stack)")
    return notes + [words for key, words in (("mptcp", "Multipath TCP"), ("address_cut", "cut in the evidence")) if shown.get(key)]


def _holders(owners: list[Owner]) -> list[dict[str, Any]]:
    """Processes that differ in nothing but their number stand together."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for owner in owners:
        shown = owner.shown
        user = shown.get("user", "user unknown") + (f" (uid {shown['uid']})" if "uid" in shown else "")
        key = (shown.get("executable", "executable not visible") or "no executable", shown.get("process", "unknown"), user,
               shown.get("unit", "unit unknown"), shown.get("container"))  # fmt: skip
        alike.setdefault(key, []).append(str(shown.get("pid", "?")))
    names = ("executable", "process", "user", "unit", "container")
    return [{**dict(zip(names, key, strict=True)), "pids": pids} for key, pids in alike.items()]


REPORTER = Reporter(suffix="html", media_type="text/html", render=render)
