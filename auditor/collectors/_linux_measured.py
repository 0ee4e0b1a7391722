"""What binding really gave in one stack: one Measured for each protocol, family and address that was tried."""

from __future__ import annotations

import re
from typing import Any

from auditor.binding import Attempt, Measured
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import container_names
from auditor.collectors._linux_stacks import Namespace, namespaces
from auditor.facts import Facts, Gap
from auditor.parsers import rows
from auditor.parsers.file_capability import NET_BIND_SERVICE
from auditor.port_range import PORT_MAX

_ABOUT, _ATTEMPTS = "builtin:bind-test", "builtin:bind-attempts"
_COLUMNS = "number protocol family address asked given result"
_RESULT = re.compile("ok|moved|E[A-Z0-9]+")
_HEXADECIMAL = re.compile("[0-9a-f]{16}")
_LEFT_OUT = {"in_use": "in use", "in_policy": "named in the policy", "in_units": "named in unit files"}
_SECCOMP = {"1": "strict seccomp", "2": "a seccomp filter"}
STARTED = (
    "A bind test by a launcher or a Python that was started as a user is only as honest as that user's other processes let it be: they may "
    "meddle with a program of their own user while it starts."
)
_UNCONFINED = ("", "unconfined", "kernel")


def labels(evidence: LinuxEvidence) -> dict[str, str]:
    """What a bundle calls each network stack, by the name that a report gives it."""
    return {one.name: one.label for one in namespaces(evidence, container_names(evidence)[0])[0]}


def measured(evidence: LinuxEvidence, namespace: Namespace) -> Facts[Measured]:
    """All that was tried there. Of a list of attempts that is not whole nothing is taken: what is missing may be what differs."""
    label = namespace.label
    refused = [Gap(f"no bind was tried: {answer.trouble}") for answer in evidence.answers("bind-test", label) if answer.trouble]
    if refused:
        return Facts([], "bind(2)", [*refused, *evidence.whole])
    said, gaps = evidence.table("bind-test", "name value", _ABOUT, label)
    tried, missing = evidence.table("bind-test", _COLUMNS, _ATTEMPTS, label)
    places, unread = _by_place(tried)
    missing += unread
    if len({row[0] for row in said}) < len(said):
        gaps.append(Gap("the bind test says in two ways who tried"))
    common = _common(said) if not gaps else {}
    seen = [] if missing else [Measured(**common, **_of(place, attempts)) for place, attempts in places.items()]
    return Facts(seen, "bind(2)", [*gaps, *missing, *namespace.doubt, *evidence.whole])


def limits(tried: Facts[Measured]) -> list[str]:
    """What a reader must know where a program was started anew: such a one is open to others until it has closed itself."""
    return [STARTED] if any(one.shown.get("executed") for one in tried.seen) else []


_Place = tuple[str, str, str]
_Try = tuple[int, int | None, str]
"""The port that was asked for, the one that was given, and the result."""


def _by_place(tried: list[tuple[str | None, ...]]) -> tuple[dict[_Place, list[_Try]], list[Gap]]:
    """The attempts by protocol, family and address, in their order."""
    places: dict[_Place, list[_Try]] = {}
    gaps = []
    for at, row in enumerate(tried, 1):
        number, protocol, family, address, asked, given, result = row
        port, got = rows.number(asked, PORT_MAX), None if given is None else rows.number(given, PORT_MAX)
        whole = protocol in ("tcp", "udp") and family in ("ipv4", "ipv6") and address and port is not None and rows.number(number) == at
        if not whole or not _RESULT.fullmatch(result or "") or ((got is None) is (result in ("ok", "moved"))):
            gaps.append(Gap("a row of the bind test cannot be read", "\t".join(field or "" for field in row)[:200]))
            continue
        places.setdefault((protocol or "", family or "", address or ""), []).append((port or 0, got, result or ""))
    return places, gaps


def _of(place: _Place, tries: list[_Try]) -> dict[str, Any]:
    protocol, family, address = place
    attempts = [Attempt(port=port, result=result) for port, _, result in tries if port or result != "ok"]
    automatic = [given for port, given, result in tries if not port and given is not None]
    return {"protocol": protocol, "family": family, "address": address, "attempts": attempts, "automatic": automatic, "source": "bind(2)"}


def _common(said: list[tuple[str | None, ...]]) -> dict[str, Any]:
    """What holds for all attempts; a key that cannot be read is not shown."""
    told = {row[0]: row[1] for row in said}
    shown: dict[str, Any] = {}
    if (uid := rows.number(told.get("uid"))) is not None:
        shown["uid"] = uid
    gids = [rows.number(word) for word in (told.get("gids") or "x").split(" ")]
    if None not in gids:
        shown["gids"] = gids
    if told.get("program"):
        shown["python"] = told["program"]
    if told.get("executed") in ("0", "1"):
        shown["executed"] = told["executed"] == "1"
    if "launcher" in told and told["launcher"] != "":
        shown["through"] = told["launcher"]
        if told["launcher"] is None or told.get("launcher_program"):
            shown["launcher"] = told.get("launcher_program")
    if _HEXADECIMAL.fullmatch(capabilities := told.get("capabilities") or ""):
        shown["capable"] = bool(int(capabilities, 16) >> NET_BIND_SERVICE & 1)
    if "namespace_owner" in told and ((owner := rows.number(told["namespace_owner"])) is not None or told["namespace_owner"] is None):
        shown["namespace_owner"] = owner
    if "seccomp" in told and "no_new_privs" in told:
        shown["under"] = list(_under(told))
    if _LEFT_OUT.keys() <= told.keys():
        shown["left_out"] = [f"{words}: {ports.replace(',', ', ')}" for name, words in _LEFT_OUT.items() if (ports := told[name])]
    return shown


def _under(told: dict[str | None, str | None]) -> list[str]:
    found = [_SECCOMP[told["seccomp"] or ""]] if told["seccomp"] in _SECCOMP else []
    found += ["no_new_privs, under which files grant nothing"] if told["no_new_privs"] == "1" else []
    found += ["SELinux, enforcing"] if told.get("selinux") == "1" else []
    label = told.get("label") or ""
    return found + ([f"the label {label} of a security module"] if label not in _UNCONFINED else [])
