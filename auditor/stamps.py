"""Moments for formats that insist on one: what a host says of itself may be none."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.host_report import HostReport
    from auditor.report import Report

_BEGINNING = "1970-01-01T00:00:00Z"


def of_audit(report: Report) -> str:
    """When the audit began, as RFC 3339 in UTC; the best that is known of it, where that cannot be told."""
    return _first(report.started, report.finished, f"{report.evaluated_on}T00:00:00Z")


def of_end(report: Report) -> str:
    """When the audit ended, in the same way."""
    return _first(report.finished, of_audit(report))


def of_evidence(report: Report, host: HostReport) -> str:
    """When the evidence of a host was taken; when the audit began, where it does not tell."""
    return _first(host.snapshot.shown.get("taken"), of_audit(report))


def milliseconds(stamp: str) -> int:
    """A stamp of this module, in milliseconds since 1970."""
    return int((datetime.datetime.fromisoformat(stamp) - datetime.datetime.fromisoformat(_BEGINNING)) / datetime.timedelta(milliseconds=1))


def _first(*stamps: object) -> str:
    return next((utc for stamp in stamps if (utc := in_utc(stamp)) is not None), _BEGINNING)


def in_utc(stamp: object) -> str | None:
    """A moment as RFC 3339 in UTC; None where it has no date, no time or no zone."""
    try:
        when = datetime.datetime.fromisoformat(str(stamp))
        return None if when.tzinfo is None else when.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None
