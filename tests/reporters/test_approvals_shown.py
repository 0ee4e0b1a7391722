"""What approves a host's listeners, and how strongly, in every format that people and programs read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from auditor.cli import main
from tests import bundles
from tests.bundles import NGINX, SSHD, host, port

POLICY = """\
policy: 1
listening:
  approved:
    - {name: ssh, port: 22, executable: /usr/sbin/sshd, purpose: "administration <b>", owner: ops, approved_by: j.doe, ticket: CHG-1,
       review_by: 2027-03-01}
    - {name: web, port: 80, process: nginx}
    - {name: nfs, port: 2049}
    - {name: idle, port: 9, user: root}
"""
HOST = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX), port("tcp/0.0.0.0:2049"))
STATEMENT = "1 by executable alone (any local user may run it), 1 by process name, 1 by port only: a rogue on those ports passes"


def report(folder: Path, form: str, policy: str = POLICY) -> str:
    (folder / "site.yaml").write_text(policy)
    (folder / "web1.evidence").write_bytes(HOST.bundle())
    out = folder / f"out.{form}"
    main(["audit", "-p", str(folder / "site.yaml"), str(folder / "web1.evidence"), "-f", f"{form}={out}"])
    return out.read_text()


def test_the_text_says_it_in_a_line_of_its_host(tmp_path: Path) -> None:
    assert f"listeners approved: {STATEMENT}" in " ".join(report(tmp_path, "text").split())


def test_the_json_has_every_entry_with_what_it_approves(tmp_path: Path) -> None:
    (one,) = json.loads(report(tmp_path, "json"))["hosts"]
    assert one["approvals"]["listeners"] == {"who": 0, "executable": 1, "name": 1, "port only": 1}
    assert [(entry["name"], entry["strength"], len(entry["matched"])) for entry in one["approvals"]["entries"]] == [
        ("ssh", "executable", 1), ("web", "name", 1), ("nfs", "port only", 1), ("idle", "who", 0),
    ]  # fmt: skip


def test_the_html_has_a_row_for_each_entry_that_approves_something(tmp_path: Path) -> None:
    section = report(tmp_path, "html").partition('<h2 id="approvals">')[2].partition("</section>")[0]
    rows = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)).strip() for row in re.findall(r"<tr data-kind[^>]*>(.*?)</tr>", section)]
    assert [re.sub(r"\S*site\.yaml:", "", row) for row in rows] == [
        "ssh 4 executable administration &lt;b&gt; ops j.doe CHG-1 2027-03-01 tcp/0.0.0.0:22",
        "web 6 name not stated not stated not stated not stated not stated tcp/0.0.0.0:80",
        "nfs 7 port only not stated not stated not stated not stated not stated tcp/0.0.0.0:2049",
    ]
    assert f"Listeners approved: {STATEMENT}. Entries of the policy that approve nothing here: 1 of 4." in section


def test_what_is_not_known_to_match_is_said_to_be_so(tmp_path: Path) -> None:
    policy = "policy: 1\nlistening: {approved: [{name: nfs, port: 2049, user: root}]}\n"
    assert "and perhaps 1 of which the evidence does not tell" in report(tmp_path, "html", policy)


@pytest.mark.parametrize("form", ["text", "html", "json"])
def test_where_the_policy_lists_nothing_there_is_nothing_to_say(tmp_path: Path, form: str) -> None:
    written = report(tmp_path, form, "policy: 1\n")
    assert "listeners approved:" not in written
    assert 'id="approvals"' not in written
    if form == "json":
        assert json.loads(written)["hosts"][0]["approvals"] is None


def test_a_stack_that_is_not_judged_is_not_in_the_register(tmp_path: Path) -> None:
    both = bundles.Host(net=HOST.net, others=[bundles.Net(HOST.net.ports, mounted="/run/netns/blue")])
    (tmp_path / "site.yaml").write_text(POLICY)
    (tmp_path / "two.evidence").write_bytes(both.bundle())
    out = tmp_path / "out.json"
    main(["audit", "-p", str(tmp_path / "site.yaml"), str(tmp_path / "two.evidence"), "--stack", "blue", "-f", f"json={out}"])
    (one,) = json.loads(out.read_text())["hosts"]
    assert {place["stack"] for entry in one["approvals"]["entries"] for place in entry["matched"]} == {"blue"}
