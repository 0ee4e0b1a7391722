"""`port-auditor audit --site` and `policy check` of a site, as a user meets them. The program itself is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bundles import SSHD, host, port, service

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECRET = "hunter2"
SITE = re.findall(r"^```yaml\n(site: 1\n.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)[0]
HOSTS = "[web]\nweb-07 ansible_password=hunter2\nshop-1\n[db]\ndb-01\n[db:vars]\nansible_password=hunter2\n"
POLICY = "policy: 1\napplies_to: {groups: [%s]}\nlistening: {approved: [{name: ssh, port: 22}, {name: own, port: %s}]}\n"
ONLY = ("--only", "host-without-policy,host-identity-mismatch,listener-not-approved")
IDS = {"web-07": "07" * 16, "shop-1.bank.example": "51" * 16, "db-01": "db" * 16, "mail-01": "aa" * 16}


def run(folder: Path, *words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words], capture_output=True, input=stdin, cwd=folder, check=False, timeout=120,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    told = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert SECRET not in told.stdout + told.stderr
    return told


def bundle(name: str, *ports: int, **more: Any) -> bytes:
    held = [port(f"tcp/0.0.0.0:{number}", service(900 + number, "daemon")) for number in ports]
    return host(
        port("tcp/0.0.0.0:22", SSHD), *held, name=name, machine_id=more.pop("machine_id", IDS.get(name, "ff" * 16)), **more
    ).bundle()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The README's site, with evidence of each of its three hosts, and nothing wrong."""
    (tmp_path / "roles").mkdir()
    (tmp_path / "fetched" / "db-01").mkdir(parents=True)
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "hosts.ini").write_text(HOSTS)
    (tmp_path / "roles" / "web.yaml").write_text(POLICY % ("web", 443))
    (tmp_path / "roles" / "db.yaml").write_text(POLICY % ("db", 5432))
    (tmp_path / "fetched" / "web-07.evidence").write_bytes(bundle("web-07", 443))
    (tmp_path / "fetched" / "shop-1.evidence").write_bytes(bundle("shop-1.bank.example", 443))
    (tmp_path / "fetched" / "db-01" / "h.evidence").write_bytes(bundle("db-01", 5432))
    return tmp_path


