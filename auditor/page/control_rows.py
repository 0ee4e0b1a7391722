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


def by_release(views: list[FrameworkView]) -> dict[str, list[str]]:
    """By rule, the frameworks in which its findings count for controls that have a number for each release: findings do not name those."""
    found: dict[str, dict[str, None]] = {}
    for view in views:
        for one in view.controls:
            for rule in one.rules if one.control.releases and one.control.same_as is None else ():
                if rule.open or rule.accepted:
                    found.setdefault(rule.rule, {})[view.framework.title] = None
    return {rule: list(titles) for rule, titles in found.items()}


def _row(view: ControlView) -> dict[str, Any]:
    """Rules that are mapped for one reason stand together, and of them those that came to the same."""
    control = view.control
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for rule in view.rules:
        worth = rule.worth if rule.worth == rule.relation else f"{rule.worth} (mapped as {rule.relation})"
        counts = [f"{count} {word}" for count, word in ((rule.open, "open"), (rule.accepted, "accepted")) if count]
        groups.setdefault((worth, rule.reason), {}).setdefault(", ".join([rule.state, *counts]), []).append(rule.rule)
    kinds = [word for count, word in ((view.open, "open"), (view.accepted, "accepted")) if count]
    return {
        "numbers": [(control.id, control.releases)], "words": control.words, "result": view.result, "evidence": view.evidence,
        "attest": control.attest, "source": control.source, "kinds": kinds or [view.result],
        "tone": "error" if view.open else "notchecked" if view.evidence == "none" else "",
        "groups": [{"relation": relation, "reason": reason, "states": list(states.items())}
                   for (relation, reason), states in groups.items()],
    }  # fmt: skip
