"""A waiver covers nothing that was found, or an accepted gap nothing that is unknown.

Why it matters
--------------
What it was for is gone, or it never fitted: a subject misspelt, a host renamed. Left in place it may one day cover something else.

Remedy
------
Remove it, or correct its rule, subject or hosts: `port-auditor audit -f json` shows each finding's subject. A waiver for another host
names it in `hosts`.
"""

from collections.abc import Iterator

from auditor.policy_waivers import Acceptance, AcceptedGap
from auditor.rule import Breach, Case, Rule


def check(case: Case, waiver: Acceptance) -> Iterator[Breach]:
    if waiver.live(case.today) and waiver not in case.waivers_used:
        if waiver in case.waivers_unsure:
            raise case.waivers_unsure[waiver]
        gap = isinstance(waiver, AcceptedGap)
        yield Breach(
            f"the {waiver.title} for {waiver.about} " + ("accepts nothing that is unknown" if gap else "covers no finding"),
            observed="nothing unknown that it accepts" if gap else "no finding that it covers",
            expected=f"something unknown, or no {waiver.word}" if gap else f"a finding, or no {waiver.word}",
            source=f"policy {waiver.origin}",
        )


RULE = Rule(each="waiver", severity="low", check=check)
