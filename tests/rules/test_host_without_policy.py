"""host-without-policy: a host that no role, or more than one, or another policy is for."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model import Snapshot
from auditor.site import Assignment
from tests.bundles import Host, host, judged, outcomes

NAME = "host-without-policy"
BY = "applies_to: {systems: [Linux, FreeBSD], groups: [web], hosts: ['WEB*']}\n"


def assigned(**more: Any) -> Assignment:
    return Assignment(**{"host": "web-07", "groups": frozenset({"all", "web"}), "roles": ("web",), "origin": "hosts.ini:3",
                         "identified": "from the path fetched/web-07.evidence", "place": "fetched/web-07.evidence", **more})  # fmt: skip


@pytest.mark.parametrize("by", ["", BY])
def test_a_host_with_one_role_by_a_policy_that_is_for_it_passes(by: str) -> None:
    assert outcomes(judged(host(), by, NAME, assignment=assigned())) == ["pass -"]


@pytest.mark.parametrize(
    ("roles", "message"),
    [((), "web-07 has no role; it was judged by site"), (("web", "db"), "web-07 has 2 roles: web, db; it was judged by site")],
)
def test_no_role_and_two_roles_are_found_and_named_with_the_hosts_groups(roles: tuple[str, ...], message: str) -> None:
    (finding,) = judged(host(), "", NAME, assignment=assigned(roles=roles))
    assert (finding.outcome, finding.severity, finding.host, finding.subject) == ("fail", "medium", "web-07", "host")
    assert (finding.message, finding.observed) == (message, "groups: all, web")
    assert (finding.expected, finding.source) == ("exactly one role", "hosts.ini:3")


def test_a_host_that_is_not_known_to_be_in_the_inventory_is_found_under_no_name_that_it_chose() -> None:
    why = "the path x.evidence names no host of the inventory"
    (finding,) = judged(host(name="web-07"), "", NAME, assignment=Assignment(identified=why, place="x.evidence"))
    assert (finding.outcome, finding.host) == ("fail", "unidentified web-07 (x.evidence)")
    assert finding.message == "it is not known to be a host of the inventory; it was judged by site"
    assert (finding.observed, finding.source) == (why, "x.evidence")


@pytest.mark.parametrize(
    ("keys", "observed", "expected"),
    [
        ("systems: [freebsd]", "systems: Linux", "systems: freebsd"),
        ("groups: [db, mail]", "groups: all, web", "groups: db, mail"),
        ("hosts: [db-*, mail]", "hosts: web-07", "hosts: db-*, mail"),
    ],
)
def test_a_policy_that_is_for_others_is_found_with_what_it_is_for(keys: str, observed: str, expected: str) -> None:
    (finding,) = judged(host(name="db-1"), f"applies_to: {{{keys}}}\n", NAME, assignment=assigned())
    assert (finding.outcome, finding.message) == ("fail", "the policy site is not for it")
    assert (finding.observed, finding.expected) == (observed, expected)
    assert finding.source is not None
    assert finding.source.endswith("site.yaml:2")


def test_all_that_does_not_fit_is_told_at_once() -> None:
    (finding,) = judged(host(), "applies_to: {systems: [AIX], groups: [db], hosts: [db]}\n", NAME, assignment=assigned(roles=()))
    assert finding.count == 4
    assert finding.observed == "groups: all, web; hosts: web-07; systems: Linux"


def test_the_claimed_name_counts_only_where_there_is_no_site() -> None:
    by = "applies_to: {hosts: [web1]}\n"
    assert outcomes(judged(host(name="WEB1"), by, NAME)) == ["pass -"]
    assert outcomes(judged(host(name="db1"), by, NAME)) == ["fail medium - host"]
    assert outcomes(judged(host(name="web1"), by, NAME, assignment=assigned())) == ["fail medium - host"]
    unknown = judged(host(name="web1"), by, NAME, assignment=Assignment(identified="nobody knows", place="x"))
    assert outcomes(unknown) == ["fail medium - host", "unknown -"]
    assert "which host it is is not known: nobody knows" in [f.message for f in unknown]


@pytest.mark.parametrize(
    ("by", "of", "says"),
    [
        ("groups: [web]", host(), "which groups it is in only an inventory says: no site file was given (--site)"),
        ("hosts: [web]", Snapshot(system="Linux"), "which host it is is not known"),
        ("systems: [Linux]", Snapshot(host="web1"), "the evidence does not show the system"),
    ],
)
def test_what_it_takes_to_know_and_is_not_there_makes_it_unknown(by: str, of: Host | Snapshot, says: str) -> None:
    (finding,) = judged(of, f"applies_to: {{{by}}}\n", NAME)
    assert (finding.outcome, finding.message) == ("unknown", says)


def test_what_is_certain_is_found_although_the_groups_are_unknown() -> None:
    found = judged(host(), "applies_to: {systems: [AIX], groups: [web]}\n", NAME)
    assert outcomes(found) == ["fail medium - host", "unknown -"]


def test_without_a_site_and_a_policy_for_some_hosts_there_is_nothing_to_compare_with() -> None:
    (finding,) = judged(host(), "", NAME)
    assert finding.outcome == "notchecked"
    assert finding.message == "no site file was given (--site), and the policy does not say which hosts it is for"
