"""report/1, for other programs."""

from __future__ import annotations

import json
from typing import TextIO

from auditor.report import Report
from auditor.reporter import Reporter


def render(report: Report, stream: TextIO) -> None:
    """The whole report as one JSON object; what is not ASCII is escaped, so hostile names stay on their line."""
    json.dump(report.to_json(), stream, indent=1, ensure_ascii=True)
    stream.write("\n")


REPORTER = Reporter(suffix="json", media_type="application/json", render=render)
