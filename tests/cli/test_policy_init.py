"""`port-auditor policy init`, from evidence to an audit that passes for what people filled in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli import main
from tests import bundles
from tests.bundles import NGINX, SSHD, Process, host, port

WEB = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/*:80", NGINX))
ROGUE = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/*:80", Process(666, "/usr/bin/python3.11", 1000, "/x", "nginx")))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("web1.evidence").write_bytes(WEB.bundle())
    return tmp_path


def told(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    return code, *capfd.readouterr()


def fill_in(path: str) -> None:
    written = Path(path).read_text()
    assert "purpose:\n" in written
    Path(path).write_text(written.replace("purpose:\n", "purpose: what it is for\n"))


def test_the_way_from_evidence_to_an_audit(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capfd, "policy", "init", "web1.evidence", "-o", "web.yaml")
    assert (code, out) == (0, "")
    assert err == "port-auditor: 2 proposed, 0 listed as not proposed; fill in each purpose in web.yaml, then `policy check` it\n"
    code, _, err = told(capfd, "policy", "check", "web.yaml")
    assert code == 2
    assert "web.yaml:14:15: expected a text, found nothing; say what it is for\n" in err.replace("port-auditor: ", "")
    assert told(capfd, "audit", "-p", "./web.yaml", "web1.evidence", "-f", "text")[0] == 2
    fill_in("web.yaml")
    code, out, _ = told(capfd, "policy", "check", "web.yaml")
    assert (code, out.partition(", 0 required")[0]) == (0, "web.yaml: valid: 2 approved (2 by user, unit or container)")
    only = ("--only", "listener-not-approved", "-f", "text")
    code, out, _ = told(capfd, "audit", "-p", "./web.yaml", "web1.evidence", *only)
    assert code == 0
    assert "listeners approved: 2 by user, unit or container\n" in out
    Path("rogue.evidence").write_bytes(ROGUE.bundle())
    code, out, _ = told(capfd, "audit", "-p", "./web.yaml", "rogue.evidence", *only)
    assert code == 1
    assert "tcp/*:80 is not approved: it differs from 'http' (./web.yaml:" in out
    assert "process nginx, executable /usr/bin/python3.11, user ann" in " ".join(out.split())


def test_without_a_file_the_draft_is_on_stdout_and_nothing_else_is(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capfd, "policy", "init", "web1.evidence")
    assert code == 0
    assert out.startswith("# A draft by `port-auditor policy init`, of web1, seen 2026-11-20T23:00:00Z. Nobody has approved it.\n")
    assert "in the draft, then" in err


def test_what_the_extended_policy_insists_on_is_to_be_filled_in(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, out, err = told(capfd, "policy", "init", "web1.evidence", "-p", "server")
    assert out.count("      purpose:\n      owner:\n") == 2
    assert "; fill in each purpose and owner in the draft, then" in err


def test_a_file_that_is_there_is_kept(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("web.yaml").write_text("filled in by people")
    code, _, err = told(capfd, "policy", "init", "web1.evidence", "-o", "web.yaml")
    assert code == 2
    assert "web.yaml is there already" in err
    assert Path("web.yaml").read_text() == "filled in by people"


def test_the_policy_that_it_extends_is_named_from_where_the_draft_is(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("bank.yaml").write_text("policy: 1\nlistening: {approved: [{name: ssh, port: 22, user: root}], forbidden: [{port: 80}]}\n")
    Path("roles").mkdir()
    assert told(capfd, "policy", "init", "web1.evidence", "-p", "./bank.yaml", "-o", "roles/web.yaml")[0] == 0
    written = Path("roles/web.yaml").read_text()
    assert "\nextends: [../bank.yaml]\n" in written
    assert "# 1 listener not listed here: what this extends approves them already.\n" in written
    assert "#   tcp/*:80, held by /usr/sbin/nginx: forbidden at ./bank.yaml:2; on web1\n" in written
    assert told(capfd, "policy", "check", "roles/web.yaml")[0] == 0


def test_of_many_hosts_and_a_source_that_is_bad(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("fetched").mkdir()
    for number in range(9):
        Path(f"fetched/{number}").write_bytes(
            bundles.Host(net=WEB.net, name=f"web{number}").bundle().replace(b"0123456789abcdef0", b"%017d" % number)
        )
    Path("fetched/bad").write_text("x")
    code, out, err = told(capfd, "policy", "init", "fetched", "--share", "100")
    assert code == 3
    assert "fetched/bad: neither a bundle nor a snapshot" in err
    assert "    # on 9 of 9 hosts; privileged\n    - name: ssh\n" in out
    assert ", of 9 hosts, seen 2026-11-20T23:00:00Z." in out


def test_a_host_of_which_not_all_was_seen_is_incomplete(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("vos.evidence").write_bytes(bundles.RICH["vos"]().bundle())
    code, out, _ = told(capfd, "policy", "init", "vos.evidence")
    assert code == 3
    assert "may listen on more than was seen" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--share", "0"), "--share 0 is no percentage"),
        (("--share", "101"), "--share 101 is no percentage"),
        (("-p", "nope"), "no policy 'nope' ships with this program"),
        (("gone.evidence",), "no source could be read"),
    ],
)
def test_what_it_cannot_do_it_refuses(here: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], says: str) -> None:
    code, _, err = told(capfd, "policy", "init", *words)
    assert code == 2
    assert says in err


def test_this_host_is_drafted_without_a_source(here: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "auditor", "policy", "init"], capture_output=True, text=True, timeout=120, check=False,
                          cwd=Path(__file__).resolve().parents[2])  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    assert "\npolicy: 1\nextends: [baseline]\nlistening:\n" in done.stdout
