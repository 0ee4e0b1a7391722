"""The evidence bundle: what is written is what is read, nothing a command prints forges a line of another kind, and reading is total."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auditor import evidence
from auditor.evidence import ENDING, MAGIC, Answer, load, opening, quoted, words

STATUSES = ("0", "1", "127", "signal 9", "timeout 60", "absent", "cut 262144", "unknown")
FORGERIES = (
    b".\n",
    b"\n.\n",
    b"? 0\n",
    b"x\n? 0\n@ owners\n$ builtin:holders\n| pid\tinodes\n",
    b"% host other\n",
    b"\\\n",
    b"x\n\\",
    b"| a\n! b\n",
    b"a\rb\r\n",
    b"a\x85b\xe2\x80\xa8c\x0bd\x0ce\x1cf\n",
    b"\n\n\n",
    b"\n",
    b"\0\xff\xfe\n",
    b"no end of line",
)
STREAMS = st.one_of(st.binary(max_size=60), st.sampled_from(FORGERIES), st.lists(st.sampled_from(FORGERIES), max_size=3).map(b"".join))


def bundle(*answers: Answer, head: dict[str, str] | None = None) -> bytes:
    return opening({"system": "Linux"} if head is None else head) + b"".join(answer.to_bytes() for answer in answers) + ENDING


def plain(answer: Answer) -> tuple[object, ...]:
    return answer.probe, answer.command, answer.stdout, answer.stderr, answer.status, answer.stack


@given(STREAMS, STREAMS, st.sampled_from(STATUSES), st.one_of(st.none(), st.text(max_size=12)))
@example(b"", b"", "0", None)
@example(b"", b"", "0", "a b' \n@ c")
def test_whatever_a_command_printed_comes_back_byte_for_byte(out: bytes, err: bytes, status: str, stack: str | None) -> None:
    if stack is not None:
        stack = stack.encode("utf-8", "replace").decode()
    one = Answer("sockets", "ss -ltn", out, status, stderr=err, stack=stack)
    two = Answer("sysctl", "sysctl -a", err, "0", stderr=out)
    read = load(bundle(one, two))
    assert read.gaps == []
    assert [plain(answer) for answer in read.answers] == [plain(one), plain(two)]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_nothing_that_a_command_prints_forges_a_line_of_another_kind(forgery: bytes) -> None:
    read = load(bundle(Answer("a", "x", forgery, "1", stderr=forgery), head={"host": "web1"}))
    assert read.head == {"host": "web1"}
    assert [plain(answer) for answer in read.answers] == [("a", "x", forgery, forgery, "1", None)]
    assert read.gaps == []


@given(st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True), st.text(max_size=30), max_size=4))
@example({"host": "a\n% uid 0\n@ owners\n$ x\n| y\n? 0\n.\n"})
@example({"host": "a\r\x85\u2028% uid 0"})
@example({"host": "\ud800\udcff"})
def test_no_value_of_the_head_forges_another_line(head: dict[str, str]) -> None:
    read = load(bundle(head=head))
    assert read.gaps == []
    assert read.answers == []
    assert read.head.keys() == head.keys()
    for key, value in head.items():
        assert read.head[key] == value or not value.isprintable()
        assert read.head[key].isprintable()


def test_the_sha256_is_of_the_bundle_as_it_is() -> None:
    whole = bundle(Answer("a", "x", b"1\n"))
    assert load(whole).sha256 == hashlib.sha256(whole).hexdigest()


def test_a_name_that_every_finding_would_repeat_a_thousandfold_is_not_read() -> None:
    read = load(b"port-auditor evidence 1\n% system Linux\n% host " + b"a" * 2000 + b"\n.\n")
    assert read.head == {"system": "Linux"}
    assert read.gaps == [("the bundle's 'host' is longer than 1024 characters and was not read", None)]


def test_a_key_of_the_head_that_stands_twice_is_a_gap_and_the_first_counts() -> None:
    read = load(bundle().replace(b"% system Linux\n", b"% system Linux\n% system FreeBSD\n"))
    assert read.head == {"system": "Linux"}
    assert read.gaps == [("the bundle says 'system' twice", "% system FreeBSD")]


@pytest.mark.parametrize("cut", [len(ENDING), len(ENDING) + 1, 20])
def test_a_bundle_without_its_last_line_was_cut(cut: int) -> None:
    read = load(bundle(Answer("a", "x", b"one\ntwo\n"), Answer("b", "y", b"three\n"))[:-cut])
    assert any("was cut" in why for why, _ in read.gaps)
    assert read.answers[0].stdout == b"one\ntwo\n"


@pytest.mark.parametrize("more", [b"x\n", b"@ owners\n$ x\n| y\n? 0\n", b"\n", b".\n", b"x", MAGIC])
def test_text_after_the_last_line_is_a_gap_and_is_not_read(more: bytes) -> None:
    read = load(bundle(Answer("a", "x", b"1\n")) + more)
    assert len(read.answers) == 1
    assert read.gaps


def test_one_gap_is_enough_for_all_that_was_added() -> None:
    read = load(bundle() + b"x\n" * 1000)
    assert [why for why, _ in read.gaps] == ["something was added after the bundle's end"]


def test_an_answer_without_a_status_is_unknown_and_so_no_good() -> None:
    read = load(MAGIC + b"@ a\n$ x\n| 1\n$ y\n| 2\n@ b\n$ z\n| 3\n.\n")
    assert [(a.command, a.stdout, a.status) for a in read.answers] == [
        ("x", b"1\n", "unknown"),
        ("y", b"2\n", "unknown"),
        ("z", b"3\n", "unknown"),
    ]
    assert all(answer.trouble for answer in read.answers)


@pytest.mark.parametrize(
    "line",
    [b"| before any answer", b"$ before any probe", b"? 0", b"\\", b"garbage", b"@", b"$", b"%", b"|x", b" | x", b"# comment", b"\xff\xfe"],
)
def test_a_line_that_fits_nowhere_is_a_gap_with_the_line_in_it(line: bytes) -> None:
    read = load(MAGIC + line + b"\n.\n")
    assert read.answers == []
    assert [said for _, said in read.gaps] == [line.decode("utf-8", "backslashreplace")]


def test_an_end_of_stream_that_stands_in_the_middle_is_a_gap() -> None:
    read = load(MAGIC + b"@ a\n$ x\n| one\n\\\n| two\n? 0\n.\n")
    assert read.answers[0].stdout == b"one\ntwo\n"
    assert read.gaps == [("a line follows one that was said to be the last", "| two")]


def test_a_file_that_is_no_bundle_is_all_gaps() -> None:
    for content in (b"", b"\n", b"hello\n", MAGIC[:-1], b"port-auditor evidence 2\n.\n", MAGIC.replace(b"\n", b"\r\n") + b".\n"):
        read = load(content)
        assert read.gaps, content
        assert read.answers == []


def test_carriage_returns_are_content() -> None:
    read = load(MAGIC + b"% host web1\r\n@ a\n$ x\n| one\r\n? 0\n.\n")
    assert read.head["host"] == "web1\r"
    assert read.answers[0].stdout == b"one\r\n"


@given(st.binary(max_size=400))
@example(b"\\\n|\n!\n? \n@ \n$ \n%  \n.\n")
def test_reading_is_total(content: bytes) -> None:
    for text in (content, MAGIC + content, MAGIC + b"@ a\n$ x\n" + content):
        read = load(text)
        assert read.gaps or text.endswith(b".\n")
        for answer in read.answers:
            assert isinstance(answer.text, str)
            assert answer.trouble is None or answer.status != "0"


@given(
    st.lists(st.sampled_from([b"@ a\n", b"@ b stack=c\n", b"$ x\n", b"| 1\n", b"! 2\n", b"\\\n", b"? 0\n", b"? \n", b".\n", b"% k v\n"]))
)
def test_lines_in_any_order_never_make_more_of_stdout_than_was_marked_so(lines: list[bytes]) -> None:
    read = load(MAGIC + b"".join(lines))
    assert sum(answer.stdout.count(b"1") for answer in read.answers) <= lines.count(b"| 1\n")
    assert sum(answer.stderr.count(b"2") for answer in read.answers) <= lines.count(b"! 2\n")
    assert {byte for answer in read.answers for byte in answer.stdout} <= set(b"1\n")


def test_a_line_too_long_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MAX_LINE", 100)
    read = load(bundle(Answer("a", "x", b"y" * 150 + b"\nz\n")))
    assert read.answers[0].stdout == b"y" * 98 + b"\nz\n"
    assert [why for why, _ in read.gaps] == ["a line is longer than 100 bytes and was cut"]


def test_a_bundle_too_long_is_read_as_far_as_it_may_be_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bundle(*(Answer("a", f"x{n}", b"1\n") for n in range(9)))
    monkeypatch.setattr(evidence, "MAX_BUNDLE", 60)
    read = load(whole)
    assert len(read.answers) < 9
    assert any("longer than 60 bytes" in why for why, _ in read.gaps)
    assert read.sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("status", [s for s in STATUSES if s != "0"])
def test_any_status_but_zero_is_trouble_and_says_what_was_asked(status: str) -> None:
    assert Answer("a", "x", b"1\n").trouble is None
    assert Answer("a", "lsof -i", b"1\n", status).trouble == f"lsof -i: status {status}"
    assert Answer("a", "lsof -i", b"", status, stderr=b"not permitted\n").trouble == "lsof -i: not permitted"


def test_bytes_that_are_not_utf8_are_kept_and_shown_as_escapes() -> None:
    read = load(bundle(Answer("a", "x", b"name\xff\xfe \xc3\xa9\n")))
    assert read.answers[0].stdout == b"name\xff\xfe \xc3\xa9\n"
    assert read.answers[0].text == "name\\xff\\xfe é\n"


# Quoting


HOSTILE_PATHS = ("/etc/sysctl.d/99 ports.conf", "/srv/it's", "/srv/a\nb", "/srv/$(reboot)",
                 "/srv/\x1b[2J", "/srv/\udcff", '/srv/"', "/srv/\\x41",
                 "", "-", "~", "a;b", "é", "\u202e", "'", "''", "\\", "a\\'b", "$'x'", "\t", "=", "@ x", "stack=host x")  # fmt: skip


@given(st.text(alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("'\"\\$ \n\t\x1b\udcff\udc80")), max_size=20))
def test_a_quoted_word_reads_back_and_stays_on_its_line(word: str) -> None:
    written = quoted(word)
    assert "\n" not in written
    assert words(f"cat {written} -x") == ["cat", word, "-x"]


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_command_with_a_hostile_path_goes_through_a_bundle(path: str) -> None:
    read = load(bundle(Answer("files", f"builtin:read {quoted(path)}", b"1\n", stack=path)))
    assert read.gaps == []
    assert words(read.answers[0].command) == ["builtin:read", path]
    assert read.answers[0].stack == path


@pytest.mark.skipif(not shutil.which("bash"), reason="a shell that knows $'...' is asked")
@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_shell_reads_a_quoted_word_as_it_was(path: str) -> None:
    said = subprocess.run(["bash", "-c", f"printf %s {quoted(path)}"], capture_output=True, check=True)
    assert said.stdout == path.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("ss -ltn", ["ss", "-ltn"]),
        ("  ss \t -ltn  ", ["ss", "-ltn"]),
        ("cat '/a b' \"c d\" e\\ f", ["cat", "/a b", "c d", "e f"]),
        ("""a"b"'c'$'d'""", ["abcd"]),
        ("cat '' x", ["cat", "", "x"]),
        (r'echo "a\"b\\c\d"', ["echo", r'a"b\c\d']),
        ("cat $'\\x41\\102\\n\\t\\e\\''", ["cat", "AB\n\t\x1b'"]),
        ("echo $HOME", ["echo", "$HOME"]),
        ("cat 'never closed", ["cat", "'never", "closed"]),
        ("cat $'never closed", ["cat", "$'never", "closed"]),
        ('cat "never closed', ["cat", '"never', "closed"]),
        ("cat \\", ["cat", "\\"]),
        ("", []),
    ],
)
def test_the_words_of_a_command_are_a_shells(command: str, found: list[str]) -> None:
    assert words(command) == found


@given(st.lists(st.text(alphabet="ab '\"\\x", max_size=6), min_size=1, max_size=4))
def test_words_agree_with_shlex_on_what_shlex_quotes(given_words: list[str]) -> None:
    assert words(shlex.join(given_words)) == given_words


@given(st.text(max_size=40))
def test_reading_the_words_of_any_command_is_total(command: str) -> None:
    assert all(isinstance(word, str) for word in words(command))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
def test_a_byte_order_mark_tells_the_encoding_and_is_no_text(encoding: str) -> None:
    text = "  TCP    0.0.0.0:135    0.0.0.0:0    LISTENING    904\r\n\u6df7\n"
    (answer,) = load(opening({"system": "Windows"}) + Answer("saved", "netstat -ano", text.encode(encoding)).to_bytes() + ENDING).answers
    assert answer.text == text
    assert answer.stdout == text.encode(encoding)
