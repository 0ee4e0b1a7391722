"""What the tests of rules about changes share: a host as it was and as it is."""

from __future__ import annotations

from auditor.facts import Facts, Gap
from auditor.model import Finding, Snapshot
from tests.bundles import Host, changed, judged


def since(earlier: Host | Snapshot, now: Host | Snapshot, rule: str, by: str = "") -> list[Finding]:
    """What a rule says of a host since an earlier snapshot of it."""
    return judged(now, by, rule, baseline=earlier.snapshot() if isinstance(earlier, Host) else earlier)


def unseen(of: Host, **scope: str) -> Snapshot:
    """The host with a gap among its listeners."""
    snapshot = of.snapshot()
    listening = snapshot.stacks.seen[0].listening
    return changed(snapshot, listening=Facts(listening.seen, listening.source, [Gap("it was refused", **scope)]))
