"""What the vendor ships with this release is in no table, so nothing of this host was compared with it.

Why it matters
--------------
The vendor's defaults are a yardstick: a range that somebody changed shows only beside the one that was shipped. Without a row the rules
that compare with it say `notchecked`, which is neither good nor bad. The release itself may be so old, or so new, that nobody looked.

Remedy
------
State the ranges in the policy (`ephemeral: {expect: 32768-60999}`), so that they are compared with what you want. `port-auditor tables
list` shows the tables; a row for the release, with its source, is welcome.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from auditor.model import Snapshot
from auditor.rule import Breach, Case, NotChecked, Rule

_SHOWN = 5


def check(case: Case, snapshot: Snapshot) -> Iterator[Breach]:
    system = snapshot.system
    if case.tables.vendor(system, snapshot.shown.get("release")) is not None:
        return
    rows = [(span, record) for record in case.tables.vendor_records for span in record.applies]
    own = [(span, record) for span, record in rows if span.system.lower() == system.lower()]
    if own and all(record.context is not None for _, record in own):
        raise NotChecked(f"the vendor table goes by more than the release of {system}")
    release = snapshot.release if own else snapshot.shown.get("release", "of a release that is not shown")
    known = [f"{span} ({record.id})" for span, record in own if record.context is None]
    near = known or get_close_matches(system, dict.fromkeys(span.system for span, _ in rows), _SHOWN)
    yield Breach(
        f"no row of the vendor table is for {system} {release}: nothing was compared with vendor defaults",
        observed=f"{system} {release}",
        expected=f"one of {', '.join(near[-_SHOWN:])}" if near else "a system of the table",
        source="vendor table",
    )


RULE = Rule(each="host", severity="info", check=check)
