"""What nobody looked at, so that no verdict rests on it: sources, hosts and baselines that were asked for and are not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.report import Report


def lacking(report: Report) -> Iterator[tuple[str, str, str]]:
    """Each as (kind, name, why), the kind being audit, source, host or baseline. A report is complete where there is none, and where no
    finding leaves open what the verdict rests on."""
    if not report.totals.hosts:
        yield "audit", "hosts", "nothing was audited"
    elif not report.judged:
        yield "audit", "rules", "nothing was judged: no rule about hosts came to a result"
    for source, why in report.bad_sources:
        yield "source", source, why.removeprefix(f"{source}: ")
    for name in report.missing_hosts:
        yield "host", name, "no evidence of it was given, and the site's inventory lists it"
    if report.drift is not None:
        for name in sorted(set(report.drift.missing) - set(report.missing_hosts)):
            yield "host", name, "no evidence of it was given, and the baseline has it"
        for name in report.drift.without:
            yield "baseline", name, "the baseline has nothing of it"
