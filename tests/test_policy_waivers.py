"""A waiver holds for what it names, for whom it names, through its last day, and not one thing more."""

# ruff: noqa: S108 - a path is compared here, nothing is written

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cli import audit
from auditor.errors import PolicyError
from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.owner import Owner
from auditor.policy_keys import text
from auditor.policy_waivers import Waiver, accepted_gap, waiver
from auditor.yaml_nodes import parse

PHP = {"executable": "/usr/sbin/php-fpm8.2", "user": "www-data", "uid": 33}
ROGUE = {"executable": "/tmp/php-fpm8.2", "user": "www-data", "uid": 33}


def given_waiver(keys: str = "") -> Waiver:
    written = f"{{rule: listener-not-approved, reason: moving, owner: web, expires: 2027-01-31{', ' if keys else ''}{keys}}}"
    return waiver(text)(parse(written.encode(), "p.yaml"))


@pytest.mark.parametrize("rule", ["waiver-expired", "waiver-unused", "waiver-too-long"])
def test_what_is_said_of_waivers_cannot_be_waived(rule: str) -> None:
    written = f"{{rule: {rule}, reason: moving, owner: web, expires: 2027-01-31}}"
    with pytest.raises(PolicyError) as caught:
        waiver(text)(parse(written.encode(), "p.yaml"))
    assert str(caught.value) == f"p.yaml:1:8: {rule}: what is said of waivers cannot be waived"
    assert caught.value.advice == "remove this waiver; mend the one that the finding names, or turn the rule off for all to see"


def test_it_holds_through_the_day_it_expires() -> None:
    day = datetime.date(2027, 1, 31)
    assert given_waiver().live(day)
    assert not given_waiver().live(day + datetime.timedelta(days=1))


@given(st.dates(min_value=datetime.date(1000, 1, 1)), st.dates())
def test_it_lives_exactly_until_its_day(expires: datetime.date, today: datetime.date) -> None:
    written = f"{{rule: r, reason: x, owner: y, expires: {expires.isoformat()}}}"
    assert waiver(text)(parse(written.encode(), "p.yaml")).live(today) is (today <= expires)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", True),
        ("hosts: web-07", True),
        ("hosts: [db-*, web-*]", True),
        ("hosts: [db-*]", False),
        ("stack: host", True),
        ("stack: container:*", False),
        ("subject: 'tcp/10.1.4.7:9000'", True),
        ("subject: 'tcp/10.1.4.7:*'", True),
        ("subject: 'udp/[::]:kernel-given (avahi*'", True),
        ("subject: 'tcp/[::]:9000'", False),
        ("hosts: web-07, stack: host, subject: 'tcp/10.1.4.7:9001'", False),
    ],
)
def test_it_covers_what_it_names_and_nothing_else(keys: str, expected: bool) -> None:
    subjects = ("tcp/10.1.4.7:9000", "udp/[::]:kernel-given (avahi-daemon.service)")
    assert given_waiver(keys).covers("listener-not-approved", "web-07", "host", subjects) is expected
    assert not given_waiver(keys).covers("listener-forbidden", "web-07", "host", subjects)


def test_it_speaks_of_its_hosts_only() -> None:
    assert given_waiver("hosts: web-*").speaks_of("web-07")
    assert not given_waiver("hosts: web-*").speaks_of("db-01")
    assert given_waiver().speaks_of("db-01")


def test_one_for_a_stack_does_not_cover_a_finding_of_the_whole_host() -> None:
    assert given_waiver().covers("listener-not-approved", "web-07", None, ["x"])
    assert not given_waiver("stack: '*'").covers("listener-not-approved", "web-07", None, ["x"])


def held_by(*owners: dict[str, Any], state: str = "known") -> Socket:
    return Socket(protocol="tcp", address="10.1.4.7", port=9000, owner_state=state, owners_seen=[Owner(**owner) for owner in owners])


@pytest.mark.parametrize("keys", ["executable: /usr/sbin/php-fpm*", "executable: /usr/sbin/php-fpm8.2, user: www-data"])
def test_a_rogue_on_the_waived_port_is_not_covered(keys: str) -> None:
    pinned = given_waiver(keys)
    assert pinned.pins(held_by(PHP))
    assert not pinned.pins(held_by(ROGUE))
    assert not pinned.pins(held_by(PHP, ROGUE))


