"""One line for Nagios, Icinga and what else runs their plugins: a status, the verdict in words, and performance data.

The status is of the report, not of the process: port-auditor keeps its own exit codes. The check command in reports/formats.md says what
its own is to be; no line at all, and an audit that broke off, is UNKNOWN there.

| status   | where                                                                                              |
|----------|----------------------------------------------------------------------------------------------------|
| CRITICAL | the verdict is fail: something is open at or above --fail-on                                       |
| UNKNOWN  | the verdict is incomplete: nobody could look, or not everywhere                                    |
| WARNING  | the verdict is pass by --allow-incomplete: what was seen passes, and not everything was            |
| OK       | the verdict is pass, and everything was seen that it rests on                                      |

Sources: Monitoring Plugins Development Guidelines, "Plugin Return Codes", "Performance data" ('label'=value[UOM];[warn];[crit];[min];[max])
and "Threshold and ranges" (0 alerts on anything else). NRPE before protocol 3 carries 1024 bytes: the words are cut before the figures are.
"""

from __future__ import annotations

from typing import TextIO

from auditor.display import harmless
from auditor.figures import duration
from auditor.model import SEVERITIES
from auditor.report import NEVER, Report
from auditor.reporter import Reporter

_STATUS = {"fail": "CRITICAL", "incomplete": "UNKNOWN", "pass": "OK"}
_LONGEST = 600
"""Bytes of words."""
_PLAIN = str.maketrans({"|": "/", "<": "(", ">": ")", "`": "'", "$": "_"})
"""A pipe ends the words; the others are markup and macros to those who show them or hand them on."""


def render(report: Report, stream: TextIO) -> None:
    """The line."""
    words = harmless(report.statement).translate(_PLAIN)
    stream.write(f"PORT-AUDITOR {_status(report)} - {_shortened(words)} | {_performance(report)}\n")


def _status(report: Report) -> str:
    return "WARNING" if report.verdict == "pass" and not report.complete else _STATUS[report.verdict]


def _shortened(words: str) -> str:
    """As much of the words as one packet carries; the verdict stands first."""
    plain = words.encode()
    return words if len(plain) <= _LONGEST else plain[:_LONGEST].decode(errors="ignore") + " ..."


def _performance(report: Report) -> str:
    """Figures of all hosts together. Of a severity that breaks the verdict, anything but none is critical."""
    breaking = () if report.fail_on == NEVER else SEVERITIES[SEVERITIES.index(report.fail_on) :]
    totals = report.totals
    said = [f"open={totals.open.total()};;;0"]
    said += [f"{severity}={totals.open[severity]};;{'0' if severity in breaking else ''};0" for severity in reversed(SEVERITIES)]
    said += [f"{state}={totals.states[state]};;;0" for state in ("waived", "unknown", "accepted", "error", "notchecked")]
    said += [f"listeners={totals.sight.listeners};;;0", f"hosts={totals.hosts};;;0"]
    said += [f"missing_hosts={len(report.missing_hosts)};;;0", f"bad_sources={len(report.bad_sources)};;;0"]
    seconds = duration(report)
    return " ".join(said if seconds is None else [*said, f"time={seconds}s;;;0"])


REPORTER = Reporter(suffix="txt", media_type="text/plain", render=render)
