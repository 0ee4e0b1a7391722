"""What is mapped to which control, and what a control's row may say: never more than was seen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor import plugins
from auditor.approvals import approvals
from auditor.control_statement import approval_statement
from auditor.control_view import ControlTallies, ControlView, FrameworkView
from auditor.controls import RELATIONS, Framework, load
from auditor.coverage import Drift, SiteCoverage
from auditor.errors import PolicyError, TableError
from auditor.host_report import HostReport
from auditor.model import Finding
from auditor.policy import Policy
from auditor.policy import load as load_policy
from auditor.report import Report
from tests.bundles import NGINX, SSHD, TODAY, Host, Process, host, judged, port
from tests.bundles import policy as read_policy
from tests.reports import Origin, finding, rendered, report, snapshot
from tests.reports import policy as named_policy

IDS = yaml.load((Path(__file__).parent / "control_ids.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - texts alone
FRAMEWORKS = load()
FORBIDDEN_WORDS = re.compile(r"\b(compliant|complies|satisf\w+|is met|are met|fulfils|pass(es|ed)?)\b", re.IGNORECASE)
HEAD = "controls: 1\nframework: A Framework\nversion: '3'\nsource: somewhere\ndate: 2026-11-20\nentries:\n"
ENTRY = "  - {id: A-1, words: ours, attest: somebody, maps: [{relation: evidences, rules: [a-rule, b-rule], reason: because}]}\n"


def framework(tmp_path: Path, text: str) -> Framework:
    (tmp_path / "made-up.yaml").write_text(text)
    (made,) = load(str(tmp_path))
    return made


def refusal(tmp_path: Path, entries: str) -> str:
    with pytest.raises(TableError) as caught:
        framework(tmp_path, HEAD + entries)
    return f"{caught.value}; {caught.value.advice}"


# The files


def test_a_framework_is_read_as_written(tmp_path: Path) -> None:
    made = framework(tmp_path, HEAD + ENTRY + "  - {id: A-2, for: [One 1, Two 2], like: A-1, source: there, systems: [Linux]}\n")
    assert (made.key, made.title, made.version, made.source, made.date) == ("made-up", "A Framework", "3", "somewhere", "2026-11-20")
    first, second = made.controls
    assert (first.id, first.releases, first.systems, first.same_as) == ("A-1", (), (), None)
    assert (second.words, second.maps, second.attest) == (first.words, first.maps, first.attest)
    assert (second.releases, second.same_as, second.source, second.systems) == (("One 1", "Two 2"), "A-1", "there", ("Linux",))
    assert (first.named(made), second.named(made)) == ("A Framework A-1", "A Framework A-2 (One 1, Two 2)")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (ENTRY.replace("evidences", "proves"), "controls/made-up.yaml:7:64: expected one of evidences, supports, informs, found 'proves'"),
        (ENTRY.replace("attest:", "atest:"), "controls/made-up.yaml:7:28: unknown key 'atest'; did you mean 'attest'?"),
        (ENTRY.replace(", attest: somebody", ""), "controls/made-up.yaml:7:5: 'attest' is missing"),
        (ENTRY.replace(", reason: because", ""), "controls/made-up.yaml:7:53: 'reason' is missing"),
        (ENTRY + ENTRY, "controls/made-up.yaml:8:5: the id 'A-1' is taken; it stands at controls/made-up.yaml:7 already"),
        (ENTRY + "  - {id: A-2, like: A-9}\n", "controls/made-up.yaml:8:5: there is no 'A-9' above"),
        (ENTRY.replace("b-rule", "a-rule"), "controls/made-up.yaml:7:5: 'a-rule' stands twice"),
        ("  - {id: A-1, words: ours, attest: somebody, maps: []}\n", "controls/made-up.yaml:7:52: an empty list of maps"),
        ("  []\n", "controls/made-up.yaml:7:3: an empty list of controls"),
        (ENTRY.replace("[a-rule, b-rule]", "[a-rule], ports: [99999]"), "controls/made-up.yaml:7:100: expected a port or range of ports"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path, entries: str, told: str) -> None:
    assert refusal(tmp_path, entries).startswith(told)


def test_one_id_may_stand_for_several_releases_but_once_for_each(tmp_path: Path) -> None:
    made = framework(tmp_path, HEAD + ENTRY + "  - {id: B, for: [One 1], like: A-1}\n  - {id: B, for: [Two 2], like: A-1}\n")
    assert [control.id for control in made.controls] == ["A-1", "B", "B"]
    assert "the id 'B' is taken" in refusal(
        tmp_path, ENTRY + "  - {id: B, for: [One 1], like: A-1}\n  - {id: B, for: [Two 2, One 1], like: A-1}\n"
    )


def test_a_folder_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file"):
        load(str(tmp_path / "gone"))


# What ships


def test_every_framework_that_was_asked_for_ships() -> None:
    assert {one.key for one in FRAMEWORKS} == set(IDS)


@pytest.mark.parametrize("one", FRAMEWORKS, ids=lambda one: one.key)
def test_every_id_of_a_map_is_in_a_list_with_its_source(one: Framework) -> None:
    listed = IDS[one.key]
    assert listed["source"]
    named = {f"{control.id} {release}".strip() for control in one.controls for release in control.releases or ("",)}
    assert named <= set(listed["ids"])
    assert not {control.id for control in one.controls} & set(listed["never"])
    assert re.search(r"@[0-9a-f]{7,}|2\d{3}|r3", one.source)


def test_no_map_names_a_rule_that_does_not_exist() -> None:
    known = plugins.rules()
    assert not [(one.key, control.id, rule) for one in FRAMEWORKS for control in one.controls for m in control.maps for rule in m.rules
                if rule not in known]  # fmt: skip


@pytest.mark.parametrize("one", FRAMEWORKS, ids=lambda one: one.key)
def test_every_map_has_a_relation_and_a_reason_and_no_word_says_that_a_control_is_fulfilled(one: Framework) -> None:
    for control in one.controls:
        said = [control.words, control.attest, *(m.reason for m in control.maps)]
        assert all(20 <= len(m.reason) <= 140 for m in control.maps), control.id
        assert all(m.relation in RELATIONS for m in control.maps)
        assert not [text for text in said if FORBIDDEN_WORDS.search(text)], control.id
        assert len(control.words) <= 140, control.id


def test_what_a_framework_asks_of_its_surroundings_is_never_evidence() -> None:
    """SOC 2, ISO 27001 and the STIGs ask for more than listeners; a host's data never shows a boundary."""
    for one in FRAMEWORKS:
        if one.key in ("soc-2", "iso-27001-2022", "disa-stig"):
            assert not [control.id for control in one.controls for m in control.maps if m.relation == "evidences"], one.key
    boundary = [m.relation for one in FRAMEWORKS for control in one.controls for m in control.maps if control.id in ("SC-7", "1.4.2")]
    assert set(boundary) == {"informs"}


