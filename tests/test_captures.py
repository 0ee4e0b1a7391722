"""Real output of many systems, each with what it is expected to say. The collection is not part of the project: it is looked for beside it,
or where PORT_AUDITOR_CAPTURES says, and skipped where it is not."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from auditor.evidence import Answer, load, made_of
from auditor.facts import UnknownFact
from auditor.model import Snapshot, Socket
from auditor.plugins import collector_for
from auditor.tables import Tables

FOLDER = Path(os.environ.get("PORT_AUDITOR_CAPTURES") or Path(__file__).resolve().parents[2] / "shared" / "captures")
TEXTS = sorted(FOLDER.glob("[0-9]*.txt"))
SYSTEMS = {"macos": "Darwin", "freebsd": "FreeBSD", "openbsd": "OpenBSD", "netbsd": "NetBSD", "solaris": "SunOS", "hp-ux": "HP-UX",
           "aix": "AIX", "windows": "Windows", "linux": "Linux"}  # fmt: skip
WHAT_WAS_RUN = {
    "038": "sockstat -l -j 1",  # "JID" stands for a number
    "115": "sysctl net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start net.ipv4.ip_local_reserved_ports",  # "same as 114"
    "120": "netstat -tulpn",  # a remark follows the command
    "126": "cat /proc/net/tcp",  # a remark follows the command
    "130": "ss -tulpn",  # a remark follows the command
}
"""Captures whose command line does not say what was run."""
TABLES = Tables()

pytestmark = pytest.mark.skipif(not TEXTS, reason=f"the captures are not there: {FOLDER}")


def number(path: Path) -> str:
    return path.name[:3]


def interpreted(path: Path) -> tuple[dict[str, Any], Snapshot]:
    expected = json.loads(path.with_name(path.name.removesuffix(".txt") + ".expected.json").read_text(encoding="utf-8"))
    command = WHAT_WAS_RUN.get(number(path), expected["command"])
    system = SYSTEMS[expected["os"]]
    bundle = b"".join(made_of({"system": system, "host": "captured"}, [Answer("saved", command, path.read_bytes(), "unknown")]))
    return expected, collector_for(system).interpret(load(bundle), TABLES)


def sockets(snapshot: Snapshot) -> list[Socket]:
    """Those of the protocols that the expectations speak of: they leave out UDP-Lite (105), whose sockets hold ports as well."""
    return [one for stack in snapshot.stacks.seen for one in stack.listening.seen if one.shown["protocol"] != "udplite"]


def unmapped(address: str) -> str:
    return address.removeprefix("::ffff:") if "." in address else address


def place_of(socket: Socket) -> tuple[Any, ...]:
    shown = socket.shown
    family = "dual" if shown["address"] == "::" and shown.get("v6only") is False else shown["family"]
    return shown["protocol"], family, unmapped(shown["address"]), shown.get("zone") or shown.get("device"), shown["port"]


def expected_place(listener: dict[str, Any]) -> tuple[Any, ...]:
    address, _, zone = listener["address"].partition("%")
    return listener["protocol"], listener["family"], unmapped(address), zone or listener.get("zone"), listener["port"]


def holders_of(socket: Socket) -> set[tuple[Any, ...]]:
    return {(owner.shown.get("pid"), owner.shown.get("process")) for owner in socket.shown.get("owners_seen", [])}


def expected_holders(listener: dict[str, Any]) -> set[tuple[Any, ...]]:
    owners = listener.get("owners") or ([listener] if listener["pid"] is not None or listener["process"] is not None else [])
    return {(owner["pid"], owner["process"]) for owner in owners}


def users_of(socket: Socket) -> set[str]:
    told = [owner.shown.get(key) for owner in socket.shown.get("owners_seen", []) for key in ("user", "uid")]
    return {str(user) for user in [*told, socket.shown.get("uid")] if user is not None}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name.removesuffix(".txt"))
def test_a_capture_gives_exactly_its_listeners(path: Path) -> None:
    expected, snapshot = interpreted(path)
    named = [listener for listener in expected["listeners"] if listener["port"] is not None]
    seen = sockets(snapshot)
    assert {place_of(one) for one in seen} == {expected_place(listener) for listener in named}
    holders: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
    for one in seen:
        holders.setdefault(place_of(one), set()).update(holders_of(one))
    told: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
    for listener in named:
        told.setdefault(expected_place(listener), set()).update(expected_holders(listener))
    assert holders == told
    without = Counter(expected_place(listener) for listener in named if not expected_holders(listener))
    assert Counter(place_of(one) for one in seen if not holders_of(one)) == without


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name.removesuffix(".txt"))
def test_a_captures_users_and_cuts_are_told(path: Path) -> None:
    expected, snapshot = interpreted(path)
    by_place: dict[tuple[Any, ...], list[Socket]] = {}
    for one in sockets(snapshot):
        by_place.setdefault(place_of(one), []).append(one)
    for listener in expected["listeners"]:
        alike = by_place.get(expected_place(listener), [])
        if listener["user"] is not None and listener["port"] is not None:
            assert any(str(listener["user"]) in users_of(one) for one in alike), listener
        if listener.get("address_truncated"):
            assert all(one.shown.get("address_cut") for one in alike), listener


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name.removesuffix(".txt"))
def test_a_port_whose_name_cannot_be_resolved_is_a_gap_with_its_line(path: Path) -> None:
    expected, snapshot = interpreted(path)
    lines = [gap.line or "" for stack in snapshot.stacks.seen for gap in stack.listening.gaps]
    for listener in expected["listeners"]:
        if listener["port"] is None:
            assert any(listener["port_name"] in line for line in lines), listener


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name.removesuffix(".txt"))
def test_a_captures_settings_are_exactly_those_expected(path: Path) -> None:
    expected, snapshot = interpreted(path)
    settings = snapshot.shown["settings"]
    for name, value in expected["sysctls"].items():
        for wanted, words in expected_settings(name, value):
            assert settings.get(wanted, "not there").split() == words.split(), wanted


def expected_settings(name: str, value: Any) -> list[tuple[str, str]]:
    """A setting of the collection under the name and in the form that a snapshot has it."""
    if name == "excludedportrange.tcp":
        parts = [str(one["start"]) if one["start"] == one["end"] else f"{one['start']}-{one['end']}" for one in value]
        return [("excludedportrange.ipv4.tcp", ",".join(parts))]
    if name == "dynamicport.tcp.start":
        return []
    if name == "dynamicport.tcp.number":
        return [("dynamicport.ipv4.tcp", f"1024-{1024 + int(value) - 1}")]
    return [(name.replace("-", "_") if name.startswith("tcp.") else name, value)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name.removesuffix(".txt"))
def test_nothing_is_concluded_from_what_a_capture_does_not_show(path: Path) -> None:
    """None of them shows all four pairs, its interfaces and every holder: none may be taken for a whole listing of its host."""
    _, snapshot = interpreted(path)
    for stack in snapshot.stacks.seen:
        for facts in (stack.addresses, stack.persisted):
            with pytest.raises(UnknownFact):
                list(facts)
        assert not [one for one in stack.listening.seen if one.shown["owner_state"] in ("known", "none")]
