"""What nobody looked at."""

from __future__ import annotations

from itertools import product

from auditor.coverage import Drift, SiteCoverage
from auditor.lacking import lacking
from tests.reports import finding, report


def test_a_report_is_complete_where_nothing_is_lacking_and_no_finding_leaves_anything_open() -> None:
    site = SiteCoverage("s", ["s.yaml"], "ab" * 32, hosts=1, audited=0, missing=["db7"])
    drifts = (None, Drift([], [], []), Drift([], ["a"], []), Drift([], [], ["a"]))
    outcomes = ((), ("pass",), ("notchecked",), ("pass", "unknown"), ("fail", "error"))
    for sources, coverage, drift, found in product(([], [("a", "why")]), (None, site), drifts, outcomes):
        made = report(*(finding(outcome=outcome) for outcome in found), bad_sources=sources, site=coverage, drift=drift)
        assert made.complete == (not list(lacking(made)) and not made.totals.leaves_open)
    nothing = report(hosts=[])
    assert list(lacking(nothing)) == [("audit", "hosts", "nothing was audited")]
    assert not nothing.complete


def test_each_source_and_host_is_named_with_the_reason() -> None:
    site = SiteCoverage("s", ["s.yaml"], "ab" * 32, hosts=3, audited=1, missing=["db7", "db8"])
    made = report(finding(), bad_sources=[("a", "a: cut"), ("b", "why b")], site=site, drift=Drift([], ["web1"], ["db9"]))
    assert [why for kind, _, why in lacking(made) if kind == "source"] == ["cut", "why b"]
    assert [(kind, name) for kind, name, _ in lacking(made)] == [
        ("source", "a"), ("source", "b"), ("host", "db7"), ("host", "db8"), ("host", "db9"), ("baseline", "web1"),
    ]  # fmt: skip
