"""The findings of real, made hosts: exact, as root and as an ordinary user, live and of saved evidence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import NEEDED, NOBODY, ROOT, WEB, Host, as_if_initial, host, listener

pytestmark = NEEDED
Finding = dict[str, Any]
OF_GRANTS = {
    "bind-program-unexplained", "capability-on-interpreter", "capability-on-writable-file", "capability-retained-after-bind",
    "evidence-incomplete",
}  # fmt: skip
"""What hangs on who may bind, which in a PID namespace, or for an ordinary user, is never all told: tests/live/test_capabilities.py."""
OF_OWNERS = (
    "executable-deleted", "executable-in-memory", "executable-in-writable-folder", "executable-writable-by-others", "owner-not-visible",
)  # fmt: skip
"""What the baseline asks of the owner of any socket."""


def judged(
    bundle: bytes, policy: str = "baseline", *, today: str = "2026-11-21", cwd: Path | None = None, user: int | None = None
) -> list[Finding]:
    """The findings of a bundle that are not a pass, by the real program."""
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "audit", "-", "-f", "json", "-p", policy, "--today", today], input=bundle, capture_output=True,
        check=False, cwd=cwd, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}, user=user,
    )  # fmt: skip
    assert done.returncode in (0, 1, 3), done.stderr.decode()
    return [f for f in json.loads(done.stdout)["findings"] if f["outcome"] not in ("pass", "notchecked", "notselected", "notapplicable")]


def said(findings: list[Finding], *keys: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(finding[key] for key in keys) for finding in findings)


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text("policy: 1\nextends: [baseline]\n" + text)
    return str(path)


def veth(made: Host, address: str = "10.0.0.5/24") -> None:
    made.ip("link", "add", "lan0", "type", "veth", "peer", "name", "far0")
    made.ip("addr", "add", address, "dev", "lan0")
    made.ip("link", "set", "lan0", "up")
    made.ip("link", "set", "far0", "up")


def test_a_quiet_host_has_nothing_open_and_nothing_unknown() -> None:
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 8080), user=WEB)
        assert judged(as_if_initial(made.collect())) == []


def test_the_findings_of_a_careless_host_are_exactly_these() -> None:
    with host() as made:
        veth(made)
        made.sysctl("net.ipv4.ip_unprivileged_port_start", "80")
        made.start(listener("tcp", "10.0.0.5", 23), listener("tcp", "0.0.0.0", 6379), listener("tcp", "127.0.0.1", 11211), user=WEB)
        made.start(listener("tcp", "10.0.0.5", 40000), user=WEB)
        bundle = made.collect()
    keys = ("rule", "subject", "outcome", "severity")
    assert said(judged(as_if_initial(bundle)), *keys) == [
        ("cleartext-listener", "tcp/10.0.0.5:23", "fail", "medium"),
        ("listener-in-ephemeral-range", "ports of the ephemeral range, not known to be fixed", "fail", "info"),
        ("privileged-range-lowered", "net.ipv4.ip_unprivileged_port_start", "fail", "high"),
        ("setting-not-persisted", "net.ipv4.ip_unprivileged_port_start", "fail", "low"),
        ("unauthenticated-port-exposed", "tcp/0.0.0.0:6379", "fail", "high"),
    ]
    without_the_edit = [f for f in judged(bundle) if f["outcome"] == "unknown" and f["rule"] not in OF_GRANTS]
    assert said(without_the_edit, "rule", "count") == [(rule, 4) for rule in OF_OWNERS]


def test_an_ordinary_users_audit_of_it_finds_what_it_can_and_has_one_line_for_the_owners() -> None:
    with host() as made:
        veth(made)
        made.start(listener("tcp", "10.0.0.5", 23), listener("tcp", "0.0.0.0", 6379), user=WEB)
        findings = [f for f in judged(made.collect(user=NOBODY)) if f["rule"] not in OF_GRANTS]
    assert said(findings, "rule", "outcome", "count") == [
        ("cleartext-listener", "fail", 1),
        *((rule, "unknown", 2) for rule in OF_OWNERS),
        ("unauthenticated-port-exposed", "fail", 1),
    ]


def test_saved_evidence_audited_by_another_user_elsewhere_gives_the_same_findings(tmp_path: Path) -> None:
    with host() as made:
        made.start(listener("tcp", "0.0.0.0", 23), user=WEB)
        live = json.loads(made.auditor("audit", "-f", "json", "--today", "2026-11-21", "-o", "/run").out)["findings"]
        bundle = made.collect()
    tmp_path.chmod(0o755)
    saved = judged(bundle, cwd=Path("/"))
    assert said(saved, "fingerprint", "outcome", "severity") == said(
        [f for f in live if f["outcome"] in ("fail", "unknown", "error", "waived")], "fingerprint", "outcome", "severity"
    )


def test_a_lowered_threshold_is_grave_on_the_host_medium_on_a_routed_namespace_and_inventory_in_a_private_one() -> None:
    with host() as made:
        low = {"net.ipv4.ip_unprivileged_port_start": "0"}
        private = made.start(listener("tcp", "127.0.0.1", 80), namespace=True, sysctls=low)
        routed = made.start(listener("tcp", "127.0.0.1", 81), namespace=True, sysctls=low, group="routed.service")
        made.sysctl("net.ipv4.ip_unprivileged_port_start", "1000")
        made.ip("link", "add", "lan0", "type", "veth", "peer", "name", "far0")
        made.ip("link", "set", "lan0", "up")
        done = made.run("ip", "link", "add", "link", "lan0", "name", "mv0", "type", "macvlan", "mode", "bridge")
        if done.code:
            pytest.skip(f"this kernel makes no macvlan: {done.err.strip()}")
        made.ip("link", "set", "mv0", "netns", str(routed.pid))
        inside = ["nsenter", f"--target={routed.outside}", "--net", "--", "ip"]
        subprocess.run([*inside, "addr", "add", "10.0.0.7/24", "dev", "mv0"], check=True)
        subprocess.run([*inside, "link", "set", "mv0", "up"], check=True)
        findings = [f for f in judged(as_if_initial(made.collect())) if f["rule"] == "privileged-range-lowered"]
        private.stop()
        routed.stop()
    assert {f["stack"]: f["severity"] for f in findings if f["stack"] in ("host", "routed.service")} == {
        "host": "high",
        "routed.service": "medium",
    }
    assert [f["severity"] for f in findings if f["stack"] not in ("host", "routed.service")] == ["info"]
    assert next(f["observed"] for f in findings if f["stack"] == "host") == "privileged: 1-999"


def test_a_fixed_port_in_the_ephemeral_range_is_shown_with_the_arithmetic_until_it_is_reserved(tmp_path: Path) -> None:
    policy = written(tmp_path, "listening: {approved: [{name: app, port: 40000, protocol: tcp}]}\n")
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 40000))
        made.sysctl("net.ipv4.ip_local_reserved_ports", "50000-50009")
        made.write("/etc/sysctl.d/90.conf", "net.ipv4.ip_local_reserved_ports = 50000-50009\n")
        (finding,) = judged(as_if_initial(made.collect()), policy)
        made.sysctl("net.ipv4.ip_local_reserved_ports", "40000,50000-50009")
        made.write("/etc/sysctl.d/90.conf", "net.ipv4.ip_local_reserved_ports = 50000-50009, 40000\n")
        assert judged(as_if_initial(made.collect()), policy) == []
    assert (finding["rule"], finding["severity"], finding["subject"]) == ("listener-in-ephemeral-range", "low", "tcp/127.0.0.1:40000")
    assert finding["observed"] == (
        "32768 <= 40000 <= 60999; 28232 ports, 10 of them reserved, 40000 is not: one of 28222 that may be handed out"
    )


def test_a_running_setting_that_a_file_contradicts_is_shown_with_the_files_line() -> None:
    with host() as made:
        made.sysctl("net.ipv4.ip_local_port_range", "20000 60999")
        made.write("/etc/sysctl.d/90.conf", "# tuned\nnet.ipv4.ip_local_port_range = 10000 60999\n")
        findings = judged(as_if_initial(made.collect()))
    (finding,) = [f for f in findings if f["rule"] == "setting-not-persisted"]
    assert (finding["observed"], finding["expected"], finding["source"]) == ("20000 60999", "10000 60999", "/etc/sysctl.d/90.conf:2")


def test_a_rogue_on_an_approved_port_is_found_and_named_waived_and_found_again_the_day_after(tmp_path: Path) -> None:
    with host() as made:
        nginx, rogue = made.program("/var/lib/shop/nginx"), made.program("/var/lib/shop/rogue")
        approved = f"listening: {{approved: [{{name: web, port: [8080, 8081], executable: {nginx}, user: web}}], required: [web]}}\n"
        made.start(listener("tcp", "127.0.0.1", 8080), run=[nginx], user=WEB)
        made.start(listener("tcp", "127.0.0.1", 8081), run=[rogue], user=WEB, name=b"nginx")
        bundle = as_if_initial(made.collect())
    (finding,) = judged(bundle, written(tmp_path, approved))
    assert (finding["rule"], finding["subject"], finding["outcome"]) == ("listener-not-approved", "tcp/127.0.0.1:8081", "fail")
    assert f"executable {rogue}, user web" in finding["observed"]
    waiver = (
        f"waivers: [{{id: E1, rule: listener-not-approved, subject: 'tcp/127.0.0.1:8081', executable: {rogue}, "
        "reason: r, owner: o, expires: 2026-11-30}]\n"
    )
    policy = written(tmp_path, approved + waiver)
    assert said(judged(bundle, policy, today="2026-11-30"), "rule", "outcome") == [("listener-not-approved", "waived")]
    assert said(judged(bundle, policy, today="2026-12-01"), "rule", "outcome") == [
        ("listener-not-approved", "fail"),
        ("waiver-expired", "fail"),
    ]
    other = written(tmp_path, approved + waiver.replace(rogue, "/usr/bin/other"))
    assert said(judged(bundle, other), "rule", "outcome") == [("listener-not-approved", "fail"), ("waiver-unused", "fail")]


def test_an_approval_by_executable_is_neither_met_nor_broken_where_the_owner_is_not_visible(tmp_path: Path) -> None:
    policy = written(tmp_path, "listening: {approved: [{name: web, port: 8080, executable: /usr/sbin/nginx}], required: [web]}\n")
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 8080), user=WEB)
        findings = [f for f in judged(made.collect(user=NOBODY), policy) if f["rule"] not in OF_GRANTS]
    assert said(findings, "rule", "outcome") == [
        (rule, "unknown") for rule in sorted((*OF_OWNERS, "listener-not-approved", "required-listener-absent"))
    ]


def test_what_is_required_and_absent_and_what_is_forbidden_and_there_is_found(tmp_path: Path) -> None:
    policy = written(tmp_path, "listening:\n  required: [{name: ssh, port: 22}]\n  forbidden: [{port: 8080, why: not here}]\n")
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 22, listen=False), listener("tcp", "127.0.0.1", 8080))
        findings = judged(as_if_initial(made.collect()), policy)
    assert said(findings, "rule", "subject", "severity") == [
        ("listener-forbidden", "tcp/127.0.0.1:8080", "high"),
        ("required-listener-absent", "ssh", "medium"),
    ]


def test_a_second_holder_cannot_hide_behind_the_approved_one(tmp_path: Path) -> None:
    with host() as made:
        policy = written(tmp_path, f"listening: {{approved: [{{name: web, port: 8080, executable: {made.python}, user: web}}]}}\n")
        made.start(listener("tcp", "127.0.0.1", 8080), users=[WEB, NOBODY])
        findings = judged(as_if_initial(made.collect()), policy)
    assert said(findings, "rule", "outcome") == [("listener-not-approved", "fail")]