def test_unapproved_listeners_are_evidence_where_a_control_asks_for_just_that() -> None:
    evidence = {f"{one.key} {control.id}" for one in FRAMEWORKS for control in one.controls for m in control.maps
                if m.relation == "evidences" and "listener-not-approved" in m.rules}  # fmt: skip
    assert evidence == {
        "nist-sp-800-53-r5 CM-7", "nist-sp-800-171-r2 3.4.7", "nist-sp-800-171-r3 03.04.06", "cis-controls-v8.1 4.8", "pci-dss-4.0.1 2.2.4",
        "cis-benchmarks 2.1.22", "cis-benchmarks 2.1.23", "cis-benchmarks 2.1.24",
    }  # fmt: skip


# What a row says


@pytest.fixture
def made_up(tmp_path: Path) -> Framework:
    return framework(
        tmp_path,
        HEAD
        + """\
  - id: A-1
    words: ours
    attest: somebody
    maps:
      - {relation: evidences, rules: [a-rule], reason: because}
      - {relation: supports, rules: [b-rule], reason: because too}
""",
    )


def view_of(one: Framework, *hosts: HostReport, whole: bool = True, fail_on: str = "medium") -> FrameworkView:
    tallies = ControlTallies([one], fail_on)
    for made in hosts:
        tallies.add(made)
    (view,) = tallies.views([] if whole else ["only a part was judged"])
    return view


def row_of(one: Framework, *findings: Finding, whole: bool = True) -> ControlView:
    (row,) = view_of(one, HostReport(Origin(snapshot()), named_policy(), list(findings)), whole=whole).controls
    return row


