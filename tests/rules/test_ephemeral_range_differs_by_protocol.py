"""ephemeral-range-differs-by-protocol: TCP and UDP, IPv4 and IPv6 side by side, where all of each was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import changed, host, interpreted, judged, outcomes
from tests.saved_hosts import AIX, NETBSD, SAVED_HOSTS, WINDOWS, SavedHost

NAME = "ephemeral-range-differs-by-protocol"


def told(of: SavedHost, **texts: str) -> SavedHost:
    """A host with other output of some commands, by the command with `_` for what is no letter."""
    spelt = {"".join(c if c.isalnum() else "_" for c in command): command for command in of.texts}
    return replace(of, texts={**of.texts, **{spelt[name]: text for name, text in texts.items()}})


def ranges(*parts: tuple[int, int, str, str] | tuple[int, int, str, str, str], gaps: tuple[Gap, ...] = ()) -> Facts[Range]:
    return Facts(
        [Range(first=p[0], last=p[1], protocol=p[2], family=p[3], role=p[4] if len(p) == 5 else "default") for p in parts], "a test", gaps
    )


def test_tcp_and_udp_of_an_aix_host_are_compared_with_their_sizes() -> None:
    (finding,) = judged(interpreted(told(AIX, no__o_udp_ephemeral_low="udp_ephemeral_low = 49152\n").bundle()), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "stack")
    assert finding.message == "tcp and udp are given different ephemeral ports"
    assert finding.observed == "tcp: 32768-65535 (32768 ports); udp: 49152-65535 (16384 ports)"


def test_ipv4_and_ipv6_of_a_netbsd_host_are_compared() -> None:
    (finding,) = judged(
        interpreted(told(NETBSD, sysctl_net_inet6_ip6_anonportmin="net.inet6.ip6.anonportmin = 60000\n").bundle()), "", NAME
    )
    assert finding.message == "ipv4 and ipv6 are given different ephemeral ports"
    assert finding.observed == "ipv4: 49152-65535 (16384 ports); ipv6: 60000-65535 (5536 ports)"


def test_one_of_four_on_windows_is_named_by_both_its_words() -> None:
    shown = WINDOWS.texts["netsh int ipv6 show dynamicport udp"]
    other = shown.replace("49152", "1025").replace("16384", "100")
    (finding,) = judged(interpreted(told(WINDOWS, netsh_int_ipv6_show_dynamicport_udp=other).bundle()), "", NAME)
    assert finding.message == "tcp ipv4, tcp ipv6, udp ipv4 and udp ipv6 are given different ephemeral ports"
    assert str(finding.observed).endswith("udp ipv6: 1025-1124 (100 ports)")


@pytest.mark.parametrize("name", sorted(set(SAVED_HOSTS) - {"vos"}))
def test_what_systems_ship_is_alike(name: str) -> None:
    found = judged(interpreted(SAVED_HOSTS[name].bundle()), "", NAME)
    assert {f.outcome for f in found} == {"pass"}


@pytest.mark.parametrize(
    "alike",
    [
        ranges((1024, 2000, "tcp", "any"), (2001, 5000, "tcp", "any"), (1024, 5000, "udp", "any")),
        ranges((1024, 5000, "any", "ipv4")),
        ranges((1024, 5000, "any", "any"), (600, 1023, "tcp", "any", "low")),
        ranges((1024, 5000, "any", "any"), (1024, 5000, "sctp", "any"), (6000, 7000, "sctp", "any", "high")),
        ranges(),
    ],
    ids=["in parts", "no IPv6", "low", "sctp", "none"],
)
def test_parts_a_family_that_is_not_there_and_ports_for_the_privileged_make_no_difference(alike: Facts[Range]) -> None:
    assert outcomes(judged(changed(host(), ephemeral=alike), "", NAME)) == ["pass host"]


def test_the_high_ranges_are_compared_with_each_other_and_not_with_the_default_ones() -> None:
    apart = ranges((1024, 5000, "any", "any"), (50000, 60000, "tcp", "any", "high"), (50000, 60001, "udp", "any", "high"))
    (finding,) = judged(changed(host(), ephemeral=apart), "", NAME)
    assert finding.message == "tcp and udp are given different ephemeral ports of the high range"
    both = ranges((1024, 5000, "any", "any"), (50000, 60000, "any", "any", "high"))
    assert outcomes(judged(changed(host(), ephemeral=both), "", NAME)) == ["pass host"]


def test_what_is_not_known_of_one_is_not_compared_and_costs_nothing_of_the_others() -> None:
    unread = Gap("refused", protocol="tcp", family="ipv6")
    apart = ranges((1024, 5000, "tcp", "ipv4"), (1024, 6000, "udp", "any"), gaps=(unread,))
    found = judged(changed(host(), ephemeral=apart), "", NAME)
    assert outcomes(found) == ["fail low host stack", "unknown host"]
    assert [f.observed for f in found if f.outcome == "fail"] == ["tcp ipv4: 1024-5000 (3977 ports); udp: 1024-6000 (4977 ports)"]
    one_side = ranges((1024, 5000, "udp", "any"), gaps=(Gap("refused", protocol="tcp"),))
    assert outcomes(judged(changed(host(), ephemeral=one_side), "", NAME)) == ["unknown host"]
    twice = ranges((1, 5, "tcp", "any", "high"), (1, 6, "udp", "any", "high"), gaps=(Gap("refused", protocol="sctp"),))
    assert outcomes(judged(changed(host(), ephemeral=twice), "", NAME)) == ["fail low host stack"], "a gap about SCTP is none here"


def test_a_difference_in_the_high_range_is_told_although_something_else_is_not_known() -> None:
    apart = ranges((1024, 5000, "any", "any"), (1, 5, "udp", "ipv4", "high"), (1, 6, "udp", "ipv6", "high"),
                   gaps=(Gap("refused", protocol="tcp"),))  # fmt: skip
    assert outcomes(judged(changed(host(), ephemeral=apart), "", NAME)) == ["fail low host stack", "unknown host"]


def test_it_is_off_until_a_site_wants_it() -> None:
    assert outcomes(judged(host(), "extends: baseline\n", NAME)) == ["notselected host"]
