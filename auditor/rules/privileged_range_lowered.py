"""Fewer ports are privileged than the vendor or the policy keeps for the privileged.

Why it matters
--------------
A port that needs a privilege can only be taken by a service that an administrator started. Where the threshold is lowered, any
local user can listen on it: on port 80 or 443 when the real service is down, on 514 or 636 to collect what others send. On the
host's own stack this is grave. In a container whose network is its own it changes little, and is every runtime's default.

Remedy
------
Raise the threshold to what the services need, best to the default: `sysctl -w net.ipv4.ip_unprivileged_port_start=1024`, and remove
the line that lowers it from sysctl.d. To let one program bind a low port, give its unit `AmbientCapabilities=CAP_NET_BIND_SERVICE`, or
a systemd socket. For a container on a routed network: `--sysctl net.ipv4.ip_unprivileged_port_start=1024`.
"""

from collections.abc import Iterator

from auditor.facts import PortRange, UnknownFact
from auditor.model import Stack
from auditor.rule import Breach, Case, NotChecked, Rule

_SEVERITIES = {"host": "high", "routed": "medium", "private": "info"}
_UNSEEN = "medium"


def check(case: Case, stack: Stack) -> Iterator[Breach]:
    expected, source = _expected(case)
    have = [ports.ports for ports in stack.privileged]
    missing = [part for part in expected.minus([PortRange(0, 0)]) for part in part.minus(have)]
    if missing:
        yield Breach(
            f"any user may bind {', '.join(map(str, missing))}",
            observed=f"privileged: {', '.join(map(str, have)) or 'none'}",
            expected=f"privileged: {expected}",
            source=source,
            severity=_severity(stack),
        )


def _severity(stack: Stack) -> str:
    """A namespace whose interfaces were not seen may well be on the network."""
    try:
        return _SEVERITIES[stack.exposure]
    except UnknownFact:
        return _UNSEEN


def _expected(case: Case) -> tuple[PortRange, str]:
    if case.policy.privileged is not None:
        return case.policy.privileged, f"policy {case.policy.origins['privileged']}"
    record = case.tables.vendor(case.snapshot.system, case.snapshot.release)
    if record is None or not record.knows("privileged") or record.privileged is None:
        raise NotChecked(f"no vendor row says which ports {case.snapshot.system} {case.snapshot.release} keeps privileged")
    if case.stack.privileged.basis == "documented":
        raise NotChecked("the privileged ports are the vendor table's word themselves")
    return record.privileged, f"vendor table, {record.id}"


RULE = Rule(each="privileged", severity="high", check=check)
