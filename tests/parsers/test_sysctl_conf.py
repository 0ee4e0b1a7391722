"""sysctl.d(5): which assignments a file makes, and of which settings they speak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.parsers import sysctl_conf
from auditor.parsers.sysctl_conf import Assignment

RANGE = "net.ipv4.ip_local_port_range"


def assignments(text: str) -> list[tuple[str, str | None, int]]:
    found, gaps = sysctl_conf.parse(text, "/etc/sysctl.conf")
    assert gaps == []
    return [(one.name, one.value, one.line) for one in found]


def test_an_assignment_has_a_dotted_name_a_value_and_its_line() -> None:
    assert assignments(f"# a comment\n\n{RANGE} = 20000 60999\n") == [(RANGE, "20000 60999", 3)]


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("net/ipv4/ip_local_port_range=1 2", RANGE, "1 2"),
        ("  net.ipv4.ip_local_port_range=1 2  ", RANGE, "1 2"),
        ("-net.ipv4.ip_local_port_range = 1 2", RANGE, "1 2"),
        ("- net.ipv4.ip_local_port_range = 1 2", RANGE, "1 2"),
        ("-net.ipv4.ip_local_port_range", RANGE, None),
        ("net.ipv4.conf.eth0/100.forwarding = 1", "net.ipv4.conf.eth0/100.forwarding", "1"),
        ("net/ipv4/conf/eth0.100/forwarding = 1", "net.ipv4.conf.eth0/100.forwarding", "1"),
        ("a.b =", "a.b", ""),
        ("a.b = c = d", "a.b", "c = d"),
        ("a.b = 1 # no comment here", "a.b", "1 # no comment here"),
    ],
)
def test_both_separators_are_read_and_a_minus_is_no_part_of_the_name(line: str, name: str, value: str | None) -> None:
    assert assignments(line) == [(name, value, 1)]


@pytest.mark.parametrize("text", ["", "\n\n", "# a = b\n; c = d\n", "  # indented = 1"])
def test_comments_assign_nothing(text: str) -> None:
    assert assignments(text) == []


@pytest.mark.parametrize("line", ["garbage", "net.ipv4.ip_forward 1", "= 1", "-", "-= 1"])
def test_a_line_that_is_no_assignment_is_a_gap_with_its_number(line: str) -> None:
    found, gaps = sysctl_conf.parse(f"a.b = 1\n{line}\n", "/etc/x.conf")
    assert [one.name for one in found] == ["a.b"]
    assert [(gap.why, gap.line) for gap in gaps] == [("/etc/x.conf:2: not an assignment", line)]


@pytest.mark.parametrize(
    ("name", "sets"),
    [
        (RANGE, True), ("net.ipv4.ip_local_*", True), ("net.ipv4.*", True), ("net.*.ip_local_port_range", True), ("*.*.*", True),
        ("net.ipv4.ip_local_port_rang?", True), ("net.ipv[46].ip_local_port_range", True),
        ("*", False), ("net.*", False), ("net.ipv6.*", False), ("net.ipv4.ip_local_port", False), ("net.ipv4.*.range", False), ("", False),
    ],
)  # fmt: skip
def test_a_glob_speaks_of_one_part_of_a_name_at_a_time(name: str, sets: bool) -> None:
    assert Assignment(name, "1", 1).sets(RANGE) is sets


@given(st.text(max_size=60))
def test_reading_is_total_and_drops_no_line(text: str) -> None:
    found, gaps = sysctl_conf.parse(text, "x")
    lines = [line.strip() for line in text.split("\n")]
    assert len(found) + len(gaps) == sum(bool(line) and line[0] not in "#;" for line in lines)
