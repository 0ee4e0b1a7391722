"""listener-on-port-of-another-service: what is approved under another name than the one that IANA has for its port."""

from __future__ import annotations

import pytest

from tests.bundles import AGENT, NGINX, NO_RIGHTS, host, judged, outcomes, port, with_sockets

NAME = "listener-on-port-of-another-service"


def by(*entries: str) -> str:
    return "listening:\n  approved:\n" + "".join(f"    - {{{entry}}}\n" for entry in entries)


EXPORTER = by("name: node-exporter, port: 9100, protocol: tcp")


def test_the_iana_name_and_the_policys_are_told() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:9100", AGENT)), EXPORTER, NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "tcp/0.0.0.0:9100")
    assert finding.message.startswith("IANA calls 9100/tcp ")
    assert "pdl-datastream" in finding.message
    assert finding.message.endswith("; the policy calls it node-exporter")
    assert "site.yaml:4" in str(finding.observed)
    assert str(finding.expected).startswith("IANA name ")


@pytest.mark.parametrize(
    ("at", "policy"),
    [
        ("tcp/*:443", by("name: https, port: 443")),
        ("tcp/*:443", by("name: HTTPS, port: 443")),
        ("tcp/*:443", by("name: shop, port: 443", "name: https, port: 443, protocol: tcp")),
        ("tcp/*:80", by("name: www, port: 80")),
        ("tcp/*:49152", by("name: shop, port: 49152")),
        ("tcp/*:2825", by("name: shop, port: 2825")),
        ("tcp/*:9100", by("name: shop, port: 443")),
        ("udp/0.0.0.0:45000", by("name: statd, port: kernel-given")),
    ],
    ids=["its name", "whatever its case", "one of two entries", "another of its names", "dynamic", "unassigned", "not approved", "chosen"],
)
def test_a_name_of_its_own_no_name_and_no_approval_are_not_it(at: str, policy: str) -> None:
    assert outcomes(judged(host(port(at, NGINX)), policy, NAME)) == ["pass host"]


def test_an_entry_without_a_name_calls_it_nothing() -> None:
    assert outcomes(judged(host(port("tcp/*:9100", NGINX)), "listening: {approved: [], required: [{port: 9100}]}\n", NAME)) == ["pass host"]


def test_where_it_is_not_known_which_entry_approves_it_it_is_unknown_if_that_matters() -> None:
    blind = host(port("tcp/*:443"), rights=NO_RIGHTS, unreadable=[900])
    assert outcomes(judged(blind, by("name: shop, port: 443", "name: https, port: 443, user: root"), NAME)) == ["unknown host"]
    assert outcomes(judged(blind, by("name: https, port: 443", "name: shop, port: 443, user: root"), NAME)) == ["pass host"]
    assert outcomes(judged(with_sockets(blind, port=...), by("name: shop, port: 443"), NAME)) == ["unknown host"]


def test_without_a_list_it_is_not_assessed_and_it_is_off_in_the_baseline() -> None:
    of = host(port("tcp/0.0.0.0:9100", AGENT))
    (finding,) = judged(of, "", NAME)
    assert (finding.outcome, "NOT ASSESSED" in finding.message) == ("notchecked", True)
    assert outcomes(judged(of, "extends: baseline\n" + EXPORTER, NAME)) == ["notselected host"]
