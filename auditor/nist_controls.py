"""The controls of NIST SP 800-53 among those that a report speaks of, under the ids that other formats know them by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.control_view import ControlView, FrameworkView
    from auditor.report import Report

_TITLE = "NIST SP 800-53"


def nist_controls(report: Report) -> Iterator[tuple[FrameworkView, ControlView]]:
    """Each control of it, with the framework whose it is."""
    for view in report.controls:
        if view.framework.title.startswith(_TITLE):
            for control in view.controls:
                yield view, control


def oscal_id(control: str) -> str:
    """`CM-7(1)` as NIST's OSCAL catalog writes it: `cm-7.1`."""
    return control.lower().replace("(", ".").replace(")", "").replace(" ", "")


def heimdall_id(control: str) -> str:
    """`CM-7(1)` as Heimdall's tree of controls writes it: `CM-7 (1)`."""
    return control.replace(" ", "").replace("(", " (")
