"""YAML as nodes: texts stay what they were, and whatever is not plain is refused where it stands."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError
from auditor.yaml_nodes import DEPTH_MAX, NODES_MAX, SIZE_MAX, Mapping, Node, Scalar, Sequence, flow, load, parse


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers that PyYAML may bring: they must say the same."""
    if request.param == "libyaml" and not yaml.__with_libyaml__:
        pytest.skip("this PyYAML has no libyaml")
    monkeypatch.setattr(yaml, "__with_libyaml__", request.param == "libyaml")


def plain(node: Node) -> object:
    if isinstance(node, Mapping):
        return {key: plain(value) for key, (_, value) in node.items.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.text


def refusal(text: str | bytes) -> str:
    with pytest.raises(PolicyError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), "p.yaml")
    assert caught.value.advice
    told = str(caught.value) + caught.value.advice
    assert told.isprintable(), f"would reach a terminal raw: {told!r}"
    return str(caught.value)


@pytest.mark.usefixtures("parser")
class TestWithEitherParser:
    @pytest.mark.parametrize("word", ["22:30", "off", "010", "no", "0x1F", "1e3", "~", "null", "2027-03-31", "1_000", "NaN", "<<", "="])
    def test_a_scalar_stays_the_text_it_was(self, word: str) -> None:
        assert plain(parse(f"a: {word}\n".encode(), "p.yaml")) == {"a": word}

    def test_every_node_knows_its_line_and_column(self) -> None:
        top = parse(b"a: 1\nb:\n  - x\n  - {c: d}\n", "p.yaml")
        key, value = top.items["b"]
        assert isinstance(value, Sequence)
        assert (key.where, key.origin) == ("p.yaml:2:1", "p.yaml:2")
        assert [item.where for item in value.items] == ["p.yaml:3:5", "p.yaml:4:5"]

    def test_a_byte_order_mark_and_windows_line_ends_change_nothing(self) -> None:
        top = parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "p.yaml")
        assert plain(top) == {"a": "1", "b": "2"}
        assert top.items["b"][0].where == "p.yaml:2:1"

    def test_a_quoted_text_is_told_from_nothing(self) -> None:
        top = parse(b"a:\nb: ''\n", "p.yaml")
        assert (top.items["a"][1].found, top.items["b"][1].found) == ("nothing", "''")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("a: &x 1\nb: *x\n", "p.yaml:1:4: an anchor, '&x'"),
            ("a: *x\n", "p.yaml:1:4: an alias, '*x'"),
            ("a: !!str 1\n", "p.yaml:1:4: a tag, 'tag:yaml.org,2002:str'"),
            ("a: ! 1\n", "p.yaml:1:4: a tag, '!'"),
            ("a: !!python/object/apply:os.system [id]\n", "p.yaml:1:4: a tag"),
            ("&top\na: 1\n", "p.yaml:1:1: an anchor"),
            ("%YAML 1.1\n---\na: 1\n", "p.yaml:1:1: a YAML directive"),
            ("a: 1\n%TAG ! x\n", "p.yaml:2:1: a YAML directive"),
            ("a: 1\nb: 2\na: 3\n", "p.yaml:3:1: duplicate key 'a'"),
            ("x: {a: 1, 'a': 2}\n", "p.yaml:1:11: duplicate key 'a'"),
            ("a: 1\n---\nb: 2\n", "p.yaml:2:1: a second document"),
            ("[a, b]: 1\n", "p.yaml:1:1: a key must be a text, found a list"),
            ("? {a: b}\n: 1\n", "p.yaml:1:3: a key must be a text, found a mapping"),
            ("x: {'': 1}\n", "p.yaml:1:5: a key must be a text, found ''"),
            ("- a\n", "p.yaml:1:1: expected keys and values, found a list"),
            ("just words\n", "p.yaml:1:1: expected keys and values, found 'just words'"),
            ("", "p.yaml:1:1: the file is empty"),
            ("# only a comment\n", "p.yaml:1:1: the file is empty"),
            ("---\n", "p.yaml:1:1: the file is empty"),
            ("a: 1\n  b: 2\n", "p.yaml:2:4: not YAML: mapping values are not allowed"),
            ("a: [1, 2\n", "not YAML"),
            ("a: 'open\n", "not YAML"),
            ("a:\n\t- b\n", "p.yaml:2:1: not YAML"),
            ('a: "\\q"\n', "not YAML"),
            ('a: "\\UFFFFFFFF"\n', "not YAML"),
        ],
    )
    def test_what_is_not_plain_is_refused_where_it_stands(self, text: str, said: str) -> None:
        assert said in refusal(text)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"a: 1\nb: x\xffy\n", "p.yaml:2:5: not UTF-8: byte 0xff"),
            ("a: 1\n".encode("utf-16"), "p.yaml:1:1: not UTF-8"),
            (b"a: 1\nb: \0\n", "p.yaml:2:4: a control character, '\\x00'"),
            (b"a: \x1b[31mred\n", "p.yaml:1:4: a control character, '\\x1b'"),
            ("a: b\u2028c\n".encode(), "p.yaml:1:5: a control character, '\\u2028'"),
            (b"a: \xed\xa0\x80\n", "p.yaml:1:4: not UTF-8"),
        ],
    )
    def test_bytes_that_are_no_text_are_refused_where_they_stand(self, content: bytes, said: str) -> None:
        assert said in refusal(content)

    def test_hostile_keys_are_shown_escaped(self) -> None:
        assert r"duplicate key '\x1b]0;x\x07'" in refusal('"\\e]0;x\\a": 1\n"\\e]0;x\\a": 2\n')

    def test_a_billion_laughs_are_refused_at_the_first(self) -> None:
        text = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True))
        assert "p.yaml:1:4: an anchor" in refusal(text)

    @pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 20_000, "a: " + "[" * DEPTH_MAX, "- " * 50_000])
    def test_deep_nesting_is_refused_at_once(self, text: str) -> None:
        start = time.perf_counter()
        assert f"more than {DEPTH_MAX} levels" in refusal(text)
        assert time.perf_counter() - start < 5

    def test_the_deepest_that_is_allowed_is_read(self) -> None:
        assert parse(b"a: " + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1), "p.yaml").items


