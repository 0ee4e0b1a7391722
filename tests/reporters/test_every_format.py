"""What holds of every format alike: the same findings, states and counts; incomplete is visible; waived is shown and not open; hostile
words are words; the same bytes on every machine. A format has a reader here, which takes it apart as its consumers do, or it fails."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import html5lib
import pytest

from auditor import plugins
from auditor.model import SEVERITIES
from auditor.report import Report
from auditor.reporter import Streamed
from tests import mixed_reports
from tests.bundles import STRICT, earlier, host, rich
from tests.hostile import HOSTILE, RAW_CONTROLS, hostile_bundle, hostile_report
from tests.reports import finding, rendered, report, snapshot, stack

ROOT = Path(__file__).resolve().parent.parent.parent
FORMATS = plugins.formats()
EVERY = pytest.mark.parametrize("name", FORMATS)


@dataclass
class Told:
    """What a document says. `counts` by outcome, of formats BY_STATE by state, `opens` how many are open; `listed` are fingerprint and
    outcome of all findings, `open` the fingerprints of the open ones; None where the format does not list them."""

    verdict: str
    complete: bool
    counts: dict[str, int]
    opens: int
    listed: Counter[tuple[str, str]] | None = None
    open: Counter[str] | None = None


def by_headline(headline: str) -> tuple[str, bool]:
    """The verdict and whether it is complete, by the words that a person reads first."""
    found = re.search("^(PASS|FAIL|INCOMPLETE)\\b[^:]*", headline, re.MULTILINE)
    assert found, headline[:200]
    return found[1].lower(), "incomplete" not in found[0].lower()


def counts(said: dict[str, Any]) -> dict[str, int]:
    return {outcome: int(count) for outcome, count in said.items() if int(count)}


def is_open(said: dict[str, Any]) -> bool:
    """By the contract, for a reader who asked for the usual --fail-on."""
    return said["outcome"] == "fail" and not said["inventory"] and said["severity"] != "info"


def of_findings(head: dict[str, Any], findings: list[dict[str, Any]]) -> Told:
    opened = Counter(one["fingerprint"] for one in findings if is_open(one))
    listed = Counter((one["fingerprint"], one["outcome"]) for one in findings)
    return Told(head["verdict"], head["complete"], counts(head["counts"]), opened.total(), listed, opened)


def strict_json(text: str) -> Any:
    """A document of which every reader of JSON makes the same."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def refused(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    assert text.isascii()
    return json.loads(text, object_pairs_hook=once, parse_constant=refused)


def read_json(text: str) -> Told:
    document = strict_json(text)
    return of_findings(document, document["findings"])


def read_jsonl(text: str) -> Told:
    *hosts, summary = [strict_json(line) for line in text.removesuffix("\n").split("\n")]
    assert summary["schema"] == "port-auditor/summary/1"
    assert summary["audited"] == len(hosts)
    return of_findings(summary, [one for host in hosts for one in host["findings"]])


