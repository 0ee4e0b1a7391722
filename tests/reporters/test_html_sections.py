"""Parts of the page that say how a finding came about, what was accepted, what changed and what it all rests on."""

from __future__ import annotations

import pytest

from auditor.binding import Endpoint
from auditor.coverage import Drift, SiteCoverage
from auditor.differences import Change
from auditor.facts import Facts, Gap
from auditor.host_report import HostReport
from auditor.model import Finding
from auditor.owner import File
from auditor.page.evidence import ROOM
from auditor.presentation import Presentation
from auditor.report import Report
from tests.mixed_reports import mixed
from tests.reporters.test_html import WAIVER, Page
from tests.reports import Origin, finding, listener, owner, policy, report, snapshot, stack


def since(state: str | None, stamp: str | None = "2026-10-01T00:00:00Z") -> Finding:
    made = finding(subject=f"subject-{state}")
    made.baseline_state, made.first_seen = state, stamp if state else None
    return made


def host_report(*findings: Finding, evidence: bytes | None = b"x\n", baseline: str | None = None) -> HostReport:
    origin = Origin(snapshot())
    origin.evidence = evidence
    made = HostReport(origin, policy(), list(findings))
    made.baseline = None if baseline is None else snapshot(taken=baseline)
    return made


def compared(host: HostReport, *without: str) -> Report:
    drift = Drift([], list(without), [])
    return report(hosts=[host], drift=drift)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("new", "2026-10-01T00:00:00Z: new since the baseline of 2026-09-01T00:00:00Z"),
        ("unchanged", "there at the baseline of 2026-10-01T00:00:00Z or before"),
        (None, "not known: the baseline does not tell"),
    ],
)
def test_a_finding_says_since_when_it_is_known(state: str | None, words: str) -> None:
    page = Page(compared(host_report(since(state), baseline="2026-09-01T00:00:00Z")))
    assert f"First seen {words} Fingerprint" in page.words(page.section("open"))


def test_without_a_baseline_nobody_knows_since_when() -> None:
    page = Page(report(since(None)))
    assert "First seen not known: no baseline was given Fingerprint" in page.words(page.section("open"))
    assert page.words(page.section("changes")) == "What changed since the baseline Not known: no baseline was given."
    page = Page(compared(host_report(since(None)), "web1"))
    assert "First seen not known: the baseline has nothing of this host" in page.words(page.section("open"))
    assert "the baseline has nothing of web1" in page.words(page.section("changes"))


def test_who_a_finding_is_about_stands_with_it() -> None:
    one = finding()
    one.who = "sshd[812] root"
    assert "Who sshd[812] root" in Page(report(one)).words()


def test_changes_new_findings_and_gone_ones_stand_by_host() -> None:
    host = host_report(since("new"), since("unchanged"), since(None), baseline="2026-09-01T00:00:00Z")
    host.changes = [
        Change("+", "socket", "tcp/0.0.0.0:80", after="nginx", stack="host", count=2),
        Change("~", "setting", "a.b", before="1", after="2"),
        Change("?", "socket", "udp/*:9", before="there", why="no rights"),
    ]
    host.gone = [finding("a-rule", "tcp/0.0.0.0:23", message="telnet is open")]
    page = Page(compared(host))
    section = page.section("changes")
    said = page.words(section)
    assert "new findings: 1 open; 1 no longer found, 1 there already; 2 listeners added, 1 setting changed, 1 could not be compared" in said
    assert "New findings, open (1) MEDIUM listener-not-approved on subject-new " in said
    assert "No longer found, and not necessarily mended (1) MEDIUM a-rule on tcp/0.0.0.0:23 : telnet is open" in said
    assert "Of 1 finding the baseline does not tell whether it was there." in said
    assert page.table("What differs on web1") == [
        ["Added", "host", "socket tcp/0.0.0.0:80 (2 of them)", "", "nginx"],
        ["Changed", "the whole host", "setting a.b", "1", "2"],
        ["Could not be compared", "the whole host", "socket udp/*:9", "there", "no rights"],
    ]


def accepted(name: str, expires: str, **more: object) -> dict[str, object]:
    return {"name": name, "id": name, "kind": "waiver", "about": "a-rule", "asks": {}, "reason": "because", "owner": "ops",
            "expires": expires, "origin": f"p.yaml:{name}", **more}  # fmt: skip