def row(one: Framework, *outcomes: str, **more: Any) -> tuple[str, str]:
    """Result and evidence where the rules came to `outcomes`, as `a fail`."""
    found = [finding(f"{word.split()[0]}-rule", f"tcp/0.0.0.0:{n}", word.split()[1], **more) for n, word in enumerate(outcomes)]
    view = row_of(one, *found)
    return view.result, view.evidence


@pytest.mark.parametrize(
    ("outcomes", "result", "evidence"),
    [
        (("a pass", "b pass"), "no exception seen", "complete"),
        (("a pass", "b notapplicable"), "no exception seen", "complete"),
        (("a pass", "b notchecked"), "no exception seen", "partial"),
        (("a pass", "b notselected"), "no exception seen", "partial"),
        (("a pass", "b unknown"), "no exception seen", "partial"),
        (("a pass", "a unknown", "b pass"), "no exception seen", "partial"),
        (("a pass", "a error", "b pass"), "no exception seen", "partial"),
        (("a pass",), "no exception seen", "partial"),
        (("a notchecked", "b pass"), "not assessed", "partial"),
        (("a unknown", "b pass"), "not assessed", "partial"),
        (("a unknown", "b unknown"), "not assessed", "none"),
        (("a notchecked", "b notselected"), "not assessed", "none"),
        (("a notapplicable", "b notapplicable"), "not assessed", "none"),
        ((), "not assessed", "none"),
        (("a fail", "b pass"), "1 open", "complete"),
        (("a notchecked", "b fail"), "1 open", "partial"),
        (("a fail", "a fail", "b fail"), "3 open", "complete"),
        (("a waived", "b pass"), "1 accepted", "complete"),
        (("a fail", "a waived", "b pass"), "1 open, 1 accepted", "complete"),
        (("a error", "b error"), "not assessed", "none"),
    ],
)
def test_a_row_says_no_more_than_was_judged(made_up: Framework, outcomes: tuple[str, ...], result: str, evidence: str) -> None:
    assert row(made_up, *outcomes) == (result, evidence)


def test_inventory_never_counts_against_a_control(made_up: Framework) -> None:
    assert row(made_up, "a fail", "b pass", severity="info") == ("not assessed", "partial")
    host = HostReport(Origin(snapshot()), named_policy(), [finding("a-rule", outcome="fail", severity="info")])
    (row_with_info,) = view_of(made_up, host, fail_on="info").controls
    assert row_with_info.result == "1 open"
    assert row(made_up, "a fail", "b pass", inventory=True) == ("not assessed", "partial"), "nor does it speak for it"
    assert row(made_up, "a waived", "b pass", inventory=True) == ("no exception seen", "complete")


def test_what_could_not_be_seen_lowers_every_relation_of_the_run_by_one_step(made_up: Framework) -> None:
    seen = row_of(made_up, finding("a-rule", outcome="pass"), finding("b-rule", outcome="pass"))
    assert [(rule.relation, rule.worth) for rule in seen.rules] == [("evidences", "evidences"), ("supports", "supports")]
    for doubt in (finding("another-rule", outcome="unknown"), finding("another-rule", outcome="error")):
        lowered = row_of(made_up, finding("a-rule", outcome="pass"), finding("b-rule", outcome="pass"), doubt)
        assert [(rule.relation, rule.worth) for rule in lowered.rules] == [("evidences", "supports"), ("supports", "informs")]
        assert lowered.evidence == "complete"


def test_a_gap_that_the_scope_leaves_out_lowers_nothing_and_one_that_was_accepted_does(made_up: Framework) -> None:
    passed = [finding("a-rule", outcome="pass"), finding("b-rule", outcome="pass")]
    assert row_of(made_up, *passed, finding("c-rule", outcome="unknown", inventory=True)).rules[0].worth == "supports"
    assert row_of(made_up, *passed, finding("c-rule", outcome="unknown", waiver={"reason": "known"})).rules[0].worth == "supports"


def test_an_audit_of_a_part_is_partial_evidence(made_up: Framework) -> None:
    part = row_of(made_up, finding("a-rule", outcome="pass"), finding("b-rule", outcome="pass"), whole=False)
    assert (part.result, part.evidence, part.rules[0].worth) == ("no exception seen", "partial", "supports")


