"""A report that is shared says nothing of who the people are, or which host it is, in any format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor import plugins
from auditor.cli import main
from auditor.listener_outcomes import ListenerOutcomes
from auditor.redacted_names import HOST, USER, Names
from auditor.redaction import KINDS, Redaction
from auditor.redaction_words import tells
from auditor.report import Report
from tests.bundles import SSHD, Granting, Host, Net, Process, container, host, port
from tests.hostile import HOSTILE, hostile_bundle, hostile_report
from tests.made_endpoints import Unix

ANN = Process(4711, "/home/bob.smith/bin/app", 1000, "/user.slice/user-1000.slice/session-3.scope")
NGINX = Process(900, "/usr/sbin/nginx", 33, "/system.slice/nginx.service")
POLICY = """\
policy: 1
controls: [nist-sp-800-53-r5]
listening:
  approved:
    - {name: ssh, port: 22, executable: /usr/sbin/sshd, purpose: "admins, ask carol", owner: carol, approved_by: d.chief}
    - {name: idle, port: 9, user: erin}
waivers:
  - {rule: listener-not-approved, subject: "tcp/10.77.0.5:8080", reason: "ann asked for it", owner: carol, approved_by: d.chief,
     expires: 2027-01-31}
"""
NAME = "web-77.shop.example.org"
USERS = ("ann", "bob.smith", "carol", "d.chief", "erin")
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
    assert all(path.name.startswith("1-host-") for path in out.iterdir())
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
    entry = json.loads(out.read_text())["hosts"][0]["approvals"]["entries"][0]
    assert not [name for name in (*USERS, *HOSTS, "alice") if _stands_in(name, entry["purpose"].lower().replace("_", " "))], entry[
        "purpose"
    ]


@pytest.mark.parametrize("form", plugins.formats())
def test_what_one_host_says_of_another_is_found_whichever_comes_first(form: str, tmp_path: Path) -> None:
    approved = "listening: {approved: [{name: x, port: 22, purpose: like db-77}]}"
    (tmp_path / "db-77-roles.yaml").write_text(f"policy: 1\nreport: {{organisation: Dept of db-77, banner: web-77 only}}\n{approved}\n")
    for name in ("web-77", "db-77"):
        (tmp_path / f"{name}.evidence").write_bytes(host(port("tcp/0.0.0.0:22", SSHD), name=name).bundle())
    for order in (("web-77", "db-77"), ("db-77", "web-77")):
        out = tmp_path / "out"
        sources = [str(tmp_path / f"{name}.evidence") for name in order]
        main(["audit", *sources, "-p", str(tmp_path / "db-77-roles.yaml"), "-f", f"{form}={out}", "--redact", "hosts"])
        assert out.read_text()
        assert not [name for name in ("db-77", "web-77") if name in out.read_text()]


@pytest.mark.parametrize("form", plugins.formats())
def test_what_could_not_be_read_and_what_was_asked_for_have_other_names_too(form: str, tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[web]\nweb1\nsecret9\n")
    (tmp_path / "site.yaml").write_text("site: 1\ninventory: hosts.ini\nroles: {web: {policy: baseline, groups: [web]}}\n")
    (tmp_path / "web1.evidence").write_bytes(Host(Net()).bundle())
    (tmp_path / "broken-secrethost.evidence").write_text("nothing\n")
    (before := tmp_path / "before").mkdir()
    for name in ("web1", "gonehost"):
        (before / f"{name}.evidence").write_bytes(Host(Net(), name=name).bundle())
    out = tmp_path / "out"
    sources = [str(tmp_path / "web1.evidence"), str(tmp_path / "broken-secrethost.evidence")]
    asked = ["--site", str(tmp_path / "site.yaml"), "--hosts", "secret9,web1", "-b", str(before)]
    main(["audit", *sources, *asked, "-f", f"{form}={out}", "--redact", "hosts"])
    told = out.read_text().replace(str(tmp_path), "")
    assert told
    assert not [name for name in ("secret9", "secrethost", "gonehost", "web1") if name in told]


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


ODD = ["tcp", "16379", "approved", "2026", "may", "user-1", "user-1.2", "host-1", "ann", "ANN", "10.0.0.1", "not approved", ".", "0.0.0.0",
       "home", "host",
       "/home/tcp/x", "/home/0/x", "@/home/22/x", "\u0130lker", "web1", "WEB1", "::1", "fe80::1", "CORP\\zelda"]  # fmt: skip
"""What somebody may be called, and what a report says itself or would say of somebody else."""


def redacted(report: Report, *kinds: str) -> Report:
    redaction = Redaction(kinds)
    for one in report.hosts:
        redaction.meet(one)
    redaction.report(report)
    for one in report.hosts:
        redaction.host(one)
    return report


def told_of_listeners(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    told = []
    for one in report.hosts:
        became = ListenerOutcomes(one, report.state)
        told += [(became.of(stack, socket), became.found(stack, socket)) for stack in one.snapshot.stacks.seen
                 for socket in stack.facts("listening").seen]  # fmt: skip
    return told


@pytest.mark.parametrize("kinds", [("users",), ("hosts",), KINDS])
@pytest.mark.parametrize("words", [HOSTILE, ODD])
@pytest.mark.parametrize("make", [hostile_report, hostile_bundle])
def test_whatever_names_there_are_each_listener_keeps_what_was_found_on_it(make: Any, words: list[str], kinds: tuple[str, ...]) -> None:
    plain, shared = make(*words), redacted(make(*words), *kinds)
    assert any(became != "none" for became, _ in told_of_listeners(plain))
    assert told_of_listeners(shared) == told_of_listeners(plain)
    assert (shared.counts, shared.verdict) == (plain.counts, plain.verdict)
    assert len({one.fingerprint for one in shared.findings}) == len({one.fingerprint for one in plain.findings})
    assert {one["taken"] for one in shared.to_json()["hosts"]} == {one["taken"] for one in plain.to_json()["hosts"]}


def shared_json(folder: Path, *hosts: Host, policy: str = "policy: 1\n", kinds: str = "users,hosts") -> dict[str, Any]:
    """The redacted report of hosts whose evidence lies in files that tell nothing."""
    (folder / "p.yaml").write_text(policy)
    sources = [folder / f"source-{n}.evidence" for n in range(len(hosts))]
    for path, one in zip(sources, hosts, strict=True):
        path.write_bytes(one.bundle())
    out = folder / "shared.json"
    asked = ["-p", str(folder / "p.yaml"), "-f", f"json={out}", "--today", "2026-11-21", "--redact", kinds]
    assert main(["audit", *map(str, sources), *asked]) in (0, 1, 3)
    plain: dict[str, Any] = json.loads(out.read_text())
    return plain


def texts_of(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False)


@pytest.mark.parametrize("word", ["16379", "tcp", "approved", "2026", "11"])
@pytest.mark.parametrize("place", ["@/home/{}", "/tmp/home/{}/x", "/home/{}/x"])  # noqa: S108
def test_no_user_chooses_which_words_of_the_report_are_names(tmp_path: Path, place: str, word: str) -> None:
    path = place.format(word)
    program = ANN if path.startswith("@") else Process(4711, path, 1000)
    unix = [Unix(path, (ANN,))] if path.startswith("@") else []
    one = host(port("tcp/0.0.0.0:16379", program), port("tcp/0.0.0.0:81", SSHD), endpoints=unix)
    waived = "waivers: [{rule: listener-not-approved, subject: 'tcp/0.0.0.0:81', reason: y, owner: z, expires: 2026-12-31}]\n"
    told = shared_json(tmp_path, one, policy=f"policy: 1\nlistening: {{approved: []}}\n{waived}")
    (found,) = [f for f in told["findings"] if f["rule"] == "listener-not-approved" and f["outcome"] == "fail"]
    assert found["subject"] == "tcp/0.0.0.0:16379"
    assert "tcp/0.0.0.0:16379 is not approved" in found["message"]
    assert told["hosts"][0]["taken"] == "2026-11-20T23:00:00Z"
    (waiver,) = [f["waiver"] for f in told["findings"] if f["rule"] == "listener-not-approved" and f["outcome"] == "waived"]
    assert waiver["expires"] == "2026-12-31"


def test_what_one_host_calls_itself_garbles_no_report_of_another(tmp_path: Path) -> None:
    good = host(port("tcp/0.0.0.0:6379", SSHD), name="good-one")
    evil = [host(port("tcp/0.0.0.0:22", SSHD), name=name, machine_id="6379") for name in ("0", "tcp", "approved")]
    told = shared_json(tmp_path, good, *evil, policy="policy: 1\nlistening: {approved: []}\n", kinds="hosts")
    assert "tcp/0.0.0.0:6379 is not approved" in texts_of(told)
    assert [one["host"] for one in told["hosts"]] == ["host-1", "host-2", "host-3", "host-4"]
    of_good, *of_evil = (one["machine_id"] for one in told["hosts"])
    assert {of_good, *of_evil} == {"machine-1", "machine-3"}


def test_gaps_and_what_lies_deep_are_redacted_without_reading_them_again(tmp_path: Path) -> None:
    snapshot = json.loads(json.dumps(host(port("tcp/0.0.0.0:22", SSHD), name="web-77").snapshot().to_json()))
    deep: Any = "web-77"
    for _ in range(900):
        deep = [deep]
    snapshot["visibility"]["more"] = deep
    snapshot["stacks"]["seen"][0]["listening"]["gaps"] = [{"why": "as web-77 says", "ports": "511-1023"}]
    snapshot["boot_id"] = "511"
    path, out = tmp_path / "s.json", tmp_path / "out.json"
    path.write_text(json.dumps(snapshot))
    assert main(["audit", str(path), "-f", f"json={out}", "--redact", "users,hosts"]) in (0, 1, 3)
    told = out.read_text()
    assert "web-77" not in told
    assert '"511-1023"' in told


def test_many_names_that_begin_alike_cost_no_more_than_one() -> None:
    names = Names(users=True, hosts=True)
    for n in range(20_000):
        names.meet(HOST, f"web-{n}.shop.example.org")
    said = names.text("web-19999.shop.example.org and web-20000 " * 20_000)
    assert said == "host-1 and web-20000 " * 20_000


@pytest.mark.parametrize(
    ("one", "policy", "name"),
    [
        (host(port("tcp/0.0.0.0:80", Process(9, "/home/CORP/zelda/bin/app", 1101, name="zelda-app"))), "", "zelda"),
        (host(port("tcp/0.0.0.0:80", Process(9, "/usr/bin/nc", 1001)), users={0: "root", 1001: "\u0130lker"}), "", "\u0130lker"),
        (host(port("tcp/0.0.0.0:80", Process(9, "/usr/bin/nc", 1001)), users={0: "root", 1001: "zo\u200cra"}), "", "u200cra"),
        (host(port("tcp/0.0.0.0:80", Process(9, "/usr/bin/nc", 0, "/system.slice/zoe-agent.service"))),
         "listening: {approved: [{name: a, port: 81, executable: /home/zoe/bin/a}]}", "zoe"),
        (host(), "listening: {approved: [{name: a, port: 81, purpose: ask ursula, owner: ursula@corp.example}]}", "ursula"),
        (host(name="web.shop.example.org"), "listening: {approved: [{name: a, port: 81, purpose: like mail.example.org}]}", "example.org"),
        (host(port("tcp/0.0.0.0:80", Process(9, "/usr/bin/nc", 0, "/system.slice/db3.example.org.service")), name="web.example.org"), "",
         "db3"),
        (host(units=[("x.socket", "ListenStream", "10.99.1.2:81")]), "", "10.99.1.2"),
        (host(port("tcp/10.77.0.5:80", SSHD)), "listening: {approved: [{name: a, port: 81, purpose: node ip-10-77-0-5}]}", "10-77-0-5"),
    ],
)  # fmt: skip
def test_no_name_survives(tmp_path: Path, one: Host, policy: str, name: str) -> None:
    assert name not in texts_of(shared_json(tmp_path, one, policy=f"policy: 1\n{policy}\n"))


@pytest.mark.parametrize("name", ["may", "local user", "1 2", "x,y", "a[b"])
def test_an_account_that_is_called_as_a_word_of_ours_is_told_where_it_is_an_account(tmp_path: Path, name: str) -> None:
    one = host(port("tcp/0.0.0.0:80", Process(4712, "/usr/bin/nc", 1002)), users={0: "root", 1002: name})
    told = shared_json(tmp_path, one, policy="policy: 1\nlistening: {approved: []}\n")
    (found,) = [f for f in told["findings"] if f["rule"] == "listener-not-approved"]
    assert found["who"] == "/usr/bin/nc[4712] user-1"
    assert "user user-1, unit" in found["observed"]
    (socket,) = told["hosts"][0]["stacks"]["seen"][0]["listening"]["seen"]
    assert socket["owners"][0]["user"] == "user-1"


def test_hosts_whose_names_differ_in_case_alone_stay_apart(tmp_path: Path) -> None:
    one, other = (host(port("tcp/0.0.0.0:22", SSHD), name=name) for name in ("web1", "WEB1"))
    told = shared_json(tmp_path, one, other, kinds="hosts")
    assert [one["host"] for one in told["hosts"]] == ["host-1", "host-1.2"]
    prints = [one["fingerprint"] for one in told["findings"]]
    assert len(set(prints)) == len(prints)


def test_no_other_name_is_one_that_stands_there_already(tmp_path: Path) -> None:
    programs = [Process(9, "/srv/user-1/x", 0), Process(10, "/srv/ann/x", 1000)]
    one = host(*(port(f"tcp/0.0.0.0:{81 + n}", by) for n, by in enumerate(programs)), users={0: "root", 1000: "ann"})
    told = texts_of(shared_json(tmp_path, one, kinds="users"))
    assert "/srv/user-1/x" in told
    assert "/srv/user-2/x" in told


def test_words_of_rules_and_numbers_are_no_names_in_a_sentence() -> None:
    assert not [word for rule in plugins.rules() for word in rule.split("-") if len(word) > 1 and tells(word)]
    assert [name for name in ("2026", "0.0.0.0", "is not approved", "tcp", "x", "ann", "web-1") if tells(name)] == ["ann", "web-1"]


def test_a_path_into_a_home_tells_a_name_that_is_no_account_only_there() -> None:
    names = Names(users=True, hosts=False)
    names.meet_homes("/home/john smith/x")
    names.meet(USER, "not")
    assert names.text("/home/john smith/x is not smith") == "/home/user-1/x is not smith"


def test_the_register_of_waivers_names_no_host_and_no_user_that_one_is_for(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("""\
policy: 1
listening: {approved: []}
waivers:
  - {rule: listener-not-approved, subject: "tcp/*:22", hosts: [web1, secret9], user: [zelda, root], reason: x, owner: ops,
     expires: 2027-01-31}
""")
    (tmp_path / "a.evidence").write_bytes(host(port("tcp/0.0.0.0:22", SSHD)).bundle())
    out = tmp_path / "out.html"
    words = ["audit", str(tmp_path / "a.evidence"), "-p", str(tmp_path / "p.yaml"), "-f", f"html={out}", "--today", "2026-11-21"]
    main(words)
    assert "hosts [web1, secret9]" in out.read_text()
    main([*words, "--redact", "users,hosts"])
    assert not [name for name in ("secret9", "zelda", "web1") if name in out.read_text().replace(str(tmp_path), "")]
