"""The rules of a SARIF log as GitHub shows them, and the one of ours that stands for what could not be seen."""

from __future__ import annotations

import re
from typing import Any

from auditor.display import harmless
from auditor.presentation import RuleDocument
from auditor.remedy import Remedy
from auditor.report import Report

TEXT_MAX = 1024
"""How many characters GitHub takes of a rule's descriptions."""
COMPLETENESS = "audit-complete"
_DOCUMENT = RuleDocument(
    "Everything was seen that the verdict rests on",
    "What could not be seen has not passed: a finding may be where nobody could look.",
    Remedy("Give the audit the rights and the evidence that it says it lacks, or accept the gap in the policy, until a day."),
)
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.1"}
"""Each in the middle of what GitHub calls by that word; it has none for info."""


def described(report: Report, rule: str, severity: str) -> dict[str, Any]:
    """A rule's document. GitHub takes no empty text, and shows as severity of an alert what stands here: the gravest that it had."""
    document = _DOCUMENT if rule == COMPLETENESS else report.documents.get(rule)
    name = harmless(rule)
    title, why, remedy = (document.title, document.why, document.remedy.on(None)) if document else (rule, "", "")
    full = plain(" ".join(why.split("\n\n")[0].split())) or plain(title) or name
    parts = [part for part in (why, remedy and f"Remedy\n\n{remedy}") if part.strip()]
    help_text = plain(*"\n\n".join(parts).splitlines()) or full
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in re.split(r"[^0-9A-Za-z]+", rule)) or name,
        "shortDescription": {"text": _cut(plain(title) or name)},
        "fullDescription": {"text": _cut(full)},
        "help": {"text": help_text, "markdown": help_text.replace("Remedy\n\n", "## Remedy\n\n", 1) if remedy else help_text},
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {"tags": ["security", "network"], "precision": "high", "security-severity": _SCORES[severity]},
    }


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 4] + " ..."


def plain(*lines: str) -> str:
    """Harmless lines, without anything that section 3.11.6 makes a link of."""
    return "\n".join(map(harmless, lines)).replace("](", "] (")
