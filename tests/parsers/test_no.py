from __future__ import annotations

from auditor.parsers import no
from auditor.reading import Output, Values
from tests.parsers import laws

ALL = (
    "                 arpqsize = 1024\n"
    "        tcp_ephemeral_low = 40000\n\n"
    "       tcp_ephemeral_high = 50000\n"
    "               route_expire = n/a\n"
    "             hostname_list = \n"
)


def read(text: str, command: str = "no -a") -> Values:
    output = Output(command, text)
    values = no.parse(output)
    laws.accounted(output, values)
    return values


def test_names_stand_to_the_right() -> None:
    values = read(ALL)
    assert values.values == {"arpqsize": "1024", "tcp_ephemeral_low": "40000", "tcp_ephemeral_high": "50000", "hostname_list": ""}
    assert values.absent == {"route_expire": "route_expire = n/a"}
    assert not values.gaps


def test_one_tunable_alone() -> None:
    assert read("udp_ephemeral_low = 40000\n", "/usr/sbin/no -o udp_ephemeral_low").values == {"udp_ephemeral_low": "40000"}


def test_prompts_and_titles_are_passed_over_and_complaints_are_gaps() -> None:
    values = read("# no -F -a\n" + ALL + "##Restricted tunables\nno such tunable\n0821-052 no: bad\n")
    assert [gap.line for gap in values.gaps] == ["no such tunable", "0821-052 no: bad"]


def test_two_values_of_one_name_are_a_gap() -> None:
    assert len(read(ALL + "arpqsize = 1\n").gaps) == 1


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(no.parse, "no -a", "# no -a\n" + ALL)
