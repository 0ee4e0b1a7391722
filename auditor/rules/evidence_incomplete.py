"""Part of what a verdict rests on could not be seen.

Why it matters
--------------
What was not seen was not judged. A report that passed over it in silence would say more than anybody knows.

Remedy
------
The reason says what was missing: rights (run as root), a namespace that could not be entered (CAP_SYS_ADMIN), a bundle that was cut
(fetch it again), a part that was not asked (`collect` without `--only`).
"""

from collections.abc import Iterator
from typing import Any

from auditor.facts import Facts
from auditor.rule import Breach, Case, Rule


def check(case: Case, facts: Facts[Any]) -> Iterator[Breach]:
    for _ in facts:
        pass
    yield from ()


RULE = Rule(each="facts", severity="medium", check=check)
