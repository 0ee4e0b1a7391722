"""For log pipelines and fleets: JSON lines. Each line is report/1 of one host alone, the last one is summary/1, the verdict of the whole.

A file whose last line is no summary/1 was cut short: there may have been more hosts, and how the audit went is not known. What could not be
read, hosts without evidence, and what an audit was told to leave out make the whole incomplete, and stand in that line. Lines end with LF;
what is not ASCII is escaped, so that no name of a host ends one.
"""

from __future__ import annotations

import json
from typing import Any, TextIO

from auditor.report import Report
from auditor.reporter import Streamed


class Lines:
    """Each stands alone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def host(self, one: Report) -> None:
        """One host's report/1."""
        self._line(one.to_json())

    def end(self, report: Report) -> None:
        """summary/1."""
        self._line(report.summary_json())

    def _line(self, document: dict[str, Any]) -> None:
        json.dump(document, self._stream, ensure_ascii=True, separators=(",", ":"))
        self._stream.write("\n")


REPORTER = Streamed(suffix="jsonl", media_type="application/jsonl", begin=Lines)
