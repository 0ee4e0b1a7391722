from __future__ import annotations

from auditor.parsers import registry
from auditor.reading import Output, Values
from tests.parsers import laws

KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
COMMAND = rf"reg query {KEY} /v MaxUserPort"
FOUND = (
    "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\r\n"
    "    MaxUserPort    REG_DWORD    0xea60\r\n"
    "    ReservedPorts    REG_MULTI_SZ    1433-1434\\01521-1521\\0\r\n"
    "    Hostname    REG_SZ    coop 7\r\n"
    "    Domain    REG_SZ\r\n\r\n"
)
NOT_THERE = "ERROR: The system was unable to find the specified registry key or value."


def read(text: str, command: str = COMMAND, stderr: str = "") -> Values:
    output = Output(command, text, stderr)
    values = registry.parse(output)
    laws.accounted(output, values)
    return values


def test_numbers_are_decimal_and_lists_have_commas() -> None:
    values = read(FOUND)
    assert values.values == {"MaxUserPort": "60000", "ReservedPorts": "1433-1434,1521-1521", "Hostname": "coop 7", "Domain": ""}
    assert not values.gaps


def test_the_layout_of_older_windows_has_tabs() -> None:
    text = "! REG.EXE VERSION 3.0\r\n\r\n" + FOUND.replace("    ", "\t")
    assert read(text).values["MaxUserPort"] == "60000"
    assert not read(text).gaps


def test_a_value_that_is_not_there_is_absent_in_english_only() -> None:
    assert read("", stderr=NOT_THERE + "\r\n").absent == {"MaxUserPort": NOT_THERE}
    assert read(NOT_THERE + "\r\n").absent == {"MaxUserPort": NOT_THERE}
    german = "FEHLER: Der angegebene Registrierungsschlüssel bzw. Wert wurde nicht gefunden.\r\n"
    assert not read("", stderr=german).absent
    assert [gap.line for gap in read(german).gaps] == [german.strip()]


def test_values_of_other_keys_are_not_this_ones() -> None:
    text = FOUND + FOUND.replace("Tcpip\\Parameters", "Tcpip6\\Parameters").replace("ea60", "1388")
    values = read(text)
    assert values.values["MaxUserPort"] == "60000"
    assert not values.gaps
    assert not read(NOT_THERE, COMMAND.replace("Tcpip", "Tcpip6")).absent
    assert not read(FOUND.replace("CurrentControlSet", "ControlSet002")).values


def test_what_cannot_be_read_is_a_gap() -> None:
    assert len(read("    MaxUserPort    REG_DWORD    0xea60\r\n").gaps) == 1
    assert [gap.why for gap in read(FOUND.replace("0xea60", "60000")).gaps] == ["MaxUserPort is no number"]
    assert len(read(FOUND + "    MaxUserPort\r\n").gaps) == 1


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(registry.parse, COMMAND, "C:\\>" + COMMAND + "\r\n" + FOUND + NOT_THERE)
