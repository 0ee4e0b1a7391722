"""How single values of a policy are read: what each kind takes, and what looks like it and is refused."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from auditor.errors import PolicyError
from auditor.policy_keys import Reader, date, number, one_of, port_range, prose, text, word, yes_or_no
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node, parse


def node(written: str) -> Node:
    top = parse(f"x: {written}".encode(), "p.yaml")
    assert isinstance(top, Mapping)
    return top.items["x"][1]


@pytest.mark.parametrize(
    ("reader", "written", "value"),
    [
        *((yes_or_no, word, True) for word in ("yes", "true", "on")),
        *((yes_or_no, word, False) for word in ("no", "false", "off")),
        (number, "0", 0),
        (number, "007", 7),
        (number, "999999999", 999999999),
        (date, "2027-01-31", datetime.date(2027, 1, 31)),
        (date, "2028-02-29", datetime.date(2028, 2, 29)),
        (port_range, "0", PortRange(0, 0)),
        (port_range, "1024-65535", PortRange(1024, 65535)),
        (text, "' a '", " a "),
        (prose, '" two\\nlines,\\ta\\u00a0blank\\u2003 "', "two\nlines,\ta\u00a0blank"),
        (one_of("tcp", "udp"), "udp", "udp"),
    ],
)  # fmt: skip
def test_what_each_kind_takes(reader: Reader[Any], written: str, value: object) -> None:
    assert reader(node(written)) == value


@pytest.mark.parametrize(
    ("reader", "written"),
    [
        *((yes_or_no, word) for word in ("Yes", "TRUE", "1", "''", "[yes]", "{}")),
        *((number, word) for word in ("-1", "+1", "1.0", "1_0", "'1 '", "''", "1000000000", "\u0661", "\u00b2", "[1]", "{}")),
        *((date, word) for word in (
            "2027-01-3", "2027-1-31", "2027-01-310", "2027001031", "2027-+1-31", "'2027- 1-31'", "2027-01_31", "2027/01/31", "20270131--",
            "\u0662\u0660\u0662\u0667-\u0660\u0661-\u0663\u0661", "2027-00-10", "2027-13-01", "0000-01-01", "[2027-01-31]", "{}",
        )),
        *((port_range, word) for word in ("''", "[1]", "{}", "65536", "2-1")),
        *((text, word) for word in ("''", '"a\\nb"', '"a\\tb"', "[a]", "{}")),
        *((word, written) for written in ("''", '"a\\nb"', "[a]", "{}")),
        *((prose, word) for word in ("''", "' '", '"\\n\\t"', '"a\\rb"', '"a\\u202eb"', '"a\\u2028b"', "[a]", "{}")),
        *((one_of("tcp", "udp"), word) for word in ("TCP", "''", "tcp udp", "[tcp]", "{}")),
    ],
)  # fmt: skip
def test_what_looks_like_it_and_is_refused(reader: Reader[Any], written: str) -> None:
    with pytest.raises(PolicyError, match=r"p\.yaml:1:4: expected .*, found "):
        reader(node(written))


def test_a_word_is_the_node_that_it_is() -> None:
    one = node("baseline")
    assert word(one) is one