def test_the_register_has_every_waiver_with_its_days_left_and_what_it_covers() -> None:
    waived = finding("a-rule", "tcp/0.0.0.0:9", "waived", waiver={**WAIVER, "id": "E-2", "origin": "p.yaml:E-2"})
    over = [finding("waiver-expired", "E-1", stack=None), finding("waiver-too-long", "E-1", severity="low", stack=None)]
    host = host_report(waived, *over)
    host.accepted = [
        accepted("E-1", "2026-11-20"),
        accepted(
            "E-2", "2027-01-31", approved_by="ciso", ticket="RSK-1", compensated_by="an ACL", asks={"subject": "tcp/*:9", "hosts": "web1"}
        ),
        accepted("E-3", "2026-11-21", kind="accepted gap", about="owners"),
    ]
    page, unsaid = Page(report(hosts=[host])), "not stated"
    assert page.table("Register, as of 2026-11-21") == [
        ["E-1 waiver, p.yaml :E-1", "a-rule", "because", "ops", unsaid, unsaid, "2026-11-20 expired 1 day ago",
         "nothing here medium: waiver-expired low: waiver-too-long"],
        ["E-3 accepted gap, p.yaml :E-3", "owners", "because", "ops", unsaid, unsaid, "2026-11-21 its last day", "nothing here"],
        ["E-2 waiver, p.yaml :E-2", "a-rule subject tcp/*:9 hosts web1", "because compensated by: an ACL", "ops", "ciso", "RSK-1",
         "2027-01-31 71 days left", "tcp/0.0.0.0:9"],
    ]  # fmt: skip
    assert "Expires 2027-01-31 , 71 days left" in page.words(page.section("waived"))


def test_of_several_hosts_the_register_names_those_that_a_link_leads_to() -> None:
    hosts = []
    for name in ("web1", "web2"):
        over = finding("waiver-expired", "E-1", host=name, stack=None)
        hosts.append(HostReport(Origin(snapshot(host=name)), policy(), [over]))
        hosts[-1].accepted = [accepted("E-1", "2026-11-20")]
    ((*_, covers),) = Page(report(hosts=hosts)).table("Register")
    assert covers == "nothing here medium: waiver-expired on web1 , web2"


def test_unknown_accepted_and_out_of_scope_are_told_apart_and_only_the_first_are_called_unknown() -> None:
    found = [finding(f"r{n}", outcome="unknown", waiver=WAIVER if n in (1, 2) else None, inventory=n == 3) for n in range(4)]
    page = Page(report(*found))
    names, numbers = (map(page.words, page.all(f".//dl[@class='tally']//{name}")) for name in ("dt", "dd"))
    cards = dict(zip(names, numbers, strict=True))
    assert (cards["Unknown"], cards["Accepted gaps"]) == ("1", "2")
    said = page.words(page.section("unknown"))
    assert "could not be judged (1)" in said
    assert "Beside it stand 2 accepted gaps and 1 out of the policy" in said
    assert "0 open, 0 waived, 1 unknown, 2 accepted gaps" in page.words(page.section("review"))
    assert "Accepted gaps" not in Page(report(finding(outcome="unknown"))).words()


def test_the_cards_say_that_they_count_answers() -> None:
    assert "Counts of answers: each rule answers for each network stack." in Page(report(finding())).words()


def test_a_listener_that_a_rule_could_not_judge_does_not_look_like_a_clean_one() -> None:
    sockets = [listener(port, owner(1)) for port in (22, 80, 443)]
    unjudged = [
        finding("a-rule", "stack", "unknown", examples=("tcp/0.0.0.0:22",), count=1),
        finding("b-rule", "stack", "unknown", examples=("tcp/0.0.0.0:22",), waiver=WAIVER),
        finding("c-rule", "stack", "unknown", examples=("tcp/0.0.0.0:80",), inventory=True),
    ]
    page = Page(report(*unjudged, of=snapshot(stack(*sockets))))
    assert [row[-1] for row in page.table("Listeners of web1")] == [
        "unknown: a-rule unknown, accepted: b-rule", "unknown, out of scope: c-rule", ""
    ]  # fmt: skip
    said = page.words(page.section("listeners"))
    for word in ("loopback , this host alone", "link ,", "private ,", "public ,", "container ,"):
        assert word in said


