"""An approval was to be reviewed by a day that is over.

Why it matters
--------------
Somebody approved the listener until then. What nobody looks at again stays open for ever: the project ended, the owner left, the
service has a successor. An approval that names no such day is not checked: nothing says when it is over.

Remedy
------
Ask its owner whether it is still needed. If so, have it approved again with a new `review_by` and `ticket`; if not, remove the entry and
stop the service. `port-auditor policy check` lists what an entry lacks.
"""

from collections.abc import Iterator

from auditor.in_words import counted
from auditor.policy_entries import Entry
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, entry: Entry) -> Iterator[Breach]:
    if entry.review_by is None:
        entries = case.policy.approving.entries
        undated = sum(one.review_by is None for one in entries)
        raise NotChecked(f"{undated} of {len(entries)} entries have no review_by: nothing says when their approval is over")
    if entry.review_by < case.today:
        days = (case.today - entry.review_by).days
        yield Breach(
            f"the approval of '{entry}' was to be reviewed by {entry.review_by}, {counted(days, 'day')} ago",
            observed=f"today is {case.today}; owner {entry.owner or 'not named'}, approved by {entry.approved_by or 'nobody named'}",
            expected=f"a review by {entry.review_by}",
            source=f"policy {entry.origin}",
        )


RULE = Rule(each="approved", severity="low", needs=("approved",), stacks="host", check=check)
