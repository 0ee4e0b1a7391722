"""Ranges are expected of every system, or of each by its name."""

from __future__ import annotations

import pytest

from auditor.errors import PolicyError
from auditor.policy_expected import Expectation, Expected, ephemeral, expected, privileged
from auditor.policy_keys import Reader
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, parse

LOW, HIGH = PortRange(1024, 5000), PortRange(49152, 65535)


def read(written: str, one: Reader[Expectation] = ephemeral) -> Expected:
    top = parse(f"expect: {written}".encode(), "p.yaml")
    assert isinstance(top, Mapping)
    return expected(one, top.items["expect"][1])


@pytest.mark.parametrize(
    ("one", "written", "told"),
    [
        (ephemeral, "49152-65535", (None, (HIGH,), "49152-65535")),
        (ephemeral, "[49152-65535, 1024-5000]", (None, (LOW, HIGH), "1024-5000, 49152-65535")),
        (ephemeral, "vendor-default", ("vendor-default", None, "vendor-default")),
        (ephemeral, "i-1", ("i-1", None, "i-1")),
        (privileged, "none", (None, (), "none")),
        (privileged, "vendor-default", ("vendor-default", None, "vendor-default")),
        (privileged, "1024-5000", (None, (LOW,), "1024-5000")),
    ],
)
def test_what_is_expected_of_every_system(one: Reader[Expectation], written: str, told: tuple[object, ...]) -> None:
    said = read(written, one)
    assert [(each.table, each.ranges, each.text, each.origin) for each in said.all] == [(*told, "p.yaml:1")]
    assert said.of("Linux") is said.of("AIX") is said.everywhere


def test_what_is_expected_of_each_system_stands_at_its_own_line() -> None:
    said = read("{Linux: vendor-default,\n VOS: 1024-5000}")
    assert [(each.table, each.ranges, each.text, each.origin) for each in said.all] == [
        ("vendor-default", None, "vendor-default", "p.yaml:1"),
        (None, (LOW,), "1024-5000", "p.yaml:2"),
    ]


def test_systems_go_by_their_names_whatever_the_case_and_of_others_nothing_is_expected() -> None:
    said = read("{HP-UX: 1024-5000, linux: 32768-60999}")
    told = {system: one and one.text for system in ("hp-ux", "HP-UX", "Linux", "AIX") for one in (said.of(system),)}
    assert told == {"hp-ux": "1024-5000", "HP-UX": "1024-5000", "Linux": "32768-60999", "AIX": None}


@pytest.mark.parametrize("written", ["1023", "{Linux: 1023}"])
def test_one_port_is_not_taken_for_all_that_are_privileged(written: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(written, privileged)
    assert str(caught.value).endswith(": expected a range as 0-1023, vendor-default, or none, found '1023'")
    assert caught.value.advice == "write 0-1023, if all ports up to it are meant"
    assert read("1023-1023", privileged).all[0].ranges == (PortRange(1023, 1023),)
