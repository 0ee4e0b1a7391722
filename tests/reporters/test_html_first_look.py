"""What a reader of the page sees without searching: what is wrong and where, what nobody looked at, and nothing said twice."""

from __future__ import annotations

import pytest

from auditor.coverage import Drift
from auditor.differences import Change
from auditor.host_report import HostReport
from auditor.model import Finding
from tests.reporters.test_html import WAIVER, Page
from tests.reports import Origin, finding, policy, rendered, report, snapshot


def host_report(name: str, *findings: Finding, limits: tuple[str, ...] = ()) -> HostReport:
    return HostReport(Origin(snapshot(host=name, limits=list(limits))), policy(), list(findings))


def firsts(page: Page) -> list[list[str]]:
    """The short lists of the verdict's box, line by line."""
    return [[page.words(line) for line in page.all("li", one)] for one in page.all(".//div/ul[@class='first']")]


def links(page: Page, words: str) -> list[str]:
    return [link.attrib["href"] for link in page.all(".//div/ul[@class='first']//a") if page.words(link) == words]


def test_the_gravest_findings_stand_in_the_verdicts_box_and_lead_to_their_cards() -> None:
    page = Page(report(finding("a-rule", "tcp/*:1"), finding("a-rule", "tcp/*:2"), finding("z-rule", "tcp/*:3", severity="high")))
    assert firsts(page) == [["HIGH z-rule tcp/*:3 on web1", "MEDIUM a-rule 2 open, first: tcp/*:1 on web1"]]
    assert links(page, "z-rule") == ["#finding-1"]
    (card,) = page.all(".//div[@id='finding-1']")
    assert "tcp/*:3" in page.words(card)


def test_the_page_calls_the_same_findings_the_gravest_as_the_text_does() -> None:
    made = report(*(finding(f"r{n}", severity=("low", "high")[n % 2]) for n in range(9)))
    told, text = firsts(Page(made))[0], rendered("text", made).partition("\nGravest\n")[2].partition("\n\n")[0]
    assert [line.split()[1] for line in told[:-1]] == [line.split()[1] for line in text.splitlines()[:-1]]
    assert told[-1] == "and 4 more open, by 4 other rules"
    assert "and 4 more open, by 4 other rules, below" in text


def test_what_was_not_seen_stands_in_the_verdicts_box_and_leads_to_its_section() -> None:
    page = Page(report(finding(outcome="unknown", message="no rights"), bad_sources=[("a.evidence", "it was cut")]))
    assert firsts(page) == [["could not be read: a.evidence: it was cut", "1 unknown: no rights"]]
    assert links(page, "1 unknown: no rights") == ["#unknown"]
    assert links(page, "could not be read: a.evidence: it was cut") == ["#visibility"]


def test_where_all_was_seen_that_a_rule_asked_about_the_box_says_so_and_leads_to_what_is_never_shown() -> None:
    (box,) = (page := Page(report(finding()))).all(".//div[@class='verdict fail']")
    assert "Not seen Nothing that a rule asked about. What this method can never show stands below." in page.words(box)
    assert "Nothing that a rule asked about." not in Page(report(hosts=[], bad_sources=[("a", "b")])).words()


def tiles(page: Page) -> dict[str, str]:
    names, numbers = (map(page.words, page.all(f".//dl[@class='tally']//{name}")) for name in ("dt", "dd"))
    return dict(zip(names, numbers, strict=True))


def test_hosts_of_which_there_is_no_evidence_and_sources_that_could_not_be_read_have_tiles() -> None:
    page = Page(report(finding(), drift=Drift([], [], ["web8", "web9"]), bad_sources=[("a", "b")]))
    assert (tiles(page)["Hosts without evidence"], tiles(page)["Sources not read"]) == ("2", "1")
    assert not {"Hosts without evidence", "Sources not read"} & tiles(Page(report(finding()))).keys()


def test_nothing_unknown_is_said_of_the_hosts_that_were_audited_alone() -> None:
    page = Page(report(finding(), drift=Drift([], [], ["web9"])))
    said = page.words(page.section("visibility"))
    assert "No evidence of 1 host that the baseline has: web9" in said
    assert "Nothing that a rule asked about the audited hosts is unknown." in said
    assert "No host was audited: nothing is known." in Page(report(hosts=[], bad_sources=[("a", "b")])).words()


def test_each_host_has_its_counts_of_what_is_open_unknown_and_waived() -> None:
    bad = [finding("a", "x", severity="high"), finding("a", "y"), finding("a", "z"), finding("i", severity="info")]
    unsure = [finding("a", outcome="unknown"), finding("b", outcome="waived", waiver=WAIVER), finding("c", outcome="error")]
    page = Page(report(hosts=[host_report("bad", *bad), host_report("unsure", *unsure), host_report("good")]))
    assert [row[:4] for row in page.table("Hosts, what")] == [
        ["bad", "3 1 high, 2 medium", "0", "0"], ["unsure", "0", "1 and 1 of our errors", "1"], ["good", "0", "0", "0"],
    ]  # fmt: skip


def test_what_the_method_can_never_show_is_said_once_for_all_hosts_and_a_hosts_own_beside_its_name() -> None:
    hosts = [host_report(name, limits=("no firewall", *own)) for name, own in (("a", ("no BPF",)), ("b", ("no BPF",)), ("c", ("no MAC",)))]
    page = Page(report(hosts=hosts))
    assert page.words().count("no firewall") == page.words().count("no BPF") == 1
    (told,) = page.all(".//details[@id='never-shown']")
    assert page.words(told) == "What this method can never show On all hosts: no firewall On a, b: no BPF On c: no MAC"
    assert "open" not in told.attrib


