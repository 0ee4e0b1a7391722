"""Rows as our own probes print them: what the writer writes the reader reads, and whatever is not whole is a gap."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auditor.live.rows import field, table
from auditor.parsers import rows

COLUMNS = "pid name"
FIELDS = st.one_of(st.binary(max_size=12), st.sampled_from([b"-", b"\\", b"\\-", b"\\n", b"a\tb", b"a\nb", b"end", b"end\t5", b"--", b""]))


def read(text: bytes, columns: str = COLUMNS) -> tuple[list[tuple[str | None, ...]], list[str]]:
    found, gaps = rows.parse(text.decode("utf-8", "backslashreplace"), columns, "ps")
    return found, [gap.why for gap in gaps]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5))
@example([("-", "\\-")])
@example([("end", "1")])
@example([("a\tb", "c\nd\\")])
@example([("end", "0"), ("end", "0")])
def test_what_a_probe_wrote_is_what_is_read(written: list[tuple[str, str]]) -> None:
    lines = [b"\t".join(field(word.encode("utf-8", "replace")) for word in row) for row in written]
    wanted = [tuple(word.encode("utf-8", "replace").decode() for word in row) for row in written]
    found, gaps = read(table(COLUMNS, lines))
    if not any(line.startswith(b"end\t") for line in lines):
        assert gaps == []
        assert found == wanted


@given(st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=5))
def test_no_field_forges_a_row(written: list[tuple[bytes, ...]]) -> None:
    text = table("pid name cgroup", [b"\t".join(map(field, row)) for row in written])
    found, gaps = read(text, "pid name cgroup")
    assert gaps == []
    assert len(found) == len(written)


def test_an_empty_field_was_not_shown_and_a_dash_is_none() -> None:
    assert read(b"pid\tname\n1\t\n2\t-\n3\t\\-\nend\t3\n") == ([("1", ""), ("2", None), ("3", "-")], [])


def test_an_escape_that_nobody_wrote_stays_as_it_is() -> None:
    assert read(b"pid\tname\n1\ta\\qb\\\nend\t1\n") == ([("1", "a\\qb\\")], [])


def test_columns_come_in_the_order_in_which_they_are_asked_for() -> None:
    assert read(b"pid\tage\tname\n1\t9\tsshd\nend\t1\n", "name pid") == ([("sshd", "1")], [])


@pytest.mark.parametrize("text", [b"", b"\n", b"pid\n1\nend\t1\n", b"1\tsshd\nend\t1\n", b"PID\tNAME\nend\t0\n", b"end\t0\n", b"\xff\xfe"])
def test_without_its_header_nothing_is_read(text: bytes) -> None:
    found, gaps = read(text)
    assert found == []
    assert gaps == ["ps: the answer does not begin with its header"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"pid\tname\n1\tsshd\n", "ps: 1 rows, where its last line says nothing: it was cut"),
        (b"pid\tname\n1\tsshd\nend\t2\n", "ps: 1 rows, where its last line says 2"),
        (b"pid\tname\n1\tsshd\nend\t0\n", "ps: 1 rows, where its last line says 0"),
        (b"pid\tname\n1\tsshd\nend\t01\n", "ps: 1 rows, where its last line says 01"),
        (b"pid\tname\n1\nend\t1\n", "ps: a row has 1 fields where its header has 2"),
        (b"pid\tname\n1\tsshd\tx\nend\t1\n", "ps: a row has 3 fields where its header has 2"),
        (b"pid\tname\n\nend\t1\n", "ps: a row has 1 fields where its header has 2"),
        (b"pid\tname\nend\t0\n1\tsshd\n", "ps: there is text after its last line"),
        (b"pid\tname\nend\t0\n\n", "ps: there is text after its last line"),
    ],
)
def test_what_is_not_whole_is_a_gap(text: bytes, why: str) -> None:
    assert why in read(text)[1]


def test_a_whole_answer_cut_at_any_byte_is_a_gap() -> None:
    whole = table(COLUMNS, [b"1\tsshd", b"22\tnginx", b"333\tredis"])
    for cut in range(len(whole) - 1):
        found, gaps = read(whole[:cut])
        assert gaps, whole[:cut]
        assert set(found) <= {("1", "sshd"), ("22", "nginx"), *((("333", "redis"[:n])) for n in range(6))}


@given(st.text(max_size=80))
@example("pid\tname\nend\t\ud800")
def test_reading_is_total(text: str) -> None:
    for whole in (text, "pid\tname\n" + text):
        found, gaps = rows.parse(whole, COLUMNS, "ps")
        assert gaps or whole.rstrip("\n").endswith(f"end\t{len(found)}")


def test_a_column_that_evidence_may_be_older_than_is_not_shown_where_it_is_missing() -> None:
    older, newer = table("pid name", [b"1\tinit"]), table("mode pid name", [b"0755\t1\tinit"])
    assert read(older, "pid name mode?") == ([("1", "init", "")], [])
    assert read(newer, "pid name mode?") == ([("1", "init", "0755")], [])
    assert read(older, "pid mode")[0] == []
