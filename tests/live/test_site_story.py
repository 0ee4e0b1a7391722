"""A site's year with port-auditor, on a host whose nginx, PostgreSQL and sshd run for real: every step through the command line.

A run inside a made host is inside a PID namespace, where owners are never known to be all; the evidence that is judged here has that
one number replaced (tests.hosts.as_if_initial), and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests import daemons
from tests.hosts import WEB, Done, Host, Process, as_if_initial, host, listener

pytestmark = daemons.needed("sshd", "nginx", "postgres")
POLICY, EVIDENCE, REPORT = "/etc/site.yaml", "/run/site.evidence", "/run/site.json"
ROGUE, OTHER = "/var/lib/rogue/nginx", "/var/lib/other/nginx"
TODAY, LAST_DAY, DAY_AFTER = "2026-11-21", "2026-12-31", "2027-01-01"
WAIVER = f"""
waivers:
  - {{id: EXC-7, rule: listener-not-approved, subject: "tcp/0.0.0.0:443", executable: {ROGUE}, user: web, reason: moving the shop,
     owner: web-platform, approved_by: ciso, ticket: RSK-9, expires: {LAST_DAY}}}
"""
Finding = dict[str, Any]


@pytest.fixture(scope="module")
def site() -> Iterator[Host]:
    with host() as made:
        daemons.furnish(made)
        daemons.interface(made, "eth0", "10.0.0.5/24")
        daemons.sshd(made)
        daemons.postgresql(made)
        yield made


class Verdict:
    """What an audit said, for programs and for people."""

    def __init__(self, code: int, report: dict[str, Any], text: str) -> None:
        self.code = code
        self.findings: list[Finding] = report["findings"]
        self.complete: bool = report["complete"]
        self.words = " ".join(text.split())

    @property
    def open(self) -> list[Finding]:
        return [one for one in self.findings if one["outcome"] == "fail" and one["severity"] != "info"]

    def outcomes(self, rule: str) -> list[str]:
        return sorted(one["outcome"] for one in self.findings if one["rule"] == rule)


class Story:
    """The host, and the policy as it stands on its disk."""

    def __init__(self, site: Host) -> None:
        self.site = site
        self.policy = ""

    def look(self) -> None:
        self.site.write(EVIDENCE, as_if_initial(self.site.collect()))

    def agree(self, policy: str) -> None:
        self.policy = policy
        self.site.write(POLICY, policy)

    def check(self) -> Done:
        return self.site.auditor("policy", "check", POLICY)

    def judge(self, *, today: str = TODAY) -> Verdict:
        """The evidence of the last look, by the policy as it is."""
        done = self.site.auditor("audit", "-p", POLICY, "--today", today, "-f", f"json={REPORT}", "-f", "text=-", EVIDENCE)
        assert done.code in (0, 1), done.err or done.out
        report = json.loads(self.site.run("cat", REPORT, check=True).out)
        verdict = Verdict(done.code, report, done.out.decode())
        assert verdict.complete
        return verdict

    def rogue(self, executable: str) -> Process:
        """Another program on nginx's port, under nginx's name."""
        unit = "system.slice/nginx.service" if self.site.group else None
        return self.site.start(listener("tcp", "0.0.0.0", 443, reuse=True), run=[self.site.program(executable)], user=WEB, group=unit)


def test_what_was_seen_becomes_a_policy_and_a_rogue_on_an_approved_port_is_found_waived_and_found_again(site: Host) -> None:
    story = Story(site)
    nginx = daemons.nginx(site, "443")
    story.look()

    drafted = site.auditor("policy", "init", "-o", POLICY, EVIDENCE)
    assert drafted.code == 0, drafted.err
    draft = site.run("cat", POLICY, check=True).out.decode()
    assert re.findall(r"- name: (.*)", draft) == ["ssh", "https", "postgresql"]
    assert re.findall(r"executable: (.*)", draft) == [daemons.program(name) for name in ("sshd", "nginx", "postgres")]
    refused = story.check()
    assert refused.code == 2
    assert [f"{POLICY}:{at}:" in refused.err for at, line in enumerate(draft.split("\n"), 1) if line.endswith("purpose:")] == [True] * 3
    assert "say what it is for" in refused.err
    unaudited = site.auditor("audit", "-p", POLICY, EVIDENCE)
    assert (unaudited.code, unaudited.out) == (2, b"")

    story.agree(draft.replace("purpose:\n", "purpose: agreed with the owners of the shop\n"))
    accepted = story.check()
    assert (accepted.code, accepted.err) == (0, "")
    passed = story.judge()
    assert (passed.code, passed.open, passed.outcomes("listener-not-approved")) == (0, [], ["pass"])
    assert passed.words.startswith("PASS for the declared scope: nothing open ")
    assert re.search(
        "- 4 listeners in 1 network stack of made-host seen at [^;]*, 4 of them approved - judged by policy site@[0-9a-f]* ", passed.words
    )
    assert "listeners approved: 4 by user, unit or container" in passed.words
    assert "NOT ASSESSED" not in passed.words
    assert "the host firewall and the network path were not examined" in passed.words

    nginx.stop()
    rogue = story.rogue(ROGUE)
    story.look()
    failed = story.judge()
    (finding,) = failed.open
    assert (finding["rule"], finding["subject"], finding["severity"]) == ("listener-not-approved", "tcp/0.0.0.0:443", "medium")
    assert f"process nginx, executable {ROGUE}, user web" in finding["observed"]
    assert "differs from 'https'" in finding["message"]
    assert failed.code == 1
    assert failed.words.startswith("FAIL: 1 open finding (1 medium)")
    assert f"process nginx, executable {ROGUE}, user web" in failed.words

    story.agree(story.policy + WAIVER)
    assert story.check().code == 0
    waived = story.judge(today=LAST_DAY)
    assert (waived.code, waived.open, waived.outcomes("listener-not-approved")) == (0, [], ["waived"])
    assert "1 waived" in waived.words
    assert f"accepted (EXC-7) until {LAST_DAY}, 0 days left; owner web-platform, " in waived.words

    another = story.rogue(OTHER)  # beside it, by SO_REUSEPORT
    story.look()
    uncovered = story.judge()
    assert uncovered.outcomes("listener-not-approved") == ["fail", "waived"]
    (finding,) = [one for one in uncovered.open if one["rule"] == "listener-not-approved"]
    assert f"executable {OTHER}, user web" in finding["observed"]
    assert ROGUE not in finding["observed"]
    another.stop()

    story.look()
    late = story.judge(today=DAY_AFTER)
    found = {one["rule"]: one for one in late.open}
    assert (late.code, sorted(found)) == (1, ["listener-not-approved", "waiver-expired"])
    assert f"executable {ROGUE}, user web" in found["listener-not-approved"]["observed"]
    assert found["waiver-expired"]["subject"] == "EXC-7"
    assert f"the waiver EXC-7 for listener-not-approved held through {LAST_DAY}" in late.words

    rogue.stop()
    daemons.nginx(site, "443")
    story.look()
    assert [one["rule"] for one in story.judge().open] == ["waiver-unused"]
