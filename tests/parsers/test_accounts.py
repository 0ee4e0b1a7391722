"""/etc/passwd: the names of user ids, and nothing else of it."""

from __future__ import annotations

import pytest

from auditor.parsers import accounts
from auditor.parsers.accounts import Accounts
from auditor.reading import Output
from tests.parsers import laws

HASH = "$6$notreally"


def read(*lines: str) -> Accounts:
    found = accounts.parse(Output("cat /etc/passwd", "\n".join(lines)))
    laws.accounted(Output("cat /etc/passwd", "\n".join(accounts.kept(line) for line in lines)), found)
    assert HASH not in repr((found.names, found.taken, found.passed, [gap.to_json() for gap in found.gaps]))
    return found


def test_an_id_has_the_name_of_its_first_entry() -> None:
    found = read("## accounts", "ann:x:1004:1004:Ann:/home/ann:/bin/sh", "anne:x:1004:1004::/:/bin/sh", "_pond:*:77:77:::")
    assert found.names == {1004: "ann", 77: "_pond"}
    assert found.gaps == []


def test_the_file_of_bsd_with_passwords_is_read_too() -> None:
    assert read(f"ann:{HASH}:1004:1004:daemon:0:0:Ann:/home/ann:/bin/sh").names == {1004: "ann"}


@pytest.mark.parametrize(
    "line", [f"ann:{HASH}:x:1004:::", f"ann:{HASH}:1004", f"ann:{HASH}:99999999999:1::/:/bin/sh", f":{HASH}:7:7::/:", "an n:x:7:7::/:"]
)
def test_what_is_no_entry_is_a_gap_that_keeps_no_hash(line: str) -> None:
    found = read(line)
    assert found.names == {}
    assert [gap.line for gap in found.gaps] == [line.partition(":")[0] or ":"]


def test_accounts_of_a_directory_service_are_a_gap() -> None:
    assert [gap.why for gap in read("+::::::", "+@mill::::::").gaps] == ["more accounts are in a directory service"] * 2


def test_no_cut_of_the_text_makes_it_raise_or_lose_a_line() -> None:
    text = f"ann:{HASH}:1004:1004:Ann:/home/ann:/bin/sh\npond:*:77:77:::\n"
    for at in range(len(text)):
        read(*[line for line in text[:at].split("\n") if line.strip()])