def audit(folder: Path, *words: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """The exit code and report/1, by the rules that a site is about."""
    done = run(folder, "audit", "--site", "site.yaml", "-f", "json=-", *ONLY, *words, **more)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def opened(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((f["host"], f["rule"], f["message"]) for f in report["findings"] if f["outcome"] == "fail")


def test_each_host_is_judged_by_its_own_policy_and_the_report_names_it(folder: Path) -> None:
    code, report = audit(folder, "fetched")
    assert (code, report["verdict"], report["complete"]) == (0, "pass", True)
    told = {h["host"]: (h["policy"]["name"], h["assignment"]["roles"], h["assignment"]["claimed"]) for h in report["hosts"]}
    assert told == {
        "web-07": ("web", ["web"], "web-07"),
        "shop-1": ("web", ["web"], "shop-1.bank.example"),
        "db-01": ("db", ["db"], "db-01"),
    }
    assert report["site"] == {**report["site"], "name": "Example Bank", "hosts": 3, "audited": 3, "missing": []}
    assert "3 of 3 hosts of Example Bank's inventory audited" in report["statement"]


def test_a_listener_that_another_role_approves_is_not_approved_here(folder: Path) -> None:
    (folder / "fetched" / "web-07.evidence").write_bytes(bundle("web-07", 443, 5432))
    code, report = audit(folder, "fetched")
    assert code == 1
    assert opened(report) == [("web-07", "listener-not-approved", "tcp/0.0.0.0:5432 is not approved")]


@pytest.mark.parametrize("words", [(), ("--allow-incomplete",)])
def test_a_host_without_evidence_is_no_pass_whatever_is_allowed(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "fetched" / "db-01" / "h.evidence").unlink()
    code, report = audit(folder, "fetched", *words)
    assert (code, report["verdict"], report["complete"]) == (3, "incomplete", False)
    assert report["site"]["missing"] == ["db-01"]
    assert "2 of 3 hosts of Example Bank's inventory audited; NO EVIDENCE of db-01" in report["statement"]
    assert "2 of 3 hosts of Example Bank's inventory audited; NO EVIDENCE of db-01" in " ".join(README.split())


def test_a_bundle_that_could_not_be_read_leaves_its_host_missing(folder: Path) -> None:
    (folder / "fetched" / "db-01" / "h.evidence").write_text("rubbish")
    code, report = audit(folder, "fetched")
    assert (code, report["site"]["missing"], len(report["bad_sources"])) == (3, ["db-01"], 1)


def test_two_hundred_missing_hosts_are_counted_and_the_first_few_named(folder: Path) -> None:
    (folder / "hosts.ini").write_text(HOSTS.replace("[db]", "web-[100:299]\n[db]"))
    for name in ("text", "html"):
        done = run(folder, "audit", "--site", "site.yaml", "-f", name, *ONLY, "fetched")
        assert done.returncode == 3
        assert "web-100" in done.stdout
        assert name == "html" or len(done.stdout) < 6000
        assert "NO EVIDENCE of web-100, web-101, web-102, web-103, web-104 and 195 more" in " ".join(done.stdout.split())


def test_the_hosts_that_are_expected_may_be_chosen_and_the_verdict_says_so(folder: Path) -> None:
    code, report = audit(folder, "--hosts", "WEB-*,db-01", "fetched/web-07.evidence", "fetched/db-01")
    assert (code, report["verdict"]) == (0, "pass")
    assert "2 of 2 hosts of Example Bank's inventory audited" in report["statement"]
    assert "evidence was expected of hosts WEB-*,db-01 of the site only (--hosts)" in report["narrowed"]


def test_an_owned_host_that_names_itself_devbox_is_found_under_its_own_name(folder: Path) -> None:
    (folder / "fetched" / "web-07.evidence").write_bytes(bundle("devbox", 443, 4444))
    code, report = audit(folder, "fetched")
    assert code == 1
    assert opened(report) == [
        ("web-07", "host-identity-mismatch", "it calls itself devbox, not web-07"),
        ("web-07", "listener-not-approved", "tcp/0.0.0.0:4444 is not approved"),
    ]


def test_a_good_hosts_evidence_put_down_for_a_bad_one_is_found_as_it_is_and_with_another_name_in_it(folder: Path) -> None:
    good = (folder / "fetched" / "shop-1.evidence").read_bytes()
    (folder / "fetched" / "web-07.evidence").write_bytes(good)
    clone = "its machine-id is on other hosts too: a cloned machine, or evidence that was copied"
    code, report = audit(folder, "fetched")
    said = [f for f in opened(report) if f[1] == "host-identity-mismatch"]
    assert (code, said) == (
        1,
        [
            ("shop-1", "host-identity-mismatch", clone),
            ("web-07", "host-identity-mismatch", "it calls itself shop-1.bank.example, not web-07"),
            ("web-07", "host-identity-mismatch", clone),
        ],
    )
    (folder / "fetched" / "web-07.evidence").write_bytes(good.replace(b"% host shop-1.bank.example", b"% host web-07"))
    code, report = audit(folder, "fetched")
    assert code == 1
    assert opened(report) == [("shop-1", "host-identity-mismatch", clone), ("web-07", "host-identity-mismatch", clone)]
    assert {f["observed"] for f in report["findings"] if f["outcome"] == "fail"} == {
        "shop-1 (fetched/shop-1.evidence)",
        "web-07 (fetched/web-07.evidence)",
    }


def test_a_new_machine_under_an_old_hosts_name_is_found(folder: Path) -> None:
    (folder / "fetched" / "web-07-2026-10-01T000000Z.evidence").write_bytes(bundle("web-07", 443, machine_id="99" * 16))
    code, report = audit(folder, "fetched")
    assert code == 1
    assert {f[:2] for f in opened(report)} == {("web-07", "host-identity-mismatch")}
    (folder / "hosts.ini").write_text(HOSTS.replace("web-07 ", f"web-07 machine_id={IDS['web-07']} "))
    (folder / "fetched" / "web-07.evidence").unlink()
    _, report = audit(folder, "fetched")
    assert opened(report) == [("web-07", "host-identity-mismatch", "it shows another machine-id")]


def test_hosts_without_a_role_or_with_two_are_judged_by_the_policy_of_the_command_line(folder: Path) -> None:
    (folder / "hosts.ini").write_text(HOSTS.replace("[web]", "mail-01\n[web]").replace("[db]", "[db]\nshop-1"))
    (folder / "fetched" / "mail-01.evidence").write_bytes(bundle("mail-01", 25))
    (folder / "general.yaml").write_text("policy: 1\nlistening: {approved: [{name: ssh, port: 22}]}\n")
    code, report = audit(folder, "-p", "general.yaml", "fetched")
    assert code == 1
    assert {h["host"]: h["policy"]["name"] for h in report["hosts"]} == {
        "mail-01": "general",
        "shop-1": "general",
        "web-07": "web",
        "db-01": "db",
    }
    assert opened(report) == [
        ("mail-01", "host-without-policy", "mail-01 has no role; it was judged by general"),
        ("mail-01", "listener-not-approved", "tcp/0.0.0.0:25 is not approved"),
        ("shop-1", "host-without-policy", "shop-1 has 2 roles: web, db; it was judged by general"),
        ("shop-1", "listener-not-approved", "tcp/0.0.0.0:443 is not approved"),
    ]


def test_evidence_that_no_path_names_is_of_nobody_whatever_it_claims_and_no_waiver_of_that_host_covers_it(folder: Path) -> None:
    waiver = "waivers: [{rule: listener-not-approved, hosts: [web-07], reason: x, owner: y, expires: 2099-01-31}]\n"
    (folder / "general.yaml").write_text("policy: 1\nlistening: {approved: []}\n" + waiver)
    (folder / "fetched" / "web-07.evidence").rename(folder / "fetched" / "anything.evidence")
    code, report = audit(folder, "-p", "general.yaml", "fetched")
    assert code == 1
    assert report["site"]["missing"] == ["web-07"]
    name = "unidentified web-07 (fetched/anything.evidence)"
    assert [(f[0], f[1]) for f in opened(report)] == [
        (name, "host-without-policy"),
        (name, "listener-not-approved"),
        (name, "listener-not-approved"),
    ]
    assert not report["counts"].get("waived")


def test_snapshots_of_many_hosts_in_one_file_or_on_stdin_are_of_nobody(folder: Path) -> None:
    lines = b"".join(
        json.dumps(host(name=name, machine_id=IDS[name]).snapshot().to_json()).encode() + b"\n" for name in ("web-07", "db-01")
    )
    (folder / "fetched" / "web-07.jsonl").write_bytes(lines)
    for word, stdin in (("fetched/web-07.jsonl", None), ("-", lines)):
        code, report = audit(folder, "--hosts", "web-07", word, stdin=stdin)
        assert code == 1
        assert [h["assignment"]["host"] for h in report["hosts"]] == [None, None]
        assert report["site"]["missing"] == ["web-07"]
        assert "put the evidence of each host in a file of its own" in report["hosts"][0]["assignment"]["identified"]
    (folder / "fetched" / "web-07.jsonl").write_bytes(lines.split(b"\n")[0])
    _, report = audit(folder, "fetched/web-07.jsonl")
    assert [h["assignment"]["host"] for h in report["hosts"]] == ["web-07"]


def test_a_host_that_audits_itself_is_known_by_its_kernels_name_and_nobody_expects_the_others(folder: Path) -> None:
    own = os.uname().nodename
    (folder / "hosts.ini").write_text(HOSTS.replace("[web]", f"[web]\n{own}"))
    _, report = audit(folder, "--only", "host-without-policy,host-identity-mismatch")
    (one,) = report["hosts"]
    assert (one["host"], one["assignment"]["roles"], one["self_assessed"]) == (own, ["web"], True)
    assert (report["site"]["hosts"], report["site"]["audited"], report["site"]["missing"]) == (4, 1, [])
    assert "1 of 4 hosts of Example Bank's inventory audited" in report["statement"]
    assert "SELF-ASSESSED" in report["statement"]


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("roles/db.yaml", "policy: 1\nrequird: []\n", "role 'db', site.yaml:6: roles/db.yaml:2:1: unknown key 'requird'"),
        ("roles/db.yaml", "policy: 1\nephemeral: {expect: iana-dynamc}\n", "roles/db.yaml:2: no table has a range named 'iana-dynamc'"),
        ("hosts.ini", "[web]\nweb-07 hunter2\n", "hosts.ini:2:1: expected NAME=VALUE"),
        ("site.yaml", "site: 1\n", "site.yaml:1:1: 'inventory' is missing"),
    ],
)
def test_what_is_wrong_with_any_role_is_told_before_anything_is_judged(folder: Path, path: str, text: str, says: str) -> None:
    (folder / path).write_text(text)
    for words in (("audit", "--site", "site.yaml", "fetched"), ("policy", "check", "site.yaml")):
        done = run(folder, *words)
        assert done.returncode == 2
        assert says in done.stderr
        assert not done.stdout
    assert not (folder / "reports").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--hosts", "web-07"), "--hosts chooses hosts of a site"),
        (("--site", "site.yaml", "--hosts", "nobody"), "no host of Example Bank's inventory"),
        (("--site", "site.yaml", "--hosts", "web-[01]7"), "in which only * is special"),
    ],
)
def test_hosts_to_be_chosen_need_a_site_that_has_them(folder: Path, words: tuple[str, ...], says: str) -> None:
    done = run(folder, "audit", *words, "fetched")
    assert done.returncode == 2
    assert says in done.stderr