STARTS_FORMULA = re.compile("[\\s\"']*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def read_csv(text: str) -> Told:
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert not [cell for row in rows for cell in row if STARTS_FORMULA.match(cell) and not cell.startswith("'")]
    records = [dict(zip(head, row, strict=True)) for row in rows]
    found = [one for one in records if one["record"] == "finding"]
    last = records[-1]
    assert (last["record"], last["host"]) == ("verdict", "")
    opened = Counter(one["fingerprint"] for one in found if one["state"] == "open")
    listed = Counter((one["fingerprint"], one["outcome"]) for one in found)
    outcomes = Counter(one["outcome"] for one in found)
    return Told(last["state"], last["evidence"] != "incomplete", dict(outcomes), opened.total(), listed, opened)


def read_sarif(text: str) -> Told:
    document = strict_json(text)
    runs = document["runs"]
    every = [result for run in runs for result in run["results"]]
    alerts = [result for result in every if result["ruleId"] != "audit-complete"]
    others = document["properties"]["portAuditor/otherResults"]
    found = [one for one in (*alerts, *others) if one.get("baselineState") != "absent"]
    listed = Counter((one["partialFingerprints"]["portAuditorFingerprint/v1"], one["properties"]["outcome"]) for one in found)
    opened = Counter(one["partialFingerprints"]["portAuditorFingerprint/v1"] for one in alerts
                     if one["kind"] == "fail" and "suppressions" not in one)  # fmt: skip
    said = runs[0]["properties"]
    assert len(every) - len(alerts) == (not said["complete"])
    if said["complete"] or said["verdict"] == "incomplete":
        assert {run["invocations"][0]["executionSuccessful"] for run in runs} == {said["complete"]}
    assert said["complete"] or runs[0]["invocations"][0]["toolExecutionNotifications"]
    assert not [one for one in alerts if one["properties"]["outcome"] == "waived" and "suppressions" not in one]
    return Told(said["verdict"], said["complete"], counts(said["counts"]), opened.total(), listed, opened)


def read_junit(text: str) -> Told:
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: pip install '.[formats]'")
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, huge_tree=True))
    *hosts, whole = root.findall("testsuite")
    lines = [line.split(" ")[:2] for suite in hosts for line in (suite.findtext("system-out") or "").split("\n") if line]
    listed = Counter((fingerprint, outcome) for outcome, fingerprint in lines if outcome != "gone")
    failures = [case.findtext("failure") for suite in hosts for case in suite.findall("testcase") if case.find("failure") is not None]
    opened = Counter(re.findall("^fingerprint: ([0-9a-f]{32})$", words, re.MULTILINE)[-1] for words in failures)
    said = {one.get("name"): one.get("value") for one in whole.find("properties")}
    told = {key.removeprefix("count."): value for key, value in said.items() if key.startswith("count.")}
    assert not [case for case in root.iter("testcase") if case.find("skipped") is not None and not case.find("skipped").get("message")]
    return Told(said["verdict"], said["complete"] == "true", counts(told), opened.total(), listed, opened)


def read_oscal(text: str) -> Told:
    whole, *hosts = strict_json(text)["assessment-results"]["results"]

    def props(of: dict[str, Any]) -> dict[str, str]:
        return {one["name"]: one["value"] for one in of.get("props", [])}

    said = props(whole)
    found = [props(one) for result in hosts for one in result.get("observations", []) if "historic" not in one.get("types", [])]
    plain = [{**one, "inventory": one["inventory"] == "true"} for one in found]
    told = {key.removeprefix("count-"): value for key, value in said.items() if key.startswith("count-")}
    read = of_findings({"verdict": said["verdict"], "complete": said["complete"] == "true", "counts": told}, plain)
    assert int(said["open"]) == read.opens
    assert "satisfied" not in re.findall('"state": "([^"]*)"', text)
    return read


def read_ocsf(text: str) -> Told:
    *events, whole = strict_json(text)
    found = [event for event in events if event["unmapped"]["baseline_state"] != "absent"]
    listed = Counter((event["finding_info"]["uid"], event["unmapped"]["outcome"]) for event in found)
    opened = Counter(event["finding_info"]["uid"] for event in found if (event["compliance"]["status"], event["status"]) == ("Fail", "New"))
    assert not [event for event in found if event["unmapped"]["outcome"] == "waived" and event["status"] != "Suppressed"]
    said = whole["unmapped"]
    passed = "Pass" if said["complete"] else "Warning"
    assert whole["compliance"]["status"] == {"pass": passed, "incomplete": "Warning", "fail": "Fail"}[said["verdict"]]
    return Told(said["verdict"], said["complete"], counts(said["counts"]), opened.total(), listed, opened)


def read_hdf(text: str) -> Told:
    *hosts, whole = strict_json(text)["profiles"]
    results = [(control, result) for profile in hosts for control in profile["controls"] for result in control["results"]]
    listed = Counter((result["fingerprint"], result["outcome"]) for _, result in results)
    opened = Counter(result["fingerprint"] for _, result in results if result["status"] == "failed")
    assert not [control for control, result in results if result["outcome"] == "waived" and "waiver_data" not in control]
    (control,) = whole["controls"]
    said = control["tags"]
    assert (control["impact"] > 0) is not said["complete"]
    return Told(said["verdict"], said["complete"], counts(said["counts"]), opened.total(), listed, opened)


