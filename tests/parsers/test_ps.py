"""ps: users and names of processes, and never an argument."""

from __future__ import annotations

import pytest

from auditor.parsers import ps
from auditor.reading import Output, Processes
from tests.parsers import laws

MAC = "  PID   UID USER             COMM"
SECRET = "--password=hunter2"


def read(command: str, *lines: str) -> Processes:
    output = Output(command, "\n".join(lines))
    found = ps.parse(output)
    laws.accounted(output, found)
    return found


def kept(read: Processes) -> str:
    return repr((read.by_pid, read.taken, read.passed, [gap.to_json() for gap in read.gaps]))


def shortened(read: Processes, command: str, *lines: str) -> None:
    """The law for a layout that may have arguments: each line stands once, in its first two words."""
    laws.accounted(Output(command, "\n".join(" ".join(line.split()[:2]) for line in lines)), read)


def test_the_last_part_of_the_path_is_the_process_on_macos() -> None:
    found = read(
        "ps -axww -o pid,uid,user,comm",
        MAC,
        "  411  1004 ann              /Applications/Heron.app/Contents/MacOS/Heron Mill",
        "    1     0 root             (launchd)",
    )
    assert found.by_pid == {411: {"uid": 1004, "user": "ann", "process": "Heron Mill"}, 1: {"uid": 0, "user": "root", "process": "launchd"}}
    assert found.gaps == []


@pytest.mark.parametrize(
    ("printed", "process"), [("-zsh", "-zsh"), ("heron", "heron"), ("/opt/heron --key=1", None), ("/opt/heron /etc/x", None)]
)
def test_what_is_not_surely_a_path_stands_as_printed_and_what_may_be_arguments_not_at_all(printed: str, process: str | None) -> None:
    owner = read("ps -axww -o pid,comm", "  PID COMM", f"  411 {printed}").by_pid[411]
    assert owner.get("process") == process


def test_the_widest_line_may_be_cut_by_the_terminal_unless_ww_was_given() -> None:
    lines = ["  PID COMM", "  411 /opt/mill/bin/her", "  412 /opt/mill/pond"]
    assert read("ps -ax -o pid,comm", *lines).by_pid == {411: {"process": "/opt/mill/bin/her"}, 412: {"process": "pond"}}
    assert read("ps -axww -o pid,comm", *lines).by_pid[411] == {"process": "her"}


def test_a_path_in_a_column_before_others_may_be_cut() -> None:
    found = read("ps -axww -o pid,comm,user", "  PID COMM             USER", "  411 /opt/mill/bin/he ann", "  412 /opt/pond        ann")
    assert found.by_pid == {411: {"process": "/opt/mill/bin/he", "user": "ann"}, 412: {"process": "pond", "user": "ann"}}


def test_elsewhere_a_name_with_a_slash_is_no_path() -> None:
    found = read(
        "ps -eo pid,user:20,comm",
        "  PID USER                 COMMAND",
        "   17 root                 heron/0:1-mill pond",
        "  411 ann                  /odd/name",
    )
    assert found.by_pid == {17: {"user": "root", "process": "heron/0:1-mill pond"}, 411: {"user": "ann", "process": "/odd/name"}}


def test_headers_of_ones_own_may_be_none() -> None:
    assert read("ps -axo pid= -o user= -o comm=", "  411 ann heron").by_pid == {411: {"user": "ann", "process": "heron"}}
    assert read("ps axo pid,uid,comm", "  PID   UID COMMAND", "  411  1004 heron").by_pid == {411: {"uid": 1004, "process": "heron"}}


@pytest.mark.parametrize(
    ("command", "lines", "owner"),
    [
        (
            "ps aux",
            [
                "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND",
                f"ann  411  0.1  0.2  5315  1950 ?  Ss   00:47   1:54 heron {SECRET}",
            ],
            {"user": "ann"},
        ),
        (
            "ps -ef",
            ["UID        PID  PPID  C STIME TTY          TIME CMD", f"ann  411 1  0 Nov 21 ?        00:01:54 /opt/heron {SECRET}"],
            {"user": "ann"},
        ),
        (
            "ps -ef",
            ["  UID   PID  PPID   C STIME   TTY           TIME CMD", f" 1004   411     1   0 10:02AM ??  0:01.54 /opt/heron {SECRET}"],
            {"uid": 1004},
        ),
        ("ps -eo pid,user,args", ["  PID USER     COMMAND", f"  411 ann      heron {SECRET}"], {"user": "ann"}),
        ("ps -axo pid,user,comm,command", ["  PID USER COMM COMMAND", f"  411 ann heron heron {SECRET}"], {"user": "ann"}),
    ],
)
def test_of_a_layout_with_arguments_only_the_user_is_taken(command: str, lines: list[str], owner: dict[str, object]) -> None:
    lines = [*lines, f"ann four-hundred heron {SECRET}"]
    found = ps.parse(Output(command, "\n".join(lines)))
    assert found.by_pid == {411: owner}
    assert [gap.line for gap in found.gaps] == ["ann four-hundred"]
    assert "hunter2" not in kept(found)
    shortened(found, command, *lines)


def test_where_arguments_come_first_nothing_of_a_line_is_kept() -> None:
    found = ps.parse(Output("ps -eo args,pid,user", f"COMMAND PID USER\nheron {SECRET} 411 ann\n{SECRET} odd"))
    assert found.by_pid == {411: {"user": "ann"}}
    assert len(found.gaps) == 1
    assert "hunter2" not in kept(found)


def test_without_a_header_the_columns_are_not_known_and_nothing_is_kept() -> None:
    found = ps.parse(Output("ps aux | grep heron", f"{SECRET} 411 heron {SECRET}"))
    assert found.by_pid == {}
    assert [gap.line for gap in found.gaps] == [None, "..."]
    assert "hunter2" not in kept(found)


def test_a_name_that_is_cut_is_left_out_and_a_number_is_an_id() -> None:
    lines = ["  PID USER     COMMAND", "  411 heron-o+ heron", "  412 1004     mill"]
    assert read("ps -eo pid,user,comm", *lines).by_pid == {411: {"process": "heron"}, 412: {"uid": 1004, "process": "mill"}}


def test_a_process_given_twice_and_not_alike_is_a_gap() -> None:
    lines = ["  PID COMMAND", "  411 heron", "  411 heron", "  411 mill"]
    found = read("ps -eLo pid,comm", *lines)
    assert found.by_pid == {411: {"process": "heron"}}
    assert [gap.line for gap in found.gaps] == ["  411 mill"]


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    laws.total(ps.parse, "ps -axo pid,uid,user,comm", f"{MAC}\n  411  1004 ann              /opt/heron\n$ ps -axo pid,uid,user,comm\n")
    text = f"USER       PID %CPU COMMAND\nann        411  0.1 heron {SECRET}\n"
    for at in range(len(text)):
        found = ps.parse(Output("ps aux", text[:at]))
        told = len(found.taken) + len(found.passed) + sum(gap.line is not None for gap in found.gaps)
        assert told == len(Output("ps aux", text[:at]).lines())
        assert "hunter2" not in kept(found)
