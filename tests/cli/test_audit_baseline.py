"""`audit --baseline`: each host is compared with its earlier snapshot, and a host that has none, or that is gone, never passes unseen."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import main
from tests.bundles import AGENT, NO_RIGHTS, SSHD, Host, host, port

OTHER_ID = "f" * 32
BEFORE = host(port("tcp/10.0.0.5:22", SSHD))
ROGUE = replace(BEFORE, net=replace(BEFORE.net, ports=(*BEFORE.net.ports, port("tcp/10.0.0.5:4444", AGENT))))


def put(folder: Path, **hosts: Host) -> str:
    folder.mkdir()
    for name, one in hosts.items():
        (folder / f"{name}.evidence").write_bytes(one.bundle())
    return str(folder)


def audited(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    code = main(["audit", "-f", "json=-", "--today", "2026-11-21", *argv])
    return code, json.loads(capsys.readouterr().out)


def test_what_appeared_since_fails_and_the_verdict_says_with_what_it_was_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = audited(capsys, "-b", put(tmp_path / "then", web1=BEFORE), put(tmp_path / "now", web1=ROGUE))
    assert code == 1
    assert [f["subject"] for f in report["findings"] if f["rule"] == "listener-appeared"] == ["tcp/10.0.0.5:4444"]
    assert "1 host compared with a baseline of 2026-11-20T23:00:00Z" in report["statement"]
    assert report["hosts"][0]["baseline"] == {"host": "web1", "machine_id": BEFORE.machine_id, "taken": BEFORE.taken}


def test_the_same_host_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = audited(capsys, "-b", put(tmp_path / "then", web1=BEFORE), put(tmp_path / "now", web1=BEFORE))
    assert (code, report["complete"]) == (0, True)


def test_a_host_that_was_renamed_is_found_by_its_machine_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    renamed = replace(ROGUE, name="web9")
    code, report = audited(capsys, "-b", put(tmp_path / "then", web1=BEFORE), put(tmp_path / "now", web9=renamed))
    assert code == 1
    assert report["drift"] == {"compared": 1, "without": [], "missing": []}


def test_a_host_that_changed_name_and_machine_id_does_not_slip_out_of_the_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    renamed = replace(ROGUE, name="web9", machine_id=OTHER_ID)
    argv = ("-b", put(tmp_path / "then", web1=BEFORE), put(tmp_path / "now", web9=renamed))
    for more in ((), ("--allow-incomplete",)):
        code, report = audited(capsys, *argv, *more)
        assert (code, report["verdict"], report["complete"]) == (3, "incomplete", False)
        assert "the baseline has nothing of web9" in report["statement"]
        assert "NO EVIDENCE of web1, which the baseline has" in report["statement"]


def test_a_new_host_beside_the_others_is_incomplete_until_that_is_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = replace(BEFORE, name="web2", machine_id=OTHER_ID)
    argv = ("-b", put(tmp_path / "then", web1=BEFORE), put(tmp_path / "now", web1=BEFORE, web2=new))
    assert audited(capsys, *argv)[0] == 3
    assert audited(capsys, *argv, "--allow-incomplete")[0] == 0


def test_a_baseline_with_two_snapshots_of_one_host_or_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = put(tmp_path / "now", web1=BEFORE)
    assert main(["audit", "-b", put(tmp_path / "then", a=BEFORE, b=ROGUE), now]) == 2
    assert "two snapshots of 'web1'" in capsys.readouterr().err
    assert main(["audit", "-b", put(tmp_path / "none"), now]) == 2
    assert "has no snapshot in it" in capsys.readouterr().err
    (tmp_path / "odd").write_text("what is this\n")
    assert main(["audit", "-b", str(tmp_path / "odd"), now]) == 2


def test_an_audit_never_calls_its_sides_as_diff_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blind = replace(BEFORE, rights=NO_RIGHTS, unreadable=[700], net=replace(BEFORE.net, ports=(port("tcp/10.0.0.5:22"),)))
    folders = "-b", put(tmp_path / "then", web1=BEFORE), put(tmp_path / "now", web1=blind)
    assert main(["audit", "-f", "markdown=-", "--today", "2026-11-21", *folders]) == 3
    told = capsys.readouterr().out
    assert "at the baseline; could not be compared: now " in told
    assert not re.search(r"\b(?:in|of) [AB]\b", told)