def read_xccdf(text: str) -> Told:
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: pip install '.[formats]'")
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, huge_tree=True))
    every = root.findall("TestResult/rule-result", root.nsmap)
    whole, *others = [(one, dict(message.text.split(": ", 1) for message in one.findall("message", root.nsmap))) for one in every]
    found = [(one, told) for one, told in others if "fingerprint" in told]
    listed = Counter((told["fingerprint"], told["outcome"]) for _, told in found)
    opened = Counter(told["fingerprint"] for one, told in found if one.findtext("result", None, root.nsmap) == "fail")
    waived = [one for one, told in found if told["outcome"] == "waived"]
    assert {one.findtext("override/old-result", None, root.nsmap) for one in waived} <= {"fail"}
    said = whole[1]
    assert (whole[0].findtext("result", None, root.nsmap) == "unknown") is (said["complete"] == "false")
    told = {key.removeprefix("count "): value for key, value in said.items() if key.startswith("count ")}
    return Told(said["verdict"], said["complete"] == "true", counts(told), opened.total(), listed, opened)


@cache
def parsed(text: str) -> Any:
    return html5lib.parse(text, namespaceHTMLElements=False)


def read_html(text: str) -> Told:
    page = parsed(text)
    sections = {section.get("aria-labelledby"): section for section in page.iter("section")}
    tally = page.find(".//dl[@class='tally']")
    boxes = {dt.findtext("a"): int(dd.text) for dt, dd in zip(tally.iter("dt"), tally.iter("dd"), strict=True)}
    table = sections["checked"].find(".//table")
    told = {"".join(row.find("th").itertext()).strip().lower(): row.findtext("td") for row in table.find("tbody")}
    headline = "".join(page.find(".//p[@class='line']/strong").itertext())
    opened = Counter(prints(sections["open"]))
    assert len(prints(sections["waived"])) == int(told["waived"])
    return Told(*by_headline(headline), counts(told), sum(count for name, count in boxes.items() if name.startswith("Open,")), open=opened)


def prints(section: Any) -> list[str]:
    """The fingerprints on its cards: of one finding, or of several that say the same."""
    facts = [pair for dl in section.iter("dl") for pair in zip(dl.findall("dt"), dl.findall("dd"), strict=True)]
    alone = [dd.findtext("code") for dt, dd in facts if dt.text == "Fingerprint"]
    return alone + [li.findtext("small/code") for dt, dd in facts if dt.text == "On" for li in dd.iter("li")]


WORDS = {"open": "open", "inventory": "inventory", "unknown": "unknown", "accepted gaps": "accepted", "errors of ours": "error",
         "waived": "waived", "passed": "pass", "not checked": "notchecked", "off in the policy": "notselected",
         "not applicable": "notapplicable"}  # fmt: skip


def read_text(text: str) -> Told:
    (said,) = set(re.findall("^answers: ([^;\n]*)", text, re.MULTILINE))
    answers = {words: count for count, words in re.findall("([0-9]+) ([a-z ]+)", said)}
    told = {outcome: int(answers.get(words, 0)) for words, outcome in WORDS.items()}
    for title, state in (("Open", "open"), ("Waived", "waived"), ("Unknown", "unknown"), ("Accepted gaps", "accepted"),
                         ("Inventory", "inventory")):  # fmt: skip
        assert (f"\n{title} ({told[state]})\n" in text) == (told[state] > 0)
    return Told(*by_headline(text), counts(told), told["open"])


def read_markdown(text: str) -> Told:
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed: pip install '.[formats]'")
    tokens = [token for block in markdown_it.MarkdownIt("gfm-like", {"linkify": True, "html": True}).parse(text) for token in
              (block, *(block.children or ()))]  # fmt: skip
    assert not [token for token in tokens if token.type in ("html_block", "html_inline", "link_open", "image")]
    headings = dict(re.findall(r"^### (.*) \((\d+)\)$", text, re.MULTILINE))
    titles = {"Open": "open", "Waived": "waived", "Unknown": "unknown", "Accepted gaps": "accepted", "Our errors": "error",
              "Inventory, not open": "inventory"}  # fmt: skip
    told = {state: headings.get(title, 0) for title, state in titles.items()}
    opens = int(headings.get("Open", 0))
    (section,) = re.findall(r"^### Open \(\d+\)\n(.*?)(?=^### )", text, re.MULTILINE | re.DOTALL) or [""]
    opened = Counter(re.findall("^  - fingerprint: `([0-9a-f]{32})`$", section, re.MULTILINE))
    (headline,) = re.findall(r"^## (.*)", text, re.MULTILINE)
    whole = "are left out here" not in section
    return Told(*by_headline(headline.replace("\\", "").partition(":")[0]), counts(told), opens, open=opened if whole else None)


