"""The rule automatic-port-outside-ephemeral-range."""

from __future__ import annotations

import pytest

from tests.bundles import EPHEMERAL, RESERVED, Tried, host, judged, outcomes

RULE = "automatic-port-outside-ephemeral-range"


def given(*ports: int, at: str = "tcp/0.0.0.0", **settings: str | None) -> list[str]:
    made = host(settings={EPHEMERAL: "32768\t60999", **settings}, bind_tests=[Tried([f"{at}:0 {port}" for port in ports])])
    return [f"{one.outcome} {one.message}" for one in judged(made, "", RULE)]


def test_a_port_outside_the_range_is_told_with_numbers() -> None:
    made = host(bind_tests=[Tried(["udp/[::]:0 32768", "udp/[::]:0 61000", "udp/[::]:0 1024", "udp/[::]:0 61000"])])
    (finding,) = judged(made, "", RULE)
    assert (finding.outcome, finding.severity, finding.stack, finding.subject) == ("fail", "medium", "host", "bind udp/[::]")
    assert finding.message == "2 of 3 ports that the kernel chose are outside the ephemeral range, 1024 the lowest"
    assert (finding.observed, finding.expected, finding.source) == ("1024, 61000", "32768-60999", EPHEMERAL)


def test_a_reserved_port_is_told() -> None:
    made = host(settings={RESERVED: "40000-40002,50000"}, bind_tests=[Tried(["tcp/0.0.0.0:0 40001", "tcp/0.0.0.0:0 40003"])])
    (finding,) = judged(made, "", RULE)
    assert finding.message == "1 of 2 ports that the kernel chose are reserved, 40001 the lowest"
    assert (finding.observed, finding.expected, finding.source) == ("40001", "none of 40000-40002, 50000", RESERVED)


def test_both_ends_of_the_range_belong_to_it() -> None:
    assert given(32768, 60999, 45000) == ["pass 1 judged, none failed"]
    assert given(32767)[0].startswith("fail 1 of 1")
    assert given(61000)[0].startswith("fail 1 of 1")


def test_a_bind_that_was_refused_gives_no_port() -> None:
    made = host(bind_tests=[Tried(["tcp/0.0.0.0:0 EACCES"])])
    assert outcomes(judged(made, "", RULE)) == ["pass host"]


def test_a_port_that_was_asked_for_is_none_that_the_kernel_chose() -> None:
    made = host(bind_tests=[Tried(["tcp/0.0.0.0:0 40001", "tcp/0.0.0.0:1024 ok"])])
    assert outcomes(judged(made, "", RULE)) == ["pass host"]


@pytest.mark.parametrize("name", [EPHEMERAL, RESERVED])
def test_where_a_range_is_not_known_it_is_unknown(name: str) -> None:
    (said,) = given(40001, **{name: None})
    assert said.startswith("unknown")


def test_a_reserved_port_is_told_although_the_range_is_not_known() -> None:
    assert sorted(one.split(" ")[0] for one in given(40001, **{EPHEMERAL: None, RESERVED: "40001"})) == ["fail", "unknown"]


def test_without_a_bind_test_it_is_not_checked() -> None:
    assert outcomes(judged(host(), "", RULE)) == ["notchecked host"]


def test_where_nothing_could_be_tried_it_is_unknown() -> None:
    assert outcomes(judged(host(bind_tests=[Tried(failed="no")]), "", RULE)) == ["unknown host"]
