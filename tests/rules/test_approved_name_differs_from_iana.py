"""approved-name-differs-from-iana: an entry that is called by an IANA name has one of that name's ports."""

from __future__ import annotations

import pytest

from tests.bundles import Host, Net, container, host, judged, outcomes

NAME = "approved-name-differs-from-iana"


def by(entry: str) -> str:
    return f"listening:\n  approved:\n    - {{{entry}}}\n"


def test_the_names_own_port_is_told() -> None:
    (finding,) = judged(host(), by("name: https, port: 8443, protocol: tcp"), NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "https")
    assert finding.message == "the entry 'https' has port 8443; IANA has that name for 443/tcp"
    assert (finding.observed, finding.expected) == ("8443", "443/tcp")
    assert str(finding.source).endswith("site.yaml:4")


@pytest.mark.parametrize(
    "entry",
    [
        "name: https, port: 443",
        "name: HTTPS, port: 443, protocol: tcp",
        "name: https, port: [8443, 443]",
        "name: https, port: 400-500",
        "name: shop, port: 8443",
        "name: https, port: any",
        "name: statd, port: kernel-given, protocol: udp",
        "name: syslog, port: 514, protocol: udp",
        "name: shell, port: 514, protocol: tcp",
    ],
)
def test_a_port_of_the_name_a_name_of_the_sites_own_and_no_port_are_fine(entry: str) -> None:
    assert outcomes(judged(host(), by(entry), NAME)) == ["pass host"]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("name: domain, port: 5353", "IANA has that name for 53/tcp, 53/udp"),
        ("name: syslog, port: 515, protocol: udp", "IANA has that name for 514/udp"),
        ("name: x11, port: 7000, protocol: tcp", "IANA has that name for 6000 and 63 more/tcp"),
    ],
)
def test_protocols_and_names_of_many_ports_are_told(entry: str, says: str) -> None:
    (finding,) = judged(host(), by(entry), NAME)
    assert finding.message.endswith(says)


def test_a_name_that_iana_has_for_another_protocol_alone_is_the_sites_own() -> None:
    assert outcomes(judged(host(), by("name: syslog, port: 6514, protocol: tcp"), NAME)) == ["pass host"]


def test_without_a_list_it_is_not_assessed_and_it_is_told_once_for_a_host() -> None:
    (finding,) = judged(host(), "", NAME)
    assert (finding.outcome, "NOT ASSESSED" in finding.message) == ("notchecked", True)
    boxed = Host(Net(), others=[container("ab" * 32)])
    assert outcomes(judged(boxed, by("name: https, port: 8443"), NAME)) == ["fail low host https", "notapplicable container:abababababab"]


def test_it_is_off_in_the_baseline() -> None:
    assert outcomes(judged(host(), "extends: baseline\n" + by("name: https, port: 8443"), NAME)) == ["notselected host"]
