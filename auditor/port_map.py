"""The port map: one picture of a network stack, and the same in words, as plain values for a template.

Above the axis stand the listeners, by protocol; below it the stack's own privileged, ephemeral and reserved ranges, each with what the
vendor ships. What was not seen, or not all, is drawn as such (`doubts`) and never as empty. Nothing here is markup: a host's words are
values that the template escapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from operator import itemgetter
from typing import Any

from auditor.facts import Facts
from auditor.host_report import HostReport, VendorDefault
from auditor.in_words import counted
from auditor.listener_outcomes import KINDS, WORDS, ListenerOutcomes, gravest, in_words
from auditor.model import Finding, Range, Socket, Stack
from auditor.port_axis import ENLARGED, HIGH, LOW, PANELS, WIDTH, merged, spans, spread, ticks
from auditor.port_range import PORT_MAX, PortRange
from auditor.port_scopes import EVERY_PAIR, Pair, ports_in_words, scope_in_words

_WHOLE = PortRange(0, PORT_MAX)
_RANGES = ("privileged", "ephemeral", "reserved")
_OTHER = "other"
_OTHER_ROLE = "other role"
_ROLES = ("", "high", "low", _OTHER_ROLE)
_LABEL_ENDS = 23
_NAMES_TOLD = 3
_MANY = 10_000
_TIMES = "\N{MULTIPLICATION SIGN}"
_RULER, _HEADING, _ROW, _GAP = 56, 20, 19, 8
"""Heights, in the units of the drawing."""
_LETTER, _STEM, _FLOOR = 5.6, 24, 8
"""How high a letter of a slanted number stands, how long the line from a mark to its port is, and the strip under it."""


def port_maps(host: HostReport, iana: Mapping[str, PortRange], outcomes: ListenerOutcomes) -> list[dict[str, Any]]:
    """The map of each stack of a host, in order. `iana` are the registry's ranges by RFC 6335's names."""
    return [_map(stack, host.vendor, iana, outcomes) for stack in host.snapshot.stacks.seen]


def _map(stack: Stack, vendor: VendorDefault | None, iana: Mapping[str, PortRange], outcomes: ListenerOutcomes) -> dict[str, Any]:
    known: Facts[Socket] = stack.facts("listening")
    kinds = {socket: outcomes.of(stack, socket) for socket in known.seen}
    lanes = [_lane(protocol, kinds, known) for protocol in ("tcp", "udp", _OTHER)]
    lanes = [lane | {"ephemeral": _handed_out(stack, lane["protocol"])} for lane in lanes if lane["protocol"] != _OTHER or _says(lane)]
    groups: list[dict[str, Any]] = [
        {"kind": kind, "found": [], "rows": [*_own_rows(stack.facts(kind)), *_vendor_rows(vendor, kind)]} for kind in _RANGES
    ]
    told = [_total(known, kinds)]
    elsewhere = outcomes.open_elsewhere(stack, known.seen)
    for one in elsewhere:
        on = [group for group in groups if one.subject == group["kind"] or _is_on(one, stack.facts(group["kind"]))]
        if len(on) == 1:
            on[0]["found"].append(one)
    if others := len(elsewhere) - sum(len(group["found"]) for group in groups):
        are = "is" if others == 1 else "are"
        told.append(f"{counted(others, 'open finding')} of this stack {are} on no listener and on no range, and not drawn.")
    return {
        "width": WIDTH,
        "panels": [{"x": panel.left, "width": panel.width} for panel in PANELS],
        "ruler": {"boxes": _boxes(iana), "ticks": ticks(), "enlarged": ENLARGED, "break": (LOW.right, HIGH.left)},
        "lanes": lanes,
        "groups": groups,
        "height": _stand(lanes, groups),
        "told": told,
        "doubtful": any(one["doubts"] for one in [*lanes, *(row for group in groups for row in group["rows"])]),
        "handed_out": any(lane["ephemeral"] for lane in lanes),
        "merged": any(mark["several"] for lane in lanes for mark in lane["marks"]),
        "shared": any(mark["shared"] for lane in lanes for mark in lane["marks"]),
        "key": [(kind, WORDS[kind], count) for kind in KINDS if (count := sum(one == kind for one in kinds.values()))],
        "ranges_in_words": [(group["kind"], row["of"], row["words"]) for group in groups for row in group["rows"]]
        + [("IANA", f"{name.capitalize()} Ports", [str(ports)]) for name, ports in iana.items()],
        "listeners_in_words": [row for lane in lanes for row in _lane_in_words(lane)],
    }


def _is_on(finding: Finding, ranges: Facts[Range]) -> bool:
    """Whether a finding is on the setting that says these ranges, or on one of them: such subjects begin with the setting."""
    return finding.subject == ranges.source or finding.subject.startswith(f"{ranges.source} (")


def _says(lane: dict[str, Any]) -> bool:
    return bool(lane["marks"] or lane["why"])


def _handed_out(stack: Stack, protocol: str) -> list[tuple[float, float]]:
    """The ports that a stack may hand out, as far as it is known."""
    shown = [(one.shown.get("protocol", "any"), _ports(one)) for one in stack.facts("ephemeral").seen]
    return spans(PortRange.joined(ports for of, ports in shown if ports is not None and of in ("any", protocol)))


def _stand(lanes: list[dict[str, Any]], groups: list[dict[str, Any]]) -> int:
    """Gives everything its place from top to bottom; how high the drawing is."""
    y = _RULER + _HEADING
    for lane in lanes:
        lane["top"], lane["y"] = y, y + lane["room"]
        lane["floor"] = lane["y"] + (_STEM if lane["marks"] else 0)
        y = lane["floor"] + _FLOOR + _GAP
    for group in groups:
        group["y"] = y
        y += _HEADING
        for row in group["rows"]:
            row["y"] = y
            y += _ROW
        y += _GAP
    return y


def _boxes(iana: Mapping[str, PortRange]) -> list[tuple[float, float, float, str]]:
    return [
        (x, width, round(x + width / 2, 1), f"{name.capitalize()} Ports") for name, ports in iana.items() for x, width in spans([ports])
    ]


def _total(known: Facts[Socket], kinds: Mapping[Socket, str]) -> str:
    if known.gaps and not known.seen:
        return "It is not known what listens here."
    unsure = " There may be more: not everything could be seen." if known.gaps else ""
    if not known.seen:
        return "Nothing listens here."
    return f"{counted(len(known.seen), 'listener')}: {in_words(kinds.values())}.{unsure}"


def _port(socket: Socket) -> int | None:
    port = socket.shown.get("port")
    return port if isinstance(port, int) and port in _WHOLE else None


def _protocol(socket: Socket) -> str:
    protocol = socket.shown.get("protocol")
    return protocol if protocol in ("tcp", "udp") else _OTHER


def _lane(protocol: str, kinds: Mapping[Socket, str], known: Facts[Socket]) -> dict[str, Any]:
    """The listeners of a protocol: their marks, and where there may be more."""
    if protocol == _OTHER:
        gaps = [gap for gap in known.gaps if gap.protocol not in (None, "tcp", "udp")]
    else:
        gaps = [gap for gap in known.gaps if gap.protocol in (None, protocol)]
    doubts = [(gap.ports or _WHOLE, gap.why + (f" ({gap.family})" if gap.family else "")) for gap in gaps]
    sockets = [(_port(socket), socket) for socket in known.seen if _protocol(socket) == protocol]
    if undrawn := sum(port is None for port, _ in sockets):
        doubts.append((_WHOLE, f"of {counted(undrawn, 'listener')} the evidence does not show the port"))
    at: dict[int, list[Socket]] = {}
    for port, socket in sorted(((port, one) for port, one in sockets if port is not None), key=itemgetter(0)):
        at.setdefault(port, []).append(socket)
    marks = []
    for panel in PANELS:
        groups = merged([port for port in at if port in panel.ports], panel.most_marks)
        places = spread(panel, [(panel.middle(ports[0]) + panel.middle(ports[-1])) / 2 for ports in groups])
        for ports, x in zip(groups, places, strict=True):
            foot = (round(panel.middle(ports[0]), 1), round(panel.middle(ports[-1]), 1))
            marks.append(_mark(ports, [socket for port in ports for socket in at[port]], kinds) | {"x": x, "foot": foot})
    return {
        "protocol": protocol,
        "marks": marks,
        "room": 16 + ceil(max((len(mark["label"]) for mark in marks), default=0) * _LETTER),
        "doubts": spans(PortRange.joined(ports for ports, _ in doubts)),
        "why": list(dict.fromkeys(why for _, why in doubts)),
        "said": "? perhaps more" if marks and doubts else "" if marks else "? not known" if doubts else "none",
    }


def _mark(ports: list[int], sockets: list[Socket], kinds: Mapping[Socket, str]) -> dict[str, Any]:
    """One mark: of one port, or of several that would stand on one another; it bears the gravest outcome of them."""
    those = [kinds[socket] for socket in sockets]
    kind = gravest(those)
    alike = those.count(kind)
    some = f"{_TIMES}{_short(alike)}" if alike == len(those) else f"{_short(alike)} of {_short(len(those))}"
    shared = len(ports) == 1 and len(sockets) > 1
    names = sorted({socket.numbered_subject for socket in sockets}) if len(ports) <= _NAMES_TOLD else []
    return {
        "kind": kind,
        "label": some if len(ports) > 1 else f"{ports[0]} ({_short(len(sockets))})" if shared else str(ports[0]),
        "several": len(ports) > 1,
        "shared": shared,
        "ports": str(ports[0]) if len(ports) == 1 else f"{len(ports)} ports of {ports[0]}-{ports[-1]}",
        "names": names if 0 < len(names) <= _NAMES_TOLD else [counted(len(sockets), "listener")],
        "outcomes": in_words(those),
    }


def _short(count: int) -> str:
    return str(count) if count < _MANY else f"{count // 1000}k"


def _lane_in_words(lane: dict[str, Any]) -> list[tuple[str, str, list[str], str]]:
    """(protocol, ports, listeners, outcomes) of each mark, and of what may be missing."""
    protocol = "other protocols" if lane["protocol"] == _OTHER else lane["protocol"]
    rows = [(protocol, mark["ports"], mark["names"], mark["outcomes"]) for mark in lane["marks"]]
    rows += [(protocol, "?", ["there may be more" if rows else "not known"], why) for why in lane["why"]]
    return rows or [(protocol, "none", ["nothing listens"], "")]


def _own_rows(known: Facts[Range]) -> list[dict[str, Any]]:
    """What this stack itself says: a row for those protocols and families that have the same ports, and one for each role."""
    seen = [(one, ports) for one in known.seen if (ports := _ports(one)) is not None]
    broken = [f"it says {one}, which is no range" for one in known.seen if _ports(one) is None][:_NAMES_TOLD]
    rows = []
    for role in _ROLES:
        of_role = [(one, ports) for one, ports in seen if _role(one) == role]
        alike: dict[tuple[Any, ...], list[Pair]] = {}
        for pair in EVERY_PAIR:
            here = tuple(PortRange.joined(ports for one, ports in of_role if _speaks_of(one, pair)))
            doubts = () if role else tuple((gap.ports, gap.why) for gap in known.gaps if gap.concerns(*pair, None))
            if here or not role:
                alike.setdefault((here, doubts), []).append(pair)
        for (here, doubts), pairs in alike.items():
            remarks = _remarks(known, [one for one, _ in of_role if any(_speaks_of(one, pair) for pair in pairs)])
            lacking = (*doubts, *((None, why) for why in broken if not role))
            rows.append(_row(["this stack", role, scope_in_words(pairs)], here, lacking, remarks, own=True))
    others = [(one, ports) for one, ports in seen if not any(_speaks_of(one, pair) for pair in EVERY_PAIR)]
    unsure = [(gap.ports, gap.why) for gap in known.gaps if not any(gap.concerns(*pair, None) for pair in EVERY_PAIR)]
    if others or unsure:
        remarks = _remarks(known, [one for one, _ in others])
        rows.append(_row(["this stack", "others"], PortRange.joined(ports for _, ports in others), unsure, remarks, own=True))
    return rows


def _vendor_rows(vendor: VendorDefault | None, kind: str) -> list[dict[str, Any]]:
    """What the vendor ships, by what narrows it. That its table does not state something is not that there is none."""
    ranges = None if vendor is None else {"privileged": vendor.privileged, "ephemeral": vendor.ephemeral, "reserved": vendor.reserved}[kind]
    if ranges is None:
        why = "the vendor table has no row for this system" if vendor is None else "the vendor table's row says nothing of it"
        return [_row(["as shipped"], (), ((None, why),), [], "not stated", own=False)]
    by = {"": [ports for ports, narrowed in ranges if not narrowed]}
    for ports, narrowed in ranges:
        by.setdefault(narrowed, []).append(ports)
    return [_row(["as shipped", narrowed], PortRange.joined(ports), (), [], own=False)
            for narrowed, ports in by.items() if ports or narrowed or len(by) == 1]  # fmt: skip


def _row(
    of: list[str], ports: Sequence[PortRange], doubts: Sequence[tuple[PortRange | None, str]], remarks: list[str],
    unknown: str = "not known", *, own: bool,
) -> dict[str, Any]:  # fmt: skip
    """One bar. `doubts` are ports of which it is not known whether they are of it (None: any), and why."""
    label = ", ".join(filter(None, of))
    doubtful = PortRange.joined((here or _WHOLE for here, _ in doubts), without=ports)
    words = [ports_in_words(ports), *remarks] if ports else [] if doubts else ["none"]
    for here, why in doubts:
        unsure = "perhaps more" if ports else unknown
        words.append(f"{unsure}{f' of {here}' if here else ''}: {why}")
    return {
        "own": own,
        "of": label,
        "label": label if len(label) <= _LABEL_ENDS else f"{label[: _LABEL_ENDS - 1]}…",
        "drawn": spans(ports),
        "doubts": spans(doubtful),
        "said": "? perhaps more" if ports and doubtful else "" if ports else f"? {unknown}" if doubtful else "none",
        "words": list(dict.fromkeys(words)),
    }


def _ports(one: Range) -> PortRange | None:
    first, last = one.shown.get("first", -1), one.shown.get("last", -1)
    return PortRange(first, last) if 0 <= first <= last <= PORT_MAX else None


def _role(one: Range) -> str:
    role = one.shown.get("role", "default")
    return "" if role == "default" else role if role in _ROLES else _OTHER_ROLE


def _speaks_of(one: Range, pair: Pair) -> bool:
    return all(one.shown.get(key, "any") in ("any", word) for key, word in zip(("protocol", "family"), pair, strict=True))


def _remarks(known: Facts[Range], ranges: list[Range]) -> list[str]:
    """What narrows ranges beside their protocol, and what the evidence does not say of them; with the ports where it is true of some."""
    ports = {one: PortRange(one.first, one.last) for one in ranges}
    remarks = []
    for remark, holds in (
        ("descending", [one for one in ranges if one.shown.get("descending")]),
        ("not for the wildcard address", [one for one in ranges if one.shown.get("wildcard_exempt")]),
        ("of which protocol is not shown", [one for one in ranges if "protocol" not in one.shown]),
    ):
        if holds:
            some = "" if len(holds) == len(ranges) else f": {ports_in_words(ports[one] for one in holds)}"
            remarks.append(f"{remark}{some}")
    return [*remarks, "as documented, not read from the host"] if known.basis == "documented" else remarks