def of_all(one: Framework, *more_findings: Finding, **more: Any) -> tuple[str, str]:
    """The evidence for its control where both its rules passed, and what lowered it."""
    made = report(finding("a-rule", outcome="pass"), finding("b-rule", outcome="pass"), *more_findings, frameworks=[one], **more)
    (view,) = made.controls
    assert (view.controls[0].rules[0].worth == "supports") is bool(view.lowered)
    return view.controls[0].evidence, view.lowered


def test_what_lowered_the_evidence_is_said(made_up: Framework) -> None:
    site = SiteCoverage("bank", [], "", hosts=2, audited=1, missing=["db-01"])
    only = "only 2 of 47 rules were asked (--only)"
    assert of_all(made_up, narrowed=[only], in_part=[only]) == ("partial", only)
    assert of_all(made_up, bad_sources=[("x.evidence", "cut")]) == ("partial", "1 source could not be read (x.evidence)")
    assert of_all(made_up, site=site) == ("partial", "no evidence of db-01")
    assert of_all(made_up, site=site, drift=Drift(missing=["db-01", "db-02"])) == ("partial", "no evidence of db-01, db-02")
    unknown = [finding("c-rule", outcome="unknown", facts=facts) for facts in (("owners",), ("socket_units", "owners"))]
    assert of_all(made_up, *unknown) == ("complete", "owners, socket units not known, or not in full, on web1")
    assert of_all(made_up, finding("c-rule", outcome="error")) == ("complete", "checks broke off by our error on web1")


def test_neither_the_day_nor_the_bar_lowers_what_was_seen(made_up: Framework) -> None:
    assert of_all(made_up, narrowed=["judged as of 2026-11-21 (--today)"], fail_on="never") == ("complete", "")


def test_every_format_for_people_says_what_lowered_the_evidence() -> None:
    made = full(host(*ON), "controls: soc-2\n" + LISTED, bad_sources=[("<x>.evidence", "cut")])
    for name, said in (("text", "(<x>.evidence)."), ("html", "(&lt;x&gt;.evidence). Each rule"), ("markdown", "(`<x>.evidence`).")):
        assert f"1 source could not be read {said}" in rendered(name, made), name


def test_over_several_hosts_one_that_was_not_judged_makes_the_evidence_partial(made_up: Framework) -> None:
    both = [finding("a-rule", outcome="pass"), finding("b-rule", outcome="pass")]
    for other in ("unknown", "notchecked"):
        hosts = [HostReport(Origin(snapshot(host=name)), named_policy(), found) for name, found in
                 (("a", both), ("b", [finding("a-rule", outcome=other), finding("b-rule", outcome="pass")]))]  # fmt: skip
        (seen,) = view_of(made_up, *hosts).controls
        assert (seen.result, seen.evidence, [rule.state for rule in seen.rules]) == ("no exception seen", "partial", ["partly", "judged"])


def test_a_control_for_other_systems_has_no_row(tmp_path: Path) -> None:
    one = framework(tmp_path, HEAD + ENTRY.replace("{id: A-1", "{id: A-1, systems: [Darwin]"))
    assert not view_of(one, HostReport(Origin(snapshot()), named_policy(), [])).controls
    assert view_of(one, HostReport(Origin(snapshot(system="Darwin")), named_policy(), [])).controls
    assert not view_of(one).controls
    assert view_of(one, HostReport(Origin(snapshot()), named_policy(), [])).summary == "none is for these hosts"


# Ports and ranges


def reported(of: Host, by: str) -> HostReport:
    by = f"extends: [baseline]\n{by}"
    made = HostReport(Origin(of.snapshot()), read_policy(by), judged(of, by))
    made.approvals = approvals(made.snapshot, made.policy, TODAY) if made.policy.approved_given else None
    return made


def control(number: str, made: HostReport, key: str) -> ControlView:
    (one,) = [one for one in FRAMEWORKS if one.key == key]
    (found,) = [row for row in view_of(one, made).controls if row.control.id == number]
    return found


def test_a_map_for_ports_counts_findings_on_these_alone() -> None:
    by = "listening: {approved: [{name: web, port: 443}]}\n"
    on = host(port("tcp/0.0.0.0:5900", SSHD), port("tcp/0.0.0.0:8080", NGINX), port("udp/0.0.0.0:40000", SSHD))
    made = reported(on, by)
    assert control("CM-7", made, "nist-sp-800-53-r5").open == 3
    assert control("AC-17", made, "nist-sp-800-53-r5").result == "1 open"


