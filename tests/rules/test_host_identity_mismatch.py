"""host-identity-mismatch: evidence that says it is another host's than the one it was put down for."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model import Snapshot
from auditor.site import Assignment
from tests.bundles import Host, host, judged, outcomes

NAME = "host-identity-mismatch"
ID, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


def assigned(**more: Any) -> Assignment:
    return Assignment(**{"host": "web-07.bank.example", "roles": ("web",), "origin": "hosts.ini:3", "place": "fetched/web-07.evidence",
                         "identified": "from the path fetched/web-07.evidence", **more})  # fmt: skip


def without(of: Host, key: str) -> Snapshot:
    return Snapshot(**{name: value for name, value in of.snapshot().shown.items() if name != key})


@pytest.mark.parametrize("name", ["web-07", "WEB-07.bank.example"])
def test_evidence_under_the_hosts_own_name_and_machine_id_passes(name: str) -> None:
    one = assigned(machine_id="01234567-89AB-CDEF-0123-456789ABCDEF")
    assert outcomes(judged(host(name=name), "", NAME, assignment=one, baseline=host().snapshot())) == ["pass -"]


@pytest.mark.parametrize("name", ["devbox", "web-07.evil.example", "web-071", "localhost", "bank"])
def test_another_name_is_found_and_the_finding_bears_the_inventorys(name: str) -> None:
    (finding,) = judged(host(name=name), "", NAME, assignment=assigned())
    assert (finding.outcome, finding.severity, finding.host) == ("fail", "high", "web-07.bank.example")
    assert finding.message == f"it calls itself {name}, not web-07.bank.example"
    assert (finding.observed, finding.expected) == (name, "web-07.bank.example")
    assert finding.source == "from the path fetched/web-07.evidence; hosts.ini:3"


def test_another_machine_id_than_the_inventorys_or_the_baselines_is_found_and_which() -> None:
    (finding,) = judged(host(name="web-07"), "", NAME, assignment=assigned(machine_id=OTHER))
    assert (finding.outcome, finding.message) == ("fail", "it shows another machine-id")
    assert (finding.observed, finding.expected, finding.source) == (ID, OTHER, "the inventory, hosts.ini:3")
    (finding,) = judged(host(), "", NAME, baseline=host(machine_id=OTHER).snapshot())
    assert (finding.outcome, finding.observed, finding.expected, finding.source) == ("fail", ID, OTHER, "the baseline")


def test_a_path_that_names_two_hosts_is_found() -> None:
    (finding,) = judged(host(name="web-07"), "", NAME, assignment=assigned(rivals=("db-01",)))
    assert (finding.outcome, finding.severity, finding.message) == ("fail", "high", "its path names several hosts")
    assert finding.observed == "web-07.bank.example, db-01"


def test_a_machine_id_that_other_evidence_shows_too_is_found_once_as_a_clone_and_once_as_a_stranger() -> None:
    one = assigned()
    one.clones = ("web-03 (fetched/web-03.evidence)",)
    (finding,) = judged(host(name="web-07"), "", NAME, assignment=one)
    assert (finding.outcome, finding.severity) == ("fail", "medium")
    assert finding.message == "its machine-id is on other hosts too: a cloned machine, or evidence that was copied"
    assert finding.observed == "web-03 (fetched/web-03.evidence)"
    two = assigned()
    two.strangers = ("web-07 (old/web-07.evidence)",)
    (finding,) = judged(host(name="web-07"), "", NAME, assignment=two)
    assert (finding.outcome, finding.severity) == ("fail", "high")
    assert finding.message == "other evidence of this host shows another machine-id"


@pytest.mark.parametrize(
    ("of", "known", "says"),
    [
        (without(host(), "host"), {"assignment": assigned()}, "the evidence does not show the host's name"),
        (without(host(name="web-07"), "machine_id"), {"assignment": assigned(machine_id=ID)},
         "the evidence does not show a machine-id, and the inventory, hosts.ini:3 says which it is"),
        (host(name="web-07", machine_id=" "), {"assignment": assigned(machine_id=ID)}, "the evidence does not show a machine-id"),
        (without(host(), "machine_id"), {"baseline": host().snapshot()}, "and the baseline says which it is"),
        (host(), {"baseline": without(host(), "machine_id")}, "the baseline does not show a machine-id"),
        (host(), {"assignment": Assignment(identified="nobody knows", place="x")}, "which host it is is not known: nobody knows"),
    ],
)  # fmt: skip
def test_what_is_not_shown_but_expected_makes_it_unknown(of: Host | Snapshot, known: dict[str, Any], says: str) -> None:
    (finding,) = judged(of, "", NAME, **known)
    assert finding.outcome == "unknown"
    assert says in finding.message


def test_a_wrong_name_is_found_although_the_machine_id_is_not_shown() -> None:
    found = judged(without(host(name="devbox"), "machine_id"), "", NAME, assignment=assigned(machine_id=ID))
    assert outcomes(found) == ["fail high - host", "unknown -"]


def test_an_unknown_host_is_still_compared_with_its_baseline() -> None:
    one = Assignment(identified="nobody knows", place="x")
    found = judged(host(), "", NAME, assignment=one, baseline=host(machine_id=OTHER).snapshot())
    assert outcomes(found) == ["fail high - host", "unknown -"]


def test_a_machine_id_that_nobody_expects_need_not_be_shown() -> None:
    assert outcomes(judged(without(host(name="web-07"), "machine_id"), "", NAME, assignment=assigned())) == ["pass -"]


def test_without_a_site_and_a_baseline_there_is_nothing_to_compare_with() -> None:
    (finding,) = judged(host(), "", NAME)
    assert (finding.outcome, finding.message) == ("notchecked", "no site file and no baseline were given (--site, --baseline)")
