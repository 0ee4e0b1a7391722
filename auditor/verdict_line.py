"""The words of the verdict line: what was found, of what, when, by which policy, and what it does not speak of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.in_words import NAMED, counted
from auditor.model import FACTS, SEVERITIES
from auditor.totals import APPROVAL, FAIL_ON_BY_DEFAULT, FEW, Sight, Totals

if TYPE_CHECKING:
    from auditor.policy import Policy
    from auditor.report import Report


def headline(report: Report) -> str:
    """The verdict in capitals, with what qualifies it."""
    word = report.verdict.upper()
    if report.verdict == "fail" and not report.complete:
        word += " (and incomplete)"
    if report.verdict == "pass" and not report.complete:
        word += " (incomplete evidence, allowed by --allow-incomplete)"
    if report.verdict == "pass":
        names = sorted({policy.name for policy in report.totals.policies.values() if not policy.approved_given})
        word += f" for {', '.join(names)}" if names else " for the declared scope"
        word += " (in part)" if report.in_part else ""
        word += f" ({report.bar})" if report.totals.open.total() else ""
    return word


def clauses(report: Report) -> list[str]:
    """What stands after the headline."""
    totals = report.totals
    policies = totals.policies.values()
    said = [_open(report) if totals.hosts else "nothing was audited"]
    said += totals.seen if totals.hosts <= FEW else [f"{totals.hosts} hosts audited"]
    if report.fail_on != FAIL_ON_BY_DEFAULT:
        said.append(report.bar)
    if totals.saved:
        of = f" of {counted(totals.saved, 'host')}" if totals.hosts > 1 else ""
        said.append(f"SAVED OUTPUT{of}: of commands that others ran, not authenticated")
    said += [f"judged by policy {name}" for name in sorted({f"{policy.name}@{policy.sha256[:8]}" for policy in policies})]
    said += [*([str(report.site)] if report.site else []), *report.narrowed]
    said += report.drift.words if report.drift else []
    for policy in policies:
        said += _scope(policy, f" by {policy.name}" if totals.hosts > 1 else "")
    said += [counted(len(totals.gaps), "accepted gap")] if totals.gaps else []
    said += _off(totals)
    if totals.hosts and not totals.judged:
        said.append("NOTHING WAS JUDGED: no rule about hosts came to a result")
    if report.bad_sources:
        said.append(f"{counted(len(report.bad_sources), 'source')} could not be read")
    said += _unknown(totals)
    said += _not_checked(totals)
    if totals.live:
        said.append("SELF-ASSESSED: judged on the host itself")
    return [*said, "the host firewall and the network path were not examined"]


def _open(report: Report) -> str:
    totals = report.totals
    said = f"{counted(totals.open.total(), 'open finding')} ({_by_severity(totals.open)})" if totals.open else _nothing_open(report)
    return said + (f", {totals.waived.total()} waived ({_by_severity(totals.waived)})" if totals.waived else "")


def _nothing_open(report: Report) -> str:
    return "nothing open" + ("" if report.complete else " among what was seen")


def _by_severity(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[severity]} {severity}" for severity in reversed(SEVERITIES) if counts[severity])


def _scope(policy: Policy, of: str) -> Iterator[str]:
    """What a policy leaves out of the verdict."""
    if policy.scope.must_see is not None:
        yield f"scope{of}: {', '.join(fact for fact in FACTS if fact in policy.scope.must_see)} must be seen"
    for place, rules in (("loopback", policy.scope.loopback), ("containers", policy.scope.containers)):
        if rules is not None:
            yield f"{place}{of}: " + (f"judged by {', '.join(sorted(rules))} alone" if rules else "inventory, not judged")


def _off(totals: Totals) -> list[str]:
    """Which rules the policies turn off, and whose findings they set to info, which is never open."""
    off = sorted(totals.off)
    said = [f"{counted(len(off), 'rule')} off in the policy{_named(off)}"] if off else []
    rules = [policy.rules for policy in totals.policies.values()]
    quiet = sorted({name for settings in rules for name, setting in settings.items() if setting.severity == SEVERITIES[0]})
    return [*said, f"never open, as the policy sets it to {SEVERITIES[0]}: {', '.join(quiet)}"] if quiet else said


def _unknown(totals: Totals) -> Iterator[str]:
    if totals.hosts > FEW:
        yield from _hidden(totals.sight, f" of {totals.hosts} hosts")
    for name, sight in totals.sights if totals.hosts <= FEW else ():
        yield from _hidden(sight, f" of {name}" if totals.hosts > 1 else "")
    if broken := totals.counts["error"]:
        yield f"{broken} checks broke off by our error"


def _hidden(sight: Sight, of: str) -> Iterator[str]:
    if sight.hidden:
        yield f"owners of {sight.hidden} of {counted(sight.listeners, 'listener')}{of} not visible"
    if sight.partly:
        yield f"{counted(sight.partly, 'listener')}{of} may have more owners than were seen"


def _not_checked(totals: Totals) -> Iterator[str]:
    rules = sorted(totals.not_checked)
    if APPROVAL in rules:
        where = "" if totals.unassessed == totals.hosts else f" of {counted(totals.unassessed, 'host')}"
        yield f"approval of listeners{where} NOT ASSESSED: the policy lists none"
    if rules:
        where = " on some hosts or all" if totals.hosts > 1 else ""
        yield f"{counted(len(rules), 'rule')} not checked{where}, nothing to compare with{_named(rules)}"


def _named(rules: list[str]) -> str:
    """Their names, where they are few."""
    return f": {', '.join(rules)}" if len(rules) <= NAMED else ""
