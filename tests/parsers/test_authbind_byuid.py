"""Lines of authbind's byuid files; tests/live/test_authbind.py asks authbind's own helper about the same ones."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.parsers.authbind_byuid import Allowed, parse

RULES = {
    "0.0.0.0/0:80,90": ("0.0.0.0", "255.255.255.255", "80-90"),
    "0.0.0.0/0,80-90": ("0.0.0.0", "255.255.255.255", "80-90"),
    "0.0.0.0/0,80": ("0.0.0.0", "255.255.255.255", "80"),
    "::/0,80": ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "80"),
    "127.0.0.1,80": ("127.0.0.1", "127.0.0.1", "80"),
    "127.0.0.0-127.0.0.9,80-81": ("127.0.0.0", "127.0.0.9", "80-81"),
    "127.0.0.0/8:80,80": ("127.0.0.0", "127.255.255.255", "80"),
    "::1,80": ("::1", "::1", "80"),
    "0:0:0:0:0:0:0:1,80": ("::1", "::1", "80"),
    "::-::1,80": ("::", "::1", "80"),
    "2001:db8::/32,80": ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "80"),
    "0.0.0.0/0, 80 ": ("0.0.0.0", "255.255.255.255", "80"),
    "0.0.0.0/0,80- 90": ("0.0.0.0", "255.255.255.255", "80-90"),
    "0.0.0.0/0 ,80": ("0.0.0.0", "255.255.255.255", "80"),
    "0.0.0.0/ 0 ,80": ("0.0.0.0", "255.255.255.255", "80"),
    " 0. 0.0.0/ 0: 80, 90 \t": ("0.0.0.0", "255.255.255.255", "80-90"),
    "0.0.0.0/0,+80": ("0.0.0.0", "255.255.255.255", "80"),
    "0.0.0.0/0,80--1": ("0.0.0.0", "255.255.255.255", "80-65535"),
    "0.0.0.0/0,0000000000000000000000000080": ("0.0.0.0", "255.255.255.255", "80"),
    "0.0.0.0/0,80-99999999999999999999999": ("0.0.0.0", "255.255.255.255", "80-65535"),
    "0.0.0.0/0,4294967376": ("0.0.0.0", "255.255.255.255", "80"),
    "0.0.0.0/0,-4294967216": ("0.0.0.0", "255.255.255.255", "80"),
    "0.0.0.0/0,80-65536": ("0.0.0.0", "255.255.255.255", "80-65535"),
}
"""A line, and the addresses and ports that it allows."""
NO_RULES = (
    "", "#", "# 0.0.0.0/0,80", "80", ",80", "0.0.0.0/0", "0.0.0.0/0,", "0.0.0.0/0,http", "0.0.0.0/0,80 # the shop", "127.0.0.0/-1,80",
    " 0.0.0.0/0,80", "0.0.0.0/0,80 -90", "0.0.0.0/0,90-80", "0.0.0.0/0:90,80", "0.0.0.0/0:80,65536", "0.0.0.0/33,80", "0.0.0.0/33:80,90",
    "127.0.0.1/8,80", "127.0.0.1/8:80,90", "256.0.0.0/8:80,90", "127.0.0.9-127.0.0.1,80", "127.0.0.1-,80", "-127.0.0.1,80",
    "127.0.0.0/8-127.0.0.1,80", "127.0.0.1-::1,80", "::/129,80", "::1/64,80", "127.1,80", "0x7f.0.0.1,80", "127.0.0.01,80",
    "localhost,80", "*,80", "0.0.0.0/0,80,90", "0.0.0.0/0,8 0", "0.0.0.0/0,-80", "0.0.0.0/0/0,80", "0.0.0.0/,80", "::/0:80,90",
    "0.0.0.0/0,99999999999999999999999",
)  # fmt: skip
"""Lines that allow nothing."""


@pytest.mark.parametrize("line", RULES)
def test_a_rule_is_read_as_authbind_reads_it(line: str) -> None:
    found = parse(line)
    assert found is not None
    assert (found.first, found.last, str(found.ports)) == RULES[line]


@pytest.mark.parametrize("line", NO_RULES)
def test_what_is_no_rule_allows_nothing(line: str) -> None:
    assert parse(line) is None


def test_a_length_below_0_means_whatever_the_helpers_compiler_made_of_it() -> None:
    with pytest.raises(ValueError, match="below 0"):
        parse("127.0.0.0/4294967295,80")


def test_addresses_are_told_in_words() -> None:
    told = {line: found.addresses for line in RULES if isinstance(found := parse(line), Allowed)}
    assert told["0.0.0.0/0:80,90"] == "any IPv4 address"
    assert told["::/0,80"] == "any IPv6 address"
    assert told["127.0.0.1,80"] == "127.0.0.1"
    assert told["127.0.0.0/8:80,80"] == "127.0.0.0-127.255.255.255"


@given(st.text(alphabet="0123456789abf.:/,+- \t\0é", max_size=60))
def test_no_line_makes_it_raise_but_that_one(line: str) -> None:
    with suppress(ValueError):
        found = parse(line)
        assert found is None or found.ports.first <= found.ports.last


@pytest.mark.parametrize("full_of", ["9", " ", ".", "/", ",", "-", ":", "0.", "9-", " 9"])
def test_a_line_of_any_length_is_read_in_a_moment(full_of: str) -> None:
    began = time.monotonic()
    for before in ("", "0.0.0.0/0,", "0.0.0.0/0:80,", "::/"):
        parse(before + full_of * 50_000)
    assert time.monotonic() - began < 2
