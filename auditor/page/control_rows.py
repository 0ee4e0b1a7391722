"""The controls of a framework, a row each."""

from __future__ import annotations

from typing import Any

from auditor.control_view import ControlView, FrameworkView


def rows(view: FrameworkView) -> list[dict[str, Any]]:
    """One that has a number for each release is one row with all of them."""
    found = {one.control.id: _row(one) for one in view.controls if one.control.same_as is None}
    for one in view.controls:
        if one.control.same_as in found:
            found[one.control.same_as]["numbers"].append((one.control.id, one.control.releases))
    return list(found.values())


def _row(view: ControlView) -> dict[str, Any]:
    """Rules that are mapped for one reason stand together."""
    control = view.control
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for rule in view.rules:
        worth = rule.worth if rule.worth == rule.relation else f"{rule.worth} (mapped as {rule.relation})"
        counts = [f"{count} {word}" for count, word in ((rule.open, "open"), (rule.accepted, "accepted")) if count]
        groups.setdefault((worth, rule.reason), []).append((rule.rule, ", ".join([rule.state, *counts])))
    kinds = [word for count, word in ((view.open, "open"), (view.accepted, "accepted")) if count]
    return {
        "numbers": [(control.id, control.releases)], "words": control.words, "result": view.result, "evidence": view.evidence,
        "attest": control.attest, "source": control.source, "kinds": kinds or [view.result],
        "tone": "error" if view.open else "notchecked" if view.evidence == "none" else "",
        "groups": [{"relation": relation, "reason": reason, "rules": rules} for (relation, reason), rules in groups.items()],
    }  # fmt: skip
