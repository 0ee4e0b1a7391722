"""What every format says of a site: which policy judged a host and why it is that host, and which hosts nobody looked at."""

from __future__ import annotations

import json

import pytest

from auditor import plugins
from auditor.coverage import SiteCoverage
from auditor.host_report import HostReport
from auditor.report import Report
from auditor.site import Assignment
from tests.reports import Origin, policy, rendered, report, snapshot

HOSTILE = "<b>x</b>\x1b[2J\u202e"


def made(word: str = "", missing: int = 2, **more: object) -> Report:
    one = Assignment(
        host="web-07", roles=("web" + word,), identified=f"from the path {word}", place=word, origin="hosts.ini:3", groups=frozenset({word})
    )
    site = SiteCoverage("Bank" + word, [word], "ab" * 32, hosts=missing + 1, audited=1, missing=[f"db-{n}{word}" for n in range(missing)])
    return report(hosts=[HostReport(Origin(snapshot(host="devbox")), policy(), [], None, one)], site=site, **more)


def test_a_host_goes_by_the_inventorys_name_and_what_it_calls_itself_stands_beside_it() -> None:
    told = json.loads(rendered("json", made()))
    (one,) = told["hosts"]
    assert one["host"] == "web-07"
    assert one["assignment"] == {
        "claimed": "devbox", "host": "web-07", "identified": "from the path ", "origin": "hosts.ini:3", "groups": [""], "roles": ["web"],
        "machine_id": None,
    }  # fmt: skip
    assert told["site"] == {"name": "Bank", "sha256": "ab" * 32, "files": [""], "hosts": 3, "audited": 1, "missing": ["db-0", "db-1"]}


def test_without_a_site_a_report_has_none() -> None:
    told = json.loads(rendered("json", report()))
    assert told["site"] is None
    assert "assignment" not in told["hosts"][0]
    assert "inventory audited" not in told["statement"]


@pytest.mark.parametrize("allowed", [False, True])
def test_missing_hosts_are_incomplete_whatever_is_allowed_and_none_is_complete(allowed: bool) -> None:
    lacking, whole = made(allow_incomplete=allowed), made(missing=0, allow_incomplete=allowed)
    assert (lacking.verdict, lacking.complete, lacking.exit_code) == ("incomplete", False, 3)
    assert (whole.verdict, whole.complete, whole.exit_code) == ("pass", True, 0)
    assert "1 of 3 hosts of Bank's inventory audited; NO EVIDENCE of db-0, db-1" in lacking.statement
    assert "1 of 1 host of Bank's inventory audited" in whole.statement
    assert "NO EVIDENCE" not in whole.statement


def test_of_many_missing_hosts_the_verdict_names_five_and_the_json_all() -> None:
    many = made(missing=200)
    assert "NO EVIDENCE of db-0, db-1, db-2, db-3, db-4 and 195 more" in many.statement
    assert len(json.loads(rendered("json", many))["site"]["missing"]) == 200
    assert "db-199" in rendered("html", many)
    assert "db-199" not in rendered("text", many)


@pytest.mark.parametrize("name", plugins.formats())
def test_no_name_of_a_site_or_a_path_is_obeyed(name: str) -> None:
    text = rendered(name, made(HOSTILE))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert name != "html" or "<b>" not in text
