"""One line for a monitoring system, by the words of the Monitoring Plugins Development Guidelines."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.host_report import HostReport
from auditor.model import SEVERITIES
from auditor.report import Report
from tests.reports import Origin, finding, listener, policy, rendered, report, snapshot, stack

ROOT = Path(__file__).resolve().parent.parent.parent
NUMBER = r"-?[0-9]+(\.[0-9]+)?"
RANGE = rf"@?(({NUMBER}|~)?:)?({NUMBER})?"
FIGURE = re.compile(rf"(?P<label>[A-Za-z_]+)=(?P<value>{NUMBER})s?(;(?P<warn>{RANGE}))?(;(?P<crit>{RANGE}))?(;({NUMBER})?){{0,2}}")
"""'label'=value[UOM];[warn];[crit];[min];[max], with labels that need no quotes."""


def line(made: Report) -> str:
    text = rendered("nagios", made)
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert text.count("|") == 1
    return text.removesuffix("\n")


def status(made: Report) -> str:
    found = re.match(r"PORT-AUDITOR (OK|WARNING|CRITICAL|UNKNOWN) - ", line(made))
    assert found
    return found[1]


def figures(made: Report) -> dict[str, str]:
    found = {}
    for word in line(made).partition(" | ")[2].split(" "):
        read = FIGURE.fullmatch(word)
        assert read, word
        assert read["label"] not in found
        found[read["label"]] = word.partition("=")[2]
    return found


def numbers(made: Report) -> dict[str, int]:
    return {label: int(re.match(r"\d+", said)[0]) for label, said in figures(made).items()}  # type: ignore[index]


@pytest.mark.parametrize(
    ("outcome", "more", "word"),
    [
        ("pass", {}, "OK"),
        ("fail", {}, "CRITICAL"),
        ("fail", {"fail_on": "high"}, "OK"),
        ("waived", {}, "OK"),
        ("unknown", {}, "UNKNOWN"),
        ("error", {}, "UNKNOWN"),
        ("notchecked", {}, "UNKNOWN"),
        ("unknown", {"allow_incomplete": True}, "WARNING"),
        ("error", {"allow_incomplete": True}, "WARNING"),
        ("pass", {"bad_sources": [("a", "cut")], "allow_incomplete": True}, "UNKNOWN"),
        ("fail", {"bad_sources": [("a", "cut")]}, "CRITICAL"),
    ],
)
def test_the_status_follows_the_verdict_and_what_is_incomplete_is_never_ok(outcome: str, more: dict[str, Any], word: str) -> None:
    assert status(report(finding(outcome=outcome), **more)) == word


def test_a_report_without_a_host_is_unknown() -> None:
    assert status(report(hosts=[])) == "UNKNOWN"
    assert status(report(hosts=[], bad_sources=[("a", "cut")])) == "UNKNOWN"


@pytest.mark.parametrize("outcome", ["fail", "pass", "unknown"])
def test_the_words_are_the_verdicts(outcome: str) -> None:
    made = report(finding(outcome=outcome))
    assert line(made).partition(" | ")[0].partition(" - ")[2] == made.statement
    assert made.verdict.upper() in line(made)


WAIVER = {"reason": "r", "owner": "o", "expires": "2027-01-31", "origin": "p:1"}


def test_what_is_open_waived_and_not_known_is_counted_over_all_hosts() -> None:
    found = [finding(severity="high"), finding(subject="x", severity="high"), finding(subject="y", severity="info"),
             finding(outcome="waived", subject="z", waiver=WAIVER),
             finding(outcome="unknown"), finding(outcome="unknown", waiver=WAIVER), finding(outcome="unknown", inventory=True),
             finding(outcome="notchecked")]  # fmt: skip
    shot = snapshot(stack(listener(22), listener(80)), stack(listener(22), name="box"))
    made = report(hosts=[HostReport(Origin(shot), policy(), list(found)) for _ in range(4)], bad_sources=[("a", "cut")])
    assert numbers(made) == {
        "open": 8, "critical": 0, "high": 8, "medium": 0, "low": 0, "info": 0, "waived": 4, "unknown": 4, "accepted": 4, "error": 0,
        "notchecked": 4, "listeners": 12, "hosts": 4, "missing_hosts": 0, "bad_sources": 1, "time": 1,
    }  # fmt: skip


def test_one_line_is_of_all_hosts() -> None:
    assert "7 hosts audited" in line(report(hosts=[HostReport(Origin(snapshot(host=f"h{n}")), policy(), []) for n in range(7)]))


@pytest.mark.parametrize("fail_on", [*SEVERITIES, "never"])
def test_a_severity_that_breaks_the_verdict_has_none_as_its_critical_range(fail_on: str) -> None:
    told = figures(report(finding(), fail_on=fail_on))
    breaking = {severity for severity in SEVERITIES if told[severity].split(";")[2] == "0"}
    assert breaking == set(SEVERITIES[SEVERITIES.index(fail_on) :] if fail_on != "never" else ())


def test_stamps_that_are_none_leave_the_time_out() -> None:
    assert "time" not in figures(report(finding(), started="", finished=""))


@pytest.mark.parametrize(
    "name",
    ["a|b", "x\nPORT-AUDITOR OK - y | open=0", "<a href=//x>", "`id`", "$(id)", "\x1b[2J", "\u202e", "\udcff", "a=1;2;3", "'", "é" * 4000],
)
def test_a_hostile_name_is_only_words(name: str) -> None:
    made = report(finding(subject=name, message=name), of=snapshot(host=name), bad_sources=[(name, name)])
    words, _, performance = line(made).partition(" | ")
    assert not re.search("[\x00-\x1f\x7f-\x9f|<>`$\u202e\ud800-\udfff]", words)
    assert performance == line(report(finding(subject="x"), bad_sources=[("x", "x")])).partition(" | ")[2]
    assert words.startswith("PORT-AUDITOR CRITICAL - FAIL (and incomplete)" if not made.complete else "PORT-AUDITOR CRITICAL - FAIL")


def test_the_line_fits_into_one_packet_however_long_a_name_is() -> None:
    many = report(*(finding(subject=f"s{n}") for n in range(99_999)), of=snapshot(host="é" * 4096), finished="2026-11-22T10:00:00Z")
    assert len(line(many).encode()) < 1024
    assert " ... | open=99999;" in line(many)


PART = (ROOT / "reports" / "formats.md").read_text(encoding="utf-8").partition("\n## nagios\n")[2].partition("\n## ")[0]
SUDOERS, *LINES = [found.strip() for found in PART.splitlines() if found.startswith("    ")]
CHECK = "\n".join(LINES)
NO_REPORT = "PORT-AUDITOR UNKNOWN - no report was made"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (line(report(finding(outcome="pass"))), 0),
        (line(report(finding(outcome="unknown"), allow_incomplete=True)), 1),
        (line(report(finding())), 2),
        (line(report(finding(outcome="unknown"))), 3),
        ("", 3),
        ("Traceback (most recent call last):", 3),
        (r"PORT-AUDITOR CRITICAL - FAIL: \c \n \x1b[2J -n", 2),
    ],
)
@pytest.mark.parametrize("own", [0, 1, 2, 3, 70])
@pytest.mark.parametrize("shell", [name for name in ("sh", "dash", "bash") if shutil.which(name)])
def test_the_check_command_of_its_document_makes_nagios_codes_of_our_lines(said: str, code: int, own: int, shell: str) -> None:
    stub = f"sudo() {{ printf '%s\\n' \"$SAID\"; return {own}; }}\nset -e\n"
    done = subprocess.run([shell, "-c", stub + CHECK], env={"SAID": said}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, (said or NO_REPORT) + "\n", "")


def test_the_check_command_asks_for_what_sudo_allows() -> None:
    assert SUDOERS.partition("NOPASSWD: ")[2] in CHECK


@pytest.mark.skipif(shutil.which("visudo") is None, reason="visudo is not installed: apt-get install sudo")
def test_visudo_has_nothing_against_the_line_for_sudo() -> None:
    done = subprocess.run(["visudo", "-c", "-f", "-"], input=SUDOERS + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def has_monitoring_plugin() -> bool:
    asked = ["perl", "-MMonitoring::Plugin::Performance", "-e1"]
    return shutil.which("perl") is not None and subprocess.run(asked, capture_output=True, check=False).returncode == 0


READ = """for (Monitoring::Plugin::Performance->parse_perfstring(<STDIN>)) {
    my $critical = $_->threshold->critical;
    print join(" ", $_->label, $_->value . $_->uom, length("$critical") ? "$critical" : "-"), "\\n" }"""


@pytest.mark.skipif(not has_monitoring_plugin(), reason="Monitoring::Plugin is not installed: apt-get install libmonitoring-plugin-perl")
def test_the_library_of_other_plugins_reads_the_same_figures() -> None:
    made = report(finding(), finding(subject="x", severity="high"))
    performance = line(made).partition(" | ")[2]
    done = subprocess.run(
        ["perl", "-MMonitoring::Plugin::Performance", "-e", READ], input=performance, capture_output=True, text=True, check=True
    )
    wanted = [f"{label} {said.split(';')[0]} {said.split(';')[2] or '-'}" for label, said in figures(made).items()]
    assert done.stdout.splitlines() == wanted
