"""A stack's ranges of ports beside its vendor's and IANA's, in words."""

from __future__ import annotations

from typing import Any

from auditor.facts import Facts
from auditor.host_report import VendorDefault
from auditor.in_words import counted
from auditor.model import Range, Stack
from auditor.port_range import PORT_MAX, PortRange
from auditor.report import Report

KINDS = ("privileged", "ephemeral", "reserved")
NOT_SHOWN = "the evidence does not show it"


def of_stack(stack: Stack) -> dict[str, Any]:
    return {"who": "This stack", "by": "", "across": None, "cells": {name: _host_cell(stack.shown.get(name)) for name in KINDS}}


def of_iana(report: Report) -> dict[str, Any]:
    """The registry's own three names, which are not a host's: they stand across the table."""
    date = report.tables.get("iana-ranges", {}).get("date", "")
    return {
        "who": "IANA registry", "by": f"RFC 6335 section 6{', ' * bool(date)}{date}",
        "across": [f"{name.capitalize()} Ports {_counted(ports)}" for name, ports in report.iana_ranges.items()] or ["no table was given"],
    }  # fmt: skip


def of_vendor(vendor: VendorDefault | None, shown: dict[str, Any]) -> dict[str, Any]:
    if vendor is None:
        why = f"no row of the vendor table is for {shown.get('system', 'an unknown system')} {shown.get('release', 'of unknown release')}"
        return {"who": "As the vendor ships it", "by": "", "across": [why]}
    stated = {"privileged": vendor.privileged, "ephemeral": vendor.ephemeral, "reserved": vendor.reserved}
    cells = {}
    for name, ranges in stated.items():
        lines = ["not stated"] if ranges is None else [_counted(*one) for one in ranges] or ["none"]
        cells[name] = {"lines": lines, "source": ""}
    by = f"vendor table, {vendor.record}; confidence {vendor.confidence}"
    return {"who": f"{vendor.system} as shipped", "by": by, "across": None, "cells": cells}


def _host_cell(known: Facts[Range] | None) -> dict[str, Any]:
    if known is None:
        return {"lines": [f"unknown: {NOT_SHOWN}"], "source": ""}
    lines = [_words(one) for one in known.seen] + [f"unknown{' whether more' * bool(known.seen)}: {gap.why}" for gap in known.gaps]
    return {"lines": lines or ["none"], "source": f"{known.source} ({known.basis})"}


def _ports(one: Range) -> PortRange | None:
    shown = one.shown
    return PortRange(shown["first"], shown["last"]) if 0 <= shown.get("first", -1) <= shown.get("last", -1) <= PORT_MAX else None


def _words(one: Range) -> str:
    shown, ports = one.shown, _ports(one)
    said = [shown[key] for key in ("protocol", "family") if shown.get(key, "any") != "any"]
    said += [shown["role"]] if shown.get("role", "default") != "default" else []
    said += [word for key, word in (("descending", "descending"), ("wildcard_exempt", "not for the wildcard address")) if shown.get(key)]
    return _counted(ports, ", ".join(said)) if ports else f"{one}, which is no range"


def _counted(ports: PortRange, narrowed: str = "") -> str:
    count = counted(len(ports), "port")
    return f"{ports} ({count}{', ' * bool(narrowed)}{narrowed})"
