"""Reports that tests make of values, without a host and without a policy's file."""

from __future__ import annotations

import io
from typing import Any

from auditor import plugins
from auditor.binding import Grant
from auditor.facts import Facts, Gap
from auditor.host_report import HostReport, VendorDefault
from auditor.model import Address, Finding, Persisted, Range, Setting, Snapshot, Socket, Stack
from auditor.owner import Owner
from auditor.policy import Policy
from auditor.port_range import PortRange
from auditor.presentation import RuleDocument
from auditor.remedy import Remedy
from auditor.report import Report

LINUX = VendorDefault(
    "linux-4.2-plus", "Linux", "high",
    privileged=[(PortRange(1, 1023), "")], ephemeral=[(PortRange(32768, 60999), "")], reserved=None,
)  # fmt: skip
IANA = {"system": PortRange(0, 1023), "user": PortRange(1024, 49151), "dynamic": PortRange(49152, 65535)}
TABLES = {"iana-ranges": {"source": "RFC 6335 section 6", "date": "2011-08", "sha256": "ab" * 32}}
VISIBILITY = {
    "rights": {"uid": "0", "CAP_SYS_PTRACE": True, "CAP_SYS_ADMIN": False},
    "processes": {"looked_at": 80, "unreadable": 2},
    "owners": {"known": 1, "partial": 0, "unreadable": 1, "none": 0},
    "namespaces": {"seen": 2, "not_entered": ["shop"]},
    "races_retried": 0,
    "not_read": ["/etc/systemd: permission denied"],
}


def owner(pid: int, **shown: Any) -> Owner:
    return Owner(**{"pid": pid, "process": "sshd", "executable": "/usr/sbin/sshd", "user": "root", "uid": 0, "unit": "ssh.service",
                    "container": None, **shown})  # fmt: skip


def listener(port: int, *owners: Owner, **shown: Any) -> Socket:
    held = (
        {"owner_state": "known", "owners_seen": list(owners)} if owners else {"owner_state": "none", "owner_reason": "no process holds it"}
    )
    return Socket(**{"protocol": "tcp", "family": "ipv4", "address": "0.0.0.0", "port": port, "state": "listening", "reach": "private",
                     "device": None, "source": "sock_diag", **held, **shown})  # fmt: skip


def grant(path: str = "process", subject: str = "/usr/bin/app as user ann", **shown: Any) -> Grant:
    return Grant(**{"path": path, "subject": subject, "ports": [PortRange(1, 1023)], "protocol": "any", "via": ["it holds the capability"],
                    "scope": "user ann", "everyone": False, "root": False, "source": "/proc", **shown})  # fmt: skip


def ports(first: int, last: int, **shown: Any) -> Facts[Range]:
    return Facts([Range(first=first, last=last, **shown)], "a setting")


def stack(*listeners: Socket, name: str = "host", kind: str = "host", without: tuple[str, ...] = (), **shown: Any) -> Stack:
    facts: dict[str, Any] = {
        "privileged": ports(1, 1023), "ephemeral": ports(32768, 60999), "reserved": Facts[Range]([], "a setting"),
        "listening": Facts(listeners, "sock_diag"),
        "addresses": Facts([Address(address="10.0.0.5", prefix=24, device="bond0")], "rtnetlink"),
        "settings": Facts([Setting(name="net.ipv4.ip_local_port_range", value="32768 60999")], "/proc/sys"),
        "grants": Facts([grant("root", "root", scope="root", root=True)], "/proc"),
        "persisted": Facts([Persisted(name="net.ipv4.ip_local_port_range", value="32768 60999", file="/etc/sysctl.conf", line=7)], "files"),
        **shown,
    }  # fmt: skip
    return Stack(name=name, kind=kind, **{key: value for key, value in facts.items() if key not in without})


def snapshot(*stacks: Stack, gaps: tuple[Gap, ...] = (), **shown: Any) -> Snapshot:
    head = {
        "host": "web1",
        "system": "Linux",
        "release": "6.12.1",
        "taken": "2026-11-20T02:17:00Z",
        "limits": ["Landlock was not examined."],
    }
    return Snapshot(stacks=Facts(stacks or (stack(),), "/proc", gaps), **{**head, "visibility": VISIBILITY, **shown})


def finding(rule: str = "listener-not-approved", subject: str = "tcp/0.0.0.0:22", outcome: str = "fail", **shown: Any) -> Finding:
    severity, message = shown.pop("severity", "medium"), shown.pop("message", f"{subject} is not approved")
    return Finding(rule, shown.pop("host", "web1"), shown.pop("stack", "host"), subject, outcome, severity, message, **shown)


def document(rule: str) -> RuleDocument:
    remedy = f"Stop it, or waive it.\n\nLinux: Here:\n`stop {rule}`.\n\nOpenBSD, NetBSD: `rcctl stop {rule}`."
    return RuleDocument(f"Title of {rule}", f"Why {rule} matters.", Remedy(remedy))


class Origin:
    """Where a snapshot came from."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.evidence: bytes | None = b"port-auditor evidence 1\n.\n"
        self.sha256: str | None = "cd" * 32
        self.live = False
        self.given = f"{snapshot.shown.get('host', 'unnamed')}.evidence"


def policy(name: str = "web") -> Policy:
    made = Policy(name)
    made.sha256, made.files = "ef" * 32, [f"{name}.yaml"]
    return made


def report(*findings: Finding, of: Snapshot | None = None, vendor: VendorDefault | None = LINUX, **shown: Any) -> Report:
    """A report of one host."""
    hosts = shown.pop("hosts", None)
    if hosts is None:
        hosts = [HostReport(Origin(of or snapshot()), policy(), list(findings), vendor)]
    stamps = {"started": "2026-11-21T10:00:00Z", "finished": "2026-11-21T10:00:01Z", "evaluated_on": "2026-11-21"}
    documents = {one.rule: document(one.rule) for host in hosts for one in host.findings}
    yardsticks = {"tables": TABLES, "documents": documents, "iana_ranges": IANA, "iana_names": {("tcp", 22): "ssh"}}
    return Report(hosts, **{**stamps, **yardsticks, **shown})


def rendered(name: str, made: Report) -> str:
    stream = io.StringIO()
    plugins.reporter(name).render(made, stream)
    return stream.getvalue()
