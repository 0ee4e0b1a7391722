"""XCCDF results, as the standard's schema and OpenSCAP take them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.coverage import Drift
from auditor.model import OUTCOMES
from auditor.presentation import Presentation
from auditor.report import Report
from tests import mixed_reports
from tests.hostile import HOSTILE, hostile_bundle, hostile_report
from tests.reports import finding, rendered, report, snapshot

etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: pip install '.[formats]'")

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = Path("/usr/share/openscap/schemas/xccdf/1.2/xccdf_1.2.xsd")
X = "{http://checklists.nist.gov/xccdf/1.2}"
COMPLETENESS = "xccdf_port-auditor_rule_port-auditor.audit-complete"


@cache
def schema() -> Any:
    if not SCHEMA.exists():
        pytest.skip(f"no {SCHEMA}: apt-get install openscap-common")
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def oscap(*words: str) -> tuple[str, set[str]]:
    """What OpenSCAP writes, and its errors: it knows what no schema says, that of overrides and that each result has its rule."""
    if shutil.which("oscap") is None:
        pytest.skip("no oscap: apt-get install openscap-scanner openscap-common")
    done = subprocess.run(["oscap", "xccdf", *words], capture_output=True, check=False, text=True, timeout=120)
    errors = set(re.findall("Error: .*", done.stdout + done.stderr))
    assert (done.returncode == 0) is (not errors), done.stderr
    return done.stdout, errors


def checked(text: str) -> Any:
    assert text.isascii()
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, huge_tree=True))
    schema().assertValid(root)
    ids = [one.get("id") for one in root.iter(f"{X}Rule", f"{X}TestResult")]
    assert len(set(ids)) == len(ids)
    return root


def told(made: Report) -> list[Any]:
    """The TestResults of a document that is valid."""
    found: list[Any] = checked(rendered("xccdf", made)).findall(f"{X}TestResult")
    return found


def results(test: Any) -> list[Any]:
    """The rule-results of findings."""
    return [one for one in test.findall(f"{X}rule-result") if one.get("idref") != COMPLETENESS]


def messages(of: Any) -> dict[str, str]:
    return dict(one.text.split(": ", 1) for one in of.findall(f"{X}message"))


def whole(test: Any) -> Any:
    (found,) = [one for one in test.findall(f"{X}rule-result") if one.get("idref") == COMPLETENESS]
    return found


def result_of(made: Report) -> Any:
    (test,) = told(made)
    (found,) = results(test)
    return found


def waived() -> Report:
    return report(finding(outcome="waived", waiver=mixed_reports.WAIVER))


def score(made: Report) -> str:
    (found,) = told(made)[0].findall(f"{X}score")
    assert (found.get("system"), found.get("maximum")) == ("urn:xccdf:scoring:default", "100")
    return str(found.text)


@pytest.mark.parametrize("outcome", [outcome for outcome in OUTCOMES if outcome != "waived"])
def test_an_outcome_is_the_result_of_that_name(outcome: str) -> None:
    assert result_of(report(finding(outcome=outcome))).findtext(f"{X}result") == outcome


@pytest.mark.parametrize("aside", [finding(severity="info"), finding(inventory=True)])
def test_inventory_is_informational(aside: Any) -> None:
    assert result_of(report(aside)).findtext(f"{X}result") == "informational"


def test_info_fails_where_it_is_asked_for() -> None:
    assert result_of(report(finding(severity="info"), fail_on="info")).findtext(f"{X}result") == "fail"


@pytest.mark.parametrize(("outcome", "old", "new"), [("waived", "fail", "informational"), ("unknown", "unknown", "unknown")])
def test_what_was_accepted_is_an_override_that_says_by_whom_and_why(outcome: str, old: str, new: str) -> None:
    one = result_of(report(finding(outcome=outcome, waiver=mixed_reports.WAIVER)))
    override = one.find(f"{X}override")
    assert [override.findtext(X + name) for name in ("old-result", "new-result")] == [old, new]
    assert one.findtext(f"{X}result") == new
    assert override.get("authority") == "owner web, approver not stated"
    assert override.get("time") == "2026-11-21T10:00:00Z"
    for said in ("EXC-118", "socket migration", "2027-01-31", "71 days left"):
        assert said in override.findtext(f"{X}remark")


def test_the_authority_of_an_override_is_who_approved_it_where_that_is_stated() -> None:
    one = result_of(report(finding(outcome="waived", waiver={**mixed_reports.WAIVER, "approved_by": "ciso"})))
    assert one.find(f"{X}override").get("authority") == "ciso"


def test_what_nobody_accepted_has_no_override() -> None:
    (test,) = told(report(*(finding(outcome=outcome) for outcome in OUTCOMES if outcome != "waived")))
    assert not list(test.iter(f"{X}override"))


def test_a_result_says_what_a_reader_needs() -> None:
    seen: dict[str, Any] = {"observed": "0.0.0.0:22", "expected": "nothing", "source": "sock_diag", "examples": ("a", "b"), "count": 2}
    one = finding(severity="critical", message="not approved", **seen)
    one.who, one.baseline_state, one.first_seen = "sshd[812] root", "new", "2026-11-20T02:17:00Z"
    made = report(one, frameworks=mixed_reports.frameworks())
    found = result_of(made)
    assert found.get("severity") == "high"
    assert found.get("time") == "2026-11-20T02:17:00Z"
    assert {"fingerprint": one.fingerprint, "outcome": "fail", "state": "open", "severity": "critical", "message": "not approved",
            "observed": "0.0.0.0:22", "expected": "nothing", "source": "sock_diag", "examples": "a, b", "count": "2",
            "who": "sshd[812] root", "baseline": "new", "first seen": "2026-11-20T02:17:00Z"} == messages(found)  # fmt: skip
    assert [(one.get("context"), one.text) for one in found.findall(f"{X}instance")] == [("stack", "host"), ("subject", "tcp/0.0.0.0:22")]
    assert [ident.text for ident in found.findall(f"{X}ident")] == list(one.controls) != []


def test_a_rule_has_its_document_and_the_gravest_severity() -> None:
    root = checked(rendered("xccdf", report(finding(severity="low"), finding(subject="x", severity="high"))))
    rule = root.findall(f"{X}Rule")[-1]
    assert (rule.get("severity"), rule.get("multiple")) == ("high", "true")
    assert rule.findtext(f"{X}title") == "Title of listener-not-approved"
    assert rule.findtext(f"{X}rationale") == "Why listener-not-approved matters."
    assert "rcctl stop listener-not-approved" in rule.findtext(f"{X}fixtext").splitlines()[-1]


def test_of_one_host_there_is_one_result_that_says_what_is_missing_too() -> None:
    made = report(finding(outcome="pass"), bad_sources=[("a.evidence", "it was cut")], narrowed=["rules left out: x"],
                  drift=Drift(missing=["db1"]))  # fmt: skip
    (test,) = told(made)
    about = whole(test)
    assert (test.findtext(f"{X}target"), about.findtext(f"{X}result")) == ("web1", "unknown")
    said = [(one.get("severity"), one.text) for one in about.findall(f"{X}message")]
    assert ("error", "lacking: source a.evidence: it was cut") in said
    assert ("error", "lacking: host db1: no evidence of it was given, and the baseline has it") in said
    assert ("warning", "left out: rules left out: x") in said
    assert messages(about)["verdict"] == "incomplete"
    assert messages(about)["statement"] == made.statement
    assert messages(about)["evidence sha256"] == "cd" * 32


def test_of_several_hosts_the_first_result_is_the_whole_and_each_host_has_its_own() -> None:
    made = mixed_reports.fleet()
    first, *others = told(made)
    assert not results(first)
    assert messages(whole(first)).items() >= {"verdict": "fail", "complete": "false"}.items()
    assert [test.findtext(f"{X}target") for test in others] == [host.name for host in made.hosts]
    assert [len(results(test)) for test in others] == [len(host.findings) for host in made.hosts]
    assert [messages(whole(test))["verdict"] for test in others] == ["fail", "fail", "pass"]


def test_of_no_host_there_is_a_result_that_is_incomplete() -> None:
    (test,) = told(report(hosts=[]))
    assert whole(test).findtext(f"{X}result") == "unknown"
    assert messages(whole(test))["lacking"] == "audit hosts: nothing was audited"
    assert score(report(hosts=[])) == "0.00"


def test_a_complete_audit_is_information_and_no_pass() -> None:
    (test,) = told(report(finding()))
    assert whole(test).findtext(f"{X}result") == "informational"


def test_what_the_baseline_had_and_is_gone_is_told() -> None:
    (test,) = told(mixed_reports.mixed())
    (gone,) = [text for one in whole(test).findall(f"{X}message") if (text := one.text).startswith("gone: ")]
    assert gone.endswith(" made-up-rule gone, which the baseline has")


def test_the_score_is_the_mean_of_what_part_of_each_rule_passed() -> None:
    several = [finding("a", "1", "pass"), finding("a", "2", "pass"), finding("a", "3"), finding("b", "1", "pass")]
    assert score(report(*several)) == "83.33"


def test_what_is_not_known_counts_as_not_passed_and_what_does_not_count_as_nothing() -> None:
    passed = finding("a", "1", "pass")
    for outcome in ("notapplicable", "notchecked", "notselected", "waived"):
        waiver = mixed_reports.WAIVER if outcome == "waived" else None
        assert score(report(passed, finding("b", "1", outcome, waiver=waiver))) == "100.00"
    assert score(report(passed, finding("b", "1", "unknown", waiver=mixed_reports.WAIVER))) == "50.00"
    assert score(report(passed, finding("b", "1", "error"))) == "33.33"  # and the audit is incomplete
    assert score(report(finding("b", "1", "notchecked"))) == "0.00"


def test_no_score_is_rounded_up_to_the_full_one() -> None:
    many = [finding("a", str(number), "pass") for number in range(20_000)]
    assert ">99.99</score>" in rendered("xccdf", report(*many, finding("a", "x")))


def test_the_banner_and_the_organisation_stand_in_it() -> None:
    root = checked(rendered("xccdf", report(finding(), shown_as=Presentation(organisation="A Bank", banner="SECRET"))))
    assert root.findtext(f"{X}notice") == "SECRET"
    assert root.findtext(f".//{X}organization") == "A Bank"


MADE: dict[str, Callable[[], Report]] = {
    "everything": mixed_reports.mixed, "fleet": mixed_reports.fleet, "hostile values": lambda: hostile_report(*HOSTILE),
    "hostile everywhere": mixed_reports.hostile, "hostile bundle": hostile_bundle, "no host": lambda: report(hosts=[]),
    "nothing is known": lambda: Report([], tables={}, started="", finished="", evaluated_on=""),
    "a host of no stamp": lambda: report(finding(), of=snapshot(taken="once upon a time"), started="x", finished="9999-99-99"),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_all_findings_stand_in_a_document_that_is_valid_whatever_a_host_says(name: str) -> None:
    made = MADE[name]()
    found = [messages(one) for test in told(made) for one in results(test)]
    assert Counter((one["fingerprint"], one["outcome"]) for one in found) == mixed_reports.answers(made)


def without_overrides(text: str) -> str:
    """OpenSCAP asks every result for an override as soon as one has one, which the standard (6.6.4.3) does not."""
    return re.sub("<override .*?</override>\n", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["everything", "fleet", "hostile everywhere", "no host", "nothing is known", "a host of no stamp"])
def test_openscap_takes_it(name: str, tmp_path: Path) -> None:
    file, bare = tmp_path / "x.xml", tmp_path / "bare.xml"
    file.write_text(rendered("xccdf", MADE[name]()))
    bare.write_text(without_overrides(file.read_text()))
    assert not oscap("validate", "--skip-schematron", str(file))[1]
    assert not oscap("validate", str(bare))[1]


def test_openscap_takes_an_override(tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    (audit,) = re.findall(f'<rule-result idref="{COMPLETENESS}.*?</rule-result>\n', made := rendered("xccdf", waived()), re.DOTALL)
    file.write_text(made.replace(audit, ""))
    assert not oscap("validate", str(file))[1]
    file.write_text(file.read_text().replace("<new-result>informational", "<new-result>pass"))
    assert oscap("validate", str(file))[1]


def test_openscap_s_page_tells_of_it_what_the_report_tells(tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "audit", "tests/evidence/web1.evidence", "-p", "tests/evidence/web1.yaml", "--today",
         "2026-11-21", "-f", f"xccdf={file}"],
        capture_output=True, check=False, text=True, cwd=ROOT, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (test,) = checked(file.read_text()).findall(f"{X}TestResult")
    counts = Counter(one.findtext(f"{X}result") for one in results(test))
    assert counts["fail"] == 3
    page, _ = oscap("generate", "report", str(file))
    assert set(re.findall("([0-9]+) passed", page)) == {str(counts["pass"])}
    assert set(re.findall("([0-9]+) failed", page)) == {"3"}


def test_openscap_s_page_shows_who_accepted_what(tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    file.write_text(rendered("xccdf", waived()))
    page = " ".join(re.sub("<[^>]*>", " ", oscap("generate", "report", str(file))[0]).split())
    assert "socket migration" in page
    assert "0 failed" in page