def read_prometheus(text: str) -> Told:
    metrics = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed: pip install '.[formats]'")
    samples = [sample for family in metrics.text_string_to_metric_families(text) for sample in family.samples]
    told = {(one.name.removeprefix("port_auditor_"), *list(one.labels.values())[:-1]): int(one.value) for one in samples}
    (verdict,) = [word for word in ("pass", "fail", "incomplete") if told["verdict", word]]
    outcomes = {key[1]: count for key, count in told.items() if key[0] == "outcomes"}
    opens = sum(told["findings", severity, "open"] for severity in SEVERITIES)
    assert sum(count for key, count in told.items() if key[0] == "rule_open") == opens
    assert sum(told["findings", severity, "waived"] for severity in SEVERITIES) == outcomes["waived"]
    return Told(verdict, bool(told["last_run_complete",]), counts(outcomes), opens)


def read_nagios(text: str) -> Told:
    (line,) = text.removesuffix("\n").split("\n")
    words, figures = line.split("|")
    told = {label: int(value) for label, value in re.findall("([a-z_]+)=([0-9]+)", figures)}
    verdict, complete = by_headline(words.partition(" - ")[2].partition(":")[0])
    status = words.split()[1]
    assert status == {("pass", True): "OK", ("pass", False): "WARNING"}.get(
        (verdict, complete), {"fail": "CRITICAL", "incomplete": "UNKNOWN"}.get(verdict)
    )
    assert sum(told[severity] for severity in SEVERITIES) == told["open"]
    states = ("open", "waived", "unknown", "accepted", "error", "notchecked")
    return Told(verdict, complete, counts({state: told[state] for state in states}), told["open"])


READERS: dict[str, Callable[[str], Told]] = {
    "csv": read_csv, "hdf": read_hdf, "html": read_html, "json": read_json, "jsonl": read_jsonl, "junit": read_junit,
    "markdown": read_markdown, "nagios": read_nagios, "ocsf": read_ocsf, "oscal": read_oscal, "prometheus": read_prometheus,
    "sarif": read_sarif, "text": read_text, "xccdf": read_xccdf,
}  # fmt: skip
LIST_ALL = {"csv", "hdf", "json", "jsonl", "junit", "ocsf", "oscal", "sarif", "xccdf"}
BY_STATE = {"markdown", "nagios", "text"}
"""Formats that count findings by what they count as: to people and alerts an accepted gap is not unknown."""
COUNT_SOME = {"markdown", "nagios"}
"""Formats that give some of the numbers only."""
HUMAN = {"csv", "html", "markdown", "nagios", "prometheus", "text"}
"""Formats in which a control character that is written out is one too many; the others escape by their own grammar."""


def with_waiver(outcome: str) -> Report:
    return report(finding(outcome=outcome, waiver=mixed_reports.WAIVER), finding(outcome="pass", subject="x"))


REPORTS: dict[str, Callable[[], Report]] = {
    "something of everything": mixed_reports.mixed,
    "several hosts, two of one name, and what is missing": mixed_reports.fleet,
    "passed": lambda: report(finding(outcome="pass")),
    "passed, with a waiver": lambda: with_waiver("waived"),
    "passed, with a gap that is accepted": lambda: with_waiver("unknown"),
    "failed below --fail-on": lambda: report(finding(severity="low")),
    "failed": lambda: report(finding(severity="critical"), finding(subject="x", severity="info")),
    "unknown": lambda: report(finding(outcome="unknown"), finding("other", outcome="pass")),
    "unknown, and allowed": lambda: report(finding(outcome="unknown"), finding("other", outcome="pass"), allow_incomplete=True),
    "our error": lambda: report(finding(outcome="error"), finding("other", outcome="pass")),
    "nothing was judged": lambda: report(finding(outcome="notchecked"), finding(outcome="notselected")),
    "a source could not be read": lambda: report(finding(outcome="pass"), bad_sources=[("a.evidence", "it was cut")]),
    "no host": lambda: report(hosts=[]),
    "no host, and no source could be read": lambda: report(hosts=[], bad_sources=[("a.evidence", "it was cut")]),
    "nothing is known": lambda: Report([], tables={}, started="", finished="", evaluated_on="2026-11-20"),
    "a hostile bundle": hostile_bundle,
    "hostile values": lambda: hostile_report(*HOSTILE),
    "hostile values everywhere": mixed_reports.hostile,
}
made = cache(lambda of: REPORTS[of]())


