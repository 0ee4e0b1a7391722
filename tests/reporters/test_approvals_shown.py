"""What approves a host's listeners, and how strongly, in every format that people and programs read."""

from __future__ import annotations

import dataclasses
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


def report(folder: Path, form: str, policy: str = POLICY, *others: str) -> str:
    (folder / "site.yaml").write_text(policy)
    (folder / "web1.evidence").write_bytes(HOST.bundle())
    out = folder / f"out.{form}"
    sources = [str(folder / one) for one in ("web1.evidence", *others)]
    main(["audit", "-p", str(folder / "site.yaml"), *sources, "--today", "2026-11-21", "-f", f"{form}={out}"])
    return out.read_text()


def test_the_text_says_it_in_a_line_of_its_host(tmp_path: Path) -> None:
    assert f"listeners approved: {STATEMENT}" in " ".join(report(tmp_path, "text").split())


def test_the_json_has_every_entry_with_what_it_approves(tmp_path: Path) -> None:
    (one,) = json.loads(report(tmp_path, "json"))["hosts"]
    assert one["approvals"]["listeners"] == {"who": 0, "executable": 1, "name": 1, "port only": 1}
    assert [(entry["name"], entry["strength"], len(entry["matched"])) for entry in one["approvals"]["entries"]] == [
        ("ssh", "executable", 1), ("web", "name", 1), ("nfs", "port only", 1), ("idle", "who", 0),
    ]  # fmt: skip
    assert one["approvals"]["entries"][3]["asks"] == ["port 9", "user root"]


def register(page: str) -> list[str]:
    """The rows of the register, as a reader sees them."""
    section = page.partition('<h2 id="approvals">')[2].partition("</section>")[0]
    rows = re.findall(r"<tr id[^>]*>(.*?)</tr>", section)
    return [re.sub(r"\S*site\.yaml ", "", re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)).strip()) for row in rows]


def test_the_html_has_a_row_for_every_entry_with_what_it_asks_and_what_it_approves(tmp_path: Path) -> None:
    page = report(tmp_path, "html")
    assert register(page) == [
        "ssh :4 port 22 executable /usr/sbin/sshd strength: by executable alone (any local user may run it) "
        "administration &lt;b&gt; ops j.doe CHG-1 2027-03-01 100 days left tcp/0.0.0.0:22",
        "web :6 port 80 process nginx strength: by process name " + "not stated " * 5 + "tcp/0.0.0.0:80",
        "nfs :7 port 2049 strength: by port only " + "not stated " * 5 + "tcp/0.0.0.0:2049",
        "idle :8 port 9 user root strength: by user, unit or container " + "not stated " * 5 + "approves nothing here",
    ]
    assert f"<bdi>web1</bdi>: {STATEMENT}" in page


def test_an_entry_says_how_long_its_review_is_overdue_and_what_was_found_of_it(tmp_path: Path) -> None:
    policy = POLICY.replace("name: idle, port: 9", "name: idle, port: 9, review_by: 2026-11-01") + "  required: [idle]\n"
    idle = register(report(tmp_path, "html", policy))[-1]
    assert idle.endswith(
        "2026-11-01 overdue by 20 days approves nothing here low: approval-review-overdue medium: required-listener-absent"
    )


def test_hosts_of_one_policy_share_a_table_that_names_them(tmp_path: Path) -> None:
    other = dataclasses.replace(host(port("tcp/0.0.0.0:22", SSHD)), name="web2")
    (tmp_path / "web2.evidence").write_bytes(other.bundle())
    rows = register(report(tmp_path, "html", POLICY + "  required: [idle]\n", "web2.evidence"))
    assert len(rows) == 4
    assert rows[0].endswith("tcp/0.0.0.0:22 on web1, web2")
    assert rows[2].endswith("tcp/0.0.0.0:2049 on web1")
    assert rows[3].endswith("approves nothing here medium: required-listener-absent on web1 , web2")


def approved_as(page: str) -> list[str]:
    cells = re.findall(r'<td class="as">(.*?)</td>', page)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", cell)).strip() for cell in cells]


def test_a_listener_says_which_entry_approves_it_and_by_what_alone(tmp_path: Path) -> None:
    page = report(tmp_path, "html")
    assert approved_as(page) == ["ssh by executable alone", "web by process name alone", "nfs by port alone"]
    assert set(re.findall(r'<td class="as"><div><a href="#([^"]*)"', page)) <= set(re.findall(r'id="([^"]*)"', page))
    assert approved_as(report(tmp_path, "html", "policy: 1\n")) == []


def test_of_two_listeners_of_one_name_it_is_not_said_that_both_are_approved_where_one_is(tmp_path: Path) -> None:
    both = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:22", NGINX))
    (tmp_path / "site.yaml").write_text(POLICY)
    (tmp_path / "two.evidence").write_bytes(both.bundle())
    out = tmp_path / "out.html"
    main(["audit", "-p", str(tmp_path / "site.yaml"), str(tmp_path / "two.evidence"), "-f", f"html={out}"])
    assert approved_as(out.read_text()) == ["ssh by executable alone, 1 of the 2 of this name"] * 2


def test_what_is_not_known_to_match_is_said_to_be_so(tmp_path: Path) -> None:
    policy = "policy: 1\nlistening: {approved: [{name: nfs, port: 2049, user: root}]}\n"
    (nfs,) = register(report(tmp_path, "html", policy))
    assert nfs.endswith("perhaps 1 of which the evidence does not tell")
    assert "approves nothing" not in nfs


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
