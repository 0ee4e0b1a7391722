"""DragonFly: a constant limit, the port ranges of net.inet.ip.portrange, and sockstat, which lists no socket that no process holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.collectors import dragonfly
from auditor.evidence import Answer
from auditor.model import Snapshot, Socket
from tests.bundles import interpreted
from tests.collectors.told import Told, bundled, host, judged, open_questions, own, spans, whys
from tests.saved_hosts import DRAGONFLY

PORTRANGE = "net.inet.ip.portrange."
SOCKSTAT: Told = ("sockstat -46l", DRAGONFLY.texts["sockstat -46l"])


def altered(uid: str = "0", **values: str) -> Snapshot:
    texts = {f"sysctl {PORTRANGE}{name}": f"{PORTRANGE}{name}: {value}\n" for name, value in values.items()}
    return interpreted(replace(DRAGONFLY, texts=DRAGONFLY.texts | texts, uid=uid).bundle())


def by_subject(snapshot: Snapshot) -> dict[str, Socket]:
    return {one.numbered_subject: one for one in own(snapshot).listening.seen}


def test_the_limit_is_a_constant_that_no_setting_moves() -> None:
    for snapshot in (altered(), host("DragonFly", (f"sysctl {PORTRANGE}reservedhigh", f"{PORTRANGE}reservedhigh: 0\n"))):
        known = own(snapshot).privileged
        assert (spans(known), known.gaps, known.basis) == (["1-1023"], (), "derived")
    assert [one.outcome for one in judged(altered(), "", "privileged-range-lowered")] == ["pass"]


def test_a_bundle_that_was_cut_leaves_even_the_constant_unknown() -> None:
    snapshot = interpreted(DRAGONFLY.bundle().removesuffix(b".\n"))
    assert own(snapshot).privileged.gaps
    assert [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")] == ["unknown"]


def test_each_role_has_its_range() -> None:
    assert [(one.role, str(one), one.descending) for one in own(altered()).ephemeral.seen] == [
        ("default", "1024-5000", False), ("high", "49152-65535", False), ("low", "600-1023", True),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "role"), [("last", "default"), ("hifirst", "high"), ("lowlast", "low")])
def test_a_range_half_of_which_failed_is_unknown_and_costs_no_other(name: str, role: str) -> None:
    texts = {command: text for command, text in DRAGONFLY.texts.items() if command != f"sysctl {PORTRANGE}{name}"}
    known = own(interpreted(replace(DRAGONFLY, texts=texts).bundle())).ephemeral
    assert {one.role for one in known.seen} == {"default", "high", "low"} - {role}
    assert len(known.gaps) == 1


def test_a_range_below_1024_is_found() -> None:
    found = judged(altered(first="512"), "", "ephemeral-range-reaches-privileged-ports")
    assert [one.outcome for one in found] == ["fail"]
    assert found[0].message.startswith("the kernel may hand out 512-1023, which are System Ports: any user's program")


def test_a_changed_setting_is_compared_with_sysctl_conf() -> None:
    (found,) = [one for one in judged(altered(last="9000"), "", "setting-not-persisted") if one.outcome == "fail"]
    assert f"{PORTRANGE}last is not the kernel's default, and no file sets it" in found.message


def test_sockstat_alone_misses_what_no_process_holds() -> None:
    assert "no socket that no process holds" in whys(own(host("DragonFly", SOCKSTAT, uid="0")).listening)
    netstat = [
        Answer("netstat", command, DRAGONFLY.texts[command].encode()) for command in DRAGONFLY.texts if command.startswith("netstat")
    ]
    assert own(bundled("DragonFly", *netstat, uid="0")).listening.gaps == ()
    assert open_questions(own(bundled("DragonFly", netstat[0], uid="0")).listening) == ["ipv6"]


@pytest.mark.parametrize(("head", "state"), [({"uid": "0"}, "known"), ({"uid": "1001"}, "partial"), ({}, "partial")])
def test_only_root_sees_the_files_of_all(head: dict[str, str], state: str) -> None:
    assert by_subject(host("DragonFly", SOCKSTAT, **head))["tcp/0.0.0.0:22"].owner_state == state


def test_a_process_is_joined_with_what_ps_says_of_it() -> None:
    (owner,) = by_subject(altered())["udp/0.0.0.0:514"].owners_seen
    assert owner.shown == {"pid": 500, "process": "syslogd", "user": "root", "uid": 0}


def test_the_probes_only_ask() -> None:
    for probe in (one for one in dragonfly.COLLECTOR.probes if not one.ask):
        assert probe.argv[0] in ("sysctl", "sockstat", "netstat", "ps", "ifconfig", "cat")
