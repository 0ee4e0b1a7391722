"""OpenBSD, NetBSD and DragonFly: root alone may take privileged ports, unless the kernel has none."""

from __future__ import annotations

import pytest

from auditor.evidence import Answer
from tests.bundles import interpreted
from tests.collectors.test_netbsd import V4, V6, denied, no_limit, stated
from tests.collectors.test_openbsd import altered
from tests.collectors.told import bundled, own, steps, ways, whys
from tests.saved_hosts import DRAGONFLY, NETBSD, OPENBSD, SavedHost

THRESHOLD = "threshold options IPNOPRIVPORTS"


@pytest.mark.parametrize(
    ("saved", "ports", "why"),
    [
        (OPENBSD, "1-1023, 2049", "OpenBSD has no capabilities, and pledge(2) and unveil(2) give nothing"),
        (NETBSD, "1-1023", "secmodel_suser(9) lets uid 0 alone pass"),
        (DRAGONFLY, "1-1023", "uid 0 alone has it, in jails too"),
    ],
)
def test_root_alone_may_and_that_is_all_there_is_to_know(saved: SavedHost, ports: str, why: str) -> None:
    known = own(interpreted(saved.bundle())).grants
    assert (ways(known), known.gaps, known.basis) == ({"root root": f"root: {ports}"}, (), "derived")
    assert why in steps(known, "root root")
    (root,) = known.seen
    assert (root.root, root.everyone, root.uid, root.executable) == (True, False, 0, None)


def test_what_may_start_a_service_for_root_is_told_as_a_limit() -> None:
    assert any("setuid, sudo, doas" in limit for limit in interpreted(OPENBSD.bundle()).limits)


def test_the_rootonly_lists_of_openbsd_are_each_of_their_protocol() -> None:
    known = own(altered(tcp_rootonly="2049,8080", udp_rootonly="2049")).grants
    assert ways(known) == {"root root, tcp": "root: 1-1023, 2049, 8080 (tcp)", "root root, udp": "root: 1-1023, 2049 (udp)"}


def test_a_list_of_openbsd_that_was_not_read_leaves_which_ports_open() -> None:
    known = own(altered(tcp_rootonly="no list")).grants
    assert ways(known) == {"root root": "root: ?"}
    assert [gap.protocol for gap in known.gaps] == ["tcp"]


def netbsd(*answers: Answer) -> dict[str, str]:
    return ways(own(bundled("NetBSD", *answers)).grants)


def test_a_netbsd_kernel_with_ipnoprivports_opens_every_port_to_everybody() -> None:
    known = own(bundled("NetBSD", *no_limit(V4), *no_limit(V6))).grants
    assert (ways(known), known.gaps) == ({THRESHOLD: "everyone: 1-1023"}, ())
    assert steps(known, THRESHOLD).startswith("anonportmin is there and lowportmax is not")


def test_a_family_that_netbsd_did_not_tell_of_is_not_said_to_be_open() -> None:
    known = own(bundled("NetBSD", *no_limit(V4))).grants
    assert ways(known) == {THRESHOLD: "everyone: 1-1023"}
    assert "over ipv4 alone" in steps(known, THRESHOLD)
    assert [gap.family for gap in known.gaps] == ["ipv6"]


def test_a_netbsd_kernel_without_ipv6_opens_ipv4_alone() -> None:
    no_ipv6 = denied(*(f"{V6}{name}" for name in ("anonportmin", "anonportmax", "lowportmin", "lowportmax")))
    assert netbsd(*stated(V4), *no_ipv6) == {"root root": "root: 1-1023"}
    opened = own(bundled("NetBSD", *no_limit(V4), *no_ipv6)).grants
    assert (ways(opened), opened.gaps) == ({THRESHOLD: "everyone: 1-1023"}, ())
    assert "over ipv4 alone" in steps(opened, THRESHOLD)


@pytest.mark.parametrize("of", [OPENBSD, NETBSD, DRAGONFLY])
def test_nothing_is_sure_of_a_bundle_that_was_cut(of: SavedHost) -> None:
    whole = of.bundle()
    known = own(interpreted(whole[: len(whole) // 2])).grants
    assert known.gaps
    assert not any("ports" in one.shown for one in known.seen)
    assert whys(known)
