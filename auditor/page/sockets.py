"""Listeners and endpoints of a stack, a row each, with who holds them."""

from __future__ import annotations

from typing import Any

from auditor.binding import Endpoint
from auditor.model import Finding, Socket
from auditor.owner import Held, Owner
from auditor.report import Report

Found = list[tuple[str, Finding]]
Reasons = dict[str, int]
"""Why not all owners are known is said once a stack: reasons are numbered."""
_NOT_ALL_OWNERS = {"partial": "there may be more", "unreadable": "not visible", "none": "none visible"}
_PORT_NOTES = {
    "kernel_given": "most likely chosen by the kernel",
    "address_cut": "the address is cut",
    "port_from_name": "resolved from a name",
}
_UNJUDGED = {"unknown": "unknown", "accepted": "unknown, accepted", "inventory": "unknown, out of scope"}
_NOT_KNOWN = "owners not all known"


def by_port(socket: Socket) -> tuple[Any, ...]:
    return (socket.shown.get("port", -1), socket.shown.get("protocol", ""), socket.numbered_subject)


def listener(
    socket: Socket, report: Report, outcome: str, found: Found, unjudged: list[tuple[str, str]], reasons: Reasons
) -> dict[str, Any]:
    """`outcome` is the gravest of what was found on it, in words; `unjudged` state and rule of what could not be told of it."""
    shown = socket.shown
    return {
        **{key: shown.get(key, "unknown") for key in ("protocol", "address", "port", "reach")},
        **_held(socket, outcome, found, reasons),
        "unjudged": [(_UNJUDGED[state], rule) for state, rule in unjudged],
        "state": "bound only" if shown.get("state") == "bound" else shown.get("state", "unknown"),
        "iana": report.iana_names.get((shown.get("protocol", ""), shown.get("port", -1)), ""),
        "address_notes": _address_notes(shown),
        "port_notes": [words for key, words in _PORT_NOTES.items() if shown.get(key)],
    }


def endpoint(one: Endpoint, found: Found, reasons: Reasons) -> dict[str, Any]:
    shown, file = one.shown, one.shown.get("file")
    by_path = "abstract: no file's permissions" if shown.get("abstract") else ""
    if file is not None:
        by_path = ", ".join(f"{key} {file.shown[key]}" for key in ("mode", "uid", "gid") if key in file.shown)
    return {
        **{key: shown.get(key, "unknown") for key in ("kind", "protocol")},
        **_held(one, ", ".join(dict.fromkeys(_word(finding) for _, finding in found)) or "no finding", found, reasons),
        "unjudged": [],
        "subject": one.subject,
        "by_path": by_path,
    }


def _held(held: Held, outcome: str, found: Found, reasons: Reasons) -> dict[str, Any]:
    """Who holds it, what was found on it, and the words that a reader may filter by."""
    shown = held.shown
    state, unseen = shown.get("owner_state", "none"), ""
    if state != "known":
        reason = shown.get("owner_reason", "the evidence does not say why")
        unseen = f"{_NOT_ALL_OWNERS.get(state, state)}: see note {reasons.setdefault(reason, len(reasons) + 1)}"
    unit = shown.get("socket_unit")
    by_unit = (f"{unit} activates {shown.get('activates') or 'an unknown unit'}" if isinstance(held, Socket) else unit) if unit else ""
    creator = f"created by uid {shown['uid']}" if "uid" in shown and not shown.get("owners_seen") else ""
    return {
        "owners": _holders(shown.get("owners_seen", [])),
        "owner_notes": [words for words in (by_unit, unseen, creator) if words],
        "marks": [(anchor, _word(finding), finding.rule) for anchor, finding in found],
        "kinds": [outcome, *([_NOT_KNOWN] if state != "known" else [])],
    }


def _word(finding: Finding) -> str:
    return finding.severity if finding.outcome == "fail" else finding.outcome


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
