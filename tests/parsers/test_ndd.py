from __future__ import annotations

import pytest

from auditor.parsers import ndd
from auditor.reading import Output, Values
from tests.parsers import laws

TWO = "40000\n\n50000\n"


def read(text: str, command: str = "ndd -get /dev/tcp tcp_smallest_anon_port", stderr: str = "") -> Values:
    output = Output(command, text, stderr)
    values = ndd.parse(output)
    laws.accounted(output, values)
    return values


def test_one_name_one_value() -> None:
    values = read("40000\n")
    assert values.values == {"tcp_smallest_anon_port": "40000"}
    assert not values.gaps


@pytest.mark.parametrize("text", [TWO, "40000\n50000\n", "40000 \r\n\r\n50000 \r\n"])
def test_values_come_in_the_order_asked(text: str) -> None:
    values = read(text, "ndd /dev/udp udp_smallest_anon_port udp_largest_anon_port")
    assert values.values == {"udp_smallest_anon_port": "40000", "udp_largest_anon_port": "50000"}
    assert not values.gaps


@pytest.mark.parametrize("text", ["2049 \n4045 \n7001 \n", "2049\n\n4045\n\n7001\n"])
def test_extra_privileged_ports_are_a_list(text: str) -> None:
    assert read(text, "ndd -get /dev/tcp tcp_extra_priv_ports").values == {"tcp_extra_priv_ports": "2049,4045,7001"}


def test_a_list_beside_others_is_told_apart_by_the_blank_line_only() -> None:
    command = "ndd -get /dev/tcp tcp_smallest_nonpriv_port tcp_extra_priv_ports"
    assert read("1024\n\n2049\n4045\n", command).values == {"tcp_smallest_nonpriv_port": "1024", "tcp_extra_priv_ports": "2049,4045"}
    values = read("1024\n2049\n", command)
    assert not values.values
    assert [gap.line for gap in values.gaps] == ["1024", "2049"]


def test_pasted_commands_tell_whose_values_follow() -> None:
    text = (
        "# ndd -get /dev/tcp tcp_smallest_anon_port\n40000\n"
        "# ndd /dev/udp udp_smallest_anon_port udp_largest_anon_port\n41000\n\n51000\n#\n"
    )
    values = read(text, "sh ports.sh")
    assert values.values == {"tcp_smallest_anon_port": "40000", "udp_smallest_anon_port": "41000", "udp_largest_anon_port": "51000"}
    assert not values.gaps


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("40000\n", "ndd -get /dev/tcp tcp_smallest_anon_port tcp_largest_anon_port"),
        ("40000\n50000\n", "ndd -get /dev/tcp tcp_smallest_anon_port"),
        ("40000\n", "ndd -set /dev/tcp tcp_smallest_anon_port 40000"),
        ("40000\n", "cat ports"),
        ("operation failed: Permission denied\n", "ndd -get /dev/tcp tcp_smallest_anon_port"),
    ],
)
def test_values_that_nothing_names_are_gaps(text: str, command: str) -> None:
    values = read(text, command)
    assert not values.values
    assert [gap.line for gap in values.gaps] == text.splitlines()


def test_a_name_that_the_module_does_not_have_is_absent() -> None:
    words = "name is non-existent for this module\nfor a list of valid names, use name '?'\n"
    asked = "ndd -get /dev/tcp tcp_extra_priv_ports"
    for values in (read(words, asked), read("", asked, stderr=words)):
        assert values.absent == {"tcp_extra_priv_ports": "name is non-existent for this module"}
        assert not values.gaps


def test_a_list_of_names_states_nothing() -> None:
    values = read("?                             (read only)\ntcp_smallest_anon_port        (read and write)\n", "ndd /dev/tcp ?")
    assert not values.values
    assert not values.gaps


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(ndd.parse, "ndd -get /dev/tcp tcp_smallest_anon_port tcp_extra_priv_ports", "# ndd /dev/tcp tcp_a tcp_b\n1\n\n2\n" + TWO)
