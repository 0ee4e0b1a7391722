"""A waiver or an accepted gap of the policy has expired.

Why it matters
--------------
What it covered counts again. An exception that outlives its day unseen is a decision nobody takes any more.

Remedy
------
Mend what was waived, or have the exception approved again, with a new `expires`, and a new reason if the old one no longer holds. Remove
waivers that are over.
"""

from collections.abc import Iterator

from auditor.in_words import counted
from auditor.policy_waivers import Acceptance
from auditor.rule import Breach, Case, Rule


def check(case: Case, waiver: Acceptance) -> Iterator[Breach]:
    if not waiver.live(case.today):
        days = (case.today - waiver.expires).days
        yield Breach(
            f"the {waiver.title} for {waiver.about} held through {waiver.expires} and ended {counted(days, 'day')} ago",
            observed=f"today is {case.today}",
            expected=f"not after {waiver.expires}",
            source=f"policy {waiver.origin}",
        )


RULE = Rule(each="waiver", severity="medium", check=check)
