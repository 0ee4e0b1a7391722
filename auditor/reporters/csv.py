"""For spreadsheets: verdicts, findings and listeners in one table, whose first column says which a row is.

RFC 4180: UTF-8, CRLF, a header, the same columns always; text is quoted, numbers are not. The last row is the `verdict` of the whole,
with no host: a file without one was cut short. What was to be audited and was not is a row too, `lacking`.

A spreadsheet takes a cell for a formula by its first character (CWE-1236), also behind spaces and quotes, and a program that parts columns
at semicolons sees the beginning of a cell behind each. There a `'` stands before it; nothing else of a text is changed but what
`harmless` escapes, newlines and tabs among it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from auditor.display import harmless, holders
from auditor.host_report import HostReport
from auditor.lacking import lacking
from auditor.listener_outcomes import ListenerOutcomes
from auditor.model import Finding, Socket, Stack
from auditor.report import Report
from auditor.reporter import Streamed

VERDICT, FINDING, LISTENER, LACKING = "verdict", "finding", "listener", "lacking"
COLUMNS = (
    "record", "host", "stack", "rule", "subject", "state", "severity", "outcome", "evidence", "message", "observed", "expected", "source",
    "who", "count", "examples", "controls", "baseline_state", "first_seen", "standing", "waiver_id", "waiver_owner", "waiver_approved_by",
    "waiver_reason", "waiver_expires", "waiver_ticket", "fingerprint", "protocol", "address", "port", "family", "reach", "owner_state",
    "users", "executables", "units", "containers", "iana_name", "found", "taken", "evaluated_on", "policy",
)  # fmt: skip
_OF_FINDING = ("rule", "host", "stack", "subject", "outcome", "severity", "message", "observed", "expected", "source", "who", "count",
               "baseline_state", "first_seen", "fingerprint")  # fmt: skip
_OF_LISTENER = ("protocol", "address", "port", "family", "state", "reach", "owner_state", "source")
_OF_OWNERS = {"users": "user", "executables": "executable", "units": "unit", "containers": "container"}
_PLACES = {"source": "source", "host": "host", "baseline": "host"}
"""Where the name of what is lacking stands."""
_WAIVER_WORDS = ("id", "owner", "approved_by", "reason", "expires", "ticket")
_LONGEST = 32_000
"""Characters of a cell, in UTF-16 as Excel counts them. It takes 32,767 and lays what is over that into cells of its own, where it could
begin a formula."""
_BEGINS_FORMULA = re.compile("(^|;)(?=[\\s\"'`]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
"""= + - @, also full-width and small (U+FF1D ..., U+FE66 ...), at the beginning of a cell or where a semicolon makes one."""

Cell = str | int | None
Row = dict[str, str | int]


class Table:
    """Its header, and then its rows."""

    def __init__(self, stream: TextIO) -> None:
        self._table = csv.DictWriter(stream, COLUMNS, restval="", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        self._table.writeheader()

    def host(self, one: Report) -> None:
        """A host: its verdict, its findings gravest first, and its listeners by protocol and port."""
        for audited in one.hosts:
            self._write(one, _host(one, audited), taken=audited.snapshot.shown.get("taken"))

    def end(self, report: Report) -> None:
        """What nobody looked at, and the verdict of the whole."""
        for kind, name, why in lacking(report):
            place = {_PLACES[kind]: name} if kind in _PLACES else {}
            self._write(report, [_row(LACKING, state="incomplete", message=why, **place)])
        self._write(report, [_verdict(report)])

    def _write(self, report: Report, rows: Iterable[Row], **when: Cell) -> None:
        """Rows, each with the day and the policies of its report."""
        policies = sorted(f"{policy.name}@{policy.sha256[:8]}" for policy in report.totals.policies.values())
        about = _cells(**when, evaluated_on=report.evaluated_on, policy=_several(policies))
        self._table.writerows({**row, **about} for row in rows)


def _host(one: Report, audited: HostReport) -> Iterator[Row]:
    yield _verdict(one, host=audited.name, source=audited.given)
    yield from (_finding(one, finding) for finding in one.findings)
    outcomes = ListenerOutcomes(audited, one.state)
    for stack in audited.snapshot.facts("stacks").seen:
        for socket in sorted(stack.facts("listening").seen, key=lambda socket: socket.place):
            yield _listener(one, audited.name, stack, socket, outcomes)


def _row(record: str, **cells: Cell) -> Row:
    return {"record": record, **_cells(**cells)}


def _cells(**cells: Cell) -> Row:
    return {name: cell if isinstance(cell, int) else _safe(cell) for name, cell in cells.items()}


def _verdict(report: Report, **cells: Cell) -> Row:
    return _row(VERDICT, state=report.verdict, evidence=report.evidence_state, message=report.statement, **cells)


def _finding(report: Report, finding: Finding) -> Row:
    waiver = finding.waiver or {}
    return _row(
        FINDING,
        state=report.state(finding),
        examples=_several(finding.examples),
        controls=_several(finding.controls),
        standing=report.standing(finding),
        **{name: getattr(finding, name) for name in _OF_FINDING},
        **{f"waiver_{word}": waiver.get(word) for word in _WAIVER_WORDS},
    )


def _listener(report: Report, host: str, stack: Stack, socket: Socket, outcomes: ListenerOutcomes) -> Row:
    shown = socket.shown
    owners = [owner.shown for owner in shown.get("owners_seen", [])]
    return _row(
        LISTENER,
        host=host,
        stack=stack.shown.get("name"),
        subject=socket.subject,
        who=holders(socket),
        found=_several(f"{state}: {rule}" for state, rule in outcomes.found(stack, socket)),
        iana_name=report.iana_names.get((shown.get("protocol", ""), shown.get("port", -1))),
        **{name: shown.get(name) for name in _OF_LISTENER},
        **{column: _several(sorted({owner[key] for owner in owners if owner.get(key)})) for column, key in _OF_OWNERS.items()},
    )


def _several(words: Iterable[str]) -> str:
    return "; ".join(words)


def _safe(text: str | None) -> str:
    """A text that is text wherever it is opened."""
    marked = _BEGINS_FORMULA.sub(r"\1'", harmless(text or ""))
    if len(marked) <= _LONGEST // 2:
        return marked
    kept = marked.encode("utf-16-le")[: 2 * _LONGEST].decode("utf-16-le", "ignore")
    more = len(marked) - len(kept)
    return f"{kept} ... and {more} characters more; the json report has all" if more else marked


REPORTER = Streamed(suffix="csv", media_type="text/csv", begin=Table)
