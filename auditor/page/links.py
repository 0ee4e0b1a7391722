"""Links to findings: those of one kind stand together, with the hosts that they are on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.model import Finding

Links = list[tuple[str, list[tuple[str, str]]]]
"""What stands before, and (anchor, host) of each."""


def links(found: Iterable[tuple[str, Finding]], label: Callable[[Finding], str]) -> Links:
    kinds: dict[str, list[tuple[str, str]]] = {}
    for anchor, finding in found:
        kinds.setdefault(label(finding), []).append((anchor, finding.host))
    return list(kinds.items())


def by_rule(finding: Finding) -> str:
    return f"{finding.severity if finding.outcome == 'fail' else finding.outcome}: {finding.rule}"


def by_subject(finding: Finding) -> str:
    return finding.subject
