"""/etc/services: which port a name stands for."""

from __future__ import annotations

from auditor.parsers import services
from auditor.parsers.services import AMBIGUOUS, Services
from auditor.reading import Output
from tests.parsers import laws


def read(*lines: str) -> Services:
    output = Output("cat /etc/services", "\n".join(lines))
    found = services.parse(output)
    laws.accounted(output, found)
    return found


def test_names_and_aliases_are_ports_of_their_protocol() -> None:
    found = read(
        "# ports of the mill", "heron\t\t7070/tcp\theron-web  mill # the heron", "heron 7071/UDP", "pond 7072,tcp", "$ cat /etc/services"
    )
    assert found.ports == {
        ("heron", "tcp"): 7070,
        ("heron-web", "tcp"): 7070,
        ("mill", "tcp"): 7070,
        ("heron", "udp"): 7071,
        ("pond", "tcp"): 7072,
    }
    assert found.gaps == []


def test_a_name_of_several_ports_stands_for_none_of_them() -> None:
    found = read("heron 7070/tcp", "heron 7071/tcp", "heron 7070/tcp", "pond 1/tcp w", "mill 2/tcp w")
    assert found.ports[("heron", "tcp")] == AMBIGUOUS == found.ports[("w", "tcp")]


def test_a_name_is_its_own_port_before_it_is_another_ones_alias() -> None:
    for lines in (("mill 7070/tcp heron", "heron 7071/tcp"), ("heron 7071/tcp", "mill 7070/tcp heron")):
        assert read(*lines).ports == {("mill", "tcp"): 7070, ("heron", "tcp"): 7071}


def test_what_is_no_entry_is_a_gap() -> None:
    lines = ["heron", "heron 99999/tcp", "heron 0/tcp", "+", "heron tcp/7070"]
    assert [gap.line for gap in read(*lines).gaps] == lines
    assert read(*lines).ports == {}


def test_each_name_has_its_line_however_the_file_was_pasted() -> None:
    found = read("$ cat /etc/services", "# a remark", "", "heron 7070/tcp heron-web", "  ", "pond 7071/UDP\r")
    assert found.file == "/etc/services"
    assert [(one.name, one.port, one.protocol, one.alias, one.line) for one in found.entries] == [
        ("heron", 7070, "tcp", False, 3), ("heron-web", 7070, "tcp", True, 3), ("pond", 7071, "udp", False, 5),
    ]  # fmt: skip


def test_the_last_line_of_output_that_was_cut_is_a_gap_where_it_does_not_end() -> None:
    for status, gaps in (("0", []), ("unknown", []), ("cut 100", ["pond 7071/t"]), ("1", ["pond 7071/t"])):
        found = services.parse(Output("cat /etc/services", "heron 7070/tcp\npond 7071/t", status=status))
        assert [gap.line for gap in found.gaps] == gaps
        assert found.ports[("heron", "tcp")] == 7070
    assert services.parse(Output("cat /etc/services", "heron 7070/tcp\n", status="1")).gaps == []


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    laws.total(services.parse, "cat /etc/services", "# mill\nheron 7070/tcp mill # x\npond 7071/udp\n")