@cache
def written(name: str, of: str) -> str:
    return rendered(name, made(of))


def test_every_format_has_a_reader_here() -> None:
    assert set(READERS) == set(FORMATS), "write one, that takes the format apart as its consumers do"


@EVERY
@pytest.mark.parametrize("of", REPORTS)
def test_a_format_says_what_the_report_says(name: str, of: str) -> None:
    report, told = made(of), READERS[name](written(name, of))
    assert (told.verdict, told.complete) == (report.verdict, report.complete)
    assert told.opens == len(report.open)
    every = Counter(map(report.state, report.findings)) if name in BY_STATE else report.counts
    expected = {outcome: count for outcome, count in every.items() if name not in COUNT_SOME or outcome in told.counts}
    assert told.counts == expected
    if told.open is not None:
        assert told.open == Counter(one.fingerprint for one in report.open)
    assert (told.listed is not None) == (name in LIST_ALL)
    if told.listed is not None:
        assert told.listed == Counter((one.fingerprint, one.outcome) for one in report.findings)


@EVERY
def test_what_is_waived_is_shown_and_not_open(name: str) -> None:
    text = written(name, "passed, with a waiver")
    told = READERS[name](text)
    assert (told.opens, told.counts["waived"]) == (0, 1)
    if name not in ("nagios", "prometheus"):
        assert mixed_reports.WAIVER["reason"] in " ".join(text.split())
        assert mixed_reports.WAIVER["expires"] in text


@EVERY
def test_why_an_audit_is_incomplete_stands_in_it(name: str) -> None:
    text = written(name, "a source could not be read")
    assert not READERS[name](text).complete
    said = {"nagios": "bad_sources=1", "prometheus": 'port_auditor_sources_bad{policy="web"} 1'}.get(name, "it was cut")
    assert said in text


@EVERY
def test_what_was_not_checked_is_not_hidden_by_a_pass(name: str) -> None:
    passed = report(finding(outcome="pass"), finding("other", outcome="notchecked", message="the policy lists none"))
    assert passed.verdict == "pass"
    said = {"nagios": "notchecked=1", "prometheus": 'port_auditor_outcomes{outcome="notchecked",policy="web"} 1'}.get(
        name, "the policy lists none"
    )
    assert said in rendered(name, passed)


@EVERY
def test_no_format_claims_compliance(name: str) -> None:
    text = " ".join(written(name, "something of everything").lower().split())
    text = re.sub(r'does not (by itself )?demonstrate compliance|compliance finding|"compliance"|prowler/compliance', "", text)
    assert not re.search(r"\b(compliant|(?<!not[ -])satisfied|compliance)\b", text)


HOSTILE_REPORTS = [of for of in REPORTS if "hostile" in of]


@EVERY
@pytest.mark.parametrize("of", HOSTILE_REPORTS)
def test_no_control_character_of_a_host_comes_out(name: str, of: str) -> None:
    text = written(name, of).replace("\r\n", "\n") if name == "csv" else written(name, of)
    found = RAW_CONTROLS.search(text)
    assert not found, text[max(0, found.start() - 90) : found.end() + 20]
    text.encode("utf-8")
    if name not in HUMAN:
        assert text.isascii()


@pytest.mark.parametrize("of", HOSTILE_REPORTS)
def test_a_page_has_no_element_and_no_attribute_of_a_host(of: str) -> None:
    page = [*parsed(written("html", of)).iter()]
    assert not kinds(page) - harmless_kinds()
    assert inline(page) == inline(parsed(written("html", "something of everything")).iter())
    links = {one.get(name) for one in page for name in ("href", "src", "action", "formaction", "xlink:href") if one.get(name) is not None}
    assert not {link for link in links if not re.fullmatch("#[a-z0-9-]+", link)}


def kinds(elements: Iterable[Any]) -> set[tuple[str, str]]:
    """The elements of a page, and their attributes."""
    return {(str(one.tag), name) for one in elements for name in ("", *one.keys())}


def inline(elements: Iterable[Any]) -> list[str | None]:
    return [one.text for one in elements if one.tag in ("script", "style")]


@cache
def harmless_kinds() -> set[tuple[str, str]]:
    """Those of pages on which nothing is hostile."""
    pages = [written("html", "something of everything"), written("html", "several hosts, two of one name, and what is missing"),
             rendered("html", hostile_report("x"))]  # fmt: skip
    return {kind for page in pages for kind in kinds(parsed(page).iter())}


