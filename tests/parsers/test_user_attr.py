"""/etc/user_attr and /etc/security/policy.conf: the privileges that users of Solaris and illumos begin with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from auditor.parsers import user_attr
from auditor.parsers.user_attr import PolicyConf, UserAttributes
from auditor.reading import Output, Read
from tests.parsers import laws

ENTRIES = """\
#
# user_attr
root::::auths=solaris.*;profiles=All;type=role
webservd::::type=normal;defaultpriv=basic,net_privaddr;limitpriv=all
ann::::roles=root
"""


def entries(text: str) -> UserAttributes:
    read = user_attr.parse(output := Output("cat /etc/user_attr", text))
    laws.accounted(output, read)
    return read


def policy(text: str) -> PolicyConf:
    read = user_attr.parse_policy(output := Output("cat /etc/security/policy.conf", text))
    laws.accounted(output, read)
    return read


def test_of_each_user_the_sets_of_privileges_are_kept_and_nothing_else() -> None:
    read = entries(ENTRIES)
    assert read.by_user == {"root": {}, "webservd": {"default": "basic,net_privaddr", "limit": "all"}, "ann": {}}
    assert read.gaps == []


def test_a_backslash_goes_on_with_the_next_line() -> None:
    assert entries("web::::type=normal;\\\n  defaultpriv=basic,net_privaddr\n").by_user == {"web": {"default": "basic,net_privaddr"}}
    assert entries("web::::type=normal;\\\n").gaps


def test_of_two_entries_of_a_user_the_first_counts() -> None:
    assert entries("web::::defaultpriv=basic\nweb::::defaultpriv=all\n").by_user == {"web": {"default": "basic"}}


@pytest.mark.parametrize("line", ["web:x:1:2", "+::::", "::::defaultpriv=all", "web::::defaultpriv", "garbage"])
def test_a_line_that_is_no_entry_is_a_gap(line: str) -> None:
    read = entries(ENTRIES + line + "\n")
    assert (len(read.by_user), [gap.line for gap in read.gaps]) == (3, [line])


def test_policy_conf_states_what_every_user_has() -> None:
    text = "#PRIV_DEFAULT=all\nAUTHS_GRANTED=\nPRIV_DEFAULT = basic,net_privaddr \nPRIV_LIMIT=all\n"
    assert policy(text).sets == {"default": "basic,net_privaddr", "limit": "all"}
    assert policy(text).gaps == []


@pytest.mark.parametrize("line", ["PRIV_DEFAULT=all", "garbage", "lower=1"])
def test_what_is_given_twice_or_is_no_assignment_is_a_gap(line: str) -> None:
    read = policy(f"PRIV_DEFAULT=basic\n{line}\n")
    assert (read.sets, [gap.line for gap in read.gaps]) == ({"default": "basic"}, [line])


@pytest.mark.parametrize(
    ("parse", "command"), [(user_attr.parse, "cat /etc/user_attr"), (user_attr.parse_policy, "cat /etc/security/policy.conf")]
)
def test_whatever_the_text_is_it_is_read(parse: Callable[[Output], Read], command: str) -> None:
    laws.total(parse, command, ENTRIES + "PRIV_DEFAULT=basic\n")
