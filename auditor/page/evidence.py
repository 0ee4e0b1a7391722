"""The evidence itself, word for word, as far as a page can hold it."""

from __future__ import annotations

from html import escape
from typing import Any

from auditor.display import harmless
from auditor.host_report import HostReport
from auditor.report import Report

ROOM = 3_000_000
"""How many characters of evidence a page holds, as they are shown and of all its hosts together: with 10,000 listeners and a finding on
each it stays under the 15 MB that a browser still opens at once and a mail still takes."""


def appended(report: Report) -> dict[str, Any]:
    """Each host's evidence: its lines where they may be shown and there is room for all of them. `why_not` says why no host's are."""
    why_not = None
    if report.shown_as.redacted:
        why_not = "This report is redacted for sharing; the evidence cannot be, and is left out."
    elif not report.shown_as.with_evidence:
        why_not = "The evidence was left out on request (--without-evidence)."
    room = ROOM
    hosts = []
    for host in report.hosts if why_not is None else ():
        shown = _host(host, room)
        room -= shown["room"]
        hosts.append(shown)
    return {"why_not": why_not, "hosts": hosts, "room": ROOM}


def _host(host: HostReport, room: int) -> dict[str, Any]:
    """`lines` are None where there is not room for all."""
    given = host.evidence
    lines = [] if given is None else given.removesuffix(b"\n").split(b"\n")
    shown = _shown(lines, room)
    return {
        "report": host,
        "size": None if given is None else len(given),
        "count": len(lines),
        "lines": None if shown is None else shown[0],
        "room": 0 if shown is None else shown[1],
    }


def _shown(lines: list[bytes], room: int) -> tuple[list[str], int] | None:
    """The lines as text that nothing obeys, and how many characters they take on the page."""
    shown, taken = [], 0
    for line in lines:
        text = harmless(line.decode("utf-8", "backslashreplace"))
        taken += len(escape(text)) + 1
        if taken > room:
            return None
        shown.append(text)
    return shown, taken