def test_the_form_to_sign_names_policy_and_counts_and_has_room_for_two_reviewers() -> None:
    page = Page(report(finding(), finding("a-rule", outcome="unknown")))
    said = page.words(page.section("review"))
    assert f"Policy web, sha256 {'ef' * 32}" in said
    assert "Findings 1 open, 0 waived, 1 unknown" in said
    assert said.count("Signature") == 2


def test_whoever_signs_has_in_view_what_was_not_covered() -> None:
    site = SiteCoverage("bank", ["site.yaml"], "12" * 32, hosts=3, audited=1, missing=["db1", "db2"])
    found = [finding("a-rule", outcome=outcome) for outcome in ("unknown", "error", "notchecked", "notchecked")]
    made = report(*found, site=site, bad_sources=[("odd.evidence", "no bundle")], narrowed=["only of some rules"])
    said = Page(made).words(Page(made).section("review"))
    assert "As told only of some rules" in said
    assert (
        "Not covered no evidence of 2 hosts: db1, db2 1 source could not be read: odd.evidence 1 answer unknown "
        "1 answer broken off by our error 2 answers not checked: nothing to compare with"
    ) in said


def test_where_all_was_covered_it_is_said_of_what_was_asked_alone() -> None:
    page = Page(report(finding(outcome="pass")))
    assert "Not covered nothing that was asked; what the method never shows stands under" in page.words(page.section("review"))


def test_who_approved_what_is_accepted_stands_beside_whose_it_is() -> None:
    made = report()
    told = {**WAIVER, "id": "GAP-2", "owner": "sre"}
    said = made.standing(finding(outcome="unknown", waiver={**told, "approved_by": "ciso"}))
    assert said == "accepted (GAP-2) until 2027-01-31, 71 days left; owner sre, approved by ciso: a migration"
    assert "owner sre, approver not stated: a migration" in str(made.standing(finding(outcome="unknown", waiver=told)))


def test_an_acceptance_that_only_a_finding_tells_of_is_in_the_register_too() -> None:
    gap = finding(outcome="unknown", waiver={**WAIVER, "expires": "never"}, facts=("owners", "grants"))
    assert Page(report(gap)).table("Register") == [
        ["EXC-1 accepted gap, web.yaml :9", "owners, grants", "a migration", "web-platform", "not stated", "not stated",
         "never not known", "1 unknown"],
    ]  # fmt: skip


def test_endpoints_have_a_table_where_they_were_asked_for() -> None:
    held = {"owner_state": "known", "owners_seen": [owner(7)]}
    seen = [
        Endpoint(kind="unix", protocol="stream", path="/run/x.sock", abstract=False, socket_unit="x.socket",
                 file=File(path="/run/x.sock", mode="0666", uid=0, gid=0), **held),
        Endpoint(kind="packet", protocol="all", device="eth0", owner_state="unreadable", owner_reason="no rights"),
    ]  # fmt: skip
    found = finding("unix-listener-open-to-all", "unix /run/x.sock")
    page = Page(report(found, of=snapshot(stack(endpoints=Facts(seen, "/proc", [Gap("one could not be read")])))))
    holder = "/usr/sbin/sshd root (uid 0), ssh.service calls itself sshd , pid 7"
    assert page.table("Endpoints of web1") == [
        ["packet", "eth0 (all) by nobody in view", "all", "", "not visible: see note 1", ""],
        ["unix", "/run/x.sock", "stream", "mode 0666, uid 0, gid 0", f"{holder} x.socket", "medium: unix-listener-open-to-all"],
    ]
    said = page.words(page.section("listeners"))
    assert "There may be more endpoints than are listed: one could not be read" in said
    assert "Note 1: no rights" in said
    assert "endpoint" not in Page(report()).words(Page(report()).section("listeners"))


def test_a_listener_can_be_filtered_by_what_was_found_on_it_and_by_whether_its_owners_are_known() -> None:
    page = Page(report(finding(), of=snapshot(stack(listener(22), listener(80, owner(1))))))
    rows = page.all(".//table[@class='sift listeners']/tbody/tr")
    assert [row.attrib["data-kind"] for row in rows] == ["open (medium)|owners not all known", "without a finding"]


