"""`collect`, `snapshot`, `rules` and the program's front door, as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor import plugins

ROOT = Path(__file__).resolve().parent.parent.parent
linux = pytest.mark.skipif(sys.platform != "linux", reason="collects live from Linux")


def run(*words: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, words)], capture_output=True, text=True, errors="backslashreplace", input=stdin,
        check=False, timeout=120, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


def test_without_a_command_the_help_is_shown_and_nothing_was_done() -> None:
    done = run()
    assert done.returncode == 2
    assert "commands (each has --help)" in done.stderr


def test_a_misspelt_command_is_answered_with_the_nearest_one() -> None:
    done = run("adit")
    assert done.returncode == 2
    assert "did you mean 'audit'?" in done.stderr


@pytest.mark.parametrize("command", ["audit", "collect", "snapshot", "rules", "port", "policy", "tables"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert "port-auditor " + command in done.stdout
    assert "example" in done.stdout


def test_the_version_is_the_packages() -> None:
    from auditor import __version__

    assert run("--version").stdout == f"port-auditor {__version__}\n"


@linux
def test_collect_writes_a_whole_bundle_to_stdout_and_says_what_it_could_not_see() -> None:
    done = run("collect")
    assert done.returncode in (0, 3)
    assert done.stdout.startswith("port-auditor evidence 1\n% system Linux\n")
    assert done.stdout.endswith("\n.\n")
    assert (done.returncode == 3) == ("not seen: " in done.stderr)


@linux
def test_collect_writes_a_file_that_only_its_owner_and_group_may_read(tmp_path: Path) -> None:
    target = tmp_path / "h.evidence"
    assert run("collect", "-o", target).returncode in (0, 3)
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["h.evidence"]


@linux
def test_collect_asks_only_the_parts_that_are_named_and_refuses_unknown_ones() -> None:
    done = run("collect", "--only", "ports")
    assert "% asked ports\n" in done.stdout
    assert "@ persisted" not in done.stdout
    wrong = run("collect", "--only", "prots")
    assert wrong.returncode == 2
    assert "prots" in wrong.stderr
    assert "ports" in wrong.stderr.partition("what to do")[2]


@linux
def test_what_was_not_asked_is_unknown_and_not_passed() -> None:
    bundle = run("collect", "--only", "ports").stdout
    report = json.loads(run("audit", "-", "-f", "json", stdin=bundle).stdout)
    unknown = {(f["rule"], f["subject"]) for f in report["findings"] if f["outcome"] == "unknown"}
    assert ("evidence-incomplete", "persisted") in unknown


@linux
def test_a_cross_check_brings_a_second_witness_who_agrees() -> None:
    report = json.loads(run("audit", "--cross-check", "-f", "json").stdout)
    outcomes = {f["outcome"] for f in report["findings"] if f["rule"] == "listening-sources-disagree" and f["stack"] == "host"}
    assert outcomes == {"pass"}


@linux
def test_this_host_is_asked_for_what_the_policys_rules_need_and_for_no_more(tmp_path: Path) -> None:
    policy = tmp_path / "site.yaml"
    policy.write_text("policy: 1\nextends: [baseline]\nrules: {services-file-differs-from-iana: low}\n")
    for words, judged in (((), False), (("-p", policy), True)):
        findings = json.loads(run("audit", *words, "-f", "json").stdout)["findings"]
        outcomes = {(f["rule"], f["outcome"]) for f in findings}
        assert not {("port-published-without-listener", outcome) for outcome in ("pass", "fail", "unknown")} & outcomes
        assert bool({("services-file-differs-from-iana", outcome) for outcome in ("pass", "fail")} & outcomes) == judged


@linux
def test_a_collect_that_cannot_be_written_exits_74_and_leaves_nothing(tmp_path: Path) -> None:
    done = run("collect", "-o", tmp_path / "none" / "h.evidence")
    assert done.returncode == 74
    assert "what to do" in done.stderr
    assert list(tmp_path.iterdir()) == []


@linux
def test_a_device_is_written_to_and_never_replaced() -> None:
    before = os.stat("/dev/null")
    assert run("collect", "-o", "/dev/null").returncode in (0, 3)
    after = os.stat("/dev/null")
    assert (before.st_rdev, before.st_ino) == (after.st_rdev, after.st_ino)


def test_a_folder_that_anybody_may_write_in_gets_no_report(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    done = run("collect", "-o", tmp_path / "h.evidence")
    assert done.returncode == 74
    assert "anybody may write" in done.stderr


@linux
def test_a_snapshot_is_one_line_of_json_with_a_host_stack() -> None:
    done = run("snapshot")
    assert done.returncode in (0, 3)
    (line,) = done.stdout.splitlines()
    snapshot = json.loads(line)
    assert snapshot["schema"] == "port-auditor/snapshot/1"
    assert [stack["kind"] for stack in snapshot["stacks"]["seen"]].count("host") == 1


def test_a_snapshot_of_nothing_readable_exits_2(tmp_path: Path) -> None:
    done = run("snapshot", tmp_path / "nosuch")
    assert done.returncode == 2
    assert "nosuch" in done.stderr


def test_the_rules_are_listed_with_their_severity_and_one_is_shown_whole() -> None:
    listing = run("rules").stdout
    assert "low       listener-in-ephemeral-range\n          A listener's port is one that the kernel may hand out" in listing
    assert max(map(len, listing.splitlines())) <= 80
    words = " ".join(listing.split())
    assert all(f"{rule.severity} {name} {rule.title}" in words for name, rule in plugins.rules().items())
    document = run("rules", "listener-in-ephemeral-range").stdout
    assert "Why it matters\n---" in document
    assert "Remedy\n---" in document
    assert "ip_local_reserved_ports" in document


def test_a_misspelt_rule_is_answered_with_the_nearest_one() -> None:
    done = run("rules", "listener-in-ephemeral-rang")
    assert done.returncode == 2
    assert "did you mean 'listener-in-ephemeral-range'?" in done.stderr
