"""wildcard-serves-unapproved-family: a dual-stack wildcard is approved for each family that it serves, or told of, and told of once."""

from __future__ import annotations

import pytest

from tests.bundles import NGINX, NO_RIGHTS, host, judged, outcomes, port, with_sockets

NAME = "wildcard-serves-unapproved-family"
BOTH = (NAME, "listener-not-approved")


def by(*entries: str) -> str:
    return "listening:\n  approved:\n" + "".join(
        f"    - {{name: web{n}, port: 443, protocol: tcp{more}}}\n" for n, more in enumerate(entries)
    )


def test_what_serves_ipv6_too_where_ipv4_is_approved_is_named_with_the_entry() -> None:
    found = [one for one in judged(host(port("tcp/*:443", NGINX)), by(", family: ipv4"), *BOTH) if one.outcome != "pass"]
    (finding,) = found
    assert (finding.rule, finding.outcome, finding.severity, finding.subject) == (NAME, "fail", "medium", "tcp/*:443")
    assert finding.message == "tcp/*:443 serves ipv6 too, for which nothing approves it"
    assert finding.observed == "address ::, not kept to IPv6: ipv4 and ipv6"
    assert str(finding.expected).startswith("'web0' (")
    assert str(finding.expected).endswith("site.yaml:4) for ipv4")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([", family: ipv4"], ["fail medium host tcp/*:443"]),
        ([", family: ipv6"], ["fail medium host tcp/*:443"]),
        ([", family: ipv4", ", family: ipv6"], ["pass host"]),
        ([", family: ipv4", ""], ["pass host"]),
        ([', address: "*"'], ["pass host"]),
        ([', address: "::"'], ["pass host"]),
        ([", family: ipv4, user: www-data", ", family: ipv6, user: root"], ["fail medium host tcp/*:443"]),
    ],
)
def test_every_entry_that_approves_it_counts(entries: list[str], said: list[str]) -> None:
    assert outcomes(judged(host(port("tcp/*:443", NGINX)), by(*entries), NAME)) == said


@pytest.mark.parametrize("entries", [[', address: "0.0.0.0"'], [", family: ipv4, user: root"], []])
def test_what_is_not_approved_at_all_is_told_by_the_other_rule_alone(entries: list[str]) -> None:
    policy = by(*entries) if entries else "listening: {approved: []}\n"
    found = {one.rule: one.outcome for one in judged(host(port("tcp/*:443", NGINX)), policy, *BOTH)}
    assert found == {NAME: "pass", "listener-not-approved": "fail"}


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:443", "tcp/[::]:443", "tcp/[2001:db8::1]:443", "tcp/[::ffff:10.0.0.5]:443"])
def test_what_serves_one_family_is_not_it(at: str) -> None:
    assert outcomes(judged(host(port(at, NGINX)), by(", family: ipv4", ", family: ipv6"), NAME)) == ["pass host"]


def test_one_that_only_holds_the_port_serves_nobody() -> None:
    assert outcomes(judged(host(port("tcp/*:443", NGINX, state="bound")), by(", family: ipv4"), NAME)) == ["pass host"]


def test_where_it_is_not_shown_whether_it_takes_ipv4_it_is_unknown_if_that_matters() -> None:
    unsure = with_sockets(host(port("tcp/*:443", NGINX)), v6only=...)
    assert outcomes(judged(unsure, by(", family: ipv4"), NAME)) == ["unknown host"]
    assert outcomes(judged(unsure, by(", family: ipv6"), NAME)) == ["unknown host"]
    assert outcomes(judged(unsure, by(""), NAME)) == ["pass host"]
    assert outcomes(judged(unsure, "listening: {approved: []}\n", NAME)) == ["pass host"]


def test_where_an_entry_for_the_other_family_may_or_may_not_approve_it_it_is_unknown() -> None:
    blind = host(port("tcp/*:443"), rights=NO_RIGHTS, unreadable=[900])
    assert outcomes(judged(blind, by(", family: ipv4", ", family: ipv6, user: root"), NAME)) == ["unknown host"]
    assert outcomes(judged(blind, by(", family: ipv4"), NAME)) == ["fail medium host tcp/*:443"]


def test_without_a_list_it_is_not_assessed() -> None:
    (finding,) = judged(host(port("tcp/*:443", NGINX)), "", NAME)
    assert (finding.outcome, "NOT ASSESSED" in finding.message) == ("notchecked", True)