def test_an_item_about_a_port_is_assessed_only_where_the_policy_forbids_it() -> None:
    for forbids, result in (
        ("[{port: 5900, why: no}]", "1 open"), ("[{port: 1-65535, why: no}]", "1 open"), ("[{port: 23, why: no}]", "not assessed"),
        ("[{port: 5900, executable: /tmp/x, why: no}]", "not assessed"), ("[{port: [5800, 5901], why: no}]", "not assessed"),
    ):  # fmt: skip
        by = f"listening: {{forbidden: {forbids}}}\n"
        of = host(port("tcp/0.0.0.0:5900", SSHD)).snapshot()
        mac = type(of)(**{**of.shown, "system": "Darwin"})
        made = HostReport(Origin(mac), read_policy(by), judged(of, by))
        assert control("2.3.3.2", made, "cis-benchmarks").result == result, forbids
    pack = load_policy("workstation", plugins.rule_parameters())
    clean = HostReport(Origin(snapshot(system="Darwin")), pack, [finding("listener-forbidden", outcome="pass")])
    assert control("2.3.3.2", clean, "cis-benchmarks").result == "no exception seen"
    assert control("2.3.1.2", clean, "cis-benchmarks").result == "no exception seen"


def test_the_workstation_pack_forbids_every_port_that_an_item_of_macos_asks_about() -> None:
    pack = load_policy("workstation", plugins.rule_parameters())
    forbidden = [ports for entry in pack.forbidden for ports in entry.ports]
    asked = [wanted for one in FRAMEWORKS for control in one.controls for m in control.maps for wanted in m.forbids]
    assert asked
    assert not [wanted for wanted in asked if wanted.minus(forbidden)]


@pytest.mark.parametrize(
    ("expect", "range_", "result"),
    [
        ("32768-65535", "32768\t65535", "no exception seen"),
        ("32768-65535", "20000\t65535", "1 open"),
        ("{Linux: 32768-65535}", "32768\t65535", "no exception seen"),
        ("vendor-default", "32768\t60999", "not assessed"),
        ("49152-65535", "32768\t60999", "not assessed"),
    ],
)
def test_a_recommended_range_is_assessed_only_where_the_policy_expects_it(expect: str, range_: str, result: str) -> None:
    made = reported(host(settings={"net.ipv4.ip_local_port_range": range_}), f"ephemeral: {{expect: {expect}}}\n")
    assert control("R12", made, "anssi-bp-028").result == result


# What a report says


LISTED = """\
listening:
  approved:
    - {name: ssh, port: 22, protocol: tcp, executable: /usr/sbin/sshd, approved_by: j.doe}
    - {name: web, port: 80, protocol: tcp, executable: /usr/sbin/nginx, approved_by: j.doe}
"""
ON = (port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX))
WAIVE = """\
waivers:
  - {id: E-1, rule: listener-not-approved, subject: "tcp/0.0.0.0:81", reason: soon, owner: ops, expires: 2027-01-31}
"""


def full(of: Host, by: str, **more: Any) -> Report:
    return report(hosts=[reported(of, by)], frameworks=FRAMEWORKS, **more)


def test_a_finding_names_the_controls_that_it_is_about() -> None:
    made = full(host(*ON, port("tcp/0.0.0.0:81", NGINX), port("tcp/0.0.0.0:23", SSHD)), LISTED)
    by_rule = {(f.rule, f.subject): f.controls for f in made.findings}
    approval = by_rule["listener-not-approved", "tcp/0.0.0.0:81"]
    assert {"NIST SP 800-53 r5 CM-7", "CIS Controls v8.1 4.8", "PCI DSS 4.0.1 2.2.4", "NIST SP 800-171 r2 3.4.7"} <= set(approval)
    assert not [name for name in approval if "CIS Benchmarks" in name or "STIG" in name or "AC-17" in name]
    assert "PCI DSS 4.0.1 2.2.7" in by_rule["cleartext-listener", "tcp/0.0.0.0:23"]
    assert not [f.rule for f in made.findings if f.controls and f.outcome in ("pass", "notchecked", "notapplicable", "notselected")]
    assert [f.rule for f in made.findings if not f.controls and f.rule == "listener-not-approved" and f.outcome == "fail"] == []


