"""Reports made of values that hold whatever a format must tell apart, for the formats that other programs read."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import count
from typing import Any

from auditor import controls
from auditor.coverage import SiteCoverage
from auditor.facts import Facts
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, Finding, Snapshot
from auditor.presentation import Presentation
from auditor.report import Report
from tests.hostile import HOSTILE
from tests.reports import Origin, finding, policy, report, snapshot

WAIVER = {
    "id": "EXC-118",
    "reason": "socket migration",
    "owner": "web",
    "ticket": "RSK-2041",
    "expires": "2027-01-31",
    "origin": "p.yaml:9",
}
GAP = {"reason": "runs without the capability", "owner": "sre", "expires": "2027-03-31", "origin": "p.yaml:20"}
MARKDOWN = [
    "*bold* _it_ `code`",
    "[a](javascript:x)",
    "# heading",
    "{{ insert: param, x }}",
    "C:\\dir",
    "1. one",
    "- item",
    "|a|b|",
    "===",
    "\ud800",
]
WORDS = [*HOSTILE, *MARKDOWN]


@cache
def frameworks() -> tuple[controls.Framework, ...]:
    """Those that are shipped."""
    return controls.load()


def everything() -> list[Finding]:
    """Each outcome; one subject that is open for one holder and waived for another; what is accepted, out of scope, known to a baseline."""
    found = [finding("made-up-rule", f"subject {outcome}", outcome, severity="high") for outcome in OUTCOMES if outcome != "waived"]
    found += [finding(subject="tcp/0.0.0.0:9000"), finding(subject="tcp/0.0.0.0:9000", outcome="waived", waiver=WAIVER)]
    found += [finding("privileged-range-lowered", "tcp", severity="high"), finding("cleartext-listener", "tcp/0.0.0.0:21", severity="low")]
    found += [finding("made-up-rule", "what was not seen", "unknown", waiver=GAP), finding("made-up-rule", "loopback", inventory=True)]
    found += [
        finding("made-up-rule", "unseen, out of scope", "unknown", inventory=True),
        finding("made-up-rule", "set to info", severity="info"),
    ]
    known = finding("made-up-rule", "known", count=2, examples=("one", "other"), observed="1", expected="2", source="sysctl")
    known.baseline_state, known.first_seen, known.who = "unchanged", "2026-10-01T00:00:00Z", "sshd[1] root"
    return [*found, known]


def host(*findings: Finding, of: Snapshot | None = None, name: str = "web", gone: tuple[Finding, ...] = ()) -> HostReport:
    made = HostReport(Origin(of or snapshot()), policy(name), list(findings))
    made.gone = list(gone)
    return made


def mixed(**shown: Any) -> Report:
    """One host with everything, and a finding of its baseline that is no more."""
    return report(hosts=[host(*everything(), gone=(finding("made-up-rule", "gone"),))], frameworks=frameworks(), **shown)


def fleet() -> Report:
    """Three hosts, two of one name and one that tells nothing of itself; a source that was not read, and a host of which nothing came."""
    nowhere = host(finding(host="unknown host", outcome="pass"), of=Snapshot(stacks=Facts([], "")))
    site = SiteCoverage("bank", ["site.yaml"], "12" * 32, hosts=4, audited=3, missing=["db1"])
    hosts = [host(*everything()), host(*everything()), nowhere]
    return report(hosts=hosts, frameworks=frameworks(), bad_sources=[("a.evidence", "it was cut")], site=site)


def hostile() -> Report:
    """Every text of a host, of its policy and of the site is a hostile word, each word at each place."""
    turn = count()

    def word() -> str:
        return WORDS[next(turn) % len(WORDS)]

    hosts = []
    for _ in WORDS:
        waiver = {key: word() for key in ("id", "reason", "owner", "expires", "origin")}
        found = [
            Finding(word(), word(), word(), word(), outcome, "high", word(), observed=word(), expected=word(), source=word(),
                    examples=(word(),), waiver=waiver if outcome == "waived" else None, facts=(word(),))
            for outcome in OUTCOMES
        ]  # fmt: skip
        for one in found:
            one.who, one.first_seen, one.baseline_state = word(), word(), "new"
        told = {key: word() for key in ("host", "machine_id", "system", "release", "taken")}
        made = host(*found, of=snapshot(**told), name=word(), gone=(finding(word(), word(), message=word()),))
        made.given = word()
        hosts.append(made)
        next(turn)  # so that every place gets every word
    site = SiteCoverage(word(), [word()], "12" * 32, hosts=9, audited=1, missing=WORDS)
    shown = Presentation(organisation="<b>", banner="\x1bSECRET")
    bad = [(one, one) for one in WORDS]
    return report(hosts=hosts, frameworks=frameworks(), bad_sources=bad, site=site, narrowed=WORDS, shown_as=shown)


def answers(made: Report) -> Counter[tuple[str, str]]:
    """What a format that lists findings must list: the fingerprint and the outcome of each."""
    return Counter((one.fingerprint, one.outcome) for one in made.findings)
