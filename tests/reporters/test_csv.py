"""The table for spreadsheets, read back by Python's csv module."""

from __future__ import annotations

import csv
import io
import re

import pytest

from auditor import controls
from auditor.coverage import Drift, SiteCoverage
from auditor.display import harmless
from auditor.host_report import HostReport
from auditor.model import OUTCOMES
from auditor.report import Report
from auditor.reporters.csv import COLUMNS
from tests.hostile import HOSTILE, RAW_CONTROLS, hostile_bundle
from tests.reports import Origin, finding, listener, owner, policy, rendered, report, snapshot, stack

WAIVER = {"id": "EXC-1", "reason": "a migration", "owner": "web-platform", "approved_by": "ciso", "ticket": "RSK-7",
          "expires": "2027-01-31", "origin": "web.yaml:9"}  # fmt: skip
STARTS_FORMULA = re.compile("(?!')[\\s\"'`]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]")
FORMULAS = ["\nlead", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", "\ufe661", " =1", '"=1', "'=1", '  "\' =HYPERLINK("http://x")',
            "\u00a0=1", "`=1", "a;=1", 'a; "=1', "a;b;-1", "=1;=2", "\t=1", 'a","b', "two\r\nrows", "x" * 40_000 + ";=1"]  # fmt: skip
WORDS = [*HOSTILE, *FORMULAS]


def rows(made: Report) -> list[dict[str, str]]:
    text = rendered("csv", made)
    assert not re.search("[\r\n]", text.replace("\r\n", "")), "one row, one line"
    header, *parsed = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == list(COLUMNS)
    assert {len(row) for row in parsed} == {len(COLUMNS)}
    return [dict(zip(header, row, strict=True)) for row in parsed]


def formulas(made: Report) -> list[str]:
    """The cells that a spreadsheet would take for a formula, whether it parts columns at commas or at semicolons."""
    text = rendered("csv", made)
    cells = [cell for parted in ",;" for row in csv.reader(io.StringIO(text, newline=""), delimiter=parted) for cell in row]
    return [cell for cell in cells if STARTS_FORMULA.match(cell)]


def of(record: str, made: Report) -> list[dict[str, str]]:
    return [row for row in rows(made) if row["record"] == record]


def hostile(word: str) -> Report:
    socket = listener(22, owner(7, process=word, executable=word, user=word, unit=word, container=word), address=word, protocol=word,
                      family=word, reach=word, state=word, source=word, owner_state=word)  # fmt: skip
    said = {"host": word, "stack": word, "message": word, "observed": word, "expected": word, "source": word, "examples": (word, word)}
    found = [finding("a-rule", word, outcome, waiver=dict.fromkeys(WAIVER, word) if outcome == "waived" else None, **said)
             for outcome in OUTCOMES]  # fmt: skip
    for one in found:
        one.who = one.first_seen = one.baseline_state = word
    made = report(*found, of=snapshot(stack(socket, name=word), host=word or "x"), bad_sources=[(word, word)])
    made.iana_names[(word, 22)] = word
    made.drift = Drift([], [], [word])
    return made


def test_every_finding_is_a_row_with_its_state() -> None:
    found = [finding("a-rule", f"s{n}", outcome, severity=severity) for n, (outcome, severity) in
             enumerate((outcome, severity) for outcome in OUTCOMES for severity in ("info", "high"))]  # fmt: skip
    made = report(*found)
    told = of("finding", made)
    assert {(row["fingerprint"], row["outcome"], row["state"]) for row in told} == {
        (one.fingerprint, one.outcome, made.state(one)) for one in made.findings
    }
    assert [row["state"] for row in told].count("open") == len(made.open) == 1
    assert [row["state"] for row in told].count("waived") == 2
    assert [row["severity"] for row in told if row["outcome"] == "fail"] == ["high", "info"], "gravest first"


@pytest.mark.parametrize(
    ("outcome", "shown", "state"),
    [
        ("fail", {}, "open"),
        ("fail", {"severity": "info"}, "inventory"),
        ("fail", {"inventory": True}, "inventory"),
        ("waived", {"waiver": WAIVER}, "waived"),
        ("unknown", {}, "unknown"),
        ("unknown", {"waiver": WAIVER}, "accepted"),
        ("unknown", {"inventory": True}, "inventory"),
        ("error", {}, "error"),
        ("pass", {}, "pass"),
        ("notchecked", {}, "notchecked"),
    ],
)
def test_the_state_says_what_a_finding_counts_as(outcome: str, shown: dict[str, object], state: str) -> None:
    assert [row["state"] for row in of("finding", report(finding(outcome=outcome, **shown)))] == [state]


