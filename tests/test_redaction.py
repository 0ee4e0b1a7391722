"""A report that is shared says nothing of who the people are, or which host it is, in any format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor import plugins
from auditor.cli import main
from auditor.redaction import KINDS
from tests.bundles import SSHD, Granting, Host, Net, Process, container, host, port

ANN = Process(4711, "/home/bob.smith/bin/app", 1000, "/user.slice/user-1000.slice/session-3.scope")
NGINX = Process(900, "/usr/sbin/nginx", 33, "/system.slice/nginx.service")
POLICY = """\
policy: 1
controls: [nist-sp-800-53-r5]
listening:
  approved:
    - {name: ssh, port: 22, executable: /usr/sbin/sshd, purpose: "admins, ask carol", owner: carol, approved_by: d.chief}
waivers:
  - {rule: listener-not-approved, subject: "tcp/10.77.0.5:8080", reason: "ann asked for it", owner: carol, approved_by: d.chief,
     expires: 2027-01-31}
"""
NAME = "web-77.shop.example.org"
USERS = ("ann", "bob.smith", "carol", "d.chief")
HOSTS = (NAME, "web-77", "shop.example.org", "10.77.0.5", "0123456789abcdef0123456789abcdef")


def audited() -> Host:
    sockets = [
        port("tcp/0.0.0.0:22", SSHD),
        port("tcp/10.77.0.5:8080", ANN),
        port("tcp/10.77.0.5:80", NGINX),
        port("udp/10.77.0.5:69", ANN),
    ]
    stacks = [container("aa" * 32, port("tcp/0.0.0.0:8081", ANN))]
    return host(*sockets, name=NAME, others=stacks, granting=[Granting("/home/ann/nc", file="0755:1000:0")],
                containers={"docker/" + "aa" * 32: "cart"})  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fetched")
    (made / "site.yaml").write_text(POLICY)
    (made / f"{NAME}.evidence").write_bytes(audited().bundle())
    (made / "before.evidence").write_bytes(host(port("udp/10.77.0.5:6969", ANN), name=NAME).bundle())
    return made


def written(folder: Path, form: str, *words: str) -> str:
    out = folder / f"out.{form}"
    sources = ["-b", str(folder / "before.evidence"), "-p", str(folder / "site.yaml"), str(folder / f"{NAME}.evidence")]
    main(["audit", *sources, "-f", f"{form}={out}", "--today", "2026-11-21", *words])
    return out.read_text()


@pytest.mark.parametrize("form", plugins.formats())
def test_no_name_is_left_in_any_format(folder: Path, form: str) -> None:
    shared = written(folder, form, "--redact", "users,hosts")
    lowered = shared.lower()
    for name in (*USERS, *HOSTS):
        words = lowered.replace(str(folder).lower(), "")
        assert not _stands_in(name, words), (form, name)


def _stands_in(name: str, text: str) -> bool:
    """As a word: `ann` is in `channel` as well."""
    import re

    return re.search(rf"(?<![0-9a-z_]){re.escape(name)}(?![0-9a-z_])", text) is not None


def test_without_it_the_names_are_there_so_that_the_test_before_can_fail(folder: Path) -> None:
    plain = written(folder, "json")
    assert [name for name in (*USERS, *HOSTS) if not _stands_in(name, plain.lower())] == []


def test_one_kind_leaves_the_other(folder: Path) -> None:
    users, hosts = (written(folder, "json", "--redact", kind) for kind in KINDS)
    assert [name for name in HOSTS if not _stands_in(name, users.lower())] == []
    assert [name for name in USERS if not _stands_in(name, hosts.lower())] == []
    assert not any(_stands_in(name, users.lower()) for name in USERS)


def test_the_same_name_is_the_same_other_name_and_findings_and_counts_stay(folder: Path) -> None:
    plain, shared = (json.loads(written(folder, "json", *words)) for words in ((), ("--redact", "users,hosts")))
    assert shared["counts"] == plain["counts"]
    assert shared["redacted"] == ["users", "hosts"]
    assert [(one["rule"], one["outcome"], one["severity"]) for one in sorted(shared["findings"], key=_place)] == [
        (one["rule"], one["outcome"], one["severity"]) for one in sorted(plain["findings"], key=_place)
    ]
    owners = [o["user"] for s in shared["hosts"][0]["stacks"]["seen"][0]["listening"]["seen"] for o in s["owners"]]
    assert len({user for user in owners if user.startswith("user-")}) == 1


def _place(one: dict[str, str]) -> tuple[str, str, str]:
    return one["rule"], one["outcome"], one["severity"]


def test_accounts_of_the_system_keep_their_names(folder: Path) -> None:
    shared = written(folder, "json", "--redact", "users")
    assert '"user": "root"' in shared
    assert '"user": "www-data"' in shared


def test_the_evidence_stays_behind_and_its_hash_is_told(folder: Path) -> None:
    out = folder / "shared"
    sources = ["-p", str(folder / "site.yaml"), str(folder / f"{NAME}.evidence")]
    main(["audit", *sources, "-o", str(out), "--redact", "users,hosts"])
    assert sorted(path.suffix for path in out.iterdir()) == [".html", ".json"]
    assert all(path.name.startswith("host-1-") for path in out.iterdir())
    (one,) = json.loads(next(out.glob("*.json")).read_text())["hosts"]
    assert len(one["evidence_sha256"]) == 64


def test_a_host_that_is_called_as_words_of_ours_are_stays_readable(tmp_path: Path) -> None:
    (tmp_path / "tcp.evidence").write_bytes(host(port("tcp/0.0.0.0:22", SSHD), name="tcp", users={0: "root", 1000: "listening"}).bundle())
    out = tmp_path / "out.json"
    assert main(["audit", str(tmp_path / "tcp.evidence"), "-f", f"json={out}", "--redact", "users,hosts"]) in (0, 1, 3)
    (socket,) = json.loads(out.read_text())["hosts"][0]["stacks"]["seen"][0]["listening"]["seen"]
    assert (socket["protocol"], socket["state"]) == ("tcp", "listening")


def test_missing_hosts_of_a_site_get_other_names_too(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("host,role\nweb1,web\ndb-secret,web\n")
    (tmp_path / "web.yaml").write_text("policy: 1\n")
    (tmp_path / "site.yaml").write_text("site: 1\ninventory: hosts.csv\nroles: {web: {policy: web.yaml}}\n")
    (tmp_path / "web1.evidence").write_bytes(Host(Net()).bundle())
    out = tmp_path / "out.json"
    code = main(["audit", "--site", str(tmp_path / "site.yaml"), str(tmp_path / "web1.evidence"), "-f", f"json={out}", "--redact", "hosts"])
    assert code == 3
    assert "db-secret" not in out.read_text()
    site = json.loads(out.read_text())["site"]
    assert (site["audited"], len(site["missing"])) == (1, 1)


@pytest.mark.parametrize("given", ["", "people", "users,people", ","])
def test_what_cannot_be_redacted_is_refused_by_name(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--redact", given]) == 2
    assert "write --redact users,hosts" in capsys.readouterr().err


@pytest.mark.parametrize(
    "said",
    ["ann\u2019s job on \u201cweb-77\u201d", "/srv/web-77_data/x", "ask ANN", "/run/WEB-77.shop.example.org/Bob.Smith.sock",
     "stack_web-77_1",
     "backup-web\\x2d77.service", "mail carol@shop.example.org", "/home/alice/tool"],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(folder: Path, said: str) -> None:
    policy = POLICY.replace("admins, ask carol", said.replace("\\", "\\\\"))
    (folder / "other.yaml").write_text(policy)
    out = folder / "said.json"
    sources = ["-p", str(folder / "other.yaml"), str(folder / f"{NAME}.evidence")]
    main(["audit", *sources, "-f", f"json={out}", "--redact", "users,hosts"])
    (entry,) = json.loads(out.read_text())["hosts"][0]["approvals"]["entries"]
    assert not [name for name in (*USERS, *HOSTS, "alice") if _stands_in(name, entry["purpose"].lower().replace("_", " "))], entry[
        "purpose"
    ]


def test_what_one_host_says_of_another_is_found_whichever_comes_first(tmp_path: Path) -> None:
    approved = "listening: {approved: [{name: x, port: 22, purpose: like db-77}]}"
    (tmp_path / "db-77-roles.yaml").write_text(f"policy: 1\nreport: {{organisation: Dept of db-77, banner: web-77 only}}\n{approved}\n")
    for name in ("web-77", "db-77"):
        (tmp_path / f"{name}.evidence").write_bytes(host(port("tcp/0.0.0.0:22", SSHD), name=name).bundle())
    for order in (("web-77", "db-77"), ("db-77", "web-77")):
        out = tmp_path / "out.json"
        sources = [str(tmp_path / f"{name}.evidence") for name in order]
        main(["audit", *sources, "-p", str(tmp_path / "db-77-roles.yaml"), "-f", f"json={out}", "--redact", "hosts"])
        assert "db-77" not in out.read_text()
        assert "web-77" not in out.read_text()


def test_what_could_not_be_read_and_what_was_asked_for_have_other_names_too(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[web]\nweb1\nsecret9\n")
    (tmp_path / "site.yaml").write_text("site: 1\ninventory: hosts.ini\nroles: {web: {policy: baseline, groups: [web]}}\n")
    (tmp_path / "web1.evidence").write_bytes(Host(Net()).bundle())
    (tmp_path / "broken-secrethost.evidence").write_text("nothing\n")
    out = tmp_path / "out.json"
    sources = [str(tmp_path / "web1.evidence"), str(tmp_path / "broken-secrethost.evidence")]
    asked = ["--site", str(tmp_path / "site.yaml"), "--hosts", "secret9,web1"]
    main(["audit", *sources, *asked, "-f", f"json={out}", "--redact", "hosts"])
    told = out.read_text()
    assert not [name for name in ("secret9", "secrethost", "web1") if name in told.replace(str(tmp_path), "")]


def test_a_host_that_is_called_not_turns_no_sentence_round(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("policy: 1\nlistening: {approved: []}\n")
    (tmp_path / "a.evidence").write_bytes(host(port("tcp/0.0.0.0:23", SSHD), name="not").bundle())
    out = tmp_path / "out.json"
    main(["audit", str(tmp_path / "a.evidence"), "-p", str(tmp_path / "p.yaml"), "-f", f"json={out}", "--redact", "hosts"])
    assert "tcp/0.0.0.0:23 is not approved" in out.read_text()


def test_other_names_are_words(folder: Path) -> None:
    shared = written(folder, "json", "--redact", "users,hosts")
    assert "address-1" in shared
    assert "addres-1" not in shared
