"""No policy was written for this host, or more than one, or it was judged by one that is for others.

Why it matters
--------------
What a host should listen on follows from what it is for. A host that nobody gave a role is judged by general words alone; one with two
roles by neither. A host that is in no inventory is one that nobody has counted.

Remedy
------
Give it exactly one role in the site file, by a group or by its name: `port-auditor policy check site.yaml` lists the hosts with none or
several. Put its evidence where the path names it, as `fetched/web-07.evidence`. Where the policy is for others (`applies_to`), judge by
the right one: `port-auditor audit -p other.yaml`.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.identity import fits_any
from auditor.model import Snapshot
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, snapshot: Snapshot) -> Iterator[Breach]:
    if case.assignment is None and case.policy.applies_to.says_nothing:
        raise NotChecked("no site file was given (--site), and the policy does not say which hosts it is for")
    yield from _role(case)
    yield from _applies_to(case, snapshot)


def _role(case: Case) -> Iterator[Breach]:
    """The site's word: exactly one role."""
    one, expected = case.assignment, "exactly one role"
    if one is None or len(one.roles) == 1:
        return
    by = f"it was judged by {case.policy.name}"
    if one.host is None:
        yield Breach(f"it is not known to be a host of the inventory; {by}", observed=one.identified, expected=expected, source=one.place)
        return
    had = f"{len(one.roles)} roles: {', '.join(one.roles)}" if one.roles else "no role"
    yield Breach(
        f"{one.host} has {had}; {by}", observed=f"groups: {', '.join(sorted(one.groups)) or 'none'}", expected=expected, source=one.origin
    )


def _applies_to(case: Case, snapshot: Snapshot) -> Iterator[Breach]:
    """The policy's word. Groups come from an inventory, and so does the name where there is one."""
    wanted, one = case.policy.applies_to, case.assignment
    name, system = (snapshot.shown.get("host") if one is None else one.host), snapshot.shown.get("system")
    if wanted.groups is not None and one is not None and one.host is not None and one.groups.isdisjoint(wanted.groups):
        yield _not_for(case, "groups", ", ".join(sorted(one.groups)) or "none", ", ".join(wanted.groups))
    if wanted.hosts is not None and name is not None and not fits_any(wanted.hosts, name):
        yield _not_for(case, "hosts", name, ", ".join(glob.pattern for glob in wanted.hosts))
    if wanted.systems is not None and system is not None and system.lower() not in wanted.systems:
        yield _not_for(case, "systems", system, ", ".join(wanted.systems))
    if wanted.groups is not None and (one is None or one.host is None):
        raise UnknownFact("which groups it is in only an inventory says: " + (one.identified if one else "no site file was given (--site)"))
    if wanted.hosts is not None and name is None:
        raise UnknownFact("which host it is is not known" + (f": {one.identified}" if one else ""))
    if wanted.systems is not None and system is None:
        raise UnknownFact("the evidence does not show the system")


def _not_for(case: Case, key: str, observed: str, expected: str) -> Breach:
    source = f"policy {case.policy.origin('applies_to', key)}"
    return Breach(
        f"the policy {case.policy.name} is not for it", observed=f"{key}: {observed}", expected=f"{key}: {expected}", source=source
    )


RULE = Rule(each="host", severity="medium", check=check)