def test_the_evidence_stands_on_the_page_word_for_word_with_escapes_for_what_would_be_obeyed() -> None:
    host = host_report(evidence=b"port-auditor evidence 1\n| a\tb\x1b[0m \xff<b>\n.\n")
    page = Page(report(hosts=[host]))
    (pre,) = page.all(".//pre", page.section("appendix"))
    assert "".join(pre.itertext()).splitlines() == ["port-auditor evidence 1", "| a\\tb\\x1b[0m \\xff<b>", "."]
    assert "3 lines, sha256 " + "cd" * 32 + "; not printed." in page.words(page.section("appendix"))


def test_evidence_that_would_make_the_page_too_large_is_left_out_whole_and_that_is_said() -> None:
    hosts = [host_report(evidence=b"<" * (ROOM // 4)), host_report(evidence=b"| small\n"), host_report(evidence=b"y" * 2000)]
    page = Page(report(hosts=hosts))
    section = page.section("appendix")
    assert ["".join(one.itertext()).strip() for one in page.all(".//pre", section)] == ["| small", "y" * 2000]
    assert f"The evidence of web1 is left out: its 1 line, {ROOM // 4} bytes, take more than this page has room for" in page.words(section)


@pytest.mark.parametrize(
    ("shown_as", "words"),
    [
        (Presentation(with_evidence=False), "The evidence was left out on request (--without-evidence)."),
        (Presentation(redacted=("users", "hosts")), "This report is redacted for sharing; the evidence cannot be, and is left out."),
    ],
)
def test_evidence_that_is_not_to_be_shown_is_not_and_its_digest_is(shown_as: Presentation, words: str) -> None:
    page = Page(report(hosts=[host_report(evidence=b"a secret\n")], shown_as=shown_as))
    said = page.words(page.section("appendix"))
    assert words in said
    assert "cd" * 32 in said
    assert "a secret" not in page.source


def test_of_a_snapshot_there_is_no_evidence_to_show() -> None:
    assert "Of web1 no evidence was given, but a snapshot." in Page(report(hosts=[host_report(evidence=None)])).words()


def test_a_redacted_report_says_so_at_the_top() -> None:
    page = Page(report(shown_as=Presentation(redacted=("users", "hosts"))))
    assert "Redacted for sharing: users and hosts are not shown as they are." in page.words(page.all(".//header")[0])


def test_the_reviewer_has_room_to_say_what_they_conclude() -> None:
    page = Page(report())
    said = page.words(page.section("review"))
    for words in ("Reviewed, no exception taken", "Accepted with exceptions", "Rejected", "Name", "Role", "Date", "Signature", "cd" * 32):
        assert words in said, words
    assert not page.all(".//input")


def test_many_findings_are_laid_out_as_they_come_into_view() -> None:
    few, many = (Page(report(*(finding(subject=f"s{n}") for n in range(count)))) for count in (3, 300))
    assert [bool(page.all(".//div[@class='sift many']")) for page in (few, many)] == [False, True]


def test_controls_stand_with_each_finding_or_once_where_all_of_a_rule_have_the_same() -> None:
    found = [finding(subject=f"s{n}") for n in range(3)]
    several, alone = report(*found), report(found[0])
    for one in found:
        one.controls = ("A 1", "B 2")
    said = Page(several).words()
    assert said.count("A 1, B 2") == 1
    assert "Controls of each of these findings: A 1, B 2" in said
    assert "Controls A 1, B 2 First seen" in Page(alone).words()
    found[1].controls = ("A 1",)
    said = Page(several).words()
    assert (said.count("Controls A 1, B 2 First"), said.count("Controls A 1 First")) == (2, 1)


def test_a_card_says_where_its_findings_count_for_controls_that_have_a_number_for_each_release() -> None:
    page = Page(mixed())
    told = {page.words(one.find("./header/p/code")): page.words(one) for one in page.all(".//article[@class='card']")}
    assert "Counted too for controls that have a number for each release, under Controls : CIS Benchmarks" in told["listener-not-approved"]
    assert "a number for each release" not in told["made-up-rule"]


def test_every_finding_that_failed_can_be_told_by_its_fingerprint() -> None:
    found = [finding("a-rule", "s1"), finding("b-rule", "s2", severity="info"), finding("c-rule", "s3", "waived", waiver=WAIVER)]
    said = Page(report(*found)).words()
    assert all(one.fingerprint in said for one in found)