def test_a_finding_tells_all_that_is_known_of_it() -> None:
    one = finding(outcome="waived", waiver=WAIVER, observed="sshd", expected="nothing", source="policy web", count=3, examples=("a", "b"))
    one.who, one.first_seen, one.baseline_state = "root", "2026-11-20T02:17:00Z", "unchanged"
    made = report(one, frameworks=controls.load())
    assert "NIST SP 800-53 r5 CM-7" in one.controls
    (row,) = of("finding", made)
    assert {name: cell for name, cell in row.items() if cell} == {
        "record": "finding", "host": "web1", "stack": "host", "rule": "listener-not-approved", "subject": "tcp/0.0.0.0:22",
        "state": "waived", "severity": "medium", "outcome": "waived", "message": "tcp/0.0.0.0:22 is not approved", "observed": "sshd",
        "expected": "nothing",
        "source": "policy web", "who": "root", "count": "3", "examples": "a; b", "controls": "; ".join(one.controls),
        "baseline_state": "unchanged", "first_seen": "2026-11-20T02:17:00Z",
        "standing": "accepted (EXC-1) until 2027-01-31, 71 days left; owner web-platform, approved by ciso: a migration",
        "waiver_id": "EXC-1", "waiver_owner": "web-platform", "waiver_approved_by": "ciso", "waiver_reason": "a migration",
        "waiver_expires": "2027-01-31", "waiver_ticket": "RSK-7", "fingerprint": one.fingerprint,
        "taken": "2026-11-20T02:17:00Z", "evaluated_on": "2026-11-21", "policy": "web@efefefef",
    }  # fmt: skip


def test_a_listener_tells_what_was_found_on_it_and_what_could_not_be_judged() -> None:
    named = "tcp/0.0.0.0:22"
    found = [finding("rule-a", named), finding("rule-c", named, "waived", waiver=WAIVER),
             finding("rule-b", "stack", "unknown", examples=(named,))]  # fmt: skip
    told = of("listener", report(*found, of=snapshot(stack(listener(22), listener(80)))))
    assert [row["found"] for row in told] == ["open: rule-a; unknown: rule-b; waived: rule-c", ""]


def test_every_listener_is_a_row_by_protocol_and_port_and_says_who() -> None:
    two = (owner(7), owner(8, user="www", executable="/usr/sbin/nginx", unit="nginx.service", container="shop"))
    host = snapshot(stack(listener(443, *two), listener(22, state="bound")), stack(listener(53, protocol="udp"), name="shop"))
    told = of("listener", report(of=host))
    assert [(row["stack"], row["protocol"], row["port"], row["state"]) for row in told] == [
        ("host", "tcp", "22", "bound"), ("host", "tcp", "443", "listening"), ("shop", "udp", "53", "listening")
    ]  # fmt: skip
    assert told[0]["iana_name"] == "ssh"
    assert told[0]["owner_state"] == "none"
    names = ("subject", "users", "executables", "units", "containers", "who", "owner_state")
    assert [told[1][name] for name in names] == [
        "tcp/0.0.0.0:443", "root; www", "/usr/sbin/nginx; /usr/sbin/sshd", "nginx.service; ssh.service", "shop",
        "/usr/sbin/nginx[8] www, /usr/sbin/sshd[7] root", "known",
    ]  # fmt: skip


def test_numbers_are_numbers_and_texts_are_quoted() -> None:
    text = rendered("csv", report(finding(count=3), of=snapshot(stack(listener(8080)))))
    assert ',3,"' in text
    assert ',"0.0.0.0",8080,"ipv4",' in text


def test_each_host_has_a_verdict_and_the_last_row_is_that_of_the_whole() -> None:
    found = {"a1": [finding(host="a1")], "b2": [finding(host="b2", outcome="unknown")], "c3": []}
    made = report(hosts=[HostReport(Origin(snapshot(host=name)), policy(), some) for name, some in found.items()])
    told = of("verdict", made)
    assert [(row["host"], row["state"], row["evidence"]) for row in told] == [
        ("a1", "fail", "complete"), ("b2", "incomplete", "incomplete"), ("c3", "pass", "complete"), ("", "fail", "incomplete")
    ]  # fmt: skip
    assert told[-1]["message"] == made.statement
    assert rows(made)[-1] == told[-1]


def test_what_nobody_looked_at_is_a_row_each_and_the_whole_is_incomplete() -> None:
    site = SiteCoverage("site", ["site.yaml"], "ab" * 32, hosts=2, audited=1, missing=["db7"])
    made = report(bad_sources=[("a.evidence", "it was cut")], site=site, drift=Drift([], ["web1"], ["mx1"]))
    told = of("lacking", made)
    assert [(row["host"], row["source"], row["message"]) for row in told] == [
        ("", "a.evidence", "it was cut"),
        ("db7", "", "no evidence of it was given, and the site's inventory lists it"),
        ("mx1", "", "no evidence of it was given, and the baseline has it"),
        ("web1", "", "the baseline has nothing of it"),
    ]
    assert {row["state"] for row in told} == {"incomplete"}
    assert (rows(made)[-1]["state"], rows(made)[-1]["evidence"]) == ("incomplete", "incomplete")


