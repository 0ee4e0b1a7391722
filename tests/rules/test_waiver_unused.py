"""waiver-unused: a waiver that covers nothing, and never one of which that cannot be told."""

from __future__ import annotations

from tests.bundles import SSHD, Host, container, host, interpreted, judged, outcomes, port

NAME = "waiver-unused"
TELNET = host(port("tcp/0.0.0.0:23", SSHD))
WAIVERS = """\
waivers:
  - {id: EXC-1, rule: cleartext-listener, subject: "tcp/0.0.0.0:23", reason: old, owner: ops, expires: 2027-01-31}
"""


def test_a_waiver_that_covers_a_finding_is_used() -> None:
    assert outcomes(judged(TELNET, WAIVERS, NAME, "cleartext-listener")) == ["pass -", "waived host"]


def test_one_whose_finding_is_gone_is_named_with_its_rule_and_place() -> None:
    (finding,) = judged(host(), WAIVERS, NAME, "cleartext-listener")[1:]
    assert (finding.outcome, finding.severity, finding.subject, finding.stack) == ("fail", "low", "EXC-1", None)
    assert finding.message == "the waiver EXC-1 for cleartext-listener covers no finding"
    assert (finding.observed, finding.expected) == ("no finding that it covers", "a finding, or no waiver")
    assert finding.source is not None
    assert finding.source.endswith("site.yaml:3")


def test_an_accepted_gap_is_about_what_is_unknown_and_not_about_findings() -> None:
    gap = "gaps: [{id: GAP-1, fact: owners, reason: old, owner: ops, expires: 2027-01-31}]\n"
    (finding,) = [one for one in judged(host(port("tcp/0.0.0.0:22", SSHD)), gap) if one.rule == NAME]
    assert (finding.outcome, finding.message) == ("fail", "the accepted gap GAP-1 for owners accepts nothing that is unknown")
    assert (finding.observed, finding.expected) == ("nothing unknown that it accepts", "something unknown, or no accepted gap")


def test_one_that_has_expired_is_no_business_of_this_rule() -> None:
    assert outcomes(judged(host(), WAIVERS.replace("2027", "2025"), NAME, "cleartext-listener")) == ["pass -", "pass host"]


def test_one_for_another_host_is_not_judged_here() -> None:
    elsewhere = WAIVERS.replace("reason: old", "reason: old, hosts: [db*]")
    assert outcomes(judged(host(), elsewhere, NAME, "cleartext-listener")) == ["pass -", "pass host"]


def test_one_for_a_rule_that_could_not_be_judged_on_everything_is_unknown() -> None:
    cut = interpreted(host().bundle()[:-2])
    (finding,) = [f for f in judged(cut, WAIVERS, NAME, "cleartext-listener") if f.rule == NAME]
    assert finding.outcome == "unknown"
    assert finding.message == "cleartext-listener could not be judged on everything"


def test_one_for_a_rule_that_was_not_asked_for_is_not_checked() -> None:
    assert outcomes(judged(host(), WAIVERS, NAME)) == ["notchecked -"]


def test_where_one_stack_was_asked_for_nothing_is_said_of_waivers_for_others() -> None:
    both = Host(TELNET.net, others=[container("ab" * 32)], containers={"ab" * 32: "web"})
    found = judged(both, WAIVERS, NAME, "cleartext-listener", only_stack="container:web")
    assert [f.outcome for f in found if f.rule == NAME] == ["notchecked"]


def test_one_pinned_to_a_program_that_no_longer_holds_the_port_covers_nothing() -> None:
    pinned = WAIVERS.replace("reason: old", "reason: old, executable: /usr/sbin/in.telnetd")
    assert outcomes(judged(TELNET, pinned, NAME, "cleartext-listener")) == ["fail low - EXC-1", "fail medium host tcp/0.0.0.0:23"]