def test_json_has_every_row_with_its_rules_and_what_a_person_must_attest() -> None:
    told = json.loads(rendered("json", full(host(*ON, port("tcp/0.0.0.0:81", NGINX)), LISTED)))
    rows = {(one["framework"], one["id"]): one for one in told["controls"]}
    cm7 = rows["NIST SP 800-53 r5", "CM-7"]
    assert (cm7["result"], cm7["open"], cm7["accepted"], cm7["key"]) == ("1 open", 1, 0, "nist-sp-800-53-r5")
    assert cm7["rules"][0].keys() == {"rule", "relation", "worth", "state", "open", "accepted", "reason"}
    assert "owner" in cm7["attest"]
    assert {one["result"].lstrip("0123456789 ") for one in told["controls"]} <= {"no exception seen", "open", "accepted", "not assessed"}
    assert {one["evidence"] for one in told["controls"]} <= {"complete", "partial", "none"}
    stig = rows["DISA STIG", "RHEL-08-040030"]
    assert (stig["same_as"], stig["for"], stig["result"]) == ("RHEL-09-251035", ["RHEL 8 V2R8 (V-230500)"], "1 open")
    assert any("NIST SP 800-53 r5 CM-7" in one["controls"] for one in told["findings"])


def test_a_review_is_no_evidence_where_an_entry_has_no_day_for_it() -> None:
    dated = LISTED.replace("j.doe", "j.doe, review_by: 2027-03-01")
    for by, evidence, state in ((dated, "complete", "judged"), (LISTED, "partial", "not assessed"),
                                (dated.replace(", review_by: 2027-03-01", "", 1), "partial", "not assessed")):  # fmt: skip
        seen = control("CM-7(1)", reported(host(*ON), by), "nist-sp-800-53-r5")
        (review,) = [rule for rule in seen.rules if rule.rule == "approval-review-overdue"]
        assert (seen.result, seen.evidence, review.state) == ("no exception seen", evidence, state)


def test_no_number_of_one_release_is_chosen_for_a_host_whose_distribution_nobody_knows() -> None:
    made = full(host(*ON, port("tcp/0.0.0.0:81", NGINX)), "controls: [cis-benchmarks, disa-stig]\n" + LISTED)
    summaries = {view.framework.key: view.summary for view in made.controls}
    assert summaries["cis-benchmarks"].startswith(
        "1 control with open findings (Only approved services listen on a network interface: 3 numbers; they are by release, and the "
        "host's is not known)"
    )
    assert "PPSM CLSA: 11 numbers; they are by release, and the host's is not known)" in summaries["disa-stig"]
    for name in ("text", "markdown", "csv", "sarif", "hdf", "xccdf", "ocsf", "junit"):
        assert not re.findall(r"2\.1\.2[234]|RHEL-\d\d-|UBTU-", rendered(name, made)), name


def test_wherever_a_number_of_one_release_stands_its_release_stands_beside_it() -> None:
    made = full(host(*ON, port("tcp/0.0.0.0:81", NGINX)), "controls: [cis-benchmarks, disa-stig]\n" + LISTED)
    oscal = rendered("oscal", made)
    assert "CIS Benchmarks 2.1.23 (Debian 13 v1.0.0): 1 open" in oscal
    assert not re.findall(r"(?:2\.1\.2[234]|(?:RHEL|UBTU)-[0-9-]++)(?! \()", oscal)
    assert "2.1.23 (Debian 13 v1.0.0)" in rendered("html", made)
    assert {one["id"]: one["for"] for one in json.loads(rendered("json", made))["controls"]}["2.1.23"] == ["Debian 13 v1.0.0"]


def test_a_waived_listener_is_accepted_and_no_more() -> None:
    made = full(host(*ON, port("tcp/0.0.0.0:81", NGINX)), LISTED + WAIVE)
    (view,) = [view for view in made.controls if view.framework.key == "nist-sp-800-53-r5"]
    assert [row.result for row in view.controls if row.control.id == "CM-7"] == ["1 accepted"]
    assert "with accepted findings only" in view.summary


