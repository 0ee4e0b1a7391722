"""jls -n: the parameters of jails, also those that are on or off."""

from __future__ import annotations

import pytest

from auditor.parsers import jls
from auditor.parsers.jls import OFF, ON, Jails
from auditor.reading import Output
from tests.parsers import laws

ASKED = "jls -n jid name allow.reserved_ports"
LINES = "jid=3 name=web allow.reserved_ports\njid=4 name=db allow.noreserved_ports\njid=5 name=old vnet=inherit\n"


def read(text: str, command: str = ASKED, stderr: str = "") -> Jails:
    output = Output(command, text, stderr)
    jails = jls.parse(output)
    laws.accounted(output, jails)
    return jails


def test_a_parameter_that_is_on_or_off_stands_by_its_name_alone() -> None:
    found = read(LINES).found
    assert [one.get("allow.reserved_ports") for one in found] == [ON, OFF, None]
    assert (found[0]["jid"], found[0]["name"], found[2]["vnet"]) == ("3", "web", "inherit")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('jid=3 name="web one" vnet=new', {"jid": "3", "name": "web one", "vnet": "new"}),
        ("jid=3 name=web persist nodying", {"jid": "3", "name": "web", "persist": ON, "dying": OFF}),
        ("jid=3 name=web ip4.addr= vnet=new", {"jid": "3", "name": "web", "ip4.addr": "", "vnet": "new"}),
        ("jid=3 name=web host.hostname='a\" allow.reserved_ports b=\"'", {"jid": "3", "name": "web",
                                                                         "host.hostname": 'a" allow.reserved_ports b="'}),
        ('jid=3 name=web host.hostname="a\' allow.reserved_ports b=\'"', {"jid": "3", "name": "web",
                                                                         "host.hostname": "a' allow.reserved_ports b='"}),
    ],
)  # fmt: skip
def test_a_quoted_value_is_no_parameter_however_it_is_made_up(line: str, shown: dict[str, str]) -> None:
    assert read(line + "\n").found == [shown]


@pytest.mark.parametrize(
    "line",
    [
        "   JID  IP Address      Hostname                      Path",
        "jid=3 vnet=new",
        "name=web",
        "jid=3 name=web a'b",
        'jid=3 name=web x="open',
        "garbage",
    ],
)
def test_a_line_that_is_not_all_parameters_of_a_jail_is_a_gap(line: str) -> None:
    jails = read(LINES + line + "\n")
    assert (len(jails.found), [gap.line for gap in jails.gaps]) == (3, [line])


def test_a_parameter_that_the_kernel_has_not_is_named() -> None:
    said = "jls: unknown parameter: allow.reserved_ports"
    assert read("", stderr=f"{said}\n").unknown == ["allow.reserved_ports"]
    assert read(f"{said}\n").unknown == ["allow.reserved_ports"], "a paste has both streams"
    assert read(LINES).unknown == []


@pytest.mark.parametrize(
    ("command", "vnet", "permission"),
    [("jls -n", True, True), (ASKED, False, True), ("jls -n jid name vnet", True, False), ("jls -n -j web jid name vnet", True, False),
     ("jls -nj web", True, True)],
)  # fmt: skip
def test_what_was_asked_is_known_from_the_command(command: str, vnet: bool, permission: bool) -> None:
    jails = read("", command)
    assert (jails.tells("vnet"), jails.tells("allow.reserved_ports")) == (vnet, permission)


def test_whatever_the_text_is_it_is_read() -> None:
    laws.total(jls.parse, ASKED, LINES)
