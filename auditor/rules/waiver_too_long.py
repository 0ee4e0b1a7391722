"""A waiver or an accepted gap holds for longer than the policy allows.

Why it matters
--------------
An exception that runs for years is a rule that nobody approved as one. A bound makes somebody decide again while the reason is still
remembered.

Remedy
------
Give it an earlier `expires`, and renew it with a new approval when that day comes; or change the policy, if the exception is meant to
stay. The parameter `at_most_days` says how many days from today one may hold.
"""

from collections.abc import Iterator

from auditor.policy_waivers import Acceptance
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, waiver: Acceptance) -> Iterator[Breach]:
    most = case.parameters.get("at_most_days")
    if most is None:
        raise NotChecked("the policy gives no `at_most_days` for it")
    days = (waiver.expires - case.today).days
    if days > most:
        yield Breach(
            f"the {waiver.title} for {waiver.about} holds for {days} more days, through {waiver.expires}",
            observed=f"{days} days from {case.today}",
            expected=f"at most {most} days",
            source=f"policy {waiver.origin}",
        )


RULE = Rule(each="waiver", severity="low", parameters={"at_most_days": int}, check=check)
