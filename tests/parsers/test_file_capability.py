"""security.capability: what the kernel reads in it, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.parsers.file_capability import NET_BIND_SERVICE, decode

ZEROS = "00000000"
BIND = "00040000"
RAW = "00200000"


@pytest.mark.parametrize(
    ("value", "revision", "flags", "root_id"),
    [
        ("01000002" + BIND + ZEROS * 3, 2, "ep", None),
        ("00000002" + BIND + ZEROS * 3, 2, "p", None),
        ("00000002" + ZEROS + BIND + ZEROS * 2, 2, "i", None),
        ("01000002" + ZEROS + BIND + ZEROS * 2, 2, "ei", None),
        ("01000002" + BIND * 2 + ZEROS * 2, 2, "eip", None),
        ("01000002" + RAW + ZEROS * 3, 2, "", None),
        ("01000002" + ZEROS * 2 + BIND + ZEROS, 2, "", None),
        ("01000001" + BIND + ZEROS, 1, "ep", None),
        ("00000001" + BIND + ZEROS, 1, "p", None),
        ("01000003" + BIND + ZEROS * 3 + "e8030000", 3, "ep", 1000),
        ("01000003" + BIND + ZEROS * 3 + ZEROS, 3, "ep", 0),
        ("01000003" + BIND + ZEROS * 3 + "ffffffff", 3, "ep", 4294967295),
    ],
)
def test_a_value_as_setcap_writes_it(value: str, revision: int, flags: str, root_id: int | None) -> None:
    said = decode(value)
    assert said is not None
    assert (said.revision, said.has(NET_BIND_SERVICE), said.root_id) == (revision, flags, root_id)
    assert decode(value.upper()) is not None


def test_the_second_pair_holds_the_capabilities_from_32_on() -> None:
    said = decode("01000002" + ZEROS * 2 + "80000000" + ZEROS)
    assert said is not None
    assert (said.permitted, said.has(39), said.has(7)) == (1 << 39, "ep", "")


@pytest.mark.parametrize(
    "value",
    [
        None, "", "01", "0100000", "01000002", "zz000002" + BIND + ZEROS * 3, "01000002" + BIND + ZEROS * 2, "01000002" + BIND + ZEROS * 4,
        "01000003" + BIND + ZEROS * 3, "01000001" + BIND + ZEROS * 3, "01000004" + BIND + ZEROS * 4, "01000000" + BIND + ZEROS * 3,
        "01 00 00 02" + BIND + ZEROS * 3, "-1000002" + BIND + ZEROS * 3, "\u0660\u0661000002" + BIND + ZEROS * 3,
    ],
)  # fmt: skip
def test_what_the_kernel_refuses_to_run_gives_nothing(value: str | None) -> None:
    assert decode(value) is None


@given(st.text(max_size=60) | st.binary(max_size=40).map(bytes.hex))
def test_no_text_makes_it_raise(value: str) -> None:
    said = decode(value)
    assert said is None or said.revision in (1, 2, 3)
