"""`port-auditor script`: what it prints, and how the answers of commands come out of each shell, whatever the host lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from auditor import plugins
from auditor.cli import main
from auditor.collector import Collector, Probe
from auditor.evidence import Answer, load, words
from auditor.script import script
from tests.shells import SHELLS, argv, evidence, folder_of, missing, run, with_path

EVERY_SHELL = pytest.mark.parametrize("shell", [
    pytest.param(name, marks=pytest.mark.skipif(missing(name), reason=f"{name} is not installed")) for name in SHELLS
])  # fmt: skip
FORGED = r"""printf '.\n? 0\n| x\n! y\n@ z\n$ w\n%% uid 0\n\\\n-n\n a\\tb \n\nlast'"""
SAID = b".\n? 0\n| x\n! y\n@ z\n$ w\n% uid 0\n\\\n-n\n a\\tb \n\nlast"


def made(*probes: Probe, system: str | None = None) -> str:
    """A script with these probes for this system."""
    collector = Collector(systems=(system or os.uname().sysname,), probes=probes, interpret=lambda *_: None)  # type: ignore[arg-type, return-value]
    collector.name = "made-up"
    return script([collector])


def asked(*command: str, timeout: int = 60) -> Probe:
    return Probe("it", part="ports", argv=command, timeout=timeout)


def answered(shell: str, *commands: Sequence[str], path: Path | None = None) -> list[Answer]:
    text = made(*(asked(*command) for command in commands))
    found = evidence(run(with_path(text, path) if path else text, shell))
    assert [words(answer.command) for answer in found.answers] == [list(command) for command in commands]
    return found.answers


@EVERY_SHELL
def test_stdout_and_stderr_are_kept_apart_and_forge_nothing(shell: str) -> None:
    both, out, err, neither = answered(
        shell, ["sh", "-c", f"{FORGED}; {FORGED} >&2; exit 3"], ["sh", "-c", "echo one; echo two"], ["sh", "-c", "echo one >&2; echo >&2"],
        ["sh", "-c", "exit 1"],
    )  # fmt: skip
    assert (both.stdout, both.stderr, both.status) == (SAID, SAID, "3")
    assert (out.stdout, out.stderr, out.status) == (b"one\ntwo\n", b"", "0")
    assert (err.stdout, err.stderr, err.status) == (b"", b"one\n\n", "0")
    assert (neither.stdout, neither.stderr, neither.status) == (b"", b"", "1")


@EVERY_SHELL
def test_bytes_that_are_no_text_stay_as_they_are(shell: str) -> None:
    """yash loses what it cannot read as text; then the answer is not taken for a whole one."""
    out, err, after = answered(
        shell, ["sh", "-c", r"printf '\377\303\251\r\033[2J\n'"], ["sh", "-c", r"printf '?0\377\n' >&2"], ["echo", "still"]
    )  # fmt: skip
    assert (out.stdout, out.status) == (b"\xff\xc3\xa9\r\x1b[2J\n", "0")
    assert (err.stderr, err.status) == (b"?0\xff\n", "0") or (shell == "yash" and err.status == "unknown")
    assert after.stdout == b"still\n"


@EVERY_SHELL
def test_without_sed_too_nothing_is_lost_unseen(shell: str, tmp_path: Path) -> None:
    text = made(asked(f"{shutil.which('printf')}", r"one\n\377\ntwo\n"))
    done = run(with_path(text, folder_of([], tmp_path / "bin")), shell)
    (answer,) = load(done.stdout).answers
    assert (answer.stdout, answer.status) == (b"one\n\xff\ntwo\n", "0") or (shell == "yash" and answer.status == "unknown")


@EVERY_SHELL
def test_a_command_that_is_not_there_is_absent_and_the_others_go_on(shell: str) -> None:
    gone, its_own, after = answered(shell, ["no-such-program", "-x"], ["sh", "-c", "exit 127"], ["echo", "still"])
    assert (gone.status, gone.stdout) == ("absent", b"")
    assert its_own.status == "127"
    assert after.stdout == b"still\n"


@EVERY_SHELL
@pytest.mark.skipif(shutil.which("timeout") is None, reason="timeout is not installed")
def test_a_command_that_hangs_is_ended_where_there_is_a_program_for_it(shell: str) -> None:
    found = evidence(run(made(asked("sh", "-c", "echo begun; exec sleep 60", timeout=1), asked("echo", "still")), shell))
    assert [(answer.status, answer.stdout) for answer in found.answers] == [("timeout 1", b"begun\n"), ("0", b"still\n")]


@EVERY_SHELL
def test_words_reach_a_command_as_they_are(shell: str) -> None:
    hard = ["", "a b", "it's", '"$HOME"', "back\\slash", "*", "-n", "`id`", "a;b", "#"]
    (answer,) = answered(shell, ["sh", "-c", 'for word; do printf "%s|" "$word"; done', "-", *hard])
    assert answer.stdout.decode().split("|")[:-1] == hard


@EVERY_SHELL
def test_a_command_that_reads_its_input_does_not_swallow_the_script(shell: str) -> None:
    first, second = answered(shell, ["cat"], ["echo", "still"])
    assert (first.stdout, second.stdout) == (b"", b"still\n")


@EVERY_SHELL
def test_what_a_command_leaves_running_cannot_forge_a_line(shell: str) -> None:
    """It writes after the command has ended, and so after what the script takes for the last line."""
    (answer,) = answered(shell, ["sh", "-c", "(sleep 0.3; echo late; echo '? 0') & echo begun"])
    assert [line for line in answer.stdout.split(b"\n") if not line.startswith(b"?")] == [b"begun", b"late", b""]
    assert b"? 0\n" in answer.stdout


@EVERY_SHELL
def test_many_lines_come_through_whole(shell: str) -> None:
    (answer,) = answered(shell, ["sh", "-c", "seq 100000; seq 100000 >&2"])
    assert answer.stdout == answer.stderr == b"".join(b"%d\n" % number for number in range(1, 100_001))


@EVERY_SHELL
@pytest.mark.parametrize("programs", [[], ["sed"], ["awk", "date", "id", "uname", "cat", "timeout"]], ids=" ".join)
def test_a_host_that_has_next_to_nothing_still_gives_a_bundle(shell: str, programs: list[str], tmp_path: Path) -> None:
    path = folder_of(["sh", *programs], tmp_path / "bin")
    command = ["sh", "-c", f"{FORGED}; {FORGED} >&2; exit 3"]
    printf = FORGED.partition(" ")
    command[2] = command[2].replace(printf[0] + " ", f"{shutil.which('printf')} ")
    both, gone = answered(shell, command, ["netstat", "-an"], path=path)
    assert (both.stdout, both.stderr, both.status) == (SAID, SAID, "3")
    assert (gone.status, gone.stdout) == ("absent", b"")


@EVERY_SHELL
def test_the_head_says_what_can_be_known_and_leaves_out_the_rest(shell: str, tmp_path: Path) -> None:
    text = made(asked("true"))
    whole = evidence(run(text, shell)).head
    assert {key: whole[key] for key in ("system", "release", "host", "uid", "byteorder", "asked")} == {
        "system": os.uname().sysname, "release": os.uname().release, "host": os.uname().nodename, "uid": str(os.geteuid()),
        "byteorder": sys.byteorder, "asked": "ports",
    }  # fmt: skip
    assert whole["taken"].endswith("Z")
    bare = evidence(run(with_path(text, folder_of([], tmp_path / "bin")), shell)).head
    assert "taken" not in bare
    assert {key: bare[key] for key in bare} == {key: whole[key] for key in bare}
    if sys.platform == "linux":
        assert bare.keys() == whole.keys() - {"taken"}


@EVERY_SHELL
def test_a_system_that_it_does_not_know_is_said_and_nothing_is_printed(shell: str) -> None:
    done = run(made(asked("true"), system="Plan9"), shell)
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"does not know the system {os.uname().sysname}" in done.stderr.decode()


@EVERY_SHELL
def test_a_script_that_was_cut_on_its_way_gives_no_whole_bundle(shell: str) -> None:
    text = made(asked("echo", "x"))
    for at in range(0, text.rindex("case $system in"), 997):
        assert not run(text[:at], shell).stdout.endswith(b"\n.\n")


@EVERY_SHELL
def test_every_shell_can_read_the_whole_script(shell: str) -> None:
    done = subprocess.run([*argv(shell)[: -1 if shell != "posh" else None], "-n"], input=script(plugins.collectors().values()).encode(),
                          capture_output=True, check=False)  # fmt: skip
    complaints = [line for line in done.stderr.decode().split("\n") if line and "is slower than" not in line]
    assert (done.returncode, complaints) == (0, [])


@EVERY_SHELL
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")
def test_it_opens_no_file_for_writing(shell: str, tmp_path: Path) -> None:
    """Long output too: many shells keep here-documents in files. ksh93 has unlinked files in /dev/shm for what it substitutes."""
    log = tmp_path / "log"
    text = made(asked("sh", "-c", "seq 30000; seq 30000 >&2"), asked("no-such-program"))
    traced = ["strace", "-f", "-qq", "-e", "trace=open,openat,creat,mknod,mknodat,mkdir,mkdirat,rename,renameat2,unlink", "-o", str(log)]
    done = subprocess.run([*traced, *argv(shell)], input=text.encode(), capture_output=True, check=False)
    if not log.exists() or b"ptrace" in done.stderr:
        pytest.skip("strace is refused here")
    evidence(done)
    opened = [line for line in log.read_text(errors="replace").split("\n") if "(" in line]
    assert opened
    written = [line for line in opened if ("open" not in line or "O_WRONLY" in line or "O_RDWR" in line or "O_CREAT" in line)]
    allowed = ('"/dev/null"', '"/dev/tty"', " = -1 ", *(['"/dev/shm/'] if shell == "ksh93" else []))
    assert not [line for line in written if not any(word in line for word in allowed)]


def test_it_is_printed_for_every_system_that_a_shell_can_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["script"]) == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    choice = printed.rpartition("case $system in")[2]
    for collector in plugins.collectors().values():
        askable = any(probe.argv or probe.sh for probe in collector.probes)
        assert all((f"({system}" in choice or f"| {system}" in choice) == askable for system in collector.systems), collector.name


def test_what_is_opt_in_is_left_out_unless_it_is_named() -> None:
    probes = (asked("true"), Probe("more", part="rare", argv=("echo", "rare"), opt_in=True))
    collector = Collector(systems=("Any",), probes=probes, interpret=lambda *_: None)  # type: ignore[arg-type, return-value]
    collector.name = "any"
    assert "echo rare" not in script([collector])
    only_rare = script([collector], frozenset({"rare"}))
    assert "echo rare" in only_rare
    assert "60 true" not in only_rare


def test_parts_are_chosen_by_name_and_a_file_is_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "collect.sh"
    assert main(["script", "--only", "persisted", "-o", str(target)]) == 0
    assert capsys.readouterr().out == ""
    written = target.read_text()
    assert "\nbegin 'linux" in written
    assert " persisted\npersisted\nsay .\n" in written
    assert main(["script", "--only", "nonsense"]) == 2
    assert "the parts are:" in capsys.readouterr().err
