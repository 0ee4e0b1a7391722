"""A report on a real terminal, which the program asks for its columns, and in files and pipes, where no terminal plays a part."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from auditor.cli.terminal import shown_on
from auditor.presentation import Presentation

ROOT = Path(__file__).resolve().parent.parent.parent
WEB1 = ["audit", "web1.evidence", "-p", "./web1.yaml", "--today", "2026-11-21"]


def started(words: list[str], stdout: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "auditor", *words], stdout=stdout, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=ROOT / "tests" / "evidence", env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def on_terminal(columns: int, *words: str, **environment: str) -> str:
    """What the program writes to a terminal of so many columns."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, columns))
    process = started([*WEB1, *words], its, {"TERM": "xterm", **environment})
    os.close(its)
    read = b""
    try:
        while chunk := os.read(ours, 65536):
            read += chunk
    except OSError:  # EIO: nobody has the terminal's other side any more
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 1
    return read.decode().replace("\r\n", "\n")


def piped(*words: str, **environment: str) -> str:
    process = started([*WEB1, *words], subprocess.PIPE, environment)
    return process.communicate(timeout=60)[0].decode()


@pytest.mark.parametrize(("columns", "widest"), [(60, 60), (150, 150), (20, 40), (500, 200), (0, 80)])
def test_the_text_is_as_wide_as_the_terminal(columns: int, widest: int) -> None:
    lines = on_terminal(columns, "-f", "text", NO_COLOR="1").splitlines()
    assert widest * 3 // 4 < max(map(len, lines)) <= widest


def test_columns_says_how_wide_a_terminal_is_to_be_taken() -> None:
    assert max(map(len, on_terminal(150, "-f", "text", NO_COLOR="1", COLUMNS="70").splitlines())) <= 70


@pytest.mark.parametrize(("environment", "coloured"), [
    ({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "0"}, False), ({"TERM": "dumb"}, False), ({"TERM": ""}, False),
])  # fmt: skip
def test_a_terminal_has_colour_unless_somebody_says_no(environment: dict[str, str], coloured: bool) -> None:
    assert ("\x1b[" in on_terminal(80, "-f", "text", **environment)) is coloured


def test_the_usual_summary_has_colour_too_and_the_files_beside_it_none(tmp_path: Path) -> None:
    text = on_terminal(80, "-f", "text", "-f", f"text={tmp_path / 'report.txt'}")
    assert "\x1b[" in text
    assert (tmp_path / "report.txt").read_text() == piped("-f", "text")


def test_what_goes_to_a_pipe_or_a_file_depends_on_no_terminal() -> None:
    plain = piped("-f", "text")
    assert plain == piped("-f", "text", COLUMNS="40", LINES="5", TERM="xterm-256color", CLICOLOR_FORCE="1", FORCE_COLOR="1")
    assert "\x1b" not in plain
    assert max(len(line) for line in plain.splitlines() if not line.startswith("answers: ")) <= 100


def test_what_is_shown_on_a_terminal_is_not_what_is_shown_elsewhere() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    elsewhere = Presentation(banner="SECRET")
    there = shown_on(Terminal(), elsewhere)
    assert (there.banner, there.width is None, elsewhere.width, elsewhere.colour) == ("SECRET", False, None, False)


def test_a_json_on_a_terminal_is_json() -> None:
    assert on_terminal(40, "-f", "json").startswith('{\n "schema"')


def test_the_help_says_it() -> None:
    said = " ".join(subprocess.run([sys.executable, "-m", "auditor", "audit", "--help"], capture_output=True, text=True, cwd=ROOT,
                                   check=True, timeout=60).stdout.split())  # fmt: skip
    assert re.search(r"as wide as that \(or as COLUMNS says\), and coloured unless NO_COLOR is set or TERM is dumb", said)
