"""A bundle of a made host means the same to another user elsewhere, and less, never more, where it was cut."""

from __future__ import annotations

import datetime
import json

from auditor import plugins
from auditor.evaluate import evaluate
from auditor.policy import load
from auditor.tables import Tables
from tests.hosts import NEEDED, NOBODY, WEB, as_if_initial, host, interpreted, listener

pytestmark = NEEDED


def test_what_a_live_audit_found_another_user_finds_in_its_evidence_word_for_word() -> None:
    with host() as made:
        made.sysctl("net.ipv4.ip_unprivileged_port_start", "80")
        made.start(listener("tcp", "0.0.0.0", 23), listener("udp", "0.0.0.0", 50000), name=b"x\n\x1b[2J", user=WEB)
        made.start(listener("tcp", "::", 6379), namespace=True)
        assert made.auditor("audit", "-o", "/run/live", "--today", "2026-11-21").code == 1
        made.run("sh", "-c", "chmod 755 /run/live && chmod 644 /run/live/*.evidence && mkdir -m 777 /run/theirs", check=True)
        done = made.run(
            "sh", "-c", 'cd /run/theirs && "$0" -m auditor audit -f json --today 2026-11-21 /run/live/*.evidence', made.interpreter,
            user=NOBODY,
        )  # fmt: skip
        live = json.loads(made.run("sh", "-c", "cat /run/live/*.json").out)
    saved = json.loads(done.out)
    assert (done.code, done.err) == (1, "")
    assert live["findings"] == saved["findings"]
    assert live["counts"] == saved["counts"]
    assert live["hosts"][0]["stacks"] == saved["hosts"][0]["stacks"]
    assert live["hosts"][0]["evidence_sha256"] == saved["hosts"][0]["evidence_sha256"]
    assert (live["hosts"][0]["self_assessed"], saved["hosts"][0]["self_assessed"]) == (True, False)


def test_a_bundle_cut_anywhere_is_incomplete_and_passes_nothing_that_the_whole_one_did_not() -> None:
    with host() as made:
        made.ip("link", "add", "lan0", "type", "veth", "peer", "name", "far0")
        made.ip("address", "add", "10.0.0.5/24", "dev", "lan0")
        made.start(listener("tcp", "0.0.0.0", 23), listener("tcp", "127.0.0.1", 8080), user=WEB)
        made.start(listener("tcp", "0.0.0.0", 80), namespace=True, sysctls={"net.ipv4.ip_unprivileged_port_start": "0"})
        whole = as_if_initial(made.collect())
    rules, tables = plugins.rules(), Tables()
    policy = load("baseline", plugins.rule_parameters())

    def outcomes(bundle: bytes) -> dict[tuple[str, str | None], set[str]]:
        found: dict[tuple[str, str | None], set[str]] = {}
        for one in evaluate(interpreted(bundle), policy, tables, rules.values(), datetime.date(2026, 11, 21)):
            found.setdefault((one.rule, one.stack), set()).add(one.outcome)
        return found

    expected = outcomes(whole)
    assert not any("unknown" in said for said in expected.values())
    assert {rule for (rule, _), said in expected.items() if "fail" in said} >= {"cleartext-listener", "privileged-range-lowered"}
    lines = [at + 1 for at, byte in enumerate(whole) if byte == 0x0A]
    first = whole.index(b"\n% system Linux\n") + len(b"\n% system Linux\n")
    for at in [*lines[len(lines) // 10 :: 7], *range(len(whole) // 2, len(whole) - 1, 211), len(whole) - 1]:
        if at < first or at >= len(whole):
            continue
        cut = outcomes(whole[:at])
        assert "unknown" in cut["evidence-incomplete", "host"], at
        for (rule, stack), said in cut.items():
            assert "pass" not in said or "pass" in expected.get((rule, stack), set()), (at, rule, stack)
            assert "error" not in said, (at, rule, stack)