def test_without_a_list_of_approved_listeners_least_functionality_is_not_assessed() -> None:
    made = full(host(*ON), "")
    rows = {view.framework.key: {row.control.id: row.result for row in view.controls} for view in made.controls}
    for key, number in (
        ("nist-sp-800-53-r5", "CM-7"),
        ("cis-controls-v8.1", "4.8"),
        ("pci-dss-4.0.1", "2.2.4"),
        ("cis-benchmarks", "2.1.22"),
    ):
        assert rows[key][number] == "not assessed", key


def test_the_text_has_controls_only_where_a_policy_chose_frameworks() -> None:
    assert "Controls\n" not in rendered("text", full(host(*ON), LISTED))
    text = " ".join(rendered("text", full(host(*ON, port("tcp/0.0.0.0:81", NGINX)), "controls: nist-sp-800-53-r5\n" + LISTED)).split())
    assert "NIST SP 800-53 r5: 4 controls with open findings (CM-7, CM-7(1), CM-7(3), SI-4), " in text
    assert "This report does not by itself demonstrate compliance with NIST SP 800-53 r5." in text
    assert "PCI DSS" not in text


def test_a_policy_chooses_the_frameworks_of_every_format_and_of_the_findings() -> None:
    made = full(host(*ON, port("tcp/0.0.0.0:81", NGINX)), "controls: [pci-dss-4.0.1, soc-2]\n" + LISTED)
    assert [view.framework.key for view in made.controls] == ["pci-dss-4.0.1", "soc-2"]
    assert {one["key"] for one in json.loads(rendered("json", made))["controls"]} == {"pci-dss-4.0.1", "soc-2"}
    assert {name.partition(" ")[0] for f in made.findings for name in f.controls} == {"PCI", "SOC"}
    assert 'aria-labelledby="controls"' in rendered("html", made)
    assert "ISO/IEC" not in rendered("html", made)


def test_a_framework_that_does_not_ship_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("policy: 1\ncontrols: [nist-800-53]\n")
    with pytest.raises(PolicyError) as caught:
        load_policy(str(tmp_path / "web.yaml"), {})
    assert "web.yaml:2:12: no controls of 'nist-800-53' ship with this program" in str(caught.value)
    assert "did you mean 'nist-sp-800-53-r5'?" in caught.value.advice


