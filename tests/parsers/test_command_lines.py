"""How parsers read the command line that was run, and tell a prompt from output."""

from __future__ import annotations

import pytest

from auditor.command import Command
from auditor.parsers.long_options import LongOptions
from auditor.parsers.printed_files import printed_files
from auditor.parsers.typed_lines import is_echo

LONG = {"tcp": "t", "family": "f", "socket": "A", "summary": "s"}


@pytest.mark.parametrize(
    ("line", "letters", "values", "words"),
    [
        ("-tln", "tln", {}, []), ("-t -l -- -x", "tl", {}, ["-x"]), ("-tf inet a", "tf", {"f": ["inet"]}, ["a"]),
        ("-finet6", "f", {"f": ["inet6"]}, []),
        ("--tcp --family=inet b", "tf", {"f": ["inet"]}, ["b"]), ("--family inet", "f", {"f": ["inet"]}, []),
        ("--fam inet", "f", {"f": ["inet"]}, []),
        ("--s", "", {}, []), ("--nothing", "", {}, []), ("-f", "f", {"f": [""]}, []), ("- a", "", {}, ["-", "a"]),
    ],
)  # fmt: skip
def test_options_of_gnu(line: str, letters: str, values: dict[str, list[str]], words: list[str]) -> None:
    given = LongOptions(line.split(), "f", LONG)
    assert (given.letters, given.values, given.words) == (set(letters), values, words)


def test_braces_of_files_are_taken_apart_as_a_shell_does() -> None:
    assert printed_files(Command("cat -v /a/{b,c}{,6} /d /e*")) == ["/a/b", "/a/b6", "/a/c", "/a/c6", "/d", "/e*"]


@pytest.mark.parametrize(
    "line", ["$ ss -tuln", "# ss", "root@web:~# ss -l", "[ann@web etc]$ sudo ss -l", "ann@mac ~ % /usr/sbin/ss", "root@web:~#",
             "web:/ # sudo -u x ss -n"]
)  # fmt: skip
def test_a_prompt_is_told(line: str) -> None:
    assert is_echo(line, "ss")


@pytest.mark.parametrize(
    "line", ["tcp LISTEN 0 5 0.0.0.0:80 0.0.0.0:*", "ss -l", "# netstat -an", "root@web:~# ssh host", "", "100%", "udp 0 # ss:1 *:*"]
)
def test_output_is_no_prompt(line: str) -> None:
    assert not is_echo(line, "ss")


@pytest.mark.parametrize(
    ("text", "stack"),
    [("ss -tlnN blue", "blue"), ("ss --net=blue -l", "blue"), ("ss -tln", None), ("cat /proc/77/net/tcp /proc/77/net/tcp6", "process 77"),
     ("cat /proc/77/task/78/net/udp", "process 77"), ("cat /proc/1/net/tcp", None), ("cat /proc/net/tcp", None),
     ("cat /proc/self/net/tcp", None),
     ("cat /proc/7/net/tcp /proc/8/net/tcp", "process 7, 8"), ("cat /proc/sys/net/ipv4/x", None), ("ip netns exec red ss -N blue", "red")],
)  # fmt: skip
def test_ss_and_files_of_a_process_may_be_of_another_namespace(text: str, stack: str | None) -> None:
    command = Command(text)
    assert (command.stack, command.kind) == (stack, "netns" if stack else None)
