"""procstat -ab: the executables of FreeBSD's processes."""

from __future__ import annotations

import pytest

from auditor.parsers import procstat
from auditor.reading import Output, Processes
from tests.parsers import laws

HEADER = "  PID COMM                OSREL PATH"


def read(*lines: str, command: str = "procstat -ab") -> Processes:
    output = Output(command, "\n".join(lines))
    found = procstat.parse(output)
    laws.accounted(output, found)
    return found


@pytest.mark.parametrize("command", ["procstat -ab", "procstat -a -b", "procstat -a binary"])
def test_a_row_gives_the_name_and_the_executable(command: str) -> None:
    found = read(HEADER, "  417 pigeond           1401000 /usr/local/sbin/pigeond", "   11 idle                    0 -", command=command)
    assert found.by_pid == {417: {"process": "pigeond", "executable": "/usr/local/sbin/pigeond"}, 11: {"process": "idle"}}
    assert found.gaps == []


def test_names_and_paths_may_hold_blanks_and_numbers() -> None:
    found = read(
        HEADER,
        "  417 a 12 - b          1401000 /opt/the mill/a 12 - b",
        "  418 x 12              1401000 /opt/x 12 /y",
        "  419 x 7 -  1401000 -",
    )
    assert found.by_pid == {
        417: {"process": "a 12 - b", "executable": "/opt/the mill/a 12 - b"},
        418: {"process": "x 12", "executable": "/opt/x 12 /y"},
        419: {"process": "x 7 -"},
    }


def test_without_a_header_rows_are_read_all_the_same() -> None:
    assert read("  417 pigeond 1401000 /usr/sbin/pigeond", command="procstat -hab").by_pid[417]["executable"] == "/usr/sbin/pigeond"


def test_a_row_that_cannot_be_read_and_a_process_given_twice_are_gaps() -> None:
    lines = [
        HEADER,
        "  417 pigeond 1401000 sbin/pigeond",
        "  418 a 1 /a",
        "  418 b 1 /b",
        "procstat: sysctl: kern.proc.pathname: 419: Operation not permitted",
    ]
    found = read(*lines)
    assert found.by_pid == {418: {"process": "a", "executable": "/a"}}
    assert [gap.line for gap in found.gaps] == [lines[1], lines[3], lines[4]]


def test_another_table_of_procstat_is_not_taken_for_this_one() -> None:
    found = read("  PID COMM FD T V FLAGS", "  417 pigeond 1 /x", command="procstat -af")
    assert found.by_pid == {}
    assert [gap.why for gap in found.gaps] == ["procstat was not asked for executables (-b)"]


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    laws.total(
        procstat.parse,
        "procstat -ab",
        f"# procstat -ab\n{HEADER}\n  417 pigeond           1401000 /usr/local/sbin/pigeond\n   11 idle 0 -\n",
    )
