from __future__ import annotations

import pytest

from auditor.parsers import netsh
from auditor.reading import Output, Values
from tests.parsers import laws

DYNAMIC = (
    "\r\nProtocol tcp Dynamic Port Range\r\n---------------------------------\r\nStart Port      : 20000\r\nNumber of Ports : 5000\r\n\r\n"
)
FRENCH = (
    "\r\nPlage de ports dynamique du protocole udp\r\n---------------------------------\r\n"
    "Port de départ   : 20000\r\nNombre de ports : 5000\r\n"
)
EXCLUDED = (
    "\r\nProtocol tcp Port Exclusion Ranges\r\n\r\nStart Port    End Port\r\n----------    --------\r\n"
    "      5985        5985\r\n     50000       50059     *\r\n     50080       50179\r\n\r\n* - Administered port exclusions.\r\n"
)
EXCLUDE = "netsh int ipv4 show excludedportrange protocol=tcp"


def read(text: str, command: str) -> Values:
    output = Output(command, text)
    values = netsh.parse(output)
    laws.accounted(output, values)
    return values


def test_a_count_becomes_the_last_port() -> None:
    values = read(DYNAMIC, "netsh int ipv4 show dynamicport tcp")
    assert values.values == {"dynamicport.ipv4.tcp": "20000-24999"}
    assert not values.gaps


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("netsh interface ipv6 show dynamicportrange protocol=udp", "dynamicport.ipv6.udp"),
        ("netsh int ip sh dyn udp", "dynamicport.ipv4.udp"),
        ("netsh int ipv4 show dynamicport udp store=persistent", "dynamicport.ipv4.udp.persistent"),
    ],
)
def test_family_and_protocol_are_the_commands_in_any_language(command: str, name: str) -> None:
    assert read(FRENCH, command).values == {name: "20000-24999"}


@pytest.mark.parametrize("count", ["0", "45537", "99999", "five"])
def test_a_count_beyond_the_last_port_is_a_gap(count: str) -> None:
    values = read(DYNAMIC.replace("5000", count), "netsh int ipv4 show dynamicport tcp")
    assert not values.values
    assert values.gaps
    assert read(DYNAMIC.replace("5000", "45536"), "netsh int ipv4 show dynamicport tcp").values == {"dynamicport.ipv4.tcp": "20000-65535"}


def test_exclusions_are_a_list_and_the_administered_ones_another() -> None:
    values = read(EXCLUDED, EXCLUDE)
    assert values.values == {
        "excludedportrange.ipv4.tcp": "5985,50000-50059,50080-50179",
        "excludedportrange.ipv4.tcp.administered": "50000-50059",
    }
    assert not values.gaps


def test_what_the_next_boot_begins_with_has_a_name_of_its_own() -> None:
    assert set(read(EXCLUDED, EXCLUDE + " store=persistent").values) == {
        "excludedportrange.ipv4.tcp.persistent", "excludedportrange.ipv4.tcp.persistent.administered"}  # fmt: skip


def test_an_empty_list_is_known_to_be_empty_by_its_last_line() -> None:
    head, last = EXCLUDED.partition("      5985")[0], "\r\n* - Administered port exclusions.\r\n"
    values = read(head + last, EXCLUDE)
    assert values.values == {"excludedportrange.ipv4.tcp": "", "excludedportrange.ipv4.tcp.administered": ""}
    assert not values.gaps
    values = read(head, EXCLUDE)
    assert not values.values
    assert len(values.gaps) == 1


@pytest.mark.parametrize(
    "text",
    [
        EXCLUDED.partition("\r\n* -")[0],
        EXCLUDED.replace("50179", "80179"),
        EXCLUDED.replace("50179", "50079"),
        EXCLUDED.replace("50179", "fifty"),
        EXCLUDED.replace("----------    --------", ""),
        "The following command was not found.\r\n",
        "",
    ],
)
def test_a_list_that_cannot_be_read_whole_is_not_given(text: str) -> None:
    values = read(text, EXCLUDE)
    assert not values.values
    assert values.gaps


def test_another_protocol_than_asked_for_is_a_gap() -> None:
    values = read(DYNAMIC, "netsh int ipv4 show dynamicport udp")
    assert not values.values
    assert values.gaps[0].why == "udp was asked for, and this speaks of tcp"


@pytest.mark.parametrize("command", ["netsh int ipv4 show dynamicport", "netsh int show dynamicport tcp", "cat ports.txt"])
def test_without_family_and_protocol_lines_are_gaps(command: str) -> None:
    values = read(DYNAMIC, command)
    assert not values.values
    assert len(values.gaps) == 4


def test_pasted_commands_tell_whose_values_follow() -> None:
    text = "C:\\>netsh int ipv4 show dynamicport tcp\r\n" + DYNAMIC + "C:\\>netsh int ipv6 show dynamicport udp\r\n" + FRENCH + "C:\\>\r\n"
    values = read(text, "type ports.txt")
    assert values.values == {"dynamicport.ipv4.tcp": "20000-24999", "dynamicport.ipv6.udp": "20000-24999"}
    assert not values.gaps


def test_a_pasted_command_without_answer_is_a_gap() -> None:
    text = "C:\\>netsh int ipv4 show dynamicport tcp\r\nC:\\>netsh int ipv6 show dynamicport udp\r\n" + FRENCH
    values = read(text, "type ports.txt")
    assert [gap.why for gap in values.gaps] == ["dynamicport.ipv4.tcp: there is no table in this answer"]


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(netsh.parse, EXCLUDE, EXCLUDED)
    laws.total(netsh.parse, "netsh int ipv4 show dynamicport tcp", "C:\\>netsh int ipv4 show dynamicport tcp\r\n" + DYNAMIC)