@EVERY
def test_two_renderings_are_the_same_bytes(name: str) -> None:
    assert rendered(name, mixed_reports.fleet()) == written(name, "several hosts, two of one name, and what is missing")


@pytest.mark.parametrize("name", [name for name in FORMATS if isinstance(plugins.reporter(name), Streamed)])
@pytest.mark.parametrize("of", ["several hosts, two of one name, and what is missing", "a hostile bundle", "no host"])
def test_a_format_that_is_written_host_by_host_needs_no_host_in_the_end(name: str, of: str) -> None:
    whole, reporter, stream = made(of), plugins.reporter(name), io.StringIO()
    assert isinstance(reporter, Streamed)
    totals = Report(
        [], tables=whole.tables, started=whole.started, finished=whole.finished, evaluated_on=whole.evaluated_on, fail_on=whole.fail_on,
        allow_incomplete=whole.allow_incomplete, bad_sources=whole.bad_sources, documents=whole.documents, narrowed=whole.narrowed,
        iana_ranges=whole.iana_ranges, iana_names=whole.iana_names, site=whole.site, drift=whole.drift, frameworks=whole.frameworks,
        shown_as=whole.shown_as, in_part=whole.in_part,
    )  # fmt: skip
    document = reporter.begin(stream)
    for one in whole.hosts:
        totals.add(one, keep=False)
        document.host(totals.of_one(one))
    document.end(totals)
    assert stream.getvalue() == written(name, of)
    assert not totals.hosts


@EVERY
def test_hosts_of_one_name_are_all_there(name: str) -> None:
    twice = report(hosts=[mixed_reports.host(finding(), of=snapshot(stack(), host="web1")) for _ in range(2)])
    assert READERS[name](rendered(name, twice)).opens == 2


SURROUNDINGS: list[tuple[dict[str, str], tuple[str, ...]]] = [
    ({"PYTHONHASHSEED": "0", "LC_ALL": "C"}, ()),
    ({"PYTHONHASHSEED": "1", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"}, ()),
    ({"PYTHONHASHSEED": "random", "LANG": "de_DE.ISO-8859-1", "TZ": "Etc/GMT+12", "COLUMNS": "40", "FORCE_COLOR": "1"}, ("-O",)),
    ({"PYTHONHASHSEED": "random", "PYTHONUTF8": "0", "LC_ALL": "C", "NO_COLOR": "1", "TERM": "dumb"}, ("-O",)),
]


def test_the_program_writes_the_same_bytes_in_all_surroundings(tmp_path: Path) -> None:
    (tmp_path / "web1.evidence").write_bytes(rich().bundle())
    (tmp_path / "web2.evidence").write_bytes(host(name="web2").bundle())
    (tmp_path / "then.json").write_text(json.dumps(earlier().to_json()))
    (tmp_path / "p.yaml").write_text(f"policy: 1\n{STRICT}")
    several: list[dict[str, str]] = []
    for number, (surroundings, options) in enumerate(SURROUNDINGS):
        folder = tmp_path / str(number)
        folder.mkdir()
        words = [word for name in FORMATS for word in ("-f", f"{name}={number}/{name}")]
        done = subprocess.run(
            [sys.executable, *options, "-m", "auditor", "audit", "web1.evidence", "web2.evidence", "gone.evidence", "-p", "p.yaml",
             "-b", "then.json", "--today", "2026-11-21", *words],
            cwd=tmp_path, capture_output=True, check=False, timeout=300,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1795219200", **surroundings},
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        files = sorted(folder.iterdir())
        several.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files})
        assert {file.name: oct(file.stat().st_mode & 0o777) for file in files} == {
            name: oct(plugins.reporter(name).mode) for name in FORMATS
        }
    assert not {name for one in several for name, digest in one.items() if digest != several[0][name]}
    told = {name: READERS[name]((tmp_path / "0" / name).read_bytes().decode("utf-8")) for name in FORMATS}
    assert same(one.opens for one in told.values())
    assert same((one.verdict, one.complete) for one in told.values())
    assert same(one.listed for name, one in told.items() if name in LIST_ALL)


def same(several: Iterable[Any]) -> bool:
    first, *others = several
    return all(other == first for other in others)
