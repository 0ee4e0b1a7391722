"""`port-auditor audit` as a user meets it: what it writes, prints and exits with. The program itself is run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auditor.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
QUIET_HOST = (ROOT / "tests" / "evidence" / "quiet.evidence").read_text()
SSH_ROW = "| tcp\tlistening\tipv4\t10.0.0.5\t22\t\t0\t0\t100\t1\t\n"
TELNET_ROW = SSH_ROW.replace("22", "23").replace("100\t1", "101\t2")
TELNET = QUIET_HOST.replace(f"{SSH_ROW}| end\t1\n", f"{SSH_ROW}{TELNET_ROW}| end\t2\n").replace("| 812\t100\n", "| 812\t100 101\n")
UNSEEN = QUIET_HOST.replace("| unreadable	\n", "| unreadable	7 8\n").replace(
    "| end	4\n? 0", "| end	4\n! the descriptors of 2 processes may not be read\n? 1"
)


def run(*words: str | Path, stdin: str | None = None, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, words)], capture_output=True, text=True, input=stdin, cwd=cwd, check=False, timeout=120,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **environment},
    )  # fmt: skip


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "web1.evidence"
    path.write_text(QUIET_HOST)
    return path


def written(tmp_path: Path, text: str, name: str = "one.evidence") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_quiet_host_passes_and_the_verdict_says_what_was_not_assessed(bundle: Path, tmp_path: Path) -> None:
    done = run("audit", bundle, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert said.startswith("PASS for baseline: nothing open answers: 0 open, 0 unknown, ")
    assert "- 1 listener in 1 network stack of web1 seen at 2026-11-20T23:00:00Z - judged by policy baseline@" in said
    assert "approval of listeners NOT ASSESSED: the policy lists none" in said
    assert "the host firewall and the network path were not examined" in said
    assert "SELF-ASSESSED" not in said


def test_html_json_and_evidence_are_written_with_tight_modes_and_named_after_host_and_time(bundle: Path, tmp_path: Path) -> None:
    run("audit", bundle, cwd=tmp_path)
    names = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "reports").iterdir()}
    assert names == {f"web1-2026-11-20T230000Z.{suffix}": 0o640 for suffix in ("html", "json", "evidence")}
    assert (tmp_path / "reports" / "web1-2026-11-20T230000Z.evidence").read_text() == QUIET_HOST


def test_an_open_finding_at_medium_exits_1_and_below_the_line_0(tmp_path: Path) -> None:
    path = written(tmp_path, TELNET)
    done = run("audit", path, "-f", "text")
    assert done.returncode == 1
    assert "FAIL: 1 open finding (1 medium)" in done.stdout
    assert "cleartext-listener  tcp/10.0.0.5:23" in done.stdout
    assert run("audit", path, "-f", "text", "--fail-on", "high").returncode == 0
    assert run("audit", path, "-f", "text", "--fail-on", "never").returncode == 0


def test_what_could_not_be_seen_exits_3_and_allowing_it_leaves_its_mark(tmp_path: Path) -> None:
    path = written(tmp_path, UNSEEN)
    done = run("audit", path, "-f", "text")
    assert done.returncode == 3
    assert done.stdout.startswith("INCOMPLETE: nothing open among what was seen")
    allowed = run("audit", path, "-f", "text", "--allow-incomplete")
    assert allowed.returncode == 0
    assert allowed.stdout.startswith("PASS (incomplete evidence, allowed by --allow-incomplete)")


def test_1_never_hides_that_the_evidence_was_incomplete(tmp_path: Path) -> None:
    path = written(
        tmp_path, TELNET.replace("| unreadable	\n", "| unreadable	7\n").replace("| end	4\n? 0", "| end	4\n! hidden\n? 1")
    )
    done = run("audit", path, "-f", "json=-")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["verdict"], report["complete"]) == ("fail", False)


def test_a_bundle_cut_short_is_incomplete_and_never_a_pass(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for length in range(30, len(QUIET_HOST), 97):
        code = main(["audit", str(written(tmp_path, QUIET_HOST[:length])), "-f", "text"])
        told = capfd.readouterr()
        assert code in (2, 3), (length, told.out)
        assert "Traceback" not in told.err


def test_the_same_evidence_policy_day_and_stamp_give_the_same_bytes(bundle: Path) -> None:
    for form in ("json", "html", "text"):
        first, second = (
            run("audit", bundle, "-f", form, "--today", "2026-11-21", SOURCE_DATE_EPOCH="1795000000", PYTHONHASHSEED=word).stdout
            for word in ("1", "2")
        )
        assert first == second != ""


def test_one_bad_source_of_several_is_named_and_the_rest_is_audited(bundle: Path, tmp_path: Path) -> None:
    bad = written(tmp_path, "rubbish\n", "bad.evidence")
    done = run("audit", bundle, bad, "-f", "json=-")
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert [host["host"] for host in report["hosts"]] == ["web1"]
    assert str(bad) in report["bad_sources"][0]["source"]
    assert "neither a bundle nor a snapshot" in done.stderr


def test_when_every_source_is_bad_nothing_was_audited(tmp_path: Path) -> None:
    done = run("audit", written(tmp_path, "rubbish\n"), "-f", "text")
    assert done.returncode == 2
    assert "what to do" in done.stderr or "neither a bundle" in done.stderr


def test_an_empty_folder_is_nothing_to_audit_and_no_pass_even_when_incomplete_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for words in ((), ("--allow-incomplete",)):
        done = run("audit", tmp_path / "none", "-f", "text", *words)
        assert done.returncode == 3
        assert done.stdout.startswith("INCOMPLETE")


def test_evidence_is_read_from_stdin(tmp_path: Path) -> None:
    done = run("audit", "-", "-f", "text", stdin=QUIET_HOST)
    assert done.returncode == 0
    assert "web1" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-p", "nosuch"), "no policy"),
        (("-p", "./nosuch.yaml"), "nosuch.yaml"),
        (("-f", "pdf"), "there is no format 'pdf'"),
        (("-f", "json", "-f", "text"), "both go to stdout"),
        (("--only", "listener-not-aproved"), "names no rule"),
        (("--today", "31.3.2027"), "is not a day"),
        (("--stack", "blue"), "no stack is called 'blue'"),
        (("--cross-check",), "a SOURCE was given"),
        (("--fail-on", "grave"), "invalid choice"),
    ],
)
def test_bad_usage_exits_2_with_a_message_that_helps(bundle: Path, words: tuple[str, ...], says: str) -> None:
    done = run("audit", bundle, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_site_file_for_a_policy_and_a_policy_for_evidence_are_told_where_they_go(bundle: Path, tmp_path: Path) -> None:
    site, policy = written(tmp_path, "site: 1\nroles: {}\n", "site.yaml"), written(tmp_path, "# ours\npolicy: 1\n", "web.yaml")
    done = run("audit", bundle, "-p", site)
    assert done.returncode == 2
    assert f"{site}:1:1: this is a site file, and no policy" in done.stderr
    assert "give it with --site" in done.stderr
    done = run("audit", policy, "-f", "text")
    assert done.returncode == 2
    assert f"{policy}: that is a policy: give it with -p" in done.stderr


def test_a_broken_policy_says_where_and_what_would_be_right(bundle: Path, tmp_path: Path) -> None:
    policy = written(tmp_path, "policy: 1\nlistening:\n  approved:\n    - {name: ssh, prot: 22}\n", "web.yaml")
    done = run("audit", bundle, "-p", policy)
    assert done.returncode == 2
    assert f"{policy}:4:" in done.stderr
    assert "port" in done.stderr


def test_a_policy_that_names_a_table_that_is_not_there_is_refused_before_anything_is_audited(bundle: Path, tmp_path: Path) -> None:
    policy = written(tmp_path, "policy: 1\nephemeral: {expect: iana-dynamc}\n", "web.yaml")
    done = run("audit", bundle, "-p", policy)
    assert done.returncode == 2
    assert "web.yaml:2" in done.stderr
    assert "iana-dynamic" in done.stderr


def test_a_verdict_on_part_of_the_rules_or_stacks_says_so(bundle: Path) -> None:
    done = run("audit", bundle, "-f", "json", "--only", "evidence-incomplete,owner-not-visible", "--stack", "host")
    statement = json.loads(done.stdout)["statement"]
    assert "only 2 of " in statement
    assert "only the network stack host was judged (--stack)" in statement


def test_quiet_prints_nothing_when_nothing_is_open_and_everything_when_something_is(bundle: Path, tmp_path: Path) -> None:
    assert run("audit", bundle, "-q", cwd=tmp_path).stdout == ""
    assert "cleartext-listener" in run("audit", written(tmp_path, TELNET), "-q", cwd=tmp_path).stdout


def test_a_full_disk_exits_74_after_printing_the_summary_and_leaves_nothing_half_written(bundle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.write_text("a file is in the way")
    done = run("audit", bundle, cwd=tmp_path)
    assert done.returncode == 74
    assert done.stdout.startswith("PASS")
    assert "what to do" in done.stderr
    assert folder.read_text() == "a file is in the way"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_stdout_that_takes_nothing_exits_74_without_a_traceback(bundle: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "auditor", "audit", str(bundle), "-f", "json"], stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,             env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert done.returncode == 74
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_closed_pipe_is_silent(bundle: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m auditor snapshot "{bundle}" | head -c 1 >/dev/null'],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stderr == ""


def test_an_interrupt_exits_130_and_says_so(tmp_path: Path) -> None:
    fifo = tmp_path / "stdin"
    os.mkfifo(fifo)
    holder = os.open(fifo, os.O_RDWR)
    with open(fifo, "rb") as stdin:
        child = subprocess.Popen(
            [sys.executable, "-m", "auditor", "audit", "-", "-o", str(tmp_path / "out"), "-v"], stdin=stdin, stderr=subprocess.PIPE,
            text=True,             env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        time.sleep(2)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    os.close(holder)
    assert child.returncode == 130
    assert said.strip().endswith("interrupted")
    assert not (tmp_path / "out").exists()


def test_a_hostile_host_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    path = written(tmp_path, QUIET_HOST.replace("% host web1", "% host ../../etc/cron.d/x\x1b[2J"))
    done = run("audit", path, cwd=tmp_path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert sorted(p.parent for p in tmp_path.rglob("*.json")) == [tmp_path / "reports"]


def test_a_format_may_go_to_a_file_while_another_goes_to_stdout(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    done = run("audit", bundle, "-f", f"html={target}", "-f", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["schema"] == "port-auditor/report/1"
    assert target.read_text().startswith("<!doctype html>")
    assert not (tmp_path / "reports").exists()


def test_snapshots_and_json_lines_of_them_give_the_findings_of_their_bundle(bundle: Path, tmp_path: Path) -> None:
    line = run("snapshot", bundle).stdout
    lines = written(tmp_path, line + line.replace('"web1"', '"web2"'), "fleet.jsonl")
    of_bundle = json.loads(run("audit", bundle, "-f", "json").stdout)
    of_lines = json.loads(run("audit", lines, "-f", "json").stdout)
    assert [host["host"] for host in of_lines["hosts"]] == ["web1", "web2"]
    assert [f for f in of_lines["findings"] if f["host"] == "web1"] == of_bundle["findings"]


def test_the_report_has_every_key_that_the_contract_promises(bundle: Path) -> None:
    report = json.loads(run("audit", bundle, "-f", "json").stdout)
    assert {"schema", "tool", "tables", "started", "finished", "evaluated_on", "verdict", "complete", "counts", "hosts", "findings"} <= set(
        report
    )
    assert {"host", "system", "release", "taken", "policy", "evidence_sha256", "visibility", "limits", "stacks"} <= set(report["hosts"][0])
    keys = {"rule", "host", "stack", "subject", "outcome", "severity", "message", "observed", "expected", "source", "count", "waiver",
            "fingerprint", "controls"}  # fmt: skip
    assert all(keys <= set(finding) for finding in report["findings"])
    assert report["counts"] == {outcome: sum(f["outcome"] == outcome for f in report["findings"]) for outcome in report["counts"]}


def test_two_formats_to_one_file_are_refused_before_anything_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "link").symlink_to("out")
    one, other = str(tmp_path / "out"), str(tmp_path / "link")
    assert main(["audit", "-f", f"html={one}", "-f", f"json={other}"]) == 2
    assert f"two formats cannot both go to {one}" in capsys.readouterr().err
    assert not Path(one).exists()


@pytest.mark.parametrize(
    ("fail_on", "head"),
    [("critical", "PASS for baseline (fails only at critical or graver: --fail-on critical): 2 open findings (2 high)"),
     ("never", "PASS for baseline (findings do not decide: --fail-on never): 2 open findings (2 high)"),
     ("high", "FAIL: 2 open findings (2 high)")],
)  # fmt: skip
@pytest.mark.parametrize("form", ["text", "nagios", "markdown", "html"])
def test_a_pass_with_open_findings_says_in_its_headline_where_the_bar_is(
    fail_on: str, head: str, form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    evidence = Path(__file__).resolve().parent.parent / "evidence" / "web1.evidence"
    main(["audit", str(evidence), "--fail-on", fail_on, "-f", form])
    told = " ".join(re.sub(r"<[^>]*>|`|\\", "", capfd.readouterr().out).split())
    assert head in told
    assert (f"--fail-on {fail_on}" in told) is True


def test_a_pass_for_a_part_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    evidence = Path(__file__).resolve().parent.parent / "evidence" / "web1.evidence"
    main(["audit", str(evidence), "--only", "waiver-expired,listener-on-wildcard-address,cleartext-listener", "-f", "text"])
    assert capfd.readouterr().out.startswith("PASS for baseline (in part): ")


def test_whether_a_review_is_overdue_is_told_as_of_the_day_that_was_asked_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    evidence = Path(__file__).resolve().parent.parent / "evidence" / "web1.evidence"
    (tmp_path / "web.yaml").write_text("policy: 1\nlistening: {approved: [{name: http, port: 80, review_by: 2026-11-21}]}\n")
    for day, overdue in (("2026-11-21", False), ("2026-11-22", True)):
        main(["audit", str(evidence), "-p", str(tmp_path / "web.yaml"), "--today", day, "-f", "json"])
        (host,) = json.loads(capfd.readouterr().out)["hosts"]
        assert ("1 by an entry whose review is overdue" in host["approval_statement"]) is overdue