def test_no_variable_of_an_inventory_gets_into_a_report(folder: Path) -> None:
    run(folder, "audit", "--site", "site.yaml", "-v", "fetched")
    written = [path.read_text(encoding="utf-8") for path in (folder / "reports").iterdir()]
    assert len(written) == 5
    assert not [text for text in written if SECRET in text]
    page = next(text for text in written if text.startswith("<!"))
    assert "role web; from the path fetched/web-07.evidence" in page


def test_policy_check_reads_a_site_and_says_who_has_which_role(folder: Path) -> None:
    done = run(folder, "policy", "check", "site.yaml", "roles/web.yaml")
    assert done.returncode == 0
    assert done.stdout.startswith("site.yaml: valid: Example Bank, 3 hosts: web 2, db 1, no role 0, several 0\n")
    assert run(folder, "policy", "check", "-q", "site.yaml").stdout == ""
    (folder / "hosts.ini").write_text("mail-01\nmail-02\n" + HOSTS.replace("[db]", "[db]\nshop-1"))
    for words in ((), ("-q",)):
        done = run(folder, "policy", "check", *words, "site.yaml")
        assert done.returncode == 1
        assert done.stdout == (
            "site.yaml: valid: Example Bank, 5 hosts: web 1, db 1, no role 2, several 1\n"
            "  hosts.ini:1: mail-01 has no role\n"
            "  hosts.ini:2: mail-02 has no role\n"
            "  hosts.ini:5: shop-1 has web and db\n"
        )


def test_policy_check_names_the_first_of_many_hosts_without_a_role(folder: Path) -> None:
    (folder / "hosts.ini").write_text("mail-[100:399]\n" + HOSTS)
    done = run(folder, "policy", "check", "site.yaml")
    assert "no role 300" in done.stdout
    assert done.stdout.endswith("mail-119 has no role\n  and 280 more\n")
