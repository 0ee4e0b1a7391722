"""`port-auditor bundle`: what somebody saved becomes evidence, word for word."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from auditor.cli import main
from auditor.evidence import MAX_BUNDLE, load
from tests.saved_hosts import FREEBSD

SOCKSTAT = FREEBSD.texts["sockstat -46l"]
IPV4_ALONE = SOCKSTAT.split("\n", 1)[0] + "\nroot     sshd        901  5   tcp4   *:22                  *:*\n"


class Bundle:
    """The command as it is typed, in a folder of its own; `code`, `out` (bytes) and `err` of the last run."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.folder = folder
        self.capture = capture
        self.out = b""
        self.err = ""

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def run(self, *words: str) -> int:
        try:
            code = main(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = self.capture.readouterr()
        self.out, self.err = out, err.decode()
        return code

    def __call__(self, *words: str, system: str = "FreeBSD", answer: str | None = "sockstat -46l", content: str | bytes = SOCKSTAT) -> int:
        answers = [] if answer is None else ["--answer", answer, self.file("saved.txt", content)]
        return self.run("bundle", "--system", system, *words, *answers)


@pytest.fixture
def bundle(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Bundle:
    return Bundle(tmp_path, capfdbinary)


def test_a_bundle_says_what_it_was_told_and_keeps_the_output_word_for_word(bundle: Bundle) -> None:
    assert bundle("--release", "14.1-RELEASE", "--host", "fw2", "--taken", "2026-11-20T23:00:00Z") == 0
    read = load(bundle.out)
    assert read.head == {"system": "FreeBSD", "release": "14.1-RELEASE", "host": "fw2", "taken": "2026-11-20T23:00:00Z"}
    (answer,) = read.answers
    assert (answer.probe, answer.command, answer.status, answer.stack) == ("saved", "sockstat -46l", "unknown", None)
    assert answer.stdout == SOCKSTAT.encode()
    assert (read.gaps, bundle.err) == ([], "")


def test_what_was_not_told_is_not_in_it(bundle: Bundle) -> None:
    assert bundle() == 0
    assert load(bundle.out).head == {"system": "FreeBSD"}


@pytest.mark.parametrize(("given", "system"), [("freebsd", "FreeBSD"), ("DARWIN", "Darwin"), ("windows", "Windows"), ("vos", "VOS"),
                                               ("ftx", "FTX"), ("hp-ux", "HP-UX"), ("sunos", "SunOS"), ("LINUX", "Linux")])  # fmt: skip
def test_the_systems_name_is_taken_in_any_case(bundle: Bundle, given: str, system: str) -> None:
    assert bundle(system=given, answer="netstat -an") in (0, 3)
    assert load(bundle.out).head["system"] == system


def test_a_system_that_no_collector_knows_is_answered_with_those_there_are(bundle: Bundle) -> None:
    assert bundle(system="FreeBDS") == 2
    assert "FreeBDS" in bundle.err
    assert "FreeBSD" in bundle.err.partition("what to do")[2]
    assert bundle.out == b""


@pytest.mark.parametrize(
    "when",
    ["2026-11-20", "2026-11-20 23:00:00", "2026-11-20T23:00:00", "2026-11-20T23:00:00+01:00", "2026-13-20T23:00:00Z",
     "2026-02-30T23:00:00Z", "2026-11-20T24:00:01Z", "\uff12\uff10\uff12\uff16-11-20T23:00:00Z", "yesterday", "", "2026-11-20T23:00:00Z\n"],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(bundle: Bundle, when: str) -> None:
    assert bundle("--taken", when) == 2
    assert "write it as 2026-11-20T23:00:00Z" in bundle.err
    assert bundle.out == b""


def test_several_answers_stand_in_the_order_in_which_they_were_given(bundle: Bundle) -> None:
    ids = bundle.file("id.txt", "uid=0(root) gid=0(wheel)\n")
    assert bundle("--answer", "id", ids) == 0
    assert [answer.command for answer in load(bundle.out).answers] == ["id", "sockstat -46l"]


def test_a_stack_labels_every_answer(bundle: Bundle) -> None:
    name = "jail:a b'\\ \n% system Linux\x1b\u202e"
    assert bundle("--stack", name) == 0
    assert [answer.stack for answer in load(bundle.out).answers] == [name]
    assert load(bundle.out).gaps == []


def test_a_head_cannot_be_forged_by_a_value(bundle: Bundle) -> None:
    assert bundle("--host", "fw2\n% uid 0\n@ x\n$ id\n| 0", "--release", "14\r\n% uid 0") == 0
    read = load(bundle.out)
    assert set(read.head) == {"system", "host", "release"}
    assert (len(read.answers), read.gaps) == (1, [])


def test_output_comes_from_stdin_too_but_once(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "stdin"
    path.write_bytes(SOCKSTAT.encode() + b"\xff\xfe")
    with path.open("rb") as stdin:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin))
        assert bundle("--answer", "sockstat -4l", "-", answer=None) == 3
    assert "a line of sockstat cannot be read" in bundle.err
    assert load(bundle.out).answers[0].stdout == SOCKSTAT.encode() + b"\xff\xfe"
    assert bundle("--answer", "sockstat -4l", "-", "--answer", "sockstat -6l", "-", answer=None) == 2
    assert "stdin is given as the output of several commands" in bundle.err


@pytest.mark.parametrize("name", ["gone.txt", "."])
def test_a_file_that_cannot_be_read_is_refused_with_advice(bundle: Bundle, tmp_path: Path, name: str) -> None:
    assert bundle("--answer", "sockstat -4l", str(tmp_path / name), answer=None) == 2
    assert str(tmp_path) in bundle.err
    assert "give the file that holds the command's output" in bundle.err
    assert bundle.out == b""


@pytest.mark.parametrize("command", ["", "  ", "id\n", "id\n| uid=0", "sockstat\x1b[2J", "sockstat\t-4l", "\u202esockstat", "id\x00"])
def test_a_command_that_nobody_can_have_typed_is_refused(bundle: Bundle, command: str) -> None:
    assert bundle(answer=command) == 2
    assert "not a command" in bundle.err
    assert "\x1b" not in bundle.err
    assert "\u202e" not in bundle.err
    assert bundle.out == b""


@pytest.mark.parametrize("words", [(), ("--answer", "id", "id.txt"), ("--system", "FreeBSD", "--answer", "id")])
def test_what_is_left_out_is_asked_for(bundle: Bundle, words: tuple[str, ...]) -> None:
    assert bundle.run("bundle", *words) == 2
    assert bundle.out == b""


def test_a_file_is_readable_by_its_owner_and_group_alone(bundle: Bundle, tmp_path: Path) -> None:
    target = tmp_path / "fw2.evidence"
    assert bundle("-o", str(target)) == 0
    assert target.stat().st_mode & 0o777 == 0o640
    assert bundle.out == b""
    assert load(target.read_bytes()).answers[0].stdout == SOCKSTAT.encode()


def test_a_place_that_cannot_be_written_exits_74_and_leaves_nothing(bundle: Bundle, tmp_path: Path) -> None:
    assert bundle("-o", str(tmp_path / "none" / "x")) == 74
    assert [path.name for path in tmp_path.iterdir()] == ["saved.txt"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"no line feed at the end",
        b"\xff\xfe\x00 not UTF-8 \x80\n",
        b"carriage\r\nreturns\r\n",
        b".\n? 0\n@ id\n$ id\n| uid=0(root)\n? 0\n.\n",
        b"| x\n! y\n\\\n% uid 0\nport-auditor evidence 1\n",
        b"\x1b]0;title\x07\x1b[2J\xe2\x80\xae\n",
        bytes(range(256)) * 3,
    ],
)
def test_whatever_a_file_holds_is_kept_as_it_is_and_forges_nothing(bundle: Bundle, content: bytes) -> None:
    assert bundle(content=content) == 3
    assert "sockstat -46l: it is empty" in bundle.err if not content.strip() else "sockstat -46l: nothing in it can be read" in bundle.err
    read = load(bundle.out)
    assert [(answer.command, answer.stdout, answer.status) for answer in read.answers] == [("sockstat -46l", content, "unknown")]
    assert (read.head, read.gaps) == ({"system": "FreeBSD"}, [])


def test_what_no_parser_knows_is_told_and_kept_all_the_same(bundle: Bundle) -> None:
    assert bundle(answer="rockstat -l", content="x\n") == 3
    assert bundle.err == "port-auditor: not read: rockstat -l: no parser knows this command\n"
    assert load(bundle.out).answers[0].stdout == b"x\n"


def test_a_program_that_another_system_has_is_not_read_here(bundle: Bundle) -> None:
    assert bundle(system="Linux") == 3
    assert "not read: sockstat -46l: no parser knows this command" in bundle.err


def test_output_that_no_bundle_can_hold_is_refused_and_one_line_that_is_too_long_is_told(bundle: Bundle) -> None:
    assert bundle(content=b"x\n" * (MAX_BUNDLE // 2 + 1)) == 2
    assert f"longer than {MAX_BUNDLE} bytes" in bundle.err
    assert bundle(content=b"\n" * (MAX_BUNDLE // 2)) == 2, "each line of it is two bytes longer in a bundle"
    assert "would be longer than" in bundle.err
    assert bundle.out == b""
    assert bundle(content=b"y" * (1 << 21) + b"\n") == 3
    assert "not read: a line is longer than 1048576 bytes and was cut" in bundle.err


def audited(bundle: Bundle, tmp_path: Path, *policy: str) -> SimpleNamespace:
    """The report on the last bundle."""
    source = tmp_path / "it.evidence"
    source.write_bytes(bundle.out)
    code = bundle.run("audit", str(source), "-f", "json=-", *policy)
    return SimpleNamespace(code=code, **json.loads(bundle.out))


def test_an_audit_of_what_was_saved_is_incomplete_and_names_what_was_not_shown(bundle: Bundle, tmp_path: Path) -> None:
    assert bundle("--release", "14.1-RELEASE", "--host", "fw2", answer="sockstat -4l", content=IPV4_ALONE) == 0
    report = audited(bundle, tmp_path)
    assert (report.code, report.verdict, report.complete) == (3, "incomplete", False)
    said = [one for one in report.findings if one["rule"] == "evidence-incomplete"]
    assert any("IPv6" in one["message"] or "ipv6" in one["message"] for one in said)
    assert not any("IPv4" in one["message"] for one in said)
    (host,) = report.hosts
    assert (host["host"], host["system"], host["release"]) == ("fw2", "FreeBSD", "14.1-RELEASE")
    assert any("Output saved by others" in limit for limit in host["limits"])
    assert "pass" not in {one["outcome"] for one in report.findings if one["rule"] == "privileged-range-lowered"}


def test_a_bundle_without_answers_is_audited_as_one_that_says_nothing(bundle: Bundle, tmp_path: Path) -> None:
    assert bundle("--release", "14.1-RELEASE", answer=None) == 0
    report = audited(bundle, tmp_path)
    assert (report.code, report.verdict) == (3, "incomplete")
    assert {one["rule"] for one in report.findings if one["outcome"] == "pass"} == {
        "release-without-vendor-row", "waiver-expired", "waiver-too-long", "waiver-unused",
    }  # fmt: skip


def test_a_finding_of_what_was_saved_is_found_beside_what_is_unknown(bundle: Bundle, tmp_path: Path) -> None:
    policy = bundle.file("site.yaml", "policy: 1\nextends: baseline\nlistening: {forbidden: [{port: 22, why: closed}]}\n")
    bundle("--release", "14.1-RELEASE", answer="sockstat -4l", content=IPV4_ALONE)
    report = audited(bundle, tmp_path, "-p", policy)
    assert (report.code, report.verdict, report.complete) == (1, "fail", False)
    assert [
        (one["subject"], one["outcome"]) for one in report.findings if one["rule"] == "listener-forbidden" and one["outcome"] == "fail"
    ] == [("tcp/0.0.0.0:22", "fail")]


def test_lines_that_cannot_be_read_are_told_at_once_the_first_of_them(bundle: Bundle) -> None:
    assert bundle(content=IPV4_ALONE + "".join(f"odd {number}\n" for number in range(9))) == 3
    assert "not read: a line of sockstat cannot be read: odd 0\n" in bundle.err
    assert "not read: and 4 more lines\n" in bundle.err


def test_a_machine_of_which_nothing_was_saved_is_its_vendors_word(bundle: Bundle, tmp_path: Path) -> None:
    where = str(tmp_path / "m1.evidence")
    assert bundle("--release", "14.5.0at", "--stack", "STCP", "-o", where, system="VOS", answer=None) == 0
    assert bundle.run("snapshot", where) == 3
    (stack,) = json.loads(bundle.out)["stacks"]["seen"]
    assert (stack["name"], stack["ephemeral"]["basis"], stack["ephemeral"]["seen"][0]["first"]) == ("STCP", "documented", 49152)
