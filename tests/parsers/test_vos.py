from __future__ import annotations

import pytest

from auditor.command import Command
from auditor.parsers import vos
from auditor.reading import Output, Values
from tests.parsers import laws

LIST = (
    "display_access_list >system>acl>coop_stcp\n\n%coop#m7>system>acl>coop_stcp\n\n"
    "w  *.SysAdmin\nread  Lee.Batch\nn  *.*\n\nready  10:11:12\n"
)


def read(text: str, command: str) -> Values:
    output = Output(command, text)
    values = vos.PARSERS[output.command.program](output)
    laws.accounted(output, values)
    return values


def test_entries_of_an_access_list() -> None:
    values = read(LIST, "display_access_list >system>acl>coop_stcp")
    assert values.values == {"access_list_name": "write *.SysAdmin,read Lee.Batch,null *.*"}
    assert not values.gaps


@pytest.mark.parametrize("line", ["x  *.Ops", "write", "delete *.Ops", "w *.SysAdmin r *.*"])
def test_a_list_of_which_a_line_cannot_be_read_is_not_given(line: str) -> None:
    values = read(LIST + line + "\n", "display_access_list coop_stcp")
    assert not values.values
    assert [gap.line for gap in values.gaps] == [line]


def test_a_list_without_entries_states_nothing() -> None:
    assert not read("ready  10:11:12\n", "display_acl coop_stcp").values


@pytest.mark.parametrize("line", ["allow_unpriv_bind$ = 1", "allow_unpriv_bind$: 1", "  allow_unpriv_bind$   01"])
def test_the_variable_is_given_as_its_number(line: str) -> None:
    values = read(line + "\nready\n", "display_external_variable allow_unpriv_bind$")
    assert values.values == {"allow_unpriv_bind$": "1"}
    assert not values.gaps


def test_anything_else_is_a_gap() -> None:
    values = read("allow_unpriv_bind$ = yes\nother$ = 1\n", "display_external_variable")
    assert not values.values
    assert len(values.gaps) == 2


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    for command, parse in vos.PARSERS.items():
        assert Command(command).program == command
        laws.total(parse, command, LIST + "allow_unpriv_bind$ = 1\n")
