from __future__ import annotations

from auditor.parsers import ipadm
from auditor.reading import Output, Values
from tests.parsers import laws

HEADER = "PROTO PROPERTY              PERM CURRENT      PERSISTENT   DEFAULT      POSSIBLE\n"
TABLE = HEADER + (
    "tcp   smallest-anon-port    rw   40000        40000        32768        1024-65535\n"
    "tcp   extra_priv_ports      rw   2049,4045    --           2049,4045    1-65535\n"
    "udp   largest_anon_port     rw   50000        --           65535        40000-65535\n"
)
COMMAND = "ipadm show-prop -p smallest_anon_port,extra_priv_ports tcp"


def read(text: str, command: str = COMMAND, stderr: str = "") -> Values:
    output = Output(command, text, stderr)
    values = ipadm.parse(output)
    laws.accounted(output, values)
    return values


def test_current_is_read_and_dashes_become_underscores() -> None:
    values = read(TABLE)
    assert values.values == {"tcp.smallest_anon_port": "40000", "tcp.extra_priv_ports": "2049,4045", "udp.largest_anon_port": "50000"}
    assert not values.gaps


def test_columns_go_by_their_names() -> None:
    values = read("CURRENT      PROPERTY\n40000        smallest_anon_port\n", "ipadm show-prop -o current,property tcp")
    assert values.values == {"tcp.smallest_anon_port": "40000"}


def test_parsable_output_goes_by_o() -> None:
    values = read("smallest_anon_port:40000\nextra_priv_ports:2049,4045\n", "ipadm show-prop -c -o property,current udp")
    assert values.values == {"udp.smallest_anon_port": "40000", "udp.extra_priv_ports": "2049,4045"}
    assert not values.gaps


def test_no_value_is_an_empty_list_and_a_question_mark_is_a_gap() -> None:
    values = read(
        HEADER + "tcp   extra_priv_ports      rw   --    --   2049,4045    1-65535\ntcp   smallest_anon_port  rw  ?  --  32768  --\n"
    )
    assert values.values == {"tcp.extra_priv_ports": ""}
    assert [gap.why for gap in values.gaps] == ["ipadm does not know the value of tcp.smallest_anon_port"]


def test_without_header_or_protocol_lines_are_gaps() -> None:
    assert len(read(TABLE.removeprefix(HEADER)).gaps) == 3
    values = read("PROPERTY CURRENT\nsmallest_anon_port 40000\n", "ipadm show-prop -p smallest_anon_port")
    assert not values.values
    assert [gap.line for gap in values.gaps] == ["smallest_anon_port 40000"]


def test_a_row_with_more_cells_than_its_header_is_a_gap() -> None:
    assert len(read(HEADER + "tcp a b c d e f g\n").gaps) == 1


def test_a_property_that_is_unknown_is_absent() -> None:
    words = "ipadm: cannot get property 'extra_priv_ports': Unknown property"
    for values in (read(HEADER, stderr=words + "\n"), read(words + "\n" + HEADER)):
        assert values.absent == {"tcp.extra_priv_ports": words}
        assert not values.gaps


def test_another_complaint_is_a_gap() -> None:
    values = read("ipadm: cannot get property 'extra_priv_ports': Permission denied\n")
    assert not values.absent
    assert len(values.gaps) == 1


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(ipadm.parse, COMMAND, "$ ipadm show-prop tcp\n" + TABLE)
    laws.total(ipadm.parse, "ipadm show-prop -c -o property,current tcp", "smallest_anon_port:40000\n")
