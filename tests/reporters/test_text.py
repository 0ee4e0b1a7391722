"""The text for a terminal: one screen of summary, then the findings, and nothing a terminal would obey."""

from __future__ import annotations

import re

import pytest

from auditor.differences import Change
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, Finding
from auditor.policy_rules import RuleSetting
from auditor.presentation import Presentation
from auditor.report import Report
from tests.reports import Origin, finding, listener, owner, policy, ports, rendered, report, snapshot, stack

WAIVER = {"id": "EXC-1", "reason": "a migration", "owner": "web-platform", "expires": "2027-01-31", "origin": "web.yaml:9"}
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def sections(text: str) -> dict[str, str]:
    """{heading: what stands under it}; a heading begins at the left edge and ends its line with a count."""
    parts = re.split(r"^(\S.*) \(\d+\)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(
    "word", ["\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "a\x08b", "\u202egnp.exe", "\u2028x", "a\nFAIL: forged", "\udcff"]
)
def test_nothing_that_a_host_says_reaches_the_terminal_raw(word: str) -> None:
    socket = listener(22, owner(7, process=word, executable=word, user=word), address=word, zone=word, reach=word, state=word)
    host = snapshot(
        stack(socket, name=word, kind=word), host=word, system=word, release=word, taken=word, limits=[word],
        visibility={"rights": {word: True}, "owners": {word: 1}, "namespaces": {"not_entered": [word]}, "not_read": [word]},
    )  # fmt: skip
    said = {"host": word, "stack": word, "message": word, "observed": word, "expected": word, "source": word}
    found = [
        finding("a-rule", word, outcome, waiver=dict.fromkeys(WAIVER, word) if outcome == "waived" else None, **said)
        for outcome in OUTCOMES
    ]
    text = rendered("text", report(*found, of=host, bad_sources=[(word, word)]))
    assert not RAW.search(text)
    assert "\nFAIL: forged" not in text


def first_screen(text: str) -> str:
    return text.partition("\nOpen (")[0].partition("\nHosts (")[0]


def test_the_verdict_is_the_first_line_and_all_that_qualifies_it_follows_before_any_finding() -> None:
    made = report(finding(severity="high"), finding(outcome="unknown"), narrowed=["only what " + "matters " * 20])
    lines = rendered("text", made).splitlines()
    assert lines[0] == "FAIL (and incomplete): 1 open finding (1 high)"
    told = first_screen(rendered("text", made)).partition("\nWhat the verdict speaks of\n")[2]
    clauses = [" ".join(clause.split()) for clause in told.removeprefix("  - ").split("\n  - ")]
    assert clauses == [" ".join(clause.split()) for clause in made.qualifications()[1:]]


def test_the_answers_stand_in_the_second_line_and_in_the_last_with_each_finding_in_one() -> None:
    aside = finding("inventory", severity="info")
    lines = rendered("text", report(finding(), aside, *(finding("a", outcome=outcome) for outcome in OUTCOMES))).splitlines()
    told = "2 open, 1 inventory, 1 unknown, 1 errors of ours, 1 waived, 1 passed, 1 not checked, 1 off in the policy, 1 not applicable"
    assert lines[1] == f"answers: {told}"
    assert lines[-1] == f"answers: {told}; evaluated for 2026-11-21"


def test_each_rule_that_is_broken_has_a_line_of_the_first_screen_however_often_it_is() -> None:
    often = [finding("often", f"tcp/0.0.0.0:{n}", severity="critical", host=f"web{n}") for n in range(1000)]
    others = [finding(f"rule-{n}", severity="low") for n in range(6)]
    hosts = [HostReport(Origin(snapshot(host=name)), policy(), found) for name, found in (("web1", often), ("b2", others))]
    said = first_screen(rendered("text", report(hosts=hosts)))
    assert "\n  critical  often  1000 open on 1000 hosts, first: tcp/0.0.0.0:0  on web0\n" in said
    assert "\n  low       rule-3  tcp/0.0.0.0:22  on web1\n" in said
    assert "\n  ... and 2 more open, by 2 other rules, below\n" in said
    assert "hosts: 2 audited, 2 with something open, 0 with something unknown" in said


def test_what_was_not_seen_stands_on_the_first_screen_by_reason_and_a_cut_has_its_whole_below() -> None:
    reasons = [f"reason {n} " + "x" * 120 for n in range(3)]
    found = [finding(f"r{n}", outcome="unknown", message=reasons[min(n, 2)]) for n in range(6)]
    text = rendered("text", report(*found, bad_sources=[("a.evidence", "it was cut")]))
    said = first_screen(text).partition("\nNot seen\n")[2].splitlines()
    assert said[0] == "  could not be read: a.evidence: it was cut"
    assert said[1].startswith("  4 unknown: reason 2 xxx")
    assert said[1].endswith("x ...")
    assert said[3] == "  ... and 1 more reason, below"
    assert all(reason in text for reason in reasons)


def test_that_nothing_was_hidden_is_said_only_where_that_is_known() -> None:
    words = "nothing that a rule asked about"
    assert words in first_screen(rendered("text", report(finding(outcome="pass"))))
    for made in (
        report(finding(outcome="unknown")),
        report(hosts=[]),
        report(finding(outcome="error")),
        report(finding(outcome="notchecked")),
    ):
        assert words not in rendered("text", made)


def test_the_banner_the_organisation_and_what_is_redacted_stand_before_the_verdict() -> None:
    made = report(shown_as=Presentation(banner="CONFIDENTIAL", organisation="Bank \x1b[2J", redacted=("users", "hosts")))
    assert rendered("text", made).splitlines()[:4] == [
        "CONFIDENTIAL", "Bank \\x1b[2J", "redacted: the names of users, hosts",
        "PASS for web: nothing open",
    ]  # fmt: skip


def test_an_open_finding_says_what_was_seen_and_what_was_wanted() -> None:
    text = rendered("text", report(finding(observed="sshd", expected="nothing", source="policy web", severity="critical")))
    said = sections(text)["Open"]
    for words in (
        "CRITICAL",
        "listener-not-approved  tcp/0.0.0.0:22  on web1",
        "observed: sshd",
        "expected: nothing",
        "source: policy web",
        "what to do: port-auditor rules listener-not-approved",
    ):
        assert words in said


def test_a_finding_says_who_and_since_when() -> None:
    old, new, plain = (finding(subject=f"s{n}") for n in range(3))
    old.who, old.baseline_state, old.first_seen = "user www-data", "unchanged", "2026-10-01T00:00:00Z"
    new.baseline_state, new.first_seen = "new", "2026-11-20T02:17:00Z"
    said = sections(rendered("text", report(old, new, plain)))["Open"]
    assert "      who: user www-data\n      first seen: 2026-10-01T00:00:00Z or before, unchanged since\n" in said
    assert "      first seen: 2026-11-20T02:17:00Z, new since the baseline\n" in said
    assert said.count("first seen") == 2


def test_what_to_do_stands_once_for_each_rule() -> None:
    text = rendered("text", report(finding("a"), finding("a", "s2"), finding("b")))
    assert re.findall(r"what to do: port-auditor rules (\w+)", text) == ["a", "b"]


def test_what_the_baseline_had_and_what_differs_from_it_is_told() -> None:
    host = HostReport(Origin(snapshot()), policy(), [])
    host.gone = [finding("a-rule", "tcp/0.0.0.0:23", severity="high")]
    host.changes = [Change("+", "socket", f"tcp/0.0.0.0:{n}", after="root", stack="host") for n in range(99)]
    said = sections(rendered("text", report(hosts=[host])))
    assert said["No longer found, and not necessarily mended"] == "  HIGH     a-rule  tcp/0.0.0.0:23  on web1\n\n"
    assert said["Changed since the baseline"].startswith("  + socket tcp/0.0.0.0:0: root  on web1\n")
    assert re.search(r"  \.\.\. and 59 more; the html and json reports have all\n\n$", said["Changed since the baseline"])


def test_a_finding_can_be_found_by_one_line_in_a_file_however_long_its_names_are() -> None:
    long = finding("a-rule", "subject-" + "s" * 200, severity="high", host="host-" + "h" * 200)
    assert re.search(r"^  HIGH     a-rule  subject-s{200}  on host-h{200}$", rendered("text", report(long)), flags=re.MULTILINE)


@pytest.mark.parametrize(("fail_on", "place"), [("medium", "Inventory"), ("info", "Open")])
def test_info_is_inventory_unless_it_was_asked_for(fail_on: str, place: str) -> None:
    found = sections(rendered("text", report(finding(subject="the-subject", severity="info"), fail_on=fail_on)))
    assert [heading for heading, said in found.items() if "the-subject" in said] == [place]


def test_what_is_unknown_stands_by_reason_with_the_rules_that_could_not_judge() -> None:
    found = [finding(rule, outcome="unknown", message="no rights", count=3) for rule in ("b-rule", "a-rule")]
    said = sections(rendered("text", report(*found)))["Unknown"]
    assert "  web1: no rights\n      not judged: a-rule (3), b-rule (3)\n" in said


def test_a_few_of_those_that_could_not_be_judged_are_named() -> None:
    found = finding(outcome="unknown", subject="stack", examples=tuple(f"tcp/0.0.0.0:{n}" for n in range(5)))
    said = " ".join(sections(rendered("text", report(found)))["Unknown"].split())
    assert "such as: tcp/0.0.0.0:0, tcp/0.0.0.0:1, tcp/0.0.0.0:2, ...: the html" in said


def test_what_is_accepted_or_out_of_scope_is_not_called_unknown() -> None:
    found = [finding(f"r{n}", outcome="unknown", message="no rights", waiver=WAIVER if n in (1, 2) else None, inventory=n == 3)
             for n in range(4)]  # fmt: skip
    text = rendered("text", report(*found))
    assert text.splitlines()[1].startswith("answers: 0 open, 1 inventory, 1 unknown, 2 accepted gaps, 0 waived")
    seen = first_screen(text).partition("\nNot seen\n")[2].splitlines()
    assert seen[:3] == ["  1 unknown: no rights", "  2 unknown, accepted: no rights", "  1 unknown, out of scope: no rights"]
    headings = re.findall(r"^(Unknown|Accepted gaps|Inventory) \((\d)\)$", text, re.MULTILINE)
    assert headings == [("Unknown", "1"), ("Accepted gaps", "2"), ("Inventory", "1")]


def test_what_is_unknown_of_a_whole_host_names_the_host_alone() -> None:
    assert "  web1: no rights\n" in rendered("text", report(finding(outcome="unknown", message="no rights", stack=None)))


def test_a_waived_finding_says_until_when_by_whom_and_why() -> None:
    said = sections(rendered("text", report(finding(outcome="waived", waiver=WAIVER))))
    told = "accepted (EXC-1) until 2027-01-31, 71 days left; owner web-platform, approver not stated: a migration"
    assert told in " ".join(said["Waived"].split())
    assert "Open" not in said


def test_a_gap_that_is_accepted_and_what_is_out_of_scope_say_so() -> None:
    accepted = finding(subject="stack", outcome="unknown", message="no right to look", waiver={**WAIVER, "id": "GAP-1"})
    aside = finding(subject="stack", outcome="unknown", message="no right to look", inventory=True)
    made = report(accepted, aside)
    said = " ".join(rendered("text", made).split())
    standing = "accepted (GAP-1) until 2027-01-31, 71 days left; owner web-platform, approver not stated: a migration"
    assert f"no right to look {standing} not judged:" in said
    assert "no right to look not part of the verdict, by the policy's scope not judged:" in said
    assert (made.complete, made.evidence_state, made.verdict) == (True, "partial", "pass")
    page = rendered("html", made)
    assert "accepted (GAP-1) until 2027-01-31, 71 days left" in page
    assert "not part of the verdict, by the policy" in page


def test_what_could_and_could_not_be_seen_is_told() -> None:
    text = " ".join(rendered("text", report()).split())
    for words in (
        "uid 0, CAP_SYS_PTRACE, no CAP_SYS_ADMIN", "80 processes looked at, 2 unreadable", "owners 1 known, 1 unreadable; 0 races retried",
        "not entered: shop", "not read: /etc/systemd: permission denied", "Never shown by this method Landlock was not examined.",
    ):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("odd", [None, [], "words", {"rights": 7, "owners": ["x"], "processes": None, "namespaces": "all", "not_read": 3}])
def test_a_visibility_of_another_shape_breaks_nothing(odd: object) -> None:
    assert rendered("text", report(of=snapshot(visibility=odd))).startswith("PASS")


def test_a_listener_is_one_line_with_its_reach_its_holder_and_its_state_by_port() -> None:
    sockets = (listener(22, owner(812)), listener(80, owner(1), state="bound"), listener(81, owner(2), state="a word"), listener(9, uid=33))
    text = rendered("text", report(of=snapshot(stack(*sockets, reserved=ports(9100, 9100)))))
    lines = [" ".join(line.split()) for line in text.splitlines() if line.startswith("      tcp/")]
    assert lines == [
        "tcp/0.0.0.0:9 private owner not visible (created by uid 33)",
        "tcp/0.0.0.0:22 private /usr/sbin/sshd[812] root",
        "tcp/0.0.0.0:80 private /usr/sbin/sshd[1] root (bound only)",
        "tcp/0.0.0.0:81 private /usr/sbin/sshd[2] root (state unknown)",
    ]
    assert "privileged 1-1023, ephemeral 32768-60999, reserved 9100" in text


def test_what_is_left_out_is_said() -> None:
    text = rendered("text", report(of=snapshot(stack(*(listener(n) for n in range(1, 100))))))
    shown = text.count("      tcp/")
    assert f"... and {99 - shown} more" in text
    assert shown < 99


def test_of_many_hosts_each_is_named() -> None:
    for names in ("a1", "b2"), ("a1", "b2", "c3", "d4", "long-name"):
        hosts = [HostReport(Origin(snapshot(host=name)), policy(), []) for name in names]
        text = sections(rendered("text", report(hosts=hosts)))["Hosts"]
        assert re.findall(r"^  ([a-z]\S*) +Linux 6.12.1  taken 2026-11-20T02:17:00Z", text, flags=re.MULTILINE) == list(names)


def test_of_more_hosts_than_a_few_each_is_a_line_with_what_is_open_and_unknown_of_it() -> None:
    found = [finding(), finding(outcome="unknown"), finding(outcome="error")]
    hosts = [HostReport(Origin(snapshot(host=f"web{n}")), policy(), found if n == 2 else []) for n in range(4)]
    said = sections(rendered("text", report(hosts=hosts)))["Hosts"]
    assert "  web2  Linux 6.12.1  taken 2026-11-20T02:17:00Z  1 open, 1 unknown, 1 errors of ours  judged by web@efefefef\n" in said
    assert "  web3  Linux 6.12.1  taken 2026-11-20T02:17:00Z  0 open, 0 unknown  judged by web@efefefef\n" in said
    assert "what listens: the html and json reports have all" in said


def test_a_source_that_could_not_be_read_is_named() -> None:
    text = rendered("text", report(hosts=[], bad_sources=[("a.evidence", "it was cut")]))
    assert text.startswith("INCOMPLETE: ")
    assert "could not be read: a.evidence: it was cut" in text


def test_a_report_without_a_finding_says_so_in_its_last_line() -> None:
    last = rendered("text", report()).splitlines()[-1]
    assert last == "answers: 0 open, 0 unknown, 0 waived, 0 passed, 0 not checked; evaluated for 2026-11-21"


def test_the_last_line_counts_every_finding() -> None:
    found = [finding("a-rule", f"s{n}", outcome) for n, outcome in enumerate(OUTCOMES * 2)]
    last = rendered("text", report(*found)).splitlines()[-1]
    assert sum(map(int, re.findall(r"(\d+) [a-z]", last))) == len(found)


def test_the_lists_of_findings_are_not_made_anew_for_each_finding() -> None:
    made = 0

    class Counting(Report):
        @property
        def failed(self) -> list[Finding]:
            nonlocal made
            made += 1
            return super().failed

    told = report(*(finding(subject=f"s{n}", severity="info") for n in range(200)))
    told.__class__ = Counting
    rendered("text", told)
    assert 0 < made < 20


def test_a_policy_that_turns_everything_off_judges_nothing_and_never_passes() -> None:
    made = report(finding(outcome="notselected", message="off in the policy"), finding("b", outcome="notselected", message="off"))
    assert (made.judged, made.complete, made.verdict, made.exit_code) == (False, False, "incomplete", 3)
    said = " ".join(rendered("text", made).split())
    assert "- 2 rules off in the policy: b, listener-not-approved - NOTHING WAS JUDGED" in said
    assert "Off in the policy (rules: 2) b, listener-not-approved" in said


def test_rules_whose_findings_a_policy_sets_to_info_are_named_in_the_verdict() -> None:
    made = report(finding(outcome="pass"))
    made.hosts[0].policy.rules["listener-not-approved"] = RuleSetting(False, "info", {}, "web.yaml:3")
    assert "never open, as the policy sets it to info: listener-not-approved" in made.statement