def test_who_cannot_be_seen_is_unknown_to_a_pinned_waiver_only() -> None:
    for hidden in (held_by(state="unreadable"), held_by(PHP, state="partial"), held_by({"user": "www-data"})):
        with pytest.raises(UnknownFact):
            given_waiver("executable: /usr/sbin/php-fpm*").pins(hidden)
        assert given_waiver().pins(hidden)


def test_a_report_shows_only_what_was_given() -> None:
    assert given_waiver("id: EXC-118, approved_by: ciso").to_json() == {
        "id": "EXC-118", "reason": "moving", "owner": "web", "approved_by": "ciso", "expires": "2027-01-31", "origin": "p.yaml:1",
    }  # fmt: skip


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
@pytest.mark.parametrize(
    ("now", "expires", "holds"),
    [
        ("2027-01-31T23:59:59Z", "2027-01-31", True),
        ("2027-02-01T00:00:00Z", "2027-01-31", False),
        ("2028-02-29T23:59:59Z", "2028-02-29", True),
        ("2028-03-01T00:00:00Z", "2028-02-29", False),
        ("2028-02-29T00:00:00Z", "2028-02-28", False),
    ],
)
def test_its_day_is_utcs_wherever_the_audit_runs(
    zone: str, now: str, expires: str, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Through the program's own clock: in Kiritimati it is tomorrow already, in GMT+12 still yesterday."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    moment = datetime.datetime.fromisoformat(now)

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    monkeypatch.setattr(audit.datetime, "datetime", Clock)
    try:
        written = f"{{rule: r, reason: x, owner: y, expires: {expires}}}"
        assert waiver(text)(parse(written.encode(), "p.yaml")).live(audit._today(None)) is holds
    finally:
        monkeypatch.undo()
        time.tzset()


def test_every_word_that_was_given_is_in_the_report() -> None:
    words = {"id": "EXC-1", "approved_by": "ciso", "ticket": "CHG-7", "compensated_by": "a firewall"}
    given = given_waiver(", ".join(f"{key}: {word}" for key, word in words.items()))
    told = {"reason": "moving", "owner": "web", "expires": "2027-01-31", "origin": "p.yaml:1", **words}
    assert given.to_json() == told
    assert given_waiver().to_json() == {key: told[key] for key in ("reason", "owner", "expires", "origin")}


def test_it_is_called_by_its_id_or_by_its_place() -> None:
    named, nameless = given_waiver("id: EXC-1"), given_waiver()
    assert (named.title, str(named), named.about) == ("waiver EXC-1", "EXC-1", "listener-not-approved")
    assert (nameless.title, str(nameless)) == ("waiver at p.yaml:1", "waiver at p.yaml:1")


def test_an_accepted_gap_is_called_that_and_names_its_facts() -> None:
    written = "{%s fact: [owners, stacks], reason: no rights, owner: ops, expires: 2027-01-31}"
    named, nameless = (accepted_gap(parse((written % more).encode(), "p.yaml")) for more in ("id: GAP-1,", ""))
    assert (named.title, str(named), named.about, named.facts) == ("accepted gap GAP-1", "GAP-1", "owners, stacks", ("owners", "stacks"))
    assert (nameless.title, str(nameless)) == ("accepted gap at p.yaml:1", "accepted gap at p.yaml:1")
    assert named.accepts("owners", "web-07", "host", ["tcp/0.0.0.0:80"])
    assert named.accepts("stacks", "web-07", None, ["stack"])
    assert not named.accepts("settings", "web-07", "host", ["settings"])
    assert not named.accepts(None, "web-07", "host", ["stack"])


def test_an_accepted_gap_for_subjects_accepts_nothing_of_others() -> None:
    written = b"{fact: owners, subject: ['tcp/*:80', 'udp/*'], reason: no rights, owner: ops, expires: 2027-01-31}"
    given = accepted_gap(parse(written, "p.yaml"))
    assert given.accepts("owners", "web-07", "host", ["tcp/0.0.0.0:80"])
    assert given.accepts("owners", "web-07", "host", ["tcp/0.0.0.0:81", "udp/0.0.0.0:53"])
    assert not given.accepts("owners", "web-07", "host", ["tcp/0.0.0.0:81"])
    assert not given.accepts("owners", "web-07", "host", [])
