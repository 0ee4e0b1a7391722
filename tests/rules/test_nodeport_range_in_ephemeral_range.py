"""nodeport-range-in-ephemeral-range: NodePorts that the kernel may hand out, those that are reserved left out."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Range
from tests.bundles import EPHEMERAL, RESERVED, WEB_CONTAINER, Host, Net, changed, container, host, interpreted, judged, outcomes
from tests.saved_hosts import OPENBSD

NAME = "nodeport-range-in-ephemeral-range"
GIVEN = "rules: {nodeport-range-in-ephemeral-range: {range: 30000-32767}}\n"


@pytest.mark.parametrize(
    ("span", "reserved", "left"),
    [
        ("32768 60999", "", None),
        ("32767 60999", "", "32767"),
        ("20000 60999", "", "30000-32767 (2768 ports)"),
        ("20000 60999", "30000-32767", None),
        ("20000 60999", "29000-33000", None),
        ("20000 60999", "30001-32766", "30000, 32767 (2 ports)"),
        ("1024 30009", "30000-30004,8080", "30005-30009 (5 ports)"),
        ("1024 29999", "", None),
    ],
)
def test_the_ports_that_may_be_handed_out_are_named_and_counted(span: str, reserved: str, left: str | None) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span, RESERVED: reserved}), GIVEN, NAME)
    assert (finding.outcome, finding.severity) == ("pass" if left is None else "fail", "medium")
    if left is not None:
        assert (finding.subject, finding.message) == (EPHEMERAL, f"the kernel may hand out NodePorts: {left}")


def test_the_finding_shows_the_sum() -> None:
    (finding,) = judged(host(settings={EPHEMERAL: "1024 30009", RESERVED: "30000-30004,8080"}), GIVEN, NAME)
    assert finding.observed == "ephemeral: 1024-30009; NodePorts: 30000-32767; 10 in both, 5 of them reserved"
    assert finding.expected == "all of 30000-30009 reserved, or the two ranges apart"


def test_tcp_and_udp_are_judged_both_each_by_what_is_reserved_for_it() -> None:
    snapshot = interpreted(OPENBSD.bundle())
    other = GIVEN.replace("30000-32767", "6000-6019")
    found = [f for f in judged(snapshot, other, NAME) if f.outcome == "fail"]
    assert [f.message for f in found] == [
        "the kernel may hand out NodePorts for tcp: 6011-6019 (9 ports); the kernel may hand out NodePorts for udp: 6000-6019 (20 ports)"
    ]


def test_a_range_for_the_privileged_alone_is_not_judged() -> None:
    low = Facts([Range(first=600, last=1023, protocol="any", family="any", role="low")], "t")
    assert outcomes(judged(changed(host(), ephemeral=low), GIVEN.replace("30000-32767", "600-700"), NAME)) == ["pass host"]


def test_reserved_ports_that_were_not_read_matter_only_where_the_ranges_overlap() -> None:
    assert outcomes(judged(host(settings={RESERVED: None}), GIVEN, NAME)) == ["pass host"]
    assert outcomes(judged(host(settings={RESERVED: None, EPHEMERAL: "20000 60999"}), GIVEN, NAME)) == ["unknown host"]
    assert outcomes(judged(host(settings={EPHEMERAL: None}), GIVEN, NAME)) == ["unknown host"]


def test_what_may_be_handed_out_for_one_protocol_is_told_although_the_other_is_not_known() -> None:
    reserved = Facts[Range]([], "t", [Gap("refused", protocol="udp")])
    found = judged(changed(host(settings={EPHEMERAL: "32767 60999"}), reserved=reserved), GIVEN, NAME)
    assert outcomes(found) == [f"fail medium host {EPHEMERAL}", "unknown host"]
    assert "the kernel may hand out NodePorts for tcp: 32767" in [f.message for f in found]


def test_containers_have_no_nodeports_of_their_own() -> None:
    two = Host(Net(), others=[container(WEB_CONTAINER, settings={EPHEMERAL: "1024 60999"})], containers={WEB_CONTAINER: "web"})
    assert outcomes(judged(two, GIVEN, NAME)) == ["notapplicable container:web", "pass host"]


def test_without_a_range_nothing_is_checked_and_the_baseline_gives_none() -> None:
    wide = host(settings={EPHEMERAL: "20000 60999"})
    for by in ("", "extends: baseline\n"):
        (finding,) = judged(wide, by, NAME)
        assert (finding.outcome, finding.message) == ("notchecked", "the policy gives no `range` for it")