def test_a_host_whose_evidence_states_no_limits_is_named() -> None:
    page = Page(report(hosts=[host_report("a", limits=("no firewall",)), host_report("b")]))
    assert "On a: no firewall The evidence of b states no limits of its method." in page.words(page.section("visibility"))
    assert "The evidence states no limits of its method." in Page(report(hosts=[host_report("b")])).words()


EXPIRED = {"rule": "waiver-expired", "subject": "EXC-1", "stack": None, "message": "it is over", "source": "policy web"}


def test_findings_that_say_the_same_of_several_hosts_share_a_card_and_none_is_lost() -> None:
    found = [finding(host=name, **EXPIRED) for name in ("a", "b", "c")]
    other = finding(host="d", **{**EXPIRED, "message": "it is long over"})
    page = Page(report(hosts=[host_report(one.host, one) for one in (*found, other)]))
    said = page.words(page.section("open"))
    assert "Medium (4)" in said
    shared, alone = page.all(".//div[@class='finding']", page.section("open"))
    assert page.words(shared).count("it is over") == 1
    assert "3 findings that say the same" in page.words(shared)
    assert (shared.attrib["data-findings"], alone.attrib["id"]) == ("3", "finding-4")
    assert [page.words(one).split()[0] for one in page.all(".//li[@id]", shared)] == ["a", "b", "c"]
    assert [one.attrib["id"] for one in page.all(".//li[@id]", shared)] == ["finding-1", "finding-2", "finding-3"]
    assert all(one.fingerprint in said for one in (*found, other))


def test_stacks_of_one_host_of_which_the_same_is_said_stand_with_their_names_and_the_hosts_own_without() -> None:
    page = Page(report(*(finding(severity=severity, stack=stack) for severity in ("low", "info") for stack in ("host", "blue"))))
    for section in ("open", "inventory"):
        blue, own = (page.words(one) for one in page.all(".//li[@id]", page.section(section)))
        assert blue.startswith("web1 , stack blue "), section
        assert "stack" not in own, section


@pytest.mark.parametrize("differs", ["observed", "expected", "source", "message", "severity", "subject", "count", "waiver", "who"])
def test_findings_that_differ_in_anything_that_is_shown_have_a_card_each(differs: str) -> None:
    one, other = finding(host="a"), finding(host="b")
    setattr(other, differs, {"waiver": WAIVER, "severity": "low", "count": 7}.get(differs, "another"))
    page = Page(report(hosts=[host_report("a", one), host_report("b", other)]))
    assert len(page.all(".//div[@class='finding']")) == 2


def test_since_when_is_said_of_each_host_where_it_is_not_the_same() -> None:
    found = [finding(host=name, **EXPIRED) for name in ("a", "b")]
    found[0].baseline_state, found[0].first_seen = "unchanged", "2026-10-01"
    (card,) = Page(report(hosts=[host_report(one.host, one) for one in found])).all(".//div[@class='finding']")
    said = " ".join(" ".join(card.itertext()).split())
    assert "a ; first seen there at the baseline of 2026-10-01 or before" in said
    assert "b ; first seen not known" in said


def changed() -> HostReport:
    found = [finding("a-info", severity="info"), finding("b", severity="low"), finding("c", severity="high"),
             finding("d", outcome="waived", waiver=WAIVER)]  # fmt: skip
    for one in found:
        one.baseline_state = "new"
    host = host_report("web1", *found)
    host.baseline = snapshot(taken="2026-10-01")
    host.gone = [finding("x", severity="low"), finding("y", severity="high")]
    return host


def test_new_findings_stand_gravest_first_with_waived_ones_and_inventory_apart() -> None:
    page = Page(report(hosts=[changed()], drift=Drift(["2026-10-01"])))
    section = page.section("changes")
    assert [page.words(one) for one in page.all(".//h3", section)] == [
        "New findings, open (2)", "New findings, waived (1)", "New findings, in the inventory (1)",
        "No longer found, and not necessarily mended (2)",
    ]  # fmt: skip
    assert [page.words(one).split()[1] for one in page.all(".//li", section)] == ["c", "b", "d", "a-info", "y", "x"]
    assert "new findings: 2 open, 1 waived, 1 in the inventory; 2 no longer found" in page.words(section)


def test_the_count_of_changes_says_what_changed_and_counts_a_thing_once() -> None:
    host = changed()
    host.changes = [
        Change("+", "address", "10.0.0.1 on eth0"), Change("+", "address", "10.0.0.2 on eth0"),
        Change("~", "socket", "tcp/*:80", aspect="state"), Change("~", "socket", "tcp/*:80", aspect="owners"),
        Change("~", "ephemeral"), Change("?", "listening, settings", why="cut"),
    ]  # fmt: skip
    page = Page(report(hosts=[host], drift=Drift(["2026-10-01"])))
    said = page.words(page.section("changes"))
    assert "2 addresses added, 1 listener changed, 1 ephemeral range changed, 1 could not be compared" in said


def test_passes_with_nothing_to_judge_are_counted_apart() -> None:
    passed = [finding(rule, outcome="pass", count=count) for rule, count in (("a", 0), ("b", 0), ("c", 4))]
    rows = {row[0]: row[1:] for row in Page(report(*passed)).table("Each rule gives")}
    assert rows["PASS"][0] == "3"
    assert rows["PASS"][1].endswith("; 2 of them had nothing to judge")
