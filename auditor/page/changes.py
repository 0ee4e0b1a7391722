"""What changed on each host since its baseline: the differences of what was seen, and the findings that are new or found no longer."""

from __future__ import annotations

from typing import Any

from auditor.differences import NOT_COMPARED, SIGNS, UNKNOWN, Change
from auditor.host_report import HostReport
from auditor.in_words import counted
from auditor.model import SEVERITIES, Finding
from auditor.report import Report

_NOUNS = {"socket": "listener", "persisted": "persisted setting", "privileged": "privileged range", "ephemeral": "ephemeral range",
          "reserved": "reserved range"}  # fmt: skip
"""What a reader calls the kinds of things that are compared, where that is another word."""
_PLURALS = {"address": "addresses"}
_NEW = {"open": "open", "waived": "waived", "inventory": "in the inventory"}


def compared(report: Report, anchors: dict[Finding, str]) -> list[dict[str, Any]]:
    """One for each host that was compared with a baseline."""
    return [_host(host, report, anchors) for host in report.hosts if host.baseline is not None]


def _host(host: HostReport, report: Report, anchors: dict[Finding, str]) -> dict[str, Any]:
    told = [finding for finding in host.findings if finding in anchors]
    new = _gravest_first([finding for finding in told if finding.baseline_state == "new"])
    return {
        "name": host.name,
        "baseline": host.baseline.shown.get("taken", "an unknown time") if host.baseline is not None else None,
        "rows": [_row(one) for one in host.changes],
        "differs": _differs(host.changes),
        "new": [(words, found) for state, words in _NEW.items()
                if (found := [(anchors[one], one) for one in new if report.state(one) == state])],
        "stayed": sum(finding.baseline_state == "unchanged" for finding in told),
        "untold": sum(finding.baseline_state is None for finding in told),
        "gone": _gravest_first(host.gone),
    }  # fmt: skip


def _gravest_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (-SEVERITIES.index(f.severity), f.rule, f.stack or "", f.subject))


def _row(one: Change) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in ("stack", "what", "count", "before", "after", "why")}
    return {"sign": NOT_COMPARED if one.sign == UNKNOWN else SIGNS[one.sign], **plain}


def _differs(changes: list[Change]) -> list[str]:
    """How many things of which kind were added, removed or changed: one that differs in several ways is one thing."""
    things: dict[tuple[str, str], dict[tuple[str | None, str], int]] = {}
    for one in changes:
        if one.sign != UNKNOWN:
            things.setdefault((one.kind, SIGNS[one.sign]), {})[one.stack, one.subject] = one.count
    said = [f"{_things(sum(counts.values()), kind)} {sign}" for (kind, sign), counts in things.items()]
    unknown = sum(one.sign == UNKNOWN for one in changes)
    return [*said, f"{unknown} {NOT_COMPARED}"] if unknown else said


def _things(number: int, kind: str) -> str:
    """The kind of one, or of several."""
    return f"{number} {_PLURALS[kind]}" if number > 1 and kind in _PLURALS else counted(number, _NOUNS.get(kind, kind))
