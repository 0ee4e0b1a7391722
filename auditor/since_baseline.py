"""Which findings were there at the baseline already: what would have been found in the earlier snapshot, judged in the same way as of its
own day."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from auditor.model import Finding, Snapshot
from auditor.totals import is_aside

NEW, UNCHANGED = "new", "unchanged"
_FOUND = ("fail", "waived")
_DOUBTFUL = ("unknown", "error")
_JUDGED = {"pass", *_FOUND}


class Side:
    """A snapshot and its findings: what one of the two says."""

    __slots__ = ("_answers", "_stacks_unsure", "doubtful", "findings", "found", "taken")

    def __init__(self, snapshot: Snapshot, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        self.taken: str | None = snapshot.shown.get("taken")
        self.found = {finding.fingerprint for finding in self.findings if finding.outcome in _FOUND}
        self.doubtful = {finding.fingerprint for finding in self.findings if finding.outcome in _DOUBTFUL}
        self._answers: dict[tuple[str, str | None], set[str]] = {}
        for finding in self.findings:
            self._answers.setdefault((finding.rule, finding.stack), set()).add(finding.outcome)
        self._stacks_unsure = bool(snapshot.facts("stacks").gaps)

    def knows(self, finding: Finding) -> bool:
        """Whether it would have a finding if it were there: its rule was judged, on all of its stack; or there was no such stack, and
        all stacks were seen."""
        outcomes = self._answers.get((finding.rule, finding.stack))
        if outcomes is None:
            elsewhere = [told for (rule, _), told in self._answers.items() if rule == finding.rule]
            return finding.stack is not None and not self._stacks_unsure and any(told <= _JUDGED for told in elsewhere)
        return outcomes <= _JUDGED


def mark(
    now: Side, before: Side, about_changes: Collection[str] = (), unsure: Collection[str | None] = (), fail_on: str = ""
) -> list[Finding]:  # fmt: skip
    """Put into the findings of `now` what each was `before`. Those of before are given back that would have been open (by `fail_on`) or
    waived then, and are no more.

    What one side could not see, or had nothing to compare with, says nothing: a finding is new only where the other side knows that it was
    not there, and gone in the same way. What rules `about_changes` find is new by its nature. Of stacks that are `unsure`, as it cannot be
    told which of the other side they are, nothing else is told.
    """
    for finding in now.findings:
        if finding.outcome not in (*_FOUND, *_DOUBTFUL):
            continue
        if finding.stack in unsure and finding.rule not in about_changes:
            continue
        if finding.fingerprint in (before.found if finding.outcome in _FOUND else before.doubtful):
            finding.baseline_state, finding.first_seen = UNCHANGED, _earlier(before.taken, now.taken)
        elif finding.outcome in _FOUND and (finding.rule in about_changes or before.knows(finding)):
            finding.baseline_state, finding.first_seen = NEW, now.taken
    counted = [one for one in before.findings if one.outcome in _FOUND and not is_aside(one, fail_on) and one.stack not in unsure]
    return [one for one in counted if one.fingerprint not in now.found and now.knows(one)]


def _earlier(before: str | None, now: str | None) -> str | None:
    """The baseline's stamp; None where it would be after what it came before."""
    return None if before is not None and now is not None and before > now else before
