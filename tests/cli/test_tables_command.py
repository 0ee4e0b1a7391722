"""`port-auditor tables` as a person types it."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import pytest

from auditor import places
from auditor.cli import tables as command
from auditor.errors import OutputError, TableError
from auditor.tables import FILES, Tables

HEADER = (
    "Service Name,Port Number,Transport Protocol,Description,Assignee,Contact,Registration Date,Modification Date,Reference,"
    "Service Code,Unauthorized Use Reported,Assignment Notes"
)
CSV = f"{HEADER}\r\nhttp,80,tcp,Web,,,,2021-10-01,,,,\r\n,49151,,Reserved,,,,,,,,\r\n"


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser("port-auditor tables")
    command.arguments(parser)
    return command.run(parser.parse_args(argv))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped tables, in a folder that may be changed."""
    copy = tmp_path / "policies" / "tables"
    copy.mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(places.shipped("policies", "tables", name), copy / name)
    monkeypatch.setattr(places, "shipped", lambda *parts: str(tmp_path.joinpath(*parts)))
    return copy


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "registry.csv"
    path.write_text(CSV, newline="")
    return path


def test_list_shows_each_table_with_its_count_date_sha256_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["table", "records", "date", "sha256", "source"]
    assert [line.split()[0] for line in lines[1:]] == ["iana-ranges", "iana-services", "interpreters", "notable-ports", "vendor-ranges"]
    provenance = Tables().provenance()["vendor-ranges"]
    assert lines[5].split()[1:4] == ["43", provenance["date"], provenance["sha256"][:12]]
    assert provenance["source"] in lines[5]


def test_check_says_what_it_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert "43 records" in lines[4]


def test_check_tells_every_problem_and_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("iana-ranges.yaml", "notable-ports.yaml"):
        (folder / name).unlink()
    with pytest.raises(TableError) as refused:
        run("check")
    assert refused.value.exit_code == 2
    assert "iana-ranges.yaml: No such file" in str(refused.value)
    assert "notable-ports.yaml: No such file" in str(refused.value)
    assert capsys.readouterr().out == ""


def test_import_replaces_the_shipped_table(folder: Path, csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", str(csv)) == 0
    assert "2021-10-01" in capsys.readouterr().out
    assert Tables().iana(80, "tcp").names == ("http",)
    assert Tables().provenance()["iana-services"]["date"] == "2021-10-01"


def test_importing_the_same_csv_twice_gives_the_same_file(tmp_path: Path, csv: Path) -> None:
    made = []
    for name in ("one.tsv", "two.tsv"):
        assert run("import", str(csv), "-o", str(tmp_path / name)) == 0
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


def test_a_dash_writes_the_table_and_nothing_else_to_stdout(folder: Path, csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "iana-services.tsv").read_bytes()
    assert run("import", str(csv), "-o", "-") == 0
    out = capsys.readouterr().out
    assert out.startswith("# IANA service name")
    assert "\n80\ttcp\tassigned\t-\thttp\n" in out
    assert (folder / "iana-services.tsv").read_bytes() == before


def test_a_broken_csv_leaves_the_shipped_table_alone(folder: Path, csv: Path) -> None:
    before = (folder / "iana-services.tsv").read_bytes()
    csv.write_text(CSV.replace("80,tcp", "eighty,tcp"), newline="")
    with pytest.raises(TableError, match=r"registry\.csv:2: not a port"):
        run("import", str(csv))
    assert (folder / "iana-services.tsv").read_bytes() == before
    assert sorted(os.listdir(folder)) == sorted(FILES)


def test_a_csv_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file") as refused:
        run("import", str(tmp_path / "none.csv"))
    assert refused.value.advice


def test_an_output_that_cannot_be_written_is_code_74(tmp_path: Path, csv: Path) -> None:
    with pytest.raises(OutputError) as refused:
        run("import", str(csv), "-o", str(tmp_path / "none" / "table.tsv"))
    assert refused.value.exit_code == 74
    assert "-o FILE" in refused.value.advice


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_code_74(csv: Path) -> None:
    with pytest.raises(OutputError, match="No space left"):
        run("import", str(csv), "-o", "/dev/full")


def test_without_an_action_it_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run()
    assert stopped.value.code == 2
    assert "list" in capsys.readouterr().err
