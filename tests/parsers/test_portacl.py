"""The rules of mac_portacl, as the kernel reads them."""

from __future__ import annotations

import pytest

from auditor.parsers.portacl import rules


def test_each_element_is_a_rule() -> None:
    found, odd = rules("uid:80:tcp:80,uid:80:tcp:443,gid:1001:udp:514")
    assert [(one.text, one.kind, one.id, one.protocol, one.port, one.holder) for one in found] == [
        ("uid:80:tcp:80", "uid", 80, "tcp", 80, "user 80"),
        ("uid:80:tcp:443", "uid", 80, "tcp", 443, "user 80"),
        ("gid:1001:udp:514", "gid", 1001, "udp", 514, "group 1001"),
    ]
    assert odd == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (",,uid:80:tcp:80,", ["uid:80:tcp:80"]),
        ("uid:80:tcp:80,uid:080:tcp:080", ["uid:80:tcp:80"]),
        ("uid:: tcp:80", None),
        ("uid::tcp:80", ["uid:0:tcp:80"]),
        ("uid: 80:tcp:+80", ["uid:80:tcp:80"]),
        ("uid:80:tcp:0", ["uid:80:tcp:0"]),
        ("uid:4294967295:udp:65535", ["uid:4294967295:udp:65535"]),
    ],
)
def test_numbers_are_read_as_the_kernel_reads_them(text: str, expected: list[str] | None) -> None:
    found, odd = rules(text)
    assert [one.text for one in found] == (expected or [])
    assert bool(odd) is (expected is None)


@pytest.mark.parametrize(
    "element",
    ["uid:80:tcp:65616", "uid:80:tcp:80-90", "uid:www:tcp:80", "uid:80:sctp:80", "UID:80:tcp:80", "uid:80:tcp", "uid:-1:tcp:80", "80",
     "uid:4294967296:tcp:80", "uid:\uff18:tcp:80", "uid:80:tcp:80 ", "uid:" + "9" * 400 + ":tcp:80"],
)  # fmt: skip
def test_what_is_no_rule_is_told_and_costs_no_other(element: str) -> None:
    found, odd = rules(f"gid:1:udp:53,{element}")
    assert ([one.text for one in found], odd) == (["gid:1:udp:53"], [element.strip()])