def test_one_node_too_many_is_refused() -> None:
    around = 3  # the mapping, its key, the list
    assert parse(b"a: [" + b"x," * (NODES_MAX - around) + b"]", "p.yaml").items
    assert f"more than {NODES_MAX} keys" in refusal("a: [" + "x," * (NODES_MAX - around + 1) + "]")


def test_a_file_of_one_byte_too_many_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_bytes(b"a: 1\n#" + b"x" * (SIZE_MAX - 6))
    assert load(str(file))[0].items
    file.write_bytes(b"a: 1\n#" + b"x" * (SIZE_MAX - 5))
    with pytest.raises(PolicyError, match=f"big.yaml: is larger than {SIZE_MAX} bytes"):
        load(str(file))


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.yaml"
    os.mkfifo(fifo)
    with pytest.raises(PolicyError, match="not a regular file"):
        load(str(fifo))


def test_a_directory_a_device_and_a_missing_file_are_said_to_be_so(tmp_path: Path) -> None:
    for path, said in ((str(tmp_path), "is a directory"), ("/dev/null", "not a regular file"), (str(tmp_path / "no.yaml"), "No such file")):
        with pytest.raises(PolicyError, match=said):
            load(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text("a: 1\n")
    file.chmod(0)
    with pytest.raises(PolicyError, match="Permission denied"):
        load(str(file))


@pytest.mark.parametrize("path", ["a\0b.yaml", "a\x1b[2J.yaml", "a\nb.yaml", "a\udcff.yaml"])
def test_a_hostile_path_is_shown_escaped(path: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(path)
    assert str(caught.value).isprintable()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
trees = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts.filter(bool), inner, max_size=4), max_leaves=12
)


def node_of(tree: object) -> Node:
    if isinstance(tree, dict):
        mapping = Mapping("p", 1, 1)
        mapping.items = {key: (Scalar(key, "p", 1, 1), node_of(value)) for key, value in tree.items()}
        return mapping
    if isinstance(tree, list):
        sequence = Sequence("p", 1, 1)
        sequence.items = [node_of(item) for item in tree]
        return sequence
    return Scalar(str(tree), "p", 1, 1)


@given(trees)
@settings(deadline=None)
def test_what_flow_writes_reads_as_the_same_texts(tree: object) -> None:
    written = flow(node_of({"a": tree}))
    assert written.isprintable()
    assert plain(parse(written.encode(), "p.yaml")) == {"a": tree}


@given(st.binary(max_size=200) | st.text("ab:-[]{}&*!|>'\"%#?, \n\t\\", max_size=60).map(str.encode))
@settings(deadline=None)
def test_any_bytes_give_a_mapping_or_a_policy_error(content: bytes) -> None:
    try:
        told = parse(content, "p.yaml").where
    except PolicyError as error:
        told = str(error) + error.advice
    assert told.startswith("p.yaml:")
    assert told.isprintable()
