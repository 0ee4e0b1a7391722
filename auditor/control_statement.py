"""The statement about approved listeners of one host that an assessor can accept: what was compared, and what that does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.approvals import OVERDUE, UNNAMED
from auditor.control_view import DOUBTFUL, is_accepted
from auditor.model import Finding
from auditor.totals import APPROVAL

if TYPE_CHECKING:
    from auditor.host_report import HostReport

_UNASKED = ("notchecked", "notselected")


def approval_statement(host: HostReport) -> str | None:
    """One paragraph; None where the policy lists nothing as approved, or the rule was not asked."""
    answers = [finding for finding in host.findings if finding.rule == APPROVAL and finding.outcome != "notapplicable"]
    if not host.policy.approved_given or not answers or any(finding.outcome in _UNASKED for finding in answers):
        return None
    at = host.snapshot.shown.get("taken", "an unknown time")
    return (
        f"Approved listeners (CM-7(b); CIS item on approved services), host {host.name}, {at}: {_compared(host, answers)}. Not shown: need "
        "for the service, client protocols, other times, firewall. This does not demonstrate compliance; the assessor concludes."
    )


def _compared(host: HostReport, answers: list[Finding]) -> str:
    """That each listener is approved, only where that was the answer for every network stack; else what stands against it."""
    if all(finding.outcome == "pass" for finding in answers):
        count = sum(finding.count for finding in answers)
        each = "the one listener" if count == 1 else f"each of {count} listeners"
        return f"{each} seen matches an entry {_approved_by(host)}{_but(host)}" if count else "no listener was seen"
    kinds = {
        "matching no approved entry": _is_found,
        "accepted by a waiver": is_accepted,
        "found, and set to info by the policy": _is_set_aside,
        "left out by the policy's scope": lambda finding: finding.inventory,
        "not to be compared by this evidence": _is_doubtful,
    }
    counts = {words: sum(finding.count for finding in answers if asked(finding)) for words, asked in kinds.items()}
    seen = sum(len(stack.listening.seen) for stack in host.snapshot.stacks.seen if "listening" in stack.shown)
    counts = {"approved": sum(host.approvals.listeners.values()) if host.approvals else 0, **counts}
    return f"of {seen} listeners seen, " + ", ".join(f"{count} {words}" for words, count in counts.items() if count) + _but(host)


def _but(host: HostReport) -> str:
    """How many listeners are approved by an entry that lacks something, or that others may match as well."""
    if host.approvals is None:
        return ""
    lapses = host.approvals.lapses
    said = [*(f"{lapses[lapse]} {lapse}" for lapse in (UNNAMED, OVERDUE) if lapses[lapse]), host.approvals.weak]
    return f"; of those approved, {', '.join(filter(None, said))}" if any(said) else ""


def _is_found(finding: Finding) -> bool:
    return finding.outcome == "fail" and finding.severity != "info" and not finding.inventory


def _is_set_aside(finding: Finding) -> bool:
    return finding.outcome == "fail" and finding.severity == "info" and not finding.inventory


def _is_doubtful(finding: Finding) -> bool:
    return finding.outcome in DOUBTFUL and not finding.inventory


def _approved_by(host: HostReport) -> str:
    if host.approvals is None or host.approvals.lapses[UNNAMED]:
        return f"of the approved list of policy {host.policy.name}"
    return "approved by the person named in it"
