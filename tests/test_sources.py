"""Where snapshots come from: a bundle, a snapshot, JSON lines of them, gzip, stdin, a folder; and what of it is bad."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import plugins, sources
from auditor.errors import SourceError
from auditor.evidence import ENDING, MAGIC, load
from auditor.sources import Source, from_bytes, from_path
from tests.bundles import SSHD, TABLES, host, port

WEB1 = host(port("tcp/0.0.0.0:22", SSHD), name="web1").bundle()
WEB2 = host(name="web2").bundle()


def snapshot_of(bundle: bytes) -> dict[str, Any]:
    (source,) = from_bytes(bundle, "given", TABLES)
    assert isinstance(source, Source)
    plain: dict[str, Any] = json.loads(json.dumps(source.snapshot.to_json()))
    return plain


ONE = json.dumps(snapshot_of(WEB1)).encode()
TWO = json.dumps(snapshot_of(WEB2)).encode()


def read(path: Path | str) -> tuple[list[str], list[str]]:
    """The hosts of the good sources at a path, and why the others are bad."""
    found = list(from_path(str(path), TABLES))
    hosts = [source.snapshot.host for source in found if isinstance(source, Source)]
    return hosts, [source[1] for source in found if not isinstance(source, Source)]


def kept(folder: Path, content: bytes, name: str = "h.evidence") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_bundle_is_kept_with_its_bytes_and_their_digest(tmp_path: Path) -> None:
    path = kept(tmp_path, WEB1)
    (source,) = from_path(str(path), TABLES)
    assert isinstance(source, Source)
    assert (source.given, source.evidence, source.sha256, source.live) == (str(path), WEB1, load(WEB1).sha256, False)
    assert source.snapshot.host == "web1"


def test_a_snapshot_has_no_evidence_and_means_the_same(tmp_path: Path) -> None:
    for content in (ONE, json.dumps(json.loads(ONE), indent=2).encode(), b"\n  " + ONE + b"\n"):
        (source,) = from_path(str(kept(tmp_path, content)), TABLES)
        assert isinstance(source, Source)
        assert (source.evidence, source.sha256, source.live) == (None, None, False)
        assert json.loads(json.dumps(source.snapshot.to_json())) == json.loads(ONE)


def test_of_json_lines_a_bad_one_costs_no_other(tmp_path: Path) -> None:
    path = kept(tmp_path, b"\n".join([ONE, b'{"schema": 1}', b"", b"{broken", b"[]", TWO, b""]), "fleet.jsonl")
    hosts, bad = read(path)
    assert hosts == ["web1", "web2"]
    assert [why.split(": ")[0] for why in bad] == [f"{path}:2", f"{path}:4", f"{path}:5"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"policy: 1\nextends: [baseline]\n", "that is a policy: give it with -p"),
        (b"\xef\xbb\xbf# ours\r\n\r\n  # and yours\r\n---\r\npolicy : 1\r\n", "that is a policy: give it with -p"),
        (b"# Example Bank\nsite: 1\n", "that is a site file: give it with --site"),
    ],
)
def test_a_policy_or_a_site_file_is_no_source_and_the_error_says_where_it_goes(tmp_path: Path, content: bytes, says: str) -> None:
    path = kept(tmp_path, content, "web.yaml")
    assert read(path) == ([], [f"{path}: {says}"])


@pytest.mark.parametrize("content", [b"# policy: 1\n", b"policy\n", b"the policy: 1\n", b"tcp LISTEN\npolicy: 1\n"])
def test_what_only_speaks_of_a_policy_is_none(tmp_path: Path, content: bytes) -> None:
    ((why,),) = [read(kept(tmp_path, content, "web.yaml"))[1]]
    assert "neither a bundle nor a snapshot" in why


@pytest.mark.parametrize("name", ["h.evidence.gz", "h.evidence", "h.json"])
def test_gzip_is_known_by_its_first_bytes_whatever_the_name(tmp_path: Path, name: str) -> None:
    path = kept(tmp_path, gzip.compress(WEB1), name)
    (source,) = from_path(str(path), TABLES)
    assert isinstance(source, Source)
    assert source.sha256 == load(WEB1).sha256, "the digest is of the uncompressed bytes"
    assert read(kept(tmp_path, gzip.compress(ONE), name)) == (["web1"], [])


def test_gzip_of_several_members_is_read_as_gunzip_reads_it(tmp_path: Path) -> None:
    (source,) = from_path(str(kept(tmp_path, gzip.compress(WEB1[:500]) + gzip.compress(WEB1[500:]) + bytes(20))), TABLES)
    assert isinstance(source, Source)
    assert source.evidence == WEB1


def test_a_bundle_in_gzip_that_was_cut_short_is_read_with_a_gap_and_a_snapshot_is_not_read(tmp_path: Path) -> None:
    (source,) = from_path(str(kept(tmp_path, gzip.compress(WEB1)[:-60])), TABLES)
    assert isinstance(source, Source)
    assert any("cut" in gap.why for gap in source.snapshot.stacks.gaps)
    hosts, bad = read(kept(tmp_path, gzip.compress(ONE)[:-60], "s.json.gz"))
    assert hosts == []
    assert "it was cut short" in bad[0]


def test_gzip_of_very_many_members_is_read_in_linear_time_or_refused(tmp_path: Path) -> None:
    """A guard against a hang: each member once cost a copy of all that follows it."""
    started = time.process_time()
    (source,) = from_path(str(kept(tmp_path, gzip.compress(WEB1) + gzip.compress(b"") * 60_000)), TABLES)
    assert isinstance(source, Source)
    assert source.sha256 == load(WEB1).sha256
    hosts, bad = read(kept(tmp_path, gzip.compress(WEB1) + gzip.compress(b"") * 400_000))
    assert (hosts, ["more than 65536 members" in why for why in bad]) == ([], [True])
    assert time.process_time() - started < 10


def test_gzip_whose_members_and_padding_end_anywhere_is_read_whole(tmp_path: Path) -> None:
    random = os.urandom(40_000).hex().encode()
    for length in (0, 1, 16_383, 16_384, 16_385, 33_000):
        whole = gzip.compress(WEB1) + bytes(length) + gzip.compress(b"% " + random[:length]) + bytes(length)
        (source,) = from_path(str(kept(tmp_path, whole)), TABLES)
        assert isinstance(source, Source)
        assert source.evidence == WEB1 + b"% " + random[:length]


def test_gzip_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(WEB1))
    whole[-6] ^= 0xFF
    hosts, bad = read(kept(tmp_path, bytes(whole)))
    assert hosts == []
    assert "not whole gzip" in bad[0]


def test_a_file_that_grows_beyond_measure_when_unzipped_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_MAX_FILE", 10_000)
    hosts, bad = read(kept(tmp_path, gzip.compress(bytes(50_000))))
    assert hosts == []
    assert "longer than 10000 bytes when decompressed" in bad[0]
    assert "longer than 10000 bytes" in read(kept(tmp_path, b"x" * 10_001))[1][0]


def test_zstd_is_named_and_not_taken_for_garbage(tmp_path: Path) -> None:
    assert "zstd" in read(kept(tmp_path, b"\x28\xb5\x2f\xfd" + b"x" * 20))[1][0]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"hello", b"[]", b"null", b"\x1f\x8b", b"{", b'{"a": 1}', b'{"schema": "port-auditor/report/1"}', b"\xff\xfe\x00",
     b"#!/bin/sh\n", MAGIC[:-1], MAGIC.replace(b"1", b"2"), b"{" * 100_000, b'{"a":' * 50_000, ONE[:-1], ONE[:100], ONE + b"x"],
)  # fmt: skip
def test_what_is_neither_a_bundle_nor_a_snapshot_is_bad_and_named(tmp_path: Path, content: bytes) -> None:
    path = kept(tmp_path, content)
    hosts, bad = read(path)
    assert hosts == []
    assert len(bad) == 1
    assert str(path) in bad[0]


@pytest.mark.parametrize("content", [MAGIC + ENDING, MAGIC, MAGIC + b"@ a\n$ x\n| 1\n? 0\n.\n"])
def test_a_bundle_that_does_not_say_its_system_cannot_be_interpreted(tmp_path: Path, content: bytes) -> None:
    assert "does not say of which system" in read(kept(tmp_path, content))[1][0]


def test_a_bundle_of_a_system_that_nobody_knows_is_bad_and_named(tmp_path: Path) -> None:
    hosts, bad = read(kept(tmp_path, WEB1.replace(b"% system Linux", b"% system Plan9")))
    assert hosts == []
    assert "Plan9" in bad[0]
    assert read(kept(tmp_path, WEB1.replace(b"% system Linux", b"% system LINUX"))) == (["web1"], [])


def test_a_system_with_control_characters_is_shown_as_escapes(tmp_path: Path) -> None:
    (why,) = read(kept(tmp_path, WEB1.replace(b"% system Linux", b"% system \x1b[2J")))[1]
    assert "\x1b" not in why


@pytest.mark.parametrize(
    ("key", "value"),
    [("stacks", None), ("stacks", []), ("stacks", {"source": "x", "basis": "read", "seen": [{}], "gaps": []}), ("host", 5),
     ("stacks", {"source": "x", "basis": "read", "seen": [{"name": "a"}], "gaps": []}), ("taken", None), ("limits", "x"), ("settings", [])],
)  # fmt: skip
def test_a_snapshot_with_a_wrong_key_is_refused(key: str, value: Any) -> None:
    plain = json.loads(ONE)
    plain[key] = value
    with pytest.raises(SourceError) as refused:
        list(from_bytes(json.dumps(plain).encode(), "given", TABLES))
    assert str(refused.value).startswith("given: ")


def test_a_snapshot_without_stacks_is_refused() -> None:
    plain = json.loads(ONE)
    del plain["stacks"]
    with pytest.raises(SourceError, match="no stacks"):
        list(from_bytes(json.dumps(plain).encode(), "given", TABLES))


def test_a_folder_is_read_through_in_the_order_of_names_without_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").mkdir()
    kept(tmp_path / "b", WEB2)
    kept(tmp_path / "a", ONE, "z.json")
    kept(tmp_path, WEB1, "c.evidence")
    kept(tmp_path, b"garbage", "notes.txt")
    kept(tmp_path, b"garbage", ".hidden")
    hosts, bad = read(tmp_path)
    assert hosts == ["web1", "web1", "web2"]
    assert len(bad) == 1
    assert "notes.txt" in bad[0]


def test_an_empty_folder_has_no_sources(tmp_path: Path) -> None:
    assert read(tmp_path) == ([], [])


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    kept(tmp_path, WEB1)
    hosts, bad = read(tmp_path)
    assert hosts == ["web1"]
    assert bad == [f"{tmp_path}/pipe: not a regular file: give a bundle, a snapshot, or a folder of them"]


@pytest.mark.parametrize("name", ["missing", "dangling"])
def test_a_file_that_is_not_there_is_bad_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    assert read(tmp_path / name) == ([], [f"{tmp_path / name}: No such file or directory"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_what_may_not_be_read_is_bad_and_costs_no_other(tmp_path: Path) -> None:
    kept(tmp_path, WEB1)
    kept(tmp_path, WEB2, "secret").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    hosts, bad = read(tmp_path)
    assert hosts == ["web1"]
    assert [why.rpartition("/")[2] for why in bad] == ["secret: Permission denied", "closed: Permission denied"]


def test_a_loop_of_links_between_folders_ends(tmp_path: Path) -> None:
    kept(tmp_path, WEB1)
    (tmp_path / "self").symlink_to(tmp_path)
    hosts, bad = read(tmp_path)
    assert (hosts, len(bad)) == (["web1"], 0)


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (WEB1, gzip.compress(WEB1), ONE):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        (source,) = from_path("-", TABLES)
        assert isinstance(source, Source)
        assert (source.given, source.snapshot.host) == ("stdin", "web1")


def test_an_interpreter_that_raises_is_our_error_and_costs_no_other_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linux = plugins.collectors()["linux"]
    real = linux.interpret

    def broken(evidence: Any, tables: Any) -> Any:
        if evidence.head["host"] == "web1":
            raise KeyError("a defect")
        return real(evidence, tables)

    monkeypatch.setattr(linux, "interpret", broken)
    kept(tmp_path, WEB1, "a")
    kept(tmp_path, WEB2, "b")
    hosts, bad = read(tmp_path)
    assert hosts == ["web2"]
    assert "our error" in bad[0]
    with pytest.raises(sources.BrokenInterpreter) as raised:
        list(from_bytes(WEB1, "given", TABLES))
    assert raised.value.exit_code == 70


@given(st.binary(max_size=200))
def test_any_bytes_are_a_source_or_a_source_error(content: bytes) -> None:
    for text in (content, b"{" + content, MAGIC + content, MAGIC + b"% system Linux\n" + content):
        refusal = None
        try:
            assert list(from_bytes(text, "given", TABLES))
        except SourceError as error:
            refusal = error
        assert refusal is None or (str(refusal).startswith("given") and refusal.advice)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_no_json_report_could_carry_on_makes_a_snapshot_bad(number: str) -> None:
    odd = ONE.replace(b'"visibility": {', b'"visibility": {"odd": ' + number.encode() + b", ", 1)
    assert odd != ONE
    (bad,) = from_bytes(odd, "given", TABLES)
    assert isinstance(bad, tuple)
    assert number in bad[1]
