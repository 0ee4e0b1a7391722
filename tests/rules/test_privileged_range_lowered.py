"""privileged-range-lowered: what the vendor or the policy keeps for the privileged, per stack and by how exposed that is."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Address, Range
from tests.bundles import (
    IN_A_CONTAINER,
    ON_A_LAN,
    ON_A_MACVLAN,
    THRESHOLD,
    WEB_CONTAINER,
    Host,
    Net,
    changed,
    container,
    host,
    judged,
    outcomes,
    stack_of,
)

NAME = "privileged-range-lowered"


@pytest.mark.parametrize("threshold", ["1024", "1025", "2000", "65535"])
def test_the_default_or_more_is_kept(threshold: str) -> None:
    assert outcomes(judged(host(settings={THRESHOLD: threshold}), "", NAME)) == ["pass host"]


@pytest.mark.parametrize(
    ("threshold", "missing", "observed"),
    [
        ("0", "1-1023", "none"),
        ("1", "1-1023", "none"),
        ("2", "2-1023", "1"),
        ("80", "80-1023", "1-79"),
        ("1023", "1023", "1-1022"),
    ],
)
def test_on_the_host_a_lowered_threshold_is_high_and_says_which_ports(threshold: str, missing: str, observed: str) -> None:
    (finding,) = judged(host(settings={THRESHOLD: threshold}), "", NAME)
    assert (finding.outcome, finding.severity) == ("fail", "high")
    assert finding.message == f"any user may bind {missing}"
    assert (finding.observed, finding.expected) == (f"privileged: {observed}", "privileged: 1-1023")
    assert finding.source == "vendor table, linux-4.2-plus"


@pytest.mark.parametrize(
    ("addresses", "severity"),
    [(IN_A_CONTAINER, "info"), (ON_A_MACVLAN, "medium"), (ON_A_LAN, "medium"), ((), "info")],
    ids=["veth", "macvlan", "physical", "none"],
)
def test_in_a_container_it_depends_on_the_network(addresses: tuple[tuple[str, str | None, str, int], ...], severity: str) -> None:
    boxed = Host(Net(), others=[container(WEB_CONTAINER, settings={THRESHOLD: "0"}, addresses=addresses)])
    found = {f.stack: (f.outcome, f.severity) for f in judged(boxed, "", NAME)}
    assert found == {"host": ("pass", "high"), "container:abababababab": ("fail", severity)}


def test_a_container_whose_interfaces_were_not_seen_may_be_on_the_network() -> None:
    boxed = Host(Net(), others=[container(WEB_CONTAINER, settings={THRESHOLD: "0"})]).snapshot()
    stack_of(boxed, "container:abababababab").shown["addresses"] = Facts[Address]([], "rtnetlink", [Gap("refused")])
    assert [f.severity for f in judged(boxed, "", NAME) if f.outcome == "fail"] == ["medium"]


@pytest.mark.parametrize(
    ("policy", "threshold", "found"),
    [
        ("privileged: {expect: 0-79}\n", "80", ["pass host"]),
        ("privileged: {expect: 1-79}\n", "79", ["fail high host"]),
        ("privileged: {expect: 0-2047}\n", "1024", ["fail high host"]),
    ],
)
def test_the_policys_word_counts_before_the_vendors(policy: str, threshold: str, found: list[str]) -> None:
    findings = judged(host(settings={THRESHOLD: threshold}), policy, NAME)
    assert [" ".join(one.split()[:3]) for one in outcomes(findings)] == found


def test_a_threshold_that_was_not_read_is_unknown() -> None:
    assert outcomes(judged(host(settings={THRESHOLD: None}), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(settings={THRESHOLD: "many"}), "", NAME)) == ["unknown host"]


def test_a_kernel_before_the_setting_has_the_default() -> None:
    assert outcomes(judged(host(release="4.4.0", settings={THRESHOLD: None}), "", NAME)) == ["pass host"]


def test_a_system_without_a_vendor_row_is_not_checked_but_by_a_policy() -> None:
    assert outcomes(judged(host(release="1.0"), "", NAME)) == ["notchecked host"]
    assert outcomes(judged(host(release="1.0"), "privileged: {expect: 0-1023}\n", NAME)) == ["pass host"]


def test_a_tables_word_is_not_compared_with_itself() -> None:
    documented = Facts([Range(first=1, last=1023, protocol="any", family="any")], "vendor table", basis="documented")
    assert outcomes(judged(changed(host(), privileged=documented), "", NAME)) == ["notchecked host"]
    assert outcomes(judged(changed(host(), privileged=documented), "privileged: {expect: 0-1023}\n", NAME)) == ["pass host"]


def kept(first: int, last: int, protocol: str = "any", family: str = "any") -> Range:
    return Range(first=first, last=last, protocol=protocol, family=family)


@pytest.mark.parametrize(
    ("ranges", "gaps", "says"),
    [
        ([kept(1, 1023, "tcp")], [], "1-1023 (udp)"),
        ([kept(1, 1023, "tcp"), kept(1, 1023, "udp")], [], None),
        ([kept(1, 1023, "tcp"), kept(1, 79, "udp")], [], "80-1023 (udp)"),
        ([kept(1, 500, "tcp"), kept(1, 79, "udp")], [], "501-1023 (tcp); 80-1023 (udp)"),
        ([kept(1, 500), kept(501, 1023, "udp")], [], "501-1023 (tcp)"),
        ([kept(1, 1023, family="ipv4")], [], "1-1023 (tcp over ipv6, udp over ipv6)"),
        ([kept(1, 1023, family="ipv4"), kept(1, 1023, "tcp", "ipv6")], [], "1-1023 (udp over ipv6)"),
        ([kept(1, 500, "tcp"), kept(1, 500, "udp")], [], "501-1023"),
        ([kept(1, 79, "tcp")], [Gap("cut", protocol="udp")], "80-1023 (tcp)"),
    ],
)
def test_each_protocol_and_family_is_kept_or_not_by_itself(ranges: list[Range], gaps: list[Gap], says: str | None) -> None:
    found = judged(changed(host(), privileged=Facts(ranges, "a test", gaps)), "", NAME)
    assert [f.message for f in found if f.outcome == "fail"] == ([] if says is None else [f"any user may bind {says}"])
    assert [f.outcome for f in found if f.outcome != "fail"] == (["pass"] if says is None else []) + ["unknown"] * len(gaps)


@pytest.mark.parametrize(
    "gap", [Gap("cut"), Gap("cut", protocol="udp"), Gap("cut", family="ipv6"), Gap("cut", protocol="udp", family="ipv4")]
)
def test_what_was_not_seen_of_one_protocol_is_unknown_even_where_the_other_is_kept(gap: Gap) -> None:
    snapshot = changed(host(), privileged=Facts([kept(1, 1023, "tcp", "ipv4")], "a test", [gap, Gap("cut", family="ipv6")]))
    assert "pass" not in [f.outcome for f in judged(snapshot, "", NAME)]
    assert "unknown" in [f.outcome for f in judged(snapshot, "", NAME)]


def test_the_finding_names_whose_the_ports_are() -> None:
    (finding,) = judged(changed(host(), privileged=Facts([kept(1, 1023, "tcp"), kept(2049, 2049)], "a test")), "", NAME)
    assert (finding.observed, finding.expected) == ("privileged: 1-1023 (tcp), 2049", "privileged: 1-1023")


def test_a_vendor_that_keeps_no_ports_has_nothing_to_lower() -> None:
    windows = changed(host(), privileged=Facts[Range]([], "Windows"))
    windows.shown |= {"system": "Windows", "release": "10.0"}
    (finding,) = judged(windows, "", NAME)
    assert (finding.outcome, finding.message) == ("notchecked", "Windows keeps no ports for the privileged (windows-vista-plus)")
