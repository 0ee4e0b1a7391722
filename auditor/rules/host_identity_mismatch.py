"""The evidence says that it is another host's, or another machine's, than the one that it was put down for.

Why it matters
--------------
A host that somebody owns may name itself as it likes, and a good host's evidence copied into a bad host's folder would pass for it. A
machine-id that is on two hosts is a cloned machine, or the same evidence twice; another one than before is a new machine, or a stranger.

Remedy
------
Collect again, over a way by which the host cannot choose the file's name, and put it where the path names that host and no other. Where
the host was built anew, write its new machine-id into the inventory, or take a new baseline.

Linux: after cloning, `rm /etc/machine-id && systemd-machine-id-setup`, and collect again.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.identity import machine, same_host, same_machine
from auditor.model import Snapshot
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, snapshot: Snapshot) -> Iterator[Breach]:
    one, baseline = case.assignment, case.baseline
    if one is None and baseline is None:
        raise NotChecked("no site file and no baseline were given (--site, --baseline)")
    yield from _doubles(case)
    name, shown = snapshot.shown.get("host"), machine(snapshot.shown.get("machine_id", ""))
    expected = {} if one is None or one.machine_id is None else {one.machine_id: f"the inventory, {one.origin}"}
    if baseline is not None and machine(known := baseline.shown.get("machine_id", "")):
        expected[known] = "the baseline"
    if one is not None and one.host is not None and name is not None and not same_host(name, one.host):
        yield Breach(f"it calls itself {name}, not {one.host}", observed=name, expected=one.host, source=f"{one.identified}; {one.origin}")
    for wanted, by in expected.items():
        if shown and not same_machine(shown, wanted):
            yield Breach("it shows another machine-id", observed=snapshot.machine_id, expected=wanted, source=by)
    if one is not None and one.host is None:
        raise UnknownFact(f"which host it is is not known: {one.identified}")
    if one is not None and name is None:
        raise UnknownFact("the evidence does not show the host's name")
    if not shown and expected:
        raise UnknownFact(f"the evidence does not show a machine-id, and {' and '.join(expected.values())} says which it is")
    if one is None and not expected:
        raise UnknownFact("the baseline does not show a machine-id")


def _doubles(case: Case) -> Iterator[Breach]:
    """What the path and the rest of this audit say against it."""
    one = case.assignment
    if one is None:
        return
    if one.host is not None and one.rivals:
        yield Breach("its path names several hosts", observed=f"{one.host}, {', '.join(one.rivals)}", expected="one host", source=one.place)
    if one.strangers:
        yield Breach("other evidence of this host shows another machine-id", observed=", ".join(one.strangers), source=one.place)
    if one.clones:
        said = "its machine-id is on other hosts too: a cloned machine, or evidence that was copied"
        yield Breach(said, observed=", ".join(one.clones), expected="a machine-id of its own", source=one.place, severity="medium")


RULE = Rule(each="host", severity="high", check=check)
