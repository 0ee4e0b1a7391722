"""Lists of ports as the kernel prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.parsers import port_list
from auditor.port_range import PortRange


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("\n", []),
        ("", []),
        ("8080\n", [PortRange(8080, 8080)]),
        ("22000-22010,23000\n", [PortRange(22000, 22010), PortRange(23000, 23000)]),
        ("0-65535", [PortRange(0, 65535)]),
    ],
)
def test_a_list_is_read_as_it_stands(text: str, ports: list[PortRange]) -> None:
    assert port_list.comma_list(text) == ports


@pytest.mark.parametrize("text", [",", "1,", ",1", "1,,2", "5-4", "65536", "-1", "1;2", "1 2", "a", "1-", "²", "0x1"])
def test_what_is_no_list_is_refused_whole(text: str) -> None:
    with pytest.raises(ValueError, match="not a port"):
        port_list.comma_list(text)


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_a_pair_is_first_and_last(one: int, other: int) -> None:
    first, last = sorted((one, other))
    assert port_list.pair(f"{first}\t{last}\n") == PortRange(first, last)


@pytest.mark.parametrize("text", ["", "1", "1 2 3", "60999 32768", "-1 5", "1-2", "a b", "1 65536", "+1 2", "1 ²", "1_0 20"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not |unpack"):
        port_list.pair(text)