def test_frameworks_of_several_files_are_joined(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("policy: 1\ncontrols: soc-2\n")
    (tmp_path / "b.yaml").write_text("policy: 1\nextends: a\ncontrols: [pci-dss-4.0.1, soc-2]\n")
    assert load_policy(str(tmp_path / "b.yaml"), {}).controls == ("soc-2", "pci-dss-4.0.1")


def test_the_page_has_a_folded_matrix_for_each_framework_with_its_sentence_and_what_lowered_it() -> None:
    page = rendered("html", full(host(*ON, port("tcp/0.0.0.0:81", NGINX)), LISTED))
    assert page.count("by itself demonstrate compliance with") == len(FRAMEWORKS)
    assert '<a href="#controls">Controls</a>' in page
    section = page[page.index('aria-labelledby="controls"') : page.index('aria-labelledby="review"')]
    assert section.count('<details class="framework">') == len(FRAMEWORKS)
    assert not FORBIDDEN_WORDS.search(re.sub(r"<[^>]+>", " ", section))
    for row in ("RHEL-08-040030 (RHEL 8 V2R8 (V-230500))", "CM-7(1)", "no exception seen", "1 open", "not assessed"):
        assert row in section
    hidden = Process(900, "", 33)
    lowered = rendered("html", full(host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", hidden), unreadable=[900]), LISTED))
    assert "supports (mapped as evidences)" in lowered
    assert "in this audit:</strong> grants, owners not known, or not in full, on web1. Each rule" in lowered


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", "\x1b[31mred", "\u202egnp.exe", "a\nb"])
def test_a_hosts_name_is_harmless_in_its_statement(word: str) -> None:
    chosen = read_policy("controls: soc-2\n" + LISTED)
    named = HostReport(Origin(snapshot(host=word, taken=word)), chosen, [finding("listener-not-approved", outcome="pass", host=word)])
    made = report(hosts=[named], frameworks=FRAMEWORKS)
    page, text = rendered("html", made), rendered("text", made)
    assert "Approved listeners (CM-7(b)" in page
    assert "<script>alert" not in page
    assert not [c for c in page + text if c in "\x1b\u202e"]


def test_a_report_without_frameworks_has_no_controls() -> None:
    made = report(finding())
    assert (made.controls, made.to_json()["controls"], made.findings[0].controls) == ([], [], ())
    assert "#controls" not in rendered("html", made)


# The statement


def statement(of: Host, by: str) -> str | None:
    return approval_statement(reported(of, by))


def test_an_assessor_can_accept_what_is_said_of_approved_listeners() -> None:
    assert statement(host(*ON), LISTED) == (
        "Approved listeners (CM-7(b); CIS item on approved services), host web1, 2026-11-20T23:00:00Z: each of 2 listeners seen matches an "
        "entry approved by the person named in it; of those approved, 2 by executable alone. Not shown: need for the service, client "
        "protocols, other times, firewall. This does not demonstrate compliance; the assessor concludes."
    )


@pytest.mark.parametrize(
    ("more", "by", "said"),
    [
        ((), LISTED.replace(", approved_by: j.doe", "", 1), "matches an entry of the approved list of policy site; of those approved, "
         "1 by an entry that names nobody who approved, 2 by executable alone."),
        ((), LISTED.replace("j.doe", "j.doe, review_by: 2026-11-19", 1), "the person named in it; of those approved, 1 by an entry whose "
         "review is overdue, 2 by executable alone."),
        ((), LISTED.replace("j.doe", "j.doe, review_by: 2026-11-20"), "the person named in it; of those approved, 2 by executable alone."),
        ((), LISTED.replace("executable: /usr/sbin/sshd, ", ""), "of those approved, 1 by port alone, 1 by executable alone."),
        ((port("tcp/0.0.0.0:81", NGINX),), LISTED.replace("approved_by: j.doe", "review_by: 2026-10-01"), "1 matching no approved entry; "
         "of those approved, 2 by an entry that names nobody who approved, 2 by an entry whose review is overdue, 2 by executable alone."),
        ((port("tcp/0.0.0.0:81", NGINX),), LISTED, "of 3 listeners seen, 2 approved, 1 matching no approved entry"),
        ((port("tcp/0.0.0.0:81", NGINX),), LISTED + WAIVE, "of 3 listeners seen, 2 approved, 1 accepted by a waiver"),
        ((port("tcp/127.0.0.1:81", NGINX),), LISTED + "scope: {loopback: inventory}\n", "1 left out by the policy's scope"),
        ((port("tcp/0.0.0.0:81", NGINX),), LISTED + "rules: {listener-not-approved: info}\n", "1 found, and set to info by the policy"),
    ],
)  # fmt: skip
def test_what_stands_against_a_match_is_counted(more: tuple[Any, ...], by: str, said: str) -> None:
    told = statement(host(*ON, *more), by)
    assert told is not None
    assert said in told
    assert ("each of" in told) is (not more)


def test_a_second_entry_hides_neither_an_approver_who_is_not_named_nor_a_review_that_is_overdue() -> None:
    told = statement(host(*ON), LISTED + "    - {name: any, port: [22, 80], review_by: 2026-11-19}\n")
    assert told is not None
    assert "approved by the person" not in told
    assert "2 by an entry that names nobody who approved, 2 by an entry whose review is overdue, 2 by port alone." in told


def test_no_approver_is_claimed_where_nobody_looked_at_the_entries() -> None:
    named = HostReport(Origin(snapshot()), read_policy(LISTED), [finding("listener-not-approved", outcome="pass")])
    told = approval_statement(named)
    assert told is not None
    assert "matches an entry of the approved list of policy site. Not shown" in told


def test_a_listener_whose_holder_is_hidden_is_never_counted_as_a_match() -> None:
    hidden = Process(900, "", 33)
    told = statement(host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", hidden), unreadable=[900]), LISTED)
    assert told is not None
    assert "each of" not in told
    assert "not to be compared by this evidence" in told


def test_there_is_no_statement_without_a_list_or_where_the_rule_is_off() -> None:
    assert statement(host(*ON), "") is None
    assert statement(host(*ON), LISTED + "rules: {listener-not-approved: off}\n") is None
    assert approval_statement(HostReport(Origin(snapshot()), Policy("web"), [])) is None
