"""A `$` line says what was run: which program with which options, in which stack, and what its output went through."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.command import Command


@pytest.mark.parametrize(
    ("text", "program", "arguments"),
    [
        ("netstat -an", "netstat", ("-an",)),
        ("/usr/sbin/ss -tulpn", "ss", ("-tulpn",)),
        ("sudo -u root -n /usr/bin/sockstat -4l", "sockstat", ("-4l",)),
        ("doas netstat -an", "netstat", ("-an",)),
        ("env LC_ALL=C PATH=/usr/sbin:/sbin ss -ltn", "ss", ("-ltn",)),
        ("LC_ALL=C ss -ltn", "ss", ("-ltn",)),
        ("busybox netstat -tuln", "netstat", ("-tuln",)),
        ("timeout -s KILL 10 lsof -nP -i", "lsof", ("-nP", "-i")),
        ("nice -n 19 ionice", "ionice", ()),
        (r"C:\Windows\System32\netstat.exe -ano", "netstat", ("-ano",)),
        ("NETSTAT.EXE -ano", "netstat", ("-ano",)),
        ("cat '/a folder/x'", "cat", ("/a folder/x",)),
        ("netstat -an 2>/dev/null", "netstat", ("-an",)),
        ("# sockstat -46l", "sockstat", ("-46l",)),
        ("$ sudo ss -tln", "ss", ("-tln",)),
        ("sysctl -a 2>&1 < /dev/null", "sysctl", ("-a",)),
        ("", "", ()),
        ("sudo", "", ()),
        ("netstat 'unclosed", "netstat", ("'unclosed",)),
    ],
)
def test_wrappers_paths_and_redirections_are_not_the_program(text: str, program: str, arguments: tuple[str, ...]) -> None:
    command = Command(text)
    assert (command.program, command.arguments) == (program, arguments)
    assert (command.stack, command.filters) == (None, ())


@pytest.mark.parametrize(
    ("text", "stack", "kind", "program"),
    [
        ("jexec web netstat -an", "jail:web", "vnet", "netstat"),
        ("jexec -u root 3 sockstat -l", "jail:3", "vnet", "sockstat"),
        ("zlogin -l root app netstat -an", "zone:app", "zone", "netstat"),
        ("ip netns exec blue ss -ltn", "blue", "netns", "ss"),
        ("sudo ip netns exec blue env LC_ALL=C ss -ltn", "blue", "netns", "ss"),
        ("route -T 5 exec netstat -an", "rdomain:5", "rdomain", "netstat"),
        ("nsenter -t 4711 -n ss -ltn", "process 4711", "netns", "ss"),
        ("nsenter --target=4711 --net ss -ltn", "process 4711", "netns", "ss"),
        ("nsenter --net=/run/netns/green -- ss -ltn", "green", "netns", "ss"),
        ("docker exec -it -u root shop netstat -tln", "container:shop", "netns", "netstat"),
        ("docker exec shop netstat -tln", "container:shop", "netns", "netstat"),
        ("kubectl exec -n shop web-0 -- ss -ltn", "container:web-0", "netns", "ss"),
        ("ip vrf exec blue ss -ltn", None, None, "ss"),
        ("ip vrf exec blue ip netns exec red ss -ltn", "red", "netns", "ss"),
        ("ss -ltn --net blue", "blue", "netns", "ss"),
        ("ss --net red --net=blue -ltn", "blue", "netns", "ss"),
        ("ss --net=red -ltn --net blue", "blue", "netns", "ss"),
        ("ss -ltn --net", None, None, "ss"),
    ],
)
def test_a_command_run_elsewhere_names_its_stack(text: str, stack: str | None, kind: str | None, program: str) -> None:
    command = Command(text)
    assert (command.stack, command.kind, command.program) == (stack, kind, program)


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("sysctl -a | grep portrange", ("grep portrange",)),
        ("netstat -an|egrep 'LISTEN|udp' | sort", ("egrep LISTEN|udp", "sort")),
        ("ss -ltn 2>/dev/null | head -5", ("head -5",)),
        ("ss -ltn > /tmp/out", (">",)),
        ("ss -ltn >> out", (">>",)),
        ("ss -ltn >&2", (">&",)),
        ("ss -ltn &", ("&",)),
        ("ss -ltn | tee >(wc)", ("tee", ">(")),
        ("cd / && ss -ltn", ("ss -ltn", "&&")),
        ("ss -ltn; true", ("true", ";")),
        ("ss -ltn || true", ("true", "||")),
        ("(ss -ltn) 2>&1 |& cat", ("cat",)),
    ],
)
def test_what_the_output_went_through_is_kept(text: str, filters: tuple[str, ...]) -> None:
    assert Command(text).filters == filters


@pytest.mark.parametrize(
    ("text", "letter", "value"),
    [
        ("netstat -an -p tcp", "p", "tcp"),
        ("netstat -anp tcp", "p", "tcp"),
        ("netstat -ptcp", "p", "tcp"),
        ("netstat -an", "p", None),
        ("netstat -f inet -f inet6", "f", "inet6"),
        ("netstat -an -p", "p", None),
        ("netstat -fp tcp", "p", None),
        ("netstat -an -- -p tcp", "p", None),
        ("netstat -an -a", "a", None),
    ],
)
def test_an_options_value_is_found_however_it_is_written(text: str, letter: str, value: str | None) -> None:
    assert Command(text).option(letter, "fp") == value


def test_the_options_given_are_those_up_to_a_double_dash() -> None:
    given_ones = Command("netstat -an -v -f inet --wide -finet6 -- -x").given("f")
    assert given_ones == {"a": [], "n": [], "v": [], "f": ["inet", "inet6"], "--wide": []}


@given(st.text())
def test_no_text_is_refused(text: str) -> None:
    command = Command(text)
    assert command.text == text
    assert command.option("p", "p") is None or isinstance(command.option("p", "p"), str)
    assert all(letter in "p" or values == [] for letter, values in command.given("p").items())


@pytest.mark.parametrize(
    "word", ["sudo ", "A=1 ", "env ", "timeout ", "sudo -a ", "sudo " + "-a ", "nsenter -a ", "ss -a ", "| a ", "a", "'a' "]
)
def test_a_command_line_of_any_length_is_read_without_a_hang(word: str) -> None:
    """A guard: what grows with the square of the length takes minutes."""
    started = time.process_time()
    for first in ("", "sudo ", "ss "):
        Command(first + word * (300_000 // len(word)))
        Command(first + word * (16_000 // len(word)))
    assert time.process_time() - started < 5


def test_the_output_of_a_command_line_that_is_too_long_to_take_apart_counts_as_filtered() -> None:
    assert Command("ss -ltn " + "-a " * 4_000).filters == ()
    (why,) = Command("ss -ltn " + "-a " * 6_000).filters
    assert "more than 16384 characters" in why
