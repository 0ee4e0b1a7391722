"""Reports of many hosts: what is written host by host needs the memory of one, and says the same as what is written at once."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli import main
from tests.bundles import NGINX, SSHD, host, port

ROOT = Path(__file__).resolve().parent.parent.parent
STREAMED = ("jsonl", "csv", "sarif")


def fleet(folder: Path, count: int, ports: int = 40) -> Path:
    """Bundles of hosts that differ in nothing but their name."""
    folder.mkdir()
    bundle = host(*(port(f"tcp/0.0.0.0:{8000 + n}", NGINX) for n in range(ports)), port("tcp/0.0.0.0:22", SSHD), name="NAME").bundle()
    for n in range(count):
        (folder / f"web{n:04}.evidence").write_bytes(bundle.replace(b"% host NAME", f"% host web{n:04}".encode()))
    return folder


def peak(source: Path, out: Path, *words: str) -> int:
    """KiB of memory that an audit into all streamed formats needed at most. (getrusage would begin with what the suite itself has.)"""
    formats = [word for name in STREAMED for word in ("-f", f"{name}={out}.{name}")]
    code = f"import sys\nfrom auditor.cli import main\nmain({['audit', str(source), *formats, *words]!r})\n" \
           "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    )
    return int(done.stdout)


tells_memory = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell VmHWM")


@tells_memory
def test_ten_times_the_hosts_need_hardly_more_memory(tmp_path: Path) -> None:
    few, many = (peak(fleet(tmp_path / str(n), n), tmp_path / f"out{n}") for n in (8, 80))
    assert many < few + 2_000, "KiB: a kept host needs some 80"


@tells_memory
def test_a_baseline_of_many_hosts_needs_hardly_more_memory_either(tmp_path: Path) -> None:
    few, many = (
        peak(folder := fleet(tmp_path / str(n), n), tmp_path / f"out{n}", "-b", str(folder), "--only", "listener-appeared") for n in (8, 80)
    )
    assert many < few + 2_000


def test_a_bad_source_in_the_middle_is_told_at_the_end_and_costs_no_other_host(tmp_path: Path) -> None:
    source = fleet(tmp_path / "fetched", 3, 1)
    (source / "web0001.evidence").write_text("no bundle\n")
    out = tmp_path / "out.jsonl"
    assert main(["audit", str(source), "-f", f"jsonl={out}"]) == 3
    *hosts, last = map(json.loads, out.read_text().splitlines())
    assert [one["hosts"][0]["host"] for one in hosts] == ["web0000", "web0002"]
    assert [one["source"] for one in last["bad_sources"]] == [str(source / "web0001.evidence")]
    assert (last["verdict"], last["complete"]) == ("incomplete", False)


def test_streamed_or_not_a_format_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    source = fleet(tmp_path / "fetched", 3, 2)
    alone, beside = tmp_path / "alone.csv", tmp_path / "beside.csv"
    main(["audit", str(source), "-f", f"csv={alone}"])
    main(["audit", str(source), "-f", f"csv={beside}", "-f", f"json={tmp_path / 'out.json'}"])
    assert alone.read_bytes() == beside.read_bytes()
    findings = [row for row in csv.DictReader(alone.read_text().splitlines()) if row["record"] == "finding"]
    told = json.loads((tmp_path / "out.json").read_text())["findings"]
    assert sorted(row["fingerprint"] for row in findings) == sorted(one["fingerprint"] for one in told)


def test_an_audit_that_is_refused_at_its_end_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = fleet(tmp_path / "fetched", 2, 1)
    (tmp_path / "out").mkdir()
    assert main(["audit", str(source), "--stack", "purple", "-f", f"jsonl={tmp_path / 'out' / 'a.jsonl'}"]) == 2
    assert "no stack is called 'purple'" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_reader_that_stops_reading_loses_no_file(tmp_path: Path) -> None:
    source, out = fleet(tmp_path / "fetched", 6), tmp_path / "out.jsonl"
    audit = [sys.executable, "-m", "auditor", "audit", str(source), "-f", "csv", "-f", f"jsonl={out}"]
    with subprocess.Popen(audit, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.stdout.close()
    assert json.loads(out.read_text().splitlines()[-1])["schema"] == "port-auditor/summary/1"


def test_quiet_writes_to_stdout_only_where_something_is_open(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.yaml").write_text("policy: 1\nlistening: {approved: [{name: ssh, port: 22}]}\n")
    quiet = tmp_path / "quiet.evidence"
    quiet.write_bytes(host(port("tcp/0.0.0.0:22", SSHD)).bundle())
    assert main(["audit", str(quiet), "-p", str(tmp_path / "p.yaml"), "--only", "listener-not-approved", "-q", "-f", "csv"]) == 0
    assert capfd.readouterr().out == ""


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def audited(*words: object, stdout: str = os.devnull) -> subprocess.CompletedProcess[str]:
    with open(stdout, "w") as onto:
        return subprocess.run(
            [sys.executable, "-m", "auditor", "audit", *map(str, words)], stdout=onto, stderr=subprocess.PIPE, text=True, check=False,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        )  # fmt: skip


@needs_full
@pytest.mark.parametrize("onto_stdout", ["jsonl", "json"])
def test_a_full_stdout_loses_no_file(tmp_path: Path, onto_stdout: str) -> None:
    out = tmp_path / "out.csv"
    done = audited(fleet(tmp_path / "fetched", 20), "-f", f"csv={out}", "-f", onto_stdout, stdout="/dev/full")
    assert (done.returncode, done.stderr.count("No space left")) == (74, 1)
    assert [row["record"] for row in csv.DictReader(out.read_text().splitlines())][-1] == "verdict"


@needs_full
@pytest.mark.parametrize("hosts", [1, 20])
@pytest.mark.parametrize("formats", [("csv", "jsonl", "sarif"), ("html", "json", "junit")])
@pytest.mark.parametrize("bad", ["/dev/full", "nowhere/out"])
def test_a_file_that_cannot_be_written_costs_no_other(tmp_path: Path, formats: tuple[str, ...], bad: str, hosts: int) -> None:
    """Formats that are written host by host, and formats that are written at the end."""
    first, failing, last = formats
    out = tmp_path / "out"
    out.mkdir()
    done = audited(
        fleet(tmp_path / "fetched", hosts), "-f", f"{failing}={out / bad}", "-f", f"{first}={out / first}", "-f", f"{last}={out / last}",
    )  # fmt: skip
    assert done.returncode == 74
    assert f"{out / bad} could not be written" in done.stderr
    assert sorted(one.name for one in out.iterdir()) == sorted([first, last])


@needs_full
def test_of_two_files_that_cannot_be_written_the_first_is_told_even_where_stdout_is_full(tmp_path: Path) -> None:
    done = audited(
        fleet(tmp_path / "fetched", 2), "-f", f"csv={tmp_path}/nowhere/a", "-f", f"jsonl={tmp_path}/nowhere/b", "-f", "sarif",
        stdout="/dev/full",
    )  # fmt: skip
    assert done.returncode == 74
    assert "nowhere/a could not be written" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_of_the_usual_files_one_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    source = fleet(tmp_path / "fetched", 1)
    assert audited(source, "-o", reports).returncode != 74
    [html] = reports.glob("*.html")
    usual = {one.name for one in reports.iterdir()}
    for one in reports.iterdir():
        one.unlink()
    html.mkdir()
    done = audited(source, "-o", reports)
    assert done.returncode == 74
    assert {one.name for one in reports.iterdir() if one.is_file()} == usual - {html.name}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_standard_stream_that_is_closed_loses_no_file(tmp_path: Path, closed: str) -> None:
    (source := fleet(tmp_path / "fetched", 2)).joinpath("junk.evidence").write_text("no bundle\n")
    out = tmp_path / "out.json"
    words = f'"$0" -m auditor audit "$1" -f "json=$2" {closed}'
    done = subprocess.run(["sh", "-c", words, sys.executable, source, out], env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 3
    assert len(json.loads(out.read_text())["hosts"]) == 2


def test_what_is_printed_onto_a_closed_stdout_is_not_written_and_that_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    words = '"$0" -m auditor audit "$1" -f text -f "json=$2" >&-'
    done = subprocess.run(
        ["sh", "-c", words, sys.executable, fleet(tmp_path / "fetched", 1), out], env={"PYTHONPATH": str(ROOT)}, check=False, stderr=-1
    )
    assert done.returncode == 74
    assert b"Traceback" not in done.stderr
    assert json.loads(out.read_text())["hosts"]


@needs_full
def test_a_stderr_that_takes_nothing_loses_no_file(tmp_path: Path) -> None:
    (source := fleet(tmp_path / "fetched", 1)).joinpath("junk.evidence").write_text("no bundle\n")
    out = tmp_path / "out.json"
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "auditor", "audit", source, "-v", "-f", f"json={out}"]
        done = subprocess.run(words, env={"PYTHONPATH": str(ROOT)}, stderr=full, check=False)
    assert done.returncode == 3
    assert json.loads(out.read_text())["hosts"]


def test_no_room_for_temporary_files_costs_no_format_that_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", no_room)
    monkeypatch.setattr("auditor.reporters.sarif._SPOOLED_MAX", 100)
    outs = {name: tmp_path / f"out.{name}" for name in ("csv", "sarif", "jsonl")}
    (policy := tmp_path / "p.yaml").write_text("policy: 1\nlistening: {approved: []}\n")
    words = ["audit", str(fleet(tmp_path / "fetched", 3)), "-p", str(policy)]
    assert main([*words, *(w for name, path in outs.items() for w in ("-f", f"{name}={path}"))]) == 74
    assert {name for name, path in outs.items() if path.exists()} == {"csv", "jsonl"}


def test_redacted_reports_of_two_hosts_do_not_take_one_name(tmp_path: Path) -> None:
    source, reports = fleet(tmp_path / "fetched", 2), tmp_path / "reports"
    for one in sorted(source.iterdir()):
        audited(one, "-o", reports, "--redact", "hosts")
    assert len({one.stem for one in reports.glob("*.json")}) == 2
    assert not [one.name for one in reports.iterdir() if "web" in one.name]


def test_a_stamp_that_is_no_moment_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "253402300800")
    assert main(["audit", str(fleet(tmp_path / "fetched", 1)), "-f", "text"]) == 2
    assert "SOURCE_DATE_EPOCH=253402300800 is no moment" in capsys.readouterr().err
