"""Where SARIF results stand: GitHub shows an alert at a line of a file in the repository, and takes relative paths alone."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from auditor.host_report import HostReport
from auditor.model import Finding

_LINE = re.compile(r"(.+):([1-9][0-9]{0,8})")


class Places:
    """Where the findings of a host stand: in the line of its policy that they come of, else in its evidence, which is always there."""

    def __init__(self, one: HostReport) -> None:
        self.files = set(one.policy.files)
        self.evidence, self.line = one.given, 1
        if one.live or one.given == "stdin" or one.given.startswith("stdin:"):
            self.evidence = f"{one.name.replace('/', '_')}.evidence"
        elif one.evidence is None and (found := _LINE.fullmatch(one.given)):
            self.evidence, self.line = found[1], int(found[2])

    def of(self, finding: Finding) -> dict[str, Any]:
        """Where an accepted one is written; where the policy asks for what an open one is not."""
        if accepted(finding):
            written = (finding.waiver or {}).get("origin", "")
            return self._in_policy(written) or physical(self.evidence, self.line, column=2)
        return self._in_policy((finding.source or "").removeprefix("policy ")) or physical(self.evidence, self.line)

    def _in_policy(self, origin: str) -> dict[str, Any] | None:
        found = _LINE.fullmatch(origin)
        return physical(found[1], int(found[2])) if found and found[1] in self.files else None


def physical(path: str, line: int, column: int = 1) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1}
    return {"artifactLocation": {"uri": _relative(path)}, "region": region}


@lru_cache(64)
def _relative(path: str) -> str:
    """A path as a relative reference that is never empty: GitHub rejects all others."""
    parts = [part for part in posixpath.normpath(path).split("/") if part not in ("", ".", "..")]
    return quote("/".join(parts) or "evidence", safe="/", errors="backslashreplace")


def accepted(finding: Finding) -> bool:
    """A waived finding, or a gap that the policy accepts."""
    return finding.outcome == "waived" or (finding.outcome == "unknown" and finding.waiver is not None)
