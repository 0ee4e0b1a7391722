"""The hostile corpus: what a host, its users and a policy may call things, and reports in which every text is such a word.

`hostile_bundle` is a host that calls everything by such names, and goes the way of every bundle: collector, rules, report. In
`hostile_report` each single text of a snapshot and of findings is such a word, those that no collector lets through among them.
"""

# ruff: noqa: E501 - the corpus reads best as it is

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

from auditor.approvals import approvals
from auditor.controls import load as load_controls
from auditor.coverage import Drift, SiteCoverage
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, Finding, Snapshot
from auditor.policy import Policy
from auditor.report import Report
from auditor.sources import Source, from_bytes
from tests.bundles import STRICT, TABLES, TODAY, Capable, Granting, Host, Net, Process, Unix, container, judged, policy, port, rich

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "{{7*7}}", "{% for %}", "${jndi:ldap://x}",
    "=cmd|'/C calc'!A0", "+1", "-1", "@SUM(1)", "\tlead", "\rlead", "\x1b[2J\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x9b31m",
    "\x1b]52;c;aGk=\x07", "back\x08\x08space", "\u202eevil", "zero\u200dwidth", "line\u2028break\u2029", "tail\0", "\\xff\\xfe", "\udcff\udcfe",
    "/" + "a" * 4095, "/usr/sbin/nginx (deleted)", "two\nrows", 'a",pid=1,fd=3)', "b) R 1 (c", "\u05d0\u05d1", "xn--bcher-kva", "]]>", "-->",
    "</style></script>", "javascript:alert(1)", "", " ", "%s%n{0}", "\ufeffbom", "\U000e0001tag", "&lt;b&gt;",
]  # fmt: skip
"""Words that some format, terminal or spreadsheet takes for more than words."""
WRITABLE = [word for word in HOSTILE if word.strip() and word.isprintable()]
"""Those of them that a policy may hold."""
KEPT = {"schema", "basis"}
"""What a snapshot must have from a list of words, or is none."""
RAW_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f\ud800-\udfff]")
STAMPS = {"started": "2026-11-20T23:00:00Z", "finished": "2026-11-20T23:00:01Z", "evaluated_on": "2026-11-20"}


def hostile(value: Any, text: Callable[[], str], key: str = "") -> Any:
    """A JSON value with `text()` for each string in it."""
    if isinstance(value, dict):
        return {k: hostile(v, text, k) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(item, text, key) for item in value]
    return text() if isinstance(value, str) and key not in KEPT else value


def named_policy(name: str) -> Policy:
    policy = Policy(name)
    policy.files, policy.sha256 = [name], "ab" * 32
    return policy


def reported(snapshot: Snapshot, findings: list[Finding], policy: Policy | None = None, word: str = "x", **more: Any) -> Report:
    source = Source(snapshot, "a test", evidence=b"x", sha256="0" * 64, live=True)
    tables = {word: {"source": word, "date": word, "sha256": "0" * 64}}
    return Report([HostReport(source, policy or named_policy("p"), findings)], tables=tables, **STAMPS, **more)


def hostile_report(*words: str) -> Report:
    """A report in whose every text stands a hostile word, one after the other."""
    word = partial(next, cycle(words))
    plain = json.loads(json.dumps(rich().snapshot().to_json()))
    snapshot = Snapshot.from_json(hostile(plain, word), "snapshot")
    findings = judged(rich(), STRICT) + judged(snapshot, STRICT)
    for outcome in OUTCOMES:
        waiver = {key: word() for key in ("id", "reason", "owner", "expires", "origin")} if outcome == "waived" else None
        for _ in words:
            findings.append(Finding("made-up", word(), word(), word(), outcome, "high", word(), observed=word(), expected=word(),
                                    source=word(), count=2, examples=(word(), word()), waiver=waiver))  # fmt: skip
            word()  # so that every text gets every word
    return reported(snapshot, findings, named_policy(word()), word(), bad_sources=[(word(), word()), ("file", f"file: {word()}")])


def hostile_host(*words: str) -> Host:
    """A host on which each word is a process, its program, unit, user and container, a file, a Unix socket and a network namespace."""
    programs = [Process(1000 + n, f"/opt/{word}", n, f"/system.slice/{word}.service", word) for n, word in enumerate(words, 1)]
    own = [port(f"tcp/0.0.0.0:{2000 + n}", program) for n, program in enumerate(programs, 1)]
    ids = [f"{n:064x}" for n in range(len(words))]
    boxes = [container(identity, port("tcp/0.0.0.0:80", by)) for identity, by in zip(ids[:3], programs, strict=False)]
    named = [Net((), mounted=f"/run/netns/{word}", holder=by) for word, by in list(zip(words, programs, strict=True))[::4]]
    return Host(
        net=Net(own, endpoints=[Unix(f"/run/{word}", (by,)) for word, by in zip(words, programs, strict=True)],
                addresses=(("lo", "loopback", "127.0.0.1", 8), *((word[:15], "veth", f"10.0.0.{n}", 24) for n, word in enumerate(words, 1)))),
        others=[*boxes, *named],
        name=words[0],
        release=words[-1],
        users=dict(enumerate(words, 1)),
        containers=dict(zip(ids, words, strict=True)),
        files={f"/etc/sysctl.d/{n}{word[:200]}.conf": f"net.ipv4.ip_local_reserved_ports = {word!a}\n" for n, word in enumerate(words)},
        capable=[Capable(by) for by in programs],
        granting=[Granting(f"/srv/{word}") for word in words],
    )  # fmt: skip


def hostile_policy() -> str:
    """A policy in whose texts the words stand that it may hold: entries that approve listeners of `hostile_host`, waivers for others."""
    approved, waivers, forbidden = [], [], []
    for n, word in enumerate(map(json.dumps, WRITABLE), 1):
        approved.append(f"    - {{name: {word}, port: {2000 + n}, purpose: {word}, owner: {word}, approved_by: {word}, ticket: {word}}}")
        accepted = f"rule: listener-forbidden, subject: 'tcp/0.0.0.0:{2000 + n}', expires: 2027-01-31"
        waivers.append(f"  - {{id: {word}, reason: {word}, owner: {word}, {accepted}}}")
        forbidden.append(f"    - {{port: [{2000 + n}, {2200 + n}], why: {word}}}")
    return "\n".join(["listening:", "  approved:", *approved, "  forbidden:", *forbidden, "waivers:", *waivers, ""])


def hostile_bundle(*words: str) -> Report:
    """The report of a bundle of `hostile_host`, judged by `hostile_policy`: all the way that evidence goes."""
    (source,) = from_bytes(hostile_host(*words or HOSTILE).bundle(), "a\x1b[2J<b>.evidence", TABLES)
    assert isinstance(source, Source)
    by = policy(hostile_policy())
    host = HostReport(source, by, judged(source.snapshot, hostile_policy(), today=datetime.date(2026, 11, 20)))
    host.approvals = approvals(source.snapshot, by, TODAY)
    lacking = list(words or HOSTILE)
    return Report(
        [host], tables=TABLES.provenance(), frameworks=load_controls(), bad_sources=[(word, word) for word in lacking], narrowed=lacking,
        in_part=lacking,
        site=SiteCoverage(lacking[0], lacking, "ab" * 32, hosts=len(lacking) + 1, audited=1, missing=lacking),
        drift=Drift(lacking[:1], lacking, lacking), **STAMPS,
    )  # fmt: skip