def test_every_row_says_of_which_run_it_is_and_by_which_policy() -> None:
    db = HostReport(Origin(snapshot(stack(listener(22)), host="db1", taken="2026-11-20T03:00:00Z")), policy("db"), [finding(host="db1")])
    db.policy.sha256 = "12" * 32
    web = HostReport(Origin(snapshot(stack(listener(22)))), policy(), [finding()])
    told = rows(report(hosts=[web, db], bad_sources=[("a.evidence", "it was cut")]))
    assert {row["evaluated_on"] for row in told} == {"2026-11-21"}
    assert {(row["host"], row["taken"], row["policy"]) for row in told} == {
        ("web1", "2026-11-20T02:17:00Z", "web@efefefef"), ("db1", "2026-11-20T03:00:00Z", "db@12121212"),
        ("", "", "db@12121212; web@efefefef"),
    }  # fmt: skip
    assert len(told) == 2 * 3 + 2


def test_a_report_without_a_host_is_a_table_that_says_so() -> None:
    lacking, whole = rows(report(hosts=[]))
    assert (lacking["record"], lacking["message"]) == ("lacking", "nothing was audited")
    assert (whole["record"], whole["host"], whole["state"]) == ("verdict", "", "incomplete")


@pytest.mark.parametrize("word", WORDS)
def test_no_cell_begins_a_formula_whether_columns_are_parted_at_commas_or_at_semicolons(word: str) -> None:
    made = hostile(word)
    told = rows(made)
    assert len(told) == len(OUTCOMES) + 5
    assert not formulas(made)
    for row in told:
        for cell in row.values():
            assert not RAW_CONTROLS.search(cell)
            assert not {"\t", "\n"} & set(cell)


def test_a_host_that_calls_everything_by_such_names_makes_no_formula_and_loses_no_row() -> None:
    made = hostile_bundle()
    told = rows(made)
    assert {(row["fingerprint"], row["state"]) for row in told if row["record"] == "finding"} == {
        (one.fingerprint, made.state(one)) for one in made.findings
    }
    assert sum(row["record"] == "listener" for row in told) == made.totals.sight.listeners > len(HOSTILE)
    assert not formulas(made)


@pytest.mark.parametrize("word", [word for word in WORDS if len(word) < 30_000])
def test_a_text_is_itself_again_without_the_marks(word: str) -> None:
    (first, *_) = [row for row in rows(hostile(word)) if row["rule"] == "a-rule"]
    kept = harmless(word)
    assert re.sub("(^|;)'(?=[\\s\"'`]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66])", r"\1", first["observed"]) == kept
    assert first["fingerprint"] == finding("a-rule", word, host=word, stack=word).fingerprint


def test_what_is_harmless_has_no_mark() -> None:
    words = "a-b c=d; e@f, '0.0.0.0' (1-1023); g"
    (row,) = of("finding", report(finding(observed=words)))
    assert row["observed"] == words


def test_no_cell_is_longer_than_a_spreadsheet_takes() -> None:
    (row,) = of("finding", report(finding(observed="x" * 40_000 + "=1")))
    assert len(row["observed"]) < 32_767
    assert row["observed"].endswith("x ... and 8002 characters more; the json report has all")


@pytest.mark.parametrize("words", ["ab" + ";=" * 16_000, ";=" * 20_000, "x" * 31_999 + ";" + "=1" * 400, "x" * 31_998 + ";=1" * 400,
                                   "x" * 31_999 + ";\u00a0=1" * 400, "\U0001f600" * 30_000, "x" + "\U0001f600" * 30_000])  # fmt: skip
def test_marks_and_letters_beyond_the_16_bits_count_too(words: str) -> None:
    made = report(finding(observed=words))
    (row,) = of("finding", made)
    cell = row["observed"]
    assert len(cell.encode("utf-16-le")) // 2 < 32_767
    assert re.search(r" \.\.\. and [1-9][0-9]* characters more; the json report has all$", cell)
    assert not formulas(made)


def test_hosts_of_which_nothing_is_known_and_hosts_of_one_name_are_rows() -> None:
    bare = snapshot()
    bare.shown = {"stacks": bare.shown["stacks"]}
    made = report(hosts=[HostReport(Origin(one), policy(), []) for one in (bare, snapshot(), snapshot())])
    assert [row["host"] for row in of("verdict", made)] == ["unknown host", "web1", "web1", ""]
